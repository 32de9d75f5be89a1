"""Replies that officers save for the next time: listed, added, changed, deleted; all officers share them."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from bot.errors import NotAllowed
from bot.helpdesk import notes
from bot.helpdesk.cases import LONGEST
from bot.store import Transaction
from bot.web.desk.page_context import PageContext, number_in


async def overview(page: PageContext) -> web.Response:
    """List the saved replies, each with its form."""
    return await _show(page)


async def keep(page: PageContext) -> web.Response:
    """Keep a new reply, or other words in the place of an old one."""
    number = number_in(page.request.match_info.get("number", ""))
    title, text = page.form.get("title", ""), page.form.get("text", "")
    if "number" in page.request.match_info and not number:
        return await _show(page, warning=notes.REPLY_GONE)
    return await _do(
        page, lambda tx: notes.keep_reply(tx, page.officer, number, title, text, at=page.at), number=number
    )


async def delete(page: PageContext) -> web.Response:
    """Delete a saved reply."""
    number = number_in(page.request.match_info["number"])
    return await _do(page, lambda tx: notes.delete_reply(tx, page.officer, number, at=page.at), number=number)


async def _do(page: PageContext, work: Callable[[Transaction], None], *, number: int) -> web.Response:
    try:
        await page.service.store.write(work)
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), number=number)
    return page.go("replies")


async def _show(page: PageContext, *, warning: str = "", number: int = 0) -> web.Response:
    typed = (page.form.get("title", ""), page.form.get("text", "")) if warning else ("", "")
    return await page.show(
        "saved_replies.html",
        status=409 if warning else 200,
        replies=await page.service.store.read(notes.replies),
        warning=warning and page.t(warning),
        typed=typed,
        at_number=number,
        longest=LONGEST,
        longest_title=notes.LONGEST_TITLE,
    )
