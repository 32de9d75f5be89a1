"""The official report: a .docx in the form of Nghị định 30/2020/NĐ-CP that states only what the figures show.

It is Vietnamese by law, so its sentences stand here and not in the catalogues. What nobody has set (names, number,
date) stays a dotted blank; nothing is invented.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from bot.exports import charts, wording
from bot.exports.docx import DecreePaper
from bot.exports.letterhead import without_vanished
from bot.exports.report_figures import DistrictLine, Figures, gather_figures
from bot.exports.report_periods import Period
from bot.exports.report_sentences import (
    baseline_sentences,
    change_sentence,
    district_sentences,
    method_sentences,
    official_sentence,
    result_sentences,
)
from bot.exports.report_work import case_sentences, content_sentences, question_sentences
from bot.i18n.catalogue import load_catalogues
from bot.library.articles import Library
from bot.library.regions import Regions
from bot.settings import ReportSettings
from bot.store import Store

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NOTHING = "–"
BLANK_LINES = 3  # for what only the author knows
SIMULATED = "SỐ LIỆU MÔ PHỎNG ĐỂ CHẠY THỬ, KHÔNG CÓ THẬT. KHÔNG DÙNG ĐỂ BÁO CÁO."


async def make_report(
    store: Store,
    regions: Regions,
    library: Library,
    period: Period,
    form: ReportSettings,
    *,
    made_at: datetime,
    small_count: int,
    scope: Iterable[str] | None = None,
) -> bytes:
    """Gather the figures, draw the ranking and write the report, off the event loop; raises ReportError."""
    figures = await gather_figures(
        store, regions, library, period, made_at=made_at, small_count=small_count, scope=scope
    )
    picture, alt = b"", ""
    if len(figures.lines) > 1 and figures.whole.total:
        vietnamese = load_catalogues(["vi"])["vi"]
        chart = charts.ranking(figures.standing, regions, vietnamese)
        if figures.simulated:
            chart = charts.as_simulated(chart, vietnamese)
        picture, alt = await charts.draw(chart), chart.alt
    form = without_vanished(form, regions, made_at.date())
    return await asyncio.to_thread(write_report, figures, form, chart=picture, chart_alt=alt)


def file_name(period: Period) -> str:
    """Name a report's file after its days."""
    return f"bao-cao-{period.since}-{period.until}.docx"


def write_report(figures: Figures, form: ReportSettings, *, chart: bytes = b"", chart_alt: str = "") -> bytes:
    """Write the report as a .docx; `chart` is a PNG of the ranking, left out when empty."""
    paper = DecreePaper(form)
    paper.head()
    paper.title("BÁO CÁO", ["Kết quả người dân tự báo cài đặt Sổ sức khỏe điện tử",
                            f"trên địa bàn {figures.area}, {figures.period}"])  # fmt: skip
    if figures.simulated:
        paper.warning(SIMULATED)
    paper.part("I. TÌNH HÌNH TRONG KỲ")
    paper.section("1. Kết quả chung")
    for sentence in result_sentences(figures):
        paper.paragraph(sentence)
    if len(figures.lines) > 1:
        paper.section("2. Kết quả theo huyện, thành phố")
        for sentence in district_sentences(figures):
            paper.paragraph(sentence)
        _ranking(paper, figures)  # before the chart, which seldom fits under the text and would leave half a page empty
        if chart:
            paper.picture(chart, chart_alt, "Hình 1. Tỷ lệ tự báo lũy kế theo huyện, thành phố")
    _work(paper, figures)
    paper.part("II. SO SÁNH")
    paper.section("1. So với kỳ trước")
    paper.paragraph(change_sentence(figures.whole.now, figures.whole.before, figures.period))
    if len(figures.lines) > 1:
        _changes(paper, figures)
    number = 2
    if figures.baseline is not None:
        paper.section(f"{number}. Đối chiếu với số liệu tháng 10/2021")
        for sentence in baseline_sentences(figures.baseline):
            paper.paragraph(sentence)
        number += 1
    if figures.official is not None:
        paper.section(f"{number}. Đối chiếu với số liệu chính thức")
        paper.paragraph(official_sentence(figures.official, figures.whole.adults))
    paper.part("III. PHƯƠNG PHÁP VÀ GIỚI HẠN CỦA SỐ LIỆU")
    for index, sentence in enumerate(method_sentences(figures), 1):
        paper.paragraph(f"{index}. {sentence}")
    for part in ("IV. KHÓ KHĂN, VƯỚNG MẮC", "V. KIẾN NGHỊ"):
        paper.part(part)
        paper.blank_lines(BLANK_LINES)
    paper.paragraph(
        f"Trên đây là kết quả người dân tự báo cài đặt Sổ sức khỏe điện tử {figures.period}./.", with_next=True
    )
    paper.foot()
    return paper.save(f"Báo cáo kết quả tự báo cài đặt Sổ sức khỏe điện tử, {figures.period}", figures.made_at)


def _work(paper: DecreePaper, figures: Figures) -> None:
    work, first = figures.work, 3 if len(figures.lines) > 1 else 2
    for number, (title, sentences) in enumerate(
        (
            ("Câu hỏi của người dân", question_sentences(work)),
            ("Việc cán bộ giải đáp", case_sentences(work)),
            ("Nội dung trả lời", content_sentences(work)),
        ),
        first,
    ):
        paper.section(f"{number}. {title}")
        for sentence in sentences:
            paper.paragraph(sentence)


def _ranking(paper: DecreePaper, figures: Figures) -> None:
    few = f"dưới {figures.step}" if figures.step > 1 else "0"

    def row(rank: str, line: DistrictLine) -> list[str]:
        total, share = (wording.number(line.total), wording.percent(line.share)) if line.total else (few, NOTHING)
        return [rank, wording.capital(line.name), wording.signed(line.now), total, wording.number(line.adults), share]

    ranked = sorted(figures.lines, key=lambda line: (figures.rank(line), line.name))
    paper.table(
        "Bảng 1. Số người tự báo theo huyện, thành phố",
        ["Hạng", "Huyện, thành phố", "Trong kỳ (người)", "Lũy kế (người)", "Từ đủ 18 tuổi (ước tính)", "Tỷ lệ lũy kế"],
        [*(row(str(figures.rank(line)), line) for line in ranked), row("", figures.whole)],
        widths=[15, 46, 24, 24, 30, 26],
    )


def _changes(paper: DecreePaper, figures: Figures) -> None:
    rows = [
        [
            str(index),
            wording.capital(line.name),
            wording.signed(line.before),
            wording.signed(line.now),
            wording.signed(line.now - line.before),
        ]
        for index, line in enumerate((*figures.lines, figures.whole), 1)
    ]
    rows[-1][0] = ""
    paper.table(
        "Bảng 2. Số người tự báo thêm trong kỳ này và kỳ trước",
        ["TT", "Huyện, thành phố", "Kỳ trước (người)", "Kỳ này (người)", "Chênh lệch (người)"],
        rows,
        widths=[15, 60, 30, 30, 30],
    )
