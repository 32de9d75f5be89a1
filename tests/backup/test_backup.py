"""Backups and restoring: whole or not at all, damage is seen, and a drill with a bot that is killed under load."""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import json
import random
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event

import pytest

from bot import access
from bot.backup.backup import Manifest, back_up, verify
from bot.backup.restore import restore
from bot.errors import BotError, SchemaTooNew
from bot.library.knowledge import Knowledge
from bot.message import Person
from bot.store import Store, broadcasts, credentials, open_store, people, tallies
from bot.store.copying import Sums, sum_up
from bot.store.introspection import tables
from bot.store.migrations import MIGRATIONS
from tests.conftest import NOON, copy_learned
from tests.support.engines import Engine
from tests.support.processes import RunningBot, run_command, running_bot
from tests.support.random_rows import fill

AT = "2026-11-23T05:00:00.000Z"
# What the commands themselves write down.
_NOTED = frozenset(("audit", "audit_head", "backups"))


async def filled(engine: Engine, *, rows: int = 30) -> Sums:
    store = open_store(engine.url)
    await fill(store, random.Random(3), rows=rows)
    sums = await sums_of(store)
    await store.close()
    return sums


async def sums_of(store: Store) -> Sums:
    sums = await store.read(lambda tx: sum_up(tx, tables()))
    return {name: total for name, total in sums.items() if name not in _NOTED}


async def sums_at(url: str) -> Sums:
    store = open_store(url)
    sums = await sums_of(store)
    await store.close()
    return sums


async def backed_up(engine: Engine, path: Path) -> Manifest:
    return await back_up(engine.url, path, at=NOON, actor="test")


async def restored(engine: Engine, path: Path, tmp_path: Path) -> Path | None:
    return (await restore(engine.url, path, at=NOON, data=tmp_path, actor="test"))[1]


def but_noted(manifest: Manifest) -> Sums:
    return {name: total for name, total in manifest.sums.items() if name not in _NOTED}


async def add_person(url: str, name: str) -> int:
    store = open_store(url)
    number = await store.write(lambda tx: people.remember(tx, Person("c", name), source="", at=AT))
    await store.close()
    return number


async def test_a_backup_holds_everything_and_restoring_keeps_what_was_there(engine: Engine, tmp_path: Path) -> None:
    sums, path = await filled(engine), tmp_path / "new folder" / "backup.db"
    manifest = await backed_up(engine, path)
    assert but_noted(manifest) == sums
    assert (manifest.schema, manifest.made_at) == (list(MIGRATIONS)[-1], NOON)
    assert verify(path) == manifest
    assert sorted(item.name for item in path.parent.iterdir()) == ["backup.db", "backup.db.sha256"]
    assert path.stat().st_mode & 0o077 == 0
    assert engine.rows("SELECT file, bytes FROM backups ORDER BY id DESC LIMIT 1") == [
        ("backup.db", path.stat().st_size)
    ]

    await add_person(engine.url, "later")
    kept = await restored(engine, path, tmp_path)
    assert await sums_at(engine.url) == sums
    assert engine.rows("SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1") == [("test", "restore", AT)]
    assert kept is not None
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT COUNT(*) FROM people WHERE address = 'later'").fetchone() == (1,)
    assert [item.name for item in tmp_path.rglob("*restoring*")] == []
    # the numbers go on behind the largest that was restored
    largest = engine.rows("SELECT MAX(id) FROM people")[0][0]
    assert await add_person(engine.url, "new") == largest + 1


async def test_a_backup_of_one_engine_is_restored_on_the_other(
    engine: Engine, tmp_path: Path, postgres: object
) -> None:
    from tests.support.engines import PostgresServer

    assert isinstance(postgres, PostgresServer)
    sums, path = await filled(engine), tmp_path / "backup.db"
    await backed_up(engine, path)
    there = f"sqlite:///{tmp_path / 'other.db'}" if engine.name == "postgresql" else postgres.empty()
    await restore(there, path, at=NOON, data=tmp_path, actor="test")
    assert await sums_at(there) == sums


async def test_an_empty_database_too(engine: Engine, tmp_path: Path) -> None:
    await backed_up(engine, path := tmp_path / "backup.db")
    assert verify(path).rows == 0


async def test_an_existing_file_is_not_overwritten(engine: Engine, tmp_path: Path) -> None:
    (path := tmp_path / "backup.db").write_text("precious")
    with pytest.raises(BotError, match="exists already; name a new file"):
        await backed_up(engine, path)
    assert path.read_text() == "precious"


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5000])


