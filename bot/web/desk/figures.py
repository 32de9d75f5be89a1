"""Today, and the districts: the counts of the person's own scope with their charts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from functools import partial
from typing import Any

from aiohttp import web

from bot import access
from bot.conversation import unit_of_work
from bot.errors import ContentError
from bot.exports import charts
from bot.exports.charts import Chart
from bot.exports.overview import sent_within
from bot.exports.tables import Wanted, table
from bot.library.goals import Goals, load_goals
from bot.library.sources import codes_within
from bot.reminders.summary import summary_wording
from bot.statistics import counts
from bot.store import Transaction
from bot.web.desk.page_context import PageContext
from bot.web.desk.pictures import drawn
from bot.web.desk.troubles import in_words

PERIODS = {"7": 7, "30": 30, "90": 90, "365": 365}
DEFAULT_PERIOD = "30"
MOST_COMPARED = 6  # official figures beside self-reported counts


async def today(page: PageContext) -> web.Response:
    """Show how many, where, whether it rises, and where people stop."""
    scope, regions = page.scope(access.COUNT), page.service.regions
    province = await _counted(page, scope)
    found = [await _growth(page, scope), await _funnel(page, scope)]
    if len(province.districts) > 1:
        found.insert(0, charts.ranking(province, regions, page.catalogue))
    found.append(await _progress(page, province))
    official = await counts.official_figures(page.service.store, regions, until=page.today)
    return await page.show(
        "today.html",
        province=province,
        **await _of_period(page, scope),
        pictures=await drawn([await _named(page, chart) for chart in found]),
        official=charts.official_sentence(official[regions.province.id], page.catalogue) if scope is None else "",
        on_trial=not page.service.settings.operator.name,
        trouble=[(in_words(part, page.catalogue), sentence) for part, sentence in sorted(page.service.trouble.items())]
        if page.allows(access.SEE_STATE)
        else [],
        wants_summary=await page.service.store.read(partial(unit_of_work.wants_summary, person_id=page.member.id)),
        summary=summary_wording(page.catalogue, page.service.settings),
        channels=sorted(channel.capabilities.title or name for name, channel in page.service.channels.items()),
        under_way=page.service.inbox.waiting,
    )


async def switch_summary(page: PageContext) -> web.Response:
    """Begin or end the weekly summary, which comes into the person's chat."""
    on, wording = page.form.get("on") == "1", summary_wording(page.catalogue, page.service.settings)

    def work(tx: Transaction) -> None:
        if on:
            unit_of_work.want_summary(tx, page.member.id, wording, at=page.at)
        else:
            unit_of_work.stop_summary(tx, page.member.id, at=page.at)

    await page.service.store.write(work)
    return page.go("")


async def districts(page: PageContext) -> web.Response:
    """List the districts of the person's scope."""
    scope = page.scope(access.COUNT)
    province = await _counted(page, scope)
    ranked = sorted(province.districts, key=lambda count: (count.rank, count.district))
    period = await _of_period(page, scope)
    official = await counts.official_figures(page.service.store, page.service.regions, until=_until(page))
    return await page.show("districts.html", province=province, ranked=ranked, official=official, **period)


async def district(page: PageContext) -> web.Response:
    """Show one district: growth, communes, sources, the way from its posters to the report."""
    name = page.request.match_info["district"]
    regions, store = page.service.regions, page.service.store
    if name not in regions.districts:
        raise web.HTTPNotFound
    page.require(access.COUNT, name)
    scope = frozenset((name,))
    province = await _counted(page, scope)
    wanted = Wanted(page.today, until=_until(page), scope=scope, step=page.step)
    sources = page.service.content_store.knowledge.sources
    tables = [
        await table(store, regions, view, wanted, page.catalogue, sources=sources) for view in ("commune", "source")
    ]
    communes, by_source = (sorted(one.records(), key=lambda row: -int(str(row["self_reported"]))) for one in tables)
    found = [await _growth(page, scope), await _funnel(page, scope), await _progress(page, province)]
    return await page.show(
        "district.html",
        **await _of_period(page, scope),
        district=regions.districts[name],
        count=province.districts[0],
        province=province,
        communes=communes,
        compared=await counts.official_history(
            store, regions, name, today=page.today, step=page.step, limit=MOST_COMPARED
        ),
        sources=by_source,
        pictures=await drawn([await _named(page, chart) for chart in found]),
    )


