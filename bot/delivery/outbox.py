"""The only caller of `Channel.send`: numbered choices, splitting, waiting, repeating what is safe to repeat."""

from __future__ import annotations

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from bot.channels import Channel
from bot.channels.protocol import Editing
from bot.channels.rate_limit import Gate, Sleep
from bot.clock import Clock, stamp
from bot.cluster.lease import Lease
from bot.errors import DeliveryError, Gone, StoreError, Throttled, Unreachable
from bot.message import SCREEN, Capabilities, Person, RateLimits, Receipt, Reply
from bot.metrics import Metrics
from bot.serialization import load_reply
from bot.store import Row, Store, Transaction, people, pushes
from bot.text.markup import split_marked, to_plain

log = structlog.get_logger()

ATTEMPTS = 6
PUSHES_AT_ONCE = 20
PUSH_LEASE_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_MOST_BEGUN = 10_000  # answers that broke off half-way, remembered

ShouldSend = Callable[[], Awaitable[bool]]


class Outbox:
    """Delivers replies through the channels."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        *,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        timer: Callable[[], float] = time.monotonic,
        metrics: Metrics | None = None,
        draw: Callable[[str], bytes] | None = None,
    ) -> None:
        """Deliver through `channels`; `draw` makes the picture of a screen's name, empty where that is gone."""
        self._store, self._channels, self._clock, self._sleep = store, channels, clock, sleep
        self._draw = draw
        self._pushing = asyncio.Lock()
        self._sends = (metrics or Metrics()).sends
        self._rights = {
            name: Lease(store, f"pushes:{name}", seconds=PUSH_LEASE_SECONDS, clock=clock) for name in channels
        }
        self._gates = {
            name: Gate(channel.capabilities.pace, clock=timer, sleep=sleep) for name, channel in channels.items()
        }
        self._begun: OrderedDict[tuple[Person, str], int] = OrderedDict()  # of which answers how many parts have left

    def pace(self, channel: str, pace: RateLimits) -> None:
        """Change how fast a channel writes, while running."""
        self._gates[channel].change(pace)

    def share(self, processes: int) -> None:
        """Leave to each of several processes that write by the same token its part of what the platform takes."""
        for gate in self._gates.values():
            gate.share(processes)

    async def deliver(self, person: Person, replies: Sequence[Reply], answering: str = "") -> None:
        """Send replies in order; raises DeliveryError only when repeating later is safe and may help.

        When an answer is repeated, it goes on after the parts that have left.
        """
        channel = self._channel(person)
        offered, number, begun = 0, 0, self._begun.pop((person, answering), 0)
        for reply in replies:
            parts = fit(reply, channel.capabilities, first=offered + 1)
            offered += len(reply.buttons)
            for part in parts:
                number += 1
                if number <= begun:
                    continue
                try:
                    await self._send(channel, person, part, answering)
                except Gone:
                    await self._mark_gone(person)
                    return
                except (Unreachable, StoreError):
                    self._remember_begun(person, answering, number - 1)
                    raise
                except DeliveryError as error:
                    # Refused for good, or perhaps delivered: the next part may still be of use.
                    log.warning("reply not delivered", channel=person.channel, code=error.code)

    async def send(
        self, person: Person, reply: Reply, *, should_send: ShouldSend, on_retry: Callable[[], None] | None = None
    ) -> Receipt | None:
        """Send one message of many, behind all replies; None when `should_send` forbids it right before it would leave.

        `should_send` is asked before each attempt, `on_retry` called after one that certainly brought nothing and that
        another follows.

        Raises DeliveryError: Unreachable when nothing arrived, with `retry_after` where the platform wants to be left
        alone for long; Unknown when it may have arrived; Gone, Rejected. Nothing is sent twice.
        """
        channel = self._channel(person)
        receipt: Receipt | None = None
        try:
            for part in fit(reply, channel.capabilities):
                receipt = await self._send(channel, person, part, "", should_send, on_retry)
                if receipt is None:
                    return None
        except Gone:
            await self._mark_gone(person)
            raise
        return receipt

    def can_edit(self, channel: str) -> bool:
        """Tell whether a channel can change what it said."""
        return isinstance(self._channels.get(channel), Editing)

    async def send_or_edit(self, person: Person, reply: Reply, *, message_id: str = "") -> str:
        """Say something that goes on changing: over an earlier message where that can still be changed, else anew.

        Returns the platform's id of the message that shows it. Raises DeliveryError.
        """
        channel = self._channel(person)
        gate = self._gates[channel.name]
        probe, accepted = await gate.enter(person.address, bulk=False), False
        try:
            if message_id and isinstance(channel, Editing) and await channel.edit(person, message_id, reply):
                accepted = True
                return message_id
            receipt = await channel.send(person, reply)
            accepted = True
            return receipt.id
        finally:
            gate.leave(person.address, probe=probe, accepted=accepted)

    async def send_pushes(self) -> None:
        """Send what waits for people who did not just write, in one process at a time for each channel.

        A crash repeats at most those under way.
        """
        async with self._pushing:  # what one round is sending, the next must not see
            at = stamp(self._clock())

            def waiting(tx: Transaction) -> set[str]:
                return {name for name in self._channels if pushes.waiting(tx, channel=name, at=at, limit=1)}

            # Each channel by itself: what waits for one that is off or down must not hold the others up.
            channels = await self._store.read(waiting)
            await asyncio.gather(*(self._send_pushes(name, at) for name in channels))

    async def _send_pushes(self, channel: str, at: str) -> None:
        right = self._rights[channel]
        if not await right.hold():
            return
        async with right.kept() as lost:
            lines: dict[Person, list[Row]] = {}
            # Read only now: another process may have sent some of it a moment ago.
            for row in await self._store.read(partial(pushes.waiting, channel=channel, at=at, limit=PUSHES_AT_ONCE)):
                lines.setdefault(Person(row["channel"], row["address"]), []).append(row)
            await asyncio.gather(*(self._push(person, rows, lost) for person, rows in lines.items()))

    async def close(self) -> None:
        """Let another process push at once. Raises StoreError."""
        for right in self._rights.values():
            await right.give_back()

    async def _push(self, person: Person, rows: Sequence[Row], lost: asyncio.Event) -> None:
        for row in rows:
            if lost.is_set():
                return
            try:
                await self.deliver(person, [load_reply(row["reply"])])
            except DeliveryError as error:
                log.warning("message waits", channel=person.channel, code=error.code)
                return
            await self._store.write(partial(pushes.sent, number=int(row["id"])))

    def _channel(self, person: Person) -> Channel:
        channel = self._channels.get(person.channel)
        if channel is None:
            raise Unreachable(f"The channel {person.channel} is off.", code="channel-off")
        return channel

    def _remember_begun(self, person: Person, answering: str, parts: int) -> None:
        if answering and parts:
            self._begun[person, answering] = parts
            if len(self._begun) > _MOST_BEGUN:
                self._begun.popitem(last=False)

    async def _mark_gone(self, person: Person) -> None:
        at = stamp(self._clock())
        await self._store.write(partial(people.mark_gone, person=person, at=at))

    async def _with_picture(self, channel: Channel, reply: Reply) -> Reply:
        """Put the picture in the place of a screen's name; without one, the text says the same."""
        name = reply.image
        if not isinstance(name, str) or not name.startswith(SCREEN) or channel.capabilities.names_screens:
            return reply
        try:
            picture = await asyncio.to_thread(self._draw, name) if self._draw is not None else b""
        except Exception as error:  # a drawing is never worth an answer
            log.error("screen not drawn", error=type(error).__name__)
            picture = b""
        return replace(reply, image=picture, alt=reply.alt if picture else "")

    async def _send(
        self,
        channel: Channel,
        person: Person,
        reply: Reply,
        answering: str,
        should_send: ShouldSend | None = None,
        on_retry: Callable[[], None] | None = None,
    ) -> Receipt | None:
        gate, pause, lane = self._gates[channel.name], _FIRST_PAUSE, "reply" if answering else "bulk"
        reply = await self._with_picture(channel, reply)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                probe = await gate.enter(person.address, bulk=not answering)
            except Throttled as error:
                raise Unreachable(str(error), code=error.code, retry_after=error.retry_after) from None
            refused_for, accepted, ended = None, False, "broken-off"
            try:
                if should_send is not None and not await should_send():
                    ended = "called-off"
                    return None
                receipt = await channel.send(person, reply, answering=answering)
                accepted, ended = True, "sent"
                return receipt
            except Throttled as error:
                ended = "throttled"
                refused_for = error.retry_after
                if attempt == ATTEMPTS:
                    raise Unreachable(str(error), code=error.code, retry_after=refused_for) from error
            except Unreachable:
                ended = "unreachable"
                if attempt == ATTEMPTS:
                    raise
            except DeliveryError as error:
                ended = type(error).__name__.lower()
                raise
            finally:
                self._sends.add(channel.name, lane, ended)
                gate.leave(person.address, probe=probe, refused_for=refused_for, accepted=accepted)
            if on_retry is not None:
                on_retry()
            if refused_for is None:
                await self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
                pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the last attempt returns or raises")


