"""The audit trail: who did what when, and whether a line was taken out."""

from __future__ import annotations

from aiohttp import web

from bot import access
from bot.clock import moment
from bot.store import roles
from bot.web.desk.page_context import PageContext, number_in

LINES = 200  # on one page


async def audit(page: PageContext) -> web.Response:
    """Show the newest lines, or those before one; whether the chain is whole is looked up when asked for."""
    query = page.request.query
    before = number_in(query.get("before", ""))
    lines = await page.service.store.read(
        lambda tx: (
            roles.newest_audit(tx, before=before, limit=LINES + 1)
            if before
            else roles.newest_audit(tx, limit=LINES + 1)
        )
    )
    checked = "check" in query
    broken = await access.check_audit(page.service.store) if checked else None
    older = lines[LINES - 1]["id"] if len(lines) > LINES else 0
    return await page.show(
        "audit.html", moment=moment, lines=lines[:LINES], older=older, checked=checked, broken=broken
    )
