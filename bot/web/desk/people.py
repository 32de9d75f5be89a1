"""Who may do what: listed without addresses, invited by a code that is shown once, revoked after a second word."""

from __future__ import annotations

from aiohttp import web

from bot import access
from bot.access import names
from bot.access.names import LONGEST_NAME, check_name
from bot.access.roles import ADMIN, INVITATION_LIFETIME, INVITATION_PREFIX, OFFICER, Grant
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.store import officers
from bot.text.redaction import redact
from bot.web.desk.page_context import PageContext, number_in

UNKNOWN_ROLE = mark("This choice is no longer there. Please choose again.")


async def overview(page: PageContext) -> web.Response:
    """List everybody with a role, and the invitations that nobody has taken yet."""
    return await _show(page)


async def invite(page: PageContext) -> web.Response:
    """Make an invitation and show its code and links, this once."""
    role, _, scope = page.form.get("role", "").partition(":")
    if role not in (OFFICER, ADMIN) or (scope and (role == ADMIN or scope not in page.service.regions.districts)):
        return await _show(page, warning=UNKNOWN_ROLE, status=400)
    code, grant, by, typed = access.new_code(), Grant(role, scope), page.member.id, page.form.get("name", "").strip()
    try:
        name = check_name(typed) if typed else ""
        await page.service.store.write(
            lambda tx: access.offer_role(tx, code, grant, name=name, at=page.at, actor=page.actor.name, by=by)
        )
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    payload = INVITATION_PREFIX + code
    return await _show(page, invitation=(grant, f"/start {payload}", page.service.settings.start_links(payload)))


async def rename(page: PageContext) -> web.Response:
    """Give an officer another name; everybody their own, admins anybody's."""
    number, by, typed = number_in(page.request.match_info["number"]), page.member.id, page.form.get("name", "")
    try:
        await page.service.store.write(lambda tx: names.rename(tx, number, typed, by=by, at=page.at))
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    return page.go("people")


async def own_name(page: PageContext) -> web.Response:
    """Show what one is called oneself."""
    return await page.show("name.html", own=await _own(page), longest_name=LONGEST_NAME, warning="")


async def rename_oneself(page: PageContext) -> web.Response:
    """Change what one is called oneself."""
    by, typed = page.member.id, page.form.get("name", "")
    try:
        await page.service.store.write(lambda tx: names.rename(tx, by, typed, by=by, at=page.at))
    except NotAllowed as refusal:
        warning = page.t(str(refusal))
        shown = redact(typed).text  # a number that was typed by mistake is not repeated
        return await page.show("name.html", status=409, own=shown, longest_name=LONGEST_NAME, warning=warning)
    return page.go("name")


async def _own(page: PageContext) -> str:
    return await page.service.store.read(lambda tx: officers.name_of(tx, page.member.id))


async def revoke(page: PageContext) -> web.Response:
    """Take all roles from somebody; what they have in hand goes to the others."""
    number, by = number_in(page.request.match_info["number"]), page.member.id
    try:
        await page.service.store.write(
            lambda tx: page.help_desk.dismiss(tx, number, at=page.at, actor=page.actor.name, by=by)
        )
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    return page.go("people")


async def withdraw(page: PageContext) -> web.Response:
    """Make all open invitations worthless."""
    by = page.member.id
    await page.service.store.write(lambda tx: access.withdraw_invitations(tx, at=page.at, actor=page.actor.name, by=by))
    return page.go("people")


async def _show(
    page: PageContext,
    *,
    invitation: tuple[Grant, str, tuple[str, ...]] | None = None,
    warning: str = "",
    status: int = 200,
) -> web.Response:
    everybody = await page.service.store.read(access.holders)
    invitations = await page.service.store.read(lambda tx: access.open_invitations(tx, at=page.at))
    return await page.show(
        "people.html",
        status=status,
        holders=everybody,
        invitations=invitations,
        last_admin=access.is_last_admin(everybody, page.member.id),
        invitation=invitation,
        days=INVITATION_LIFETIME.days,
        districts=page.service.regions.districts.values(),
        role_words=lambda grant: _role_words(page, grant),
        holder_names=(await page.service.store.read(names.officer_names)).named,
        longest_name=LONGEST_NAME,
        typed_name="" if invitation else page.form.get("name", ""),
        warning=warning and page.t(warning),
    )


def _role_words(page: PageContext, grant: Grant) -> str:
    if grant.role == ADMIN:
        return page.t("admin")
    return page.t(
        "officer, {place}", place=page.place_name(grant.scope) if grant.scope else page.t("the whole province")
    )
