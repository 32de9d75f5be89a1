"""Today, and the districts: the counts of the person's own scope with their charts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

from aiohttp import web

from bot import access
from bot.conversation import unit_of_work
from bot.errors import ContentError
from bot.exports import charts
from bot.exports.charts import Chart
from bot.exports.overview import sent_within
from bot.exports.spreadsheet import Wanted, table
from bot.library.goals import Goals, load_goals
from bot.library.sources import codes_within
from bot.reminders.summary import summary_wording
from bot.statistics import counts
from bot.store import Transaction
from bot.web.desk.page_context import Visit
from bot.web.desk.pictures import drawn
from bot.web.desk.troubles import in_words

PERIODS = {"7": 7, "30": 30, "90": 90, "365": 365}
DEFAULT_PERIOD = "30"


async def today(visit: Visit) -> web.Response:
    """Show how many, where, whether it rises, and where people stop."""
    scope, regions = visit.scope(access.COUNT), visit.service.regions
    province = await counts.count_districts(
        visit.service.store, regions, today=visit.today, scope=scope, step=visit.step
    )
    found = [await _growth(visit, scope), await _funnel(visit, scope)]
    if len(province.districts) > 1:
        found.insert(0, await _ranking(visit, scope))
    found.append(await _progress(visit, province))
    official = await counts.official_figures(visit.service.store, regions, until=visit.today)
    return await visit.show(
        "today.html",
        province=province,
        **await _of_period(visit, province, scope),
        pictures=await drawn([await _named(visit, chart) for chart in found]),
        official=charts.official_sentence(official[regions.province.id], visit.catalogue) if scope is None else "",
        trouble=[
            (in_words(part, visit.catalogue), sentence) for part, sentence in sorted(visit.service.trouble.items())
        ]
        if visit.allows(access.SEE_STATE)
        else [],
        wants_summary=await visit.service.store.read(partial(unit_of_work.wants_summary, person_id=visit.member.id)),
        summary=summary_wording(visit.catalogue, visit.service.settings),
        channels=sorted(channel.traits.title or name for name, channel in visit.service.channels.items()),
        waiting=visit.service.inbox.waiting,
    )


async def switch_summary(visit: Visit) -> web.Response:
    """Begin or end the weekly summary, which comes into the person's chat."""
    on, wording = visit.form.get("on") == "1", summary_wording(visit.catalogue, visit.service.settings)

    def work(tx: Transaction) -> None:
        if on:
            unit_of_work.want_summary(tx, visit.member.id, wording, at=visit.at)
        else:
            unit_of_work.stop_summary(tx, visit.member.id, at=visit.at)

    await visit.service.store.write(work)
    return visit.go("")


async def districts(visit: Visit) -> web.Response:
    """List the districts of the person's scope."""
    scope = visit.scope(access.COUNT)
    province = await counts.count_districts(
        visit.service.store, visit.service.regions, today=visit.today, scope=scope, step=visit.step
    )
    ranked = sorted(province.districts, key=lambda count: (count.rank, count.district))
    period = await _of_period(visit, province, scope)
    return await visit.show("districts.html", province=province, ranked=ranked, **period)


async def district(visit: Visit) -> web.Response:
    """Show one district: growth, communes, sources, the way from its posters to the report."""
    name = visit.request.match_info["district"]
    regions, store = visit.service.regions, visit.service.store
    if name not in regions.districts:
        raise web.HTTPNotFound
    visit.require(access.COUNT, name)
    scope = frozenset((name,))
    province = await counts.count_districts(store, regions, today=visit.today, scope=scope, step=visit.step)
    wanted = Wanted(visit.today, scope=scope, step=visit.step)
    sources = visit.service.shelf.knowledge.sources
    tables = [await table(store, regions, view, wanted, sources=sources) for view in ("commune", "source", "channel")]
    communes = sorted(tables[0].rows, key=lambda row: -int(str(row[3])))
    by_source = sorted(tables[1].rows, key=lambda row: -int(str(row[1])))
    found = [await _growth(visit, scope), await _funnel(visit, scope), await _progress(visit, province)]
    return await visit.show(
        "district.html",
        **await _of_period(visit, province, scope),
        district=regions.districts[name],
        count=province.districts[0],
        province=province,
        communes=communes,
        sources=by_source,
        channels=tables[2].rows,
        pictures=await drawn([await _named(visit, chart) for chart in found]),
    )


