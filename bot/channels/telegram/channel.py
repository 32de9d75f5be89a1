"""Telegram as a channel; nothing of python-telegram-bot leaves the telegram_* files.

An update is in the inbox before its number is confirmed to Telegram (polling) or its webhook is answered. Replies,
messages to many and polling have connections of their own, so that none starves another.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog
from telegram.constants import ChatAction
from telegram.error import ChatMigrated, InvalidToken, TelegramError

from bot.channels.protocol import Receive, Ticket
from bot.channels.rate_limit import Buckets
from bot.channels.telegram.bot_api import ApiBot
from bot.channels.telegram.errors import delivery_error
from bot.channels.telegram.formatting import LONGEST_CAPTION
from bot.channels.telegram.http import TelegramTransport
from bot.channels.telegram.profile import Introduction, Profile
from bot.channels.telegram.receiving import (
    LEASE_SECONDS,
    POLL_SECONDS,
    SILENCE_SECONDS,
    Poller,
    Report,
    TelegramConnection,
    WebhookMonitor,
    rest,
    retry_after_seconds,
)
from bot.channels.telegram.sending import Speaker
from bot.channels.telegram.updates import (
    NAME,
    AddressChanged,
    MessageReceived,
    Myself,
    PresenceChanged,
    read_update,
    update_id_of,
)
from bot.clock import Clock, stamp
from bot.cluster.lease import Lease
from bot.errors import DeliveryError, Flooded, StoreError, Unreachable
from bot.message import Capabilities, IncomingMessage, Outcome, Person, RateLimits, Receipt, Reply
from bot.store import Store, Transaction, choices, people
from bot.text.normalize import utf16_length

log = structlog.get_logger()

LONGEST_TEXT = 4096
_MOST_OPEN = 1000  # messages taken in and not yet answered, before more are fetched
_TYPING_AFTER, _TYPING_TICK, _MOST_TYPING = 0.3, 0.1, 20
_INTRODUCTION_PAUSE = 60.0
_ACQUAINTANCE_SECONDS = 10.0  # for which an update that was brought waits until the bot knows its own name
_UNREAD = ("sendMessage", "editMessageText", "answerCallbackQuery", "sendChatAction")


class TelegramChannel:
    """One bot of Telegram."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        connection: TelegramConnection,
        pace: RateLimits,
        profiles: Sequence[Profile],
        too_fast: str,
        clock: Clock,
        report: Report,
        tick: Callable[[], float] = time.monotonic,
        poll_seconds: int = POLL_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """Prepare everything, connect to nothing yet.

        `too_fast` is what flooding people read; `report` is told what is wrong with the channel, or None.
        """
        # The library's own reports name the address of the API, which holds the token, and what people write.
        logging.getLogger("telegram").setLevel(logging.WARNING)
        self._store, self._connection, self._clock, self._tick = store, connection, clock, tick
        self._tell, self._too_fast = report, too_fast
        self.capabilities = Capabilities(
            longest_text=LONGEST_TEXT,
            title="Telegram",
            measure=utf16_length,
            longest_caption=LONGEST_CAPTION,
            abroad=True,
            pace=replace(pace, is_group=_is_group),
        )
        seconds = connection.answer_seconds
        polling = TelegramTransport(connections=2, seconds=poll_seconds + 10)
        self._transports = (
            polling,
            TelegramTransport(connections=connection.connections, seconds=seconds, unread=_UNREAD),
            TelegramTransport(connections=max(2, connection.connections // 2), seconds=seconds),
        )
        self._replies, self._bulk = (
            ApiBot(connection.token, connection.api_base, request=transport, get_updates_request=polling)
            for transport in self._transports[1:]
        )
        self._introduction = Introduction(self._bulk, profiles, store)
        self._commands = frozenset(
            f"/{command.name}" for profile in profiles for group in profile.commands.values() for command in group
        )
        self._me, self._introduced = Myself(commands=self._commands), asyncio.Event()
        self._receive: Receive | None = None
        self._off, self._refused = "", asyncio.Event()  # why the channel has stopped for good
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: deque[tuple[float, str, asyncio.Future[Outcome]]] = deque()
        self._waiting = 0
        self._capacity_freed: asyncio.Event | None = None
        self._speaker = Speaker(store, clock)
        self._flood_warnings = Buckets(1)
        self._quiet_until = 0.0  # Telegram wants a pause, which what nobody needs must not lengthen
        account = connection.token.partition(":")[0]
        self._lease = Lease(store, f"{NAME}:{account}", seconds=LEASE_SECONDS, clock=clock)
        self._listener = (
            Poller(
                self._bulk,
                polling,
                lease=self._lease,
                own_hook=connection.hook_url,
                take=self._take_polled,
                report=self._report,
                seconds=poll_seconds,
                silence=silence_seconds,
                tick=tick,
            )
            if connection.polls
            else WebhookMonitor(self._bulk, connection, clock=clock, report=self._report)
        )

    # -- in ---------------------------------------------------------------------------------------------------

    async def listen(self, receive: Receive) -> None:
        """Bring messages in until cancelled, or until Telegram refuses the token."""
        self._receive = receive
        listening, refused = (asyncio.ensure_future(work) for work in (self._listen(), self._refused.wait()))
        try:
            await asyncio.wait((listening, refused), return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                await listening
        except InvalidToken:
            self._stop()
        finally:
            listening.cancel()
            refused.cancel()
            await asyncio.gather(listening, refused, return_exceptions=True)

    async def _listen(self) -> None:
        await self._introduce()
        beside = [asyncio.ensure_future(work) for work in (self._keep_introduced(), self._show_typing())]
        try:
            await self._listener.run()
        finally:
            for task in beside:
                task.cancel()

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Take one update that came by webhook; returns when it is safe. Raises StoreError."""
        await self._take([raw])

    def knows(self, secret: str) -> bool:
        """Tell whether a webhook request brings the secret that only Telegram was told."""
        return hmac.compare_digest(secret.encode("utf-8", "replace"), self._connection.hook_secret.encode())

    async def ready(self) -> bool:
        """Tell whether updates can be taken; right after the start that takes a moment."""
        if not (self._introduced.is_set() or self._off):  # without its name the bot cannot tell who mentions it
            with suppress(TimeoutError):
                await asyncio.wait_for(self._introduced.wait(), _ACQUAINTANCE_SECONDS)
        return self._introduced.is_set() and not self._off and not self._closed

    async def _introduce(self) -> None:
        pause = 0.5
        while True:
            try:
                user = await self._bulk.get_me()
            except InvalidToken:
                raise
            except TelegramError as error:
                self._report(f"Telegram cannot be reached: {error.message}.")
                pause = await rest(error, pause)
                continue
            self._me = Myself(user.username or "", user.id, self._commands)
            self.capabilities = replace(self.capabilities, private_chat=f"https://t.me/{user.username}")
            self._introduced.set()
            self._report(None)
            log.info("telegram", bot=user.username, mode="polling" if self._connection.polls else "webhook")
            return

    async def _take_polled(self, updates: Sequence[Mapping[str, Any]]) -> None:
        await self._take(updates)
        if self._waiting > _MOST_OPEN:
            await self._wait_for_capacity()

    async def _take(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Hand updates to the inbox, all at once so that they share a commit; returns when all are safe."""
        came, taken = self._tick(), list[tuple[str, Awaitable[Ticket]]]()
        for raw in updates:
            try:
                event = read_update(raw, self._me, now=self._clock())
            except Exception as error:  # one update that nobody foresaw must not stop all that follow
                log.error("update not understood", update=update_id_of(raw), error=type(error).__name__)
                continue
            if isinstance(event, MessageReceived):
                taken.append((event.message.person.address, await self._take_in(event)))
            elif isinstance(event, PresenceChanged):
                await self._store.write(lambda tx, event=event: _note_presence(tx, event, stamp(self._clock())))  # type: ignore[misc]
            elif isinstance(event, AddressChanged):
                await self._store.write(lambda tx, event=event: people.move(tx, event.person, event.address))  # type: ignore[misc]
        failure: StoreError | None = None
        for chat, ticket in taken:
            try:
                self._expect((await ticket).done, chat, came)
            except Flooded:
                self._warn_flooding(chat)
            except StoreError as error:
                failure = error
        if failure is not None:
            raise failure

    async def _take_in(self, heard: MessageReceived) -> Awaitable[Ticket]:
        assert self._receive is not None  # nothing is taken before listen
        if heard.query:
            self._spawn(self._acknowledge(heard.query))
        message = heard.message
        if message.choice.startswith(choices.MARK):
            message = await self._with_kept_choice(message)
        return self._receive(message)

    async def _with_kept_choice(self, message: IncomingMessage) -> IncomingMessage:
        kept = await self._store.read(lambda tx: choices.find(tx, message.choice))
        return message if kept is None else replace(message, choice=kept)

    def _expect(self, done: asyncio.Future[Outcome], chat: str, came: float) -> None:
        if done.done():
            return
        self._waiting += 1
        done.add_done_callback(self._settled)
        self._open.append((came, chat, done))

    def _settled(self, _: asyncio.Future[Outcome]) -> None:
        self._waiting -= 1
        if self._waiting <= _MOST_OPEN and self._capacity_freed is not None:
            self._capacity_freed.set()

    async def _wait_for_capacity(self) -> None:
        """Wait until fewer messages are open: what is not fetched yet waits better at Telegram."""
        self._capacity_freed = asyncio.Event()
        await self._capacity_freed.wait()
        self._capacity_freed = None

    async def _acknowledge(self, query: str) -> None:
        """Stop the little clock on the pressed button; too late is no harm."""
        await self._replies.answer_callback_query(query)

    async def _show_typing(self) -> None:
        """Show "typing …" where an answer takes long; in a flood it would only lengthen the queue."""
        while True:
            await asyncio.sleep(_TYPING_TICK)
            due, before = set(), self._tick() - _TYPING_AFTER
            while self._open and self._open[0][0] <= before:
                _, chat, done = self._open.popleft()
                if not done.done():
                    due.add(chat)
            if len(due) <= _MOST_TYPING:
                for chat in due:
                    self._spawn(self._type(chat))

    async def _type(self, chat: str) -> None:
        if self._tick() >= self._quiet_until:
            await self._replies.send_chat_action(int(chat), ChatAction.TYPING)

    def _warn_flooding(self, chat: str) -> None:
        if not self._flood_warnings.take(chat):
            self._spawn(self._say_too_fast(chat))

    async def _say_too_fast(self, chat: str) -> None:
        if self._tick() >= self._quiet_until:
            await self._replies.send_message(int(chat), self._too_fast)

    async def _keep_introduced(self) -> None:
        while True:
            pause = _INTRODUCTION_PAUSE
            try:
                await self._introduction.refresh()
            except (TelegramError, StoreError) as error:
                log.warning("commands and descriptions not set", reason=str(error))
                pause = max(pause, retry_after_seconds(error))
            await asyncio.sleep(pause)

    def _stop(self) -> None:
        """Stop for good: no token becomes right again by trying."""
        if self._off:
            return
        self._off = "Telegram refuses the token; set BOT_TELEGRAM__TOKEN to the one that BotFather gave, then restart."
        self._tell(self._off)
        self._refused.set()
        log.error("channel stopped", channel=NAME, reason=self._off)

    def _report(self, sentence: str | None) -> None:
        """Tell what is wrong, or None; that the channel has stopped stays said."""
        if not self._off:
            self._tell(sentence)

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply; the answer to a press on a menu takes the menu's place."""
        if self._off or self._closed:
            raise Unreachable(self._off or "The channel is closed.", code="channel-off")
        bot, chat = self._replies if answering else self._bulk, int(to.address)
        try:
            try:
                return await self._speaker.speak(bot, chat, reply, answering)
            except ChatMigrated as moved:
                address = str(moved.new_chat_id)
                await self._store.write(lambda tx: people.move(tx, to, address))
                return await self._speaker.speak(bot, moved.new_chat_id, reply, answering)
        except TelegramError as error:
            raise self._failure(error, answering=bool(answering)) from None

    async def edit(self, to: Person, number: str, reply: Reply) -> bool:
        """Put a reply in the place of an earlier message; False when that cannot be changed any more."""
        if self._off or self._closed:
            raise Unreachable(self._off or "The channel is closed.", code="channel-off")
        try:
            return await self._speaker.change(self._replies, int(to.address), int(number), reply)
        except TelegramError as error:
            raise self._failure(error, answering=True) from None

    def _failure(self, error: TelegramError, *, answering: bool) -> DeliveryError:
        """Heed what an error means for the whole channel, and say what it means for the message."""
        if isinstance(error, InvalidToken):
            self._stop()
        self._quiet_until = max(self._quiet_until, self._tick() + retry_after_seconds(error))
        return delivery_error(error, answering=answering)

    async def close(self) -> None:
        """Let go of connections, and of the right to poll."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection.polls:
            try:
                await self._lease.give_back()
            except StoreError:
                log.warning("lease not given back", channel=NAME)
        for transport in self._transports:
            await transport.shutdown()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something nobody waits for."""
        task = asyncio.get_running_loop().create_task(_unimportant(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unimportant(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (TelegramError, DeliveryError) as error:
        log.debug("not done", reason=type(error).__name__)


def _is_group(address: str) -> bool:
    return address.startswith("-")


def _note_presence(tx: Transaction, event: PresenceChanged, at: str) -> None:
    if event.gone:
        people.mark_gone(tx, event.person, at)
    else:
        people.mark_returned(tx, event.person)
