"""HTTP to Zalo on aiohttp: one pool, JSON in and out, errors that tell whether anything can have arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import getproxies

import aiohttp
import orjson

_CONNECT_SECONDS = 10.0


class CallError(Exception):
    """A request without an answer. Its text never names the address, which may hold a token."""


class ZaloNotSentError(CallError):
    """No connection: Zalo has seen nothing of the request."""


class ZaloDroppedError(CallError):
    """The connection broke before an answer came; the request may have arrived."""


class SlowError(CallError):
    """No answer in time; the request may have arrived."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What came back; `body` is empty for anything that is no JSON object, such as a gateway's HTML page."""

    status: int
    body: Mapping[str, Any]


class ZaloTransport:
    """Requests over a pool of connections; the pool opens with the first one."""

    def __init__(self, *, connections: int, seconds: float) -> None:
        self._connections, self._seconds = connections, seconds
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self,
        url: str,
        *,
        json: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Send one request and read its answer; raises CallError."""
        session = self._session or self._open()
        data: Any = form
        sent = dict(headers or {})
        if json is not None:
            data, sent["Content-Type"] = orjson.dumps(json), "application/json"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=self._seconds)
        try:
            async with session.post(url, data=data, headers=sent, timeout=timeout) as response:
                content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ZaloNotSentError(f"Zalo cannot be reached ({type(error).__name__})") from None
        except TimeoutError:
            raise SlowError("Zalo did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise ZaloDroppedError(f"The connection to Zalo broke ({type(error).__name__})") from None
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError:
            body = None
        return ApiResponse(response.status, body if isinstance(body, dict) else {})

    async def close(self) -> None:
        """Close the pool; a later request opens a fresh one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=bool(getproxies()),  # looking for a proxy at every request is dear
        )
        return self._session
