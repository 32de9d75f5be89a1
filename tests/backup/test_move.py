"""Moving all records between engines: everything arrives, what is broken off goes on, and nothing is moved in part."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.backup.move import MoveResult, move
from bot.errors import BotError
from bot.message import Person
from bot.store import Transaction, copying, open_store, people
from bot.store.copying import Record, Sums, sum_up
from bot.store.introspection import TableInfo, tables
from tests.conftest import NOON, ROOT
from tests.support.engines import PostgresServer
from tests.support.processes import run_command
from tests.support.random_rows import fill

AT = "2026-11-23T05:00:00.000Z"
NewDatabase = Callable[[str], str]
WAYS = [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite"), ("postgresql", "postgresql")]


@pytest.fixture
def new_database(tmp_path: Path, postgres: PostgresServer) -> NewDatabase:
    """Give the address of a database that is not there yet, or has no tables."""
    numbers = iter(range(100))

    def new(engine: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"
        return postgres.empty()

    return new


async def filled(url: str, *, rows: int = 40) -> Sums:
    store = open_store(url)
    await fill(store, random.Random(7), rows=rows)
    sums = await store.read(lambda tx: sum_up(tx, tables()))
    await store.close()
    return sums


async def moved(source: str, target: str, tell: Callable[[str], None] = lambda line: None) -> MoveResult:
    return await move(source, target, at=NOON, actor="test", tell=tell)


@pytest.mark.parametrize(("one", "other"), WAYS)
async def test_everything_arrives_and_numbers_go_on(one: str, other: str, new_database: NewDatabase) -> None:
    source, target = new_database(one), new_database(other)
    sums = await filled(source)
    said: list[str] = []
    done = await moved(source, target, said.append)
    assert done.sums == sums
    assert done.rows == 40 * len(tables())
    assert [line.partition(":")[0] for line in said] == [table.name for table in tables()]
    store = open_store(target)
    there = await store.read(lambda tx: sum_up(tx, tables()))
    assert {name: total for name, total in there.items() if name not in ("audit", "audit_head")} == {
        name: total for name, total in sums.items() if name not in ("audit", "audit_head")
    }
    largest = (await store.read(lambda tx: tx.all("SELECT MAX(id) AS n FROM people")))[0]["n"]
    number = await store.write(lambda tx: people.remember(tx, Person("c", "new"), source="", at=AT))
    assert number == largest + 1
    entry = (await store.read(lambda tx: tx.all("SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1")))[0]
    assert tuple(entry)[:2] == ("test", "move")
    await store.close()


@pytest.mark.parametrize("table", ["people", "reports", "tallies", "audit"])
@pytest.mark.parametrize(("one", "other"), WAYS[:2])
async def test_broken_off_in_any_table_it_goes_on(
    one: str, other: str, table: str, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGE", 7)
    source, target = new_database(one), new_database(other)
    sums = await filled(source, rows=30)
    real, pages = copying.put, 0

    def breaking(tx: Transaction, into: TableInfo, rows: list[Record]) -> None:
        nonlocal pages
        pages += into.name == table
        if into.name == table and pages >= 3:
            raise OSError("the power is gone")
        real(tx, into, rows)

    monkeypatch.setattr("bot.backup.move.put", breaking)
    with pytest.raises(OSError, match="the power is gone"):
        await moved(source, target)
    monkeypatch.setattr("bot.backup.move.put", real)
    assert await count(target, table) == 14
    done = await moved(source, target)
    assert done.sums == sums
    assert 0 < done.before < done.rows


async def count(url: str, table: str) -> int:
    store = open_store(url)
    rows = await store.read(lambda tx: tx.all(f"SELECT COUNT(*) AS n FROM {table}"))
    await store.close()
    return int(rows[0]["n"])


def typed(source: str, target: str, data: Path) -> tuple[int, str, str]:
    done = run_command("move", "--from", source, "--to", target, data=data)
    return done.returncode, done.stdout, done.stderr


def kill_in_the_middle(source: str, target: str) -> None:
    """Move in a process of its own, and end that as a power cut would."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "bot", "move", "--from", source, "--to", target],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            if line.startswith("funnel"):
                process.send_signal(signal.SIGKILL)
                break
    assert process.wait() == -signal.SIGKILL


async def test_killed_in_the_middle_it_goes_on(new_database: NewDatabase, tmp_path: Path) -> None:
    source, target = new_database("sqlite"), new_database("postgresql")
    await filled(source, rows=800)
    kill_in_the_middle(source, target)
    status, said, wrong = typed(source, target, tmp_path)
    assert (status, wrong) == (0, "")
    assert said.splitlines()[-1].endswith("before this run; counts and sums are the same on both sides.")
    assert "people:" not in said  # was finished before
    again = typed(source, target, tmp_path)
    assert again[0] == 1
    assert again[2].startswith("The target is not empty: ")


async def test_what_runs_is_not_moved(new_database: NewDatabase) -> None:
    for one, other in WAYS[:2]:
        source, target = new_database(one), new_database(other)
        for url, side in ((source, "source"), (target, "target")):
            running = open_store(url)
            await running.read(lambda tx: tx.one("SELECT 1 AS one"))
            with pytest.raises(BotError, match=f"The bot runs on the {side}; stop every process of it first"):
                await moved(source, target)
            await running.close()
        assert (await moved(source, target)).rows == 0


async def test_half_a_move_serves_nobody_and_takes_no_other_source(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source, other, target = new_database("sqlite"), new_database("sqlite"), new_database("postgresql")
    await filled(source, rows=3)
    await filled(other, rows=3)

    def break_off(line: str) -> None:
        if line.startswith("people"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await moved(source, target, break_off)
    done = run_command("run", data=tmp_path, BOT_DATABASE=target, BOT_DATA=str(tmp_path))
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "This database holds an unfinished move; run `python -m bot move` again, it goes on.",
    )
    with pytest.raises(BotError, match="an unfinished move from another source"):
        await moved(other, target)
    with pytest.raises(BotError, match="The source is itself the target of an unfinished move"):
        await moved(target, new_database("sqlite"))
    store = open_store(source)
    await store.write(lambda tx: tx.run("UPDATE people SET steps = 77 WHERE id = (SELECT MIN(id) FROM people)"))
    await store.close()
    with pytest.raises(BotError, match=r"The target is not what the source is: people: other values; was the source"):
        await moved(source, target)


async def test_what_cannot_be_moved_is_one_sentence(new_database: NewDatabase, tmp_path: Path) -> None:
    source = new_database("sqlite")
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    assert typed(missing, source, tmp_path)[::2] == (1, f"There is no database {tmp_path / 'missing.db'}.\n")
    assert not (tmp_path / "missing.db").exists()
    assert typed(source, source, tmp_path)[0] == 2
    assert "must be sqlite:///PATH" in typed("mysql://x", source, tmp_path)[2]
    assert typed("mysql://x", source, tmp_path)[0] == 2