def _until(page: PageContext) -> date:
    """Return the last day of every figure of these pages, whoever looks: only days that are over can be compared."""
    return page.today - timedelta(days=1)


async def _counted(
    page: PageContext, scope: Collection[str] | None, *, since: date | None = None
) -> counts.ProvinceCount:
    store, regions = page.service.store, page.service.regions
    return await counts.count_districts(
        store, regions, today=page.today, since=since, until=_until(page), scope=scope, step=page.step
    )


def _days(page: PageContext) -> int:
    return PERIODS.get(page.request.query.get("days", ""), PERIODS[DEFAULT_PERIOD])


async def _of_period(page: PageContext, scope: Collection[str] | None) -> dict[str, Any]:
    """Count what was new in the days that the person chose, in all and by district."""
    days = _days(page)
    counted = await _counted(page, scope, since=_until(page) - timedelta(days=days - 1))
    return {
        "days": days,
        "periods": tuple(PERIODS.values()),
        "in_period": counted.reports,
        "in_period_by_district": {count.district: count.reports for count in counted.districts},
        "so_far": await _so_far(page, scope),
    }


async def _so_far(page: PageContext, scope: Collection[str] | None) -> int | None:
    """Count what was reported today until now; None for those who may not watch a figure while people report."""
    if page.step > 1:
        return None
    counted = await counts.count_districts(
        page.service.store, page.service.regions, today=page.today, since=page.today, scope=scope
    )
    return counted.reports


async def _growth(page: PageContext, scope: Collection[str] | None) -> Chart | None:
    until = _until(page)
    since = until - timedelta(days=_days(page) - 1)
    days = await counts.count_days(page.service.store, since=since, until=until, scope=scope, step=page.step)
    if not days:
        return None
    filled = counts.every_day(days, since=since, until=until)
    sent = await sent_within(page.service.broadcasts, page.actor, scope, page.service.settings)
    return charts.growth(filled, page.catalogue, place=_place(page, scope), step=page.step, sent=sent)


async def _funnel(page: PageContext, scope: Collection[str] | None) -> Chart:
    until = _until(page)
    sources = page.service.content_store.knowledge.sources
    codes = None if scope is None else codes_within(scope, sources, page.service.regions)
    steps = await counts.count_steps(page.service.store, today=page.today, until=until, step=page.step, sources=codes)
    place = "" if scope is None else _place(page, scope)
    return charts.funnel(steps, page.catalogue, day=until, step=page.step, place=place)


async def _progress(page: PageContext, province: counts.ProvinceCount) -> Chart | None:
    regions, store = page.service.regions, page.service.store
    try:
        goals = load_goals(page.service.settings.content, regions)
    except ContentError:
        goals = Goals()  # `check` names the mistake
    figures = await counts.official_figures(store, regions, until=province.day)
    found = counts.progress(province, regions, goals, figures)
    if not found:
        return None
    return charts.progress(
        found,
        regions,
        page.catalogue,
        step=province.step,
        measured_by=goals.measured_by,
        over=province.over,
    )


async def _named(page: PageContext, chart: Chart | None) -> Chart | None:
    """Say above a chart that its figures are simulated, where they are."""
    if chart is None or not await counts.are_simulated(page.service.store):
        return chart
    return charts.as_simulated(chart, page.catalogue)


def _place(page: PageContext, scope: Collection[str] | None) -> str:
    if scope is None:
        return page.t("the whole province")
    if len(scope) == 1:
        return page.service.regions.districts[next(iter(scope))].title(page.catalogue.language)
    return page.t("your districts")
