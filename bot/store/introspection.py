"""The tables of a database as it describes itself: columns and keys; those that others refer to come first."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

from bot.store.migrations import MIGRATIONS
from bot.store.sqlite import sqlite_definition

# Who runs at the moment is no record; in a copy it would be wrong.
_OF_THE_MOMENT = frozenset(("leases", "moves", "replicas"))
_SERIAL = re.compile(r"CREATE TABLE (\w+) \(\s*(\w+) \{serial\}")


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table: its columns in order, the primary key, and the automatic number, if any."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    serial: str = ""


@cache
def tables() -> tuple[TableInfo, ...]:
    """List every table that holds records, as the migrations of this program make them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statements in MIGRATIONS.values():
            for statement in statements:
                connection.execute(sqlite_definition(statement))
        return tables_of(connection)


def tables_of(connection: sqlite3.Connection, *, but: frozenset[str] = frozenset()) -> tuple[TableInfo, ...]:
    """List every table of an SQLite database that holds records, which may be older than this program."""
    serials = dict(match for statements in MIGRATIONS.values() for sql in statements for match in _SERIAL.findall(sql))
    found: dict[str, TableInfo] = {}
    refers: dict[str, list[str]] = {}
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        if name in _OF_THE_MOMENT | but or name.startswith(("sqlite_", "_sqlite_")):
            continue
        columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
        key = [column[1] for column in sorted(columns, key=lambda column: int(column[5])) if column[5]]
        found[name] = TableInfo(name, tuple(column[1] for column in columns), tuple(key), serials.get(name, ""))
        refers[name] = sorted({row[2] for row in connection.execute(f"PRAGMA foreign_key_list({name})")} - {name})
    return tuple(found[name] for name in TopologicalSorter(refers).static_order() if name in found)
