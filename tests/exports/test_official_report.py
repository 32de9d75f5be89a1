"""The official report: its sentences say what the figures show, and its form is the decree's."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import docx
import pypdfium2
import pytest
from docx.document import Document
from docx.enum.text import WD_TAB_LEADER
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from bot import access
from bot.exports import official_report
from bot.exports.docx import BLANK
from bot.exports.official_report import make_report, write_report
from bot.exports.report_figures import (
    DistrictLine,
    Figures,
    ReportError,
    gather_figures,
)
from bot.exports.report_periods import Period, last_month, last_week, month_so_far
from bot.exports.report_sentences import (
    change_sentence,
    district_sentences,
    official_sentence,
    result_sentences,
)
from bot.exports.report_work import WorkFigures, case_sentences, content_sentences, question_sentences
from bot.exports.text_width import balanced
from bot.library.articles import load_library
from bot.library.regions import load_regions
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import ReportSettings, SignatureSettings
from bot.statistics import counts
from bot.statistics.activity import ArticleCount, CaseCounts, QuestionCounts
from bot.store import Store, Transaction, people, reports
from tests.conftest import NOON, ROOT, Recorder, Talk
from tests.support.processes import run_command

REGIONS = load_regions(ROOT / "content" / "regions" / "vinh-phuc.yaml")
LIBRARY = load_library(ROOT / "content")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MADE_AT = NOON.astimezone(ZONE)
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))
WEEK = Period(date(2026, 11, 9), date(2026, 11, 15))
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c63f80f00010101001bb6ee560000000049454e44ae426082"
)
FORM = ReportSettings(
    parent_agency="Ủy ban nhân dân tỉnh Phú Thọ",
    agency="Sở Thử nghiệm",
    symbol="STN",
    place="Phú Thọ",
    recipients=("UBND tỉnh (để báo cáo)", "Sở Y tế;"),
    signature=SignatureSettings(authority="KT. GIÁM ĐỐC", position="Phó Giám đốc", name="Người Ký Thử"),
)


def plain(text: str) -> str:
    """Read fixed spaces as spaces."""
    return text.replace("\u00a0", " ")


def line(name: str, now: int, before: int = 0, total: int = 0, adults: int = 10_000) -> DistrictLine:
    return DistrictLine(name, adults, now, before, total)


def figures(*lines: DistrictLine, step: int = 5, period: Period = OCTOBER, **more: object) -> Figures:
    whole = DistrictLine(
        "Tổng",
        sum(one.adults for one in lines),
        sum(one.now for one in lines),
        sum(one.before for one in lines),
        sum(one.total for one in lines),
    )
    standing = counts.ProvinceCount((), whole.total, whole.adults, 0, period.until)
    made = Figures(
        period=period, area="tỉnh Vĩnh Phúc", whole=whole, lines=lines, made_at=MADE_AT, standing=standing, step=step
    )
    return replace(made, **more)  # type: ignore[arg-type]


USUAL = figures(
    line("huyện Yên Lạc", 1230, 1000, 4500, 107_300),
    line("huyện Tam Đảo", 45, 60, 250, 57_600),
    line("thành phố Vĩnh Yên", 0, 0, 0, 81_700),
    baseline=REGIONS.province.baseline,
)


# what is said

PERIODS: list[tuple[Period, Period]] = [
    (OCTOBER, Period(date(2026, 9, 1), date(2026, 9, 30))),
    (Period(date(2026, 3, 1), date(2026, 3, 31)), Period(date(2026, 2, 1), date(2026, 2, 28))),
    (Period(date(2026, 1, 1), date(2026, 3, 31)), Period(date(2025, 10, 1), date(2025, 12, 31))),
    (Period(date(2026, 11, 1), date(2026, 11, 22)), Period(date(2026, 10, 10), date(2026, 10, 31))),
    (WEEK, Period(date(2026, 11, 2), date(2026, 11, 8))),
    (Period(date(2026, 11, 9), date(2026, 11, 9)), Period(date(2026, 11, 8), date(2026, 11, 8))),
]


@pytest.mark.parametrize(("period", "before"), PERIODS, ids=str)
def test_the_period_before_is_of_the_same_kind(period: Period, before: Period) -> None:
    assert period.before == before
    assert before.until + timedelta(days=1) == period.since


def test_only_days_that_are_over_are_offered() -> None:
    today = date(2026, 11, 23)
    assert month_so_far(today) == Period(date(2026, 11, 1), date(2026, 11, 22))
    assert month_so_far(date(2026, 11, 1)) == OCTOBER
    assert last_month(today) == OCTOBER
    assert last_month(date(2026, 11, 1)) == OCTOBER
    assert last_week(today) == Period(date(2026, 11, 16), date(2026, 11, 22))


def test_days_are_written_as_the_decree_does() -> None:
    assert plain(str(Period(date(2026, 2, 5), date(2026, 3, 5)))) == "từ ngày 05/02/2026 đến ngày 05/3/2026"
    assert plain(str(Period(date(2026, 11, 9), date(2026, 11, 9)))) == "ngày 09/11/2026"


CHANGES: list[tuple[int, int, str]] = [
    (1530, 1175, "Trong kỳ, có thêm 1.530 người tự báo, nhiều hơn 355 người (30,2%) so với KỲ TRƯỚC, khi có thêm "
                 "1.175 người tự báo."),
    (1000, 2000, "Trong kỳ, có thêm 1.000 người tự báo, ít hơn 1.000 người (50,0%) so với KỲ TRƯỚC, khi có thêm "
                 "2.000 người tự báo."),
    (25, 10, "Trong kỳ, có thêm 25 người tự báo, nhiều hơn 15 người so với KỲ TRƯỚC, khi có thêm 10 người tự báo."),
    (70, 70, "Trong kỳ, có thêm 70 người tự báo, bằng KỲ TRƯỚC."),
    (70, 0, "Trong kỳ, có thêm 70 người tự báo; trong KỲ TRƯỚC, số người tự báo không thay đổi."),
    (0, 70, "Trong kỳ, số người tự báo không thay đổi; trong KỲ TRƯỚC, có thêm 70 người tự báo."),
    (0, 0, "Số người tự báo không thay đổi trong kỳ này và trong KỲ TRƯỚC."),
    (-10, 70, "Trong kỳ, số người tự báo giảm 10 người; trong KỲ TRƯỚC, có thêm 70 người tự báo."),
    (70, -10, "Trong kỳ, có thêm 70 người tự báo; trong KỲ TRƯỚC, số người tự báo giảm 10 người."),
    (-10, -10, "Trong kỳ, số người tự báo giảm 10 người, bằng KỲ TRƯỚC."),
]  # fmt: skip


@pytest.mark.parametrize(("now", "before", "said"), CHANGES)
def test_a_change_is_said_as_the_figures_show_it(now: int, before: int, said: str) -> None:
    earlier = "kỳ trước (từ ngày 01/9/2026 đến ngày 30/9/2026)"
    assert plain(change_sentence(now, before, OCTOBER)) == said.replace("KỲ TRƯỚC", earlier)


RESULTS: list[tuple[Figures, str, str]] = [
    (USUAL, "Từ ngày 01/10/2026 đến ngày 31/10/2026, có thêm 1.275 người tự báo",
     "có 4.750 người tự báo, bằng 1,93% số người từ đủ 18 tuổi trở lên (ước tính 246.600 người)."),
    (figures(line("a", 0), line("b", 0)), "(đã làm tròn) không thay đổi.",
     "chưa huyện, thành phố nào có đủ 5 người tự báo."),
    (figures(line("a", 0)), "(đã làm tròn) không thay đổi.", "chưa có đủ 5 người tự báo."),
    (figures(line("a", 0), step=1), "cài đặt Sổ sức khỏe điện tử không thay đổi.", "chưa có người nào tự báo."),
    (figures(line("a", -5, total=20)), "giảm 5 người, do có người rút lại, sửa hoặc xóa báo cài.", "có 20 người"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "first", "second"), RESULTS)
def test_results_are_said_as_the_figures_show_them(made: Figures, first: str, second: str) -> None:
    said = [plain(sentence) for sentence in result_sentences(made)]
    assert first in said[0]
    assert second in said[1]
    assert ("làm tròn xuống bội số của 5" in said[1]) == (made.step > 1 and made.whole.total > 0)


DISTRICTS: list[tuple[Figures, list[str]]] = [
    (USUAL, ["Trong kỳ, số người tự báo tăng tại 2/3 huyện, thành phố; không thay đổi tại thành phố Vĩnh Yên.",
             "Tỷ lệ lũy kế cao nhất là huyện Yên Lạc (4,19%); thấp nhất là thành phố Vĩnh Yên (chưa đủ 5 người tự "
             "báo)."]),
    (figures(line("huyện A", 5, total=50), line("huyện B", 5, total=50)),
     ["Trong kỳ, số người tự báo tăng tại cả 2 huyện, thành phố."]),
    (figures(line("huyện A", -5, total=50), line("huyện B", 0, total=20), line("huyện C", 0, total=20)),
     ["Trong kỳ, số người tự báo không thay đổi tại huyện B và huyện C; giảm tại huyện A.",
      "Tỷ lệ lũy kế cao nhất là huyện A (0,50%); thấp nhất là huyện B và huyện C (0,20%)."]),
    (figures(line("huyện A", 0), line("huyện B", 0)), []),
    (figures(line("huyện A", 5, total=50)), []),
]  # fmt: skip


@pytest.mark.parametrize(("made", "said"), DISTRICTS)
def test_districts_are_compared_as_the_figures_show_them(made: Figures, said: list[str]) -> None:
    assert [plain(sentence) for sentence in district_sentences(made)] == said


def test_an_official_figure_is_put_beside_and_not_mixed() -> None:
    said = plain(official_sentence(counts.OfficialFigure(date(2026, 11, 10), 123_456), 789_600))
    assert said.startswith("Số liệu chính thức gần nhất, ngày 10/11/2026: 123.456 máy đã cài đặt, bằng 15,64% số người")
    assert said.endswith("Số máy và số người tự báo không cùng cách đếm.")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("SỞ Y TẾ", ["SỞ Y TẾ"]),
        ("SỞ VĂN HÓA, THỂ THAO VÀ DU LỊCH TỈNH PHÚ THỌ", ["SỞ VĂN HÓA, THỂ THAO", "VÀ DU LỊCH TỈNH PHÚ THỌ"]),
        ("W" * 40, ["W" * 40]),
        (BLANK, [BLANK]),
    ],
)
def test_a_long_agency_is_broken_evenly(name: str, lines: list[str]) -> None:
    assert balanced(name, 12, 70) == lines


# how it is counted


def put(tx: Transaction, district: str, count: int, day: date) -> None:
    for number in range(count):
        at = f"{day}T05:00:00.000Z"
        person = people.remember(tx, Person("recorder", f"{district}-{day}-{number}"), source="", at=at)
        reports.keep(tx, person, district=district, commune="", channel="recorder", source="", day=str(day), at=at)


@pytest.fixture
async def store(service: Service) -> Store:
    def work(tx: Transaction) -> None:
        put(tx, "yen-lac", 63, date(2026, 9, 15))
        put(tx, "yen-lac", 40, date(2026, 10, 15))
        put(tx, "tam-dao", 3, date(2026, 10, 16))
        put(tx, "vinh-yen", 17, date(2026, 11, 20))
        put(tx, "vinh-yen", 50, date(2026, 11, 23))  # today, which is not over

    await service.store.write(work)
    return service.store


async def test_the_report_holds_published_figures_only(store: Store) -> None:
    """Three people in one district are nobody's business, and whole steps keep them from being worked out."""
    made = await gather_figures(store, REGIONS, LIBRARY, OCTOBER, made_at=MADE_AT, small_count=5)
    counted = {one.name: (one.before, one.now, one.total) for one in made.lines if one.total or one.now}
    assert counted == {"huyện Yên Lạc": (60, 40, 100)}
    assert (made.whole.before, made.whole.now, made.whole.total) == (60, 40, 100)
    assert made.area == "khu vực Vĩnh Phúc cũ"  # it ceased on 1 July 2025
    assert made.baseline == REGIONS.province.baseline
    assert made.official is None  # the letter's own figure is the baseline, told once
    assert {made.rank(one) for one in made.lines} == {1, 2}


