"""How many people reported an installation: by place, time, channel, language, source; always self-reported.

Who may see exact figures gets them live, with `step` 1. Everybody else gets published figures, with `step` 5 or
another: up to the end of yesterday, and each count rounded down to a whole number of steps; a period is the difference
of two such counts, a total the sum of its rows. `docs/counts.md` says why nothing can be subtracted from that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot import access
from bot.i18n.catalogue import mark
from bot.library.goals import Goal, Goals
from bot.library.regions import Regions
from bot.store import Store, Transaction, demo, official, tallies

GROUPS = ("district", "commune", "commune-2025", "day", "week", "month", "channel", "language", "source", "product")
STEPS = tallies.STEPS
NEW_DAYS = 7
SELF_REPORTED, OFFICIAL = "self_reported", "official"
SIMULATED = mark("SIMULATED FIGURES for a trial; none of this is real.")
_EVER = (date(2000, 1, 1), date(9999, 12, 31))
_TIMES = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class DistrictCount:
    """One district: reports, share of its estimated adults, new in the last seven days, rank by share.

    `before` is what was new in the seven days before those.
    """

    district: str
    reports: int
    adults: int
    share: float
    new: int
    rank: int
    before: int = 0


@dataclass(frozen=True, slots=True)
class ProvinceCount:
    """All districts of a scope together; `day` is the last day counted, `over` whether it has ended."""

    districts: tuple[DistrictCount, ...]
    reports: int
    adults: int
    new: int
    day: date
    before: int = 0
    step: int = 1
    over: bool = True

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


@dataclass(frozen=True, slots=True)
class DayCount:
    """One day: what changed, and how many stood at its end."""

    day: date
    new: int
    total: int


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One step of the funnel and how many people took it."""

    name: str
    people: int


@dataclass(frozen=True, slots=True)
class OfficialFigure:
    """Phones with the app as the authorities counted them."""

    day: date
    phones: int


@dataclass(frozen=True, slots=True)
class GoalProgress:
    """How far a district, or the province, is on its way to its goal."""

    district: str
    goal: Goal
    wanted: int
    reached: int
    day: date

    @property
    def share(self) -> float:
        """The part of the way that is done, from 0 to 1 and beyond."""
        return self.reached / self.wanted if self.wanted else 1.0

    @property
    def days_left(self) -> int:
        """The days after `day` up to and with the last one."""
        return max(0, (self.goal.until - self.day).days)

    @property
    def pace(self) -> float | None:
        """How many a week it takes from here; None when the time is over and the goal is not reached."""
        missing = max(0, self.wanted - self.reached)
        if not missing:
            return 0.0
        return missing / self.days_left * 7 if self.days_left else None


def step_for(grants: Iterable[access.Grant], small_count: int) -> int:
    """Return how coarse the counts are that a person may see: 1, and so exact, for admins only."""
    return 1 if access.may(grants, access.ADMIN) else max(1, small_count)


def last_day(today: date, step: int) -> date:
    """Return the last day that may be counted: today when exact, else yesterday."""
    return today if step <= 1 else today - timedelta(days=1)


def rounded(count: int, step: int) -> int:
    """Round a count down to whole steps."""
    return count - count % step if step > 1 else count


def rounded_part(count: int, step: int) -> int:
    """Round a count that is part of a published one: below two steps it is not shown at all."""
    return 0 if step > 1 and count < 2 * step else rounded(count, step)


