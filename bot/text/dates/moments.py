"""What a text says of a moment to come, reckoned from now: the one reader of dates, for citizens and officers alike.

Called by reminders, broadcasts, the desk and the command line, through `bot.text.dates`. Nothing is guessed: what is
not fully read, contradicts itself or does not exist is `unclear`; an hour that may be morning or evening stays both.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.text.dates.facts import CONFLICT, IMPOSSIBLE, Facts
from bot.text.dates.grammar import read_phrase
from bot.text.dates.words import AFTERNOON, EVENING, MORNING, NIGHT, NOON

_NOON_HOUR, _MIDNIGHT, _WEEK = 12, 24, 7
_YEARS_AHEAD = 100  # a year beyond is a slip, or an attack on the arithmetic
_LEAP = 8  # years in which a 29th of February is certain to come
# Which hours, as said, belong to a part of the day, and how many hours are added to them.
_PART_HOURS: Final = {
    MORNING: {**dict.fromkeys(range(_NOON_HOUR), 0), 12: -12},
    NOON: {**dict.fromkeys(range(10, 15), 0), 1: 12, 2: 12},
    AFTERNOON: {**dict.fromkeys(range(12, 19), 0), **dict.fromkeys(range(1, 8), 12)},
    EVENING: {**dict.fromkeys(range(17, 25), 0), **dict.fromkeys(range(5, 13), 12), 0: 24},
    NIGHT: {**dict.fromkeys(range(18, 25), 0), **dict.fromkeys(range(7, 13), 12), **dict.fromkeys(range(6), 24)},
}
_SECTION_DAYS: Final = {"dau": (0, 1), "giua": (2, 2), "cuoi": (5, 6), "": (0, 6)}


@dataclass(frozen=True, slots=True)
class NamedMoment:
    """What a text says of a moment: a day, or a `period` of days to choose from; a clock time as said, a part of the
    day; or the whole moment ("in two hours"). Each may be missing.

    `weekly` is true for a day that stands for a week later if its hour is over ("thứ hai 9h" on a Monday at noon);
    `exact` if the clock is one of 24 hours. `unclear` says why nothing is made of the text, "" if it is clear.
    """

    day: date | None = None
    weekly: bool = False
    period: tuple[date, date] | None = None
    part: str = ""
    clock: tuple[int, int] | None = None
    exact: bool = False
    moment: datetime | None = None
    unclear: str = ""

    def __bool__(self) -> bool:
        return bool(self.day or self.period or self.part or self.clock or self.moment or self.unclear)

    def moments(self, now: datetime) -> tuple[datetime, ...]:
        """Return the moments that may be meant, as said first, in the zone of `now`.

        There are none where the hour or the day is missing, and two where morning and evening are both possible.
        Without a day it is the next such hour.
        """
        if self.moment is not None:
            return (self.moment,)
        if self.period is not None and self.day is None:
            return ()
        return tuple(self._at(hour, minute, now) for hour, minute in self.hours())

    def hours(self) -> tuple[tuple[int, int], ...]:
        """Return the clock times that may be meant; hours of 24 and more are those of the next day."""
        if self.clock is None:
            return ()
        hour, minute = self.clock
        if self.part:
            return ((hour + _PART_HOURS[self.part][hour], minute),)
        if self.exact or not 0 < hour < _NOON_HOUR:
            return (self.clock,)
        return self.clock, (hour + _NOON_HOUR, minute)

    def _at(self, hour: int, minute: int, now: datetime) -> datetime:
        days, hour = divmod(hour, _MIDNIGHT)
        at = datetime.combine(self.day or now.date(), time(hour, minute), now.tzinfo)
        if self.day is None:
            return at if at > now else at + timedelta(days=1)
        at += timedelta(days=days)
        return at + timedelta(days=_WEEK) if self.weekly and at <= now else at

    def may_mean(self, at: datetime) -> bool:
        """Return True unless something that was said speaks of another moment than this, in local time."""
        if self.unclear or (self.moment is not None and self.moment != at):
            return False
        day, hour = at.date(), at.hour
        if self.day not in (None, day) or (self.period and not self.period[0] <= day <= self.period[1]):
            return False
        if self.clock is None:
            return not self.part or hour in {(said + more) % _MIDNIGHT for said, more in _PART_HOURS[self.part].items()}
        return any((said % _MIDNIGHT, minute) == (hour, at.minute) for said, minute in self.hours())

    def completed(self, earlier: NamedMoment) -> NamedMoment:
        """Return this moment with what it does not say itself taken from what was said before."""
        if self.unclear or self.moment is not None or not earlier or earlier.unclear:
            return self
        known = self
        if known.day is None and known.period is None:
            known = replace(known, day=earlier.day, weekly=earlier.weekly, period=earlier.period)
        elif known.day is not None and known.weekly and earlier.period is not None:
            known = replace(known, day=_weekday_within(known.day, earlier.period), weekly=False)
        part = known.part or ("" if known.clock and earlier.clock else earlier.part)
        clock, exact = (known.clock, known.exact) if known.clock else (earlier.clock, earlier.exact)
        if clock is None or _fits(part, clock):
            return replace(known, part=part, clock=clock, exact=exact)
        return known


def _weekday_within(day: date, period: tuple[date, date]) -> date:
    """Return the day of this weekday that lies in a period, the day itself if there is none."""
    later = max(0, -((day - period[0]).days // _WEEK)) * _WEEK
    moved = day + timedelta(days=later)
    return moved if period[0] <= moved <= period[1] else day


NOTHING = NamedMoment()


@dataclass(frozen=True, slots=True)
class Named:
    """A moment as a text names it, and the other words of the text (`bot.text.dates.grammar.Reading`)."""

    moment: NamedMoment
    rest: str


def read(text: str, now: datetime) -> Named:
    """Return what a text says of a moment to come, wherever it stands in it; `now` is local time."""
    reading = read_phrase(text)
    return Named(_reckon(reading.facts, now), reading.rest)


def read_moment(text: str, now: datetime) -> datetime | None:
    """Return the moment that a text names, in the zone of `now`, its hour taken as said; without a day the next one.

    None if the text is unclear, names no hour, or a moment that is over.
    """
    moments = read(text, now).moment.moments(now)
    return moments[0] if moments and moments[0] > now else None


def read_day(text: str, today: date) -> date | None:
    """Return the day that a text names, the next such one where no year stands there; None when it names none."""
    named = read(text, datetime.combine(today, time())).moment
    return None if named.unclear else named.day


def _fits(part: str, clock: tuple[int, int]) -> bool:
    return not part or clock[0] in _PART_HOURS[part]


def _reckon(facts: Facts, now: datetime) -> NamedMoment:
    if facts.unclear:
        return NamedMoment(unclear=facts.unclear)
    if facts.clock and facts.part and not _fits(facts.part, facts.clock):
        return NamedMoment(unclear=CONFLICT)
    if facts.minutes is not None:
        return _from_now(facts, now)
    try:
        day, period = _days(facts, now.date())
    except OverflowError:
        return NamedMoment(unclear=IMPOSSIBLE)
    except _NoSuchDayError as error:
        return NamedMoment(unclear=error.reason)
    weekly = facts.weekday is not None and facts == replace(
        Facts(weekday=facts.weekday), part=facts.part, clock=facts.clock, exact=facts.exact, section=facts.section
    )
    return NamedMoment(day, weekly, period, facts.part or "", facts.clock, facts.exact)


def _from_now(facts: Facts, now: datetime) -> NamedMoment:
    if facts != Facts(minutes=facts.minutes):
        return NamedMoment(unclear=CONFLICT)
    try:
        moment = now + timedelta(minutes=facts.minutes or 0)
    except OverflowError:
        return NamedMoment(unclear=IMPOSSIBLE)
    return NamedMoment(moment=moment.replace(second=0, microsecond=0))


class _NoSuchDayError(Exception):
    """Says why the days that a text names lead to none."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _days(facts: Facts, today: date) -> tuple[date | None, tuple[date, date] | None]:
    """Return the day that is named, or the first and last of several. Raise _NoSuchDayError if there is none."""
    named = {day for day in (_relative(facts, today), _dated(facts, today)) if day is not None}
    if facts.weekday is not None and not named:
        named.add(_weekday(facts, facts.weekday, today))
    if len(named) > 1:
        raise _NoSuchDayError(CONFLICT)
    if not named:
        return None, _period(facts, today)
    day = named.pop()
    if not _agrees(facts, day, today):
        raise _NoSuchDayError(CONFLICT)
    return day, None


