"""The inbox as a list: which cases an officer may read, found by words, number, place, channel, state, officer, days.

The desk calls it. It reads words to find them and shows none: reading is opening a case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot import access
from bot.helpdesk.models import Case, Officer, case_of
from bot.store import Transaction, case_notes, conversations
from bot.text.normalize import fold

OPEN, WAITING, OVERDUE, MINE, CLOSED, ALL = "open", "waiting", "overdue", "mine", "closed", "all"
STATES: Final = (OPEN, WAITING, OVERDUE, MINE, CLOSED, ALL)
_NUMBER = re.compile(r"(?:#|so |number |tin nhan so |message )?(\d{1,9})")


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted; what is empty sets no bounds. `district` None is any, "" those whose place is unknown."""

    words: str = ""
    state: str = OPEN
    district: str | None = None
    channel: str = ""
    officer: int = 0
    label: str = ""
    since: datetime | None = None  # when it was opened


@dataclass(frozen=True, slots=True)
class Listed:
    """The cases that were found, in order, and the labels of all that are labelled."""

    cases: tuple[Case, ...]
    labels: Mapping[int, tuple[str, ...]]


def list_cases(tx: Transaction, officer: Officer, wanted: CaseFilter, *, at: datetime) -> Listed:
    """Find cases within an officer's scope: open ones as they are due, then those that ended, the last first."""
    rows = [] if wanted.state == CLOSED else conversations.unfinished(tx)
    if wanted.state in (CLOSED, ALL):
        rows = rows + conversations.ended(tx)
    labels: dict[int, tuple[str, ...]] = {}
    for row in case_notes.labels(tx):
        labels[row["id"]] = (*labels.get(row["id"], ()), row["label"])
    found = [
        case
        for case in map(case_of, rows)
        if access.refusal(officer.grants, access.READ_MESSAGES, case.district) is None
        and _fits(case, wanted, officer, at)
        and (not wanted.label or wanted.label in labels.get(case.number, ()))
    ]
    if wanted.words:
        found = _with_words(tx, found, wanted.words)
    return Listed(tuple(found), labels)


def _fits(case: Case, wanted: CaseFilter, officer: Officer, at: datetime) -> bool:
    return (
        (wanted.state != WAITING or case.waiting_since is not None)
        and (wanted.state != OVERDUE or case.overdue(at))
        and (wanted.state != MINE or case.officer == officer.id)
        and (wanted.district is None or case.district == wanted.district)
        and (not wanted.channel or case.channel == wanted.channel)
        and (not wanted.officer or case.officer == wanted.officer)
        and (wanted.since is None or case.opened_at >= wanted.since)
    )


def _with_words(tx: Transaction, cases: list[Case], words: str) -> list[Case]:
    """Keep the case of a number, and those that hold all words, typed with or without accents."""
    wanted = fold(words).split()
    number = _NUMBER.fullmatch(fold(words))
    said: dict[int, list[str]] = {case.number: [case.question] for case in cases}
    for row in conversations.words_said(tx, list(said)):
        said[row["id"]].append(row["text"])
    return [
        case
        for case in cases
        if (number is not None and case.number == int(number[1])) or _holds(said[case.number], wanted)
    ]


def _holds(texts: Iterable[str], wanted: Iterable[str]) -> bool:
    folded = fold("\n".join(texts))
    return all(word in folded for word in wanted)
