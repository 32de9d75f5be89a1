"""How things stand now, for those who watch: what waits, what is used up, who holds what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.clock import moment
from bot.store.database import Row, Transaction


def pushes(tx: Transaction) -> list[Row]:
    """Count messages that wait for people who did not just write, by channel."""
    return tx.all(
        """
        SELECT p.channel, COUNT(*) AS value FROM pushes m JOIN people p ON p.id = m.person_id
        GROUP BY p.channel ORDER BY p.channel
        """
    )


def oldest_unfinished(tx: Transaction, *, at: datetime) -> float:
    """Return the age in seconds of the oldest message that is not delivered, 0 when there is none."""
    row = tx.one("SELECT MIN(received_at) AS oldest FROM inbox WHERE stage < 2")
    return 0.0 if row is None or row["oldest"] is None else max(0.0, (at - moment(row["oldest"])).total_seconds())


def used(tx: Transaction, *, month: str) -> list[Row]:
    """List what channels used up in a month, and the figures that only have a present."""
    return tx.all(
        """
        SELECT channel, kind, amount AS value FROM usage WHERE period = :month OR period = 'now'
        ORDER BY channel, kind, period
        """,
        month=month,
    )


def leases(tx: Transaction, *, at: datetime) -> list[Mapping[str, object]]:
    """List the seconds for which each lease is still held, below 0 when it ran out."""
    rows = tx.all("SELECT name, expires_at FROM leases ORDER BY name")
    return [{"lease": row["name"], "value": (moment(row["expires_at"]) - at).total_seconds()} for row in rows]
