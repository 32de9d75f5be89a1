"""Walks that somebody else may go on with: a code leads to a guide and a step, to nothing of the person who gave it."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def offer(tx: Transaction, person_id: int, *, code_hash: str, guide: str, step: str, expires_at: str) -> None:
    """Keep the hash of a person's code; an older code of theirs is void from now on."""
    tx.run("DELETE FROM handoffs WHERE person_id = :id", id=person_id)
    tx.run(
        """
        INSERT INTO handoffs (code_hash, person_id, guide, step, expires_at)
        VALUES (:code_hash, :id, :guide, :step, :expires_at)
        """,
        code_hash=code_hash,
        id=person_id,
        guide=guide,
        step=step,
        expires_at=expires_at,
    )


def find(tx: Transaction, code_hash: str, *, at: str) -> Row | None:
    """Return person_id, guide, step and stopped_at of a code that has not expired."""
    return tx.one(
        """
        SELECT person_id, guide, step, stopped_at FROM handoffs WHERE code_hash = :code_hash AND expires_at > :at
        """,
        code_hash=code_hash,
        at=at,
    )


def stop(tx: Transaction, code_hash: str, *, at: str) -> None:
    """Void a code for both sides."""
    tx.run(
        "UPDATE handoffs SET stopped_at = :at WHERE code_hash = :code_hash AND stopped_at = ''",
        code_hash=code_hash,
        at=at,
    )


def stop_of_person(tx: Transaction, person_id: int, *, at: str) -> None:
    """Void what a person gave."""
    tx.run("UPDATE handoffs SET stopped_at = :at WHERE person_id = :id AND stopped_at = ''", id=person_id, at=at)


def forget_expired(tx: Transaction, moment: str) -> None:
    """Delete the codes whose time is over."""
    tx.run("DELETE FROM handoffs WHERE expires_at <= :moment", moment=moment)
