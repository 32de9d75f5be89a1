"""What a turn keeps, what a person sees of it, and what is left after they had it deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.store import Row
from tests.conftest import ON_SQLITE, FrozenClock, Talk


async def rows(talk: Talk, query: str) -> list[Row]:
    return await talk.service.store.read(lambda tx: tx.all(query))


async def column(talk: Talk, query: str) -> list[object]:
    return [row[0] for row in await rows(talk, query)]


async def test_one_current_report_a_person_and_its_whole_history(talk: Talk, clock: FrozenClock) -> None:
    for said in ("/baocai", "đồng ý", "vneid, vinh tuong"):
        await talk.say(said)
    clock.forward(days=3)
    await talk.say("/suabaocai")
    await talk.press("Đổi huyện")
    await talk.say("yen lac")
    current = await rows(talk, "SELECT district, day, reported_at FROM reports")
    assert [tuple(row) for row in current] == [("yen-lac", "2026-11-23", "2026-11-23T05:00:00.000Z")]
    await talk.say("/suabaocai")
    await talk.press("Tôi chưa cài")
    assert await rows(talk, "SELECT 1 FROM reports") == []
    for said in ("/baocai", "đồng ý", "vneid, song lo"):
        await talk.say(said)
    history = await rows(talk, "SELECT change, district FROM report_history ORDER BY id")
    assert [tuple(row) for row in history] == [
        ("reported", "vinh-tuong"), ("corrected", "yen-lac"), ("withdrawn", "yen-lac"), ("reported", "song-lo"),
    ]  # fmt: skip


async def test_consent_is_kept_in_the_words_that_were_read(talk: Talk) -> None:
    await talk.say("/baocai")
    read = talk.replies[-1].text
    await talk.say("đồng ý")
    await talk.say("vneid, vinh tuong")
    (kept,) = await rows(talk, "SELECT purpose, wording, given_at, withdrawn_at FROM consents")
    assert tuple(kept) == ("report", read, "2026-11-23T05:00:00.000Z", None)
    await talk.say("/suabaocai")
    await talk.press("Tôi chưa cài")
    assert await column(talk, "SELECT withdrawn_at FROM consents") == ["2026-11-23T05:00:00.000Z"]


async def test_nothing_is_recorded_without_consent(talk: Talk) -> None:
    for said in ("/baocai", "vinh tuong", "không", "vinh tuong"):
        await talk.say(said)
    await talk.say(choice="report:district:vinh-tuong")
    assert await rows(talk, "SELECT 1 FROM reports") == []
    assert await rows(talk, "SELECT 1 FROM consents") == []


QUESTIONS: list[tuple[str, list[object]]] = [
    ("quên mật khẩu thì làm sao", ["quên mật khẩu thì làm sao"]),
    ("số tôi 0912345678 quên mật khẩu", ["số tôi … quên mật khẩu"]),
    ("sdt0912345678 không nhận được otp", ["sdt… không nhận được otp"]),
    ("thư hoa@example.com quên mật khẩu", ["thư … quên mật khẩu"]),
    ("otp 482913 nhập vào đâu", []),  # a secret: warned about, not kept at all
    ("cccd 026199001234 đăng ký thế nào", []),
]


@pytest.mark.parametrize(("typed", "kept"), QUESTIONS, ids=[row[0] for row in QUESTIONS])
async def test_questions_are_kept_without_personal_numbers(talk: Talk, typed: str, kept: list[object]) -> None:
    await talk.say(typed)
    assert await column(talk, "SELECT text FROM questions") == kept


async def test_what_goes_to_officers_holds_no_personal_number(talk: Talk) -> None:
    await talk.say("/canbo")
    await talk.say("gọi lại cho tôi số 0912 345 678 nhé")
    assert await column(talk, "SELECT text FROM conversation_messages") == ["gọi lại cho tôi số … nhé"]


async def busy(talk: Talk) -> None:
    """Leave something in every table that a citizen can reach."""
    for said in ("/start to-roi-yen-lac", "/ngonngu vi", "cài trên máy Samsung thế nào", "zqx câu hỏi lạ zqx",
                 "/baocai", "đồng ý", "vneid, xã Thượng Trưng, Vĩnh Tường", "/nhacnho"):  # fmt: skip
        await talk.say(said)
    await talk.press("Có, hãy nhắc tôi")
    await talk.say("/canbo")
    await talk.say("zqx máy tôi bị treo zqx")
    await talk.say("/dulieu")


async def test_my_data_shows_everything_that_is_kept(talk: Talk) -> None:
    await busy(talk)
    await talk.press("Tải bản sao") if any(
        label.startswith("Tải bản sao") for label in talk.labels
    ) else await talk.say(choice="privacy:export")
    (file,) = [reply.file for reply in talk.replies if reply.file]
    copy = json.loads(file.content)
    assert copy["channel"] == "recorder"
    assert copy["language"] == "vi"
    assert copy["report"]["district"] == "vinh-tuong"
    assert copy["report"]["commune"] == "09127"
    assert [step["change"] for step in copy["report_history"]] == ["reported"]
    assert {consent["purpose"] for consent in copy["consents"]} == {"report", "reminders"}
    assert [question["text"] for question in copy["questions"]] == [
        "cài trên máy Samsung thế nào",
        "zqx câu hỏi lạ zqx",
    ]
    assert [request["text"] for request in copy["messages_to_officers"]] == ["zqx máy tôi bị treo zqx"]
    assert copy["source"] == "to-roi-yen-lac"
    assert all(consent["wording"] for consent in copy["consents"])
    assert copy["roles"] == []


@ON_SQLITE
async def test_deleted_is_deleted_from_every_table_and_from_the_files(
    talk: Talk, another: Callable[[str], Talk], settings: Settings
) -> None:
    other = another("someone-else")
    await other.say("quên mật khẩu thì làm sao")
    talk.person = type(talk.person)(talk.person.channel, "zqx-citizen-zqx")
    await busy(talk)
    folder = settings.data_folder
    assert any(b"zqx" in path.read_bytes() for path in folder.glob("bot.db*"))
    await talk.say(choice="privacy:delete")
    await talk.say(choice="privacy:erase")
    tables = await column(talk, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%person_id%'")
    assert len(tables) >= 9
    for table in tables:
        people = await column(talk, f"SELECT person_id FROM {table}")
        assert set(people) <= {1}, table
    assert await column(talk, "SELECT address FROM people") == ["someone-else"]
    assert set(await column(talk, "SELECT address FROM inbox")) <= {"someone-else", ""}
    # The ids that these tests give to messages hold the address; the last one is kept so that it is not done twice.
    found = re.compile(rb"zqx(?!-citizen-zqx-\d|-\d)")
    left = {path.name: len(found.findall(path.read_bytes())) for path in folder.glob("bot.db*")}
    assert set(left.values()) == {0}, left
    assert "Chưa lưu gì" in await talk.say("/dulieu")


async def test_who_deletes_twice_or_never_came_is_told_the_same(talk: Talk) -> None:
    for _ in range(2):
        assert "đã được xóa" in await talk.say(choice="privacy:erase")
        assert await rows(talk, "SELECT 1 FROM people") == []


async def test_after_deleting_a_person_starts_anew(talk: Talk) -> None:
    await busy(talk)
    await talk.say(choice="privacy:erase")
    for said in ("/baocai", "đồng ý", "vneid, song lo"):
        answered = await talk.say(said)
    assert "huyện Sông Lô" in answered
    assert await column(talk, "SELECT change FROM report_history") == ["reported"]


async def test_what_is_old_enough_is_forgotten_by_itself(
    talk: Talk, clock: FrozenClock, settings: Settings, tmp_path: Path
) -> None:
    await talk.say("zqx câu hỏi lạ zqx")
    await talk.say("/baocai")
    clock.forward(hours=49)
    await talk.service.sweep()
    assert await rows(talk, "SELECT 1 FROM inbox") == []
    assert len(await rows(talk, "SELECT 1 FROM questions")) == 1
    clock.forward(days=91)
    await talk.service.sweep()
    assert await rows(talk, "SELECT 1 FROM questions") == []
    assert len(await rows(talk, "SELECT 1 FROM people")) == 1
    assert not any(b"zqx" in path.read_bytes() for path in settings.data_folder.glob("bot.db*"))
