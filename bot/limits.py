"""Limits: token buckets, and the gate through which a channel's messages leave; clocks are passed in."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from bot.errors import Throttled
from bot.message import Pace

Sleep = Callable[[float], Awaitable[object]]

LONGEST_WAIT = 60.0  # a platform that wants a longer pause is not waited for; the message stays in the store
_CHAT_BURST = 3  # a greeting of two parts and an impatient citizen need not wait
_TOGETHER = 1.0  # refusals within so many seconds belong together


class Buckets:
    """One bucket a key: `per_minute` tokens that refill evenly, `capacity` of them at once; 0 means no limit.

    Memory is bounded: of more than `most_keys` keys, those idle longest are forgotten, which only helps them.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        capacity: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        most_keys: int = 100_000,
    ) -> None:
        self._capacity = float(capacity or per_minute) if per_minute else 0.0
        self._rate = per_minute / 60
        self._clock = clock
        self._most_keys = most_keys
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable = None) -> float:
        """Take a token and return 0, or the seconds until there is one."""
        if not self._capacity:
            return 0.0
        now = self._clock()
        level, since = self._levels.pop(key, (self._capacity, now))
        level = min(self._capacity, level + (now - since) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[key] = (level if wait else level - 1, now)
        if len(self._levels) > self._most_keys:
            self._levels.popitem(last=False)
        return wait


class Gate:
    """The way out of one channel.

    Replies leave at once and pass waiting bulk; bulk leaves in even spacing, and later for every reply that left
    meanwhile, because bursts are what platforms punish. A refusal ("too many requests") stops the chat it concerned.
    Two chats refused with nothing accepted in between, or three within a second, mean the whole bot: then everybody
    pauses together, one message tries afterwards whether the way is free, and only then the rest follows, spaced.
    """

    def __init__(self, pace: Pace, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._pace, self._clock, self._sleep = pace, clock, sleep
        self._gap = 1 / pace.bulk_per_second if pace.bulk_per_second else 0.0
        self._chats = Buckets(pace.chat_per_second * 60, capacity=_CHAT_BURST, clock=clock)
        self._crowds = Buckets(pace.crowd_per_minute, clock=clock)
        self._limited = bool(pace.bulk_per_second or pace.chat_per_second or pace.crowd_per_minute)
        self._next_bulk = self._next_late = 0.0
        self._bulk_line = asyncio.Lock()
        self._stopped: dict[str, float] = {}  # chat → until when
        self._refused: dict[str, float] = {}  # chats refused lately → when
        self._shut_until = 0.0
        self._probe: asyncio.Future[None] | None = None  # not done while one message tries the way

    @property
    def shut(self) -> bool:
        """Whether everybody pauses."""
        return bool(self._shut_until)

    async def enter(self, chat: str, *, bulk: bool) -> None:
        """Wait for a place; raises Throttled when that would take too long. Each entry ends with one `leave`."""
        if self._limited or self._shut_until or self._stopped:
            late = await self._wait_until_open(chat)
            await self._wait_for_chat(chat)
            if bulk and self._gap:
                await self._wait_for_bulk()
            elif late and self._gap:
                self._next_late = max(self._clock(), self._next_late) + self._gap
                await self._sleep(max(0.0, self._next_late - self._gap - self._clock()))
            if self._gap:
                self._next_bulk = max(self._clock(), self._next_bulk) + self._gap

    def leave(self, chat: str, *, refused_for: float | None = None, accepted: bool = False) -> None:
        """Tell how it went: refused for some seconds, accepted, or neither."""
        probed, self._probe = self._probe, None
        if refused_for is not None:
            self._refuse(chat, refused_for, probing=probed is not None)
        elif accepted:
            self._shut_until = 0.0
            if self._refused:
                self._refused = {c: at for c, at in self._refused.items() if self._clock() - at < _TOGETHER}
        if probed is not None and not probed.done():
            probed.set_result(None)

    def _refuse(self, chat: str, seconds: float, *, probing: bool) -> None:
        now = self._clock()
        strangers = [other for other in self._refused if other != chat]
