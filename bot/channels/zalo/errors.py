"""What an error of Zalo means for a message: one table a host, one function for each of its two interfaces."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import Any

from bot.channels.zalo.transport import ApiResponse, CallError, ZaloDroppedError, ZaloNotSentError
from bot.errors import DeliveryError, Gone, Rejected, Throttled, Unknown, Unreachable

# -- Official Account: codes by what to do -----------------------------------------------------------------------


class ErrorAction(Enum):
    """What an error code asks for."""

    TOKEN = "renew the access token, then once more"  # noqa: S105 - says what to do
    SETUP = "a person must set the account or the app up differently"
    MONEY = "messages to many wait until the next day"
    RATE = "a pause until the next minute"
    NIGHT = "messages to many wait until the morning"
    CLOSED = "nothing to this person until they write again"
    LOST = "nothing to this person"
    PAYLOAD = "never again with this content"
    ASSET = "upload the picture again"
    PASSING = "again after a while"


def _table(codes: Mapping[ErrorAction, tuple[int, ...]]) -> Mapping[int, ErrorAction]:
    return {code: trouble for trouble, several in codes.items() for code in several}


Host = Mapping[int, ErrorAction]

# openapi.zalo.me: messages to people who talk to the account.
ACCOUNT: Host = _table(
    {
        ErrorAction.TOKEN: (-216, -220, -124),  # the last one is the other host's; here it can mean nothing else
        ErrorAction.SETUP: (-204, -205, -209, -212, -219, -221, -223, -224, -235, -242, -320),
        ErrorAction.MONEY: (-211, -321),
        ErrorAction.RATE: (-32,),
        ErrorAction.NIGHT: (-234,),
        ErrorAction.CLOSED: (-227, -230, -232),
        ErrorAction.LOST: (-213, -217, -218, -244),
        ErrorAction.PAYLOAD: (-201, -210, -214, -233, -237, -240, -248, -249, -403),
        ErrorAction.ASSET: (-100, -238, -241),
        ErrorAction.PASSING: (-200,),
    }
)
# business.openapi.zalo.me: approved templates by telephone number. The same number may mean something else there.
BUSINESS: Host = _table(
    {
        ErrorAction.TOKEN: (-124,),
        ErrorAction.SETUP: (
            *(-101, -102, -103, -104, -105, -117, -120, -125, -131, -135, -1351, -136, -138),
            -146,  # a template that was switched off for its quality
        ),
        ErrorAction.MONEY: (-115, -126, -137, -144, -1441, -147),
        ErrorAction.RATE: (-32,),
        ErrorAction.NIGHT: (-133,),
        ErrorAction.LOST: (-108, -114, -118, -119, -139, -140, -141),
        ErrorAction.PAYLOAD: (-109, -111, -112, -1121, -1122, -1124, -116, -121, -122, -132),
        ErrorAction.ASSET: (-158, -159),
        ErrorAction.PASSING: (-100,),
    }
)

_MORNING = (6, 5)
_SERVER_ERROR, _OK = 500, 400


def trouble_of(error: DeliveryError, host: Host = ACCOUNT) -> ErrorAction | None:
    """Return what an error that `oa_error` made asks for; None where it is no code of Zalo's."""
    return host.get(code_of({"code": error.code}, "code"))


