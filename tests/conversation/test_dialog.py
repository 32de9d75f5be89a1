"""What a short answer means: a choice of the menu, yes or no; and how long a conversation is remembered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import stamp
from bot.conversation.dialog import Dialog, choose, load_dialog, yes_or_no
from bot.message import Button
from tests.conftest import NOON

DISTRICTS = [
    Button(label, f"d{number}")
    for number, label in enumerate(
        ["Thành phố Vĩnh Yên", "Thành phố Phúc Yên", "Huyện Lập Thạch", "Huyện Tam Dương", "Huyện Tam Đảo",
         "Huyện Bình Xuyên", "Huyện Yên Lạc", "Huyện Vĩnh Tường", "Huyện Sông Lô"], 1,
    )
]  # fmt: skip
MENU = [
    Button("Hướng dẫn cài đặt", "guide"),
    Button("Tôi đã cài xong", "report"),
    Button("Gặp cán bộ", "person"),
    Button("Gặp cán bộ huyện", "district person"),
]

CHOICES: list[tuple[str, list[Button], str]] = [
    ("2", DISTRICTS, "d2"),
    ("2.", DISTRICTS, "d2"),
    ("2)", DISTRICTS, "d2"),
    (" 2 ", DISTRICTS, "d2"),
    ("số 2", DISTRICTS, "d2"),
    ("so 2", DISTRICTS, "d2"),
    ("Số 2", DISTRICTS, "d2"),
    ("chọn 3", DISTRICTS, "d3"),
    ("câu 3", DISTRICTS, "d3"),
    ("mục 9", DISTRICTS, "d9"),
    ("option 1", DISTRICTS, "d1"),
    ("hai", DISTRICTS, "d2"),
    ("số hai", DISTRICTS, "d2"),
    ("một", DISTRICTS, "d1"),
    ("mot", DISTRICTS, "d1"),
    ("chín", DISTRICTS, "d9"),
    ("two", DISTRICTS, "d2"),
    ("0", DISTRICTS, ""),
    ("10", DISTRICTS, ""),
    ("không", DISTRICTS, ""),
    ("-1", DISTRICTS, "d1"),
    ("99", DISTRICTS, ""),
    ("123456", DISTRICTS, ""),
    ("2 3", DISTRICTS, ""),
    ("Huyện Vĩnh Tường", DISTRICTS, "d8"),
    ("huyen vinh tuong", DISTRICTS, "d8"),
    ("HUYỆN VĨNH TƯỜNG!", DISTRICTS, "d8"),
    ("huyện", DISTRICTS, ""),
    ("thành phố v", DISTRICTS, ""),
    ("thành phố", DISTRICTS, ""),
    ("huyện tam", DISTRICTS, ""),
    ("huyện tam d", DISTRICTS, ""),
    ("huyện tam dư", DISTRICTS, ""),
    ("huyện s", DISTRICTS, ""),
    ("vĩnh tường", DISTRICTS, ""),
    ("tôi đã cài xong", MENU, "report"),
    ("toi da", MENU, ""),
    ("tôi", MENU, ""),
    ("hướng dẫn", MENU, ""),
    ("gặp cán bộ", MENU, "person"),
    ("gặp cán", MENU, ""),
    ("gặp cán bộ huyện", MENU, "district person"),
    ("tôi quên mật khẩu", MENU, ""),
    ("", MENU, ""),
    ("...", MENU, ""),
    ("2", [], ""),
]


@pytest.mark.parametrize(("text", "offered", "meant"), CHOICES, ids=[f"{row[0]}-{len(row[1])}" for row in CHOICES])
def test_choose(text: str, offered: list[Button], meant: str) -> None:
    assert choose(text, offered) == meant


YES_OR_NO: list[tuple[str, bool | None]] = [
    ("đồng ý", True),
    ("Đồng ý ạ", True),
    ("dong y", True),
    ("ĐỒNG Ý!", True),
    ("tôi đồng ý", True),
    ("em đồng ý ạ", True),
    ("có", True),
    ("co", True),
    ("ok", True),
    ("OK nhé", True),
    ("oke", True),
    ("vâng", True),
    ("vâng ạ", True),
    ("dạ", True),
    ("dạ vâng", True),
    ("được", True),
    ("ừ", True),
    ("yes", True),
    ("I agree", True),
    ("đúng", True),
    ("Đúng rồi", True),
    ("không", False),
    ("Không ạ", False),
    ("ko", False),
    ("k", False),
    ("no", False),
    ("thôi", False),
    ("không đồng ý", False),
    ("ko dong y", False),
    ("tôi không đồng ý", False),
    ("hủy", False),
    ("để sau", False),
    ("dừng", False),
    ("đừng", False),
    ("Dừng lại", False),
    ("dung", None),
    ("đồng ý cái gì", None),
    ("có phải trả tiền không", None),
    ("không biết nữa", None),
    ("đồng hồ", None),
    ("cô", True),  # folded like "có": a slip of the finger more likely than an aunt
    ("", None),
    ("...", None),
    ("1", None),
]


@pytest.mark.parametrize(("text", "meant"), YES_OR_NO, ids=[row[0] for row in YES_OR_NO])
def test_yes_or_no(text: str, meant: bool | None) -> None:
    assert yes_or_no(text) is meant


@given(text=st.text(max_size=60), offered=st.lists(st.text(max_size=20), max_size=6))
def test_choose_never_raises_and_never_makes_choices_up(text: str, offered: list[str]) -> None:
    buttons = [Button(label, f"c{number}") for number, label in enumerate(offered)]
    assert choose(text, buttons) in {"", *(button.choice for button in buttons)}
    assert yes_or_no(text) in (True, False, None)


def test_an_empty_dialog_is_not_kept() -> None:
    assert Dialog().dump() == ""
    dialog = Dialog()
    dialog.ask("report.consent")
    dialog.close()
    assert dialog.dump() == ""


def test_a_dialog_is_read_as_it_was_written() -> None:
    dialog = Dialog(misses=2)
    dialog.ask("report.district", agreed="yes")
    dialog.offer(tuple(MENU), NOON)
    dialog.offer(tuple(DISTRICTS), NOON)
    assert load_dialog(dialog.dump(), stamp(NOON), now=NOON, minutes=60) == dialog


@pytest.mark.parametrize(("later", "kept"), [(59, True), (60, True), (61, False), (60 * 24 * 30, False)])
def test_an_open_step_is_forgotten_after_its_time_but_not_the_menu(later: int, *, kept: bool) -> None:
    dialog = Dialog()
    dialog.ask("report.district", agreed="yes")
    dialog.offer(tuple(MENU), NOON)
    read = load_dialog(dialog.dump(), stamp(NOON), now=NOON + timedelta(minutes=later), minutes=60)
    assert (read.step, read.data) == (("report.district", {"agreed": "yes"}) if kept else ("", {}))
    assert read.menu == tuple(MENU)


def test_a_person_without_a_dialog_starts_fresh() -> None:
    assert load_dialog(None, None, now=NOON, minutes=60) == Dialog()


def test_a_state_of_before_the_update_is_understood() -> None:
    """Dialogs in the database outlive the version that wrote them."""
    old = '{"step":"report.consent","data":{},"menu":[["Tôi đồng ý","report:agree"]],"misses":1}'
    dialog = load_dialog(old, stamp(NOON), now=NOON, minutes=60)
    assert (dialog.step, dialog.menu, dialog.misses) == ("report.consent", (Button("Tôi đồng ý", "report:agree"),), 1)
    assert dialog.understand("1", NOON) == "report:agree"


def test_a_number_belongs_to_the_menu_that_stood_there_when_it_was_typed() -> None:
    dialog = Dialog()
    dialog.offer(tuple(MENU), NOON)
    dialog.offer(tuple(DISTRICTS), NOON + timedelta(seconds=10))
    assert dialog.understand("2", NOON + timedelta(seconds=5)) == "report"  # it overtook the next menu
    assert dialog.understand("2", NOON + timedelta(seconds=20)) == "d2"
    assert dialog.understand("Tôi đã cài xong", NOON + timedelta(seconds=20)) == "report"
