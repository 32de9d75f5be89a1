"""2,000 events of an Official Account, repeated and out of order, keys that die, kill -9: everything once in effect."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.library.knowledge import Knowledge
from bot.library.regions import load_regions
from tests.conftest import ROOT, copy_learned
from tests.fakes.zalo_oa import APP_ID, APP_SECRET, FIRST_REFRESH, OA_SECRET, FakeZaloOA, running_zalo_oa, signed
from tests.support.processes import RunningBot

CITIZENS, AT_ONCE = 250, 40
EVENTS = CITIZENS * 9
REPEATED, OVERTAKEN = 0.05, 0.05
KILLS = (EVENTS * 15 // 100, EVENTS * 35 // 100, EVENTS * 50 // 100, EVENTS * 70 // 100, EVENTS * 90 // 100)
EXPIRIES = (EVENTS * 25 // 100, EVENTS * 60 // 100)
QUESTIONS = ("quên mật khẩu thì làm sao", "cài trên máy Samsung thế nào", "giá vàng hôm nay bao nhiêu")


@dataclass
class Zalo:
    """The platform as far as this test goes: brings each event until it is taken, and counts."""

    fake: FakeZaloOA
    bot: RunningBot
    session: aiohttp.ClientSession
    chance: random.Random = field(default_factory=lambda: random.Random(5))
    up: asyncio.Event = field(default_factory=asyncio.Event)
    taken: int = 0
    repeats: int = 0
    overtaken: int = 0
    refused: int = 0
    kills: int = 0
    expiries: int = 0

    async def bring(self, event: dict[str, Any]) -> None:
        """Post an event until it is answered 200, some of them once more."""
        body, headers = signed(event)
        times = 2 if self.chance.random() < REPEATED else 1
        self.repeats += times - 1
        for _ in range(times):
            while not await self._post(body, headers):
                self.refused += 1
                await self.up.wait()
        self.taken += 1

    async def _post(self, body: bytes, headers: dict[str, str]) -> bool:
        try:
            async with self.session.post(f"{self.bot.url}/hooks/zalo-oa", data=body, headers=headers) as response:
                return response.status == 200
        except (aiohttp.ClientError, OSError):
            await asyncio.sleep(0)
            return False

    async def misfortune(self) -> None:
        """Kill the bot and let its key die, each at its moment."""
        moments = sorted([(at, "kill") for at in KILLS] + [(at, "expire") for at in EXPIRIES])
        for at, what in moments:
            while self.taken < at:
                await self.fake.until(len(self.fake.said) + 1)
            if what == "expire":
                self.fake.expire()
                self.expiries += 1
                continue
            self.up.clear()
            await asyncio.to_thread(self.bot.kill)
            await asyncio.to_thread(self.bot.start)
            self.kills += 1
            self.up.set()


async def live(zalo: Zalo, citizen: str, district: int) -> None:
    """One citizen: follows, reports, asks; types the next thing after reading the answer to the last."""
    fake = zalo.fake
    walk = (
        (fake.follow(citizen), "trợ lý tự động"),
        (fake.text(citizen, "/baocai"), "Nếu bạn đồng ý"),
        (None, "Bạn sống ở huyện"),
        (None, "Bạn đã cài hoặc mở sổ nào"),
        (None, "Đã ghi nhận"),
    )
    typed = iter(("1", str(district), "1"))
    for event, expected in walk:
        await zalo.bring(event or fake.text(citizen, next(typed)))
        await heard(fake, citizen, expected)
    pair = [fake.text(citizen, QUESTIONS[0]), fake.text(citizen, QUESTIONS[1])]
    if zalo.chance.random() < OVERTAKEN * 4:  # of a quarter of all events, these pairs
        zalo.overtaken += 2
        pair.reverse()
    await asyncio.gather(*map(zalo.bring, pair))
    await zalo.bring(fake.text(citizen, QUESTIONS[2]))
    await heard(fake, citizen, "không muốn đoán mò")
    await zalo.bring(fake.text(citizen, "/suabaocai"))
    await heard(fake, citizen, "Bạn đã báo ngày")


async def heard(fake: FakeZaloOA, citizen: str, expected: str) -> None:
    """Return when a citizen has read something."""
    async with fake._heard:
        await asyncio.wait_for(
            fake._heard.wait_for(lambda: any(expected in said.text for said in fake.by_user[citizen])), 60
        )


@pytest.mark.parametrize("citizens", [CITIZENS])
async def test_two_thousand_events(citizens: int, tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    districts = list(load_regions(ROOT / "content/regions/vinh-phuc.yaml").districts)
    chosen = {f"{1_900_000_000 + number}": number % len(districts) for number in range(citizens)}
    began = time.monotonic()
    async with running_zalo_oa(FakeZaloOA(now_ms=int(time.time() * 1000))) as fake:
        bot = RunningBot(
            tmp_path,
            BOT_ZALO_OA__API_BASE=fake.url,
            BOT_ZALO_OA__OAUTH_BASE=fake.url,
            BOT_ZALO_OA__APP_ID=APP_ID,
            BOT_ZALO_OA__APP_SECRET=APP_SECRET,
            BOT_ZALO_OA__OA_SECRET=OA_SECRET,
            BOT_ZALO_OA__REFRESH_TOKEN=FIRST_REFRESH,
            BOT_LIMITS__PERSON_PER_MINUTE="0",
            BOT_LIMITS__ZALO_OA__BULK_PER_SECOND="0",
        )
        await asyncio.to_thread(bot.start)
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE * 2)) as session:
                zalo = Zalo(fake, bot, session)
                zalo.up.set()
                places = asyncio.Semaphore(AT_ONCE)

                async def one(citizen: str, district: int) -> None:
                    async with places:
                        await live(zalo, citizen, district + 1)

                await asyncio.gather(zalo.misfortune(), *(one(*item) for item in chosen.items()))
        finally:
            status = await asyncio.to_thread(bot.stop)
        renewals, replies = fake.renewals, len(fake.said)
        distinct = len({(said.user, said.text) for said in fake.said})
    assert status == 0
    ledger = {
        "events": EVENTS,
        "repeated": zalo.repeats,
        "overtaken": zalo.overtaken,
        "brought again after a crash": zalo.refused,
        "kills": zalo.kills,
        "keys that died": zalo.expiries,
        "keys given out": renewals,
        "messages sent": replies,
        "of these the same again": replies - distinct,
        "seconds": round(time.monotonic() - began, 1),
    }
    print("\n".join(f"{name:>28}: {value}" for name, value in ledger.items()))
    with closing(sqlite3.connect(tmp_path / "bot.db")) as database:

        def all_of(sql: str) -> list[tuple[Any, ...]]:
            return database.execute(sql).fetchall()

        assert all_of("SELECT stage, COUNT(*) FROM inbox GROUP BY stage") == [(2, EVENTS)]
        asked = dict(all_of("SELECT text, COUNT(*) FROM questions GROUP BY text"))
        assert sorted(asked.values()) == [citizens] * len(QUESTIONS)
        assert all_of("SELECT change, COUNT(*) FROM report_history GROUP BY change") == [("reported", citizens)]
        expected = Counter(districts[district] for district in chosen.values())
        assert dict(all_of("SELECT district, COUNT(*) FROM reports GROUP BY district")) == expected
        assert all_of("SELECT COUNT(*) FROM people") == [(citizens,)]
    assert (zalo.kills, zalo.expiries, zalo.taken) == (5, 2, EVENTS)
    assert renewals == 3
    for citizen in chosen:
        assert len({said.text for said in fake.by_user[citizen]}) >= 8, citizen
    # What is sent again is what was on its way when the bot was killed, no more.
    assert replies - distinct <= 5 * AT_ONCE * 2
