"""How far a broadcast is, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot import access
from bot.broadcasts.models import (
    UPLIFT_HOURS,
    Actor,
    Broadcast,
    BroadcastLine,
    BroadcastProgress,
    BroadcastReport,
    Uplift,
)
from bot.broadcasts.permissions import grants_of
from bot.broadcasts.planning import Planning
from bot.clock import stamp
from bot.statistics.counts import rounded, rounded_part, step_for
from bot.store import Row, Transaction, audiences, broadcasts
from bot.store.audiences import Audience
from bot.store.broadcasts import PLANNED, RUNNING, SCHEDULED


class Reports(Planning):
    """Progress and results, as exact as somebody may see them."""

    async def progress(self, actor: Actor, number: int) -> BroadcastProgress:
        """Return how far a broadcast is; exact, so show `rounded` figures to whoever is no admin."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row]]:
            return self._find(tx, actor, number), broadcasts.counts(tx, number)

        found, rows = await self._store.read(work)
        return self.as_progress(found, rows)

    def as_progress(self, found: Broadcast, rows: Sequence[Row]) -> BroadcastProgress:
        """Sum up the ledger's counts."""
        states: Counter[str] = Counter()
        left: Counter[str] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["state"] in (PLANNED, broadcasts.CLAIMED):
                left[row["channel"]] += row["people"]
        begin = max(self._clock(), found.starts_at or self._clock())
        finish = self._finish(begin, left) if left and found.state in (SCHEDULED, RUNNING) else None
        return BroadcastProgress(found, states, left, finish)

    async def report(self, actor: Actor, number: int) -> BroadcastReport:
        """Return what became of a broadcast, rounded for whoever is no admin."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row], int]:
            found = self._find(tx, actor, number)
            step = step_for(grants_of(tx, actor), self._settings.privacy.small_count)
            return found, broadcasts.results(tx, number), step

        found, rows, step = await self._store.read(work)
        states: Counter[str] = Counter()
        reasons: Counter[tuple[str, str]] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["reason"]:
                reasons[row["state"], row["reason"]] += row["people"]
        uplift = found.uplift or (await self._uplift(found) if found.began_at else None)
        return BroadcastReport(
            found,
            {state: rounded(people, step) for state, people in states.items()},
            {key: rounded_part(people, step) for key, people in reasons.items()},
            tuple(_lines(rows, "district", step)),
            tuple(_lines(rows, "channel", step)),
            uplift and _rounded_proof(uplift, step),
            step,
        )

    async def unknown(self, actor: Actor, number: int, *, limit: int = 1000) -> list[tuple[int, str, str]]:
        """List whom a message may or may not have reached, by number, channel and reason; for admins."""

        def work(tx: Transaction) -> list[tuple[int, str, str]]:
            self._find(tx, actor, number, access.EXPORT_ROWS)
            rows = broadcasts.unknown(tx, number, limit=limit)
            return [(row["person_id"], row["channel"], row["reason"]) for row in rows]

        return await self._store.read(work)

    async def step(self, actor: Actor) -> int:
        """Return how coarse the figures are that the actor may see."""
        small = self._settings.privacy.small_count
        return await self._store.read(lambda tx: step_for(grants_of(tx, actor), small))

    async def _uplift(self, found: Broadcast) -> Uplift:
        assert found.began_at is not None  # the caller looked
        began_at, until = stamp(found.began_at), stamp(found.began_at + timedelta(hours=UPLIFT_HOURS))
        audience = Audience(districts=found.audience.districts, commune=found.audience.commune)
        whom, sums = self._audience_query(audience), Counter[str]()
        effect = partial(audiences.effect, number=found.number, whom=whom, began_at=began_at, until=until)
        async for after, upto in self._pages():
            row = await self._store.read(partial(effect, after=after, upto=upto))
            assert row is not None  # sums without groups are one row
            sums.update({name: row[name] for name in ("reached", "reached_reported", "others", "others_reported")})
        return Uplift(
            sums["reached"],
            sums["reached_reported"],
            sums["others"],
            sums["others_reported"],
            stamp(self._clock()) >= until,
        )


def _lines(rows: Sequence[Row], column: str, step: int) -> Iterator[BroadcastLine]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row[column], Counter())[row["state"]] += row["people"]
    for name, states in found.items():
        shown = {state: rounded_part(people, step) for state, people in states.items()}
        yield BroadcastLine(name, {state: people for state, people in shown.items() if people})


def _rounded_proof(uplift: Uplift, step: int) -> Uplift:
    return replace(
        uplift,
        reached=rounded(uplift.reached, step),
        reached_reported=rounded_part(uplift.reached_reported, step),
        others=rounded(uplift.others, step),
        others_reported=rounded_part(uplift.others_reported, step),
    )
