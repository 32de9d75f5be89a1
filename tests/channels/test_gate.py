"""The gate through which a channel's messages leave: replies first, bulk evenly, pauses shared or not."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections import deque
from collections.abc import Callable
from itertools import combinations, pairwise

import pytest

from bot.channels.rate_limit import LONGEST_WAIT, Gate
from bot.errors import Throttled
from bot.message import RateLimits


class Time:
    """A clock that jumps to the next sleeper when nobody else has anything to do; who sleeps wakes `late`."""

    def __init__(self, late: Callable[[], float] = lambda: 0.0) -> None:
        self.now, self._late = 1000.0, late
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        await self.travel(max(0.0, seconds) + self._late())

    async def travel(self, seconds: float) -> None:
        """Wait exactly so long, as a message on its way does."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._sleepers, (self.now + seconds, self._number, future))
        await future

    async def run(self, *work: asyncio.Task[None], until: float = 1e9) -> None:
        """Let time pass until all work is done."""
        while not all(task.done() for task in work):
            for _ in range(20):
                await asyncio.sleep(0)
            if all(task.done() for task in work) or not self._sleepers or self._sleepers[0][0] > until:
                return
            self.now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)


@pytest.fixture
def time() -> Time:
    return Time()


def gate(time: Time, **pace: float) -> Gate:
    return Gate(RateLimits(**pace, is_group=lambda address: address.startswith("-")), clock=time, sleep=time.sleep)  # type: ignore[arg-type]


def several(time: Time, processes: int, **pace: float) -> list[Gate]:
    """The gates of processes that write by one token."""
    ways = [gate(time, **pace) for _ in range(processes)]
    for way in ways:
        way.share(processes)
    return ways


async def sends(way: Gate, time: Time, log: list[tuple[str, float]], chat: str, *, bulk: bool = False) -> None:
    probe = await way.enter(chat, bulk=bulk)
    log.append((chat, time.now))
    way.leave(chat, probe=probe, accepted=True)


async def test_bulk_leaves_in_even_spacing(time: Time) -> None:
    way, log = gate(time, bulk_per_second=29), []
    await time.run(*(asyncio.create_task(sends(way, time, log, str(n), bulk=True)) for n in range(60)))
    gaps = [after - before for (_, before), (_, after) in pairwise(log)]
    assert min(gaps) == pytest.approx(1 / 29)
    assert max(gaps) == pytest.approx(1 / 29)


async def test_replies_pass_waiting_bulk_and_count_against_it(time: Time) -> None:
    way, log = gate(time, bulk_per_second=10), []
    bulk = [asyncio.create_task(sends(way, time, log, f"b{n}", bulk=True)) for n in range(30)]
    await time.run(*bulk, until=1000.5)
    replies = [asyncio.create_task(sends(way, time, log, f"r{n}")) for n in range(10)]
    before = time.now
    await time.run(*replies)
    assert all(at == before for chat, at in log if chat.startswith("r"))
    await time.run(*bulk)
    assert time.now == pytest.approx(1000 + 3.9), "ten replies took ten places of bulk"


async def test_a_flood_of_replies_does_not_hold_bulk_up_for_ever(time: Time) -> None:
    way, log = gate(time, bulk_per_second=10), []

    async def flood() -> None:
        for number in range(1800):
            await sends(way, time, log, f"r{number}")
            await time.travel(0.01)

    bulk = [sends(way, time, log, f"b{number}", bulk=True) for number in range(3)]
    await time.run(*(asyncio.create_task(one) for one in (flood(), *bulk)))
    assert [round(at - 1000) for chat, at in log if chat.startswith("b")] == [5, 10, 15]


async def test_bulk_without_a_pace_leaves_at_once_but_slowly_while_replies_leave(time: Time) -> None:
    way, log = gate(time), []
    bulk = [asyncio.create_task(sends(way, time, log, f"b{n}", bulk=True)) for n in range(100)]
    await time.run(*bulk)
    assert time.now == 1000
    log.clear()

    async def talk() -> None:
        for number in range(20):
            await sends(way, time, log, f"r{number}")
            await time.travel(0.1)

    bulk = [sends(way, time, log, f"b{number}", bulk=True) for number in range(60)]
    await time.run(*(asyncio.create_task(one) for one in (sends(way, time, log, "r"), talk(), *bulk)))
    assert all(b - a == pytest.approx(0.02) for (_, a), (_, b) in pairwise([(c, at) for c, at in log if c[0] == "b"]))


async def test_one_chat_gets_a_burst_of_three_then_one_a_second(time: Time) -> None:
    way, log = gate(time, chat_per_second=1), []
    await time.run(*(asyncio.create_task(sends(way, time, log, "7")) for _ in range(6)))
    assert [round(at - 1000, 2) for _, at in log] == [0, 0, 0, 1, 2, 3]


