"""Limits: token buckets, and the gate through which a channel's messages leave; clocks are passed in."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from bot.errors import Throttled
from bot.message import RateLimits

Sleep = Callable[[float], Awaitable[object]]

LONGEST_WAIT = 60.0  # a platform that wants a longer pause is not waited for; the message stays in the store
_CHAT_BURST = 3  # a greeting of two parts and an impatient citizen need not wait
_TOGETHER = 1.0  # refusals within so many seconds belong together
_LONGEST_YIELD = 5.0  # how long replies may hold bulk up
# By how much of a gap a bulk message may be late and the next still leave on schedule. With a whole gap, as many as the
# pace and one more may leave within a second; the other half is for what happens on the way to the platform.
_CATCH_UP = 0.5
# Where no pace is set, bulk takes all there is; but while replies leave, so many a second, so that none waits for it.
_BESIDE_REPLIES, _LATELY = 50.0, 1.0
# What leaves without being asked for comes in three kinds: messages to many, reminders, and what officers write. Each
# leaves from one process at a time, which may be another one for each kind.
_BULK_KINDS = 3
_SHARED_BURST = 2  # of each of several processes; a greeting of two parts still need not wait


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
        self._clock = clock
        self._most_keys = most_keys
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self.change(per_minute, capacity=capacity)

    def change(self, per_minute: float, *, capacity: float = 0.0) -> None:
        """Take another limit from now on; who has used up the old one waits by the new one."""
        self._capacity = float(capacity or per_minute) if per_minute else 0.0
        self._rate = per_minute / 60

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

    Replies leave at once and pass waiting bulk; bulk leaves by a schedule of even spacing, and later for every reply
    that left meanwhile, because bursts are what platforms punish. Who wakes a little late does not move the schedule;
    what was missed by more is not made up for. Without a pace bulk leaves at once too, but slowly while replies leave.
    A refusal ("too many requests") stops the chat it concerned.
    Two chats refused with nothing accepted in between, or three within a second, mean the whole bot: then everybody
    pauses together, one message tries afterwards whether the way is free, and only then the rest follows, spaced.
    """

    def __init__(
        self, pace: RateLimits, *, clock: Callable[[], float] = time.monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._clock, self._sleep, self._processes = clock, sleep, 1
        self._chats, self._groups = Buckets(0, clock=clock), Buckets(0, clock=clock)
        self.change(pace)
        self._next_bulk = self._next_late = 0.0
        self._bulk_line = asyncio.Lock()
        self._replied_at = (-_LATELY, -_LATELY)  # the last but one, because a single one is no talk
        self._stopped: dict[str, float] = {}  # chat → until when
        self._refused: dict[str, float] = {}  # chat → when it was refused last
        self._since_accepted: set[str] = set()  # chats refused since a message was accepted
        self._shut_until = 0.0  # 0 while the way is free; a moment gone by while nobody has tried it yet
        self._probe: asyncio.Future[None] | None = None  # there while one message tries the way

    def share(self, processes: int) -> None:
        """Take only a part, so that all processes that write by one token keep its pace; `processes` counts this one.

        None knows what the others send: of the pace for bulk each kind that may leave elsewhere is left a part, of the
        pace of a chat or a group each process that may answer there.
        """
        if processes != self._processes:
            self._processes = processes
            self.change(self._pace)

    def change(self, pace: RateLimits) -> None:
        """Take another pace from now on."""
        self._pace = pace
        bulk = pace.bulk_per_second / min(self._processes, _BULK_KINDS)
        self._gap = 1 / bulk if bulk else 0.0
        burst = _CHAT_BURST if self._processes == 1 else _SHARED_BURST
        self._chats.change(pace.chat_per_second * 60 / self._processes, capacity=burst)
        group = pace.group_per_minute / self._processes
        self._groups.change(group, capacity=max(1.0, group))  # below 1 it would never be full enough for one message
        self._limited = bool(pace.bulk_per_second or pace.chat_per_second or pace.group_per_minute)

    @property
    def shut(self) -> bool:
        """Whether everybody pauses."""
        return bool(self._shut_until)

    async def enter(self, chat: str, *, bulk: bool) -> bool:
        """Wait for a place; each entry ends with one `leave`. Raises Throttled when it would take too long.

        Returns whether this message is the one that tries the way after a pause.
        """
        gap = self._gap
        if not bulk:
            self._replied_at = (self._replied_at[1], self._clock())
        elif not gap and self._clock() - self._replied_at[0] < _LATELY:
            gap = 1 / _BESIDE_REPLIES
        if not (self._limited or self._shut_until or self._stopped or gap):
            return False
        probe, late = await self._wait_until_open(chat)
        try:
            own = self._groups if self._pace.is_group(chat) else self._chats
            while wait := own.take(chat):
                await self._sleep(wait)
            if gap:
                await self._take_turn(gap, bulk=bulk, late=late)
        except BaseException:
            if probe:
                self._end_probe()
            raise
        return probe

    def leave(self, chat: str, *, probe: bool, refused_for: float | None = None, accepted: bool = False) -> None:
        """Tell how it went: refused for some seconds, accepted, or neither."""
        if accepted:
            if self._since_accepted:
                self._since_accepted.clear()
            if probe:
                self._shut_until = 0.0
        elif refused_for is not None:
            self._refuse(chat, refused_for, probe=probe)
        if probe:
            self._end_probe()

    async def _wait_until_open(self, chat: str) -> tuple[bool, bool]:
        late = False
        while True:
            now = self._clock()
            wait = max(self._shut_until, self._stopped.get(chat, 0.0)) - now
            if wait > LONGEST_WAIT:
                raise Throttled(f"The platform wants a pause of {wait:.0f} s.", code="429", retry_after=wait)
            if wait > 0:
                late = late or self._shut_until > now
                await self._sleep(wait)
            elif not self._shut_until:
                self._stopped.pop(chat, None)
                return False, late
            elif self._probe is None:
                self._probe = asyncio.get_running_loop().create_future()
                return True, False
            else:
                late = True
                await asyncio.wait((self._probe,))

    async def _take_turn(self, gap: float, *, bulk: bool, late: bool) -> None:
        if bulk:
            async with self._bulk_line:
                latest = self._clock() + _LONGEST_YIELD
                while (wait := min(self._next_bulk, latest) - self._clock()) > 0:
                    await self._sleep(wait)
                self._next_bulk = self._slot(self._clock(), gap) + gap
            return
        now = self._clock()
        # Replies count too, but a flood of them does not hold bulk up for ever.
        self._next_bulk = min(max(now, self._next_bulk) + gap, now + _LONGEST_YIELD)
        if late:
            turn = max(now, self._next_late)
            self._next_late = turn + gap
            await self._sleep(turn - now)

    def _slot(self, now: float, gap: float) -> float:
        """Return where on the schedule a bulk message stands that leaves now: the schedule begins anew after a gap."""
        late = now - self._next_bulk
        return now if late >= gap else max(self._next_bulk, now - _CATCH_UP * gap)

    def _refuse(self, chat: str, seconds: float, *, probe: bool) -> None:
        now = self._clock()
        self._stopped = {other: until for other, until in self._stopped.items() if until > now}
        self._stopped[chat] = now + seconds
        self._refused = {other: at for other, at in self._refused.items() if now - at < _TOGETHER}
        self._refused[chat] = now
        self._since_accepted.add(chat)
        if probe or self._shut_until or len(self._since_accepted) > 1 or len(self._refused) > 2:
            self._shut_until = max(self._shut_until, now + seconds)

    def _end_probe(self) -> None:
        probe, self._probe = self._probe, None
        if probe is not None and not probe.done():
            probe.set_result(None)
