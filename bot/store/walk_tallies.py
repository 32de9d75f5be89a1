"""Counts of guided walks by guide, step and the day on which the walk began; they name nobody.

A walk stands at one step. Moving on books -1 there and +1 at the next step, on the day on which the walk began, so that
the rows of a day say where the walks of that day are or were left.
"""

from __future__ import annotations

from typing import Final

from bot.store.database import Row, Transaction

STANDING: Final = "standing"
TROUBLE: Final = "trouble"


def book(tx: Transaction, guide: str, step: str, *, what: str, day: str, change: int) -> None:
    """Add to what is counted at a step."""
    tx.add(
        """
        INSERT INTO walk_tallies (guide, step, what, day, walks) VALUES (:guide, :step, :what, :day, :change)
        ON CONFLICT (guide, step, what, day) DO UPDATE SET walks = walk_tallies.walks + excluded.walks
        """,
        table="walk_tallies",
        change=change,
        guide=guide,
        step=step,
        what=what,
        day=day,
    )


def begun_between(tx: Transaction, *, since: str, until: str) -> list[Row]:
    """Count the walks that began from one day to another: guide, step, what, walks."""
    return tx.all(
        """
        SELECT guide, step, what, SUM(walks) AS walks FROM walk_tallies WHERE day >= :since AND day <= :until
        GROUP BY guide, step, what ORDER BY guide, step, what
        """,
        since=since,
        until=until,
    )
