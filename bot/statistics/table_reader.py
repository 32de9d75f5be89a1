"""Tables of the authorities, read from CSV or XLSX as cells with their types, whatever size or shape the file claims.

The command line and the desk call `read_bounded` and `read_tables`. A file that is no table is refused in one sentence.
"""

from __future__ import annotations

import csv
import io
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from xml.parsers.expat import ExpatError

from bot.errors import BotError
from bot.i18n.catalogue import mark
from bot.statistics.xlsx_bounds import Measured, OutOfBounds, measure

MAX_BYTES = 10_000_000
MAX_SHEETS, MAX_ROWS, MAX_COLUMNS, MAX_CELLS = 20, 20_000, 100, 200_000
_MAX_DELIMITERS = 2_000  # in one row of CSV
_SNIFFED_LINES = 50
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

EMPTY = mark("The file is empty.")
TOO_LARGE = mark("The file is larger than {megabytes} MB.")
NO_FILE = mark("This is no file that can be read.")
OUT_OF_BOUNDS = mark(
    "The file holds far more than a table of figures: too many cells, or something very deep or long. Please copy the "
    "table alone into a new workbook."
)
DAMAGED = mark("The file is damaged, or is no .xlsx. Please open it in Excel and save it again as .xlsx.")
NO_TABLE = mark("There is no row in this file.")
OLD_EXCEL = mark(
    "This is an old Excel file (.xls). Please open it in Excel, choose File, Save As, and the type "
    "“Excel Workbook (*.xlsx)”; then upload the new file."
)
ENCRYPTED = mark("The file is protected by a password. Please take the password off in Excel and save it again.")
NOT_UTF8 = mark("The CSV is written in an old encoding. Please save it in Excel as “CSV UTF-8” or, better, as .xlsx.")
NOT_CSV = mark("Line {line} of the CSV cannot be read ({reason}). Please save the table as .xlsx.")
OTHER_FORMATS: Final[Mapping[bytes, str]] = {
    b"%PDF": mark("This is a PDF. Please upload the workbook (.xlsx) that it was made from."),
    b"{\\rtf": mark("This is a text document. Please copy its table into Excel and save it as .xlsx."),
    b"<": mark("This is a web page that only looks like an Excel file. Please open it in Excel and save it as .xlsx."),
}
NO_WORKBOOK = mark("This is no Excel workbook. Please copy its table into Excel and save it as .xlsx.")


class TableRefused(BotError):
    """A file is no table that can be read; the sentence is to be translated, and filled with the values."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence, self.values = sentence, values


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell whose formula was saved without its value."""

    text: str


Cell = str | int | float | bool | date | Formula | None
Cells = list[Cell]


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One sheet: its name, and its rows that are not empty, each with its number from 1."""

    name: str
    rows: tuple[tuple[int, Cells], ...] = field(repr=False)

    @property
    def width(self) -> int:
        """How many columns the widest row has."""
        return max((len(row) for _, row in self.rows), default=0)


def read_bounded(path: Path, most: int = MAX_BYTES) -> bytes:
    """Read a file, but no device and no more than `most` bytes, also where it grows meanwhile; raise TableRefused."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TableRefused(NO_FILE)
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError:
        raise TableRefused(NO_FILE) from None
    check_size(content, most)
    return content


