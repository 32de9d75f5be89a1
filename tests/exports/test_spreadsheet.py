"""Files for officers and programs: typed by their columns, and no text becomes a formula."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import subprocess
import zipfile
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from bot import access
from bot.exports import tables
from bot.exports.spreadsheet import Cover, as_csv, as_xlsx, harmless, office_csv
from bot.exports.tables import Column, ExportTable, Kind, Wanted, all_tables, in_words, table
from bot.exports.workbook import make_workbook
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.library.sources import load_sources
from bot.runtime.build import Service
from bot.store import Store, demo, open_store, roles
from tests.conftest import ROOT, Talk
from tests.statistics.test_counts import NOON, TODAY, report

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
SOURCES = load_sources(ROOT / "content")
CATALOGUES = load_catalogues(["vi", "en"])
VI, EN = CATALOGUES["vi"], CATALOGUES["en"]
EVIL = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1+1", "|calc", '=HYPERLINK("http://x")']
# What a citizen may type into a link, and what a writer that guesses types from the look of a text takes it for.
LOOKS_TYPED = ["2026-13-45", "2026-02-30", "2026-11-23", "0012", "1e5", "TRUE", "#N/A", "12:30", "5%", "９", "\ud800x"]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    for number, source in enumerate([*EVIL, "YL22"]):
        await opened.write(report(str(number), "yen-lac", TODAY, commune="09025", source=source))
    yield opened
    await opened.close()


def opened(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


async def test_workbook_has_vietnamese_cover_and_sheets(store: Store) -> None:
    book = opened(
        await make_workbook(store, REGIONS, Wanted(TODAY), VI, agency="Sở Y tế tỉnh Phú Thọ", sources=SOURCES)
    )
    assert book.sheetnames == [
        "Trang bìa", "Huyện, thành phố", "Xã, phường, thị trấn", "Xã, phường từ tháng 7 2025", "Từng ngày", "Tuần",
        "Tháng", "Kênh", "Ngôn ngữ", "Người dân đến từ đâu", "Loại sổ sức khỏe",
        "Từ lúc bắt đầu đến khi báo", "Số liệu chính thức",
    ]  # fmt: skip
    cover = ["".join(str(cell or "") for cell in row) for row in book["Trang bìa"].iter_rows(values_only=True)]
    for said in ("SỞ Y TẾ TỈNH PHÚ THỌ", "Địa bàntỉnh Vĩnh Phúc (cũ)", "Thời giantừ khi bắt đầu đến hết 23/11/2026",
                 "Ngày lập23/11/2026", "– Số do người dân tự báo, không phải số liệu chính thức. "
                 "Số người lớn là ước tính."):  # fmt: skip
        assert said in cover
    assert not any("MÔ PHỎNG" in line or "làm tròn xuống" in line for line in cover)
    links = [cell.hyperlink.location for (cell, *_) in book["Trang bìa"].iter_rows() if cell.hyperlink]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:]]
    assert book.properties.creator == "Sở Y tế tỉnh Phú Thọ"


async def test_workbook_sheets_are_ready_for_print_and_filter(store: Store) -> None:
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY), VI))
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A4", sheet.title
        assert sheet.auto_filter.ref.startswith("A3:"), sheet.title
        assert sheet.print_title_rows == "$1:$3", sheet.title
    for sheet in book:
        assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (9, 1, 0)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.oddFooter.right.text == "Trang &P/&N"


async def test_workbook_cells_have_the_types_of_their_columns(store: Store) -> None:
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY), VI, sources=SOURCES))
    district = book["Huyện, thành phố"]
    assert [cell.value for cell in district[3]] == [
        "Hạng", "Mã huyện", "Huyện, thành phố", "Số người tự báo", "Người từ đủ 18 tuổi (ước tính)", "Tỷ lệ tự báo",
        "Mới trong 7 ngày", "Số máy (số liệu chính thức)", "Ngày của số liệu chính thức",
    ]  # fmt: skip
    row = next(row for row in district.iter_rows() if row[1].value == "251")
    assert [cell.value for cell in row[:7]] == [1, "251", "Huyện Yên Lạc", 12, 107300, 0.00011, 12]
    assert [cell.number_format for cell in row[:7]] == ["#,##0", "@", "@", "#,##0", "#,##0", "0.00%", "#,##0"]
    assert [cell.value for cell in district[district.max_row]][1:3] == ["26", "Toàn tỉnh"]
    assert [cell.value for cell in district[district.max_row]][7:] == [67750, datetime(2021, 10, 10)]
    day, month = book["Từng ngày"]["A4"], book["Tháng"]["A4"]
    assert (day.value, day.is_date, day.number_format) == (datetime(2026, 11, 23), True, "dd/mm/yyyy")
    assert (month.value, month.is_date, month.number_format) == (datetime(2026, 11, 1), True, "mm/yyyy")
    commune = book["Xã, phường, thị trấn"]
    assert [cell.value for cell in commune[4]] == ["09025", "Yên Lạc", "Huyện Yên Lạc", 12, "2021"]
    assert commune["A4"].data_type == "s"
    named = [cell for cells in book["Người dân đến từ đâu"].iter_rows(values_only=True) for cell in cells]
    assert "huyện Yên Lạc cũ, khu vực Vĩnh Phúc cũ" in named


async def test_published_zero_stays_a_number_and_reads_fewer_than(store: Store) -> None:
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY, step=5), VI))
    cell = book["Huyện, thành phố"]["D4"]
    assert (cell.value, cell.number_format) == (0, '#,##0;-#,##0;"dưới 5"')
    cover = [str(row[0]) for row in book["Trang bìa"].iter_rows(values_only=True)]
    assert any("làm tròn xuống bội số của 5" in line for line in cover)


async def test_simulated_workbook_says_so_on_every_sheet(store: Store) -> None:
    await store.write(lambda tx: demo.note_simulation(tx, seed=1, people=1, at=""))
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY), VI))
    for sheet in book:
        shown = " ".join(str(cell) for row in sheet.iter_rows(max_row=3, values_only=True) for cell in row)
        assert "SỐ LIỆU MÔ PHỎNG" in shown, sheet.title
        assert "SỐ LIỆU MÔ PHỎNG" in sheet.oddHeader.center.text, sheet.title


async def test_workbook_speaks_the_language_of_the_officer(store: Store) -> None:
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY), EN))
    assert book.sheetnames[:2] == ["Cover", "Districts"]
    assert book["Districts"]["C4"].value == "Vĩnh Yên city"


@pytest.mark.parametrize("source", LOOKS_TYPED)
async def test_source_that_looks_typed_stays_a_text(store: Store, source: str) -> None:
    kept = source.encode("utf-8", "ignore").decode()
    await store.write(report("typed", "yen-lac", TODAY, source=kept))
    book = opened(await make_workbook(store, REGIONS, Wanted(TODAY), VI))
    cells = {cell.value: cell for cells in book["Người dân đến từ đâu"].iter_rows() for cell in cells}
    assert (cells[kept].data_type, cells[kept].number_format) == ("s", "@")


async def test_no_cell_becomes_a_formula(store: Store) -> None:
    content = await make_workbook(store, REGIONS, Wanted(TODAY), VI)
    for sheet in opened(content):
        for cells in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in cells)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)
    found = {cell.value: cell for cells in opened(content)["Người dân đến từ đâu"].iter_rows() for cell in cells}
    assert found["=1+1"].quotePrefix


CALC = shutil.which("soffice")


def opens_tables() -> bool:
    """Return whether LibreOffice is here with its spreadsheet part, and not only for documents."""
    folder = Path(CALC).resolve().parent if CALC else None
    return folder is not None and (folder / "libsclo.so").exists()


@pytest.mark.skipif(not opens_tables(), reason="no LibreOffice Calc on this machine: apt-get install libreoffice-calc")
async def test_libreoffice_opens_the_workbook_unchanged(store: Store, tmp_path: Path) -> None:
    content = await make_workbook(store, REGIONS, Wanted(TODAY), VI, sources=SOURCES)
    (tmp_path / "a.xlsx").write_bytes(content)
    office = f"-env:UserInstallation=file://{tmp_path}/office"
    command = [str(CALC), office, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    command += ["--outdir", str(tmp_path / "again"), str(tmp_path / "a.xlsx")]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, timeout=120)
    ours, again = opened(content), load_workbook(tmp_path / "again" / "a.xlsx")
    assert again.sheetnames == ours.sheetnames
    for sheet in ours.worksheets[1:]:
        there = [[cell or None for cell in row] for row in again[sheet.title].iter_rows(values_only=True)]
        here = [[cell or None for cell in row] for row in sheet.iter_rows(values_only=True)]
        assert [row[: len(here[0])] for row in there] == here, sheet.title


def one(kind: Kind, *values: object, least: int = 1) -> ExportTable:
    return ExportTable("x", "X", (Column(kind, "x", "X", least),), [[value] for value in values])


OFFICE: list[tuple[Kind, object, int, str, str, str]] = [
    (Kind.COUNT, 67750, 1, "67750", "67750", "67.750"),
    (Kind.COUNT, -3, 1, "-3", "-3", "-3"),
    (Kind.COUNT, 0, 5, "dưới 5", "fewer than 5", "dưới 5"),
    (Kind.PERCENT, 8.58, 1, "8,580%", "8.580%", "8,58%"),
    (Kind.DAY, date(2026, 11, 3), 1, "03/11/2026", "2026-11-03", "03/11/2026"),
    (Kind.MONTH, date(2026, 11, 1), 1, "11/2026", "2026-11", "11/2026"),
    (Kind.CODE, "09025", 1, "09025", "09025", "09025"),
    (Kind.TEXT, None, 1, "", "", ""),
    (Kind.TEXT, "=1", 1, "'=1", "'=1", "=1"),
]


@pytest.mark.parametrize(("kind", "value", "least", "vi", "en", "said"), OFFICE)
def test_office_csv_writes_values_as_excel_reads_them(
    kind: Kind, value: object, least: int, vi: str, en: str, said: str
) -> None:
    table = one(kind, value, least=least)
    for catalogue, expected in ((VI, vi), (EN, en)):
        content = office_csv(table, catalogue)
        assert content.startswith(b"\xef\xbb\xbfX\r\n")
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
        assert (rows[1] or [""])[0].strip('"') == expected
    assert in_words(value, table.columns[0], VI) == said


def test_office_csv_parts_columns_as_the_language_does() -> None:
    table = ExportTable("x", "X", (Column(Kind.TEXT, "a", "A"), Column(Kind.COUNT, "b", "B")), [["x", 1]])
    assert office_csv(table, VI).decode("utf-8-sig") == "A;B\r\nx;1\r\n"
    assert office_csv(table, EN).decode("utf-8-sig") == "A,B\r\nx,1\r\n"


async def test_every_view_keeps_the_keys_of_programs(store: Store) -> None:
    keys = {one.name: one.for_programs()[0] for one in await all_tables(store, REGIONS, Wanted(TODAY), VI)}
    assert keys == {
        "district": ["rank", "district", "name", "self_reported", "adults_estimate", "share_percent", "new_7_days"],
        "commune": ["code", "commune", "district", "self_reported", "map"],
        "commune-2025": ["code", "commune", "district", "self_reported", "map"],
        "day": ["day", "self_reported"], "week": ["week", "self_reported"], "month": ["month", "self_reported"],
        "channel": ["channel", "self_reported"], "language": ["language", "self_reported"],
        "source": ["source", "self_reported", "name"], "product": ["product", "self_reported"],
        "funnel": ["step", "name", "people"],
        "official": ["date", "district", "name", "phones"],
    }  # fmt: skip
    month = await table(store, REGIONS, "month", Wanted(TODAY), VI)
    assert month.for_programs()[1] == [["2026-11", 12]]


async def test_every_view_has_a_title_that_names_a_sheet(store: Store) -> None:
    titles = {VI.t(title) for title in tables.TITLES.values()}
    assert len(titles) == len(tables.TITLES)
    assert set(tables.VIEWS) <= set(tables.TITLES)
    for catalogue in (VI, EN):
        for one in await all_tables(store, REGIONS, Wanted(TODAY), catalogue):
            assert 0 < len(one.title) <= 31, one.title
            assert all(column.key or column.title for column in one.columns)


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


@given(st.text(max_size=40), st.sampled_from(Kind))
def test_any_text_is_a_text_in_a_workbook(text: str, kind: Kind) -> None:
    book = opened(as_xlsx([one(kind, text)], Cover("x", (), ()), VI))
    cell = book["X"]["A4"]
    assert cell.value is None or cell.data_type == "s"


def test_numbers_and_the_sign_for_nothing_stay_as_they_are() -> None:
    assert [harmless(value) for value in (-3, 2.5, "-", "", "yen-lac")] == [-3, 2.5, "-", "", "yen-lac"]


def test_control_characters_do_not_break_a_workbook() -> None:
    book = opened(as_xlsx([one(Kind.TEXT, "b\x00\x0b\ufffe", "2026-99-99x")], Cover("x", (), ()), VI))
    assert book["X"]["A4"].value == "b"


def test_sheets_of_one_title_get_different_names() -> None:
    same = ExportTable(
        "x", "[a] / very long title of a sheet, longer than Excel takes", (Column(Kind.TEXT, "", "A"),), []
    )
    book = opened(as_xlsx([same, same], Cover("x", (), ()), VI))
    assert len(set(book.sheetnames)) == 3


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
    book = opened(file.content)
    rows = list(book["Huyện, thành phố"].iter_rows(min_row=4, values_only=True))
    assert [row[1:4] for row in rows] == [("251", "Huyện Yên Lạc", 0)]
    await talk.say(choice="export:csv")
    file = talk.replies[-1].file
    assert file is not None
    assert file.content.decode("utf-8-sig").startswith("Hạng;Mã huyện;Huyện, thành phố;")
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
    line = file.content.decode("utf-8-sig").splitlines()[1]
    assert line == "23/11/2026;251;Huyện Yên Lạc;09025;Yên Lạc;c;Tiếng Việt;;"
    lines = [(row["action"], row["detail"]) for row in await service.store.read(roles.audit)]
    assert lines[-1] == ("export-raw", "1 reports")
    assert await access.check_audit(service.store) is None
    monkeypatch.setattr("handlers.officer.exports.MOST_RAW_ROWS", 0)
    assert "xin tệp này từ người quản trị máy chủ" in await talk.say(choice="export:raw")


async def test_citizens_export_nothing(talk: Talk) -> None:
    for choice in ("export:xlsx", "export:csv", "export:raw"):
        assert "chỉ dành cho cán bộ" in await talk.say(choice=choice)
        assert talk.replies[-1].file is None
