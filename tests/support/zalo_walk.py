"""Talking to a running bot over the fakes of Zalo: a citizen types, reads, and chooses by number."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from bot.channels import Ticket
from bot.clock import stamp
from bot.conversation.inbox import Inbox
from bot.message import IncomingMessage, Person
from bot.runtime.build import Service, open_service
from bot.settings import Settings
from bot.store import people, roles
from bot.web.app import make_app
from handlers import ROUTES
from tests.conftest import FrozenClock
from tests.fakes.zalo_bot import TOKEN, FakeZaloBot, running_zalo_bot
from tests.fakes.zalo_oa import APP_ID, APP_SECRET, FIRST_REFRESH, OA_SECRET, FakeZaloOA, running_zalo_oa, signed

Client = TestClient[web.Request, web.Application]
CITIZEN = "1000000000000000001"


class Taken:
    """What the inbox was handed, in order, so that a test can wait for exactly that message."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.line: asyncio.Queue[asyncio.Future[Ticket]] = asyncio.Queue()
        receive = Inbox.receive

        def noting(inbox: Inbox, message: IncomingMessage) -> asyncio.Future[Ticket]:
            future = receive(inbox, message)
            self.line.put_nowait(future)
            return future

        monkeypatch.setattr(Inbox, "receive", noting)

    async def settled(self) -> None:
        """Wait until the next message that comes is answered and its replies have left."""
        ticket = await (await asyncio.wait_for(self.line.get(), 10))
        await asyncio.wait_for(asyncio.shield(ticket.done), 10)


@dataclass
class Walker:
    """One citizen on one of the channels."""

    name: str
    service: Service
    client: Client
    fake: Any
    taken: Taken
    address: str = CITIZEN
    read: int = 0
    latest: list[str] = field(default_factory=list)

    async def say(self, text: str, **more: Any) -> str:
        """Type a text and return what the bot answered."""
        if self.name == "zalo_bot":
            self.fake.say(self.address, text, **more)
        else:
            await self.post(self.fake.text(self.address, text, **more))
        return await self.heard()

    async def post(self, event: dict[str, Any]) -> int:
        """Bring an event of the Official Account to the webhook."""
        body, headers = signed(event)
        async with self.client.post("/hooks/zalo-oa", data=body, headers=headers) as response:
            return response.status

    async def heard(self) -> str:
        """Return what came since the last time."""
        await self.taken.settled()
        self.latest = self.unread()
        return "\n".join(self.latest)

    def unread(self) -> list[str]:
        texts: list[str] = self.fake.texts(self.address)
        unread, self.read = texts[self.read :], len(texts)
        return unread

    async def choose(self, label: str) -> str:
        """Type the number in front of a label that was read last."""
        for line in reversed("\n".join(self.latest).splitlines()):
            found = re.match(r"(\d+)\. " + re.escape(label), line)
            if found:
                return await self.say(found[1])
        raise AssertionError(f"no number for {label!r} in {self.latest}")


async def an_admin(walker: Walker, clock: FrozenClock) -> Callable[[], Awaitable[list[str]]]:
    """Make an admin on a channel that is off; returns what reads the sentences that wait there."""
    at, store = stamp(clock()), walker.service.store
    number = await store.write(lambda tx: people.remember(tx, Person("telegram", "an-admin"), source="", at=at))
    await store.write(lambda tx: roles.grant(tx, number, role="admin", scope="", at=at))

    async def told() -> list[str]:
        rows = await store.read(lambda tx: tx.all("SELECT reply FROM pushes"))
        return [json.loads(row["reply"])["text"] for row in rows]

    return told


def oa_settings(settings: Settings, fake: FakeZaloOA, **more: Any) -> Settings:
    oa = settings.zalo_oa.model_copy(
        update={
            "api_base": fake.url,
            "oauth_base": fake.url,
            "app_id": SecretStr(APP_ID),
            "app_secret": SecretStr(APP_SECRET),
            "oa_secret": SecretStr(OA_SECRET),
            "refresh_token": SecretStr(FIRST_REFRESH),
            **more,
        }
    )
    return _unhurried(settings).model_copy(update={"zalo_oa": oa})


def bot_settings(settings: Settings, fake: FakeZaloBot, **more: Any) -> Settings:
    bot = settings.zalo_bot.model_copy(update={"api_base": fake.api_base, "token": SecretStr(TOKEN), **more})
    return _unhurried(settings).model_copy(update={"zalo_bot": bot})


@asynccontextmanager
async def walking(
    name: str, settings: Settings, clock: FrozenClock, taken: Taken, fake: Any = None
) -> AsyncIterator[Walker]:
    """Open the bot with one of the channels."""
    running: Any = running_zalo_bot if name == "zalo_bot" else running_zalo_oa
    adapt: Any = bot_settings if name == "zalo_bot" else oa_settings
    async with (
        running(fake) as platform,
        open_service(adapt(settings, platform), ROUTES, now=clock, online=True) as service,
        TestClient(TestServer(make_app(service))) as client,
    ):
        # The channel listens as soon as the loop lets it.
        await asyncio.sleep(0)
        yield Walker(name, service, client, platform, taken)


def _unhurried(settings: Settings) -> Settings:
    pace = settings.limits.zalo_bot.model_copy(update={"bulk_per_second": 0.0, "group_per_minute": 0.0})
    limits = settings.limits.model_copy(update={"zalo_bot": pace, "zalo_oa": pace})
    return settings.model_copy(update={"limits": limits})
