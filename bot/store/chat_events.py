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


def newest(tx: Transaction) -> int:
    """Return the number of the latest reply to any session, 0 when there is none."""
    row = tx.one("SELECT MAX(id) AS newest FROM chat_events")
    return int(row["newest"] or 0) if row is not None else 0


def since(tx: Transaction, number: int) -> list[Row]:
    """List the replies to all sessions after a number: id and address, oldest first."""
    return tx.all(
        """
        SELECT e.id, p.address FROM chat_events e JOIN people p ON p.id = e.person_id
        WHERE e.id > :number ORDER BY e.id LIMIT 500
        """,
        number=number,
    )


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what waited too long; returns how many."""
    return tx.run("DELETE FROM chat_events WHERE at < :moment", moment=moment)
