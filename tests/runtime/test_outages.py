"""Bad days of a real bot: the disk is full or takes nothing, the database is held, read-only or gone, the clock is set.

OUTAGE_SECONDS says how long each lasts; 60 was tried by hand.
"""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import json
import os
import resource
import signal
import sqlite3
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.clock import now, stamp
from bot.library.knowledge import Knowledge
from bot.runtime.build import ClockWatch, Service
from bot.store import Transaction, appointments, open_store
from tests.conftest import NOON, ROOT, FrozenClock, Talk, copy_learned
from tests.fakes.telegram import TOKEN, running_telegram
from tests.support.broadcasts import add_person
from tests.support.engines import Engine, PostgresServer
from tests.support.processes import RunningBot, running_bot

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3"))
BACK_SECONDS = 45.0  # what works by itself looks every 30 s

UNDER_WAY, MOST_WITHOUT_A_PAGE = 4, 400

Place = Callable[[Path, PostgresServer], AbstractContextManager[Engine]]
# Done again before each message, because a bot that tidies up makes room.
Again = Callable[[], None]
Break = Callable[[RunningBot, Engine, PostgresServer], AbstractContextManager[Again]]


@contextmanager
def in_a_file(folder: Path, _: PostgresServer) -> Iterator[Engine]:
    yield Engine("sqlite", f"sqlite:///{folder / 'bot.db'}")


@contextmanager
def on_a_server(_: Path, postgres: PostgresServer) -> Iterator[Engine]:
    yield Engine("postgresql", postgres.fresh())


@contextmanager
def on_a_small_disk(folder: Path, _: PostgresServer) -> Iterator[Engine]:
    with small_disk(folder / "small") as disk:
        yield Engine("sqlite", f"sqlite:///{disk / 'bot.db'}")


@contextmanager
def on_a_server_with_a_small_disk(_: Path, postgres: PostgresServer) -> Iterator[Engine]:
    """The database lies on a disk of its own; the server's log, without which it ends, does not."""
    with small_disk(postgres.data.parent / "small") as disk, closing(administrator(postgres)) as other:
        owner = postgres.data.stat()
        os.chown(disk, owner.st_uid, owner.st_gid)
        other.execute(f"CREATE TABLESPACE small LOCATION '{disk}'".encode())
        other.execute("CREATE DATABASE on_small_disk TEMPLATE template0 TABLESPACE small")
        try:
            yield Engine("postgresql", postgres.url("on_small_disk"))
        finally:
            other.execute("DROP DATABASE on_small_disk WITH (FORCE)")
            other.execute("DROP TABLESPACE small")


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody make a disk in memory; the limit on file sizes stands for it")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def nothing_more() -> None:
    pass


@contextmanager
def disk_is_full(_: RunningBot, engine: Engine, postgres: PostgresServer) -> Iterator[Again]:
    """Something else fills the disk, and takes whatever becomes free."""
    path = engine.url.removeprefix("sqlite:///")
    disk = Path(path).parent if engine.name == "sqlite" else postgres.data.parent / "small"
    with (disk / "filler").open("wb", buffering=0) as filler:

        def fill() -> None:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):
                    while True:
                        filler.write(bytes(size))

        fill()
        yield fill
    (disk / "filler").unlink()


@contextmanager
def files_may_not_be_written(_: RunningBot, engine: Engine, __: PostgresServer) -> Iterator[Again]:
    """The kernel refuses every write to the open files, root's too.

    A mount cannot stand for it: Linux makes none read-only while a file there is open for writing, and one that an
    error made so cannot be written again before the bot lets go of its files.
    """
    path = Path(engine.url.removeprefix("sqlite:///"))
    files = [path, path.with_name(f"{path.name}-wal"), path.parent]
    try:
        for file in files:
            allow_writing(file, allowed=False)
        yield nothing_more
    finally:
        for file in files:
            allow_writing(file, allowed=True)


