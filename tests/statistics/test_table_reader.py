"""Other people's tables are read with their types, or refused in a sentence and little memory."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.statistics import table_reader
from bot.statistics.table_reader import Formula, SheetTable, TableRefused, read_bounded, read_tables
from tests.conftest import ROOT

MAX_PEAK_MB = 150
SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = b"</sheetData></worksheet>"


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """Make a workbook as an office program would."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rows_of(content: bytes, name: str = "a.xlsx") -> list[tuple[int, list[object]]]:
    (table,) = read_tables(content, name)
    return [(number, list(row)) for number, row in table.rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_any_usual_delimiter_is_read(delimiter: str) -> None:
    text = f"\ufeffBảng số liệu\nngày{delimiter}huyện\n\n23/11/2026{delimiter} Yên  Lạc \n"
    assert rows_of(text.encode(), "a.csv") == [
        (1, ["Bảng số liệu"]), (2, ["ngày", "huyện"]), (4, ["23/11/2026", "Yên Lạc"]),
    ]  # fmt: skip


def test_csv_of_excels_unicode_text_is_read() -> None:
    assert rows_of("ngày\thuyện\r\n1\t2\r\n".encode("utf-16"), "a.txt") == [(1, ["ngày", "huyện"]), (2, ["1", "2"])]


def test_csv_row_keeps_the_number_of_its_first_line() -> None:
    assert rows_of(b'a,"b\nc"\nd,e\n', "a.csv") == [(1, ["a", "b c"]), (3, ["d", "e"])]


def test_xlsx_is_read_with_its_types_on_every_sheet() -> None:
    content = workbook(("Một", [["a", None], [], [datetime(2026, 11, 23, 8), 5, 0.125, True, "  x  "]]), ("Hai", [[1]]))
    assert read_tables(content, "a.xlsx") == [
        SheetTable("Một", ((1, ["a"]), (3, [date(2026, 11, 23), 5, 0.125, True, "x"]))),
        SheetTable("Hai", ((1, [1]),)),
    ]


def with_part(name: str, portions: Iterable[bytes], *, unchanged: bytes = b"") -> bytes:
    """Put another part into an empty workbook."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(unchanged or workbook(("x", [["a"]])))) as source,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for part in source.namelist():
            if part != name:
                made.writestr(part, source.read(part))
        with made.open(name, "w") as file:
            for portion in portions:
                file.write(portion)
    return content.getvalue()


def test_formula_counts_by_its_saved_value_and_is_told_without_one() -> None:
    cells = b'<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>A1*2</f></c><c r="D1"><v>7</v></c></row>'
    assert rows_of(with_part(SHEET, [HEAD, cells, FOOT])) == [(1, [2, Formula("=A1*2"), None, 7])]


def old_excel() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def encrypted() -> bytes:
    return old_excel() + "EncryptedPackage".encode("utf-16-le")


def other_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    return content.getvalue()


def many_parts() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        for number in range(600):
            archive.writestr(str(number), b"")
    return content.getvalue()


def entities() -> bytes:
    """A workbook whose strings expand to billions."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return with_part("xl/sharedStrings.xml", [f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><sst>&l9;</sst>'.encode()])


def cells_in_a_row() -> Iterator[bytes]:
    """2.2 million cells in one row."""
    yield HEAD + b'<row r="1">'
    for _ in range(2200):
        yield b"<c><v>1</v></c>" * 1000
    yield b"</row>" + FOOT


def fewer_cells_in_a_row() -> Iterator[bytes]:
    """So many that the part itself is not too large."""
    yield HEAD + b'<row r="1">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>" + FOOT


def deep() -> Iterator[bytes]:
    yield HEAD + b"<row>" * 100_000 + FOOT


def many_strings() -> Iterator[bytes]:
    yield b"<sst>" + b"<si><t>a</t></si>" * 300_000 + b"</sst>"


def large_strings() -> Iterator[bytes]:
    yield b"<sst>" + b"<si><t>" + b"x" * 9_000_000 + b"</t></si></sst>"


def long_text() -> Iterator[bytes]:
    yield HEAD + b'<row r="1"><c t="inlineStr"><is><t>' + b"x" * 20_000_000 + b"</t></is></c></row>" + FOOT


def long_attribute() -> Iterator[bytes]:
    yield HEAD + b'<row r="1" x="' + b"x" * 20_000_000 + b'"></row>' + FOOT


def many_styles() -> Iterator[bytes]:
    yield b"<styleSheet><cellXfs>" + b'<xf numFmtId="0"/>' * 100_000 + b"</cellXfs></styleSheet>"


def many_merged() -> Iterator[bytes]:
    yield HEAD + b"</sheetData><mergeCells>" + b'<mergeCell ref="A1:B2"/>' * 500_000 + b"</mergeCells></worksheet>"


def many_rows() -> Iterator[bytes]:
    yield HEAD + b"<row><c><v>1</v></c></row>" * 30_000 + FOOT


def last_cell_of_all() -> Iterator[bytes]:
    yield HEAD + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + FOOT


STRINGS = "xl/sharedStrings.xml"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b" \n", "The file is empty."),
    "old Excel": (old_excel, "old Excel file (.xls)"),
    "password": (encrypted, "protected by a password"),
    "pdf": (lambda: b"%PDF-1.7\n", "This is a PDF."),
    "rtf": (lambda: b"{\\rtf1 x}", "text document"),
    "web page": (lambda: b"\xef\xbb\xbf <html><table>", "web page"),
    "other zip": (other_zip, "no Excel workbook"),
    "cut off": (lambda: workbook(("x", [["a"]]))[:-200], "damaged"),
    "broken part": (lambda: with_part(SHEET, [HEAD, b"<row>"]), "damaged"),
    "empty workbook": (lambda: workbook(("x", [])), "no row"),
    "old encoding": (lambda: "ngày,huyện".encode("cp1258", "replace") + b"\xff", "old encoding"),
    "open quote": (lambda: b'a,b\n"x', "Line 2 of the CSV"),
    "parts": (many_parts, "far more than a table"),
    "entities": (entities, "far more than a table"),
    "2.2 million cells in a row": (lambda: with_part(SHEET, cells_in_a_row()), "far more than a table"),
    "a million cells in a row": (lambda: with_part(SHEET, fewer_cells_in_a_row()), "far more than a table"),
    "deep XML": (lambda: with_part(SHEET, deep()), "far more than a table"),
    "many strings": (lambda: with_part(STRINGS, many_strings()), "far more than a table"),
    "large strings": (lambda: with_part(STRINGS, large_strings()), "far more than a table"),
    "long text": (lambda: with_part(SHEET, long_text()), "far more than a table"),
    "long attribute": (lambda: with_part(SHEET, long_attribute()), "far more than a table"),
    "many styles": (lambda: with_part("xl/styles.xml", many_styles()), "far more than a table"),
    "many merged cells": (lambda: with_part(SHEET, many_merged()), "far more than a table"),
    "many rows": (lambda: with_part(SHEET, many_rows()), "far more than a table"),
    "last cell of all": (lambda: with_part(SHEET, last_cell_of_all()), "no row"),
    "commas": (lambda: b"," * 9_000_000, "far more than a table"),
    "quoted row over many lines": (lambda: b'"\n",' * 2_000_000, "far more than a table"),
    "lines": (lambda: b"a\n" * 4_000_000, "far more than a table"),
    "one field": (lambda: b'"' + b"x" * 9_000_000, "Line 1 of the CSV"),
    "ten megabytes and more": (lambda: b"a" * 10_000_001, "larger than 10 MB"),
}
# In a process of its own: what reading it took at most, and the sentence.
READ = r"""
import re, sys
from pathlib import Path
from bot.statistics.table_reader import TableRefused, read_bounded, read_tables
import openpyxl
try:
    read_tables(read_bounded(Path(sys.argv[1])), sys.argv[1])
except TableRefused as refusal:
    print(int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024, refusal)
"""


