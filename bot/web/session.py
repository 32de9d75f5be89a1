"""The web chat's session: a random name in a signed cookie, nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from aiohttp import web

COOKIE = "chat"
LIFETIME = 180 * 24 * 3600
_NAME_BYTES = 16


class ForgedError(Exception):
    """A cookie that this bot did not sign."""


def new_session() -> str:
    """Make up the name of a new session."""
    return secrets.token_urlsafe(_NAME_BYTES)


def read_session(request: web.Request, secret: bytes) -> str | None:
    """Return the session of a request, or None when it brings no cookie; raises ForgedError."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    name, _, signature = cookie.partition(".")
    if not hmac.compare_digest(signature.encode(), _sign(name, secret).encode()):
        raise ForgedError
    return name


def keep_session(response: web.StreamResponse, name: str, secret: bytes, *, secure: bool) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        f"{name}.{_sign(name, secret)}",
        max_age=LIFETIME,
        httponly=True,
        samesite="Lax",
        secure=secure,
        path="/",
    )


def _sign(name: str, secret: bytes) -> str:
    return hmac.new(secret, b"web chat session " + name.encode(), hashlib.sha256).hexdigest()[:43]
