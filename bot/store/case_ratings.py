"""What citizens said of talks that had ended: counts by day and district, which name nobody."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def note_rated(tx: Transaction, number: int, person_id: int) -> str | None:
    """Note that a citizen has judged their own talk, which has ended; returns its district, None if they may not."""
    row = tx.one(
        """
        UPDATE conversations SET rated = 1
        WHERE id = :id AND person_id = :person_id AND closed_at <> '' AND rated = 0 RETURNING district
        """,
        id=number,
        person_id=person_id,
    )
    return None if row is None else str(row["district"])


def count(tx: Transaction, *, day: str, district: str, rating: str) -> None:
    """Add one to what was said on a day."""
    tx.run(
        """
        INSERT INTO case_ratings (day, district, rating, times) VALUES (:day, :district, :rating, 1)
        ON CONFLICT (day, district, rating) DO UPDATE SET times = case_ratings.times + 1
        """,
        day=day,
        district=district,
        rating=rating,
    )


def between(tx: Transaction, *, since: str, until: str) -> list[Row]:
    """List day, district, rating and times of some days, both included."""
    return tx.all(
        """
        SELECT day, district, rating, times FROM case_ratings
        WHERE day >= :since AND day <= :until ORDER BY day, district, rating
        """,
        since=since,
        until=until,
    )
