"""Values of buttons that are too long for a platform, kept behind a short key."""

from __future__ import annotations

import base64
import hashlib

from bot.store.database import Transaction

MARK = "~"  # no choice of the bot's own begins with it


def short_key(choice: str) -> str:
    """Return the key of a choice, always the same for the same choice."""
    digest = hashlib.sha256(choice.encode()).digest()[:16]
    return MARK + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def keep(tx: Transaction, choice: str, *, at: str) -> None:
    """Keep a choice under its key."""
    tx.run(
        """
        INSERT INTO choices (key, choice, offered_at) VALUES (:key, :choice, :at)
        ON CONFLICT (key) DO UPDATE SET offered_at = excluded.offered_at
        """,
        key=short_key(choice),
        choice=choice,
        at=at,
    )


def find(tx: Transaction, key: str) -> str | None:
    """Return the choice of a key; None when it was offered too long ago."""
    row = tx.one("SELECT choice FROM choices WHERE key = :key", key=key)
    return None if row is None else str(row["choice"])


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what was last offered before a moment; returns how many."""
    return tx.run("DELETE FROM choices WHERE offered_at < :moment", moment=moment)
