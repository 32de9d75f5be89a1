"""What every channel offers, and what it is given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.message import Capabilities, ChannelMetric, IncomingMessage, Outcome, Person, Receipt, Reply


@dataclass(frozen=True, slots=True)
class Ticket:
    """A message that is safely stored; `done` comes true when its replies have left."""

    fresh: bool
    done: asyncio.Future[Outcome]


# Stores a message durably, then returns; a repeated id gives the ticket of the first. May raise Flooded, StoreError.
Receive = Callable[[IncomingMessage], Awaitable[Ticket]]


class Channel(Protocol):
    """One platform."""

    name: str
    capabilities: Capabilities

    async def listen(self, receive: Receive) -> None:
        """Bring messages in until cancelled."""

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Deliver one reply; `answering` is the id of the message it answers. Raises DeliveryError."""

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class Measured(Protocol):
    """A channel that knows what it has used up."""

    async def state(self) -> tuple[ChannelMetric, ...]:
        """Return figures for those who run the bot."""


@runtime_checkable
class Editing(Protocol):
    """A channel that can change what it said."""

    async def edit(self, to: Person, number: str, reply: Reply) -> bool:
        """Put a reply in the place of a message by the platform's id; False when it cannot be changed any more."""
