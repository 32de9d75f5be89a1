"""Whom messages to many went to is forgotten after a term; every figure of their reports stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import cycle

import pytest

from bot.broadcasts import ABANDONED, NO_NAMES, Actor, BroadcastReport
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import Transaction, broadcasts, people
from bot.store.audiences import Audience
from bot.store.broadcasts import CRASHED, OPTED_OUT, DeliveryResult
from tests.conftest import FrozenClock, Recorder
from tests.support.broadcasts import add_officer, add_person, hurry, sending_bot, settled

TERM = 90
ENDS = (
    ("sent", ""),
    ("sent", ""),
    ("unknown", CRASHED),
    ("skipped", OPTED_OUT),
    ("failed", "500"),
)


@pytest.fixture
async def bot(
    settings: Settings, clock: FrozenClock, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    hurry(monkeypatch)
    async with sending_bot(settings, clock, recorder) as service:
        yield service


async def sent(bot: Service, boss: Actor) -> int:
    """Send to 23 people of two districts, with all kinds of ends, and some who reported since."""

    def fill(tx: Transaction) -> None:
        for number in range(23):
            add_person(tx, f"p{number}", district="vinh-tuong" if number % 3 else "yen-lac" if number % 2 else "")

    await bot.store.write(fill)
    number = await planned(bot, boss)
    await bot.broadcasts.release(boss, number)
    await settled(bot, number)

    def end(tx: Transaction) -> None:
        rows = tx.all("SELECT id FROM deliveries WHERE broadcast_id = :number ORDER BY id", number=number)
        at = stamp(bot.clock())
        for row, (state, reason) in zip(rows, cycle(ENDS), strict=False):
            broadcasts.note(tx, [DeliveryResult(row["id"], state, reason)], at=at, before="sent")

    await bot.store.write(end)
    return number


async def planned(bot: Service, boss: Actor) -> int:
    number = await bot.broadcasts.draft(boss, Audience())
    await bot.broadcasts.write(boss, number, {"vi": "Mời bạn cài ứng dụng."})
    await bot.broadcasts.plan(boss, number)
    return number


def figures(report: BroadcastReport) -> tuple[object, ...]:
    return report.states, report.reasons, report.by_district, report.by_channel, report.uplift


async def names(bot: Service, number: int) -> int:
    rows = await bot.store.read(
        lambda tx: tx.all("SELECT person_id FROM deliveries WHERE broadcast_id = :number", number=number)
    )
    return len(rows)


async def test_the_people_go_and_every_figure_stays(
    bot: Service, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.broadcasts.retention._PORTION", 7)  # several transactions
    boss = await add_officer(bot.store, "boss", role="admin")
    number = await sent(bot, boss)
    clock.forward(days=TERM - 1)
    before = await bot.broadcasts.report(boss, number)
    progress = await bot.broadcasts.progress(boss, number)
    assert before.states == {"sent": 10, "unknown": 5, "skipped": 4, "failed": 4}
    assert before.uplift is not None
    await bot.forget_names()
    assert await names(bot, number) == 23
    clock.forward(days=2)
    await bot.forget_names()
    assert await names(bot, number) == 0
    after = await bot.broadcasts.report(boss, number)
    assert figures(after) == figures(before)
    assert (await bot.broadcasts.progress(boss, number)).states == progress.states
    assert await bot.broadcasts.unknown(boss, number) == []
    # people who leave later take nothing away from it
    await bot.store.write(lambda tx: people.erase(tx, 2))
    assert figures(await bot.broadcasts.report(boss, number)) == figures(before)
    await bot.forget_names()
    assert figures(await bot.broadcasts.report(boss, number)) == figures(before)
    with pytest.raises(NotAllowed) as refused:
        await bot.broadcasts.again(boss, number)
    assert str(refused.value) == NO_NAMES


async def test_a_crash_in_the_middle_changes_no_figure(bot: Service, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss", role="admin")
    number = await sent(bot, boss)
    clock.forward(days=TERM + 1)
    before = await bot.broadcasts.report(boss, number)
    await bot.store.write(partial(broadcasts.forget_names, number=number, limit=9))
    half = await bot.broadcasts.report(boss, number)
    assert (half.states, half.by_district) == (before.states, before.by_district)
    await bot.forget_names()
    assert (await bot.broadcasts.report(boss, number)).states == before.states
    assert await names(bot, number) == 0


async def test_who_has_everything_deleted_stays_counted(bot: Service) -> None:
    boss = await add_officer(bot.store, "boss", role="admin")
    number = await sent(bot, boss)
    before = await bot.broadcasts.report(boss, number)

    def erase(tx: Transaction) -> None:
        for row in tx.all("SELECT person_id FROM deliveries WHERE broadcast_id = :number", number=number)[:6]:
            people.erase(tx, row["person_id"])

    await bot.store.write(erase)
    assert await names(bot, number) == 17
    after = await bot.broadcasts.report(boss, number)
    assert (after.states, after.reasons, after.by_district) == (before.states, before.reasons, before.by_district)


@pytest.mark.parametrize(
    ("state", "becomes", "reason"),
    [("planned", "draft", ""), ("waiting", "stopped", ABANDONED), ("paused", "stopped", ABANDONED)],
)
async def test_what_was_left_lying_names_nobody_for_ever(
    bot: Service, clock: FrozenClock, state: str, becomes: str, reason: str
) -> None:
    boss = await add_officer(bot.store, "boss", role="admin")
    await bot.store.write(lambda tx: add_person(tx, "p1", district="vinh-tuong"))
    number = await planned(bot, boss)
    if state != "planned":
        change = partial(broadcasts.change, number=number, states=("planned",), at=stamp(clock()), state=state)
        assert await bot.store.write(change)
    await bot.forget_names()
    assert await names(bot, number) == 1
    clock.forward(days=TERM + 1)
    await bot.forget_names()
    found = await bot.broadcasts.find(boss, number)
    assert (found.state, found.reason) == (becomes, reason)
    if becomes == "stopped":  # it ended just now
        clock.forward(days=TERM + 1)
        await bot.forget_names()
    assert await names(bot, number) == 0
    report = await bot.broadcasts.report(boss, number)
    assert report.states == ({"planned": 1} if becomes == "stopped" else {})


async def test_the_server_does_it_by_itself(
    settings: Settings, clock: FrozenClock, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("bot.runtime.build._LEDGER_PAUSE", 0.01)
    async with sending_bot(settings, clock, recorder) as bot:
        boss = await add_officer(bot.store, "boss", role="admin")
        number = await sent(bot, boss)
        clock.forward(days=TERM + 1)
        await settled(bot, number)
        async with asyncio.timeout(10):
            while await names(bot, number):  # noqa: ASYNC110 - the background work deletes them
                await asyncio.sleep(0.01)
