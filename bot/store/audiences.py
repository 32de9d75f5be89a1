"""Who gets a broadcast, and why the others do not: decided where the people are, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import orjson

from bot.store.database import Row, Transaction

ANY, REPORTED, UNREPORTED, LONG_AGO = "any", "reported", "unreported", "long-ago"
REPORTS: Final = (ANY, REPORTED, UNREPORTED, LONG_AGO)
LONG_AGO_DAYS = 90
NEVER = "9"  # sorts behind every moment
# Why somebody is left out of a plan.
NO_CONSENT, GONE, CHANNEL_OFF, REMINDED, LINKED = "no-consent", "gone", "channel-off", "reminded", "linked"
WINDOW = "window-closed"

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
_BROADCAST = """(
    SELECT COUNT(*) FROM deliveries b WHERE b.person_id {those}
    AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed', 'held')
)"""
_ONE, _CIRCLE = "= k.id", f"IN ({CIRCLE_OF.format(id='k.id')})"
# Linked channels share a report; the district is where it was made, else where the poster hangs.
_KNOWN = """
    places (code, district, commune) AS (VALUES {places}),
    known AS (
        SELECT p.id, p.channel, p.source, p.created_at, p.gone_at, r.day, r.reported_at, l.circle,
            COALESCE(NULLIF(p.language, ''), :default_language) AS language,
            CASE WHEN COALESCE(r.district, '') = '' THEN COALESCE(s.district, '') ELSE r.district END AS district,
            CASE WHEN COALESCE(r.district, '') = '' THEN COALESCE(s.commune, '') ELSE r.commune END AS commune
        FROM people p LEFT JOIN links l ON l.person_id = p.id
        LEFT JOIN reports r ON r.person_id = CASE WHEN l.circle IS NULL THEN p.id ELSE (
            SELECT t.person_id FROM links o JOIN reports t ON t.person_id = o.person_id
            WHERE o.circle = l.circle ORDER BY t.reported_at LIMIT 1) END AND r.reported_at < :before
        LEFT JOIN places s ON s.code = p.source
        WHERE p.id > :after AND p.id <= :upto AND p.created_at < :before
    )
"""
_REPORTS = {ANY: "1 = 1", UNREPORTED: "k.day IS NULL", REPORTED: "k.day IS NOT NULL", LONG_AGO: "k.day < :long_ago"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Those who asked for reminders, live there, and reported or not; what is empty sets no bounds.

    `districts` are ids; without them the whole province is meant, also people whose district nobody knows. `communes`
    are "district/key" with a key as in `Place.key`; a district of which there is one is meant only as far as these.
    `source` is a poster's code, `channel` and `language` are names. `held_of` is the broadcast that held them back.
    """

    districts: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    reports: str = ANY
    channel: str = ""
    language: str = ""
    source: str = ""
    held_of: int = 0

    def communes_of(self, district: str) -> tuple[str, ...]:
        """Return the keys of the communes of a district that are meant; none when all of it is."""
        return tuple(key for place, _, key in (one.partition("/") for one in self.communes) if place == district)

    @property
    def whole_districts(self) -> tuple[str, ...]:
        """The districts that are meant with all their communes."""
        return tuple(district for district in self.districts if not self.communes_of(district))

    def dump(self) -> str:
        """Write it down."""
        return orjson.dumps(asdict(self)).decode()


def load_audience(text: str) -> Audience:
    """Read what `dump` wrote, now or when one commune could be chosen."""
    kept = orjson.loads(text)
    districts, one = tuple(kept["districts"]), kept.pop("commune", "")
    communes = (f"{districts[0]}/{one}",) if one else tuple(kept.get("communes", ()))
    return Audience(**{**kept, "districts": districts, "communes": communes})


