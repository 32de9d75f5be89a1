"""Counts as tables: CSV and XLSX going out, and tables of the authorities coming in, with the caution both need."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.exports.charts import STEP_NAMES
from bot.i18n.catalogue import Catalogue
from bot.library.regions import NEW_MAP, Regions
from bot.library.sources import Sources, codes_within, source_name
from bot.statistics import counts
from bot.store import Store

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

BOM = "\ufeff"  # Excel takes a CSV for UTF-8 only when it begins with this
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv"
VIEWS = ("district", "commune", "commune-2025", "day", "week", "month", "channel", "language", "source", "product")
RAW_HEADER = ["day", "district", "commune", "channel", "language", "source"]
# What makes a spreadsheet take a text for a formula; the wide forms are what an East Asian keyboard types.
_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@＝＋－＠|]|^[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Cells = list[object]


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One view of the counts: column names and rows."""

    name: str
    header: list[str]
    rows: list[Cells]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which counts a table shows: the time, the scope, and how exact; see `bot.statistics.counts`."""

    today: date
    since: date | None = None
    until: date | None = None
    scope: frozenset[str] | None = None
    step: int = 1


async def table(
    store: Store, regions: Regions, view: str, wanted: Wanted, *, sources: Sources | None = None
) -> ExportTable:
    """Make the table of one of `counts.GROUPS`; with `sources`, their codes are named."""
    if view == "district":
        return await _districts(store, regions, wanted)
    tallies = await counts.count_by(
        store,
        view,
        since=wanted.since,
        until=wanted.until,
        scope=wanted.scope,
        step=wanted.step,
        today=wanted.today,
        regions=regions,
    )
    if view in ("commune", "commune-2025"):
        rows: list[Cells] = [
            [
                t.key.removeprefix(NEW_MAP) or "-",
                regions.commune_name(t.key) if t.key else "-",
                t.within,
                t.reports,
                ("2025" if t.key.startswith(NEW_MAP) else "2021") if t.key else "-",
            ]
            for t in tallies
        ]
        return ExportTable(view, ["code", "commune", "district", "self_reported", "map"], rows)
    if view == "source":
        named = {} if sources is None else sources.by_code
        rows = [
            [
                t.key or "-",
                t.reports,
                ", ".join(filter(None, source_name(named[t.key], regions, today=wanted.today)))
                if t.key in named
                else "-",
            ]
            for t in tallies
        ]
        return ExportTable(view, ["source", "self_reported", "name"], rows)
    return ExportTable(view, [view, "self_reported"], [[t.key or "-", t.reports] for t in tallies])


async def funnel(
    store: Store, wanted: Wanted, catalogue: Catalogue, *, codes: Collection[str] | None = None
) -> ExportTable:
    """Make the table of the steps from the first contact to the report; with `codes`, of those who came by them."""
    steps = await counts.count_steps(
        store, today=wanted.today, since=wanted.since, until=wanted.until, step=wanted.step, sources=codes
    )
    return ExportTable(
        "funnel", ["step", "name", "people"], [[s.name, catalogue.t(STEP_NAMES[s.name]), s.people] for s in steps]
    )


async def all_tables(
    store: Store, regions: Regions, wanted: Wanted, catalogue: Catalogue, *, sources: Sources | None = None
) -> list[ExportTable]:
    """Make every view, the funnel (of districts: from their posters), the official figures and a sheet on method."""
    tables = [await table(store, regions, view, wanted, sources=sources) for view in VIEWS]
    if wanted.scope is None:
        tables.append(await funnel(store, wanted, catalogue))
    elif sources is not None:
        tables.append(await funnel(store, wanted, catalogue, codes=codes_within(wanted.scope, sources, regions)))
    figures = await counts.official_figures(store, regions, until=wanted.until or wanted.today)
    rows: list[Cells] = [
        [f.day.isoformat(), district, regions.districts[district].name if known else regions.province.name, f.phones]
        for district, f in figures.items()
        if (known := district in regions.districts) or district == regions.province.id
        if wanted.scope is None or district in wanted.scope or not known
    ]
    tables.append(ExportTable("official", ["date", "district", "name", "phones"], rows))
    lines = method(wanted, catalogue)
    if await counts.are_simulated(store):
        lines.insert(0, catalogue.t(counts.SIMULATED))
    tables.append(ExportTable("method", ["method"], [[line] for line in lines]))
    return tables


def method(wanted: Wanted, catalogue: Catalogue) -> list[str]:
    """Say how the figures came about and what they are not."""
    t, day = catalogue.t, catalogue.day
    last = counts.last_day(wanted.today, wanted.step)
    lines = [
        t("Reported by citizens themselves; not official figures. Adults are an estimate."),
        t("Made on {day}.", day=day(wanted.today)),
        t("Time: {since} to {until}.", since=day(wanted.since) if wanted.since else t("the beginning"),
          until=day(min(wanted.until or last, last))),
        t("One person counts once, also over several linked channels."),
        t("A correction moves a report, a withdrawal or deletion takes it away, on the day it happens; "
          "earlier days stay as they were."),
        t("Districts are those of before July 2025; the communes' map stands in the column “map”."),
    ]  # fmt: skip
    if wanted.step > 1:
        lines.append(
            t("To protect people, figures end with yesterday and are rounded down to multiples of {count}; "
              "rows of communes, channels, languages and sources below {least} are not shown. "
              "Totals are the sums of the rows shown.", count=wanted.step, least=2 * wanted.step)
        )  # fmt: skip
    return lines


async def _districts(store: Store, regions: Regions, wanted: Wanted) -> ExportTable:
    province = await counts.count_districts(
        store,
        regions,
        today=wanted.today,
        since=wanted.since,
        until=wanted.until,
        scope=wanted.scope,
        step=wanted.step,
    )
    header = ["rank", "district", "name", "self_reported", "adults_estimate", "share_percent", "new_7_days"]
    rows: list[Cells] = [
        [c.rank, c.district, regions.districts[c.district].name, c.reports, c.adults, round(100 * c.share, 3), c.new]
        for c in province.districts
    ]
    total = [province.reports, province.adults, round(100 * province.share, 3), province.new]
    if wanted.scope is None:
        rows.append(["", regions.province.id, regions.province.name, *total])
    return ExportTable("district", header, rows)


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV in which no text can become a formula; `BOM` goes before it in a file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue()


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a citizen's text (a source) for a formula."""
    return f"'{value}" if isinstance(value, str) and value != "-" and _FORMULA.search(value) else value


