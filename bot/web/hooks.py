"""Webhooks: a platform is told "taken" only when its message is in the inbox."""

from __future__ import annotations

import orjson
import structlog
from aiohttp import HttpVersion11, web

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.updates import update_id_of
from bot.channels.zalo.bot.channel import ZaloBotChannel
from bot.channels.zalo.bot.updates import unwrap
from bot.channels.zalo.oa.channel import ZaloOAChannel
from bot.channels.zalo.oa.events import event_name
from bot.clock import stamp
from bot.errors import StoreError
from bot.runtime.build import Service
from bot.runtime.telegram_factory import TELEGRAM_HOOK
from bot.store import pictures
from bot.web.body import read_body, take_body
from bot.web.keys import SERVICE

log = structlog.get_logger()

_SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
_ZALO_BOT_HEADER, _ZALO_OA_HEADER = "X-Bot-Api-Secret-Token", "X-ZEvent-Signature"
_ZALO_TRIES_HEADER = "num_retry"
_RETRY_SECONDS = "5"


class _Taken(web.StreamResponse):
    """ "Taken", to a machine that reads nothing but the status, in the fewest steps; the connection stays."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write the whole answer."""
        if request.transport is not None:
            request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""

    @property
    def keep_alive(self) -> bool:
        """The connection stays."""
        return True


_TAKEN = _Taken()


def take_short_way(server: web.Server, service: Service) -> None:
    """Have updates of Telegram answered before the application looks at them; everything else goes its way.

    Routing, middleware and headers are for people; a flood of updates would pay for them each time.
    """
    through = server.request_handler

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.raw_path == TELEGRAM_HOOK and request.method == "POST":
            response = await take_telegram(request, service)
            if response.status >= 400:
                service.metrics.refusals.add(TELEGRAM_HOOK, str(response.status))
            return response
        return await through(request)

    server.request_handler = handle


async def telegram(request: web.Request) -> web.StreamResponse:
    """Take one update of Telegram."""
    return await take_telegram(request, request.app[SERVICE])


async def take_telegram(request: web.BaseRequest, service: Service) -> web.StreamResponse:
    """Take one update of Telegram: 403 without the secret, 400 for anything else, 413 when too large."""
    channel = service.channels.get(TelegramChannel.name)
    if not isinstance(channel, TelegramChannel):
        return _refused(404, "telegram is off")
    if not channel.knows(request.headers.get(_SECRET_HEADER, "")):
        return _refused(403, "wrong secret token")
    try:
        limits = service.settings.web
        body = take_body(request, limits.largest_body) or await read_body(request, limits.body_seconds)
    except (web.HTTPRequestEntityTooLarge, web.HTTPRequestTimeout) as error:
        return _refused(error.status, error.reason)
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _refused(400, "not JSON")
    if update_id_of(raw) is None:
        return _refused(400, "no update of Telegram")
    if not await channel.ready():
        return _later()
    try:
        await channel.take(raw)
    except StoreError as error:
        log.error("database unavailable, update waits at Telegram", reason=str(error))
        return _later()
    stays = request.keep_alive and request.version == HttpVersion11
    return _TAKEN if stays else web.Response()


async def zalo_bot(request: web.Request) -> web.Response:
    """Take one update of the Zalo Bot Platform; its probe, which says nothing, is answered 200."""
    channel = request.app[SERVICE].channels.get(ZaloBotChannel.name)
    if not isinstance(channel, ZaloBotChannel):
        return _refused(404, "the Zalo bot is off")
    body = await request.read()
    if not body.strip():
        return web.Response()  # with or without the secret: there is nothing in it
    if not channel.knows(request.headers.get(_ZALO_BOT_HEADER, "")):
        return _refused(403, "wrong secret token")
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _refused(400, "not JSON")
    update = unwrap(raw)
    if update is None and not isinstance(raw, dict):
        return _refused(400, "no update of the Zalo Bot Platform")
    if update is None:
        log.info("update not understood", channel=ZaloBotChannel.name)
        return web.Response()  # it has the secret: a probe, or something that the platform has learned since
    if not channel.listening:
        return _later()
    try:
        await channel.take(update)
    except StoreError as error:
        log.error("database unavailable, update refused", reason=str(error))
        return _later()
    return web.Response()


async def zalo_oa(request: web.Request) -> web.Response:
    """Take one event of the Official Account; what is posted when the webhook is saved, "{}", is answered 200.

    Until the account's secret is known no signature can be checked: such events are answered 200 and ignored, or else
    Zalo would give the webhook up before the console has shown the secret. Afterwards they are answered 401.
    """
    channel = request.app[SERVICE].channels.get(ZaloOAChannel.name)
    if not isinstance(channel, ZaloOAChannel):
        return _refused(404, "the Official Account is off")
    body = await request.read()
    try:
        raw = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        return _refused(400, "not JSON")
    if raw == {}:
        return web.Response()
    if not isinstance(raw, dict):
        return _refused(400, "no event of an Official Account")
    if not channel.knows(body, raw, request.headers.get(_ZALO_OA_HEADER, "")):
        if channel.is_set_up:
            return _refused(401, "wrong signature")
        log.warning(
            "event ignored, its signature cannot be checked; set BOT_ZALO_OA__OA_SECRET", channel=ZaloOAChannel.name
        )
        return web.Response()
    if tries := request.headers.get(_ZALO_TRIES_HEADER, "")[:3]:
        log.warning("event brought again, Zalo had no answer in time", channel=ZaloOAChannel.name, tries=tries)
    if not event_name(raw):
        return _refused(400, "no event of an Official Account")
    if not channel.listening:
        return _later()
    try:
        await channel.take(raw)
    except StoreError as error:
        log.error("database unavailable, event waits at Zalo", reason=str(error))
        return _later()
    return web.Response()


async def picture(request: web.Request) -> web.Response:
    """Hand out a picture that a platform fetches, as often as it likes, until it expires."""
    service = request.app[SERVICE]
    key, at = request.match_info["key"], stamp(service.clock())
    found = await service.store.read(lambda tx: pictures.find(tx, key, at=at))
    if found is None:
        raise web.HTTPNotFound
    content, media_type = found
    return web.Response(body=content, content_type=media_type)


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


def _later() -> web.Response:
    return web.json_response({"error": "later"}, status=503, headers={"Retry-After": _RETRY_SECONDS})
