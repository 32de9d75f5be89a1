"""Reports that come by themselves: once after each period, to whom it was ordered for, files by the buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

import bot.runtime.build
from bot import access
from bot.clock import stamp
from bot.message import Capabilities, Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import report_orders
from tests.conftest import FrozenClock, Recorder, Talk
from tests.support.broadcasts import sending_bot

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
PLATFORM = Capabilities(longest_text=4000, title="recorder")


def at(month: int, day: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=HANOI).astimezone(UTC)


@pytest.fixture(autouse=True)
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs by itself: the test calls what the bot would."""
    monkeypatch.setattr(bot.runtime.build, "_BROADCAST_PAUSE", 3600.0)


async def officer(service: Service, channel: Recorder, every: str) -> Talk:
    code = await access.invite(service.store, role="officer", scope="yen-lac", at=service.clock(), actor="test")
    talk = Talk(service, channel, Person("recorder", "officer"))
    await talk.say(f"/start moi_{code}")
    row = await service.store.read(lambda tx: tx.one("SELECT person_id FROM roles"))
    assert row is not None
    put = stamp(service.clock())
    await service.store.write(lambda tx: report_orders.put(tx, row["person_id"], every=every, made_by="test", at=put))
    return talk


def got(channel: Recorder) -> list[str]:
    return [reply.text for _, reply, answering in channel.sent if not answering]


# How often, moments, and how many notices have come by then.
TIMES: list[tuple[str, list[tuple[datetime, int]]]] = [
    ("month", [(at(11, 30, 20), 0), (at(12, 1, 7, 59), 0), (at(12, 1, 8), 1), (at(12, 2, 9), 1),
               (at(1, 1, 9, year=2027), 2)]),
    ("month", [(at(12, 5, 15), 1)]),  # down on the first
    ("month", [(at(12, 9, 15), 0)]),  # for more than a week
    ("quarter", [(at(12, 1, 9), 0), (at(1, 2, 9, year=2027), 1)]),
    ("year", [(at(12, 1, 9), 0), (at(1, 1, 9, year=2027), 1), (at(4, 1, 9, year=2027), 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("every", "moments"), TIMES)
async def test_when_a_report_comes(
    settings: Settings, clock: FrozenClock, every: str, moments: list[tuple[datetime, int]]
) -> None:
    channel = Recorder(capabilities=PLATFORM)
    clock.at = at(11, 24, 12)
    async with sending_bot(settings, clock, channel) as service:
        await officer(service, channel, every)
        for now, count in moments:
            clock.at = now
            await service.appointments.advance()
            assert len(got(channel)) == count, now


async def test_its_buttons_bring_both_files_of_its_days(
    settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = Recorder(capabilities=PLATFORM)
    clock.at = at(11, 24, 12)
    async with sending_bot(settings, clock, channel) as service:
        talk = await officer(service, channel, "month")
        clock.at = at(12, 3, 9)
        await service.appointments.advance()
        (notice,) = [reply for _, reply, answering in channel.sent if not answering]
        assert "01/11/2026" in notice.text
        assert "30/11/2026" in notice.text
        names = []
        for button in notice.buttons:
            await talk.say(choice=button.choice)
            (file,) = [reply.file for reply in talk.replies if reply.file]
            names.append(file.name)
        assert names == ["bao-cao-2026-11-01-2026-11-30.docx", "thong-ke-2026-11-01-2026-11-30.xlsx"]


@pytest.mark.parametrize("statement", ["DELETE FROM roles", "DELETE FROM report_orders"])
async def test_it_ends_with_the_role_and_with_the_order(settings: Settings, clock: FrozenClock, statement: str) -> None:
    channel = Recorder(capabilities=PLATFORM)
    clock.at = at(11, 24, 12)
    async with sending_bot(settings, clock, channel) as service:
        await officer(service, channel, "month")
        await service.store.write(lambda tx: tx.run(statement))
        clock.at = at(12, 1, 9)
        await service.appointments.advance()
        assert got(channel) == []
