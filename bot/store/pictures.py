"""Pictures that a platform fetches from us, for a while, under a name nobody can guess."""

from __future__ import annotations

import base64

from bot.store.database import Transaction


def keep(tx: Transaction, key: str, *, content: bytes, media_type: str, expires_at: str) -> None:
    """Keep a picture until a moment."""
    tx.run(
        """
        INSERT INTO pictures (key, content, media_type, expires_at) VALUES (:key, :content, :media_type, :expires_at)
        ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at
        """,
        key=key,
        content=base64.b64encode(content).decode(),
        media_type=media_type,
        expires_at=expires_at,
    )


def find(tx: Transaction, key: str, *, at: str) -> tuple[bytes, str] | None:
    """Return content and media type of a picture that has not expired."""
    row = tx.one("SELECT content, media_type FROM pictures WHERE key = :key AND expires_at > :at", key=key, at=at)
    return None if row is None else (base64.b64decode(row["content"]), str(row["media_type"]))


def forget_expired(tx: Transaction, moment: str) -> int:
    """Delete pictures whose time is over; returns how many."""
    return tx.run("DELETE FROM pictures WHERE expires_at <= :moment", moment=moment)
