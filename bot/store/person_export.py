"""What the records hold about a person beyond report, questions and messages: everything that an export must show."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from bot.store.database import Row, Transaction

# Table → what of it tells the person something. Keys and hashes stay out: they open doors.
REST: Final = MappingProxyType(
    {
        "dialogs": "state, updated_at",
        "reach": "interacted_at, sent_since, closed, quiet_until",
        "pushes": "reply, at",
        "chat_events": "reply, at",
        "link_codes": "expires_at",
        "link_guesses": "at",
        "handoffs": "guide, step, expires_at, stopped_at",
        "desk_links": "expires_at",
        "desk_sessions": "seen_at, expires_at",
        "deliveries": "broadcast_id AS broadcast, channel, language, district, state, at",
        "broadcast_watchers": "broadcast_id AS broadcast",
        "officers": "name, named_at",
        "appointments": "kind, due_at, state, at",
        "report_orders": "every, made_at",
    }
)
# Tables about people that an export shows in words of its own.
SHOWN: Final = ("reports", "report_history", "consents", "questions", "roles", "links", "conversations")


def rest_of(tx: Transaction, person_id: int) -> dict[str, list[Row]]:
    """List the rows about a person in every other table, those without any left out."""
    found = {
        table: tx.all(f"SELECT {columns} FROM {table} WHERE person_id = :id", id=person_id)  # noqa: S608 - our own names
        for table, columns in REST.items()
    }
    return {table: rows for table, rows in found.items() if rows}