async def test_an_officers_report_is_of_the_own_district(store: Store) -> None:
    made = await gather_figures(store, REGIONS, LIBRARY, OCTOBER, made_at=MADE_AT, small_count=5, scope={"yen-lac"})
    assert (made.area, len(made.lines), made.whole.adults) == ("huyện Yên\u00a0Lạc cũ", 1, 107_300)
    assert made.baseline is None  # the letter knows no districts
    text = all_text(open_docx(write_report(made, ReportSettings())))
    assert "Bảng" not in text
    assert "Tam Đảo" not in text


@pytest.mark.parametrize(
    "period",
    [
        Period(date(2026, 11, 1), date(2026, 11, 23)),
        Period(date(2026, 12, 1), date(2026, 12, 2)),
        Period(date(2026, 11, 2), date(2026, 11, 1)),
    ],
    ids=str,
)
async def test_days_that_are_not_over_are_refused(store: Store, period: Period) -> None:
    with pytest.raises(ReportError):
        await gather_figures(store, REGIONS, LIBRARY, period, made_at=MADE_AT, small_count=5)


# how it looks


def open_docx(content: bytes) -> Document:
    return docx.Document(io.BytesIO(content))


def all_text(document: Document) -> str:
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    for table in document.tables:
        paragraphs += [cell.text for row in table.rows for cell in row.cells]
    return plain("\n".join(paragraphs))


