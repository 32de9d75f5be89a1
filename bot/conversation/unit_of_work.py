"""What a handler may read and change: effects are gathered and committed together with the replies."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TypeVar

import orjson

from bot import access
from bot.access import desk_sessions
from bot.clock import local_day, moment, stamp
from bot.errors import Conflict, NotAllowed
from bot.i18n.catalogue import mark
from bot.library.regions import Place
from bot.message import Person, Reply
from bot.serialization import dump_reply
from bot.store import (
    Row,
    Store,
    Transaction,
    appointments,
    conversations,
    links,
    messages,
    people,
    person_export,
    pushes,
    questions,
    reach,
    reports,
    roles,
    tallies,
)
from bot.text.redaction import redact

Result = TypeVar("Result")
Change = Callable[[Transaction, int], None]

REPORT, REMINDERS, SUMMARY = "report", "reminders", "summary"
# Why an answer did not help, as people may choose it.
REASONS = {
    "unclear": mark("I did not understand it"),
    "outdated": mark("It is wrong or old"),
    "unsolved": mark("It did not solve my problem"),
    "other": mark("Something else"),
}
# Letters only, because numbers in a chat look like one-time codes and are cut out; no vowels, so that no word appears.
_LINK_LETTERS = "BCDFGHJKMNPQRSTVWXZ"
LINK_CODE_LENGTH = 8
LINK_CODE_LIFETIME, GUESS_TIME = timedelta(minutes=15), timedelta(hours=1)
MOST_GUESSES = 5  # of codes for linking and of invitations together


@dataclass(frozen=True, slots=True)
class Citizen:
    """A person as the records know them; `id` is 0 before their first message is answered.

    `source` is where they came from, `steps` the steps of the funnel they took; one who is `gone` could not be
    written to of late.
    """

    id: int
    language: str
    chose_language: bool = False
    grants: tuple[access.Grant, ...] = ()
    source: str = ""
    steps: int = 0
    gone: bool = False


@dataclass(frozen=True, slots=True)
class PersonState:
    """What the records know about a person when a message comes: their row, if any, and their roles."""

    row: Row | None
    grants: tuple[access.Grant, ...] = ()


def read_session(tx: Transaction, person: Person) -> PersonState:
    """Read a person's session."""
    return read_sessions(tx, (person,))[person]


def read_sessions(tx: Transaction, persons: Collection[Person]) -> dict[Person, PersonState]:
    """Read the sessions of several people at once."""
    sessions = dict.fromkeys(persons, _UNKNOWN)
    for channel in {person.channel for person in persons}:
        addresses = [person.address for person in sessions if person.channel == channel]
        for row in people.find_all(tx, channel, addresses):
            grants = (
                [access.Grant(r["role"], r["scope"]) for r in roles.of_person(tx, row["id"])]
                if row["has_roles"]
                else ()
            )
            sessions[Person(channel, row["address"])] = PersonState(row, tuple(grants))
    return sessions


_UNKNOWN = PersonState(None)


