"""Durable, once-only intake, and order for each person.

A message is stored before anybody is told that it arrived; a repeated id is answered from the store. Its effects,
its replies and the note that it is answered are one transaction. What a crash leaves unfinished is taken up again:
not yet answered means answered now, answered but not delivered means the same replies once more.

There are two roads. Most answers need no waiting: then message, effects and replies are stored at one go, together
with those of everybody who wrote at the same time. Where an answer takes its time, or the person has something under
way, the message is stored as it came and answered when its turn comes.

Where several processes serve from the same records, all that one person has under way belongs to one of them. Whoever
takes in the next message of that person stores it as that process's own, which finds it there; when the process is
gone, another takes everything of it over (`bot.replica`).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import structlog

from bot.channels import Ticket
from bot.clock import Clock, stamp
from bot.elsewhere import Elsewhere, Key
from bot.errors import DeliveryError, Flooded, Outdated, Overloaded, StoreError
from bot.limits import Buckets
from bot.logs import TURN, next_turn
from bot.message import IncomingMessage, Person, Reply, Settled
from bot.metrics import Metrics
from bot.records import Session, read_sessions
from bot.redaction import redact
from bot.replica import Replica
from bot.store import Row, Store, Transaction, messages
from bot.store.messages import Queue
from bot.text import clean
from bot.wire import dump_message, dump_settled, load_message, load_settled

log = structlog.get_logger()

TOO_LONG = "too-long"
TAKEN_UP_AFTER_CRASH = timedelta(hours=24)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
_MOST_OUTDATED = 10  # times that one message may find others faster
# Where so many write at the same moment, the next ones gather for at most so long, while the replies to these leave: a
# commit costs about the same for few and for many.
_SEVERAL, _GATHER_STEP, _GATHER_SECONDS = 4, 0.003, 0.02
# Notes of deliveries gather for so long, because nobody waits for them; longer where the database takes long over one.
_NOTE_SECONDS, _LONGEST_NOTE_SECONDS = 0.02, 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a message led to: the replies, and one function that commits its effects."""

    replies: tuple[Reply, ...]
    commit: Callable[[Transaction], None]
    erased: bool = False


@dataclass(slots=True)
class _Item:
    message: IncomingMessage
    settled: asyncio.Future[Settled]
    outcome: Settled | None = None  # known when it is answered
    turn: int = 0  # the tag of its log lines
    begun: float = 0.0  # when it came, by the clock of durations; 0 for what is taken up after a crash
    owner: str = ""  # the name of this process when it took the message


@dataclass(frozen=True, slots=True)
class _Around:
    """What people have under way by all processes together; nothing to see where there is only one."""

    queues: Mapping[Person, Queue] = field(default_factory=dict)
    flooding: frozenset[Person] = frozenset()

    def refuses(self, message: IncomingMessage) -> bool:
        """Tell whether a message is one too many."""
        return message.person in self.flooding and not message.event

    def is_clear(self, person: Person, me: str) -> bool:
        """Tell whether the next message may be answered here without looking back."""
        queue = self.queues.get(person)
        return queue is None or queue.is_clear(me)

    def owner(self, person: Person, me: str) -> str:
        """Return whose turn it is to answer."""
        queue = self.queues.get(person)
        return me if queue is None else queue.owner


_ALONE = _Around()


@dataclass(slots=True)
class _Arrival:
    """A message on its way into the store, and who waits for it."""

    message: IncomingMessage
    future: asyncio.Future[Ticket]
    turn: int
    begun: float


