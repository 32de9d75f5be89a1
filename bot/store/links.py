"""Channels of one person, linked at their wish: a circle of people who count as one."""

from __future__ import annotations

from collections.abc import Iterable

from bot.store.database import Row, Transaction

# A person alone is a circle of one.
CIRCLE = """
    SELECT :id AS person_id UNION
    SELECT o.person_id FROM links m JOIN links o ON o.circle = m.circle WHERE m.person_id = :id
"""


def hold_circle(tx: Transaction, *people: int) -> list[int]:
    """Keep everybody linked with these people, and their reports, from changing until the commit; returns them."""
    members = _circle(tx, people)
    while tx.lock(*(f"person {member}" for member in members)):
        now = _circle(tx, people)
        if now <= members:
            return sorted(now)
        members |= now
    return sorted(members)


def _circle(tx: Transaction, people: Iterable[int]) -> set[int]:
    return {int(row["person_id"]) for person_id in people for row in tx.all(CIRCLE, id=person_id)}


def others(tx: Transaction, person_id: int) -> list[Row]:
    """List the linked channels of a person, without the one they speak from: id, channel, language, linked_at."""
    return tx.all(
        """
        SELECT p.id, p.channel, p.language, o.linked_at
        FROM links m JOIN links o ON o.circle = m.circle JOIN people p ON p.id = o.person_id
        WHERE m.person_id = :id AND o.person_id <> :id ORDER BY o.linked_at, p.id
        """,
        id=person_id,
    )


def join(tx: Transaction, person_id: int, other_id: int, *, circle: str, at: str) -> None:
    """Make two people, and whoever they are linked with, one circle under a new name."""
    for member in hold_circle(tx, person_id, other_id):
        tx.run(
            """
            INSERT INTO links (person_id, circle, linked_at) VALUES (:id, :circle, :at)
            ON CONFLICT (person_id) DO UPDATE SET circle = excluded.circle
            """,
            id=member,
            circle=circle,
            at=at,
        )


def leave(tx: Transaction, person_id: int) -> None:
    """Take a person out of their circle, and the last one left in it too."""
    hold_circle(tx, person_id)
    row = tx.one("DELETE FROM links WHERE person_id = :id RETURNING circle", id=person_id)
    if row is not None:
        tx.run(
            """
            DELETE FROM links WHERE circle = :circle
            AND (SELECT COUNT(*) FROM links l WHERE l.circle = :circle) = 1
            """,
            circle=row["circle"],
        )


def offer(tx: Transaction, person_id: int, *, code_hash: str, expires_at: str) -> None:
    """Keep the hash of a person's code; an older code of theirs is void from now on."""
    tx.run("DELETE FROM link_codes WHERE person_id = :id", id=person_id)
    tx.run(
        "INSERT INTO link_codes (code_hash, person_id, expires_at) VALUES (:code_hash, :id, :expires_at)",
        code_hash=code_hash,
        id=person_id,
        expires_at=expires_at,
    )


def find_offer(tx: Transaction, *, code_hash: str, at: str) -> Row | None:
    """Return person_id and channel of whoever was given a code that still holds."""
    return tx.one(
        """
        SELECT c.person_id, p.channel FROM link_codes c JOIN people p ON p.id = c.person_id
        WHERE c.code_hash = :code_hash AND c.expires_at > :at
        """,
        code_hash=code_hash,
        at=at,
    )


def use_offer(tx: Transaction, *, code_hash: str, at: str) -> int | None:
    """Use a code up and return whose it was; None when it is unknown, expired or used."""
    row = tx.one(
        "DELETE FROM link_codes WHERE code_hash = :code_hash AND expires_at > :at RETURNING person_id",
        code_hash=code_hash,
        at=at,
    )
    return None if row is None else int(row["person_id"])


def note_guess(tx: Transaction, person_id: int, *, at: str) -> None:
    """Note that a person typed a code that is none."""
    tx.run("INSERT INTO link_guesses (person_id, at) VALUES (:id, :at)", id=person_id, at=at)


def guesses(tx: Transaction, person_id: int, *, since: str) -> int:
    """Count a person's wrong codes since a moment."""
    row = tx.one(
        "SELECT COUNT(*) AS n FROM link_guesses WHERE person_id = :id AND at > :since", id=person_id, since=since
    )
    return int(row["n"]) if row else 0


def forget_before(tx: Transaction, moment: str, *, expired: str) -> None:
    """Delete guesses made before a moment, and codes that expired before another."""
    tx.run("DELETE FROM link_codes WHERE expires_at <= :moment", moment=expired)
    tx.run("DELETE FROM link_guesses WHERE at <= :moment", moment=moment)