def fit(reply: Reply, capabilities: Capabilities, *, first: int = 1) -> Iterator[Reply]:
    """Make a reply that a channel can carry: choices as numbered lines where there are no buttons, long texts cut.

    The numbers begin at `first`, so that the replies to one message do not offer the same number twice.
    """
    text = reply.text
    if capabilities.longest_caption is not None and (reply.image or reply.file):
        yield from _one_by_one(reply, capabilities, capabilities.longest_caption)
        return
    if reply.buttons and not capabilities.buttons:
        choices = "\n".join(f"{number}. {button.label}" for number, button in enumerate(reply.buttons, first))
        text = f"{text}\n\n{choices}" if text else choices
    # No platform counts more than two for a character, so that most texts need no counting.
    if len(text) * 2 <= capabilities.longest_text or capabilities.measure(to_plain(text)) <= capabilities.longest_text:
        yield reply if text is reply.text else replace(reply, text=text)
        return
    parts = split_marked(text, capabilities.longest_text, capabilities.measure)
    for part in parts[:-1]:
        yield Reply(part)
    yield replace(reply, text=parts[-1])


def _one_by_one(reply: Reply, capabilities: Capabilities, longest_caption: int) -> Iterator[Reply]:
    """Give each picture and file a message of its own, with the text under the first where it fits, else before it.

    So what has left need not leave again with what has not.
    """
    if capabilities.measure(to_plain(reply.text)) > longest_caption:
        yield from fit(Reply(reply.text), capabilities)
        reply = replace(reply, text="")
    if reply.image and reply.file:
        yield replace(reply, file=None, buttons=())
        reply = Reply("", reply.buttons, file=reply.file)
    yield reply
