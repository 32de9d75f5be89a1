"""What leaves the desk as a file: tables, the official report, every report one by one for admins."""

from __future__ import annotations

from aiohttp import web

from bot import access, counts
from bot.papers import official_report, spreadsheet
from bot.papers.report_figures import Period, last_month, last_week, month_so_far
from bot.papers.spreadsheet import BOM, CSV_TYPE, RAW_HEADER, VIEWS, XLSX_TYPE, Wanted, as_csv, as_xlsx
from bot.store import tallies
from bot.web.desk.visit import Visit

PERIODS = {"month": month_so_far, "last-month": last_month, "week": last_week}
MOST_RAW_ROWS = 20_000


async def offer(visit: Visit) -> web.Response:
    """Show what can be had."""
    return await visit.show("exports.html", views=VIEWS, rows=visit.allows(access.EXPORT_ROWS))


async def workbook(visit: Visit) -> web.Response:
    """Hand out all views as a workbook."""
    wanted = _wanted(visit)
    tables = await spreadsheet.all_tables(
        visit.service.store,
        visit.service.regions,
        wanted,
        visit.catalogue,
        sources=visit.service.shelf.knowledge.sources,
    )
    await visit.audit("export", f"xlsx {_area(wanted.scope)}")
    return await _file(visit, f"thong-ke-{visit.today}.xlsx", XLSX_TYPE, as_xlsx(tables))


async def one_table(visit: Visit) -> web.Response:
    """Hand out one view as CSV."""
    view = visit.form.get("view", "")
    if view not in VIEWS:
        raise web.HTTPNotFound
    wanted = _wanted(visit)
    found = await spreadsheet.table(
        visit.service.store, visit.service.regions, view, wanted, sources=visit.service.shelf.knowledge.sources
    )
    await visit.audit("export", f"csv {view} {_area(wanted.scope)}")
    content = (BOM + as_csv(found.header, found.rows)).encode()
    return await _file(visit, f"thong-ke-{view}-{visit.today}.csv", CSV_TYPE, content)


async def rows(visit: Visit) -> web.Response:
    """Hand out every report, without who made it."""
    visit.require(access.EXPORT_ROWS)
    found = await visit.service.store.read(lambda tx: tallies.raw(tx, after=0, limit=MOST_RAW_ROWS + 1))
    if len(found) > MOST_RAW_ROWS:
        command = "python -m bot counts --raw --out FILE"
        raise web.HTTPForbidden(
            reason=visit.t("There are too many reports for a page. On the server: {command}", command=command)
        )
    await visit.audit("export-raw", f"{len(found)} reports")
    content = (BOM + as_csv(RAW_HEADER, [[row[column] for column in RAW_HEADER] for row in found])).encode()
    return await _file(visit, f"bao-cai-{visit.today}.csv", CSV_TYPE, content)


async def report(visit: Visit) -> web.Response:
    """Hand out the official report of a period that is over."""
    choose = PERIODS.get(visit.form.get("period", ""))
    if choose is None:
        raise web.HTTPNotFound
    period: Period = choose(visit.today)
    settings, scope = visit.service.settings, visit.scope(access.REPORT)
    content = await official_report.make_report(
        visit.service.store,
        visit.service.regions,
        period,
        settings.report,
        made_at=visit.at.astimezone(settings.zone),
        small_count=settings.privacy.small_count,
        scope=scope,
    )
    await visit.audit("official report", f"{period.since} {period.until} {_area(scope)}")
    return await _file(visit, official_report.file_name(period), official_report.MEDIA_TYPE, content)


def _wanted(visit: Visit) -> Wanted:
    return Wanted(visit.today, scope=visit.scope(access.EXPORT), step=visit.step)


def _area(scope: frozenset[str] | None) -> str:
    return "*" if scope is None else " ".join(sorted(scope))


async def _file(visit: Visit, name: str, media_type: str, content: bytes) -> web.Response:
    if await counts.are_simulated(visit.service.store):
        name = f"mo-phong-{name}"
    return web.Response(
        body=content, content_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
