"""What a text asks about reminders: one more, another moment, none any more, a list, or nothing at all."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reminders.requests import ADD, CANCEL, LIST, MOVE, names_moment, read_request

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=HANOI)  # a Monday

# What is said → what is asked, and the moment as said first, "" if there is none or it is unclear.
ASKED: list[tuple[str, str, str]] = [
    # one more
    ("nhắc tôi 8h sáng thứ 6 mở sổ vneid", ADD, "11-27 08:00"),
    ("8h sáng mai nhắc tôi", ADD, "11-24 08:00"),
    ("30 phút nữa nhắc tôi", ADD, "11-23 12:30"),
    ("mai nhắc mình cài nhé", ADD, ""),
    ("thứ 7 tuần này nhắc mình", ADD, ""),
    ("à nhắc thêm 3 giờ chiều mai nữa", ADD, "11-24 15:00"),
    ("voi lai nhac toi sang mai 8 ruoi", ADD, "11-24 08:30"),
    ("ba ngày nữa lúc 10 giờ nhắc tôi ra công an làm mức 2 nhé", ADD, "11-26 10:00"),
    ("nhawcs theem truwa mai 12h nuwax", ADD, "11-24 12:00"),
    ("tôi hay quên lắm, sáng mai 9h nhắc giúp tôi cài cái sổ nhé", ADD, "11-24 09:00"),
    ("mai tôi rảnh nhắc tôi 9h nhé", ADD, "11-24 09:00"),
    ("đừng quên nhắc tôi 9h sáng mai nhé", ADD, "11-24 09:00"),
    ("nhắc mẹ cháu 8h sáng mai xem sổ", ADD, "11-24 08:00"),
    ("cho mình xin cái nhắc 3h chiều mốt nha", ADD, "11-25 15:00"),
    ("hẹn nhắc 9h sáng mai", ADD, "11-24 09:00"),
    ("tạo lời nhắc 9h sáng mai", ADD, "11-24 09:00"),
    ("thêm chủ nhật 9h sáng nữa", ADD, "11-29 09:00"),
    ("nhắc bác sau nhé", ADD, ""),
    ("nhắc tôi lúc nào cũng được", ADD, ""),
    ("nhắc tôi mở sổ sức khỏe nhé", ADD, ""),
    ("nhắc tôi mỗi sáng 8h", ADD, ""),
    ("nhắc tôi rằm tháng sau", ADD, ""),
    ("remind me on 10 December at 3pm to open my health book", ADD, "12-10 15:00"),
    ("also tomorrow at noon", ADD, "11-24 12:00"),
    ("don't forget to remind me tomorrow at 9 am", ADD, "11-24 09:00"),
    ("set a reminder for Saturday at 9 am", ADD, "11-28 09:00"),
    # another moment
    ("hôm đó bận, đổi sang thứ tư tuần sau 4h chiều đi", MOVE, "12-02 16:00"),
    ("nhầm, nửa tiếng nữa thôi", MOVE, "11-23 12:30"),
    ("lộn, mai 9h", MOVE, "11-24 09:00"),
    ("không phải, mai 9h cơ", MOVE, "11-24 09:00"),
    ("à không, mốt 8h sáng", MOVE, "11-25 08:00"),
    ("không, 3h chiều cơ", MOVE, "11-23 15:00"),
    ("à mà thôi, để thứ 7 9h sáng đi", MOVE, "11-28 09:00"),
    ("hoãn đến thứ 6 lúc 9h sáng", MOVE, "11-27 09:00"),
    ("hẹn lại 10h sáng mai", MOVE, "11-24 10:00"),
    ("để sang thứ ba 9h sáng đi", MOVE, "11-24 09:00"),
    ("make it 4pm instead", MOVE, "11-23 16:00"),
    ("ý tôi là 4h chiều", MOVE, "11-23 16:00"),
    ("dời sang chiều thứ năm 3h", MOVE, "11-26 15:00"),
    ("chuyển qua mai 9h đi", MOVE, "11-24 09:00"),
    ("đổi lời nhắc 9h sáng mai sang 15h", MOVE, "11-23 15:00"),
    ("đổi giờ nhắc được không", MOVE, ""),
    ("dời lại 2 tiếng", MOVE, ""),
    ("change it to Friday 9am", MOVE, "11-27 09:00"),
    ("sorry, I meant tomorrow 10am", MOVE, "11-24 10:00"),
    ("move my reminder to next Monday at 10", MOVE, "11-30 10:00"),
    # none any more
    ("thôi huỷ nhắc đi", CANCEL, ""),
    ("hủy lời nhắc 9h sáng mai", CANCEL, "11-24 09:00"),
    ("bỏ lời nhắc đi", CANCEL, ""),
    ("không cần nhắc nữa", CANCEL, ""),
    ("thôi khỏi nhắc", CANCEL, ""),
    ("xóa tất cả lời nhắc đi", CANCEL, ""),
    ("không nhắc tôi lúc 19h nữa", CANCEL, "11-23 19:00"),
    ("đừng nhắc tôi nữa", CANCEL, ""),
    ("hủy cái hẹn 9h sáng mai", CANCEL, "11-24 09:00"),
    ("cancel my reminder", CANCEL, ""),
    ("don't remind me any more", CANCEL, ""),
    # which there are
    ("còn lời nhắc nào không", LIST, ""),
    ("xem tôi đặt những giờ nào rồi", LIST, ""),
    ("lời nhắc của tôi", LIST, ""),
    ("bạn nhắc tôi lúc nào vậy", LIST, ""),
    ("tôi hẹn mấy giờ ấy nhỉ", LIST, ""),
    ("tôi đã đặt mấy lời nhắc rồi", LIST, ""),
    ("my reminders", LIST, ""),
    ("when will you remind me", LIST, ""),
]
# What asks nothing of this, though some words are the same.
NOT_ASKED = [
    "bao giờ có thì báo tôi nhé", "khi nào có bản mới thì nhắc tôi nhé", "nhắc lại cách cài đặt giúp tôi với",
    "dừng lại", "sao nhắc tôi hoài vậy", "tin nhắc gửi lúc mấy giờ", "ai nhắc tôi ngày mai", "nhạc chuông",
    "nhắc tôi cách cài", "tôi nhận được tin nhắc hôm nay lúc 9 giờ mà không mở được", "how often do you remind me",
    "tôi quên mật khẩu", "", "họ nhắc tôi mai 9h đi tiêm, mang theo gì", "trạm y tế nhắc tôi tuần sau tiêm mũi 2",
    "bot có nhắc lịch tiêm không", "bật nhắc", "tắt nhắc", "stop reminders", "tôi đợi mai mới có",
    "đổi số điện thoại sang số mới chiều mai được không", "chuyển sang vneid hôm nay được chưa",
    "tôi nhập nhầm ngày sinh 24/11/1990", "gửi lộn số cho cán bộ hôm qua",
    "đổi điện thoại mới hôm qua", "nhầm rồi", "nhắc đến VNeID thì sao", "nhắc tôi sau khi ăn cơm", "chiều mai", "3 giờ",
    "sáng mai 9h tôi đi tiêm", "thêm con vào sổ hôm nay được không",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "meant"), ASKED)
def test_request_is_read(text: str, kind: str, meant: str) -> None:
    request = read_request(text, NOON)
    assert request is not None
    moments = request.named.moments(NOON)
    assert (request.kind, f"{moments[0]:%m-%d %H:%M}" if moments else "") == (kind, meant)


@pytest.mark.parametrize("text", NOT_ASKED)
def test_other_text_is_no_request(text: str) -> None:
    assert read_request(text, NOON) is None


def test_request_tells_whether_it_is_certain() -> None:
    every = {"hủy hết lời nhắc": True, "xóa tất cả lời nhắc đi": True, "hủy nhắc": False}
    assert {text: (found := read_request(text, NOON)) and found.every for text in every} == every
    certain = {
        "hủy nhắc": True, "thôi khỏi nhắc": True, "đừng nhắc tôi nữa": False, "dừng nhắc": False, "bỏ hẹn đi": False,
        "nhắc tôi mai 9h": True, "thêm chủ nhật 9h nữa": False, "đổi lời nhắc sang mai 9h": True,
        "đổi sang mai 9h": False, "thôi, mai 10h đi": False, "lộn, mai 9h": False,
    }  # fmt: skip
    assert {text: (found := read_request(text, NOON)) and found.certain for text in certain} == certain


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("chiều mai", True),
        ("3 giờ", True),
        ("7h tối", True),
        ("vậy mốt 10h sáng", True),
        ("hay là tháng 6 sang năm đi", True),
        ("lộn, mai 7h", True),
        ("chắc khoảng 3 giờ chiều mai được không bạn", True),
        ("để tôi đi làm về, 7h tối", True),
        ("rằm tháng sau", True),
        ("25h", True),
        ("thứ bảy", True),
        ("còn lời nhắc nào không", True),
        ("tomorrow at noon would be fine", True),
        ("quên mật khẩu thì làm sao", False),
        ("hôm nay con sốt thì phải làm sao", False),
        ("trời hôm nay lạnh ghê", False),
        ("giá vàng hôm nay bao nhiêu", False),
        ("9h mai trạm y tế mở cửa ở đâu", False),
        ("cài mất 5 phút", False),
        ("hôm qua tôi quên", False),
        ("cảm ơn", False),
        ("", False),
    ],
)
def test_open_step_takes_what_answers_when(text: str, answers: bool) -> None:
    assert names_moment(text, NOON) is answers


def test_long_story_is_no_request() -> None:
    assert read_request("em " * 600 + "nhắc tôi 9h mai", NOON) is None
    assert not names_moment("em " * 600 + "9h mai", NOON)


WORDS = ["nhắc", "nhac", "tôi", "hủy", "lời", "đổi", "sang", "nhầm", "lộn", "thêm", "nữa", "còn", "nào", "không", "mai",
         "9h", "chiều", "đừng", "quên", "remind me", "cancel", "my", "reminder", "also", "change", "it", "to", ",",
         "nhé", "1/1", "sao", "đặt", "giờ", "hết", "nhạc", "@", "~"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=20))
def test_wild_wishes_never_fail(words: list[str]) -> None:
    request = read_request(" ".join(words), NOON)
    assert request is None or request.kind in (ADD, MOVE, CANCEL, LIST)
    names_moment(" ".join(words), NOON)


@given(st.text(max_size=80))
def test_any_text_is_looked_at(text: str) -> None:
    read_request(text, NOON)
    read_request(f"nhắc {text}", NOON)
