"""What people do without a word: they leave, they want to be forgotten; or an officer writes to them by hand."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.message import ERASE, HUMAN_TAKEOVER, UNFOLLOW


async def handle(context: Context) -> None:
    """Do what is asked, and say nothing."""
    if context.message.event == ERASE:
        context.erase()
    elif context.message.event == UNFOLLOW:
        context.work.stop_reminders()
        context.work.leave()
    else:
        context.work.keep_quiet(context.capabilities.quiet_minutes)


ROUTE = Route("presence", handle, events=(UNFOLLOW, ERASE, HUMAN_TAKEOVER))
