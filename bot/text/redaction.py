"""Finding what must never be kept: passwords, one-time codes, identity and bank numbers, telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

HIDDEN = "…"

# All patterns but the first search what `_flatten` made of the text: its digits, spaces and dashes are ASCII's.
# Every number, password and address has a digit or a sign; a password like "mật khẩu là gì" has none and is none.
_SECRET_SHAPE = re.compile(r"[\d@#$%^&*!_+=]")
_UNSEEN = "\u200b"  # stands for every mark and sign without a width, as between the figures of 0️⃣9️⃣

_NINE_FIGURES = re.compile(r"(?:\D*+\d){9}")  # no personal number has fewer
# Letters may touch it: "sdt0912345678nhe". What follows digits and a comma or point is part of a figure, unless it is
# as long as a personal number: "026199001234,0912345678".
_USUAL_SIGNS = r" ?[.-] ?| "
_NUMBER = re.compile(rf"(?<!\d)(?:(?<!\d[.,])|(?=(?: ?[.-]? ?\d){{9}}))\+?\d(?:(?:{_USUAL_SIGNS})?\d){{3,22}}(?!\d)")

# Personal numbers that begin with 0 or 84, with any signs in between: "(0912) 345/678", "026_199_001_234". The shorter
# stands first, so that "0912,345,678, 12 tuổi" is a telephone number and a figure. What goes on from a date or a time
# begins none.
_ANY_SIGNS = rf"[ .,/_():;|~*'+{_UNSEEN}-]{{0,3}}"
_SPREAD = re.compile(
    r"(?<!\d)(?:(?<!\d[./:_-])|(?=0\d\d))(?:\((?=\+?\d{1,4}\)))?"
    r"(?:0~[35789](?:~\d){8}|0~2(?:~\d){9}|(?P<identity>0(?:~\d){11})|(?:\+ ?|00)?84(?:~0)?~[235789](?:~\d){8,9}?)"
    r"(?!\d)".replace("~", _ANY_SIGNS)
)
_SIGNS = re.compile(r"(?<=\d)\D+(?=\d)")
# Times, dates, lists and decimals, of which a number would hold a part.
_NO_PART = re.compile(
    r"(?<!\d)\d{1,2}:\d\d(?!\d)|(?<!\d)\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d(?!\d)"
    r"|(?<![\d+])(?!84)\d{1,2}[,;]|[,;] ?\d{1,2}(?!\d)|^\d{1,2}[./:]\d{1,2}(?!\d)"
)
# Other personal numbers, where one sign stands between groups as long as people make them: 135/123/456.
_GROUPED = re.compile(
    r"(?<!\d)(?<!\d[.,/:_])(?:\d{3,4}(?P<sign> ?[/_:|~*\u200b] ?)\d{3}(?P=sign)\d{3,4}"
    r"|[3-9]\d{3}(?P<card> ?[/_:|~*\u200b] ?|,)\d{4}(?P=card)\d{4}(?P=card)\d{4})(?![.,/:_]?\d)"
)

_CODE_WORD = re.compile(
    r"\botp"
    r"|\b(?:ma (?:xac (?:nhan|thuc|minh)|pin|kich hoat|dang nhap|bao mat)|verification code|passcode|one.time code)\b"
)
# What stands between a code word and its code.
_UP_TO_CODE = re.compile(r"(?:\W*\b(?:la|cua|toi|em|minh|nhan|duoc|so|gui|ve|cho|app|vneid|is|my))*\W*")
# A code sent as the whole message, as one does when asked for it.
_ONLY_A_CODE = re.compile(
    r"\W*+(?:(?:ma|code|la|day|da|vang|cua|toi|em)\W++){0,4}+\d[\d .-]*+\W*+(?:a|ah|nhe|ne|day|do)?+\W*+"
)
_PASSWORD = re.compile(
    r"\b(?:mat khau|mk|pass(?:word)?|passcode|pwd)"
    r"(?:\s+(?:cua|la|toi|minh|em|cu|moi|app|vneid|my|is|cho|tai khoan)){0,5}"
    r"(?:\s*(?:\bla\b|\bis\b|[:=])\s*(?P<secret>\S{4,64})"
    r"|\s+(?P<bare>(?=\S*[@#$%^&*_+=])\S{6,64}|[a-z]{2,30}\d{3,30}\b|\d{6,30}\b))"
)
_PASSPORT = re.compile(r"\b[a-z]\d{7,8}\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")

_PHONE = re.compile(r"0[1-9]\d{8,9}|(?:00)?84\d{8,10}")  # 84 with a 0 kept after it, too
_DAY = r"\d{1,2}[ .-]\d{1,2}[ .-](?:\d{4}|\d{2})"
_HARMLESS = (
    # 67.750, as Vietnamese writes thousands: never with a 0 before them. Twelve figures in threes are cut even without
    # it: nobody asks a health book about hundreds of billions, and to lose such a figure harms less than to keep
    # somebody's account number.
    re.compile(r"[1-9]\d{0,2}(?:\.\d{3}){1,2}|[1-9](?:\.\d{3}){3}"),
    re.compile(rf"{_DAY}(?: ?- ?{_DAY})?"),  # 10-10-2021
    re.compile(r"(?:19|20)\d\d[.-]\d{1,2}[.-]\d{1,2}"),  # 2021-10-10
    re.compile(r"(?:19|20)\d\d(?: ?- ?| )(?:19|20)\d\d"),  # 2021-2022
    re.compile(r"1[89]00[ .-]?\d{2,4}(?:[ .-]?\d{2})?"),  # service lines are public
)
# Beside one of these words nine figures in threes are an old identity number, not thousands.
_IDENTITY_WORD = re.compile(r"\b(?:cmnd|cmtnd|cmt|cccd|can cuoc|chung minh|dinh danh)(?![a-z])")

IDENTITY_LENGTHS = (9, 12)  # old CMND and today's CCCD or personal identification number
BANK_LENGTHS = range(13, 20)  # payment cards and bank accounts

Cut = tuple[int, int, str]  # from, to, and the kind of secret, "" for what is personal but no secret


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets, and the kinds of secrets found: password, otp, identity, bank."""

    text: str
    secrets: tuple[str, ...] = ()


