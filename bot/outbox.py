"""The only caller of `Channel.send`: numbered choices, splitting, waiting, repeating what is safe to repeat."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from bot.channels import Channel
from bot.clock import Clock, stamp
from bot.errors import DeliveryError, Gone, Throttled, Unreachable
from bot.markup import to_plain
from bot.message import Person, Reply, Traits
from bot.store import Store, people, requests
from bot.text import split_text
from bot.wire import load_reply

log = structlog.get_logger()

ATTEMPTS = 6
PUSHES_AT_ONCE = 20
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0

Sleep = Callable[[float], Awaitable[None]]


class Outbox:
    """Delivers replies through the channels."""

    def __init__(
        self, store: Store, channels: Mapping[str, Channel], *, clock: Clock, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._store, self._channels, self._clock, self._sleep = store, channels, clock, sleep

    async def deliver(self, person: Person, replies: Sequence[Reply], answering: str = "") -> None:
        """Send replies in order; raises DeliveryError only when repeating later is safe and may help."""
        channel = self._channels.get(person.channel)
        if channel is None:
            raise Unreachable(f"The channel {person.channel} is off.", code="channel-off")
        for reply in replies:
            for part in fit(reply, channel.traits):
                try:
                    await self._send(channel, person, part, answering)
                except Gone:
                    at = stamp(self._clock())
                    await self._store.write(partial(people.mark_gone, person=person, at=at))
                    return
                except Unreachable:
                    raise
                except DeliveryError as error:
                    # Refused for good, or perhaps delivered: the next part may still be of use.
                    log.warning("reply not delivered", channel=person.channel, code=error.code)

    async def send_pushes(self) -> None:
        """Send what waits for people who did not just write; a crash repeats at most the one under way."""
        for row in await self._store.read(lambda tx: requests.pushes(tx, limit=PUSHES_AT_ONCE)):
            number = int(row["id"])
            try:
                await self.deliver(Person(row["channel"], row["address"]), [load_reply(row["reply"])])
            except DeliveryError as error:
                log.warning("message waits", channel=row["channel"], code=error.code)
                continue
            await self._store.write(partial(requests.pushed, number=number))

    async def _send(self, channel: Channel, person: Person, reply: Reply, answering: str) -> None:
        pause = _FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await channel.send(person, reply, answering=answering)
                return
            except Throttled as error:
                if attempt == ATTEMPTS:
                    raise Unreachable(str(error), code=error.code) from error
                await self._sleep(error.retry_after)
            except Unreachable:
                if attempt == ATTEMPTS:
                    raise
                await self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
                pause = min(pause * 2, _LONGEST_PAUSE)


def fit(reply: Reply, traits: Traits) -> Iterator[Reply]:
    """Make a reply that a channel can carry: choices as numbered lines where there are no buttons, long texts cut."""
    text = reply.text
    if reply.buttons and not traits.buttons:
        choices = "\n".join(f"{number}. {button.label}" for number, button in enumerate(reply.buttons, 1))
        text = f"{text}\n\n{choices}" if text else choices
    if traits.measure(to_plain(text)) <= traits.longest_text:
        yield replace(reply, text=text)
        return
    parts = split_text(text, traits.longest_text, traits.measure)
    for part in parts[:-1]:
        yield Reply(part)
    yield replace(reply, text=parts[-1])
