"""The records: people, messages, reports, questions, roles; on SQLite or PostgreSQL."""

from __future__ import annotations

from bot.store.database import Row, Store, Transaction
from bot.store.opening import applied_migrations, in_use, open_store

__all__ = ["Row", "Store", "Transaction", "applied_migrations", "in_use", "open_store"]
