"""What citizens ask of people: who waits, one talk with what is done in it; an officer sees the own places only."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.errors import Refused
from bot.helpdesk.cases import LONGEST, Case, Said
from bot.i18n.catalogue import mark
from bot.store import Transaction
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PATH, Visit, number_in

MOST_SHOWN = 100
_SECRET = mark(
    "This was not sent: it holds a password, a one-time code or a personal number. Please take that out first."
)
_EMPTY = mark("The answer is empty.")
_OVERTAKEN = mark("The citizen has written something new meanwhile. Please read it, then send your answer.")


async def overview(visit: Visit) -> web.Response:
    """List the open talks of the person's scope, without their words: reading these stands in the audit."""
    desk, officer, at = visit.help_desk, visit.officer, visit.at
    cases = await visit.service.store.read(lambda tx: desk.cases(tx, officer))
    waiting = await visit.service.store.read(lambda tx: desk.waiting(tx, officer, at=at))
    return await visit.show("inbox.html", cases=cases[:MOST_SHOWN], more=len(cases) - MOST_SHOWN, waiting=waiting)


async def talk(visit: Visit) -> web.Response:
    """Show one talk; a line in the audit says who read it."""
    return await _show(visit)


async def take(visit: Visit) -> web.Response:
    """Take a talk in hand, from a colleague only when asked to."""
    over = visit.form.get("over") == "1"
    return await _do(visit, lambda tx, number: visit.help_desk.take(tx, visit.officer, number, at=visit.at, over=over))


async def answer(visit: Visit) -> web.Response:
    """Send an answer to the citizen, once, however often the button was pressed."""
    text = clean(visit.form.get("text", ""))
    seen = number_in(visit.form.get("seen", ""))
    if not text or redact(text).secrets:
        return await _show(visit, warning=_SECRET if text else _EMPTY, text=text, status=400)

    def work(tx: Transaction, number: int) -> None:
        desk, officer = visit.help_desk, visit.officer
        tx.hold(f"talk {number}")
        desk.held(tx, officer, number)
        _, said = desk.thread(tx, officer, number)
        newer = [one for one in said if one.number > seen]
        if any(one.officer == officer.id and one.text == text[:LONGEST] for one in newer):
            return  # the button was pressed twice
        if any(not one.by_officer for one in newer):
            raise Refused(_OVERTAKEN)
        desk.answer(tx, officer, number, text, at=visit.at)

    return await _do(visit, work, text=text)


async def hand_over(visit: Visit) -> web.Response:
    """Give a talk to a district, the province or one officer."""
    district, _, to = visit.form.get("to", "").partition(":")
    return await _do(
        visit,
        lambda tx, number: visit.help_desk.hand_over(
            tx, visit.officer, number, district=district, to=number_in(to), at=visit.at
        ),
        target="inbox",
    )


async def close(visit: Visit) -> web.Response:
    """End a talk."""
    return await _do(
        visit,
        lambda tx, number: visit.help_desk.close(tx, visit.officer, number, at=visit.at),
        target="inbox",
    )


async def _do(
    visit: Visit, work: Callable[[Transaction, int], None], *, text: str = "", target: str = ""
) -> web.Response:
    """Change a talk in one transaction and go back to it; whoever was slower is told so, and loses no words."""
    number = number_in(visit.request.match_info["number"])
    try:
        await visit.service.store.write(lambda tx: work(tx, number))
    except Refused as refusal:
        return await _show(visit, warning=str(refusal), text=text, status=409)
    return visit.go(target or f"inbox/{number}")


async def _show(visit: Visit, *, warning: str = "", text: str = "", status: int = 200) -> web.Response:
    number, desk, officer = number_in(visit.request.match_info["number"]), visit.help_desk, visit.officer

    def work(tx: Transaction) -> tuple[Case, list[Said]]:
        found = desk.thread(tx, officer, number)
        desk.note_reading(tx, officer, number, at=visit.at)
        return found

    try:
        case, said = await visit.service.store.write(work)
    except Refused as refusal:
        return visit.refuse(404, warning or str(refusal))
    mine = case.officer == officer.id
    return await visit.show(
        "talk.html",
        status=status,
        case=case,
        said=said,
        seen=said[-1].number if said else 0,
        mine=mine,
        goals=await _successors(visit, case) if mine else [],
        warning=warning and visit.t(warning),
        text=text,
        longest=LONGEST,
        address=f"{PATH}/inbox/{number}",
    )


async def _successors(visit: Visit, case: Case) -> list[tuple[str, str, list[int]]]:
    """List the places that a talk may go to: id, name, and the officers there."""
    desk, regions = visit.help_desk, visit.service.regions
    found = [("", visit.t("the whole province")), *((d.id, d.title(visit.catalogue.language))
             for d in regions.districts.values())]  # fmt: skip

    def work(tx: Transaction) -> list[tuple[str, str, list[int]]]:
        return [
            (place, name, [one.id for one in desk.successors(tx, case, place) if place in one.areas])
            for place, name in found
        ]

    return await visit.service.store.read(work)
