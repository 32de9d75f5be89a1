"""Everything an officer or admin may do, each with its command."""

from __future__ import annotations

from bot import access
from bot.access.roles import Action
from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.message import Button

NAME = "officer-tasks"
SEE_TASKS = Action("see-tasks", access.OFFICER, scoped=False)


async def handle(turn: Turn) -> None:
    """List what this person's roles allow, as text and as buttons."""
    tasks = [route for route in turn.tasks if route.help and route.name != NAME]
    lines = ["**" + turn.t("Officers' tasks") + "**"]
    lines += [f"{route.commands[_spoken(turn, route)]}: {turn.t(route.help)}" for route in tasks]
    scopes = turn.scope(SEE_TASKS)
    if scopes is not None:
        places = ", ".join(d.title(turn.language) for d in turn.regions.districts.values() if d.id in scopes)
        lines.append(turn.t("Your area: {places}. What lies outside it, you neither see nor reach.", places=places))
    buttons = [Button(turn.t(route.help), route.commands[0]) for route in tasks]
    turn.say("\n".join(lines), buttons=[*buttons, turn.menu_button("menu")])


def _spoken(turn: Turn, route: Route) -> int:
    """Choose the Vietnamese command, or its English alias, which stands last."""
    return -1 if turn.language == "en" and len(route.commands) > 1 else 0


ROUTE = Route(NAME, handle, commands=("/nghiepvu", "/tasks"), action=SEE_TASKS, help=mark("Officers' tasks"))
