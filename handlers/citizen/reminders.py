"""Reminders: only for those who ask for them, and stopped by one word."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import mark
from bot.message import Button


async def handle(turn: Turn) -> None:
    """Show, switch on with consent, or stop."""
    wanted = await turn.records.wants_reminders()
    if turn.choice == "reminders:on" and not wanted:
        turn.records.allow_reminders(_wording(turn))
        turn.say(turn.t("Reminders are on. Type DUNG to stop them at any time."), buttons=_also(turn))
    elif turn.choice == "reminders:off" or not (turn.choice or turn.text.startswith("/")):
        turn.records.stop_reminders()
        turn.say(
            turn.t(
                "Stopped: you will get no reminders. You can still ask me anything; /nhacnho switches them on again."
            ),
            buttons=[turn.menu_button("menu")],
        )
    elif wanted:
        turn.say(
            turn.t("You get reminders.") + " " + _wording(turn),
            buttons=[Button(turn.t("Stop reminders"), "reminders:off"), *_also(turn)],
        )
    else:
        turn.say(
            turn.t("You get no reminders.") + " " + _wording(turn),
            buttons=[Button(turn.t("Yes, remind me"), "reminders:on"), *_also(turn)],
        )


def _also(turn: Turn) -> list[Button]:
    return [Button(turn.t("A reminder at a time of your choice"), "/nhactoi"), turn.menu_button("menu")]


def _wording(turn: Turn) -> str:
    rules = turn.settings.reminders
    return turn.t(
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
