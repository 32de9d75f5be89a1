"""The audit trail: who did what when, and whether a line was taken out."""

from __future__ import annotations

from aiohttp import web

from bot import access
from bot.store import roles
from bot.web.desk.visit import Visit

MOST_LINES = 200


async def audit(visit: Visit) -> web.Response:
    """Show the newest lines, and whether the chain is whole."""
    lines = await visit.service.store.read(lambda tx: roles.newest_audit(tx, limit=MOST_LINES))
    broken = await access.check_audit(visit.service.store)
    return await visit.show("audit.html", lines=lines, broken=broken)
