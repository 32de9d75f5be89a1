"""Talking to a person: cases that citizens open, officers of their place take, answer, hand over and close.

Every function works within a transaction. What may not be done, or not any more, raises NotAllowed with a sentence to
translate, so that of two officers who act at once the slower is told why. Texts of citizens come in without personal
numbers, and whoever reads them leaves a line in the audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot import access
from bot.clock import local_day, stamp
from bot.errors import NotAllowed
from bot.helpdesk.models import DATA, HELP, Case, CaseMessage, Colleague, Officer, Outlook, Waiting, case_of, message_of
from bot.helpdesk.notices import ABOUT, OfficerNotices, about, colleagues
from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.message import Button, Reply
from bot.serialization import dump_reply
from bot.settings import Settings
from bot.store import (
    Transaction,
    case_ratings,
    conversations,
    officers,
    people,
    pushes,
    questions,
    reach,
    revocations,
    roles,
)
from bot.text.links import escape_but_links
from bot.text.markup import escape
from bot.text.redaction import redact

DATA_DAYS = 2  # working days in which the law wants requests about personal data answered
IDLE = timedelta(days=3)  # after an officer's last word; then the bot speaks again and the case is closed
FAILED_WITHIN = timedelta(hours=1)  # a question that the bot failed on before belongs to the case
LONGEST = 2000  # characters of one message

GONE = mark("This message is no longer open, or is outside the area that you are responsible for.")
TAKEN = mark("A colleague has taken this message already.")
NOT_YOURS = mark("Please take this message first; then you can answer it.")
NO_OFFICER_THERE = mark("This officer may not answer for that place. Please choose another one.")
OPEN_ALREADY = mark("This message is open already.")
NEWER_OPEN = mark("This citizen has a newer message open. Please answer there.")
NOTHING_OPEN = mark("There is no open talk with an officer.")


class HelpDesk:
    """The rules of the help desk, and its words to citizens and officers in their own languages."""

    def __init__(self, catalogues: Mapping[str, Catalogue], settings: Settings, regions: Regions) -> None:
        self._settings, self._regions = settings, regions
        self.notices = OfficerNotices(catalogues, settings, regions)

    # what the citizen does

    def own_case(self, tx: Transaction, person_id: int) -> Case | None:
        """Return the open case of a citizen."""
        row = conversations.of_citizen(tx, person_id)
        return None if row is None else case_of(row)

    def ask(
        self, tx: Transaction, person_id: int, text: str, *, kind: str = HELP, district: str = "", at: datetime
    ) -> Case:
        """Take a citizen's message: into their open case, or into a new one that the officers of their place see.

        A `district` that the message names sends the case to the officers there, unless one has it in hand.
        """
        taken = self._take_in(tx, person_id, text, kind=kind, at=at)
        if not district or taken.officer or taken.district == district:
            return taken
        self.place(tx, person_id, district, at=at)
        return self._known(tx, taken.number)

    def _take_in(self, tx: Transaction, person_id: int, text: str, *, kind: str, at: datetime) -> Case:
        case = self._own_case(tx, person_id)
        if case is None:
            district = conversations.home(tx, person_id)
            failed = questions.latest_failed(tx, person_id, since=stamp(at - FAILED_WITHIN))
            number = conversations.begin(
                tx,
                person_id,
                kind=kind,
                district=district if district in self._regions.districts else "",
                question=failed,
                at=stamp(at),
                due=stamp(self.due(kind, at)),
            )
            conversations.add_message(
                tx, number, author=conversations.CITIZEN, officer_id=None, text=_clean(text), at=stamp(at)
            )
            case = self._known(tx, number)
            self.notices.call_officers(tx, case, at)
            return case
        self._add_words(tx, case, text, at)
        if kind == DATA and case.kind != DATA:
            conversations.make_urgent(tx, case.number, kind=DATA, due=stamp(self.due(DATA, at)))
        return self._known(tx, case.number)

    def tell(self, tx: Transaction, person_id: int, text: str, *, at: datetime) -> None:
        """Add what a citizen writes to their open case and bring it to whoever has it in hand; raises NotAllowed."""
        case = self._own_case(tx, person_id)
        if case is None:
            raise NotAllowed(NOTHING_OPEN)
        self._add_words(tx, case, text, at)
        if case.officer:
            reach.keep_quiet(tx, person_id, until=stamp(at + IDLE))

    def place(self, tx: Transaction, person_id: int, district: str, *, at: datetime) -> None:
        """Send a citizen's case to the officers of the district they name; raises NotAllowed when none is open."""
        case = self._own_case(tx, person_id)
        if case is None or district not in self._regions.districts:
            raise NotAllowed(NOTHING_OPEN)
        if case.officer or case.district == district:
            return  # whoever has it in hand knows better
        conversations.place(tx, case.number, district=district)
        self.notices.call_officers(tx, self._known(tx, case.number), at)

    def end(self, tx: Transaction, person_id: int, *, at: datetime) -> None:
        """Close the case that a citizen no longer needs; raises NotAllowed when none is open."""
        case = self._own_case(tx, person_id)
        if case is None:
            raise NotAllowed(NOTHING_OPEN)
        conversations.close(tx, case.number, at=stamp(at))
        reach.end_quiet(tx, person_id)
        pushes.withdraw(tx, about=about(case.number))
        if case.officer:
            self.notices.push_to_officer(
                tx, case.officer, mark("The citizen of message {number} no longer waits for an answer."), case, at
            )

    def rate(self, tx: Transaction, person_id: int, number: int, rating: str, *, at: datetime) -> None:
        """Count what a citizen says of their own case that has ended, once; nothing for another case."""
        district = case_ratings.note_rated(tx, number, person_id)
        if district is not None:
            day = local_day(at, self._settings.zone).isoformat()
            case_ratings.count(tx, day=day, district=district, rating=rating)

    def due(self, kind: str, at: datetime) -> datetime:
        """Return until when a message must have been answered."""
        days = self._settings.operator.answer_days
        return self._settings.working.due(at, min(DATA_DAYS, days) if kind == DATA else days)

    def outlook(self, tx: Transaction, person_id: int, *, kind: str = HELP, at: datetime) -> Outlook:
        """Tell what a citizen who asks now may expect."""
        home = conversations.home(tx, person_id)
        district = home if home in self._regions.districts else ""
        working = self._settings.working
        return Outlook(
            district,
            len(self.notices.officers_for(tx, district)),
            working.is_open(at),
            working.opens(at),
            self.due(kind, at),
        )

    def officers_for(self, tx: Transaction, district: str) -> list[Colleague]:
        """List who is called for a place."""
        return self.notices.officers_for(tx, district)

    def place_name(self, district: str, catalogue: Catalogue) -> str:
        """Name where a case belongs to."""
        return self.notices.place_name(district, catalogue)

    # what officers do

    def cases(self, tx: Transaction, officer: Officer) -> list[Case]:
        """List the open cases within an officer's scope: who waits first, in the order in which words are due."""
        found = map(case_of, conversations.unfinished(tx))
        return [case for case in found if _may(officer, access.READ_MESSAGES, case)]

    def waiting(self, tx: Transaction, officer: Officer, *, at: datetime) -> Waiting:
        """Count what waits in an officer's scope."""
        counted = Counter[str]()
        for row in conversations.count_open(tx, officer.id, at=stamp(at)):
            if access.refusal(officer.grants, access.READ_MESSAGES, row["district"]) is None:
                counted.update({name: int(row[name]) for name in ("waiting", "overdue", "mine", "to_answer")})
                counted["overdue_data"] += int(row["overdue"]) if row["kind"] == DATA else 0
        return Waiting(
            counted["waiting"], counted["overdue"], counted["overdue_data"], counted["mine"], counted["to_answer"]
        )

    def case(self, tx: Transaction, officer: Officer, number: int) -> Case:
        """Return an open case within an officer's scope; raises NotAllowed."""
        case = self.readable(tx, officer, number)
        if case.closed:
            raise NotAllowed(GONE)
        return case

    def readable(self, tx: Transaction, officer: Officer, number: int) -> Case:
        """Return a case within an officer's scope, also one that has ended and is still kept; raises NotAllowed."""
        row = conversations.find(tx, number)
        case = None if row is None else case_of(row)
        if case is None or not _may(officer, access.READ_MESSAGES, case):
            raise NotAllowed(GONE)
        return case

    def thread(self, tx: Transaction, officer: Officer, number: int) -> tuple[Case, list[CaseMessage]]:
        """Return a case with everything said in it; raises NotAllowed. Whoever shows it calls `note_reading` too."""
        case = self.readable(tx, officer, number)
        return case, [message_of(row) for row in conversations.messages(tx, number)]

    def note_reading(self, tx: Transaction, officer: Officer, number: int, *, at: datetime) -> None:
        """Put into the audit that an officer reads a case; raises NotAllowed."""
        self.readable(tx, officer, number)
        self.audit(tx, officer, "read", number, at)

    def take(self, tx: Transaction, officer: Officer, number: int, *, at: datetime, over: bool = False) -> None:
        """Take a case into one's hand; from a colleague only with `over`. Raises NotAllowed."""
        tx.lock(f"talk {number}")
        case = self._actable(tx, officer, number)
        if case.officer == officer.id:
            return
        if case.officer and not over:
            raise NotAllowed(TAKEN)
        conversations.assign(tx, number, officer_id=officer.id)
        reach.keep_quiet(tx, case.person_id, until=stamp(at + IDLE))
        pushes.withdraw(tx, about=about(number))
        self.audit(tx, officer, "take", number, at)
        if case.officer:
            sentence = mark("{colleague} has taken message {number} over from you.")
            self.notices.push_to_officer(tx, case.officer, sentence, case, at, button=False, colleague=officer.id)

    def held(self, tx: Transaction, officer: Officer, number: int) -> Case:
        """Return a case that an officer has in hand and may answer; raises NotAllowed."""
        case = self._actable(tx, officer, number)
        if case.officer != officer.id:
            raise NotAllowed(TAKEN if case.officer else NOT_YOURS)
        return case

    def answer(self, tx: Transaction, officer: Officer, number: int, text: str, *, at: datetime) -> None:
        """Say something to the citizen of a case that one has in hand; raises NotAllowed."""
        tx.lock(f"talk {number}")
        case = self.held(tx, officer, number)
        text = text.strip()[:LONGEST]
        conversations.add_message(
            tx, number, author=conversations.OFFICER, officer_id=officer.id, text=text, at=stamp(at)
        )
        conversations.answered(tx, number)
        reach.keep_quiet(tx, case.person_id, until=stamp(at + IDLE))
        t = self.notices.translate(case.language)
        head = t("An officer answers your question:")
        name = officers.name_of(tx, officer.id) if self._settings.operator.show_officer_names else ""
        if name:
            head = t("{name} answers your question:", name=escape(name))
        said = escape_but_links(text, self._settings.operator.trusted_hosts)
        pushes.add(tx, case.person_id, reply=dump_reply(Reply(f"**{head}**\n{said}")), at=stamp(at))
        self.audit(tx, officer, "answer", number, at)

    def hand_over(
        self, tx: Transaction, officer: Officer, number: int, *, district: str, to: int = 0, at: datetime
    ) -> None:
        """Hand a case over to a district, to the province (""), or to one officer, also one that nobody has in hand.

        Raise NotAllowed if not allowed.
        """
        tx.lock(f"talk {number}")
        self.may_hand_over(tx, officer, number, district=district, to=to)
        conversations.place(tx, number, district=district)
        conversations.assign(tx, number, officer_id=to or None)
        self.audit(tx, officer, "hand over", number, at, f"to {f'person {to}' if to else district or '*'}")
        case = self._known(tx, number)
        pushes.withdraw(tx, about=about(number))
        if to:
            sentence = mark("{colleague} hands message {number} over to you.")
            self.notices.push_to_officer(tx, to, sentence, case, at, colleague=officer.id)
        else:
            self.notices.call_officers(tx, case, at, but=officer.id)

    def may_hand_over(self, tx: Transaction, officer: Officer, number: int, *, district: str, to: int = 0) -> None:
        """Raise NotAllowed unless an officer may hand a case over in this way."""
        case = self._actable(tx, officer, number)
        if case.officer not in (0, officer.id):
            raise NotAllowed(TAKEN)
        if district and district not in self._regions.districts:
            raise NotAllowed(GONE)
        if to and to not in [one.id for one in self.successors(tx, case, district)]:
            raise NotAllowed(NO_OFFICER_THERE)

    def successors(self, tx: Transaction, case: Case, district: str) -> list[Colleague]:
        """List the officers who may answer for a place, without the one who has the case in hand."""
        found = [one for one in colleagues(tx) if "" in one.areas or (district and district in one.areas)]
        return [one for one in found if one.id != case.officer]

    def close(self, tx: Transaction, officer: Officer, number: int, *, at: datetime) -> None:
        """End a case that one has in hand, and let the citizen know; raises NotAllowed."""
        tx.lock(f"talk {number}")
        case = self.held(tx, officer, number)
        conversations.close(tx, number, at=stamp(at))
        reach.end_quiet(tx, case.person_id)
        t = self.notices.translate(case.language)
        reply = Reply(
            t("The officer has ended this talk. I, the automatic assistant, answer again. "
              "If something is still open, just ask for a person again. How was the help? One tap is enough; it is "
              "counted without your name."),
            (
                Button(t("Good, it helped"), f"rate:good:{number}"),
                Button(t("Not good"), f"rate:bad:{number}"),
                Button(t("Talk to a person"), "/canbo"),
                Button(t("Main menu"), "/menu"),
            ),
        )  # fmt: skip
        pushes.add(tx, case.person_id, reply=dump_reply(reply), at=stamp(at))
        self.audit(tx, officer, "close", number, at)

    def reopen(self, tx: Transaction, officer: Officer, number: int, *, at: datetime) -> None:
        """Take a case that has ended in hand again; raises NotAllowed, also if its citizen has a newer one open."""
        tx.lock(f"talk of {self.readable(tx, officer, number).person_id}")
        tx.lock(f"talk {number}")
        case = self.readable(tx, officer, number)
        if not _may(officer, access.ANSWER_MESSAGES, case):
            raise NotAllowed(GONE)
        if not case.closed:
            raise NotAllowed(OPEN_ALREADY)
        if self.own_case(tx, case.person_id) is not None:
            raise NotAllowed(NEWER_OPEN)
        conversations.reopen(tx, number, at=stamp(at))
        conversations.assign(tx, number, officer_id=officer.id)
        self.audit(tx, officer, "reopen", number, at)

    def dismiss(
        self, tx: Transaction, person_id: int, *, at: datetime, actor: str, by: int = 0, even_last: bool = False
    ) -> None:
        """Take all roles from a person, release their cases, tell them. Raise NotAllowed as `access.revoke` does."""
        access.revoke(tx, person_id, at=at, actor=actor, by=by, even_last=even_last)
        people.withdraw_consent(tx, person_id, purpose="summary", at=stamp(at))
        self.release(tx, person_id, at=at)
        if by != person_id:
            t = self.notices.translate(people.language_of(tx, person_id))
            said = t("Your role as an officer here has ended. You can go on asking me anything as a citizen.")
            pushes.add(tx, person_id, reply=dump_reply(Reply(said)), at=stamp(at), not_before=self.notices.decent(at))

    def forget(self, tx: Transaction, person_id: int, *, at: datetime, day: str) -> None:
        """Delete somebody, with everything of theirs that is on its way to others; their report counts until a day.

        What they had in hand as an officer goes to others, as when a role ends; an officer who talks to them is told.
        """
        if roles.revoke(tx, person_id):
            self.release(tx, person_id, at=at)
        case = self._own_case(tx, person_id)
        take_back_words(tx, person_id)
        if case is not None and case.officer:
            sentence = mark("The citizen of message {number} no longer waits for an answer.")
            self.notices.push_to_officer(tx, case.officer, sentence, case, at, button=False)
        revocations.note_person(tx, person_id, at=stamp(at))
        people.erase(tx, person_id, day=day)

    def release(self, tx: Transaction, officer_id: int, *, at: datetime) -> int:
        """Give the cases of somebody who is an officer no more to those who are; returns how many.

        The bot answers their citizens again, who are told so, and nothing that they wrote reaches that person any more.
        """
        pushes.withdraw_all(tx, officer_id, about=f"{ABOUT}%")
        held = [case for case in map(case_of, conversations.unfinished(tx)) if case.officer == officer_id]
        for case in held:
            tx.lock(f"talk {case.number}")
            conversations.assign(tx, case.number, officer_id=None)
            reach.end_quiet(tx, case.person_id)
            self.notices.tell_bereft(tx, case, at)
            if case.waiting_since is not None:
                self.notices.call_officers(tx, self._known(tx, case.number), at, but=officer_id)
        return len(held)

    # within

    def _own_case(self, tx: Transaction, person_id: int) -> Case | None:
        """Return the open case of a citizen for changing it: nobody else does before the commit."""
        tx.lock(f"talk of {person_id}")
        case = self.own_case(tx, person_id)
        if case is not None and tx.lock(f"talk {case.number}"):
            case = self.own_case(tx, person_id)
        return case

    def _add_words(self, tx: Transaction, case: Case, text: str, at: datetime) -> None:
        text = _clean(text)
        said = conversations.add_message(
            tx, case.number, author=conversations.CITIZEN, officer_id=None, text=text, at=stamp(at)
        )
        conversations.waits(tx, case.number, at=stamp(at), due=stamp(self.due(case.kind, at)))
        if not case.officer:
            if case.waiting_since is None:  # whoever answered before has it no more
                self.notices.call_officers(tx, self._known(tx, case.number), at)
            return
        sentence = mark("Message {number}: the citizen writes:")
        self.notices.push_to_officer(tx, case.officer, sentence, case, at, words=text)
        access.write_audit(
            tx, actor=f"person {case.officer}", action="read", detail=f"message {case.number}, part {said}", at=at
        )

    def _known(self, tx: Transaction, number: int) -> Case:
        row = conversations.find(tx, number)
        assert row is not None  # the caller has just written it
        return case_of(row)

    def _actable(self, tx: Transaction, officer: Officer, number: int) -> Case:
        case = self.case(tx, officer, number)
        if not _may(officer, access.ANSWER_MESSAGES, case):
            raise NotAllowed(GONE)
        return case

    def audit(self, tx: Transaction, officer: Officer, action: str, number: int, at: datetime, more: str = "") -> None:
        """Put into the audit what an officer does to a case."""
        detail = f"message {number} {more}".strip()
        access.write_audit(tx, actor=f"person {officer.id}", action=action, detail=detail, at=at)


def close_idle(tx: Transaction, *, at: datetime) -> int:
    """End the cases in which the citizen has had the last word for long enough; returns how many."""
    return conversations.close_idle(tx, before=stamp(at - IDLE), at=stamp(at))


def take_back_words(tx: Transaction, person_id: int) -> None:
    """Delete what is on its way to officers about a citizen, above all in the citizen's words."""
    for number in conversations.numbers_of(tx, person_id):
        pushes.take_back(tx, abouts=(about(number), about(number, words=True)))


def forget_before(tx: Transaction, *, before: datetime) -> int:
    """Delete the cases that ended before a moment, with everything said in them; returns how many."""
    return conversations.forget_before(tx, stamp(before))


def _may(officer: Officer, action: access.Action, case: Case) -> bool:
    return access.refusal(officer.grants, action, case.district) is None


def _clean(text: str) -> str:
    return redact(text).text.strip()[:LONGEST]
