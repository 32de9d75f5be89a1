"""What the bot says: articles and their age, questions without an answer, what a question would be answered."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from markupsafe import Markup

from bot import access
from bot.clock import stamp
from bot.i18n.catalogue import mark
from bot.library.articles import STALE_AFTER
from bot.library.render import STATES, article_reply, more_reply
from bot.search import Explanation, Verdict
from bot.store import questions
from bot.text.markup import to_html
from bot.web.desk.page_context import PageContext

VERDICTS = {
    Verdict.ANSWER: mark("answered"),
    Verdict.SUGGEST: mark("articles are offered to choose from"),
    Verdict.UNKNOWN: mark("no answer; the bot says so"),
}
DAYS, MOST_GAPS, LONGEST_QUESTION = 30, 40, 300


async def overview(page: PageContext) -> web.Response:
    """List articles with how they fare, and what found no answer; try a question."""
    page.require(access.SEE_QUESTIONS)
    knowledge = page.service.content_store.knowledge
    since = stamp(page.at - timedelta(days=DAYS))
    store = page.service.store
    gaps = await store.read(lambda tx: questions.unanswered(tx, since=since, limit=MOST_GAPS))
    asked = await store.read(lambda tx: questions.frequent(tx, since=since, limit=1000))
    question = page.request.query.get("q", "").strip()[:LONGEST_QUESTION]
    articles = sorted(knowledge.library.articles.values(), key=lambda a: (a.checked_on, a.id))
    return await page.show(
        "content.html",
        articles=articles,
        stale={a.id for a in articles if page.today - a.checked_on > STALE_AFTER},
        asked={row["article"]: row for row in asked},
        gaps=gaps,
        titles={
            name: found.title.in_language(page.catalogue.language) for name, found in knowledge.library.articles.items()
        },
        question=question,
        explained=_explained(page, knowledge.explain(question)) if question else [],
        states=STATES,
        days=DAYS,
    )


async def article(page: PageContext) -> web.Response:
    """Show an article as citizens read it, with its sources."""
    library = page.service.content_store.knowledge.library
    found = library.articles.get(page.request.match_info["article"])
    if found is None:
        raise web.HTTPNotFound
    settings = page.service.settings
    previews = []
    for catalogue in page.service.catalogues.values():
        replies = [article_reply(found, library, catalogue, settings, for_officer=True)]
        if found.more:
            replies.append(more_reply(found, library, catalogue, settings))
        html = "\n".join(to_html(reply.text, link_attributes=' rel="noopener noreferrer"') for reply in replies)
        previews.append((catalogue.language, Markup(html)))  # noqa: S704 - to_html escapes all but its own marks
    return await page.show("article.html", article=found, previews=previews)


def _explained(page: PageContext, seen: Explanation) -> list[tuple[str, list[str]]]:
    """Say what the search saw in a question, line by line."""
    t, percent = page.t, page.catalogue.percent
    articles = page.service.content_store.knowledge.library.articles
    verdict = t(VERDICTS[seen.found.verdict])
    title = {name: found.title.in_language(page.catalogue.language) for name, found in articles.items()}
    rows = [
        (t("What happens"), [verdict, *([t("A danger sign: 115 comes first.")] if seen.danger else [])]),
        (t("Likely articles"), [f"{title.get(name, name)}: {percent(share)}" for name, share in seen.top]),
        (t("Read as"), [seen.normal_form]),
        (t("Words that no article knows"), [" ".join(word for word, known in seen.words if not known)]),
        (t("Concepts"), [", ".join(seen.concepts)]),
        (
            t("Certainty"),
            [t("{score}; answered from {least}", score=percent(seen.found.score), least=percent(seen.answer_from))],
        ),
        (
            t("About the health book"),
            [t("{score}; articles offered from {least}", score=percent(seen.inside), least=percent(seen.suggest_from))],
        ),
    ]
    return [(label, kept) for label, lines in rows if (kept := [line for line in lines if line])]
