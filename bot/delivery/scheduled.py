"""Sends what was promised to one person for one moment: reminders asked for, follow-ups, weekly summaries, reports.

One process at a time does it, by a lease. A message is claimed before it leaves and noted after; what a dead sender had
claimed may have arrived, so that it becomes "unknown" and is never repeated. A moment that fell into a standstill or
into the night is made up for at the next decent hour, unless too much time has gone by.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.channels.quota import left_of_month
from bot.channels.terms import SendingTerms
from bot.clock import Clock, moment, stamp
from bot.cluster.lease import Lease
from bot.delivery.outbox import Outbox
from bot.errors import DeliveryError, Gone, StoreError, Unknown, Unreachable
from bot.hours import QuietHours
from bot.message import Capabilities, Person, Reply
from bot.store import Row, Store, Transaction, appointments, reach
from bot.store.appointments import ASKED, FAILED, FOLLOW_UP, MISSED, REPORT, SENT, SUMMARY, UNKNOWN

log = structlog.get_logger()

KEPT = timedelta(days=30)  # what is over is known for so long, so that no follow-up comes twice in a month
AT_ONCE = 20  # claimed together: what a crash leaves unknown, at most
LEASE_SECONDS = 30.0
_KEEP_PAUSE = 8.0
_LATE = timedelta(minutes=15)
_WEEK = timedelta(days=7)
_LATEST: Mapping[str, timedelta] = {
    ASKED: timedelta(hours=48),
    FOLLOW_UP: timedelta(days=7),
    REPORT: timedelta(days=7),
}
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Due:
    """One message whose moment has come; `late` tells that it went by a while ago."""

    number: int
    person_id: int
    kind: str
    due_at: datetime
    tries: int
    person: Person
    language: str
    late: bool = field(default=False)


# Writes the message; None when nobody needs it any more.
Compose = Callable[[Due, Capabilities], Awaitable[Reply | None]]
# Plans what comes back by itself; called often, does nothing mostly.
Plan = Callable[[], Awaitable[None]]


class ScheduledMessages:
    """Everything that is due to one person at a time."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        *,
        capabilities: Mapping[str, Capabilities],
        terms: Mapping[str, SendingTerms],
        compose: Mapping[str, Compose],
        plans: Sequence[Plan],
        quiet: QuietHours,
        per_week: int,
        clock: Clock,
    ) -> None:
        """Join what is needed; `capabilities` are those of the channels on which this process may write first."""
        self._store, self._outbox, self._capabilities, self._compose, self._plans = (
            store,
            outbox,
            capabilities,
            compose,
            plans,
        )
        self._terms, self._quiet, self._per_week, self._clock = terms, quiet, per_week, clock
        self._holder = secrets.token_hex(8)
        self._lease = Lease(store, "appointments", seconds=LEASE_SECONDS, clock=clock)
        self._held = False

    async def advance(self) -> None:
        """Send what is due, if it is not night; raises StoreError."""
        for plan in self._plans:
            await plan()
        now = self._clock()
        if self._quiet.covers(now) or not await self._store.read(partial(appointments.has_work, at=stamp(now))):
            return
        self._held = await self._lease.hold()
        if not self._held:
            return
        if buried := await self._store.write(partial(appointments.mark_lost, at=stamp(now))):
            log.warning("sender of reminders ended in the middle", unknown=buried)
        while rows := await self._store.write(self._claim):
            await self._send_all(rows)
            if not await self._lease.hold():
                return

    async def close(self) -> None:
        """Let another process go on at once."""
        if self._held:
            with suppress(StoreError):
                await self._lease.give_back()

    def _claim(self, tx: Transaction) -> list[Due]:
        now = self._clock()
        if self._quiet.covers(now):
            return []
        found: list[Due] = []
        for channel, capabilities in self._capabilities.items():
            at, week_ago = stamp(now), stamp(now - _WEEK)
            while rows := appointments.due(tx, channel, at=at, week_ago=week_ago, limit=AT_ONCE - len(found)):
                kept = [due for row in rows if (due := self._judge(tx, row, capabilities, now)) is not None]
                appointments.claim(tx, [due.number for due in kept], holder=self._holder, at=at)
                found += kept
                if len(found) >= AT_ONCE:
                    return found
        return found

    def _judge(self, tx: Transaction, row: Row, capabilities: Capabilities, now: datetime) -> Due | None:
        """Return a message that may leave; one that may not is ended, put off or forgotten here."""
        number, kind, due_at, at = int(row["id"]), row["kind"], moment(row["due_at"]), stamp(now)
        if now > self._latest(kind, due_at):
            appointments.end(tx, number, state=MISSED, reason="too-late", at=at)
            return None
        if row["gone_at"] is not None:
            appointments.end(tx, number, state=MISSED, reason="left", at=at)
            return None
        if kind != ASKED and not row["willing"]:
            appointments.drop(tx, number)
            return None
        if kind == FOLLOW_UP:
            if left_of_month(tx, row["channel"], self._terms[row["channel"]], now.astimezone(self._quiet.zone)) == 0:
                appointments.end(tx, number, state=MISSED, reason="monthly-budget", at=at)
                return None
            if row["reported"] or row["reminded"] >= self._per_week:
                appointments.end(tx, number, state=MISSED, reason="not-needed", at=at)
                return None
            if row["quiet_until"] > at:  # an officer talks to them
                appointments.put_off(tx, number, until=row["quiet_until"], at=at)
                return None
        if reach.price(tx, row["person_id"], capabilities.window, now=now) == reach.CLOSED:
            appointments.end(tx, number, state=MISSED, reason="window-closed", at=at)
            return None
        person = Person(row["channel"], row["address"])
        late = now > due_at + _LATE
        return Due(number, int(row["person_id"]), kind, due_at, int(row["tries"]), person, row["language"], late)

    def _latest(self, kind: str, due_at: datetime) -> datetime:
        """Return until when a message is still worth sending; a summary only on its day."""
        if kind == SUMMARY:
            local = due_at.astimezone(self._quiet.zone)
            return local.replace(hour=23, minute=59, second=59)
        return due_at + _LATEST[kind]

    async def _send_all(self, rows: list[Due]) -> None:
        """Send what was claimed, and keep the lease meanwhile."""
        sending = asyncio.gather(*(self._send(due) for due in rows), return_exceptions=True)
        try:
            while not sending.done():
                await asyncio.wait([sending], timeout=_KEEP_PAUSE)
                if not sending.done():
                    with suppress(StoreError):
                        await self._lease.hold()
        finally:
            if not sending.done():
                sending.cancel()
        for failed in await sending:
            if failed is not None:
                raise failed

    async def _send(self, due: Due) -> None:
        capabilities = self._capabilities[due.person.channel]

        async def should_send() -> bool:
            if self._quiet.covers(self._clock()):
                return False
            return await self._store.read(partial(appointments.holds, number=due.number, holder=self._holder))

        state, reason = SENT, ""
        try:
            reply = await self._compose[due.kind](due, capabilities)
            if reply is None:
                await self._store.write(partial(appointments.drop, number=due.number))
                return
            if await self._outbox.send(due.person, reply, should_send=should_send) is None:
                await self._put_off(due, self._quiet.end(self._clock()), tries=0)
                return
        except Unreachable as error:
            pause = min(_FIRST_PAUSE * 2**due.tries, _LONGEST_PAUSE)
            await self._put_off(due, self._clock() + max(pause, timedelta(seconds=error.retry_after)), tries=1)
            return
        except Gone as error:
            state, reason = MISSED, error.code
        except Unknown as error:
            state, reason = UNKNOWN, error.code
        except DeliveryError as error:
            state, reason = FAILED, error.code
        except StoreError:
            raise
        except Exception as error:  # nobody knows whether it left: never again by itself
            log.error("reminder broke", channel=due.person.channel, error=type(error).__name__)
            state, reason = UNKNOWN, "error"
        at = stamp(self._clock())
        await self._store.write(partial(appointments.end, number=due.number, state=state, reason=reason, at=at))

    async def _put_off(self, due: Due, until: datetime, *, tries: int) -> None:
        at = stamp(self._clock())
        await self._store.write(
            partial(appointments.put_off, number=due.number, until=stamp(until), at=at, tries=tries)
        )
