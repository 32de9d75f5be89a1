"""How far a move of all records into this database has come; empty unless one is under way."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def progress(tx: Transaction) -> dict[str, Row]:
    """Return source, last_key and finished by table."""
    rows = tx.all("SELECT table_name, source, last_key, finished FROM moves")
    return {row["table_name"]: row for row in rows}


def note(tx: Transaction, table: str, *, source: str, last_key: str, finished: bool) -> None:
    """Note how far a table has come, in the transaction that copies the rows."""
    tx.run(
        """
        INSERT INTO moves (table_name, source, last_key, finished) VALUES (:name, :source, :last_key, :finished)
        ON CONFLICT (table_name) DO UPDATE SET last_key = excluded.last_key, finished = excluded.finished
        """,
        name=table,
        source=source,
        last_key=last_key,
        finished=int(finished),
    )


def end(tx: Transaction) -> None:
    """Note that the move is done."""
    tx.run("DELETE FROM moves")
