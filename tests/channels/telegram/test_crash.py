"""Telegram when things break: the bot killed at random moments, and an API that fails in every way at once.

Prints its ledgers: run with -s to read them. KILLS=10 UPDATES=2000 for the long version of the first test.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from bot.library.knowledge import Knowledge
from bot.runtime.build import open_service
from bot.runtime.telegram_factory import TELEGRAM_HOOK
from bot.settings import Settings
from bot.store.messages import ANSWERED, DELIVERED
from handlers import ROUTES
from tests.conftest import copy_learned
from tests.fakes.telegram import TOKEN, Call, FakeTelegram, Fault, running_telegram, until
from tests.support.processes import RunningBot

KILLS = int(os.environ.get("KILLS", "3"))
UPDATES = int(os.environ.get("UPDATES", "600"))
MENU, LANGUAGE = "Bạn muốn làm gì", "Bạn muốn dùng ngôn ngữ nào"
FIRST_CHAT = 10_000
# So many replies after one, it is noted that it left: the connections for answers, and replies whose note waits: those
# of the commit under way, of the one after it, and of those that are read meanwhile, each at most a whole getUpdates
# of 100.
IN_FLIGHT = 32 + 3 * 100

Said = tuple[int, str]  # a chat, and the kind of answer that it read

OFF = {
    "BOT_LIMITS__PERSON_PER_MINUTE": "0",
    "BOT_LIMITS__TELEGRAM__BULK_PER_SECOND": "0",
    "BOT_LIMITS__TELEGRAM__CHAT_PER_SECOND": "0",
    "BOT_LIMITS__TELEGRAM__GROUP_PER_MINUTE": "0",
}


def said(fake: FakeTelegram) -> list[Said]:
    """What was read, by the kind of answer, in order."""
    texts = [(call.chat, call.data["text"]) for call in fake.delivered]
    return [(chat, next((kind for kind in (MENU, LANGUAGE) if kind in text), text)) for chat, text in texts]


def stages(data: Path, copy: Path) -> dict[str, int]:
    """How far each message came in the records of a bot that is not running; these stay as they are."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("bot.db", "bot.db-wal"):
        if (data / name).exists():
            shutil.copy(data / name, copy / name)
    with closing(sqlite3.connect(copy / "bot.db")) as records:
        return dict(records.execute("SELECT message_id, stage FROM inbox").fetchall())


