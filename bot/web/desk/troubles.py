"""What is wrong with a part of the bot, in words for officers; the detail is for whoever runs it, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.i18n.catalogue import Catalogue, mark

_WORDS: Final[Mapping[str, str]] = {
    "telegram": mark("Telegram has trouble: messages there may come late."),
    "zalo_oa": mark("Zalo has trouble: messages there may come late."),
    "zalo_bot": mark("Zalo (bot) has trouble: messages there may come late."),
    "store": mark("The database has trouble: answers may have to wait."),
    "pushes": mark("Officers' answers to citizens wait."),
    "broadcasts": mark("Messages to many wait."),
    "reminders": mark("Reminders wait."),
    "content": mark("An edit of the content holds a mistake; the bot goes on with the last good content."),
    "backup": mark("No backup could be made."),
    "scrub": mark("Deleted text is not yet cleared out of the database, because another program is reading it."),
    "clock": mark("The clock of the machine was set; see that its time is right."),
}
_OTHER = mark("A part of the bot has trouble: {part}.")


def in_words(part: str, catalogue: Catalogue) -> str:
    """Say in a sentence what is wrong with a part of the bot."""
    sentence = _WORDS.get(part.split()[0])
    return catalogue.t(sentence) if sentence else catalogue.t(_OTHER, part=part)