@dataclass(frozen=True, slots=True)
class OwnReport:
    """A person's current report of installation."""

    district: str
    commune: str
    at: datetime
    product: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A question that found no good answer, and how often it was asked."""

    text: str
    article: str
    times: int


@dataclass(frozen=True, slots=True)
class Complaint:
    """An article that did not help, how often, and how often for each of REASONS; "" when no reason was given."""

    article: str
    times: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Linked:
    """Another channel of the same person."""

    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OwnReminder:
    """A reminder that somebody asked for; `missed` when its moment went by and it could not be sent."""

    number: int
    due: datetime
    missed: bool


@dataclass(frozen=True, slots=True)
class LinkOffer:
    """What a code for linking leads to: the other channel, or `own` when it was given right here."""

    key: str = field(repr=False)
    channel: str
    own: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything the records hold about a person."""

    known: bool
    channel: str
    language: str
    since: datetime
    report: OwnReport | None
    history: tuple[Row, ...]
    consents: tuple[Row, ...]
    questions: tuple[Row, ...]
    messages: tuple[Row, ...]
    linked: tuple[Linked, ...] = ()
    source: str = ""
    grants: tuple[access.Grant, ...] = ()
    rest: Mapping[str, Sequence[Row]] = field(default_factory=dict)  # by table: what has no words of its own

    @property
    def reminders(self) -> bool:
        """Whether the person agreed to be reminded."""
        return _agreed(self.consents, REMINDERS)

    @property
    def reminders_to_come(self) -> tuple[datetime, ...]:
        """The moments for which messages to the person are planned."""
        rows = self.rest.get("appointments", ())
        return tuple(sorted(moment(row["due_at"]) for row in rows if row["state"] == appointments.WAITING))

    def as_json(self) -> bytes:
        """Write it as a file that people and programs can read."""
        return orjson.dumps(
            {
                "channel": self.channel,
                "language": self.language,
                "since": stamp(self.since),
                "source": self.source,
                "roles": [{"role": grant.role, "scope": grant.scope} for grant in self.grants],
                "report": self.report
                and {
                    "district": self.report.district,
                    "commune": self.report.commune,
                    "product": self.report.product,
                    "at": stamp(self.report.at),
                },
                "report_history": [dict(row) for row in self.history],  # type: ignore[call-overload]
                "consents": [dict(row) for row in self.consents],  # type: ignore[call-overload]
                "questions": [dict(row) for row in self.questions],  # type: ignore[call-overload]
                "messages_to_officers": [dict(row) for row in self.messages],  # type: ignore[call-overload]
                "linked_channels": [{"channel": other.channel, "since": stamp(other.at)} for other in self.linked],
                "rest": {table: [dict(row) for row in rows] for table, rows in self.rest.items()},  # type: ignore[call-overload]
            },
            option=orjson.OPT_INDENT_2,
        )


