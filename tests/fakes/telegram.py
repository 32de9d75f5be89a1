"""A Bot API on this machine, with every fault the real one has: an aiohttp app on port 0."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.fakes.telegram_html import Unreadable, read_html

TOKEN = "123456789:AAFake-token_that-must-never-be-written"  # shaped as BotFather's, known to no one
BOT = {"id": 123456789, "is_bot": True, "first_name": "Sổ sức khỏe", "username": "so_suc_khoe_bot"}
SENDS = ("sendMessage", "sendPhoto", "sendDocument")
EDITS = ("editMessageText", "editMessageMedia")
NOON = 1795410000  # 2026-11-23 05:00 UTC
LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024
_PHOTO = {"file_id": "a", "file_unique_id": "a", "width": 720, "height": 600}


@dataclass
class Call:
    """One call of a method, as it came."""

    method: str
    data: dict[str, Any]
    status: int = 200

    @property
    def chat(self) -> int:
        return int(self.data.get("chat_id", 0))


@dataclass
class Fault:
    """What to answer in the place of success."""

    status: int = 200
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    drop: bool = False  # close the connection without an answer
    hang: float = 0.0  # seconds without an answer, or until the bot gives up
    delivered: bool = False  # whether the message arrives all the same
    page: str = ""  # what something before Telegram says in its place; {path} is the address asked for


Decide = Callable[[Call], Fault | None]


class FakeTelegram:
    """One bot's Telegram: updates wait here until they are confirmed, what the bot says is kept."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.calls: list[Call] = []
        self.delivered: list[Call] = []  # messages that arrived, edits included
        self.unreadable: list[str] = []  # why texts were refused whose marks could not be read
        self.messages: dict[tuple[int, int], dict[str, Any]] = {}
        self.profile: dict[str, Any] = {}
        self.webhook: dict[str, Any] = {}
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.decide: Decide | None = None
        self.silent = False  # getUpdates never answers
        self.slow = 0.0  # seconds until a message is taken and the answer comes
        self.push_answers: Counter[int] = Counter()
        self.push_to = ""  # where the webhook is in truth, when the bot was told another address
        self.polls = 0
        self._updates: deque[dict[str, Any]] = deque()
        self._update_number = 1000
        self._message_number = 100
        self._news = asyncio.Event()
        self._poller: asyncio.Future[None] | None = None
        self.url = ""

    @property
    def api_base(self) -> str:
        return f"{self.url}/bot"

    # -- the people --------------------------------------------------------------------------------------------

    def say(self, chat: int, text: str, **more: Any) -> int:
        """A person writes in private; returns the update's number."""
        entities = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}] if text[:1] == "/" else []
        message = {**self.message(chat), "text": text, **({"entities": entities} if entities else {}), **more}
        return self.queue({"message": message})

    def press(self, chat: int, label: str) -> int:
        """A person presses a button of the newest message that has it, by the beginning of its label."""
        for (where, number), message in sorted(self.messages.items(), key=lambda item: -item[0][1]):
            for row in (message.get("reply_markup") or {}).get("inline_keyboard", ()):
                for button in row:
                    if where == chat and button["text"].startswith(label):
                        return self.press_value(chat, button["callback_data"], number)
        raise AssertionError(
            f"no button {label!r} in chat {chat}: {[m.get('reply_markup') for m in self.messages.values()]}"
        )

    def press_value(self, chat: int, value: str, number: int) -> int:
        """A person presses a button of a message by its value."""
        shown = self.messages.get((chat, number), {})
        return self.queue(
            {
                "callback_query": {
                    "id": str(4_000_000 + self._update_number),
                    "from": self.user(chat),
                    "chat_instance": "7",
                    "data": value,
                    "message": {
                        "message_id": number,
                        "from": BOT,
                        "chat": self.chat(chat),
                        "date": NOON,
                        **(
                            {"photo": [_PHOTO], "caption": "…"}
                            if shown.get("photo")
                            else {"text": shown.get("text", "…")}
                        ),
                    },
                }
            }
        )

    def queue(self, body: dict[str, Any]) -> int:
        """Put an update in the queue."""
        self._update_number += 1
        self._updates.append({"update_id": self._update_number, **body})
        self._news.set()
        return self._update_number

    def message(self, chat: int) -> dict[str, Any]:
        self._message_number += 1
        return {"message_id": self._message_number, "from": self.user(chat), "chat": self.chat(chat), "date": NOON}

    @staticmethod
    def user(chat: int) -> dict[str, Any]:
        return {"id": abs(chat), "is_bot": False, "first_name": "Hoa", "language_code": "vi"}

    @staticmethod
    def chat(chat: int) -> dict[str, Any]:
        if chat < 0:
            return {"id": chat, "type": "supergroup", "title": "Tổ 5"}
        return {"id": chat, "type": "private", "first_name": "Hoa"}

    def texts(self, chat: int) -> list[str]:
        """What a chat has been told, in order, edits included."""
        return [_text_of(call) for call in self.delivered if call.chat == chat]

    def asked(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def waiting(self) -> int:
        """How many updates are not confirmed."""
        return len(self._updates)

    # -- the server --------------------------------------------------------------------------------------------

    def app(self) -> web.Application:
        app = web.Application(client_max_size=60 * 2**20)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.match_info["method"], await _data(request))
        self.calls.append(call)
        if request.match_info["token"] != self.token:
            return _answer(call, 401, "Unauthorized")
        fault = self.faults[call.method].popleft() if self.faults[call.method] else None
        if fault is None and self.decide is not None:
            fault = self.decide(call)
        if fault is not None:
            if fault.delivered:
                self._deliver(call)
            if fault.hang:
                with suppress(TimeoutError):
                    await until(lambda: request.transport is None, seconds=fault.hang, every=0.05)
            if fault.drop or fault.hang:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            if fault.page:
                call.status, page = fault.status, fault.page.format(path=request.path)
                return web.Response(status=fault.status, text=page, content_type="text/html")
            return _answer(call, fault.status, fault.description, fault.parameters)
        if call.method == "getUpdates":
            return await self._get_updates(call)
        if self.slow and call.method in SENDS:
            await asyncio.sleep(self.slow)
        return self._succeed(call)

    def _succeed(self, call: Call) -> web.Response:
        data = call.data
        result: Any = True
        if call.method == "getMe":
            result = {**BOT, "can_join_groups": True, "can_read_all_group_messages": False}
        elif call.method in ("setWebhook", "deleteWebhook"):
            self.webhook = data if call.method == "setWebhook" else {}
            if data.get("drop_pending_updates"):
                self._updates.clear()
        elif call.method == "getWebhookInfo":
            result = {
                "url": self.webhook.get("url", ""),
                "has_custom_certificate": False,
                "pending_update_count": len(self._updates),
            }
        elif call.method.startswith("set"):
            self.profile[f"{call.method} {data.get('scope', {}).get('type', '')} {data.get('language_code', '')}"] = (
                data
            )
        elif call.method in (*SENDS, *EDITS):
            if refused := self._judge(call):
                return refused
            result = self._deliver(call)
        return web.json_response({"ok": True, "result": result})

    def _judge(self, call: Call) -> web.Response | None:
        text = read = _text_of(call)
        if call.data.get("parse_mode", _media_of(call).get("parse_mode")) == "HTML":
            try:
                read = read_html(text)
            except Unreadable as error:
                self.unreadable.append(str(error))
                return _answer(call, 400, f"Bad Request: can't parse entities: {error}")
        length = len(read.encode("utf-16-le")) // 2
        if call.method in ("sendPhoto", "sendDocument", "editMessageMedia"):
            if length > LONGEST_CAPTION:
                return _answer(call, 400, "Bad Request: message caption is too long")
        elif not read.strip():
            return _answer(call, 400, "Bad Request: message text is empty")
        elif length > LONGEST_TEXT:
            return _answer(call, 400, "Bad Request: message is too long")
        for row in (call.data.get("reply_markup") or {}).get("inline_keyboard", ()):
            for button in row:
                if len(button["callback_data"].encode()) > 64:
                    return _answer(call, 400, "Bad Request: BUTTON_DATA_INVALID")
        if call.method in EDITS:
            shown = self.messages.get((call.chat, int(call.data["message_id"])))
            if shown is None:
                return _answer(call, 400, "Bad Request: message to edit not found")
            if call.method == "editMessageText" and shown["photo"]:
                return _answer(call, 400, "Bad Request: there is no text in the message to edit")
            if call.method == "editMessageText" and (shown["text"], shown.get("reply_markup")) == (
                text,
                call.data.get("reply_markup"),
            ):
                return _answer(
                    call, 400, "Bad Request: message is not modified: specified new message content is the same"
                )
        return None

    def _deliver(self, call: Call) -> dict[str, Any]:
        self.delivered.append(call)
        if call.method in EDITS:
            number = int(call.data["message_id"])
        else:
            self._message_number += 1
            number = self._message_number
        shown = {
            "text": call.data.get("text", ""),
            "reply_markup": call.data.get("reply_markup"),
            "photo": call.method in ("sendPhoto", "editMessageMedia"),
        }
        self.messages[call.chat, number] = shown
        return {"message_id": number, "from": BOT, "chat": self.chat(call.chat), "date": NOON, "text": shown["text"]}

    async def _get_updates(self, call: Call) -> web.Response:
        self.polls += 1
        if self.webhook.get("url"):
            return _answer(
                call, 409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"
            )
        offset = call.data.get("offset") or 0
        while self._updates and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        await until(lambda: not self.silent, seconds=3600)
        if not self._updates:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), float(call.data.get("timeout", 0)))
        found = list(self._updates)[: call.data.get("limit", 100)]
        return web.json_response({"ok": True, "result": found})

    # -- the webhook -------------------------------------------------------------------------------------------

    async def push_all(self, *, connections: int = 40, patience: float = 0.05) -> None:
        """Bring everything in the queue to the webhook, again and again until each is taken; in order for each chat."""
        line: dict[int, deque[dict[str, Any]]] = defaultdict(deque)
        while self._updates:
            update = self._updates.popleft()
            line[_chat_of(update)].append(update)
        places = asyncio.Semaphore(connections)
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session:

            async def bring(updates: deque[dict[str, Any]]) -> None:
                while updates:
                    async with places:
                        status = await self._push(session, updates[0])
                    self.push_answers[status] += 1
                    if 200 <= status < 300:
                        updates.popleft()
                    else:
                        await asyncio.sleep(patience * random.uniform(0.5, 1.5))

            await asyncio.gather(*map(bring, line.values()))

    async def _push(self, session: aiohttp.ClientSession, update: dict[str, Any]) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        try:
            url = self.push_to or self.webhook["url"]
            async with session.post(url, json=update, headers=headers) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0


