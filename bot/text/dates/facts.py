"""What spans of words say of a moment, and the place in a text where the rules of this package stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.text.dates.words import Word, listed

# Why a text is unclear, the kindest reason first.
REASONS = LUNAR, IMPOSSIBLE, CONFLICT, UNREAD = ("lunar", "impossible", "conflict", "unread")


@dataclass(frozen=True, slots=True)
class Facts:
    """What one span, or all spans of a text, say of a moment; None or False where they say nothing."""

    offset: int | None = None  # days from today
    months_on: int | None = None  # months from today
    minutes: int | None = None  # from now
    day: int | None = None  # of the month
    month: int | None = None
    months: int | None = None  # months from the present one: 1 is "next month"
    year: int | None = None
    years: int | None = None  # years from the present one
    weekday: int | None = None  # 0 is Monday
    this: bool = False  # "thứ sáu này": the coming one, and no other
    not_today: bool = False  # "thứ sáu tới"
    week: int | None = None  # weeks from the present one
    section: str | None = None  # of the week: "dau", "giua" or "cuoi"
    part: str | None = None  # of the day
    clock: tuple[int, int] | None = None  # as said: 7 may be 19:00
    exact: bool = False  # the hour is one of 24
    spare: tuple[int, int] | None = None  # the clock time, if "2 giờ nữa" is "at two as well" and not "in two hours"
    past: bool = False
    unclear: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Words from `start` to before `end`, and what they say."""

    start: int
    end: int
    facts: Facts


# What a rule returns: where its span ends and what it says; None if the rule does not fit.
Found = tuple[int, Facts] | None
NOT_READ = Facts(unclear=UNREAD)
UNITS = ("hours", "minute", "second", "day", "hôm", "week", "month", "year")
PUNCTUATION = frozenset(".,;!?()\n")
PARTICLES = listed(
    "nhe nha nghen nhen a di giup gium dum ho voi vs thoi nua luon ne ban oi ok please thanks bot ad cung duoc do"
)
# Nouns whose number follows them: "mức 2" is no two o'clock.
_COUNTED = listed(
    "muc mui buoc cap so lan lieu phan cau loai tang phong quan to khu phuong thon bai y dot may ban version android "
    "ios iphone cach cai dua chiec dong hang vong trang dieu step dose level number option"
)


class Phrase:
    """The words of a text and the spans that were read so far, for rules to look at. Places outside have no word."""

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.spans: list[Span] = []
        self.marked = not all(word.bare for word in words)  # then a word without marks is probably meant so
        self.adds = any(word.folded == "them" for word in words)  # then "nữa" is perhaps "as well"

    def means(self, at: int, *meanings: str) -> bool:
        """Return True if a word may have one of some meanings."""
        return 0 <= at < len(self.words) and not self.words[at].meanings.isdisjoint(meanings)

    def says(self, at: int, *folded: str) -> bool:
        """Return True if a word is one of these, marks aside."""
        return 0 <= at < len(self.words) and self.words[at].folded in folded

    def is_bare(self, at: int, *folded: str) -> bool:
        """Return True if a word is one of these and was typed without marks."""
        return self.says(at, *folded) and self.words[at].bare

    def pick(self, at: int, meanings: Iterable[str]) -> str:
        """Return the first of some meanings that a word has, "" if it has none."""
        return next((meaning for meaning in meanings if self.means(at, meaning)), "")

    def digits(self, at: int, *lengths: int) -> int | None:
        """Return a number in digits, if it has one of these lengths."""
        word = self.words[at] if 0 <= at < len(self.words) else None
        return word.number if word and (not lengths or len(word.folded) in lengths) else None

    def glued(self, at: int) -> bool:
        """Return True if no space stands before a word."""
        return at < len(self.words) and self.words[at].glued

    def number(self, at: int) -> tuple[int, int] | None:
        """Return a number in digits or letters and where it ends."""
        if not 0 <= at < len(self.words):
            return None
        word = self.words[at]
        if word.number is not None:
            return word.number, at + 1
        if word.value is None or (self.marked and self.is_bare(at, "sau")):
            return None
        if self.means(at, "mươi") and word.value == 10:
            return self._and_ones(10, at + 1)
        if word.value < 10 and self.means(at + 1, "mươi"):
            return self._and_ones(word.value * 10, at + 2)
        if word.value in (20, 30, 40, 50):
            return self._and_ones(word.value, at + 1)
        if 1 < word.value <= 5 and self.means(at + 1, "lăm"):
            return word.value * 10 + 5, at + 2
        return word.value, at + 1

    def _and_ones(self, tens: int, at: int) -> tuple[int, int]:
        ones = self.words[at].value if at < len(self.words) else None
        if ones is None or ones > 9 or self.means(at, "year") or self.means(at + 1, "mươi"):
            return tens, at
        return tens + ones, at + 1

    def follows_span(self, at: int) -> bool:
        """Return True if the word before was read."""
        return bool(self.spans) and self.spans[-1].end == at

    def follows_clock(self, at: int) -> bool:
        """Return True if the words before were read as a clock time."""
        return self.follows_span(at) and self.spans[-1].facts.clock is not None

    def counted(self, at: int) -> bool:
        """Return True if the number here belongs to the noun before it."""
        return not self.follows_span(at) and self.says(at - 1, *_COUNTED)

    def closes(self, at: int) -> bool:
        """Return True if nothing but particles follows up to the next punctuation."""
        for word in self.words[at:]:
            if word.folded in PUNCTUATION:
                return True
            if word.folded not in PARTICLES:
                return False
        return True
