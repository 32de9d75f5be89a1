"""What the help desk works with: officers, citizens' cases, what is said in them, and how much waits.

`bot.helpdesk` and its callers read these; `case_of` and `message_of` make them of rows of the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot import access
from bot.clock import moment
from bot.store import Row, conversations

HELP, DATA = "help", "data"


@dataclass(frozen=True, slots=True)
class Officer:
    """Who acts: their number and what they may do."""

    id: int
    grants: tuple[access.Grant, ...]


@dataclass(frozen=True, slots=True)
class Colleague:
    """An officer who may take a case: number, language and areas; an empty area is the whole province."""

    id: int
    language: str
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One citizen's conversation with officers; `officer` is 0 while nobody has it in hand.

    `waiting_since` is None when an officer spoke last; `due_at` is when words are due.
    """

    number: int
    person_id: int
    kind: str
    district: str
    question: str = field(repr=False)
    officer: int
    opened_at: datetime
    due_at: datetime
    waiting_since: datetime | None
    spoke_at: datetime
    closed_at: datetime | None
    language: str
    channel: str

    @property
    def closed(self) -> bool:
        """Return True if the case has ended."""
        return self.closed_at is not None

    def overdue(self, at: datetime) -> bool:
        """Tell whether the citizen has waited longer than promised."""
        return self.waiting_since is not None and self.due_at < at


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """One message of a conversation; `officer` is 0 for the citizen's own words and for an officer who was deleted."""

    number: int
    by_officer: bool
    officer: int
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in a scope, and how much of it longer than promised.

    `mine` counts the open cases in the officer's hand; `to_answer` those that wait and are in no colleague's hand.
    """

    waiting: int
    overdue: int
    overdue_data: int
    mine: int
    to_answer: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a citizen may expect: their district where known, how many officers are called, when they are at work."""

    district: str
    officers: int
    at_work: bool
    opens: datetime
    due: datetime


def case_of(row: Row) -> Case:
    """Return a case as the store keeps it."""
    return Case(
        row["id"],
        row["person_id"],
        row["kind"],
        row["district"],
        row["question"],
        row["officer_id"],
        moment(row["opened_at"]),
        moment(row["due_at"]),
        moment(row["waiting_since"]) if row["waiting_since"] else None,
        moment(row["spoke_at"]),
        moment(row["closed_at"]) if row["closed_at"] else None,
        row["language"],
        row["channel"],
    )


def message_of(row: Row) -> CaseMessage:
    """Return a message of a case as the store keeps it."""
    return CaseMessage(
        row["id"], row["author"] == conversations.OFFICER, row["officer_id"], row["text"], moment(row["at"])
    )
