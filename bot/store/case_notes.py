"""Officers' notes and labels of citizens' conversations: they go with the conversation, and no citizen reads them."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def add(tx: Transaction, number: int, *, officer_id: int, text: str, at: str) -> None:
    """Keep a note of an officer."""
    tx.run(
        "INSERT INTO case_notes (conversation_id, officer_id, text, at) VALUES (:id, :officer_id, :text, :at)",
        id=number,
        officer_id=officer_id,
        text=text,
        at=at,
    )


def of_conversation(tx: Transaction, number: int) -> list[Row]:
    """List the notes of a conversation, oldest first."""
    return tx.all(
        """
        SELECT id, COALESCE(officer_id, 0) AS officer_id, text, at
        FROM case_notes WHERE conversation_id = :id ORDER BY id
        """,
        id=number,
    )


def label(tx: Transaction, number: int, text: str) -> None:
    """Put a label on a conversation; one that it has stays."""
    tx.run(
        "INSERT INTO case_labels (conversation_id, label) VALUES (:id, :label) ON CONFLICT DO NOTHING",
        id=number,
        label=text,
    )


def unlabel(tx: Transaction, number: int, text: str) -> None:
    """Take a label off a conversation."""
    tx.run("DELETE FROM case_labels WHERE conversation_id = :id AND label = :label", id=number, label=text)


def labels(tx: Transaction) -> list[Row]:
    """List the number and district of every labelled conversation with each of its labels, by the alphabet."""
    return tx.all(
        """
        SELECT l.conversation_id AS id, c.district, l.label
        FROM case_labels l JOIN conversations c ON c.id = l.conversation_id ORDER BY l.label, l.conversation_id
        """
    )


def labels_of(tx: Transaction, number: int) -> list[str]:
    """List the labels of a conversation in the order of the alphabet."""
    rows = tx.all("SELECT label FROM case_labels WHERE conversation_id = :id ORDER BY label", id=number)
    return [row["label"] for row in rows]
