"""Which moments a reminder is taken for, and what is offered where it is not."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hours import QuietHours
from bot.reminders.planning import FURTHEST, Limits, Wish, dump_named, kept, load_named, resolve
from bot.text.dates import CONFLICT, IMPOSSIBLE, LUNAR, NOTHING, UNREAD, read
from tests.text.test_dates import WORDS

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=HANOI)  # a Monday
QUIET = QuietHours(time(20), time(8), HANOI)
LIMITS = Limits(NOON, QUIET)

# What is said on Monday the 23rd of November 2026 at noon → the moment it is taken for.
TAKEN: list[tuple[str, str]] = [
    ("nhắc tôi ngày mai lúc 19 giờ", "11-24 19:00"),
    ("remind me tomorrow at 19:00", "11-24 19:00"),
    ("nhac toi 7h toi mai", "11-24 19:00"),
    ("nhac toi toi mai 7h", "11-24 19:00"),
    ("Nhắc tôi 7h tối mai nhé", "11-24 19:00"),
    ("nhắc em tối nay 7 rưỡi", "11-23 19:30"),
    ("nhắc bác bảy giờ tối nay", "11-23 19:00"),
    ("nhac minh tam gio ruoi sang mai", "11-24 08:30"),
    ("nhắc mình 7h kém 15 tối mai", "11-24 18:45"),
    ("nhờ bạn nhắc tôi lúc 2 giờ chiều mai", "11-24 14:00"),
    ("bot ơi nhắc tôi thứ bảy 9h", "11-28 09:00"),
    ("nhac toi thu 7 luc 9h", "11-28 09:00"),
    ("nhắc tôi t7 9h sáng", "11-28 09:00"),
    ("nhắc tôi chủ nhật tuần sau 8h30", "12-06 08:30"),
    ("nhắc tôi thứ hai 9h", "11-30 09:00"),
    ("nhắc tôi thứ hai lúc 15h", "11-23 15:00"),
    ("nhắc tôi 24/12 lúc 9:00", "12-24 09:00"),
    ("nhắc tôi ngày 5 tháng 12 lúc 14h", "12-05 14:00"),
    ("nhắc tôi ngày 5 lúc 9h", "12-05 09:00"),
    ("nhắc tôi ngày kia 10 giờ", "11-25 10:00"),
    ("nhắc tui mốt 9h nghen", "11-25 09:00"),
    ("nhắc tôi 9h", "11-24 09:00"),
    ("nhắc tôi 8h", "11-24 08:00"),
    ("nhắc tôi lúc 15 giờ", "11-23 15:00"),
    ("nhắc tôi 2 tiếng nữa", "11-23 14:00"),
    ("nhắc lại cho tôi sau 30 phút", "11-23 12:30"),
    ("nhắc tôi nửa tiếng nữa", "11-23 12:30"),
    ("nhắc tôi 3 ngày nữa lúc 19h", "11-26 19:00"),
    ("nhắc tôi cài app 19h mai nhé", "11-24 19:00"),
    ("tôi muốn được nhắc lúc 19h mai", "11-24 19:00"),
    ("đặt lịch nhắc 12h trưa mai", "11-24 12:00"),
    ("remind me tonight at 7", "11-23 19:00"),
    ("please remind me on Saturday at 9am", "11-28 09:00"),
    ("remind me in two hours", "11-23 14:00"),
    ("remind me December 5 at 10:00", "12-05 10:00"),
    ("can you remind me tomorrow at 3 pm", "11-24 15:00"),
]
USUAL = ["11-23 19:00", "11-24 09:00", "11-24 19:00", "11-28 09:00"]
# What cannot be taken → why, and the moments that are offered.
ASKED_BACK: list[tuple[str, str, str, list[str]]] = [
    ("nhắc tôi nhé", "unclear", "", USUAL),
    ("nhắc tôi mùng 5 lúc 9h", "unclear", LUNAR, USUAL),
    ("nhắc tôi 30/2 lúc 9h", "unclear", IMPOSSIBLE, USUAL),
    ("nhắc tôi mai lúc 25h", "unclear", IMPOSSIBLE, USUAL),
    ("nhắc tôi sáng mai 3 giờ chiều", "unclear", CONFLICT, USUAL),
    ("nhắc tôi mỗi sáng 8h", "unclear", UNREAD, USUAL),
    ("nhắc tôi ngày mai", "hour", "", ["11-24 09:00", "11-24 12:00", "11-24 19:00"]),
    ("nhắc tôi chiều mai", "hour", "", ["11-24 14:00", "11-24 16:00", "11-24 17:00"]),
    ("nhắc tôi tuần sau", "day", "", ["11-30 09:00", "12-01 09:00", "12-02 09:00", "12-03 09:00"]),
    ("nhắc tôi cuối tuần 15h", "day", "", ["11-28 15:00", "11-29 15:00"]),
    ("nhac toi mai 7h", "half", "", ["11-24 19:00", "11-24 08:00"]),
    ("nhắc tôi lúc 3 giờ", "half", "", ["11-23 15:00", "11-24 08:00", "11-24 19:00"]),
    ("nhắc tôi hôm nay lúc 10 giờ sáng", "past", "", ["11-23 13:00", "11-23 19:00", "11-24 10:00"]),
    ("nhắc tôi 10h tối nay", "quiet", "", ["11-23 19:00", "11-24 08:00"]),
    ("nhắc tôi 20h mai", "quiet", "", ["11-24 19:00", "11-25 08:00"]),
    ("nhắc tôi 12h đêm nay", "quiet", "", ["11-24 08:00", "11-24 19:00"]),
    ("nhắc tôi 5 giờ sáng mai", "quiet", "", ["11-24 08:00", "11-24 19:00"]),
    ("nhắc tôi 7h59 sáng mai", "quiet", "", ["11-24 08:00", "11-24 19:00"]),
    ("nhắc tôi 23/11/2027 lúc 9h", "far", "", ["02-21 09:00"]),
    ("nhắc tôi tháng 6 sang năm", "far", "", ["02-21 09:00"]),
]


def wish(text: str, limits: Limits = LIMITS) -> Wish:
    return resolve(read(text, limits.now).moment, limits)


@pytest.mark.parametrize(("text", "meant"), TAKEN)
def test_possible_moment_is_taken(text: str, meant: str) -> None:
    taken = wish(text)
    assert taken.at is not None, taken
    assert f"{taken.at:%m-%d %H:%M}" == meant


@pytest.mark.parametrize(("text", "reason", "detail", "offered"), ASKED_BACK)
def test_other_moment_is_asked_back_with_offers(text: str, reason: str, detail: str, offered: list[str]) -> None:
    found = wish(text)
    offers = [f"{at:%m-%d %H:%M}" for at in found.offers]
    assert (found.at, found.reason, found.detail, offers) == (None, reason, detail, offered)


def test_quiet_hours_end_at_eight_and_begin_at_eight() -> None:
    assert [wish(f"{hour} ngày mai").reason for hour in ("7h59 sáng", "8h sáng", "19h59", "20h")] == [
        "quiet",
        "",
        "",
        "quiet",
    ]


@given(st.lists(st.sampled_from(WORDS), max_size=20), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))
def test_only_possible_moments_are_taken_or_offered(words: list[str], at: datetime) -> None:
    limits = Limits(at.replace(tzinfo=HANOI), QUIET)
    found = wish(" ".join(words), limits)
    assert (found.at is None) is bool(found.reason)
    for moment in (*found.offers, *([found.at] if found.at else [])):
        assert limits.now < moment <= limits.now + FURTHEST
        assert not QUIET.covers(moment)


@given(st.lists(st.sampled_from(WORDS), max_size=20))
def test_kept_half_reads_back_equal(words: list[str]) -> None:
    named = read(" ".join(words), NOON).moment
    half = kept(named, resolve(named, LIMITS))
    assert load_named(dump_named(half)) == (NOTHING if half.unclear else half)


def test_what_is_too_far_away_is_not_kept() -> None:
    named = read("tháng 6 sang năm 9h sáng", NOON).moment
    half = kept(named, resolve(named, LIMITS))
    assert read("mốt", NOON).moment.completed(half).moments(NOON) == (datetime(2026, 11, 25, 9, tzinfo=HANOI),)


def test_no_moment_is_offered_beyond_a_shorter_promise() -> None:
    found = wish("24/12 9h", Limits(NOON, QUIET, timedelta(days=7)))
    assert (found.reason, found.offers) == ("far", (datetime(2026, 11, 30, 9, tzinfo=HANOI),))
