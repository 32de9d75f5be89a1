"""Citizens who asked for a person, and messages on their way to people who did not just write."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.database import Row, Transaction


def add(tx: Transaction, person_id: int, *, text: str, at: str) -> None:
    """Keep a citizen's request for a person."""
    tx.run("INSERT INTO help_requests (person_id, text, at) VALUES (:id, :text, :at)", id=person_id, text=text, at=at)


def waiting(tx: Transaction, *, districts: Sequence[str] | None, limit: int) -> list[Row]:
    """List open requests, oldest first; only of people who reported in one of the districts, if any are given."""
    rows = tx.all(
        """
        SELECT h.id, h.person_id, h.text, h.at, p.language, p.channel, COALESCE(r.district, s.district, '') AS district
        FROM help_requests h JOIN people p ON p.id = h.person_id
        LEFT JOIN reports r ON r.person_id = h.person_id
        LEFT JOIN (
            SELECT m.person_id, MIN(t.district) AS district
            FROM links m JOIN links o ON o.circle = m.circle JOIN reports t ON t.person_id = o.person_id
            GROUP BY m.person_id
        ) s ON s.person_id = h.person_id
        WHERE h.state = 'open' ORDER BY h.id
        """
    )
    return [row for row in rows if districts is None or row["district"] in districts][:limit]


def of_person(tx: Transaction, person_id: int) -> list[Row]:
    """List what a person asked of people, oldest first."""
    return tx.all("SELECT text, state, at FROM help_requests WHERE person_id = :id ORDER BY id", id=person_id)


def answer(tx: Transaction, number: int, *, reply: str, at: str) -> bool:
    """Close an open request and queue the answer; False when it is not open any more."""
    row = tx.one(
        """
        UPDATE help_requests SET state = 'answered', answered_at = :at
        WHERE id = :id AND state = 'open' RETURNING person_id
        """,
        id=number,
        at=at,
    )
    if row is None:
        return False
    push(tx, row["person_id"], reply=reply, at=at)
    return True


def push(tx: Transaction, person_id: int, *, reply: str, at: str) -> None:
    """Queue a message to a person."""
    tx.run("INSERT INTO pushes (person_id, reply, at) VALUES (:id, :reply, :at)", id=person_id, reply=reply, at=at)


def pushes(tx: Transaction, *, channel: str, limit: int) -> list[Row]:
    """List queued messages of a channel with their addresses, oldest first."""
    return tx.all(
        """
        SELECT m.id, m.reply, p.channel, p.address FROM pushes m JOIN people p ON p.id = m.person_id
        WHERE p.channel = :channel ORDER BY m.id LIMIT :limit
        """,
        channel=channel,
        limit=limit,
    )


def pushed(tx: Transaction, number: int) -> None:
    """Take a message that has left, or never will, out of the queue."""
    tx.run("DELETE FROM pushes WHERE id = :id", id=number)
