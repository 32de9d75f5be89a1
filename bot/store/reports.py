"""Reports of installation: one current report a person, its history kept."""

from __future__ import annotations

from bot.store import revocations, tallies
from bot.store.database import Row, Transaction
from bot.store.links import CIRCLE


def find(tx: Transaction, person_id: int) -> Row | None:
    """Return a person's current report, from whichever of their linked channels: person_id, district …, reported_at."""
    return tx.one(
        f"""
        SELECT person_id, district, commune, channel, source, product, day, reported_at FROM reports
        WHERE person_id IN ({CIRCLE}) ORDER BY reported_at LIMIT 1
        """,  # noqa: S608 - no value in it
        id=person_id,
    )


def keep(
    tx: Transaction,
    person_id: int,
    *,
    district: str,
    commune: str,
    channel: str,
    source: str,
    day: str,
    at: str,
    language: str = "",
    product: str = "",
) -> None:
    """Record that a person installed, or correct where; the first day stays the day of the report.

    `product` is the book: app, vneid or both. A second book is added to the first; empty changes nothing.
    """
    with tallies.kept_up(tx, person_id, day=day):
        before = find(tx, person_id)
        book = together(before["product"], product) if before else product
        tx.run(
            """
            INSERT INTO reports (person_id, district, commune, channel, source, language, product, day, reported_at)
            VALUES (:id, :district, :commune, :channel, :source, :language, :product, :day, :at)
            ON CONFLICT (person_id) DO UPDATE SET
                district = excluded.district, commune = excluded.commune, product = excluded.product
            """,
            id=before["person_id"] if before else person_id,
            district=district,
            commune=commune,
            channel=channel,
            source=source,
            language=language,
            product=book,
            day=day,
            at=at,
        )
    change = "corrected" if before else "reported"
    _note(tx, person_id, change=change, district=district, commune=commune, product=book, at=at)


def withdraw(tx: Transaction, person_id: int, *, at: str, day: str = "") -> None:
    """Take a report back; its history stays until the person is erased."""
    with tallies.kept_up(tx, person_id, day=day):
        before = find(tx, person_id)
        if before is None:
            return
        revocations.note_report(tx, before["person_id"], at=at)
        tx.run(f"DELETE FROM reports WHERE person_id IN ({CIRCLE})", id=person_id)  # noqa: S608 - no value in it
    _note(
        tx,
        person_id,
        change="withdrawn",
        district=before["district"],
        commune=before["commune"],
        product=before["product"],
        at=at,
    )


def merge(tx: Transaction, person_id: int, *, at: str, day: str = "") -> None:
    """Make the reports of a person's linked channels one: the first day counts, the latest place is true."""
    with tallies.kept_up(tx, person_id, day=day):
        rows = tx.all(
            f"SELECT person_id, district, commune, product FROM reports WHERE person_id IN ({CIRCLE}) "  # noqa: S608
            "ORDER BY reported_at",
            id=person_id,
        )
        if len(rows) < 2:
            return
        first, latest = rows[0], rows[-1]
        book = first["product"]
        for row in rows[1:]:
            book = together(book, row["product"])
            tx.run("DELETE FROM reports WHERE person_id = :id", id=row["person_id"])
            _note(
                tx,
                row["person_id"],
                change="linked",
                district=row["district"],
                commune=row["commune"],
                product=row["product"],
                at=at,
            )
        tx.run(
            "UPDATE reports SET district = :district, commune = :commune, product = :product WHERE person_id = :id",
            district=latest["district"],
            commune=latest["commune"],
            product=book,
            id=first["person_id"],
        )


def history(tx: Transaction, person_id: int) -> list[Row]:
    """List all that a person reported, corrected and withdrew, oldest first."""
    return tx.all(
        "SELECT change, district, commune, product, at FROM report_history WHERE person_id = :id ORDER BY id",
        id=person_id,
    )


def totals(tx: Transaction, *, by: str, since: str, until: str) -> list[Row]:
    """Count the reports themselves by district, commune, day, channel or source, as a check of the kept tallies."""
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


def together(first: str, second: str) -> str:
    """Return the book that two reports of one person make; a report from before people were asked is of the app."""
    if not second:
        return first
    if not first:
        return "both" if second == "vneid" else second
    return first if first == second else "both"


def _note(tx: Transaction, person_id: int, *, change: str, district: str, commune: str, product: str, at: str) -> None:
    tx.run(
        """
        INSERT INTO report_history (person_id, change, district, commune, product, at)
        VALUES (:id, :change, :district, :commune, :product, :at)
        """,
        id=person_id,
        change=change,
        district=district,
        commune=commune,
        product=product,
        at=at,
    )
