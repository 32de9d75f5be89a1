"""Random rows in every table that the schema has, whatever it is: nothing of it may get lost on the way."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing

from bot.store import Store, Transaction
from bot.store.copying import put
from bot.store.introspection import TableInfo, tables
from bot.store.migrations import MIGRATIONS
from bot.store.sqlite import sqlite_definition

_WORDS = (
    "",
    "Vĩnh Tường",
    "sổ sức khoẻ",
    "it's 5 % ':x'",
    'say "no"',
    "hai\ndòng",
    "🙂",
    "\\",
    "a\tb",
    "NULL",
    "đ" * 300,
)


async def fill(store: Store, draw: random.Random, *, rows: int) -> None:
    """Write random rows into every table of an empty database."""
    columns, parents = _described()

    def work(tx: Transaction) -> None:
        known: dict[str, list[object]] = {}
        for table in tables():
            made = [
                _row(draw, table, columns[table.name], parents[table.name], known, number) for number in range(rows)
            ]
            if table.serial:  # gaps, as deleted rows leave them
                at = table.columns.index(table.serial)
                numbers = sorted(draw.sample(range(1, 40 * rows), rows))
                made = [(*row[:at], number, *row[at + 1 :]) for row, number in zip(made, numbers, strict=True)]
            put(tx, table, made)
            if table.serial:
                tx.renumber(table.name, table.serial)
            known[table.name] = [row[table.columns.index(table.key[0])] for row in made]

    await store.write(work)


def _described() -> tuple[dict[str, list[tuple[str, bool]]], dict[str, dict[str, str]]]:
    """Return the type and whether it may be null of each column, and which table a column refers to."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statements in MIGRATIONS.values():
            for statement in statements:
                connection.execute(sqlite_definition(statement))
        columns, parents = {}, {}
        for table in tables():
            info = connection.execute(f"PRAGMA table_info({table.name})").fetchall()
            columns[table.name] = [(row[2], not row[3] and not row[5]) for row in info]
            keys = connection.execute(f"PRAGMA foreign_key_list({table.name})").fetchall()
            parents[table.name] = {row[3]: row[2] for row in keys}
        return columns, parents


def _row(
    draw: random.Random,
    table: TableInfo,
    columns: list[tuple[str, bool]],
    parents: dict[str, str],
    known: dict[str, list[object]],
    number: int,
) -> tuple[object, ...]:
    values: list[object] = []
    for name, (kind, may_be_null) in zip(table.columns, columns, strict=True):
        value: object
        if name in parents:
            value = known[parents[name]][number]  # each once, for where the parent is the key
        elif may_be_null and draw.random() < 0.3:
            value = None
        elif kind == "INTEGER":
            value = draw.choice((0, 1, -1, 2**40, -(2**62), draw.randrange(10**9)))
        elif kind == "REAL":
            value = draw.choice((0.0, 1.0, 0.1, -2.5e-9, draw.random(), draw.uniform(-1e9, 1e9)))
        else:
            value = f"{draw.choice(_WORDS)} {number}-{draw.randrange(10**9)}"
        values.append(value)
    return tuple(values)