_GET_FLAGS, _SET_FLAGS, _IMMUTABLE = 0x80086601, 0x40086602, 0x10


def allow_writing(path: Path, *, allowed: bool) -> None:
    """Do what `chattr +i` and `-i` do."""
    number = os.open(path, os.O_RDONLY)
    try:
        flags = struct.unpack("ii", fcntl.ioctl(number, _GET_FLAGS, bytes(8)))[0]
        flags = flags & ~_IMMUTABLE if allowed else flags | _IMMUTABLE
        fcntl.ioctl(number, _SET_FLAGS, struct.pack("ii", flags, 0))
    except OSError as error:
        if not allowed:
            pytest.skip(f"no file can be made unchangeable here ({error.strerror}); the limit on sizes stands for it")
    finally:
        os.close(number)


@contextmanager
def server_is_gone(_: RunningBot, __: Engine, postgres: PostgresServer) -> Iterator[Again]:
    """The server ends at once, whatever it is doing, and is started again."""
    server = postgres._server
    process = server.get_postmaster_info().process
    assert process is not None
    process.send_signal(signal.SIGQUIT)
    process.wait(20)
    try:
        yield nothing_more
    finally:
        server.ensure_postgres_running()


@contextmanager
def disk_takes_nothing(bot: RunningBot, _: Engine, __: PostgresServer) -> Iterator[Again]:
    """Every write to a file fails, as on a full or a read-only disk."""
    before = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield nothing_more
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def file_is_held(_: RunningBot, engine: Engine, __: PostgresServer) -> Iterator[Again]:
    """Another program writes and does not come to an end."""
    path = engine.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield nothing_more
        other.execute("ROLLBACK")


@contextmanager
def database_is_read_only(_: RunningBot, engine: Engine, postgres: PostgresServer) -> Iterator[Again]:
    name = engine.url.partition("@/")[2].partition("?")[0]
    with closing(administrator(postgres)) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        cut_off(other, name)
        yield nothing_more
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off".encode())
        cut_off(other, name)


@contextmanager
def database_is_gone(_: RunningBot, engine: Engine, postgres: PostgresServer) -> Iterator[Again]:
    name = engine.url.partition("@/")[2].partition("?")[0]
    with closing(administrator(postgres)) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        cut_off(other, name)
        yield nothing_more
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


def administrator(postgres: PostgresServer) -> psycopg.Connection[Any]:
    """Open a connection beside all databases of the bot."""
    return psycopg.connect(postgres.url(), autocommit=True)


def cut_off(other: psycopg.Connection[Any], name: str) -> None:
    other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


class Citizen:
    """Somebody in the web chat whose browser repeats what got no answer."""

    def __init__(self, bot: RunningBot) -> None:
        self._bot, self._count = bot, 0
        self._cookie = ""
        self._cookie = self.request("GET", "/")[2].partition(";")[0]

    def send(self, name: str) -> int:
        """Send a message and return the status; 0 when nobody answered in time."""
        body = json.dumps({"id": name, "text": "bsbskdj"})  # noted each time, and no choice of what was offered
        try:
            return self.request("POST", "/api/chat", body)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def ready(self) -> tuple[int, dict[str, str]]:
        """Ask whether the bot can serve; returns the status and what is wrong."""
        status, said, _ = self.request("GET", "/readyz")
        return status, json.loads(said)["trouble"]

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes, str]:
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        with closing(HTTPConnection("127.0.0.1", self._bot.port, timeout=20)) as connection:
            connection.request(method, path, body, headers)
            with connection.getresponse() as response:
                return response.status, response.read(), response.getheader("Set-Cookie", "")


DAYS: list[tuple[Place, Break, str]] = [
    (in_a_file, disk_takes_nothing, "takes no more"),
    (in_a_file, files_may_not_be_written, "takes no more (disk I/O error)"),
    (in_a_file, file_is_held, "is locked by another program"),
    (on_a_small_disk, disk_is_full, "takes no more (database or disk is full); make room"),
    (on_a_server, database_is_read_only, "is read-only"),
    (on_a_server, database_is_gone, "cannot be reached"),
    (on_a_server, server_is_gone, "cannot be reached"),
    (on_a_server_with_a_small_disk, disk_is_full, "takes no more; make room there"),
]


