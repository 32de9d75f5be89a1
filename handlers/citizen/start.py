"""Greeting, menu, help; a deep link's source or invitation."""

from __future__ import annotations

import re

from bot import access
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import FOLLOW, Button

_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,64}")


async def handle(context: Context) -> None:
    """Greet, or show the menu again."""
    context.dialog.close()
    context.dialog.misses = 0
    if context.command != "/start" and not context.message.event:
        context.say(
            context.t("What would you like to do? You can also just type your question."), buttons=_menu(context)
        )
        return
    argument = context.argument
    if context.message.event and context.work.citizen.id:
        context.say(context.t("Welcome back. What would you like to do?"), buttons=_menu(context))
        return
    if argument.startswith(access.INVITATION_PREFIX):
        await _take_invitation(context, argument.removeprefix(access.INVITATION_PREFIX))
        return
    if _SOURCE.fullmatch(argument):
        context.work.source = argument
    context.say(_greeting(context), buttons=_menu(context))


async def _take_invitation(context: Context, code: str) -> None:
    if not await context.work.may_guess():
        context.say(context.t("Too many wrong codes. Please try again in an hour."), buttons=_menu(context))
        return
    grant = await context.work.redeem(code)
    if grant is None:
        context.say(
            context.t("This invitation is unknown, used up or expired. Please ask for a new one."),
            buttons=_menu(context),
        )
    elif grant.scope:
        place = context.regions.districts[grant.scope].title(context.language)
        context.say(context.t("Welcome. You are now an officer for {place}.", place=place), buttons=_tasks(context))
    elif grant.role == access.ADMIN:
        context.say(context.t("Welcome. You are now an admin."), buttons=_tasks(context))
    else:
        context.say(context.t("Welcome. You are now an officer for the whole province."), buttons=_tasks(context))


def _greeting(context: Context) -> str:
    t, name = context.t, context.settings.operator.name
    if name:
        who = t(
            "Hello. I am an **automatic assistant** (a machine, not a person) of {operator}.",
            operator=name.in_language(context.language),
        )
    else:
        who = t("Hello. I am an **automatic assistant on trial** (a machine, not a person).")
    lines = [
        who,
        t(
            "I help you open and use **Sổ sức khỏe điện tử in VNeID**, the electronic health book, free of "
            "charge. Questions on the app of 2021 (COVID-19 certificates) are welcome too."
        ),
        t("Just type your question, with or without Vietnamese marks, or choose below."),
        t(
            "I keep a code for this chat, and for {days} days your questions, without personal numbers: see or "
            "delete them under “{button}”.",
            days=context.settings.privacy.question_days,
            button=context.menu_button("my-data").label,
        ),
    ]
    return "\n".join(lines)


def _menu(context: Context) -> list[Button]:
    buttons = [context.menu_button(name) for name in context.library.menu.main]
    if context.may(access.OFFICER):
        buttons += _tasks(context)
    return buttons


def _tasks(context: Context) -> list[Button]:
    return [Button(context.t("Counts by district"), "/thongke"), Button(context.t("Officers' tasks"), "/nghiepvu")]


ROUTE = Route(
    "start",
    handle,
    commands=("/start", "/menu", "/trogiup", "/help"),
    keywords=("menu", "0", "trợ giúp", "help"),
    events=(FOLLOW,),
    help=mark("Greeting and menu"),
    public=True,
)
