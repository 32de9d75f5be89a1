"""One tap after a talk with an officer has ended: whether the help was good; counted, and kept of nobody."""

from __future__ import annotations

from bot.conversation.context import Context, Route


async def handle(context: Context) -> None:
    """Count what the citizen says of their own talk, once; say thanks, and lead on when the help was not good."""
    rating, _, number = context.argument.partition(":")
    if rating not in ("good", "bad") or not number.isdecimal() or len(number) > 18:
        context.say(
            context.t("This choice is no longer there. Please choose again."), buttons=[context.menu_button("menu")]
        )
        return
    desk = context.help_desk
    context.work.do(lambda tx, person_id: desk.rate(tx, person_id, int(number), rating, at=context.work.at))
    if rating == "good":
        context.say(context.t("Thank you for telling. I am glad it helped."), buttons=[context.menu_button("menu")])
        return
    context.say(
        context.t("Thank you for telling; I am sorry. If something is still open, ask for a person again."),
        buttons=[context.menu_button("person"), context.menu_button("menu")],
    )


ROUTE = Route("rating", handle, choices=("rate:",))