def test_page_and_type_are_the_decrees() -> None:
    document = open_docx(write_report(USUAL, FORM, chart=PNG, chart_alt="một biểu đồ"))
    section = document.sections[0]
    assert (round(section.page_width / Mm(1)), round(section.page_height / Mm(1))) == (210, 297)
    margins = [section.top_margin, section.bottom_margin, section.left_margin, section.right_margin]
    assert [round(margin / Mm(1)) for margin in margins] == [20, 20, 30, 15]
    for style in ("Normal", "Body Text", "Title", "Subtitle", "Heading 1", "Heading 2", "Caption", "Header"):
        font = document.styles[style].font  # type: ignore[attr-defined]
        assert font.name == "Times New Roman", style
        assert font.size in (Pt(13), Pt(14)), style
    assert {"Times New Roman"} == {
        fonts.get(qn(f"w:{script}"))
        for style in ("Normal", "Title", "Heading 1")
        for fonts in document.styles[style].element.iter(qn("w:rFonts"))
        for script in ("ascii", "hAnsi", "cs", "eastAsia")
    }
    body = document.styles["Body Text"].paragraph_format  # type: ignore[attr-defined]
    assert (body.alignment, round(body.first_line_indent / Mm(0.1))) == (3, 127)  # both edges, 1.27 cm
    assert document.core_properties.language == "vi-VN"
    assert document.core_properties.author == "Sở Thử nghiệm"


