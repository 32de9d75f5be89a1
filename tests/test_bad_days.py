"""Bad days of a real bot: the disk takes nothing, the database is held, read-only or gone, the clock is set back.

OUTAGE_SECONDS says how long each lasts; 60 was tried by hand.
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.knowledge import INDEX_FILE, Knowledge
from bot.service import ClockWatch, Service
from tests.conftest import CACHE, NOON, FrozenClock, Talk
from tests.engines import Engine, PostgresServer
from tests.running import RunningBot, running_bot

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "3"))
BACK_SECONDS = 45.0  # what works by itself looks every 30 s

Break = Callable[[RunningBot, Engine], AbstractContextManager[None]]


@contextmanager
def disk_takes_nothing(bot: RunningBot, _: Engine) -> Iterator[None]:
    """Every write to a file fails, as on a full or a read-only disk."""
    before = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def file_is_held(_: RunningBot, engine: Engine) -> Iterator[None]:
    """Another program writes and does not come to an end."""
    path = engine.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def database_is_read_only(_: RunningBot, engine: Engine) -> Iterator[None]:
    with administered(engine) as (other, name):
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        cut_off(other, name)
        yield
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off".encode())
        cut_off(other, name)


@contextmanager
def database_is_gone(_: RunningBot, engine: Engine) -> Iterator[None]:
    with administered(engine) as (other, name):
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        cut_off(other, name)
        yield
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())


@contextmanager
def administered(engine: Engine) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """Give a connection beside the database, and its name."""
    name = engine.url.partition("@/")[2].partition("?")[0]
    with closing(psycopg.connect(engine.url.replace(f"/{name}?", "/postgres?"), autocommit=True)) as other:
        yield other, name


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
        body = json.dumps({"id": name, "text": "quên mật khẩu"})
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


DAYS: list[tuple[str, Break, str]] = [
    ("sqlite", disk_takes_nothing, "takes no more"),
    ("sqlite", file_is_held, "is locked by another program"),
    ("postgresql", database_is_read_only, "is read-only"),
    ("postgresql", database_is_gone, "cannot be reached"),
]


@pytest.mark.parametrize(("kind", "break_", "said"), DAYS, ids=[day[1].__name__ for day in DAYS])
def test_it_says_so_keeps_what_it_accepted_and_goes_on(
    kind: str, break_: Break, said: str, tmp_path: Path, knowledge: Knowledge, postgres: PostgresServer
) -> None:
    engine = Engine(kind, f"sqlite:///{tmp_path / 'bot.db'}" if kind == "sqlite" else postgres.fresh())
    shutil.copy(CACHE / INDEX_FILE, tmp_path / INDEX_FILE)
    environment = {
        "BOT_DATABASE": engine.url,
        "BOT_DATA": str(tmp_path),
        "BOT_LIMITS__PERSON_PER_MINUTE": "0",
        "BOT_LIMITS__WEB_PER_SECOND": "0",
    }
    with running_bot(tmp_path, **environment) as bot:
        citizen = Citizen(bot)
        confirmed = [name for name in ("before-message-1", "before-message-2") if citizen.send(name) == 200]
        assert len(confirmed) == 2
        assert citizen.ready() == (200, {})
        with break_(bot, engine):
            ends = time.monotonic() + OUTAGE_SECONDS
            refused = []
            while not refused or time.monotonic() < ends:
                refused.append(f"during-message-{len(refused)}")
                assert citizen.send(refused[-1]) in (503, 0)
                status, trouble = citizen.ready()
                assert status == 503
                assert said in " ".join(trouble.values())
                time.sleep(0.3)  # a browser does not hurry either
        until(lambda: citizen.send(refused[0]) == 200)
        confirmed += [name for name in refused if citizen.send(name) == 200]
        assert len(confirmed) == 2 + len(refused)
        until(lambda: citizen.ready() == (200, {}))
        assert engine.rows("SELECT COUNT(*), COUNT(DISTINCT message_id) FROM inbox") == [(len(confirmed),) * 2]
        asked = engine.rows("SELECT COUNT(*) FROM questions")
        assert all(citizen.send(name) == 200 for name in confirmed)
        assert engine.rows("SELECT COUNT(*) FROM questions") == asked
        assert bot.stop() == 0


def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + BACK_SECONDS
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.3)


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
