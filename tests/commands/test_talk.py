"""`talk --jsonl`: whole conversations in, what each turn came to out; nothing is kept and nothing real is touched."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.commands.test_commands import Typed, data, fine, refused, typed

__all__ = ["data", "typed"]  # the fixtures: a data folder, and the command line in this process

Turn = dict[str, Any]
FIELDS = {"verdict", "article", "offered", "buttons", "flow", "danger", "to_officer", "report", "product", "reminder",
          "language", "text"}  # fmt: skip
NEXT_DAY = 24 * 3600

# A conversation: each turn, and the fields that it must have; "says" is a part of the text.
CONVERSATIONS: dict[str, list[tuple[Turn, Turn]]] = {
    "a question and thanks": [
        ({"say": "cài trên máy Samsung thế nào"}, {"verdict": "answer", "article": "install-android", "flow": ""}),
        ({"say": "cảm ơn nhé"}, {"verdict": "act", "flow": "", "danger": False}),
    ],
    "a choice of articles": [
        ({"say": "tài khoản bị lỗi"}, {"verdict": "suggest", "article": ""}),
        ({"press": "Không đăng nhập được"}, {"verdict": "answer", "article": "error-cannot-login"}),
    ],
    "out of scope": [({"say": "giá vàng chiều nay bao nhiêu"}, {"verdict": "unknown", "article": "", "report": ""})],
    "the twin": [
        ({"say": "cài trên máy Samsung thế nào"}, {"article": "install-android"}),
        ({"say": "còn vneid thì sao"}, {"verdict": "answer", "article": "vneid-install-register"}),
    ],
    "a report": [
        ({"say": "/baocai"}, {"verdict": "flow", "flow": "report", "report": "", "product": ""}),
        ({"press": "tôi ĐỒNG ý"}, {"verdict": "flow", "flow": "report"}),
        ({"say": "2"}, {"verdict": "flow", "flow": "report", "report": ""}),
        ({"press": "Sổ trong VNeID"}, {"flow": "", "report": "phuc-yen", "product": "vneid"}),
        ({"say": "mã otp không về"}, {"verdict": "answer", "report": "phuc-yen", "product": "vneid"}),
    ],
    "an emergency in a report": [
        ({"say": "/baocai"}, {"flow": "report"}),
        ({"say": "mẹ tôi tiêm xong khó thở tím tái"},
         {"verdict": "answer", "article": "emergency-symptoms", "danger": True, "flow": "report", "says": "115"}),
        ({"say": "cảm ơn"}, {"verdict": "act", "danger": False, "flow": "report"}),
    ],
    "a walk": [
        ({"say": "/huongdan"}, {"verdict": "flow"}),
        ({"press": "Mở Sổ sức khỏe trong VNeID"},
         {"verdict": "flow", "flow": "guide:vneid-activate", "article": "vneid-activate-sskdt"}),
        ({"press": "Xong"}, {"verdict": "flow", "flow": "guide:vneid-activate", "says": "Bước"}),
        ({"press": "Dừng", "after": 23 * 3600}, {"verdict": "flow"}),
    ],
    "officers": [
        ({"officer": "Chào bạn"}, {"verdict": "silent", "text": "", "to_officer": False, "flow": ""}),
        ({"say": "cho tôi gặp cán bộ"}, {"verdict": "flow", "flow": "officer", "to_officer": False}),
        ({"say": "máy tôi bị treo ở bước đăng ký"}, {"flow": "officer", "to_officer": True}),
        ({"officer": "Chào bạn, máy hiện chữ gì?"},
         {"verdict": "flow", "flow": "officer", "text": "Chào bạn, máy hiện chữ gì?"}),
        ({"say": "nó quay mãi ạ", "after": NEXT_DAY}, {"to_officer": True, "flow": "officer"}),
    ],
    "a reminder": [
        ({"say": "nhắc tôi nhé"}, {"verdict": "flow", "flow": "reminder", "reminder": ""}),
        ({"say": "19h tối mai"}, {"verdict": "flow", "flow": "", "reminder": "2026-12-01T19:00"}),
        ({"say": "cảm ơn", "after": 600}, {"verdict": "act", "reminder": "2026-12-01T19:00"}),
        ({"say": "cảm ơn", "after": 3 * NEXT_DAY}, {"reminder": ""}),
    ],
    "the language of the message": [
        ({"say": "how do I install it on an Android phone"}, {"language": "en", "article": "install-android"}),
        ({"say": "tôi quên mật khẩu rồi thì làm thế nào"}, {"language": "vi", "article": "forgot-password"}),
    ],
    "a label that is not there": [({"press": "quên mật khẩu"}, {"verdict": "answer", "article": "forgot-password"})],
    "a topic forgotten": [
        ({"say": "cài trên máy Samsung thế nào"}, {"article": "install-android"}),
        ({"say": "bước đó ở đâu", "after": 31 * 60}, {"verdict": "act"}),
    ],
}  # fmt: skip


def write(*conversations: Any) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in conversations).encode()


def results(done: CompletedProcess[str]) -> list[Any]:
    return [json.loads(line) for line in fine(done).splitlines()]


def test_table_of_conversations(typed: Typed, data: Path) -> None:
    sent = [
        {"id": name, "kind": "ignored", "turns": [{**said, "want": {"flow": "ignored"}} for said, _ in table]}
        for name, table in CONVERSATIONS.items()
    ]
    before = contents(data)
    got = results(typed("talk", "--jsonl", stdin=write(*sent)))
    assert [one["id"] for one in got] == list(CONVERSATIONS)
    for one in got:
        table = CONVERSATIONS[one["id"]]
        assert len(one["turns"]) == len(table)
        for (said, wanted), turn in zip(table, one["turns"], strict=True):
            where = (one["id"], said, turn)
            assert set(turn) == FIELDS, where
            for field, value in wanted.items():
                assert value in turn["text"] if field == "says" else turn[field] == value, (field, where)
            assert "**" not in turn["text"], where
    assert contents(data) == before  # nothing is written to the real records


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_existing_records_are_left_alone(typed: Typed, data: Path) -> None:
    fine(typed("counts"))  # makes the real database
    before = contents(data)
    assert "bot.db" in before
    results(typed("talk", "--jsonl", stdin=write({"id": "one", "turns": [{"say": "/baocai"}, {"say": "có"}]})))
    after = contents(data)
    assert after["bot.db"] == before["bot.db"]
    assert set(after) <= set(before) | {"bot.db-wal", "bot.db-shm"}


def test_each_conversation_is_a_new_person(typed: Typed, data: Path) -> None:
    report = {"turns": [{"say": "/baocai"}, {"say": "có"}, {"say": "Yên Lạc"}, {"say": "vneid"}]}
    first, second = results(
        typed("talk", "--jsonl", stdin=write({"id": "a", **report}, {"id": "b", "turns": [{"say": "/suabaocai"}]}))
    )
    assert first["turns"][-1]["report"] == "yen-lac"
    assert (second["turns"][0]["report"], second["turns"][0]["flow"]) == ("", "")


def test_clock_of_the_first_turn_is_its_own(typed: Typed, data: Path) -> None:
    asked = {"turns": [{"say": "nhắc tôi 19h tối mai"}]}
    sent = [
        {"id": "a", "now": "2027-02-03T10:00:00+07:00", **asked},
        {"id": "b", **asked},
        {"id": "c", "now": "2027-02-03T23:30:00+00:00", **asked},
    ]
    got = results(typed("talk", "--jsonl", stdin=write(*sent)))
    assert [one["turns"][0]["reminder"] for one in got] == ["2027-02-04T19:00", "2026-12-01T19:00", "2027-02-05T19:00"]


def test_number_of_messages_is_not_limited(typed: Typed, data: Path) -> None:
    turns = [{"say": "cảm ơn", "after": 0} for _ in range(60)]
    (one,) = results(typed("talk", "--jsonl", stdin=write({"id": "many", "turns": turns})))
    assert {turn["verdict"] for turn in one["turns"]} == {"act"}


def test_empty_input_and_lines_are_nothing(typed: Typed, data: Path) -> None:
    assert results(typed("talk", "--jsonl", stdin=b"")) == []
    assert results(typed("talk", "--jsonl", stdin=b"\n  \n")) == []
    assert results(typed("talk", "--jsonl", stdin=write({"id": "a", "turns": []}))) == [{"id": "a", "turns": []}]


GOOD = {"id": "good", "turns": [{"say": "/menu"}]}
BAD: dict[str, Any] = {
    "no object": [],
    "a number": 7,
    "no id": {"turns": []},
    "an id that is no text": {"id": 7, "turns": []},
    "no turns": {"id": "a"},
    "turns no list": {"id": "a", "turns": {"say": "x"}},
    "a turn no object": {"id": "a", "turns": ["say"]},
    "a turn of nothing": {"id": "a", "turns": [{}]},
    "a turn of another kind": {"id": "a", "turns": [{"sing": "x"}]},
    "two kinds in a turn": {"id": "a", "turns": [{"say": "x", "press": "y"}]},
    "a text that is none": {"id": "a", "turns": [{"say": 5}]},
    "after no number": {"id": "a", "turns": [{"say": "x", "after": "soon"}]},
    "after nothing": {"id": "a", "turns": [{"say": "x", "after": None}]},
    "after true": {"id": "a", "turns": [{"say": "x", "after": True}]},
    "after too long": {"id": "a", "turns": [{"say": "x", "after": 1e300}]},
    "after negative": {"id": "a", "turns": [{"say": "x", "after": -5}]},
    "now no moment": {"id": "a", "now": "tomorrow", "turns": []},
    "now without a zone": {"id": "a", "now": "2026-11-30T09:00:00", "turns": []},
    "now no text": {"id": "a", "now": 5, "turns": []},
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_line_is_told_with_its_number(typed: Typed, data: Path, kind: str) -> None:
    told = refused(typed("talk", "--jsonl", stdin=write(GOOD, BAD[kind], GOOD)), status=2)
    assert "standard input:2: expected one conversation" in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("line", [b"{", b"not json", b"\xff\xfe", b'{"id": "a", "turns": [{"say": "x"}]', b"[[[["])
def test_line_that_is_no_json_is_told(typed: Typed, data: Path, line: bytes) -> None:
    told = refused(typed("talk", "--jsonl", stdin=write(GOOD) + b"\n" + line + b"\n"), status=2)
    assert "standard input:3: expected one conversation" in told


def test_without_its_option_it_says_what_is_missing(typed: Typed, data: Path) -> None:
    assert "--jsonl" in refused(typed("talk"), status=2)
