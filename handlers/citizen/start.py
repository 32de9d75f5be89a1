"""Greeting, menu, help; a deep link's source or invitation."""

from __future__ import annotations

import re

from bot import access
from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.message import FOLLOW, Button

_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def handle(turn: Turn) -> None:
    """Greet, or show the menu again."""
    turn.dialog.close()
    turn.dialog.misses = 0
    if turn.command != "/start" and not turn.message.event:
        turn.say(turn.t("What would you like to do? You can also just type your question."), buttons=_menu(turn))
        return
    argument = turn.argument
    if turn.message.event and turn.records.citizen.id:
        turn.say(turn.t("Welcome back. What would you like to do?"), buttons=_menu(turn))
        return
    if argument.startswith(access.INVITATION_PREFIX):
        await _take_invitation(turn, argument.removeprefix(access.INVITATION_PREFIX))
        return
    if _SOURCE.fullmatch(argument):
        turn.records.source = argument
    turn.say(_greeting(turn), buttons=_menu(turn))


async def _take_invitation(turn: Turn, code: str) -> None:
    if not await turn.records.may_guess():
        turn.say(turn.t("Too many wrong codes. Please try again in an hour."), buttons=_menu(turn))
        return
    grant = await turn.records.redeem(code)
    if grant is None:
        turn.say(
            turn.t("This invitation is unknown, used up or expired. Please ask for a new one."), buttons=_menu(turn)
        )
    elif grant.scope:
        place = turn.regions.districts[grant.scope].title(turn.language)
        turn.say(turn.t("Welcome. You are now an officer for {place}.", place=place), buttons=_tasks(turn))
    elif grant.role == access.ADMIN:
        turn.say(turn.t("Welcome. You are now an admin."), buttons=_tasks(turn))
    else:
        turn.say(turn.t("Welcome. You are now an officer for the whole province."), buttons=_tasks(turn))


def _greeting(turn: Turn) -> str:
    t = turn.t
    operator = turn.settings.operator.name.in_language(turn.language)
    lines = [
        t(
            "Hello. I am an **automatic assistant** (a machine, not a person) of {operator}. "
            "I help you install and use **Sổ sức khỏe điện tử**, the electronic health book, free of charge.",
            operator=operator,
        ),
        t("Just type your question, with or without Vietnamese marks, or choose below."),
        t(
            "I keep a code for this chat, and your questions, without personal numbers, for {days} days; "
            "type /dulieu to see or delete them.",
            days=turn.settings.privacy.question_days,
        ),
    ]
    return "\n\n".join(lines)


def _menu(turn: Turn) -> list[Button]:
    buttons = [turn.menu_button(name) for name in turn.library.menu.main]
    if turn.may(access.OFFICER):
        buttons += _tasks(turn)
    return buttons


def _tasks(turn: Turn) -> list[Button]:
    return [Button(turn.t("Counts by district"), "/thongke"), Button(turn.t("Officers' tasks"), "/nghiepvu")]


ROUTE = Route(
    "start",
    handle,
    commands=("/start", "/menu", "/trogiup", "/help"),
    keywords=("menu", "0", "trợ giúp", "help"),
    events=(FOLLOW,),
    help=mark("Greeting and menu"),
    public=True,
)
