"""Goes through a text once and puts together what its spans say; knows no clock.

Called by `bot.text.dates.moments`. Words like those of a date that no rule takes, and spans that contradict each other,
make the whole unclear; they are never left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace

from bot.text.dates.days import read_date, read_month, read_relative, read_week, read_weekday, read_year
from bot.text.dates.facts import (
    CONFLICT,
    LUNAR,
    NOT_READ,
    PUNCTUATION,
    REASONS,
    UNITS,
    UNREAD,
    Facts,
    Found,
    Phrase,
    Span,
)
from bot.text.dates.hours import is_last, part_at, read_clock, read_duration, read_part
from bot.text.dates.words import PARTS, WEEKDAYS, Word, listed, split_words

_CONNECTORS = listed("luc vao khoang tam co dung on at the of in buoi around about by ngay la")
_OVER, _IS_LUNAR = Facts(past=True), Facts(unclear=LUNAR)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, and its other words without marks.

    In `rest`, "@" stands for each moment, "~" for one that is over ("hôm qua lúc 9h"), "," for punctuation.
    """

    facts: Facts
    rest: str


def read_phrase(text: str) -> Reading:
    """Return what a text says of a moment, wherever it stands in it."""
    said = Phrase(split_words(text))
    at = 0
    while at < len(said.words):
        rules = _RULES if said.words[at].may_begin else ()
        found = next((found for rule in rules if (found := rule(said, at))), None)
        if found is not None:
            said.spans.append(Span(at, found[0], NOT_READ if _is_limit(said, at) else found[1]))
        at = found[0] if found else at + 1
    clusters = _clusters(said)
    facts = _merged([span.facts for cluster in clusters if not _is_over(cluster) for span in cluster])
    if facts.spare is not None:
        facts = _settled(facts, adds=said.adds)
    return Reading(facts, _rest(said.words, clusters))


def _is_limit(said: Phrase, at: int) -> bool:
    """Return True if "trước" or "after" stands before a moment: it is none, but a limit."""
    return said.means(at - 1, "before", "after") and not said.follows_span(at)


def _clusters(said: Phrase) -> list[list[Span]]:
    """Put spans together between which only words such as "lúc" stand."""
    found: list[list[Span]] = []
    for span in said.spans:
        if found and all(word.folded in _CONNECTORS for word in said.words[found[-1][-1].end : span.start]):
            found[-1].append(span)
        else:
            found.append([span])
    return found


def _is_over(cluster: list[Span]) -> bool:
    return any(span.facts.past for span in cluster)


def _merged(spans: list[Facts]) -> Facts:
    """Return what all spans say together; unclear if one is, or if two differ."""
    values: dict[str, object] = {}
    reasons = {span.unclear for span in spans}
    for field in fields(Facts):
        said = {value for span in spans if (value := getattr(span, field.name)) is not None and value is not False}
        if len(said) > 1 and field.name != "unclear":
            reasons.add(CONFLICT)
        elif said:
            values[field.name] = said.pop()
    values["unclear"] = next((reason for reason in REASONS if reason in reasons), None)
    return Facts(**values)  # type: ignore[arg-type]


def _settled(facts: Facts, *, adds: bool) -> Facts:
    """Decide what "12h nữa" is: beside a day or a part of one it is a clock time, else a time from now."""
    if all(value is None for value in (facts.offset, facts.day, facts.weekday, facts.part)):
        return replace(facts, spare=None, unclear=facts.unclear or (UNREAD if adds else None))
    if facts.clock not in (None, facts.spare):
        return replace(facts, unclear=facts.unclear or CONFLICT)
    return replace(facts, minutes=None, clock=facts.spare, spare=None)


def _rest(words: list[Word], clusters: list[list[Span]]) -> str:
    said: list[str] = []
    at = 0
    for cluster in clusters:
        said += _spoken(words[at : cluster[0].start])
        while said and said[-1] in _CONNECTORS:
            said.pop()
        if cluster[0].facts.part is None and "over" in words[cluster[0].start].meanings:
            said.append(words[cluster[0].start].folded)  # "sang tuần": the week is named, and something is moved
        said.append("~" if _is_over(cluster) else "@")
        at = cluster[-1].end
    return " ".join(said + _spoken(words[at:]))


