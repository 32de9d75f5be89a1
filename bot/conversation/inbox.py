"""Durable, once-only intake, and order for each person.

A message is stored before anybody is told that it arrived; a repeated id is answered from the store. Its effects,
its replies and the note that it is answered are one transaction. What a crash leaves unfinished is taken up again:
not yet answered means answered now, answered but not delivered means the same replies once more.

There are two roads. Most answers need no waiting: then message, effects and replies are stored at one go, together
with those of everybody who wrote at the same time. Where an answer takes its time, or the person has something under
way, the message is stored as it came and answered when its turn comes.

Where several processes serve from the same records, all that one person has under way belongs to one of them. Whoever
takes in the next message of that person stores it as that process's own, which finds it there; when the process is
gone, another takes everything of it over (`bot.cluster.membership`).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from bot.channels import Ticket
from bot.channels.rate_limit import Buckets
from bot.clock import stamp
from bot.cluster.remote_replies import Key
from bot.conversation.person_queue import Answer, PersonQueues, QueuedMessage
from bot.conversation.unit_of_work import PersonState, read_sessions
from bot.errors import Flooded, Overloaded, StoreError
from bot.logs import TRACE_ID, next_trace_id
from bot.message import IncomingMessage, Outcome, Person
from bot.serialization import dump_message, dump_outcome, load_outcome
from bot.store import Row, Transaction, messages
from bot.store.messages import Queue
from bot.text.normalize import clean
from bot.text.redaction import redact

log = structlog.get_logger()

TOO_LONG = "too-long"
TAKEN_UP_AFTER_CRASH = timedelta(hours=24)
# Where so many write at the same moment, the next ones gather for at most so many steps, while the replies to these
# leave: a commit costs about the same for few and for many. Steps, not seconds, because a step lets everybody in who is
# at the door, however long that takes.
_SEVERAL, _GATHER_STEPS, _GATHER_STEP = 4, 20, 0.001


@dataclass(frozen=True, slots=True)
class _ClusterState:
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


_SINGLE_PROCESS = _ClusterState()


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
        queues: PersonQueues,
        *,
        per_minute: int,
        longest_text: int,
        most_waiting: int = 0,
        channels: Collection[str] = (),
    ) -> None:
        """Take messages in and put them into `queues`.

        Of more than `most_waiting` messages under way (0: any number), new ones are left to their platform for a while.
        Where several processes serve, what those that are gone left on these `channels` is taken over.
        """
        self._queues, self._channels = queues, channels
        self._store, self._clock, self._metrics, self._membership = (
            queues.store,
            queues.clock,
            queues.metrics,
            queues.membership,
        )
        self._buckets, self._per_minute = Buckets(per_minute), per_minute
        self._longest_text, self._most_waiting = longest_text, most_waiting
        self._arriving: list[_Arrival] = []
        self._intake: asyncio.Task[None] | None = None
        self._closing = False
        self.trouble = ""  # why the latest messages could not be stored

    @property
    def waiting(self) -> int:
        """How many messages are taken in and not yet delivered."""
        return len(self._queues.under_way)

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
        if item := self._queues.under_way.get((message.person.channel, message.id)):
            self._metrics.messages.add(message.person.channel, "repeated")
            future.set_result(Ticket(False, item.done))
        elif not message.event and (wait := self._buckets.take(message.person)):
            self._metrics.messages.add(message.person.channel, "flooded")
            future.set_exception(Flooded(wait))
        elif self._most_waiting and len(self._queues.under_way) + len(self._arriving) >= self._most_waiting:
            self._metrics.messages.add(message.person.channel, "overloaded")
            future.set_exception(Overloaded())
        else:
            arrival = _Arrival(self._screened(message), future, TRACE_ID.get() or next_trace_id(), time.perf_counter())
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
                self._queues.answering = frozenset()
            if len(group) >= _SEVERAL:
                await self._gather()
        self._intake = None

    async def _gather(self) -> None:
        """Wait a little for the next messages, then while more and more of them come in."""
        seen = 0
        for _ in range(_GATHER_STEPS):
            arrived = len(self._arriving)
            if (seen and arrived == seen) or self._closing:
                break
            seen = arrived
            await asyncio.sleep(_GATHER_STEP)

    async def _store_group(self, group: Sequence[_Arrival]) -> None:
        """Answer what can be answered at once, and store everything in one transaction."""
        if self._membership is not None and not self._membership.is_owner:
            await self._membership.heartbeat()
        steps, begun, me = self._metrics.steps, time.perf_counter(), self._queues.me
        counted = Counter(arrival.message.person for arrival in group)
        free = {person for person, times in counted.items() if times == 1 and person not in self._queues}
        self._queues.answering = frozenset(free)
        sessions = await self._store.read_inline(lambda tx: read_sessions(tx, free))
        read = time.perf_counter()
        answers = [
            self._answer_at_once(arrival, sessions[arrival.message.person]) if arrival.message.person in free else None
            for arrival in group
        ]
        TRACE_ID.set(0)  # from here on it is about all of them
        thought, at = time.perf_counter(), stamp(self._clock())

        # What left meanwhile is noted along with it, and needs no commit of its own.
        delivered = self._queues.take_delivered()

        def work(tx: Transaction) -> tuple[_ClusterState, list[Row]]:
            rows = self._queues.mark(tx, delivered) if delivered else []
            around = self._read_cluster_state(tx, counted)
            commits = []
            for arrival, answer in zip(group, answers, strict=True):
                message = arrival.message
                if around.refuses(message):
                    continue
                if answer is None or not around.is_clear(message.person, me):
                    body, owner = dump_message(message), around.owner(message.person, me)
                    messages.keep(tx, person=message.person, message_id=message.id, at=at, body=body, owner=owner)
                else:
                    replies = dump_outcome(answer.replies, erased=answer.erased)
                    messages.keep(tx, person=message.person, message_id=message.id, at=at, replies=replies, owner=me)
                    commits.append(answer.commit)
            for commit in commits:
                commit(tx)
            return around, rows

        with self._queues.watching() as finished:
            try:
                around, rows = await self._store.write(work)
            except StoreError:
                self._queues.note_later(delivered)
                raise
            except Exception as error:
                self._queues.note_later(delivered)
                # An id that came before, somebody who was faster, a value that cannot be stored: each by itself.
                log.debug("taken one by one", messages=len(group), reason=type(error).__name__)
                await self._store_apart(group, at)
                return
        times = len(group)
        steps.note(read - begun, "read", times=times)
        steps.note((thought - read) / times, "answer", times=times)
        steps.note(time.perf_counter() - thought, "store", times=times)
        self._queues.discard_delivered(delivered)
        self._queues.answering = frozenset()
        self._queues.resume(rows, finished)
        for arrival, answer in zip(group, answers, strict=True):
            if around.refuses(arrival.message):
                self._refuse(arrival)
            elif around.is_clear(arrival.message.person, me):
                self._admit(arrival, None if answer is None else Outcome(answer.replies, answer.erased), me)
            else:
                self._admit_behind(arrival, around.queues[arrival.message.person], me, finished)

    def _read_cluster_state(self, tx: Transaction, persons: Collection[Person]) -> _ClusterState:
        """Where others serve the same people: see what these have under way anywhere, and who wrote to all too much."""
        if not self._queues.shares or self._membership is None:
            return _SINGLE_PROCESS
        queues = messages.queues(tx, persons, me=self._membership.name)
        if not self._per_minute or not self._membership.others:
            return _ClusterState(queues)
        sent = messages.recent(tx, persons, since=stamp(self._clock() - timedelta(minutes=1)))
        return _ClusterState(queues, frozenset(person for person, times in sent.items() if times >= self._per_minute))

    def _answer_at_once(self, arrival: _Arrival, session: PersonState) -> Answer | None:
        """Answer a message if that needs no waiting; else None, and nothing has happened."""
        TRACE_ID.set(arrival.turn)
        thinking = self._queues.answer(arrival.message, session)
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
        me = self._queues.me
        repeated: list[_Arrival] = []

        async def take(arrival: _Arrival) -> None:
            message, body = arrival.message, dump_message(arrival.message)

            def work(tx: Transaction) -> tuple[bool, _ClusterState]:
                around = self._read_cluster_state(tx, (message.person,))
                owner = around.owner(message.person, me)
                taken = not around.refuses(message) and messages.take(
                    tx, person=message.person, message_id=message.id, body=body, at=at, owner=owner
                )
                return taken, around

            with self._queues.watching() as finished:
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

        self._queues.answering = frozenset()
        queues: dict[Person, list[_Arrival]] = {}
        for arrival in group:
            queues.setdefault(arrival.message.person, []).append(arrival)
        await asyncio.gather(*map(take_all, queues.values()))
        for arrival in repeated:
            self._metrics.messages.add(arrival.message.person.channel, "repeated")
            ticket = await self._repeated(arrival.message)
            if not arrival.future.done():
                arrival.future.set_result(ticket)

    def _admit(self, arrival: _Arrival, outcome: Outcome | None, me: str) -> None:
        """Have a message that is safe now answered and delivered when its turn comes, and say so."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._metrics.messages.add(arrival.message.person.channel, "new")
        item = self._queues.enqueue(QueuedMessage(arrival.message, future, outcome, arrival.turn, arrival.begun, me))
        if not arrival.future.done():
            arrival.future.set_result(Ticket(True, item.done))

    def _admit_behind(self, arrival: _Arrival, queue: Queue, me: str, finished: Collection[Key]) -> None:
        """Have a message that is safe now answered behind what its person has under way, here or by another process."""
        if queue.owner == me:
            self._queues.resume(queue.rows, finished)
            self._admit(arrival, None, me)
            return
        message = arrival.message
        self._metrics.messages.add(message.person.channel, "new")
        if not arrival.future.done():
            arrival.future.set_result(
                Ticket(True, self._queues.remote_replies.expect(message.person.channel, message.id))
            )

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
        if self._membership is None:
            return 0
        me, channels = self._queues.me, self._channels
        left = await self._store.read(lambda tx: messages.left_behind(tx, channels, me=me))
        if not left:
            return 0
        taken = await self._store.write(lambda tx: sum(messages.take_over(tx, gone, channels, me=me) for gone in left))
        log.info("messages taken over", messages=taken)
        return taken

    async def _look(self, stage: int) -> int:
        since = stamp(self._clock() - TAKEN_UP_AFTER_CRASH)

        def work(tx: Transaction) -> list[Row]:
            rows = messages.unfinished(tx, since=since, owner=self._queues.me, stage=stage)
            if stage == messages.RECEIVED and rows:
                # A message from another process may stand behind replies that were taken over with it.
                rows = messages.unfinished(tx, since=since, owner=self._queues.me)
            return rows

        with self._queues.watching() as finished:
            rows = await self._store.read(work)
        return self._queues.resume(rows, finished)

    async def close(self, *, seconds: float = 10.0) -> None:
        """Finish what is under way within some seconds; the rest is taken up at the next start."""
        self._closing = True
        ends = time.monotonic() + seconds
        if self._intake is not None:
            await asyncio.wait((self._intake,), timeout=seconds)
        await self._queues.close(seconds=max(0.0, ends - time.monotonic()))

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
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        row = await self._store.read(
            lambda tx: messages.find(tx, channel=message.person.channel, message_id=message.id)
        )
        if row is not None and row["stage"] != messages.DELIVERED:
            if item := self._queues.under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.done)
            if self._membership is not None and row["owner"] != self._queues.me:
                return Ticket(False, self._queues.remote_replies.expect(message.person.channel, message.id))
            await self._look(messages.ANSWERED)
            if item := self._queues.under_way.get((message.person.channel, message.id)):
                return Ticket(False, item.done)
        future.set_result(load_outcome(row["replies"] if row else ""))
        return Ticket(False, future)
