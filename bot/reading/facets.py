"""Facets that a message names: which book, which telephone, for whom. `bot.reading.reader` calls it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.text.normalize import fold

APP, VNEID = "app", "vneid"  # the two health books, as `Article.product` names them
ANDROID, IPHONE, BUTTON_PHONE = "android", "iphone", "button"
SELF, FAMILY = "self", "family"

# Everything is matched in the folded text with single spaces, clause by clause.
_BOOKS: Final = (
    (
        VNEID,
        re.compile(
            r"\b(?:vn ?(?:e?[iy]|ie)d|vne ?id|vnei|vneld|vn id|vi en (?:e )?(?:i|ai) ?(?:d|di)|vne"
            r"|dinh danh(?: dien tu| muc)?|(?:app|ung dung|cai) (?:cua )?(?:cong an|bo cong an)|cua cong an)\b"
        ),
    ),
    (
        APP,
        re.compile(
            r"\b(?:sskdt|(?:app|ung dung|so|cai|ban) (?:nam )?2021|(?:app|ung dung|so|cai) (?:ay |y )?(?:cu|trai tim)\b"
            r"|(?:app|ung dung|cai app)(?: \w+){0,2} (?:hoi|thoi|luc|dot) (?:dich|covid|co vit|tiem|2021)"
            r"|(?:hoi|thoi|dot) (?:dich|covid|co vit)|trai tim do"
            r"|(?:app|ung dung|phan mem) (?:cua )?(?:bo y te|so (?:suc khoe|skdt|sk)"
            r"(?! (?:trong|tren|o) (?:vn|dinh danh|app)))"
            r"|old app|2021 (?:app|one)|(?:the )?app (?:of|from) 2021|health book app)\b"
        ),
    ),
)
_PHONES: Final = (
    (IPHONE, re.compile(
        r"\b(?:iphone|ip ?(?:[5-9]|1\d|x)\b(?: ?(?:plus|pro|max))?|ios|app ?store|apple|ipad|ai ?phon\w*|tao khuyet)")),
    (ANDROID, re.compile(
        r"\b(?:android|an ?droi[dt]|ch ?play|google play|samsung|sam sung|sam ?xung|oppo|op ?po|vivo|xiaomi|redmi"
        r"|realme|nokia|huawei|vsmart|tecno|infinix)\b")),
    (BUTTON_PHONE, re.compile(
        r"\b(?:dien thoai (?:ban phim|phim|cuc gach|den trang|nut bam)|may (?:cuc gach|ban phim)|cuc gach)\b")),
)  # fmt: skip
_FAMILY: Final = re.compile(
    r"\b(?:me|ma|bo|ba|ong|thay|bam|u|vo|chong|con(?: trai| gai)?|chau|be|anh trai|chi gai|em trai|em gai|cu|nguoi nha"
    r"|ca nha|gia dinh|hang xom|ho hang) (?:toi|minh|em|tui|tao|nha|chau|con|e|t)\b"
    r"|\bcho (?:me|ma|bo|ba|ong|vo|chong|con|chau|be|nguoi gia|ca nha|gia dinh|hang xom)\b"
    r"|\b(?:my|his|her) (?:mother|father|mom|dad|wife|husband|son|daughter|child|parents|grandm\w+|grandf\w+|family)\b"
)


_THING: Final = re.compile(r"\b(?:ung dung|phan mem|so suc khoe)\b")
_CLAUSE: Final = re.compile(r"[,;:!?…\n]+|\.(?=\s|$)")
# "Không phải ý tôi là …" takes back what was understood and says what is meant, so that "ý" ends a negation.
_NEGATED: Final = re.compile(
    r"\b(?:khong|ko|k|chang|dau|chu khong|not|no|instead of)"
    r"(?: (?:phai cai|phai|la|noi|hoi|co|the|ve|toi|minh|em))* $"
)
# Words that say nothing beside the book or the telephone that they stand with ("no, I mean the old one").
_FILLERS: Final = frozenset(
    {
        "a", "about", "ad", "ah", "ai", "anh", "app", "ay", "bac", "ban", "ben", "bot", "cai", "chac", "chau", "chinh",
        "cho", "chu", "co", "con", "cua", "da", "dau", "day", "do", "du", "duoc", "e", "em", "for",
        "giong", "ha", "hay", "ho", "hoi", "hon", "hong", "i", "i'm", "im", "in", "is", "it", "k", "khac", "khoe",
        "khong", "kia", "ko", "la", "lai", "luon", "ma", "may", "mean", "meant", "minh", "moc", "moi", "muon",
        "nao", "nay", "ne", "nhe", "nhi", "nho", "no", "noi", "not", "o", "oi", "on", "one", "phai", "qua",
        "ra", "roi", "sao", "so", "sorry", "suc", "thang", "that", "the", "then", "thi", "thoi", "toi", "tren", "trong",
        "tuc", "tui", "u", "uh", "um", "van", "vay", "ve", "vi", "voi", "what", "xin", "y", "yes",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facets:
    """What a message names; empty where it names none. `book` is "both" when it names the two books.

    `only` says that the message does little else than name them.
    """

    book: str = ""
    phone: str = ""
    whom: str = ""
    only: bool = False

    def __bool__(self) -> bool:
        return bool(self.book or self.phone)


def read_facets(text: str) -> Facets:
    """Return the book, the telephone and the person that a text names, typed with marks or without."""
    clauses = [" ".join(re.findall(r"[^\W_]+", clause)) for clause in _CLAUSE.split(fold(text))]
    books = [book for book, pattern in _BOOKS if _names(pattern, clauses)]
    phones = [phone for phone, pattern in _PHONES if _names(pattern, clauses)]
    said = rest = " ".join(filter(None, clauses))
    for pattern in (*(pattern for _, pattern in (*_BOOKS, *_PHONES)), _THING):
        rest = pattern.sub(" ", rest)
    return Facets(
        "both" if len(books) > 1 else "".join(books),
        phones[0] if len(phones) == 1 else "",
        FAMILY if _FAMILY.search(said) else "",
        only=bool(books or phones) and all(word in _FILLERS for word in rest.split()),
    )


def _names(pattern: re.Pattern[str], clauses: Sequence[str]) -> bool:
    """Return True unless a text names it only to say that it means something else ("not the old app")."""
    return any(not _NEGATED.search(one[: found.start()]) for one in clauses for found in pattern.finditer(one))
