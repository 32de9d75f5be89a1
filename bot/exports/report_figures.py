"""What the official report counts: a period, the one before, and everything until its end."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.errors import BotError
from bot.exports import wording
from bot.library.regions import Baseline, Regions
from bot.statistics import counts
from bot.statistics.counts import OfficialFigure
from bot.store import Store


class ReportError(BotError):
    """There is no report of these days."""


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both ends included."""

    since: date
    until: date

    @property
    def before(self) -> Period:
        """The period just before: as many whole months where this one is whole months, else as many days."""
        eve = self.since - timedelta(days=1)
        if self.since.day == 1 and self.until.day == calendar.monthrange(self.until.year, self.until.month)[1]:
            months = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month + 1
            year, month = divmod(self.since.year * 12 + self.since.month - 1 - months, 12)
            return Period(date(year, month + 1, 1), eve)
        return Period(self.since - (self.until - self.since) - timedelta(days=1), eve)

    def __str__(self) -> str:
        """Name it as the report does."""
        if self.since == self.until:
            return f"ngày{wording.SPACE}{wording.day(self.since)}"
        return f"từ ngày{wording.SPACE}{wording.day(self.since)} đến ngày{wording.SPACE}{wording.day(self.until)}"


def month_so_far(today: date) -> Period:
    """Return this month up to yesterday, on its first day the whole month before: only days that are over."""
    yesterday = today - timedelta(days=1)
    return Period(yesterday.replace(day=1), yesterday)


def last_month(today: date) -> Period:
    """Return the whole calendar month before this one."""
    return month_so_far(today.replace(day=1))


def last_week(today: date) -> Period:
    """Return the seven days up to yesterday."""
    return Period(today - timedelta(days=7), today - timedelta(days=1))


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

    def rank(self, line: DistrictLine) -> int:
        """Rank a district by its share; equal shares share a rank."""
        return 1 + sum(other.share > line.share for other in self.lines)


async def gather_figures(
    store: Store,
    regions: Regions,
    period: Period,
    *,
    made_at: datetime,
    small_count: int,
    scope: Iterable[str] | None = None,
) -> Figures:
    """Count the period, the one before and all until its end, within a scope (None: the whole province).

    The counts are the published ones whoever asks, as the paper leaves the house. Raises ReportError for days that
    are not over.
    """
    today, step = made_at.date(), max(1, small_count)
    if not period.since <= period.until < today:
        raise ReportError("The report counts whole days: the last one must be over, and not before the first.")
    wanted = None if scope is None else frozenset(scope)

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
    )
