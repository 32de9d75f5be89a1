"""Choosing the language of the answers."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import NAMES, mark
from bot.message import Button


async def handle(turn: Turn) -> None:
    """Change the language, or offer the choice."""
    wanted = turn.argument.lower()
    if wanted in turn.catalogues:
        turn.speak(wanted)
        turn.records.set_language(wanted)
        turn.say(turn.t("From now on I answer in English."), buttons=[turn.menu_button("menu")])
        return
    buttons = [Button(NAMES[language], f"language:{language}") for language in turn.catalogues]
    turn.say(turn.t("Which language do you prefer?"), buttons=buttons)


ROUTE = Route("language", handle, commands=("/ngonngu", "/language"), choices=("language:",), help=mark("Language"))
