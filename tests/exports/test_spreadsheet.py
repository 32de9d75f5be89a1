"""Tables: what Excel opens as it is meant, in which nothing becomes a formula, and tables that are refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from bot import access
from bot.errors import ContentError
from bot.exports import spreadsheet
from bot.exports.spreadsheet import ExportTable, Wanted, all_tables, as_csv, as_xlsx, harmless
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.runtime.build import Service
from bot.statistics.table_reader import as_count, as_day, read_rows
from bot.store import Store, open_store, roles
from tests.conftest import ROOT, Talk
from tests.statistics.test_counts import NOON, TODAY, report

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
VI = load_catalogues(["vi"])["vi"]
EVIL = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "|calc", '=HYPERLINK("http://x")']


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    for number, source in enumerate([*EVIL, "YL22"]):
        await opened.write(report(str(number), "yen-lac", TODAY, commune="09025", source=source))
    yield opened
    await opened.close()


async def test_a_workbook_has_a_sheet_for_each_view_and_the_method(store: Store) -> None:
    tables = await all_tables(store, REGIONS, Wanted(TODAY), VI)
    book = load_workbook(io.BytesIO(as_xlsx(tables)))
    assert book.sheetnames == [*spreadsheet.VIEWS, "funnel", "official", "method"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    district = book["district"]
    assert [cell.value for cell in district[1]] == [
        "rank", "district", "name", "self_reported", "adults_estimate", "share_percent", "new_7_days",
    ]  # fmt: skip
    row = next(row for row in district.iter_rows(values_only=True) if row[1] == "yen-lac")
    assert row == (1, "yen-lac", "Yên Lạc", 12, 107300, 0.011, 12)
    assert [cell.number_format for cell in district[2]][3:6] == ["#,##0", "#,##0", "0.000"]
    day = book["day"]["A2"]
    assert day.value == datetime(2026, 11, 23)
    assert day.is_date
    assert book["official"]["D2"].value == 67750
    method = [row[0] for row in book["method"].iter_rows(values_only=True)]
    assert "Số do người dân tự báo, không phải số liệu chính thức. Số người lớn là ước tính." in method
    assert not any("làm tròn xuống" in line for line in method)
    rounded = await all_tables(store, REGIONS, Wanted(TODAY, step=5), VI)
    assert any("làm tròn xuống bội số của 5" in str(row[0]) for row in rounded[-1].rows)


async def test_no_cell_becomes_a_formula(store: Store) -> None:
    tables = await all_tables(store, REGIONS, Wanted(TODAY), VI)
    content = as_xlsx(tables)
    for sheet in load_workbook(io.BytesIO(content)):
        for cells in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in cells)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)
    found = {cell.value: cell for cells in load_workbook(io.BytesIO(content))["source"].iter_rows() for cell in cells}
    assert found["=1+1"].quotePrefix


@pytest.mark.parametrize("text", EVIL)
def test_csv_marks_what_a_spreadsheet_would_run(text: str) -> None:
    assert harmless(text) == "'" + text


@given(st.text(max_size=20))
def test_csv_can_be_read_back_and_no_cell_begins_like_a_formula(text: str) -> None:
    text = text.replace("\r", "").replace("\x00", "")
    rows = list(csv.reader(io.StringIO(as_csv(["a", "b"], [[text, 5]]), newline="")))
    assert rows[1][1] == "5"
    assert rows[1][0].removeprefix("'") == text.removeprefix("'")
    assert not rows[1][0].lstrip().startswith(("=", "+", "@")) or rows[1][0].startswith("'")


def test_numbers_and_the_sign_for_nothing_stay_as_they_are() -> None:
    assert [harmless(value) for value in (-3, 2.5, "-", "", "yen-lac")] == [-3, 2.5, "-", "", "yen-lac"]


def test_control_characters_do_not_break_a_workbook() -> None:
    book = load_workbook(io.BytesIO(as_xlsx([ExportTable("x", ["a"], [["b\x00\x0b\ufffe"], ["2026-99-99x"]])])))
    assert book["x"]["A2"].value == "b"


# Coming in.


def written(path: Path, rows: list[list[object]]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


def test_csv_with_any_usual_delimiter_is_read(tmp_path: Path) -> None:
    for delimiter in ",;\t":
        path = tmp_path / "a.csv"
        path.write_text(f"\ufeffngày{delimiter}huyện\n\n23/11/2026{delimiter} Yên Lạc \n", encoding="utf-8")
        assert read_rows(path) == [(1, ["ngày", "huyện"]), (3, ["23/11/2026", "Yên Lạc"])]


def test_xlsx_is_read_with_its_types_and_formulas_as_text(tmp_path: Path) -> None:
    path = written(tmp_path / "a.xlsx", [["a", None], [], [datetime(2026, 11, 23), "=1+1"], [5, " x "]])
    assert read_rows(path) == [
        (1, ["a"]), (3, [datetime(2026, 11, 23), "=1+1"]), (4, [5, "x"]),
    ]  # fmt: skip


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(60_000_000))


def many_parts(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(600):
            archive.writestr(str(number), b"")


def entities(path: Path) -> None:
    """A workbook whose strings expand to billions."""
    source = io.BytesIO()
    Workbook().save(source)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(path, "w") as made:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "xl/workbook.xml":
                text = content.decode()
                head = text.index("<workbook")
                content = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>{text[head:]}'.replace(
                    "<sheets>", "<!-- --><sheets>&l9;"
                ).encode()
            made.writestr(name, content)


def not_a_table(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")


def cut_off(path: Path) -> None:
    written(path, [["a"]])
    path.write_bytes(path.read_bytes()[:-200])


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "bomb": (bomb, "unpacks to more"),
    "parts": (many_parts, "unpacks to more"),
    "entities": (entities, "is no XLSX"),
    "other zip": (not_a_table, "is no XLSX"),
    "cut off": (cut_off, "is no XLSX"),
    "latin": (lambda path: path.write_bytes("ngày,huyện".encode("cp1258", "replace") + b"\xff"), "neither CSV"),
    "large": (lambda path: path.write_bytes(b"a" * 5_000_001), "larger than 5 MB"),
    "long": (lambda path: path.write_text("a\n" * 20_001), "more than 20000 rows"),
    "quotes": (lambda path: path.write_text('a,b\n"x'), "not valid CSV"),
    "missing": (lambda path: None, "cannot be read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_table_is_one_sentence(tmp_path: Path, name: str) -> None:
    make, sentence = WRONG[name]
    make(tmp_path / "given")
    with pytest.raises(ContentError, match=sentence):
        read_rows(tmp_path / "given")


@pytest.mark.parametrize(
    ("text", "count"),
    [("67750", 67750), ("67.750", 67750), ("67,750", 67750), ("67 750", 67750), ("1.234.567", 1234567), ("0", 0),
     ("67.75", None), ("1.2345", None), ("1.234,567", None), ("-5", None), ("", None), ("1e5", None), ("٣", None)],
)  # fmt: skip
def test_whole_numbers_as_people_write_them(text: str, count: int | None) -> None:
    assert as_count(text) == count


def test_numbers_and_days_of_a_spreadsheet() -> None:
    assert [as_count(value) for value in (5, 5.0, 5.5, -5, True)] == [5, 5, None, None, None]
    assert as_day(datetime(2026, 11, 23, 8)) == as_day("2026-11-23") == as_day("23/11/2026") == date(2026, 11, 23)
    assert as_day("11/23/2026") is None


# In the chat.


async def test_an_officer_exports_the_own_scope_rounded(talk: Talk, service: Service) -> None:
    await service.store.write(report("a", "yen-lac", TODAY))
    code = await access.invite(service.store, role="officer", scope="yen-lac", at=NOON, actor="test")
    await talk.say(f"/start moi_{code}")
    assert "Bạn muốn tệp nào" in await talk.say("/xuat")
    assert "CSV, từng lượt báo" not in talk.labels
    assert "tự báo" in await talk.press("XLSX")
    file = talk.replies[-1].file
    assert file is not None
    assert file.name == "thong-ke-2026-11-23.xlsx"
    book = load_workbook(io.BytesIO(file.content))
    assert [row[1:4] for row in book["district"].iter_rows(min_row=2, values_only=True)] == [("yen-lac", "Yên Lạc", 0)]
    await talk.say(choice="export:csv")
    file = talk.replies[-1].file
    assert file is not None
    assert file.content.startswith(b"\xef\xbb\xbfrank,district")
    assert "Bạn muốn tệp nào" in await talk.say(choice="export:raw")  # not for officers
    assert talk.replies[-1].file is None


async def test_an_admin_exports_every_report_with_a_line_in_the_audit(
    talk: Talk, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.store.write(report("secret-address", "yen-lac", TODAY, commune="09025"))
    code = await access.invite(service.store, role="admin", scope="", at=NOON, actor="test")
    await talk.say(f"/start moi_{code}")
    await talk.say("/xuat")
    assert "được ghi vào nhật ký" in await talk.press("CSV, từng lượt báo")
    file = talk.replies[-1].file
    assert file is not None
    assert "secret-address" not in file.content.decode()
    assert file.content.decode("utf-8-sig").splitlines()[1] == "2026-11-23,yen-lac,09025,c,vi,"
    lines = [(row["action"], row["detail"]) for row in await service.store.read(roles.audit)]
    assert lines[-1] == ("export-raw", "1 reports")
    assert await access.check_audit(service.store) is None
    monkeypatch.setattr("handlers.officer.exports.MOST_RAW_ROWS", 0)
    assert "xin tệp này từ người quản trị máy chủ" in await talk.say(choice="export:raw")


async def test_citizens_export_nothing(talk: Talk) -> None:
    for choice in ("export:xlsx", "export:csv", "export:raw"):
        assert "chỉ dành cho cán bộ" in await talk.say(choice=choice)
        assert talk.replies[-1].file is None
