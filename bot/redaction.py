"""Finding what must never be kept: passwords, one-time codes, identity and bank numbers, telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

HIDDEN = "…"

_NUMBER = re.compile(r"(?<![\w.,])\+?\d(?:[ .-]?\d){3,22}(?![\w])")
_CODE_WORD = re.compile(r"\b(?:otp|ma xac (?:nhan|thuc|minh)|verification code|passcode|ma pin|one.time code)\b")
_PASSWORD = re.compile(
    r"\b(?:mat khau|mk|pass(?:word)?|passcode|pwd)"
    r"(?:\s+(?:cua|la|toi|minh|em|cu|moi|app|vneid|my|is|cho|tai khoan)){0,5}"
    r"\s*(?:\bla\b|\bis\b|[:=])\s*(?P<secret>\S{4,64})"
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")
# A password has a digit or a sign in it; "mật khẩu là gì" has none.
_SECRET_SHAPE = re.compile(r"[\d@#$%^&*!_+=]")

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
    flat = _flatten(text)
    cuts: list[tuple[int, int]] = []
    kinds: list[str] = []
    for match in _PASSWORD.finditer(flat):
        if _SECRET_SHAPE.search(match["secret"]):
            cuts.append(match.span("secret"))
            kinds.append("password")
    for match in _NUMBER.finditer(flat):
        if any(start <= match.start() < end for start, end in cuts):
            continue
        kind = _kind_of_number(match.group(), flat)
        if kind is not None:
            cuts.append(match.span())
            kinds.append(kind)
    cuts.extend(match.span() for match in _EMAIL.finditer(flat))
    return Redacted(_without(text, cuts), tuple(dict.fromkeys(kind for kind in kinds if kind)))


def _kind_of_number(written: str, flat: str) -> str | None:
    """Name the kind of secret, "" for a personal number that is none, or None for a number that may stay."""
    digits = re.sub(r"\D", "", written)
    grouped = re.fullmatch(r"\d{1,3}(?:\.\d{3})+", written)  # 67.750, as Vietnamese writes thousands
    if grouped or re.fullmatch(r"\d{1,2}[ .-]\d{1,2}[ .-]\d{4}", written):
        return None
    if re.fullmatch(r"1900\d{4}", digits):  # service lines are public
        return None
    if digits.startswith(("0", "84")) and len(digits) in (10, 11) and not digits.startswith("00"):
        return ""
    if len(digits) in IDENTITY_LENGTHS:
        return "identity"
    if len(digits) in BANK_LENGTHS:
        return "bank"
    alone = flat.strip() == written
    if 4 <= len(digits) <= 8 and (alone or _CODE_WORD.search(flat)) and not _is_year(digits):
        return "otp"
    return "" if len(digits) >= 9 else None


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
    for start, end in sorted(cuts, reverse=True):
        text = text[:start] + HIDDEN + text[end:]
    return text
