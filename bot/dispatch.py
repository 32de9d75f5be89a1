"""The sender of broadcasts: claims a few rows of the ledger, sends them, notes what became of them.

Each channel has one sender at a time, whichever process it runs in: a lease in the store says so, and another process
takes over within half a minute after it ends. What a dead sender had claimed may have arrived, so that it becomes
"unknown" and is never repeated by itself. What was not claimed is sent after a restart as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.broadcast import Broadcasts
from bot.channels.lease import Lease
from bot.channels.meter import ALARM_SHARE
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Gone, StoreError, Unknown, Unreachable
from bot.herald import Herald
from bot.hours import QuietHours
from bot.message import Person, Reply
from bot.outbox import Outbox
from bot.settings import Settings
from bot.sieve import WEEK
from bot.store import Row, Store, Transaction, broadcasts, usage
from bot.store.broadcasts import FAILED, GONE, NO_BUDGET, OVER_QUOTA, PLANNED, SENT, UNKNOWN, Outcome
from bot.terms import Terms

log = structlog.get_logger()

LEASE_SECONDS = 20.0
_LOOK_PAUSE = 1.0  # how often an idle sender looks for work
_KEEP_PAUSE = 5.0  # while sending: how often a lease is prolonged
_FRESH = 0.1  # seconds for which a claim needs no second look
_MOST_UNDER_WAY = 120  # claimed and not yet noted: what a crash leaves unknown, at most
_SECONDS_AHEAD = 1.5  # … and with a pace, no more than leaves in that time
_MOST_WORKERS = 48
_GROUPS = 4  # of what is under way, a quarter is noted and replaced in one transaction
_NOTE_WITHIN = 0.25
_MOST_TRIES = 5
_FIRST_REST, _LONGEST_REST = 5.0, 300.0
# The channel itself is off or wrongly set up: nobody's message is to blame.
_CHANNEL_TROUBLE = frozenset(("channel-off", "set-up", "401"))
_CLOSING_SECONDS = 4.0


@dataclass(slots=True)
class _Work:
    """What one sender has under way."""

    number: int = 0  # the broadcast whose texts are at hand
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    rows: deque[tuple[Row, float]] = field(default_factory=deque)
    outcomes: list[Outcome] = field(default_factory=list)
    under_way: int = 0  # claimed and not yet noted


class Sender:
    """Sends what is planned on one channel."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        channel: str,
        *,
        terms: Terms,
        settings: Settings,
        clock: Clock,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._outbox, self._channel, self._terms = store, outbox, channel, terms
        self._clock, self._tick = clock, tick
        self._quiet: QuietHours = settings.quiet
        self._zone, self._per_week = settings.zone, settings.reminders.per_week
        self._holder = secrets.token_hex(8)
        self._lease = Lease(store, f"broadcasts:{channel}", seconds=LEASE_SECONDS, clock=clock)
        self._held_until: datetime | None = None
        self._resting_until, self._rest = 0.0, _FIRST_REST
        self._closing = False
        pace = terms.per_second
        self._most = min(_MOST_UNDER_WAY, max(2, int(pace * _SECONDS_AHEAD))) if pace else _MOST_UNDER_WAY
        self._group = max(1, self._most // _GROUPS)
        self._work = _Work()
        self._wake = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Send whatever there is, whenever it may be sent, until cancelled or closed."""
        while not self._closing:
            try:
                if self._may_begin() and await self._has_work() and await self._hold():
                    await self._send_all()
            except StoreError as error:
                log.error("database unavailable, broadcast waits", channel=self._channel, reason=str(error))
            if not self._closing:
                await asyncio.sleep(_LOOK_PAUSE)

    def close(self) -> None:
        """Claim nothing more; what is being sent is still noted."""
        self._closing = True
        self._wake.set()
        self._news.set()

    async def give_back(self) -> None:
        """Let another process send at once."""
        if self._held_until is not None:
            await self._lease.give_back()

    def _may_begin(self) -> bool:
        return self._tick() >= self._resting_until and not self._quiet.covers(self._clock())

    def _may_send(self) -> bool:
        """Tell whether anything may leave at this moment."""
        held = self._held_until is not None and self._clock() < self._held_until
        return held and not self._closing and self._may_begin()

    async def _has_work(self) -> bool:
        return await self._store.read(partial(broadcasts.has_work, channel=self._channel))

    async def _hold(self) -> bool:
        """Take or prolong the right to send, and note what a dead holder left; False while another has it."""
        asked_at = self._clock()
        fresh = self._held_until is None or asked_at >= self._held_until
        if not await self._lease.hold():
            self._held_until = None
            return False
        if fresh:  # somebody else may have been the sender meanwhile
            bury = partial(broadcasts.bury, channel=self._channel, holder=self._holder, at=stamp(asked_at))
            if buried := await self._store.write(bury):
                log.warning("sender took over", channel=self._channel, unknown=buried)
        self._held_until = asked_at + timedelta(seconds=LEASE_SECONDS)
        return True

    async def _keep_hold(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_PAUSE)
            try:
                await self._hold()
            except StoreError as error:
                log.error("database unavailable, broadcast waits", channel=self._channel, reason=str(error))

    # -- the pump ------------------------------------------------------------------------------------------------

    async def _send_all(self) -> None:
        """Keep workers busy until nothing is left or nothing may be sent; every outcome is noted before it returns."""
        workers = [asyncio.create_task(self._send_rows()) for _ in range(min(self._most, _MOST_WORKERS))]
        tasks = [*workers, asyncio.create_task(self._keep_hold())]
        try:
            while True:
                try:
                    await self._claim()
                except StoreError as error:
                    log.error("database unavailable, broadcast waits", channel=self._channel, reason=str(error))
                    await asyncio.sleep(_LOOK_PAUSE)
                    continue
                if not self._work.under_way:
                    return
                await self._news.wait()
                self._news.clear()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _claim(self) -> None:
        """Note what became of rows and claim more of them, in one transaction."""
        work = self._work
        outcomes, work.outcomes = work.outcomes, []
        wanted = self._most - (work.under_way - len(outcomes)) if self._may_send() else 0
        if not outcomes and not wanted:
            return
        try:
            number, rows, texts = await self._store.write(partial(self._step, outcomes=outcomes, wanted=wanted))
        except StoreError:
            work.outcomes = outcomes + work.outcomes
            raise
        work.under_way += len(rows) - len(outcomes)
        if texts:
            work.number, work.replies = number, {key: Reply(text) for key, text in texts.items()}
        now = self._tick()
        work.rows.extend((row, now) for row in rows)
        if rows:
            self._wake.set()

    def _step(
        self, tx: Transaction, *, outcomes: list[Outcome], wanted: int
    ) -> tuple[int, list[Row], dict[tuple[str, str], str]]:
        now = self._clock()
        at = stamp(now)
        broadcasts.note(tx, outcomes, at=at)
        number = broadcasts.next_for(tx, self._channel) if wanted else None
        # Another broadcast begins only when nothing of the one before is on its way: its texts differ.
        if number is None or (number != self._work.number and self._work.under_way > len(outcomes)):
            return 0, [], {}
        wanted = min(wanted, self._left_of_month(tx))
        if not wanted:
            broadcasts.give_up(tx, number, self._channel, state=OVER_QUOTA, reason=NO_BUDGET, at=at)
            return number, [], {}
        window = self._terms.window
        rows = broadcasts.claim(
            tx,
            number,
            channel=self._channel,
            holder=self._holder,
            at=at,
            limit=wanted,
            week_ago=stamp(now - WEEK),
            per_week=self._per_week,
            window_since=stamp(now - timedelta(days=window.paid_days)) if window else "",
        )
        return number, rows, broadcasts.texts(tx, number) if number != self._work.number else {}

    def _left_of_month(self, tx: Transaction) -> int:
        """Return how many messages of the month are left for broadcasts; a fifth of them is kept for answers."""
        if not self._terms.budget:
            return self._most
        month = self._clock().astimezone(self._zone).strftime("%Y-%m")
        figures = usage.of_period(tx, self._channel, period=month)
        used = sum(figures.get(kind, 0) for kind in self._terms.budgeted)
        return max(0, int(self._terms.budget * ALARM_SHARE) - used - self._work.under_way)

    async def _send_rows(self) -> None:
        """One worker: takes claimed rows, one after another."""
        work = self._work
        while True:
            while not work.rows:
                self._wake.clear()
                await self._wake.wait()
            row, claimed_at = work.rows.popleft()
            outcome = await self._send_row(row, claimed_at)
            work.outcomes.append(outcome)  # the list may be another one than before the wait
            if len(work.outcomes) >= self._group or len(work.outcomes) >= work.under_way:
                self._news.set()
            elif len(work.outcomes) == 1:  # however few there are, none waits long for being noted
                asyncio.get_running_loop().call_later(_NOTE_WITHIN, self._news.set)

    async def _send_row(self, row: Row, claimed_at: float) -> Outcome:
        number, person = int(row["id"]), Person(self._channel, row["address"])
        reply = self._work.replies.get((row["language"], row["district"])) or self._work.replies[row["language"], ""]

        async def still() -> bool:
            if not self._may_send():
                return False
            if self._tick() - claimed_at < _FRESH:
                return True
            found = await self._store.read(lambda tx: broadcasts.may_still(tx, number))
            return found is not None and found["state"] == broadcasts.RUNNING and bool(found["willing"])

        try:
            receipt = await self._outbox.send(person, reply, still=still)
        except Gone as error:
            return Outcome(number, GONE, error.code)
        except Unknown as error:
            return Outcome(number, UNKNOWN, error.code)
        except Unreachable as error:
            return self._unreachable(number, int(row["tries"]), error)
        except DeliveryError as error:
            return Outcome(number, FAILED, error.code)
        except Exception as error:  # nobody knows whether it left: never again by itself
            log.error("broadcast message broke", channel=self._channel, error=type(error).__name__)
            return Outcome(number, UNKNOWN, "error")
        if receipt is None:
            return Outcome(number, PLANNED)
        self._rest = _FIRST_REST
        return Outcome(number, SENT)

    def _unreachable(self, number: int, tries: int, error: Unreachable) -> Outcome:
        """Let the channel rest and plan the row again; a row of which that is true too often has failed."""
        blamed = error.code not in _CHANNEL_TROUBLE and not error.retry_after
        now = self._tick()
        if now >= self._resting_until:
            pause = max(self._rest, error.retry_after)
            self._resting_until = now + pause
            self._rest = min(self._rest * 2, _LONGEST_REST)
            log.warning("channel rests", channel=self._channel, code=error.code, seconds=round(pause))
        if blamed and tries + 1 >= _MOST_TRIES:
            return Outcome(number, FAILED, error.code)
        return Outcome(number, PLANNED, error.code if blamed else "")


class Dispatch:
    """The senders of all channels of this process."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        broadcasts_: Broadcasts,
        herald: Herald,
        channels: Iterable[str],
        *,
        terms: Mapping[str, Terms],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._broadcasts, self._herald = broadcasts_, herald
        self._lead = Lease(store, "broadcasts", seconds=LEASE_SECONDS, clock=clock)
        self.senders = [
            Sender(store, outbox, channel, terms=terms[channel], settings=settings, clock=clock) for channel in channels
        ]
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send."""
        self._running = [asyncio.create_task(sender.run()) for sender in self.senders]

    async def advance(self) -> None:
        """Begin what is due, end what is done, tell who watches; in one process at a time. Raises StoreError."""
        if await self._broadcasts.busy() and await self._lead.hold():
            await self._broadcasts.advance()
            await self._herald.tell()

    async def close(self) -> None:
        """Finish what is being sent, note it, and let other processes go on."""
        for sender in self.senders:
            sender.close()
        if self._running:
            await asyncio.wait(self._running, timeout=_CLOSING_SECONDS)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(StoreError):
            for sender in self.senders:
                await sender.give_back()
            await self._lead.give_back()
