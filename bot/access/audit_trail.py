"""The audit trail as people read it: lines as sentences, filtered by person, kind of act and day.

The desk and the chat call it. What is stored stays as it was written, since each line's hash covers it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.access.names import OfficerNames, officer_names
from bot.access.roles import ADMIN
from bot.clock import moment
from bot.i18n.catalogue import Catalogue, mark
from bot.store import Row, Transaction, roles

PERSON = "person "
# Kinds of acts that can be looked at alone: what they are called, and how their actions begin.
GROUPS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "messages": (
        mark("Citizens' messages"),
        (
            "read",
            "take",
            "answer",
            "hand over",
            "close",
            "reopen",
            "note",
            "label",
            "assign",
            "block",
            "export-talk",
            "search",
        ),
    ),
    "broadcasts": (mark("Messages to many people"), ("broadcast-",)),
    "roles": (mark("Roles and names"), ("invite", "grant", "revoke", "rename", "withdraw-invitations")),
    "exports": (mark("Files that were taken out"), ("export", "official report", "report-order")),
    "access": (mark("Signing in"), ("sign-in", "desk-link")),
    "content": (mark("Content"), ("reload", "content", "teach", "saved-reply")),
    "operation": (
        mark("Operation"),
        ("backup", "restore", "move", "demo-data", "import-official", "undo-official", "forget", "erased"),
    ),
}
_ACTORS: Final[Mapping[str, str]] = {
    "command line": mark("command line"),
    "citizen": mark("a citizen"),
    "content folder": mark("content folder"),
}
_VIEWS = "day|week|month|commune|district|channel|language|source"
# Action → what is said of it; the first pattern that fits its detail wins, the rest is the words that it found.
SENTENCES: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "invite": [(r"(?P<role>\w+) ?(?P<place>.*)", mark("invited: {role}"))],
    "grant": [(r"(?P<role>\w+) ?(?P<place>.*)", mark("took an invitation: {role}"))],
    "revoke": [(r"person (?P<person>\d+): (?P<roles>.*)", mark("took all roles from {person} ({roles})"))],
    "rename": [(r"person (?P<person>\d+)", mark("gave a name to {person}"))],
    "withdraw-invitations": [(r"(?P<number>\d+).*", mark("withdrew open invitations: {number}"))],
    "desk-link": [(r"person (?P<person>\d+)", mark("made a link to the desk for {person}"))],
    "sign-in": [(r".*", mark("signed in to the desk"))],
    "export": [
        (
            rf"(?P<form>csv|xlsx) (?:(?:{_VIEWS})(?:-2025)? )?(?P<places>.+)",
            mark("took out the counts as {form}, {places}"),
        ),
    ],
    "export-raw": [
        (r"(?P<number>\d+) reports", mark("took out every report, {number} lines")),
        (r".*", mark("took out every report")),
    ],
    "official report": [
        (
            r"(?P<since>\S+) (?P<until>\S+) (?P<places>.+)",
            mark("made the official report from {since} to {until}, {places}"),
        )
    ],
    "reload": [(r"(?P<what>.*)", mark("loaded changed content: {what}"))],
    "content": [(r"(?P<what>.*)", mark("content has changed: {what}"))],
    "teach": [(r"(?P<what>.*)", mark("taught the article {what} a question"))],
    "read": [
        (r"message (?P<number>\d+), part \d+", mark("got new words in message {number}")),
        (r"message (?P<number>\d+)", mark("read message {number}")),
    ],
    "take": [(r"message (?P<number>\d+)", mark("took message {number}"))],
    "answer": [(r"message (?P<number>\d+)", mark("answered message {number}"))],
    "hand over": [
        (r"message (?P<number>\d+) to person (?P<person>\d+)", mark("handed message {number} over to {person}")),
        (r"message (?P<number>\d+) to (?P<places>.+)", mark("handed message {number} over, {places}")),
    ],
    "close": [(r"message (?P<number>\d+)", mark("closed message {number}"))],
    "reopen": [(r"message (?P<number>\d+)", mark("opened message {number} again"))],
    "note": [(r"message (?P<number>\d+)", mark("wrote a note on message {number}"))],
    "label": [(r"message (?P<number>\d+)", mark("changed the labels of message {number}"))],
    "export-talk": [(r"message (?P<number>\d+)", mark("took out message {number} as a file"))],
    "search": [(r"messages (?P<number>\d+)", mark("searched the messages and found {number}"))],
    "saved-reply": [
        (r"keep (?P<number>\d+)", mark("kept saved reply {number}")),
        (r"delete (?P<number>\d+)", mark("deleted saved reply {number}")),
    ],
    "broadcast-draft": [(r"broadcast (?P<number>\d+) .*", mark("began broadcast {number}"))],
    "broadcast-plan": [(r"broadcast (?P<number>\d+) .*", mark("counted who gets broadcast {number}"))],
    "broadcast-test": [(r"broadcast (?P<number>\d+).*", mark("sent broadcast {number} to oneself as a test"))],
    "broadcast-confirm-text": [
        (r"broadcast (?P<number>\d+).*", mark("confirmed the facts of the text of broadcast {number}"))
    ],
    "broadcast-send": [(r"broadcast (?P<number>\d+) .*", mark("released broadcast {number}"))],
    "broadcast-move": [(r"broadcast (?P<number>\d+) .*", mark("moved broadcast {number} to another time"))],
    "broadcast-approve": [(r"broadcast (?P<number>\d+) .*", mark("approved broadcast {number}"))],
    "broadcast-begin": [(r"broadcast (?P<number>\d+) .*", mark("broadcast {number} has begun"))],
    "broadcast-pause": [(r"broadcast (?P<number>\d+) .*", mark("paused broadcast {number}"))],
    "broadcast-resume": [(r"broadcast (?P<number>\d+) .*", mark("went on with broadcast {number}"))],
    "broadcast-stop": [(r"broadcast (?P<number>\d+) .*", mark("stopped broadcast {number} for good"))],
    "broadcast-again": [(r"broadcast (?P<number>\d+) .*", mark("sent broadcast {number} again"))],
    "broadcast-discard": [(r"broadcast (?P<number>\d+).*", mark("discarded broadcast {number}"))],
    "broadcast-role-lost": [
        (r"broadcast (?P<number>\d+).*", mark("broadcast {number} was stopped: its maker is no officer any more"))
    ],
    "broadcast-left-lying": [
        (r"broadcast (?P<number>\d+).*", mark("broadcast {number} was stopped: it was left lying for too long"))
    ],
    "erased": [(r"receipt (?P<what>\S+)", mark("deleted everything about themselves, receipt {what}"))],
    "forget": [(r"person (?P<number>\d+)", mark("deleted everything about person {number}"))],
    "backup": [(r"(?P<what>.*)", mark("made the backup {what}"))],
    "restore": [(r"(?P<what>.*)", mark("restored the backup of {what}"))],
    "move": [(r"(?P<what>.*)", mark("moved the records here from {what}"))],
    "demo-data": [(r"(?P<number>\d+).*", mark("made simulated data of {number} people"))],
    "import-official": [
        (
            r"(?:import \d+: )?(?P<number>\d+) figures of (?P<what>.*)",
            mark("imported {number} official figures of {what}"),
        )
    ],
    "broadcast-hold-back": [(r"broadcast (?P<number>\d+).*", mark("set a share of broadcast {number} to hold back"))],
    "report-order": [(r"person (?P<person>\d+).*", mark("changed the regular reports for {person}"))],
    "undo-official": [
        (r"import \d+: (?P<number>\d+) figures of (?P<what>.*)", mark("took back {number} official figures of {what}"))
    ],
}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are wanted: an actor as stored, a key of GROUPS, a time; what is empty sets no bounds."""

    actor: str = ""
    group: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line: its number, when, who and what, in words."""

    number: int
    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class AuditWords:
    """What sentences are made with: the language, the officers' names, and how a district is called."""

    catalogue: Catalogue
    names: OfficerNames
    place: Callable[[str], str]

    def line(self, row: Row) -> AuditLine:
        """Say a stored line."""
        return AuditLine(row["id"], moment(row["at"]), self.actor(row["actor"]), self.act(row["action"], row["detail"]))

    def actor(self, actor: str) -> str:
        """Name who did it."""
        if actor.startswith(PERSON) and actor.removeprefix(PERSON).isdecimal():
            return self.names.of(int(actor.removeprefix(PERSON)), self.catalogue)
        return self.catalogue.t(_ACTORS[actor]) if actor in _ACTORS else actor

    def act(self, action: str, detail: str) -> str:
        """Say what was done; what nobody wrote a sentence for stays as it is stored."""
        for pattern, sentence in SENTENCES.get(action, ()):
            if (found := re.fullmatch(pattern, detail)) is not None:
                return self.catalogue.t(sentence, **self._values(found.groupdict()))
        return f"{action} {detail}".strip()

    def _values(self, found: Mapping[str, str | None]) -> dict[str, str]:
        values = {name: value or "" for name, value in found.items()}
        if "person" in values:
            values["person"] = self.names.of(int(values["person"]), self.catalogue)
        if "place" in values:
            values["role"] = self._role(values["role"], values["place"])
        if "roles" in values:
            values["roles"] = ", ".join(self._role(*role.partition(" ")[::2]) for role in values["roles"].split(", "))
        if "places" in values:
            values["places"] = ", ".join(map(self._place, values["places"].split()))
        return values

    def _role(self, role: str, place: str) -> str:
        if role == ADMIN:
            return self.catalogue.t("admin")
        return self.catalogue.t("officer, {place}", place=self._place(place or "*"))

    def _place(self, district: str) -> str:
        return self.catalogue.t("the whole province") if district == "*" else self.place(district)


def audit_lines(tx: Transaction, wanted: AuditFilter, *, before: int = 0, limit: int) -> tuple[list[Row], OfficerNames]:
    """List the newest lines that are wanted, before a line or from the end, with what the officers are called."""
    prefixes = GROUPS[wanted.group][1] if wanted.group in GROUPS else ()
    rows = roles.newest_audit(
        tx,
        before=before,
        limit=limit,
        actor=wanted.actor,
        actions=prefixes,
        since=wanted.since,
        until=wanted.until,
    )
    return rows, officer_names(tx)


def actors(tx: Transaction) -> list[str]:
    """List everybody who ever did something, as stored."""
    return roles.audit_actors(tx)
