"""Backups: all records in one SQLite file, whichever engine they come from, that can be opened, checked and restored.

A backup is one consistent view, taken while the bot runs. Beside the tables it holds a manifest: when, by which
version, with which migrations, and for each table how many rows and a sum over all their values. A file `….sha256`
beside it holds the sum of the file itself.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import bot
from bot import access
from bot.clock import moment, stamp
from bot.errors import BotError, SchemaTooNew, StoreUnavailable
from bot.store import Transaction, backups, open_store
from bot.store.copying import Sum, Sums, clear, copy, differences, sum_up
from bot.store.introspection import tables, tables_of
from bot.store.migrations import MIGRATIONS
from bot.store.sqlite import SqliteTransaction, prepare

MANIFEST = "manifest"
_DEFINITION = f"CREATE TABLE {MANIFEST} (fact TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT"
_FACT = f"INSERT INTO {MANIFEST} (fact, value) VALUES (:fact, :value)"  # noqa: S608 - our own name
_TABLE = "table "


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: datetime
    version: str
    schema: str
    sums: Sums

    @property
    def rows(self) -> int:
        """How many rows it holds in all."""
        return sum(total.rows for total in self.sums.values())


async def back_up(url: str, path: Path, *, at: datetime, actor: str) -> Manifest:
    """Write all records to a new file and verify it; raises BotError, and leaves no half file."""
    _refuse_existing(path)
    part = path.with_name(f"{path.name}.part")
    store = open_store(url)
    try:
        with telling(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                await store.read(lambda tx: _write(tx, part, at))
                manifest = verify(part, beside=False)
                _keep(_sum_beside(path), f"{_sum_of_file(part)}  {path.name}\n")
                os.replace(part, path)
                sync(path.parent)
            finally:
                remove(part)

        def note(tx: Transaction) -> None:
            backups.note(tx, made_at=stamp(at), file=path.name, size=path.stat().st_size)
            access.write_audit(tx, actor=actor, action="backup", detail=path.name, at=at)

        await store.write(note)
    finally:
        await store.close()
    return manifest


def verify(path: Path, *, beside: bool = True) -> Manifest:
    """Read a backup from end to end and compare it with its own sums; raises BotError when anything is wrong."""
    if not path.is_file():
        raise BotError(f"There is no file {path}.")
    if beside:
        _compare_with_sum_beside(path)
    damaged = f"The backup {path} is damaged ({{}}); take another one."
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise BotError(damaged.format(str(found).strip().splitlines()[-1].rstrip(".")))
            names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if MANIFEST not in names:
                raise BotError(f"{path} is no backup: it was not made by `python -m bot backup`.")
            applied = [row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY name")]
            if unknown := [name for name in applied if name not in MIGRATIONS]:
                raise SchemaTooNew(path, unknown)
            manifest = _read_manifest(connection)
            held = tables_of(connection, but=frozenset((MANIFEST,)))
            if differing := differences(manifest.sums, sum_up(SqliteTransaction(connection), held)):
                raise BotError(damaged.format(f"not what was written: {'; '.join(differing)}"))
    except (sqlite3.Error, KeyError, ValueError) as error:
        raise BotError(damaged.format(str(error).rstrip("."))) from None
    return manifest


@contextmanager
def written(path: Path) -> Iterator[SqliteTransaction]:
    """Write to an SQLite file in one transaction; in the end it is one file, safe on the disk."""
    with telling(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        transaction = _Writing(connection, path)
        yield transaction
        transaction.flush()
        connection.execute("COMMIT")
    sync(path)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Put what a disk refuses into one sentence."""
    try:
        yield
    except StoreUnavailable as error:
        raise BotError(f"{path} cannot be written: {str(error).rstrip('.')}.") from None
    except (OSError, sqlite3.OperationalError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BotError(f"{path} cannot be written: {reason}.") from None


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, safe on the disk."""
    number = os.open(path, os.O_RDONLY)
    with suppress(OSError):  # some file systems know no such thing for folders
        os.fsync(number)
    os.close(number)


def remove(path: Path) -> None:
    """Take away a file that was not finished, and what SQLite puts beside it."""
    for ending in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


class _Writing(SqliteTransaction):
    """A transaction on a file that is being made; what its disk refuses is told under its name, not the source's."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection)
        self._path = path

    def run_many(self, sql: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        with telling(self._path):
            super().run_many(sql, rows)


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise BotError(f"{path} exists already; name a new file for the backup.")


def _write(tx: Transaction, part: Path, at: datetime) -> None:
    remove(part)  # of a run that was broken off, or of a first try of this one
    part.touch(mode=0o600)
    prepare(part)
    with written(part) as into:
        clear(into, tables())
        sums = copy(tx, tables(), into)
        into.run(_DEFINITION)
        facts = {"made_at": stamp(at), "version": bot.__version__, "schema": list(MIGRATIONS)[-1]}
        facts |= {f"{_TABLE}{name}": f"{total.rows} {total.sha256}" for name, total in sums.items()}
        into.run_many(_FACT, [{"fact": fact, "value": value} for fact, value in facts.items()])


def _read_manifest(connection: sqlite3.Connection) -> Manifest:
    facts = dict(connection.execute(f"SELECT fact, value FROM {MANIFEST}").fetchall())  # noqa: S608 - our own name
    sums = {}
    for fact, value in facts.items():
        if fact.startswith(_TABLE):
            rows, sha256 = value.split()
            sums[fact.removeprefix(_TABLE)] = Sum(int(rows), sha256)
    return Manifest(moment(facts["made_at"]), facts["version"], facts["schema"], sums)


def _compare_with_sum_beside(path: Path) -> None:
    beside = _sum_beside(path)
    try:
        if beside.exists() and _sum_of_file(path) not in beside.read_text().split():
            raise BotError(f"The backup {path} is damaged (its sum is not the one in {beside.name}); take another one.")
    except OSError as error:
        raise BotError(f"{path} cannot be read: {error.strerror}.") from None


def _sum_beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _keep(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    sync(path)


def _sum_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
