"""Messages to many people: what is sent, and one ledger row for each person it goes to.

A row goes from planned to claimed and then to sent, failed, gone, over_quota, unknown or skipped, never back, with two
exceptions: what was certainly not delivered may be planned again. Only claimed rows are ever on their way. Rows that
are held back to compare with (`bot.store.trials`) stay so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.store.audiences import CIRCLE_OF, FOLLOWED_UP
from bot.store.database import Row, Transaction
from bot.store.in_lists import in_lists

DRAFT, PLANNING, PLANNED, WAITING = "draft", "planning", "planned", "waiting"
SCHEDULED, RUNNING, PAUSED, STOPPED, DONE = "scheduled", "running", "paused", "stopped", "done"

HELD, CLAIMED, SENT, FAILED, GONE, OVER_QUOTA, UNKNOWN, SKIPPED = (
    "held",
    "claimed",
    "sent",
    "failed",
    "gone",
    "over_quota",
    "unknown",
    "skipped",
)
OUTCOMES = (SENT, FAILED, GONE, OVER_QUOTA, UNKNOWN, SKIPPED)
OPTED_OUT, REMINDED, WINDOW = "opted-out", "reminded", "window-closed"
CRASHED, NO_BUDGET, LEFT = "sender-died", "monthly-budget", "left"

_COLUMNS = (
    "id, series, made_by, audience, texts, ready, confirmed_by, state, reason, plan, approved_by, starts_at, "
    "weekly_until, made_at, changed_at, began_at, ended_at, proof, names_gone_at, trial"
)


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How one claimed row ended; `state` planned means it may be tried again."""

    delivery: int
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """Who claims and when, and when a person may still be written to."""

    holder: str
    at: str
    week_ago: str
    per_week: int
    window_since: str = ""


# -- the broadcast itself ----------------------------------------------------------------------------------------


