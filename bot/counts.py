"""How many people reported an installation: by district, commune, day, channel, source; always self-reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.regions import Regions
from bot.store import Store, reports

GROUPS = ("district", "commune", "day", "channel", "source")
_EVER = (date(2000, 1, 1), date(9999, 12, 31))
NEW_DAYS = 7


@dataclass(frozen=True, slots=True)
class DistrictCount:
    """One district: reports, share of its estimated adults, new in the last seven days, rank by share."""

    district: str
    reports: int
    adults: int
    share: float
    new: int
    rank: int


@dataclass(frozen=True, slots=True)
class ProvinceCount:
    """All districts of a scope together."""

    districts: tuple[DistrictCount, ...]
    reports: int
    adults: int
    new: int
    day: date

    @property
    def share(self) -> float:
        """The reports as a share of the estimated adults."""
        return self.reports / self.adults if self.adults else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """One row of a count by anything; `within` is the district of a commune."""

    key: str
    reports: int
    within: str = ""


async def count_districts(
    store: Store,
    regions: Regions,
    *,
    today: date,
    since: date | None = None,
    until: date | None = None,
    scope: Iterable[str] | None = None,
) -> ProvinceCount:
    """Count by district within a scope (None: the whole province), days inclusive."""
    first, last = since or _EVER[0], until or _EVER[1]
    all_rows = await _totals(store, "district", first, last)
    new_rows = await _totals(store, "district", max(first, today - timedelta(days=NEW_DAYS - 1)), min(last, today))
    in_all = {tally.key: tally.reports for tally in all_rows}
    in_week = {tally.key: tally.reports for tally in new_rows}
    wanted = set(regions.districts if scope is None else scope)
    shares = {d.id: in_all.get(d.id, 0) / d.adults_estimate for d in regions.districts.values() if d.id in wanted}
    # Equal shares share a rank.
    ranks = {district: 1 + sum(other > share for other in shares.values()) for district, share in shares.items()}
    counted = tuple(
        DistrictCount(
            district.id,
            in_all.get(district.id, 0),
            district.adults_estimate,
            shares[district.id],
            in_week.get(district.id, 0),
            ranks[district.id],
        )
        for district in regions.districts.values()
        if district.id in wanted
    )
    return ProvinceCount(
        counted,
        sum(c.reports for c in counted),
        # The letter's own denominator, which the nine rounded estimates miss by a few people.
        regions.province.baseline.adults_estimate if scope is None else sum(c.adults for c in counted),
        sum(c.new for c in counted),
        today,
    )


async def count_by(store: Store, group: str, *, since: date | None = None, until: date | None = None) -> list[Tally]:
    """Count by one of `GROUPS`, days inclusive."""
    return await _totals(store, group, since or _EVER[0], until or _EVER[1])


async def _totals(store: Store, group: str, since: date, until: date) -> list[Tally]:
    rows = await store.read(lambda tx: reports.totals(tx, by=group, since=since.isoformat(), until=until.isoformat()))
    return [Tally(row["key"], row["reports"], row["district"] if group == "commune" else "") for row in rows]
