"""Ways into the desk: one-time links and the sessions they open, both known by the hash of their secret only."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def add_link(tx: Transaction, person_id: int, *, key_hash: str, expires_at: str) -> None:
    """Keep a link by the hash of its key; older ones of the same person end."""
    tx.run("DELETE FROM desk_links WHERE person_id = :id", id=person_id)
    tx.run(
        "INSERT INTO desk_links (key_hash, person_id, expires_at) VALUES (:key_hash, :id, :expires_at)",
        key_hash=key_hash,
        id=person_id,
        expires_at=expires_at,
    )


def use_link(tx: Transaction, *, key_hash: str, at: str) -> int | None:
    """Use a link up and return whose it is; None when it is unknown, used or expired."""
    row = tx.one(
        "DELETE FROM desk_links WHERE key_hash = :key_hash AND expires_at > :at RETURNING person_id",
        key_hash=key_hash,
        at=at,
    )
    return None if row is None else int(row["person_id"])


def begin_session(tx: Transaction, person_id: int, *, id_hash: str, at: str, expires_at: str) -> None:
    """Open a session."""
    tx.run(
        """
        INSERT INTO desk_sessions (id_hash, person_id, seen_at, expires_at) VALUES (:id_hash, :id, :at, :expires_at)
        """,
        id_hash=id_hash,
        id=person_id,
        at=at,
        expires_at=expires_at,
    )


def find_session(tx: Transaction, *, id_hash: str, at: str, seen_after: str) -> Row | None:
    """Return person_id and seen_at of a session that is neither over nor idle for too long."""
    return tx.one(
        """
        SELECT person_id, seen_at FROM desk_sessions
        WHERE id_hash = :id_hash AND expires_at > :at AND seen_at > :seen_after
        """,
        id_hash=id_hash,
        at=at,
        seen_after=seen_after,
    )


def note_seen(tx: Transaction, *, id_hash: str, at: str) -> None:
    """Note that a session is in use."""
    tx.run("UPDATE desk_sessions SET seen_at = :at WHERE id_hash = :id_hash", at=at, id_hash=id_hash)


def end_session(tx: Transaction, *, id_hash: str) -> None:
    """Close a session."""
    tx.run("DELETE FROM desk_sessions WHERE id_hash = :id_hash", id_hash=id_hash)


def end_all(tx: Transaction, person_id: int) -> None:
    """Close every session of a person and end their links; a role that is given again opens none of them."""
    tx.run("DELETE FROM desk_links WHERE person_id = :id", id=person_id)
    tx.run("DELETE FROM desk_sessions WHERE person_id = :id", id=person_id)


def forget_expired(tx: Transaction, at: str) -> None:
    """Delete links and sessions that are over."""
    tx.run("DELETE FROM desk_links WHERE expires_at <= :at", at=at)
    tx.run("DELETE FROM desk_sessions WHERE expires_at <= :at", at=at)