def add(tx: Transaction, *, made_by: str, audience: str, at: str) -> int:
    """Begin a draft and return its number."""
    row = tx.one(
        """
        INSERT INTO broadcasts (made_by, audience, made_at, changed_at) VALUES (:made_by, :audience, :at, :at)
        RETURNING id
        """,
        made_by=made_by,
        audience=audience,
        at=at,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def repeat(tx: Transaction, number: int, *, starts_at: str, at: str) -> None:
    """Schedule the next one of a series, to be planned when its time comes; does nothing when it is there already."""
    tx.run(
        """
        INSERT INTO broadcasts (
            series, made_by, audience, texts, ready, confirmed_by, state, approved_by, starts_at, weekly_until,
            made_at, changed_at
        )
        SELECT CASE WHEN series = 0 THEN id ELSE series END, made_by, audience, texts, ready, confirmed_by,
            'scheduled', approved_by, CAST(:starts_at AS TEXT), weekly_until, CAST(:at AS TEXT), CAST(:at AS TEXT)
        FROM broadcasts b WHERE b.id = :number AND NOT EXISTS (
            SELECT 1 FROM broadcasts o WHERE o.starts_at >= :starts_at
            AND o.series = CASE WHEN b.series = 0 THEN b.id ELSE b.series END
        )
        """,
        number=number,
        starts_at=starts_at,
        at=at,
    )


def find(tx: Transaction, number: int) -> Row | None:
    """Return everything about one broadcast."""
    return tx.one(f"SELECT {_COLUMNS} FROM broadcasts WHERE id = :number", number=number)  # noqa: S608 - no value in it


def latest(tx: Transaction, *, limit: int) -> list[Row]:
    """List broadcasts, newest first."""
    return tx.all(
        f"SELECT {_COLUMNS} FROM broadcasts ORDER BY id DESC LIMIT :limit",  # noqa: S608 - no value in it
        limit=limit,
    )


def open_(tx: Transaction) -> list[Row]:
    """List what is scheduled or running, oldest first."""
    return tx.all(
        f"SELECT {_COLUMNS} FROM broadcasts WHERE state IN ('scheduled', 'running') ORDER BY id"  # noqa: S608
    )


def busy(tx: Transaction) -> bool:
    """Tell whether anything is scheduled, running or watched."""
    row = tx.one(
        """
        SELECT 1 WHERE EXISTS (SELECT 1 FROM broadcasts WHERE state IN ('scheduled', 'running'))
        OR EXISTS (SELECT 1 FROM broadcast_watchers)
        """
    )
    return row is not None


def change(tx: Transaction, number: int, *, states: Sequence[str], at: str, **columns: str) -> bool:
    """Change columns of a broadcast that is in one of some states; False when it is in another."""
    named = {f"s{index}": state for index, state in enumerate(states)}
    changes = ", ".join(f"{column} = :{column}" for column in columns)
    return bool(
        tx.run(
            f"UPDATE broadcasts SET {changes}, changed_at = :at "  # noqa: S608 - columns are named in the code
            f"WHERE id = :number AND state IN ({', '.join(f':{name}' for name in named)})",
            number=number,
            at=at,
            **columns,
            **named,
        )
    )


def pause_all(tx: Transaction, *, at: str) -> int:
    """Have an officer decide on all that would be sent by itself; returns how many."""
    return tx.run(
        "UPDATE broadcasts SET state = 'paused', changed_at = :at WHERE state IN ('running', 'scheduled')", at=at
    )


def begin_planning(tx: Transaction, number: int, *, states: Sequence[str], at: str, stale: str) -> bool:
    """Take a broadcast for planning and empty its ledger; False while another plans it or it is past that."""
    taken = change(tx, number, states=states, at=at, state=PLANNING)
    if not taken:
        taken = bool(
            tx.run(
                """
                UPDATE broadcasts SET changed_at = :at
                WHERE id = :number AND state = 'planning' AND changed_at < :stale
                """,
                number=number,
                at=at,
                stale=stale,
            )
        )
    if taken:
        empty_ledger(tx, number)
    return taken


def empty_ledger(tx: Transaction, number: int) -> None:
    """Delete people and texts of a plan that was not released, and whether some of them are held back."""
    tx.run("UPDATE broadcasts SET trial = '' WHERE id = :number", number=number)
    tx.run("DELETE FROM deliveries WHERE broadcast_id = :number", number=number)
    tx.run("DELETE FROM broadcast_texts WHERE broadcast_id = :number", number=number)


def stop_series(tx: Transaction, series: int, *, reason: str, at: str) -> None:
    """Stop what is still to come of a series."""
    tx.run(
        """
        UPDATE broadcasts SET state = 'stopped', reason = :reason, changed_at = :at, ended_at = :at
        WHERE (series = :series OR id = :series) AND state IN ('scheduled', 'waiting')
        """,
        series=series,
        reason=reason,
        at=at,
    )


def forget(tx: Transaction, number: int) -> bool:
    """Delete a draft or a plan that was never released."""
    return bool(
        tx.run("DELETE FROM broadcasts WHERE id = :number AND state IN ('draft', 'planned', 'waiting')", number=number)
    )


def keep_texts(tx: Transaction, number: int, texts: Mapping[tuple[str, str], str]) -> None:
    """Freeze what is sent, by language and district."""
    for (language, district), text in texts.items():
        tx.run(
            "INSERT INTO broadcast_texts (broadcast_id, language, district, text) "
            "VALUES (:number, :language, :district, :text)",
            number=number,
            language=language,
            district=district,
            text=text,
        )


def texts(tx: Transaction, number: int) -> dict[tuple[str, str], str]:
    """Return what is sent, by language and district."""
    rows = tx.all("SELECT language, district, text FROM broadcast_texts WHERE broadcast_id = :number", number=number)
    return {(row["language"], row["district"]): row["text"] for row in rows}


# -- the ledger --------------------------------------------------------------------------------------------------


def keep_one_of_linked(tx: Transaction, number: int) -> int:
    """Leave one message for all linked channels of a person, the cheapest, then where they were seen last.

    Returns how many were taken out.
    """
    rows = tx.all(
        """
        SELECT d.id, l.circle FROM deliveries d
        JOIN links l ON l.person_id = d.person_id JOIN people p ON p.id = d.person_id
        WHERE d.broadcast_id = :number ORDER BY l.circle, d.paid, p.seen_at DESC, d.id
        """,
        number=number,
    )
    double = [row for before, row in pairwise(rows) if before["circle"] == row["circle"]]
    for row in double:
        tx.defer("DELETE FROM deliveries WHERE id = :id", id=row["id"])
    return len(double)


def planned(tx: Transaction, number: int) -> list[Row]:
    """Count a plan by channel: people, and how many of their messages cost money."""
    return tx.all(
        """
        SELECT channel, COUNT(*) AS people, SUM(paid) AS paid FROM deliveries
        WHERE broadcast_id = :number AND state = 'planned' GROUP BY channel ORDER BY channel
        """,
        number=number,
    )


def claim(
    tx: Transaction, number: int, *, channel: str, rule: ClaimRule, limit: int, but: Sequence[int] = ()
) -> list[Row]:
    """Claim the next rows of a running broadcast on one channel, except some, for sending right now.

    Who stopped reminders, left, was reminded often enough or, where there is a window, was silent for too long
    meanwhile, is taken out in the same transaction. Returns id, person_id, language, district, address, tries.
    """
    names, named = next(in_lists(but or (0,)))
    which = f"d.broadcast_id = :number AND d.state = 'planned' AND d.channel = :channel AND d.id NOT IN ({names})"
    while True:
        rows = _look_at(tx, which, limit=limit, rule=rule, number=number, channel=channel, **named)
        if (found := _still_fitting(tx, rows, rule)) or not rows:
            break
    _claim(tx, found, rule)
    return found


def claim_again(tx: Transaction, deliveries: Sequence[int], *, rule: ClaimRule) -> frozenset[int]:
    """Claim those of some planned rows that may still be sent, as `claim` does; returns their numbers."""
    claimed: set[int] = set()
    for names, named in in_lists(deliveries):
        rows = _look_at(tx, f"d.state = 'planned' AND d.id IN ({names})", limit=len(named), rule=rule, **named)
        found = _still_fitting(tx, rows, rule)
        _claim(tx, found, rule)
        claimed.update(row["id"] for row in found)
    return frozenset(claimed)


def _still_fitting(tx: Transaction, rows: Sequence[Row], rule: ClaimRule) -> list[Row]:
    """Return the rows that may be sent, and note of the others why not."""
    found, left_out = [], []
    for row in rows:
        if not row["willing"]:
            left_out.append(DeliveryResult(row["id"], SKIPPED, OPTED_OUT))
        elif row["gone_at"] is not None:
            left_out.append(DeliveryResult(row["id"], GONE, LEFT))
        elif row["reminded"] >= rule.per_week:
            left_out.append(DeliveryResult(row["id"], SKIPPED, REMINDED))
        elif rule.window_since and (row["closed"] or (row["interacted_at"] or "") <= rule.window_since):
            left_out.append(DeliveryResult(row["id"], OVER_QUOTA, WINDOW))
        else:
            found.append(row)
    note(tx, left_out, at=rule.at, before=PLANNED)
    return found


def _claim(tx: Transaction, rows: Sequence[Row], rule: ClaimRule) -> None:
    for names, named in in_lists([row["id"] for row in rows]):
        tx.run(
            f"UPDATE deliveries SET state = 'claimed', holder = :holder, at = :at WHERE id IN ({names})",  # noqa: S608
            holder=rule.holder,
            at=rule.at,
            **named,
        )


def _look_at(tx: Transaction, which: str, *, limit: int, rule: ClaimRule, **named: object) -> list[Row]:
    return tx.all(
        f"""
        SELECT d.id, d.person_id, d.language, d.district, d.tries, p.address, p.gone_at,
            w.interacted_at, COALESCE(w.closed, '') AS closed,
            EXISTS (
                SELECT 1 FROM consents a
                WHERE a.person_id = d.person_id AND a.purpose = 'reminders' AND a.withdrawn_at IS NULL
            ) AS willing,
            (
                SELECT COUNT(*) FROM deliveries b WHERE b.person_id IN ({CIRCLE_OF.format(id="d.person_id")})
                AND b.id <> d.id AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed', 'held')
            ) + {FOLLOWED_UP.format(those=f"IN ({CIRCLE_OF.format(id='d.person_id')})")} AS reminded
        FROM deliveries d JOIN people p ON p.id = d.person_id LEFT JOIN reach w ON w.person_id = d.person_id
        WHERE {which} AND EXISTS (SELECT 1 FROM broadcasts s WHERE s.id = d.broadcast_id AND s.state = 'running')
        ORDER BY d.id LIMIT :limit
        """,  # noqa: S608 - no value in it
        week_ago=rule.week_ago,
        limit=limit,
        **named,
    )


def note(tx: Transaction, outcomes: Sequence[DeliveryResult], *, at: str, before: str = CLAIMED) -> None:
    """Note how rows ended; a row that is not in the state before, or gone with its person, is left alone."""
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.state, outcome.reason].append(outcome.delivery)
    for (state, reason), numbers in groups.items():
        again = state == PLANNED
        for names, named in in_lists(numbers):
            tx.run(
                f"""
                UPDATE deliveries SET state = :state, reason = :reason, at = :at, tries = tries + :tries
                WHERE state = :before AND id IN ({names})
                """,  # noqa: S608 - no value in it
                state=state,
                reason=reason,
                at="" if again else at,
                tries=1 if again and reason else 0,
                before=before,
                **named,
            )