def lose_a_row(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DELETE FROM reports WHERE person_id = (SELECT MIN(person_id) FROM reports)")


def change_a_value(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE reports SET district = 'x' WHERE person_id = (SELECT MIN(person_id) FROM reports)")


def lose_a_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("DROP TABLE consents")


def make_newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('bot', 'm999_later')")


def be_something_else(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")


def be_no_database(path: Path) -> None:
    path.write_text("no database at all, but a text that is long enough " * 20)


# What happened to the file, whether its sum was lost too, what the operator reads.
DAMAGES: list[tuple[Callable[[Path], None], bool, str]] = [
    (lambda path: flip(path, 20_000), False, "is damaged (its sum is not the one in backup.db.sha256)"),
    (cut, False, "is damaged (its sum is not the one in backup.db.sha256)"),
    (cut, True, "is damaged ("),
    (lose_a_row, True, "is damaged (not what was written: reports: 30 rows and 29)"),
    (change_a_value, True, "is damaged (not what was written: reports: other values)"),
    (lose_a_table, True, "is damaged (not what was written: consents: only on one side)"),
    (make_newer, True, "was written by a newer version of the bot (unknown migrations: m999_later)"),
    (be_something_else, True, "is no backup: it was not made by `python -m bot backup`"),
    (be_no_database, True, "is damaged (file is not a database)"),
    (lambda path: path.unlink(), True, "There is no file"),
]


@pytest.mark.parametrize(("damage", "without_sum", "expected"), DAMAGES)
async def test_what_is_not_whole_is_refused_and_nothing_changes(
    engine: Engine, tmp_path: Path, damage: Callable[[Path], None], without_sum: bool, expected: str
) -> None:
    await filled(engine)
    path = tmp_path / "backups" / "backup.db"
    await backed_up(engine, path)
    await add_person(engine.url, "later")
    before = await sums_at(engine.url)
    damage(path)
    if without_sum:
        path.with_name("backup.db.sha256").unlink()
    with pytest.raises(BotError) as caught:
        await restored(engine, path, tmp_path)
    assert expected in str(caught.value)
    assert isinstance(caught.value, SchemaTooNew) == (damage is make_newer)
    assert await sums_at(engine.url) == before
    assert engine.rows("SELECT COUNT(*) FROM audit WHERE action = 'restore'") == [(0,)]
    assert list(tmp_path.glob("*before-restore*")) == []


async def test_nothing_is_restored_under_a_running_bot(engine: Engine, tmp_path: Path) -> None:
    await filled(engine)
    await backed_up(engine, path := tmp_path / "backup.db")
    running = open_store(engine.url)
    await running.read(lambda tx: tx.one("SELECT 1 AS one"))
    with pytest.raises(BotError, match="The bot runs on this database; stop every process of it first, then restore"):
        await restored(engine, path, tmp_path)
    await running.close()
    await restored(engine, path, tmp_path)


async def test_a_damaged_database_is_replaced_and_kept(tmp_path: Path) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    sums = await filled(engine)
    await backed_up(engine, path := tmp_path / "backup.db")
    cut(tmp_path / "bot.db")
    damaged = (tmp_path / "bot.db").read_bytes()
    kept = await restored(engine, path, tmp_path)
    assert await sums_at(engine.url) == sums
    assert kept is not None
    assert kept.read_bytes() == damaged


async def test_keys_that_were_renewed_since_stay(engine: Engine, tmp_path: Path) -> None:
    store = open_store(engine.url)

    async def keep(name: str, access_key: str, at: str) -> None:
        await store.write(
            lambda tx: credentials.keep(
                tx, name, access=access_key, refresh=f"r-{access_key}", seed="s", obtained_at=at, expires_at=at
            )
        )

    await keep("zalo", "old", AT)
    await keep("other", "same", AT)
    await backed_up(engine, path := tmp_path / "backup.db")
    await keep("zalo", "new", AT.replace("T05", "T06"))
    await store.close()
    await restored(engine, path, tmp_path)
    assert engine.rows("SELECT name, access, refresh FROM credentials ORDER BY name") == [
        ("other", "same", "r-same"),
        ("zalo", "new", "r-new"),
    ]


async def test_messages_to_many_wait_for_an_officer(engine: Engine, tmp_path: Path) -> None:
    """Who got one after the backup would get it again."""
    store = open_store(engine.url)
    for state in ("draft", "scheduled", "running", "done"):
        number = await store.write(lambda tx: broadcasts.add(tx, made_by="test", audience="{}", at=AT))
        assert await store.write(
            lambda tx, number=number, state=state: broadcasts.change(tx, number, states=("draft",), at=AT, state=state)
        )
    await store.close()
    await backed_up(engine, path := tmp_path / "backup.db")
    await restored(engine, path, tmp_path)
    assert engine.rows("SELECT state FROM broadcasts ORDER BY id") == [("draft",), ("paused",), ("paused",), ("done",)]


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    asyncio.run(filled(engine, rows=2000))
    done = run_command("backup", str(tmp_path / "out" / "backup.db"), data=tmp_path, largest_file=900_000)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path / 'out' / 'backup.db'}")
    assert "cannot be written" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_the_commands_say_what_they_did(tmp_path: Path) -> None:
    migrated = run_command("migrate", data=tmp_path)
    assert sorted(migrated.stdout.splitlines()) == [f"applied {name}" for name in sorted(MIGRATIONS)]
    assert run_command("migrate", data=tmp_path).stdout == "Nothing to do: the tables are up to date.\n"
    path = tmp_path / "backup.db"
    made = run_command("backup", str(path), data=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.startswith(f"{path}: 0 rows of {len(tables())} tables, schema {list(MIGRATIONS)[-1]}, verified.")
    assert "whole, 0 rows" in run_command("restore", "--check", str(path), data=tmp_path).stdout
    put_back = run_command("restore", str(path), data=tmp_path)
    assert put_back.returncode == 0
    assert f"What was there before is kept in {tmp_path / 'bot.db.before-restore-'}" in put_back.stdout
    elsewhere = run_command("restore", str(path), data=tmp_path / "elsewhere")
    assert elsewhere.stdout.splitlines()[1] == "There were no records before."


class Load:
    """Citizens in the web chat who write at random until the bot is gone, and remember what was confirmed."""

    def __init__(self, bot: RunningBot) -> None:
        self._bot, self._stop = bot, Event()
        self.confirmed: list[str] = []
        self.sent: list[str] = []
        self._pool = ThreadPoolExecutor(3)
        self._citizens = [self._pool.submit(self._write, number) for number in range(3)]

    def reach(self, confirmed: int) -> None:
        """Wait until so many messages are confirmed."""
        while len(self.confirmed) < confirmed:
            for citizen in self._citizens:
                assert not citizen.done(), citizen.result()
            self._stop.wait(0.01)

    def end(self) -> None:
        """Let them go; whatever they were told last counts."""
        self._stop.set()
        for citizen in self._citizens:
            citizen.result()
        self._pool.shutdown()

    def _write(self, number: int) -> None:
        draw = random.Random(number)
        texts = ("/start", "quên mật khẩu", "/baocai", "vinh tuong", "cai tren iphone", "/menu", "bsbskdj")
        cookie = ""
        for count in range(10_000):
            if self._stop.is_set():
                return
            if not cookie or draw.random() < 0.2:
                with closing(HTTPConnection("127.0.0.1", self._bot.port, timeout=20)) as connection:
                    try:
                        connection.request("GET", "/")
                        cookie = connection.getresponse().getheader("Set-Cookie", "").partition(";")[0]
                    except (OSError, http.client.HTTPException):
                        return
            body = {"id": f"message-{number}-{count:05}", "text": draw.choice(texts)}
            if draw.random() < 0.2:
                body = {"id": body["id"], "choice": "report:agree"}
            session = cookie.partition("=")[2].partition(".")[0]
            name = hashlib.sha256(f"{session} {body['id']}".encode()).hexdigest()[:40]  # as it is stored
            self.sent.append(name)
            with closing(HTTPConnection("127.0.0.1", self._bot.port, timeout=20)) as connection:
                try:
                    connection.request(
                        "POST", "/api/chat", json.dumps(body), {"Content-Type": "application/json", "Cookie": cookie}
                    )
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    return
            assert answer.status == 200
            self.confirmed.append(name)


def test_the_drill(engine: Engine, tmp_path: Path, knowledge: Knowledge) -> None:
    """Random load, a backup under it, more load, kill -9, restore: exactly what the backup held, and it goes on."""
    copy_learned(tmp_path)
    path = tmp_path / "backup.db"
    with running_bot(
        tmp_path,
        BOT_DATABASE=engine.url,
        BOT_DATA=str(tmp_path),
        BOT_LIMITS__PERSON_PER_MINUTE="0",
        BOT_LIMITS__WEB_PER_SECOND="0",
        BOT_LIMITS__NEW_SESSIONS_PER_MINUTE="0",
    ) as bot:
        load = Load(bot)
        load.reach(60)
        safe = list(load.confirmed)
        bot.command("backup", str(path))
        after = len(load.sent)
        load.reach(len(load.confirmed) + 60)
        bot.kill()
        load.end()
        later = set(load.sent[after + 3 :])  # three may have been on their way
        assert later
        assert set(load.confirmed) <= {name for (name,) in engine.rows("SELECT message_id FROM inbox")}
        manifest = verify(path)
        assert f"Restored {manifest.rows} rows" in bot.command("restore", str(path))
        assert asyncio.run(sums_at(engine.url)) == but_noted(manifest)
        restored_now = {name for (name,) in engine.rows("SELECT message_id FROM inbox")}
        assert set(safe) <= restored_now
        assert not later & restored_now
        assert set(load.confirmed) <= messages_kept(engine, tmp_path)
        asyncio.run(agree(engine.url))
        bot.start()
        again = Load(bot)
        again.reach(10)
        again.end()


def messages_kept(engine: Engine, tmp_path: Path) -> set[str]:
    """Return the messages in what was kept beside."""
    pattern = "bot.db.before-restore-*" if engine.name == "sqlite" else "before-restore-*.db"
    (kept,) = tmp_path.glob(pattern)
    with closing(sqlite3.connect(kept)) as before:
        return {name for (name,) in before.execute("SELECT message_id FROM inbox").fetchall()}


async def agree(url: str) -> None:
    """Check that the counts and the audit of a database are right in themselves."""
    store = open_store(url)
    assert await store.read(tallies.disagreements) == []
    assert await access.check_audit(store) is None
    await store.close()
