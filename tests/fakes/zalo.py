"""What both of Zalo's interfaces have in common on this machine: their faults, and how they run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

NOON_MS = 1795410000000  # 2026-11-23 05:00 UTC


@dataclass
class Fault:
    """What to answer in the place of success: an error with its text, a page, a broken connection."""

    code: int = 0
    text: str = ""
    status: int = 200
    html: bool = False
    drop: bool = False
    delivered: bool = False  # whether the message arrives all the same


def break_off(request: web.Request, fault: Fault) -> web.StreamResponse | None:
    """Answer with what is no answer of Zalo's; None for a fault that is one."""
    if fault.drop:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()
    if fault.html:
        return web.Response(status=fault.status, text="<html>502 Bad Gateway</html>", content_type="text/html")
    return None


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Run an interface at a free port; yields its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