async def test_a_group_gets_twenty_a_minute(time: Time) -> None:
    way, log = gate(time, group_per_minute=20), []
    await time.run(*(asyncio.create_task(sends(way, time, log, "-5")) for _ in range(23)))
    assert [round(at - 1000) for _, at in log][19:] == [0, 3, 6, 9]


@pytest.mark.parametrize("processes", [1, 2, 3, 5])
async def test_all_processes_together_keep_the_pace_of_bulk(time: Time, processes: int) -> None:
    """Messages to many, reminders and officers' words leave at once, each kind in another process if there is one."""
    ways, log = several(time, processes, bulk_per_second=29), []
    await time.run(
        *(
            asyncio.create_task(sends(ways[kind % processes], time, log, f"{kind} {number}", bulk=True))
            for kind in range(3)
            for number in range(100)
        )
    )
    moments = sorted(at for _, at in log)
    assert len(moments) == 300
    assert max(sum(begin <= at < begin + 1 for at in moments) for begin in moments) <= 30
    ways[0].share(1)  # the others are gone
    begun = time.now
    await time.run(*(asyncio.create_task(sends(ways[0], time, log, f"c{n}", bulk=True)) for n in range(58)))
    assert time.now - begun < 2.1


@pytest.mark.parametrize("processes", [1, 2, 4])
async def test_all_processes_together_give_a_chat_one_message_a_second(time: Time, processes: int) -> None:
    """An impatient citizen, whose messages are answered by each process in turn."""
    ways, log = several(time, processes, chat_per_second=1), []

    async def talk() -> None:
        for number in range(60):
            await sends(ways[number % processes], time, log, "7")

    await time.run(asyncio.create_task(talk()))
    moments = [at for _, at in log]
    at_once = 3 if processes == 1 else 2 * processes
    for first, last in combinations(range(60), 2):
        assert last - first < at_once + moments[last] - moments[first] + 1e-6
    assert time.now - 1000 == pytest.approx(60 - at_once)


@pytest.mark.parametrize("processes", [1, 2, 20, 40])
async def test_all_processes_together_give_a_group_no_more_than_one_does(time: Time, processes: int) -> None:
    """Beyond as many processes as it gets messages a minute, each still sends one."""
    ways, log = several(time, processes, group_per_minute=20), []
    work = [asyncio.create_task(sends(ways[number % processes], time, log, "-5")) for number in range(60)]
    await time.run(*work, until=1000 + 3600)
    assert all(task.done() for task in work)
    assert sum(at < 1000 + 1 for _, at in log) == max(20, processes)
    if processes <= 20:
        assert time.now - 1000 == pytest.approx(120)


async def test_a_chats_own_refusal_stops_that_chat_only(time: Time) -> None:
    way, log = gate(time), []
    probe = await way.enter("1", bulk=False)
    way.leave("1", probe=probe, refused_for=5)
    assert not way.shut
    await time.run(*(asyncio.create_task(sends(way, time, log, chat)) for chat in ("1", "2", "3")))
    assert dict(log) == {"2": 1000, "3": 1000, "1": 1005}


async def test_two_chats_refused_in_a_row_pause_everybody_then_one_tries(time: Time) -> None:
    way, log = gate(time, bulk_per_second=20), []
    for chat in ("1", "2"):
        way.leave(chat, probe=await way.enter(chat, bulk=False), refused_for=3)
    assert way.shut
    trying: list[str] = []

    async def slow(chat: str) -> None:
        probe = await way.enter(chat, bulk=False)
        trying.append(chat)
        log.append((chat, time.now))
        if probe:
            assert trying == [chat], "somebody else tried too"
            await time.sleep(0.5)
            assert trying == [chat], "somebody went before the way was known to be free"
        way.leave(chat, probe=probe, accepted=True)

    await time.run(*(asyncio.create_task(slow(str(n))) for n in range(10, 20)))
    moments = [at for _, at in log]
    assert moments[0] == 1003
    assert moments[1] >= 1003.5
    assert not way.shut
    gaps = [b - a for a, b in pairwise(moments[1:])]
    assert min(gaps) == pytest.approx(1 / 20), "those who waited leave spaced, not in a burst"


