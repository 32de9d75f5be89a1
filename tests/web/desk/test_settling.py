"""Settling the queue: who waits with the same matter is found, chosen, and answered or closed in their own talk."""

from __future__ import annotations

import re

import pytest

from bot.message import Person
from bot.runtime.build import Service
from bot.store import people
from tests.conftest import ON_BOTH_ENGINES, Recorder
from tests.web.desk.test_desk import Client, asked, client, sign_in, token
from tests.web.desk.test_inbox_pages import audit, heard, post, seen

__all__ = ["client"]  # a fixture

pytestmark = ON_BOTH_ENGINES

SAID = {
    "a": ("yen-lac", "tôi quên mật khẩu VNeID thì làm thế nào"),
    "b": ("yen-lac", "quên mất mật khẩu VNeID rồi, lấy lại kiểu gì"),
    "c": ("yen-lac", "quen mat khau vneid"),
    "d": ("yen-lac", "đổi thẻ BHYT ở đâu"),
    "e": ("song-lo", "quên mật khẩu VNeID"),
    "f": ("yen-lac", "quên mật khẩu VNeID, giúp tôi với"),
}


@pytest.fixture
async def answered(client: Client, service: Service) -> int:
    """The first of several messages, answered by an officer of one district."""
    numbers = [await asked(service, name, place, text=text) for name, (place, text) in SAID.items()]
    await sign_in(client, service, "officer", "yen-lac")
    number = numbers[0]
    await post(client, f"inbox/{number}/take")
    await post(client, f"inbox/{number}/answer", seen=await seen(client, number), text="Bạn bấm Quên mật khẩu.")
    return number


async def offered(client: Client, number: int) -> list[str]:
    text = await (await client.get(f"/desk/inbox/{number}/same")).text()
    return re.findall(r'name="case" value="([\d:]+)"', text)


async def test_others_with_the_same_matter_get_the_answer_in_their_own_talk(
    client: Client, service: Service, recorder: Recorder, answered: int
) -> None:
    found = await offered(client, answered)
    assert [one.partition(":")[0] for one in found] == ["2", "3", "6"]
    await asked(service, "c", text="thôi được rồi ạ")  # more than was shown
    page = await client.post(
        f"/desk/inbox/{answered}/same", data=[("token", await token(client)), ("do", "answer"),
                                              *(("case", one) for one in found[:2])]
    )  # fmt: skip
    shown = await page.text()
    assert "Đã trả lời: 1 tin." in shown
    assert "vừa có thay đổi: tin số 3" in shown
    for name, expected in (("a", 1), ("b", 1), ("c", 0), ("d", 0), ("e", 0), ("f", 0)):
        got = [text for text in await heard(service, recorder, name) if "Bạn bấm Quên mật khẩu." in text]
        assert len(got) == expected, name
    done = await audit(service)
    assert {"take message 2", "answer message 2", "read message 6"} <= set(done)
    assert "answer message 3" not in done
    assert [one.partition(":")[0] for one in await offered(client, answered)] == ["3", "6"]


async def test_all_means_those_whom_the_channel_lets_be_reached(
    client: Client, service: Service, recorder: Recorder, answered: int
) -> None:
    await service.store.write(lambda tx: people.mark_gone(tx, Person("recorder", "b"), "2026-11-23T05:00:00.000Z"))
    text = await (await client.get(f"/desk/inbox/{answered}/same")).text()
    assert text.count("chưa cho gửi trả lời") == 1
    shown = re.findall(r'name="shown" value="([\d:]+)"', text)
    page = await client.post(
        f"/desk/inbox/{answered}/same?all=1",
        data=[("token", await token(client)), ("do", "answer"), *(("shown", one) for one in shown)],
    )
    assert "Đã trả lời: 2 tin." in await page.text()


async def test_a_flood_is_closed_at_once(client: Client, service: Service, recorder: Recorder, answered: int) -> None:
    found = await offered(client, answered)
    page = await client.post(
        f"/desk/inbox/{answered}/same",
        data=[("token", await token(client)), ("do", "close"), *(("case", one) for one in found)],
    )
    assert "Đã kết thúc: 3 tin." in await page.text()
    assert "lại trả lời bạn" in (await heard(service, recorder, "f"))[-1]
    assert await offered(client, answered) == []


REFUSED: list[dict[str, str]] = [
    {},
    {"do": "answer"},
    {"do": "close"},
    {"do": "burn", "case": "2:2"},
    {"case": "2:2"},
]
LEFT = ["5:5", "99:1", "x", "2:", "9" * 400, ":"]


async def test_what_must_not_be_settled_is_left(
    client: Client, service: Service, recorder: Recorder, answered: int
) -> None:
    for form in REFUSED:
        refused = await post(client, f"inbox/{answered}/same", **form)
        assert refused.status == 409
        assert "hãy chọn tin nhắn trước" in await refused.text()
    for value in LEFT:
        page = await post(client, f"inbox/{answered}/same", do="answer", case=value)
        assert "Đã trả lời: 0 tin." in await page.text(), value
    assert await heard(service, recorder, "e") == []
    waits = await asked(service, "g", "yen-lac", text="quên mật khẩu VNeID")
    early = await client.get(f"/desk/inbox/{waits}/same")
    assert early.status == 409
