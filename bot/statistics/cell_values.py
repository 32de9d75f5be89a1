"""Days and whole numbers in the cells of other people's tables: typed cells by their type, texts as people write them.

The reader of official figures calls it. A typed number is never read as a text: 12.345 in a cell is no 12,345.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

from bot.statistics.table_reader import Cell
from bot.text.normalize import fold

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII)
_SLASHED = r"(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?(\d{4}|\d{2})(?!\d)"
_WORDS = r"(\d{1,2}) thang (\d{1,2}) nam (\d{4})"
_DAY = re.compile(rf"(?:ngay )?(?:{_SLASHED}|{_WORDS})", re.ASCII)
_IN_TEXT = re.compile(rf"(?<![\d/.-])(?:{_SLASHED}|{_WORDS})", re.ASCII)
_MONTH = re.compile(r"thang (\d{1,2})\s?(?:[/-]\s?|nam )(\d{4})", re.ASCII)
_UNTIL = re.compile(
    r"(?:den|het|tinh den|so lieu|cap nhat|thoi diem)(?: het)?(?: \d{1,2}(?:h|g|:| gio)\d{0,2})?(?: ngay)?[ :]*$"
)
_UNIT = re.compile(r"\s*(?:may|thiet bi|dien thoai|nguoi)$")
# Groups of three by one sign; a number that begins with 0 has none.
_COUNT = re.compile(r"0|[1-9]\d{0,8}|[1-9]\d{0,2}(?:([., ])\d{3})(?:\1\d{3})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class DayFound:
    """A day that a text names; `sure` unless it may be another one, such as that of a signature."""

    day: date
    sure: bool


def as_day(value: Cell) -> date | None:
    """Read a day: a date cell, 2026-11-23, 23/11/2026, 23/11/26, ngày 23 tháng 11 năm 2026; None when it is none."""
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = " ".join(fold(value).split())
    if match := _ISO.fullmatch(text):
        year, month, day = match.groups()
        return _day(day, month, year)
    match = _DAY.fullmatch(text)
    return _day(*(part for part in match.groups() if part)) if match else None


def as_count(value: Cell) -> int | None:
    """Read a whole number from 0 on: a number cell, or a text such as 67750, 67.750, 67,750, 67 750, 67.750 máy."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return value if value >= 0 else None
    if not isinstance(value, str):
        return None
    text = _UNIT.sub("", fold(value.replace("\u00a0", " ").replace("\u202f", " "))).strip()
    return int(re.sub(r"[., ]", "", text)) if _COUNT.fullmatch(text) else None


def day_in_text(text: str) -> DayFound | None:
    """Find the day up to which a title counts; the last of several, or the end of a month that is named alone."""
    plain = " ".join(fold(text).split())
    found: list[DayFound] = []
    for match in _IN_TEXT.finditer(plain):
        day = _day(*(part for part in match.groups() if part))
        if day is not None:
            found.append(DayFound(day, _UNTIL.search(plain[: match.start()]) is not None))
    if found:
        return next((one for one in reversed(found) if one.sure), found[-1])
    months = [(int(month), int(year)) for month, year in _MONTH.findall(plain)]
    for month, year in reversed(months):
        if 1 <= month <= 12 and year >= 1:
            return DayFound(date(year, month, calendar.monthrange(year, month)[1]), False)
    return None


def _day(day: str, month: str, year: str) -> date | None:
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
