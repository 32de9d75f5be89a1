"""Whether an answer helped."""

from __future__ import annotations

from bot.turn import Route, Turn


async def handle(turn: Turn) -> None:
    """Note it, and offer the next step when it did not."""
    helped = turn.argument == "yes"
    turn.records.rate_answer(helped=helped)
    if helped:
        turn.say(
            turn.t("Glad to hear it. If you have installed the health book, please tell me; it takes a minute."),
            buttons=[turn.menu_button("report"), turn.menu_button("menu")],
        )
        return
    turn.say(
        turn.t(
            "Sorry about that; I noted it so that the answer gets better. Please ask in other words, or ask a person."
        ),
        buttons=[turn.menu_button("topics"), turn.menu_button("person")],
    )


ROUTE = Route("feedback", handle, choices=("helped:",))
