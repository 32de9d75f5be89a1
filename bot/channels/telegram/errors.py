"""What an error of Telegram means for a message: one function, one table."""

from __future__ import annotations

from datetime import timedelta

from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut

from bot.channels.telegram.http import FloodError, ForeignError, ServerError, TelegramDroppedError, TelegramNotSentError
from bot.errors import DeliveryError, Gone, Rejected, Throttled, Unknown, Unreachable

# Beginnings of 400s that mean a person or a group, not the message.
_NOBODY_THERE = (
    "chat not found",
    "user not found",
    "user is deactivated",
    "peer_id_invalid",
    "chat_id is empty",
    "group chat was deleted",
    "group chat was deactivated",
    "bot is not a member",
    "the group has been migrated",
    "have no rights to send",
    "not enough rights to send",
    "chat_write_forbidden",
)
_UNCHANGED = "message is not modified"
_UNREADABLE = "can't parse entities"


def delivery_error(error: TelegramError, *, answering: bool) -> DeliveryError:
    """Say what to do after a send failed.

    An answer whose connection broke is repeated, because a citizen is better served twice than never; a message to
    many is not.
    """
    match error:
        case FloodError():
            return Throttled("Telegram asks for a pause.", code="429", retry_after=error.seconds)
        case RetryAfter():
            return Throttled("Telegram asks for a pause.", code="429", retry_after=seconds_of(error.retry_after))
        case Forbidden():
            return Gone("The person blocked the bot, or the chat is closed to it.", code="403")
        case InvalidToken():
            return Unreachable("Telegram refuses the token.", code="401")
        case BadRequest() if said(error).startswith(_NOBODY_THERE):
            return Gone("The chat does not exist any more.", code="400-gone")
        case BadRequest():
            return Rejected(f"Telegram refuses the message: {error.message}.", code="400")
        case TelegramNotSentError():
            return Unreachable(f"{error.message}.", code="not-sent")
        case ForeignError():
            return Unreachable(f"{error.message}.", code=f"foreign-{error.status}")
        case ServerError():
            return Unreachable(f"{error.message}.", code=str(error.status))
        case Conflict():
            return Unreachable("Telegram reports a conflict.", code="409")
        case TelegramDroppedError() if answering:
            return Unreachable(f"{error.message}.", code="dropped")
        case TimedOut():
            return Unknown(f"{error.message}.", code="timeout")
        case _:
            return Unknown(f"Telegram's answer is lost ({type(error).__name__}).", code="lost")


def says_unchanged(error: BadRequest) -> bool:
    """Tell whether an edit failed only because everything stands there already."""
    return said(error).startswith(_UNCHANGED)


def says_unreadable(error: BadRequest) -> bool:
    """Tell whether Telegram could not read the marks in a text."""
    return said(error).startswith(_UNREADABLE)


def seconds_of(wait: float | timedelta) -> float:
    """Read a wait, which is a whole number, a broken one, or a timedelta, depending on version and environment."""
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def said(error: TelegramError) -> str:
    """Return Telegram's own words in lower case, without the class they begin with."""
    return error.message.lower().removeprefix("bad request: ")