@pytest.mark.parametrize(
    ("place", "break_", "said"), DAYS, ids=[f"{day[0].__name__}-{day[1].__name__}" for day in DAYS]
)
def test_it_says_so_keeps_what_it_accepted_and_goes_on(
    place: Place, break_: Break, said: str, tmp_path: Path, knowledge: Knowledge, postgres: PostgresServer
) -> None:
    copy_learned(tmp_path)
    with place(tmp_path, postgres) as engine:
        environment = {
            "BOT_DATABASE": engine.url,
            "BOT_DATA": str(tmp_path),
            "BOT_LIMITS__PERSON_PER_MINUTE": "0",
            "BOT_LIMITS__WEB_PER_SECOND": "0",
        }
        with running_bot(tmp_path, **environment) as bot:
            live_through(bot, engine, break_(bot, engine, postgres), said)
            assert bot.stop() == 0


def live_through(bot: RunningBot, engine: Engine, outage: AbstractContextManager[Again], said: str) -> None:
    """Write before, meanwhile and after; whatever was sent is there once in the end, and was answered once."""
    citizen = Citizen(bot)
    confirmed = [name for name in ("before-message-1", "before-message-2") if citizen.send(name) == 200]
    assert len(confirmed) == 2
    assert citizen.ready() == (200, {})
    refused: list[str] = []
    with ThreadPoolExecutor(UNDER_WAY) as pool:
        names = [f"under-way-message-{number}" for number in range(UNDER_WAY)]
        under_way = pool.map(citizen.send, names)
        with outage as again:
            ends = time.monotonic() + OUTAGE_SECONDS
            for name, status in zip(names, under_way, strict=True):
                (confirmed if status == 200 else refused).append(name)
            told = 0
            while not told or time.monotonic() < ends:
                again()
                names.append(f"during-message-{len(names)}")
                status = citizen.send(names[-1])
                if status == 200:  # a full disk takes what finds room in the pages that are there
                    assert again is not nothing_more
                    assert len(names) < MOST_WITHOUT_A_PAGE
                    confirmed.append(names[-1])
                    continue
                assert status in (503, 0)
                refused.append(names[-1])
                status, trouble = citizen.ready()
                assert status == 503
                assert said in " ".join(trouble.values())
                told += 1
                time.sleep(0.3)  # a browser does not hurry either
    until(lambda: citizen.send(refused[0]) == 200)
    confirmed += [name for name in refused if citizen.send(name) == 200]
    assert sorted(confirmed[2:]) == sorted(names)
    until(lambda: citizen.ready() == (200, {}))
    assert engine.rows("SELECT COUNT(*), COUNT(DISTINCT message_id) FROM inbox") == [(len(confirmed),) * 2]
    answered = [(len(confirmed),)]
    until(lambda: engine.rows("SELECT COUNT(*) FROM questions") == answered)
    assert all(citizen.send(name) == 200 for name in confirmed)
    assert engine.rows("SELECT COUNT(*) FROM questions") == answered


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + BACK_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.3)


# Stands in for the clock of the machine, which a test may not set: what a file says is added to it. Sweeps, which look
# at it, come each half second.
CLOCK = """
import datetime, pathlib
import bot.clock
_now, _by = bot.clock.now, pathlib.Path({by!r})
bot.clock.now = lambda: _now() + datetime.timedelta(seconds=float(_by.read_text()))
import bot.runtime.build
bot.runtime.build._SWEEP_PAUSE = 0.5
"""
DAY, PEOPLE = 86_400, 8