def recheck(tx: Transaction, delivery: int) -> Row | None:
    """Return what a claimed row hangs on: the broadcast's state, and whether the person still wants reminders."""
    return tx.one(
        """
        SELECT b.state, EXISTS (
            SELECT 1 FROM consents a
            WHERE a.person_id = d.person_id AND a.purpose = 'reminders' AND a.withdrawn_at IS NULL
        ) AS willing
        FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id WHERE d.id = :id
        """,
        id=delivery,
    )


def next_for(tx: Transaction, channel: str) -> int | None:
    """Return the oldest running broadcast that has something to send on a channel."""
    row = tx.one(
        """
        SELECT b.id FROM broadcasts b WHERE b.state = 'running' AND EXISTS (
            SELECT 1 FROM deliveries d WHERE d.broadcast_id = b.id AND d.state = 'planned' AND d.channel = :channel
        ) ORDER BY b.id LIMIT 1
        """,
        channel=channel,
    )
    return None if row is None else int(row["id"])


def has_work(tx: Transaction, channel: str) -> bool:
    """Tell whether a channel has something to send, or something claimed by nobody knows whom."""
    row = tx.one(
        """
        SELECT 1 FROM broadcasts b WHERE b.state IN ('running', 'paused', 'stopped') AND (
            EXISTS (
                SELECT 1 FROM deliveries d
                WHERE d.broadcast_id = b.id AND d.state = 'claimed' AND d.channel = :channel
            ) OR b.state = 'running' AND EXISTS (
                SELECT 1 FROM deliveries d
                WHERE d.broadcast_id = b.id AND d.state = 'planned' AND d.channel = :channel
            )
        ) LIMIT 1
        """,
        channel=channel,
    )
    return row is not None


