"""What leaves the desk as a file: tables, the official report, every report one by one for admins."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from aiohttp import web

from bot import access
from bot.errors import NotAllowed
from bot.exports import official_report, poster, tables
from bot.exports import workbook as workbooks
from bot.exports.report_periods import OFFERED, Period, read_period
from bot.exports.spreadsheet import CSV_TYPE, XLSX_TYPE, office_csv
from bot.exports.tables import TITLES, VIEWS, Wanted
from bot.i18n.catalogue import mark
from bot.library.sources import Source, districts_of, source_name
from bot.statistics import counts
from bot.store import tallies
from bot.web.desk import report_orders
from bot.web.desk.page_context import PageContext

NO_DOOR = mark(
    "No poster yet: no channel is set up that its codes could lead to. Please ask whoever runs the server to set "
    "the public address of Zalo, of the website or of Telegram."
)
NO_PERIOD = mark(
    "These days cannot be read, or they are not over yet. Choose a period, or “from – to” with the first and the last "
    "day."
)
DAYS = "days"  # the choice that says that two days are filled in
MOST_RAW_ROWS = 20_000


async def offer(page: PageContext) -> web.Response:
    """Show what can be had."""
    return await _show(page)


async def _show(page: PageContext, *, warning: str = "", status: int = 200) -> web.Response:
    return await page.show(
        "exports.html",
        status=status,
        views=[(view, TITLES[view]) for view in VIEWS],
        rows=page.allows(access.EXPORT_ROWS),
        posters=_posters(page),
        periods=[(name, label) for name, (label, _) in OFFERED.items()],
        warning=warning and page.t(warning),
        **await report_orders.choices(page),
    )


async def workbook(page: PageContext) -> web.Response:
    """Hand out all views as a workbook, of a period or of all days."""
    wanted, service = _wanted(page), page.service
    if page.form.get("period"):
        if (period := _period(page)) is None:
            return await _show(page, warning=NO_PERIOD, status=400)
        wanted = replace(wanted, since=period.since, until=period.until)
    content = await workbooks.make_workbook(
        service.store,
        service.regions,
        wanted,
        page.catalogue,
        agency=service.settings.report.agency,
        sources=service.content_store.knowledge.sources,
    )
    await page.audit("export", f"xlsx {_area(wanted.scope)}")
    return await _file(page, workbooks.file_name(wanted), XLSX_TYPE, content)


async def one_table(page: PageContext) -> web.Response:
    """Hand out one view as CSV."""
    view = page.form.get("view", "")
    if view not in VIEWS:
        raise web.HTTPNotFound
    wanted, service = _wanted(page), page.service
    sources = service.content_store.knowledge.sources
    found = await tables.table(service.store, service.regions, view, wanted, page.catalogue, sources=sources)
    await page.audit("export", f"csv {view} {_area(wanted.scope)}")
    return await _file(page, f"thong-ke-{view}-{page.today}.csv", CSV_TYPE, office_csv(found, page.catalogue))


async def rows(page: PageContext) -> web.Response:
    """Hand out every report, without who made it."""
    page.require(access.EXPORT_ROWS)
    service = page.service
    found = await service.store.read(lambda tx: tallies.raw(tx, after=0, limit=MOST_RAW_ROWS + 1))
    if len(found) > MOST_RAW_ROWS:
        command = "python -m bot counts --raw --out FILE"
        raise web.HTTPForbidden(
            reason=page.t("There are too many reports for a page. On the server: {command}", command=command)
        )
    await page.audit("export-raw", f"{len(found)} reports")
    sources = service.content_store.knowledge.sources
    made = tables.raw_table(found, service.regions, page.catalogue, sources=sources, today=page.today)
    return await _file(page, f"bao-cai-{page.today}.csv", CSV_TYPE, office_csv(made, page.catalogue))


async def report(page: PageContext) -> web.Response:
    """Hand out the official report of a period that is over."""
    period = _period(page)
    if period is None:
        return await _show(page, warning=NO_PERIOD, status=400)
    settings, scope = page.service.settings, page.scope(access.REPORT)
    content = await official_report.make_report(
        page.service.store,
        page.service.regions,
        page.service.content_store.knowledge.library,
        period,
        settings.report_form,
        made_at=page.at.astimezone(settings.zone),
        small_count=settings.privacy.small_count,
        scope=scope,
    )
    await page.audit("official report", f"{period.since} {period.until} {_area(scope)}")
    return await _file(page, official_report.file_name(period), official_report.MEDIA_TYPE, content)


async def make_poster(page: PageContext) -> web.Response:
    """Hand out the poster of a place or unit in the person's scope."""
    source = page.service.content_store.knowledge.sources.by_code.get(page.form.get("code", ""))
    form = poster.FORMS.get(page.form.get("form", ""))
    if source is None or form is None:
        raise web.HTTPNotFound
    if not _own(page, source):
        raise web.HTTPForbidden(reason=access.OUT_OF_SCOPE)
    service, (size, kind) = page.service, form
    text = await asyncio.to_thread(poster.load_poster_text, service.settings.content)
    make = partial(
        poster.make_poster,
        source,
        text,
        regions=service.regions,
        library=service.content_store.knowledge.library,
        settings=service.settings,
        today=page.today,
        size=size,
        form=kind,
    )
    try:
        content = await asyncio.to_thread(make)
    except poster.NoEntryPoint:
        raise NotAllowed(NO_DOOR) from None
    name = poster.file_name(source, size=size, form=kind)
    return web.Response(
        body=content,
        content_type=poster.MEDIA_TYPES[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _period(page: PageContext) -> Period | None:
    """Return the days of the form: one of those offered, or the two that were filled in; None if they are not over."""
    chosen, since, until = (page.form.get(name, "") for name in ("period", "since", "until"))
    if chosen in OFFERED and not (since or until):
        return OFFERED[chosen][1](page.today)
    return read_period(f"{since}..{until}" if chosen == DAYS else chosen, page.today)


def _posters(page: PageContext) -> dict[str, list[tuple[str, str]]]:
    """List codes and names of the places and units in the person's scope, by district."""
    found: dict[str, list[tuple[str, str]]] = {}
    for code, source in page.service.content_store.knowledge.sources.by_code.items():
        if _own(page, source):
            name, _ = source_name(source, page.service.regions, today=page.today, language=page.catalogue.language)
            group = page.place_name(source.district) if source.district else page.t("the whole province")
            found.setdefault(group, []).append((code, name))
    return found


def _own(page: PageContext, source: Source) -> bool:
    """Tell whether a place lies within the person's scope; units of the whole province are the province's."""
    scope = page.scope(access.POSTER)
    return scope is None or bool(scope & districts_of(source, page.service.regions))


def _wanted(page: PageContext) -> Wanted:
    return Wanted(page.today, scope=page.scope(access.EXPORT), step=page.step)


def _area(scope: frozenset[str] | None) -> str:
    return "*" if scope is None else " ".join(sorted(scope))


async def _file(page: PageContext, name: str, media_type: str, content: bytes) -> web.Response:
    if await counts.are_simulated(page.service.store):
        name = f"mo-phong-{name}"
    return web.Response(
        body=content, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
