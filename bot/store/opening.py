"""Choosing the engine by the address of the database."""

from __future__ import annotations

from pathlib import Path

from bot.store.database import Store
from bot.store.sqlite import SqliteStore

POSTGRES = "postgresql://"


def open_store(url: str) -> Store:
    """Open the database at `sqlite:///PATH` or `postgresql://…`, bringing its tables up to date; raises StoreError."""
    if url.startswith(POSTGRES):
        from bot.store.postgres import PostgresStore  # its library is loaded only where it is used

        return PostgresStore(url)
    return SqliteStore(Path(url.removeprefix("sqlite:///")))
