"""Telegram as a channel; nothing of python-telegram-bot leaves the telegram_* files.

An update is in the inbox before its number is confirmed to Telegram (polling) or its webhook is answered. Replies,
messages to many and polling have connections of their own, so that none starves another.
"""

from __future__ import annotations

import asyncio
import hmac
import random
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import structlog
from telegram import Bot
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, InvalidToken, TelegramError, TimedOut

from bot.channels.channel import Receive, Ticket
from bot.channels.telegram_errors import delivery_error, says_unchanged, says_unreadable
from bot.channels.telegram_profile import Introduction, Profile
from bot.channels.telegram_request import FloodError, Transport
from bot.channels.telegram_speech import LONGEST_CAPTION, html, keyboard, too_long
from bot.channels.telegram_updates import (
    KINDS,
    NAME,
    Answered,
    Heard,
    Moved,
    Myself,
    Present,
    how_to_answer,
    read_update,
    update_id_of,
)
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Flooded, StoreError, Unreachable
from bot.limits import Buckets
from bot.markup import to_plain
from bot.message import IncomingMessage, Pace, Person, Receipt, Reply, Settled, Traits
from bot.store import Store, Transaction, choices, people
from bot.text import utf16_length

log = structlog.get_logger()

LONGEST_TEXT = 4096
POLL_SECONDS = 50  # the longest that Telegram keeps a request open
SILENCE_SECONDS = 90.0  # without a successful poll, polling is started afresh
_BATCH = 100
_MOST_OPEN = 1000  # messages taken in and not yet answered, before more are fetched
_TYPING_AFTER, _TYPING_TICK, _MOST_TYPING = 0.3, 0.1, 20
_INTRODUCTION_PAUSE, _HOOK_PAUSE = 60.0, 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_MOST_EDITED = 10_000
_NO_PREVIEW = {"is_disabled": True}
_UNREAD = ("sendMessage", "editMessageText", "answerCallbackQuery", "sendChatAction")

