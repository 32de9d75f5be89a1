"""Rules that read hours: clock times, parts of the day, and amounts of time from now."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bot.text.dates.days import begins_clock, is_mot, names_day
from bot.text.dates.facts import IMPOSSIBLE, NOT_READ, UNITS, Facts, Found, Phrase
from bot.text.dates.words import AFTERNOON, EVENING, MONTHS, NIGHT, PARTS, WEEKDAYS

_MINUTES: Final = {"minute": 1, "hour": 60, "hours": 60}
_DAYS: Final = {"day": 1, "hôm": 1, "week": 7}
_HOURS, _HOUR, _NOON = 24, 60, 12
# "toi" behind these is "tôi": "nhac toi", "me toi".
_BEFORE_ME = (
    "nhac", "giup", "cho", "gium", "dum", "ho", "bao", "me", "bo", "ba", "con", "vo", "chong", "ong", "nha", "cua",
    "may", "anh", "chi", "em",
)  # fmt: skip
_BEFORE_OVER = ("doi", "chuyen", "hoan", "lui", "dich", "thanh", "de")  # "sang" behind these is "over to"


# -- parts of the day --------------------------------------------------------------------------------------------------


def read_part(said: Phrase, at: int) -> Found:
    """Read "sáng", "chiều nay", "tối mốt", "đêm nay", "nửa đêm", "tonight", "noon"."""
    if said.means(at, "tonight"):
        return at + 1, Facts(part=EVENING, offset=0)
    if said.means(at, "midday"):
        return at + 1, Facts(clock=(_NOON, 0), exact=True)
    if said.means(at, "midnight"):
        return at + 1, Facts(part=NIGHT, clock=(_NOON, 0))
    if said.means(at, "half") and part_at(said, at + 1) == NIGHT and (found := read_part(said, at + 1)):
        return found[0], replace(found[1], clock=(_NOON, 0))
    if said.says(at, "this") and (part := said.pick(at + 1, PARTS)):
        return at + 2, Facts(part=part, offset=0)
    part = part_at(said, at)
    if not part:
        return None
    end = at + 2 if said.says(at + 1, "som", "muon") else at + 1
    second = part_at(said, end)
    if part in (AFTERNOON, EVENING, NIGHT) and second in (EVENING, NIGHT):  # "chiều tối", "đêm khuya"
        part, end = second, end + 1
    if said.means(end, "nay", "this") and not said.pick(end + 1, WEEKDAYS):
        return end + 1, Facts(part=part, offset=0)
    later = 2 if said.means(end, "kia") or is_mot(said, end) else None
    return (end + (later is not None), Facts(part=part, offset=later))


def part_at(said: Phrase, at: int) -> str:
    """Return the part of the day that a word names, "" if it names none; its neighbours tell "toi" from "tôi"."""
    part = said.pick(at, PARTS)
    if not part or not said.words[at].bare:
        return part
    ambiguous = {"toi": _is_evening, "sang": _is_morning, "dem": _is_night, "chieu": _is_afternoon}
    is_meant = ambiguous.get(said.words[at].folded)
    return part if is_meant is None or is_meant(said, at) else ""


def is_last(said: Phrase, at: int) -> bool:
    """Return True for "tối qua", "chiều qua"; "nhac toi qua" is another thing."""
    mine = said.is_bare(at, "toi") and said.says(at - 1, *_BEFORE_ME)
    return said.means(at, *PARTS) and said.means(at + 1, "gone") and not mine


def _is_evening(said: Phrase, at: int) -> bool:
    if _ends_clock(said, at):
        return names_day(said, at + 1) or said.closes(at + 1)
    if said.says(at - 1, *_BEFORE_ME) and not said.follows_span(at):
        return False
    return names_day(said, at + 1) or begins_clock(said, at + 1)


def _is_morning(said: Phrase, at: int) -> bool:
    """Return True if "sang" is "sáng"; in a text with marks it is "sang"."""
    if said.marked or any(said.says(before, *_BEFORE_OVER) for before in range(at - 3, at)):
        return False
    return names_day(said, at + 1) or begins_clock(said, at + 1) or _ends_clock(said, at)


def _is_night(said: Phrase, at: int) -> bool:
    return names_day(said, at + 1) or _ends_clock(said, at)


def _is_afternoon(said: Phrase, at: int) -> bool:
    return not said.says(at - 1, "ho")  # "hộ chiếu"


def _ends_clock(said: Phrase, at: int) -> bool:
    """Return True if a clock time stands before this word, read already or not ("7 toi mai")."""
    if said.follows_span(at):
        return said.follows_clock(at)
    return said.means(at - 1, "hour", "rưỡi") or said.digits(at - 1) is not None


# -- clock times -------------------------------------------------------------------------------------------------------


def read_clock(said: Phrase, at: int) -> Found:
    """Read "8h30", "8 rưỡi", "8h kém 15", "mười chín giờ", "3pm", "7 tối", "at 7", "half past eight"."""
    if found := _english_clock(said, at):
        return found
    number = said.number(at)
    if number is None:
        return None
    hour, end = number
    if said.means(end, "hour") and _is_range(said, at, hour):
        return end + 1, NOT_READ
    exact = said.words[at].folded.startswith("0")
    if said.means(end, "hour") or (said.means(end, "g") and said.glued(end) and said.digits(end + 1) is not None):
        if said.is_bare(at, "bay", "sau") and not _has_neighbour(said, at, end + 1):
            return None  # "bay gio" is "bây giờ", "sau gio" is "sau giờ"
        return _with_minutes(said, end + 1, hour, exact=exact)
    if said.says(end, ":") and said.digits(end + 1, 2) is not None and said.glued(end) and said.glued(end + 1):
        seconds = 2 if said.says(end + 2, ":") and said.digits(end + 3, 2) is not None else 0
        return _meridiem(said, end + 2 + seconds, hour, said.digits(end + 1) or 0, exact=exact)
    if said.counted(at):
        return None
    if said.means(end, "rưỡi") or (said.means(end, "less") and said.number(end + 1)):
        return _with_minutes(said, end, hour, exact=exact)
    in_the = 2 if said.says(end, "in") and said.says(end + 1, "the") else 0
    if said.means(end, "am", "pm") or part_at(said, end + in_the) or _is_at(said, at, end):
        return _meridiem(said, end, hour, 0, exact=exact)
    return None


def _is_range(said: Phrase, at: int, hour: int) -> bool:
    """Return True if two hours are named: "hai ba giờ", "từ 2 đến 3 giờ"."""
    between = said.says(at - 1, ",", "-", "den", "hoac", "hay", "or", "to")
    before = at - 1 - between
    if before < 0 or said.counted(before) or (said.spans and said.spans[-1].end > before):
        return False
    first = said.words[before].number if said.words[before].number is not None else said.words[before].value
    return first is not None and (first < hour if between else first == hour - 1)


def _with_minutes(said: Phrase, at: int, hour: int, *, exact: bool) -> Found:
    """Read what may follow the sign of the hour: "30", "15 phút", "rưỡi", "kém 15"."""
    if said.means(at, "rưỡi"):
        return _meridiem(said, at + 1, hour, 30, exact=exact)
    if said.means(at, "less") and (less := said.number(at + 1)):
        end = less[1] + said.means(less[1], "minute")
        return _meridiem(said, end, hour - 1 or _NOON, _HOUR - less[0], exact=exact)
    begin = at + said.says(at, ":")
    number = said.number(begin)
    if number is None:
        return _meridiem(said, at, hour, 0, exact=exact)
    minute, end = number
    if said.means(end, "minute") or said.says(end, "'"):
        return _meridiem(said, end + 1, hour, minute, exact=exact)
    plain = said.glued(begin) or said.digits(begin, 2) is not None or (said.digits(begin) is None and minute >= 10)
    counts = said.means(end, *UNITS, "hour", *MONTHS, "ordinal") and not names_day(said, end)
    if plain and not counts and not said.says(end, "/", "-", ":"):
        return _meridiem(said, end, hour, minute, exact=exact)
    return _meridiem(said, at, hour, 0, exact=exact)


def _meridiem(said: Phrase, at: int, hour: int, minute: int, *, exact: bool) -> Found:
    """Read "am", "pm" and "o'clock" behind a clock time, and refuse what no clock shows."""
    half = said.pick(at, ("am", "pm"))
    if half:
        at, exact = at + 1, True
        hour = hour % _NOON + (_NOON if half == "pm" else 0) if hour <= _NOON else hour
    if said.says(at, "o") and said.says(at + 1, "'") and said.says(at + 2, "clock"):
        at += 3
    if not 0 <= hour <= _HOURS or not 0 <= minute < _HOUR or (hour == _HOURS and minute):
        return at, Facts(unclear=IMPOSSIBLE)
    return at, Facts(clock=(hour, minute), exact=exact)


def _has_neighbour(said: Phrase, at: int, end: int) -> bool:
    minutes = said.number(end)
    if said.means(end, "rưỡi", "less") or (minutes and said.means(minutes[1], "minute")):
        return True
    return said.follows_span(at) or said.means(at - 1, "at") or bool(part_at(said, end)) or names_day(said, end)


def _is_at(said: Phrase, at: int, end: int) -> bool:
    """Return True if "lúc 7", "at seven" or "seven o'clock" names an hour without its sign."""
    if said.says(end, "o") and said.says(end + 2, "clock"):
        return True
    if not said.means(at - 1, "at") or (said.says(end, "/", "-", ".") and said.digits(end + 1) is not None):
        return False
    return not said.means(end, *UNITS, "ordinal", *MONTHS)


def _english_clock(said: Phrase, at: int) -> Found:
    """Read "half past eight", "a quarter to nine"."""
    begin = at + said.says(at, "a")
    quarter = said.means(begin, "quarter")
    if not (quarter or said.says(begin, "half")) or not said.says(begin + 1, "past", "to"):
        return None
    hour = said.number(begin + 2)
    if hour is None:
        return None
    if said.says(begin + 1, "past"):
        return _meridiem(said, hour[1], hour[0], 15 if quarter else 30, exact=False)
    return _meridiem(said, hour[1], hour[0] - 1 or _NOON, 45, exact=False) if quarter else None


# -- from now ----------------------------------------------------------------------------------------------------------


def read_duration(said: Phrase, at: int) -> Found:
    """Read "2 giờ nữa", "nửa tiếng nữa", "sau 30 phút", "in half an hour", "ba ngày nữa"."""
    asks = said.means(at, "after", "in") and not said.follows_span(at)
    begin = at + asks
    if asks and said.says(begin, "vong", "khoang"):
        begin += 1
    amount = _amount(said, begin)
    if amount is None:
        return None
    end, facts = amount
    suffix = _suffix(said, end)
    if suffix is None:
        return end, NOT_READ
    if (not suffix and not asks) or (facts.spare is not None and said.means(at - 1, "at")):
        return None  # "lúc 19h nữa" is at 19h as well
    if not suffix and facts.spare is not None and said.means(at, "after"):
        return end, NOT_READ  # "sau 2 giờ": in two hours, or after two o'clock
    return end + suffix, facts


def _suffix(said: Phrase, at: int) -> int | None:
    """Return how many words say "from now"; None if it is from something else ("2 ngày sau khi tiêm")."""
    if said.means(at, "after"):
        if said.says(at + 1, "khi", "luc", "tet", "tiem") or names_day(said, at + 1):
            return None
        return 2 if said.means(at + 1, "more") else 1
    if said.means(at, "more", "later"):
        return 1
    return 2 if said.says(at, "from") and said.says(at + 1, "now") else 0


def _amount(said: Phrase, at: int) -> Found:
    """Read an amount of time, such as "một tiếng rưỡi", "1h30 phút", "nửa ngày", "a week"."""
    half = said.means(at, "half")
    begin = at + half
    if said.means(begin, "a") and said.means(begin + 1, *_MINUTES, *_DAYS, "month", "year"):
        number, end = 1, begin + 1
    elif half:
        number, end = 1, begin
    elif found := said.number(at):
        number, end = found
    else:
        return None
    if unit := said.pick(end, _MINUTES):
        return _short_amount(said, end + 1, number, unit, half=half)
    if half:
        return (end + 1, Facts(minutes=_NOON * _HOUR)) if said.means(end, "day") else None
    if said.means(end + 1, "rưỡi"):
        return None
    if unit := said.pick(end, _DAYS):
        return end + 1, Facts(offset=number * _DAYS[unit])
    months = {"month": 1, "year": 12}.get(said.pick(end, ("month", "year")))
    return (end + 1, Facts(months_on=number * months)) if months else None


def _short_amount(said: Phrase, at: int, number: int, unit: str, *, half: bool) -> Found:
    minutes = number * _MINUTES[unit] // (2 if half else 1)
    if said.says(at, "dong") and said.says(at + 1, "ho"):
        return at + 2, Facts(minutes=minutes)
    may_be_clock = unit == "hour" and not half and number <= _HOURS
    more, end = 0, at
    if unit != "minute" and said.means(at, "rưỡi"):
        more, end = 30, at + 1
    elif said.says(at, "and") and said.says(at + 1, "a") and said.means(at + 2, "half"):
        more, end = 30, at + 3
    elif unit != "minute" and (found := said.number(at)) and found[0] < _HOUR:
        if said.means(found[1], "minute"):
            more, end = found[0], found[1] + 1
        elif said.means(found[1], "more"):
            more, end = found
    return end, Facts(minutes=minutes + more, spare=(number, more) if may_be_clock else None)
