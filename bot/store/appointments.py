"""Messages to one person at one moment: reminders that citizens ask for, follow-ups, weekly summaries, reports.

A row goes from waiting to claimed and then to sent, missed, failed or unknown, never back, with one exception: what was
certainly not delivered may wait again. Only claimed rows are ever on their way.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.audiences import CIRCLE_OF
from bot.store.database import Row, Transaction
from bot.store.in_lists import in_lists

WAITING, CLAIMED, SENT, MISSED, FAILED, UNKNOWN = "waiting", "claimed", "sent", "missed", "failed", "unknown"
ASKED, FOLLOW_UP, SUMMARY, REPORT = "asked", "follow-up", "summary", "report"
_WILLING = """EXISTS (
    SELECT 1 FROM consents k WHERE k.person_id = {id} AND k.purpose = '{purpose}' AND k.withdrawn_at IS NULL
)"""
_REPORTED = "EXISTS (SELECT 1 FROM reports r WHERE r.person_id IN ({circle}))"


def add(tx: Transaction, person_id: int, *, kind: str, due_at: str, at: str) -> bool:
    """Plan a message; False when the same one is there already, whatever became of it."""
    return bool(
        tx.run(
            """
            INSERT INTO appointments (person_id, kind, due_at, send_at, at) VALUES (:id, :kind, :due_at, :due_at, :at)
            ON CONFLICT (person_id, kind, due_at) DO NOTHING
            """,
            id=person_id,
            kind=kind,
            due_at=due_at,
            at=at,
        )
    )


def add_follow_up(tx: Transaction, person_id: int, *, due_at: str, at: str) -> None:
    """Plan a follow-up for somebody who wants reminders, has not reported and had none of late."""
    willing = _WILLING.format(id=":id", purpose="reminders")
    reported = _REPORTED.format(circle=CIRCLE_OF.format(id="CAST(:id AS INTEGER)"))
    tx.run(
        f"""
        INSERT INTO appointments (person_id, kind, due_at, send_at, at)
        SELECT CAST(:id AS INTEGER), '{FOLLOW_UP}', CAST(:due_at AS TEXT), CAST(:due_at AS TEXT), CAST(:at AS TEXT)
        WHERE {willing} AND NOT {reported} AND NOT EXISTS (
            SELECT 1 FROM appointments a WHERE a.person_id = :id AND a.kind = '{FOLLOW_UP}'
        ) ON CONFLICT (person_id, kind, due_at) DO NOTHING
        """,  # noqa: S608 - no value in it
        id=person_id,
        due_at=due_at,
        at=at,
    )


def add_summaries(tx: Transaction, *, due_at: str, at: str) -> int:
    """Plan a summary for everybody who holds a role and wanted it before that moment; returns how many are new."""
    return tx.run(
        f"""
        INSERT INTO appointments (person_id, kind, due_at, send_at, at)
        SELECT DISTINCT k.person_id, '{SUMMARY}', CAST(:due_at AS TEXT), CAST(:due_at AS TEXT), CAST(:at AS TEXT)
        FROM consents k JOIN roles o ON o.person_id = k.person_id
        WHERE k.purpose = 'summary' AND k.withdrawn_at IS NULL AND k.given_at < :due_at
        ON CONFLICT (person_id, kind, due_at) DO NOTHING
        """,  # noqa: S608 - no value in it
        due_at=due_at,
        at=at,
    )


def add_reports(tx: Transaction, *, every: str, due_at: str, at: str) -> int:
    """Plan the notice of a report for all officers to whom one comes that often; returns how many are new."""
    return tx.run(
        f"""
        INSERT INTO appointments (person_id, kind, due_at, send_at, at)
        SELECT o.person_id, '{REPORT}', CAST(:due_at AS TEXT), CAST(:due_at AS TEXT), CAST(:at AS TEXT)
        FROM report_orders o WHERE o.every = :every AND o.made_at < :due_at
        ON CONFLICT (person_id, kind, due_at) DO NOTHING
        """,  # noqa: S608 - no value in it
        every=every,
        due_at=due_at,
        at=at,
    )


def of_person(tx: Transaction, person_id: int, *, kind: str) -> list[Row]:
    """List a person's messages of a kind that wait, or whose time went by unused: id, due_at, state; by their time."""
    return tx.all(
        """
        SELECT id, due_at, state FROM appointments
        WHERE person_id = :id AND kind = :kind AND state IN ('waiting', 'missed') ORDER BY due_at
        """,
        id=person_id,
        kind=kind,
    )


def cancel(tx: Transaction, person_id: int, number: int) -> bool:
    """Call one off, or forget that it was missed; False when it is on its way or over."""
    return bool(
        tx.run(
            "DELETE FROM appointments WHERE id = :number AND person_id = :id AND state IN ('waiting', 'missed')",
            number=number,
            id=person_id,
        )
    )


