"""Keys that platforms change while the bot runs; the pair before is kept for finding out what went wrong."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def find(tx: Transaction, name: str) -> Row | None:
    """Return access, refresh, seed, obtained_at, expires_at and dead ("" or why) of a credential."""
    return tx.one(
        "SELECT access, refresh, seed, obtained_at, expires_at, dead FROM credentials WHERE name = :name", name=name
    )


def keep(
    tx: Transaction, name: str, *, access: str, refresh: str, seed: str, obtained_at: str, expires_at: str
) -> None:
    """Put a new pair in the place of the last one, which stays readable as the previous."""
    tx.run(
        """
        INSERT INTO credentials (name, access, refresh, seed, obtained_at, expires_at)
        VALUES (:name, :access, :refresh, :seed, :obtained_at, :expires_at)
        ON CONFLICT (name) DO UPDATE SET
            previous_access = credentials.access, previous_refresh = credentials.refresh,
            access = excluded.access, refresh = excluded.refresh, seed = excluded.seed,
            obtained_at = excluded.obtained_at, expires_at = excluded.expires_at, dead = ''
        """,
        name=name,
        access=access,
        refresh=refresh,
        seed=seed,
        obtained_at=obtained_at,
        expires_at=expires_at,
    )


def bury(tx: Transaction, name: str, *, seed: str, why: str, at: str) -> None:
    """Note that the refresh token is refused for good."""
    tx.run(
        """
        INSERT INTO credentials (name, access, refresh, seed, obtained_at, expires_at, dead)
        VALUES (:name, '', '', :seed, :at, :at, :why)
        ON CONFLICT (name) DO UPDATE SET dead = excluded.dead, seed = excluded.seed
        """,
        name=name,
        seed=seed,
        why=why,
        at=at,
    )
