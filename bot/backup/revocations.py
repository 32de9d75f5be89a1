"""What people took back, kept beside the database too, so that no older copy of the records brings it back.

The lines stand in a table and, for the day on which the database is lost, in a file of the data folder. Restoring and
moving read both and take back again whatever they find.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple

import orjson

from bot.clock import local_day, moment, stamp
from bot.errors import StoreUnavailable
from bot.helpdesk.cases import take_back_words
from bot.message import Person
from bot.store import Store, Transaction, messages, people, reports, revocations
from bot.store.revocations import CONSENT, PERSON, REPORT, Revocation

FILE = "revocations.jsonl"
_OVERLAP = timedelta(minutes=10)  # what was noted elsewhere may have been committed late
_FIRST_ANSWER = timedelta(hours=1)  # after which a first message has long made its writer known


class Again(NamedTuple):
    """How much was taken back once more."""

    people: int = 0
    consents: int = 0
    reports: int = 0


class Journal:
    """The file beside the database."""

    def __init__(self, folder: Path) -> None:
        """Write nothing yet."""
        self._path = folder / FILE
        self._upto: datetime | None = None
        self._written: frozenset[Revocation] = frozenset()  # of late

    async def keep(self, store: Store, *, at: datetime, days: int) -> None:
        """Write down what was taken back since the last time; the first time, whatever is missing.

        What is older than so many days goes the first time. Raises StoreUnavailable when the file cannot be written.
        """
        term = stamp(at - timedelta(days=days))
        since = term if self._upto is None else stamp(self._upto - _OVERLAP)
        found = await store.read(lambda tx: revocations.since(tx, since))
        try:
            if self._upto is None:
                self._begin(found, term)
            elif fresh := [one for one in found if one not in self._written]:
                _append(self._path, fresh)
        except OSError as error:
            raise StoreUnavailable(f"{self._path} cannot be written: {error.strerror}.") from None
        self._upto, self._written = at, frozenset(found)

    def _begin(self, found: Iterable[Revocation], term: str) -> None:
        before = read(self._path.parent)
        valid = {one for one in before if one.at >= term}
        if len(valid) < len(before):
            fresh = self._path.with_name(f"{self._path.name}.new")
            fresh.unlink(missing_ok=True)
            _append(fresh, sorted({*valid, *found}))
            os.replace(fresh, self._path)
        elif missing := [one for one in found if one not in valid]:
            _append(self._path, missing)


def read(folder: Path) -> list[Revocation]:
    """Return what the file of a data folder holds; a line that a crash left half is passed over."""
    found = []
    try:
        lines = (folder / FILE).read_bytes().splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            subject, number, since, at = orjson.loads(line)
        except ValueError:
            continue
        found.append(Revocation(str(subject), int(number), str(since), str(at)))
    return found


def take_back_again(tx: Transaction, known: Iterable[Revocation], *, zone: tzinfo) -> Again:
    """Delete and withdraw in older records what people took back since; counts change on the day they did it."""
    revocations.add(tx, known)
    counted = dict.fromkeys((PERSON, CONSENT, REPORT), 0)
    erased: list[datetime] = []
    for one in revocations.since(tx, ""):
        if one.subject == PERSON:
            erased.append(moment(one.since))
        row = revocations.standing(tx, one)
        if row is None:
            continue
        counted[one.subject] += 1
        day = local_day(moment(one.at), zone).isoformat()
        if one.subject == PERSON:
            take_back_words(tx, row["id"])
            people.erase(tx, row["id"], day=day)
            messages.forget_all(tx, Person(row["channel"], row["address"]))
        elif one.subject == CONSENT:
            revocations.withdraw_consent(tx, one)
        else:
            reports.withdraw(tx, row["id"], at=one.at, day=day)
    # A first message that was still to be answered has no person yet; whoever became known by it may be gone since.
    for row in messages.of_strangers(tx) if erased else ():
        came = moment(row["received_at"])
        if any(came <= known_since <= came + _FIRST_ANSWER for known_since in erased):
            messages.forget_all(tx, Person(row["channel"], row["address"]))
    return Again(counted[PERSON], counted[CONSENT], counted[REPORT])


def _append(path: Path, lines: Iterable[Revocation]) -> None:
    written = b"".join(orjson.dumps(tuple(one)) + b"\n" for one in lines)
    with open(path, "ab", opener=_own) as file:
        file.write(b"\n" + written)  # a line before that a crash left half ends here
        file.flush()
        os.fsync(file.fileno())


def _own(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
