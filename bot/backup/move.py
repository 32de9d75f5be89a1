"""Moving all records from one database to another, of the same or the other engine; broken off, it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import orjson

from bot import access
from bot.backup.revocations import read, take_back_again
from bot.errors import BotError
from bot.store import Row, Store, Transaction, in_use, moves, open_store
from bot.store.copying import Record, Sums, differences, key_of, page, put, sum_up
from bot.store.introspection import TableInfo, tables


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What a move did: the sums of all tables, the same on both sides, and how many rows were there before it began."""

    sums: Sums
    rows: int
    before: int


async def move(
    source_url: str,
    target_url: str,
    *,
    at: datetime,
    actor: str,
    tell: Callable[[str], None],
    data: Path | None = None,
    zone: tzinfo = UTC,
) -> MoveResult:
    """Copy every table and compare both sides; `tell` hears of each table. Raises BotError, StoreError.

    What people took back, as the file in the folder `data` knows, is taken back on the target too.

    Refuses while a bot runs on either side, and a target that holds anything but an unfinished move from the same
    source.
    """
    for url, side in ((source_url, "source"), (target_url, "target")):
        if in_use(url):
            raise BotError(f"The bot runs on the {side}; stop every process of it first, then move.")
    source = open_store(source_url)
    try:
        target = open_store(target_url)
        try:
            moved = await _move(source, target, tell)

            def settle(tx: Transaction) -> None:
                take_back_again(tx, read(data) if data else (), zone=zone)
                access.write_audit(tx, actor=actor, action="move", detail=source.name, at=at)

            await target.write(settle)
        finally:
            await target.close()
    finally:
        await source.close()
    return moved


async def refuse_unfinished(store: Store) -> None:
    """Raise BotError when a database holds half a move."""
    if await store.read(moves.progress):
        raise BotError("This database holds an unfinished move; run `python -m bot move` again, it goes on.")


async def _move(source: Store, target: Store, tell: Callable[[str], None]) -> MoveResult:
    if await source.read(moves.progress):
        raise BotError("The source is itself the target of an unfinished move; finish that one first.")
    before = await target.read(moves.progress)
    if any(row["source"] != source.name for row in before.values()):
        raise BotError("The target holds an unfinished move from another source; make a new database for this one.")
    rows = await target.read(lambda tx: {table.name: _count(tx, table) for table in tables()})
    already = sum(rows.values())
    if already and not before:
        held = ", ".join(f"{name} ({count})" for name, count in rows.items() if count)
        raise BotError(f"The target is not empty: {held}; make a new database, nothing was changed.")
    for table in tables():
        if not (known := before.get(table.name)) or not known["finished"]:
            count = await _copy(table, source, target, known)
            tell(f"{table.name}: {count} rows")
    sums = await source.read(lambda tx: sum_up(tx, tables()))
    there = await target.read(lambda tx: sum_up(tx, tables()))
    if differing := differences(sums, there):
        raise BotError(
            f"The target is not what the source is: {'; '.join(differing)}; was the source changed meanwhile? "
            "Make a new database and move again."
        )
    await target.write(moves.end)
    return MoveResult(sums, sum(total.rows for total in sums.values()), already)


async def _copy(table: TableInfo, source: Store, target: Store, known: Row | None) -> int:
    after: Record | None = None
    if known and known["last_key"]:
        after = tuple(orjson.loads(known["last_key"]))
    count = 0
    while True:
        rows = await source.read(lambda tx, after=after: page(tx, table, after=after))  # type: ignore[misc]
        if rows:
            after = key_of(table, rows[-1])
        last_key = orjson.dumps(after).decode() if after is not None else ""

        def work(tx: Transaction, rows: list[Record] = rows, last_key: str = last_key) -> None:
            # Rows and the note of them are one transaction: broken off anywhere, no row is missed or copied twice.
            put(tx, table, rows)
            if not rows and table.serial:
                tx.renumber(table.name, table.serial)
            moves.note(tx, table.name, source=source.name, last_key=last_key, finished=not rows)

        await target.write(work)
        if not rows:
            return count
        count += len(rows)


def _count(tx: Transaction, table: TableInfo) -> int:
    row = tx.one(f"SELECT COUNT(*) AS n FROM {table.name}")  # noqa: S608 - names of our own tables
    return int(row["n"]) if row else 0
