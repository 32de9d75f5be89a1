"""Counting what a channel uses up, with an alarm before a budget ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime, tzinfo

import structlog

from bot.channels.terms import SendingTerms
from bot.clock import Clock
from bot.errors import StoreError
from bot.store import Store, Transaction, usage

log = structlog.get_logger()

ALARM_SHARE = 0.8
_GATHER_SECONDS = 0.05  # nobody waits for a count, and a commit each would cost more than the message
NOW = "now"  # the period of figures that only have a present
_ALARMED = "alarmed"

Also = Callable[[Transaction], None]


class UsageMeter:
    """Counts by month; what is counted together is written together, and nobody waits for it."""

    def __init__(
        self,
        store: Store,
        channel: str,
        *,
        zone: tzinfo,
        clock: Clock,
        budget: int = 0,
        budgeted: tuple[str, ...] = (),
        alarm: Callable[[Transaction, int], None] | None = None,
    ) -> None:
        """Count for a channel; `alarm` is called once a month when `budgeted` kinds reach four fifths of `budget`."""
        self._store, self._channel, self._zone, self._clock = store, channel, zone, clock
        self._budget, self._budgeted, self._alarm = budget, budgeted, alarm
        self._pending: Counter[tuple[str, str]] = Counter()
        self._also: list[Also] = []
        self._writing: asyncio.Task[None] | None = None

    @property
    def month(self) -> str:
        """The month that is being counted, as people here reckon it."""
        return self._clock().astimezone(self._zone).strftime("%Y-%m")

    def count(self, kind: str, amount: int = 1, *, also: Also | None = None) -> None:
        """Count; `also` is written together with it."""
        self._pending[self.month, kind] += amount
        if also is not None:
            self._also.append(also)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def figures(self) -> dict[str, int]:
        """Return this month's sums by kind, and what only has a present."""
        month = self.month

        def work(tx: Transaction) -> dict[str, int]:
            return usage.of_period(tx, self._channel, period=NOW) | usage.of_period(tx, self._channel, period=month)

        return await self._store.read(work)

    async def flush(self) -> None:
        """Return when everything counted so far is written, or could not be."""
        while self._writing is not None:
            await asyncio.wait((self._writing,))

    async def _write(self) -> None:
        try:
            while self._pending or self._also:
                await asyncio.sleep(_GATHER_SECONDS)
                pending, self._pending = self._pending, Counter()
                also, self._also = self._also, []
                try:
                    await self._store.write(lambda tx, p=pending, a=also: self._add(tx, p, a))  # type: ignore[misc]
                except StoreError:
                    # It goes with what is counted next; without a database nothing is answered either.
                    self._pending += pending
                    self._also[:0] = also
                    log.warning("usage waits to be counted", channel=self._channel, messages=self._pending.total())
                    return
        finally:
            self._writing = None

    def _add(self, tx: Transaction, pending: Counter[tuple[str, str]], also: list[Also]) -> None:
        """Write everything, and sound the alarm when it is due."""
        for (period, kind), amount in pending.items():
            usage.add(tx, self._channel, period=period, kind=kind, amount=amount)
        for work in also:
            work(tx)
        if not self._budget or self._alarm is None:
            return
        for period in {period for period, kind in pending if kind in self._budgeted}:
            figures = usage.of_period(tx, self._channel, period=period)
            used = sum(figures.get(kind, 0) for kind in self._budgeted)
            if used >= ALARM_SHARE * self._budget and usage.once(tx, self._channel, period=period, kind=_ALARMED):
                self._alarm(tx, used)


def left_of_month(tx: Transaction, channel: str, terms: SendingTerms, at: datetime) -> int | None:
    """Return how many messages that answer nobody a local moment's month still allows; None for any number.

    A fifth of them is kept for answers.
    """
    if not terms.budget:
        return None
    figures = usage.of_period(tx, channel, period=at.strftime("%Y-%m"))
    used = sum(figures.get(kind, 0) for kind in terms.budgeted)
    return max(0, int(terms.budget * ALARM_SHARE) - used)
