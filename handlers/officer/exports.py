"""Exports: the counts of the person's own scope as XLSX or CSV, and every report one by one for admins."""

from __future__ import annotations

from dataclasses import replace

from bot import access
from bot.clock import local_day
from bot.conversation.context import Route, Turn
from bot.exports import spreadsheet
from bot.exports.spreadsheet import BOM, CSV_TYPE, RAW_HEADER, XLSX_TYPE, Wanted, as_csv, as_xlsx
from bot.i18n.catalogue import mark
from bot.message import Attachment, Button
from bot.statistics import counts

MOST_RAW_ROWS = 20_000  # a file for a chat; more is written by the command line


async def handle(turn: Turn) -> None:
    """Offer the forms, or make the file that was asked for."""
    form = turn.argument if turn.choice.startswith("export:") else ""
    is_admin = turn.allows(access.EXPORT_ROWS)
    if form == "xlsx":
        await _send_workbook(turn)
    elif form == "csv":
        await _send_csv(turn)
    elif form == "raw" and is_admin:
        await _send_raw(turn)
    else:
        buttons = [
            Button(turn.t("XLSX, all views"), "export:xlsx"),
            Button(turn.t("CSV, by district"), "export:csv"),
            *([Button(turn.t("CSV, every report"), "export:raw")] if is_admin else []),
            Button(turn.t("Counts by district"), "/thongke"),
        ]
        turn.say(turn.t("Which file do you want? Figures are self-reported, without names."), buttons=buttons)


async def _send_workbook(turn: Turn) -> None:
    wanted = _wanted(turn)
    tables = await spreadsheet.all_tables(
        turn.records.store, turn.regions, wanted, turn.catalogue, sources=turn.knowledge.sources
    )
    name = f"thong-ke-{wanted.today:%Y-%m-%d}.xlsx"
    turn.records.audit("export", f"xlsx {_area(wanted)}")
    await _hand_over(turn, Attachment(name, XLSX_TYPE, as_xlsx(tables)), turn.t("The counts as a workbook."))


async def _send_csv(turn: Turn) -> None:
    wanted = _wanted(turn)
    one = await spreadsheet.table(turn.records.store, turn.regions, "district", wanted)
    name = f"thong-ke-{wanted.today:%Y-%m-%d}.csv"
    turn.records.audit("export", f"csv {_area(wanted)}")
    content = (BOM + as_csv(one.header, one.rows)).encode()
    await _hand_over(turn, Attachment(name, CSV_TYPE, content), turn.t("The counts by district."))


async def _send_raw(turn: Turn) -> None:
    rows = await turn.records.raw_reports(limit=MOST_RAW_ROWS + 1)
    if len(rows) > MOST_RAW_ROWS:
        command = "python -m bot counts --raw --out FILE"
        turn.say(turn.t("There are too many reports for a chat. On the server: {command}", command=command))
        return
    content = (BOM + as_csv(RAW_HEADER, [[row[column] for column in RAW_HEADER] for row in rows])).encode()
    turn.records.audit("export-raw", f"{len(rows)} reports")
    today = _wanted(turn).today
    file = Attachment(f"bao-cai-{today:%Y-%m-%d}.csv", CSV_TYPE, content)
    await _hand_over(turn, file, turn.t("Every report, without who made it. This export stands in the audit."))


async def _hand_over(turn: Turn, file: Attachment, sentence: str) -> None:
    labelled = turn.t("Reported by citizens themselves; not official figures. Adults are an estimate.")
    if await counts.are_simulated(turn.records.store):
        labelled = f"**{turn.t(counts.SIMULATED)}**"
        file = replace(file, name=f"mo-phong-{file.name}")
    turn.say(f"{sentence}\n{labelled}", file=file, buttons=[Button(turn.t("Other file"), "/xuat")])


def _area(wanted: Wanted) -> str:
    return "*" if wanted.scope is None else " ".join(sorted(wanted.scope))


def _wanted(turn: Turn) -> Wanted:
    grants = turn.records.citizen.grants
    return Wanted(
        local_day(turn.records.at, turn.settings.zone),
        scope=turn.scope(access.EXPORT),
        step=counts.step_for(grants, turn.settings.privacy.small_count),
    )


ROUTE = Route(
    "export",
    handle,
    commands=("/xuat", "/export"),
    choices=("export:",),
    action=access.EXPORT,
    help=mark("Export the counts"),
)
