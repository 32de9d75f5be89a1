"""What must wait although the account works: messages to many when the quota is used up, one person's answers."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.errors import Unreachable

_ANSWER_PAUSE = timedelta(minutes=15)
_MOST_KEPT = 10_000


class Cooldowns:
    """Remembers until when what may not leave, so that Zalo is not asked again and again.

    A refusal of a broadcast stops all such messages until the next morning, but no answer to a citizen, which is
    free and taken at any hour. A refused answer stops the answers to that one person, for a while.
    """

    def __init__(self, clock: Clock) -> None:
        """Hold nothing yet."""
        self._clock = clock
        self._bulk: tuple[datetime, str] | None = None
        self._answers: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    def check(self, address: str, *, answering: bool) -> None:
        """Raise Unreachable, with the seconds in `retry_after`, for what must wait."""
        held = self._answers.get(address) if answering else self._bulk
        if held is None:
            return
        wait = (held[0] - self._clock()).total_seconds()
        if wait > 0:
            raise Unreachable("Zalo has refused the like of this message a while ago.", code=held[1], retry_after=wait)

    def note(self, address: str, refusal: Unreachable, *, answering: bool) -> None:
        """Hold what a refusal means."""
        until = self._clock() + timedelta(seconds=refusal.retry_after)
        if not answering:
            self._bulk = until, refusal.code
            return
        self._answers[address] = min(until, self._clock() + _ANSWER_PAUSE), refusal.code
        if len(self._answers) > _MOST_KEPT:
            self._answers.popitem(last=False)
