"""Officers to whom reports come by themselves, and how often."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def put(tx: Transaction, person_id: int, *, every: str, made_by: str, at: str) -> None:
    """Have reports come to an officer, as often as this from now on."""
    tx.run(
        """
        INSERT INTO report_orders (person_id, every, made_by, made_at) VALUES (:id, :every, :made_by, :at)
        ON CONFLICT (person_id) DO UPDATE
        SET every = excluded.every, made_by = excluded.made_by, made_at = excluded.made_at
        """,
        id=person_id,
        every=every,
        made_by=made_by,
        at=at,
    )


def remove(tx: Transaction, person_id: int) -> bool:
    """Have none come any more; False if none did."""
    return bool(tx.run("DELETE FROM report_orders WHERE person_id = :id", id=person_id))


def all_(tx: Transaction) -> list[Row]:
    """List person_id and every, by person."""
    return tx.all("SELECT person_id, every FROM report_orders ORDER BY person_id")


def of_person(tx: Transaction, person_id: int) -> str:
    """Return how often reports come to somebody; empty for never."""
    row = tx.one("SELECT every FROM report_orders WHERE person_id = :id", id=person_id)
    return str(row["every"]) if row else ""
