"""Days and hours as people type them: "24/11 8h30", "8:30 ngày mai", "tomorrow 19:00"."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from unicodedata import normalize

from bot.text import fold

_HOUR = re.compile(r"(?<![\d/.-])(\d{1,2})(?:(?::|h| ?gio ?| ?(?=[ap]m\b))(\d{2})?)(?![\d/])")
_DAY = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?(?!\d)")
_AFTER_NOON = re.compile(r"\b(?:chiều|chieu|tối)\b|pm\b")  # without its mark, "tối" might be "tôi"
_WORDS: Final = ((re.compile(r"\b(?:hom nay|today)\b"), 0), (re.compile(r"\b(?:mai|tomorrow)\b"), 1),
                 (re.compile(r"\bngay kia\b"), 2))  # fmt: skip
_NOON = 12


def read_day(text: str, today: date) -> date | None:
    """Return the day that a text names, the next such one where no year stands there; None when it names none."""
    folded = fold(text)
    if found := _DAY.search(folded):
        day, month, year = (int(part) if part else 0 for part in found.groups())
        for one in (year,) if year else (today.year, today.year + 1):
            try:
                named = date(one, month, day)
            except ValueError:  # the 30th of February, or the 29th in most years
                continue
            if year or named >= today:
                return named
        return None
    return next((today + timedelta(days=days) for word, days in _WORDS if word.search(folded)), None)


def read_moment(text: str, now: datetime) -> datetime | None:
    """Return the moment that a text names, in the zone of `now`; without a day the next such hour.

    None when there is no hour in it, or when it lies in the past.
    """
    folded = fold(text)
    found = _HOUR.search(folded)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour < _NOON and _AFTER_NOON.search(normalize("NFC", text.lower())):
        hour += _NOON
    try:
        at = time(hour, minute)
    except ValueError:
        return None
    day = read_day(text, now.date())
    if day is None and _DAY.search(folded):
        return None
    moment = datetime.combine(day or now.date(), at, now.tzinfo)
    if day is None and moment <= now:
        moment = datetime.combine(now.date() + timedelta(days=1), at, now.tzinfo)
    return moment if moment > now else None