def test_the_page_number_stands_in_the_middle_above_from_the_second_page_on() -> None:
    section = open_docx(write_report(USUAL, FORM)).sections[0]
    assert section.different_first_page_header_footer
    assert section.first_page_header.is_linked_to_previous
    header = section.header.paragraphs[0]
    assert header.alignment == 1
    assert [mark.text for mark in header._p.iter(qn("w:instrText"))] == ["PAGE"]


def test_head_title_and_foot_are_the_decrees() -> None:
    document = open_docx(write_report(USUAL, FORM))
    head, foot = document.tables[0], document.tables[-1]
    left, right = (cell.text.split("\n") for cell in head.rows[0].cells)
    assert [text for text in left if text] == ["ỦY BAN NHÂN DÂN", "TỈNH PHÚ THỌ", "SỞ THỬ NGHIỆM"]
    assert [text for text in right if text] == ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"]
    assert [run.bold for p in head.rows[0].cells[0].paragraphs for run in p.runs] == [False, False, True]
    assert [cell.text for cell in head.rows[1].cells] == [
        f"Số: {BLANK}/BC-STN", "Phú Thọ, ngày …… tháng …… năm ………"
    ]  # fmt: skip
    assert head.rows[1].cells[1].paragraphs[0].runs[0].italic
    rules = [p for cell in head.rows[0].cells for p in cell.paragraphs if p._p.find(f".//{qn('w:pBdr')}") is not None]
    assert len(rules) == 2  # below the agency and below the motto
    titles = [plain(p.text) for p in document.paragraphs if p.style and p.style.name in ("Title", "Subtitle")]
    assert titles == [
        "BÁO CÁO",
        "Kết quả người dân tự báo cài đặt Sổ sức khỏe điện tử",
        "trên địa bàn tỉnh Vĩnh Phúc, từ ngày 01/10/2026 đến ngày 31/10/2026",
    ]
    parts = [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"]
    assert [part.partition(" ")[0] for part in parts] == ["I.", "II.", "III.", "IV.", "V."]
    assert foot.rows[0].cells[0].text == "Nơi nhận:\n- UBND tỉnh (để báo cáo);\n- Sở Y tế;\n- Lưu: VT."
    assert foot.rows[0].cells[1].text == "KT. GIÁM ĐỐC\nPHÓ GIÁM ĐỐC\nNgười Ký Thử"


def test_what_nobody_set_is_a_blank_and_never_a_name_or_number() -> None:
    document = open_docx(write_report(USUAL, ReportSettings()))
    head = [cell.text for row in document.tables[0].rows for cell in row.cells]
    assert set(head[0].replace("\n", "")) == {"…"}
    assert head[2:] == [f"Số: {BLANK}/BC-{BLANK}", f"{BLANK}, ngày …… tháng …… năm ………"]
    left, right = (cell.text for cell in document.tables[-1].rows[0].cells)
    assert left == f"Nơi nhận:\n- {BLANK * 2};\n- Lưu: VT."
    assert set(right.replace("\n", "")) == {"…"}


def test_the_tables_are_whole() -> None:
    document = open_docx(write_report(USUAL, FORM))
    ranking, changes = document.tables[1:3]
    assert [plain(row.cells[1].text) for row in ranking.rows] == [
        "Huyện, thành phố", "Huyện Yên Lạc", "Huyện Tam Đảo", "Thành phố Vĩnh Yên", "Tổng",
    ]  # fmt: skip
    assert [[cell.text for cell in row.cells] for row in ranking.rows][1:4] == [
        ["1", "Huyện Yên Lạc", "1.230", "4.500", "107.300", "4,19%"],
        ["2", "Huyện Tam Đảo", "45", "250", "57.600", "0,43%"],
        ["3", "Thành phố Vĩnh Yên", "0", "dưới 5", "81.700", "–"],
    ]
    assert [[cell.text for cell in row.cells] for row in changes.rows][1:] == [
        ["1", "Huyện Yên Lạc", "1.000", "1.230", "230"],
        ["2", "Huyện Tam Đảo", "60", "45", "−15"],
        ["3", "Thành phố Vĩnh Yên", "0", "0", "0"],
        ["", "Tổng", "1.060", "1.275", "215"],
    ]
    for table in (ranking, changes):
        assert table._tbl.find(f".//{qn('w:tblHeader')}") is not None
        assert all(row._tr.find(f".//{qn('w:cantSplit')}") is not None for row in table.rows)


def test_the_picture_has_words_for_those_who_cannot_see_it() -> None:
    document = open_docx(write_report(USUAL, FORM, chart=PNG, chart_alt="Yên Lạc 4,19%"))
    assert [inline._inline.docPr.get("descr") for inline in document.inline_shapes] == ["Yên Lạc 4,19%"]
    assert document.inline_shapes[0].height <= Mm(108)
    assert not open_docx(write_report(USUAL, FORM)).inline_shapes


def test_figures_are_self_reported_and_beside_the_letters() -> None:
    text = all_text(open_docx(write_report(USUAL, FORM)))
    assert "không phải số liệu chính thức" in text
    assert "ngày 10/10/2021 có 67.750 máy đã cài đặt ứng dụng, bằng 8,58%" in text
    assert "xếp thứ 44/63 tỉnh, thành phố" in text
    assert "Số liệu lấy lúc 12 giờ 00 phút ngày 23/11/2026" in plain(text)
    assert "làm tròn xuống bội số của 5" in text
    assert "làm tròn" not in all_text(open_docx(write_report(replace(USUAL, step=1), FORM)))
    assert "./." in text


# as Word and LibreOffice show it

SOFFICE = shutil.which("soffice")
if SOFFICE is None and os.environ.get("CI") == "true":
    pytest.fail("the report's tests need LibreOffice: apt-get install libreoffice-writer-nogui", pytrace=False)
on_paper = pytest.mark.skipif(SOFFICE is None, reason="no LibreOffice here: apt-get install libreoffice-writer-nogui")


@pytest.fixture
def printed(tmp_path: Path) -> Callable[[bytes], pypdfium2.PdfDocument]:
    """Print a .docx to PDF with LibreOffice."""

    def convert(content: bytes) -> pypdfium2.PdfDocument:
        (tmp_path / "report.docx").write_bytes(content)
        assert SOFFICE
        subprocess.run(
            [SOFFICE, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "pdf",
             "--outdir", str(tmp_path), str(tmp_path / "report.docx")],
            check=True, capture_output=True, timeout=50,
        )  # fmt: skip
        return pypdfium2.PdfDocument(tmp_path / "report.pdf")

    return convert


@on_paper
def test_it_prints_as_it_should(printed: Callable[[bytes], pypdfium2.PdfDocument]) -> None:
    lines = tuple(line(one.title("vi"), 10 * n, 5 * n, 100 * n) for n, one in enumerate(REGIONS.districts.values(), 1))
    document = printed(write_report(figures(*lines, baseline=REGIONS.province.baseline), FORM))
    try:
        assert len(document) in (2, 3)
        texts = []
        for page in document:
            assert [round(side * 25.4 / 72) for side in page.get_size()] == [210, 297]
            textpage = page.get_textpage()
            texts.append(plain(textpage.get_text_range().replace("\r\n", "\n")))
            ink = page.render(scale=0.5, grayscale=True).to_numpy()
            assert ink.min() < 100
            left, right = (ink[:, : int(28 / 210 * ink.shape[1])], ink[:, int(197 / 210 * ink.shape[1]) :])
            assert left.min() > 200, "something stands in the left margin"
            assert right.min() > 200, "something stands in the right margin"
    finally:
        document.close()
    # A font without all Vietnamese letters borrows them from another, which shuffles the text that is read back: only
    # pieces without such letters are looked for.
    assert "BC-STN" in texts[0]
    for number, text in enumerate(texts[1:], 2):
        assert text.lstrip().startswith(f"{number}\n"), "the page number stands first, in the middle above"
    assert "- UBND t" in texts[-1], "the recipients stand on the last page"
    assert "KT. GIÁM" in texts[-1], "the signature stands beside them"
    for part in ("I. T", "II. SO SÁNH", "III. PH"):
        followed = rf"^{re.escape(part)}[^\n]*\n+\S"
        assert any(re.search(followed, text, re.MULTILINE) for text in texts), f"{part} stands alone at the foot"


# what was done

WORK = WorkFigures(
    QuestionCounts(120, 12, {}, {}, (ArticleCount("a", 70, 30, 10), ArticleCount("b", 20, 12, 8))),
    CaseCounts(40, 35, 0, 30),
    (("Quên mật khẩu", 70), ("Cài trên iPhone", 20)),
    95,
    12,
    7,
    3,
    step=5,
)
SAID: list[tuple[WorkFigures, str, str, str]] = [
    (WORK,
     "Trong kỳ, trợ lý tự động nhận được 120 câu hỏi, trả lời được 108 câu (90,0%), chưa trả lời được 12 câu. Được hỏi "
     "nhiều nhất: “Quên mật khẩu” (70 lượt); “Cài trên iPhone” (20 lượt). Trong 60 lượt người dân cho biết câu trả lời "
     "có ích hay không, 42 lượt (70,0%) là có ích.",
     "Trong kỳ, người dân nhờ cán bộ giải đáp 40 lượt; cán bộ trả lời lần đầu 35 lượt, trong đó đúng hạn dưới 10 lượt; "
     "đã giải quyết xong 30 lượt.",
     "Trợ lý tự động trả lời theo 95 bài thuộc 12 chủ đề. Trong kỳ có 7 bài được rà soát; còn 3 bài cần xác nhận lại "
     "thông tin."),
    (WorkFigures(QuestionCounts(0, 0, {}, {}, ()), step=5),
     "Trong kỳ, trợ lý tự động không nhận được câu hỏi nào.",
     "Trong kỳ, người dân nhờ cán bộ giải đáp dưới 10 lượt.",
     "Trợ lý tự động trả lời theo 0 bài thuộc 0 chủ đề. Trong kỳ không có bài nào được rà soát."),
    (WorkFigures(),
     "Câu hỏi gửi cho trợ lý tự động không gắn với địa bàn nên không tính riêng cho huyện, thành phố.",
     "Trong kỳ, không có người dân nào nhờ cán bộ giải đáp.",
     "Trợ lý tự động trả lời theo 0 bài thuộc 0 chủ đề. Trong kỳ không có bài nào được rà soát."),
]  # fmt: skip


@pytest.mark.parametrize(("work", "questions", "cases", "content"), SAID)
def test_work_is_said_as_the_figures_show_it(work: WorkFigures, questions: str, cases: str, content: str) -> None:
    assert plain(" ".join(question_sentences(work))) == questions
    assert plain(" ".join(case_sentences(work))) == cases
    assert plain(" ".join(content_sentences(work))) == content


async def test_the_report_counts_what_was_done_in_its_days(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.run("DELETE FROM activity")
        for day, subject, name, times in (
            ("2026-09-30", "asked", "forgot-password", 9),
            ("2026-10-01", "asked", "forgot-password", 11),
            ("2026-10-31", "open", "", 2),
            ("2026-10-31", "case-opened", "help", 14),
        ):
            tx.run(
                "INSERT INTO activity (day, subject, name, district, times) VALUES (:day, :subject, :name, :d, :times)",
                day=day, subject=subject, name=name, d="yen-lac" if "case" in subject else "", times=times,
            )  # fmt: skip

    await store.write(work)
    made = (await gather_figures(store, REGIONS, LIBRARY, OCTOBER, made_at=MADE_AT, small_count=5)).work
    assert made.questions is not None
    assert (made.questions.asked, made.questions.unanswered, made.cases.opened) == (11, 2, 10)
    assert (made.articles, made.titles[0][1]) == (len(LIBRARY.articles), 11)
    scope = {"tam-dao"}
    other = (await gather_figures(store, REGIONS, LIBRARY, OCTOBER, made_at=MADE_AT, small_count=5, scope=scope)).work
    assert (other.questions, other.cases.opened) == (None, 0)


def test_difficulties_and_proposals_are_left_to_the_author() -> None:
    paragraphs = open_docx(write_report(USUAL, FORM)).paragraphs
    texts = [paragraph.text for paragraph in paragraphs]
    for part in ("IV. KHÓ KHĂN, VƯỚNG MẮC", "V. KIẾN NGHỊ"):
        place = texts.index(part)
        assert texts[place + 1 : place + 4] == ["\t"] * 3
        (stop,) = paragraphs[place + 1].paragraph_format.tab_stops
        assert stop.leader == WD_TAB_LEADER.DOTS


# who gets it


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the drawing of the chart, which has tests of its own, out of these."""

    async def draw(chart: object, form: str = "png") -> bytes:
        return PNG

    monkeypatch.setattr(official_report.charts, "draw", draw)


async def role(talk: Talk, service: Service, name: str, scope: str = "") -> None:
    code = await access.invite(service.store, role=name, scope=scope, at=service.clock(), actor="test")
    await talk.say(f"/start moi_{code}")


async def test_an_officer_gets_the_report_by_button(talk: Talk, service: Service, store: Store, drawn: None) -> None:
    await role(talk, service, "officer")
    assert "cho những ngày nào" in await talk.say("/baocao")
    said = await talk.press("Tháng trước")
    assert "01/10/2026" in said
    assert "31/10/2026" in said
    file = talk.replies[-1].file
    assert file is not None
    assert file.name == "bao-cao-2026-10-01-2026-10-31.docx"
    text = all_text(open_docx(file.content))
    assert "có thêm 40 người tự báo" in text
    assert await access.check_audit(service.store) is None
    for typed, name in (("quý III/2026", "2026-07-01-2026-09-30"), ("10/2026", "2026-10-01-2026-10-31")):
        await talk.say("/baocao")
        await talk.say(typed)
        file = talk.replies[-1].file
        assert file is not None
        assert file.name == f"bao-cao-{name}.docx"
    await talk.say("/baocao")
    assert "chưa đọc được" in await talk.say("12/2026")


async def test_a_district_officer_gets_the_district_and_a_citizen_nothing(
    talk: Talk, another: Callable[[str], Talk], service: Service, store: Store, drawn: None, recorder: Recorder
) -> None:
    assert "chỉ dành cho cán bộ" in await talk.say("/baocao")
    assert "chỉ dành cho cán bộ" in await talk.say(choice="official:month")
    officer = another("officer")
    await role(officer, service, "officer", "yen-lac")
    await officer.say("/baocao")
    await officer.press("Bảy ngày qua")
    file = officer.replies[-1].file
    assert file is not None
    text = all_text(open_docx(file.content))
    assert "huyện Yên Lạc" in text
    assert "Vĩnh Yên" not in text


async def test_the_chart_is_in_it(store: Store, drawn: None) -> None:
    content = await make_report(store, REGIONS, LIBRARY, OCTOBER, ReportSettings(), made_at=MADE_AT, small_count=5)
    shapes = open_docx(content).inline_shapes
    assert len(shapes) == 1
    assert "Huyện Yên Lạc" in shapes[0]._inline.docPr.get("descr")


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "bao-cao.docx"
    done = run_command("report", "--out", str(out), data=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "chưa huyện, thành phố nào có đủ 5 người tự báo" in all_text(open_docx(out.read_bytes()))
    early = run_command("report", "--out", str(out), "--since", "2026-02-02", "--until", "2026-02-01", data=tmp_path)
    assert early.returncode == 2
    tomorrow = (datetime.now(ZONE) + timedelta(days=1)).date().isoformat()
    late = run_command("report", "--out", str(out), "--until", tomorrow, data=tmp_path)
    assert (late.returncode, late.stdout) == (1, "")
    assert late.stderr.startswith("The report counts whole days")
