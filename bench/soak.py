"""Hours of mixed load on a real bot: does memory grow, do answers slow down, is anything lost?

    PYTHONPATH=. .venv/bin/python bench/soak.py [--seconds 1800] [--share 0.7]

First the bot is given more and more, beside everything but the messages to many, until answers pile up; then it is
started anew and runs at a share of the most that it could take for the given time: citizens on Telegram's webhook and
in the web chat, messages to many that go out one after the other at the default pace, an officer who looks at the desk,
an operator who counts, a monitor that reads /metrics and /readyz. The fake Telegram and everybody who writes run on the
same machine, so that the rate is a lower bound. The run fails if a confirmed message has no answer, anything was
refused, a message to many went out twice or its ledger says otherwise, or memory or p99 go on rising after the first
ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

import aiohttp
import psutil
import uvloop

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, whose names hide libraries

from bot.library.knowledge import INDEX_FILE, load_knowledge  # noqa: E402
from bot.runtime.telegram_factory import TELEGRAM_HOOK  # noqa: E402
from bot.store import Transaction, open_store  # noqa: E402
from tests.channels.telegram.test_crash import OFF  # noqa: E402
from tests.conftest import CACHE, ROOT  # noqa: E402
from tests.fakes.telegram import TOKEN, FakeTelegram, running_telegram, until  # noqa: E402
from tests.support.broadcasts import add_officer, add_person  # noqa: E402
from tests.support.processes import RunningBot, running_bot  # noqa: E402

CITIZENS, BROWSERS = 5000, 20
PACE = 29  # messages to many a second, the default for Telegram
FIRST_TOLD = 1_000_000  # the chats of those who get messages to many begin here
DISTRICTS = (
    "vinh-yen",
    "phuc-yen",
    "binh-xuyen",
    "lap-thach",
    "song-lo",
    "tam-dao",
    "tam-duong",
    "vinh-tuong",
    "yen-lac",
)
PAGES = ("/desk/", "/desk/districts", "/desk/broadcasts", "/desk/inbox", "/desk/content")
# How fast messages come while the most is sought: each rate for so long, until somebody waits longer than this.
RATES, STEP_SECONDS, LONGEST_WAIT = (200, 300, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1700, 2000), 8.0, 0.25
WINDOWS = 12
WARM_UP = 600.0  # seconds in which memory may grow
# Between the two halves of what follows: what memory may gain, and how many times as long p99 may take. A p99 goes up
# and down with what else the machine does, so medians are compared.
MOST_GAINED, MOST_SLOWED = 0.03, 2.0
TEXTS = (
    "/menu",
    "quên mật khẩu thì làm sao",
    "cài trên máy Samsung thế nào",
    "/tiendo",
    "giá vàng hôm nay",
    "/trogiup",
)


@dataclass
class Tally:
    """What was confirmed, what arrived, and how long the confirmations took."""

    confirmed: Counter[int] = field(default_factory=Counter)
    arrived: Counter[int] = field(default_factory=Counter)
    told: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    web_waits: list[float] = field(default_factory=list)
    page_waits: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    counted: int = 0

    def gather(self, fake: FakeTelegram) -> None:
        """Take over what the fake keeps, so that it does not grow."""
        for call in fake.delivered:
            (self.told if call.chat >= FIRST_TOLD else self.arrived)[call.chat] += 1
        fake.delivered.clear()
        fake.calls.clear()
        fake.messages.clear()

    @property
    def lost(self) -> int:
        """How many confirmed messages have no answer."""
        return sum(max(0, times - self.arrived[chat]) for chat, times in self.confirmed.items())


class Crowd:
    """Everybody who writes."""

    numbers = count(1)  # an update's number is taken once, by whichever crowd

    def __init__(self, bot: RunningBot, fake: FakeTelegram, session: aiohttp.ClientSession) -> None:
        self.bot, self.fake, self.session, self.tally = bot, fake, session, Tally()
        self.headers = {"X-Telegram-Bot-Api-Secret-Token": str(fake.webhook["secret_token"])}

    async def write(self) -> None:
        """Bring one update, and note how long Telegram waited for "taken"."""
        number = next(self.numbers)
        chat = 10_000 + number % CITIZENS
        update = {"update_id": number, "message": {**self.fake.message(chat), "text": TEXTS[number % len(TEXTS)]}}
        begun = time.perf_counter()
        async with self.session.post(self.bot.url + TELEGRAM_HOOK, json=update, headers=self.headers) as response:
            if response.status == 200:
                self.tally.confirmed[chat] += 1
            else:
                self.tally.refused[f"hook {response.status}"] += 1
        self.tally.waits.append(time.perf_counter() - begun)

    async def keep_pace(self, rate: float, seconds: float) -> None:
        """Write evenly."""
        begun, tasks = time.perf_counter(), set[asyncio.Task[None]]()
        for number in range(int(rate * seconds)):
            if (early := begun + number / rate - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            task = asyncio.create_task(self.write())
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def browse(self, ends: float) -> None:
        """One citizen in the web chat, who reads a second before the next question."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            for number in count():
                if time.monotonic() > ends:
                    return
                begun = time.perf_counter()
                body = {"text": TEXTS[number % len(TEXTS)]}
                async with browser.post(f"{self.bot.url}/api/chat", json=body) as response:
                    if response.status != 200 or not (await response.json())["replies"]:
                        self.tally.refused[f"chat {response.status}"] += 1
                self.tally.web_waits.append(time.perf_counter() - begun)
                await asyncio.sleep(1.0)

    async def watch(self, ends: float) -> None:
        """A monitor every five seconds, an operator who counts every thirty."""
        for number in count():
            if time.monotonic() > ends:
                return
            for path in ("/metrics", "/readyz"):
                async with self.session.get(self.bot.url + path) as response:
                    if response.status != 200:
                        self.tally.refused[f"{path} {response.status}"] += 1
                        print(f"{path}: {(await response.text())[:500]}", flush=True)
            if number % 6 == 0:
                await asyncio.to_thread(self.bot.command, "counts", "--by", "district", "--format", "json")
                self.tally.counted += 1
            await asyncio.sleep(5.0)

    async def announce(self, data: Path, ends: float) -> None:
        """Send messages to many, district by district, as long as there is time and anybody left."""
        text = data / "text.txt"
        text.write_text("Mời quý vị cài đặt Sổ sức khỏe điện tử.", encoding="utf-8")
        for number, district in enumerate(DISTRICTS, 1):
            await asyncio.to_thread(self.bot.command, "broadcast", "plan", "--text", str(text), "--district", district)
            await asyncio.to_thread(self.bot.command, "broadcast", "send", str(number))
            while records(data, "SELECT 1 FROM broadcasts WHERE state <> 'done'"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.5)
            if time.monotonic() > ends:
                return

    async def oversee(self, officer: int, ends: float) -> None:
        """An officer at the desk, who opens a page every two seconds."""
        link = await asyncio.to_thread(self.bot.command, "desk-link", "--person", str(officer))
        key = link.strip().rpartition("?key=")[2]
        async with aiohttp.ClientSession(self.bot.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as desk:
            await desk.post("/desk/in", data={"key": key})
            for number in count():
                if time.monotonic() > ends:
                    return
                page, begun = PAGES[number % len(PAGES)], time.perf_counter()
                async with desk.get(page) as response:
                    if response.status != 200:
                        self.tally.refused[f"{page} {response.status}"] += 1
                    await response.read()
                self.tally.page_waits.append(time.perf_counter() - begun)
                await asyncio.sleep(2.0)

    def company(self, officer: int, ends: float) -> list[asyncio.Task[None]]:
        """Have everybody there who looks at something."""
        browsers = [self.browse(ends) for _ in range(BROWSERS)]
        return [asyncio.create_task(one) for one in (*browsers, self.watch(ends), self.oversee(officer, ends))]

    async def rest(self) -> None:
        """Wait until everything that was confirmed is answered, a minute at most."""
        with_patience = time.monotonic() + 60
        while time.monotonic() < with_patience:
            self.tally.gather(self.fake)
            if not self.tally.lost:
                return
            await asyncio.sleep(0.05)


def quantile(waits: list[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))] * 1000 if waits else 0.0