def _agrees(facts: Facts, day: date, today: date) -> bool:
    """Return True if nothing else that was said contradicts a day."""
    monday = today - timedelta(days=today.weekday())
    return (
        facts.weekday in (None, day.weekday())
        and (facts.week is None or (day - monday).days // _WEEK == facts.week)
        and (facts.section is None or _in_section(day, facts.section))
        and facts.month in (None, day.month)
        and facts.year in (None, day.year)
        and (facts.years is None or today.year + facts.years == day.year)
        and (facts.months is None or _month(today, facts.months) == (day.year, day.month))
    )


def _in_section(day: date, section: str) -> bool:
    first, last = _SECTION_DAYS[section]
    return first <= day.weekday() <= last


def _relative(facts: Facts, today: date) -> date | None:
    if facts.offset is not None and facts.months_on is not None:
        raise _NoSuchDayError(CONFLICT)
    if facts.offset is not None:
        return today + timedelta(days=facts.offset)
    if facts.months_on is None:
        return None
    year, month = _month(today, facts.months_on)
    return _day(year, month, min(today.day, monthrange(year, month)[1]), today)


def _month(today: date, months: int) -> tuple[int, int]:
    """Return year and month some months from the present one. Raise OverflowError if no calendar has them."""
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    if year > today.year + _YEARS_AHEAD:
        raise OverflowError
    return year, month + 1


def _day(year: int, month: int, day: int, today: date) -> date:
    if year > today.year + _YEARS_AHEAD:
        raise _NoSuchDayError(IMPOSSIBLE)
    try:
        return date(year, month, day)
    except ValueError:
        raise _NoSuchDayError(IMPOSSIBLE) from None


def _dated(facts: Facts, today: date) -> date | None:
    """Return the date that is named: the next such one where year or month is missing."""
    if facts.day is None:
        return None
    year = facts.year if facts.year is not None else today.year + facts.years if facts.years is not None else None
    if facts.months is not None:
        return _day(*_month(today, facts.months), facts.day, today)
    if facts.month is not None and year is not None:
        return _day(year, facts.month, facts.day, today)
    if facts.month is not None:
        return _next(today, [(today.year + more, facts.month) for more in range(_LEAP + 1)], facts.day)
    if year is not None:
        raise _NoSuchDayError(IMPOSSIBLE)
    return _next(today, [_month(today, more) for more in range(12)], facts.day)


def _next(today: date, months: list[tuple[int, int]], day: int) -> date:
    for year, month in months:
        if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] and date(year, month, day) >= today:
            return date(year, month, day)
    raise _NoSuchDayError(IMPOSSIBLE)


