"""Notices that nobody asked for: an overdue message is told once, to those concerned, never at night; and a rating."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.runtime.build import Service
from tests.conftest import ON_BOTH_ENGINES, FrozenClock, Recorder, Talk
from tests.helpdesk.test_cases import hire

pytestmark = ON_BOTH_ENGINES

Another = Callable[[str], Talk]


async def told(service: Service, recorder: Recorder) -> dict[str, list[str]]:
    """Return what reached each officer of overdue messages, after the bot has looked twice."""
    for _ in range(2):
        await service.sweep()
        await service.outbox.send_pushes()
    found: dict[str, list[str]] = {}
    for to, reply, answering in recorder.sent:
        if not answering and "vừa quá hạn" in reply.text:
            found.setdefault(to.address, []).append(reply.text)
    return found


async def ask(citizen: Talk, place: str) -> None:
    for said in ("/canbo", "máy bị treo"):
        await citizen.say(said)
    await citizen.press(place)


async def test_an_overdue_message_is_told_once_to_those_concerned(
    service: Service, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    talks = await hire(service, another)
    await ask(talks["dân"], "Huyện Yên Lạc")
    await ask(another("dân 2"), "Huyện Yên Lạc")
    await ask(another("dân 3"), "Huyện Sông Lô")
    await talks["yên lạc 2"].say(choice="case:take:2")
    assert await told(service, recorder) == {}
    clock.forward(days=2, hours=5)  # Wednesday, 17:00: not yet
    assert await told(service, recorder) == {}
    clock.forward(seconds=1)
    assert await told(service, recorder) == {
        "yên lạc": ["Tin nhắn vừa quá hạn mà chưa được trả lời: 1 tin (số 1)."],
        "yên lạc 2": ["Tin nhắn vừa quá hạn mà chưa được trả lời: 2 tin (số 1, 2)."],
        "sông lô": ["Tin nhắn vừa quá hạn mà chưa được trả lời: 1 tin (số 3)."],
    }
    await talks["yên lạc 2"].say(choice="case:answer:2")
    await talks["yên lạc 2"].say("Bạn thử bật lại máy.")
    await another("dân 2").say("vẫn treo")  # it waits anew, and may become overdue anew
    clock.forward(days=7)
    assert len((await told(service, recorder))["yên lạc 2"]) == 2


async def test_nobody_is_told_at_night(
    service: Service, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    talks = await hire(service, another)
    await ask(talks["dân"], "Huyện Sông Lô")
    clock.forward(days=2, hours=10)  # Wednesday, 22:00
    assert await told(service, recorder) == {}
    clock.forward(hours=10)
    assert list(await told(service, recorder)) == ["sông lô"]


@pytest.mark.parametrize(("tapped", "said"), [("good", "Rất vui"), ("bad", "tôi rất tiếc")])
async def test_a_closed_talk_is_rated_once_and_by_its_citizen(
    service: Service, another: Another, recorder: Recorder, tapped: str, said: str
) -> None:
    talks = await hire(service, another)
    await ask(talks["dân"], "Huyện Sông Lô")

    async def counted() -> list[tuple[object, ...]]:
        rows = await service.store.read(lambda tx: tx.all("SELECT day, district, rating, times FROM case_ratings"))
        return [tuple(row) for row in rows]

    await talks["dân"].say(choice=f"rate:{tapped}:1")  # it is open
    assert await counted() == []
    await talks["sông lô"].say(choice="case:take:1")
    assert "đang chờ từ" in await talks["sông lô"].say(choice="case:close:1")
    assert "Đã kết thúc" in await talks["sông lô"].press("Vâng, kết thúc")
    await service.outbox.send_pushes()
    (labels,) = [
        [button.choice for button in reply.buttons] for to, reply, answering in recorder.sent
        if to.address == "dân" and not answering
    ]  # fmt: skip
    assert labels[:2] == ["rate:good:1", "rate:bad:1"]
    await another("dân 9").say(choice=f"rate:{tapped}:1")
    for choice in ("rate:good:99", "rate:fine:1", "rate:good:x", f"rate:good:{'9' * 100}"):
        await talks["dân"].say(choice=choice)
    assert await counted() == []
    for _ in range(2):
        assert said in await talks["dân"].say(choice=f"rate:{tapped}:1")
    assert await counted() == [("2026-11-23", "song-lo", tapped, 1)]