@dataclass(frozen=True, slots=True)
class Bounds:
    """A channel's window: messages are free after one moment, taken at all after another, so many of them free."""

    channel: str
    free_since: str
    paid_since: str
    free_messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Everything that decides on people at one moment; what is empty of the first seven sets no bounds.

    Somebody belongs to it who lives in one of `districts` or of `communes`, which are "district/key". `places` are
    code, district and commune of posters, `channels` those that are on. What happened from `before` on counts as if it
    had not happened yet, as far as that is known: who came, reported, agreed, took that back.
    """

    districts: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    channel: str = ""
    language: str = ""
    source: str = ""
    reports: str = ANY
    held_of: int = 0
    long_ago: str = ""
    week_ago: str = ""
    per_week: int = 0
    default_language: str
    channels: tuple[str, ...] = ()
    windows: tuple[Bounds, ...] = ()
    places: tuple[tuple[str, str, str], ...] = ()
    before: str = NEVER


def last_person(tx: Transaction) -> int:
    """Return the highest number of a person."""
    row = tx.one("SELECT MAX(id) AS last FROM people")
    return int((row["last"] if row else 0) or 0)


def enter(tx: Transaction, number: int, whom: Whom, *, after: int, upto: int) -> int:
    """Put everybody of a page who is to get a broadcast into its ledger; returns how many."""
    judged, values = _judged(whom)
    return tx.run(
        f"""
        INSERT INTO deliveries (broadcast_id, person_id, channel, language, district, paid)
        {judged} SELECT CAST(:number AS INTEGER), id, channel, language, district, paid
        FROM judged WHERE reason = '' ORDER BY id
        """,  # noqa: S608 - no value in it
        number=number,
        after=after,
        upto=upto,
        **values,
    )


def left_out(tx: Transaction, whom: Whom, *, after: int, upto: int) -> dict[str, int]:
    """Count those of a page who belong to the audience and get nothing, by reason."""
    judged, values = _judged(whom)
    rows = tx.all(
        f"{judged} SELECT reason, COUNT(*) AS people FROM judged WHERE reason <> '' GROUP BY reason",  # noqa: S608
        after=after,
        upto=upto,
        **values,
    )
    return {row["reason"]: row["people"] for row in rows}


def margins(tx: Transaction, whom: Whom, *, after: int, upto: int) -> list[Row]:
    """Count a page by everything that audiences are narrowed by: people of each combination, and what they cost."""
    judged, values = _judged(whom)
    return tx.all(
        f"""
        {judged} SELECT district, commune, channel, language, source, reports, reason,
            COUNT(*) AS people, SUM(paid) AS paid
        FROM judged GROUP BY district, commune, channel, language, source, reports, reason
        """,  # noqa: S608 - no value in it
        after=after,
        upto=upto,
        **values,
    )


def effect(tx: Transaction, number: int, whom: Whom, *, began_at: str, until: str, after: int, upto: int) -> Row | None:
    """Count on a page whom a broadcast reached who had not reported, the others there, and who of both reported then.

    Returns reached, reached_reported, others, others_reported; who was reached on a linked channel counts once.
    """
    known, values = known_people(whom)
    lives_there = _all_of(_lives_there(whom, values))
    return tx.one(
        f"""
        WITH {known}, told AS (
            SELECT k.*, d.at, EXISTS (
                SELECT 1 FROM links m JOIN links o ON o.circle = m.circle AND o.person_id <> m.person_id
                JOIN deliveries x ON x.person_id = o.person_id AND x.broadcast_id = :number
                    AND x.state IN ('sent', 'unknown')
                WHERE m.person_id = k.id
            ) AS elsewhere
            FROM known k LEFT JOIN deliveries d
                ON d.person_id = k.id AND d.broadcast_id = :number AND d.state IN ('sent', 'unknown')
        ), sides AS (
            SELECT CASE
                WHEN k.at IS NOT NULL THEN CASE WHEN COALESCE(k.reported_at, '9') > k.at THEN 'reached' ELSE '' END
                WHEN k.elsewhere OR k.gone_at IS NOT NULL OR k.created_at >= :began_at
                    OR COALESCE(k.reported_at, '9') <= :began_at OR NOT ({lives_there}) THEN ''
                ELSE 'others' END AS side, COALESCE(k.reported_at, '9') <= :until AS reported
            FROM told k
        )
        SELECT COALESCE(SUM(CASE WHEN side = 'reached' THEN 1 ELSE 0 END), 0) AS reached,
            COALESCE(SUM(CASE WHEN side = 'reached' AND reported THEN 1 ELSE 0 END), 0) AS reached_reported,
            COALESCE(SUM(CASE WHEN side = 'others' THEN 1 ELSE 0 END), 0) AS others,
            COALESCE(SUM(CASE WHEN side = 'others' AND reported THEN 1 ELSE 0 END), 0) AS others_reported
        FROM sides
        """,  # noqa: S608 - no value in it
        number=number,
        began_at=began_at,
        until=until,
        after=after,
        upto=upto,
        **values,
    )


def _judged(whom: Whom) -> tuple[str, Mapping[str, object]]:
    """Return the beginning of a statement that knows `judged`: each of the audience with a reason to leave them out."""
    known, values = known_people(whom)
    bounds = _lives_there(whom, values)
    for column in ("channel", "language", "source"):
        if wanted := getattr(whom, column):
            bounds.append(f"k.{column} || '' = :{column}")  # not by an index: the page is the shorter list
            values[column] = wanted
    bounds.append(_REPORTS[whom.reports])
    if whom.held_of:
        bounds.append(
            "k.id IN (SELECT h.person_id FROM deliveries h WHERE h.broadcast_id = :held_of AND h.state = 'held')"
        )
        values["held_of"] = whom.held_of
    values["long_ago"] = whom.long_ago
    on = _names("on", whom.channels or ("",), values)
    paid, closed = ["1 = 0"], ["1 = 0"]
    for place, window in enumerate(whom.windows):
        here = f"k.channel = :w{place}"
        values |= {
            f"w{place}": window.channel,
            f"w{place}_free": window.free_since,
            f"w{place}_paid": window.paid_since,
        }
        used_up = f"COALESCE(w.sent_since, 0) >= {window.free_messages} OR " if window.free_messages else ""
        paid.append(f"{here} AND ({used_up}COALESCE(w.interacted_at, '') <= :w{place}_free)")
        closed.append(f"{here} AND (COALESCE(w.closed, '') <> '' OR COALESCE(w.interacted_at, '') <= :w{place}_paid)")
    values |= {"week_ago": whom.week_ago, "per_week": whom.per_week}
    reminded = " + ".join(count.format(those=_ONE) for count in (_BROADCAST, FOLLOWED_UP))
    reminded_circle = " + ".join(count.format(those=_CIRCLE) for count in (_BROADCAST, FOLLOWED_UP))
    return (
        f"""
        WITH {known}, judged AS (
            SELECT k.id, k.channel, k.language, k.district, k.commune, k.source,
                CASE WHEN k.day IS NULL THEN '{UNREPORTED}' WHEN {_REPORTS[LONG_AGO]} THEN '{LONG_AGO}'
                    ELSE '{REPORTED}' END AS reports,
                CASE WHEN {" OR ".join(paid)} THEN 1 ELSE 0 END AS paid,
                CASE WHEN NOT EXISTS (
                    SELECT 1 FROM consents a
                    WHERE a.person_id = k.id AND a.purpose = 'reminders' AND a.given_at < :before
                        AND (a.withdrawn_at IS NULL OR a.withdrawn_at >= :before)
                ) THEN '{NO_CONSENT}'
                WHEN k.gone_at < :before THEN '{GONE}'
                WHEN k.channel NOT IN ({on}) THEN '{CHANNEL_OFF}'
                WHEN {" OR ".join(closed)} THEN '{WINDOW}'
                WHEN :per_week <= CASE WHEN k.circle IS NULL THEN {reminded} ELSE {reminded_circle} END
                THEN '{REMINDED}' ELSE '' END AS reason
            FROM known k LEFT JOIN reach w ON w.person_id = k.id
            WHERE {_all_of(bounds)}
        )
        """,  # noqa: S608 - no value in it
        values,
    )


def known_people(whom: Whom) -> tuple[str, dict[str, object]]:
    """Return the part of a statement that knows `places` and `known`, with its values."""
    values: dict[str, object] = {"default_language": whom.default_language, "before": whom.before}
    lines = []
    for number, place in enumerate(whom.places or (("", "", ""),)):
        names = (f"p{number}_code", f"p{number}_district", f"p{number}_commune")
        values.update(zip(names, place, strict=True))
        lines.append("({})".format(", ".join(f"CAST(:{name} AS TEXT)" for name in names)))
    return _KNOWN.format(places=", ".join(lines)), values


def _lives_there(whom: Whom, values: dict[str, object]) -> list[str]:
    places = [f"k.district IN ({_names('d', whom.districts, values)})"] if whom.districts else []
    if whom.communes:
        places.append(f"k.district || '/' || k.commune IN ({_names('c', whom.communes, values)})")
    return [f"({' OR '.join(places)})"] if places else []


def _all_of(bounds: Sequence[str]) -> str:
    return " AND ".join(bounds) or "1 = 1"


def _names(prefix: str, wanted: Sequence[str], values: dict[str, object]) -> str:
    named = {f"{prefix}{number}": value for number, value in enumerate(wanted)}
    values |= named
    return ", ".join(f":{name}" for name in named)
