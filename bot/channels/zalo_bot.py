"""The Zalo Bot Platform as a channel: for a pilot, a demo, the officers' own talks; it has no buttons.

Nothing can be acknowledged there, so that an update is in the inbox before the next one is asked for.
"""

from __future__ import annotations

import asyncio
import hmac
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.channels.channel import Receive
from bot.channels.lease import Lease
from bot.channels.meter import Meter
from bot.channels.picture_shelf import PictureShelf
from bot.channels.zalo_bot_updates import NAME, read_update, unwrap
from bot.channels.zalo_errors import (
    BAD_REQUEST,
    NOT_FOUND,
    QUIET,
    UNAUTHORISED,
    bot_code,
    bot_error,
    call_error,
)
from bot.channels.zalo_speech import LONGEST_TEXT, as_texts, file_in_words, nfc_length, plain, with_alternative
from bot.channels.zalo_transport import Answer, CallError, Transport
from bot.clock import Clock
from bot.errors import DeliveryError, Flooded, Rejected, StoreError, Throttled, Unreachable
from bot.i18n import mark
from bot.limits import Buckets
from bot.message import Figure, IncomingMessage, Pace, Person, Receipt, Reply, Traits
from bot.store import Store

log = structlog.get_logger()

SENT, RECEIVED = "sent", "received"
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_REPEAT_PAUSE = 1.0  # between polls that bring what is known already
_HOOK_PAUSE, _LEASE_PAUSE = 60.0, 5.0
_LEASE_MARGIN = 60.0
_FIRST_QUOTA_PAUSE, _LONGEST_QUOTA_PAUSE = 60.0, 3600.0

Report = Callable[[str | None], None]


class _TokenRefusedError(Exception):
    """The token is wrong, or was reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the platform, and how it reaches the bot: it polls, or is called at `hook_url`."""

    token: str
    api_base: str
    polls: bool = True
    hook_url: str = ""
    hook_secret: str = ""
    poll_seconds: int = 30
    answer_seconds: float = 15.0
    mentioned_as: str = ""

    @property
    def account(self) -> str:
        """The bot's number, which stays when its token is reset."""
        return self.token.partition(":")[0]

    def url(self, method: str) -> str:
        """Return the address of a method; the base may end with /bot or not."""
        base = self.api_base.rstrip("/").removesuffix("/bot")
        return f"{base}/bot{self.token}/{method}"


