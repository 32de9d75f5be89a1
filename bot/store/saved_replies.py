"""Answers that officers keep for the next time, shared by all of them."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def every(tx: Transaction) -> list[Row]:
    """List id, title and text of all saved replies by their titles."""
    return tx.all("SELECT id, title, text FROM saved_replies ORDER BY title, id")


def find(tx: Transaction, number: int) -> Row | None:
    """Return id, title and text of a saved reply."""
    return tx.one("SELECT id, title, text FROM saved_replies WHERE id = :id", id=number)


def add(tx: Transaction, *, title: str, text: str, at: str) -> int:
    """Keep a reply and return its number."""
    row = tx.one(
        "INSERT INTO saved_replies (title, text, changed_at) VALUES (:title, :text, :at) RETURNING id",
        title=title,
        text=text,
        at=at,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def change(tx: Transaction, number: int, *, title: str, text: str, at: str) -> int:
    """Put other words in the place of a saved reply; returns how many there were."""
    return tx.run(
        "UPDATE saved_replies SET title = :title, text = :text, changed_at = :at WHERE id = :id",
        id=number,
        title=title,
        text=text,
        at=at,
    )


def delete(tx: Transaction, number: int) -> int:
    """Delete a saved reply; returns how many there were."""
    return tx.run("DELETE FROM saved_replies WHERE id = :id", id=number)
