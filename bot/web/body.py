"""Reading what a request brings, within a time: who sends a byte a minute must not hold a place for ever."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def read_body(request: web.BaseRequest, seconds: float) -> bytes:
    """Return the whole body; raises HTTPRequestTimeout (408) and HTTPRequestEntityTooLarge (413)."""
    if request.content.is_eof():  # nearly always: it came with the header, and no clock is needed
        return await request.read()
    try:
        async with asyncio.timeout(seconds):
            return await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
