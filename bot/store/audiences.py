"""Who belongs to an audience, and who of them cannot be written to, decided by the database page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.audience import LONG_AGO, REPORTED, UNREPORTED, Audience
from bot.store.database import Row, Transaction

# Why somebody is left out of a plan.
NO_CONSENT, GONE, CHANNEL_OFF, WINDOW, REMINDED, LINKED = (
    "no-consent",
    "gone",
    "channel-off",
    "window-closed",
    "reminded",
    "linked",
)

# A person with all their linked channels.
CIRCLE_OF = """
    SELECT {id} AS person_id UNION
    SELECT o.person_id FROM links m JOIN links o ON o.circle = m.circle WHERE m.person_id = {id}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The moments after which a person's last word leaves the window of a channel open."""

    free: str
    free_messages: int
    paid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """Everything the database needs to know to sort people.

    `codes` are (code, district, commune key) of posters; `week_ago` and `per_week` limit reminders; `long_ago` is the
    day before which a report is long ago; `windows` are channels where the last word matters.
    """

    audience: Audience
    channels: Sequence[str]
    default_language: str
    codes: Sequence[tuple[str, str, str]]
    week_ago: str
    per_week: int
    long_ago: str
    windows: Mapping[str, Since]


def last_person(tx: Transaction) -> int:
    """Return the highest number of a person."""
    row = tx.one("SELECT MAX(id) AS last FROM people")
    return int((row["last"] if row else 0) or 0)


def plan_page(tx: Transaction, number: int, sieve: Sieve, *, after: int, upto: int) -> list[Row]:
    """Put one page of people into the ledger of a broadcast; counts of all by channel, reason and paid."""
    query, values = _judged(sieve)
    values |= {"after": after, "upto": upto}
    tx.run(
        f"""
        INSERT INTO deliveries (broadcast_id, person_id, channel, language, district, paid)
        {query}
        SELECT CAST(:number AS INTEGER), id, channel, language, district, paid FROM judged
        WHERE reason = '' ORDER BY id
        """,  # noqa: S608 - no value in it
        number=number,
        **values,
    )
    return tx.all(
        f"{query} SELECT channel, reason, paid, COUNT(*) AS people FROM judged GROUP BY channel, reason, paid",  # noqa: S608
        **values,
    )


def keep_one_of_linked(tx: Transaction, number: int) -> list[Row]:
    """Leave one message for all linked channels of a person, the cheapest, then where they were seen last.

    Returns channel and paid of every message taken out.
    """
    rows = tx.all(
        """
        SELECT d.id, d.channel, d.paid, l.circle FROM deliveries d
        JOIN links l ON l.person_id = d.person_id JOIN people p ON p.id = d.person_id
        WHERE d.broadcast_id = :number ORDER BY l.circle, d.paid, p.seen_at DESC, d.id
        """,
        number=number,
    )
    double = [row for before, row in pairwise(rows) if before["circle"] == row["circle"]]
    for row in double:
        tx.run("DELETE FROM deliveries WHERE id = :id", id=row["id"])
    return double


def count_others(
    tx: Transaction, number: int, sieve: Sieve, *, began_at: str, until: str, after: int, upto: int
) -> Row | None:
    """Count people of the audience who got nothing and had not reported: people, and how many reported until then."""
    query, values = _known(sieve)
    return tx.one(
        f"""
        WITH {query}
        SELECT COUNT(*) AS people,
            COALESCE(SUM(CASE WHEN known.reported_at <= :until THEN 1 ELSE 0 END), 0) AS reported
        FROM known WHERE known.gone_at IS NULL AND known.created_at < :began_at
            AND (known.reported_at IS NULL OR known.reported_at > :began_at)
            AND NOT EXISTS (
                SELECT 1 FROM deliveries d WHERE d.broadcast_id = :number AND d.state IN ('sent', 'unknown')
                AND d.person_id IN ({CIRCLE_OF.format(id="known.id")})
            )
        """,  # noqa: S608 - no value in it
        number=number,
        began_at=began_at,
        until=until,
        **{**values, "after": after, "upto": upto},
    )


