"""Rules that read days: dates, weekdays, weeks, months, years, and days from today."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.text.dates.facts import IMPOSSIBLE, NOT_READ, Facts, Found, Phrase
from bot.text.dates.words import MONTHS, WEEKDAYS

_SECTIONS: Final = {"early": "dau", "mid": "giua", "late": "cuoi"}
_PEOPLE = ("con", "be", "chau", "nguoi", "em")  # "con thứ hai" is a child, "nhắc con thứ hai" a Monday
_ASKING = ("nhac", "cho", "giup", "bao")
_ORDINALS = ("lan", "mui", "lieu", "buoc", "cai", "cach", "muc", "y", "cau", "dong", "dot", "trang", "vong", "phan")
_CENTURY = 2000


def names_day(said: Phrase, at: int) -> bool:
    """Return True if a day begins here."""
    return said.means(at, "nay") or any(rule(said, at) for rule in (read_date, read_weekday, read_relative))


def begins_clock(said: Phrase, at: int) -> bool:
    """Return True if a clock time begins here, as far as its first two words tell."""
    number = said.number(at)
    return number is not None and (said.means(number[1], "hour", "rưỡi", "am", "pm") or said.says(number[1], ":"))


# -- dates -------------------------------------------------------------------------------------------------------------


def read_date(said: Phrase, at: int) -> Found:
    """Read "24/11", "2026-11-24", "ngày 31", "25 tháng 11", "10 December 2026", "the 5th"."""
    begin = at + 1 if said.means(at, "day") else at
    if begin == at and said.counted(at):
        return None
    if found := _numeric_date(said, begin) or _english_date(said, begin):
        return found
    number = said.number(begin)
    if number is None or is_mot(said, begin):
        return None
    day, end = number
    if said.means(end, "ordinal") and said.glued(end):
        return end + 1, Facts(day=day)
    if begin == at:
        return (end, Facts(day=day)) if said.means(end, "month") and said.number(end + 1) else None
    if said.means(end, "hour", "g") or said.says(end, "lan", "vien", "cu", "bua", ":", "/"):
        return None
    return (end, Facts(day=day)) if not said.is_bare(begin, "sau") or said.means(end, "month") else None


def _numeric_date(said: Phrase, at: int) -> Found:
    if said.glued(at) and said.says(at - 1, "/", ".", "-", ":"):
        return None  # in the middle of a longer row of digits
    end, signs = at, set()
    numbers = [said.digits(at)]
    while _joined(said, end) and len(numbers) < 4:
        signs.add(said.words[end + 1].folded)
        end += 2
        numbers.append(said.digits(end))
    if not 2 <= len(numbers) <= 3 or len(signs) > 1:
        return None
    if said.means(end + 1, "hour"):
        return end + 2, NOT_READ  # "8-9h"
    if len(numbers) == 3 and said.digits(at, 4) is not None and said.digits(end, 1, 2) is not None:
        numbers.reverse()
        end += said.says(end + 1, "t") and said.digits(end + 2) is not None  # as machines write: 2026-11-24T08:30
    elif None in (said.digits(at, 1, 2), said.digits(at + 2, 1, 2)) or (
        len(numbers) == 3 and said.digits(end, 2, 4) is None
    ):
        return None
    day, month, year = (*numbers, None)[:3]
    if year is not None and said.digits(end, 2) is not None and len(numbers) == 3 and year < 100:
        year += _CENTURY
    return end + 1, Facts(day=day, month=month, year=year)


def _joined(said: Phrase, at: int) -> bool:
    """Return True if a number goes on behind a sign, as in "24/11", "24.11" or "24 / 11"."""
    if said.digits(at) is None or said.digits(at + 2) is None:
        return False
    return said.says(at + 1, "/") or (said.says(at + 1, ".", "-") and said.glued(at + 1) and said.glued(at + 2))


def _english_date(said: Phrase, at: int) -> Found:
    number, end = said.digits(at), at
    if number is not None:
        end = _after_ordinal(said, at + 1)
        end += said.says(end, "of")
    name = said.pick(end, MONTHS)
    if not name:
        return None
    end += 1
    if number is None:
        number = said.digits(end, 1, 2)
        if number is None:
            certain = name not in ("may", "march") or said.says(at - 1, "in", "next", "this")
            return (end, Facts(month=MONTHS.index(name) + 1)) if certain else None
        end = _after_ordinal(said, end + 1)
    facts = Facts(day=number, month=MONTHS.index(name) + 1)
    year = end + said.says(end, ",")
    if said.digits(year, 4) is not None:
        return year + 1, replace(facts, year=said.digits(year))
    return end, facts


def _after_ordinal(said: Phrase, at: int) -> int:
    return at + 1 if said.means(at, "ordinal") and said.glued(at) else at


# -- weekdays and weeks ------------------------------------------------------------------------------------------------


def read_weekday(said: Phrase, at: int) -> Found:
    """Read "thứ hai", "t7", "chủ nhật tuần sau", "thu sau toi", "next Monday"."""
    if said.says(at, "next", "this", "coming") and (name := said.pick(at + 1, WEEKDAYS)):
        prefix = said.words[at].folded
        facts = Facts(weekday=WEEKDAYS.index(name), this=prefix == "this", not_today=prefix == "coming")
        return at + 2, replace(facts, week=1) if prefix == "next" else facts
    found = _weekday(said, at)
    if found is None:
        return None
    weekday, end = found
    if not 0 <= weekday < len(WEEKDAYS):
        return end, Facts(unclear=IMPOSSIBLE)
    return _which(said, end, Facts(weekday=weekday))


def _weekday(said: Phrase, at: int) -> tuple[int, int] | None:
    """Return a weekday, 0 is Monday, and where it ends; another number for what is none ("thứ 9")."""
    if name := said.pick(at, WEEKDAYS):
        return WEEKDAYS.index(name), at + 1
    if said.means(at, "chủ") and said.means(at + 1, "nhật"):
        return 6, at + 2
    digit = said.digits(at + 1)
    if said.says(at, "t"):
        short = said.glued(at + 1) and not said.glued(at) and digit in range(2, 8)
        return (digit - 2, at + 2) if short and digit is not None else None
    if not said.means(at, "thứ") or at + 1 >= len(said.words) or _is_ordinal(said, at):
        return None
    if digit is not None:
        return digit - 2 if digit in range(2, 8) else -1, at + 2
    value = said.words[at + 1].value
    return (value - 2, at + 2) if value in range(2, 8) and value is not None else None


def _is_ordinal(said: Phrase, at: int) -> bool:
    """Return True if "thứ hai" counts: "lần thứ hai", "mũi thứ ba", "thu ba lan" (thử)."""
    if said.is_bare(at, "thu") and said.says(at + 2, "lan"):
        return True
    if said.follows_span(at):
        return False
    return said.says(at - 1, *_ORDINALS) or (said.says(at - 1, *_PEOPLE) and not said.says(at - 2, *_ASKING))


def _which(said: Phrase, at: int, facts: Facts) -> Found:
    """Read what follows a weekday: "này", "sau", "tới", "tuần này", "tuần sau", "vừa rồi"."""
    if said.means(at, "week") and (found := read_week(said, at)):
        return found[0], replace(facts, week=found[1].week, unclear=found[1].unclear)
    if said.means(at, "this", "nay") and not said.means(at + 1, "week"):
        return at + 1, replace(facts, this=True)
    if said.means(at, "after") and not said.says(at + 1, "khi"):
        return at + 1, replace(facts, week=1)
    if said.means(at, "coming"):
        return at + 1, replace(facts, not_today=True)
    end = at + said.means(at, "week") + said.says(at, "vua")
    if said.means(end, "ago", "gone"):
        return end + 1, replace(facts, past=True)
    return at, facts


def read_week(said: Phrase, at: int) -> Found:
    """Read "tuần sau", "tuần tới", "cuối tuần này", "sang tuần", "next week", "this weekend"."""
    section = None
    if said.means(at, "section") and said.means(at + 1, "week"):
        section = _SECTIONS.get(said.words[at].folded, said.words[at].folded)
        at += 1
    prefix = _prefix(said, at)
    if prefix and said.means(at + 1, "week", "weekend"):
        section = "cuoi" if said.means(at + 1, "weekend") else section
        return at + 2, Facts(week=0 if prefix == "this" else 1, section=section)
    if said.means(at, "weekend"):
        return at + 1, Facts(section="cuoi")
    if not said.means(at, "week"):
        return None
    if said.means(at + 1, "after", "coming"):
        if said.means(at + 1, "after") and said.means(at + 2, "more"):
            return at + 3, NOT_READ if said.adds else Facts(week=2, section=section)  # "tuần sau nữa"
        return at + 2, Facts(week=1, section=section)
    if said.means(at + 1, "this", "nay"):
        return at + 2, Facts(week=0, section=section)
    return (at + 1, Facts(section=section)) if section else None


# -- days from today, months, years ------------------------------------------------------------------------------------


def read_relative(said: Phrase, at: int) -> Found:
    """Read "hôm nay", "ngày mai", "mốt", "ngày kia", "tomorrow", "day after tomorrow"."""
    if said.says(at, "day") and said.means(at + 1, "after") and said.means(at + 2, "tomorrow"):
        return at + 3, Facts(offset=2)
    begin = at + 1 if said.means(at, "day") else at
    if said.means(begin, "hôm"):
        offset = 0 if said.means(begin + 1, "nay", "this") else 2 if said.means(begin + 1, "mốt") else None
        return (begin + 2, Facts(offset=offset)) if offset is not None else None
    if said.means(begin, "today"):
        return begin + 1, Facts(offset=0)
    if said.means(begin, "tomorrow") and not said.says(begin - 1, "bach", "hoang", "tuong"):
        return begin + 1, Facts(offset=1)
    if (begin > at and said.means(begin, "kia", "mốt")) or is_mot(said, begin):
        return begin + 1, Facts(offset=2)
    if said.is_bare(at, "nay") and (begins_clock(said, at + 1) or said.follows_clock(at)):
        return at + 1, Facts(offset=0)
    return None


def is_mot(said: Phrase, at: int) -> bool:
    """Return True for "mốt"; without its mark it is that only where "một" would count nothing."""
    if not said.means(at, "mốt") or not said.words[at].bare:
        return said.means(at, "mốt")
    return begins_clock(said, at + 1) or said.closes(at + 1) or said.says(at + 1, "nhac", "luc", "vao")


def _prefix(said: Phrase, at: int) -> str:
    """Return what stands before a week, a month or a year; "sang tuần này" is this week, and "sang" says nothing."""
    if said.says(at, "next", "this"):
        return said.words[at].folded
    modified = said.means(at + 2, "this", "nay", "after", "coming")
    return "over" if said.means(at, "over") and not modified else ""


def read_month(said: Phrase, at: int) -> Found:
    """Read "tháng 6", "tháng sau", "sang tháng", "next month"."""
    prefix = _prefix(said, at)
    begin = at + 1 if prefix else at
    if not said.means(begin, "month") or said.means(begin - 1, "day"):
        return None  # "ngày tháng năm sinh"
    if said.is_bare(begin + 1, "sau") and not said.marked:
        return begin + 2, NOT_READ  # "tháng sau" or "tháng sáu"
    if number := said.number(begin + 1):
        return number[1], Facts(month=number[0])
    if prefix:
        return begin + 1, Facts(months=0 if prefix == "this" else 1)
    if said.means(begin + 1, "after", "coming"):
        return begin + 2, Facts(months=1)
    return (begin + 2, Facts(months=0)) if said.means(begin + 1, "this", "nay") else None


def read_year(said: Phrase, at: int) -> Found:
    """Read "năm 2027", "sang năm", "năm sau", "next year"."""
    prefix = _prefix(said, at)
    begin = at + 1 if prefix else at
    if not said.means(begin, "year"):
        return None
    if (year := said.digits(begin + 1, 4)) is not None:
        return begin + 2, Facts(year=year)
    if prefix:
        return begin + 1, Facts(years=0 if prefix == "this" else 1)
    if said.means(begin + 1, "after", "coming"):
        return begin + 2, Facts(years=1)
    return (begin + 2, Facts(years=0)) if said.means(begin + 1, "nay") else None
