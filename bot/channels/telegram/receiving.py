"""Keeping updates coming: asking for them again and again, or having Telegram bring them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError

from bot.channels.telegram.bot_api import ApiBot
from bot.channels.telegram.http import FloodError, TelegramTransport
from bot.channels.telegram.updates import KINDS
from bot.clock import Clock
from bot.cluster.lease import Lease
from bot.errors import StoreError

log = structlog.get_logger()

POLL_SECONDS = 50  # the longest that Telegram keeps a request open
SILENCE_SECONDS = 90.0  # without a successful poll, polling is started afresh
LEASE_SECONDS = 20.0  # of one that died elsewhere; another process polls so much later
_LEASE_PAUSE = 5.0
_HOOK_PAUSE = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

Report = Callable[[str | None], None]
Take = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramConnection:
    """How to reach Telegram, and how Telegram reaches the bot: it polls, or is called at `hook_url`."""

    token: str
    api_base: str
    polls: bool = True
    hook_url: str = ""
    hook_secret: str = ""
    hook_connections: int = 40
    connections: int = 32
    answer_seconds: float = 15.0


class Poller:
    """Asks for updates and hands each batch to `take`; only what is safe there is confirmed to Telegram.

    Of all processes on the same records one polls at a time, the one that has the `lease`.
    """

    def __init__(
        self,
        bot: ApiBot,
        transport: TelegramTransport,
        *,
        lease: Lease,
        own_hook: str,
        take: Take,
        report: Report,
        seconds: int = POLL_SECONDS,
        silence: float = SILENCE_SECONDS,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        """`own_hook` is the address of this very bot's webhook; `report` is told what is wrong, or None."""
        self._bot, self._transport, self._own_hook, self._take = bot, transport, own_hook, take
        self._lease, self._standing_by = lease, False
        self._report, self._seconds, self._silence, self._tick = report, seconds, silence, tick
        self._last_poll, self._asks = tick(), True

    async def run(self) -> None:
        """Poll for ever; start afresh when nothing came back for too long. Raises InvalidToken."""
        while True:
            await self._wait_for_turn()
            self._last_poll, self._asks = self._tick(), True
            async with self._lease.kept() as lost:
                poller = asyncio.ensure_future(self._poll())
                try:
                    while not (poller.done() or lost.is_set() or self._is_silent()):
                        await asyncio.wait((poller,), timeout=min(1.0, self._silence / 4))
                finally:
                    silent = poller.cancel()
                    ended = (await asyncio.gather(poller, return_exceptions=True))[0]
            if isinstance(ended, InvalidToken):
                raise ended
            if lost.is_set():
                log.warning("another process polls now", channel="telegram")
            elif silent:
                self._report(f"Telegram has not answered for {self._silence:.0f} s; polling was started again.")
            else:  # a fault of ours; polling must go on all the same
                self._report(f"Polling broke off ({type(ended).__name__}) and was started again.")
                await asyncio.sleep(_FIRST_PAUSE)
            await self._transport.shutdown()

    def _is_silent(self) -> bool:
        return self._asks and self._tick() - self._last_poll >= self._silence

    async def _wait_for_turn(self) -> None:
        """Return when this process may poll; that another one does is as it should be."""
        while True:
            try:
                if await self._lease.hold():
                    self._standing_by = False
                    return
                self._report(None)
                if not self._standing_by:
                    log.info("another process polls, standing by", channel="telegram")
                self._standing_by = True
            except StoreError as error:
                self._report(str(error))
            await asyncio.sleep(_LEASE_PAUSE)

    async def _poll(self) -> None:
        await self._leave_own_hook()
        offset: int | None = None
        pause, well = _FIRST_PAUSE, False
        while True:
            try:
                # After a trouble the first question asks for no patience, so that the end of it is known at once.
                updates = await self._bot.updates(offset=offset, seconds=self._seconds if well else 0)
            except InvalidToken:
                raise
            except Conflict as error:
                self._report(await self._name_conflict(error))
                pause, well = await rest(error, pause), False
                continue
            except TelegramError as error:
                log.warning("polling failed", reason=error.message)
                self._last_poll += retry_after_seconds(error)  # a pause that Telegram wants is no silence
                pause, well = await rest(error, pause), False
                continue
            pause, well, self._asks = _FIRST_PAUSE, True, False  # a full house is no silence of Telegram's
            self._report(None)
            try:
                await self._take(updates)
            except StoreError as error:
                # Not confirmed, so it comes again.
                log.error("database unavailable, updates wait at Telegram", reason=str(error))
                await asyncio.sleep(_FIRST_PAUSE)
                continue
            finally:
                self._last_poll, self._asks = self._tick(), True
            if updates:
                offset = updates[-1]["update_id"] + 1

    async def _leave_own_hook(self) -> None:
        """Take back a webhook of this very bot from before it polled; never one of another program."""
        try:
            url = (await self._bot.get_webhook_info()).url
            if url and url == self._own_hook:
                await self._bot.delete_webhook(drop_pending_updates=False)
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
            host = urlsplit((await self._bot.get_webhook_info()).url).netloc or host
        return (
            f"A webhook is set for this bot at {host}, so that polling gets nothing; set telegram.mode to webhook, or "
            "remove it with deleteWebhook if that program is no longer in use."
        )


