"""What a handler may read and change: effects are gathered and committed together with the replies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar

import orjson

from bot import access
from bot.clock import local_day, moment, stamp
from bot.message import Person, Reply
from bot.regions import Place
from bot.store import Row, Store, Transaction, messages, people, questions, reports, requests
from bot.wire import dump_reply

Result = TypeVar("Result")
Change = Callable[[Transaction, int], None]

REPORT, REMINDERS = "report", "reminders"
MOST_REQUESTS = 10


@dataclass(frozen=True, slots=True)
class Citizen:
    """A person as the records know them; `id` is 0 before their first message is answered."""

    id: int
    language: str
    chose_language: bool = False
    grants: tuple[access.Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A person's current report of installation."""

    district: str
    commune: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that found no good answer, and how often it was asked."""

    text: str
    article: str
    times: int


@dataclass(frozen=True, slots=True)
class Request:
    """A citizen's message to a person."""

    number: int
    text: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything the records hold about a person."""

    known: bool
    channel: str
    language: str
    since: datetime
    report: Report | None
    history: tuple[Row, ...]
    consents: tuple[Row, ...]
    questions: tuple[Row, ...]
    requests: tuple[Row, ...]

    @property
    def reminders(self) -> bool:
        """Whether the person agreed to be reminded."""
        return _wants_reminders(self.consents)

    def as_json(self) -> bytes:
        """Write it as a file that people and programs can read."""
        return orjson.dumps(
            {
                "channel": self.channel,
                "language": self.language,
                "since": stamp(self.since),
                "report": self.report
                and {"district": self.report.district, "commune": self.report.commune, "at": stamp(self.report.at)},
                "report_history": [dict(row) for row in self.history],  # type: ignore[call-overload]
                "consents": [dict(row) for row in self.consents],  # type: ignore[call-overload]
                "questions": [dict(row) for row in self.questions],  # type: ignore[call-overload]
                "requests": [dict(row) for row in self.requests],  # type: ignore[call-overload]
            },
            option=orjson.OPT_INDENT_2,
        )


@dataclass(slots=True)
class Records:
    """The records of one person during one turn."""

    store: Store
    person: Person
    citizen: Citizen
    at: datetime
    zone: tzinfo
    source: str = ""
    changes: list[Change] = field(default_factory=list)
    erased: bool = False

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a reading function on the store."""
        return await self.store.read(work)

    async def report(self) -> Report | None:
        """Return the person's current report."""
        row = await self.store.read(lambda tx: reports.find(tx, self.citizen.id))
        return None if row is None else Report(row["district"], row["commune"], moment(row["reported_at"]))

    def keep_report(self, place: Place, *, wording: str) -> None:
        """Record the installation, or correct where; `wording` is the consent as the person read it."""
        at, day = stamp(self.at), local_day(self.at, self.zone).isoformat()

        def change(tx: Transaction, person_id: int) -> None:
            row = tx.one("SELECT source FROM people WHERE id = :id", id=person_id)
            reports.keep(
                tx,
                person_id,
                district=place.district,
                commune=place.commune,
                channel=self.person.channel,
                source=row["source"] if row else "",
                day=day,
                at=at,
            )
            if wording:
                people.note_consent(tx, person_id, purpose=REPORT, wording=wording, at=at)

        self.changes.append(change)

    def withdraw_report(self) -> None:
        """Take the report back, and the consent with it."""

        def change(tx: Transaction, person_id: int) -> None:
            reports.withdraw(tx, person_id, at=stamp(self.at))
            people.withdraw_consent(tx, person_id, purpose=REPORT, at=stamp(self.at))

        self.changes.append(change)

    def set_language(self, language: str) -> None:
        """Keep the language the person chose."""
        self.changes.append(lambda tx, person_id: people.set_language(tx, person_id, language))

    async def wants_reminders(self) -> bool:
        """Tell whether the person agreed to be reminded."""
        return _wants_reminders(await self.store.read(lambda tx: people.consents(tx, self.citizen.id)))

    def allow_reminders(self, wording: str) -> None:
        """Keep the proof that the person wants reminders."""
        self.changes.append(
            lambda tx, person_id: people.note_consent(
                tx, person_id, purpose=REMINDERS, wording=wording, at=stamp(self.at)
            )
        )

    def stop_reminders(self) -> None:
        """Take the consent to reminders back."""
        self.changes.append(
            lambda tx, person_id: people.withdraw_consent(tx, person_id, purpose=REMINDERS, at=stamp(self.at))
        )

    def note_question(self, text: str, *, language: str, article: str, verdict: str, score: float) -> None:
        """Keep a question for the gap report; the text must be free of personal numbers."""
        self.changes.append(
            lambda tx, person_id: questions.note(
                tx,
                person_id,
                channel=self.person.channel,
                language=language,
                text=text,
                article=article,
                verdict=verdict,
                score=score,
                at=stamp(self.at),
            )
        )

    def rate_answer(self, *, helped: bool) -> None:
        """Note whether the latest answer helped."""
        self.changes.append(lambda tx, person_id: questions.rate_latest(tx, person_id, helped=helped))

    async def redeem(self, code: str) -> access.Grant | None:
        """Use an invitation up and return the role it gives; None when it is unknown, expired or used."""
        grant = await self.store.read(lambda tx: access.peek(tx, code, at=self.at))
        if grant is None:
            return None

        def change(tx: Transaction, person_id: int) -> None:
            access.redeem(tx, person_id, code, at=self.at)

        self.changes.append(change)
        return grant

    def ask_person(self, text: str) -> None:
        """Pass a message on to the officers; it must be free of personal numbers."""
        self.changes.append(lambda tx, person_id: requests.add(tx, person_id, text=text, at=stamp(self.at)))

    async def question_gaps(self, *, days: int, limit: int) -> list[Gap]:
        """List what citizens asked of late and did not get answered well, most frequent first."""
        since = stamp(self.at - timedelta(days=days))
        rows = await self.store.read(lambda tx: questions.unanswered(tx, since=since, limit=limit))
        return [Gap(row["text"], row["article"], row["times"]) for row in rows]

    async def waiting_requests(self) -> dict[int, Request]:
        """List the open requests within this officer's scope, by number, oldest first."""
        scope = access.scopes(self.citizen.grants, access.OFFICER)
        districts = None if scope is None else sorted(scope)
        rows = await self.store.read(lambda tx: requests.waiting(tx, districts=districts, limit=MOST_REQUESTS))
        return {row["id"]: Request(row["id"], row["text"], row["language"], moment(row["at"])) for row in rows}

    def answer_request(self, number: int, reply: Reply) -> None:
        """Answer a citizen's request, with a line in the audit."""

        def change(tx: Transaction, person_id: int) -> None:
            if requests.answer(tx, number, reply=dump_reply(reply), at=stamp(self.at)):
                self.audit_in(tx, person_id, "answer", f"request {number}")

        self.changes.append(change)

    def audit(self, action: str, detail: str) -> None:
        """Add a line to the audit trail."""
        self.changes.append(lambda tx, person_id: self.audit_in(tx, person_id, action, detail))

    def audit_in(self, tx: Transaction, person_id: int, action: str, detail: str) -> None:
        """Add a line to the audit trail within a transaction."""
        access.write_audit(tx, actor=f"person {person_id}", action=action, detail=detail, at=self.at)

    async def kept(self) -> Kept:
        """Gather everything the records hold about the person."""

        def work(tx: Transaction) -> Kept:
            row, number = people.find(tx, self.person), self.citizen.id
            report = reports.find(tx, number)
            return Kept(
                row is not None,
                self.person.channel,
                row["language"] if row else "",
                moment(row["created_at"]) if row else self.at,
                Report(report["district"], report["commune"], moment(report["reported_at"])) if report else None,
                tuple(reports.history(tx, number)),
                tuple(people.consents(tx, number)),
                tuple(questions.of_person(tx, number)),
                tuple(requests.of_person(tx, number)),
            )

        return await self.store.read(work)

    def erase(self) -> None:
        """Delete everything about the person, whatever else this turn wanted to keep."""
        self.erased = True

    def commit(self, tx: Transaction, *, source: str, dialog: str | None) -> None:
        """Write all effects of the turn; `dialog` is the new state, None when unchanged."""
        if self.erased:
            people.erase(tx, self.citizen.id)
            messages.forget_person(tx, self.person)
            return
        at = stamp(self.at)
        person_id = people.remember(tx, self.person, source=self.source or source, at=at)
        for change in self.changes:
            change(tx, person_id)
        if dialog is not None:
            people.keep_dialog(tx, person_id, dialog, at)


def _wants_reminders(consents: Iterable[Row]) -> bool:
    return any(row["purpose"] == REMINDERS and row["withdrawn_at"] is None for row in consents)
