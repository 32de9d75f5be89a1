"""What waits for a browser: officers' answers and reminders in the web chat."""

from __future__ import annotations

from bot.message import Person
from bot.store.database import Row, Transaction


def add(tx: Transaction, person: Person, *, reply: str, at: str) -> int | None:
    """Keep a reply for a session and return its number; None when there is no such session."""
    row = tx.one(
        """
        INSERT INTO chat_events (person_id, reply, at)
        SELECT id, :reply, :at FROM people WHERE channel = :channel AND address = :address
        RETURNING id
        """,
        channel=person.channel,
        address=person.address,
        reply=reply,
        at=at,
    )
    return None if row is None else int(row["id"])


def after(tx: Transaction, person: Person, *, after: int) -> list[Row]:
    """List the replies of a session after a number, oldest first."""
    return tx.all(
        """
        SELECT e.id, e.reply FROM chat_events e JOIN people p ON p.id = e.person_id
        WHERE p.channel = :channel AND p.address = :address AND e.id > :after ORDER BY e.id LIMIT 50
        """,
        channel=person.channel,
        address=person.address,
        after=after,
    )


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what waited too long; returns how many."""
    return tx.run("DELETE FROM chat_events WHERE at < :moment", moment=moment)