@dataclass(slots=True)
class UnitOfWork:
    """The records of one person during one turn."""

    store: Store
    person: Person
    citizen: Citizen
    at: datetime
    zone: tzinfo
    source: str = ""
    changes: list[Change] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)  # of the funnel, taken in this turn
    erased: bool = False
    forget: Change | None = None  # what deletes the person
    receipt: str = ""  # of the erasure
    left: bool = False
    verdict: str = ""  # what the search made of this turn's question
    rated: str = ""  # "yes" or "no" when the person said whether an answer helped

    @property
    def day(self) -> str:
        """The day of this turn where the citizens live, as the records write it."""
        return local_day(self.at, self.zone).isoformat()

    def drop(self) -> None:
        """Forget every effect noted so far."""
        self.changes.clear()
        self.steps.clear()

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a reading function on the store."""
        return await self.store.read(work)

    async def report(self) -> OwnReport | None:
        """Return the person's current report."""
        row = await self.store.read_inline(lambda tx: reports.find(tx, self.citizen.id))
        if row is None:
            return None
        return OwnReport(row["district"], row["commune"], moment(row["reported_at"]), row["product"])

    def keep_report(self, place: Place, *, wording: str, product: str = "") -> None:
        """Record the installation of a book, or correct where; `wording` is the consent as the person read it."""
        at, day = stamp(self.at), self.day

        def change(tx: Transaction, person_id: int) -> None:
            row = tx.one("SELECT source FROM people WHERE id = :id", id=person_id)
            reports.keep(
                tx,
                person_id,
                district=place.district,
                commune=place.key,
                channel=self.person.channel,
                source=row["source"] if row else "",
                language=self.citizen.language,
                product=product,
                day=day,
                at=at,
            )
            if wording:
                people.note_consent(tx, person_id, purpose=REPORT, wording=wording, at=at)

        self.changes.append(change)
        self.steps.append("reported")

    def withdraw_report(self) -> None:
        """Take the report back, and the consent with it."""

        def change(tx: Transaction, person_id: int) -> None:
            reports.withdraw(tx, person_id, at=stamp(self.at), day=self.day)
            people.withdraw_consent(tx, person_id, purpose=REPORT, at=stamp(self.at))

        self.changes.append(change)

    def set_language(self, language: str) -> None:
        """Keep the language the person chose."""
        self.changes.append(lambda tx, person_id: people.set_language(tx, person_id, language))

    async def wants_reminders(self) -> bool:
        """Tell whether the person agreed to be reminded."""
        return _agreed(await self.store.read_inline(lambda tx: people.consents(tx, self.citizen.id)), REMINDERS)

    def allow_reminders(self, wording: str) -> None:
        """Keep the proof that the person wants reminders."""
        self.changes.append(
            lambda tx, person_id: people.note_consent(
                tx, person_id, purpose=REMINDERS, wording=wording, at=stamp(self.at)
            )
        )

    def stop_reminders(self) -> None:
        """Take the consent to reminders back, and call off what the person asked for themselves."""

        def change(tx: Transaction, person_id: int) -> None:
            people.withdraw_consent(tx, person_id, purpose=REMINDERS, at=stamp(self.at))
            appointments.cancel_all(tx, person_id, kinds=(appointments.ASKED, appointments.FOLLOW_UP))

        self.changes.append(change)

    async def own_reminders(self) -> list[OwnReminder]:
        """List the reminders that the person asked for: those to come, and those whose moment went by unused."""
        rows = await self.store.read_inline(
            lambda tx: appointments.of_person(tx, self.citizen.id, kind=appointments.ASKED)
        )
        return [OwnReminder(row["id"], moment(row["due_at"]), row["state"] == appointments.MISSED) for row in rows]

    def ask_reminder(self, due: datetime) -> None:
        """Promise a message at a moment; asking for it is the consent to this one."""

        def change(tx: Transaction, person_id: int) -> None:
            appointments.add(tx, person_id, kind=appointments.ASKED, due_at=stamp(due), at=stamp(self.at))

        self.changes.append(change)

    def cancel_reminder(self, number: int) -> None:
        """Call a reminder off that the person asked for."""

        def change(tx: Transaction, person_id: int) -> None:
            appointments.cancel(tx, person_id, number)

        self.changes.append(change)

    def plan_follow_up(self, due: datetime) -> None:
        """Ask how it went at a moment, if the person wants reminders and has not reported."""
        self.changes.append(
            lambda tx, person_id: appointments.add_follow_up(tx, person_id, due_at=stamp(due), at=stamp(self.at))
        )

    async def wants_summary(self) -> bool:
        """Tell whether the person wants the weekly summary."""
        return _agreed(await self.store.read_inline(lambda tx: people.consents(tx, self.citizen.id)), SUMMARY)

    def want_summary(self, wording: str) -> None:
        """Note that the person wants the weekly summary."""
        self.changes.append(lambda tx, number: want_summary(tx, number, wording, at=self.at))

    def stop_summary(self) -> None:
        """Note that the person wants no weekly summary any more."""
        self.changes.append(lambda tx, number: stop_summary(tx, number, at=self.at))

    def note_question(self, text: str, *, language: str, article: str, verdict: str, score: float) -> None:
        """Keep a question for the gap report, without personal numbers."""
        text = redact(text).text
        self.steps.append("asked")
        self.verdict = verdict
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

    def note_guide(self) -> None:
        """Count that the person opened the manual or its steps."""
        self.steps.append("guide")

    def rate_answer(self, *, helped: bool) -> None:
        """Note whether the latest answer helped."""
        self.rated = "yes" if helped else "no"
        self.changes.append(lambda tx, person_id: questions.rate_latest(tx, person_id, helped=helped))

    def give_reason(self, reason: str) -> None:
        """Note why the latest answer that did not help did not: one of REASONS."""
        self.changes.append(lambda tx, person_id: questions.give_reason(tx, person_id, reason))

    async def complaints(self, *, days: int) -> list[Complaint]:
        """List the articles that did not help of late, with the reasons that people gave; most frequent first."""
        since = stamp(self.at - timedelta(days=days))
        return await self.store.read(lambda tx: complaints(tx, since=since))

    async def redeem(self, code: str) -> access.Grant | None:
        """Use an invitation up and return the role it gives; None, and counted, when it is unknown, expired or used."""
        grant = await self.store.read_inline(lambda tx: access.peek(tx, code, at=self.at))
        if grant is None:
            self.note_guess()
            return None

        def change(tx: Transaction, person_id: int) -> None:
            if access.redeem(tx, person_id, code, at=self.at) is None:
                raise Conflict("The invitation was used up meanwhile.")

        self.changes.append(change)
        return grant

    def invite(self, grant: access.Grant, *, name: str = "") -> str:
        """Make the code of a one-time invitation; `name` is what whoever takes it is called."""
        code = access.new_code()
        self.do(
            lambda tx, person_id: access.offer_role(
                tx, code, grant, name=name, at=self.at, actor=f"person {person_id}", by=person_id
            )
        )
        return code

    def do(self, change: Callable[[Transaction, int], object]) -> None:
        """Add an effect that others may forestall: refused in the end, it has the message answered anew."""

        def checked(tx: Transaction, person_id: int) -> None:
            try:
                change(tx, person_id)
            except NotAllowed as refusal:
                raise Conflict(str(refusal)) from None

        self.changes.append(checked)

    async def question_gaps(self, *, days: int, limit: int) -> list[Gap]:
        """List what citizens asked of late and did not get answered well, most frequent first."""
        since = stamp(self.at - timedelta(days=days))
        rows = await self.store.read(lambda tx: questions.unanswered(tx, since=since, limit=limit))
        return [Gap(row["text"], row["article"], row["times"]) for row in rows]

    def audit(self, action: str, detail: str) -> None:
        """Add a line to the audit trail."""
        self.changes.append(lambda tx, person_id: self.audit_in(tx, person_id, action, detail))

    def audit_in(self, tx: Transaction, person_id: int, action: str, detail: str) -> None:
        """Add a line to the audit trail within a transaction."""
        access.write_audit(tx, actor=f"person {person_id}", action=action, detail=detail, at=self.at)

    async def raw_reports(self, *, limit: int) -> list[Row]:
        """List reports one by one, without who made them."""
        return await self.store.read(lambda tx: tallies.raw(tx, after=0, limit=limit))

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
                OwnReport(report["district"], report["commune"], moment(report["reported_at"]), report["product"])
                if report
                else None,
                tuple(reports.history(tx, number)),
                tuple(people.consents(tx, number)),
                tuple(questions.of_person(tx, number)),
                tuple(conversations.kept_of_citizen(tx, number)),
                _linked(tx, number),
                row["source"] if row else "",
                self.citizen.grants,
                person_export.rest_of(tx, number),
            )

        return await self.store.read(work)

    def erase(self, forget: Change) -> str:
        """Delete everything about the person by `forget`, whatever else this turn wanted to keep.

        Returns a receipt that stands in the audit and leads to nobody, empty for who is not known.
        """
        self.erased, self.forget = True, forget
        if self.citizen.id and not self.receipt:
            letters = "".join(secrets.choice(_LINK_LETTERS) for _ in range(8))
            self.receipt = f"{letters[:4]}-{letters[4:]}"
        return self.receipt

    def leave(self) -> None:
        """Note that the person left the channel and cannot be written to; somebody unknown stays unknown."""
        self.left = True
        self.changes.append(lambda tx, person_id: people.mark_gone(tx, self.person, stamp(self.at)))

    def keep_quiet(self, minutes: int) -> None:
        """Leave the talk to the officer who wrote to this person by hand."""
        until = stamp(self.at + timedelta(minutes=minutes))
        self.changes.append(lambda tx, person_id: reach.keep_quiet(tx, person_id, until=until))

    def end_quiet(self) -> None:
        """Take part in the talk again."""
        self.changes.append(reach.end_quiet)

    async def linked(self) -> tuple[Linked, ...]:
        """List the other channels that this person linked with this one."""
        return await self.store.read_inline(lambda tx: _linked(tx, self.citizen.id))

    def offer_link(self) -> str:
        """Make a code that links this channel with the one where it is typed, once and soon."""
        code = "".join(secrets.choice(_LINK_LETTERS) for _ in range(LINK_CODE_LENGTH))
        expires_at = stamp(self.at + LINK_CODE_LIFETIME)
        self.changes.append(
            lambda tx, person_id: links.offer(tx, person_id, code_hash=access.hash_code(code), expires_at=expires_at)
        )
        return code

    async def may_guess(self) -> bool:
        """Tell whether the person has not yet typed too many wrong codes of late."""
        since = stamp(self.at - GUESS_TIME)
        guessed = await self.store.read_inline(lambda tx: links.guesses(tx, self.citizen.id, since=since))
        return guessed < MOST_GUESSES

    def note_guess(self) -> None:
        """Count a code that the person typed and that is none."""
        self.changes.append(lambda tx, person_id: links.note_guess(tx, person_id, at=stamp(self.at)))

    async def find_link(self, code: str) -> LinkOffer | None:
        """Return what a code offers; a wrong one is counted."""
        key = access.hash_code("".join(filter(str.isalpha, code.upper())))
        row = await self.store.read_inline(lambda tx: links.find_offer(tx, code_hash=key, at=stamp(self.at)))
        if row is None:
            self.note_guess()
            return None
        return LinkOffer(key, row["channel"], row["person_id"] == self.citizen.id)

    def link(self, key: str, *, notice: Callable[[str], Reply]) -> None:
        """Link this channel with the one that made an offer; `notice` is sent there, made for its language."""
        circle, at = secrets.token_hex(8), stamp(self.at)

        def change(tx: Transaction, person_id: int) -> None:
            other = links.use_offer(tx, code_hash=key, at=at)
            if other is None or other == person_id:
                return
            links.join(tx, person_id, other, circle=circle, at=at)
            reports.merge(tx, person_id, at=at, day=self.day)
            pushes.add(tx, other, reply=dump_reply(notice(people.language_of(tx, other))), at=at)

        self.changes.append(change)

    def offer_desk_link(self) -> str:
        """Make the key of a one-time link to the desk."""
        key = desk_sessions.new_key()

        def change(tx: Transaction, person_id: int) -> None:
            desk_sessions.offer_link(tx, person_id, key, at=self.at, actor=f"person {person_id}")

        self.changes.append(change)
        return key

    def unlink(self) -> None:
        """Make this channel a person of its own again; a shared report stays where it was made."""
        self.changes.append(links.leave)

    def commit(self, tx: Transaction, *, source: str, dialog: str | None, spoke_at: str = "") -> None:
        """Write all effects of the turn.

        `dialog` is the new state, None when unchanged; `spoke_at` is when the person did something, where it matters.
        """
        if self.left and not self.citizen.id:
            return
        if self.erased:
            assert self.forget is not None  # `erase` set both
            self.forget(tx, self.citizen.id)
            messages.forget_person(tx, self.person)
            if self.receipt:
                access.write_audit(tx, actor="citizen", action="erased", detail=f"receipt {self.receipt}", at=self.at)
            return
        at, source, citizen = stamp(self.at), self.source or source, self.citizen
        if citizen.id and not citizen.gone and (citizen.source or not source):
            person_id = citizen.id
            people.see(tx, person_id, self.person, at=at)
        else:
            person_id = people.remember(tx, self.person, source=source, at=at)
        for change in self.changes:
            change(tx, person_id)
        steps = [*self.steps, "start", "scan"] if source else [*self.steps, "start"]
        if not tallies.took(citizen.steps, steps):
            tallies.note_steps(tx, person_id, steps, day=self.day)
        if spoke_at:
            reach.note_interaction(tx, person_id, at=spoke_at)
        if dialog is not None:
            people.keep_dialog(tx, person_id, dialog, at)


