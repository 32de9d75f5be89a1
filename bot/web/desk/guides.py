"""Guided walks: where they stop, a bar for each step."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from bot.exports.walk_counts import step_name
from bot.statistics import walks
from bot.web.desk.figures import DEFAULT_PERIOD, PERIODS
from bot.web.desk.page_context import PageContext


async def overview(page: PageContext) -> web.Response:
    """Show for each guide how many walks began in a span of days and how far they came."""
    days = PERIODS.get(page.request.query.get("days", ""), PERIODS[DEFAULT_PERIOD])
    library, language = page.service.content_store.knowledge.library, page.catalogue.language
    guides = list(library.guides.values())
    counted = await walks.count_walks(
        page.service.store, guides, since=page.today - timedelta(days=days - 1), until=page.today
    )
    shown = [
        {
            "title": guide.title.in_language(language),
            "count": count,
            "steps": [
                (step_name(step, page.catalogue), of_step)
                for step, of_step in zip(guide.steps, count.steps, strict=True)
            ],
        }
        for guide, count in zip(guides, counted, strict=True)
    ]
    return await page.show("guides.html", guides=shown, periods=PERIODS.values(), days=days)
