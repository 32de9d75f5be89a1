"""The records: people, messages, reports, questions, roles; on SQLite."""

from __future__ import annotations

from bot.store.database import Row, Store, Transaction
from bot.store.opening import open_store

__all__ = ["Row", "Store", "Transaction", "open_store"]