class ZaloBot:
    """One bot of the Zalo Bot Platform."""

    name = NAME

    def __init__(
        self,
        store: Store,
        *,
        connection: Connection,
        pace: Pace,
        pictures: PictureShelf,
        meter: Meter,
        budget: int,
        counts_incoming: bool,
        too_fast: str,
        clock: Clock,
        report: Report,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Prepare everything, connect to nothing yet.

        `too_fast` is what flooding people read; `report` is told what is wrong with the channel, or None.
        """
        self._connection, self._clock, self._tick, self._sleep = connection, clock, tick, sleep
        self._pictures, self._meter, self._budget = pictures, meter, budget
        self._counts_incoming = counts_incoming
        self._report, self._too_fast = report, too_fast
        self.traits = Traits(
            longest_text=LONGEST_TEXT,
            title=mark("Zalo (bot)"),
            measure=nfc_length,
            buttons=False,
            pace=replace(pace, is_crowd=lambda address: address.startswith("zgr-")),
        )
        self._polling = Transport(connections=1, seconds=connection.poll_seconds + 10)
        self._sending = Transport(connections=16, seconds=connection.answer_seconds)
        seconds = connection.poll_seconds + _LEASE_MARGIN
        self._lease = Lease(store, f"{NAME}:{connection.account}", seconds=seconds, clock=clock)
        self._receive: Receive | None = None
        self._off = ""  # why the channel has stopped for good
        self._closed = False
        self._quota_pause = _FIRST_QUOTA_PAUSE
        self._told_off = Buckets(1)
        self._tasks: set[asyncio.Task[None]] = set()

    # -- in ---------------------------------------------------------------------------------------------------

    async def listen(self, receive: Receive) -> None:
        """Bring messages in until cancelled, or until Zalo refuses the token."""
        self._receive = receive
        try:
            await self._introduce()
            await (self._keep_polling() if self._connection.polls else self._keep_hook())
        except _TokenRefusedError:
            self._stop()

    async def take(self, raw: Mapping[str, Any]) -> bool:
        """Take one update that `unwrap` gave; returns when it is safe, and whether it is new. Raises StoreError."""
        message = read_update(
            raw, account=self._connection.account, mentioned_as=self._connection.mentioned_as, now=self._clock()
        )
        if message is None:
            log.info("update ignored", channel=NAME, event_name=str(raw["event_name"])[:60])
            return False
        return await self._hand_in(message)

    def knows(self, secret: str) -> bool:
        """Tell whether a webhook request brings the secret that only Zalo was told."""
        return hmac.compare_digest(secret.encode(), self._connection.hook_secret.encode())

    @property
    def listening(self) -> bool:
        """Whether updates can be taken."""
        return self._receive is not None and not self._off and not self._closed

    async def _hand_in(self, message: IncomingMessage) -> bool:
        assert self._receive is not None  # nothing is taken before listen
        try:
            ticket = await self._receive(message)
        except Flooded:
            if not self._told_off.take(message.person):
                self._spawn(self._say(message.person.address, self._too_fast))
            return True
        if ticket.fresh:
            self._meter.count(RECEIVED)
        return ticket.fresh

    async def _introduce(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await self._call("getMe", {})
                if bot_code(answer) == 0:
                    self._report(None)
                    log.info("zalo bot", mode="polling" if self._connection.polls else "webhook")
                    return
                reason = f"Zalo's Bot Platform answers {bot_code(answer)}."
            except CallError as error:
                reason = f"{error}."
            self._report(reason)
            pause = await self._rest(pause)

    async def _keep_polling(self) -> None:
        await self._leave_own_hook()
        pause = _FIRST_PAUSE
        while True:
            try:
                if not await self._lease.hold():
                    self._report("Another process polls with the same token; each would get a part of the messages.")
                    await self._sleep(_LEASE_PAUSE)
                    continue
            except StoreError as error:
                self._report(str(error))
                pause = await self._rest(pause)
                continue
            began = self._tick()
            try:
                answer = await self._poll_once()
            except CallError as error:
                self._report(f"{error}.")
                pause = await self._rest(pause)
                continue
            code = bot_code(answer)
            if code == QUIET:
                self._report(None)
                early = self._tick() - began < self._connection.poll_seconds / 2
                pause = await self._rest(pause) if early else _FIRST_PAUSE
            elif code == BAD_REQUEST and "webhook" in str(answer.body.get("description", "")).lower():
                self._report(await self._name_hook())
                await self._sleep(_HOOK_PAUSE)
            elif code:
                self._report(f"Polling Zalo's Bot Platform fails ({code}).")
                pause = await self._rest(pause)
            else:
                self._report(None)
                pause = _FIRST_PAUSE
                if not await self._take_all(answer.body.get("result")):
                    await self._sleep(_REPEAT_PAUSE)

    async def _poll_once(self) -> Answer:
        seconds = self._connection.poll_seconds
        return await self._call("getUpdates", {"timeout": seconds}, transport=self._polling, seconds=seconds + 10)

    async def _take_all(self, result: object) -> bool:
        """Take what a poll brought, one object as documented or a list; tells whether anything was new."""
        fresh = False
        for raw in result if isinstance(result, list) else [result]:
            body = unwrap(raw)
            if body is None:
                log.warning("update not understood", channel=NAME)
                continue
            pause = _FIRST_PAUSE
            while True:
                try:
                    fresh = await self.take(body) or fresh
                    break
                except StoreError as error:
                    # The platform may have forgotten it already: it is kept here until the database is back.
                    self._report(str(error))
                    pause = await self._rest(pause)
        return fresh

    async def _leave_own_hook(self) -> None:
        """Take back a webhook of this very bot from before it polled; never one of another program."""
        try:
            if self._connection.hook_url and await self._hook_in_use() == self._connection.hook_url:
                await self._call("deleteWebhook", {})
        except CallError as error:
            log.warning("webhook not checked", channel=NAME, reason=str(error))

    async def _name_hook(self) -> str:
        host = ""
        with suppress(CallError):
            host = urlsplit(await self._hook_in_use()).netloc
        return (
            f"A webhook is set for this bot at {host or 'an unknown address'}, so that polling gets nothing; set "
            "zalo_bot.mode to webhook, or remove it with deleteWebhook if that program is no longer in use."
        )

    async def _hook_in_use(self) -> str:
        answer = await self._call("getWebhookInfo", {})
        result = answer.body.get("result")
        if bot_code(answer) in (0, NOT_FOUND):
            return str(result.get("url") or "") if isinstance(result, dict) else ""
        raise CallError(f"Zalo's Bot Platform answers {bot_code(answer)}")

    async def _keep_hook(self) -> None:
        """Set the webhook, and set it again should another program take it away."""
        wanted, pause = self._connection, _FIRST_PAUSE
        while True:
            try:
                current = await self._hook_in_use()
                if current != wanted.hook_url:
                    if current:
                        log.warning("another webhook is replaced", channel=NAME, host=urlsplit(current).netloc)
                    self._report(await self._set_hook())
                await self._sleep(_HOOK_PAUSE)
                pause = _FIRST_PAUSE
            except CallError as error:
                self._report(f"{error}.")
                pause = await self._rest(pause)

    async def _set_hook(self) -> str | None:
        """Set the webhook; returns what is wrong with it, if anything."""
        wanted = self._connection
        answer = await self._call("setWebhook", {"url": wanted.hook_url, "secret_token": wanted.hook_secret})
        if bot_code(answer):
            return f"Zalo refuses the webhook ({bot_code(answer)}). Check web.public_url."
        result = answer.body.get("result")
        probe = result.get("verification") if isinstance(result, dict) else None
        if isinstance(probe, dict) and probe.get("ok") is False:
            return (
                f"Zalo set the webhook but could not reach it (status {probe.get('status_code')}). "
                "Check the proxy: it must let the user agent Java/… through to /hooks/zalo-bot."
            )
        return None

    # -- out --------------------------------------------------------------------------------------------------

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply; a picture by an address of ours, in words where there is none."""
        if self._off or self._closed:
            raise Unreachable(self._off or "The channel is closed.", code="channel-off")
        text, chat = plain(reply.text), to.address
        receipt = Receipt()
        if reply.image:
            if await self._show(chat, reply, answering=bool(answering)):
                text = "" if nfc_length(text) <= LONGEST_TEXT else text
            else:
                text = with_alternative(reply)
        if reply.file:
            text = "\n\n".join(filter(None, (text, file_in_words(reply.file))))
        for part in as_texts(text) if text else ():
            receipt = await self._say(chat, part, answering=bool(answering))
        return receipt

    async def state(self) -> tuple[Figure, ...]:
        """Tell how much of the month's messages is used up."""
        figures = await self._meter.figures()
        sent, received = figures.get(SENT, 0), figures.get(RECEIVED, 0)
        return (
            Figure(mark("Messages this month"), sent + received * self._counts_incoming, self._budget),
            Figure(mark("of these sent"), sent),
        )

    async def close(self) -> None:
        """Let go of connections, and of the right to poll."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._meter.flush()
        try:
            await self._lease.give_back()
        except StoreError:
            log.warning("lease not given back", channel=NAME)
        await self._polling.close()
        await self._sending.close()

    async def _say(self, chat: str, text: str, *, answering: bool = True) -> Receipt:
        return await self._deliver("sendMessage", {"chat_id": chat, "text": text}, answering=answering)

    async def _show(self, chat: str, reply: Reply, *, answering: bool) -> bool:
        """Send a picture; False when Zalo cannot fetch it from anywhere, so that words must do."""
        address = reply.image if isinstance(reply.image, str) else await self._pictures.address_of(reply.image)
        if not address:
            return False
        caption = plain(reply.text)
        said = {"caption": caption} if caption and nfc_length(caption) <= LONGEST_TEXT else {}
        try:
            await self._deliver("sendPhoto", {"chat_id": chat, "photo": address, **said}, answering=answering)
        except Rejected:
            log.warning("picture not fetched, sent in words", channel=NAME)
            return False
        return True

    async def _deliver(self, method: str, asked: Mapping[str, Any], *, answering: bool) -> Receipt:
        try:
            answer = await self._call(method, asked)
        except _TokenRefusedError:
            self._stop()
            raise Unreachable(self._off, code=str(UNAUTHORISED)) from None
        except CallError as error:
            raise call_error(error, answering=answering) from None
        failure = bot_error(answer, pause=self._quota_pause)
        if failure is not None:
            if isinstance(failure, Throttled):
                self._quota_pause = min(self._quota_pause * 2, _LONGEST_QUOTA_PAUSE)
            raise failure
        self._quota_pause = _FIRST_QUOTA_PAUSE
        self._meter.count(SENT)
        result = answer.body.get("result")
        return Receipt(str(result.get("message_id") or "") if isinstance(result, dict) else "")

    async def _call(
        self, method: str, asked: Mapping[str, Any], *, transport: Transport | None = None, seconds: float = 0.0
    ) -> Answer:
        answer = await (transport or self._sending).post(self._connection.url(method), json=asked, seconds=seconds)
        if bot_code(answer) == UNAUTHORISED:
            raise _TokenRefusedError
        return answer

    def _stop(self) -> None:
        self._off = (
            "Zalo refuses the bot's token; set BOT_ZALO_BOT__TOKEN to the one that Zalo Bot Creator sent, then restart."
        )
        self._report(self._off)

    async def _rest(self, pause: float) -> float:
        """Wait after a failure, longer each time, never in step with others; returns the next pause."""
        await self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        return min(pause * 2, _LONGEST_PAUSE)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Run something nobody waits for."""
        task = asyncio.get_running_loop().create_task(_unimportant(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unimportant(work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except DeliveryError as error:
        log.debug("not done", reason=type(error).__name__)