def redact(text: str) -> Redacted:
    """Cut every personal number, e-mail address and secret out of a text.

    Telephone numbers and e-mail addresses are cut but are no secrets: they are not named in `secrets`.
    """
    text = unicodedata.normalize("NFC", text)
    if not _SECRET_SHAPE.search(text):
        return Redacted(text)
    flat = _flatten(text)
    cuts: list[Cut] = []
    left = flat  # what is found is hidden from the next search, so that no part of it is found as something else
    long = (_spread_numbers, _grouped_numbers) if _NINE_FIGURES.match(flat) else ()
    for find in (_passwords, *long, _numbers):
        found = list(find(left))
        if found:
            cuts += found
            left = _hide(left, found)
    cuts += [(*match.span(), "identity") for match in _PASSPORT.finditer(flat)]
    cuts += [(*match.span(), "") for match in _EMAIL.finditer(flat)]
    return Redacted(_without(text, cuts), tuple(dict.fromkeys(kind for _, _, kind in cuts if kind)))


def _passwords(flat: str) -> Iterator[Cut]:
    for match in _PASSWORD.finditer(flat):
        group = "secret" if match["secret"] else "bare"
        written = match[group].rstrip("!?.,;")
        if _SECRET_SHAPE.search(written) and not re.fullmatch(r"\d{1,2}-\d{1,2}", written):  # "8-20 ký tự"
            yield *match.span(group), "password"


def _spread_numbers(flat: str) -> Iterator[Cut]:
    """Find personal numbers with more between their figures than spaces, points and dashes."""
    at = 0
    while match := _SPREAD.search(flat, at):
        if _is_one_number(match.group()):
            yield *match.span(), "identity" if match["identity"] else ""
            at = match.end()
        else:
            at = match.start() + 1  # from the next group: within one, nothing begins


def _grouped_numbers(flat: str) -> Iterator[Cut]:
    for match in _GROUPED.finditer(flat):
        digits = re.sub(r"\D", "", match.group())
        yield *match.span(), _kind_by_length(len(digits))


def _is_one_number(written: str) -> bool:
    """Tell a number from dates, times, lists and figures that stand side by side."""
    signs = set(_SIGNS.findall(written))
    if all(re.fullmatch(_USUAL_SIGNS, sign) for sign in signs):
        return False  # `_numbers` finds it, with whatever else belongs to it
    if len(signs) == 1 and not signs & {",", ", ", "; ", ";"}:
        return True
    return not _NO_PART.search(written)


def _numbers(flat: str) -> Iterator[Cut]:
    alone, code_words = bool(_ONLY_A_CODE.fullmatch(flat)), [word.end() for word in _CODE_WORD.finditer(flat)]
    for match in _NUMBER.finditer(flat):
        digits = re.sub(r"\D", "", match.group())
        if any(pattern.fullmatch(match.group()) for pattern in _HARMLESS):
            if len(digits) in IDENTITY_LENGTHS and _IDENTITY_WORD.search(flat):
                yield *match.span(), "identity"
        elif len(digits) >= 9:
            yield *match.span(), "" if _PHONE.fullmatch(digits) else _kind_by_length(len(digits))
        elif not _is_year(digits) and (alone or _is_named(match, flat, code_words, len(digits))):
            yield *match.span(), "otp"


def _kind_by_length(length: int) -> str:
    return "identity" if length in IDENTITY_LENGTHS else "bank" if length in BANK_LENGTHS else ""


def _is_named(match: re.Match[str], flat: str, code_words: Sequence[int], length: int) -> bool:
    """Tell whether a text calls a number a code; `code_words` is where its words for codes end."""
    if not code_words or length == 6:  # six digits beside a code word are the code
        return bool(code_words)
    # Other figures ("Nokia 1280") only right after it.
    before = bisect_right(code_words, match.start())
    return before > 0 and bool(_UP_TO_CODE.fullmatch(flat, code_words[before - 1], match.start()))


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1900 <= int(digits) <= 2099


def _flatten(text: str) -> str:
    """Lower case without marks, one character for one character, so that positions stay the same."""
    return "".join(map(_flat, text))


@lru_cache(4096)
def _flat(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in ("Cf", "Mn", "Me"):
        return _UNSEEN
    if category == "Pd" or char == "\u2212":  # the sign of subtraction
        return "-"
    base = "d" if char in "đĐ" else unicodedata.normalize("NFKD", char)
    base = base if len(base) == 1 else base[0] if char.isalpha() else char
    low = base.lower()
    return low if len(low) == 1 else base


def _hide(flat: str, cuts: list[Cut]) -> str:
    chars = list(flat)
    for start, end, _ in cuts:
        chars[start:end] = HIDDEN * (end - start)
    return "".join(chars)


def _without(text: str, cuts: list[Cut]) -> str:
    begins = len(text)
    for start, end, _ in sorted(cuts, key=lambda cut: (cut[1], cut[0]), reverse=True):
        end = min(end, begins)  # two findings may overlap
        if start < end:
            text = text[:start] + HIDDEN + text[end:]
            begins = start
    return text
