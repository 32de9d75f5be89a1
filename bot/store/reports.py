"""Reports of installation: one current report a person, its history kept."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def find(tx: Transaction, person_id: int) -> Row | None:
    """Return a person's current report: district, commune, reported_at."""
    return tx.one("SELECT district, commune, reported_at FROM reports WHERE person_id = :id", id=person_id)


def keep(
    tx: Transaction, person_id: int, *, district: str, commune: str, channel: str, source: str, day: str, at: str
) -> None:
    """Record that a person installed, or correct where; the first day stays the day of the report."""
    before = find(tx, person_id)
    tx.run(
        """
        INSERT INTO reports (person_id, district, commune, channel, source, day, reported_at)
        VALUES (:id, :district, :commune, :channel, :source, :day, :at)
        ON CONFLICT (person_id) DO UPDATE SET district = excluded.district, commune = excluded.commune
        """,
        id=person_id,
        district=district,
        commune=commune,
        channel=channel,
        source=source,
        day=day,
        at=at,
    )
    change = "corrected" if before else "reported"
    _note(tx, person_id, change=change, district=district, commune=commune, at=at)


def withdraw(tx: Transaction, person_id: int, *, at: str) -> None:
    """Take a report back; its history stays until the person is erased."""
    before = find(tx, person_id)
    if before is None:
        return
    tx.run("DELETE FROM reports WHERE person_id = :id", id=person_id)
    _note(tx, person_id, change="withdrawn", district=before["district"], commune=before["commune"], at=at)


def history(tx: Transaction, person_id: int) -> list[Row]:
    """List all that a person reported, corrected and withdrew, oldest first."""
    return tx.all(
        "SELECT change, district, commune, at FROM report_history WHERE person_id = :id ORDER BY id",
        id=person_id,
    )


def totals(tx: Transaction, *, by: str, since: str, until: str) -> list[Row]:
    """Count current reports by district, commune, day, channel or source; days are inclusive."""
    column = {"district": "district", "commune": "commune", "day": "day", "channel": "channel", "source": "source"}[by]
    also = ", district" if by == "commune" else ""
    return tx.all(
        f"""
        SELECT {column} AS key{also}, COUNT(*) AS reports FROM reports
        WHERE day >= :since AND day <= :until GROUP BY {column}{also} ORDER BY {column}
        """,  # noqa: S608 - the column comes from the table above
        since=since,
        until=until,
    )


def _note(tx: Transaction, person_id: int, *, change: str, district: str, commune: str, at: str) -> None:
    tx.run(
        """
        INSERT INTO report_history (person_id, change, district, commune, at)
        VALUES (:id, :change, :district, :commune, :at)
        """,
        id=person_id,
        change=change,
        district=district,
        commune=commune,
        at=at,
    )
