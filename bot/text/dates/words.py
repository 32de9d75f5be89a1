"""The words of a text as dates see them: each with the meanings that its spelling may have.

Called by the rules of this package. A word that was typed without marks, or without its tone, has every meaning that it
would have with them ("sau" is "sáu" or "sau"); a word with its marks has its own only. Marks that a phone left as Telex
or VNI keys are put back first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from bot.text.normalize import decode_keystrokes, fold

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
PARTS = MORNING, NOON, AFTERNOON, EVENING, NIGHT = ("morning", "noon", "afternoon", "evening", "night")
# A meaning and its spellings. The rules speak of meanings; a folded word decides only where it has no other.
_SPELLINGS: Final[Mapping[str, str]] = {
    "hour": "giờ h", "g": "g", "hours": "tiếng hour hours hr hrs", "minute": "phút p minute minutes min mins",
    "second": "giây second seconds", "day": "ngày day days", "hôm": "hôm hum bữa", "week": "tuần week weeks",
    "month": "tháng month months", "year": "năm year years", "weekend": "weekend",
    "morning": "sáng morning", "noon": "trưa", "afternoon": "chiều chìu xế afternoon", "evening": "tối evening",
    "night": "đêm khuya night", "tonight": "tonight", "midday": "noon midday", "midnight": "midnight",
    "today": "today hnay", "tomorrow": "mai tomorrow tmr tmrw", "mốt": "mốt", "kia": "kia", "yesterday": "yesterday",
    "nay": "nay", "this": "này nay this", "after": "sau after", "coming": "tới coming", "next": "next", "over": "sang",
    "last": "last", "ago": "trước rồi ago", "gone": "qua nọ ngoái", "just now": "nãy", "back then": "hồi",
    "before": "trước before", "in": "in trong", "at": "lúc at", "later": "later", "more": "nữa nửa",
    "half": "nửa nữa half", "rưỡi": "rưỡi rưởi", "less": "kém thiếu", "quarter": "quarter", "am": "am", "pm": "pm",
    "a": "a an", "mươi": "mươi mười", "lăm": "lăm nhăm", "thứ": "thứ", "chủ": "chủ chúa", "nhật": "nhật",
    "sunday": "cn sunday", "ordinal": "th st nd rd", "mùng": "mùng mồng", "lunar": "rằm tết lunar",
    "âm": "âm", "lunar month": "giêng chạp", "every": "mỗi hằng hàng every each", "recurring": "daily weekly monthly",
    "section": "đầu giữa cuối early mid late", "some": "vài mấy dăm few several couple",
    "moment": "lát tí chút xíu chốc",
    **{name: name for name in WEEKDAYS[:-1]}, **{name: f"{name} {name[:3]}" for name in MONTHS},
}  # fmt: skip
_NUMBERS: Final[Mapping[int, str]] = {
    1: "một mốt one", 2: "hai two", 3: "ba three", 4: "bốn tư four", 5: "năm lăm nhăm five", 6: "sáu six",
    7: "bảy bẩy seven", 8: "tám eight", 9: "chín nine", 10: "mười ten", 11: "eleven", 12: "twelve", 15: "fifteen",
    20: "twenty", 30: "thirty", 40: "forty", 50: "fifty",
}  # fmt: skip
_NO_MEANING: Final[frozenset[str]] = frozenset()
# "tối", "xế" without their marks and short names of months, but words that stand in many texts.
_OTHER_WORDS = frozenset({"tôi", "xe", "xê", "mar", "sep"})
_TOKEN = re.compile(r"\d+|[^\W\d_]+|[/:.,;!?()\n'’–-]")
_MERIDIEM = re.compile(r"(?<![^\W\d_])([ap])\.\s?m\b\.?", re.IGNORECASE)
_LONGEST_NUMBER = 4
_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


@dataclass(frozen=True, slots=True)
class Word:
    """One word, number or mark of punctuation of a text.

    `folded` is the word without marks, `bare` is true if it was typed so; `glued` is true if no space stands before it.
    `number` is what it says in digits, `value` what it may say in letters.
    """

    folded: str
    meanings: frozenset[str]
    bare: bool
    glued: bool
    number: int | None = None
    value: int | None = None

    @property
    def may_begin(self) -> bool:
        """Return True if a moment may begin with this word."""
        return bool(self.meanings) or self.number is not None or self.value is not None or self.folded == "t"


def listed(text: str) -> frozenset[str]:
    """Return the words of a list that is written as one text."""
    return frozenset(text.split())


def _toneless(word: str) -> str:
    return normalize("NFC", "".join(c for c in normalize("NFD", word) if c not in _TONES))


def _forms(spelling: str) -> Iterable[str]:
    """Return how a word is typed: with its marks, without its tone, without any."""
    return {spelling, _toneless(spelling), fold(spelling)} - _OTHER_WORDS


def _meanings() -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for meaning, spellings in _SPELLINGS.items():
        for spelling in spellings.split():
            for form in _forms(spelling):
                found.setdefault(form, set()).add(meaning)
    return {form: frozenset(meanings) for form, meanings in found.items()}


_MEANINGS: Final = _meanings()
_VALUES: Final = {
    form: value for value, spellings in _NUMBERS.items() for spelling in spellings.split() for form in _forms(spelling)
}
_NO_KEYS = frozenset(f"{word}{digit}" for word in ("thu", "t") for digit in "234567") | set(_MEANINGS) | set(_VALUES)


def split_words(text: str) -> list[Word]:
    """Return the words of a text in order, Telex and VNI keys undone where they are sure."""
    typed = _MERIDIEM.sub(r"\1m", decode_keystrokes(normalize("NFC", text), never=_NO_KEYS)).lower()
    words: list[Word] = []
    end = -1
    for found in _TOKEN.finditer(typed):
        token, glued = found.group(), found.start() == end
        if glued and words[-1].number is not None and _begins_with_hour(token):
            words.append(_word("h", True))  # "8hsáng"
            token = token[1:]
        words.append(_word(token, glued))
        end = found.end()
    return words


def _begins_with_hour(token: str) -> bool:
    return token[0] == "h" and token not in _MEANINGS and token[1:] in _MEANINGS


@lru_cache(4096)  # most words are said again and again
def _word(token: str, glued: bool) -> Word:
    if token.isdecimal():
        return Word(token, _NO_MEANING, True, glued, number=int(token) if len(token) <= _LONGEST_NUMBER else None)
    if not token[0].isalpha():
        return Word({"’": "'", "–": "-"}.get(token, token), _NO_MEANING, True, glued)
    folded = fold(token)
    return Word(folded, _MEANINGS.get(token, _NO_MEANING), token == folded, glued, value=_VALUES.get(token))
