"""The weekly summary: who wants it gets it, once a week, on its day, whatever happens to the machine."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import bot.runtime.build
from bot import access
from bot.message import Capabilities, Person
from bot.settings import Settings
from tests.conftest import FrozenClock, Recorder, Talk
from tests.support.broadcasts import sending_bot

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
PLATFORM = Capabilities(longest_text=4000, title="recorder")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026 in Vietnam; the 23rd and the 30th are Mondays."""
    return datetime(2026, 11, day, hour, minute, tzinfo=HANOI).astimezone(UTC)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs by itself: the test calls what the bot would."""
    monkeypatch.setattr(bot.runtime.build, "_BROADCAST_PAUSE", 3600.0)


async def subscribe(settings: Settings, clock: FrozenClock, channel: Recorder, *, role: str, scope: str) -> None:
    async with sending_bot(settings, clock, channel) as service:
        code = await access.invite(service.store, role=role, scope=scope, at=clock(), actor="test")
        talk = Talk(service, channel, Person("recorder", "officer"))
        await talk.say(f"/start moi_{code}")
        await talk.say("/thongke")
        assert "Hằng tuần, vào thứ Hai lúc 08:00" in await talk.press("Tự động gửi hằng tuần")


def got(channel: Recorder) -> list[str]:
    return [reply.text for _, reply, answering in channel.sent if not answering]


# Moments, and how many summaries have come by then.
WEEKS: dict[str, list[tuple[datetime, int]]] = {
    "every Monday at eight": [(at(29, 23), 0), (at(30, 7, 59), 0), (at(30, 8), 1), (at(30, 12), 1)],
    "down at eight, later the same day": [(at(30, 15), 1), (at(30, 19), 1)],
    "down until the night: not on another day": [(at(30, 20, 30), 0)],
    "down on Monday: not on Thursday": [(datetime(2026, 12, 3, 2, tzinfo=UTC), 0)],
    "a clock set back": [(at(30, 9), 1), (at(30, 7), 1), (at(30, 8, 30), 1)],
}


@pytest.mark.parametrize("name", WEEKS)
async def test_when_it_comes(name: str, settings: Settings, clock: FrozenClock) -> None:
    channel = Recorder(capabilities=PLATFORM)
    clock.at = at(24, 12)
    await subscribe(settings, clock, channel, role=access.OFFICER, scope="yen-lac")
    for life in (WEEKS[name][:-1], WEEKS[name][-1:]):  # a restart after the subscription, and one before the last look
        if life:
            async with sending_bot(settings, clock, channel) as service:
                for now, count in life:
                    clock.at = now
                    await service.appointments.advance()
                    assert len(got(channel)) == count, now
    for text in got(channel):
        assert "Tóm tắt tuần" in text
        assert "Huyện Yên Lạc" in text  # the own scope …
        assert "toàn tỉnh" not in text  # … alone


async def test_it_ends_with_the_wish_and_with_the_role(settings: Settings, clock: FrozenClock) -> None:
    channel = Recorder(capabilities=PLATFORM)
    clock.at = at(24, 12)
    await subscribe(settings, clock, channel, role=access.ADMIN, scope="")
    async with sending_bot(settings, clock, channel) as service:
        talk = Talk(service, channel, Person("recorder", "officer"), itertools.count(100))
        await talk.say("/thongke")
        assert "không nhận bản tóm tắt" in await talk.press("Tắt tóm tắt hằng tuần")
        clock.at = at(30, 8)
        await service.appointments.advance()
        assert got(channel) == []
        await talk.say("/thongke")
        await talk.press("Tự động gửi hằng tuần")  # from the next week on
        await service.appointments.advance()
        assert got(channel) == []
        clock.at = datetime(2026, 12, 7, 1, tzinfo=UTC)
        await service.store.write(lambda tx: tx.run("DELETE FROM roles"))
        await service.appointments.advance()
        assert got(channel) == []


async def test_two_processes_send_it_once(settings: Settings, clock: FrozenClock) -> None:
    one, two = Recorder(capabilities=PLATFORM), Recorder(capabilities=PLATFORM)
    clock.at = at(24, 12)
    await subscribe(settings, clock, one, role=access.ADMIN, scope="")
    clock.at = at(30, 8)
    async with sending_bot(settings, clock, one) as first, sending_bot(settings, clock, two) as second:
        for service in (first, second, first, second):
            await service.appointments.advance()
        assert len(got(one) + got(two)) == 1
        shown = got(one)[0] if got(one) else got(two)[0]
        assert "Tính đến hết ngày 29/11/2026. Hôm nay đến lúc này: 0." in shown  # an admin sees today's apart
