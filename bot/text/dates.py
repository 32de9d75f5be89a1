"""Days and hours as people say them: "24/11 8h30", "8:30 ngày mai", "7h tối thứ năm", "in two hours"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from unicodedata import normalize

from bot.text.normalize import fold

MORNING, NOON, AFTERNOON, EVENING, NIGHT = "morning", "noon", "afternoon", "evening", "night"
_HOUR = re.compile(r"(?<![\d/.-])(\d{1,2})(?:(?::|h| ?gio ?| ?(?=[ap]m\b))(\d{2})?)(?![\d/])")
_DAY = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?(?!\d)")
_AFTER_NOON = re.compile(r"\b(?:chiều|chieu|tối)\b|pm\b")  # without its mark, "tối" might be "tôi"
_WORDS: Final = ((re.compile(r"\b(?:hom nay|today)\b"), 0), (re.compile(r"\b(?:mai|tomorrow)\b"), 1),
                 (re.compile(r"\bngay kia\b"), 2))  # fmt: skip
_NOON, _EARLY = 12, 8
_YEARS_AHEAD = 50  # a date beyond is a mistake, or an attack on the arithmetic

# -- what citizens say; everything below is matched without marks, "toi" for evening made "evening" before -------------

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december")  # fmt: skip
_NUMBERS: Final = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "an": 1, "a": 1, "nua": 0.5, "half an": 0.5,
}  # fmt: skip
_ONES = r"(?:mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin)"
_SAID_HOUR = re.compile(rf"\b(muoi {_ONES}|hai muoi|muoi|{_ONES}) (?:gio|h)\b")
_UNITS: Final = {
    "phut": 1, "p": 1, "minute": 1, "min": 1, "gio": 60, "tieng": 60, "h": 60, "hour": 60,
    "ngay": 1440, "hom": 1440, "day": 1440, "tuan": 10080, "week": 10080,
}  # fmt: skip
_AMOUNT = r"(\d{1,3}|half an|nua|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|an|a|one|two|three|four|five|six|seven|ten)"
_UNIT = r"(phut|p|minute|min|gio|tieng|h|hour|ngay|hom|day|tuan|week)s?(?: dong ho)?"
_LATER = (
    re.compile(rf"\b{_AMOUNT} ?{_UNIT}( ruoi)? (?:nua|sau|later|from now)\b"),
    re.compile(rf"\b(?:sau|in) {_AMOUNT} ?{_UNIT}( ruoi)?\b(?! (?:sang|trua|chieu|evening|dem|mai|nay)\b)"),
)
_LUNAR = re.compile(r"\b(?:mung|mong|ram|am lich|lunar|tet)\b")
_NEXT_WEEK = re.compile(r"\b(?:tuan (?:sau|toi|evening)|next week)\b")
_WEEKDAY = re.compile(
    r"\b(?:thu (hai|ba|tu|nam|sau|bay|[2-7])|t([2-7])|(chu nhat|chua nhat|cn|cuoi tuan)"
    r"|(monday|tuesday|wednesday|thursday|friday|saturday|sunday|weekend))\b"
)
_WEEKDAYS: Final = {
    "hai": 0, "ba": 1, "tu": 2, "nam": 3, "sau": 4, "bay": 5, "2": 0, "3": 1, "4": 2, "5": 3, "6": 4, "7": 5,
    "chu nhat": 6, "chua nhat": 6, "cn": 6, "cuoi tuan": 5, "weekend": 5, "monday": 0, "tuesday": 1, "wednesday": 2,
    "thursday": 3, "friday": 4, "saturday": 5, "sunday": 6,
}  # fmt: skip
_LONG_DATE = re.compile(r"\b(?:ngay |mong )?(\d{1,2}) thang (\d{1,2})(?: nam (\d{4}))?\b")
_MONTH = "|".join(_MONTHS)
_ENGLISH_DATE = re.compile(
    rf"\b(?:(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({_MONTH})|({_MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?)"
    r"(?:,? (\d{4}))?\b"
)
_DAY_OF_MONTH = re.compile(r"\bngay (\d{1,2})\b(?! ?(?:[/.-]|nua|sau\b|thang))")
_NEAR: Final = (
    (re.compile(r"\b(?:ngay kia|ngay mot|day after tomorrow)\b"), 2),
    (re.compile(r"\b(?:mai|tomorrow)\b"), 1),
    (re.compile(r"\b(?:hom nay|(?:sang|trua|chieu|evening|dem) nay|bua nay|today|tonight|this \w+)\b"), 0),
)
_PARTS: Final = (
    (MORNING, re.compile(r"\b(?:sang|morning)\b|(?<![a-z])a\.?m\b")),
    (NOON, re.compile(r"\b(?:trua|noon|midday)\b")),
    (AFTERNOON, re.compile(r"\b(?:chieu|xe|afternoon)\b")),
    (EVENING, re.compile(r"\b(?:evening|tonight)\b|(?<![a-z])p\.?m\b")),
    (NIGHT, re.compile(r"\b(?:dem|khuya|night|midnight)\b")),
)
# "toi" without marks is "tối" beside a day or behind an hour, else "tôi".
_BARE_EVENING = re.compile(
    r"\btoi(?= (?:mai|nay|hom|thu|t[2-7]\b|chu nhat|cn\b|ngay|mot\b|kia\b|luc|\d))"
    r"|(?<=\d[h ])\s*toi\b|(?<=gio )toi\b|(?<=\d)toi\b"
)
_CLOCK = re.compile(
    r"(?<![\d/.,-])(\d{1,2}) ?(?:(?::|gio|h|g) ?(?:(\d{2})(?! ?(?:phut )?nua)|(ruoi)|kem (\d{1,2}))?"
    r"|(?:(ruoi)\b)|(?=[ap]\.?m\b)|(?= (?:sang|trua|chieu|evening|dem)\b))(?![\d/])"
)
_BARE_HOUR = re.compile(r"\b(?:luc|vao luc|vao|at) (\d{1,2})(?! ?(?:[/.\-\d]|thang|phut|ngay))\b")


@dataclass(frozen=True, slots=True)
class NamedMoment:
    """What a text says of a moment: a day, the times of day that it may mean (none where it names no hour, two where
    morning or afternoon are both possible), a part of the day, or a whole moment ("in two hours").

    `unclear` is true for what nobody here can count with, such as days of the moon.
    """

    day: date | None = None
    times: tuple[time, ...] = ()
    part: str = ""
    moment: datetime | None = None
    unclear: bool = False

    def __bool__(self) -> bool:
        return bool(self.day or self.times or self.part or self.moment or self.unclear)


def read_named(text: str, now: datetime) -> NamedMoment:
    """Return what a text says of a moment to come, with and without marks, in the zone of `now`."""
    said = _flatten(text)
    if _LUNAR.search(said):
        return NamedMoment(unclear=True)
    whole = said
    later, said = _read_later(said, now)
    if isinstance(later, datetime):
        return NamedMoment(moment=later)
    part = next((name for name, words in _PARTS if words.search(said)), "")
    day, said, unclear = _read_date(said, now, part)
    times = _read_times(said, part)
    if times is None or unclear:
        return NamedMoment(unclear=True)
    if later is not None and day is None:
        day = now.date() + timedelta(days=later)
    if day is not None and times:
        if part == NIGHT and times[0].hour < _EARLY:  # "12 giờ đêm nay" is the end of the day
            day += timedelta(days=1)
        meant = times[-1] if times[0].hour < _EARLY else times[0]
        if day == now.date() and meant <= now.time() and _WEEKDAY.search(whole):
            day += timedelta(days=7)
    return NamedMoment(day, times, part)


def _flatten(text: str) -> str:
    marked = normalize("NFC", text.lower())
    marked = re.sub(r"\btối\b", " evening ", marked)
    marked = re.sub(r"\b(?:tôi|tớ)\b", " me ", marked)
    marked = re.sub(r"\bbây giờ\b|\bbây h\b", " ", marked)
    marked = re.sub(r"\bmốt\b", " ngay mot ", marked)
    said = " ".join(fold(marked).replace(",", " ").split())
    said = _BARE_EVENING.sub(" evening ", said)
    said = " ".join(said.split())
    # "bay gio" without marks is "now", unless a day or a part of one stands beside it.
    if not re.search(r"\b(?:sang|chieu|evening|mai|thu|ngay|chu nhat)\b", said):
        said = re.sub(r"\bbay gio\b", " ", said)
    return _SAID_HOUR.sub(lambda found: f"{_as_hour(found[1])} gio", said)


def _as_hour(words: str) -> int:
    if words == "hai muoi":
        return 20
    first, _, second = words.partition(" ")
    return int(_NUMBERS[first] + (_NUMBERS[second] if second else 0))


def _read_later(said: str, now: datetime) -> tuple[datetime | int | None, str]:
    """Read "in two hours" as a moment, "in three days" as a number of days."""
    for pattern in _LATER:
        if found := pattern.search(said):
            amount = float(found[1]) if found[1].isdecimal() else float(_NUMBERS[found[1]])
            minutes = (amount + (0.5 if found[3] else 0)) * _UNITS[found[2]]
            rest = f"{said[: found.start()]} {said[found.end() :]}"
            if _UNITS[found[2]] >= _UNITS["ngay"]:
                return max(1, round(minutes / _UNITS["ngay"])), rest
            at = now + timedelta(minutes=max(1, round(minutes)))
            return at.replace(second=0, microsecond=0), rest
    return None, said


def _read_date(said: str, now: datetime, part: str) -> tuple[date | None, str, bool]:
    """Return the day that is named, the text without it, and whether it is none that exists."""
    today = now.date()
    for pattern, places in ((_DAY, (1, 2, 3)), (_LONG_DATE, (1, 2, 3)), (_ENGLISH_DATE, ())):
        if found := pattern.search(said):
            if places:
                day, month, year = (int(found[place] or 0) for place in places)
            else:
                day, month = int(found[1] or found[4]), _MONTHS.index(found[2] or found[3]) + 1
                year = int(found[5] or 0)
            named = _next_date(today, day, month, year)
            return named, f"{said[: found.start()]} {said[found.end() :]}", named is None
    if found := _WEEKDAY.search(said):
        wanted = _WEEKDAYS[next(filter(None, found.groups()))]
        rest = f"{said[: found.start()]} {said[found.end() :]}"
        if _NEXT_WEEK.search(said):
            return today + timedelta(days=7 - today.weekday() + wanted), rest, False
        return today + timedelta(days=(wanted - today.weekday()) % 7), rest, False
    if found := _DAY_OF_MONTH.search(said):
        rest = f"{said[: found.start()]} {said[found.end() :]}"
        for month_on in (0, 1):
            month = (today.month - 1 + month_on) % 12 + 1
            year = today.year + (today.month - 1 + month_on) // 12
            try:
                named = date(year, month, int(found[1]))
            except ValueError:
                continue
            if named >= today:
                return named, rest, False
        return None, rest, True
    for word, days in _NEAR:
        if word.search(said):
            return today + timedelta(days=days), said, False
    if _NEXT_WEEK.search(said):
        return today + timedelta(days=7), said, False
    return None, said, False


def _next_date(today: date, day: int, month: int, year: int) -> date | None:
    if year > today.year + _YEARS_AHEAD:
        return None
    for one in (year,) if year else (today.year, today.year + 1):
        try:
            named = date(one, month, day)
        except ValueError:
            continue
        if year or named >= today:
            return named
    return None


def _read_times(said: str, part: str) -> tuple[time, ...] | None:
    """Return the times of day that a text may mean; None for an hour that no clock shows."""
    found = _CLOCK.search(said)
    if found is None:
        bare = _BARE_HOUR.search(said)
        if bare is None:
            return ()
        hour, minute, exact = int(bare[1]), 0, False
    else:
        hour, exact = int(found[1]), found[1].startswith("0")
        minute = 30 if found[3] or found[5] else int(found[2] or 0)
        if found[4]:
            hour, minute = hour - 1, 60 - int(found[4])
    if not 0 <= hour <= 24 or not 0 <= minute < 60:
        return None
    hour %= 24
    if part == MORNING and hour == _NOON:
        hour = 0
    later = {AFTERNOON: range(_NOON), EVENING: range(_NOON), NOON: range(1, 3), NIGHT: range(7, _NOON)}
    if part == NIGHT and hour == _NOON:
        hour = 0
    elif hour in later.get(part, ()):
        hour += _NOON
    if part or exact or hour in (0, _NOON) or hour > _NOON:
        return (time(hour, minute),)
    return time(hour, minute), time(hour + _NOON, minute)


def read_day(text: str, today: date) -> date | None:
    """Return the day that a text names, the next such one where no year stands there; None when it names none."""
    folded = fold(text)
    if found := _DAY.search(folded):
        return _next_date(today, *(int(part) if part else 0 for part in found.groups()))
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
