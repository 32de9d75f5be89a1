"""What an error of Zalo means for a message: one function for each of its two interfaces, tables for the codes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from bot.channels.zalo_transport import Answer, CallError, DroppedError, NotSentError
from bot.errors import DeliveryError, Gone, Rejected, Throttled, Unknown, Unreachable

# -- Official Account: codes by what to do -----------------------------------------------------------------------

TOKEN = frozenset({-216, -220, -124})  # renew the access token, then once more
SETUP = frozenset({-204, -205, -209, -212, -219, -221, -223, -224, -235, -242, -320})  # a person must act
MONEY = frozenset({-211, -321})
RATE = frozenset({-32})
NIGHT = frozenset({-234})
CLOSED = frozenset({-230, -232, -227})  # until the person writes again
LOST = frozenset({-213, -217, -218, -244})
PAYLOAD = frozenset({-201, -210, -214, -233, -237, -240, -248, -249, -403})
ASSET = frozenset({-100, -238, -241})  # upload the picture again
PASSING = frozenset({-200})

_MONEY_PAUSE = 3600.0
_MORNING = (6, 5)
_SERVER_ERROR, _OK = 500, 400


def oa_error(answer: Answer, *, now: datetime, zone: tzinfo) -> DeliveryError | None:
    """Say what the Official Account's answer to a message means; None for success."""
    code = code_of(answer.body, "error")
    if code == 0 and "error" in answer.body:
        return None
    if not answer.body:
        if answer.status >= _SERVER_ERROR:
            return Unreachable(f"Zalo answered {answer.status}.", code=str(answer.status))
        return Unknown(f"Zalo's answer is no JSON (status {answer.status}).", code="no-json")
    name = str(code)
    if code in TOKEN:
        return Unreachable("Zalo refuses the access token.", code=name)
    if code in SETUP:
        return Unreachable(f"Zalo wants the Official Account or the app set up differently ({name}).", code=name)
    if code in MONEY:
        return Throttled(
            "The quota or the money of the Official Account is used up.", code=name, retry_after=_MONEY_PAUSE
        )
    if code in RATE:
        # Two limits share this code, the app's and the account's; both are counted by the minute.
        wait = 60.0 - now.second + random.uniform(0.0, 5.0)  # noqa: S311 - jitter, no secret
        return Throttled("Zalo asks for a pause.", code=name, retry_after=min(wait, 60.0))
    if code in NIGHT:
        return Throttled("Zalo takes no such message at night.", code=name, retry_after=_until_morning(now, zone))
    if code in CLOSED:
        return Gone("The person has not been active for too long; they must write first.", code=name)
    if code in LOST:
        return Gone("The person cannot be written to.", code=name)
    if code in PASSING:
        return Unreachable("Zalo has a passing trouble.", code=name)
    if code in PAYLOAD or code in ASSET:
        return Rejected(f"Zalo refuses the message ({name}).", code=name)
    return Unknown(f"Zalo answered with a code nobody has described ({name}).", code=name)


# -- Bot Platform ------------------------------------------------------------------------------------------------

UNAUTHORISED, QUIET, NOT_FOUND, QUOTA, BAD_REQUEST = 401, 408, 404, 429, 400
_ODD_INTERNAL = 403  # the vendor's own text for it is "Internal server error"


def bot_code(answer: Answer) -> int:
    """Return the error code of an answer of the Bot Platform, whose status tells nothing; 0 for success."""
    if answer.body.get("ok") is True:
        return 0
    return code_of(answer.body, "error_code") or code_of(answer.body, "errorCode") or answer.status


def bot_error(answer: Answer, *, pause: float = 60.0) -> DeliveryError | None:
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
    if isinstance(error, NotSentError):
        return Unreachable(f"{error}.", code="not-sent")
    if isinstance(error, DroppedError) and answering:
        return Unreachable(f"{error}.", code="dropped")
    return Unknown(f"{error}.", code="lost")


def code_of(body: Mapping[str, Any], key: str) -> int:
    """Read a code that may be a number or a text; 0 when there is none."""
    try:
        return int(body.get(key) or 0)
    except (TypeError, ValueError):
        return 0


def _until_morning(now: datetime, zone: tzinfo) -> float:
    local = now.astimezone(zone)
    morning = local.replace(hour=_MORNING[0], minute=_MORNING[1], second=0, microsecond=0)
    if morning <= local:
        morning += timedelta(days=1)
    return (morning - local).total_seconds()
