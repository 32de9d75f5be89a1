"""Webhooks: a platform is told "taken" only when its message is in the inbox."""

from __future__ import annotations

import orjson
import structlog
from aiohttp import web

from bot.channels.telegram import Telegram
from bot.channels.telegram_updates import update_id_of
from bot.errors import StoreError
from bot.web.keys import SERVICE

log = structlog.get_logger()

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_RETRY_SECONDS = "5"


async def telegram(request: web.Request) -> web.Response:
    """Take one update of Telegram: 403 without the secret, 400 for anything else, 413 when too large."""
    channel = request.app[SERVICE].channels.get(Telegram.name)
    if not isinstance(channel, Telegram):
        return _refused(404, "telegram is off")
    if not channel.knows(request.headers.get(_SECRET_HEADER, "")):
        return _refused(403, "wrong secret token")
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _refused(413, "too large")
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _refused(400, "not JSON")
    if update_id_of(raw) is None:
        return _refused(400, "no update of Telegram")
    if not channel.listening:
        return _later()
    try:
        await channel.take(raw)
    except StoreError as error:
        log.error("database unavailable, update waits at Telegram", reason=str(error))
        return _later()
    return web.Response()


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


def _later() -> web.Response:
    return web.json_response({"error": "later"}, status=503, headers={"Retry-After": _RETRY_SECONDS})
