"""Maps and trends at the desk: each a picture, the table that says the same, and a PNG to take along."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from bot import access
from bot.errors import BotError, ContentError
from bot.exports import charts, maps, trends
from bot.exports.tables import TabledChart, in_words
from bot.library.outlines import Outlines, load_outlines
from bot.library.sources import codes_within
from bot.statistics import activity, counts
from bot.web.desk.page_context import PageContext
from bot.web.desk.pictures import drawn

PERIODS = (30, 90, 365)
DEFAULT_PERIOD = 90


async def show_map(page: PageContext) -> web.Response:
    """Show the map of the districts and that of the communes since July 2025."""
    return await _show(page, "map.html", await _maps(page))


async def map_picture(page: PageContext) -> web.Response:
    """Hand out a map as PNG."""
    return await _picture(page, await _maps(page))


async def show_trends(page: PageContext) -> web.Response:
    """Show questions by topic and week, the unanswered, the most asked, books, the way from poster to report."""
    return await _show(page, "trends.html", await _trends(page), days=_days(page), periods=PERIODS)


async def trend_picture(page: PageContext) -> web.Response:
    """Hand out a trend as PNG."""
    return await _picture(page, await _trends(page))


async def _maps(page: PageContext) -> list[TabledChart]:
    service, scope, until = page.service, page.scope(access.COUNT), _until(page)
    regions, store, attribution = service.regions, service.store, service.settings.map.attribution
    outlines = await _outlines(page)
    province = await counts.count_districts(store, regions, today=page.today, until=until, scope=scope, step=page.step)
    communes = await counts.count_by(
        store, "commune-2025", today=page.today, until=until, scope=scope, step=page.step, regions=regions
    )
    catalogue = page.catalogue
    return [
        maps.district_map(province, regions, catalogue, outlines=outlines, attribution=attribution),
        maps.commune_map(
            communes, province, regions, catalogue, scope=scope, outlines=outlines, attribution=attribution
        ),
    ]


async def _outlines(page: PageContext) -> Outlines:
    """Load the operator's outlines; a file that cannot be drawn is named by `check`, and tiles stand in its place."""
    try:
        return await asyncio.to_thread(load_outlines, page.service.settings.map.outlines, page.service.regions)
    except ContentError:
        return Outlines()


async def _trends(page: PageContext) -> list[TabledChart]:
    service, scope, until, days = page.service, page.scope(access.COUNT), _until(page), _days(page)
    regions, store, catalogue = service.regions, service.store, page.catalogue
    knowledge, since = service.content_store.knowledge, until - timedelta(days=days - 1)
    library, weeks = knowledge.library, trends.last_weeks(until)
    by_week = await activity.count_questions(store, library.articles, since=weeks[0], until=until)
    lately = await activity.count_questions(store, library.articles, since=since, until=until)
    found = [
        trends.topics_by_week(by_week, library, weeks, catalogue),
        trends.unanswered_by_week(by_week, weeks, catalogue),
        trends.most_asked(lately, library, catalogue, days=days),
    ]
    if "product" in counts.GROUPS:
        tallies = await counts.count_by(store, "product", today=page.today, until=until, scope=scope, step=page.step)
        found.append(trends.by_product(tallies, catalogue, day=until, step=page.step))
    steps = {
        district: await counts.count_steps(
            store, today=page.today, since=since, until=until, step=page.step,
            sources=codes_within([district], knowledge.sources, regions),
        )
        for district in regions.districts
        if scope is None or district in scope
    }  # fmt: skip
    found.append(trends.way_by_district(steps, regions, catalogue, day=until, step=page.step))
    return found


async def _show(page: PageContext, template: str, found: Sequence[TabledChart], **values: Any) -> web.Response:
    simulated = await counts.are_simulated(page.service.store)
    pictures = await drawn([_marked(page, one, simulated=simulated) for one in found])
    shown = [(one.table.for_officers(), picture) for one, picture in zip(found, pictures, strict=True)]
    return await page.show(
        template, found=shown, written=lambda value, column: in_words(value, column, page.catalogue), **values
    )


async def _picture(page: PageContext, found: Sequence[TabledChart]) -> web.Response:
    wanted = next((one for one in found if one.table.name == page.request.match_info["name"]), None)
    if wanted is None:
        raise web.HTTPNotFound
    simulated = await counts.are_simulated(page.service.store)
    try:
        content = await charts.draw(_marked(page, wanted, simulated=simulated))
    except BotError:
        raise web.HTTPNotFound from None
    name = f"{'mo-phong-' if simulated else ''}{wanted.table.name}-{page.today}.png"
    return web.Response(
        body=content, content_type="image/png", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _marked(page: PageContext, one: TabledChart, *, simulated: bool) -> charts.Chart:
    return charts.as_simulated(one.chart, page.catalogue) if simulated else one.chart


def _until(page: PageContext) -> date:
    return page.today - timedelta(days=1)


def _days(page: PageContext) -> int:
    chosen = page.request.query.get("days", "")
    return next((days for days in PERIODS if str(days) == chosen), DEFAULT_PERIOD)
