"""Everything an officer or admin may do, each with its command."""

from __future__ import annotations

from bot import access
from bot.access.roles import Action
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import Button

NAME = "officer-tasks"
SEE_TASKS = Action("see-tasks", access.OFFICER, scoped=False)


async def handle(context: Context) -> None:
    """List what this person's roles allow, as text and as buttons."""
    tasks = [route for route in context.tasks if route.help and route.name != NAME]
    lines = ["**" + context.t("Officers' tasks") + "**"]
    lines += [f"{route.commands[_spoken(context, route)]}: {context.t(route.help)}" for route in tasks]
    scopes = context.scope(SEE_TASKS)
    if scopes is not None:
        places = ", ".join(d.title(context.language) for d in context.regions.districts.values() if d.id in scopes)
        lines.append(context.t("Your area: {places}. You cannot see or write to anything outside it.", places=places))
    buttons = [Button(context.t(route.help), route.commands[0]) for route in tasks]
    context.say("\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


def _spoken(context: Context, route: Route) -> int:
    """Choose the Vietnamese command, or its English alias, which stands last."""
    return -1 if context.language == "en" and len(route.commands) > 1 else 0


ROUTE = Route(NAME, handle, commands=("/nghiepvu", "/tasks"), action=SEE_TASKS, help=mark("Officers' tasks"))
