"""What people have under way: answered, delivered and noted, one message after another for each of them.

Messages stand in line in memory as they stand in the store; what is not finished when the process ends is taken up from
there. `bot.conversation.inbox` puts them in.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from bot.clock import Clock
from bot.cluster.membership import Membership
from bot.cluster.remote_replies import Key, RemoteReplies
from bot.conversation.unit_of_work import PersonState
from bot.errors import Conflict, DeliveryError, StoreError
from bot.logs import TRACE_ID, next_trace_id
from bot.message import IncomingMessage, Outcome, Person, Reply
from bot.metrics import Metrics
from bot.serialization import dump_message, dump_outcome, load_message, load_outcome
from bot.store import Row, Store, Transaction, messages

log = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_MOST_OUTDATED = 10  # times that one message may find others faster
# Notes of deliveries gather for so long, because nobody waits for them; longer where the database takes long over one.
_NOTE_SECONDS, _LONGEST_NOTE_SECONDS = 0.02, 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message led to: the replies, and one function that commits its effects."""

    replies: tuple[Reply, ...]
    commit: Callable[[Transaction], None]
    erased: bool = False


# Answers a message, given what the records knew of the person a moment ago; reads that by itself where it is None.
# Changes nothing, so that it may be broken off and begun again.
Answering = Callable[[IncomingMessage, PersonState | None], Coroutine[Any, Any, Answer]]
Delivering = Callable[[Person, Sequence[Reply], str], Awaitable[None]]


@dataclass(slots=True)
class QueuedMessage:
    """A message that is stored, on its way to its answer and to the person."""

    message: IncomingMessage
    done: asyncio.Future[Outcome]
    outcome: Outcome | None = None  # known when it is answered
    turn: int = 0  # the tag of its log lines
    begun: float = 0.0  # when it came, by the clock of durations; 0 for what is taken up after a crash
    owner: str = ""  # the name of this process when it took the message


