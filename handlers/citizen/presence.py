"""What people do without a word: they leave, they want to be forgotten; or an officer writes to them by hand."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.message import ATTENDED, ERASE, UNFOLLOW


async def handle(turn: Turn) -> None:
    """Do what is asked, and say nothing."""
    if turn.message.event == ERASE:
        turn.erase()
    elif turn.message.event == UNFOLLOW:
        turn.records.stop_reminders()
        turn.records.leave()
    else:
        turn.records.keep_quiet(turn.traits.quiet_minutes)


ROUTE = Route("presence", handle, events=(UNFOLLOW, ERASE, ATTENDED))
