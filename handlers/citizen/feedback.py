"""Whether an answer helped, and if not, why."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.conversation.unit_of_work import REASONS
from bot.message import Button


async def handle(context: Context) -> None:
    """Note it; offer the next step when it did not help, and take a reason from whoever wants to give one."""
    said, _, reason = context.argument.partition(":")
    if reason in REASONS:
        context.work.give_reason(reason)
        context.say(
            context.t("Thank you; that helps to make the answer better. Please ask in other words, or ask a person."),
            buttons=[context.menu_button("topics"), context.menu_button("person")],
        )
        return
    context.work.rate_answer(helped=said == "yes")
    if said == "yes":
        context.say(
            context.t(
                "Glad to hear it. If you have opened the health book in VNeID or installed the app, please "
                "tell me; it takes a minute."
            ),
            buttons=[context.menu_button("report"), context.menu_button("menu")],
        )
        return
    context.say(
        context.t(
            "Sorry about that; I noted it so that the answer gets better. Please ask in other words, or ask a person. "
            "If you like, tell me why it did not help:"
        ),
        buttons=[
            *(Button(context.t(label), f"helped:no:{name}") for name, label in REASONS.items()),
            context.menu_button("topics"),
            context.menu_button("person"),
        ],
    )


ROUTE = Route("feedback", handle, choices=("helped:",))
