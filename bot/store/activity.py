"""Questions and cases by day, kept when the questions and cases themselves are deleted; the rows name nobody."""

from __future__ import annotations

from typing import Final

from bot.store.database import Row, Transaction

ASKED, OPEN, HELPED, UNHELPED = "asked", "open", "helped", "unhelped"
CASE_OPENED, CASE_ANSWERED, CASE_IN_TIME, CASE_CLOSED = "case-opened", "case-answered", "case-in-time", "case-closed"

_QUESTIONS: Final = (
    (ASKED, "1 = 1"),
    (OPEN, "verdict <> 'answer'"),
    (HELPED, "helped = 1"),
    (UNHELPED, "helped = 0"),
)
# The first answer of an officer to a case.
_ANSWERED = """
    SELECT c.kind, c.district, c.due_at, MIN(m.at) AS at FROM conversations c
    JOIN conversation_messages m ON m.conversation_id = c.id AND m.author = 'officer'
    GROUP BY c.id, c.kind, c.district, c.due_at
"""
_CASES: Final = (
    (CASE_OPENED, "SELECT kind, district, opened_at AS at FROM conversations"),
    (CASE_CLOSED, "SELECT kind, district, closed_at AS at FROM conversations"),
    (CASE_ANSWERED, f"SELECT kind, district, at FROM ({_ANSWERED}) AS answered"),  # noqa: S608 - no value in it
    (CASE_IN_TIME, f"SELECT kind, district, at FROM ({_ANSWERED}) AS answered WHERE at <= due_at"),  # noqa: S608
)


def count_day(tx: Transaction, day: str, *, since: str, until: str) -> None:
    """Count what happened from one moment to another under a day, in the place of what was counted before."""
    tx.run("DELETE FROM activity WHERE day = :day", day=day)
    insert = "INSERT INTO activity (day, subject, name, district, times) SELECT CAST(:day AS TEXT)"
    for subject, which in _QUESTIONS:
        tx.run(
            f"""
            {insert}, '{subject}', article, '', COUNT(*) FROM questions
            WHERE at >= :since AND at < :until AND {which} GROUP BY article
            """,
            day=day,
            since=since,
            until=until,
        )
    for subject, cases in _CASES:
        tx.run(
            f"""
            {insert}, '{subject}', kind, district, COUNT(*) FROM ({cases}) AS cases
            WHERE at >= :since AND at < :until GROUP BY kind, district
            """,
            day=day,
            since=since,
            until=until,
        )


def last_day(tx: Transaction) -> str:
    """Return the last day that was counted; empty when there is none."""
    row = tx.one("SELECT MAX(day) AS day FROM activity")
    return (row["day"] if row else "") or ""


def first_moment(tx: Transaction) -> str:
    """Return when the oldest question or case that is still there began; empty when there is none."""
    row = tx.one(
        """
        SELECT MIN(at) AS at FROM (
            SELECT MIN(at) AS at FROM questions UNION ALL SELECT MIN(opened_at) AS at FROM conversations
        ) AS oldest
        """
    )
    return (row["at"] if row else "") or ""


def between(tx: Transaction, *, since: str, until: str) -> list[Row]:
    """List day, subject, name, district, times of some days, both included."""
    return tx.all(
        """
        SELECT day, subject, name, district, times FROM activity
        WHERE day >= :since AND day <= :until ORDER BY day, subject, name, district
        """,
        since=since,
        until=until,
    )
