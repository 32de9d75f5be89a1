"""Whom a broadcast is meant for, as data; everything else about it is in bot/broadcast/."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import orjson

ANY, REPORTED, UNREPORTED, LONG_AGO = "any", "reported", "unreported", "long-ago"
REPORTS: Final = (ANY, REPORTED, UNREPORTED, LONG_AGO)
LONG_AGO_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Those who asked for reminders, live there, and reported or not; what is empty sets no bounds.

    `districts` are ids; without them the whole province is meant, also people whose district nobody knows. `commune`
    is a key as in `Place.key` within one district. `source` is a poster's code, `channel` and `language` are names.
    """

    districts: tuple[str, ...] = ()
    commune: str = ""
    reports: str = ANY
    channel: str = ""
    language: str = ""
    source: str = ""

    def dump(self) -> str:
        """Write it down."""
        return orjson.dumps(asdict(self)).decode()


def load_audience(text: str) -> Audience:
    """Read what `dump` wrote."""
    kept = orjson.loads(text)
    return Audience(**{**kept, "districts": tuple(kept["districts"])})
