"""Durable, once-only intake, and order for each person.

A message is stored before anybody is told that it arrived; a repeated id is answered from the store. Its effects,
its replies and the note that it is answered are one transaction. What a crash leaves unfinished is taken up again:
not yet answered means answered now, answered but not delivered means the same replies once more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.channels import Ticket
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Flooded, StoreError
from bot.limits import Buckets
from bot.message import IncomingMessage, Person, Reply, Settled
from bot.redaction import redact
from bot.store import Store, Transaction, messages
from bot.text import clean
from bot.wire import dump_message, dump_settled, load_message, load_settled

log = structlog.get_logger()

TOO_LONG = "too-long"
TAKEN_UP_AFTER_CRASH = timedelta(hours=24)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message led to: the replies, and one function that commits its effects."""

    replies: tuple[Reply, ...]
    commit: Callable[[Transaction], None]
    erased: bool = False


@dataclass(slots=True)
class _Item:
    number: int
    message: IncomingMessage
    settled: asyncio.Future[Settled]
    outcome: Settled | None = None  # known when it was answered before a crash


class Inbox:
    """Takes messages in, has them answered one after another for each person, and the answers delivered."""

    def __init__(
        self,
        store: Store,
        *,
        answer: Callable[[IncomingMessage], Awaitable[Answer]],
        deliver: Callable[[Person, Sequence[Reply], str], Awaitable[None]],
        keeps_replies: Callable[[str], bool],
        per_minute: int,
        longest_text: int,
        clock: Clock,
    ) -> None:
        """Join the store, the engine's `answer` and the outbox's `deliver`.

        `keeps_replies` tells for which channels replies stay readable by message id.
        """
        self._store, self._answer, self._deliver = store, answer, deliver
        self._keeps_replies, self._longest_text, self._clock = keeps_replies, longest_text, clock
        self._buckets = Buckets(per_minute)
        self._lines: dict[Person, deque[_Item]] = {}
        self._under_way: dict[tuple[str, str], _Item] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many messages are taken in and not yet delivered."""
        return len(self._under_way)

    async def receive(self, message: IncomingMessage) -> Ticket:
        """Store a message and have it answered; returns as soon as it is safe. Raises Flooded, StoreError."""
        key = (message.person.channel, message.id)
        if item := self._under_way.get(key):
            return Ticket(False, item.settled)
        wait = self._buckets.take(message.person)
        if wait:
            raise Flooded(wait)
        message = self._screened(message)
        body, at = dump_message(message), stamp(self._clock())
        number = await self._store.write(
            lambda tx: messages.take(tx, person=message.person, message_id=message.id, body=body, at=at)
        )
        if number is None:
            return await self._repeated(message)
        item = _Item(number, message, asyncio.get_running_loop().create_future())
        self._line_up(item)
        return Ticket(True, item.settled)

    async def recover(self) -> int:
        """Take up what was stored and is not finished; returns how many messages."""
        since = stamp(self._clock() - TAKEN_UP_AFTER_CRASH)
        rows = await self._store.read(lambda tx: messages.unfinished(tx, since=since))
        taken = 0
        for row in rows:
            if (row["channel"], row["message_id"]) in self._under_way:
                continue
            person = Person(row["channel"], row["address"])
            answered = row["stage"] == messages.ANSWERED
            body = row["body"] or dump_message(IncomingMessage(person=person, id="", at=self._clock()))
            message = load_message(body, person=person, message_id=row["message_id"])
            outcome = load_settled(row["replies"]) if answered else None
            self._line_up(_Item(row["id"], message, asyncio.get_running_loop().create_future(), outcome))
            taken += 1
        return taken

    async def close(self, *, seconds: float = 10.0) -> None:
        """Finish what is under way within some seconds; the rest is taken up at the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _screened(self, message: IncomingMessage) -> IncomingMessage:
        """Take out of a message what must not be stored."""
        if len(message.text) > self._longest_text:
            return replace(message, text="", withheld=(TOO_LONG,))
        found = redact(clean(message.text))
        if not found.secrets:
            return replace(message, text=clean(message.text))
        return replace(message, text=found.text, withheld=found.secrets)

    async def _repeated(self, message: IncomingMessage) -> Ticket:
        settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        row = await self._store.read(
            lambda tx: messages.find(tx, channel=message.person.channel, message_id=message.id)
        )
        if row is not None and row["stage"] != messages.DELIVERED:
            if item := self._under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.settled)
            await self.recover()
            if item := self._under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.settled)
        settled.set_result(load_settled(row["replies"] if row else ""))
        return Ticket(False, settled)

    def _line_up(self, item: _Item) -> None:
        self._under_way[item.message.person.channel, item.message.id] = item
        line = self._lines.get(item.message.person)
        if line is not None:
            line.append(item)
            return
        self._lines[item.message.person] = deque((item,))
        task = asyncio.get_running_loop().create_task(self._work(item.message.person))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, person: Person) -> None:
        line = self._lines[person]
        while line:
            item = line[0]
            try:
                await self._finish(item)
            finally:
                line.popleft()
                self._under_way.pop((person.channel, item.message.id), None)
                if not line:
                    del self._lines[person]
                if not item.settled.done():
                    item.settled.cancel()

    async def _finish(self, item: _Item) -> None:
        outcome = item.outcome
        if outcome is None:
            outcome = await self._answer_durably(item)
        try:
            await self._deliver(item.message.person, outcome.replies, item.message.id)
        except DeliveryError as error:
            # Not delivered and safe to repeat: stays in the store and is taken up again.
            log.warning("reply waits", channel=item.message.person.channel, code=error.code)
            return
        channel = item.message.person.channel
        keep = self._keeps_replies(channel)
        erased = outcome.erased
        done = self._store.write(
            lambda tx: messages.mark_delivered(tx, item.number, keep_replies=keep, forget_address=erased)
        )
        # Nobody waits for this note: without it a crash only repeats replies that were just on their way.
        task = asyncio.ensure_future(done)
        task.add_done_callback(_swallow_store_errors)
        if not item.settled.done():
            item.settled.set_result(outcome)

    async def _answer_durably(self, item: _Item) -> Settled:
        pause = _FIRST_PAUSE
        while True:
            try:
                answer = await self._answer(item.message)
                kept = dump_settled(answer.replies, erased=answer.erased)

                def work(tx: Transaction, answer: Answer = answer, kept: str = kept) -> None:
                    messages.mark_answered(tx, item.number, kept)
                    answer.commit(tx)

                await self._store.write(work)
            except StoreError as error:
                log.error("database unavailable, message waits", reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            return Settled(answer.replies, answer.erased)


def _swallow_store_errors(done: asyncio.Future[None]) -> None:
    if not done.cancelled() and isinstance(done.exception(), StoreError):
        log.warning("delivery not noted")
