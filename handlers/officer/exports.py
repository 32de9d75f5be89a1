"""Exports: the counts of the person's own scope as XLSX or CSV, and every report one by one for admins."""

from __future__ import annotations

from dataclasses import replace

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.exports import spreadsheet
from bot.exports.spreadsheet import BOM, CSV_TYPE, RAW_HEADER, XLSX_TYPE, Wanted, as_csv, as_xlsx
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button
from bot.statistics import counts

MOST_RAW_ROWS = 20_000  # a file for a chat; more is written by the command line


async def handle(context: Context) -> None:
    """Offer the forms, or make the file that was asked for."""
    form = context.argument if context.choice.startswith("export:") else ""
    is_admin = context.allows(access.EXPORT_ROWS)
    if form == "xlsx":
        await _send_workbook(context)
    elif form == "csv":
        await _send_csv(context)
    elif form == "raw" and is_admin:
        await _send_raw(context)
    else:
        buttons = [
            Button(context.t("XLSX, all views"), "export:xlsx"),
            Button(context.t("CSV, by district"), "export:csv"),
            *([Button(context.t("CSV, every report"), "export:raw")] if is_admin else []),
            Button(context.t("Counts by district"), "/thongke"),
        ]
        context.say(context.t("Which file do you want? Figures are self-reported, without names."), buttons=buttons)


async def _send_workbook(context: Context) -> None:
    wanted = _wanted(context)
    tables = await spreadsheet.all_tables(
        context.work.store, context.regions, wanted, context.catalogue, sources=context.knowledge.sources
    )
    name = f"thong-ke-{wanted.today:%Y-%m-%d}.xlsx"
    context.work.audit("export", f"xlsx {_area(wanted)}")
    await _hand_over(context, Attachment(name, XLSX_TYPE, as_xlsx(tables)), context.t("The counts as a workbook."))


async def _send_csv(context: Context) -> None:
    wanted = _wanted(context)
    one = await spreadsheet.table(context.work.store, context.regions, "district", wanted)
    name = f"thong-ke-{wanted.today:%Y-%m-%d}.csv"
    context.work.audit("export", f"csv {_area(wanted)}")
    content = (BOM + as_csv(one.header, one.rows)).encode()
    await _hand_over(context, Attachment(name, CSV_TYPE, content), context.t("The counts by district."))


async def _send_raw(context: Context) -> None:
    rows = await context.work.raw_reports(limit=MOST_RAW_ROWS + 1)
    if len(rows) > MOST_RAW_ROWS:
        context.say(
            context.t("There are too many reports for a chat. Please ask whoever runs the server for the file.")
        )
        return
    content = (BOM + as_csv(RAW_HEADER, [[row[column] for column in RAW_HEADER] for row in rows])).encode()
    context.work.audit("export-raw", f"{len(rows)} reports")
    today = _wanted(context).today
    file = Attachment(f"bao-cai-{today:%Y-%m-%d}.csv", CSV_TYPE, content)
    await _hand_over(context, file, context.t("Every report, without who made it. This export stands in the audit."))


async def _hand_over(context: Context, file: Attachment, sentence: str) -> None:
    labelled = context.t("Reported by citizens themselves; not official figures. Adults are an estimate.")
    if await counts.are_simulated(context.work.store):
        labelled = f"**{context.t(counts.SIMULATED)}**"
        file = replace(file, name=f"mo-phong-{file.name}")
    context.say(f"{sentence}\n{labelled}", file=file, buttons=[Button(context.t("Other file"), "/xuat")])


def _area(wanted: Wanted) -> str:
    return "*" if wanted.scope is None else " ".join(sorted(wanted.scope))


def _wanted(context: Context) -> Wanted:
    grants = context.work.citizen.grants
    return Wanted(
        local_day(context.work.at, context.settings.zone),
        scope=context.scope(access.EXPORT),
        step=counts.step_for(grants, context.settings.privacy.small_count),
    )


ROUTE = Route(
    "export",
    handle,
    commands=("/xuat", "/export"),
    choices=("export:",),
    action=access.EXPORT,
    help=mark("Export the counts"),
)