def is_steady(memory: list[float], tails: list[float]) -> bool:
    """Tell whether the second half of the windows is as good as the first; fewer than four are not judged."""
    if len(memory) < 4:
        print(f"memory and p99 are not judged: less than four windows after the first {WARM_UP:.0f} s")
        return True
    gained, slowed = rise(memory), rise(tails)
    print(f"after the first {WARM_UP:.0f} s, second half against the first: memory {gained - 1:+.1%} "
          f"(at most {MOST_GAINED:+.0%}), p99 {slowed:.2f} times (at most {MOST_SLOWED})")  # fmt: skip
    return gained <= 1 + MOST_GAINED and slowed <= MOST_SLOWED


def rise(windows: list[float]) -> float:
    """Compare the second half with the first, by their medians."""
    half = len(windows) // 2
    return median(windows[half:]) / median(windows[:half])


def records(data: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / "bot.db")) as connection:
        return connection.execute(query).fetchall()


async def fill(data: Path, people: int) -> int:
    """Put in who gets messages to many, spread over the districts, and an officer; returns the officer's number."""
    store = open_store(f"sqlite:///{data / 'bot.db'}")

    def work(tx: Transaction) -> None:
        for number in range(people):
            district = DISTRICTS[number % len(DISTRICTS)]
            add_person(tx, str(FIRST_TOLD + number), channel="telegram", district=district)

    await store.write(work)
    officer = await add_officer(store, "officer")
    await store.close()
    return officer.person_id


async def find_most(bot: RunningBot, fake: FakeTelegram, officer: int) -> float:
    """Return the most messages a second, coming evenly, that it answers before they pile up, whoever else is there."""
    most = 0.0
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:
        group = Crowd(bot, fake, session)
        others = group.company(officer, time.monotonic() + 3600)
        for rate in RATES:
            # A rate is tried twice before it is too much: the machine may have stood still for a moment.
            if not (await bears(group, rate) or await bears(group, rate)):
                break
            most = rate
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    return most


