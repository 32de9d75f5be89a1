"""Quiet hours and working hours: at their edges, over midnight, weekends and days off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hours import QuietHours, WorkingHours

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = QuietHours(time(20), time(8), HANOI)
LUNCH = QuietHours(time(11, 30), time(13), HANOI)
NEVER = QuietHours(time(0), time(0), HANOI)
OFFICE = WorkingHours(frozenset(range(5)), time(8), time(17), HANOI, frozenset((date(2026, 11, 25),)))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


QUIET: list[tuple[QuietHours, str, str]] = [
    (NIGHT, "2026-11-23 07:59:59", "2026-11-23 08:00"),
    (NIGHT, "2026-11-23 08:00", ""),
    (NIGHT, "2026-11-23 19:59:59", ""),
    (NIGHT, "2026-11-23 20:00", "2026-11-24 08:00"),
    (NIGHT, "2026-11-23 00:00", "2026-11-23 08:00"),
    (NIGHT, "2026-12-31 23:00", "2027-01-01 08:00"),
    (LUNCH, "2026-11-23 11:29", ""),
    (LUNCH, "2026-11-23 11:30", "2026-11-23 13:00"),
    (LUNCH, "2026-11-23 13:00", ""),
    (NEVER, "2026-11-23 00:00", ""),
    (NEVER, "2026-11-23 12:00", ""),
]


@pytest.mark.parametrize(("hours", "moment", "ends"), QUIET)
def test_quiet(hours: QuietHours, moment: str, ends: str) -> None:
    assert hours.covers(at(moment)) is bool(ends)
    assert hours.end(at(moment)) == at(ends or moment)


@given(moment=MOMENTS, since=st.times(), until=st.times())
def test_the_end_of_quiet_is_never_quiet_and_less_than_a_day_away(moment: datetime, since: time, until: time) -> None:
    hours = QuietHours(since, until, HANOI)
    assert not hours.covers(hours.end(moment))
    assert timedelta(0) <= hours.end(moment) - moment <= timedelta(days=1)


WORK: list[tuple[str, str]] = [  # a moment, and when officers are there next; 25 November is a day off
    ("2026-11-23 07:59", "2026-11-23 08:00"),
    ("2026-11-23 08:00", "2026-11-23 08:00"),
    ("2026-11-23 16:59", "2026-11-23 16:59"),
    ("2026-11-23 17:00", "2026-11-24 08:00"),
    ("2026-11-24 17:00", "2026-11-26 08:00"),
    ("2026-11-25 10:00", "2026-11-26 08:00"),
    ("2026-11-27 18:00", "2026-11-30 08:00"),
    ("2026-11-28 10:00", "2026-11-30 08:00"),
]


@pytest.mark.parametrize(("moment", "opens"), WORK)
def test_work_begins(moment: str, opens: str) -> None:
    assert OFFICE.opens(at(moment)) == at(opens)
    assert OFFICE.is_open(at(moment)) is (moment == opens)


LUNCH = replace(OFFICE, lunch_from=time(11, 30), lunch_until=time(13))
BREAK: list[tuple[str, str]] = [
    ("2026-11-23 07:00", "2026-11-23 08:00"),
    ("2026-11-23 11:29", "2026-11-23 11:29"),
    ("2026-11-23 11:30", "2026-11-23 13:00"),
    ("2026-11-23 12:59", "2026-11-23 13:00"),
    ("2026-11-23 13:00", "2026-11-23 13:00"),
    ("2026-11-23 17:00", "2026-11-24 08:00"),
    ("2026-11-28 12:00", "2026-11-30 08:00"),
]


@pytest.mark.parametrize(("moment", "opens"), BREAK)
def test_nobody_works_at_noon(moment: str, opens: str) -> None:
    assert LUNCH.opens(at(moment)) == at(opens)
    assert LUNCH.is_open(at(moment)) is (moment == opens)


DUE: list[tuple[str, int, str]] = [
    ("2026-11-23 12:00", 1, "2026-11-24 17:00"),
    ("2026-11-23 23:59", 1, "2026-11-24 17:00"),
    ("2026-11-23 12:00", 2, "2026-11-26 17:00"),
    ("2026-11-26 12:00", 2, "2026-11-30 17:00"),
    ("2026-11-28 12:00", 2, "2026-12-01 17:00"),
]


@pytest.mark.parametrize(("moment", "days", "due"), DUE)
def test_working_days_are_counted_from_the_next_day(moment: str, days: int, due: str) -> None:
    assert OFFICE.due(at(moment), days) == at(due)


def test_nobody_ever_works() -> None:
    never = WorkingHours(frozenset(), time(8), time(17), HANOI)
    assert never.opens(at("2026-11-23 12:00")) == at("2026-11-23 12:00")
    assert not never.is_open(at("2026-11-23 12:00"))


@given(moment=MOMENTS, days=st.integers(1, 9))
def test_what_is_due_is_due_in_working_time(moment: datetime, days: int) -> None:
    due = OFFICE.due(moment, days)
    assert OFFICE.works_on(due.date())
    assert due > moment
    passed = [d for n in range(1, 30) if (d := moment.astimezone(HANOI).date() + timedelta(days=n)) <= due.date()]
    assert sum(map(OFFICE.works_on, passed)) == days
