"""The contract that every channel keeps, whatever its platform."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bot.channels import Channel
from bot.channels.console import ConsoleChannel
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.receiving import TelegramConnection
from bot.channels.webchat import WebChatChannel
from bot.delivery.outbox import fit
from bot.errors import DeliveryError
from bot.i18n.catalogue import load_catalogues
from bot.message import Attachment, Button, Capabilities, Person, RateLimits, Receipt, Reply
from bot.runtime.zalo_factory import open_zalo
from bot.settings import Settings
from bot.store import Store, open_store, people
from bot.text.markup import escape
from tests.conftest import NOON
from tests.fakes.telegram import TOKEN, running_telegram
from tests.fakes.zalo_bot import FakeZaloBot, running_zalo_bot
from tests.fakes.zalo_oa import FakeZaloOA, running_zalo_oa
from tests.support.zalo_walk import bot_settings, oa_settings

CITIZEN = "4242"


@dataclass
class Desk:
    """A channel to try, and what the person at the other end has read."""

    channel: Channel
    read: Callable[[], Awaitable[str]]

    @property
    def person(self) -> Person:
        return Person(self.channel.name, CITIZEN)


@asynccontextmanager
async def console(store: Store, settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Desk]:
    paper = io.StringIO()

    async def read() -> str:
        return paper.getvalue()

    yield Desk(ConsoleChannel(address=CITIZEN, clock=lambda: NOON, out=paper), read)


@asynccontextmanager
async def webchat(store: Store, settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Desk]:
    channel = WebChatChannel(store, clock=lambda: NOON)
    person = Person(channel.name, CITIZEN)
    await store.write(lambda tx: people.remember(tx, person, source="", at="2026-11-23T05:00:00.000Z"))

    async def read() -> str:
        from bot.text.markup import to_plain

        events = await channel.events(person, after=0)
        return "\n".join(to_plain(reply.text) for _, reply in events)

    yield Desk(channel, read)


@asynccontextmanager
async def telegram(store: Store, settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Desk]:
    from html import unescape

    fake = await stack.enter_async_context(running_telegram())
    channel = TelegramChannel(
        store,
        connection=TelegramConnection(token=TOKEN, api_base=fake.api_base),
        pace=RateLimits(),
        profiles=[],
        too_fast="",
        clock=lambda: NOON,
        report=lambda sentence: None,
    )

    async def read() -> str:
        return unescape("\n".join(fake.texts(int(CITIZEN))).replace("<b>", "").replace("</b>", ""))

    yield Desk(channel, read)


@asynccontextmanager
async def zalo_bot(store: Store, settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Desk]:
    fake = await stack.enter_async_context(running_zalo_bot())
    yield Desk(_zalo(bot_settings(settings, fake), store), _reader(fake))


@asynccontextmanager
async def zalo_oa(store: Store, settings: Settings, stack: AsyncExitStack) -> AsyncIterator[Desk]:
    fake = await stack.enter_async_context(running_zalo_oa())
    yield Desk(_zalo(oa_settings(settings, fake), store), _reader(fake))


def _zalo(settings: Settings, store: Store) -> Channel:
    (channel,) = open_zalo(
        settings,
        store=store,
        catalogues=load_catalogues(settings.languages),
        secret=b"contract",
        too_fast="",
        clock=lambda: NOON,
        report=lambda name, sentence: None,
    )
    return channel


def _reader(fake: FakeZaloBot | FakeZaloOA) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return "\n".join(fake.texts(CITIZEN))

    return read


MAKERS: dict[str, Any] = {
    "console": console,
    "webchat": webchat,
    "telegram": telegram,
    "zalo_bot": zalo_bot,
    "zalo_oa": zalo_oa,
}


@pytest.fixture(params=MAKERS)
async def desk(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Desk]:
    store = open_store(settings.database)
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(MAKERS[request.param](store, settings, stack))
        yield made
        await made.channel.close()
    await store.close()


async def test_it_says_what_it_can(desk: Desk) -> None:
    capabilities = desk.channel.capabilities
    assert isinstance(capabilities, Capabilities)
    assert desk.channel.name == desk.channel.name.lower()
    assert capabilities.longest_text >= 1000
    assert capabilities.measure("a") == 1
    assert capabilities.measure("ab") > capabilities.measure("a")
    assert all(capabilities.measure(text) <= 2 * len(text) for text in ("ế", "😀", "👨‍👩‍👧"))


async def test_it_delivers_every_character(desk: Desk) -> None:
    said = 'Chào <b>bạn</b> & "bạn" **không đậm** [x](y) \\ 😀 đường ệ'
    receipt = await desk.channel.send(desk.person, Reply(escape(said)))
    assert isinstance(receipt, Receipt)
    assert said in await desk.read()


async def test_it_delivers_in_order(desk: Desk) -> None:
    for number in range(5):
        await desk.channel.send(desk.person, Reply(f"phần {number}"))
    read = await desk.read()
    assert sorted(range(5), key=lambda n: read.index(f"phần {n}")) == list(range(5))


async def test_it_takes_all_kinds_of_replies(desk: Desk) -> None:
    replies = [
        Reply("**đậm** và [nhãn](https://example.vn)"),
        Reply("chọn", (Button("Một", "/menu"), Button("Hai", "article:" + "x" * 150))),
        Reply("tệp", file=Attachment("a.json", "application/json", b"{}")),
    ]
    for reply in replies:
        for part in fit(reply, desk.channel.capabilities):
            await desk.channel.send(desk.person, part)


async def test_the_longest_text_arrives(desk: Desk) -> None:
    text = ("câu dài 😀 " * 4000)[: 3 * min(desk.channel.capabilities.longest_text, 9000)]
    parts = list(fit(Reply(text), desk.channel.capabilities))
    for part in parts:
        assert desk.channel.capabilities.measure(part.text) <= desk.channel.capabilities.longest_text
        await desk.channel.send(desk.person, part)
    assert "".join((await desk.read()).split()).count("câudài😀") >= text.count("câu dài 😀") - 1


async def test_it_raises_nothing_but_delivery_errors_after_close(desk: Desk) -> None:
    await desk.channel.close()
    with suppress(DeliveryError):
        await asyncio.wait_for(desk.channel.send(desk.person, Reply("quá muộn")), 10)


async def test_its_errors_do_not_show_the_address(desk: Desk) -> None:
    assert CITIZEN not in repr(desk.person)
