"""Who may do a thing alone, across processes: a lease runs out by itself when its holder dies."""

from __future__ import annotations

from bot.store.database import Transaction


def take(tx: Transaction, name: str, *, holder: str, at: str, until: str, absurd: str = "9") -> bool:
    """Take or prolong a lease; False while another holds it.

    One that runs beyond `absurd` was taken before a clock was set back, and counts as run out.
    """
    row = tx.one(
        """
        INSERT INTO leases (name, holder, expires_at) VALUES (:name, :holder, :until)
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
            WHERE leases.holder = excluded.holder OR leases.expires_at <= :at
                OR leases.expires_at > :absurd
        RETURNING holder
        """,
        name=name,
        holder=holder,
        at=at,
        until=until,
        absurd=absurd,
    )
    return row is not None


def holder(tx: Transaction, name: str) -> str | None:
    """Return who has a lease, run out or not."""
    row = tx.one("SELECT holder FROM leases WHERE name = :name", name=name)
    return None if row is None else str(row["holder"])


def give_back(tx: Transaction, name: str, *, holder: str) -> None:
    """Let another have it at once."""
    tx.run("DELETE FROM leases WHERE name = :name AND holder = :holder", name=name, holder=holder)


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete leases that ran out before a moment and were never taken again; returns how many."""
    return tx.run("DELETE FROM leases WHERE expires_at < :moment", moment=moment)
