"""The web chat's session: a random name in a signed cookie, nothing else.

Who has not written yet carries a cookie signed as a visitor's. Making those costs nothing, so they are worth nothing:
the first message of each counts against the limit of new sessions, and brings the cookie of a conversation.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NamedTuple

from aiohttp import web

COOKIE = "chat"
LIFETIME = 180 * 24 * 3600
_NAME_BYTES = 16
_TALKING, _VISITING = b"web chat session ", b"web chat visitor "


class WebSession(NamedTuple):
    """A browser's conversation; `talks` once it has been answered."""

    name: str
    talks: bool


class ForgedError(Exception):
    """A cookie that this bot did not sign."""


def new_session() -> str:
    """Make up the name of a new session."""
    return secrets.token_urlsafe(_NAME_BYTES)


def read_session(request: web.Request, secret: bytes) -> WebSession | None:
    """Return the session of a request, or None when it brings no cookie; raises ForgedError."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    name, _, signature = cookie.partition(".")
    given = signature.encode("utf-8", "replace")
    for label in (_TALKING, _VISITING):
        if hmac.compare_digest(given, _sign(name, secret, label).encode()):
            return WebSession(name, talks=label is _TALKING)
    raise ForgedError


def keep_session(response: web.StreamResponse, name: str, secret: bytes, *, secure: bool, talks: bool = True) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        f"{name}.{_sign(name, secret, _TALKING if talks else _VISITING)}",
        max_age=LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=secure,
        path="/",
    )


def _sign(name: str, secret: bytes, label: bytes) -> str:
    return hmac.new(secret, label + name.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:43]
