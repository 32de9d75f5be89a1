"""Numbered menus: what a number means, and to which list it belongs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.conversation.dialog import Dialog, bare_number, choose, load_dialog
from bot.delivery.outbox import fit
from bot.message import Button, Capabilities, Reply
from tests.conftest import NOON, Talk

FIRST = (Button("Hướng dẫn cài đặt", "guide"), Button("Tôi đã cài xong", "report"), Button("Gặp cán bộ", "person"))
SECOND = (Button("Có", "yes"), Button("Không", "no"))
LATER = NOON + timedelta(seconds=10)


@pytest.fixture
def dialog() -> Dialog:
    made = Dialog()
    made.offer(FIRST, NOON)
    made.offer(SECOND, LATER)
    return made


# What was typed, seconds after the first menu, what it means.
TYPED: list[tuple[str, int, str]] = [
    ("1", 20, "yes"),
    ("số 2", 20, "no"),
    ("hai", 20, "no"),
    ("2.", 20, "no"),
    ("khong", 20, "no"),
    ("3", 20, "person"),  # only the older list has it
    ("Gặp cán bộ", 20, "person"),
    ("1", 5, "guide"),  # typed while the first list stood there, brought late
    ("1", 0, "guide"),
    ("1", -5, "yes"),  # a clock that is wrong: the newest
    ("4", 20, ""),
    ("0", 20, ""),
    ("ba", 20, ""),  # a word is no number of an older list
    ("hướng dẫn", 20, ""),  # nor is a beginning
]


@pytest.mark.parametrize(("text", "seconds", "meant"), TYPED)
def test_a_number_belongs_to_a_list(dialog: Dialog, text: str, seconds: int, meant: str) -> None:
    at = NOON + timedelta(seconds=seconds)
    assert dialog.understand(text, at) == meant
    kept = load_dialog(dialog.dump(), None, now=LATER, minutes=60)
    assert kept == dialog


def test_only_a_few_lists_are_remembered() -> None:
    dialog = Dialog()
    for number in range(9):
        dialog.offer((Button(f"Mục {number}", f"choice:{number}"),), NOON + timedelta(seconds=number))
        dialog.offer(dialog.menu, NOON + timedelta(seconds=number))  # the same again is no new one
    assert len(dialog.offers) == 3


SAID: dict[str, tuple[str, ...]] = {
    "report": (
        *("2", "so 2", "số hai", "2 ạ", "Số 2 ạ.", "chọn số 2", "bấm 2", "ấn phím 2 nhé", "(2)", "2️⃣", "２", "02"),
        *("dạ em chọn số 2", "cho tôi số 2", "vâng số 2", "câu hai", "2 bạn ơi", "Tôi đã cài xong"),
    ),
    "person": ("ba", "so ba a", "chon ba nhe", "Gặp cán bộ", "gap can bo"),
    "": ("2 con", "ba em", "hai vợ chồng", "sau nhé", "tự đi", "thứ hai", "có 2 em", "4", "nam a", "cài", "Tôi đã cài"),
}


@pytest.mark.parametrize(("text", "meant"), [(text, meant) for meant, texts in SAID.items() for text in texts])
def test_how_people_say_a_number(text: str, meant: str) -> None:
    assert choose(text, FIRST) == meant


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        ("số 12", 12),
        ("chọn 3", 3),
        ("0", 0),
        ("hai", None),
        ("2 con", None),
        ("0 ạ", 0),
        ("số 0", 0),
        ("123", None),
        ("", None),
    ],
)
def test_bare_number(text: str, number: int | None) -> None:
    assert bare_number(text) == number


def test_replies_to_one_message_share_the_numbers() -> None:
    plain = Capabilities(longest_text=2000, buttons=False)
    (one,) = fit(Reply("a", SECOND), plain)
    (two,) = fit(Reply("b", SECOND), plain, first=3)
    assert one.text == "a\n\n1. Có\n2. Không"
    assert two.text == "b\n\n3. Có\n4. Không"


async def test_a_number_that_is_on_no_list_is_refused_with_the_list(talk: Talk) -> None:
    await talk.say("/menu")
    labels = talk.labels
    assert "không có số 44" in await talk.say("44")
    assert talk.labels == labels
    assert "Bạn muốn làm gì" in await talk.say("số 0")


async def test_a_number_is_an_answer_where_a_step_waits_for_one(talk: Talk) -> None:
    for said in ("/canbo", "99"):
        answer = await talk.say(said)
    assert "Tôi đã lưu tin nhắn của bạn" in answer