def mark_lost(tx: Transaction, channel: str, *, holder: str, at: str) -> int:
    """Note as unknown what another sender of a channel had claimed and cannot tell of any more; returns how many."""
    return tx.run(
        """
        UPDATE deliveries SET state = 'unknown', reason = :reason, at = :at
        WHERE state = 'claimed' AND channel = :channel AND holder <> :holder
        AND broadcast_id IN (SELECT id FROM broadcasts WHERE state IN ('running', 'paused', 'stopped'))
        """,
        reason=CRASHED,
        channel=channel,
        holder=holder,
        at=at,
    )


def cancel_remaining(tx: Transaction, number: int, channel: str, *, state: str, reason: str, at: str) -> int:
    """Note for everything a broadcast still has to send on a channel that it will not be."""
    return tx.run(
        """
        UPDATE deliveries SET state = :state, reason = :reason, at = :at
        WHERE broadcast_id = :number AND state = 'planned' AND channel = :channel
        """,
        number=number,
        channel=channel,
        state=state,
        reason=reason,
        at=at,
    )


def finish(tx: Transaction, number: int, *, at: str) -> bool:
    """Note that a running broadcast has nothing more to send; False while it has."""
    return bool(
        tx.run(
            """
            UPDATE broadcasts SET state = 'done', changed_at = :at, ended_at = :at
            WHERE id = :number AND state = 'running' AND NOT EXISTS (
                SELECT 1 FROM deliveries d WHERE d.broadcast_id = :number AND d.state IN ('planned', 'claimed')
            )
            """,
            number=number,
            at=at,
        )
    )


