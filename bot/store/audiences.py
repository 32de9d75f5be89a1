"""What is known of people that decides who gets a broadcast, page by page; `bot/sieve.py` decides."""

from __future__ import annotations

from bot.store.database import Row, Transaction

# A person with all their linked channels.
CIRCLE_OF = """
    SELECT {id} AS person_id UNION
    SELECT o.person_id FROM links m JOIN links o ON o.circle = m.circle WHERE m.person_id = {id}
"""
# Follow-ups of the last week; they count against what was promised like the messages to many.
FOLLOWED_UP = """(
    SELECT COUNT(*) FROM appointments f WHERE f.person_id {those}
    AND f.kind = 'follow-up' AND f.at > :week_ago AND f.state IN ('sent', 'unknown', 'claimed')
)"""


def last_person(tx: Transaction) -> int:
    """Return the highest number of a person."""
    row = tx.one("SELECT MAX(id) AS last FROM people")
    return int((row["last"] if row else 0) or 0)


def facts(tx: Transaction, *, after: int, upto: int, week_ago: str) -> list[Row]:
    """List people by number, each with what a message to them depends on.

    `circle` names those with linked channels; district, commune, day and reported_at are of their report, which linked
    channels share; `reminded` counts the messages of the last week to all of them; interacted_at, sent_since and
    closed tell whether a window is open.
    """
    return tx.all(
        f"""
        SELECT p.id, p.channel, p.language, p.source, p.created_at, p.seen_at, p.gone_at,
            COALESCE(l.circle, '') AS circle, r.district, r.commune, r.day, r.reported_at,
            w.interacted_at, COALESCE(w.sent_since, 0) AS sent_since, COALESCE(w.closed, '') AS closed,
            EXISTS (
                SELECT 1 FROM consents a
                WHERE a.person_id = p.id AND a.purpose = 'reminders' AND a.withdrawn_at IS NULL
            ) AS willing,
            CASE WHEN l.circle IS NULL THEN (
                SELECT COUNT(*) FROM deliveries b WHERE b.person_id = p.id
                AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed')
            ) + {FOLLOWED_UP.format(those="= p.id")} ELSE (
                SELECT COUNT(*) FROM deliveries b WHERE b.person_id IN ({CIRCLE_OF.format(id="p.id")})
                AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed')
            ) + {FOLLOWED_UP.format(those=f"IN ({CIRCLE_OF.format(id='p.id')})")} END AS reminded
        FROM people p LEFT JOIN links l ON l.person_id = p.id
        LEFT JOIN reports r ON r.person_id = CASE WHEN l.circle IS NULL THEN p.id ELSE (
            SELECT t.person_id FROM links o JOIN reports t ON t.person_id = o.person_id
            WHERE o.circle = l.circle ORDER BY t.reported_at LIMIT 1) END
        LEFT JOIN reach w ON w.person_id = p.id
        WHERE p.id > :after AND p.id <= :upto ORDER BY p.id
        """,  # noqa: S608 - no value in it
        after=after,
        upto=upto,
        week_ago=week_ago,
    )
