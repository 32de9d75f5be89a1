"""A message to many from two processes on one PostgreSQL: its sender killed, and what the token may send.

Prints its ledger: run with -s to read it. PEOPLE=4000 KILLS=10 for the long version; ELSEWHERE=1 has whoever is killed
look as if it had run on another machine, so that its rights run out instead of being known as a dead one's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.broadcasts import Actor
from bot.broadcasts.sender import GROUP, MAX_IN_FLIGHT, MAX_PREFETCH
from bot.clock import now, stamp
from bot.library.knowledge import Knowledge
from bot.message import IncomingMessage, Person
from bot.runtime.build import Service, open_service
from bot.settings import ChannelLimits, Settings
from bot.store import Transaction, open_store, reach
from bot.store.audiences import Audience
from handlers import ROUTES
from tests.cluster.test_membership import replicas, start, stop
from tests.conftest import FrozenClock
from tests.fakes.telegram import TOKEN, Call, FakeTelegram, Fault, running_telegram, until
from tests.support.broadcasts import add_person, hurry, ledger, settled
from tests.support.engines import Engine, PostgresServer
from tests.support.processes import RunningBot

PEOPLE, KILLS = int(os.environ.get("PEOPLE", "500")), int(os.environ.get("KILLS", "1"))
ELSEWHERE = os.environ.get("ELSEWHERE") == "1"
FIRST, SLOW = 1_000_000, 0.05
TAKEN_OVER = 30.0 if ELSEWHERE else 5.0
DAY_AND_NIGHT = {
    "BOT_REMINDERS__QUIET_FROM": "00:00",
    "BOT_REMINDERS__QUIET_UNTIL": "00:00",
    "BOT_REMINDERS__APPROVE_ABOVE": "1000000",
}


async def fill(url: str, people: int) -> None:
    """Put in so many who want to be written to."""
    store = open_store(url)

    def work(tx: Transaction) -> None:
        for number in range(FIRST, FIRST + people):
            person = add_person(tx, str(number), channel="telegram")
            reach.note_interaction(tx, person, at=stamp(now()))

    await store.write(work)
    await store.close()


async def begin(bot: RunningBot, folder: Path, people: int) -> None:
    """Write to everybody, as an officer at a terminal does."""
    text = folder / "text.txt"
    text.write_text("Mời bạn cài ứng dụng.", encoding="utf-8")
    planned = await asyncio.to_thread(bot.command, "broadcast", "plan", "--text", str(text))
    assert f"Messages: {people:,}" in planned
    await asyncio.to_thread(bot.command, "broadcast", "send", "1")


def holder(engine: Engine) -> str:
    """Return who has the right to send, run out or not."""
    rows = engine.rows("SELECT holder FROM leases WHERE name = 'broadcasts:telegram'")
    return str(rows[0][0]) if rows else ""


def bot_of(name: str, bots: Sequence[RunningBot]) -> RunningBot:
    """Return the process that a holder's name tells."""
    return next(bot for bot in bots if name.split(":")[1] == str(bot.pid))


def holds(bot: RunningBot, engine: Engine) -> bool:
    return holder(engine).split(":")[1:2] == [str(bot.pid)]


def arrived(fake: FakeTelegram, people: int) -> bool:
    return len(fake.delivered) >= people


async def kill(bot: RunningBot, name: str, other: RunningBot, engine: Engine) -> None:
    """Kill the process with this name, as one on the same machine or elsewhere."""
    if not ELSEWHERE:
        bot.kill()
        return
    os.kill(other.pid, signal.SIGSTOP)  # it must not look before the names are those of another machine
    bot.kill()
    here, pid, life, _ = name.split(":")
    with engine.looking_on() as looking:
        for table, column in (("leases", "holder"), ("replicas", "name"), ("inbox", "owner")):
            looking.execute(
                f"UPDATE {table} SET {column} = 'elsewhere' || substr({column}, {len(here) + 1})"
                f" WHERE {column} LIKE '{here}:{pid}:{life}:%'"
            )
    os.kill(other.pid, signal.SIGCONT)


