"""What citizens asked and did not get answered well, for officers who improve the content."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Route, Turn
from bot.conversation.unit_of_work import REASONS, Complaint
from bot.i18n.catalogue import mark
from bot.text.markup import escape

MOST_SHOWN = 15
DAYS = 30


async def handle(turn: Turn) -> None:
    """List unanswered and badly answered questions, and the articles that did not help, with the reasons given."""
    gaps = await turn.records.question_gaps(days=DAYS, limit=MOST_SHOWN)
    complaints = await turn.records.complaints(days=DAYS)
    if not gaps:
        turn.say(turn.t("In the last {days} days every question found an answer.", days=DAYS))
        return
    lines = ["**" + turn.t("Questions without a good answer, last {days} days", days=DAYS) + "**"]
    lines += [f"{gap.times} × {escape(gap.text)}" + (f" ({gap.article})" if gap.article else "") for gap in gaps]
    if complaints:
        lines.append("\n**" + turn.t("Articles that did not help, and why") + "**")
        lines += [_line(turn, complaint) for complaint in complaints[:MOST_SHOWN]]
    lines.append(turn.t('To teach one: python -m bot teach ARTICLE "question"'))
    turn.say("\n".join(lines), buttons=[turn.menu_button("menu")])


def _line(turn: Turn, complaint: Complaint) -> str:
    given = [
        f"{turn.t(label)}: {turn.catalogue.number(complaint.reasons[name])}"
        for name, label in REASONS.items()
        if complaint.reasons.get(name)
    ]
    return f"{turn.catalogue.number(complaint.times)} × {complaint.article}" + (
        f" ({'; '.join(given)})" if given else ""
    )


ROUTE = Route(
    "gaps",
    handle,
    commands=("/caihoi", "/gaps"),
    action=access.SEE_QUESTIONS,
    help=mark("Questions without a good answer"),
)
