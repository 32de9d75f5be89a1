"""What officers are called: a display name for each who gave or was given one."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def names(tx: Transaction) -> list[Row]:
    """List person_id and name of everybody who has a name, also of former officers."""
    return tx.all("SELECT person_id, name FROM officers ORDER BY person_id")


def name_of(tx: Transaction, person_id: int) -> str:
    """Return what an officer is called; empty if nobody said."""
    row = tx.one("SELECT name FROM officers WHERE person_id = :id", id=person_id)
    return str(row["name"]) if row else ""


def set_name(tx: Transaction, person_id: int, name: str, *, at: str) -> None:
    """Keep what an officer is called; an empty name takes it away."""
    if not name:
        tx.run("DELETE FROM officers WHERE person_id = :id", id=person_id)
        return
    tx.run(
        """
        INSERT INTO officers (person_id, name, named_at) VALUES (:id, :name, :at)
        ON CONFLICT (person_id) DO UPDATE SET name = excluded.name, named_at = excluded.named_at
        """,
        id=person_id,
        name=name,
        at=at,
    )
