"""A Zalo Bot Platform on this machine, with the faults that the real one showed: an aiohttp app on port 0."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.zalo import NOON_MS, Fault, break_off, serving

TOKEN = "1000200030004000500:FakeZaloSecret-never-written"  # no bot's
SENDS = ("sendMessage", "sendPhoto")


@dataclass
class Call:
    """One call of a method, as it came."""

    method: str
    data: dict[str, Any]

    @property
    def chat(self) -> str:
        return str(self.data.get("chat_id", ""))


@dataclass
class FakeZaloBot:
    """One bot's platform: one update a poll, nothing to acknowledge, what the bot says is kept."""

    token: str = TOKEN
    wrapped: bool = True  # as documented; else flat, as seen
    quiet_status: int = 200
    replays: bool = False  # the same update at every poll, as the old host did
    calls: list[Call] = field(default_factory=list)
    delivered: list[Call] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    probe: dict[str, Any] | None = None  # how the platform found the webhook, where it says so
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    url: str = ""
    quiet_seconds: float = 0.0  # less than what was asked for, so that tests need not wait

    def __post_init__(self) -> None:
        self._updates: deque[dict[str, Any]] = deque()
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()
        self._said = asyncio.Condition()

    @property
    def api_base(self) -> str:
        return f"{self.url}/bot"

    def update(
        self, chat: str, text: str = "", *, event: str = "text", group: bool = False, **more: Any
    ) -> dict[str, Any]:
        """Make an update of a person, or of somebody in a group."""
        said = {"text": text} if event == "text" else {}
        message = {
            "date": NOON_MS,
            "chat": {"chat_type": "GROUP" if group else "PRIVATE", "id": chat},
            "message_id": f"{next(self._numbers):020x}",
            "from": {
                "id": "0f1e2d3c4b5a69788796" if group else chat,
                "is_bot": False,
                "display_name": "Nguyễn Thị Mẫu",
            },
            **said,
            **more,
        }
        body = {"event_name": f"message.{event}.received", "message": message}
        return {"ok": True, "result": body} if self.wrapped else body

    def say(self, chat: str, text: str = "", **more: Any) -> dict[str, Any]:
        """A person writes; the update waits for the next poll."""
        update = self.update(chat, text, **more)
        self.queue(update)
        return update

    def queue(self, update: dict[str, Any]) -> None:
        self._updates.append(update)
        self._news.set()

    def texts(self, chat: str) -> list[str]:
        """What a chat has been told, in order."""
        return [call.data.get("text", call.data.get("caption", "")) for call in self.delivered if call.chat == chat]

    async def until(self, count: int) -> None:
        """Return when so many messages arrived in all."""
        async with self._said:
            await asyncio.wait_for(self._said.wait_for(lambda: len(self.delivered) >= count), 10)

    async def until_called(self, method: str, times: int = 1) -> None:
        """Return when a method was called so often."""
        async with self._said:
            await asyncio.wait_for(self._said.wait_for(lambda: len(self.asked(method)) >= times), 10)

    def asked(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.match_info["method"], json.loads(await request.read() or b"{}"))
        self.calls.append(call)
        async with self._said:
            self._said.notify_all()
        if request.match_info["token"] != self.token:
            return _refuse(401, "Unauthorized")
        if self.faults[call.method]:
            fault = self.faults[call.method].popleft()
            if fault.delivered:
                await self._deliver(call)
            if (broken := break_off(request, fault)) is not None:
                return broken
            return _refuse(fault.code, fault.text, fault.status)
        return await self._succeed(call)

    async def _succeed(self, call: Call) -> web.Response:
        result: Any = None
        if call.method == "getMe":
            result = {"id": "1000200030004000500", "account_name": "bot.SucKhoe", "account_type": "BASIC"}
        elif call.method == "getUpdates":
            return await self._get_updates(call)
        elif call.method == "setWebhook":
            self.webhook = call.data
            result = {"url": call.data["url"], "updated_at": NOON_MS}
            if self.probe is not None:
                result["verification"] = self.probe
        elif call.method == "deleteWebhook":
            self.webhook = {}
            result = {"url": "", "updated_at": NOON_MS}
        elif call.method == "getWebhookInfo":
            if not self.webhook:
                return _refuse(404, "Not Found", 404)
            result = {"url": self.webhook["url"], "updated_at": NOON_MS}
        elif call.method in SENDS:
            text = call.data.get("text", call.data.get("caption", "x"))
            if not 1 <= len(text.encode("utf-16-le")) // 2 <= 2000:
                return _refuse(400, "Bad Request: text must be 1-2000")
            if call.method == "sendPhoto" and not call.data["photo"].startswith(("http://", "https://")):
                return _refuse(400, "The photo must start with http:// or https://")
            result = await self._deliver(call)
        return web.json_response({"ok": True} if result is None else {"ok": True, "result": result})

    async def _deliver(self, call: Call) -> dict[str, Any]:
        self.delivered.append(call)
        async with self._said:
            self._said.notify_all()
        return {"message_id": f"{next(self._numbers):020x}", "date": NOON_MS}

    async def _get_updates(self, call: Call) -> web.Response:
        if self.webhook:
            return _refuse(400, "You cannot use this API while a webhook is set. Please remove the webhook first", 400)
        if not self._updates:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), self.quiet_seconds or float(call.data["timeout"]))
            except TimeoutError:
                return _refuse(408, "Request timeout", self.quiet_status)
        update = self._updates[0] if self.replays else self._updates.popleft()
        return web.json_response(update if self.wrapped else {"ok": True, "result": update})


@asynccontextmanager
async def running_zalo_bot(fake: FakeZaloBot | None = None) -> AsyncIterator[FakeZaloBot]:
    """Run a fake for the length of a test."""
    fake = fake or FakeZaloBot()
    async with serving(fake.app()) as fake.url:
        try:
            yield fake
        finally:
            fake.queue({"event_name": "message.none.received", "message": {}})  # lets a waiting poll go


def _refuse(code: int, description: str, status: int = 200) -> web.Response:
    return web.json_response({"ok": False, "description": description, "error_code": code}, status=status)