def _weekday(facts: Facts, weekday: int, today: date) -> date:
    if facts.week is not None:
        return today + timedelta(days=facts.week * _WEEK + weekday - today.weekday())
    days = (weekday - today.weekday()) % _WEEK
    return today + timedelta(days=days or (_WEEK if facts.not_today else 0))


def _period(facts: Facts, today: date) -> tuple[date, date] | None:
    """Return the days that "tuần sau", "cuối tuần" or "tháng 6 sang năm" leave to choose from."""
    if facts.week is not None or facts.section is not None:
        monday = today + timedelta(days=(facts.week or 0) * _WEEK - today.weekday())
        first, last = (monday + timedelta(days=days) for days in _SECTION_DAYS[facts.section or ""])
        over = facts.week is None and last < today
        return (first + timedelta(days=_WEEK), last + timedelta(days=_WEEK)) if over else (max(first, today), last)
    if facts.months is not None:
        year, month = _month(today, facts.months)
    elif facts.month is not None:
        year = facts.year or (today.year + facts.years if facts.years is not None else 0)
        year, month = (year, facts.month) if year else (today.year + (facts.month < today.month), facts.month)
    elif (facts.years or 0) > 0 or (facts.year or 0) > today.year:
        year = facts.year or today.year + (facts.years or 0)
        return _day(year, 1, 1, today), date(year, 12, 31)
    else:
        return None
    first = _day(year, month, 1, today)
    last = date(year, month, monthrange(year, month)[1])
    return (max(first, today) if last >= today else first), last
