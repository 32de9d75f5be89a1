"""Choosing the engine by the address of the database."""

from __future__ import annotations

from pathlib import Path

from bot.store.database import Store
from bot.store.sqlite import SqliteStore


def open_store(url: str) -> Store:
    """Open the database at `sqlite:///PATH`, bringing its tables up to date; raises StoreError."""
    return SqliteStore(Path(url.removeprefix("sqlite:///")))
