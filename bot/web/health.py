"""For machines that watch: alive, ready, figures."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from bot.errors import StoreError
from bot.web.keys import SERVICE


async def alive(request: web.Request) -> web.Response:
    """Say that the process answers."""
    return web.json_response({"alive": True})


async def ready(request: web.Request) -> web.Response:
    """Say whether citizens can be served, naming each part that cannot."""
    service = request.app[SERVICE]
    trouble = dict(service.trouble)
    try:
        await service.store.read(lambda tx: tx.one("SELECT 1 AS one"))
    except StoreError as error:
        trouble["store"] = str(error)
    parts = {"channels": sorted(service.channels), "articles": len(service.shelf.knowledge.library.articles)}
    blocking = {part for part in trouble if part != "content"}  # the last good content still serves
    status = 503 if blocking else 200
    return web.json_response({"ready": not blocking, "trouble": trouble, **parts}, status=status)


async def metrics(request: web.Request) -> web.Response:
    """Give Prometheus the figures."""
    service = request.app[SERVICE]
    registry = CollectorRegistry()
    Gauge("bot_messages_waiting", "Messages taken in and not yet delivered", registry=registry).set(
        service.inbox.waiting
    )
    Gauge("bot_articles", "Articles in use", registry=registry).set(len(service.shelf.knowledge.library.articles))
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
