"""Exports: the counts of the person's own scope as XLSX or CSV, and every report one by one for admins."""

from __future__ import annotations

from dataclasses import replace

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.exports import workbook
from bot.exports.report_periods import read_period
from bot.exports.spreadsheet import CSV_TYPE, XLSX_TYPE, office_csv
from bot.exports.tables import Wanted, raw_table, table
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button
from bot.statistics import counts

MOST_RAW_ROWS = 20_000  # a file for a chat; more is written by the command line


async def handle(context: Context) -> None:
    """Offer the forms, or make the file that was asked for."""
    form = context.argument if context.choice.startswith("export:") else ""
    is_admin = context.allows(access.EXPORT_ROWS)
    if form.partition(":")[0] == "xlsx":
        await _send_workbook(context, form.partition(":")[2])
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


async def _send_workbook(context: Context, days: str) -> None:
    wanted = _wanted(context)
    if period := read_period(days, wanted.today):
        wanted = replace(wanted, since=period.since, until=period.until)
    content = await workbook.make_workbook(
        context.work.store,
        context.regions,
        wanted,
        context.catalogue,
        agency=context.settings.report.agency,
        sources=context.knowledge.sources,
    )
    context.work.audit("export", f"xlsx {_area(wanted)}")
    file = Attachment(workbook.file_name(wanted), XLSX_TYPE, content)
    await _hand_over(context, file, context.t("The counts as a workbook."))


async def _send_csv(context: Context) -> None:
    wanted = _wanted(context)
    one = await table(context.work.store, context.regions, "district", wanted, context.catalogue)
    name = f"thong-ke-{wanted.today:%Y-%m-%d}.csv"
    context.work.audit("export", f"csv {_area(wanted)}")
    file = Attachment(name, CSV_TYPE, office_csv(one, context.catalogue))
    await _hand_over(context, file, context.t("The counts by district."))


async def _send_raw(context: Context) -> None:
    rows = await context.work.raw_reports(limit=MOST_RAW_ROWS + 1)
    if len(rows) > MOST_RAW_ROWS:
        context.say(
            context.t("There are too many reports for a chat. Please ask whoever runs the server for the file.")
        )
        return
    today = _wanted(context).today
    made = raw_table(rows, context.regions, context.catalogue, sources=context.knowledge.sources, today=today)
    context.work.audit("export-raw", f"{len(rows)} reports")
    file = Attachment(f"bao-cai-{today:%Y-%m-%d}.csv", CSV_TYPE, office_csv(made, context.catalogue))
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
