"""What people took back: themselves, a consent, a report. An older copy of the records must not bring it back.

A line names a number of the records and the moment at which what stands under it came to be; the two together never
mean anything else. They lead to nobody, except in a backup that still holds the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bot.store.database import Row, Transaction

# What was taken back: everything about a person; the consent with a number; the report of a person.
PERSON, CONSENT, REPORT = "person", "consent", "report"


class Revocation(NamedTuple):
    """One thing that was taken back: its number, since when it stood there, and the moment of taking it back."""

    subject: str
    number: int
    since: str
    at: str


def note_person(tx: Transaction, person_id: int, *, at: str) -> None:
    """Note, before it happens, that everything about a person is deleted; it says all about their other ones."""
    tx.run("DELETE FROM revocations WHERE subject = 'report' AND number = :id", id=person_id)
    tx.run(
        """
        DELETE FROM revocations WHERE subject = 'consent'
        AND number IN (SELECT id FROM consents WHERE person_id = :id)
        """,
        id=person_id,
    )
    _note(tx, PERSON, tx.all("SELECT id, created_at FROM people WHERE id = :id", id=person_id), at)


def note_consents(tx: Transaction, person_id: int, *, purpose: str, at: str) -> None:
    """Note, before it happens, that a person withdraws their consents to a purpose."""
    rows = tx.all(
        """
        SELECT id, given_at FROM consents WHERE person_id = :id AND purpose = :purpose AND withdrawn_at IS NULL
        """,
        id=person_id,
        purpose=purpose,
    )
    _note(tx, CONSENT, rows, at)


def note_report(tx: Transaction, person_id: int, *, at: str) -> None:
    """Note that a person withdraws their report."""
    _note(tx, REPORT, tx.all("SELECT id, created_at FROM people WHERE id = :id", id=person_id), at)


def since(tx: Transaction, moment: str) -> list[Revocation]:
    """List what was taken back since a moment, oldest first."""
    rows = tx.all(
        "SELECT subject, number, since, at FROM revocations WHERE at >= :moment ORDER BY at, subject, number",
        moment=moment,
    )
    return [Revocation(row["subject"], row["number"], row["since"], row["at"]) for row in rows]


def add(tx: Transaction, revocations: Iterable[Revocation]) -> None:
    """Add what another copy of the records knows."""
    for one in revocations:
        tx.run(_ADD, **one._asdict())


def standing(tx: Transaction, revocation: Revocation) -> Row | None:
    """Return what is there although it was taken back: the person's id, channel and address."""
    return tx.one(_STANDING[revocation.subject], **revocation._asdict()) if revocation.subject in _STANDING else None


def withdraw_consent(tx: Transaction, revocation: Revocation) -> None:
    """Withdraw a consent once more."""
    tx.run("UPDATE consents SET withdrawn_at = :at WHERE id = :number", at=revocation.at, number=revocation.number)


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what was taken back before a moment; returns how many lines."""
    return tx.run("DELETE FROM revocations WHERE at < :moment", moment=moment)


def _note(tx: Transaction, subject: str, rows: Iterable[Row], at: str) -> None:
    add(tx, [Revocation(subject, row[0], row[1], at) for row in rows])


_ADD = """
    INSERT INTO revocations (subject, number, since, at) VALUES (:subject, :number, :since, :at)
    ON CONFLICT (subject, number, since) DO UPDATE
    SET at = CASE WHEN excluded.at > revocations.at THEN excluded.at ELSE revocations.at END
"""
_STANDING = {
    PERSON: "SELECT id, channel, address FROM people WHERE id = :number AND created_at = :since",
    CONSENT: """
        SELECT p.id, p.channel, p.address FROM consents c JOIN people p ON p.id = c.person_id
        WHERE c.id = :number AND c.given_at = :since AND c.withdrawn_at IS NULL
    """,
    REPORT: """
        SELECT p.id, p.channel, p.address FROM people p JOIN reports r ON r.person_id = p.id
        WHERE p.id = :number AND p.created_at = :since AND r.reported_at <= :at
    """,
}
