"""Whole tables from one database to another, page by page, and what they held as one short sum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from bot.store.database import Transaction
from bot.store.introspection import TableInfo

PAGE = 2000

Record = tuple[object, ...]
# Table → how many rows it held, and the sum of what stood in them.
Sums = Mapping[str, "Sum"]


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows, and a SHA-256 over all their values in the order of the key; the same on every engine."""

    rows: int
    sha256: str


class Summing:
    """Adds up rows as they come by."""

    def __init__(self) -> None:
        self._rows, self._hash = 0, hashlib.sha256()

    def add(self, rows: Sequence[Record]) -> None:
        """Take rows in."""
        self._rows += len(rows)
        for row in rows:
            self._hash.update(orjson.dumps(row) + b"\n")

    def total(self) -> Sum:
        """Return what came by so far."""
        return Sum(self._rows, self._hash.hexdigest())


def page(tx: Transaction, table: TableInfo, *, after: Record | None = None) -> list[Record]:
    """Read the rows that follow a key, in the order of the key."""
    order = ", ".join(table.key)
    where, values = "", dict[str, object]()
    if after is not None:
        names = [f"k{number}" for number in range(len(after))]
        values = dict(zip(names, after, strict=True))
        where = f" WHERE ({order}) > ({', '.join(f':{name}' for name in names)})"
    rows = tx.all(
        f"SELECT {', '.join(table.columns)} FROM {table.name}{where} ORDER BY {order} LIMIT {PAGE}",  # noqa: S608
        **values,
    )
    return [tuple(row) for row in rows]  # type: ignore[arg-type]


def pages(tx: Transaction, table: TableInfo) -> Iterator[list[Record]]:
    """Read a whole table."""
    rows = page(tx, table)
    while rows:
        yield rows
        rows = page(tx, table, after=key_of(table, rows[-1]))


def key_of(table: TableInfo, row: Record) -> Record:
    """Return the key of a row."""
    return tuple(row[table.columns.index(column)] for column in table.key)


def put(tx: Transaction, table: TableInfo, rows: Sequence[Record]) -> None:
    """Write rows into a table."""
    names = [f"v{number}" for number in range(len(table.columns))]
    places = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({places})"  # noqa: S608
    tx.run_many(statement, [dict(zip(names, row, strict=True)) for row in rows])


def sum_up(tx: Transaction, tables: Sequence[TableInfo]) -> Sums:
    """Add up what stands in tables."""
    sums = {}
    for table in tables:
        summing = Summing()
        for rows in pages(tx, table):
            summing.add(rows)
        sums[table.name] = summing.total()
    return sums


def copy(tx: Transaction, tables: Sequence[TableInfo], into: Transaction) -> Sums:
    """Copy whole tables; returns what was copied."""
    into.begin_copy()
    sums = {}
    for table in tables:
        summing = Summing()
        for rows in pages(tx, table):
            put(into, table, rows)
            summing.add(rows)
        if table.serial:
            into.renumber(table.name, table.serial)
        sums[table.name] = summing.total()
    return sums


def clear(tx: Transaction, tables: Sequence[TableInfo]) -> None:
    """Empty tables, those that refer to others first."""
    for table in reversed(tables):
        tx.run(f"DELETE FROM {table.name}")  # noqa: S608 - names of our own tables


def differences(one: Sums, other: Sums) -> list[str]:
    """Say where two sums differ, a few words for each table."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        a, b = one.get(name), other.get(name)
        if a is None or b is None:
            found.append(f"{name}: only on one side")
        elif a.rows != b.rows:
            found.append(f"{name}: {a.rows} rows and {b.rows}")
        elif a != b:
            found.append(f"{name}: other values")
    return found
