"""Moments as text that sorts, and the day where the citizens live."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import local_day, moment, now, stamp

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.timezones() | st.just(UTC))

STAMPS: list[tuple[datetime, str]] = [
    (datetime(2026, 11, 23, 2, 18, 35, 123_000, tzinfo=UTC), "2026-11-23T02:18:35.123Z"),
    (datetime(2026, 11, 23, 9, 18, 35, tzinfo=HANOI), "2026-11-23T02:18:35.000Z"),
    (datetime(2026, 11, 23, 0, 0, tzinfo=timezone(timedelta(hours=7))), "2026-11-22T17:00:00.000Z"),
    (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05.999Z"),
]


@pytest.mark.parametrize(("at", "written"), STAMPS)
def test_stamp(at: datetime, written: str) -> None:
    assert stamp(at) == written


@given(at=MOMENTS)
def test_a_moment_is_read_as_it_was_written_to_the_millisecond(at: datetime) -> None:
    assert timedelta(0) <= at - moment(stamp(at)) < timedelta(milliseconds=1)
    assert moment(stamp(at)).utcoffset() == timedelta(0)
    assert stamp(moment(stamp(at))) == stamp(at)


@given(one=MOMENTS, other=MOMENTS)
def test_stamps_sort_as_moments_do(one: datetime, other: datetime) -> None:
    if one <= other:
        assert stamp(one) <= stamp(other)
    assert len(stamp(one)) == 24


DAYS: list[tuple[str, date]] = [
    ("2026-11-23T16:59:59.999Z", date(2026, 11, 23)),
    ("2026-11-23T17:00:00.000Z", date(2026, 11, 24)),  # midnight in Hà Nội
    ("2026-12-31T18:00:00.000Z", date(2027, 1, 1)),
]


@pytest.mark.parametrize(("at", "day"), DAYS)
def test_the_day_is_the_citizens(at: str, day: date) -> None:
    assert local_day(moment(at), HANOI) == day


def test_now_knows_its_zone() -> None:
    assert now().utcoffset() == timedelta(0)
