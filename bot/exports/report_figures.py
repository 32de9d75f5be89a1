"""What the official report counts: a period, the one before, and everything until its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from bot.errors import BotError
from bot.exports import wording
from bot.exports.report_periods import Period
from bot.exports.report_work import WorkFigures, gather_work
from bot.library.articles import Library
from bot.library.regions import Baseline, Regions
from bot.statistics import counts
from bot.statistics.activity import ensure_counted
from bot.statistics.counts import OfficialFigure
from bot.store import Store


class ReportError(BotError):
    """There is no report of these days."""


@dataclass(frozen=True, slots=True)
class DistrictLine:
    """One district: what was new in the period, in the one before, and all until its end."""

    name: str
    adults: int
    now: int
    before: int
    total: int

    @property
    def share(self) -> float:
        """All reports as a share of the estimated adults."""
        return self.total / self.adults if self.adults else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the report may say: published counts, in whole steps of `step`."""

    period: Period
    area: str
    whole: DistrictLine
    lines: tuple[DistrictLine, ...]
    made_at: datetime
    standing: counts.ProvinceCount
    step: int = 1
    baseline: Baseline | None = None
    official: OfficialFigure | None = None
    simulated: bool = False
    work: WorkFigures = field(default_factory=WorkFigures)

    def rank(self, line: DistrictLine) -> int:
        """Rank a district by its share; equal shares share a rank."""
        return 1 + sum(other.share > line.share for other in self.lines)


async def gather_figures(
    store: Store,
    regions: Regions,
    library: Library,
    period: Period,
    *,
    made_at: datetime,
    small_count: int,
    scope: Iterable[str] | None = None,
) -> Figures:
    """Count the period, the one before and all until its end, within a scope (None: the whole province).

    `made_at` is in the citizens' time zone. The counts are the published ones whoever asks, as the paper leaves the
    house. Raises ReportError for days that are not over.
    """
    today, step = made_at.date(), max(1, small_count)
    if not period.since <= period.until < today:
        raise ReportError("The report counts whole days: the last one must be over, and not before the first.")
    wanted = None if scope is None else frozenset(scope)
    await ensure_counted(store, now=made_at, zone=made_at.tzinfo or UTC)

    async def count(since: date | None, until: date) -> counts.ProvinceCount:
        return await counts.count_districts(
            store, regions, today=today, since=since, until=until, scope=wanted, step=step
        )

    now = await count(period.since, period.until)
    before = await count(period.before.since, period.before.until)
    total = await count(None, period.until)
    names = [regions.districts[district.district].title("vi") for district in now.districts]
    merged = period.until >= regions.province.merged_into.since
    figures = await counts.official_figures(store, regions, until=period.until)
    province = regions.province
    area = province.id if wanted is None else now.districts[0].district if len(now.districts) == 1 else ""
    official = figures.get(area)
    return Figures(
        period=period,
        area=province.area("vi", merged=merged)
        if wanted is None
        else wording.joined(names) + (" cũ" if merged else ""),
        whole=DistrictLine("Tổng", total.adults, now.reports, before.reports, total.reports),
        lines=tuple(
            DistrictLine(
                name, district.adults, district.reports, before.districts[index].reports, total.districts[index].reports
            )
            for index, (name, district) in enumerate(zip(names, now.districts, strict=True))
        ),
        made_at=made_at,
        standing=total,
        step=step,
        baseline=province.baseline if wanted is None else None,
        # Until one is imported, the province's latest official figure is the baseline, which is told anyway.
        official=official if official and official.day != province.baseline.date else None,
        simulated=await counts.are_simulated(store),
        work=await gather_work(store, library, period, step=step, scope=wanted),
    )