class Inbox:
    """Takes messages in, has them answered one after another for each person, and the answers delivered."""

    def __init__(
        self,
        store: Store,
        *,
        answer: Callable[[IncomingMessage, Session | None], Coroutine[Any, Any, Answer]],
        deliver: Callable[[Person, Sequence[Reply], str], Awaitable[None]],
        keeps_replies: Callable[[str], bool],
        per_minute: int,
        longest_text: int,
        clock: Clock,
        most_waiting: int = 0,
        metrics: Metrics | None = None,
        replica: Replica | None = None,
        channels: Collection[str] = (),
    ) -> None:
        """Join the store, the engine's `answer` and the outbox's `deliver`.

        `answer` changes nothing by itself, so that it may be broken off and begun again.
        `keeps_replies` tells for which channels replies stay readable by message id; of more than `most_waiting`
        messages under way (0: any number), new ones are left to their platform for a while. Without a `replica` all
        that is unfinished belongs to this inbox; with one, what is its own, and what processes that are gone left on
        these `channels`.
        """
        self._store, self._answer, self._deliver = store, answer, deliver
        self._keeps_replies, self._longest_text, self._clock = keeps_replies, longest_text, clock
        self._buckets, self._most_waiting = Buckets(per_minute), most_waiting
        self._metrics = metrics or Metrics()
        self._replica, self._channels, self._per_minute = replica, channels, per_minute
        self._shares = replica is not None and store.shared
        self._elsewhere = Elsewhere(store)
        self._lines: dict[Person, deque[_Item]] = {}
        self._under_way: dict[Key, _Item] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._arriving: list[_Arrival] = []
        self._answering: frozenset[Person] = frozenset()  # whose messages are answered before they are stored
        self._intake: asyncio.Task[None] | None = None
        self._delivered: list[_Item] = []
        self._noting: asyncio.Task[None] | None = None
        self._closing = False
        self.trouble = ""  # why the latest messages could not be stored
        self._watchers: list[set[Key]] = []  # what is finished while `recover` looks at the store

    @property
    def waiting(self) -> int:
        """How many messages are taken in and not yet delivered."""
        return len(self._under_way)

    @property
    def _me(self) -> str:
        return self._replica.name if self._replica is not None else ""

    def limit(self, *, per_minute: int, longest_text: int, most_waiting: int) -> None:
        """Change the limits while running."""
        self._buckets.change(per_minute)
        self._per_minute = per_minute
        self._longest_text, self._most_waiting = longest_text, most_waiting

    def receive(self, message: IncomingMessage) -> asyncio.Future[Ticket]:
        """Store a message and have it answered; comes true as soon as it is safe.

        Raises Flooded when the person writes too fast, StoreError, and Overloaded, one of them, when too much waits.
        Messages that arrive while others are being stored share the next transaction.
        """
        future: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        if item := self._under_way.get((message.person.channel, message.id)):
            self._metrics.messages.add(message.person.channel, "repeated")
            future.set_result(Ticket(False, item.settled))
        elif not message.event and (wait := self._buckets.take(message.person)):
            self._metrics.messages.add(message.person.channel, "flooded")
            future.set_exception(Flooded(wait))
        elif self._most_waiting and len(self._under_way) + len(self._arriving) >= self._most_waiting:
            self._metrics.messages.add(message.person.channel, "overloaded")
            future.set_exception(Overloaded())
        else:
            arrival = _Arrival(self._screened(message), future, TURN.get() or next_turn(), time.perf_counter())
            self._arriving.append(arrival)
            if self._intake is None:
                self._intake = asyncio.get_running_loop().create_task(self._take_in())
        return future

    async def _take_in(self) -> None:
        """Store what has arrived, group after group."""
        while self._arriving:
            group, self._arriving = self._arriving, []
            try:
                await self._store_group(group)
                self.trouble = ""
            except Exception as error:
                self.trouble = str(error) if isinstance(error, StoreError) else self.trouble
                for arrival in group:
                    if not arrival.future.done():
                        arrival.future.set_exception(error)
            finally:
                self._answering = frozenset()
            if len(group) >= _SEVERAL:
                await self._gather()
        self._intake = None

    async def _gather(self) -> None:
        """Wait while more and more messages come in."""
        ends, seen = time.monotonic() + _GATHER_SECONDS, -1
        while seen != len(self._arriving) and time.monotonic() < ends and not self._closing:
            seen = len(self._arriving)
            await asyncio.sleep(_GATHER_STEP)

    async def _store_group(self, group: Sequence[_Arrival]) -> None:
        """Answer what can be answered at once, and store everything in one transaction."""
        if self._replica is not None and not self._replica.holds:
            await self._replica.beat()
        steps, begun, me = self._metrics.steps, time.perf_counter(), self._me
        counted = Counter(arrival.message.person for arrival in group)
        free = {person for person, times in counted.items() if times == 1 and person not in self._lines}
        self._answering = frozenset(free)
        sessions = await self._store.glance(lambda tx: read_sessions(tx, free))
        read = time.perf_counter()
        answers = [
            self._answer_at_once(arrival, sessions[arrival.message.person]) if arrival.message.person in free else None
            for arrival in group
        ]
        TURN.set(0)  # from here on it is about all of them
        thought, at = time.perf_counter(), stamp(self._clock())

        # What left meanwhile is noted along with it, and needs no commit of its own.
        delivered = self._take_delivered()

        def work(tx: Transaction) -> tuple[_Around, list[Row]]:
            rows = self._mark(tx, delivered) if delivered else []
            around = self._look_around(tx, counted)
            commits = []
            for arrival, answer in zip(group, answers, strict=True):
                message = arrival.message
                if around.refuses(message):
                    continue
                if answer is None or not around.is_clear(message.person, me):
                    body, owner = dump_message(message), around.owner(message.person, me)
                    messages.keep(tx, person=message.person, message_id=message.id, at=at, body=body, owner=owner)
                else:
                    replies = dump_settled(answer.replies, erased=answer.erased)
                    messages.keep(tx, person=message.person, message_id=message.id, at=at, replies=replies, owner=me)
                    commits.append(answer.commit)
            for commit in commits:
                commit(tx)
            return around, rows

        with self._watching() as finished:
            try:
                around, rows = await self._store.write(work)
            except StoreError:
                self._note_later(delivered)
                raise
            except Exception as error:
                self._note_later(delivered)
                # An id that came before, somebody who was faster, a value that cannot be stored: each by itself.
                log.debug("taken one by one", messages=len(group), reason=type(error).__name__)
                await self._store_apart(group, at)
                return
        times = len(group)
        steps.note(read - begun, "read", times=times)
        steps.note((thought - read) / times, "answer", times=times)
        steps.note(time.perf_counter() - thought, "store", times=times)
        self._let_all_go(delivered)
        self._answering = frozenset()
        self._take_up(rows, finished)
        for arrival, answer in zip(group, answers, strict=True):
            if around.refuses(arrival.message):
                self._refuse(arrival)
            elif around.is_clear(arrival.message.person, me):
                self._admit(arrival, None if answer is None else Settled(answer.replies, answer.erased), me)
            else:
                self._admit_behind(arrival, around.queues[arrival.message.person], me, finished)

    def _look_around(self, tx: Transaction, persons: Collection[Person]) -> _Around:
        """Where others serve the same people: see what these have under way anywhere, and who wrote to all too much."""
        if not self._shares or self._replica is None:
            return _ALONE
        queues = messages.queues(tx, persons, me=self._replica.name)
        if not self._per_minute or not self._replica.others:
            return _Around(queues)
        sent = messages.recent(tx, persons, since=stamp(self._clock() - timedelta(minutes=1)))
        return _Around(queues, frozenset(person for person, times in sent.items() if times >= self._per_minute))

    def _answer_at_once(self, arrival: _Arrival, session: Session) -> Answer | None:
        """Answer a message if that needs no waiting; else None, and nothing has happened."""
        TURN.set(arrival.turn)
        thinking = self._answer(arrival.message, session)
        try:
            thinking.send(None)
        except StopIteration as done:
            answer: Answer = done.value
            return answer
        except Exception:
            return None  # it breaks again when it is stored, and is reported there
        thinking.close()
        return None

    async def _store_apart(self, group: Sequence[_Arrival], at: str) -> None:
        """Store messages as they came, so that none harms another, and find those that came before."""
        me = self._me
        repeated: list[_Arrival] = []

        async def take(arrival: _Arrival) -> None:
            message, body = arrival.message, dump_message(arrival.message)

            def work(tx: Transaction) -> tuple[bool, _Around]:
                around = self._look_around(tx, (message.person,))
                owner = around.owner(message.person, me)
                taken = not around.refuses(message) and messages.take(
                    tx, person=message.person, message_id=message.id, body=body, at=at, owner=owner
                )
                return taken, around

            with self._watching() as finished:
                fresh, around = await self._store.write(work)
            if around.refuses(message):
                self._refuse(arrival)
            elif not fresh:
                repeated.append(arrival)
            elif around.is_clear(message.person, me):
                self._admit(arrival, None, me)
            else:
                self._admit_behind(arrival, around.queues[message.person], me, finished)

        async def take_all(arrivals: Sequence[_Arrival]) -> None:
            for arrival in arrivals:
                try:
                    await take(arrival)
                except Exception as error:
                    if not arrival.future.done():
                        arrival.future.set_exception(error)

        self._answering = frozenset()
        lines: dict[Person, list[_Arrival]] = {}
        for arrival in group:
            lines.setdefault(arrival.message.person, []).append(arrival)
        await asyncio.gather(*map(take_all, lines.values()))
        for arrival in repeated:
            self._metrics.messages.add(arrival.message.person.channel, "repeated")
            ticket = await self._repeated(arrival.message)
            if not arrival.future.done():
                arrival.future.set_result(ticket)

    def _admit(self, arrival: _Arrival, outcome: Settled | None, me: str) -> None:
        """Have a message that is safe now answered and delivered when its turn comes, and say so."""
        settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._metrics.messages.add(arrival.message.person.channel, "new")
        item = self._line_up(_Item(arrival.message, settled, outcome, arrival.turn, arrival.begun, me))
        if not arrival.future.done():
            arrival.future.set_result(Ticket(True, item.settled))

    def _admit_behind(self, arrival: _Arrival, queue: Queue, me: str, finished: Collection[Key]) -> None:
        """Have a message that is safe now answered behind what its person has under way, here or by another process."""
        if queue.owner == me:
            self._take_up(queue.rows, finished)
            self._admit(arrival, None, me)
            return
        message = arrival.message
        self._metrics.messages.add(message.person.channel, "new")
        if not arrival.future.done():
            arrival.future.set_result(Ticket(True, self._elsewhere.expect(message.person.channel, message.id)))

    def _refuse(self, arrival: _Arrival) -> None:
        """Tell that the person wrote too much, counting what other processes took."""
        self._metrics.messages.add(arrival.message.person.channel, "flooded")
        if not arrival.future.done():
            arrival.future.set_exception(Flooded(60 / max(1, self._per_minute)))

    async def recover(self) -> int:
        """Take up what was stored and is not finished; returns how many messages."""
        await self._take_over()
        return await self._look(messages.ANSWERED)

    async def look(self) -> None:
        """Take up what other processes stored for this one, or left behind."""
        await self._look(messages.ANSWERED if await self._take_over() else messages.RECEIVED)

    async def _take_over(self) -> int:
        """Make what processes that are gone left behind this one's own; returns how many messages."""
        if self._replica is None:
            return 0
        me, channels = self._me, self._channels
        left = await self._store.read(lambda tx: messages.left_behind(tx, channels, me=me))
        if not left:
            return 0
        taken = await self._store.write(lambda tx: sum(messages.take_over(tx, gone, channels, me=me) for gone in left))
        log.info("messages taken over", messages=taken)
        return taken

    async def _look(self, stage: int) -> int:
        since = stamp(self._clock() - TAKEN_UP_AFTER_CRASH)
        with self._watching() as finished:
            rows = await self._store.read(lambda tx: messages.unfinished(tx, since=since, owner=self._me, stage=stage))
        return self._take_up(rows, finished)

    @contextmanager
    def _watching(self) -> Iterator[set[Key]]:
        """Note what is finished while somebody looks at the store."""
        finished: set[Key] = set()
        self._watchers.append(finished)
        try:
            yield finished
        finally:
            self._watchers = [watcher for watcher in self._watchers if watcher is not finished]

    def _take_up(self, rows: Sequence[Row], finished: Collection[Key]) -> int:
        """Line up messages of this process that were found in the store; returns how many."""
        taken, me = 0, self._me
        for row in rows:
            key = row["channel"], row["message_id"]
            person = Person(row["channel"], row["address"])
            if key in self._under_way or key in finished or person in self._answering:
                continue  # the last ones wait for the next look
            if self._replica is not None and row["owner"] != me:
                continue
            answered = row["stage"] == messages.ANSWERED
            body = row["body"] or dump_message(IncomingMessage(person=person, id="", at=self._clock()))
            message = load_message(body, person=person, message_id=row["message_id"])
            outcome = load_settled(row["replies"]) if answered else None
            settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
            self._line_up(_Item(message, settled, outcome, next_turn(), owner=me))
            taken += 1
        return taken

    async def close(self, *, seconds: float = 10.0) -> None:
        """Finish what is under way within some seconds; the rest is taken up at the next start."""
        self._closing = True
        ends = time.monotonic() + seconds
        if self._intake is not None:
            await asyncio.wait((self._intake,), timeout=seconds)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=max(0.0, ends - time.monotonic()))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if (noting := self._noting) is not None:
            await asyncio.wait((noting,), timeout=max(1.0, ends - time.monotonic()))
            noting.cancel()
        await self._elsewhere.close()

    def _screened(self, message: IncomingMessage) -> IncomingMessage:
        """Take out of a message what must not be stored."""
        if len(message.text) > self._longest_text:
            self._metrics.withheld.add(TOO_LONG)
            return replace(message, text="", withheld=(TOO_LONG,))
        text = clean(message.text)
        found = redact(text)
        if found.secrets:
            for kind in found.secrets:
                self._metrics.withheld.add(kind)
            return replace(message, text=found.text, withheld=found.secrets)
        return message if text == message.text else replace(message, text=text)

    async def _repeated(self, message: IncomingMessage) -> Ticket:
        settled: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        row = await self._store.read(
            lambda tx: messages.find(tx, channel=message.person.channel, message_id=message.id)
        )
        if row is not None and row["stage"] != messages.DELIVERED:
            if item := self._under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.settled)
            if self._replica is not None and row["owner"] != self._me:
                return Ticket(False, self._elsewhere.expect(message.person.channel, message.id))
            await self._look(messages.ANSWERED)
            if item := self._under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.settled)
        settled.set_result(load_settled(row["replies"] if row else ""))
        return Ticket(False, settled)

    def _line_up(self, item: _Item) -> _Item:
        key = item.message.person.channel, item.message.id
        if known := self._under_way.get(key):  # `recover` saw it in the store before its own intake came back
            return known
        self._under_way[key] = item
        line = self._lines.get(item.message.person)
        if line is not None:
            line.append(item)
            return item
        self._lines[item.message.person] = deque((item,))
        task = asyncio.get_running_loop().create_task(self._work(item.message.person))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return item

    async def _work(self, person: Person) -> None:
        line = self._lines[person]
        while line:
            item = line[0]
            delivered = False
            TURN.set(item.turn)
            try:
                delivered = await self._finish(item)
            except Exception:
                # One message that breaks must not silence its person; it stays in the store for the next sweep.
                self._metrics.failures.add("inbox")
                log.error("message not finished", channel=person.channel, exc_info=True)
            finally:
                line.popleft()
                if not line:
                    del self._lines[person]
                if not delivered:
                    self._let_go(item)

    def _let_go(self, item: _Item) -> None:
        key = item.message.person.channel, item.message.id
        self._under_way.pop(key, None)
        for watcher in self._watchers:
            watcher.add(key)
        if not item.settled.done():
            item.settled.cancel()

    async def _finish(self, item: _Item) -> bool:
        """Answer a message and deliver the replies; False when they could not be delivered yet."""
        outcome, steps = item.outcome, self._metrics.steps
        if outcome is None:
            outcome = await self._answer_durably(item)
        if self._replica is not None and not (self._replica.holds and item.owner == self._me):
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
        self._note_later((item,))
        if not outcome.erased and not item.settled.done():  # "deleted" is said when it is true of the file too
            item.settled.set_result(outcome)
        return True

    def _note_later(self, items: Sequence[_Item]) -> None:
        """Have it noted that messages were delivered."""
        self._delivered.extend(items)
        if self._delivered and self._noting is None:
            self._noting = asyncio.get_running_loop().create_task(self._note_delivered())

    def _take_delivered(self) -> list[_Item]:
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
                with self._watching() as finished:
                    rows = await self._store.write(lambda tx, group=group: self._mark(tx, group))  # type: ignore[misc]
            except StoreError as error:
                log.error("delivery not noted yet", messages=len(group), reason=str(error))
                self._delivered = group + self._delivered
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            gathers = min(max(_NOTE_SECONDS, time.monotonic() - begun), _LONGEST_NOTE_SECONDS)
            if erased:
                await self._scrub()
            self._let_all_go(group)
            self._take_up(rows, finished)
        self._noting = None

    def _let_all_go(self, group: Sequence[_Item]) -> None:
        """Forget messages that are noted as delivered."""
        for item in group:
            if item.outcome is not None and not item.settled.done():
                item.settled.set_result(item.outcome)
            self._let_go(item)

    def _mark(self, tx: Transaction, group: Sequence[_Item]) -> list[Row]:
        """Note deliveries; returns what other processes stored meanwhile for the same people to be answered here."""
        for channel in {item.message.person.channel for item in group}:
            own = [item for item in group if item.message.person.channel == channel]
            ids = [item.message.id for item in own]
            messages.mark_delivered(tx, channel, ids, keep_replies=self._keeps_replies(channel))
            erasing = [item.message.id for item in own if item.outcome and item.outcome.erased]
            messages.forget_address(tx, channel, erasing)
        if self._replica is None or not self._replica.others or not self._shares:
            return []
        rows = messages.under_way(tx, {item.message.person for item in group})
        return [row for row in rows if row["stage"] == messages.RECEIVED]

    async def _scrub(self) -> None:
        try:
            await self._store.scrub()
        except StoreError as error:
            log.warning("deleted text stays in the log until the next sweep", reason=str(error))

    async def _answer_durably(self, item: _Item) -> Settled:
        pause, outdated = _FIRST_PAUSE, 0
        while True:
            try:
                answer = await self._answer(item.message, None)
                kept = dump_settled(answer.replies, erased=answer.erased)

                def work(tx: Transaction, answer: Answer = answer, kept: str = kept) -> bool:
                    channel, message_id = item.message.person.channel, item.message.id
                    fresh = messages.mark_answered(
                        tx, channel=channel, message_id=message_id, replies=kept, owner=item.owner
                    )
                    if fresh:
                        answer.commit(tx)
                    return fresh

                fresh = await self._store.write(work)
            except Outdated:
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
            return Settled(answer.replies, answer.erased) if fresh else await self._answered_elsewhere(item)

    async def _answered_elsewhere(self, item: _Item) -> Settled:
        """Return what another process on the same records answered, such as `chat` beside `run`."""
        channel = item.message.person.channel
        row = await self._store.read(lambda tx: messages.find(tx, channel=channel, message_id=item.message.id))
        if row is not None:
            item.owner = row["owner"]  # who answers a message delivers it, too
        return load_settled(row["replies"] if row else "")

    def _leave_to_others(self, item: _Item) -> bool:
        """Leave a message to the process that has taken it over, or may have; always False."""
        log.warning("message left to another process", channel=item.message.person.channel)
        expected, item.settled = item.settled, asyncio.get_running_loop().create_future()
        self._elsewhere.expect(item.message.person.channel, item.message.id, expected)
        return False
