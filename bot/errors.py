"""Every error the bot raises on purpose.

BotError                      has one sentence for the operator
├── SettingsError             config.yaml, environment or .env
├── ContentError              articles, regions, manual, words: a list of problems with file and line
├── StoreError                the database cannot be opened, read or written
│   ├── SchemaTooNew          a newer version of the bot has written this file
│   └── StoreUnavailable      locked, read-only, full or gone; trying again later may help
│       └── Overloaded        more messages wait than the bot may hold; their platforms shall bring them later
├── NotAllowed                a person may not do this, or not like this; the sentence is for that person
├── Conflict                  what a reply was made from has changed meanwhile; make it anew
├── Flooded                   too many messages; knows when to try again
└── DeliveryError             a message could not be delivered
    ├── Throttled             wait `retry_after` seconds, then the same message again
    ├── Unreachable           nothing was delivered; safe to repeat
    ├── Unknown               may have been delivered; never repeated
    ├── Gone                  this person cannot be written to any more
    └── Rejected              the platform will never take this message
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class BotError(Exception):
    """Anything that ends a command or a start with one sentence."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file, told so that it can be found."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.sentence}"


class _Problems(BotError):
    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[_Problems], tuple[list[Problem]]]:
        # Content is checked in a process of its own, whose error comes back pickled.
        return type(self), (self.problems,)


class SettingsError(_Problems):
    """The settings cannot be used; holds every problem, not just the first."""


class ContentError(_Problems):
    """The content cannot be used; holds every problem, not just the first."""


class StoreError(BotError):
    """The database cannot be used."""


class SchemaTooNew(StoreError):
    """A newer version of the bot wrote this database; nothing was changed."""

    def __init__(self, path: Path | str, unknown: list[str]) -> None:
        super().__init__(
            f"The database {path} was written by a newer version of the bot "
            f"(unknown migrations: {', '.join(unknown)}); update the bot, or restore an older backup."
        )


class StoreUnavailable(StoreError):
    """The database is locked, read-only, full or gone at the moment."""


class Overloaded(StoreUnavailable):
    """More messages wait than the bot may hold."""

    def __init__(self) -> None:
        super().__init__("More messages wait than limits.most_waiting allows; new ones are taken later.")


class NotAllowed(BotError):
    """A person may not do this; the text says why, in words for that person."""


class Conflict(BotError):
    """Somebody else was faster: an effect no longer holds, so that the reply that speaks of it is made anew."""


class Flooded(BotError):
    """Too many messages in too short a time."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Too many messages; try again in {retry_after:.0f} s.")
        self.retry_after = retry_after


class DeliveryError(BotError):
    """A message could not be delivered; the class says what to do next."""

    def __init__(self, sentence: str, *, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.code = code
        self.retry_after = retry_after


class Throttled(DeliveryError):
    """The platform asks to wait `retry_after` seconds; nothing was delivered."""


class Unreachable(DeliveryError):
    """The platform could not be reached; nothing was delivered, so repeating is safe."""


class Unknown(DeliveryError):
    """The message may or may not have arrived; repeating could double it."""


class Gone(DeliveryError):
    """The person blocked the bot or left the platform."""


class Rejected(DeliveryError):
    """The platform refuses this message for good."""