def complaints(tx: Transaction, *, since: str) -> list[Complaint]:
    """List the articles that did not help since a moment, most frequent first."""
    counted: dict[str, Counter[str]] = {}
    for row in questions.unhelpful(tx, since=since):
        counted.setdefault(row["article"], Counter())[row["reason"]] += row["times"]
    found = [Complaint(article, reasons.total(), reasons) for article, reasons in counted.items()]
    return sorted(found, key=lambda complaint: (-complaint.times, complaint.article))


def wants_summary(tx: Transaction, person_id: int) -> bool:
    """Tell whether somebody wants the weekly summary."""
    return _agreed(people.consents(tx, person_id), SUMMARY)


def want_summary(tx: Transaction, person_id: int, wording: str, *, at: datetime) -> None:
    """Note, once, that somebody wants the weekly summary."""
    if not wants_summary(tx, person_id):
        people.note_consent(tx, person_id, purpose=SUMMARY, wording=wording, at=stamp(at))


def stop_summary(tx: Transaction, person_id: int, *, at: datetime) -> None:
    """Note that somebody wants no weekly summary any more, also not the one that is due."""
    people.withdraw_consent(tx, person_id, purpose=SUMMARY, at=stamp(at))
    appointments.cancel_all(tx, person_id, kinds=(appointments.SUMMARY,))


def _linked(tx: Transaction, person_id: int) -> tuple[Linked, ...]:
    return tuple(Linked(row["channel"], moment(row["linked_at"])) for row in links.others(tx, person_id))


def _agreed(consents: Iterable[Row], purpose: str) -> bool:
    return any(row["purpose"] == purpose and row["withdrawn_at"] is None for row in consents)
