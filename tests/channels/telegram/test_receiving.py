"""Telegram as a channel by itself: what is fetched and when, what is kept apart, what happens as time goes by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.channels import Ticket
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.profile import Profile
from bot.channels.telegram.receiving import TelegramConnection
from bot.errors import StoreUnavailable
from bot.message import IncomingMessage, Outcome, Person, RateLimits, Reply
from bot.settings import Settings
from bot.store import open_store
from tests.conftest import NOON
from tests.fakes.telegram import TOKEN, Call, FakeTelegram, Fault, running_telegram, until

CITIZEN = 4242
PROFILE = Profile(language="vi", description="", short_description="", commands={"citizen": ()}, in_groups=())
HOOK, HOOK_SECRET = "https://bot.example.vn/hooks/telegram", "hook_secret-that-must-never-be-written"


@dataclass
class Tick:
    """A clock of durations that moves only when a test moves it, and knows how often it was looked at."""

    at: float = 1000.0
    looks: int = 0

    def __call__(self) -> float:
        self.looks += 1
        return self.at

    async def looked_at(self, times: int) -> None:
        """Wait until somebody has looked so many times more."""
        seen = self.looks
        await until(lambda: self.looks >= seen + times)


@dataclass
class Desk:
    """A channel, its platform, and an intake that takes everything and finishes nothing by itself."""

    fake: FakeTelegram
    channel: TelegramChannel
    tick: Tick
    taken: list[IncomingMessage] = field(default_factory=list)
    open: list[asyncio.Future[Outcome]] = field(default_factory=list)
    refuses: Callable[[IncomingMessage], bool] = lambda message: False

    def receive(self, message: IncomingMessage) -> asyncio.Future[Ticket]:
        loop = asyncio.get_running_loop()
        safe: asyncio.Future[Ticket] = loop.create_future()
        if self.refuses(message):
            safe.set_exception(StoreUnavailable("The disk is full."))
            return safe
        self.taken.append(message)
        settled: asyncio.Future[Outcome] = loop.create_future()
        self.open.append(settled)
        safe.set_result(Ticket(True, settled))
        return safe

    def finish(self, messages: int) -> None:
        for _ in range(messages):
            self.open.pop(0).set_result(Outcome(()))

    async def send(self, text: str, *, answering: str = "") -> None:
        await self.channel.send(Person("telegram", str(CITIZEN)), Reply(text), answering=answering)

    @property
    def offsets(self) -> list[int | None]:
        """From which update on it was asked patiently, each time."""
        return [call.data.get("offset") for call in self.fake.asked("getUpdates") if call.data.get("timeout")]


Start = Callable[..., Any]


@pytest.fixture
def desk(settings: Settings) -> Start:
    """Have a channel listen; the connection as keywords."""

    @asynccontextmanager
    async def start(**connection: Any) -> AsyncIterator[Desk]:
        store, tick = open_store(settings.database), Tick()
        async with running_telegram() as fake:
            channel = TelegramChannel(
                store,
                connection=TelegramConnection(token=TOKEN, api_base=fake.api_base, **connection),
                pace=RateLimits(),
                profiles=[PROFILE],
                too_fast="",
                clock=lambda: NOON,
                report=lambda sentence: None,
                tick=tick,
            )
            made = Desk(fake, channel, tick)
            listening = asyncio.create_task(channel.listen(made.receive))
            await until(lambda: bool(made.offsets or fake.webhook))
            try:
                yield made
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                await channel.close()
                await store.close()

    return start


async def test_what_the_store_refuses_is_not_confirmed_and_comes_again(desk: Start) -> None:
    async with desk() as made:
        refused: list[str] = []

        def refuse_once(message: IncomingMessage) -> bool:
            if refused or message.text != "/menu":
                return False
            refused.append(message.id)
            return True

        made.refuses = refuse_once
        first, second, third = (made.fake.say(CITIZEN, text) for text in ("/dulieu", "/menu", "/chude"))
        await until(lambda: made.fake.waiting == 0)
        # All of them come again, because all were brought together; the inbox knows those that it has.
        assert refused == [str(second)]
        assert [message.id for message in made.taken] == [str(n) for n in (first, third, first, second, third)]
        assert made.offsets == [None, None, third + 1]


async def test_a_full_house_fetches_no_more_until_there_is_room(desk: Start) -> None:
    async with desk() as made:
        for number in range(1400):
            made.fake.say(CITIZEN + number, "/menu")

        async def polls_no_more(taken: int) -> None:
            """A question would be on its way before these messages are."""
            for _ in range(3):
                await made.send("anything")
            assert len(made.taken) == taken
            assert len(made.offsets) == taken / 100

        await until(lambda: len(made.taken) == 1100)  # the whole of what was asked for at 1000
        await polls_no_more(1100)
        made.finish(99)  # 1001 are open
        await polls_no_more(1100)
        made.finish(1)
        await until(lambda: len(made.taken) == 1200)
        await polls_no_more(1200)
        made.finish(len(made.open))
        await until(lambda: made.fake.waiting == 0)
        assert [message.person.address for message in made.taken] == [str(CITIZEN + n) for n in range(1400)]
        made.finish(len(made.open))


@pytest.mark.parametrize(("hanging", "answering"), [("reply", "7"), ("bulk", "")])
async def test_what_hangs_holds_nothing_of_another_kind_up(desk: Start, hanging: str, answering: str) -> None:
    def decide(call: Call) -> Fault | None:
        return Fault(hang=60) if call.data.get("text") == hanging else None

    async with desk(connections=2, answer_seconds=60) as made:
        made.fake.decide = decide
        stuck = [asyncio.create_task(made.send(hanging, answering=answering)) for _ in range(20)]
        await until(lambda: len([call for call in made.fake.calls if call.data.get("text") == hanging]) == 2)
        await asyncio.wait_for(made.send("passes", answering="" if answering else "7"), 10)
        made.fake.say(CITIZEN, "/menu")
        await until(lambda: len(made.taken) == 1)
        assert not any(task.done() for task in stuck)
        assert made.fake.texts(CITIZEN) == ["passes"]
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_typing_is_shown_from_three_tenths_of_a_second_on(desk: Start) -> None:
    shown: list[float] = []

    def decide(call: Call) -> Fault | None:
        if call.method == "sendChatAction":
            shown.append(made.tick.at)
        return None

    async with desk(polls=False, hook_url=HOOK, hook_secret=HOOK_SECRET) as made:
        made.fake.decide = decide
        await made.channel.take({"update_id": 1, "message": {**made.fake.message(CITIZEN), "text": "/menu"}})
        for later in (1000.0, 1000.29, 1000.31):
            made.tick.at = later
            await made.tick.looked_at(2)
        await until(lambda: shown == [1000.31])
        made.tick.at += 60
        await made.tick.looked_at(2)
        assert shown == [1000.31]  # Telegram shows it for some seconds; once says enough


@pytest.mark.parametrize("rival", ["", "https://other.example/hook"], ids=["taken away", "set elsewhere"])
async def test_a_webhook_that_was_lost_is_set_again(desk: Start, rival: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.receiving._HOOK_PAUSE", 0.02)
    async with desk(polls=False, hook_url=HOOK, hook_secret=HOOK_SECRET, hook_connections=17) as made:
        made.fake.say(CITIZEN, "/menu")
        looks = len(made.fake.asked("getWebhookInfo"))
        await until(lambda: len(made.fake.asked("getWebhookInfo")) >= looks + 3)
        assert len(made.fake.asked("setWebhook")) == 1  # while it stands it is left alone
        made.fake.webhook = {"url": rival} if rival else {}
        await until(lambda: made.fake.webhook.get("url") == HOOK)
        looks = len(made.fake.asked("getWebhookInfo"))
        await until(lambda: len(made.fake.asked("getWebhookInfo")) >= looks + 3)
        first, again = (call.data for call in made.fake.asked("setWebhook"))
        assert (first["url"], first["secret_token"], first["max_connections"]) == (HOOK, HOOK_SECRET, 17)
        assert sorted(first["allowed_updates"]) == ["callback_query", "message", "my_chat_member"]
        assert again == first
        assert not first.get("drop_pending_updates")
        assert made.fake.waiting == 1  # what people wrote meanwhile is still there
