"""What a message's text is made of: cleaning, folding, words, left-over keystrokes, splitting.

Pure functions on `str`, standard library only; none of them raises on anything a citizen can send.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from bot.text.syllables import is_syllable
from bot.text.telex import decode_keystrokes

__all__ = [
    "clean",
    "compatible",
    "decode_keystrokes",
    "fold",
    "is_syllable",
    "split_text",
    "spoken",
    "utf16_length",
    "words",
]

_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_NEWLINE = re.compile(r" ?\n ?")
_MANY_NEWLINES = re.compile(r"\n{3,}")
_WORD = re.compile(r"[^\W_]+")
_BREAKS = (re.compile(r"\n[^\S\n]*\n\s*"), re.compile(r"\n\s*"), re.compile(r"\s+"))


def clean(text: str) -> str:
    """Return the text as NFC, without control and format characters, with its whitespace collapsed."""
    if text.isprintable() and "  " not in text and unicodedata.is_normalized("NFC", text):
        return text.strip()  # as nearly every text comes
    if _SURROGATE.search(text):  # halves that belong together are joined, lone ones cannot be stored or sent
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = text.replace("\v", "\n").replace("\f", "\n").replace("\t", " ")
    if not text.isprintable():
        text = "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    text = unicodedata.normalize("NFC", text)
    text = _AROUND_NEWLINE.sub("\n", _SPACES.sub(" ", text))
    return _MANY_NEWLINES.sub("\n\n", text).strip()


# Letters of other scripts that look like ours: Icelandic and African d, Cyrillic and Greek.
_LOOKALIKES = str.maketrans(
    "ÐƉðɖаеорсухіјѕһԁАВЕКМНОРСТУХІЈЅοανικρτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "ĐĐđđaeopcyxijshdABEKMHOPCTYXIJSoavikptuxABEZHIKMNOPTYX",
)


def compatible(text: str) -> str:
    """Return the text with letters that only look different (full-width, mathematical, look-alikes) made plain."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)


def fold(text: str) -> str:
    """Return the text in lower case without marks and with d for đ, for comparing."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    return unicodedata.normalize("NFC", text.lower().replace("đ", "d"))


@lru_cache(2000)  # the same labels are compared with every text
def spoken(text: str) -> str:
    """Return the folded words and numbers of the text with single spaces between them: what is left when it is said."""
    return " ".join(_WORD.findall(fold(text)))


def words(text: str) -> list[str]:
    """Return the words and numbers of the text in order, lower case, marks kept."""
    return _WORD.findall(unicodedata.normalize("NFC", text.lower()))


def utf16_length(text: str) -> int:
    """Count the text as Telegram and Zalo do, in UTF-16 code units."""
    return len(text) + sum(1 for c in text if c > "\uffff")


def split_text(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """Split the text into pieces that `measure` finds within `limit`, at paragraph, else line, else word."""
    if limit < 1:
        raise ValueError("limit must be at least 1")
    pieces: list[str] = []
    rest = text
    while rest:
        if measure(rest) <= limit:
            pieces.append(rest)
            break
        longest = _longest_prefix(rest, limit, measure)
        end, start = _cut(rest, longest)
        if rest[:end].strip():
            pieces.append(rest[:end])
        rest = rest[start:]
    return pieces


def _longest_prefix(text: str, limit: int, measure: Callable[[str], int]) -> int:
    low, high = 0, min(len(text), limit)
    while measure(text[:high]) <= limit < measure(text) and high < len(text):  # a measure below one a character
        low, high = high, min(len(text), high * 2)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    if low == 0:
        raise ValueError(f"a single character does not fit into a limit of {limit}")
    return low


def _cut(text: str, longest: int) -> tuple[int, int]:
    """Where the piece ends and where the rest begins; the whitespace between them is dropped."""
    for pattern in _BREAKS:
        best: tuple[int, int] | None = None
        for match in pattern.finditer(text):
            if match.start() > longest:
                break
            if match.start() > 0:
                best = match.start(), match.end()
        if best:
            return best
    if text[0].isspace():
        stripped = len(text) - len(text.lstrip())
        return min(stripped, longest), min(stripped, longest)
    end = longest
    while end > 0 and _joined(text, end):
        end -= 1
    if end == 0:  # one sequence longer than the limit: only what would be no text at all is kept whole
        end = longest - 1 if _halves(text, longest) and longest > 1 else longest
    return end, end


def _halves(text: str, at: int) -> bool:
    return "\ud800" <= text[at - 1] <= "\udbff" and "\udc00" <= text[at] <= "\udfff"


def _joined(text: str, at: int) -> bool:
    """Whether the characters on both sides of `at` are one sign to the reader."""
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    return (
        _halves(text, at)
        or unicodedata.category(after) in ("Mn", "Mc", "Me")
        or "\u200d" in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")
    )