def _known(sieve: Sieve) -> tuple[str, dict[str, object]]:
    """Write the tables of a page's people with what is known of them, within the audience but for their report."""
    audience = sieve.audience
    codes = sieve.codes or (("", "", ""),)
    values: dict[str, object] = {"default_language": sieve.default_language}
    for index, (code, district, commune) in enumerate(codes):
        values |= {f"c{index}": code, f"d{index}": district, f"k{index}": commune}
    listed = ", ".join(f"(:c{index}, :d{index}, :k{index})" for index in range(len(codes)))
    wanted = []
    if audience.districts:
        values |= {f"in{index}": district for index, district in enumerate(audience.districts)}
        wanted.append(f"COALESCE(r.district, c.district, '') IN ({_names('in', audience.districts)})")
    if audience.commune:
        values["commune"] = audience.commune
        wanted.append("COALESCE(r.commune, c.commune, '') = :commune")
    if audience.channel:
        values["channel"] = audience.channel
        wanted.append("p.channel = :channel")
    if audience.language:
        values["language"] = audience.language
        wanted.append("COALESCE(NULLIF(p.language, ''), :default_language) = :language")
    if audience.source:
        values["source"] = audience.source
        wanted.append("p.source = :source")
    query = f"""
        codes (code, district, commune) AS (VALUES {listed}),
        known AS (
            SELECT p.id, p.channel, COALESCE(NULLIF(p.language, ''), :default_language) AS language, p.gone_at,
                p.created_at, COALESCE(r.district, c.district, '') AS district, r.day AS day, r.reported_at
            FROM people p LEFT JOIN links l ON l.person_id = p.id
            LEFT JOIN reports r ON r.person_id = CASE WHEN l.circle IS NULL THEN p.id ELSE (
                SELECT t.person_id FROM links o JOIN reports t ON t.person_id = o.person_id
                WHERE o.circle = l.circle ORDER BY t.reported_at LIMIT 1) END
            LEFT JOIN codes c ON c.code = p.source
            WHERE p.id > :after AND p.id <= :upto {"".join(f" AND {condition}" for condition in wanted)}
        )"""  # noqa: S608 - no value in it
    return query, values


def _judged(sieve: Sieve) -> tuple[str, dict[str, object]]:
    """Write the tables in which everybody of the audience has a reason to be left out, or none."""
    query, values = _known(sieve)
    values |= {"per_week": sieve.per_week, "week_ago": sieve.week_ago}
    values |= {f"on{index}": channel for index, channel in enumerate(sieve.channels)}
    closed, paid = ["1 = 0"], ["1 = 0"]
    for index, (channel, since) in enumerate(sieve.windows.items()):
        values |= {f"w{index}": channel, f"wp{index}": since.paid, f"wf{index}": since.free}
        here = f"k.channel = :w{index}"
        closed.append(f"{here} AND (w.person_id IS NULL OR w.closed <> '' OR w.interacted_at <= :wp{index})")
        used_up = ""
        if since.free_messages:
            values[f"wn{index}"] = since.free_messages
            used_up = f" OR w.sent_since >= :wn{index}"
        paid.append(f"{here} AND (w.interacted_at <= :wf{index}{used_up})")
    reported = {
        REPORTED: "k.day IS NOT NULL",
        UNREPORTED: "k.day IS NULL",
        LONG_AGO: "k.day < :long_ago",
    }.get(sieve.audience.reports, "1 = 1")
    if sieve.audience.reports == LONG_AGO:
        values["long_ago"] = sieve.long_ago
    return (
        f"""
        WITH {query},
        judged AS (
            SELECT k.id, k.channel, k.language, k.district,
                CASE WHEN {_either(paid)} THEN 1 ELSE 0 END AS paid,
                CASE
                WHEN NOT EXISTS (
                    SELECT 1 FROM consents a
                    WHERE a.person_id = k.id AND a.purpose = 'reminders' AND a.withdrawn_at IS NULL
                ) THEN '{NO_CONSENT}'
                WHEN k.gone_at IS NOT NULL THEN '{GONE}'
                WHEN k.channel NOT IN ({_names("on", sieve.channels)}) THEN '{CHANNEL_OFF}'
                WHEN {_either(closed)} THEN '{WINDOW}'
                WHEN :per_week <= (
                    SELECT COUNT(*) FROM deliveries b WHERE b.person_id IN ({CIRCLE_OF.format(id="k.id")})
                    AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed')
                ) THEN '{REMINDED}'
                ELSE '' END AS reason
            FROM known k LEFT JOIN reach w ON w.person_id = k.id
            WHERE {reported}
        )
        """,  # noqa: S608 - no value in it
        values,
    )


def _either(conditions: Sequence[str]) -> str:
    return " OR ".join(f"({condition})" for condition in conditions)


def _names(prefix: str, values: Sequence[str]) -> str:
    return ", ".join(f":{prefix}{index}" for index in range(len(values))) or "NULL"
