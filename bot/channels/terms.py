"""On which terms each channel lets the bot write first: how fast, for how long after a word, for what money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.message import Window
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingTerms:
    """One channel's; 0 means no limit, no price.

    `budget` is for messages of a month, `budgeted` says which kinds of `usage` count against it; `included` messages
    cost nothing.
    """

    per_second: float = 0.0
    window: Window | None = None
    price: int = 0
    included: int = 0
    budget: int = 0
    budgeted: tuple[str, ...] = ()


def terms_of(settings: Settings, others: Iterable[str] = ()) -> Mapping[str, SendingTerms]:
    """Return the terms of every channel that has its token, and of others that run without one."""
    limits, oa, bot = settings.limits, settings.zalo_oa, settings.zalo_bot
    terms = {name: SendingTerms() for name in others}
    if settings.telegram.token is not None:
        terms["telegram"] = SendingTerms(per_second=limits.telegram.bulk_per_second)
    if bot.token is not None:
        terms["zalo_bot"] = SendingTerms(
            per_second=limits.zalo_bot.bulk_per_second,
            budget=bot.monthly_messages,
            budgeted=("sent", "received") if bot.counts_incoming else ("sent",),
        )
    if oa.app_id is not None and oa.app_secret is not None:
        terms["zalo_oa"] = SendingTerms(
            per_second=limits.zalo_oa.bulk_per_second,
            window=oa.window,
            price=oa.message_price,
            included=oa.included_messages,
        )
    return terms