def read_outside(path: Path) -> tuple[int, str]:
    """Read a file in a process of its own; returns its peak in MB and the sentence of its refusal."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    peak, _, sentence = done.stdout.strip().partition(" ")
    return int(peak), sentence


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_one_sentence_and_little_memory(tmp_path: Path, name: str) -> None:
    make, expected = REFUSED[name]
    path = tmp_path / "given"
    path.write_bytes(make())
    peak, sentence = read_outside(path)
    assert expected in sentence
    assert peak <= MAX_PEAK_MB


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/stdin", "/", "/no/such/file"])
def test_device_or_folder_is_no_file(path: str) -> None:
    with pytest.raises(TableRefused, match="no file that can be read"):
        read_bounded(Path(path))


def test_growing_file_is_read_up_to_the_bound_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "given"
    path.write_bytes(b"a" * 2000)
    with pytest.raises(TableRefused, match="larger than 0 MB"):
        read_bounded(path, 1000)
    assert read_bounded(path, 2000) == b"a" * 2000


def test_table_at_the_bounds_is_read() -> None:
    rows: list[list[object]] = [["Huyện Yên Lạc", number, 0.5] for number in range(table_reader.MAX_ROWS)]
    assert len(rows_of(workbook(("x", rows)))) == table_reader.MAX_ROWS
