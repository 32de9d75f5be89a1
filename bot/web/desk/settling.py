"""Settling the queue: who else waits with the same matter, and one answer or one end for those who are chosen."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttp import web

from bot.errors import NotAllowed
from bot.helpdesk import settling
from bot.helpdesk.models import CaseMessage
from bot.helpdesk.settling import WaitingCase
from bot.search.calibration import Verdict
from bot.store import Transaction
from bot.web.desk.page_context import PATH, PageContext, number_in

ANSWER, CLOSE = "answer", "close"


async def show_same(page: PageContext) -> web.Response:
    """Show the own answer, and whose waiting messages are about the same."""
    return await _show(page)


async def settle(page: PageContext) -> web.Response:
    """Answer or close the chosen messages, each in a transaction of its own; what changed meanwhile is left."""
    number, desk, officer = number_in(page.request.match_info["number"]), page.help_desk, page.officer
    what = page.form.get("do", "")
    answer = await page.service.store.read(lambda tx: settling.own_answer(desk, tx, officer, number))
    chosen = page.form.getall("case", []) if page.request.query.get("all") != "1" else page.form.getall("shown", [])
    if not chosen or what not in (ANSWER, CLOSE):
        return await _show(page, warning=settling.NOBODY_CHOSEN, status=409)
    done, left = 0, []
    for one in dict.fromkeys(chosen[: settling.MOST_SHOWN]):
        case, newest = map(number_in, one.partition(":")[::2])
        act = partial(settling.answer_same, text=answer.text) if what == ANSWER else settling.close_same
        try:
            await page.service.store.write(
                lambda tx, act=act, case=case, newest=newest: act(  # type: ignore[misc]
                    desk, tx, officer, case, newest=newest, at=page.at
                )
            )
            done += 1
        except NotAllowed:
            left.append(str(case))
    said = page.t("Answered: {count}.", count=done) if what == ANSWER else page.t("Closed: {count}.", count=done)
    if left:
        said += " " + page.t("Not done, because something has changed there: {numbers}.", numbers=", ".join(left))
    return await _show(page, said=said)


async def _show(page: PageContext, *, warning: str = "", said: str = "", status: int = 200) -> web.Response:
    number, desk, officer = number_in(page.request.match_info["number"]), page.help_desk, page.officer
    capabilities = {name: channel.capabilities for name, channel in page.service.channels.items()}

    def read(tx: Transaction) -> tuple[CaseMessage, tuple[str, ...], list[WaitingCase]]:
        answer = settling.own_answer(desk, tx, officer, number)
        case, thread = desk.thread(tx, officer, number)
        asked = (*(one.text for one in thread if not one.by_officer), *([case.question] if case.question else []))
        return answer, asked, settling.read_waiting(desk, tx, officer, capabilities=capabilities, at=page.at)

    answer, asked, waiting = await page.service.store.read(read)
    found = await asyncio.to_thread(settling.same_matter, asked, waiting, _matter(page), but=number)

    def note(tx: Transaction) -> None:
        for one in found:
            desk.note_reading(tx, officer, one.case.number, at=page.at)

    if found:
        await page.service.store.write(note)
    return await page.show(
        "same_matter.html",
        status=status,
        number=number,
        answer=answer,
        found=found,
        warning=warning and page.t(warning),
        said=said,
        address=f"{PATH}/inbox/{number}/same",
    )


def _matter(page: PageContext) -> settling.Matter:
    index = page.service.content_store.knowledge.index

    def matter(text: str) -> str:
        found = index.find(text)
        return found.ids[0] if found.verdict is not Verdict.UNKNOWN and found.ids else ""

    return matter