def as_xlsx(tables: Sequence[ExportTable]) -> bytes:
    """Write tables as a workbook: a sheet each, typed columns, the header frozen."""
    from openpyxl import Workbook  # loaded only where papers are made
    from openpyxl.styles import Alignment, Font

    book = Workbook(write_only=True)
    for one in tables:
        sheet = book.create_sheet(one.name)
        sheet.freeze_panes = "A2"
        for number, width in enumerate(_widths(one)):
            sheet.column_dimensions[chr(ord("A") + number)].width = width
        sheet.append([_cell(sheet, name, font=Font(bold=True)) for name in one.header])
        wrapped = Alignment(wrap_text=True, vertical="top") if one.name == "method" else None
        for row in one.rows:
            sheet.append([_cell(sheet, value, alignment=wrapped) for value in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _cell(sheet: WriteOnlyWorksheet, value: object, **style: Any) -> object:
    from openpyxl.cell import WriteOnlyCell

    form = "General"
    if isinstance(value, str) and _DAY.fullmatch(value):
        value, form = date.fromisoformat(value), "yyyy-mm-dd"
    elif isinstance(value, int):
        form = "#,##0"
    elif isinstance(value, float):
        form = "0.000"
    elif isinstance(value, str):
        value = _CONTROL.sub("", value)
    cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]
    cell.number_format = form
    if isinstance(value, str):
        cell.data_type = "s"  # a text, also when it begins like a formula
        cell.quotePrefix = bool(_FORMULA.search(value))
    for name, part in style.items():
        if part is not None:
            setattr(cell, name, part)
    return cell


def _widths(one: ExportTable) -> Iterator[float]:
    for column, name in enumerate(one.header):
        longest = max([len(name), *[len(str(row[column])) for row in one.rows[:1000]]])
        yield min(100, longest + 3)
