"""In and out: a link shows a page with one button, and only the button uses the link up."""

from __future__ import annotations

import aiohttp_jinja2
from aiohttp import web

import bot
from bot.access.desk_sessions import LONGEST, sign_in, sign_out
from bot.i18n.catalogue import mark
from bot.web.chat import catalogue_of
from bot.web.desk.page_context import (
    COOKIE,
    FOREIGN_FORM,
    PATH,
    RETURN_COOKIE,
    PageContext,
    frame,
    is_same_origin,
    refused,
    return_address,
)
from bot.web.keys import SERVICE, TEMPLATES

USED = mark("This link was used already, or is too old. Type /desk in the chat for a new one.")


async def ask(request: web.Request) -> web.Response:
    """Show the button; programs that look at links ahead of people do no harm."""
    values = {**frame(request, catalogue_of(request)), "key": request.query.get("key", "")}
    return aiohttp_jinja2.render_template("desk/sign_in.html", request, values, app_key=TEMPLATES)


async def enter(request: web.Request) -> web.StreamResponse:
    """Use the link up and give the browser a new session, whatever it brought."""
    service, catalogue = request.app[SERVICE], catalogue_of(request)
    if not is_same_origin(request):
        return refused(request, 403, catalogue.t(FOREIGN_FORM))
    key = (await request.post()).get("key", "")
    member = None
    if isinstance(key, str) and key:
        replaced = request.cookies.get(COOKIE, "")
        member = await sign_in(service.store, key, at=service.clock(), replaces=replaced)
    if member is None:
        return refused(request, 403, catalogue.t(USED))
    response = web.Response(status=303, headers={"Location": return_address(request)})
    response.del_cookie(RETURN_COOKIE, path=PATH)
    secure = request.secure or service.settings.web.public_url.startswith("https://")
    response.set_cookie(
        COOKIE,
        member.session,
        max_age=int(LONGEST.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=secure,
    )
    return response


async def leave(page: PageContext) -> web.StreamResponse:
    """End the session."""
    await sign_out(page.service.store, page.member.session)
    response = refused(page.request, 200, page.t("You are signed out."))
    response.del_cookie(COOKIE, path=PATH)
    return response


async def manifest(request: web.Request) -> web.Response:
    """Say how the desk is installed as a web app; it tells nothing of anybody and needs no session."""
    catalogue = catalogue_of(request)
    icons = [
        {"src": f"/static/{name}?v={bot.__version__}", "sizes": sizes, "type": kind, "purpose": "any"}
        for name, sizes, kind in (
            ("icon.svg", "any", "image/svg+xml"),
            ("icon-192.png", "192x192", "image/png"),
            ("icon-512.png", "512x512", "image/png"),
        )
    ]
    described = {
        "name": f"{catalogue.t('The desk')} · {catalogue.t('Health book helper')}",
        "short_name": catalogue.t("The desk"),
        "lang": catalogue.language,
        "start_url": f"{PATH}/",
        "scope": f"{PATH}/",
        "display": "standalone",
        "background_color": "#f3f6f5",
        "theme_color": "#0a5f58",
        "icons": icons,
    }
    return web.json_response(described, content_type="application/manifest+json")
