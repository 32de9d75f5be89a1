"""A broadcast on two platforms that fail at 5 %, through a bot that is killed again and again.

Prints its ledger: run with -s to read it. PEOPLE=10000 KILLS=20 for the long version.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from pathlib import Path

from bot.broadcasts.sender import GROUP, MAX_IN_FLIGHT, MAX_PREFETCH
from bot.clock import now, stamp
from bot.library.knowledge import Knowledge
from bot.store import Store, Transaction, open_store, reach
from tests.conftest import copy_learned
from tests.fakes import zalo
from tests.fakes.telegram import TOKEN, Call, FakeTelegram, Fault, running_telegram, until
from tests.fakes.zalo_oa import APP_ID, APP_SECRET, FIRST_REFRESH, OA_SECRET, FakeZaloOA, Said, running_zalo_oa
from tests.support.broadcasts import add_person, ledger
from tests.support.processes import RunningBot

PEOPLE, KILLS = int(os.environ.get("PEOPLE", "4000")), int(os.environ.get("KILLS", "4"))
FIRST = 1_000_000
BLOCKED_EVERY = 50
CHANNELS = 2


def environment(telegram: FakeTelegram, account: FakeZaloOA) -> dict[str, str]:
    return {
        "BOT_TELEGRAM__TOKEN": TOKEN,
        "BOT_TELEGRAM__API_BASE": telegram.api_base,
        "BOT_ZALO_OA__API_BASE": account.url,
        "BOT_ZALO_OA__OAUTH_BASE": account.url,
        "BOT_ZALO_OA__APP_ID": APP_ID,
        "BOT_ZALO_OA__APP_SECRET": APP_SECRET,
        "BOT_ZALO_OA__OA_SECRET": OA_SECRET,
        "BOT_ZALO_OA__REFRESH_TOKEN": FIRST_REFRESH,
        "BOT_LIMITS__TELEGRAM__BULK_PER_SECOND": "0",
        "BOT_LIMITS__TELEGRAM__CHAT_PER_SECOND": "0",
        "BOT_LIMITS__ZALO_OA__BULK_PER_SECOND": "0",
        "BOT_REMINDERS__QUIET_FROM": "00:00",
        "BOT_REMINDERS__QUIET_UNTIL": "00:00",
        "BOT_REMINDERS__APPROVE_ABOVE": "1000000",
    }


class Platforms:
    """Both platforms, with what befell each message."""

    def __init__(self) -> None:
        self.draw, self.ledger = random.Random(3), Counter[str]()
        self.confirmed: Counter[str] = Counter()  # answered as taken
        self.lost: Counter[str] = Counter()  # arrived or not, the answer broke off
        self.seen: set[str] = set()

    def telegram(self, call: Call) -> Fault | None:
        if call.method != "sendMessage":
            return None
        who, chance = str(call.chat), self.draw.random()
        self.seen.add(who)
        if self._is_blocked(who):
            return Fault(403, "Forbidden: bot was blocked by the user")
        if chance < 0.015:
            return self._befell("429", Fault(429, "Too Many Requests", {"retry_after": 0.01}))
        if chance < 0.03:
            return self._befell("server error", Fault(502, "Bad Gateway"))
        if chance < 0.05:
            arrived = chance < 0.04
            self.lost[who] += 1
            return self._befell(f"broken off, arrived {arrived}", Fault(drop=True, delivered=arrived))
        self.confirmed[who] += 1
        return None

    def zalo(self, said: Said) -> zalo.Fault | None:
        chance = self.draw.random()
        self.seen.add(said.user)
        if self._is_blocked(said.user):
            return zalo.Fault(-213, "User has not followed the OA")
        if chance < 0.03:
            self.ledger["Zalo's passing trouble"] += 1
            return zalo.Fault(-200, "Send message failed")
        if chance < 0.05:
            arrived = chance < 0.04
            self.lost[said.user] += 1
            self.ledger[f"broken off, arrived {arrived}"] += 1
            return zalo.Fault(drop=True, delivered=arrived)
        self.confirmed[said.user] += 1
        return None

    def _is_blocked(self, who: str) -> bool:
        blocked = int(who) % BLOCKED_EVERY == 0
        self.ledger["blocked"] += blocked
        return blocked

    def _befell(self, what: str, fault: Fault) -> Fault:
        self.ledger[what] += 1
        return fault


async def fill(store: Store) -> None:
    """Put in everybody, every third on Zalo."""

    def work(tx: Transaction) -> None:
        for number in range(FIRST, FIRST + PEOPLE):
            person = add_person(tx, str(number), channel="zalo_oa" if number % 3 == 0 else "telegram")
            reach.note_interaction(tx, person, at=stamp(now()))

    await store.write(work)


async def test_a_broadcast_survives_kills(tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    await fill(store)
    text = tmp_path / "text.txt"
    text.write_text("Mời bạn cài ứng dụng.", encoding="utf-8")
    platforms, draw, began = Platforms(), random.Random(9), time.monotonic()
    async with running_telegram() as telegram, running_zalo_oa() as account:
        telegram.decide, account.decide = platforms.telegram, platforms.zalo
        bot = RunningBot(tmp_path, **environment(telegram, account))
        planned = await asyncio.to_thread(bot.command, "broadcast", "plan", "--text", str(text))
        assert f"Messages: {PEOPLE:,}" in planned
        await asyncio.to_thread(bot.command, "broadcast", "send", "1")

        def arrived() -> Counter[str]:
            return Counter([str(call.chat) for call in telegram.delivered] + [said.user for said in account.said])

        def settled() -> int:
            return platforms.confirmed.total() + platforms.lost.total()

        # The first kill comes before anything was sent, the last when most is settled.
        moments = [0, *sorted(draw.sample(range(PEOPLE // 50, PEOPLE * 7 // 10), KILLS - 1))]
        claimed: list[set[str]] = []
        await asyncio.to_thread(bot.start)
        try:
            for moment in moments:
                await until(lambda moment=moment: settled() >= moment, seconds=60, every=0.001)  # type: ignore[misc]
                bot.kill()
                claimed.append({who for who, state in (await ledger(store, 1)).items() if state == "claimed"})
                await asyncio.to_thread(bot.start)
                claimed[-1] -= platforms.seen  # by now everything that had left is there
            async with asyncio.timeout(60):
                while await _state(store) != "done":  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
        finally:
            await asyncio.to_thread(bot.stop)
        listed = await asyncio.to_thread(bot.command, "broadcast", "report", "1", "--unknown")
        states = await ledger(store, 1)
        times = arrived()
    await store.close()
    counted = Counter(state for state in states.values())
    reachable = {who for who in states if int(who) % BLOCKED_EVERY}
    unknown = {who for who, state in states.items() if state.startswith("unknown")}
    print(f"\n{PEOPLE} people, killed {KILLS} times, {time.monotonic() - began:.0f} s")
    print("\n".join(f"{count:6d}  {what}" for what, count in [*sorted(counted.items()), *platforms.ledger.items()]))
    print(f"{sum(map(len, claimed)):6d}  claimed and not on their way when it was killed")
    print(f"{sum(1 for count in times.values() if count > 1):6d}  got it twice")
    assert len(states) == PEOPLE
    assert not {who for who in reachable if not states[who].startswith(("sent", "unknown"))}  # nobody missed …
    assert {who for who in reachable - unknown if times[who] != 1} == set()  # … and nobody twice
    assert {who for who, count in times.items() if count > 1} == set()
    assert {who for who, state in states.items() if state.startswith("sent")} <= set(platforms.confirmed)
    assert set(platforms.lost) <= unknown  # what may have arrived is listed
    assert {
        who for who in states if int(who) % BLOCKED_EVERY == 0 and not states[who].startswith(("gone", "unknown"))
    } == set()
    dead = sum(state == "unknown sender-died" for state in states.values())
    assert dead <= KILLS * CHANNELS * (MAX_IN_FLIGHT + MAX_PREFETCH + GROUP)
    assert sum(map(len, claimed)) <= KILLS * CHANNELS * MAX_PREFETCH * 2  # … nor much that had not left
    assert len(listed.splitlines()) - 1 == min(len(unknown), 1000)


async def _state(store: Store) -> str:
    row = await store.read(lambda tx: tx.one("SELECT state FROM broadcasts WHERE id = 1"))
    return row["state"] if row else ""