Report = Callable[[str | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach Telegram, and how Telegram reaches the bot: it polls, or is called at `hook_url`."""

    token: str
    api_base: str
    polls: bool = True
    hook_url: str = ""
    hook_secret: str = ""
    hook_connections: int = 40
    connections: int = 64
    answer_seconds: float = 15.0


class _Bot(Bot):
    """python-telegram-bot's methods, and getUpdates without making objects of what comes."""

    __slots__ = ()

    async def updates(self, *, offset: int | None, seconds: int) -> list[dict[str, Any]]:
        """Wait for updates from `offset` on, which confirms all before it."""
        asked = {"offset": offset, "limit": _BATCH, "timeout": seconds, "allowed_updates": KINDS}
        found: list[dict[str, Any]] = await self._post("getUpdates", asked, read_timeout=seconds + 10)
        return found


class Telegram:
    """One bot of Telegram."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        connection: Connection,
        pace: Pace,
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
        self._store, self._connection, self._clock, self._tick = store, connection, clock, tick
        self._report, self._too_fast = report, too_fast
        self._poll_seconds, self._silence_seconds = poll_seconds, silence_seconds
        self.traits = Traits(
            longest_text=LONGEST_TEXT,
            title="Telegram",
            measure=utf16_length,
            abroad=True,
            pace=replace(pace, is_crowd=_is_crowd),
        )
        seconds = connection.answer_seconds
        self._polling = Transport(connections=2, seconds=poll_seconds + 10)
        self._transports = (
            self._polling,
            Transport(connections=connection.connections, seconds=seconds, unread=_UNREAD),
            Transport(connections=max(2, connection.connections // 2), seconds=seconds),
        )
        self._replies, self._bulk = (
            _Bot(connection.token, connection.api_base, request=transport, get_updates_request=self._polling)
            for transport in self._transports[1:]
        )
        self._introduction = Introduction(self._bulk, profiles, store)
        self._commands = frozenset(
            f"/{command.name}" for profile in profiles for group in profile.commands.values() for command in group
        )
        self._me = Myself(commands=self._commands)
        self._receive: Receive | None = None
        self._off = ""  # why the channel has stopped for good
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: deque[tuple[float, str, asyncio.Future[Settled]]] = deque()
        self._waiting = 0
        self._made_room: asyncio.Event | None = None
        self._edited: OrderedDict[str, None] = OrderedDict()
        self._told_off = Buckets(1)
        self._last_poll = tick()

    # -- in ---------------------------------------------------------------------------------------------------

    async def listen(self, receive: Receive) -> None:
        """Bring messages in until cancelled, or until Telegram refuses the token."""
        self._receive = receive
        try:
            await self._introduce()
            self._spawn(self._keep_introduced())
            self._spawn(self._show_typing())
            await (self._keep_polling() if self._connection.polls else self._keep_hook())
        except InvalidToken:
            self._stop()

    async def take(self, raw: Mapping[str, Any]) -> None:
        """Take one update that came by webhook; returns when it is safe. Raises StoreError."""
        await self._take([raw])

    def knows(self, secret: str) -> bool:
        """Tell whether a webhook request brings the secret that only Telegram was told."""
        return hmac.compare_digest(secret.encode(), self._connection.hook_secret.encode())

    @property
    def listening(self) -> bool:
        """Whether updates can be taken."""
        return self._receive is not None and not self._off and not self._closed

    async def _introduce(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                user = await self._bulk.get_me()
            except InvalidToken:
                raise
            except TelegramError as error:
                self._report(f"Telegram cannot be reached: {error.message}.")
                pause = await self._rest(error, pause)
                continue
            self._me = Myself(user.username or "", user.id, self._commands)
            self.traits = replace(self.traits, private_chat=f"https://t.me/{user.username}")
            self._report(None)
            log.info("telegram", bot=user.username, mode="polling" if self._connection.polls else "webhook")
            return

    async def _keep_polling(self) -> None:
        """Poll, and start afresh when nothing has come back for too long, not even "nothing new"."""
        while True:
            self._last_poll = self._tick()
            poller = asyncio.ensure_future(self._poll())
            try:
                while not poller.done() and self._tick() - self._last_poll < self._silence_seconds:
                    await asyncio.wait((poller,), timeout=min(1.0, self._silence_seconds / 4))
                if poller.done():
                    return poller.result()
            finally:
                poller.cancel()
                await asyncio.gather(poller, return_exceptions=True)
            self._report(f"Telegram has not answered for {self._silence_seconds:.0f} s; polling was started again.")
            log.error("telegram is silent, polling starts again", seconds=self._silence_seconds)
            await self._polling.shutdown()

    async def _poll(self) -> None:
        await self._leave_own_hook()
        offset: int | None = None
        pause = _FIRST_PAUSE
        while True:
            try:
                updates = await self._bulk.updates(offset=offset, seconds=self._poll_seconds)
            except InvalidToken:
                raise
            except Conflict as error:
                self._report(await self._name_conflict(error))
                pause = await self._rest(error, pause)
                continue
            except TelegramError as error:
                log.warning("polling failed", reason=error.message)
                pause = await self._rest(error, pause)
                continue
            self._last_poll, pause = self._tick(), _FIRST_PAUSE
            self._report(None)
            try:
                await self._take(updates)
            except StoreError as error:
                # Not confirmed, so it comes again.
                log.error("database unavailable, updates wait at Telegram", reason=str(error))
                await asyncio.sleep(_FIRST_PAUSE)
                continue
            if updates:
                offset = updates[-1]["update_id"] + 1
            if self._waiting > _MOST_OPEN:
                await self._room()

    async def _take(self, updates: Sequence[Mapping[str, Any]]) -> None:
        """Hand updates to the inbox, all at once so that they share a commit; returns when all are safe."""
        taken: list[tuple[str, Awaitable[Ticket]]] = []
        for raw in updates:
            try:
                event = read_update(raw, self._me, now=self._clock())
            except Exception as error:  # one update that nobody foresaw must not stop all that follow
                log.error("update not understood", update=update_id_of(raw), error=type(error).__name__)
                continue
            if isinstance(event, Heard):
                taken.append((event.message.person.address, await self._hear(event)))
            elif isinstance(event, Present):
                await self._store.write(lambda tx, event=event: _note_presence(tx, event, stamp(self._clock())))  # type: ignore[misc]
            elif isinstance(event, Moved):
                await self._store.write(lambda tx, event=event: people.move(tx, event.person, event.address))  # type: ignore[misc]
        failure: StoreError | None = None
        for chat, ticket in taken:
            try:
                self._expect((await ticket).settled, chat)
            except Flooded:
                self._tell_off(chat)
            except StoreError as error:
                failure = error
        if failure is not None:
            raise failure

    async def _hear(self, heard: Heard) -> Awaitable[Ticket]:
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

    def _expect(self, settled: asyncio.Future[Settled], chat: str) -> None:
        if settled.done():
            return
        self._waiting += 1
        settled.add_done_callback(self._settled)
        self._open.append((self._tick(), chat, settled))

    def _settled(self, _: asyncio.Future[Settled]) -> None:
        self._waiting -= 1
        if self._waiting <= _MOST_OPEN and self._made_room is not None:
            self._made_room.set()

    async def _room(self) -> None:
        """Wait until fewer messages are open: what is not fetched yet waits better at Telegram."""
        self._made_room = asyncio.Event()
        await self._made_room.wait()
        self._made_room = None

    async def _acknowledge(self, query: str) -> None:
        """Stop the little clock on the pressed button; too late is no harm."""
        await self._replies.answer_callback_query(query)

    async def _show_typing(self) -> None:
        """Show "typing …" where an answer takes long; in a flood it would only lengthen the queue."""
        while True:
            await asyncio.sleep(_TYPING_TICK)
            due, before = set(), self._tick() - _TYPING_AFTER
            while self._open and self._open[0][0] <= before:
                _, chat, settled = self._open.popleft()
                if not settled.done():
                    due.add(chat)
            if len(due) <= _MOST_TYPING:
                for chat in due:
                    self._spawn(self._type(chat))

    async def _type(self, chat: str) -> None:
        await self._replies.send_chat_action(int(chat), ChatAction.TYPING)

    def _tell_off(self, chat: str) -> None:
        if not self._told_off.take(chat):
            self._spawn(self._say_too_fast(chat))

    async def _say_too_fast(self, chat: str) -> None:
        await self._replies.send_message(int(chat), self._too_fast)

    # -- webhook and polling ----------------------------------------------------------------------------------

    async def _keep_hook(self) -> None:
        """Set the webhook, and set it again should another program take it away."""
        wanted, pause = self._connection, _FIRST_PAUSE
        current = ""
        while True:
            try:
                if current != wanted.hook_url:
                    await self._bulk.set_webhook(
                        wanted.hook_url,
                        secret_token=wanted.hook_secret,
                        max_connections=wanted.hook_connections,
                        allowed_updates=KINDS,
                    )
                    self._report(None)
                await asyncio.sleep(_HOOK_PAUSE)
                info = await self._bulk.get_webhook_info()
                current, pause = info.url, _FIRST_PAUSE
                self._report(f"Telegram cannot deliver: {info.last_error_message}." if self._failing(info) else None)
            except InvalidToken:
                raise
            except BadRequest as error:
                self._report(f"Telegram refuses the webhook: {error.message}. Check web.public_url.")
                await asyncio.sleep(_HOOK_PAUSE)
            except TelegramError as error:
                self._report(f"Telegram cannot be reached: {error.message}.")
                pause = await self._rest(error, pause)

    def _failing(self, info: Any) -> bool:
        last = info.last_error_date
        return last is not None and (self._clock() - last).total_seconds() < 2 * _HOOK_PAUSE

    async def _leave_own_hook(self) -> None:
        """Take back a webhook of this very bot from before it polled; never one of another program."""
        try:
            url = (await self._bulk.get_webhook_info()).url
            if url and url == self._connection.hook_url:
                await self._bulk.delete_webhook(drop_pending_updates=False)
        except InvalidToken:
            raise
        except TelegramError as error:
            log.warning("webhook not checked", reason=error.message)

    async def _name_conflict(self, error: Conflict) -> str:
        if "webhook" not in error.message.lower():
            return (
                "Another program polls with the same token; stop it, or give each bot a token of its own "
                "(one bot, one program)."
            )
        host = "an unknown address"
        with suppress(TelegramError):
            host = urlsplit((await self._bulk.get_webhook_info()).url).netloc or host
        return (
            f"A webhook is set for this bot at {host}, so that polling gets nothing; set telegram.mode to webhook, or "
            "remove it with deleteWebhook if that program is no longer in use."
        )

    async def _rest(self, error: TelegramError, pause: float) -> float:
        """Wait after a failure, longer each time, never in step with others; returns the next pause."""
        wanted = error.seconds if isinstance(error, FloodError) else 0.0
        await asyncio.sleep(max(wanted, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - jitter, no secret
        return min(pause * 2, _LONGEST_PAUSE)

    async def _keep_introduced(self) -> None:
        while True:
            try:
                await self._introduction.refresh()
            except (TelegramError, StoreError) as error:
                log.warning("commands and descriptions not set", reason=str(error))
            await asyncio.sleep(_INTRODUCTION_PAUSE)

    def _stop(self) -> None:
        self._off = "Telegram refuses the token; set BOT_TELEGRAM__TOKEN to the one that BotFather gave, then restart."
        self._report(self._off)
        log.error("channel stopped", channel=NAME, reason=self._off)

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply; the answer to a press on a menu takes the menu's place."""
        if self._off or self._closed:
            raise Unreachable(self._off or "The channel is closed.", code="channel-off")
        bot, chat = self._replies if answering else self._bulk, int(to.address)
        if any(too_long(button) for button in reply.buttons):
            await self._keep_choices(reply)
        try:
            try:
                return await self._speak(bot, chat, reply, answering)
            except ChatMigrated as moved:
                address = str(moved.new_chat_id)
                await self._store.write(lambda tx: people.move(tx, to, address))
                return await self._speak(bot, moved.new_chat_id, reply, answering)
        except InvalidToken as error:
            self._stop()
            raise delivery_error(error, answering=bool(answering)) from None
        except TelegramError as error:
            raise delivery_error(error, answering=bool(answering)) from None

    async def close(self) -> None:
        """Let go of connections."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for transport in self._transports:
            await transport.shutdown()

    async def _speak(self, bot: Bot, chat: int, reply: Reply, answering: str) -> Receipt:
        answered = how_to_answer(answering)
        if reply.image or reply.file:
            return await self._send_media(bot, chat, reply, answered)
        if answered.edits and answering not in self._edited:
            if await self._edit(bot, chat, answered.edits, reply):
                self._remember_edited(answering)
                return Receipt(str(answered.edits))
            self._remember_edited(answering)
        return await self._send_text(bot, chat, reply, answered)

    async def _send_text(self, bot: Bot, chat: int, reply: Reply, answered: Answered) -> Receipt:
        more: dict[str, Any] = {"link_preview_options": _NO_PREVIEW, **_in_reply(answered)}
        markup = keyboard(reply.buttons)
        try:
            sent = await bot.send_message(chat, html(reply.text), ParseMode.HTML, reply_markup=markup, api_kwargs=more)
        except BadRequest as error:
            if not says_unreadable(error):
                raise
            log.error("text sent without its marks", reason=error.message)
            sent = await bot.send_message(chat, to_plain(reply.text), reply_markup=markup, api_kwargs=more)
        return _receipt(sent)

    async def _edit(self, bot: Bot, chat: int, number: int, reply: Reply) -> bool:
        """Put a reply in the place of a menu; False when that message cannot be changed any more."""
        try:
            await bot.edit_message_text(
                html(reply.text),
                chat,
                number,
                parse_mode=ParseMode.HTML,
                reply_markup=keyboard(reply.buttons),
                api_kwargs={"link_preview_options": _NO_PREVIEW},
            )
        except BadRequest as error:
            return says_unchanged(error)
        except TimedOut as error:  # to repeat an edit does no harm
            raise _unreachable(error) from None
        return True

    async def _send_media(self, bot: Bot, chat: int, reply: Reply, answered: Answered) -> Receipt:
        """Send a picture or a file; the text goes under it where it fits, else before it."""
        caption, markup, more = reply.text, keyboard(reply.buttons), _in_reply(answered)
        if utf16_length(to_plain(caption)) > LONGEST_CAPTION:
            await self._send_text(bot, chat, Reply(caption), answered)
            caption = ""
        shown = {"caption": html(caption) or None, "parse_mode": ParseMode.HTML, "api_kwargs": more}
        if reply.image and reply.file:
            await bot.send_photo(chat, reply.image, **shown)  # type: ignore[arg-type]
            shown = {"api_kwargs": more}
        elif reply.image:
            return _receipt(await bot.send_photo(chat, reply.image, reply_markup=markup, **shown))  # type: ignore[arg-type]
        assert reply.file is not None  # the caller looked
        name, content = reply.file.name, reply.file.content
        return _receipt(await bot.send_document(chat, content, filename=name, reply_markup=markup, **shown))  # type: ignore[arg-type]

    async def _keep_choices(self, reply: Reply) -> None:
        kept, at = [button.choice for button in reply.buttons if too_long(button)], stamp(self._clock())

        def work(tx: Transaction) -> None:
            for choice in kept:
                choices.keep(tx, choice, at=at)

        await self._store.write(work)

    def _remember_edited(self, answering: str) -> None:
        self._edited[answering] = None
        if len(self._edited) > _MOST_EDITED:
            self._edited.popitem(last=False)

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


def _unreachable(error: TelegramError) -> DeliveryError:
    return Unreachable(f"{error.message}.", code="timeout")


def _receipt(sent: object) -> Receipt:
    """Read the number of a sent message, where the answer was read at all."""
    number = getattr(sent, "message_id", None)
    return Receipt(str(number)) if number else Receipt()


def _in_reply(answered: Answered) -> dict[str, Any]:
    if not answered.replies_to:
        return {}
    return {"reply_parameters": {"message_id": answered.replies_to, "allow_sending_without_reply": True}}


def _is_crowd(address: str) -> bool:
    return address.startswith("-")


def _note_presence(tx: Transaction, event: Present, at: str) -> None:
    if event.gone:
        people.mark_gone(tx, event.person, at)
    else:
        people.mark_returned(tx, event.person)