class WebhookMonitor:
    """Sets the webhook, looks after it, and sets it again should another program take it away."""

    def __init__(self, bot: Bot, connection: TelegramConnection, *, clock: Clock, report: Report) -> None:
        self._bot, self._connection, self._clock, self._report = bot, connection, clock, report

    async def run(self) -> None:
        """Keep the webhook for ever. Raises InvalidToken."""
        pause, own = _FIRST_PAUSE, False
        while True:
            try:
                info = await self._bot.get_webhook_info()
                taken = info.url != self._connection.hook_url
                if taken or not own:  # at the start in any case: the secret may be a new one
                    await self._set()
                self._report(self._name_rival(info) if taken and own else self._name_failure(info))
                pause, own = _FIRST_PAUSE, True
                await asyncio.sleep(_HOOK_PAUSE)
            except InvalidToken:
                raise
            except BadRequest as error:
                self._report(f"Telegram refuses the webhook: {error.message}. Check web.public_url.")
                await asyncio.sleep(_HOOK_PAUSE)
            except TelegramError as error:
                self._report(f"Telegram cannot be reached: {error.message}.")
                pause = await rest(error, pause)

    async def _set(self) -> None:
        await self._bot.set_webhook(
            self._connection.hook_url,
            secret_token=self._connection.hook_secret,
            max_connections=self._connection.hook_connections,
            allowed_updates=KINDS,
        )

    @staticmethod
    def _name_rival(info: WebhookInfo) -> str:
        if not info.url:
            return "Another program took this bot's webhook away, and it was set again; stop that program."
        host = urlsplit(info.url).netloc
        return (
            f"Another program set its webhook at {host} for this bot, and it was set back; stop that program, or give "
            "each bot a token of its own (one bot, one program)."
        )

    def _name_failure(self, info: WebhookInfo) -> str | None:
        last = info.last_error_date
        if last is None or (self._clock() - last).total_seconds() >= 2 * _HOOK_PAUSE:
            return None
        return f"Telegram cannot deliver: {info.last_error_message}."


async def rest(error: TelegramError, pause: float = _FIRST_PAUSE) -> float:
    """Wait after a failure, longer each time, never in step with others; returns the next pause."""
    wanted = retry_after_seconds(error)
    await asyncio.sleep(max(wanted, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - jitter, no secret
    return min(pause * 2, _LONGEST_PAUSE)


def retry_after_seconds(error: Exception) -> float:
    """Tell for how many seconds Telegram wants to be left alone."""
    return error.seconds if isinstance(error, FloodError) else 0.0