def oa_error(answer: ApiResponse, *, now: datetime, zone: tzinfo, host: Host = ACCOUNT) -> DeliveryError | None:
    """Say what the Official Account's answer to a message means; None for success.

    What the whole account must wait for is Throttled; what only messages to many must wait for is Unreachable with
    the seconds in `retry_after`, because an answer to a citizen may still be taken.
    """
    code = code_of(answer.body, "error")
    if code == 0 and "error" in answer.body:
        return None
    if not answer.body:
        if answer.status >= _SERVER_ERROR:
            return Unreachable(f"Zalo answered {answer.status}.", code=str(answer.status))
        return Unknown(f"Zalo's answer is no JSON (status {answer.status}).", code="no-json")
    name = str(code)
    match host.get(code):
        case ErrorAction.TOKEN:
            return Unreachable("Zalo refuses the access token.", code=name)
        case ErrorAction.SETUP:
            return Unreachable(f"Zalo wants the Official Account or the app set up differently ({name}).", code=name)
        case ErrorAction.MONEY:
            sentence = f"The quota or the money of the Official Account is used up ({name})."
            return Unreachable(sentence, code=name, retry_after=_until_morning(now, zone))
        case ErrorAction.RATE:
            # Two limits share this code; both are counted by the minute, and only the text tells which one it was.
            whose = "account's" if "oa" in str(answer.body.get("message", "")).lower().split() else "app's"
            wait = 60.0 - now.second + random.uniform(0.0, 5.0)  # noqa: S311 - jitter, no secret
            sentence = f"The {whose} calls of this minute are used up."
            return Throttled(sentence, code=name, retry_after=min(wait, 60.0))
        case ErrorAction.NIGHT:
            sentence = "Zalo takes no such message at night."
            return Unreachable(sentence, code=name, retry_after=_until_morning(now, zone))
        case ErrorAction.CLOSED:
            return Gone("The person has not been active for too long; they must write first.", code=name)
        case ErrorAction.LOST:
            return Gone("The person cannot be written to.", code=name)
        case ErrorAction.PASSING:
            return Unreachable("Zalo has a passing trouble.", code=name)
        case ErrorAction.PAYLOAD | ErrorAction.ASSET:
            return Rejected(f"Zalo refuses the message ({name}).", code=name)
    return Unknown(f"Zalo answered with a code nobody has described ({name}).", code=name)


# -- Bot Platform ------------------------------------------------------------------------------------------------

UNAUTHORISED, QUIET, NOT_FOUND, QUOTA, BAD_REQUEST = 401, 408, 404, 429, 400
_ODD_INTERNAL = 403  # the vendor's own text for it is "Internal server error"


def bot_code(answer: ApiResponse) -> int:
    """Return the error code of an answer of the Bot Platform, whose status tells nothing; 0 for success."""
    if answer.body.get("ok") is True:
        return 0
    return code_of(answer.body, "error_code") or code_of(answer.body, "errorCode") or answer.status


def bot_error(answer: ApiResponse, *, pause: float = 60.0) -> DeliveryError | None:
    """Say what the Bot Platform's answer to a message means; None for success."""
    code = bot_code(answer)
    if code == 0:
        return None
    name = str(code)
    if code == UNAUTHORISED:
        return Unreachable("Zalo refuses the bot's token.", code=name)
    if code == QUIET:
        return Unknown("Zalo did not say in time whether the message arrived.", code=name)
    if code == QUOTA:
        return Throttled("Zalo asks for a pause, or the month's messages are used up.", code=name, retry_after=pause)
    if code == _ODD_INTERNAL or code >= _SERVER_ERROR:
        return Unreachable(f"Zalo has a passing trouble ({name}).", code=name)
    if not answer.body and code < _OK:
        return Unknown(f"Zalo's answer is no JSON (status {name}).", code="no-json")
    return Rejected(f"Zalo refuses the message ({name}).", code=name)


# -- both --------------------------------------------------------------------------------------------------------


def call_error(error: CallError, *, answering: bool) -> DeliveryError:
    """Say what a request without an answer means.

    An answer whose connection broke is repeated, because a citizen is better served twice than never; a message to
    many is not.
    """
    if isinstance(error, ZaloNotSentError):
        return Unreachable(f"{error}.", code="not-sent")
    if isinstance(error, ZaloDroppedError) and answering:
        return Unreachable(f"{error}.", code="dropped")
    return Unknown(f"{error}.", code="lost")


def code_of(body: Mapping[str, Any], key: str) -> int:
    """Read a code that may be a number or a text; 0 when there is none."""
    try:
        return int(body.get(key) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _until_morning(now: datetime, zone: tzinfo) -> float:
    """Return the seconds until the next five past six."""
    local = now.astimezone(zone)
    morning = local.replace(hour=_MORNING[0], minute=_MORNING[1], second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return (morning - local).total_seconds()
