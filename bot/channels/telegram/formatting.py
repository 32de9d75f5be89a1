"""Replies as Telegram takes them: HTML, inline keyboards, the ways to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode

from bot.message import Button
from bot.store import choices
from bot.text.markup import to_html

LONGEST_CHOICE = 64  # bytes
LONGEST_CAPTION = 1024  # UTF-16 units, after the marks are taken out
_MOST_BUTTONS = 100
NO_PREVIEW: Final = {"is_disabled": True}
_SHORT_LABEL = 18  # two of these stand side by side on a small phone


class Keyboard(InlineKeyboardMarkup):
    """A keyboard that is shown again and again: its dictionary is made once."""

    __slots__ = ("_plain",)
    _plain: dict[str, Any]

    def to_dict(self, recursive: bool = True) -> dict[str, Any]:
        """Return the dictionary, which nobody may change."""
        try:
            return self._plain
        except AttributeError:
            object.__setattr__(self, "_plain", super().to_dict(recursive))
            return self._plain


@lru_cache(512)
def html(text: str) -> str:
    """Render the small Markdown; the same answers come again and again."""
    return to_html(text)


@lru_cache(512)
def keyboard(buttons: tuple[Button, ...]) -> Keyboard | None:
    """Lay buttons out: short ones in pairs, the others one a line."""
    if not buttons:
        return None
    return Keyboard(
        [[InlineKeyboardButton(b.label, callback_data=value(b)) for b in row] for row in rows(buttons[:_MOST_BUTTONS])]
    )


@lru_cache(512)
def message_body(text: str, buttons: tuple[Button, ...]) -> bytes:
    """Write what sendMessage is told but for the chat, as the end of a JSON object; made once for each answer.

    It says what python-telegram-bot would say, which a test holds it to.
    """
    said: dict[str, Any] = {"text": html(text), "parse_mode": ParseMode.HTML, "link_preview_options": NO_PREVIEW}
    if (markup := keyboard(buttons)) is not None:
        said["reply_markup"] = markup.to_dict()
    return orjson.dumps(said)[1:]


@lru_cache(512)
def needs_keys(buttons: tuple[Button, ...]) -> bool:
    """Tell whether any of the choices must be kept behind a short key."""
    return any(map(too_long, buttons))


def rows(buttons: Sequence[Button]) -> Iterator[tuple[Button, ...]]:
    """Put two neighbours in a row where both are short and of one kind: two topics, helped or not."""
    at = 0
    while at < len(buttons):
        pair = tuple(buttons[at : at + 2])
        short = len(pair) == 2 and all(len(button.label) <= _SHORT_LABEL for button in pair)
        if short and _kind(pair[0]) == _kind(pair[1]):
            yield pair
            at += 2
        else:
            yield pair[:1]
            at += 1


def _kind(button: Button) -> str:
    return "/" if button.choice.startswith("/") else button.choice.partition(":")[0]


def value(button: Button) -> str:
    """Return what comes back when the button is pressed: the choice, or its key when it is too long."""
    return choices.short_key(button.choice) if too_long(button) else button.choice


def too_long(button: Button) -> bool:
    """Tell whether a choice does not fit into Telegram's 64 bytes, or would be taken for a key."""
    if len(button.choice) * 4 <= LONGEST_CHOICE and not button.choice.startswith(choices.MARK):
        return False
    return len(button.choice.encode()) > LONGEST_CHOICE or button.choice.startswith(choices.MARK)
