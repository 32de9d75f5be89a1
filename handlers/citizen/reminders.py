"""Reminders: only for those who ask for them, and stopped by one word."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark
from bot.message import Button


async def handle(context: Context) -> None:
    """Show, switch on with consent, or stop."""
    wanted = await context.work.wants_reminders()
    if context.choice == "reminders:on" and not wanted:
        context.work.allow_reminders(_wording(context))
        context.say(context.t("Reminders are on. Type DUNG to stop them at any time."), buttons=_also(context))
    elif context.choice == "reminders:off" or not (context.choice or context.text.startswith("/")):
        context.work.stop_reminders()
        context.say(
            context.t(
                "Stopped: you will get no reminders. You can still ask me anything. To get them again, type "
                "“turn reminders on”."
            ),
            buttons=[context.menu_button("menu")],
        )
    elif wanted:
        context.say(
            context.t("You get reminders.") + " " + _wording(context),
            buttons=[Button(context.t("Stop reminders"), "reminders:off"), *_also(context)],
        )
    else:
        context.say(
            context.t("You get no reminders.") + " " + _wording(context),
            buttons=[Button(context.t("Yes, remind me"), "reminders:on"), *_also(context)],
        )


def _also(context: Context) -> list[Button]:
    return [Button(context.t("A reminder at a time of your choice"), "/nhactoi"), context.menu_button("menu")]


def _wording(context: Context) -> str:
    rules = context.settings.reminders
    return context.t(
        "With your consent I may write to you about the health book, at most {count} time(s) a week, "
        "between {start} and {end}. Each message says how to stop.",
        count=rules.per_week,
        start=rules.quiet_until.strftime("%H:%M"),
        end=rules.quiet_from.strftime("%H:%M"),
    )


ROUTE = Route(
    "reminders",
    handle,
    commands=("/nhacnho", "/reminders"),
    choices=("reminders:",),
    keywords=("dừng", "dung", "stop", "dừng nhắc", "dung nhac"),
    help=mark("Reminders on or off"),
)
