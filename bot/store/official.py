"""Figures of the authorities, beside what citizens report."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def put(tx: Transaction, *, day: str, district: str, phones: int, at: str) -> bool:
    """Keep the figure of a day; True when there was another one before."""
    before = tx.one(
        "SELECT phones FROM official_figures WHERE day = :day AND district = :district", day=day, district=district
    )
    tx.run(
        """
        INSERT INTO official_figures (day, district, phones, imported_at) VALUES (:day, :district, :phones, :at)
        ON CONFLICT (day, district) DO UPDATE SET phones = excluded.phones, imported_at = excluded.imported_at
        """,
        day=day,
        district=district,
        phones=phones,
        at=at,
    )
    return before is not None and before["phones"] != phones


def figures(tx: Transaction, *, until: str) -> list[Row]:
    """List all figures up to a day, oldest first: day, district (or the province's id), phones."""
    return tx.all(
        "SELECT day, district, phones FROM official_figures WHERE day <= :until ORDER BY day, district", until=until
    )
