"""Tables of the authorities, read from CSV or XLSX with bounds on their size."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime
from pathlib import Path

from bot.errors import ContentError, Problem
from bot.yaml_document import shown_path

_MOST_BYTES, _MOST_UNPACKED, _MOST_PARTS = 5_000_000, 50_000_000, 500
_MOST_ROWS, _MOST_COLUMNS = 20_000, 50

Cells = list[object]


def read_rows(path: Path) -> list[tuple[int, Cells]]:
    """Read a small table of CSV or XLSX, each row with its number; raises ContentError for what is no table.

    A formula is kept as its text, beginning with "=": whoever reads the rows refuses it.
    """
    name = shown_path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ContentError([Problem(name, 0, f"is larger than {_MOST_BYTES // 1_000_000} MB.")])
        content = path.read_bytes()
    except OSError as error:
        raise ContentError([Problem(name, 0, f"cannot be read: {error.strerror}.")]) from None
    rows = _xlsx_rows(name, content) if content.startswith(b"PK") else _csv_rows(name, content)
    if len(rows) > _MOST_ROWS:
        raise ContentError([Problem(name, 0, f"has more than {_MOST_ROWS} rows.")])
    return rows


def _csv_rows(name: str, content: bytes) -> list[tuple[int, Cells]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContentError([Problem(name, 0, "is neither CSV in UTF-8 nor XLSX; save it as one of them.")]) from None
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, Cells]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error as error:
        raise ContentError([Problem(name, reader.line_num, f"is not valid CSV: {error}.")]) from None
    return rows


def _xlsx_rows(name: str, content: bytes) -> list[tuple[int, Cells]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    damaged = ContentError([Problem(name, 0, "is no XLSX that can be read; save it again or as CSV.")])
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
        # The sizes are what the archive says of itself; Python unpacks no more than that.
        if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_UNPACKED:
            raise ContentError([Problem(name, 0, "unpacks to more than a table of figures can be.")])
        book = load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows: list[tuple[int, Cells]] = []
        for number, row in enumerate(
            sheet.iter_rows(max_row=_MOST_ROWS + 2, max_col=_MOST_COLUMNS, values_only=True), 1
        ):
            values: Cells = [value.strip() if isinstance(value, str) else value for value in row]
            while values and values[-1] in (None, ""):
                values.pop()
            if values:
                rows.append((number, values))
    except (
        zipfile.BadZipFile, InvalidFileException, SyntaxError, KeyError, ValueError, TypeError, AttributeError,
        IndexError, NotImplementedError, EOFError, OSError,
    ):  # fmt: skip
        raise damaged from None
    return rows


def as_day(value: object) -> date | None:
    """Read a day as people and spreadsheets write it: 2026-11-23, 23/11/2026, a date; None when it is none."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(str(value), form).date()
        except ValueError:
            continue
    return None


def as_count(value: object) -> int | None:
    """Read a whole number, also 67.750, 67,750 and 67 750; None when it is none or below zero."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return value if value >= 0 else None
    text = str(value).replace("\u00a0", " ")
    if re.fullmatch(r"[0-9]{1,9}|[0-9]{1,3}(?:([., ])[0-9]{3})(?:\1[0-9]{3})*", text):
        return int(re.sub(r"[., ]", "", text))
    return None
