"""Emergencies: the number to call first, then what belongs to it for half an hour.

The dispatcher calls it before anything else, whatever is open. It gives no medical advice and asks for nothing.
"""

from __future__ import annotations

import re
from datetime import timedelta

from bot.clock import stamp
from bot.conversation.context import Context, Route
from bot.library.acts import GENERAL
from bot.library.knowledge import EMERGENCY

LASTS = timedelta(minutes=30)
_CALM = ("thanks", "bye", "ok", "yes", "done-well", "laughter", "emoji-love", "praise", "resigned", "wait")
_OVER = ("slip", "no")
# Words of the health book's own matters: who says one of them has turned to something else.
_OTHER_MATTER = re.compile(
    r"\b(?:so suc khoe|vneid|vssid|dinh danh|ung dung|app|otp|mat khau|tai khoan|dang nhap|the bao hiem|bhyt"
    r"|chung nhan|mui tiem|bao cai|nhac toi|health book|insurance card)\b"
)


async def handle(context: Context) -> None:
    """Say whom to call; meanwhile answer what belongs to the emergency."""
    reading = context.reading
    assert reading is not None  # only typed texts lead here
    if reading.danger.now:
        kinds = context.knowledge.emergencies.kinds
        kind = kinds.get(reading.danger.kind) or kinds[GENERAL]
        context.dialog.emergency_until = stamp(context.work.at + LASTS)
        context.summary.danger = True
        _say(context, kind.text.in_language(context.language))
        return
    if reading.act in _OVER:
        context.dialog.emergency_until = ""
        context.note("act")
        context.say(context.t("All right, good that nothing has happened. If it is serious one day: **115**, at once."))
        return
    if reading.act in _CALM:
        context.note("act")
        context.say(
            context.t("I hope all turns out well. If it gets worse, call **115** at once. I am here if you need me.")
        )
        return
    _say(
        context,
        context.t(
            "**Call 115** and stay on the line: tell them where you are (commune, hamlet, a landmark) and how the "
            "person is. They tell you what to do until they arrive. If nobody answers, call again or take the person "
            "to the nearest health facility. I am a machine and cannot give first aid advice."
        ),
    )


def goes_on(context: Context) -> bool:
    """Return True unless a text is clearly about something else than the emergency."""
    reading = context.reading
    if reading is None:
        return False
    return not (reading.facets.book or _OTHER_MATTER.search(reading.words.spoken))


def _say(context: Context, text: str) -> None:
    context.note("answer", EMERGENCY)
    context.say(text)


ROUTE = Route("emergency", handle, answers_danger=True, takes=goes_on, public=True)
