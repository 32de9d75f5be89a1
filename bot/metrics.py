"""What the bot counts about itself, cheap enough to stand in every message's way; `/metrics` shows it.

Nothing here knows Prometheus: a figure is a name, a sentence, the names of its labels, and numbers by their values.
Labels are few and known beforehand (a channel, a verdict, a kind of error), never a person, an address or a text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

Labels = tuple[str, ...]

# Upper bounds in seconds: an answer takes a fraction of a millisecond, a slow platform many seconds.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Count:
    """A sum that only grows, by labels."""

    name: str
    help: str
    labels: Labels
    values: dict[Labels, int] = field(default_factory=dict)

    def add(self, *labels: str, amount: int = 1) -> None:
        """Count on."""
        self.values[labels] = self.values.get(labels, 0) + amount


@dataclass(slots=True)
class Spread:
    """How durations spread over `BOUNDS`: for each label, a number in each range (one more than bounds), and a sum."""

    numbers: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class Timing:
    """How long something takes, by labels."""

    name: str
    help: str
    labels: Labels
    spreads: dict[Labels, Spread] = field(default_factory=dict)

    def note(self, seconds: float, *labels: str, times: int = 1) -> None:
        """Note that something took so long, perhaps several times."""
        spread = self.spreads.get(labels)
        if spread is None:
            spread = self.spreads[labels] = Spread()
        spread.numbers[bisect_left(BOUNDS, seconds)] += times
        spread.seconds += seconds * times


class Metrics:
    """Everything that is counted in one process, since its start."""

    def __init__(self) -> None:
        self.messages = Count(
            "bot_messages",
            "Messages by what became of them at the door: new, repeated, flooded, overloaded",
            ("channel", "outcome"),
        )
        self.withheld = Count("bot_withheld", "Messages out of which a secret was cut, by its kind", ("kind",))
        self.verdicts = Count("bot_verdicts", "Questions by what the search made of them", ("verdict",))
        self.ratings = Count("bot_ratings", "Answers that citizens rated", ("helped",))
        self.sends = Count(
            "bot_sends", "Attempts to send by their end: sent, or the kind of error", ("channel", "lane", "outcome")
        )
        self.failures = Count("bot_failures", "Errors that nobody foresaw, by where", ("where",))
        self.refusals = Count("bot_http_refusals", "Requests refused by the web server", ("route", "status"))
        self.steps = Timing(
            "bot_step_seconds", "Seconds a message spends in each step: read, answer, store, deliver; whole", ("step",)
        )

    def counts(self) -> Iterator[Count]:
        """List every sum."""
        yield from (self.messages, self.withheld, self.verdicts, self.ratings, self.sends, self.failures, self.refusals)

    def timings(self) -> Iterator[Timing]:
        """List every spread of durations."""
        yield self.steps
