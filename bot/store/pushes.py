"""Messages on their way to people who did not just write: answers of officers, notices to officers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.database import Row, Transaction


def add(tx: Transaction, person_id: int, *, reply: str, at: str, not_before: str = "", about: str = "") -> None:
    """Queue a message to a person; `about` names what it tells of, so that it can be taken back while it waits."""
    tx.run(
        """
        INSERT INTO pushes (person_id, reply, at, not_before, about) VALUES (:id, :reply, :at, :not_before, :about)
        """,
        id=person_id,
        reply=reply,
        at=at,
        not_before=not_before,
        about=about,
    )


def waiting(tx: Transaction, *, channel: str, at: str, limit: int) -> list[Row]:
    """List the messages of a channel that may leave at a moment, with their addresses, oldest first."""
    return tx.all(
        """
        SELECT m.id, m.reply, p.channel, p.address FROM pushes m JOIN people p ON p.id = m.person_id
        WHERE p.channel = :channel AND m.not_before <= :at ORDER BY m.id LIMIT :limit
        """,
        channel=channel,
        at=at,
        limit=limit,
    )


def sent(tx: Transaction, number: int) -> None:
    """Take a message that has left, or never will, out of the queue."""
    tx.run("DELETE FROM pushes WHERE id = :id", id=number)


def withdraw(tx: Transaction, *, about: str) -> None:
    """Take back what tells of something that is settled, as far as it still waits for its hour."""
    tx.run("DELETE FROM pushes WHERE about = :about AND not_before <> ''", about=about)


def take_back(tx: Transaction, *, abouts: Sequence[str]) -> None:
    """Take back everything that tells of some things, whoever it is for, as far as it has not left."""
    for about in abouts:
        tx.run("DELETE FROM pushes WHERE about = :about", about=about)


def withdraw_all(tx: Transaction, person_id: int, *, about: str) -> None:
    """Take back everything to a person that tells of what a pattern (LIKE) matches, sent or not yet."""
    tx.run("DELETE FROM pushes WHERE person_id = :id AND about LIKE :about", id=person_id, about=about)