def plan_failed_again(tx: Transaction, number: int) -> int:
    """Plan again what certainly did not arrive; returns how many."""
    return tx.run(
        """
        UPDATE deliveries SET state = 'planned', reason = '', tries = 0, at = ''
        WHERE broadcast_id = :number AND state = 'failed'
        """,
        number=number,
    )


def counts(tx: Transaction, number: int) -> list[Row]:
    """Count the ledger by channel and state, with what was deleted there."""
    return tx.all(
        """
        SELECT channel, state, SUM(people) AS people FROM (
            SELECT channel, state, COUNT(*) AS people FROM deliveries
            WHERE broadcast_id = :number GROUP BY channel, state
            UNION ALL
            SELECT channel, state, people FROM broadcast_tallies WHERE broadcast_id = :number
        ) AS parts GROUP BY channel, state ORDER BY channel, state
        """,
        number=number,
    )


def results(tx: Transaction, number: int) -> list[Row]:
    """Count the ledger by district, channel, state and reason, with what was deleted there."""
    return tx.all(
        """
        SELECT district, channel, state, reason, SUM(people) AS people FROM (
            SELECT district, channel, state, reason, COUNT(*) AS people FROM deliveries
            WHERE broadcast_id = :number GROUP BY district, channel, state, reason
            UNION ALL
            SELECT district, channel, state, reason, people FROM broadcast_tallies WHERE broadcast_id = :number
        ) AS parts GROUP BY district, channel, state, reason
        ORDER BY district, channel, state, reason
        """,
        number=number,
    )


def unknown(tx: Transaction, number: int, *, limit: int) -> list[Row]:
    """List whom a message may or may not have reached: person_id, channel, reason, at."""
    return tx.all(
        """
        SELECT person_id, channel, reason, at FROM deliveries
        WHERE broadcast_id = :number AND state = 'unknown' ORDER BY id LIMIT :limit
        """,
        number=number,
        limit=limit,
    )


def of_person(tx: Transaction, person_id: int) -> list[Row]:
    """List what was sent to a person, or perhaps sent, oldest first."""
    return tx.all(
        """
        SELECT broadcast_id AS broadcast, state, at FROM deliveries
        WHERE person_id = :id AND state IN ('sent', 'unknown') ORDER BY id
        """,
        id=person_id,
    )


# -- how long it names people ------------------------------------------------------------------------------------


def ended_before(tx: Transaction, moment: str) -> list[Row]:
    """List what ended before a moment and whose ledger still names people, oldest first."""
    return tx.all(
        f"""
        SELECT {_COLUMNS} FROM broadcasts b WHERE state IN ('stopped', 'done') AND ended_at < :moment
            AND EXISTS (SELECT 1 FROM deliveries d WHERE d.broadcast_id = b.id) ORDER BY id
        """,  # noqa: S608 - no value in it
        moment=moment,
    )