async def count_districts(
    store: Store,
    regions: Regions,
    *,
    today: date,
    since: date | None = None,
    until: date | None = None,
    scope: Iterable[str] | None = None,
    step: int = 1,
) -> ProvinceCount:
    """Count by district within a scope (None: the whole province), days inclusive."""
    first = since or _EVER[0]
    start = first - timedelta(days=1)
    last = max(start, min(until or _EVER[1], last_day(today, step)))
    wanted = set(regions.districts) if scope is None else set(scope) & set(regions.districts)
    week, fortnight = (max(start, last - timedelta(days=days)) for days in (NEW_DAYS, 2 * NEW_DAYS))
    # What stood before the time, a fortnight and a week ago, and at its end.
    marks = (start, fortnight, week, last)
    stood = [await _stood(store, "district", day, wanted) for day in marks]
    standing = {d: [rounded(at.get((d, ""), 0), step) for at in stood] for d in wanted}
    adults = {d: regions.districts[d].adults_estimate for d in wanted}
    in_all = {d: counted[3] - counted[0] for d, counted in standing.items()}
    shares = {d: in_all[d] / adults[d] for d in wanted}
    counted = tuple(
        DistrictCount(
            district=d,
            reports=in_all[d],
            adults=adults[d],
            share=shares[d],
            new=standing[d][3] - standing[d][2],
            # Equal shares share a rank.
            rank=1 + sum(other > shares[d] for other in shares.values()),
            before=standing[d][2] - standing[d][1],
        )
        for d in regions.districts
        if d in wanted
    )
    return ProvinceCount(
        counted,
        sum(c.reports for c in counted),
        # The letter's own denominator, which the nine rounded estimates miss by a few people.
        regions.province.baseline.adults_estimate if scope is None else sum(c.adults for c in counted),
        sum(c.new for c in counted),
        last,
        sum(c.before for c in counted),
        step,
        last < today,
    )


async def count_by(
    store: Store,
    group: str,
    *,
    since: date | None = None,
    until: date | None = None,
    scope: Iterable[str] | None = None,
    step: int = 1,
    today: date | None = None,
    regions: Regions | None = None,
) -> list[Tally]:
    """Count by one of `GROUPS`, days inclusive; rows of nothing are left out.

    Published counts (`step` above 1) need `today`, communes on the map of July 2025 need the regions.
    """
    wanted = None if scope is None else set(scope)
    last = until or _EVER[1]
    if step > 1:
        assert today is not None  # what is published depends on the day
        last = min(last, last_day(today, step))
    if group in _TIMES:
        days = await count_days(store, since=since or _EVER[0], until=last, scope=wanted, step=step)
        return _by_time(days, group)
    view = group.removesuffix("-2025")
    last = max(last, since - timedelta(days=1)) if since else last
    before = await _stood(store, view, since - timedelta(days=1), wanted) if since else {}
    now = await _stood(store, view, last, wanted)
    if group == "commune-2025":
        assert regions is not None  # only they know what lies where
        before, now = (_on_new_map(regions, counted) for counted in (before, now))
    if view not in ("district", "commune"):  # of these, no matter where
        before, now = _anywhere(before), _anywhere(now)
    round_ = rounded if view == "district" else rounded_part
    found = []
    for district, name in sorted(before.keys() | now.keys(), key=lambda key: (key[1], key[0])):
        here = (district, name)
        reports = round_(now.get(here, 0), step) - round_(before.get(here, 0), step)
        if reports:
            found.append(
                Tally(district if view == "district" else name, reports, district if view == "commune" else "")
            )
    return found


async def count_days(
    store: Store, *, since: date, until: date, scope: Iterable[str] | None = None, step: int = 1
) -> list[DayCount]:
    """Count each day on which something changed, and the totals that this led to; days are inclusive."""
    wanted = None if scope is None else set(scope)
    stood = await _stood(store, "district", since - timedelta(days=1), wanted)
    standing = {district: count for (district, _), count in stood.items()}
    rows = await store.read(
        lambda tx: tallies.by_day(tx, since=since.isoformat(), until=until.isoformat(), districts=wanted)
    )
    total = sum(rounded(count, step) for count in standing.values())
    changes: dict[str, int] = defaultdict(int)
    for row in rows:
        before = standing.get(row["district"], 0)
        standing[row["district"]] = before + row["reports"]
        changes[row["day"]] += rounded(before + row["reports"], step) - rounded(before, step)
    days = []
    for day, change in changes.items():
        total += change
        if change or step <= 1:
            days.append(DayCount(date.fromisoformat(day), change, total))
    return days


def every_day(days: Sequence[DayCount], *, since: date, until: date) -> list[DayCount]:
    """Fill in the days on which nothing changed."""
    total = days[0].total - days[0].new if days else 0
    known = {day.day: day for day in days}
    filled = []
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        if day in known:
            total = known[day].total
        filled.append(known.get(day, DayCount(day, 0, total)))
    return filled


