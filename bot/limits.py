"""Limits as token buckets, with the clock passed in."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable


class Buckets:
    """One bucket a key: `per_minute` tokens that refill evenly; 0 means no limit.

    Memory is bounded: of more than `most_keys` keys, those idle longest are forgotten, which only helps them.
    """

    def __init__(
        self, per_minute: float, *, clock: Callable[[], float] = time.monotonic, most_keys: int = 100_000
    ) -> None:
        self._capacity = float(per_minute)
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
