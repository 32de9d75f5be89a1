"""The audit trail: who did what when, by person, kind of act and day, and whether a line was taken out."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from aiohttp import web

from bot import access
from bot.access import audit_trail
from bot.access.audit_trail import GROUPS, AuditFilter, AuditWords
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.web.desk.page_context import PageContext, number_in

LINES = 200  # on one page
NO_DAY = mark("I cannot read this day. Please choose it again.")


async def audit(page: PageContext) -> web.Response:
    """Show the newest lines, or those before one; whether the chain is whole is looked up when asked for."""
    query, store = page.request.query, page.service.store
    chosen = {name: query.get(name, "").strip() for name in ("person", "kind", "day")}
    before, warning = number_in(query.get("before", "")), ""
    try:
        wanted = _filter(page, chosen)
    except NotAllowed as refusal:
        wanted, warning = AuditFilter(), page.t(str(refusal))
    rows, names = await store.read(lambda tx: audit_trail.audit_lines(tx, wanted, before=before, limit=LINES + 1))
    words = AuditWords(page.catalogue, names, page.place_name)
    checked = "check" in query
    kept = {name: value for name, value in chosen.items() if value}
    return await page.show(
        "audit.html",
        status=400 if warning else 200,
        lines=[words.line(row) for row in rows[:LINES]],
        older=urlencode({**kept, "before": rows[LINES - 1]["id"]}) if len(rows) > LINES else "",
        checked=checked,
        broken=await access.check_audit(store) if checked else None,
        people=[(actor, words.actor(actor)) for actor in await store.read(audit_trail.actors)],
        kinds=[(name, page.t(title)) for name, (title, _) in GROUPS.items()],
        chosen=chosen,
        warning=warning,
    )


def _filter(page: PageContext, chosen: dict[str, str]) -> AuditFilter:
    """Return which lines are wanted. Raise NotAllowed if the day is none."""
    since = until = ""
    if chosen["day"]:
        try:
            day = date.fromisoformat(chosen["day"])
            begins = datetime.combine(day, time(), page.service.settings.zone)
            since, until = stamp(begins), stamp(begins + timedelta(days=1))
        except (ValueError, OverflowError):
            raise NotAllowed(NO_DAY) from None
    return AuditFilter(chosen["person"], chosen["kind"], since, until)
