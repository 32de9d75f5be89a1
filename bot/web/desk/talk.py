"""One talk with a citizen: read, taken, answered, noted on, handed over, closed, reopened, taken out as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from bot.errors import NotAllowed
from bot.helpdesk import notes
from bot.helpdesk.cases import LONGEST
from bot.helpdesk.models import Case, CaseMessage
from bot.helpdesk.notes import CaseNote, SavedReply
from bot.i18n.catalogue import mark
from bot.library.render import article_reply
from bot.store import Transaction, case_notes
from bot.text.markup import to_plain
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PATH, PageContext, number_in

_SECRET = mark(
    "This was not sent: it holds a password, a one-time code or a personal number. Please take that out first."
)
_EMPTY = mark("The answer is empty.")
_TOO_LONG = mark("The answer is too long: at most {longest} characters. It was not sent.")
_OVERTAKEN = mark("The citizen has written something new meanwhile. Please read it, then send your answer.")
_NOTHING_CHOSEN = mark("Please choose first what to put into the answer.")
_NO_CHOICE = mark("This choice is no longer there. Please choose again.")
_NO_ROOM = mark("Together that would be longer than an answer may be. Please shorten what is there first.")


@dataclass(frozen=True, slots=True)
class TalkView:
    """What the page of one talk shows."""

    case: Case
    said: list[CaseMessage]
    notes: list[CaseNote]
    labels: list[str]
    known_labels: list[str]
    replies: list[SavedReply]


async def talk(page: PageContext) -> web.Response:
    """Show one talk; a line in the audit says who read it."""
    return await _show(page)


async def take(page: PageContext) -> web.Response:
    """Take a talk in hand, from a colleague only when asked to."""
    over = page.form.get("over") == "1"
    return await _do(page, lambda tx, number: page.help_desk.take(tx, page.officer, number, at=page.at, over=over))


async def answer(page: PageContext) -> web.Response:
    """Send an answer to the citizen, once, however often the button was pressed."""
    text = clean(page.form.get("text", ""))
    seen = number_in(page.form.get("seen", ""))
    if not text or len(text) > LONGEST or redact(text).secrets:
        reason = _EMPTY if not text else _TOO_LONG if len(text) > LONGEST else _SECRET
        return await _show(page, warning=reason, text=text, status=400)

    def work(tx: Transaction, number: int) -> None:
        desk, officer = page.help_desk, page.officer
        tx.lock(f"talk {number}")
        desk.held(tx, officer, number)
        _, said = desk.thread(tx, officer, number)
        newer = [one for one in said if one.number > seen]
        if any(one.officer == officer.id and one.text == text for one in newer):
            return  # the button was pressed twice
        if any(not one.by_officer for one in newer):
            raise NotAllowed(_OVERTAKEN)
        desk.answer(tx, officer, number, text, at=page.at)

    return await _do(page, work, text=text)


async def insert(page: PageContext) -> web.Response:
    """Put a saved reply or the text of an article behind what is typed; nothing is sent."""
    text, (kind, _, name) = clean(page.form.get("text", "")), page.form.get("what", "").partition(":")
    if not kind:
        return await _show(page, warning=_NOTHING_CHOSEN, text=text, status=400)
    number = number_in(page.request.match_info["number"])
    try:
        if kind == "reply":
            reply = await page.service.store.read(lambda tx: notes.find_reply(tx, number_in(name)))
            added = reply.text
        else:
            case = await page.service.store.read(lambda tx: page.help_desk.readable(tx, page.officer, number))
            added = _article(page, kind, name, case.language)
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), text=text, status=400)
    together = f"{text}\n\n{added}".strip()
    if len(together) > LONGEST:
        return await _show(page, warning=_NO_ROOM, text=text, status=400)
    return await _show(page, text=together)


def _article(page: PageContext, kind: str, name: str, language: str) -> str:
    """Return the text of an article in the citizen's language. Raise NotAllowed if there is none."""
    library, service = page.service.content_store.knowledge.library, page.service
    found = library.articles.get(name)
    if kind != "article" or found is None:
        raise NotAllowed(_NO_CHOICE)
    catalogue = service.catalogues.get(language) or service.catalogues[service.settings.default_language]
    return to_plain(article_reply(found, library, catalogue, service.settings).text)


async def note(page: PageContext) -> web.Response:
    """Keep a note for colleagues."""
    text = page.form.get("text-note", "")
    return await _do(
        page,
        lambda tx, number: notes.add_note(tx, page.help_desk, page.officer, number, text, at=page.at),
        note=text,
    )


async def label(page: PageContext) -> web.Response:
    """Put a label on a talk, or take one off."""
    put, off = page.form.get("label", ""), page.form.get("off", "")

    def work(tx: Transaction, number: int) -> None:
        if off:
            notes.take_label(tx, page.help_desk, page.officer, number, off, at=page.at)
        else:
            notes.put_label(tx, page.help_desk, page.officer, number, put, at=page.at)

    return await _do(page, work)


async def hand_over(page: PageContext) -> web.Response:
    """Give a talk to a district, the province or one officer, once that was shown and confirmed."""
    district, colon, name = page.form.get("to", "").partition(":")
    number, to = number_in(page.request.match_info["number"]), number_in(name)
    desk, officer = page.help_desk, page.officer
    if not colon or (name and not to):
        return await _show(page, warning=_NO_CHOICE, status=409)
    if page.form.get("sure") == "1":
        return await _do(
            page,
            lambda tx, number: desk.hand_over(tx, officer, number, district=district, to=to, at=page.at),
            target="inbox",
        )
    try:
        await page.service.store.read(lambda tx: desk.may_hand_over(tx, officer, number, district=district, to=to))
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    place = page.place_name(district) if district else page.t("the whole province")
    return await page.show("hand_over.html", number=number, place=place, to=to, goal=page.form["to"])