async def test_a_running_bot_whose_clock_is_set_goes_on(tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    (by := tmp_path / "by").write_text("0")
    (folder := tmp_path / "clock").mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK.format(by=str(by)))
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    store = open_store(engine.url)

    async def promise(first: int, due: timedelta) -> None:
        def work(tx: Transaction) -> None:
            for number in range(first, first + PEOPLE):
                person = add_person(tx, str(number), channel="telegram")
                appointments.add(tx, person, kind=appointments.ASKED, due_at=stamp(now() + due), at=stamp(now()))

        await store.write(work)

    def set_clock(seconds: int) -> None:
        (tmp_path / "next").write_text(str(seconds))
        os.replace(tmp_path / "next", by)

    async with running_telegram() as telegram:

        def arrived() -> Counter[str]:
            return Counter(str(call.chat) for call in telegram.delivered)

        bot = RunningBot(
            tmp_path,
            PYTHONPATH=f"{folder}{os.pathsep}{ROOT}",
            BOT_DATA=str(tmp_path),
            BOT_TELEGRAM__TOKEN=TOKEN,
            BOT_TELEGRAM__API_BASE=telegram.api_base,
            BOT_REMINDERS__QUIET_FROM="00:00",
            BOT_REMINDERS__QUIET_UNTIL="00:00",
            BOT_LIMITS__PERSON_PER_MINUTE="0",
        )
        await promise(1_000, timedelta(minutes=-1))
        await asyncio.to_thread(bot.start)
        try:
            citizen = await asyncio.to_thread(Citizen, bot)

            async def hears(said: str, people: int, message: str) -> None:
                assert await asyncio.to_thread(citizen.send, message) == 200
                await asyncio.to_thread(until, lambda: said in citizen.ready()[1].get("clock", ""))
                assert (await asyncio.to_thread(citizen.ready))[0] == 200
                await asyncio.to_thread(until, lambda: len(arrived()) == people)

            await hears("", PEOPLE, "before-message-1")
            set_clock(-DAY)
            await hears("was set back by 86", PEOPLE, "back-message-1")
            await promise(2_000, timedelta(days=-1, minutes=-1))  # what becomes due after it
            await hears("was set back by 86", 2 * PEOPLE, "back-message-2")
            set_clock(0)
            await promise(3_000, timedelta(minutes=-1))
            await hears("was set forward by 86", 3 * PEOPLE, "again-message-1")
        finally:
            await asyncio.to_thread(bot.stop)
    await store.close()
    assert set(arrived().values()) == {1}
    assert engine.rows("SELECT state, COUNT(*) FROM appointments GROUP BY state") == [("sent", 3 * PEOPLE)]
    assert engine.rows("SELECT stage, COUNT(*) FROM inbox GROUP BY stage") == [(2, 4)]


async def test_a_clock_that_is_set_back_silences_nobody(service: Service, talk: Talk, clock: FrozenClock) -> None:
    assert await talk.say("quên mật khẩu")
    await service.sweep()
    assert "clock" not in service.trouble
    clock.forward(days=-1)
    assert await talk.say("cai tren iphone")
    await service.sweep()
    assert service.trouble["clock"].startswith("The clock of this machine was set back by 86")
    assert await talk.say("/menu")
    rows = await service.store.read(lambda tx: tx.all("SELECT stage FROM inbox"))
    assert len(rows) == 3


def test_a_clock_that_was_set_is_told_for_ten_minutes() -> None:
    clock, tick = FrozenClock(), [0.0]
    watch = ClockWatch(clock, tick=lambda: tick[0])

    def look(seconds: float, by: float) -> str | None:
        clock.forward(seconds=by)
        tick[0] += seconds
        return watch.look()

    assert look(30, 30) is None
    assert look(30, 75) is None  # a little is nobody's trouble
    assert look(30, -3570) == "The clock of this machine was set back by 3600 s; see that its time is right."
    assert look(590, 590) is not None
    assert look(30, 30) is None
    assert look(30, 7230) == "The clock of this machine was set forward by 7200 s; see that its time is right."
    assert clock() > NOON
