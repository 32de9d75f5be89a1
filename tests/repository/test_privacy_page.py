"""The page on privacy says of every table, term, right and button what the code does."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.access import desk_sessions
from bot.conversation import handoffs, unit_of_work
from bot.delivery.scheduled import KEPT
from bot.helpdesk import cases
from bot.i18n.catalogue import load_catalogues
from bot.settings import Settings
from bot.store import person_export
from bot.store.postgres import VACUUM_SECONDS
from bot.web import session
from handlers.officer import questions
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
WRAPPED = re.sub(r"\n(?:> ?)?", " ", PAGE)  # as one reads it, without the ends of lines
NOTICE = WRAPPED.partition("## Thông báo cho người dân")[2].partition("Các con số trong mẫu")[0]
KEPT_ROWS = re.findall(r"^\|.*\|$", PAGE.partition("## Bot giữ gì")[2].partition("\n##")[0], re.MULTILINE)

# Tables that tell of people, or of what they did, without a column for the person.
BESIDE = {"people", "inbox", "conversation_messages", "audit", "revocations", "tallies", "funnel", "broadcast_tallies",
          "walk_tallies"}  # fmt: skip
TABLES = sorted(BESIDE | set(person_export.REST) | set(person_export.SHOWN))


def row_of(table: str) -> str:
    """Return the row that says where a table is told of: its last cell names it."""
    (row,) = [str(row) for row in KEPT_ROWS if f"`{table}`" in row.rsplit("|", 2)[1]]
    return row


@pytest.mark.parametrize("table", TABLES)
def test_every_table_about_people_has_a_row_with_a_purpose_and_a_term(table: str) -> None:
    what, why, how_long, _ = (cell.strip() for cell in row_of(table).strip("|").split("|"))
    assert what
    assert why
    assert how_long


def in_words(span: timedelta) -> str:
    """Write a length of time in the largest unit that fits."""
    for unit, seconds in (("ngày", 86400), ("giờ", 3600), ("phút", 60)):
        if span.total_seconds() >= seconds:
            return f"{span.total_seconds() / seconds:.0f} {unit}"
    raise AssertionError(span)


TERMS: list[tuple[str, timedelta]] = [
    ("appointments", KEPT),
    ("conversations", cases.IDLE),
    ("link_codes", unit_of_work.LINK_CODE_LIFETIME),
    ("link_guesses", unit_of_work.GUESS_TIME),
    ("handoffs", handoffs.LIFETIME),
    ("desk_links", desk_sessions.LINK_LIFETIME),
    ("desk_sessions", desk_sessions.LONGEST),
]


@pytest.mark.parametrize(("table", "term"), TERMS, ids=[table for table, _ in TERMS])
def test_a_term_that_is_no_setting_is_the_one_of_the_code(table: str, term: timedelta) -> None:
    number, unit = in_words(term).split()
    assert re.search(rf"(?<!\d){number} {unit}", row_of(table)), in_words(term)


def test_what_stands_beside_the_tables(settings: Settings) -> None:
    (cookie,) = [row for row in KEPT_ROWS if row.startswith("| Cookie")]
    assert in_words(timedelta(seconds=session.LIFETIME)) in cookie
    assert f"chưa trả lời tốt trong {questions.DAYS} ngày qua" in WRAPPED
    assert in_words(timedelta(seconds=VACUUM_SECONDS)) == "1 giờ"  # "trong khoảng một giờ"
    for section, key, value in re.findall(r"`(privacy|backup|operator)\.(\w+)` \((\d+)\)", PAGE):
        assert getattr(getattr(settings, section), key) == int(value), key


def test_the_notice_tells_the_terms_of_the_settings(settings: Settings) -> None:
    privacy = settings.privacy
    for said in (
        f"Câu hỏi {privacy.question_days} ngày",
        f"Tin với cán bộ: {privacy.question_days} ngày sau khi xong việc",
        f"Sổ gửi tin: {privacy.ledger_days} ngày sau khi đợt gửi kết thúc",
        f"đến khi gửi hoặc hủy, rồi {KEPT.days} ngày",
        f"im lặng {privacy.silent_days} ngày",
        f"{settings.backup.keep} bản mới nhất, mỗi ngày một bản",
        f"giữ {privacy.revocation_days} ngày một con số nội bộ",
        f"phản hồi trong {settings.operator.answer_days} ngày làm việc",
    ):
        assert said in NOTICE, said


# What the law wants people to be told, by the word for it.
TOLD = ["[tên cơ quan] vận hành", "Xem", "sửa", "rút đồng ý", "xóa", "Hạn chế", "phản đối", "khiếu nại", "bồi thường",
        "được bảo vệ", "Ai thấy", "Để làm gì", "Bản sao lưu", "ở ngoài Việt Nam", "với máy", "gõ DUNG"]  # fmt: skip


@pytest.mark.parametrize("word", TOLD)
def test_the_notice_tells_everything_that_people_must_know(word: str) -> None:
    assert word.casefold() in NOTICE.casefold()


def test_buttons_are_called_as_they_are_called_in_the_chat(settings: Settings) -> None:
    catalogue = load_catalogues(settings.languages)["vi"]
    labels = {catalogue.t(label) for label in ("Give me a copy", "Delete everything", "Ask an officer about my data")}
    assert set(re.findall(r'(?:→|chọn) "([^"]+)"', WRAPPED)) == labels


def test_lines_can_be_read_in_a_narrow_window() -> None:
    assert [line for line in PAGE.splitlines() if len(line) > 125 and not line.startswith("|")] == []
