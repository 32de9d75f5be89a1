"""The sender of broadcasts on one channel: claims a few rows of the ledger, sends them, notes what became of them.

Each channel has one sender at a time, whichever process it runs in: a lease in the store says so, and another process
takes over within half a minute after it ends. What a dead sender had claimed may have arrived, so that it becomes
"unknown" and is never repeated by itself. Therefore rows are claimed right before they leave, only as many as leave
within the next moments, and given back while they wait for another attempt. What was not claimed is sent after a
restart as if nothing had happened.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.broadcasts.audience_query import WEEK
from bot.channels.quota import left_of_month
from bot.channels.terms import SendingTerms
from bot.clock import Clock, stamp
from bot.cluster.lease import Lease
from bot.delivery.outbox import Outbox
from bot.errors import DeliveryError, Gone, StoreError, Unknown, Unreachable
from bot.hours import QuietHours
from bot.message import Person, Reply
from bot.settings import Settings
from bot.store import Row, Store, Transaction, broadcasts
from bot.store.broadcasts import FAILED, GONE, NO_BUDGET, OVER_QUOTA, PLANNED, SENT, UNKNOWN, ClaimRule, DeliveryResult

log = structlog.get_logger()

LEASE_SECONDS = 20.0
_LOOK_PAUSE = 1.0  # how often an idle sender looks for work
_KEEP_PAUSE = 5.0  # while sending: how often a lease is prolonged
_RECHECK_AFTER_SECONDS = 0.15  # seconds for which a claim needs no second look
# What a crash leaves unknown is what was claimed and not yet noted: on its way, just back, or about to leave.
MAX_IN_FLIGHT = 16  # enough to keep the process busy; a platform that takes long to answer has a pace anyway
_MOST_PACED = 48  # with a pace, however long the platform takes to answer
# Claimed before there is a place for them: with a pace, what leaves in so many seconds, or in twice the time of a
# transaction; without one, nothing on a quick disk and up to so many on a slow one.
_AHEAD_SECONDS = 0.1
MAX_PREFETCH = 8
GROUP = 8  # so many are noted and replaced in one transaction
_MOST_PUT_OFF = 48  # rows that wait for another attempt; nothing more is begun then
_NOTE_WITHIN = 0.25
_UNBOUNDED = 10**9
_MOST_TRIES = 5
_FIRST_REST, _LONGEST_REST = 5.0, 300.0
# The channel itself is off or wrongly set up: nobody's message is to blame.
_CHANNEL_TROUBLE = frozenset(("channel-off", "set-up", "401"))


@dataclass(slots=True, eq=False)
class _Delivery:
    """One row on its way out: claimed, begun, and perhaps put off until another attempt, not claimed meanwhile."""

    sender: Sender
    number: int
    tries: int
    person: Person
    reply: Reply
    claimed_at: float
    claimed: bool = True
    started: bool = False
    begun: bool = False
    answer: asyncio.Future[bool] | None = None
    task: asyncio.Task[None] | None = None

    async def may_leave(self) -> bool:
        """Tell, right before an attempt, whether it may still leave."""
        return await self.sender.may_begin(self)

    def on_retry(self) -> None:
        """Hear that an attempt certainly brought nothing and that another follows later."""
        self.sender.put_off(self)

    def call_off(self) -> None:
        """Do not wait any longer for a chance to leave."""
        if self.task is not None and self.started and not self.begun:
            self.task.cancel()


@dataclass(slots=True)
class _SenderState:
    """What one sender has under way."""

    number: int = 0  # the broadcast whose texts are at hand
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    line: deque[_Delivery] = field(default_factory=deque)  # claimed, waiting for a place
    deliveries: dict[int, _Delivery] = field(default_factory=dict)  # by row of the ledger, those that have one
    outcomes: list[DeliveryResult] = field(default_factory=list)
    again: list[_Delivery] = field(default_factory=list)  # want to be claimed for another attempt
    under_way: int = 0  # claimed and not yet noted
    ahead: int = 0  # … and not yet begun
    waiting_retry: int = 0  # not claimed, waiting for another attempt
    exhausted: bool = False  # the last look at the ledger found less than there was room for


@dataclass(frozen=True, slots=True)
class _BatchResult:
    """What one transaction brought: rows to send, with their texts if these are others, and who may try again."""

    rows: Sequence[Row] = ()
    number: int = 0
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    again: frozenset[int] = frozenset()


class Sender:
    """Sends what is planned on one channel."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        channel: str,
        *,
        terms: SendingTerms,
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
        self._pace = terms.per_second
        self._ahead = 0  # without a pace: how many are claimed before there is a place for them
        self._step_seconds = 0.0  # how long a transaction takes, on average
        self._work = _SenderState()
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
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_PAUSE):
                        await self._news.wait()
                self._news.clear()

    def look(self) -> None:
        """Look for work at once."""
        self._news.set()

    def close(self) -> None:
        """Begin nothing more; what has not begun is planned again, what is being sent is still noted."""
        self._closing = True
        while self._work.line:
            self._work.outcomes.append(DeliveryResult(self._work.line.popleft().number, PLANNED))
        for delivery in list(self._work.deliveries.values()):
            delivery.call_off()
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
            mark_lost = partial(broadcasts.mark_lost, channel=self._channel, holder=self._holder, at=stamp(asked_at))
            if buried := await self._store.write(mark_lost):
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
        """Keep sending until nothing is left or nothing may be sent; every outcome is noted before it returns."""
        work, keeper = self._work, asyncio.create_task(self._keep_hold())
        try:
            while True:
                try:
                    await self._write_batch()
                except StoreError as error:
                    log.error("database unavailable, broadcast waits", channel=self._channel, reason=str(error))
                    await asyncio.sleep(_LOOK_PAUSE)
                    continue
                if not (work.deliveries or work.line or work.outcomes):
                    return
                if not self._is_due():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_PAUSE):
                            await self._news.wait()
                self._news.clear()
        finally:
            tasks = [keeper, *(delivery.task for delivery in work.deliveries.values() if delivery.task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write_batch(self) -> None:
        """Note what became of rows and claim more of them, in one transaction."""
        work, wanted = self._work, self._room()
        if not (work.outcomes or work.again or wanted):
            return
        outcomes, work.outcomes = work.outcomes, []
        again, work.again = work.again, []
        begun_at, under_way = self._tick(), work.under_way
        put_off = (
            [delivery.number for delivery in work.deliveries.values() if not delivery.claimed]
            if work.waiting_retry
            else []
        )
        try:
            step = await self._store.write(
                partial(self._step, outcomes=outcomes, again=again, wanted=wanted, but=put_off)
            )
        except StoreError:
            work.outcomes, work.again = outcomes + work.outcomes, again + work.again
            raise
        now = self._tick()
        self._step_seconds += (now - begun_at - self._step_seconds) / 8
        if not self._pace and under_way:
            idle = len(work.outcomes) + len(outcomes) >= under_way  # everything came back meanwhile
            self._ahead = min(MAX_PREFETCH, self._ahead + 2) if idle else max(0, self._ahead - 1)
        work.under_way += len(step.rows) + len(step.again) - len(outcomes)
        if wanted:
            work.exhausted = len(step.rows) < wanted
        if step.texts:
            work.number, work.replies = step.number, {key: Reply(text) for key, text in step.texts.items()}
        for delivery in again:
            self._resolve_reclaim(delivery, claimed=delivery.number in step.again, at=now)
        for row in step.rows:
            reply = work.replies.get((row["language"], row["district"])) or work.replies[row["language"], ""]
            person = Person(self._channel, row["address"])
            work.line.append(_Delivery(self, int(row["id"]), int(row["tries"]), person, reply, now))
        work.ahead += len(step.rows)
        self._fill_places()

    def _step(
        self,
        tx: Transaction,
        *,
        outcomes: Sequence[DeliveryResult],
        again: Sequence[_Delivery],
        wanted: int,
        but: Sequence[int],
    ) -> _BatchResult:
        now, window = self._clock(), self._terms.window
        rule = ClaimRule(
            holder=self._holder,
            at=stamp(now),
            week_ago=stamp(now - WEEK),
            per_week=self._per_week,
            window_since=stamp(now - timedelta(days=window.paid_days)) if window else "",
        )
        broadcasts.note(tx, outcomes, at=rule.at)
        left = self._left_of_month(tx)
        retried = broadcasts.claim_again(tx, [delivery.number for delivery in again[:left]], rule=rule)
        number = broadcasts.next_for(tx, self._channel) if wanted else None
        if number is None:
            return _BatchResult(again=retried)
        limit = min(wanted, left - len(retried))
        if limit <= 0:
            broadcasts.cancel_remaining(tx, number, self._channel, state=OVER_QUOTA, reason=NO_BUDGET, at=rule.at)
            return _BatchResult(again=retried)
        rows = broadcasts.claim(tx, number, channel=self._channel, rule=rule, limit=limit, but=but)
        texts = broadcasts.texts(tx, number) if number != self._work.number else {}
        return _BatchResult(rows, number, texts, retried)

    def _left_of_month(self, tx: Transaction) -> int:
        left = left_of_month(tx, self._channel, self._terms, self._clock().astimezone(self._zone))
        return _UNBOUNDED if left is None else max(0, left - self._work.under_way)

    def _room(self) -> int:
        """Return how many more rows may be claimed together with noting what has ended."""
        work = self._work
        if work.waiting_retry >= _MOST_PUT_OFF or not self._may_send():
            return 0
        if self._pace:
            return max(0, self._most_ahead() - work.ahead)
        return max(0, self._places() + self._ahead - len(work.line))

    def _places(self) -> int:
        """Return how many more rows may be on their way at the same time."""
        return (_MOST_PACED if self._pace else MAX_IN_FLIGHT) - len(self._work.deliveries) + self._work.waiting_retry

    def _most_ahead(self) -> int:
        return math.ceil(self._pace * max(_AHEAD_SECONDS, 2 * self._step_seconds))

    def _fill_places(self) -> None:
        work = self._work
        while work.line and self._places() > 0:
            delivery = work.line.popleft()
            work.deliveries[delivery.number] = delivery
            delivery.task = asyncio.create_task(self._run_errand(delivery))

    def _is_due(self) -> bool:
        """Tell whether it is time for a transaction."""
        work = self._work
        if work.again or len(work.outcomes) >= min(GROUP, max(1, work.under_way)):
            return True
        group = min(GROUP, (self._most_ahead() + 1) // 2) if self._pace else GROUP
        return not work.exhausted and self._room() >= group

    def _wake_if_due(self) -> None:
        """Have a transaction when it is time for it, and none wait long for being noted."""
        if self._is_due():
            self._news.set()
        elif len(self._work.outcomes) == 1:
            asyncio.get_running_loop().call_later(_NOTE_WITHIN, self._news.set)

    # -- one row -------------------------------------------------------------------------------------------------

    async def _run_errand(self, delivery: _Delivery) -> None:
        """Send one claimed row."""
        work, outcome = self._work, None
        delivery.started = True
        try:
            if not self._closing:
                outcome = await self._send_row(delivery)
        except asyncio.CancelledError:
            if delivery.begun:  # nobody waits for the answer: it stays claimed, and whoever comes next says "unknown"
                raise
        if outcome is None:
            outcome = DeliveryResult(delivery.number, PLANNED)
        del work.deliveries[delivery.number]
        if delivery.claimed:
            work.ahead -= not delivery.begun
            work.outcomes.append(outcome)
        else:
            work.waiting_retry -= 1
        self._fill_places()
        self._wake_if_due()

    async def _send_row(self, delivery: _Delivery) -> DeliveryResult:
        number = delivery.number
        try:
            receipt = await self._outbox.send(
                delivery.person, delivery.reply, should_send=delivery.may_leave, on_retry=delivery.on_retry
            )
        except Gone as error:
            return DeliveryResult(number, GONE, error.code)
        except Unknown as error:
            return DeliveryResult(number, UNKNOWN, error.code)
        except Unreachable as error:
            return self._unreachable(number, delivery.tries, error)
        except DeliveryError as error:
            return DeliveryResult(number, FAILED, error.code)
        except Exception as error:  # nobody knows whether it left: never again by itself
            log.error("broadcast message broke", channel=self._channel, error=type(error).__name__)
            return DeliveryResult(number, UNKNOWN, "error")
        if receipt is None:
            return DeliveryResult(number, PLANNED)
        self._rest = _FIRST_REST
        return DeliveryResult(number, SENT)

    def _unreachable(self, number: int, tries: int, error: Unreachable) -> DeliveryResult:
        """Let the channel rest and plan the row again; a row of which that is true too often has failed."""
        blamed = error.code not in _CHANNEL_TROUBLE and not error.retry_after
        now = self._tick()
        if now >= self._resting_until:
            pause = max(self._rest, error.retry_after)
            self._resting_until = now + pause
            self._rest = min(self._rest * 2, _LONGEST_REST)
            log.warning("channel rests", channel=self._channel, code=error.code, seconds=round(pause))
        if blamed and tries + 1 >= _MOST_TRIES:
            return DeliveryResult(number, FAILED, error.code)
        return DeliveryResult(number, PLANNED, error.code if blamed else "")

    async def may_begin(self, delivery: _Delivery) -> bool:
        """Begin an attempt, unless something speaks against it meanwhile; the row is claimed from then on."""
        if not (self._may_send() and (delivery.claimed or await self._claim_again(delivery))):
            return False
        if self._tick() - delivery.claimed_at >= _RECHECK_AFTER_SECONDS:
            found = await self._store.read(lambda tx: broadcasts.recheck(tx, delivery.number))
            if found is None or found["state"] != broadcasts.RUNNING or not found["willing"] or not self._may_send():
                return False
        delivery.begun = True
        self._work.ahead -= 1
        self._wake_if_due()
        return True

    def put_off(self, delivery: _Delivery) -> None:
        """Plan a row again whose attempt certainly brought nothing; it is claimed anew before the next one."""
        delivery.begun = delivery.claimed = False
        self._work.waiting_retry += 1
        self._work.outcomes.append(DeliveryResult(delivery.number, PLANNED))
        self._fill_places()
        self._wake_if_due()

    async def _claim_again(self, delivery: _Delivery) -> bool:
        delivery.answer = asyncio.get_running_loop().create_future()
        self._work.again.append(delivery)
        self._news.set()
        return await delivery.answer

    def _resolve_reclaim(self, delivery: _Delivery, *, claimed: bool, at: float) -> None:
        """Let an errand go on, or not, that asked to be claimed again."""
        if delivery.answer is None or delivery.answer.done():  # called off meanwhile
            if claimed:
                self._work.outcomes.append(DeliveryResult(delivery.number, PLANNED))
            return
        if claimed:
            delivery.claimed, delivery.claimed_at = True, at
            self._work.waiting_retry -= 1
            self._work.ahead += 1
        delivery.answer.set_result(claimed)