def _days(visit: Visit) -> int:
    return PERIODS.get(visit.request.query.get("days", ""), PERIODS[DEFAULT_PERIOD])


async def _of_period(visit: Visit, province: counts.ProvinceCount, scope: Collection[str] | None) -> dict[str, Any]:
    """Count what was new in the days that the person chose, in all and by district."""
    days = _days(visit)
    counted = await counts.count_districts(
        visit.service.store,
        visit.service.regions,
        today=visit.today,
        since=province.day - timedelta(days=days - 1),
        scope=scope,
        step=visit.step,
    )
    return {
        "days": days,
        "periods": tuple(PERIODS.values()),
        "in_period": counted.reports,
        "in_period_by_district": {count.district: count.reports for count in counted.districts},
    }


async def _ranking(visit: Visit, scope: Collection[str] | None) -> Chart:
    # Charts end with yesterday, whoever looks: they are drawn once a day and not after every report.
    province = await counts.count_districts(
        visit.service.store,
        visit.service.regions,
        today=visit.today,
        until=visit.today - timedelta(days=1),
        scope=scope,
        step=visit.step,
    )
    return charts.ranking(province, visit.service.regions, visit.catalogue)


async def _growth(visit: Visit, scope: Collection[str] | None) -> Chart | None:
    until = visit.today - timedelta(days=1)
    since = until - timedelta(days=_days(visit) - 1)
    days = await counts.count_days(visit.service.store, since=since, until=until, scope=scope, step=visit.step)
    if not days:
        return None
    filled = counts.every_day(days, since=since, until=until)
    sent = await sent_within(visit.service.broadcasts, visit.actor, scope, visit.service.settings)
    return charts.growth(filled, visit.catalogue, place=_place(visit, scope), step=visit.step, sent=sent)


async def _funnel(visit: Visit, scope: Collection[str] | None) -> Chart:
    until = visit.today - timedelta(days=1)
    sources = visit.service.shelf.knowledge.sources
    codes = None if scope is None else codes_within(scope, sources, visit.service.regions)
    steps = await counts.count_steps(
        visit.service.store, today=visit.today, until=until, step=visit.step, sources=codes
    )
    place = "" if scope is None else _place(visit, scope)
    return charts.funnel(steps, visit.catalogue, day=until, step=visit.step, place=place)


async def _progress(visit: Visit, province: counts.ProvinceCount) -> Chart | None:
    regions, store = visit.service.regions, visit.service.store
    try:
        goals = load_goals(visit.service.settings.content, regions)
    except ContentError:
        goals = Goals()  # `check` names the mistake
    figures = await counts.official_figures(store, regions, until=province.day)
    found = counts.progress(province, regions, goals, figures)
    if not found:
        return None
    return charts.progress(
        found,
        regions,
        visit.catalogue,
        step=province.step,
        measured_by=goals.measured_by,
        over=province.over,
    )


async def _named(visit: Visit, chart: Chart | None) -> Chart | None:
    """Say above a chart that its figures are simulated, where they are."""
    if chart is None or not await counts.are_simulated(visit.service.store):
        return chart
    return charts.as_simulated(chart, visit.catalogue)


def _place(visit: Visit, scope: Collection[str] | None) -> str:
    if scope is None:
        return visit.t("the whole province")
    if len(scope) == 1:
        return visit.service.regions.districts[next(iter(scope))].title(visit.catalogue.language)
    return visit.t("your districts")