async def test_a_broadcast_goes_on_with_its_sender_killed(
    tmp_path: Path, knowledge: Knowledge, postgres: PostgresServer
) -> None:
    engine = Engine("postgresql", url := postgres.fresh())
    await fill(url, PEOPLE)
    gaps: list[float] = []
    lost: set[str] = set()  # whose answer broke off

    def decide(call: Call) -> Fault | None:
        if call.method != "sendMessage" or call.chat % 50:
            return None
        lost.add(str(call.chat))
        return Fault(drop=True, delivered=call.chat % 100 == 0)

    async with running_telegram() as fake:
        fake.decide, fake.slow = decide, SLOW
        bots = replicas(tmp_path, url, fake, 2, **DAY_AND_NIGHT)
        await start(bots)
        try:
            await begin(bots[0], tmp_path, PEOPLE)
            for number in range(1, KILLS + 1):
                await until(partial(arrived, fake, PEOPLE * number // (KILLS + 2)), seconds=60, every=0.001)
                name = holder(engine)
                killed = bot_of(name, bots)
                other = bots[1 - bots.index(killed)]
                assert engine.rows("SELECT state FROM broadcasts") == [("running",)]
                fake.slow = 0.5  # so that much is left for the next kill
                await kill(killed, name, other, engine)
                killed_at, before = time.monotonic(), len(fake.delivered)
                await until(partial(holds, other, engine), seconds=40)
                await until(partial(arrived, fake, before + MAX_IN_FLIGHT + 1), seconds=10)
                gaps.append(time.monotonic() - killed_at)
                if number < KILLS:
                    await asyncio.to_thread(killed.start)
                fake.slow = SLOW
            await until(lambda: engine.rows("SELECT state FROM broadcasts") == [("done",)], seconds=60, every=0.05)
        finally:
            await stop(bots)
        times = Counter(str(call.chat) for call in fake.delivered)
    store = open_store(url)
    states = await ledger(store, 1)
    await store.close()
    unknown = {who for who, state in states.items() if state.startswith("unknown")}
    died = Counter(states.values())["unknown sender-died"]
    print(f"\n{PEOPLE} people, two processes, the sender killed {KILLS} times; another went on after", end=" ")
    print(", ".join(f"{gap:.1f} s" for gap in gaps))
    print(f"{dict(Counter(states.values()))}; of the unknown {sum(times[who] for who in unknown)} arrived")
    assert set(states) == {str(who) for who in range(FIRST, FIRST + PEOPLE)}
    assert {state.split()[0] for state in states.values()} == {"sent", "unknown"}
    assert {who for who in states.keys() - unknown if times[who] != 1} == set()  # nobody is missed …
    assert {who for who, count in times.items() if count > 1} == set()  # … and nobody gets it twice
    assert lost <= unknown  # what may have arrived is told as such …
    assert len(unknown - lost) <= died <= KILLS * (MAX_IN_FLIGHT + MAX_PREFETCH + GROUP)  # … and little else
    assert max(gaps) < TAKEN_OVER


def all_are_answered(tx: Transaction) -> bool:
    row = tx.one("SELECT COUNT(*) AS left_over FROM inbox WHERE stage < 2")
    return row is not None and row["left_over"] == 0


async def test_two_processes_together_keep_what_a_token_may_send(
    settings: Settings, clock: FrozenClock, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message to many leaves while an impatient citizen writes to both; looked at where it arrives."""
    hurry(monkeypatch)
    people, bulk, chat, citizen, turns = 100, 50.0, 2.0, 7, 14
    url = postgres.fresh()
    await fill(url, people)
    came: list[tuple[float, int]] = []

    def decide(call: Call) -> None:
        if call.method == "sendMessage":
            came.append((time.monotonic(), call.chat))

    async with running_telegram() as fake, AsyncExitStack() as stack:
        fake.decide = decide
        shared = settings.model_copy(
            update={
                "database": url,
                "telegram": settings.telegram.model_copy(
                    update={"token": SecretStr(TOKEN), "api_base": fake.api_base, "mode": "webhook"}
                ),
                "web": settings.web.model_copy(update={"public_url": "http://127.0.0.1:1"}),
                "limits": settings.limits.model_copy(
                    update={"telegram": ChannelLimits(bulk_per_second=bulk, chat_per_second=chat)}
                ),
            }
        )
        both: list[Service] = []
        for _ in range(2):
            both.append(await stack.enter_async_context(open_service(shared, ROUTES, now=clock, online=True)))
        await both[0].keep_place()  # sees the second one at once
        number = await both[0].broadcasts.draft(Actor(), Audience())
        await both[0].broadcasts.write(Actor(), number, {"vi": "Mời bạn cài ứng dụng."})
        await both[0].broadcasts.plan(Actor(), number)
        await both[0].broadcasts.release(Actor(), number)
        for turn in range(turns):
            said = IncomingMessage(person=Person("telegram", str(citizen)), id=f"m{turn}", at=clock(), text="/menu")
            await both[turn % 2].inbox.receive(said)
            while not await both[0].store.read(all_are_answered):  # noqa: ASYNC110 - then the other one has the turn
                await asyncio.sleep(0.005)
        await settled(both[0], number)
    many = [at for at, to in came if to >= FIRST]
    replies = [at for at, to in came if to == citizen]
    assert (len(many), len(replies)) == (people, turns)
    assert max(sum(begin <= at < begin + 1 for at in many) for begin in many) <= bulk / 2 + 5
    for first, last in combinations(range(turns), 2):  # two at once from each, then as one process gives
        assert last - first + 1 <= 4 + chat * (replies[last] - replies[first] + 0.25)