def check_size(content: bytes, most: int = MAX_BYTES) -> None:
    """Raise TableRefused for a file that is too large."""
    if len(content) > most:
        raise TableRefused(TOO_LARGE, megabytes=most // 1_000_000)


def read_tables(content: bytes, name: str) -> list[SheetTable]:
    """Read all sheets of a workbook, or the only one of a CSV; raise TableRefused."""
    if not content.strip():
        raise TableRefused(EMPTY)
    _refuse_other_formats(content)
    tables = _xlsx_tables(content) if content.startswith(b"PK") else [_csv_table(content, Path(name).stem)]
    if not any(table.rows for table in tables):
        raise TableRefused(NO_TABLE)
    return tables


def _refuse_other_formats(content: bytes) -> None:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableRefused(ENCRYPTED if _ENCRYPTED in content[: 1 << 20] else OLD_EXCEL)
    start = content[:512].removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, sentence in OTHER_FORMATS.items():
        if start.startswith(magic):
            raise TableRefused(sentence)


# -- CSV ---------------------------------------------------------------------------------------------------------


def _csv_table(content: bytes, name: str) -> SheetTable:
    rows: list[tuple[int, Cells]] = []
    before = cells = 0
    try:
        first = list(islice(_lines(content), _SNIFFED_LINES))
        delimiter = max(";\t,", key=lambda sign: sum(sign in line for line in first))
        bounded = _BoundedLines(_lines(content), delimiter)
        reader = csv.reader(bounded, delimiter=delimiter, strict=True)
        for row in reader:
            kept = _trimmed([_clean(cell) or None for cell in row[:MAX_COLUMNS]])
            bounded.delimiters = 0
            if kept:
                rows.append((before + 1, kept))
                cells += len(kept)
            before = reader.line_num
            if len(rows) > MAX_ROWS or cells > MAX_CELLS:
                raise TableRefused(OUT_OF_BOUNDS)
    except UnicodeError:
        raise TableRefused(NOT_UTF8) from None
    except csv.Error as error:
        raise TableRefused(NOT_CSV, line=before + 1, reason=str(error)) from None
    return SheetTable(name, tuple(rows))


def _lines(content: bytes) -> Iterator[str]:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")


class _BoundedLines:
    """The lines of a CSV for its reader, which would build a row of any length before anybody could look at it."""

    def __init__(self, lines: Iterator[str], delimiter: str) -> None:
        self._lines, self._delimiter, self.delimiters = lines, delimiter, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.delimiters += line.count(self._delimiter)
        if self.delimiters > _MAX_DELIMITERS:
            raise TableRefused(OUT_OF_BOUNDS)
        return line


# -- XLSX --------------------------------------------------------------------------------------------------------


def _xlsx_tables(content: bytes) -> list[SheetTable]:
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise TableRefused(NO_WORKBOOK)
        return _sheets(content, measure(content))
    except OutOfBounds:
        raise TableRefused(OUT_OF_BOUNDS) from None
    except (
        zipfile.BadZipFile, InvalidFileException, ExpatError, SyntaxError, KeyError, ValueError, TypeError,
        AttributeError, IndexError, NotImplementedError, EOFError, OSError, RuntimeError, OverflowError,
    ):  # fmt: skip
        raise TableRefused(DAMAGED) from None


def _sheets(content: bytes, measured: Measured) -> list[SheetTable]:
    from openpyxl import load_workbook

    book: Any = load_workbook(io.BytesIO(content), read_only=True, keep_links=False, data_only=True)
    # A formula counts by the value that was saved with it; one without is told apart from an empty cell.
    written: Any = load_workbook(io.BytesIO(content), read_only=True, keep_links=False) if measured.formulas else None
    tables, cells = [], 0
    for number, sheet in enumerate(book.worksheets[:MAX_SHEETS]):
        sheet.reset_dimensions()
        rows: list[tuple[int, Cells]] = []
        formulas = _values(written.worksheets[number]) if written else None
        for row_number, values in enumerate(_values(sheet), 1):
            behind = next(formulas) if formulas is not None else values
            row = _trimmed([_cell(value, text) for value, text in zip(values, behind, strict=False)])
            cells += len(row)
            if row:
                rows.append((row_number, row))
            if (row and row_number > MAX_ROWS) or cells > MAX_CELLS:
                raise OutOfBounds("many")
        tables.append(SheetTable(_clean(sheet.title), tuple(rows)))
    return tables


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    sheet.reset_dimensions()
    for row in sheet.iter_rows(max_row=MAX_ROWS + 1, values_only=True):
        yield row[:MAX_COLUMNS]


def _cell(value: Any, written: Any) -> Cell:
    if value is None and isinstance(written, str) and written.startswith("="):
        return Formula(written[:100])
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return _clean(value) or None
    if value is None or isinstance(value, bool | int | float | date):
        return value
    return str(value)  # a time of day, a length of time


def _trimmed(cells: Cells) -> Cells:
    while cells and cells[-1] is None:
        cells.pop()
    return cells


def _clean(text: str) -> str:
    return " ".join(_CONTROL.sub("", text).split())
