"""Settling the queue: everybody who waits with the same matter gets the same answer, each in their own talk.

The desk calls it. What a text is about comes from outside as a function, the search of the content. Nobody is answered
whom an officer has not chosen, and who wrote something new meanwhile is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot import access
from bot.errors import NotAllowed
from bot.helpdesk.cases import LONGEST, HelpDesk
from bot.helpdesk.models import Case, CaseMessage, Officer
from bot.i18n.catalogue import mark
from bot.message import Capabilities
from bot.store import Transaction, reach
from bot.text.normalize import spoken

MOST_COMPARED, MOST_SHOWN = 500, 50

NO_ANSWER_YET = mark("Please answer this message first; then others can get the same answer.")
NOBODY_CHOSEN = mark("Please choose first whom this is for.")
CHANGED = mark("Something has changed in this message meanwhile.")

Matter = Callable[[str], str]  # a text → what it is about; empty where that is not known


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case that waits, with the citizen's words; `reachable` is False where the channel lets nobody write first."""

    case: Case
    said: tuple[str, ...] = field(repr=False)
    newest: int
    reachable: bool


def own_answer(desk: HelpDesk, tx: Transaction, officer: Officer, number: int) -> CaseMessage:
    """Return the officer's last answer in a case that they have in hand. Raise NotAllowed if there is none."""
    desk.held(tx, officer, number)
    _, said = desk.thread(tx, officer, number)
    own = [one for one in said if one.by_officer and one.officer == officer.id]
    if not own:
        raise NotAllowed(NO_ANSWER_YET)
    return own[-1]


def read_waiting(
    desk: HelpDesk, tx: Transaction, officer: Officer, *, capabilities: Mapping[str, Capabilities], at: datetime
) -> list[WaitingCase]:
    """List what waits in an officer's scope and is in no colleague's hand, with the citizens' words."""
    found: list[WaitingCase] = []
    for case in desk.cases(tx, officer):
        if case.waiting_since is None or case.officer not in (0, officer.id) or len(found) == MOST_COMPARED:
            continue
        _, said = desk.thread(tx, officer, case.number)
        window = capabilities[case.channel].window if case.channel in capabilities else None
        free = case.channel in capabilities and reach.price(tx, case.person_id, window, now=at) == reach.FREE
        words = tuple(one.text for one in said if not one.by_officer)
        found.append(WaitingCase(case, words, said[-1].number if said else 0, free))
    return found


def same_matter(asked: tuple[str, ...], waiting: list[WaitingCase], matter: Matter, *, but: int) -> list[WaitingCase]:
    """Keep those that are about the same as what one citizen asked, or say the same; takes a moment a case."""
    about, said = _about(asked, matter), {spoken(text) for text in asked}
    found = [
        one
        for one in waiting
        if one.case.number != but
        and (said & {spoken(text) for text in one.said} or (about and _about(one.said, matter) == about))
    ]
    return found[:MOST_SHOWN]


def answer_same(
    desk: HelpDesk, tx: Transaction, officer: Officer, number: int, text: str, *, newest: int, at: datetime
) -> None:
    """Take a case that waits and send an answer, unless the citizen wrote more than was shown; raises NotAllowed."""
    _unchanged(desk, tx, officer, number, newest, at)
    desk.answer(tx, officer, number, text[:LONGEST], at=at)


def close_same(desk: HelpDesk, tx: Transaction, officer: Officer, number: int, *, newest: int, at: datetime) -> None:
    """Take a case that waits and end it, unless the citizen wrote more than was shown; raises NotAllowed."""
    _unchanged(desk, tx, officer, number, newest, at)
    desk.close(tx, officer, number, at=at)


def _unchanged(desk: HelpDesk, tx: Transaction, officer: Officer, number: int, newest: int, at: datetime) -> None:
    tx.lock(f"talk {number}")
    case, said = desk.thread(tx, officer, number)
    if case.closed or case.waiting_since is None or (said and said[-1].number != newest):
        raise NotAllowed(CHANGED)
    if access.refusal(officer.grants, access.ANSWER_MESSAGES, case.district) is not None:
        raise NotAllowed(CHANGED)
    desk.take(tx, officer, number, at=at)


def _about(said: tuple[str, ...], matter: Matter) -> str:
    """Return what a citizen's words are about: the first of them that the search knows."""
    return next((found for text in said if (found := matter(text))), "")
