"""What a channel used up, by period: messages of a month, what a platform said is left."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def add(tx: Transaction, channel: str, *, period: str, kind: str, amount: int = 1) -> int:
    """Count on, and return the new sum."""
    row = tx.one(
        """
        INSERT INTO usage (channel, period, kind, amount) VALUES (:channel, :period, :kind, :amount)
        ON CONFLICT (channel, period, kind) DO UPDATE SET amount = usage.amount + excluded.amount
        RETURNING amount
        """,
        channel=channel,
        period=period,
        kind=kind,
        amount=amount,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["amount"])


def put(tx: Transaction, channel: str, *, period: str, kind: str, amount: int) -> None:
    """Note a figure as the platform gave it."""
    tx.run(
        """
        INSERT INTO usage (channel, period, kind, amount) VALUES (:channel, :period, :kind, :amount)
        ON CONFLICT (channel, period, kind) DO UPDATE SET amount = excluded.amount
        """,
        channel=channel,
        period=period,
        kind=kind,
        amount=amount,
    )


def of_period(tx: Transaction, channel: str, *, period: str) -> dict[str, int]:
    """Return all figures of a period by kind."""
    rows: list[Row] = tx.all(
        "SELECT kind, amount FROM usage WHERE channel = :channel AND period = :period", channel=channel, period=period
    )
    return {row["kind"]: int(row["amount"]) for row in rows}


def once(tx: Transaction, channel: str, *, period: str, kind: str) -> bool:
    """Tell whether something happens for the first time in a period."""
    return add(tx, channel, period=period, kind=kind) == 1