def _text_of(call: Call) -> str:
    """Return what a call says: its text, or the caption of its picture or file."""
    said = call.data.get("text", call.data.get("caption", _media_of(call).get("caption", "")))
    return str(said or "")


def _media_of(call: Call) -> dict[str, Any]:
    media = call.data.get("media", {})
    return dict(json.loads(media) if isinstance(media, str) else media)


async def until(true: Callable[[], bool], *, seconds: float = 10.0, every: float = 0.005) -> None:
    """Wait for something in another task or process; fails when it takes too long."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - nothing there could set an event
            await asyncio.sleep(every)


@asynccontextmanager
async def running_telegram(token: str = TOKEN) -> AsyncIterator[FakeTelegram]:
    """Run a fake for the length of a test."""
    fake = FakeTelegram(token)
    runner = web.AppRunner(fake.app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
        assert not fake.unreadable, fake.unreadable  # the bot then says it plainly, so that nobody else would see it
    finally:
        fake.silent = False
        fake._news.set()
        await runner.cleanup()


def _answer(call: Call, status: int, description: str, parameters: dict[str, Any] | None = None) -> web.Response:
    call.status = status
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    headers = {}
    if parameters:
        body["parameters"] = parameters
        if "retry_after" in parameters:
            headers["Retry-After"] = str(int(parameters["retry_after"]))
    return web.json_response(body, status=status, headers=headers)


async def _data(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        loaded: dict[str, Any] = json.loads(await request.read() or b"{}")
        return loaded
    data: dict[str, Any] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            data[name] = {"filename": value.filename, "content": value.file.read(), "type": value.content_type}
        else:
            text = str(value)
            plain = name == "caption" or text[:1] not in ("{", "[")
            data[name] = int(text) if name == "chat_id" else text if plain else json.loads(text)
    return data


def _chat_of(update: dict[str, Any]) -> int:
    body = next(value for key, value in update.items() if key != "update_id")
    chat: int = (body.get("chat") or body["message"]["chat"])["id"]
    return chat
