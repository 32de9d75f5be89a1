"""Whether an answer helped, why not, and where officers see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot import access
from bot.access.roles import ADMIN
from bot.clock import stamp
from bot.conversation.unit_of_work import REASONS, complaints
from tests.conftest import NOON, Talk

QUESTION = "quên mật khẩu"


async def reasons(talk: Talk) -> list[tuple[int, dict[str, int]]]:
    since = stamp(NOON - timedelta(days=1))
    found = await talk.service.store.read(lambda tx: complaints(tx, since=since))
    return [(complaint.times, dict(complaint.reasons)) for complaint in found]


@pytest.mark.parametrize(("label", "name"), [
    ("Tôi chưa hiểu", "unclear"),
    ("Thông tin sai hoặc đã cũ", "outdated"),
    ("Làm theo mà vẫn chưa được", "unsolved"),
    ("Lý do khác", "other"),
])  # fmt: skip
async def test_a_reason_is_kept_with_its_answer(talk: Talk, label: str, name: str) -> None:
    await talk.say(QUESTION)
    said = await talk.say(choice="helped:no")
    assert "vì sao chưa giúp được bạn" in said
    assert "Gặp cán bộ" in talk.labels
    assert "Cảm ơn bạn" in await talk.press(label)
    assert await reasons(talk) == [(1, {name: 1})]


async def test_a_reason_is_optional_and_belongs_to_what_did_not_help(talk: Talk) -> None:
    await talk.say(QUESTION)
    await talk.say(choice="helped:no")
    assert await reasons(talk) == [(1, {"": 1})]
    await talk.say("cài trên máy Samsung thế nào")  # the reason is for the answer before
    await talk.say(choice="helped:no:unclear")
    assert await reasons(talk) == [(1, {"unclear": 1})]
    await talk.say(choice="helped:yes")
    assert await reasons(talk) == [(1, {"unclear": 1})]


async def test_a_change_of_mind_takes_the_reason_back(talk: Talk) -> None:
    await talk.say(QUESTION)
    await talk.say(choice="helped:no")
    await talk.say(choice="helped:no:other")
    assert "Rất vui" in await talk.say(choice="helped:yes")
    assert await reasons(talk) == []


@pytest.mark.parametrize("choice", ["helped:no:", "helped:no:xyz", "helped:no:'; DROP TABLE questions; --"])
async def test_what_is_no_reason_is_none(talk: Talk, choice: str) -> None:
    await talk.say(QUESTION)
    await talk.say(choice=choice)
    assert await reasons(talk) == [(1, {"": 1})]


async def test_officers_read_it_by_article(talk: Talk) -> None:
    code = await access.invite(talk.service.store, role=ADMIN, scope="", at=NOON, actor="test")
    await talk.say(f"/start moi_{code}")
    for name in ("unclear", "unclear", "outdated"):
        await talk.say(QUESTION)
        await talk.say(choice="helped:no")
        await talk.say(choice=f"helped:no:{name}")
    said = await talk.say("/caihoi")
    assert "Bài chưa giúp được người dân và lý do" in said
    assert "(Tôi chưa hiểu: 2; Thông tin sai hoặc đã cũ: 1)" in said
    assert set(REASONS) == {"unclear", "outdated", "unsolved", "other"}