def idle_since(tx: Transaction, moment: str) -> list[Row]:
    """List what was planned and neither released nor gone on with since a moment, oldest first."""
    return tx.all(
        f"""
        SELECT {_COLUMNS} FROM broadcasts
        WHERE state IN ('planned', 'waiting', 'paused') AND changed_at < :moment AND starts_at < :moment ORDER BY id
        """,  # noqa: S608 - no value in it
        moment=moment,
    )


def forget_names(tx: Transaction, number: int, *, limit: int) -> bool:
    """Count rows of an ended broadcast's ledger in its tallies and delete them; tells whether any is left."""
    rows = tx.all(
        "SELECT id FROM deliveries WHERE broadcast_id = :number ORDER BY id LIMIT :limit", number=number, limit=limit
    )
    for names, named in in_lists([row["id"] for row in rows]):
        _tally(tx, tx.all(_TAKE_OUT.format(which=f"id IN ({names})"), **named))
    return len(rows) == limit


def forget_person(tx: Transaction, person_id: int) -> None:
    """Delete a person's rows from every ledger; what was settled stays counted."""
    _tally(tx, tx.all(_TAKE_OUT.format(which="person_id = :id AND state NOT IN ('planned', 'claimed')"), id=person_id))
    tx.run("DELETE FROM deliveries WHERE person_id = :id", id=person_id)


# Each row is taken out by one of all who try at once, and counted by that one.
_TAKE_OUT = "DELETE FROM deliveries WHERE {which} RETURNING broadcast_id, district, channel, state, reason"


def _tally(tx: Transaction, rows: Sequence[Row]) -> None:
    counted = Counter(
        (row["broadcast_id"], row["district"], row["channel"], row["state"], row["reason"]) for row in rows
    )
    for (number, district, channel, state, reason), people in sorted(counted.items()):
        tx.run(
            """
            INSERT INTO broadcast_tallies (broadcast_id, district, channel, state, reason, people)
            VALUES (:number, :district, :channel, :state, :reason, :people)
            ON CONFLICT (broadcast_id, district, channel, state, reason)
            DO UPDATE SET people = broadcast_tallies.people + excluded.people
            """,
            number=number,
            district=district,
            channel=channel,
            state=state,
            reason=reason,
            people=people,
        )


# -- who watches -------------------------------------------------------------------------------------------------


def watch(tx: Transaction, number: int, person_id: int) -> None:
    """Tell an officer how a broadcast goes on, from the beginning if they watched it before."""
    tx.run(
        """
        INSERT INTO broadcast_watchers (broadcast_id, person_id) VALUES (:number, :person)
        ON CONFLICT (broadcast_id, person_id) DO UPDATE SET message = '', shown = -1
        """,
        number=number,
        person=person_id,
    )


def watchers(tx: Transaction) -> list[Row]:
    """List who watches what: the broadcast, person_id, channel, address, language, message, shown."""
    return tx.all(
        """
        SELECT w.broadcast_id, w.person_id, w.message, w.shown, p.channel, p.address, p.language
        FROM broadcast_watchers w JOIN people p ON p.id = w.person_id
        WHERE p.gone_at IS NULL ORDER BY w.broadcast_id, w.person_id
        """
    )


def note_shown(tx: Transaction, number: int, person_id: int, *, message: str, shown: int) -> None:
    """Note what a watcher was told last, and where."""
    tx.run(
        """
        UPDATE broadcast_watchers SET message = :message, shown = :shown
        WHERE broadcast_id = :number AND person_id = :person
        """,
        number=number,
        person=person_id,
        message=message,
        shown=shown,
    )


def unwatch(tx: Transaction, number: int, person_id: int) -> None:
    """Tell an officer no more."""
    tx.run(
        "DELETE FROM broadcast_watchers WHERE broadcast_id = :number AND person_id = :person",
        number=number,
        person=person_id,
    )
