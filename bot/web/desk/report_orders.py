"""To whom reports come by themselves: officers order for themselves, admins for anybody with a role."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot import access
from bot.clock import stamp
from bot.exports.report_periods import EVERY
from bot.store import Transaction, report_orders
from bot.web.desk.page_context import PageContext, number_in

NEVER = "never"


async def order(page: PageContext) -> web.Response:
    """Have reports come to an officer as often as chosen, or no more."""
    number, every = number_in(page.form.get("person", "")), page.form.get("every", "")
    if (every != NEVER and every not in EVERY) or number not in await _eligible(page):
        raise web.HTTPNotFound

    def work(tx: Transaction) -> None:
        if every == NEVER:
            report_orders.remove(tx, number)
        else:
            report_orders.put(tx, number, every=every, made_by=page.actor.name, at=stamp(page.at))

    await page.service.store.write(work)
    await page.audit("report-order", f"person {number} {every}")
    return page.go("exports")


async def choices(page: PageContext) -> dict[str, Any]:
    """Return what the form of orders offers, and what is ordered."""
    eligible = await _eligible(page)
    rows = await page.service.store.read(report_orders.all_)
    often = {name: page.t(label) for name, (label, _) in EVERY.items()}
    return {
        "eligible": eligible,
        "often": [(NEVER, page.t("never")), *often.items()],
        "orders": [(row["person_id"], often[row["every"]]) for row in rows if row["person_id"] in eligible],
    }


async def _eligible(page: PageContext) -> list[int]:
    """List for whom the person may order: themselves, and for an admin everybody who holds a role."""
    if not page.allows(access.MANAGE_ROLES):
        return [page.member.id]
    return [holder.id for holder in await page.service.store.read(access.holders)]
