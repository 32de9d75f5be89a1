"""Choosing the engine by the address of the database."""

from __future__ import annotations

from pathlib import Path

from bot.store import sqlite
from bot.store.database import Store
from bot.store.sqlite import SqliteStore

POSTGRES = "postgresql://"


def open_store(url: str) -> Store:
    """Open the database at `sqlite:///PATH` or `postgresql://…`, bringing its tables up to date; raises StoreError."""
    if url.startswith(POSTGRES):
        from bot.store.postgres import PostgresStore  # its library is loaded only where it is used

        return PostgresStore(url)
    return SqliteStore(Path(url.removeprefix("sqlite:///")))


def in_use(url: str) -> bool:
    """Tell whether any other process has a database open, a running bot above all; raises StoreError."""
    if url.startswith(POSTGRES):
        from bot.store import postgres

        return postgres.in_use(url)
    return sqlite.in_use(Path(url.removeprefix("sqlite:///")))


def applied_migrations(url: str) -> list[str]:
    """List the migrations of a database as it is, changing nothing; raises StoreError when it cannot be reached."""
    if url.startswith(POSTGRES):
        from bot.store import postgres

        return postgres.applied_migrations(url)
    return sqlite.applied_migrations(Path(url.removeprefix("sqlite:///")))
