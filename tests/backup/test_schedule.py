"""Backups that the bot makes by itself: when one is due, which are kept, and what is said when none can be made."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.backup.backup import verify
from bot.backup.schedule import FIRST_AFTER, RETRY_AFTER, BackupSchedule, forget_oldest
from bot.clock import stamp
from bot.errors import StoreError
from bot.runtime.build import Service
from bot.settings import BackupSettings, Settings
from bot.store import backups, leases, open_store
from bot.web.app import make_app
from tests.conftest import NOON, FrozenClock
from tests.support.engines import Engine


class Tick:
    """A reckoning of seconds that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def settings_for(engine: Engine, tmp_path: Path, **backup: object) -> Settings:
    return Settings(database=engine.url, data=str(tmp_path), backup=BackupSettings(**backup))  # type: ignore[arg-type]


def made(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "backups").glob("*.db"))


# Noon in Vietnam is 05:00 UTC; a backup is made at 02:30, which is 19:30 UTC of the day before.
DUE: list[tuple[timedelta | None, bool]] = [
    (None, True),
    (timedelta(hours=-1), False),
    (timedelta(hours=-9, minutes=-29), False),
    (timedelta(hours=-9, minutes=-31), True),
    (timedelta(days=-3), True),
    (timedelta(minutes=30), False),  # two machines' clocks differ
    (timedelta(days=2), True),  # made before the clock was set back
]


