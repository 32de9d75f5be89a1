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


def take_body(request: web.BaseRequest, most: int) -> bytes:
    """Return a body that came with the header, for good: nobody can read it again; nothing where it is not there.

    Costs less than reading. Raises HTTPRequestEntityTooLarge (413).
    """
    if not request.content.is_eof():
        return b""
    body = request.content.read_nowait()
    if len(body) > most:
        raise web.HTTPRequestEntityTooLarge(most)
    return body
