"""Tables as files: CSV for programs, CSV and XLSX for officers, in which no text of a citizen becomes a formula.

The command line, the chat and the desk call it. Types come from the columns of `bot.exports.tables`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from bot.exports.tables import Column, ExportTable, Kind
from bot.i18n.catalogue import Catalogue

if TYPE_CHECKING:
    from openpyxl import Workbook

BOM = "\ufeff"  # Excel takes a CSV for UTF-8 only when it begins with this
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv"
# What makes a spreadsheet take a text for a formula; the wide forms are what an East Asian keyboard types.
_FORMULA = re.compile(r"^[\s\x00-\x1f]*[=+\-@＝＋－＠|]|^[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_SHEET = re.compile(r"[\[\]:*?/\\]")
_LONGEST_SHEET, _LONGEST_CELL = 31, 32_767  # Excel's own bounds
_FONT = "Times New Roman"
_LABEL_WIDTH, _VALUE_WIDTH = 22, 78  # of the cover, which is as wide as a portrait page
_NARROWEST, _WIDEST, _PORTRAIT = 9, 60, 92  # characters
_FREE = 3  # for the arrow of the filter
_HEADING_ROW = 3
_FORMATS: Final = {
    Kind.TEXT: "@",
    Kind.CODE: "@",
    Kind.COUNT: "#,##0",
    Kind.PERCENT: "0.00%",
    Kind.DAY: "dd/mm/yyyy",
    Kind.MONTH: "mm/yyyy",
}
_RIGHT = frozenset((Kind.COUNT, Kind.PERCENT))


@dataclass(frozen=True, slots=True)
class Cover:
    """The first sheet of a workbook: what it is, its facts as label and value, how the figures came about."""

    heading: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    warning: str = ""  # that the figures are simulated, where they are
    agency: str = ""


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> str:
    """Write a table as CSV in which no text can become a formula; `BOM` goes before it in a file."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(header)
    writer.writerows([harmless(value) for value in row] for row in rows)
    return text.getvalue()


def office_csv(table: ExportTable, catalogue: Catalogue) -> bytes:
    """Write a table as the CSV that Excel in the officer's language opens by a double click.

    Vietnamese: semicolons, a decimal comma, 23/11/2026; English: commas, a decimal point, 2026-11-23.
    """
    shown = table.for_officers()
    rows = [
        [_as_text(value, column, catalogue) for value, column in zip(row, shown.columns, strict=True)]
        for row in shown.rows
    ]
    delimiter = ";" if catalogue.language == "vi" else ","
    return (BOM + as_csv([column.title for column in shown.columns], rows, delimiter=delimiter)).encode()


def _as_text(value: object, column: Column, catalogue: Catalogue) -> object:
    vietnamese = catalogue.language == "vi"
    if value is None:
        return ""
    if column.kind is Kind.COUNT and column.least > 1 and value == 0:
        return catalogue.t("fewer than {count}", count=column.least)
    if isinstance(value, date):
        if column.kind is Kind.MONTH:
            return f"{value:%m/%Y}" if vietnamese else f"{value:%Y-%m}"
        return f"{value:%d/%m/%Y}" if vietnamese else value.isoformat()
    if column.kind is Kind.PERCENT and isinstance(value, int | float):
        written = f"{value:.3f}%"
        return written.replace(".", ",") if vietnamese else written
    return value


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking a citizen's text (a source) for a formula."""
    return f"'{value}" if isinstance(value, str) and value != "-" and _FORMULA.search(value) else value


def as_xlsx(tables: Sequence[ExportTable], cover: Cover, catalogue: Catalogue) -> bytes:
    """Write tables as a workbook for officers: the cover, then a sheet each, ready for print."""
    from openpyxl import Workbook  # loaded only where papers are made

    book = Workbook(write_only=True)
    properties = book.properties
    properties.title, properties.creator, properties.lastModifiedBy = cover.heading, cover.agency, cover.agency
    shown = [one.for_officers() for one in tables]
    names = list(_sheet_names([catalogue.t("Cover"), *(one.title for one in shown)]))
    _write_cover(book, names, cover, catalogue)
    for name, one in zip(names[1:], shown, strict=True):
        _write_sheet(book, name, one, cover, catalogue)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _sheet_names(titles: Sequence[str]) -> Iterator[str]:
    taken = set[str]()
    for number, title in enumerate(titles):
        name = _FORBIDDEN_IN_SHEET.sub(" ", title)[:_LONGEST_SHEET].strip()
        if name.casefold() in taken:
            name = f"{name[: _LONGEST_SHEET - 4].strip()} {number}"
        taken.add(name.casefold())
        yield name


