"""What citizens asked and did not get answered well, for officers who improve the content."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Context, Route
from bot.conversation.unit_of_work import REASONS, Complaint
from bot.i18n.catalogue import mark
from bot.text.markup import escape

MOST_SHOWN = 15
DAYS = 30


async def handle(context: Context) -> None:
    """List unanswered and badly answered questions, and the articles that did not help, with the reasons given."""
    gaps = await context.work.question_gaps(days=DAYS, limit=MOST_SHOWN)
    complaints = await context.work.complaints(days=DAYS)
    if not gaps:
        context.say(context.t("In the last {days} days every question found an answer.", days=DAYS))
        return
    lines = ["**" + context.t("Questions without a good answer, last {days} days", days=DAYS) + "**"]
    lines += [
        f"{gap.times} × {escape(gap.text)}" + (f" ({_title(context, gap.article)})" if gap.article else "")
        for gap in gaps
    ]
    if complaints:
        lines.append("\n**" + context.t("Articles that did not help, and why") + "**")
        lines += [_line(context, complaint) for complaint in complaints[:MOST_SHOWN]]
    context.say("\n".join(lines), buttons=[context.menu_button("menu")])


def _title(context: Context, article: str) -> str:
    """Return the title of an article; its id if there is none of that id any more."""
    found = context.library.articles.get(article)
    return found.title.in_language(context.language) if found else article


def _line(context: Context, complaint: Complaint) -> str:
    given = [
        f"{context.t(label)}: {context.catalogue.number(complaint.reasons[name])}"
        for name, label in REASONS.items()
        if complaint.reasons.get(name)
    ]
    return f"{context.catalogue.number(complaint.times)} × {_title(context, complaint.article)}" + (
        f" ({'; '.join(given)})" if given else ""
    )


ROUTE = Route(
    "gaps",
    handle,
    commands=("/caihoi", "/gaps"),
    action=access.SEE_QUESTIONS,
    help=mark("Questions without a good answer"),
)
