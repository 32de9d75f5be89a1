"""The audit as people read it: a sentence for everything that is ever written, names and places in words."""

from __future__ import annotations

import re

import pytest

from bot.access.audit_trail import GROUPS, SENTENCES, AuditWords
from bot.access.names import OfficerNames
from bot.i18n.catalogue import load_catalogues
from tests.conftest import ROOT

WORDS = AuditWords(
    load_catalogues(["vi"])["vi"], OfficerNames({7: "Trần Thị Lan", 8: "Lê An", 9: "Lê An"}), lambda one: f"huyện {one}"
)
# Every way in which an action is named where a line is written.
WRITTEN = (
    r'action="([a-z][\w -]*)"',
    r'(?:self|desk)\._?audit\(\s*tx, (?:actor|officer|maker|Actor\(\)), "([\w -]+)"',
    r'(?:work|page)\.audit\(\s*"([\w -]+)"',
    r'self\._move\(\s*actor, number, "([\w-]+)"',
)


def written() -> set[str]:
    """Find every action that the code writes into the audit."""
    found = set()
    for folder in ("bot", "handlers"):
        for path in (ROOT / folder).rglob("*.py"):
            for pattern in WRITTEN:
                found |= set(re.findall(pattern, path.read_text(encoding="utf-8")))
    return found


def test_every_act_that_is_written_has_a_sentence_and_a_kind() -> None:
    actions = written()
    assert {"read", "hand over", "broadcast-pause", "export-raw", "erased", "official report"} <= actions
    assert actions - set(SENTENCES) == set()
    for action in actions:
        assert any(action.startswith(prefix) for _, prefixes in GROUPS.values() for prefix in prefixes), action


LINES = [
    ("invite", "officer yen-lac", "mời: cán bộ, huyện yen-lac"),
    ("invite", "officer", "mời: cán bộ, toàn tỉnh"),
    ("grant", "admin", "nhận lời mời: quản trị viên"),
    ("revoke", "person 7: officer x, admin", "thu mọi quyền của Trần Thị Lan (cán bộ, huyện x, quản trị viên)"),
    ("read", "message 12", "đọc tin nhắn số 12"),
    ("read", "message 12, part 40", "nhận thêm lời trong tin nhắn số 12"),
    ("hand over", "message 12 to person 8", "chuyển tin nhắn số 12 cho Lê An (số 8)"),
    ("hand over", "message 12 to yen-lac", "chuyển tin nhắn số 12: huyện yen-lac"),
    ("hand over", "message 12 to *", "chuyển tin nhắn số 12: toàn tỉnh"),
    ("export", "xlsx *", "xuất số liệu dạng xlsx, toàn tỉnh"),
    ("export", "csv commune-2025 yen-lac tam-dao", "xuất số liệu dạng csv, huyện yen-lac, huyện tam-dao"),
    ("export", "csv yen-lac", "xuất số liệu dạng csv, huyện yen-lac"),
    ("broadcast-plan", "broadcast 3 * 25 people", "lập danh sách người nhận đợt gửi số 3"),
    ("broadcast-discard", "broadcast 3", "bỏ đợt gửi số 3"),
    ("something", "else entirely", "something else entirely"),
    ("revoke", "of another shape", "revoke of another shape"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "detail", "sentence"), LINES)
def test_a_line_is_a_sentence(action: str, detail: str, sentence: str) -> None:
    assert WORDS.act(action, detail) == sentence


ACTORS = [
    ("person 7", "Trần Thị Lan"),
    ("person 9", "Lê An (số 9)"),
    ("person 5", "Cán bộ số 5"),
    ("person x", "person x"),
    ("command line", "dòng lệnh"),
]


@pytest.mark.parametrize(("actor", "name"), ACTORS)
def test_whoever_did_it_is_named(actor: str, name: str) -> None:
    assert WORDS.actor(actor) == name
