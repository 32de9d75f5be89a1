"""What Telegram's answers and silences lead to: bytes in over real sockets, the delivery error out."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from telegram.error import TelegramError

from bot.channels.telegram.bot_api import ApiBot
from bot.channels.telegram.errors import delivery_error
from bot.channels.telegram.http import TelegramTransport
from bot.errors import DeliveryError, Throttled, Unknown, Unreachable
from tests.fakes.telegram import TOKEN


async def failure(port: int, *, answering: bool = True, finished: bool = True) -> DeliveryError:
    """Send a text to a port of this machine, as a finished request or as python-telegram-bot makes it."""
    transport = TelegramTransport(connections=1, seconds=0.3)
    bot = ApiBot(TOKEN, f"http://127.0.0.1:{port}/bot", request=transport, get_updates_request=transport)
    try:
        with pytest.raises(TelegramError) as caught:
            await (bot.say(1, b'"text":"x"}') if finished else bot.send_message(1, "x"))
    finally:
        await transport.shutdown()
    return delivery_error(caught.value, answering=answering)


@asynccontextmanager
async def answering_with(raw: bytes | None) -> AsyncIterator[int]:
    """Serve whoever asks these bytes and close; None: say nothing for ever. Gives the port."""
    end = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if raw is None:
            await end.wait()
        else:
            writer.write(raw)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        end.set()
        server.close()


def too_many(parameters: Any, header: str = "") -> bytes:
    """Write Telegram's 429; a text in the place of parameters is the whole body."""
    said: dict[str, Any] = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry later"}
    if parameters is not None:
        said["parameters"] = parameters
    body = (parameters if isinstance(parameters, str) else json.dumps(said)).encode()
    more = f"Retry-After: {header}\r\n" if header else ""
    head = f"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n{more}Content-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        pytest.param(too_many({"retry_after": 7}), 7.0, id="whole number"),
        pytest.param(too_many({"retry_after": 2.5}), 2.5, id="broken number"),
        pytest.param(too_many({"retry_after": 1.5}, "2"), 1.5, id="broken number, rounded in the header"),
        pytest.param(too_many({"retry_after": 3600}, "1"), 3600.0, id="longer than in the header"),
        pytest.param(too_many(None, "9"), 9.0, id="header only"),
        pytest.param(too_many({}, "9"), 9.0, id="header and empty parameters"),
        pytest.param(too_many({"retry_after": None}, "9"), 9.0, id="header and nothing in the body"),
        pytest.param(too_many("<html>slow down</html>", "9"), 9.0, id="header and a page"),
        pytest.param(too_many("[]", "9"), 9.0, id="header and a list"),
        pytest.param(too_many(None), 1.0, id="missing"),
        pytest.param(too_many("<html>slow down</html>"), 1.0, id="missing, a page"),
        pytest.param(too_many(None, "Wed, 21 Oct 2026 07:28:00 GMT"), 1.0, id="a date in the header"),
    ],
)
async def test_the_pause_that_telegram_wants_is_told(raw: bytes, seconds: float) -> None:
    async with answering_with(raw) as port:
        for finished in (True, False):
            error = await failure(port, finished=finished)
            assert (type(error), error.code, error.retry_after) == (Throttled, "429", seconds)


@pytest.mark.parametrize("answering", [True, False])
async def test_a_refused_connection_brought_nothing(answering: bool) -> None:
    with closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there either
        error = await failure(unheard.getsockname()[1], answering=answering)
    assert (type(error), error.code) == (Unreachable, "not-sent")


@pytest.mark.parametrize("answering", [True, False])
async def test_a_connection_that_does_not_come_about_brought_nothing(
    answering: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.http._CONNECT_SECONDS", 0.3)
    with (
        closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as crowded,
        closing(socket.create_connection(crowded.getsockname())),  # has the only place before the door
    ):
        error = await failure(crowded.getsockname()[1], answering=answering)
    assert (type(error), error.code) == (Unreachable, "not-sent")


@pytest.mark.parametrize("answering", [True, False])
async def test_a_request_without_an_answer_may_have_arrived(answering: bool) -> None:
    async with answering_with(None) as port:
        error = await failure(port, answering=answering)
    assert (type(error), error.code) == (Unknown, "timeout")


@pytest.mark.parametrize("raw", [b"", b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"ok":'], ids=["none", "half"])
@pytest.mark.parametrize(("answering", "wanted"), [(True, Unreachable), (False, Unknown)])
async def test_an_answer_that_breaks_off_is_repeated_for_a_citizen_only(
    raw: bytes, answering: bool, wanted: type[DeliveryError]
) -> None:
    async with answering_with(raw) as port:
        error = await failure(port, answering=answering, finished=False)
    assert (type(error), error.code) == (wanted, "dropped" if answering else "lost")
