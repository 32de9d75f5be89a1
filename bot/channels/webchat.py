"""The web chat as a channel: answers travel in the response of the question, the rest waits as events."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from bot.channels.protocol import Receive
from bot.clock import Clock, stamp
from bot.errors import Gone
from bot.i18n.catalogue import mark
from bot.message import Capabilities, Person, Receipt, Reply
from bot.serialization import dump_reply, load_reply
from bot.store import Store, chat_events

NAME = "webchat"
_OVERTAKEN = 100  # how many replies may be stored after one with a higher number


class WebChatChannel:
    """Conversations in the browser; the address is the random name of the browser's session."""

    name = NAME
    capabilities = Capabilities(longest_text=8000, title=mark("web chat"), starts_talk=False, names_screens=True)

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._newest: int | None = None  # what was looked at last, while anybody listens
        self._seen: set[int] = set()  # what was looked at of late

    async def listen(self, receive: Receive) -> None:
        """Nothing to fetch: the web server brings the messages in."""

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        """Keep what is no answer until the browser fetches it; an answer is fetched by its message's id."""
        if answering:
            return Receipt(answering)
        at = stamp(self._clock())
        number = await self._store.write(lambda tx: chat_events.add(tx, to, reply=dump_reply(reply), at=at))
        if number is None:
            raise Gone("This web chat session no longer exists.", code="session-gone")
        self.wake(to.address)
        return Receipt(str(number))

    async def events(self, person: Person, *, after: int) -> list[tuple[int, Reply]]:
        """List what came for a session after an event, oldest first."""
        rows = await self._store.read(lambda tx: chat_events.after(tx, person, after=after))
        return [(int(row["id"]), load_reply(row["reply"])) for row in rows]

    async def wait(self, address: str, seconds: float) -> None:
        """Return when something came for a session, or after some seconds."""
        news = self._news[address]
        try:
            await asyncio.wait_for(news.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            if self._news.get(address) is news:
                del self._news[address]

    def wake(self, address: str) -> None:
        """Tell those who wait for a session that something came."""
        if address in self._news:
            self._news[address].set()

    async def look(self) -> None:
        """Tell those who wait here of what other processes wrote to them. Raises StoreError."""
        if not self._news:
            self._newest = None
        elif self._newest is None:
            self._newest = await self._store.read(chat_events.newest)
        else:
            newest = self._newest
            for row in await self._store.read(lambda tx: chat_events.since(tx, newest - _OVERTAKEN)):
                if row["id"] not in self._seen:
                    self._seen.add(row["id"])
                    self.wake(row["address"])
                self._newest = max(newest, row["id"])
            self._seen = {number for number in self._seen if number > self._newest - _OVERTAKEN}

    async def close(self) -> None:
        """Send everybody who waits away."""
        for news in list(self._news.values()):
            news.set()
