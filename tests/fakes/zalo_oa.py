"""A Zalo Official Account on this machine: keys that expire and work once, messages, uploads, signed events."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.zalo import NOON_MS, Fault, break_off, serving

APP_ID, OA_ID = "4000000000000000004", "2000000000000000002"
APP_SECRET, OA_SECRET = "fake-app-secret-0001", "fake-oa-secret-key-0001"
FIRST_REFRESH = "FAKE_REFRESH_TOKEN_0-never-written"


@dataclass
class Said:
    """One message as it came, with what the interface answered."""

    user: str
    message: dict[str, Any]
    error: int = 0

    @property
    def text(self) -> str:
        return str(self.message.get("text", ""))


@dataclass
class FakeZaloOA:
    """One account: hands out keys, takes messages, keeps what people were told."""

    refresh: str = FIRST_REFRESH
    access: str = ""
    lose_next_pair: bool = False  # the answer with new keys breaks on its way
    oauth_faults: deque[Fault] = field(default_factory=deque)
    faults: deque[Fault] = field(default_factory=deque)
    decide: Callable[[Said], Fault | None] | None = None
    said: list[Said] = field(default_factory=list)  # every message that arrived
    tried: list[Said] = field(default_factory=list)  # every message that was sent, refused ones too
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    renewals: int = 0
    oauth_calls: list[dict[str, str]] = field(default_factory=list)
    quota: dict[str, str] | None = None
    url: str = ""
    now_ms: int = NOON_MS

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._heard = asyncio.Condition()
        self.by_user: dict[str, list[Said]] = defaultdict(list)

    # -- the people --------------------------------------------------------------------------------------------

    def event(self, name: str, **more: Any) -> dict[str, Any]:
        """Make an event; time goes on by a millisecond with each."""
        self.now_ms += 1
        return {"app_id": APP_ID, "event_name": name, "timestamp": str(self.now_ms), **more}

    def text(self, user: str, text: str, *, msg_id: str = "", **more: Any) -> dict[str, Any]:
        """A person writes."""
        message = {"text": text, "msg_id": msg_id or f"feed{next(self._numbers):016x}", **more}
        return self.event("user_send_text", sender={"id": user}, recipient={"id": OA_ID}, message=message)

    def sends(self, user: str, kind: str, payload: dict[str, Any], *, text: str = "") -> dict[str, Any]:
        """A person sends something else than text."""
        message: dict[str, Any] = {
            "msg_id": f"feed{next(self._numbers):016x}",
            "attachments": [{"type": kind, "payload": payload}],
        }
        if text:
            message["text"] = text
        return self.event(f"user_send_{kind}", sender={"id": user}, recipient={"id": OA_ID}, message=message)

    def follow(self, user: str, *, leaves: bool = False) -> dict[str, Any]:
        return self.event("unfollow" if leaves else "follow", oa_id=OA_ID, follower={"id": user}, source="oa_profile")

    def echo(self, user: str, text: str, *, admin: str = "") -> dict[str, Any]:
        sender = {"id": OA_ID, **({"admin_id": admin} if admin else {})}
        message = {"text": text, "msg_id": f"c0ffee{next(self._numbers):010x}"}
        return self.event("oa_send_text", sender=sender, recipient={"id": user}, message=message)

    def texts(self, user: str) -> list[str]:
        """What a person has been told, in order."""
        return [said.text for said in self.by_user[user]]

    async def until(self, count: int) -> None:
        """Return when so many messages arrived in all."""
        async with self._heard:
            await asyncio.wait_for(self._heard.wait_for(lambda: len(self.said) >= count), 10)

    def expire(self) -> None:
        """The access token dies before its time."""
        self.access = f"EXPIRED-{next(self._numbers)}"

    # -- the server --------------------------------------------------------------------------------------------

    def app(self) -> web.Application:
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_post("/v4/oa/access_token", self._pair)
        app.router.add_post("/v3.0/oa/message/cs", self._message)
        app.router.add_post("/v2.0/oa/upload/{kind}", self._upload)
        return app

    async def _pair(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.oauth_calls.append(form)
        if self.oauth_faults:
            return _faulty(request, self.oauth_faults.popleft())
        if request.headers.get("secret_key") != APP_SECRET or form.get("app_id") != APP_ID:
            return web.json_response({"error": -14004, "error_name": "Invalid app"})
        if form["grant_type"] == "authorization_code":
            challenge = hashlib.sha256(form["code_verifier"].encode()).hexdigest()
            if len(form["code_verifier"]) != 43 or form["code"] != f"code-for-{challenge}":
                return web.json_response({"error": -14003, "error_name": "Invalid code"})
        elif form["refresh_token"] != self.refresh:
            error = {"error": -14014, "error_name": "Invalid refresh token"}
            return web.json_response({**error, "error_description": "Refresh token is invalid or has been used"})
        self.renewals += 1
        number = next(self._numbers)
        self.access, self.refresh = f"FAKE_ACCESS_{number}-never-written", f"FAKE_REFRESH_{number}-never-written"
        if self.lose_next_pair:
            self.lose_next_pair = False
            return _faulty(request, Fault(drop=True))
        pair = {"access_token": self.access, "refresh_token": self.refresh, "expires_in": "90000"}
        return web.json_response(pair)

    async def _message(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        said = Said(body["recipient"]["user_id"], body["message"])
        self.tried.append(said)
        if request.headers.get("access_token") != self.access:
            said.error = -216
            return web.json_response({"error": -216, "message": "Access token is invalid"})
        fault = self.faults.popleft() if self.faults else self.decide(said) if self.decide else None
        if fault is not None:
            said.error = fault.code
            if fault.delivered:
                await self._call_hook(said)
            return _faulty(request, fault)
        if len(said.text.encode("utf-16-le")) // 2 > 2000:
            said.error = -210
            return web.json_response({"error": -210, "message": "Parameter exceeds allowable limit"})
        await self._call_hook(said)
        data: dict[str, Any] = {
            "message_id": f"c0ffee{next(self._numbers):010x}",
            "user_id": said.user,
            "sent_time": str(self.now_ms),
        }
        if self.quota is not None:
            data["quota"] = self.quota
        return web.json_response({"data": data, "error": 0, "message": "Success"})

    async def _call_hook(self, said: Said) -> None:
        self.said.append(said)
        self.by_user[said.user].append(said)
        async with self._heard:
            self._heard.notify_all()

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("access_token") != self.access:
            return web.json_response({"error": -216, "message": "Access token is invalid"})
        field_ = (await request.post())["file"]
        assert isinstance(field_, web.FileField)
        content = field_.file.read()
        kind = request.match_info["kind"]
        if kind == "image" and (len(content) > 1_000_000 or not content.startswith((b"\x89PNG", b"\xff\xd8"))):
            return web.json_response({"error": -210, "message": "Parameter exceeds allowable limit"})
        self.uploads.append((field_.filename, content))
        key = "attachment_id" if kind == "image" else "token"
        return web.json_response({"data": {key: f"UPLOAD_{len(self.uploads)}"}, "error": 0, "message": "Success"})


def signed(event: Any, *, secret: str = OA_SECRET, first: str = APP_ID) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of an event as Zalo posts it."""
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(event.get("timestamp", ""))
    digest = hashlib.sha256(first.encode() + body + timestamp.encode() + secret.encode()).hexdigest()
    return body, {"Content-Type": "application/json", "X-ZEvent-Signature": f"mac={digest}"}


@asynccontextmanager
async def running_zalo_oa(fake: FakeZaloOA | None = None) -> AsyncIterator[FakeZaloOA]:
    """Run a fake for the length of a test."""
    fake = fake or FakeZaloOA()
    async with serving(fake.app()) as fake.url:
        yield fake


def _faulty(request: web.Request, fault: Fault) -> web.StreamResponse:
    broken = break_off(request, fault)
    error = {"error": fault.code, "message": fault.text}
    return broken if broken is not None else web.json_response(error, status=fault.status)
