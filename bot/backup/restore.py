"""Restoring: the records of a backup in the place of those in a database, which are kept beside."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import NamedTuple

from bot import access
from bot.backup.backup import MANIFEST, Manifest, back_up, remove, sync, telling, verify, written
from bot.backup.revocations import Again, read, take_back_again
from bot.clock import stamp
from bot.errors import BotError, StoreError
from bot.store import Transaction, appointments, broadcasts, in_use, open_store, revocations
from bot.store.copying import Record, clear, copy, differences, page, put, sum_up
from bot.store.introspection import TableInfo, tables
from bot.store.revocations import Revocation
from bot.store.sqlite import SqliteTransaction, prepare


class Restored(NamedTuple):
    """What was restored, where that which was there before is kept, and what people took back that was in it again."""

    manifest: Manifest
    kept: Path | None
    again: Again


async def restore(url: str, path: Path, *, at: datetime, data: Path, actor: str, zone: tzinfo = UTC) -> Restored:
    """Put the records of a backup in the place of those in a database, without what people took back since.

    Keys that a platform renewed since stay the newer ones, what would be sent to many is paused, and what was promised
    to one person for a moment that is over counts as missed. Raises BotError when the file is damaged or newer than
    this program, or while anything runs on the database; then nothing has changed.
    """
    manifest = verify(path)
    kept_name = f"before-restore-{at:%Y%m%d-%H%M%S}"
    _refuse_while_open(url)
    beside = read(data)

    def settle(tx: Transaction, newer: Newer) -> Again:
        _keep_renewed(tx, newer.keys)
        # What was sent after the backup would be sent again: only an officer, or the citizen, can tell.
        broadcasts.pause_all(tx, at=stamp(at))
        appointments.miss_due(tx, at=stamp(at))
        again = take_back_again(tx, (*beside, *newer.revocations), zone=zone)
        access.write_audit(tx, actor=actor, action="restore", detail=stamp(manifest.made_at), at=at)
        return again

    kept: Path | None
    if url.startswith("sqlite:///"):
        live = Path(url.removeprefix("sqlite:///"))
        with telling(live):
            kept, again = _replace_file(live, path, live.with_name(f"{live.name}.{kept_name}"), settle)
    else:
        kept = data / f"{kept_name}.db"
        await back_up(url, kept, at=at, actor=actor)
        again = await _replace_records(url, path, data / f"{kept_name}.restoring", settle)
    return Restored(manifest, kept, again)


class Newer(NamedTuple):
    """What the records that are replaced know better than the backup."""

    keys: Sequence[Record] = ()
    revocations: Sequence[Revocation] = ()


Settle = Callable[[Transaction, Newer], Again]


def _refuse_while_open(url: str) -> None:
    if in_use(url):
        raise BotError("The bot runs on this database; stop every process of it first, then restore.")


def _replace_file(live: Path, path: Path, kept: Path, settle: Settle) -> tuple[Path | None, Again]:
    """Put a backup in the place of an SQLite file, which stays beside under another name."""
    fresh = live.with_name(f"{live.name}.restoring")
    live.parent.mkdir(parents=True, exist_ok=True)
    try:
        _make_current(path, fresh)
        newer = _newer_in(live)
        with written(fresh) as into:
            again = settle(into, newer)
        _refuse_while_open(f"sqlite:///{live}")  # once more: making the file may have taken minutes
        if not live.exists():
            os.replace(fresh, live)
            sync(live.parent)
            return None, again
        for ending in ("", "-wal", "-shm"):
            old = live.with_name(live.name + ending)
            if old.exists():
                os.link(old, kept.with_name(kept.name + ending))
        for ending in ("-wal", "-shm"):  # they belong to the old file; it is whole with them under its new name
            live.with_name(live.name + ending).unlink(missing_ok=True)
        os.replace(fresh, live)
        sync(live.parent)
    finally:
        remove(fresh)
    return kept, again


async def _replace_records(url: str, path: Path, current: Path, settle: Settle) -> Again:
    """Put the records of a backup in the place of those in a database server, in one transaction."""
    try:
        with telling(current):
            _make_current(path, current)
        with closing(sqlite3.connect(current, check_same_thread=False)) as connection:
            connection.row_factory = sqlite3.Row
            source = SqliteTransaction(connection)

            def work(tx: Transaction) -> Again:
                tx.begin_copy()
                newer = Newer(page(tx, _keys()), revocations.since(tx, ""))
                clear(tx, tables())
                copied = copy(source, tables(), tx)
                if differing := differences(copied, sum_up(tx, tables())):
                    raise StoreError(f"What was restored is not what the backup holds: {'; '.join(differing)}.")
                return settle(tx, newer)

            store = open_store(url)
            try:
                return await store.write(work)
            finally:
                await store.close()
    finally:
        remove(current)


def _make_current(path: Path, fresh: Path) -> None:
    """Copy a backup to a database of this version."""
    remove(fresh)
    fresh.touch(mode=0o600)
    shutil.copyfile(path, fresh)
    with written(fresh) as into:
        into.run(f"DROP TABLE {MANIFEST}")
    prepare(fresh)


def _keys() -> TableInfo:
    return next(table for table in tables() if table.name == "credentials")


def _newer_in(live: Path) -> Newer:
    """Read keys and revocations of a file as far as it can be read."""
    keys: Sequence[Record] = ()
    taken_back: Sequence[Revocation] = ()
    if live.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(live)) as connection:
            connection.row_factory = sqlite3.Row
            tx = SqliteTransaction(connection)
            keys = page(tx, _keys())
            taken_back = revocations.since(tx, "")
    return Newer(keys, taken_back)


def _keep_renewed(tx: Transaction, before: Sequence[Record]) -> None:
    """Keep the keys that were renewed after the backup: renewing used up those that it holds."""
    table = _keys()
    name, obtained = (table.columns.index(column) for column in ("name", "obtained_at"))
    restored = {row[name]: str(row[obtained]) for row in page(tx, table)}
    newer = [row for row in before if str(row[obtained]) > restored.get(row[name], "")]
    for row in newer:
        tx.run("DELETE FROM credentials WHERE name = :name", name=row[name])
    put(tx, table, newer)
