"""What citizens ask of people: officers read within their scope and answer."""

from __future__ import annotations

from bot import access
from bot.i18n import mark
from bot.markup import escape
from bot.message import Button, Reply
from bot.turn import Route, Turn

ANSWER = "inbox.answer"


async def handle(turn: Turn) -> None:
    """List what waits, show one request, take its answer."""
    waiting = await turn.records.waiting_requests()
    chosen = turn.argument if turn.choice.startswith("request:") else turn.dialog.data.get("number", "")
    number = int(chosen) if chosen.isdecimal() else 0
    if turn.dialog.step == ANSWER and turn.text and not turn.text.startswith("/") and not turn.choice:
        turn.dialog.close()
        if number not in waiting:
            turn.say(turn.t("This request is no longer open, or outside your district."))
            return
        answer = turn.catalogues[waiting[number].language or turn.settings.default_language].t(
            "An officer answers your question:"
        )
        turn.records.answer_request(number, Reply(f"**{answer}**\n{escape(turn.text)}"))
        turn.say(turn.t("Your answer is on its way."), buttons=[Button(turn.t("Citizens' messages"), "/hopthu")])
    elif number in waiting and turn.choice:
        request = waiting[number]
        turn.dialog.ask(ANSWER, number=str(number))
        turn.records.audit("read", f"request {number}")
        at = turn.catalogue.minute(request.at, turn.settings.zone)
        turn.say(
            f"**{at}**\n{escape(request.text)}\n\n" + turn.t("Type your answer, or go back."),
            buttons=[Button(turn.t("Back"), "/hopthu")],
        )
    else:
        turn.dialog.close()
        _list(turn, sorted(waiting))


def _list(turn: Turn, numbers: list[int]) -> None:
    if not numbers:
        turn.say(turn.t("No messages are waiting."), buttons=[turn.menu_button("menu")])
        return
    buttons = [Button(turn.t("Message {number}", number=number), f"request:{number}") for number in numbers]
    turn.say(turn.t("Messages of citizens that wait for an answer, oldest first:"), buttons=buttons)


ROUTE = Route(
    "inbox",
    handle,
    commands=("/hopthu", "/inbox"),
    choices=("request:",),
    steps=(ANSWER,),
    action=access.READ_MESSAGES,
    help=mark("Citizens' messages"),
)
