"""What officers keep for each other: notes and labels of a case, and replies saved for the next time.

The desk calls it within transactions. No citizen reads any of it. Passwords, codes and personal numbers are refused
here as in answers, since all of it would stay where nobody looks for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bot import access
from bot.clock import moment, stamp
from bot.errors import NotAllowed
from bot.helpdesk.cases import LONGEST, HelpDesk
from bot.helpdesk.models import Officer
from bot.i18n.catalogue import mark
from bot.store import Transaction, case_notes, saved_replies
from bot.text.normalize import clean
from bot.text.redaction import redact

LONGEST_LABEL, MOST_LABELS = 30, 8
LONGEST_TITLE, MOST_REPLIES = 80, 300

NO_NOTE = mark("The note is empty.")
NOTE_TOO_LONG = mark("The note is too long. Please shorten it.")
PRIVATE = mark("This was not kept: it holds a password, a code or a personal number. Please take that out first.")
NO_LABEL = mark("A label is one to thirty characters with a letter or a digit, without personal numbers.")
TOO_MANY_LABELS = mark("This message has many labels already. Please take one off first.")
NO_TITLE = mark("Please give the reply a title, at most 80 characters.")
NO_REPLY_TEXT = mark("Please write the text of the reply, at most 2,000 characters.")
REPLY_GONE = mark("This saved reply is no longer there.")
TOO_MANY_REPLIES = mark("There are too many saved replies. Please delete some first.")


@dataclass(frozen=True, slots=True)
class CaseNote:
    """A note of an officer; `officer` is 0 for one who was deleted."""

    officer: int
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class SavedReply:
    """An answer kept for the next time."""

    number: int
    title: str
    text: str


def notes_of(tx: Transaction, desk: HelpDesk, officer: Officer, number: int) -> list[CaseNote]:
    """List the notes of a case within an officer's scope, oldest first; raises NotAllowed."""
    desk.readable(tx, officer, number)
    return [
        CaseNote(row["officer_id"], row["text"], moment(row["at"])) for row in case_notes.of_conversation(tx, number)
    ]


def add_note(tx: Transaction, desk: HelpDesk, officer: Officer, number: int, text: str, *, at: datetime) -> None:
    """Note something for colleagues; one that is there word for word already is not kept twice. Raise NotAllowed."""
    text = clean(text)
    if not text:
        raise NotAllowed(NO_NOTE)
    if len(text) > LONGEST:
        raise NotAllowed(NOTE_TOO_LONG)
    _check_private(text)
    tx.lock(f"talk {number}")
    if any(note.text == text and note.officer == officer.id for note in notes_of(tx, desk, officer, number)):
        return
    case_notes.add(tx, number, officer_id=officer.id, text=text, at=stamp(at))
    desk.audit(tx, officer, "note", number, at)


def put_label(tx: Transaction, desk: HelpDesk, officer: Officer, number: int, text: str, *, at: datetime) -> None:
    """Put a label on a case within an officer's scope. Raise NotAllowed if it may not be, or is no label."""
    label = " ".join(clean(text).split())
    if not any(map(str.isalnum, label)) or len(label) > LONGEST_LABEL or redact(label).text != label:
        raise NotAllowed(NO_LABEL)
    tx.lock(f"talk {number}")
    desk.readable(tx, officer, number)
    there = case_notes.labels_of(tx, number)
    if label in there:
        return
    if len(there) >= MOST_LABELS:
        raise NotAllowed(TOO_MANY_LABELS)
    case_notes.label(tx, number, label)
    desk.audit(tx, officer, "label", number, at)


def take_label(tx: Transaction, desk: HelpDesk, officer: Officer, number: int, label: str, *, at: datetime) -> None:
    """Take a label off a case within an officer's scope; raises NotAllowed."""
    tx.lock(f"talk {number}")
    desk.readable(tx, officer, number)
    if label in case_notes.labels_of(tx, number):
        case_notes.unlabel(tx, number, label)
        desk.audit(tx, officer, "label", number, at)


def known_labels(tx: Transaction, officer: Officer) -> list[str]:
    """List every label of the cases within an officer's scope, by the alphabet."""
    rows = case_notes.labels(tx)
    may = [row for row in rows if access.refusal(officer.grants, access.READ_MESSAGES, row["district"]) is None]
    return list(dict.fromkeys(row["label"] for row in may))


def replies(tx: Transaction) -> list[SavedReply]:
    """List all saved replies by their titles."""
    return [SavedReply(row["id"], row["title"], row["text"]) for row in saved_replies.every(tx)]


def find_reply(tx: Transaction, number: int) -> SavedReply:
    """Return a saved reply. Raise NotAllowed if there is none."""
    row = saved_replies.find(tx, number)
    if row is None:
        raise NotAllowed(REPLY_GONE)
    return SavedReply(row["id"], row["title"], row["text"])


def keep_reply(tx: Transaction, officer: Officer, number: int, title: str, text: str, *, at: datetime) -> None:
    """Keep a reply, a new one for number 0, else in the place of what it was. Raise NotAllowed."""
    title, text = " ".join(clean(title).split()), clean(text)
    if not title or len(title) > LONGEST_TITLE:
        raise NotAllowed(NO_TITLE)
    if not text or len(text) > LONGEST:
        raise NotAllowed(NO_REPLY_TEXT)
    _check_private(title)
    _check_private(text)
    if number:
        if not saved_replies.change(tx, number, title=title, text=text, at=stamp(at)):
            raise NotAllowed(REPLY_GONE)
    else:
        there = replies(tx)
        if any((one.title, one.text) == (title, text) for one in there):
            return  # the button was pressed twice
        if len(there) >= MOST_REPLIES:
            raise NotAllowed(TOO_MANY_REPLIES)
        number = saved_replies.add(tx, title=title, text=text, at=stamp(at))
    access.write_audit(tx, actor=f"person {officer.id}", action="saved-reply", detail=f"keep {number}", at=at)


def delete_reply(tx: Transaction, officer: Officer, number: int, *, at: datetime) -> None:
    """Delete a saved reply. Raise NotAllowed if there is none."""
    if not saved_replies.delete(tx, number):
        raise NotAllowed(REPLY_GONE)
    access.write_audit(tx, actor=f"person {officer.id}", action="saved-reply", detail=f"delete {number}", at=at)


def _check_private(text: str) -> None:
    if redact(text).secrets:
        raise NotAllowed(PRIVATE)