def _write_cover(book: Workbook, names: Sequence[str], cover: Cover, catalogue: Catalogue) -> None:
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.hyperlink import Hyperlink

    sheet: Any = book.create_sheet(names[0])
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = _LABEL_WIDTH, _VALUE_WIDTH
    _set_up_print(sheet, cover, catalogue, landscape=False)
    whole = Alignment(horizontal="center", vertical="center", wrap_text=True)
    left, top = Alignment(vertical="top", wrap_text=True), Alignment(vertical="top")
    plain = Font(name=_FONT, size=12)
    number = 0

    def add(cells: Sequence[object], *, merged: bool = False, lines: float = 1) -> None:
        nonlocal number
        number += 1
        if merged:
            _merge(sheet, number, 2)
        sheet.row_dimensions[number].height = 16.5 * lines
        sheet.append(cells)

    def long(text: str, width: float) -> float:
        return max(1, -(-len(text) * 0.9 // width))

    room = _LABEL_WIDTH + _VALUE_WIDTH
    if cover.agency:
        add([_text_cell(sheet, cover.agency.upper(), font=Font(name=_FONT, size=12, bold=True), alignment=whole)],
            merged=True, lines=long(cover.agency, room * 0.8))  # fmt: skip
    add([_text_cell(sheet, cover.heading, font=Font(name=_FONT, size=16, bold=True), alignment=whole)],
        merged=True, lines=1.6 * long(cover.heading, room * 0.7))  # fmt: skip
    if cover.warning:
        red = Font(name=_FONT, size=14, bold=True, color="B00020")
        add([_text_cell(sheet, cover.warning, font=red, alignment=whole)], merged=True,
            lines=1.5 * long(cover.warning, room * 0.75))  # fmt: skip
    add([])
    for label, value in cover.facts:
        bold = Font(name=_FONT, size=12, bold=True)
        add([_text_cell(sheet, label, font=bold, alignment=top), _text_cell(sheet, value, font=plain, alignment=left)],
            lines=long(value, _VALUE_WIDTH))  # fmt: skip
    add([])
    heading = Font(name=_FONT, size=13, bold=True)
    add([_text_cell(sheet, catalogue.t("How to read these figures"), font=heading)])
    for note in cover.notes:
        add([_text_cell(sheet, f"– {note}", font=plain, alignment=left)], merged=True, lines=long(note, room))
    add([])
    add([_text_cell(sheet, catalogue.t("Sheets of this workbook"), font=heading)])
    for name in names[1:]:
        link = _text_cell(sheet, name, font=Font(name=_FONT, size=12, color="0A5F58", underline="single"))
        link.hyperlink = Hyperlink(ref=f"A{number + 1}", location=f"'{name}'!A1")
        add([link], merged=True)


def _write_sheet(book: Workbook, name: str, table: ExportTable, cover: Cover, catalogue: Catalogue) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    sheet: Any = book.create_sheet(name)
    widths = list(_widths(table, catalogue))
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    last = get_column_letter(len(widths))
    sheet.freeze_panes = f"A{_HEADING_ROW + 1}"
    sheet.auto_filter.ref = f"A{_HEADING_ROW}:{last}{_HEADING_ROW + max(1, len(table.rows))}"
    sheet.print_title_rows = f"1:{_HEADING_ROW}"
    _set_up_print(sheet, cover, catalogue, landscape=sum(widths) > _PORTRAIT)
    _merge(sheet, 1, len(widths))
    _merge(sheet, 2, len(widths))
    note, red = " · ".join(value for _, value in cover.facts[:2]), Font(name=_FONT, size=12, bold=True, color="B00020")
    if cover.warning:
        note = f"{cover.warning} {note}"
    wrapped = Alignment(vertical="center", wrap_text=True)
    room = sum(widths)
    sheet.row_dimensions[1].height = 22 * max(1, -(-len(table.title) * 1.4 // room))
    sheet.append([_text_cell(sheet, table.title, font=Font(name=_FONT, size=14, bold=True), alignment=wrapped)])
    sheet.row_dimensions[2].height = 17 * max(1, -(-len(note) * 1.1 // room))
    small = red if cover.warning else Font(name=_FONT, size=11, italic=True)
    sheet.append([_text_cell(sheet, note, font=small, alignment=wrapped)])
    side, plain = Side(style="thin", color="667A76"), Font(name=_FONT, size=12)
    line = Border(left=side, right=side, top=side, bottom=side)
    head = {
        "font": Font(name=_FONT, size=12, bold=True),
        "fill": PatternFill("solid", fgColor="E4EEEB"),
        "border": line,
        "alignment": Alignment(horizontal="center", vertical="center", wrap_text=True),
    }
    lines = max(-(-len(c.title) * 1.15 // (width - _FREE)) for c, width in zip(table.columns, widths, strict=True))
    sheet.row_dimensions[_HEADING_ROW].height = 17 * max(1, lines)
    sheet.append([_text_cell(sheet, column.title, **head) for column in table.columns])
    aligned = {
        kind: Alignment(horizontal="right" if kind in _RIGHT else "center" if kind is not Kind.TEXT else "left",
                        vertical="top", wrap_text=kind is Kind.TEXT, indent=int(kind in _RIGHT))
        for kind in Kind
    }  # fmt: skip
    if not table.rows:
        sheet.append([_text_cell(sheet, catalogue.t("No figures yet."), font=plain)])
    for row in table.rows:
        sheet.append(
            [
                _cell(sheet, value, column, catalogue, font=plain, border=line, alignment=aligned[column.kind])
                for value, column in zip(row, table.columns, strict=True)
            ]
        )


def _merge(sheet: Any, row: int, columns: int) -> None:
    from openpyxl.worksheet.cell_range import CellRange

    if columns > 1:
        sheet.merged_cells.add(CellRange(min_col=1, min_row=row, max_col=columns, max_row=row))


def _set_up_print(sheet: Any, cover: Cover, catalogue: Catalogue, *, landscape: bool) -> None:
    """Set A4, all columns on one page's width, page numbers, and the warning on every page."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 9, 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    margins = sheet.page_margins
    margins.left, margins.right, margins.top, margins.bottom = 0.7, 0.5, 0.8, 0.8  # inches
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.left.text = _in_footer(cover.heading)
    sheet.oddFooter.right.text = catalogue.t("Page {page} of {pages}", page="&P", pages="&N")
    sheet.oddFooter.left.size = sheet.oddFooter.right.size = 9
    if cover.warning:
        sheet.oddHeader.center.text = _in_footer(cover.warning)
        sheet.oddHeader.center.color = "B00020"


def _in_footer(text: str) -> str:
    return text.replace("&", "&&")  # alone it begins a code of Excel's


def _cell(sheet: Any, value: object, column: Column, catalogue: Catalogue, **style: Any) -> object:
    from openpyxl.cell import WriteOnlyCell

    if value is None or isinstance(value, str):
        return _text_cell(sheet, value or "", **style)
    if column.kind is Kind.PERCENT and isinstance(value, int | float):
        value = value / 100
    cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]
    cell.number_format = _FORMATS[column.kind]
    if column.least > 1:  # 0 stays a number, and reads as what it means
        few = catalogue.t("fewer than {count}", count=column.least)
        cell.number_format = f'#,##0;-#,##0;"{few}"'
    for name, part in style.items():
        setattr(cell, name, part)
    return cell


def _text_cell(sheet: Any, text: str, **style: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, _CONTROL.sub("", text)[:_LONGEST_CELL])
    cell.data_type = "s"  # a text, also when it begins like a formula
    cell.number_format = "@"
    cell.quotePrefix = bool(_FORMULA.search(text))
    for name, part in style.items():
        setattr(cell, name, part)
    return cell


def _widths(table: ExportTable, catalogue: Catalogue) -> Iterator[float]:
    """Make each column as wide as its longest value; a heading may break between words."""
    for number, column in enumerate(table.columns):
        longest = max((len(word) for word in column.title.split()), default=0)
        for row in table.rows[:1000]:
            value = _as_text(row[number], column, catalogue)
            length = len(catalogue.number(value)) if isinstance(value, int | float) else len(str(value))
            longest = max(longest, length)
        least = min(len(column.title), 11)
        yield max(_NARROWEST, min(_WIDEST, max(longest, least) * 1.15 + _FREE))