@pytest.mark.parametrize(("newest", "due"), DUE)
async def test_when_a_backup_is_due(
    newest: timedelta | None, due: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    store, tick, asked = open_store(engine.url), Tick(), []

    async def run(path: Path, database: str) -> str:
        asked.append(path.name)
        return ""

    monkeypatch.setattr("bot.backup.schedule._run", run)
    if newest is not None:
        await store.write(lambda tx: backups.note(tx, made_at=stamp(NOON + newest), file="x", size=1))
    schedule = BackupSchedule(store, settings_for(engine, tmp_path), clock=lambda: NOON, tick=tick)
    await schedule.advance()
    assert bool(asked) == (due and newest is not None)  # the first waits until the bot has settled
    tick.at += FIRST_AFTER
    asked.clear()
    await schedule.advance()
    assert bool(asked) == due
    await store.close()


async def test_one_a_day_and_the_newest_are_kept(engine: Engine, tmp_path: Path) -> None:
    store, clock, tick = open_store(engine.url), FrozenClock(datetime.now(NOON.tzinfo)), Tick()
    schedule = BackupSchedule(store, settings_for(engine, tmp_path, keep=2), clock=clock, tick=tick)
    tick.at += FIRST_AFTER
    folder = tmp_path / "backups"
    folder.mkdir()
    yesterday, before = (f"bot-{clock() - timedelta(hours=hours):%Y%m%d-%H%M%S}.db" for hours in (24, 30))
    for name in (yesterday, before, f"{before}.sha256", "bot-20200103-000000.db.part", "mine.db"):
        (folder / name).write_text("x")
    await schedule.advance()
    await schedule.advance()  # nothing more is due
    (name,) = [name for name in made(tmp_path) if name not in (yesterday, "mine.db")]
    assert verify(folder / name).schema
    assert sorted(path.name for path in folder.iterdir()) == sorted([yesterday, name, f"{name}.sha256", "mine.db"])
    assert engine.rows("SELECT actor, action FROM audit ORDER BY id DESC LIMIT 1") == [("schedule", "backup")]
    assert engine.rows("SELECT name FROM leases") == []
    await store.close()


async def test_of_two_processes_one_makes_it(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = [open_store(engine.url), open_store(engine.url)]
    asked: list[str] = []

    async def run(path: Path, database: str) -> str:
        asked.append(path.name)
        await asyncio.sleep(0.05)
        await stores[0].write(lambda tx: backups.note(tx, made_at=stamp(NOON), file=path.name, size=1))
        return ""

    monkeypatch.setattr("bot.backup.schedule._run", run)
    await stores[0].write(lambda tx: backups.note(tx, made_at=stamp(NOON - timedelta(days=2)), file="x", size=1))
    schedules = [BackupSchedule(store, settings_for(engine, tmp_path), clock=lambda: NOON) for store in stores]
    for _ in range(3):
        await asyncio.gather(*(schedule.advance() for schedule in schedules))
    assert len(asked) == 1
    for store in stores:
        await store.close()


# How many days apart the newest backups are as one machine hears of them, and which of its own copies (by their age in
# days when the first is heard of) it still has after each. It keeps three days.
HEARD: list[tuple[str, list[int], list[list[int]]]] = [
    ("one a day, made elsewhere", [0, 1, 1, 1], [[1, 2, 3], [1, 2], [1], []]),
    ("a pause of a month tells nothing yet", [0, 30, 1], [[1, 2, 3], [1, 2, 3], []]),
    ("a clock that was a year ahead for one backup", [0, 365, -364, 1], [[1, 2, 3], [1, 2, 3], [1, 2], [1]]),
    ("no newer one: nothing goes", [0, 0, 0], [[1, 2, 3], [1, 2, 3], [1, 2, 3]]),
]


@pytest.mark.parametrize(("about", "steps", "left"), HEARD, ids=[row[0] for row in HEARD])
async def test_every_machine_deletes_what_is_older_than_the_newest_by_the_term(
    about: str, steps: list[int], left: list[list[int]], engine: Engine, tmp_path: Path
) -> None:
    """Another machine makes them all; this one has copies of one to five days, and one that a person made."""
    clock, store = FrozenClock(), open_store(engine.url)
    schedule = BackupSchedule(store, settings_for(engine, tmp_path, keep=3), clock=clock)
    (folder := tmp_path / "backups").mkdir()
    (folder / "bot-2026-01-01.db").write_text("mine")
    names = {days: f"bot-{NOON - timedelta(days=days):%Y%m%d-%H%M%S}.db" for days in range(1, 6)}
    for name in names.values():
        (folder / name).write_text("x")
        (folder / f"{name}.sha256").write_text("x")
    for step, kept in zip(steps, left, strict=True):
        clock.forward(days=step)
        if step or schedule.newest is None:
            await store.write(lambda tx: backups.note(tx, made_at=stamp(clock()), file="elsewhere", size=1))
        await schedule.advance()
        there = sorted(f"{names[days]}{ending}" for days in kept for ending in ("", ".sha256"))
        assert sorted(path.name for path in folder.iterdir()) == sorted(["bot-2026-01-01.db", *there])
    await store.close()


async def test_what_a_disk_refuses_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    store, tick, clock = open_store(engine.url), Tick(), FrozenClock()
    schedule = BackupSchedule(store, settings_for(engine, tmp_path, keep=1), clock=clock, tick=tick)
    (folder := tmp_path / "backups").mkdir()
    (old := folder / "bot-20260101-023000.db").write_text("x")
    (part := folder / "bot-20260102-023000.db.part").write_text("x")
    tick.at += FIRST_AFTER
    unlink = Path.unlink

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(StoreError, match=r"^No backup could be made: .*\.part: Read-only file system\.$"):
        await schedule.advance()
    monkeypatch.setattr(Path, "unlink", unlink)
    part.unlink()
    monkeypatch.setattr(Path, "unlink", refused)
    tick.at += RETRY_AFTER
    await store.write(lambda tx: backups.note(tx, made_at=stamp(NOON), file="elsewhere", size=1))
    for _ in range(2):
        with pytest.raises(StoreError, match=r"^An old backup cannot be deleted: .*\.db: Read-only file system\.$"):
            await schedule.advance()
    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(StoreError, match=r"^No backup could be made"):  # until one is made
        await schedule.advance()
    assert not old.exists()
    await store.close()


async def test_what_fails_is_told_until_it_succeeds(engine: Engine, tmp_path: Path) -> None:
    store, tick = open_store(engine.url), Tick()
    (blocked := tmp_path / "blocked").write_text("a file where the folder should be")
    settings = settings_for(engine, tmp_path, folder=str(blocked))
    schedule = BackupSchedule(store, settings, clock=lambda: NOON, tick=tick)
    tick.at += FIRST_AFTER
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"^No backup could be made: .*blocked/bot-20261123-050000.db cannot be written"
        ):
            await schedule.advance()
    tick.at += RETRY_AFTER
    blocked.unlink()
    await schedule.advance()
    assert [path.suffix for path in sorted(blocked.iterdir())] == [".db", ".sha256"]
    await store.close()


async def test_zero_means_none(engine: Engine, tmp_path: Path) -> None:
    store, tick = open_store(engine.url), Tick()
    schedule = BackupSchedule(store, settings_for(engine, tmp_path, keep=0), clock=lambda: NOON, tick=tick)
    tick.at += FIRST_AFTER
    await schedule.advance()
    assert made(tmp_path) == []
    await store.close()


def test_a_backup_of_a_clock_that_was_set_back_is_not_the_first_to_go(tmp_path: Path) -> None:
    for name in ("bot-20261201-023000.db", "bot-20261202-023000.db", (new := "bot-20260101-023000.db")):
        (tmp_path / name).write_text("x")
    assert forget_oldest(tmp_path, keep=2, but=tmp_path / new) == ["bot-20261201-023000.db"]
    assert sorted(os.listdir(tmp_path)) == [new, "bot-20261202-023000.db"]


async def test_ready_tells_its_age_and_serves_without_one(service: Service, clock: FrozenClock) -> None:
    async with TestClient(TestServer(make_app(service))) as client:
        assert (await (await client.get("/readyz")).json())["backup_age_hours"] is None
        await service.store.write(lambda tx: backups.note(tx, made_at=stamp(NOON), file="x", size=1))
        await service.backups.advance()
        clock.forward(hours=3)
        service.trouble.report("backup", "No backup could be made: the disk is full.")
        answer = await client.get("/readyz")
        said = json.loads(await answer.text())
        assert (answer.status, said["ready"], said["backup_age_hours"]) == (200, True, 3.0)
        assert said["trouble"]["backup"].startswith("No backup could be made")
        assert "bot_backup_age_seconds 10800.0" in await (await client.get("/metrics")).text()


async def test_a_lease_from_before_the_clock_was_set_back_has_run_out(engine: Engine) -> None:
    store = open_store(engine.url)
    later, skewed = stamp(NOON + timedelta(days=1)), stamp(NOON + timedelta(seconds=50))
    at, until, absurd = (stamp(NOON + timedelta(seconds=seconds)) for seconds in (0, 30, 60))

    async def take(name: str, until_: str, holder: str) -> bool:
        return await store.write(lambda tx: leases.take(tx, name, holder=holder, at=at, until=until_, absurd=absurd))

    assert await take("a", later, "one")
    assert await take("b", skewed, "one")
    assert await take("a", until, "two")
    assert not await take("b", until, "two")
    await store.close()
