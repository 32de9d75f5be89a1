"""HTML as the Bot API reads it: what people see of a text, or why it is refused."""

from __future__ import annotations

import re
from html import unescape

TAGS = (
    "a", "b", "blockquote", "code", "del", "em", "i", "ins", "pre", "s", "span", "strike", "strong", "tg-emoji",
    "tg-spoiler", "u",
)  # fmt: skip
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[^\s>]*)(?P<more>[^>]*)(?P<closed>>?)")
_ATTRIBUTES = re.compile(r"""(?:\s+[\w-]+\s*=\s*("[^"]*"|'[^']*'|[\w.-]+)|\s+expandable)*\s*""")
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")  # all others stay as they are


class Unreadable(Exception):
    """A text that Telegram refuses, in its own words."""


def read_html(text: str) -> str:
    """Return a text as people see it. Raises Unreadable."""
    open_tags: list[str] = []
    for tag in _TAG.finditer(text):
        name, at = tag["name"].lower(), len(text[: tag.start()].encode())
        if not tag["closed"]:
            raise Unreadable(f"Unclosed {'end' if tag['end'] else 'start'} tag at byte offset {at}")
        if tag["end"]:
            if not open_tags:
                raise Unreadable(f"Unexpected end tag at byte offset {at}")
            if (expected := open_tags.pop()) != name:
                raise Unreadable(f'Unmatched end tag at byte offset {at}, expected "</{expected}>", found "</{name}>"')
        elif name not in TAGS:
            raise Unreadable(f'Unsupported start tag "{name}" at byte offset {at}')
        elif not _ATTRIBUTES.fullmatch(tag["more"]):
            raise Unreadable(f'Unexpected attribute in the tag "{name}" at byte offset {at}')
        else:
            open_tags.append(name)
    if open_tags:
        raise Unreadable(f'Can\'t find end tag corresponding to start tag "{open_tags[-1]}"')
    return _ENTITY.sub(lambda entity: unescape(entity[0]), _TAG.sub("", text))
