"""What an officer is called by colleagues: shown, and changed by typing another name."""

from __future__ import annotations

from bot import access
from bot.access import names
from bot.access.names import officer_names
from bot.conversation.context import Context, Route
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.text.markup import escape

NAME = "name.typed"


async def handle(context: Context) -> None:
    """Show the name, or take the one that was typed."""
    typed = context.dialog.step == NAME and context.text and not context.choice and not context.text.startswith("/")
    if not typed:
        own = (await context.work.read(officer_names)).of(context.work.citizen.id, context.catalogue)
        context.dialog.ask(NAME)
        context.say(
            context.t("Colleagues read your name as: {name}. To change it, type it now.", name=escape(own)),
            buttons=[context.menu_button("menu")],
        )
        return
    at, number = context.work.at, context.work.citizen.id
    try:
        name = names.check_name(context.text)
    except NotAllowed as refusal:
        context.say(context.t(str(refusal)), buttons=[context.menu_button("menu")])
        return
    context.work.do(lambda tx, by: names.rename(tx, number, name, by=by, at=at))
    context.dialog.close()
    context.say(
        context.t("Colleagues read your name as: {name}.", name=escape(name)), buttons=[context.menu_button("menu")]
    )


ROUTE = Route(
    "name",
    handle,
    commands=("/tencanbo", "/name"),
    steps=(NAME,),
    action=access.DESK,
    help=mark("What colleagues call me"),
)