async def close(page: PageContext) -> web.Response:
    """End a talk; while the citizen waits for an answer, only after a second yes."""
    number, desk = number_in(page.request.match_info["number"]), page.help_desk
    if page.form.get("sure") != "1":
        try:
            case = await page.service.store.read(lambda tx: desk.held(tx, page.officer, number))
        except NotAllowed as refusal:
            return await _show(page, warning=str(refusal), status=409)
        if case.waiting_since is not None:
            return await page.show("close.html", number=number, since=case.waiting_since)
    return await _do(
        page,
        lambda tx, number: desk.close(tx, page.officer, number, at=page.at),
        target="inbox",
    )


async def reopen(page: PageContext) -> web.Response:
    """Go on with a talk that has ended."""
    return await _do(page, lambda tx, number: page.help_desk.reopen(tx, page.officer, number, at=page.at))


async def take_out(page: PageContext) -> web.Response:
    """Hand out all that was said in a talk as a file for the citizen, without officers' notes; the audit says so."""
    number, desk, officer = number_in(page.request.match_info["number"]), page.help_desk, page.officer

    def work(tx: Transaction) -> tuple[Case, list[CaseMessage]]:
        found = desk.thread(tx, officer, number)
        desk.audit(tx, officer, "export-talk", number, page.at)
        return found

    try:
        case, said = await page.service.store.write(work)
    except NotAllowed as refusal:
        return await page.refuse(404, str(refusal))
    headers = {"Content-Disposition": f'attachment; filename="{page.t("message-{number}", number=number)}.txt"'}
    text = "\r\n".join(_lines_of(page, case, said))
    return web.Response(text=f"\ufeff{text}\r\n", content_type="text/plain", charset="utf-8", headers=headers)


def _lines_of(page: PageContext, case: Case, said: list[CaseMessage]) -> list[str]:
    t, minute, zone = page.t, page.catalogue.minute, page.service.settings.zone
    lines = [
        t("Message {number}", number=case.number) + f", {page.place_name(case.district)}",
        t("Opened: {moment}", moment=minute(case.opened_at, zone)),
    ]
    if case.closed_at is not None:
        lines.append(t("Closed: {moment}", moment=minute(case.closed_at, zone)))
    if case.question:
        lines += ["", t("The question that I could not answer: {question}", question=case.question)]
    for one in said:
        who = t("Officer") if one.by_officer else t("Citizen")
        lines += ["", f"{who}, {minute(one.at, zone)}", *one.text.splitlines()]
    return [*lines, "", t("Taken out at {moment}.", moment=minute(page.at, zone))]


async def _do(
    page: PageContext, work: Callable[[Transaction, int], None], *, text: str = "", note: str = "", target: str = ""
) -> web.Response:
    """Change a talk in one transaction and go back to it; whoever was slower is told so, and loses no words."""
    number = number_in(page.request.match_info["number"])
    try:
        await page.service.store.write(lambda tx: work(tx, number))
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), text=text, note=note, status=409)
    return page.go(target or f"inbox/{number}")


async def _show(
    page: PageContext, *, warning: str = "", text: str = "", note: str = "", status: int = 200
) -> web.Response:
    number, desk, officer = number_in(page.request.match_info["number"]), page.help_desk, page.officer

    def work(tx: Transaction) -> TalkView:
        case, said = desk.thread(tx, officer, number)
        desk.note_reading(tx, officer, number, at=page.at)
        return TalkView(
            case,
            said,
            notes.notes_of(tx, desk, officer, number),
            case_notes.labels_of(tx, number),
            notes.known_labels(tx, officer),
            notes.replies(tx),
        )

    try:
        found = await page.service.store.write(work)
    except NotAllowed as refusal:
        return await page.refuse(404, warning or str(refusal))
    case = found.case
    mine = case.officer == officer.id and not case.closed
    library = page.service.content_store.knowledge.library
    return await page.show(
        "talk.html",
        status=status,
        case=case,
        view=found,
        seen=found.said[-1].number if found.said else 0,
        mine=mine,
        goals=await _successors(page, case) if mine or (not case.officer and not case.closed) else [],
        articles=sorted((one.title.in_language(page.catalogue.language), one.id) for one in library.articles.values()),
        warning=warning and page.t(warning, longest=page.catalogue.number(LONGEST)),
        text=text,
        note=note,
        longest=LONGEST,
        longest_label=notes.LONGEST_LABEL,
        address=f"{PATH}/inbox/{number}",
    )


async def _successors(page: PageContext, case: Case) -> list[tuple[str, str, list[int]]]:
    """List the places that a talk may go to: id, name, and the officers there."""
    desk, regions = page.help_desk, page.service.regions
    found = [("", page.t("the whole province")), *((d.id, d.title(page.catalogue.language))
             for d in regions.districts.values())]  # fmt: skip

    def work(tx: Transaction) -> list[tuple[str, str, list[int]]]:
        return [
            (place, name, [one.id for one in desk.successors(tx, case, place) if place in one.areas])
            for place, name in found
        ]

    return await page.service.store.read(work)
