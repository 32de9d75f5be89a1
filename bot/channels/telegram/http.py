"""HTTP for python-telegram-bot on aiohttp: one keep-alive pool, JSON by orjson, errors that tell what was delivered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

_CONNECT_SECONDS = 10.0
_JSON: Final = {"Content-Type": "application/json"}
_REFUSED, _NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 400, 404, 429, 500
_WHO_AM_I: Final = "/getMe"  # where 404 means a token that Telegram cannot read
_UNREAD: Final = b'{"ok":true,"result":true}'
_UNREAD_RESULT: Final[dict[str, Any]] = {"ok": True, "result": True}


class TelegramNotSentError(NetworkError):
    """No connection: Telegram has seen nothing of the request."""


class TelegramDroppedError(NetworkError):
    """The connection broke before an answer came; the request may have arrived."""


class ServerError(NetworkError):
    """Telegram could not handle the request (5xx)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Telegram answered {status}")
        self.status = status


class ForeignError(NetworkError):
    """Something before Telegram answered in its place (4xx without Telegram's words); Telegram has seen nothing."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Something between here and Telegram answered {status}; look at telegram.api_base")
        self.status = status


class FloodError(TelegramError):
    """Too many requests; `seconds` to wait, whole or not.

    In the place of python-telegram-bot's RetryAfter, which warns at every reading of its own number.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Flood control exceeded. Retry in {seconds} seconds")
        self.seconds = seconds


class TelegramTransport(BaseRequest):
    """Requests of one kind (polling, replies, bulk) over a pool of connections of their own.

    The results of `unread` methods are not parsed: python-telegram-bot then gives True for them.
    """

    def __init__(self, *, connections: int, seconds: float, unread: Iterable[str] = ()) -> None:
        self._connections, self._seconds = connections, seconds
        self._unread = tuple(f"/{method}" for method in unread)
        self._timeout = self._timeout_of(seconds)
        self._session: aiohttp.ClientSession | None = None
        self._roads: dict[str, tuple[URL, str | None]] = {}  # address → the same, read, and the proxy to it

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for an answer."""
        return self._seconds

    async def initialize(self) -> None:
        """Nothing: the pool opens with the first request."""

    async def shutdown(self) -> None:
        """Close the pool; a later request opens a fresh one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | bytes | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one request. No message of an error names the address, which holds the token."""
        session = self._session or self._open()
        known = self._roads.get(url)
        if known is None:
            known = self._roads[url] = _road(URL(url))
        address, proxy = known
        data, headers = _body(request_data)
        timeout = self._timeout
        if read_timeout is not BaseRequest.DEFAULT_NONE and read_timeout != self._seconds:
            timeout = self._timeout_of(read_timeout)
        try:
            async with session.request(
                method, address, data=data, headers=headers, timeout=timeout, proxy=proxy
            ) as response:
                unread = response.status == 200 and url.endswith(self._unread)
                # What is here already and interests nobody need not even be read.
                content = _UNREAD if unread and response.content.is_eof() else await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TelegramNotSentError(f"Telegram cannot be reached ({type(error).__name__})") from None
        except TimeoutError:
            raise TimedOut("Telegram did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise TelegramDroppedError(f"The connection to Telegram broke ({type(error).__name__})") from None
        if unread:
            return 200, _UNREAD
        if response.status >= _SERVER_ERROR:
            raise ServerError(response.status)
        if response.status == _TOO_MANY:
            raise FloodError(_seconds_to_wait(content, response.headers.get("Retry-After", "")))
        if response.status >= _REFUSED and not _are_telegrams_words(content):
            raise ForeignError(response.status)
        if response.status == _NOT_FOUND and not url.endswith(_WHO_AM_I):
            raise ForeignError(response.status)  # every method that is asked for is there
        return response.status, content

    async def ask(self, url: str, body: bytes) -> object:
        """Return what a request leads to whose JSON is written already, in fewer steps than `post` where it succeeds.

        Raises TelegramError.
        """
        status, content = await self.do_request(url, "POST", body)
        if status == 200:
            return self.parse_json_payload(content).get("result")
        return await _Answered(status, content).post(url)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Read an answer."""
        if payload is _UNREAD:
            return _UNREAD_RESULT
        try:
            parsed: dict[str, Any] = orjson.loads(payload)
        except orjson.JSONDecodeError:
            raise TelegramError("The answer is not JSON; is telegram.api_base right?") from None
        return parsed

    def _open(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers={"User-Agent": self.USER_AGENT},
        )
        return self._session

    @staticmethod
    def _timeout_of(seconds: float | None) -> aiohttp.ClientTimeout:
        # Nothing limits the wait for a place in the pool: every place is given back in time by the limits below.
        return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=seconds)


class _Answered(BaseRequest):
    """An answer that is here already, so that python-telegram-bot makes one of its errors out of it."""

    def __init__(self, status: int, content: bytes) -> None:
        self._status, self._content = status, content

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        pass

    async def shutdown(self) -> None:
        pass

    async def do_request(self, *_: object, **__: object) -> tuple[int, bytes]:
        return self._status, self._content


def _road(address: URL) -> tuple[URL, str | None]:
    """Find the proxy that the environment names for an address, once; aiohttp would look at every request."""
    proxy = getproxies().get(address.scheme)
    return address, proxy if proxy and not proxy_bypass(address.host or "") else None


def _body(
    request_data: RequestData | bytes | None,
) -> tuple[bytes | aiohttp.BytesPayload | aiohttp.FormData | None, dict[str, str] | None]:
    if isinstance(request_data, bytes):
        return aiohttp.BytesPayload(request_data, content_type="application/json"), None
    if request_data is None:
        return None, None
    if not request_data.contains_files:
        return orjson.dumps(request_data.parameters), _JSON
    form = aiohttp.FormData(request_data.json_parameters)
    for name, (filename, content, media_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=media_type)
    return form, None


def _are_telegrams_words(content: bytes) -> bool:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return isinstance(answer, dict) and answer.get("ok") is False


def _seconds_to_wait(content: bytes, header: str) -> float:
    try:
        return float(orjson.loads(content)["parameters"]["retry_after"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return float(header) if header.isdecimal() else 1.0
