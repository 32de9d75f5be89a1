"""How each person may be written to: when they last did something, what was sent since, who is talking to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock import stamp
from bot.message import Person, Window
from bot.store.database import Row, Transaction

FREE, PAID, CLOSED = "free", "paid", "closed"


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
    """Note until when a human talks to a person, so that the bot does not; a later end that stands already stays."""
    tx.run(
        """
        INSERT INTO reach (person_id, interacted_at, quiet_until) VALUES (:id, '', :until)
        ON CONFLICT (person_id) DO UPDATE SET quiet_until = excluded.quiet_until
            WHERE excluded.quiet_until > reach.quiet_until
        """,
        id=person_id,
        until=until,
    )


def end_quiet(tx: Transaction, person_id: int) -> None:
    """Note that the bot talks to a person again."""
    tx.run("UPDATE reach SET quiet_until = '' WHERE person_id = :id AND quiet_until <> ''", id=person_id)


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


def price(tx: Transaction, person_id: int, window: Window | None, *, now: datetime) -> str:
    """Tell what a message to a person would cost at a moment: FREE, PAID or CLOSED.

    `window` is the one of the person's channel; without one, everybody who did not leave is free to write to.
    """
    sql, values = _priced(window, now)
    row = tx.one(f"SELECT {sql} AS price {_FROM} WHERE p.id = :id", id=person_id, **values)
    return CLOSED if row is None else str(row["price"])


def prices(tx: Transaction, channel: str, window: Window | None, *, now: datetime) -> dict[str, int]:
    """Count a channel's people by what a message to them would cost at a moment."""
    sql, values = _priced(window, now)
    rows = tx.all(
        f"SELECT price, COUNT(*) AS people FROM (SELECT {sql} AS price {_FROM} "  # noqa: S608 - constants
        "WHERE p.channel = :channel) AS priced GROUP BY price",
        channel=channel,
        **values,
    )
    return {FREE: 0, PAID: 0, CLOSED: 0} | {row["price"]: int(row["people"]) for row in rows}


_FROM = "FROM people p LEFT JOIN reach r ON r.person_id = p.id"
_LEFT = "p.gone_at IS NOT NULL OR COALESCE(r.closed, '') <> ''"


def _priced(window: Window | None, now: datetime) -> tuple[str, dict[str, str | int]]:
    """Return the price of a person as an expression, and its values."""
    if window is None:
        return f"CASE WHEN {_LEFT} THEN '{CLOSED}' ELSE '{FREE}' END", {}
    last = "COALESCE(r.interacted_at, '')"
    return (
        f"""CASE
            WHEN {_LEFT} OR {last} <= :paid_since THEN '{CLOSED}'
            WHEN {last} > :free_since AND (:free = 0 OR r.sent_since < :free) THEN '{FREE}'
            ELSE '{PAID}' END""",
        {
            "paid_since": stamp(now - timedelta(days=window.paid_days)),
            "free_since": stamp(now - timedelta(hours=window.free_hours)),
            "free": window.free_messages,
        },
    )
