"""The terminal as a channel: the same bot, the same road, for trying things out."""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from typing import TextIO

from bot.channels.protocol import Receive
from bot.clock import Clock
from bot.errors import BotError
from bot.i18n.catalogue import mark
from bot.message import Capabilities, IncomingMessage, Person, Receipt, Reply
from bot.text.markup import to_plain

NAME = "console"


class ConsoleChannel:
    """One person at a keyboard."""

    name = NAME
    capabilities = Capabilities(
        longest_text=100_000, title=mark("terminal"), buttons=False, starts_talk=False, names_screens=True
    )

    def __init__(self, *, address: str, clock: Clock, out: TextIO | None = None) -> None:
        self._person, self._clock, self._out = Person(NAME, address), clock, out or sys.stdout

    async def listen(self, receive: Receive) -> None:
        """Read lines until the end of input; each waits for its answer."""
        await self.say(receive, "/start")
        async for line in _lines(self._prompt):
            if line.strip() in ("/thoat", "/quit"):
                return
            if line.strip():
                await self.say(receive, line.rstrip("\n"))

    async def say(self, receive: Receive, text: str) -> None:
        """Hand one line to the bot and wait until it is answered."""
        message = IncomingMessage(person=self._person, id=uuid.uuid4().hex, at=self._clock(), text=text)
        try:
            ticket = await receive(message)
        except BotError as error:
            self._show(str(error))
            return
        await ticket.done

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Print a reply."""
        if reply.alt:  # a terminal shows no picture; its words hold the same figures
            self._show(reply.alt)
        self._show(to_plain(reply.text))
        if reply.file:
            self._show(
                f"[{reply.file.name}: {len(reply.file.content)} B]\n{reply.file.content.decode(errors='replace')}"
            )
        return Receipt()

    async def close(self) -> None:
        """Nothing to let go of."""

    def _show(self, text: str) -> None:
        print(text + "\n", file=self._out, flush=True)

    def _prompt(self) -> None:
        if sys.stdin.isatty():
            print("> ", end="", file=self._out, flush=True)


async def _lines(prompt: Callable[[], None]) -> AsyncIterator[str]:
    while True:
        prompt()
        line = await asyncio.to_thread(sys.stdin.readline)
        if not line:
            return
        yield line