def cancel_all(tx: Transaction, person_id: int, *, kinds: Sequence[str]) -> None:
    """Call off everything of some kinds that is not over; what is on its way this second is held back too."""
    for kind in kinds:
        tx.run(
            "DELETE FROM appointments WHERE person_id = :id AND kind = :kind AND state IN ('waiting', 'claimed')",
            id=person_id,
            kind=kind,
        )


def has_work(tx: Transaction, *, at: str) -> bool:
    """Tell whether anything is due, or was claimed by a sender that cannot tell of it any more."""
    row = tx.one(
        "SELECT 1 FROM appointments WHERE (state = 'waiting' AND send_at <= :at) OR state = 'claimed' LIMIT 1", at=at
    )
    return row is not None


def due(tx: Transaction, channel: str, *, at: str, week_ago: str, limit: int) -> list[Row]:
    """List what is due on a channel, with everything that decides whether it is sent.

    `willing` tells of the consent that its kind needs; `reported` and `reminded` count linked channels too.
    """
    circle = CIRCLE_OF.format(id="a.person_id")
    return tx.all(
        f"""
        SELECT a.id, a.person_id, a.kind, a.due_at, a.tries, p.channel, p.address, p.language, p.gone_at,
            COALESCE(w.quiet_until, '') AS quiet_until,
            CASE WHEN a.kind = '{SUMMARY}' THEN {_WILLING.format(id="a.person_id", purpose="summary")}
                WHEN a.kind = '{REPORT}' THEN EXISTS (
                    SELECT 1 FROM report_orders o WHERE o.person_id = a.person_id
                )
                ELSE {_WILLING.format(id="a.person_id", purpose="reminders")} END AS willing,
            {_REPORTED.format(circle=circle)} AS reported,
            (
                SELECT COUNT(*) FROM deliveries b WHERE b.person_id IN ({circle})
                AND b.at > :week_ago AND b.state IN ('sent', 'unknown', 'claimed', 'held')
            ) AS reminded
        FROM appointments a JOIN people p ON p.id = a.person_id LEFT JOIN reach w ON w.person_id = a.person_id
        WHERE a.state = 'waiting' AND a.send_at <= :at AND p.channel = :channel
        ORDER BY a.send_at, a.id LIMIT :limit
        """,  # noqa: S608 - no value in it
        channel=channel,
        at=at,
        week_ago=week_ago,
        limit=limit,
    )


def claim(tx: Transaction, numbers: Sequence[int], *, holder: str, at: str) -> None:
    """Claim messages for sending right now."""
    for names, named in in_lists(numbers):
        tx.run(
            f"UPDATE appointments SET state = 'claimed', holder = :holder, at = :at WHERE id IN ({names})",  # noqa: S608
            holder=holder,
            at=at,
            **named,
        )


def holds(tx: Transaction, number: int, *, holder: str) -> bool:
    """Tell whether a claim still stands: nobody called the message off, no other sender took over."""
    row = tx.one(
        "SELECT 1 FROM appointments WHERE id = :id AND state = 'claimed' AND holder = :holder", id=number, holder=holder
    )
    return row is not None


def put_off(tx: Transaction, number: int, *, until: str, at: str, tries: int = 0) -> None:
    """Have a message that certainly did not arrive wait for another moment."""
    tx.run(
        """
        UPDATE appointments SET state = 'waiting', holder = '', send_at = :until, at = :at, tries = tries + :tries
        WHERE id = :id AND state IN ('waiting', 'claimed')
        """,
        id=number,
        until=until,
        at=at,
        tries=tries,
    )


def end(tx: Transaction, number: int, *, state: str, reason: str = "", at: str) -> None:
    """Note how a message ended; one that was called off or taken over is left alone."""
    tx.run(
        """
        UPDATE appointments SET state = :state, reason = :reason, at = :at
        WHERE id = :id AND state IN ('waiting', 'claimed')
        """,
        id=number,
        state=state,
        reason=reason,
        at=at,
    )


def drop(tx: Transaction, number: int) -> None:
    """Forget a message that is not needed any more."""
    tx.run("DELETE FROM appointments WHERE id = :id", id=number)


def mark_lost(tx: Transaction, *, at: str) -> int:
    """Note as unknown what a sender had claimed that cannot tell of it any more; returns how many."""
    return tx.run(
        "UPDATE appointments SET state = 'unknown', reason = 'sender-died', at = :at WHERE state = 'claimed'", at=at
    )


def miss_due(tx: Transaction, *, at: str) -> int:
    """Note as missed whatever should have left before a moment; returns how many."""
    return tx.run(
        """
        UPDATE appointments SET state = 'missed', reason = 'restored', at = :at
        WHERE state IN ('waiting', 'claimed') AND send_at <= :at
        """,
        at=at,
    )


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what was over before a moment; returns how many."""
    return tx.run("DELETE FROM appointments WHERE state NOT IN ('waiting', 'claimed') AND at < :moment", moment=moment)
