"""Time as the bot writes it down: UTC text of fixed width, and local days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache

Clock = Callable[[], datetime]


def now() -> datetime:
    """Return the present moment in UTC; the only clock, so that tests can pass another."""
    return datetime.now(UTC)


@lru_cache(256)  # the moment of a message is written down again and again
def stamp(moment: datetime) -> str:
    """Write a moment as text that sorts: 2026-11-23T02:18:35.123Z."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def moment(stamped: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(stamped.replace("Z", "+00:00"))


def local_day(at: datetime, zone: tzinfo) -> date:
    """Return the calendar day of a moment where the citizens live."""
    return at.astimezone(zone).date()
