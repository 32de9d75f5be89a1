"""What officers may know about the size of an audience: published figures, as of `docs/counts.md`.

Planning and its words ask here, for everybody who may not see exact figures. Everything follows from counts that are
made once a day by district and by one thing at a time (`bot.store.reach_counts`), rounded like all parts of a published
figure. An audience that is narrowed by several things at once has no figure of its own: that it is smaller than each
of them is all that can be said without giving small groups away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bot.statistics.counts import rounded_part
from bot.store import Row, Store, audiences, reach_counts
from bot.store.audiences import ANY, LONG_AGO, REPORTED, Audience, Whom
from bot.store.reach_counts import Key


@dataclass(frozen=True, slots=True)
class PublishedSize:
    """How many people a broadcast is meant for, as officers see it.

    `people` is rounded down, 0 when it is too small to show or when several things narrow the audience (`narrowed`);
    `below` is more than there are. `districts` is `people` of each, or, if narrowed, the most there are. `channels` and
    `left_out` are empty where they would narrow further. `paid` is how many messages cost money, at most. `spread`
    shares `people` out to channels, to reckon with.
    """

    people: int
    below: int
    narrowed: bool = False
    paid: int = 0
    channels: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    spread: Mapping[str, int] = field(default_factory=dict)
    districts: Mapping[str, int] = field(default_factory=dict)

    @property
    def basis(self) -> int:
        """The size that decides how finely shares are shown."""
        return self.below - 1 if self.narrowed else self.people


@dataclass(frozen=True, slots=True)
class ReachCounts:
    """The counts of a day: people and paid messages by district, view and name."""

    counted: Mapping[Key, tuple[int, int]]

    def people(self, district: str, view: str, name: str) -> int:
        """Return one exact count; it must not leave this module unrounded."""
        return self.counted.get((district, view, name), (0, 0))[0]

    def paid(self, district: str, view: str, name: str) -> int:
        """Return how many of these messages cost money, exactly."""
        return self.counted.get((district, view, name), (0, 0))[1]

    def names(self, district: str, view: str) -> list[str]:
        """List what a view names in a district."""
        return sorted(name for place, kind, name in self.counted if (place, kind) == (district, view))


def published_size(
    counts: ReachCounts, audience: Audience, districts: tuple[str, ...], channels: tuple[str, ...], *, step: int
) -> PublishedSize:
    """Return the published size of an audience; `districts` are all it is meant for, "" for an unknown one.

    `channels` are those that are on. What it names must not depend on who is there.

    A total is the sum of the rows of its districts and communes, each rounded by itself, so that no two audiences can
    be subtracted from one another.
    """
    paid = 0
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    on = tuple(name for name in channels if audience.channel in ("", name))
    by_channel: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    for district in districts:
        rows = [
            [counts.people(district, view, name) for name in names] for view, names in _narrowings(audience, district)
        ]
        sizes = [(_floor(row, step), _ceiling(row, step)) for row in rows]
        least[district] = sizes[0][0] if len(sizes) == 1 else 0
        most[district] = min(high for _, high in sizes)
        for name in on:
            by_channel[name] += rounded_part(counts.people(district, "channel", name), step)
            paid += rounded_part(counts.paid(district, "channel", name), step)
        for reason in counts.names(district, "left-out"):
            left_out[reason] += rounded_part(counts.people(district, "left-out", reason), step)
    bounds = [_narrowings(audience, district) for district in districts]
    narrowed = bool(audience.held_of) or any(len(one) > 1 for one in bounds)
    whole = not narrowed and all(one == [_EVERYBODY] for one in bounds)
    people, in_all = 0 if narrowed else sum(least.values()), sum(most.values())
    return PublishedSize(
        people,
        in_all + 1,
        narrowed,
        min(paid, in_all),
        {name: shown for name, shown in by_channel.items() if shown} if whole else {},
        {reason: shown for reason, shown in left_out.items() if shown} if whole else {},
        _spread(on, by_channel, people or in_all),
        most if narrowed else least,
    )


def share_step(people: int, step: int) -> int:
    """Return to how many per cent shares of people are rounded, so that a step is no small group; 0: none is shown.

    `people` is the published size: it must not depend on who is really there.
    """
    if people >= 100 * step:
        return 1
    return 10 if people >= 10 * step else 0


def published_share(part: int, whole: int, percent_step: int) -> int:
    """Return a part of a whole in per cent, rounded down to whole steps; 100 only when it is all."""
    if not whole or not percent_step:
        return 0
    return part * 100 // whole // percent_step * percent_step


def published_percent(done: int, people: int, step: int) -> int:
    """Return how far messages to people are, in steps of 10 per cent; few people are done at once or not at all."""
    if done >= people:
        return 100
    return 0 if people < 2 * step else done * 100 // people // 10 * 10


_EVERYBODY: tuple[str, tuple[str, ...]] = ("", ("",))


def _narrowings(audience: Audience, district: str) -> list[tuple[str, tuple[str, ...]]]:
    """List the views that bound an audience within a district, each with the names that belong to it."""
    communes = audience.communes_of(district)
    found: list[tuple[str, tuple[str, ...]]] = [
        *([("commune", communes)] if communes else []),
        *([("channel", (audience.channel,))] if audience.channel else []),
        *([("language", (audience.language,))] if audience.language else []),
        *([("source", (audience.source,))] if audience.source else []),
        *([("reports", (audience.reports,))] if audience.reports != ANY else []),
    ]
    return found or [_EVERYBODY]


def _floor(row: list[int], step: int) -> int:
    return sum(rounded_part(count, step) for count in row)


def _ceiling(row: list[int], step: int) -> int:
    """Return the most that the published parts of a row leave possible."""
    return sum(shown + step - 1 if (shown := rounded_part(count, step)) else 2 * step - 1 for count in row)


def _spread(channels: tuple[str, ...], by_channel: Mapping[str, int], people: int) -> dict[str, int]:
    """Share people out to channels as the published counts of these are, or as if all were on each."""
    whole = sum(by_channel.values())
    return {name: -(-people * by_channel[name] // whole) if whole else people for name in channels}


async def count_reach(store: Store, whom: Whom, pages: AsyncIterator[tuple[int, int]], *, day: str) -> ReachCounts:
    """Return the counts of a day; who asks first makes them, from what stood when the day began."""
    rows = await store.read(partial(reach_counts.of_day, day=day))
    if not rows:
        counted: dict[Key, tuple[int, int]] = {("", "", ""): (0, 0)}  # a day on which nobody is there was counted, too
        async for after, upto in pages:
            _add(counted, await store.read(partial(audiences.margins, whom=whom, after=after, upto=upto)))
        await store.write(partial(reach_counts.replace, day=day, counted=counted))
        rows = await store.read(partial(reach_counts.of_day, day=day))
    return ReachCounts({(r["district"], r["view"], r["name"]): (r["people"], r["paid"]) for r in rows})


def _add(counted: dict[Key, tuple[int, int]], page: list[Row]) -> None:
    for row in page:
        if row["reason"]:
            views = [("left-out", row["reason"])]
        else:
            views = [("", ""), *((view, row[view]) for view in ("commune", "channel", "language", "source", "reports"))]
            if row["reports"] == LONG_AGO:  # they reported, too
                views.append(("reports", REPORTED))
        for view, name in views:
            people, paid = counted.get((row["district"], view, name), (0, 0))
            counted[row["district"], view, name] = people + int(row["people"]), paid + int(row["paid"])
