"""Who may do what: listed without addresses, invited by a code that is shown once, revoked after a second word."""

from __future__ import annotations

from aiohttp import web

from bot import access
from bot.access.roles import ADMIN, INVITATION_LIFETIME, INVITATION_PREFIX, OFFICER, Grant
from bot.errors import Refused
from bot.i18n.catalogue import mark
from bot.web.desk.page_context import Visit, number_in

UNKNOWN_ROLE = mark("This choice is no longer there. Please choose again.")


async def overview(visit: Visit) -> web.Response:
    """List everybody with a role, and the invitations that nobody has taken yet."""
    return await _show(visit)


async def invite(visit: Visit) -> web.Response:
    """Make an invitation and show its code and links, this once."""
    role, _, scope = visit.form.get("role", "").partition(":")
    if role not in (OFFICER, ADMIN) or (scope and (role == ADMIN or scope not in visit.service.regions.districts)):
        return await _show(visit, warning=UNKNOWN_ROLE, status=400)
    code, grant, by = access.new_code(), Grant(role, scope), visit.member.id
    try:
        await visit.service.store.write(
            lambda tx: access.offer_role(tx, code, grant, at=visit.at, actor=visit.actor.name, by=by)
        )
    except Refused as refusal:
        return await _show(visit, warning=str(refusal), status=409)
    payload = INVITATION_PREFIX + code
    return await _show(visit, invitation=(grant, f"/start {payload}", visit.service.settings.start_links(payload)))


async def revoke(visit: Visit) -> web.Response:
    """Take all roles from somebody; what they have in hand goes to the others."""
    number, by = number_in(visit.request.match_info["number"]), visit.member.id
    try:
        await visit.service.store.write(
            lambda tx: visit.help_desk.dismiss(tx, number, at=visit.at, actor=visit.actor.name, by=by)
        )
    except Refused as refusal:
        return await _show(visit, warning=str(refusal), status=409)
    return visit.go("people")


async def withdraw(visit: Visit) -> web.Response:
    """Make all open invitations worthless."""
    by = visit.member.id
    await visit.service.store.write(
        lambda tx: access.withdraw_invitations(tx, at=visit.at, actor=visit.actor.name, by=by)
    )
    return visit.go("people")


async def _show(
    visit: Visit,
    *,
    invitation: tuple[Grant, str, tuple[str, ...]] | None = None,
    warning: str = "",
    status: int = 200,
) -> web.Response:
    everybody = await visit.service.store.read(access.holders)
    invitations = await visit.service.store.read(lambda tx: access.open_invitations(tx, at=visit.at))
    return await visit.show(
        "people.html",
        status=status,
        holders=everybody,
        invitations=invitations,
        last_admin=access.is_last_admin(everybody, visit.member.id),
        invitation=invitation,
        days=INVITATION_LIFETIME.days,
        districts=visit.service.regions.districts.values(),
        named=lambda grant: _named(visit, grant),
        warning=warning and visit.t(warning),
    )


def _named(visit: Visit, grant: Grant) -> str:
    if grant.role == ADMIN:
        return visit.t("admin")
    return visit.t(
        "officer, {place}", place=visit.place_name(grant.scope) if grant.scope else visit.t("the whole province")
    )
