"""Messages that were stored here and are answered by another process: who waits for their replies gets them here."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from bot.errors import StoreError
from bot.message import Outcome
from bot.serialization import load_outcome
from bot.store import Store, messages

log = structlog.get_logger()

_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

Key = tuple[str, str]  # channel and message id


class RemoteReplies:
    """Looks after what others answer, as long as anybody waits for it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._expected: dict[Key, asyncio.Future[Outcome]] = {}
        self._looking: asyncio.Task[None] | None = None

    def expect(
        self, channel: str, message_id: str, done: asyncio.Future[Outcome] | None = None
    ) -> asyncio.Future[Outcome]:
        """Return what comes true when a message has been answered and its replies have left; or make `settled` so."""
        known = self._expected.get((channel, message_id))
        if known is not None and done is not None:
            known.add_done_callback(partial(_pass_on, to=done))
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        future = self._expected[channel, message_id] = done or loop.create_future()
        if self._looking is None:
            self._looking = loop.create_task(self._look())
        return future

    async def close(self) -> None:
        """Wait for nothing more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        for future in self._expected.values():
            future.cancel()

    async def _look(self) -> None:
        pause = _PAUSE
        while self._expected:
            await asyncio.sleep(pause)
            before = len(self._expected)
            try:
                for channel in {channel for channel, _ in self._expected}:
                    await self._look_at(channel)
            except StoreError as error:
                log.error("database unavailable, answers of others wait", reason=str(error))
            pause = _PAUSE if len(self._expected) < before else min(pause * 2, _LONGEST_PAUSE)
        self._looking = None

    async def _look_at(self, channel: str) -> None:
        ids = [id_ for name, id_ in self._expected if name == channel]
        rows = await self._store.read(lambda tx: messages.find_all(tx, channel, ids))
        replies = {row["message_id"]: row["replies"] for row in rows}
        done = {row["message_id"] for row in rows if row["stage"] == messages.DELIVERED}
        for id_ in ids:
            if id_ in done or id_ not in replies:
                future = self._expected.pop((channel, id_))
                if not future.done():
                    future.set_result(load_outcome(replies.get(id_, "")))


def _pass_on(done: asyncio.Future[Outcome], *, to: asyncio.Future[Outcome]) -> None:
    if to.done():
        return
    if done.cancelled():
        to.cancel()
    else:
        to.set_result(done.result())
