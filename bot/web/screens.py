"""Pictures of guided walks for the web chat: the same for everybody, drawn when a browser asks for them."""

from __future__ import annotations

import asyncio
import hashlib

from aiohttp import web

from bot.exports.screens import THEMES, Theme
from bot.message import SCREEN
from bot.web.keys import SERVICE

ROUTE = "/screens/{guide}/{step}/{language}-{theme}.png"
_CACHE = "public, max-age=3600"  # content changes without a restart, so a browser asks again after an hour


async def screen(request: web.Request) -> web.Response:
    """Hand out the drawn screen of a step; 404 where there is none."""
    place, theme = request.match_info, request.match_info["theme"]
    if theme not in THEMES:
        raise web.HTTPNotFound
    name = f"{SCREEN}{place['guide']}/{place['step']}/{place['language']}"
    picture = await asyncio.to_thread(request.app[SERVICE].screens.picture, name, theme)
    if not picture:
        raise web.HTTPNotFound
    tag = hashlib.sha256(picture).hexdigest()[:20]
    headers = {"Cache-Control": _CACHE, "ETag": f'"{tag}"'}
    if any(known.value == tag for known in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=picture, content_type="image/png", headers=headers)


def address(name: str, theme: Theme) -> str:
    """Return where the web chat finds a picture; empty for anything but a screen's name."""
    return f"/screens/{name.removeprefix(SCREEN)}-{theme}.png" if name.startswith(SCREEN) else ""
