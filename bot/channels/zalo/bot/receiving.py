"""How the Bot Platform's updates reach the bot: it asks for them, or it says where it wants to be called.

Nothing can be acknowledged there, so that an update is in the inbox before the next one is asked for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import structlog

from bot.channels.zalo.bot.api import TokenRefusedError, ZaloBotApi, ZaloBotConnection
from bot.channels.zalo.bot.updates import NAME, names_of, unwrap
from bot.channels.zalo.errors import BAD_REQUEST, NOT_FOUND, QUIET, bot_code
from bot.channels.zalo.transport import ApiResponse, CallError
from bot.cluster.lease import Lease
from bot.errors import StoreError

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_REPEAT_PAUSE = 1.0  # between polls that bring what is known already
_HOOK_PAUSE, _LEASE_PAUSE = 60.0, 5.0
_LAST_CHANCE = 1.0


class Listening:
    """Keeps updates coming, whatever happens on the way."""

    def __init__(
        self,
        api: ZaloBotApi,
        *,
        connection: ZaloBotConnection,
        lease: Lease,
        take: Callable[[Mapping[str, Any]], Awaitable[bool]],
        report: Callable[[str | None], None],
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Ask nothing yet. `take` is given each update, and tells whether it was new; it may raise StoreError."""
        self._api, self._connection, self._lease = api, connection, lease
        self._take, self._report, self._tick, self._sleep = take, report, tick, sleep
        self._taken_over = False
        self.known_as: tuple[str, ...] = ()

    async def run(self) -> None:
        """Bring updates until cancelled; raises TokenRefusedError."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._introduce()
                await (self._keep_polling() if self._connection.polls else self._keep_hook())
            except TokenRefusedError:
                raise
            except Exception as error:
                # A mistake of ours must not make the bot deaf until somebody notices.
                log.error("listening failed", channel=NAME, error=type(error).__name__, exc_info=True)
                self._report(f"Listening to Zalo's Bot Platform failed ({type(error).__name__}); it is tried again.")
                pause = await self._rest(pause)

    async def _introduce(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await self._api.call("getMe", {})
                if bot_code(answer) == 0:
                    self.known_as = names_of(answer.body.get("result"))
                    self._report(None)
                    log.info("zalo bot", mode="polling" if self._connection.polls else "webhook")
                    return
                reason = f"Zalo's Bot Platform answers {bot_code(answer)}."
            except CallError as error:
                reason = f"{error}."
            self._report(reason)
            pause = await self._rest(pause)

    # -- polling ----------------------------------------------------------------------------------------------

    async def _keep_polling(self) -> None:
        await self._leave_own_hook()
        pause = _FIRST_PAUSE
        while True:
            try:
                if not await self._lease.hold():  # another process on the same records polls, as it should be
                    self._report(None)
                    await self._sleep(_LEASE_PAUSE)
                    continue
            except StoreError as error:
                self._report(str(error))
                pause = await self._rest(pause)
                continue
            began = self._tick()
            try:
                async with self._lease.kept():
                    answer = await self._api.poll()
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
            elif code and unwrap(answer.body) is None:
                self._report(f"Polling Zalo's Bot Platform fails ({code}).")
                pause = await self._rest(pause)
            else:
                self._report(None)
                pause = _FIRST_PAUSE
                if not await self._take_all(answer):
                    await self._sleep(_REPEAT_PAUSE)

    async def _take_all(self, answer: ApiResponse) -> bool:
        """Take what a poll brought: one object as documented, or a list, or flat; tells whether anything was new."""
        result = answer.body if unwrap(answer.body) else answer.body.get("result")
        fresh = False
        for raw in result if isinstance(result, list) else [result] if result else []:
            body = unwrap(raw)
            if body is None:
                log.warning("update not understood", channel=NAME)
                continue
            fresh = await self._take_for_certain(body) or fresh
        return fresh

    async def _take_for_certain(self, body: Mapping[str, Any]) -> bool:
        """Take an update however long that takes, and poll no further meanwhile: the platform has forgotten it.

        A stop in between gives it a last chance.
        """
        pause = _FIRST_PAUSE
        while True:
            try:
                fresh = await self._take(body)
            except StoreError as error:
                self._report(str(error))
            except Exception as error:
                # A mistake of ours about one update must not cost those that came with it.
                log.error("update not taken", channel=NAME, error=type(error).__name__, exc_info=True)
                return False
            else:
                self._report(None)
                return fresh
            try:
                pause = await self._rest(pause)
            except asyncio.CancelledError:
                try:
                    await asyncio.wait_for(self._take(body), _LAST_CHANCE)
                except (StoreError, TimeoutError) as error:
                    log.error("an update that could not be stored is lost by the stop", reason=str(error))
                raise

    async def _leave_own_hook(self) -> None:
        """Take back a webhook of this very bot from before it polled; never one of another program."""
        try:
            if self._connection.hook_url and await self._hook_in_use() == self._connection.hook_url:
                await self._api.call("deleteWebhook", {})
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

    # -- webhook ----------------------------------------------------------------------------------------------

    async def _keep_hook(self) -> None:
        """Set the webhook, and set it again should it be lost; two programs must not fight for it."""
        wanted, pause = self._connection.hook_url, _FIRST_PAUSE
        while True:
            try:
                current = await self._hook_in_use()
                if current == wanted:
                    self._taken_over = True
                elif current and self._taken_over:
                    self._report(
                        f"Another program has set this bot's webhook to {urlsplit(current).netloc}; stop that one, "
                        "then restart this bot."
                    )
                else:
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
        answer = await self._api.call("setWebhook", {"url": wanted.hook_url, "secret_token": wanted.hook_secret})
        if bot_code(answer):
            return f"Zalo refuses the webhook ({bot_code(answer)}). Check web.public_url."
        self._taken_over = True
        result = answer.body.get("result")
        probe = result.get("verification") if isinstance(result, dict) else None
        if isinstance(probe, dict) and probe.get("ok") is False:
            return (
                f"Zalo set the webhook but could not reach it (status {probe.get('status_code')}). "
                "Check the proxy: it must let the user agent Java/… through to /hooks/zalo-bot."
            )
        return None

    async def _hook_in_use(self) -> str:
        answer = await self._api.call("getWebhookInfo", {})
        result = answer.body.get("result")
        if bot_code(answer) in (0, NOT_FOUND):
            return str(result.get("url") or "") if isinstance(result, dict) else ""
        raise CallError(f"Zalo's Bot Platform answers {bot_code(answer)}")

    async def _rest(self, pause: float) -> float:
        """Wait after a failure, longer each time, never in step with others; returns the next pause."""
        await self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
        return min(pause * 2, _LONGEST_PAUSE)
