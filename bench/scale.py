"""How far several processes carry on one PostgreSQL: updates by webhook, to any of them at random.

    PYTHONPATH=. .venv/bin/python bench/scale.py [--replicas 1 2 4] [--seconds 15]

Each round starts a fresh database (synced to the disk at each commit) and so many real bots with their full duty; the
limits are off. The fake Telegram, everybody who writes, PostgreSQL and the bots share this machine: the CPU that each
of them used is told apart, because the rate alone says little where they fight for two cores. What a message took is
left in build/scale.json for bench/scale_model.py.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
import psutil
import psycopg
import uvloop

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, whose names hide libraries

from bench.scale_model import Cost, keep  # noqa: E402
from bench.soak import CITIZENS, TEXTS  # noqa: E402
from bot.library.knowledge import INDEX_FILE, load_knowledge  # noqa: E402
from bot.runtime.telegram_factory import TELEGRAM_HOOK  # noqa: E402
from tests.channels.telegram.test_crash import OFF  # noqa: E402
from tests.conftest import CACHE, ROOT  # noqa: E402
from tests.fakes.telegram import TOKEN, FakeTelegram, running_telegram, until  # noqa: E402
from tests.support.engines import PostgresServer  # noqa: E402
from tests.support.processes import RunningBot  # noqa: E402

AT_ONCE, WARM_UP = 96, 4.0


@dataclass
class Crowd:
    """Everybody who writes, each to any of the bots."""

    bots: list[RunningBot]
    fake: FakeTelegram
    session: aiohttp.ClientSession
    draw: random.Random = field(default_factory=lambda: random.Random(1))
    confirmed: Counter[int] = field(default_factory=Counter)
    arrived: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    refused: int = 0
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def hurry(self, seconds: float) -> None:
        """Write as fast as it goes."""
        ends = time.perf_counter() + seconds
        headers = {"X-Telegram-Bot-Api-Secret-Token": str(self.fake.webhook["secret_token"])}

        async def one() -> None:
            while (begun := time.perf_counter()) < ends:
                number = next(self.numbers)
                chat = 10_000 + number % CITIZENS
                update = {
                    "update_id": number,
                    "message": {**self.fake.message(chat), "text": TEXTS[number % len(TEXTS)]},
                }
                url = self.draw.choice(self.bots).url + TELEGRAM_HOOK
                async with self.session.post(url, json=update, headers=headers) as response:
                    if response.status == 200:
                        self.confirmed[chat] += 1
                    else:
                        self.refused += 1
                self.waits.append(time.perf_counter() - begun)

        await asyncio.gather(*(one() for _ in range(AT_ONCE)))

    async def rest(self) -> None:
        """Wait until everything that was confirmed is answered, a minute at most."""
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            self.arrived.update(call.chat for call in self.fake.delivered)
            self.fake.delivered.clear()
            self.fake.calls.clear()
            self.fake.messages.clear()
            if not self.lost:
                return
            await asyncio.sleep(0.02)

    @property
    def lost(self) -> int:
        """How many confirmed messages have no answer."""
        return sum(max(0, times - self.arrived[chat]) for chat, times in self.confirmed.items())


def durable(server: PostgresServer) -> None:
    """Make the tests' server as safe as one that keeps records: each commit waits for the disk."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for setting in ("fsync", "full_page_writes", "deadlock_timeout"):
            connection.execute(f"ALTER SYSTEM RESET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")


def used_by_postgres() -> float:
    """Seconds of CPU that all processes of PostgreSQL on this machine used."""
    seconds = 0.0
    for process in psutil.process_iter(["name"]):
        if "postgres" in (process.info["name"] or ""):
            try:
                seconds += sum(process.cpu_times()[:2])
            except psutil.Error:
                continue
    return seconds


def commits(url: str) -> tuple[int, int]:
    """Return how often this database committed, and how often transactions were in each other's way."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT xact_commit, deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None  # this very database has a line
    return int(row[0]), int(row[1])


def quantile(waits: list[float], share: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * share))] * 1000 if waits else 0.0


async def measure(server: PostgresServer, folder: Path, replicas: int, seconds: float) -> tuple[Cost, int]:
    """Run one round; returns what a message took, and how many were lost."""
    async with running_telegram() as fake:
        bots, url = [], server.fresh()
        for number in range(replicas):
            data = folder / f"{replicas}-{number}"
            data.mkdir()
            shutil.copy(CACHE / INDEX_FILE, data / INDEX_FILE)
            environment = {
                "BOT_DATABASE": url, "BOT_DATA": str(data), "BOT_SECRET": "the same for all, for this bench only",
                "BOT_TELEGRAM__TOKEN": TOKEN, "BOT_TELEGRAM__API_BASE": fake.api_base, "BOT_TELEGRAM__MODE": "webhook",
                "BOT_WEB__PUBLIC_URL": "http://127.0.0.1:1", "BOT_LOG__LEVEL": "error", **OFF,
            }  # fmt: skip
            bots.append(RunningBot(data, **environment))
        for bot in bots:
            await asyncio.to_thread(bot.start)
        try:
            await until(lambda: bool(fake.webhook), seconds=30)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:
                group = Crowd(bots, fake, session)
                await group.hurry(WARM_UP)
                await group.rest()
                group.waits.clear()
                before, (committed, _) = group.confirmed.total(), commits(url)
                own, posted = psutil.Process(), used_by_postgres()
                used = [sum(psutil.Process(bot.pid).cpu_times()[:2]) for bot in bots]
                self_used, others, begun = sum(own.cpu_times()[:2]), psutil.cpu_times(), time.perf_counter()
                await group.hurry(seconds)
                await group.rest()
                took = time.perf_counter() - begun
                done = group.confirmed.total() - before
                bots_used = sum(sum(psutil.Process(bot.pid).cpu_times()[:2]) for bot in bots) - sum(used)
                posted, self_used = used_by_postgres() - posted, sum(own.cpu_times()[:2]) - self_used
                cores = psutil.cpu_count() or 1
                busy = cores * took - (psutil.cpu_times().idle - others.idle)
                rest = busy - bots_used - posted - self_used
            await asyncio.sleep(1.5)  # for PostgreSQL's own statistics
            after, deadlocks = commits(url)
        finally:
            for bot in bots:
                await asyncio.to_thread(bot.stop)
    print(
        f"{replicas:8} {done / took:9.0f} {quantile(group.waits, 0.5):7.1f} {quantile(group.waits, 0.99):7.1f} "
        f"{bots_used / done * 1000:9.2f} {posted / done * 1000:9.2f} {self_used / done * 1000:9.2f} "
        f"{rest / took:9.2f} {(after - committed) / done:8.2f} {deadlocks:9} {group.lost:5} {group.refused:7}",
        flush=True,
    )
    return Cost(replicas, bots_used / done * 1000, posted / done * 1000), group.lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=15.0)
    arguments = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    load_knowledge(ROOT / "content", CACHE / INDEX_FILE)
    server = PostgresServer()
    durable(server)
    print(
        f"{os.cpu_count()} cores; CPU in ms an update; 'else' is what other programs used, in cores; commits an update"
    )
    print("replicas updates/s  p50 ms  p99 ms      bots  postgres generator      else  commits deadlocks  lost refused")
    try:
        with tempfile.TemporaryDirectory() as folder:
            rounds = [
                uvloop.run(measure(server, Path(folder), number, arguments.seconds)) for number in arguments.replicas
            ]
    finally:
        server.stop()
    keep([cost for cost, _ in rounds], cores=os.cpu_count())
    sys.exit(1 if any(lost for _, lost in rounds) else 0)


if __name__ == "__main__":
    main()
