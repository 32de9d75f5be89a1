"""How well officers answer: first answer, end, lateness and what citizens said, by district and by week.

The desk shows it. Times are of the cases that are still kept. What citizens said is shown in steps of ten percent, of
days that are over, and from a least number of voices on, so that nobody can tell who said what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from bot import access
from bot.clock import local_day, moment, stamp
from bot.helpdesk.cases import HelpDesk
from bot.helpdesk.models import Officer
from bot.settings import Settings
from bot.store import Row, Transaction, case_ratings, conversations

WEEKS = 12
_ROUNDED = 10  # percent


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """Cases of one district or week. Medians are None where there is nothing to take one of.

    `late` counts those whose first answer came, or has not come, after it was due; `satisfied` is the share of good
    ratings in percent, None where there are too few.
    """

    opened: int
    answered: int
    first_answer: timedelta | None
    resolution: timedelta | None
    late: int
    satisfied: int | None


@dataclass(frozen=True, slots=True)
class ServiceOverview:
    """The same by district and by week (its Monday), and of all together."""

    since: date
    total: ServiceTimes
    by_district: Mapping[str, ServiceTimes]
    by_week: Mapping[date, ServiceTimes]


def service_times(
    tx: Transaction, desk: HelpDesk, officer: Officer, settings: Settings, *, at: datetime
) -> ServiceOverview:
    """Measure the cases of an officer's scope that were opened in this week and those before it."""
    today = local_day(at, settings.zone)
    monday = _monday(today) - timedelta(weeks=WEEKS - 1)
    begins = datetime.combine(monday, datetime.min.time(), settings.zone)
    yesterday = (today - timedelta(days=1)).isoformat()
    cases = [row for row in conversations.times(tx, since=stamp(begins)) if _may(officer, row)]
    said = [row for row in case_ratings.between(tx, since=monday.isoformat(), until=yesterday) if _may(officer, row)]

    def measure(some: Iterable[Row], ratings: Iterable[Row]) -> ServiceTimes:
        return _measure(list(some), list(ratings), desk, least=settings.privacy.small_count, at=at)

    def week_of(row: Row) -> date:
        return _monday(local_day(moment(row["opened_at"]), settings.zone))

    weeks = [monday + timedelta(weeks=number) for number in range(WEEKS)]
    return ServiceOverview(
        monday,
        measure(cases, said),
        {
            place: measure(
                (row for row in cases if row["district"] == place), (row for row in said if row["district"] == place)
            )
            for place in sorted({row["district"] for row in cases})
        },
        {
            week: measure(
                (row for row in cases if week_of(row) == week),
                (row for row in said if _monday(date.fromisoformat(row["day"])) == week),
            )
            for week in weeks
        },
    )


def _measure(cases: list[Row], ratings: list[Row], desk: HelpDesk, *, least: int, at: datetime) -> ServiceTimes:
    first: list[timedelta] = []
    ends: list[timedelta] = []
    late = 0
    for row in cases:
        opened = moment(row["opened_at"])
        answered = moment(row["answered_at"]) if row["answered_at"] else None
        closed = moment(row["closed_at"]) if row["closed_at"] else None
        if answered is not None:
            first.append(answered - opened)
        if closed is not None:
            ends.append(closed - opened)
        late += (answered or closed or at) > desk.due(row["kind"], opened)
    return ServiceTimes(
        len(cases),
        len(first),
        _median(first),
        _median(ends),
        late,
        _satisfied(ratings, max(least, 1)),
    )


def _median(lengths: list[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(length.total_seconds() for length in lengths)) if lengths else None


def _satisfied(ratings: list[Row], least: int) -> int | None:
    every = sum(row["times"] for row in ratings)
    if every < least:
        return None
    good = sum(row["times"] for row in ratings if row["rating"] == "good")
    return int(round(good * 100 / every / _ROUNDED) * _ROUNDED)


def _may(officer: Officer, row: Row) -> bool:
    return access.refusal(officer.grants, access.READ_MESSAGES, row["district"]) is None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
