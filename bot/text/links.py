"""Addresses of pages in texts that officers write: which are official, and which are shown as mere text.

The help desk and the broadcasts call it. A host that nobody trusts never becomes something to tap.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from unicodedata import normalize

from bot.text.markup import escape

# An address with https:// or a path may end in anything; a bare one in what addresses often end in, so that a missing
# space after a full stop is not taken for one.
_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?://)(?P<user>[^/\s@]*@)?|(?<![\w@.-]))"
    r"(?P<host>(?:[\w-]+\.)+(?P<end>[^\W\d_]{2,24})|\d{1,3}(?:\.\d{1,3}){3})(?=(?P<path>[/:]\S)|\W|$)",
    re.IGNORECASE,
)
_REST = re.compile(r"[/?#][^\s<>\"'()\[\]*\\]*")
_ENDS_SENTENCE = ".,;:!?"
_DOTS = "\u3002\uff61"  # of other scripts; browsers read them as dots of a host
_ENDS = frozenset(
    (
        "app", "asia", "biz", "cc", "click", "club", "cn", "co", "com", "dev", "edu", "gg", "gl", "gov", "info", "io",
        "link", "live", "ly", "me", "ml", "mobi", "net", "online", "org", "page", "pro", "ru", "shop", "site", "tech",
        "tk", "to", "top", "tv", "us", "vip", "vn", "ws", "xyz",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a page within a text: where it stands, its host, and all of it as typed."""

    start: int
    end: int
    host: str
    typed: str
    is_plain: bool  # no user name or port, which could make a foreign page look like an official one

    @property
    def target(self) -> str:
        """What is opened."""
        scheme, found, rest = self.typed.partition("://")
        return f"{scheme.lower()}://{rest}" if found else f"https://{self.typed}"


def addresses(text: str) -> Iterator[Address]:
    """Find the addresses of pages in a text, in order."""
    at = 0
    for match in _ADDRESS.finditer(text):
        if match.start() < at:  # what looks like a host within the path of another
            continue
        if not (match["scheme"] or match["path"] or (match["end"] or "").lower() in _ENDS):
            continue
        rest = _REST.match(text, match.end())
        end = match.end() + len(rest[0].rstrip(_ENDS_SENTENCE) if rest else "")
        at = end
        is_plain = not match["user"] and not _goes_on(text[match.end() : match.end() + 1])
        yield Address(match.start(), end, match["host"].lower(), text[match.start() : end], is_plain)


def _goes_on(char: str) -> bool:
    """Return True if a browser reads on at what follows a host: a port, a user's name, a dot of another script."""
    if char in ("", "."):  # a full stop ends a sentence
        return False
    return char in _DOTS or normalize("NFKC", char)[0] in ":@.\\"


def is_trusted(address: Address, trusted: Collection[str]) -> bool:
    """Return True if an address leads to one of these hosts or to a part of one, in plain letters."""
    host = address.host
    return address.is_plain and host.isascii() and any(host == one or host.endswith(f".{one}") for one in trusted)


def trusted_links(texts: Iterable[str], trusted: Collection[str]) -> list[str]:
    """List the addresses in texts that become links, each once."""
    return list(dict.fromkeys(one.typed for text in texts for one in addresses(text) if is_trusted(one, trusted)))


def foreign_hosts(texts: Iterable[str], trusted: Collection[str]) -> list[str]:
    """List the hosts that texts lead to and that are none of the official ones, each once."""
    return list(dict.fromkeys(one.host for text in texts for one in addresses(text) if not is_trusted(one, trusted)))


def escape_but_links(text: str, trusted: Collection[str]) -> str:
    """Make an officer's text safe to stand in a reply: only official addresses can be tapped."""
    parts, at = [], 0
    for address in addresses(text):
        if is_trusted(address, trusted):
            parts += [escape(text[at : address.start]), address.target]
            at = address.end
    return "".join([*parts, escape(text[at:])])
