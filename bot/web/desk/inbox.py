"""What citizens ask of people: who waits, one talk with what is done in it; an officer sees the own places only."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.errors import NotAllowed
from bot.helpdesk.cases import LONGEST, Case, CaseMessage
from bot.i18n.catalogue import mark
from bot.store import Transaction
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PATH, PageContext, number_in

MOST_SHOWN = 100
_SECRET = mark(
    "This was not sent: it holds a password, a one-time code or a personal number. Please take that out first."
)
_EMPTY = mark("The answer is empty.")
_OVERTAKEN = mark("The citizen has written something new meanwhile. Please read it, then send your answer.")


async def overview(page: PageContext) -> web.Response:
    """List the open talks of the person's scope, without their words: reading these stands in the audit."""
    desk, officer, at = page.help_desk, page.officer, page.at
    cases = await page.service.store.read(lambda tx: desk.cases(tx, officer))
    waiting = await page.service.store.read(lambda tx: desk.waiting(tx, officer, at=at))
    return await page.show("inbox.html", cases=cases[:MOST_SHOWN], more=len(cases) - MOST_SHOWN, waiting=waiting)


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
    if not text or redact(text).secrets:
        return await _show(page, warning=_SECRET if text else _EMPTY, text=text, status=400)

    def work(tx: Transaction, number: int) -> None:
        desk, officer = page.help_desk, page.officer
        tx.lock(f"talk {number}")
        desk.held(tx, officer, number)
        _, said = desk.thread(tx, officer, number)
        newer = [one for one in said if one.number > seen]
        if any(one.officer == officer.id and one.text == text[:LONGEST] for one in newer):
            return  # the button was pressed twice
        if any(not one.by_officer for one in newer):
            raise NotAllowed(_OVERTAKEN)
        desk.answer(tx, officer, number, text, at=page.at)

    return await _do(page, work, text=text)


async def hand_over(page: PageContext) -> web.Response:
    """Give a talk to a district, the province or one officer."""
    district, _, to = page.form.get("to", "").partition(":")
    return await _do(
        page,
        lambda tx, number: page.help_desk.hand_over(
            tx, page.officer, number, district=district, to=number_in(to), at=page.at
        ),
        target="inbox",
    )


async def close(page: PageContext) -> web.Response:
    """End a talk."""
    return await _do(
        page,
        lambda tx, number: page.help_desk.close(tx, page.officer, number, at=page.at),
        target="inbox",
    )


async def _do(
    page: PageContext, work: Callable[[Transaction, int], None], *, text: str = "", target: str = ""
) -> web.Response:
    """Change a talk in one transaction and go back to it; whoever was slower is told so, and loses no words."""
    number = number_in(page.request.match_info["number"])
    try:
        await page.service.store.write(lambda tx: work(tx, number))
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), text=text, status=409)
    return page.go(target or f"inbox/{number}")


async def _show(page: PageContext, *, warning: str = "", text: str = "", status: int = 200) -> web.Response:
    number, desk, officer = number_in(page.request.match_info["number"]), page.help_desk, page.officer

    def work(tx: Transaction) -> tuple[Case, list[CaseMessage]]:
        found = desk.thread(tx, officer, number)
        desk.note_reading(tx, officer, number, at=page.at)
        return found

    try:
        case, said = await page.service.store.write(work)
    except NotAllowed as refusal:
        return await page.refuse(404, warning or str(refusal))
    mine = case.officer == officer.id
    return await page.show(
        "talk.html",
        status=status,
        case=case,
        said=said,
        seen=said[-1].number if said else 0,
        mine=mine,
        goals=await _successors(page, case) if mine else [],
        warning=warning and page.t(warning),
        text=text,
        longest=LONGEST,
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
