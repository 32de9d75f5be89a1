"""Talking to a person: the citizen's words go to the officers, honestly said when they answer."""

from __future__ import annotations

from bot.i18n import mark
from bot.redaction import redact
from bot.turn import Route, Turn

MESSAGE = "person.message"


async def handle(turn: Turn) -> None:
    """Ask for the message, then pass it on."""
    turn.dialog.misses = 0
    operator = turn.settings.operator
    if turn.dialog.step == MESSAGE and turn.text and not turn.text.startswith("/"):
        turn.dialog.close()
        turn.records.ask_person(redact(turn.text).text)
        turn.say(
            turn.t(
                "Passed on to the officers. They answer here, usually within {time}. Meanwhile I am still here.",
                time=operator.answer_within.in_language(turn.language),
            ),
            buttons=[turn.menu_button("menu")],
        )
        return
    turn.dialog.ask(MESSAGE)
    turn.say(
        turn.t(
            "Please write in one message what a person should help you with. Officers answer during {hours}, usually "
            "within {time}. Do not send ID numbers, OTP codes or passwords. "
            "In a medical emergency call **115** at once.",
            hours=operator.office_hours.in_language(turn.language),
            time=operator.answer_within.in_language(turn.language),
        ),
        buttons=[turn.menu_button("menu")],
    )


ROUTE = Route("person", handle, commands=("/canbo", "/officer"), steps=(MESSAGE,), help=mark("Talk to a person"))