async def test_a_refused_probe_pauses_again_and_an_old_success_opens_nothing(time: Time) -> None:
    way = gate(time)
    early = await way.enter("9", bulk=False)
    for chat in ("1", "2"):
        way.leave(chat, probe=await way.enter(chat, bulk=False), refused_for=3)
    way.leave("9", probe=early, accepted=True)
    assert way.shut, "a message that left before the pause says nothing about its end"
    time.now += 3
    probe = await way.enter("3", bulk=False)
    assert probe
    way.leave("3", probe=probe, refused_for=4)
    log: list[tuple[str, float]] = []
    await time.run(asyncio.create_task(sends(way, time, log, "4")))
    assert log == [("4", 1007)]


async def test_a_probe_that_breaks_lets_the_next_one_try(time: Time) -> None:
    way = gate(time)
    for chat in ("1", "2"):
        way.leave(chat, probe=await way.enter(chat, bulk=False), refused_for=1)
    time.now += 1
    probe = await way.enter("3", bulk=False)
    log: list[tuple[str, float]] = []
    waiting = asyncio.create_task(sends(way, time, log, "4"))
    await time.run(waiting)
    assert not log
    way.leave("3", probe=probe)
    await time.run(waiting)
    assert log == [("4", 1001)]
    assert not way.shut


async def test_a_long_pause_is_not_waited_for(time: Time) -> None:
    way = gate(time)
    way.leave("1", probe=await way.enter("1", bulk=False), refused_for=LONGEST_WAIT + 60)
    with pytest.raises(Throttled) as caught:
        await way.enter("1", bulk=False)
    assert caught.value.retry_after > LONGEST_WAIT
    await way.enter("2", bulk=False)


LIMIT, PACE = 30, 29  # a second: what a platform takes, and the pace that is the default for it


class Bucket:
    """A platform whose bucket of `LIMIT` refills evenly."""

    def __init__(self) -> None:
        self.level, self.at = float(LIMIT), 0.0

    def takes(self, now: float) -> bool:
        self.level, self.at = min(LIMIT, self.level + (now - self.at) * LIMIT), now
        if self.level < 1:
            return False
        self.level -= 1
        return True


class Window:
    """A platform that takes no more than `LIMIT` within any second, and nothing for a while after one too many."""

    def __init__(self, lock_out: float = 0.0) -> None:
        self.taken: deque[float] = deque()
        self.lock_out, self.locked_until = lock_out, 0.0

    def takes(self, now: float) -> bool:
        while self.taken and self.taken[0] <= now - 1:
            self.taken.popleft()
        if now < self.locked_until or len(self.taken) >= LIMIT:
            self.locked_until = max(self.locked_until, now + self.lock_out)
            return False
        self.taken.append(now)
        return True


def late_on_a_busy_machine(draw: random.Random) -> float:
    """Mostly a little, one time in twenty by most of a gap, one time in a thousand by several of them."""
    chance = draw.random()
    if chance < 0.001:
        return draw.uniform(0.05, 0.2)
    return draw.uniform(0.012, 0.025) if chance < 0.05 else draw.uniform(0.0, 0.006)


@pytest.mark.parametrize("model", [Bucket, Window, lambda: Window(3.0)], ids=["bucket", "window", "lock-out"])
@pytest.mark.parametrize("seed", range(3))
async def test_bulk_keeps_to_a_limit_though_it_wakes_late(model: Callable[[], Bucket | Window], seed: int) -> None:
    """At least 0.95 of what the platform takes, never one too many, and everything arrives."""
    draw, platform = random.Random(seed), model()
    time = Time(late=lambda: late_on_a_busy_machine(draw))
    way, left, arrived = gate(time, bulk_per_second=PACE), deque(range(900)), list[tuple[float, bool]]()

    async def work() -> None:
        while left:
            chat = str(left.popleft())
            probe = await way.enter(chat, bulk=True)
            on_the_way = draw.uniform(0.0, 0.012)
            await time.travel(on_the_way)
            taken = platform.takes(time.now)
            arrived.append((time.now, taken))
            await time.travel(draw.uniform(0.02, 0.3))
            way.leave(chat, probe=probe, refused_for=None if taken else 1.0, accepted=taken)

    await time.run(*(asyncio.create_task(work()) for _ in range(14)))
    moments = [at for at, taken in arrived if taken]
    assert len(moments) == len(arrived) == 900, "refused messages"
    share = (len(moments) - 1) / (moments[-1] - moments[0]) / LIMIT
    assert share >= 0.95


async def test_what_was_missed_by_long_is_not_made_up_for(time: Time) -> None:
    way, log = gate(time, bulk_per_second=10), []
    await sends(way, time, log, "1", bulk=True)
    time.now += 60
    await time.run(*(asyncio.create_task(sends(way, time, log, str(n), bulk=True)) for n in range(20)))
    moments = [at for _, at in log]
    assert all(b - a >= 1 for a, b in zip(moments, moments[11:], strict=False)), "more than eleven within a second"
