"""Tables as departments send them: each is read, remarked on or refused as somebody who looks at it would."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.statistics.official_mapping import (
    COMMUNE,
    DISTRICT,
    PROVINCE,
    TOTAL,
    UNKNOWN,
    PlaceRead,
    TableMapping,
    columns_of,
    guess_mapping,
    load_mapping,
    read_place,
)
from bot.statistics.official_preview import ASK, STOP, ImportPreview, latest_before, preview_table, remark_words
from bot.statistics.table_reader import Cell, SheetTable, read_tables
from tests.conftest import ROOT
from tests.statistics.test_table_reader import with_part, workbook

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
EN = load_catalogues(["en"])["en"]
TODAY = date(2026, 12, 1)
NOVEMBER = date(2026, 11, 30)
PHONES = {
    "vinh-yen": 12345, "phuc-yen": 9000, "lap-thach": 7001, "tam-duong": 8000, "tam-dao": 6500, "binh-xuyen": 5400,
    "yen-lac": 10800, "vinh-tuong": 15230, "song-lo": 4100,
}  # fmt: skip
SUM = sum(PHONES.values())
NAMES = [district.title("vi") for district in REGIONS.districts.values()]
BEFORE = latest_before([(date(2026, 10, 31), "yen-lac", 10000), (date(2026, 10, 31), "song-lo", 4000)])
Rows = list[list[object]]


def figures(day: date | None = NOVEMBER, **other: int) -> dict[str, tuple[date | None, int]]:
    return {place: (day, phones) for place, phones in (PHONES | other).items()}


def plain(names: list[str] = NAMES) -> Rows:
    return [[name, phones] for name, phones in zip(names, PHONES.values(), strict=True)]


def department(**change: object) -> Rows:
    """The usual table: titles, a heading over two lines on row 6, a line of numbers, a total, signatures."""
    names = change.get("names", NAMES)
    rows: Rows = [
        ["SỞ KHOA HỌC VÀ CÔNG NGHỆ", None, None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
        [None, None, None, None, "Phú Thọ, ngày 02 tháng 12 năm 2026"],
        ["KẾT QUẢ CÀI ĐẶT SỔ SỨC KHỎE ĐIỆN TỬ"],
        [change.get("until", "(Tính đến hết ngày 30/11/26)")],
        [],
        ["TT", "Đơn vị", "Số máy đã cài đặt", None, "Tỷ lệ (%)", "Ghi chú"],
        [None, None, "Trong tháng", "Lũy kế"],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
    ]
    for number, (name, phones) in enumerate(zip(names, PHONES.values(), strict=True), 1):  # type: ignore[call-overload]
        rows.append([number, name, number * 10, phones, 8.5, None])
    rows.append(["Tổng cộng", None, 450, change.get("total", SUM)])
    rows += [[], [None, "NGƯỜI LẬP BIỂU", None, None, "GIÁM ĐỐC"], [None, "Người Lập Thử", None, None, "Người Ký Thử"]]
    return rows


@dataclass(frozen=True)
class Messy:
    """A file, what is read from it, and the beginnings of its remarks."""

    content: bytes | Callable[[], bytes]
    read: dict[str, tuple[date | None, int]]
    remarks: tuple[str, ...] = ()
    name: str = "a.xlsx"


def with_formulas(*, values: bool) -> bytes:
    """A total and a district that a program reckons out, saved with or without what came out."""
    sheet = workbook(("x", [["Huyện", "Số máy", "Ngày"], ["Yên Lạc", 111, NOVEMBER], ["Tam Đảo", 5, NOVEMBER]]))
    name = "xl/worksheets/sheet1.xml"
    archive = load_workbook(io.BytesIO(sheet))
    archive.active["B2"] = "=5000+5800"  # type: ignore[index]
    content = io.BytesIO()
    archive.save(content)
    with_text = content.getvalue()
    import zipfile

    with zipfile.ZipFile(io.BytesIO(with_text)) as part:
        xml = part.read(name)
    saved = b"<v>10800</v>" if values else b""
    xml = xml.replace(b"<f>5000+5800</f><v></v>", b"<f>5000+5800</f>" + saved)
    xml = xml.replace(b"<f>5000+5800</f><v/>", b"<f>5000+5800</f>" + saved)
    xml = xml.replace(b"<f>5000+5800</f><v />", b"<f>5000+5800</f>" + saved)
    return with_part(name, [xml], unchanged=with_text)


def swapped(rows: Rows, row: int, column: int, value: object) -> Rows:
    changed = [list(one) for one in rows]
    changed[row][column] = value
    return changed


def dated(day: object, phones: object = 10800, name: str = "Yên Lạc") -> bytes:
    return workbook(("x", [["Ngày", "Huyện", "Số máy"], [day, name, phones]]))


YEN_LAC = {"yen-lac": (NOVEMBER, 10800)}
MESSY: dict[str, Messy] = {
    "the department's usual table": Messy(workbook(("Tháng 11", department())), figures()),
    "on the second sheet behind a cover": Messy(
        workbook(("Bìa", [["BÁO CÁO"], ["Kính gửi: UBND tỉnh"]]), ("Số liệu", department())), figures()
    ),
    "kinds before the names in every way": Messy(
        workbook(("x", department(names=["T.P Vĩnh Yên", "TX. Phúc Yên", "Huyện  Lập   Thạch", "H.Tam Dương",
                                         "H. Tam Đảo", "Bình Xuyên", "UBND huyện Yên Lạc", "TTYT huyện Vĩnh Tường",
                                         "SÔNG LÔ"]))),
        figures(),
    ),
    "town of long ago": Messy(
        workbook(("x", department(names=["Tp.Vĩnh Yên", "Thị xã Phúc Yên", *NAMES[2:]]))), figures()
    ),
    "names without marks": Messy(
        workbook(("x", department(names=["Thanh pho Vinh Yen", "TP Phuc Yen", "Lap Thach", "Tam Duong", "Tam Dao",
                                         "Binh Xuyen", "Yen Lac", "Vinh Tuong", "Song Lo"]))),
        figures(),
    ),
    "a slip in a name": Messy(
        workbook(("x", department(names=[*NAMES[:5], "Huyện Bình Xuyến", "Huyện Yên Lạcc", *NAMES[7:]]))),
        figures(), ("“Huyện Yên Lạcc” is read as Yên Lạc district.",),
    ),
    "codes for names": Messy(
        workbook(("x", [["Mã", "Số máy đã cài", "Ngày"], *[[str(d.code), PHONES[d.id], NOVEMBER]
                                                         for d in REGIONS.districts.values()]])),
        figures(),
    ),
    "a day in words": Messy(
        workbook(("x", department(until="Số liệu tính đến ngày 30 tháng 11 năm 2026"))), figures()
    ),
    "only a month": Messy(
        workbook(("x", department(until="Tháng 11 năm 2026")[2:])), figures(),
        ("The day 30 November 2026 was read from a line that may mean another one.",),
    ),
    "only the day of the signature": Messy(
        workbook(("x", [["Phú Thọ, ngày 30 tháng 11 năm 2026"], ["Đơn vị", "Số máy"], *plain()])), figures(),
        ("The day 30 November 2026 was read from a line",),
    ),
    "the day in the name of the sheet": Messy(
        workbook(("đến 30.11.2026", [["Đơn vị", "Số máy"], *plain()])), figures()
    ),
    "the day in the name of the file": Messy(
        workbook(("x", [["Đơn vị", "Số máy"], *plain()])), figures(), name="so lieu den ngay 30-11-2026.xlsx"
    ),
    "no day anywhere": Messy(
        workbook(("x", [["Đơn vị", "Số máy"], *plain()])), {}, ("Please say of which day the figures are.",)
    ),
    "a column of days in three writings": Messy(
        workbook(("x", [["Đơn vị", "Ngày", "Số máy"], ["Yên Lạc", datetime(2026, 11, 30), 10800],
                        ["Tam Đảo", "30/11/26", 6500], ["Sông Lô", "2026-11-30", 4100]])),
        {"yen-lac": (NOVEMBER, 10800), "tam-dao": (NOVEMBER, 6500), "song-lo": (NOVEMBER, 4100)},
    ),
    "numbers as texts": Messy(
        workbook(("x", [["Tính đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], ["Yên Lạc", "10.800"],
                        ["Tam Đảo", "6 500 máy"], ["Sông Lô", "4,100"]])),
        {"yen-lac": (NOVEMBER, 10800), "tam-dao": (NOVEMBER, 6500), "song-lo": (NOVEMBER, 4100)},
    ),
    "a typed fraction": Messy(dated(NOVEMBER, 0.125), {}, ("“0.125” is no whole number. If a thousands",)),
    "a thousand typed as a fraction": Messy(dated(NOVEMBER, 12.345), {}, ("“12.345” is no whole number. If",)),
    "a fraction as text": Messy(dated(NOVEMBER, "0.125"), {}, ("“0.125” is no whole number. If a thousands",)),
    "a number below zero": Messy(dated(NOVEMBER, -5), {}, ("“-5” is no whole number of phones.",)),
    "a number with words": Messy(dated(NOVEMBER, "khoảng 500"), {}, ("“khoảng 500” is no whole number of phones.",)),
    "an error of a formula": Messy(dated(NOVEMBER, "#REF!"), {}, ("“#REF!” is no whole number of phones.",)),
    "formulas with their values": Messy(with_formulas(values=True), {**YEN_LAC, "tam-dao": (NOVEMBER, 5)}),
    "formulas without their values": Messy(
        with_formulas(values=False), {"tam-dao": (NOVEMBER, 5)}, ("A formula was saved without its value.",)
    ),
    "a total that is not the sum": Messy(
        workbook(("x", department(total=SUM + 9))), figures(),
        (f"The total says {SUM + 9:,}; the districts above it have {SUM:,} together.",),
    ),
    "the province in a row of its own": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], *plain(), ["Toàn tỉnh", SUM]])),
        {**figures(), "vinh-phuc": (NOVEMBER, SUM)},
    ),
    "the province above its districts": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], ["Tỉnh Vĩnh Phúc", SUM], *plain()])),
        {**figures(), "vinh-phuc": (NOVEMBER, SUM)},
    ),
    "groups and others between the districts": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], ["I. Cấp huyện"], *plain(),
                        ["II. Khối ngành"], ["Sở Y tế", 34], ["Cộng", 34]])),
        figures(), ("“Sở Y tế” is none of the nine former districts; its 34 phones are left out.",),
    ),
    "communes below a district": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], ["Huyện Yên Lạc", 10800],
                        ["Thị trấn Yên Lạc", 900], ["Xã Đồng Cương", 100]])),
        YEN_LAC, ("“Thị trấn Yên Lạc” is none of the nine", "“Xã Đồng Cương” is none of the nine"),
    ),
    "a district without a number": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], *swapped(plain(), 6, 1, None)])),
        {place: one for place, one in figures().items() if place != "yen-lac"},
        ("There is no number for Yên Lạc district; the row is left out.",),
    ),
    "a number without a district": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], *plain(), [None, 77]])), figures(),
        ("This row has a number and no place; it is left out.",),
    ),
    "a district twice": Messy(
        workbook(("x", [["Đến ngày 30/11/2026"], ["Đơn vị", "Số máy"], *plain(), ["Yên Lạc", 5]])), figures(),
        ("Yên Lạc district of 30 November 2026 stands in row 9 already.",),
    ),
    "a day to come": Messy(dated(date(2027, 11, 30)), {}, ("The day 30 November 2027 lies in the future.",)),
    "a day of another age": Messy(dated(date(1926, 11, 30)), {}, ("The day 30 November 1926 is too early",)),
    "a day long ago": Messy(dated(date(2024, 11, 30)), {"yen-lac": (date(2024, 11, 30), 10800)},
                            ("The day 30 November 2024 is more than a year ago.",)),
    "a day that is none": Messy(
        workbook(("x", [["Ngày", "Huyện", "Số máy"], [NOVEMBER, "Tam Đảo", 7], ["31/11/2026", "Yên Lạc", 5]])),
        {"tam-dao": (NOVEMBER, 7)}, ("“31/11/2026” is no day such as 23/11/2026.",),
    ),
    "a fall by nine tenths": Messy(dated(NOVEMBER, 1000), {"yen-lac": (NOVEMBER, 1000)},
                                   ("Yên Lạc district falls from 10,000 to 1,000.",)),
    "a rise to ten times": Messy(dated(NOVEMBER, 100_000), {"yen-lac": (NOVEMBER, 100_000)},
                                 ("Yên Lạc district rises from 10,000 to 100,000.",)),
    "more phones than adults": Messy(dated(NOVEMBER, 120_000, "Tam Đảo"), {"tam-dao": (NOVEMBER, 120_000)},
                                     ("120,000 phones are more than the about 57,600 adults",)),
    "far more phones than adults": Messy(dated(NOVEMBER, 9_000_000), {}, ("9,000,000 phones cannot be",)),
    "nothing but titles": Messy(
        workbook(("x", [["KẾT QUẢ"], ["Đến ngày 30/11/2026"]])), {},
        ("Please say in which column the districts stand.",
         "Please say in which column the number of phones stands.", "Please say of which day the figures are."),
    ),
    "CSV of a Vietnamese Excel": Messy(
        "\ufeffSố liệu đến ngày 30/11/2026;;\nTT;Đơn vị;Số máy\n1;TP. Vĩnh Yên;12.345\n2;Yên Lạc;10.800\n;Cộng;23.145\n"
        .encode(),
        {"vinh-yen": (NOVEMBER, 12345), "yen-lac": (NOVEMBER, 10800)}, name="a.csv",
    ),
    "Excel's Unicode text": Messy(
        "Ngày\tHuyện\tSố máy\r\n30/11/2026\tYên Lạc\t10800\r\n".encode("utf-16"), YEN_LAC, name="a.txt"
    ),
}  # fmt: skip


def read(content: bytes, name: str = "a.xlsx") -> tuple[TableMapping, ImportPreview]:
    tables = read_tables(content, name)
    mapping = guess_mapping(tables, REGIONS, name)
    return mapping, preview_table(tables[mapping.sheet], mapping, REGIONS, BEFORE, today=TODAY)


@pytest.mark.parametrize("name", MESSY)
def test_messy_file_is_read_or_remarked_on(name: str) -> None:
    messy = MESSY[name]
    content = messy.content if isinstance(messy.content, bytes) else messy.content()
    _, preview = read(content, messy.name)
    assert {one.district: (one.day, one.phones) for one in preview.figures} == messy.read
    said = [remark_words(remark, REGIONS, EN) for remark in preview.remarks]
    assert len(said) == len(messy.remarks), said
    for words, expected in zip(said, messy.remarks, strict=True):
        assert words.startswith(expected), words


def test_table_holds_enough_messy_files() -> None:
    assert len(MESSY) >= 25


def test_figures_stand_beside_the_ones_before() -> None:
    _, preview = read(workbook(("x", department())))
    changes = {line.figure.district: line.change for line in preview.lines}
    assert changes["yen-lac"] == 800
    assert changes["song-lo"] == 100
    assert changes["vinh-yen"] is None
    assert not preview.stopped
    assert not preview.doubtful


def test_headings_over_two_lines_are_joined() -> None:
    tables = read_tables(workbook(("x", department())), "a.xlsx")
    mapping = guess_mapping(tables, REGIONS)
    columns = columns_of(tables[0], mapping.heading_row)
    assert [(column.letter, column.heading) for column in columns] == [
        ("A", "TT"), ("B", "Đơn vị"), ("C", "Số máy đã cài đặt Trong tháng"), ("D", "Số máy đã cài đặt Lũy kế"),
        ("E", "Tỷ lệ (%)"), ("F", "Ghi chú"),
    ]  # fmt: skip
    assert columns[1].samples == tuple(NAMES[:3])
    assert (mapping.place, mapping.phones, mapping.heading_row) == (1, 3, 7)


def test_other_columns_can_be_chosen() -> None:
    tables = read_tables(workbook(("x", department())), "a.xlsx")
    mapping = replace(guess_mapping(tables, REGIONS), phones=2)
    preview = preview_table(tables[0], mapping, REGIONS, BEFORE, today=TODAY)
    assert [figure.phones for figure in preview.figures] == [number * 10 for number in range(1, 10)]
    assert load_mapping(mapping.dump()) == mapping


@pytest.mark.parametrize(
    ("headings", "is_plain"),
    [
        (["date", "district", "phones"], True),
        (["Ngày", "Huyện", "Số máy"], True),
        (["Ngày", "Huyện", "Kết quả"], False),
    ],
)
def test_table_made_for_the_import_is_plain(headings: list[object], is_plain: bool) -> None:
    mapping, _ = read(workbook(("x", [headings, [NOVEMBER, "Yên Lạc", 5]])))
    assert mapping.plain is is_plain


PLACES: list[tuple[Cell, PlaceRead]] = [
    ("T.P Vĩnh Yên", PlaceRead(DISTRICT, "vinh-yen")), ("t. p. vĩnh yên", PlaceRead(DISTRICT, "vinh-yen")),
    ("T.X Phúc Yên", PlaceRead(DISTRICT, "phuc-yen")), ("Thị xã Phúc Yên", PlaceRead(DISTRICT, "phuc-yen")),
    ("3. Huyện Yên Lạc", PlaceRead(DISTRICT, "yen-lac")), ("- Huyện Yên Lạc", PlaceRead(DISTRICT, "yen-lac")),
    ("II. Sông Lô", PlaceRead(DISTRICT, "song-lo")), ("Yên Lạc (huyện)", PlaceRead(DISTRICT, "yen-lac")),
    ("Vĩnh Tuờng", PlaceRead(DISTRICT, "vinh-tuong")), ("Vĩnh Tươngg", PlaceRead(DISTRICT, "vinh-tuong", slip=True)),
    ("251", PlaceRead(DISTRICT, "yen-lac")), (251, PlaceRead(DISTRICT, "yen-lac")),
    (251.0, PlaceRead(DISTRICT, "yen-lac")),
    ("Tỉnh Vĩnh Phúc", PlaceRead(PROVINCE, "vinh-phuc")), ("Toàn tỉnh:", PlaceRead(PROVINCE, "vinh-phuc")),
    ("TỔNG TOÀN TỈNH", PlaceRead(PROVINCE, "vinh-phuc")), ("Tổng cộng", PlaceRead(TOTAL)), ("CỘNG:", PlaceRead(TOTAL)),
    ("Tổng số", PlaceRead(TOTAL)), ("Xã Yên Lạc", PlaceRead(COMMUNE)), ("Phường Vĩnh Yên", PlaceRead(COMMUNE)),
    ("Phường Vĩnh Phúc", PlaceRead(COMMUNE)), ("Sở Y tế", PlaceRead(UNKNOWN)), ("Hà Nội", PlaceRead(UNKNOWN)),
    ("NGƯỜI LẬP BIỂU", PlaceRead(UNKNOWN)), (None, PlaceRead(UNKNOWN)), ("", PlaceRead(UNKNOWN)),
    (17, PlaceRead(UNKNOWN)),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "expected"), PLACES)
def test_place_is_read_as_in_the_chat(cell: Cell, expected: PlaceRead) -> None:
    assert read_place(cell, REGIONS) == expected


cells = st.one_of(
    st.none(), st.integers(-5, 200_000), st.floats(allow_nan=True), st.dates(), st.booleans(), st.text(max_size=8),
    st.sampled_from([*NAMES, "Tổng cộng", "Toàn tỉnh", "Số máy", "Ngày", "30/11/2026", "TT", "12.345", "Xã Yên Lạc"]),
)  # fmt: skip


@given(st.lists(st.lists(cells, max_size=6), max_size=12))
def test_any_table_is_read_without_an_error(rows: list[list[Cell]]) -> None:
    table = SheetTable("x", tuple((number, row) for number, row in enumerate(rows, 1) if row))
    mapping = guess_mapping([table], REGIONS)
    preview = preview_table(table, mapping, REGIONS, BEFORE, today=TODAY)
    columns_of(table, mapping.heading_row)
    assert preview.stopped or preview.lines
    assert all(figure.phones >= 0 and figure.day <= TODAY for figure in preview.figures)
    for remark in preview.remarks:
        assert remark.level in (STOP, ASK)
        assert remark_words(remark, REGIONS, EN)