async def bears(group: Crowd, rate: float) -> bool:
    """Tell whether all that comes at a rate for a while is answered in time."""
    group.tally.waits.clear()
    begun = time.perf_counter()
    await group.keep_pace(rate, STEP_SECONDS)
    await group.rest()
    late, tail = time.perf_counter() - begun - STEP_SECONDS, quantile(group.tally.waits, 0.99)
    print(f"{rate}/s: p99 {tail:.0f} ms, the last answer {late:.1f} s late", flush=True)
    return tail <= LONGEST_WAIT * 1000 and late <= LONGEST_WAIT


async def soak(bot: RunningBot, fake: FakeTelegram, data: Path, officer: int, rate: float, seconds: float) -> bool:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256)) as session:
        group = Crowd(bot, fake, session)
        process = psutil.Process(bot.pid)
        ends = time.monotonic() + seconds
        others = [*group.company(officer, ends), asyncio.create_task(group.announce(data, ends))]
        memory, tails = [], []
        print("  window   RSS MB   p50 ms   p99 ms   web p99 ms   desk p99 ms   to many")
        for window in range(1, WINDOWS + 1):
            group.tally.waits.clear()
            group.tally.web_waits.clear()
            group.tally.page_waits.clear()
            await group.keep_pace(rate, seconds / WINDOWS)
            group.tally.gather(fake)
            memory.append(process.memory_info().rss / 1e6)
            tails.append(quantile(group.tally.waits, 0.99))
            print(f"  {window:6} {memory[-1]:8.1f} {quantile(group.tally.waits, 0.5):8.2f} {tails[-1]:8.2f} "
                  f"{quantile(group.tally.web_waits, 0.99):12.2f} {quantile(group.tally.page_waits, 0.99):13.2f} "
                  f"{group.tally.told.total():9}", flush=True)  # fmt: skip
        await asyncio.gather(*others)
        await group.rest()
        tally = group.tally
        print(f"confirmed {tally.confirmed.total()}, lost {tally.lost}, refused {dict(tally.refused)}, "
              f"counts made {tally.counted}")  # fmt: skip
        ledger = dict(records(data, "SELECT state, COUNT(*) FROM deliveries GROUP BY state"))
        twice = sum(times > 1 for times in tally.told.values())
        print(f"to many: ledger {ledger}, arrived {tally.told.total()}, twice {twice}")
        whole = set(ledger) == {"sent"} and ledger["sent"] == tally.told.total() and not twice
        warm = math.ceil(WARM_UP / (seconds / WINDOWS))
        return is_steady(memory[warm:], tails[warm:]) and whole and not tally.lost and not tally.refused


@asynccontextmanager
async def open_bot(fake: FakeTelegram, data: Path, *, bulk_per_second: float) -> AsyncIterator[RunningBot]:
    environment = {
        "BOT_TELEGRAM__TOKEN": TOKEN, "BOT_TELEGRAM__API_BASE": fake.api_base, "BOT_TELEGRAM__MODE": "webhook",
        "BOT_WEB__PUBLIC_URL": "http://127.0.0.1:1", "BOT_LOG__LEVEL": "warning", **OFF,
        "BOT_LIMITS__TELEGRAM__BULK_PER_SECOND": f"{bulk_per_second:.0f}",
        "BOT_REMINDERS__QUIET_FROM": "00:00", "BOT_REMINDERS__QUIET_UNTIL": "00:00",
        "BOT_REMINDERS__APPROVE_ABOVE": "1000000",
    }  # fmt: skip
    fake.webhook = {}
    with running_bot(data, **environment) as bot:
        await until(lambda: bool(fake.webhook), seconds=30)
        yield bot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--share", type=float, default=0.7, help="of what the bot takes at most")
    arguments = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    load_knowledge(ROOT / "content", CACHE / INDEX_FILE)

    async def run(data: Path) -> bool:
        seconds = arguments.seconds
        async with running_telegram() as fake:
            people = max(len(DISTRICTS), int(seconds * PACE * 0.9))
            officer = await fill(data, people)
            async with open_bot(fake, data, bulk_per_second=0) as bot:
                most = await find_most(bot, fake, officer)
            rate = most * arguments.share
            print(f"most: {most:.0f} messages/s; now {rate:.0f}/s on Telegram, {BROWSERS} browsers, messages to "
                  f"{people} people at {PACE}/s, the desk, for {seconds:.0f} s")  # fmt: skip
            # Replies take from the pace of messages to many, which is meant for a platform slower than this one.
            async with open_bot(fake, data, bulk_per_second=rate + PACE) as bot:
                return await soak(bot, fake, data, officer, rate, seconds)

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CACHE / INDEX_FILE, Path(folder) / INDEX_FILE)
        sys.exit(0 if uvloop.run(run(Path(folder))) else 1)


if __name__ == "__main__":
    main()
