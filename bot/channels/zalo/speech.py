"""Replies as Zalo takes them: plain text in composed letters, counted so that both ways of counting fit."""

from __future__ import annotations

import unicodedata

from bot.message import Attachment, Reply
from bot.text.markup import to_plain
from bot.text.normalize import split_text, utf16_length

LONGEST_TEXT = 2000
_READABLE = ("text/", "application/json")


def nfc_length(text: str) -> int:
    """Count as strictly as Zalo may: composed letters, in UTF-16 units."""
    return utf16_length(unicodedata.normalize("NFC", text))


def plain(text: str) -> str:
    """Render the small Markdown as text in composed letters; decomposed ones count for more and are refused."""
    return unicodedata.normalize("NFC", to_plain(text))


def with_alternative(reply: Reply) -> str:
    """Return a reply's text with its picture in words."""
    return "\n\n".join(filter(None, (plain(reply.text), plain(reply.alt))))


def as_texts(text: str) -> list[str]:
    """Cut a text into messages."""
    return split_text(text, LONGEST_TEXT, nfc_length) if nfc_length(text) > LONGEST_TEXT else [text]


def file_in_words(file: Attachment) -> str:
    """Return a file's content where it can be read as text, else its name."""
    if not file.media_type.startswith(_READABLE):
        return file.name
    return f"{file.name}\n\n{unicodedata.normalize('NFC', file.content.decode(errors='replace'))}"
