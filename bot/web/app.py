"""The web application: routes, headers on every answer, errors as one kind sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp_jinja2
import jinja2
import structlog
from aiohttp import web

from bot.channels.media import ROUTE as PICTURES
from bot.channels.rate_limit import Buckets
from bot.errors import StoreError
from bot.exports.vega import FONTS
from bot.i18n.catalogue import mark
from bot.logs import TRACE_ID, next_trace_id
from bot.runtime.build import Service
from bot.runtime.telegram_factory import TELEGRAM_HOOK
from bot.runtime.zalo_factory import BOT_HOOK, OA_HOOK
from bot.settings import Settings
from bot.web import chat, health, hooks, screens
from bot.web.body import read_body
from bot.web.desk.page_context import PATH as DESK
from bot.web.desk.page_context import refused
from bot.web.desk.routes import add_desk, is_upload
from bot.web.keys import ALL_MESSAGES, LISTENERS, NEW_SESSIONS, SERVICE, TEMPLATES

log = structlog.get_logger()

_HERE = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(service: Service) -> web.Application:
    """Build the application around a running service."""
    app = web.Application(middlewares=[_guard], client_max_size=service.settings.web.largest_body)
    app[SERVICE] = service
    # Strict: a template that names what does not exist fails, and shows no gap in its place.
    aiohttp_jinja2.setup(
        app,
        app_key=TEMPLATES,
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    app[NEW_SESSIONS], app[ALL_MESSAGES], app[LISTENERS] = Buckets(0), Buckets(0), Counter()
    _limit(app, service.settings)
    service.followers.append(partial(_limit, app))
    app.router.add_get("/", chat.page)
    app.router.add_post("/api/chat", chat.post)
    app.router.add_get("/api/chat/events", chat.events)
    app.router.add_get("/api/chat/file", chat.file)
    app.router.add_post(TELEGRAM_HOOK, hooks.telegram)
    app.router.add_post(BOT_HOOK, hooks.zalo_bot)
    app.router.add_post(OA_HOOK, hooks.zalo_oa)
    app.router.add_get(f"{PICTURES}{{key}}", hooks.picture)
    app.router.add_get(screens.ROUTE, screens.screen)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", health.metrics)
    add_desk(app)
    app.router.add_static("/static/fonts", FONTS)
    app.router.add_static("/static", _HERE / "static")
    app.on_response_prepare.append(_add_headers)
    return app


def _limit(app: web.Application, settings: Settings) -> None:
    limits = settings.limits
    app[NEW_SESSIONS].change(limits.new_sessions_per_minute)
    app[ALL_MESSAGES].change(limits.web_per_second * 60, capacity=limits.web_per_second)


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into an answer that says what to do; nobody sees a traceback."""
    TRACE_ID.set(next_trace_id())
    response = await _answer(request, handler)
    if response.status >= 400:
        resource = request.match_info.route.resource
        request.app[SERVICE].metrics.refusals.add(resource.canonical if resource else "none", str(response.status))
    return response


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        # Before anything else, so that nobody holds a handler by sending slowly; it is kept for whoever reads it.
        if not is_upload(request):  # read once it is known who uploads
            await read_body(request, request.app[SERVICE].settings.web.body_seconds)
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return refusal(request, 413, mark("Your message is too long for me to read."))
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return refusal(
            request, error.status, mark("This page does not exist.") if error.status == 404 else error.reason
        )
    except StoreError as error:
        log.error("database unavailable", reason=str(error))
        return refusal(request, 503, mark("The assistant cannot answer at the moment. Please try again in a minute."))
    except Exception as error:
        resource = request.match_info.route.resource
        request.app[SERVICE].metrics.failures.add("web")
        log.error(
            "request failed",
            route=resource.canonical if resource else "none",
            error=type(error).__name__,
            exc_info=True,
        )
        return refusal(
            request, 500, mark("Sorry, something went wrong on our side. Please try again in a few minutes.")
        )


def refusal(request: web.Request, status: int, sentence: str) -> web.Response:
    """Answer with an error in the page's language: people at the desk get a page, programs JSON."""
    catalogue = chat.catalogue_of(request)
    if request.path.startswith(f"{DESK}/"):
        return refused(request, status, catalogue.t(sentence))
    return web.json_response({"error": catalogue.t(sentence)}, status=status)


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    if request.path == TELEGRAM_HOOK:  # read by a machine that knows no pages
        return
    response.headers.update(_HEADERS)
    if request.path.startswith(f"{DESK}/"):
        # Without any referrer, browsers name no origin with a form, and the desk could not tell its own from others.
        response.headers["Referrer-Policy"] = "same-origin"
    if request.path.startswith("/static/"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
