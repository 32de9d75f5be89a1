"""How each person may be written to: when they last did something, what was sent since, who is talking to them."""

from __future__ import annotations

from bot.message import Person
from bot.store.database import Row, Transaction


def note_interaction(tx: Transaction, person_id: int, *, at: str) -> None:
    """Note that a person did something; an older event that comes late changes nothing."""
    tx.run(
        """
        INSERT INTO reach (person_id, interacted_at) VALUES (:id, :at)
        ON CONFLICT (person_id) DO UPDATE SET interacted_at = excluded.interacted_at, sent_since = 0, closed = ''
            WHERE excluded.interacted_at > reach.interacted_at
        """,
        id=person_id,
        at=at,
    )


def note_sent(tx: Transaction, person: Person) -> None:
    """Count a message that left for a person; nothing for somebody unknown or just erased."""
    tx.run(
        """
        UPDATE reach SET sent_since = sent_since + 1
        WHERE person_id = (SELECT id FROM people WHERE channel = :channel AND address = :address)
        """,
        channel=person.channel,
        address=person.address,
    )


def close(tx: Transaction, person: Person, *, code: str) -> None:
    """Note that the platform refuses messages to a person until they write again."""
    tx.run(
        """
        UPDATE reach SET closed = :code
        WHERE person_id = (SELECT id FROM people WHERE channel = :channel AND address = :address)
        """,
        code=code,
        channel=person.channel,
        address=person.address,
    )


def keep_quiet(tx: Transaction, person_id: int, *, until: str) -> None:
    """Note until when a human talks to a person, so that the bot does not."""
    tx.run(
        """
        INSERT INTO reach (person_id, interacted_at, quiet_until) VALUES (:id, '', :until)
        ON CONFLICT (person_id) DO UPDATE SET quiet_until = excluded.quiet_until
        """,
        id=person_id,
        until=until,
    )


def find(tx: Transaction, person: Person) -> Row | None:
    """Return interacted_at, sent_since, closed and quiet_until of a person."""
    return tx.one(
        """
        SELECT r.interacted_at, r.sent_since, r.closed, r.quiet_until
        FROM reach r JOIN people p ON p.id = r.person_id
        WHERE p.channel = :channel AND p.address = :address
        """,
        channel=person.channel,
        address=person.address,
    )


def windows(tx: Transaction, channel: str, *, free_since: str, paid_since: str, free_messages: int) -> dict[str, int]:
    """Count a channel's people by what a message to them would cost: free, paid, closed.

    `free_messages` is how many are free after each interaction, 0 for any number.
    """
    rows = tx.all(
        """
        SELECT CASE
            WHEN p.gone_at IS NOT NULL OR r.closed <> '' OR r.interacted_at <= :paid_since THEN 'closed'
            WHEN r.interacted_at > :free_since AND (:free = 0 OR r.sent_since < :free) THEN 'free'
            ELSE 'paid' END AS reachable, COUNT(*) AS people
        FROM people p JOIN reach r ON r.person_id = p.id
        WHERE p.channel = :channel GROUP BY reachable
        """,
        channel=channel,
        free_since=free_since,
        paid_since=paid_since,
        free=free_messages,
    )
    return {"free": 0, "paid": 0, "closed": 0} | {row["reachable"]: int(row["people"]) for row in rows}