async def count_steps(
    store: Store,
    *,
    today: date,
    since: date | None = None,
    until: date | None = None,
    step: int = 1,
    sources: Collection[str] | None = None,
) -> list[FunnelStep]:
    """Count how many people took each step from the first contact to the report.

    Nobody says where they live before they report, so that a district's funnel holds those who came by its posters:
    `sources` are its codes. None counts everybody.
    """
    start = (since or _EVER[0]) - timedelta(days=1)
    last = max(start, min(until or _EVER[1], last_day(today, step)))

    def stood(day: date) -> Callable[[Transaction], dict[str, int]]:
        return lambda tx: tallies.funnel(tx, day=day.isoformat(), sources=sources)

    before, now = await store.read(stood(start)), await store.read(stood(last))
    return [FunnelStep(name, rounded_part(now[name], step) - rounded_part(before[name], step)) for name in STEPS]


async def first_day(store: Store) -> date | None:
    """Return the first day on which anything was reported."""
    day = await store.read(tallies.first_day)
    return date.fromisoformat(day) if day else None


async def disagreements(store: Store) -> list[str]:
    """Compare the kept counts with a full recount; a sentence for each difference."""
    return await store.read(tallies.disagreements)


async def are_simulated(store: Store) -> bool:
    """Tell whether the figures were made up, at least in part; then everything that shows them must say so."""
    return await store.read(demo.is_simulated)


async def official_figures(store: Store, regions: Regions, *, until: date) -> Mapping[str, OfficialFigure]:
    """Return the latest official figure of each district and, under its own id, of the province.

    The province's is that of the letter unless a later one was imported for it or for all districts on one day.
    """
    base, province = regions.province.baseline, regions.province.id
    found: dict[str, OfficialFigure] = {}
    complete: dict[date, dict[str, int]] = defaultdict(dict)
    if base.date <= until:
        found[province] = OfficialFigure(base.date, base.phones)
    for row in await store.read(lambda tx: official.figures(tx, until=until.isoformat())):
        day, district, phones = date.fromisoformat(row["day"]), row["district"], row["phones"]
        if district not in found or found[district].day <= day:
            found[district] = OfficialFigure(day, phones)
        complete[day][district] = phones
    for day, by_district in complete.items():
        if set(regions.districts) <= set(by_district) and (province not in found or found[province].day < day):
            found[province] = OfficialFigure(day, sum(by_district[d] for d in regions.districts))
    return found


def progress(
    province: ProvinceCount, regions: Regions, goals: Goals, figures: Mapping[str, OfficialFigure]
) -> list[GoalProgress]:
    """Compare counts with the goals set for the province and the districts, in the order of the region file.

    A goal is measured by what its file says: by self-reported counts, or by the latest official figures.
    """
    found = []
    counted: dict[str, tuple[int, int]] = {c.district: (c.reports, c.adults) for c in province.districts}
    if set(counted) == set(regions.districts):
        counted = {regions.province.id: (province.reports, province.adults), **counted}
    for district, (reports, adults) in counted.items():
        goal = goals.of(district)
        if goal is None:
            continue
        reached, day = reports, province.day
        if goals.measured_by == OFFICIAL:
            if district not in figures:
                continue
            reached, day = figures[district].phones, figures[district].day
        found.append(GoalProgress(district, goal, round(goal.percent * adults / 100), reached, day))
    return found


async def _stood(store: Store, view: str, day: date, districts: set[str] | None) -> dict[tuple[str, str], int]:
    """Count what stood at the end of a day, by district and name."""
    rows = await store.read(lambda tx: tallies.standing(tx, view, day=day.isoformat(), districts=districts))
    return {(row["district"], row["name"]): row["reports"] for row in rows}


def _anywhere(counted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for (_, name), reports in counted.items():
        sums["", name] += reports
    return sums


def _on_new_map(regions: Regions, counted: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    names = {name: regions.commune_since_2025(name) if name else "" for _, name in counted}
    for (district, name), reports in counted.items():
        sums[district, names[name]] += reports
    return sums


def _by_time(days: Iterable[DayCount], unit: str) -> list[Tally]:
    sums: dict[str, int] = defaultdict(int)
    for day in days:
        sums[_span(day.day, unit)] += day.new
    return [Tally(span, reports) for span, reports in sums.items()]


def _span(day: date, unit: str) -> str:
    """Name the day, its week by its Monday, or its month."""
    if unit == "month":
        return day.isoformat()[:7]
    return (day - timedelta(days=day.weekday() if unit == "week" else 0)).isoformat()
