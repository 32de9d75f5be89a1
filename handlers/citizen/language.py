"""Choosing the language of the answers."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.i18n.catalogue import NAMES, mark
from bot.message import Button


async def handle(context: Context) -> None:
    """Change the language, or offer the choice."""
    wanted = context.argument.lower()
    if wanted in context.catalogues:
        context.speak(wanted)
        context.work.set_language(wanted)
        context.say(context.t("From now on I answer in English."), buttons=[context.menu_button("menu")])
        return
    buttons = [Button(NAMES[language], f"language:{language}") for language in context.catalogues]
    context.say(context.t("Which language do you prefer?"), buttons=buttons)


ROUTE = Route("language", handle, commands=("/ngonngu", "/language"), choices=("language:",), help=mark("Language"))