@pytest.mark.parametrize("mode", ["polling", "webhook"])
async def test_nothing_is_lost_when_the_bot_is_killed(tmp_path: Path, knowledge: Knowledge, mode: str) -> None:
    copy_learned(tmp_path)
    draw = random.Random(7)
    async with running_telegram() as fake:
        environment = {
            "BOT_TELEGRAM__TOKEN": TOKEN,
            "BOT_TELEGRAM__API_BASE": fake.api_base,
            "BOT_TELEGRAM__MODE": mode,
            "BOT_WEB__PUBLIC_URL": "http://127.0.0.1:1" if mode == "webhook" else "",
            **OFF,
        }
        bot = RunningBot(tmp_path, **environment)
        chats = range(FIRST_CHAT, FIRST_CHAT + UPDATES // 2)
        moments = sorted(draw.sample(range(UPDATES // 20, UPDATES), KILLS))
        asked: dict[str, Said] = {}
        for chat in chats:
            asked[str(fake.say(chat, "/menu"))] = chat, MENU
            asked[str(fake.say(chat, "/ngonngu"))] = chat, LANGUAGE
        await asyncio.to_thread(bot.start)
        fake.push_to = bot.url + TELEGRAM_HOOK
        pushing: asyncio.Task[None] | None = None
        on_their_way: list[int] = []
        oldest: list[int] = []
        may_come_again: Counter[Said] = Counter()
        try:
            for moment in [*moments, None]:
                if mode == "webhook" and pushing is None:
                    await until(lambda: bool(fake.webhook), seconds=20)
                    pushing = asyncio.create_task(fake.push_all())
                if moment is None:
                    break
                await until(lambda moment=moment: len(fake.delivered) >= moment, seconds=60, every=0.001)  # type: ignore[misc]
                bot.kill()
                read = said(fake)
                came = {asked[id_]: stage for id_, stage in stages(tmp_path, tmp_path / "killed").items()}
                assert all(came.get(answer, 0) >= ANSWERED for answer in read), "something left before it was safe"
                may_come_again.update(answer for answer, stage in came.items() if stage == ANSWERED)
                latest = {answer: len(read) - number for number, answer in enumerate(read)}
                not_noted = [before for answer, before in latest.items() if came[answer] == ANSWERED]
                on_their_way.append(len(not_noted))
                oldest.append(max(not_noted, default=0))
                await asyncio.to_thread(bot.start)
            await until(lambda: len(set(said(fake))) >= UPDATES, seconds=90, every=0.05)
            if pushing is not None:
                await asyncio.wait_for(pushing, 30)
            await asyncio.sleep(0.5)
        finally:
            await asyncio.to_thread(bot.stop)
        read = said(fake)
        again = Counter(read) - Counter(set(read))
        print(f"\n{mode}: {UPDATES} updates, killed {KILLS} times after {moments} answers")
        print(f"answered {len(set(read))}, lost {UPDATES - len(set(read))}, twice {again.total()}")
        print(f"read and not noted as delivered at each kill {on_their_way}, the oldest {oldest} answers before it")
        assert set(read) == set(asked.values())
        assert not again - may_come_again, "something came again that was noted as delivered"
        for chat in chats:
            assert read.index((chat, MENU)) < read.index((chat, LANGUAGE)), f"chat {chat} was answered out of order"
        assert max(oldest) <= IN_FLIGHT, "it was not noted in time what left"
        assert set(stages(tmp_path, tmp_path / "stopped").values()) == {DELIVERED}


async def test_everybody_who_can_be_reached_is_answered_whatever_fails(settings: Settings) -> None:
    """Five faults at 5 % each over 5,000 updates."""
    updates = int(os.environ.get("FAULT_UPDATES", "5000"))
    draw, ledger = random.Random(11), Counter[str]()

    def decide(call: Call) -> Fault | None:
        if call.method != "sendMessage":
            return None
        if call.chat % 20 == 0:  # who blocked the bot stays so
            ledger["403 blocked"] += 1
            return Fault(403, "Forbidden: bot was blocked by the user")
        chance = draw.random()
        if chance < 0.05:
            ledger["429"] += 1
            return Fault(429, "Too Many Requests: retry after 1", {"retry_after": 0.02})
        if chance < 0.10:
            ledger["5xx"] += 1
            return Fault(draw.choice((500, 502, 503, 504)), "Bad Gateway")
        if chance < 0.15:
            arrived = draw.random() < 0.5
            ledger["dropped after delivery" if arrived else "dropped before delivery"] += 1
            return Fault(drop=True, delivered=arrived)
        if chance < 0.20:
            ledger["timeout after delivery"] += 1
            return Fault(hang=math.inf, delivered=True)
        ledger["accepted"] += 1
        return None

    async with running_telegram() as fake:
        fake.decide = decide
        pace = {"bulk_per_second": 0, "chat_per_second": 0, "group_per_minute": 0}
        changed = settings.model_copy(
            update={
                "telegram": settings.telegram.model_validate(
                    {"token": TOKEN, "api_base": fake.api_base, "answer_seconds": 5, "connections": 200}
                ),
                "limits": settings.limits.model_validate({"person_per_minute": 0, "telegram": pace}),
            }
        )
        chats = range(FIRST_CHAT, FIRST_CHAT + updates)
        async with open_service(changed, ROUTES, online=True) as service:
            for chat in chats:
                fake.say(chat, "/menu")
            await until(lambda: not fake.waiting and not service.inbox.waiting, seconds=180, every=0.05)
            blocked = {chat for chat in chats if chat % 20 == 0}
            gone = await service.store.read(
                lambda tx: tx.one("SELECT COUNT(*) AS n FROM people WHERE gone_at IS NOT NULL")
            )
        times = Counter(call.chat for call in fake.delivered)
        reachable = set(chats) - blocked
        ledger.update(
            {
                "updates": updates,
                "reachable": len(reachable),
                "answered": len(reachable & set(times)),
                "answered twice or more": sum(1 for n in times.values() if n > 1),
                "marked gone": gone["n"] if gone else 0,
            }
        )
        print("\n" + "\n".join(f"{count:6d}  {what}" for what, count in sorted(ledger.items())))
        assert reachable <= set(times), f"{len(reachable - set(times))} reachable citizens were not answered"
        assert ledger["answered twice or more"] <= ledger["dropped after delivery"]
        assert ledger["marked gone"] == len(blocked)
        assert not set(times) & blocked