class PersonQueues:
    """A line for each person who has something under way."""

    def __init__(
        self,
        store: Store,
        *,
        answer: Answering,
        deliver: Delivering,
        keeps_replies: Callable[[str], bool],
        clock: Clock,
        metrics: Metrics | None = None,
        membership: Membership | None = None,
    ) -> None:
        """Join the store, the engine's `answer` and the outbox's `deliver`.

        `keeps_replies` tells for which channels replies stay readable by message id. Without a `membership` all that is
        unfinished belongs here; with one, what is its own.
        """
        self.store, self.answer, self.clock, self.membership = store, answer, clock, membership
        self.metrics, self.remote_replies = metrics or Metrics(), RemoteReplies(store)
        self.shares = membership is not None and store.shared
        self._deliver, self._keeps_replies = deliver, keeps_replies
        self.under_way: dict[Key, QueuedMessage] = {}
        self.answering: frozenset[Person] = frozenset()  # whose messages are answered before they are stored
        self._queues: dict[Person, deque[QueuedMessage]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivered: list[QueuedMessage] = []
        self._noting: asyncio.Task[None] | None = None
        self._closing = False
        self._watchers: list[set[Key]] = []  # what is finished while somebody looks at the store

    def __contains__(self, person: Person) -> bool:
        """Tell whether a person has something under way here."""
        return person in self._queues

    @property
    def me(self) -> str:
        """The name of this process, as the store knows it."""
        return self.membership.name if self.membership is not None else ""

    async def close(self, *, seconds: float) -> None:
        """Finish what is under way within some seconds; the rest is taken up at the next start."""
        self._closing = True
        ends = time.monotonic() + seconds
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if (noting := self._noting) is not None:
            await asyncio.wait((noting,), timeout=max(1.0, ends - time.monotonic()))
            noting.cancel()
        await self.remote_replies.close()

    @contextmanager
    def watching(self) -> Iterator[set[Key]]:
        """Note what is finished while somebody looks at the store."""
        finished: set[Key] = set()
        self._watchers.append(finished)
        try:
            yield finished
        finally:
            self._watchers = [watcher for watcher in self._watchers if watcher is not finished]

    def resume(self, rows: Sequence[Row], finished: Collection[Key]) -> int:
        """Line up messages of this process that were found in the store; returns how many."""
        taken, me = 0, self.me
        for row in rows:
            key = row["channel"], row["message_id"]
            person = Person(row["channel"], row["address"])
            if key in self.under_way or key in finished or person in self.answering:
                continue  # the last ones wait for the next look
            if self.membership is not None and row["owner"] != me:
                continue
            answered = row["stage"] == messages.ANSWERED
            body = row["body"] or dump_message(IncomingMessage(person=person, id="", at=self.clock()))
            message = load_message(body, person=person, message_id=row["message_id"])
            outcome = load_outcome(row["replies"]) if answered else None
            done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            self.enqueue(QueuedMessage(message, done, outcome, next_trace_id(), owner=me))
            taken += 1
        return taken

    def enqueue(self, item: QueuedMessage) -> QueuedMessage:
        """Put a message behind what its person has under way; returns the one that stands there under its id."""
        key = item.message.person.channel, item.message.id
        if known := self.under_way.get(key):  # `recover` saw it in the store before its own intake came back
            return known
        self.under_way[key] = item
        line = self._queues.get(item.message.person)
        if line is not None:
            line.append(item)
            return item
        self._queues[item.message.person] = deque((item,))
        task = asyncio.get_running_loop().create_task(self._work(item.message.person))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return item

    async def _work(self, person: Person) -> None:
        line = self._queues[person]
        while line:
            item = line[0]
            delivered = False
            TRACE_ID.set(item.turn)
            try:
                delivered = await self._finish(item)
            except Exception:
                # One message that breaks must not silence its person; it stays in the store for the next sweep.
                self.metrics.failures.add("inbox")
                log.error("message not finished", channel=person.channel, exc_info=True)
            finally:
                line.popleft()
                if not line:
                    del self._queues[person]
                if not delivered:
                    self._let_go(item)

    def _let_go(self, item: QueuedMessage) -> None:
        key = item.message.person.channel, item.message.id
        self.under_way.pop(key, None)
        for watcher in self._watchers:
            watcher.add(key)
        if not item.done.done():
            item.done.cancel()

    async def _finish(self, item: QueuedMessage) -> bool:
        """Answer a message and deliver the replies; False when they could not be delivered yet."""
        outcome, steps = item.outcome, self.metrics.steps
        if outcome is None:
            outcome = await self._answer_durably(item)
        if self.membership is not None and not (self.membership.is_owner and item.owner == self.me):
            return self._leave_to_others(item)
        begun = time.perf_counter()
        try:
            await self._deliver(item.message.person, outcome.replies, item.message.id)
        except DeliveryError as error:
            # Not delivered and safe to repeat: stays in the store and is taken up again.
            log.warning("reply waits", channel=item.message.person.channel, code=error.code)
            return False
        delivered = time.perf_counter()
        steps.note(delivered - begun, "deliver")
        if item.begun:
            steps.note(delivered - item.begun, "whole")
        # Nobody waits for this note: without it a crash only repeats replies that were just on their way.
        item.outcome = outcome
        self.note_later((item,))
        if not outcome.erased and not item.done.done():  # "deleted" is said when it is true of the file too
            item.done.set_result(outcome)
        return True

    def note_later(self, items: Sequence[QueuedMessage]) -> None:
        """Have it noted that messages were delivered."""
        self._delivered.extend(items)
        if self._delivered and self._noting is None:
            self._noting = asyncio.get_running_loop().create_task(self._note_delivered())

    def take_delivered(self) -> list[QueuedMessage]:
        """Return what is to be noted; nothing while somebody was deleted, which takes more than a note."""
        if any(item.outcome and item.outcome.erased for item in self._delivered):
            return []
        group, self._delivered = self._delivered, []
        return group

    async def _note_delivered(self) -> None:
        """Note what was delivered, group after group; until then a repeated id is answered from memory."""
        pause, gathers = _FIRST_PAUSE, _NOTE_SECONDS
        while self._delivered:
            await asyncio.sleep(0 if self._closing else gathers)
            begun = time.monotonic()
            group, self._delivered = self._delivered, []
            if not group:
                break
            erased = any(item.outcome and item.outcome.erased for item in group)
            try:
                with self.watching() as finished:
                    rows = await self.store.write(lambda tx, group=group: self.mark(tx, group))  # type: ignore[misc]
            except StoreError as error:
                log.error("delivery not noted yet", messages=len(group), reason=str(error))
                self._delivered = group + self._delivered
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            gathers = min(max(_NOTE_SECONDS, time.monotonic() - begun), _LONGEST_NOTE_SECONDS)
            if erased:
                await self._scrub()
            self.discard_delivered(group)
            self.resume(rows, finished)
        self._noting = None

    def discard_delivered(self, group: Sequence[QueuedMessage]) -> None:
        """Forget messages that are noted as delivered."""
        for item in group:
            if item.outcome is not None and not item.done.done():
                item.done.set_result(item.outcome)
            self._let_go(item)

    def mark(self, tx: Transaction, group: Sequence[QueuedMessage]) -> list[Row]:
        """Note deliveries; returns what other processes stored meanwhile for the same people to be answered here."""
        for channel in {item.message.person.channel for item in group}:
            own = [item for item in group if item.message.person.channel == channel]
            ids = [item.message.id for item in own]
            messages.mark_delivered(tx, channel, ids, keep_replies=self._keeps_replies(channel))
            erasing = [item.message.id for item in own if item.outcome and item.outcome.erased]
            messages.forget_address(tx, channel, erasing)
        if self.membership is None or not self.membership.others or not self.shares:
            return []
        rows = messages.under_way(tx, {item.message.person for item in group})
        return [row for row in rows if row["stage"] == messages.RECEIVED]

    async def _scrub(self) -> None:
        try:
            await self.store.purge_deleted()
        except StoreError as error:
            log.warning("deleted text stays in the log until the next sweep", reason=str(error))

    async def _answer_durably(self, item: QueuedMessage) -> Outcome:
        pause, outdated = _FIRST_PAUSE, 0
        while True:
            try:
                answer = await self.answer(item.message, None)
                kept = dump_outcome(answer.replies, erased=answer.erased)

                def work(tx: Transaction, answer: Answer = answer, kept: str = kept) -> bool:
                    channel, message_id = item.message.person.channel, item.message.id
                    fresh = messages.mark_answered(
                        tx, channel=channel, message_id=message_id, replies=kept, owner=item.owner
                    )
                    if fresh:
                        answer.commit(tx)
                    return fresh

                fresh = await self.store.write(work)
            except Conflict:
                # Nothing of the turn was kept; the next one sees what the others did and says so.
                outdated += 1
                if outdated == _MOST_OUTDATED:
                    raise
                continue
            except StoreError as error:
                log.error("database unavailable, message waits", reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            return Outcome(answer.replies, answer.erased) if fresh else await self._answered_elsewhere(item)

    async def _answered_elsewhere(self, item: QueuedMessage) -> Outcome:
        """Return what another process on the same records answered, such as `chat` beside `run`."""
        channel = item.message.person.channel
        row = await self.store.read(lambda tx: messages.find(tx, channel=channel, message_id=item.message.id))
        if row is not None:
            item.owner = row["owner"]  # who answers a message delivers it, too
        return load_outcome(row["replies"] if row else "")

    def _leave_to_others(self, item: QueuedMessage) -> bool:
        """Leave a message to the process that has taken it over, or may have; always False."""
        log.warning("message left to another process", channel=item.message.person.channel)
        expected, item.done = item.done, asyncio.get_running_loop().create_future()
        self.remote_replies.expect(item.message.person.channel, item.message.id, expected)
        return False
