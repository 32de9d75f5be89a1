"""What the help desk says unasked: notices to the officers of a place, and to citizens whose officer is gone.

`bot.helpdesk.cases` calls it within its transactions. No notice leaves in the quiet hours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bot import access
from bot.access.names import officer_names
from bot.clock import stamp
from bot.helpdesk.models import DATA, Case, Colleague, case_of
from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.message import Button, Reply
from bot.serialization import dump_reply
from bot.settings import Settings
from bot.store import Transaction, conversations, people, pushes, roles
from bot.text.markup import escape

ABOUT = "conversation "
MOST_NAMED = 6  # overdue cases with a button each


class OfficerNotices:
    """Writes notices in the language of whoever gets them."""

    def __init__(self, catalogues: Mapping[str, Catalogue], settings: Settings, regions: Regions) -> None:
        self._catalogues, self._settings, self._regions = catalogues, settings, regions

    def officers_for(self, tx: Transaction, district: str) -> list[Colleague]:
        """List who is called for a place: the officers of that district, or else those of the province."""
        everybody = colleagues(tx)
        local = [one for one in everybody if district and district in one.areas]
        return local or [one for one in everybody if "" in one.areas]

    def call_officers(self, tx: Transaction, case: Case, at: datetime, *, but: int = 0) -> None:
        """Tell those who may take a case that it waits; what was told to others before and not sent is taken back."""
        pushes.withdraw(tx, about=about(case.number))
        sentence = (
            mark("A citizen asks about their personal data: message {number}, {place}. It must be answered by {due}.")
            if case.kind == DATA
            else mark("A citizen needs a person: message {number}, {place}. Please answer by {due}.")
        )
        for colleague in self.officers_for(tx, case.district):
            if colleague.id not in (but, case.person_id):
                self.push_to_officer(tx, colleague.id, sentence, case, at)

    def push_to_officer(
        self,
        tx: Transaction,
        officer_id: int,
        sentence: str,
        case: Case,
        at: datetime,
        *,
        words: str = "",
        button: bool = True,
        colleague: int = 0,
    ) -> None:
        catalogue = self._catalogue(people.language_of(tx, officer_id))
        text = catalogue.t(
            sentence,
            colleague=escape(officer_names(tx).of(colleague, catalogue)) if colleague else "",
            number=case.number,
            place=self.place_name(case.district, catalogue),
            due=catalogue.minute(case.due_at, self._settings.zone),
        )
        if words:
            text = f"**{text}**\n{escape(words)}"
        buttons = (Button(catalogue.t("Message {number}", number=case.number), f"case:open:{case.number}"),)
        pushes.add(
            tx,
            officer_id,
            reply=dump_reply(Reply(text, buttons if button else ())),
            at=stamp(at),
            not_before=self.decent(at),
            about=about(case.number, words=bool(words)),
        )

    def decent(self, at: datetime) -> str:
        """Return from when on somebody may be written to who did not just write."""
        quiet = self._settings.quiet
        return stamp(quiet.end(at)) if quiet.covers(at) else ""

    def place_name(self, district: str, catalogue: Catalogue) -> str:
        """Name where a case belongs to."""
        known = self._regions.districts.get(district)
        return known.title(catalogue.language) if known else catalogue.t("place unknown")

    def _catalogue(self, language: str) -> Catalogue:
        return self._catalogues.get(language) or self._catalogues[self._settings.default_language]

    def translate(self, language: str) -> Callable[..., str]:
        return self._catalogue(language).t

    def tell_bereft(self, tx: Transaction, case: Case, at: datetime) -> None:
        """Let a citizen know that the officer who talked to them is gone, and that they talk to the bot again."""
        t = self.translate(case.language)
        said = t("The officer you talked to can no longer answer here. I, the automatic assistant, answer again. "
                 "If something is still open, ask for a person again; the colleagues go on from there.")  # fmt: skip
        reply = Reply(said, (Button(t("Talk to a person"), "/canbo"), Button(t("Main menu"), "/menu")))
        pushes.add(tx, case.person_id, reply=dump_reply(reply), at=stamp(at), not_before=self.decent(at))

    def tell_overdue(self, tx: Transaction, *, at: datetime) -> int:
        """Tell officers once of each case that is overdue, one notice for all of theirs; returns how many cases.

        Whoever has a case in hand is told, else the officers of its place. In the quiet hours nobody is, and the cases
        wait for the end of these.
        """
        if self._settings.quiet.covers(at):
            return 0
        tx.lock("overdue")
        found = [case_of(row) for row in conversations.newly_overdue(tx, at=stamp(at))]
        called: dict[int, list[Case]] = {}
        for case in found:
            conversations.note_overdue_told(tx, case.number)
            to = [case.officer] if case.officer else [one.id for one in self.officers_for(tx, case.district)]
            for officer_id in to:
                called.setdefault(officer_id, []).append(case)
        for officer_id, cases in called.items():
            t = self.translate(people.language_of(tx, officer_id))
            numbers = ", ".join(str(case.number) for case in cases[:MOST_NAMED])
            said = t("Overdue now, and still without an answer: {count} (numbers {numbers}).",
                     count=len(cases), numbers=numbers + (", …" if len(cases) > MOST_NAMED else ""))  # fmt: skip
            buttons = [
                Button(t("Message {number}", number=case.number), f"case:open:{case.number}")
                for case in cases[:MOST_NAMED]
            ]
            reply = dump_reply(Reply(said, (*buttons, Button(t("Citizens' messages"), "/hopthu"))))
            pushes.add(tx, officer_id, reply=reply, at=stamp(at), about=f"{ABOUT}overdue")
        return len(found)


def colleagues(tx: Transaction) -> list[Colleague]:
    """List everybody who may answer citizens and can be written to, with their areas."""
    areas: dict[int, list[str]] = {}
    languages: dict[int, str] = {}
    for row in roles.holders(tx):
        if access.RANK[row["role"]] >= access.RANK[access.ANSWER_MESSAGES.role]:
            areas.setdefault(row["person_id"], []).append(row["scope"])
            languages[row["person_id"]] = row["language"]
    return [Colleague(number, languages[number], tuple(sorted(found))) for number, found in areas.items()]


def about(number: int, *, words: bool = False) -> str:
    """Name what a message to officers tells of: words of a citizen are not taken back when the case is taken."""
    return f"{ABOUT}{number}{' words' if words else ''}"