def _spoken(words: Iterable[Word]) -> list[str]:
    return ["," if word.folded in PUNCTUATION else word.folded for word in words]


# -- what is over, and what nobody can count with ----------------------------------------------------------------------


def _read_over(said: Phrase, at: int) -> Found:
    """Read "hôm qua", "tối qua", "tuần trước", "3 ngày trước", "hồi sáng", "two days ago"."""
    if said.means(at, "yesterday") or (said.means(at, "just now") and not said.words[at].bare):
        return at + 1, _OVER
    pairs = (
        said.means(at, "hôm") and (said.means(at + 1, "gone", "kia", "ago") or said.says(at + 1, "bua")),
        said.means(at, "back then") and said.means(at + 1, "just now", *PARTS) and not said.is_bare(at + 1, "toi"),
        is_last(said, at),
        said.means(at, "week", "month", "year") and said.means(at + 1, "ago", "gone"),
        said.means(at, "last") and said.means(at + 1, "week", "month", "year", "night", *WEEKDAYS),
    )
    if any(pairs):
        return at + 2, _OVER
    amount = said.number(at) or ((0, at + 1) if said.means(at, "some") else None)
    if amount and said.means(amount[1], *UNITS, "hour") and said.means(amount[1] + 1, "ago", "gone"):
        return amount[1] + 2, _OVER
    if amount and said.means(amount[1], *UNITS) and said.means(amount[1] + 1, "nay"):
        return amount[1] + 2, _OVER  # "3 ngày nay"
    return None


def _read_vague(said: Phrase, at: int) -> Found:
    """Read what nobody here can count with: days of the moon, "mỗi sáng", "lát nữa", "vài hôm nữa", "mai mốt"."""
    if said.means(at, "mùng") and (day := said.number(at + 1)):
        return day[1], _IS_LUNAR
    if said.means(at, "lunar") and (not said.is_bare(at, "ram") or said.means(at - 1, "day", "hôm")):
        return at + 1, _IS_LUNAR
    number = said.number(at)
    month = number[1] if number else at
    if said.means(month, "month") and said.means(month + 1, "lunar month"):
        return month + 2, _IS_LUNAR
    if said.means(at, "âm") and said.says(at + 1, "lich"):
        return at + 2, _IS_LUNAR
    pairs = (
        said.means(at, "moment") and said.means(at + 1, "more"),
        said.means(at, "some") and said.means(at + 1, *UNITS),
        said.means(at, "every") and (said.means(at + 1, *UNITS, *WEEKDAYS, "thứ") or part_at(said, at + 1)),
        said.means(at, "tomorrow") and said.means(at + 1, "mốt", "kia"),
        said.means(at, "hôm") and said.means(at + 1, "after"),
        said.means(at, "section") and said.means(at + 1, "month", "year"),
    )
    if any(pairs):
        return at + 2, NOT_READ
    return (at + 1, NOT_READ) if said.means(at, "recurring") else None


def _read_left(said: Phrase, at: int) -> Found:
    """Take an amount of time that no rule could read, and a number that stands behind a moment for no reason."""
    number = said.number(at)
    if number is None or said.counted(at):
        return None
    in_digits = said.digits(at) is not None
    if said.means(number[1], *UNITS) or (in_digits and said.means(number[1], "hour")):
        return number[1] + 1, NOT_READ
    return (number[1], NOT_READ) if in_digits and said.follows_span(at) and said.closes(number[1]) else None


_RULES: tuple[Callable[[Phrase, int], Found], ...] = (
    _read_over, _read_vague, read_duration, read_date, read_weekday, read_week, read_clock, read_relative, read_part,
    read_month, read_year, _read_left,
)  # fmt: skip
