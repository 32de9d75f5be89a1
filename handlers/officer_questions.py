"""What citizens asked and did not get answered well, for officers who improve the content."""

from __future__ import annotations

from bot import access
from bot.i18n import mark
from bot.markup import escape
from bot.turn import Route, Turn

MOST_SHOWN = 15
DAYS = 30


async def handle(turn: Turn) -> None:
    """List unanswered and badly answered questions, most frequent first."""
    gaps = await turn.records.question_gaps(days=DAYS, limit=MOST_SHOWN)
    if not gaps:
        turn.say(turn.t("In the last {days} days every question found an answer.", days=DAYS))
        return
    lines = ["**" + turn.t("Questions without a good answer, last {days} days", days=DAYS) + "**"]
    lines += [f"{gap.times} × {escape(gap.text)}" + (f" ({gap.article})" if gap.article else "") for gap in gaps]
    lines.append(turn.t('To teach one: python -m bot teach ARTICLE "question"'))
    turn.say("\n".join(lines), buttons=[turn.menu_button("menu")])


ROUTE = Route(
    "gaps",
    handle,
    commands=("/caihoi", "/gaps"),
    action=access.SEE_QUESTIONS,
    help=mark("Questions without a good answer"),
)
