"""Reminders through a bot that is killed while they leave: none is lost, none comes twice."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from datetime import timedelta
from pathlib import Path

from bot.clock import now, stamp
from bot.library.knowledge import Knowledge
from bot.store import Store, Transaction, appointments, open_store
from tests.conftest import copy_learned
from tests.fakes.telegram import TOKEN, Call, FakeTelegram, Fault, running_telegram, until
from tests.support.broadcasts import add_person
from tests.support.processes import RunningBot

PEOPLE, KILLS, FIRST = 120, int(os.environ.get("KILLS", "1")), 1_000
MOST_UNDER_WAY = 20  # claimed together


def environment(telegram: FakeTelegram) -> dict[str, str]:
    return {
        "BOT_TELEGRAM__TOKEN": TOKEN,
        "BOT_TELEGRAM__API_BASE": telegram.api_base,
        "BOT_LIMITS__TELEGRAM__BULK_PER_SECOND": "60",
        "BOT_REMINDERS__QUIET_FROM": "00:00",
        "BOT_REMINDERS__QUIET_UNTIL": "00:00",
    }


async def test_reminders_survive_kills(tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")

    def work(tx: Transaction) -> None:
        for number in range(FIRST, FIRST + PEOPLE):
            person = add_person(tx, str(number), channel="telegram")
            due = stamp(now() - timedelta(minutes=1))
            appointments.add(tx, person, kind=appointments.ASKED, due_at=due, at=stamp(now()))

    await store.write(work)
    lost: set[str] = set()
    async with running_telegram() as telegram:

        def decide(call: Call) -> Fault | None:
            if call.method == "sendMessage" and call.chat % 30 == 0:
                lost.add(str(call.chat))
                return Fault(drop=True, delivered=call.chat % 60 == 0)
            return None

        telegram.decide = decide
        bot = RunningBot(tmp_path, **environment(telegram))

        def arrived() -> Counter[str]:
            return Counter(str(call.chat) for call in telegram.delivered)

        await asyncio.to_thread(bot.start)
        try:
            for number in range(KILLS):
                most = (number + 1) * PEOPLE // (KILLS + 2)
                await until(lambda most=most: arrived().total() >= most, seconds=30, every=0.001)  # type: ignore[misc]
                bot.kill()
                await asyncio.to_thread(bot.start)
            async with asyncio.timeout(30):
                while any(state in ("waiting", "claimed") for state in (await _states(store)).values()):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        finally:
            await asyncio.to_thread(bot.stop)
        states, times = await _states(store), arrived()
    await store.close()
    unknown = {who for who, state in states.items() if state == "unknown"}
    assert len(states) == PEOPLE
    assert set(states.values()) <= {"sent", "unknown"}  # none is lost …
    assert {who for who, count in times.items() if count > 1} == set()  # … none comes twice …
    assert all(times[who] == 1 for who in set(states) - unknown)
    assert lost <= unknown  # … and what may have arrived is known to be that
    assert len(unknown - lost) <= KILLS * MOST_UNDER_WAY


async def _states(store: Store) -> dict[str, str]:
    rows = await store.read(
        lambda tx: tx.all("SELECT p.address, a.state FROM appointments a JOIN people p ON p.id = a.person_id")
    )
    return {row["address"]: row["state"] for row in rows}
