"""The way into the desk: a link that signs in once, given in the chat."""

from __future__ import annotations

from bot import access
from bot.access.desk_sessions import LINK_LIFETIME
from bot.conversation.context import Context, Route
from bot.i18n.catalogue import mark


async def handle(context: Context) -> None:
    """Give a fresh link; an older one that was not used ends."""
    key = context.work.offer_desk_link()
    minutes = int(LINK_LIFETIME.total_seconds() // 60)
    context.say(
        context.t(
            "Your link to the desk. It works once, within {minutes} minutes, and only for you: do not pass it on.",
            minutes=minutes,
        )
        + f"\n{context.settings.web.desk_link(key)}",
        buttons=[context.menu_button("menu")],
    )


ROUTE = Route(
    "desk",
    handle,
    commands=("/desk",),
    keywords=("bàn làm việc", "ban lam viec", "desk"),
    action=access.DESK,
    help=mark("The desk, for a larger screen"),
)
