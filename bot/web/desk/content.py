"""What the bot says: articles and their age, questions without an answer, what a question would be answered."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from markupsafe import Markup

from bot import access
from bot.answers import article_reply, more_reply
from bot.articles import STALE_AFTER
from bot.clock import stamp
from bot.markup import to_html
from bot.store import questions
from bot.web.desk.visit import Visit

DAYS, MOST_GAPS, LONGEST_QUESTION = 30, 40, 300


async def overview(visit: Visit) -> web.Response:
    """List articles with how they fare, and what found no answer; try a question."""
    visit.require(access.SEE_QUESTIONS)
    knowledge = visit.service.shelf.knowledge
    since = stamp(visit.at - timedelta(days=DAYS))
    store = visit.service.store
    gaps = await store.read(lambda tx: questions.unanswered(tx, since=since, limit=MOST_GAPS))
    asked = await store.read(lambda tx: questions.frequent(tx, since=since, limit=1000))
    question = visit.request.query.get("q", "").strip()[:LONGEST_QUESTION]
    articles = sorted(knowledge.library.articles.values(), key=lambda a: (a.checked_on, a.id))
    return await visit.show(
        "content.html",
        articles=articles,
        stale={a.id for a in articles if visit.today - a.checked_on > STALE_AFTER},
        asked={row["article"]: row for row in asked},
        gaps=gaps,
        question=question,
        explained=knowledge.index.explain(question).lines() if question else [],
        days=DAYS,
    )


async def article(visit: Visit) -> web.Response:
    """Show an article as citizens read it, with its sources."""
    library = visit.service.shelf.knowledge.library
    found = library.articles.get(visit.request.match_info["article"])
    if found is None:
        raise web.HTTPNotFound
    settings = visit.service.settings
    previews = []
    for catalogue in visit.service.catalogues.values():
        replies = [article_reply(found, library, catalogue, settings, for_officer=True)]
        if found.more:
            replies.append(more_reply(found, library, catalogue, settings))
        html = "\n".join(to_html(reply.text, link_attributes=' rel="noopener noreferrer"') for reply in replies)
        previews.append((catalogue.language, Markup(html)))  # noqa: S704 - to_html escapes all but its own marks
    return await visit.show("article.html", article=found, previews=previews)
