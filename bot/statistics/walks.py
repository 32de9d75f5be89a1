"""Where guided walks stop: counted by guide and step as they move, read for officers.

The handler of guides books each move in the transaction of its answer. A walk that is booked at a step stands there
until it moves, so that the counts of a finished day say where people stopped. Nobody is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.library.guides import END, Guide
from bot.store import Row, Store, Transaction, walk_tallies


@dataclass(frozen=True, slots=True)
class StepCount:
    """One step of a guide: walks that came to it, that are or were left there, and troubles told there."""

    step_id: str
    came: int
    stands: int
    troubles: int


@dataclass(frozen=True, slots=True)
class GuideCount:
    """The walks of one guide that began in a span of days, and how many came to its end."""

    guide_id: str
    begun: int
    finished: int
    steps: tuple[StepCount, ...]

    @property
    def hardest(self) -> StepCount | None:
        """The step at which most walks stopped; None where none did."""
        stopped = max(self.steps, key=lambda step: step.stands, default=None)
        return stopped if stopped is not None and stopped.stands > 0 else None


# What a move changes in the counts, within the transaction of the answer.
Booking = Callable[[Transaction], None]


def begun(guide: str, step: str, *, day: str) -> Booking:
    """Count a walk that begins at a step."""
    return lambda tx: walk_tallies.book(tx, guide, step, what=walk_tallies.STANDING, day=day, change=1)


def moved(guide: str, before: str, after: str, *, day: str) -> Booking:
    """Count a walk that goes from one step to another; `day` is when it began, the step END its end."""

    def book(tx: Transaction) -> None:
        if before != after:
            walk_tallies.book(tx, guide, before, what=walk_tallies.STANDING, day=day, change=-1)
            walk_tallies.book(tx, guide, after, what=walk_tallies.STANDING, day=day, change=1)

    return book


def stuck(guide: str, step: str, *, day: str) -> Booking:
    """Count that somebody was stuck at a step."""
    return lambda tx: walk_tallies.book(tx, guide, step, what=walk_tallies.TROUBLE, day=day, change=1)


async def count_walks(store: Store, guides: Iterable[Guide], *, since: date, until: date) -> list[GuideCount]:
    """Count the walks that began from one day to another, guide by guide in the order given."""
    rows = await store.read(lambda tx: walk_tallies.begun_between(tx, since=since.isoformat(), until=until.isoformat()))
    counted: Mapping[tuple[str, str], dict[str, int]] = _by_guide(rows)
    return [
        _count(guide, counted[guide.id, walk_tallies.STANDING], counted[guide.id, walk_tallies.TROUBLE])
        for guide in guides
    ]


def _by_guide(rows: Iterable[Row]) -> Mapping[tuple[str, str], dict[str, int]]:
    counted: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        counted[row["guide"], row["what"]][row["step"]] += row["walks"]
    return counted


def _count(guide: Guide, standing: Mapping[str, int], troubles: Mapping[str, int]) -> GuideCount:
    """Add up from the end: whoever stands at a later step, or is through, came to the earlier ones."""
    finished = max(0, standing.get(END, 0))
    steps, came = [], finished
    for step in reversed(guide.steps):
        stands = max(0, standing.get(step.id, 0))
        came += stands
        steps.append(StepCount(step.id, came, stands, troubles.get(step.id, 0)))
    return GuideCount(guide.id, came, finished, tuple(reversed(steps)))
