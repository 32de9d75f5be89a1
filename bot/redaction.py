"""Finding what must never be kept: passwords, one-time codes, identity and bank numbers, telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

HIDDEN = "…"

# Letters may touch it: "sdt0912345678nhe". What follows digits and a comma or point is part of a figure, unless it is
# as long as a personal number: "026199001234,0912345678".
_NUMBER = re.compile(r"(?<!\d)(?:(?<!\d[.,])|(?=(?: ?[.–-]? ?\d){9}))\+?\d(?:(?: ?[.–-] ?| )?\d){3,22}(?!\d)")
_CODE_WORD = re.compile(
    r"\botp"
    r"|\b(?:ma (?:xac (?:nhan|thuc|minh)|pin|kich hoat|dang nhap|bao mat)|verification code|passcode|one.time code)\b"
)
# What stands between a code word and its code.
_UP_TO_CODE = re.compile(r"(?:\W*\b(?:la|cua|toi|em|minh|nhan|duoc|so|gui|ve|cho|app|vneid|is|my))*\W*")
# A code sent as the whole message, as one does when asked for it.
_ONLY_A_CODE = re.compile(r"\W*(?:(?:ma|code|la|day|da|vang|cua|toi|em)\W+){0,4}[\d .-]+\W*(?:a|ah|nhe|ne|day|do)?\W*")
_PASSWORD = re.compile(
    r"\b(?:mat khau|mk|pass(?:word)?|passcode|pwd)"
    r"(?:\s+(?:cua|la|toi|minh|em|cu|moi|app|vneid|my|is|cho|tai khoan)){0,5}"
    r"(?:\s*(?:\bla\b|\bis\b|[:=])\s*(?P<secret>\S{4,64})"
    r"|\s+(?P<bare>(?=\S*[@#$%^&*_+=])\S{6,64}|[a-z]{2,30}\d{3,30}\b|\d{6,30}\b))"
)
_PASSPORT = re.compile(r"\b[a-z]\d{7,8}\b")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
# A password has a digit or a sign in it; "mật khẩu là gì" has none.
_SECRET_SHAPE = re.compile(r"[\d@#$%^&*!_+=]")
_HARMLESS = (
    re.compile(r"\d{1,3}(?:\.\d{3})+"),  # 67.750, as Vietnamese writes thousands
    re.compile(r"\d{1,2}[ .-]\d{1,2}[ .-](?:\d{4}|\d{2})"),  # 10-10-2021
    re.compile(r"(?:19|20)\d\d[.-]\d{1,2}[.-]\d{1,2}"),  # 2021-10-10
    re.compile(r"(?:19|20)\d\d(?: ?[–-] ?| )(?:19|20)\d\d"),  # 2021-2022
    re.compile(r"1[89]00[ .-]?\d{2,4}(?:[ .-]?\d{2})?"),  # service lines are public
)

IDENTITY_LENGTHS = (9, 12)  # old CMND and today's CCCD or personal identification number
BANK_LENGTHS = range(13, 20)  # payment cards and bank accounts


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
    if not _SECRET_SHAPE.search(text):  # every number, password and address has a digit or a sign
        return Redacted(text)
    flat = _flatten(text)
    cuts: list[tuple[int, int]] = []
    kinds: list[str] = []
    for match in _PASSWORD.finditer(flat):
        group = "secret" if match["secret"] else "bare"
        written = match[group].rstrip("!?.,;")
        if _SECRET_SHAPE.search(written) and not re.fullmatch(r"\d{1,2}-\d{1,2}", written):  # "8-20 ký tự"
            cuts.append(match.span(group))
            kinds.append("password")
    for match in _NUMBER.finditer(flat):
        if any(start <= match.start() < end for start, end in cuts):
            continue
        kind = _kind_of_number(match, flat)
        if kind is not None:
            cuts.append(match.span())
            kinds.append(kind)
    for match in _PASSPORT.finditer(flat):
        cuts.append(match.span())
        kinds.append("identity")
    cuts.extend(match.span() for match in _EMAIL.finditer(flat))
    return Redacted(_without(text, cuts), tuple(dict.fromkeys(kind for kind in kinds if kind)))


def _kind_of_number(match: re.Match[str], flat: str) -> str | None:
    """Name the kind of secret, "" for a personal number that is none, or None for a number that may stay."""
    written = match.group()
    digits = re.sub(r"\D", "", written)
    if any(pattern.fullmatch(written) for pattern in _HARMLESS):
        return None
    if re.fullmatch(r"0[1-9]\d{8,9}|(?:00)?84\d{8,10}", digits):  # 84 with a 0 kept after it, too
        return ""
    if len(digits) in IDENTITY_LENGTHS:
        return "identity"
    if len(digits) in BANK_LENGTHS:
        return "bank"
    if 4 <= len(digits) <= 8 and not _is_year(digits) and _is_code(match, flat, len(digits)):
        return "otp"
    return "" if len(digits) >= 9 else None


def _is_code(match: re.Match[str], flat: str, length: int) -> bool:
    if _ONLY_A_CODE.fullmatch(flat):
        return True
    named = list(_CODE_WORD.finditer(flat))
    # Six digits beside a code word are the code; other figures ("Nokia 1280") only right after it.
    return bool(named) and (
        length == 6 or any(_UP_TO_CODE.fullmatch(flat, word.end(), match.start()) for word in named)
    )


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and 1900 <= int(digits) <= 2099


def _flatten(text: str) -> str:
    """Lower case without marks, one character for one character, so that positions stay the same."""
    out = []
    for char in text:
        base = unicodedata.normalize("NFD", char)[0] if char not in "đĐ" else "d"
        low = base.lower()
        out.append(low if len(low) == 1 else base)
    return "".join(out)


def _without(text: str, cuts: list[tuple[int, int]]) -> str:
    begins = len(text)
    for start, end in sorted(cuts, key=lambda cut: (cut[1], cut[0]), reverse=True):
        end = min(end, begins)  # two findings may overlap
        if start < end:
            text = text[:start] + HIDDEN + text[end:]
            begins = start
    return text
