"""Whether an answer helped, and if not, why."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.conversation.unit_of_work import REASONS
from bot.message import Button


async def handle(turn: Turn) -> None:
    """Note it; offer the next step when it did not help, and take a reason from whoever wants to give one."""
    said, _, reason = turn.argument.partition(":")
    if reason in REASONS:
        turn.records.give_reason(reason)
        turn.say(
            turn.t("Thank you; that helps to make the answer better. Please ask in other words, or ask a person."),
            buttons=[turn.menu_button("topics"), turn.menu_button("person")],
        )
        return
    turn.records.rate_answer(helped=said == "yes")
    if said == "yes":
        turn.say(
            turn.t("Glad to hear it. If you have installed the health book, please tell me; it takes a minute."),
            buttons=[turn.menu_button("report"), turn.menu_button("menu")],
        )
        return
    turn.say(
        turn.t(
            "Sorry about that; I noted it so that the answer gets better. Please ask in other words, or ask a person. "
            "If you like, tell me why it did not help:"
        ),
        buttons=[
            *(Button(turn.t(label), f"helped:no:{name}") for name, label in REASONS.items()),
            turn.menu_button("topics"),
            turn.menu_button("person"),
        ],
    )


ROUTE = Route("feedback", handle, choices=("helped:",))
