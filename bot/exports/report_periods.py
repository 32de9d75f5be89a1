"""The days that an official report may be about: ready ones, and any that somebody writes."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.exports import wording
from bot.i18n.catalogue import mark
from bot.text.dates import read_day

_QUARTER, _YEAR = 3, 12  # months
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_SPAN = re.compile(r"\s*(?:\.\.|–|\bđến\b|\bto\b|\s-\s)\s*")
_FORMS: Final = tuple(
    (months, re.compile(pattern))
    for months, pattern in (
        (1, r"(?:tháng\s*|month\s*)?(?P<part>\d{1,2})\s*(?:/|-|năm|\s)\s*(?P<year>\d{4})"),
        (1, r"(?P<year>\d{4})-(?P<part>\d{1,2})"),
        (_QUARTER, r"(?:quý|quarter|q)\s*(?P<part>iv|i{1,3}|[1-4])\s*(?:/|-|năm|\s)\s*(?P<year>\d{4})"),
        (_QUARTER, r"(?P<year>\d{4})-?q(?P<part>[1-4])"),
        (_YEAR, r"(?:năm\s*|year\s*)?(?P<year>\d{4})"),
    )
)


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both ends included."""

    since: date
    until: date

    @property
    def before(self) -> Period:
        """The period just before: as many whole months where this one is whole months, else as many days."""
        eve = self.since - timedelta(days=1)
        if self.since.day == 1 and self.until.day == calendar.monthrange(self.until.year, self.until.month)[1]:
            months = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month + 1
            return Period(_months_before(self.since, months), eve)
        return Period(self.since - (self.until - self.since) - timedelta(days=1), eve)

    @property
    def name(self) -> str:
        """Write it so that `read_period` reads the same, for buttons and commands."""
        return f"{self.since}..{self.until}"

    def __str__(self) -> str:
        """Name it as the report does."""
        if self.since == self.until:
            return f"ngày{wording.SPACE}{wording.day(self.since)}"
        return f"từ ngày{wording.SPACE}{wording.day(self.since)} đến ngày{wording.SPACE}{wording.day(self.until)}"


def month_so_far(today: date) -> Period:
    """Return this month up to yesterday, on its first day the whole month before: only days that are over."""
    return _so_far(today, 1)


def last_month(today: date) -> Period:
    """Return the whole calendar month before this one."""
    return last_whole(today, 1)


def last_week(today: date) -> Period:
    """Return the seven days up to yesterday."""
    return Period(today - timedelta(days=7), today - timedelta(days=1))


def last_whole(today: date, months: int) -> Period:
    """Return the last month, quarter or year, by its number of months, that is over."""
    return _so_far(_first_day(today, months), months)


def _so_far(today: date, months: int) -> Period:
    yesterday = today - timedelta(days=1)
    return Period(_first_day(yesterday, months), yesterday)


def _first_day(day: date, months: int) -> date:
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


# The periods that are offered, by the name that buttons and forms give them: what they are called, and their days.
OFFERED: Final[Mapping[str, tuple[str, Callable[[date], Period]]]] = {
    "month": (mark("This month until yesterday"), month_so_far),
    "last-month": (mark("Last month"), last_month),
    "week": (mark("The last seven days"), last_week),
    "quarter": (mark("This quarter until yesterday"), lambda today: _so_far(today, _QUARTER)),
    "last-quarter": (mark("Last quarter"), lambda today: last_whole(today, _QUARTER)),
    "year": (mark("This year until yesterday"), lambda today: _so_far(today, _YEAR)),
    "last-year": (mark("Last year"), lambda today: last_whole(today, _YEAR)),
}
# How often a report can come by itself: what that is called, and the months it covers.
EVERY: Final[Mapping[str, tuple[str, int]]] = {
    "month": (mark("every month"), 1),
    "quarter": (mark("every quarter"), _QUARTER),
    "year": (mark("every year"), _YEAR),
}


def read_period(text: str, today: date) -> Period | None:
    """Read a month, a quarter, a year or two days; None if it is neither, or has not begun before today.

    A period that is not over yet ends with yesterday.
    """
    words = " ".join(text.lower().split())
    found = _named(words) or _between(words, today)
    yesterday = today - timedelta(days=1)
    if found is None or not found.since <= min(found.until, yesterday):
        return None
    return Period(found.since, min(found.until, yesterday))


def _named(words: str) -> Period | None:
    for months, form in _FORMS:
        if match := form.fullmatch(words):
            part = match.groupdict().get("part") or "1"
            number, year = _ROMAN.get(part) or int(part), int(match["year"])
            if 1 <= number <= _YEAR // months and year > date.min.year:
                last = number * months
                return Period(date(year, last - months + 1, 1), date(year, last, calendar.monthrange(year, last)[1]))
    return None


def _between(words: str, today: date) -> Period | None:
    first, *rest = _SPAN.split(words.removeprefix("từ ").removeprefix("from "))
    if len(rest) != 1:
        return None
    since, until = read_day(first, today), read_day(rest[0], today)
    return Period(since, until) if since and until else None
