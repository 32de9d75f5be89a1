"""The senders of all channels of a process, and what goes on beside them: beginning, ending, telling who watches."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress

from bot.broadcasts import Broadcasts
from bot.broadcasts.progress import ProgressNotifier
from bot.broadcasts.sender import LEASE_SECONDS, Sender
from bot.channels.terms import SendingTerms
from bot.clock import Clock
from bot.cluster.lease import Lease
from bot.delivery.outbox import Outbox
from bot.errors import StoreError
from bot.settings import Settings
from bot.store import Store

_CLOSING_SECONDS = 4.0


class BroadcastScheduler:
    """The senders of all channels of this process."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        broadcasts_: Broadcasts,
        progress_notifier: ProgressNotifier,
        channels: Iterable[str],
        *,
        terms: Mapping[str, SendingTerms],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._broadcasts, self._progress_notifier = broadcasts_, progress_notifier
        self._lead = Lease(store, "broadcasts", seconds=LEASE_SECONDS, clock=clock)
        self.senders = [
            Sender(store, outbox, channel, terms=terms[channel], settings=settings, clock=clock) for channel in channels
        ]
        self._running: list[asyncio.Task[None]] = []
        self._advancing = asyncio.Lock()
        self._hastening: asyncio.Task[None] | None = None
        broadcasts_.followers.append(self._hasten)

    def start(self) -> None:
        """Begin to send."""
        self._running = [asyncio.create_task(sender.run()) for sender in self.senders]

    async def advance(self) -> None:
        """Begin what is due, end what is done, tell who watches; in one process at a time. Raises StoreError."""
        async with self._advancing:
            if await self._broadcasts.busy() and await self._lead.hold():
                await self._broadcasts.advance()
                await self._progress_notifier.tell()

    def _hasten(self) -> None:
        """Do at once what the clock would bring in a moment: an officer who says "now" looks at the screen."""
        if not self._running:
            return
        for sender in self.senders:
            sender.look()
        if self._hastening is None or self._hastening.done():
            self._hastening = asyncio.create_task(self._advance_soon())

    async def _advance_soon(self) -> None:
        with suppress(StoreError):  # the clock comes, too
            await self.advance()

    async def close(self) -> None:
        """Finish what is being sent, note it, and let other processes go on."""
        for sender in self.senders:
            sender.close()
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSING_SECONDS)
        ending = [*self._running, *filter(None, (self._hastening,))]
        self._running = []
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        with suppress(StoreError):
            for sender in self.senders:
                await sender.give_back()
            await self._lead.give_back()
