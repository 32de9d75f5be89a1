"""The official report: a .docx in the form of Nghị định 30/2020/NĐ-CP that states only what the figures show.

It is Vietnamese by law, so its sentences stand here and not in the catalogues. What nobody has set (names, number,
date) stays a dotted blank; nothing is invented.
"""

from __future__ import annotations

import asyncio
import calendar
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from babel.numbers import format_decimal, format_percent

from bot import counts
from bot.counts import OfficialFigure
from bot.errors import BotError
from bot.i18n import load_catalogues
from bot.papers import charts
from bot.regions import Baseline, Regions
from bot.settings import Report
from bot.store import Store

if TYPE_CHECKING:
    from docx.document import Document
    from docx.shared import Length
    from docx.styles.style import ParagraphStyle
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FONT = "Times New Roman"
BLANK = "…………"
NOTHING = "–"

_SPACE = "\u00a0"  # never parted: a number and its unit, the words of a date
_MARGINS = {"top": 20, "bottom": 20, "left": 30, "right": 15}  # millimetres
_TEXT_WIDTH = 210 - _MARGINS["left"] - _MARGINS["right"]
_HEAD_WIDTHS = (70, 95)
_FOOT_WIDTHS = (82, 83)
_PICTURE_ROOM = (150, 108)  # millimetres
_PERCENT_FROM = 50  # people
# The widths of Times Bold in thousandths of its size, which every Times New Roman keeps; marks add nothing.
_BOLD_WIDTHS = dict(
    zip(
        "ABCDEGHIKLMNOPQRSTUVXYabcdeghiklmnopqrstuvxy",
        (722, 667, 722, 722, 667, 778, 778, 389, 778, 667, 944, 722, 778, 611, 778, 722, 556, 667, 722, 722, 722, 722,
         500, 556, 444, 556, 444, 500, 556, 278, 556, 278, 833, 556, 500, 556, 556, 444, 389, 333, 556, 500, 500, 500),
        strict=True,
    )
)  # fmt: skip


class ReportError(BotError):
    """There is no report of these days."""


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both ends included."""

    since: date
    until: date

    @property
    def before(self) -> Period:
        """The period just before: as many whole months where this one is whole months, else as many days."""
        eve = self.since - timedelta(days=1)
        if self.since.day == 1 and self.until.day == calendar.monthrange(self.until.year, self.until.month)[1]:
            months = (self.until.year - self.since.year) * 12 + self.until.month - self.since.month + 1
            year, month = divmod(self.since.year * 12 + self.since.month - 1 - months, 12)
            return Period(date(year, month + 1, 1), eve)
        return Period(self.since - (self.until - self.since) - timedelta(days=1), eve)

    def __str__(self) -> str:
        """Name it as the report does."""
        if self.since == self.until:
            return f"ngày{_SPACE}{_day(self.since)}"
        return f"từ ngày{_SPACE}{_day(self.since)} đến ngày{_SPACE}{_day(self.until)}"


def month_so_far(today: date) -> Period:
    """Return this month up to yesterday, on its first day the whole month before: only days that are over."""
    yesterday = today - timedelta(days=1)
    return Period(yesterday.replace(day=1), yesterday)


def last_month(today: date) -> Period:
    """Return the whole calendar month before this one."""
    return month_so_far(today.replace(day=1))


def last_week(today: date) -> Period:
    """Return the seven days up to yesterday."""
    return Period(today - timedelta(days=7), today - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Line:
    """One district: what was new in the period, in the one before, and all until its end."""

    name: str
    adults: int
    now: int
    before: int
    total: int

    @property
    def share(self) -> float:
        """All reports as a share of the estimated adults."""
        return self.total / self.adults if self.adults else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything the report may say: published counts, in whole steps of `step`."""

    period: Period
    area: str
    whole: Line
    lines: tuple[Line, ...]
    made_at: datetime
    standing: counts.ProvinceCount
    step: int = 1
    baseline: Baseline | None = None
    official: OfficialFigure | None = None

    def rank(self, line: Line) -> int:
        """Rank a district by its share; equal shares share a rank."""
        return 1 + sum(other.share > line.share for other in self.lines)


async def gather_figures(
    store: Store,
    regions: Regions,
    period: Period,
    *,
    made_at: datetime,
    small_count: int,
    scope: Iterable[str] | None = None,
) -> Figures:
    """Count the period, the one before and all until its end, within a scope (None: the whole province).

    The counts are the published ones whoever asks, as the paper leaves the house. Raises ReportError for days that
    are not over.
    """
    today, step = made_at.date(), max(1, small_count)
    if not period.since <= period.until < today:
        raise ReportError("The report counts whole days: the last one must be over, and not before the first.")
    wanted = None if scope is None else frozenset(scope)

    async def count(since: date | None, until: date) -> counts.ProvinceCount:
        return await counts.count_districts(
            store, regions, today=today, since=since, until=until, scope=wanted, step=step
        )

    now = await count(period.since, period.until)
    before = await count(period.before.since, period.before.until)
    total = await count(None, period.until)
    names = [regions.districts[district.district].title("vi") for district in now.districts]
    former = " cũ" if period.until >= regions.province.merged_into.since else ""
    figures = await counts.official_figures(store, regions, until=period.until)
    province = regions.province
    area = province.id if wanted is None else now.districts[0].district if len(now.districts) == 1 else ""
    official = figures.get(area)
    return Figures(
        period=period,
        area=(f"{province.kind} {province.name}" if wanted is None else _joined(names)) + former,
        whole=Line("Tổng", total.adults, now.reports, before.reports, total.reports),
        lines=tuple(
            Line(
                name, district.adults, district.reports, before.districts[index].reports, total.districts[index].reports
            )
            for index, (name, district) in enumerate(zip(names, now.districts, strict=True))
        ),
        made_at=made_at,
        standing=total,
        step=step,
        baseline=province.baseline if wanted is None else None,
        # Until one is imported, the province's latest official figure is the baseline, which is told anyway.
        official=official if official and official.day != province.baseline.date else None,
    )


def result_sentences(figures: Figures) -> list[str]:
    """Say what the period brought, and where things stand at its end."""
    whole, period, step = figures.whole, figures.period, figures.step
    told = "tự báo với trợ lý tự động là đã cài đặt Sổ sức khỏe điện tử"
    when = _capital(str(period))
    if whole.now > 0:
        first = f"{when}, có thêm {_people(whole.now)} {told}."
    elif whole.now < 0:
        first = f"{when}, số người {told} giảm {_people(-whole.now)}, do có người rút lại, sửa hoặc xóa báo cài."
    elif step > 1:
        first = f"{when}, số người {told} (đã làm tròn) không thay đổi."
    else:
        first = f"{when}, số người {told} không thay đổi."
    until = f"Lũy kế đến hết ngày{_SPACE}{_day(period.until)}"
    if whole.total:
        second = (
            f"{until}, có {_people(whole.total)} tự báo, bằng {_percent(whole.share)} số người từ đủ 18{_SPACE}tuổi "
            f"trở lên (ước tính {_people(whole.adults)})."
        )
    elif step > 1:
        where = "chưa" if len(figures.lines) == 1 else "chưa huyện, thành phố nào"
        second = f"{until}, {where} có đủ {_people(step)} tự báo."
    else:
        second = f"{until}, chưa có người nào tự báo."
    if step > 1 and whole.total:
        second += f" Các số tự báo được làm tròn xuống bội số của {step} (xem Phần III)."
    return [first, second]


def district_sentences(figures: Figures) -> list[str]:
    """Say where the counts rose, stayed and fell in the period, and which shares are the highest and the lowest."""
    lines = figures.lines
    if len(lines) < 2 or not any(line.total or line.now for line in lines):
        return []
    parts = []
    for word, sign in (("tăng", 1), ("không thay đổi", 0), ("giảm", -1)):
        names = [line.name for line in lines if (line.now > 0) - (line.now < 0) == sign]
        if len(names) == len(lines):
            parts = [f"{word} tại cả {len(lines)} huyện, thành phố"]
        elif names:
            count = f" {len(names)}/{len(lines)} huyện, thành phố" if sign == 1 else f" {_joined(names)}"
            parts.append(f"{word} tại{count}")
    said = [f"Trong kỳ, số người tự báo {'; '.join(parts)}."]
    shares = {line.share for line in lines}
    if len(shares) > 1:
        ends = []
        for word, share in (("cao nhất", max(shares)), ("thấp nhất", min(shares))):
            names = [line.name for line in lines if line.share == share]
            much = f"chưa đủ {_people(figures.step)} tự báo" if share == 0 else _percent(share)
            ends.append(f"{word} là {_joined(names)} ({much})")
        said.append(f"Tỷ lệ lũy kế {ends[0]}; {ends[1]}.")
    return said


def change_sentence(now: int, before: int, period: Period) -> str:
    """Say how the period compares with the one before, and no more than the two numbers show."""
    earlier = f"kỳ trước ({period.before})"
    if now == before == 0:
        return f"Số người tự báo không thay đổi trong kỳ này và trong {earlier}."
    this = _moved(now)
    if now == before:
        return f"Trong kỳ, {this}, bằng {earlier}."
    if now <= 0 or before <= 0:
        return f"Trong kỳ, {this}; trong {earlier}, {_moved(before)}."
    word = "nhiều hơn" if now > before else "ít hơn"
    # Per cent of a few people would sound more exact than it is.
    share = f" ({_percent(abs(now - before) / before, 1)})" if before >= _PERCENT_FROM else ""
    return f"Trong kỳ, {this}, {word} {_people(abs(now - before))}{share} so với {earlier}, khi {_moved(before)}."


def baseline_sentences(baseline: Baseline) -> list[str]:
    """Put the letter's figure beside, without calculating across two ways of counting."""
    day, month = _day(baseline.date), f"{baseline.date.month}/{baseline.date.year}"
    return [
        f"Theo văn bản tháng{_SPACE}{month} của tỉnh, tính đến ngày{_SPACE}{day} có {_number(baseline.phones)}{_SPACE}"
        f"máy đã cài đặt ứng dụng, bằng {_percent(baseline.share / 100)} số người trên 18{_SPACE}tuổi, "
        f"xếp thứ {baseline.rank}/{baseline.provinces} tỉnh, thành phố.",
        "Số liệu nêu trên đếm số máy đã cài đặt, số tự báo đếm số người nhắn cho trợ lý tự động. Hai cách đếm khác "
        "nhau, nên hai số được đặt cạnh nhau để tham khảo, không cộng, không trừ với nhau.",
    ]


def official_sentence(official: OfficialFigure, adults: int) -> str:
    """State the latest official figure."""
    return (
        f"Số liệu chính thức gần nhất, ngày{_SPACE}{_day(official.day)}: {_number(official.phones)}{_SPACE}máy "
        f"đã cài đặt, bằng {_percent(official.phones / adults)} số người từ đủ 18{_SPACE}tuổi trở lên (ước tính). "
        "Số máy và số người tự báo không cùng cách đếm."
    )


def method_sentences(figures: Figures) -> list[str]:
    """Say how the figures came about and what they cannot tell."""
    made, step = figures.made_at, figures.step
    said = [
        "Số tự báo: số liệu do người dân tự báo với trợ lý tự động, không phải số liệu chính thức. Trợ lý không kiểm "
        "tra được điện thoại đã cài đặt hay chưa; người đã cài đặt mà không báo thì không có trong số này.",
        "Cách đếm: mỗi người được đếm một lần; tài khoản ở nhiều kênh chỉ được đếm chung khi người dân đã liên kết "
        "chúng với nhau. Số của một kỳ là hiệu của số cuối kỳ và số đầu kỳ, nên giảm khi có người rút lại, sửa hoặc "
        f"xóa. Số liệu lấy lúc {made:%H:%M} ngày{_SPACE}{_day(made.date())}.",
        "Địa bàn: huyện, thành phố nơi người dân cho biết đang sống, theo địa giới hành chính trước ngày 01/7/2025.",
        f"Mẫu số: số người từ đủ 18{_SPACE}tuổi trở lên là ước tính, suy từ văn bản tháng 10/2021 và chia cho các "
        "huyện, thành phố theo tỷ trọng dân số ngày 01/4/2019. Hạng xếp theo tỷ lệ lũy kế; tỷ lệ bằng nhau "
        "thì cùng hạng.",
    ]
    if step > 1:
        said.append(
            f"Bảo vệ dữ liệu cá nhân: số tự báo lũy kế của mỗi huyện, thành phố được làm tròn xuống bội số của {step} "
            "trước khi cộng và so sánh, nên có thể nhỏ hơn số thật; số trong kỳ của mỗi huyện, thành phố có thể lệch "
            f"đến {_people(step - 1)}."
        )
    return said


async def make_report(
    store: Store,
    regions: Regions,
    period: Period,
    form: Report,
    *,
    made_at: datetime,
    small_count: int,
    scope: Iterable[str] | None = None,
) -> bytes:
    """Gather the figures, draw the ranking and write the report, off the event loop; raises ReportError."""
    figures = await gather_figures(store, regions, period, made_at=made_at, small_count=small_count, scope=scope)
    picture, alt = b"", ""
    if len(figures.lines) > 1 and figures.whole.total:
        chart = charts.ranking(figures.standing, regions, load_catalogues(["vi"])["vi"])
        picture, alt = await charts.draw(chart), chart.alt
    return await asyncio.to_thread(write_report, figures, form, chart=picture, chart_alt=alt)


def file_name(period: Period) -> str:
    """Name a report's file after its days."""
    return f"bao-cao-{period.since}-{period.until}.docx"


def write_report(figures: Figures, form: Report, *, chart: bytes = b"", chart_alt: str = "") -> bytes:
    """Write the report as a .docx; `chart` is a PNG of the ranking, left out when empty."""
    paper = _Paper(form)
    paper.head()
    paper.title("BÁO CÁO", ["Kết quả người dân tự báo cài đặt Sổ sức khỏe điện tử",
                            f"trên địa bàn {figures.area}, {figures.period}"])  # fmt: skip
    paper.part("I. TÌNH HÌNH TRONG KỲ")
    paper.section("1. Kết quả chung")
    for sentence in result_sentences(figures):
        paper.paragraph(sentence)
    if len(figures.lines) > 1:
        paper.section("2. Kết quả theo huyện, thành phố")
        for sentence in district_sentences(figures):
            paper.paragraph(sentence)
        if chart:
            paper.picture(chart, chart_alt, "Hình 1. Tỷ lệ tự báo lũy kế theo huyện, thành phố")
        _ranking(paper, figures)
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
    paper.paragraph(
        f"Trên đây là kết quả người dân tự báo cài đặt Sổ sức khỏe điện tử {figures.period}./.", with_next=True
    )
    paper.foot()
    return paper.save(f"Báo cáo kết quả tự báo cài đặt Sổ sức khỏe điện tử, {figures.period}", figures.made_at)


def _ranking(paper: _Paper, figures: Figures) -> None:
    few = f"dưới {figures.step}" if figures.step > 1 else "0"

    def row(rank: str, line: Line) -> list[str]:
        total, share = (_number(line.total), _percent(line.share)) if line.total else (few, NOTHING)
        return [rank, _capital(line.name), _signed(line.now), total, _number(line.adults), share]

    ranked = sorted(figures.lines, key=lambda line: (figures.rank(line), line.name))
    paper.table(
        "Bảng 1. Số người tự báo theo huyện, thành phố",
        ["Hạng", "Huyện, thành phố", "Trong kỳ (người)", "Lũy kế (người)", "Từ đủ 18 tuổi (ước tính)", "Tỷ lệ lũy kế"],
        [*(row(str(figures.rank(line)), line) for line in ranked), row("", figures.whole)],
        widths=[15, 46, 24, 24, 30, 26],
    )


def _changes(paper: _Paper, figures: Figures) -> None:
    rows = [
        [str(index), _capital(line.name), _signed(line.before), _signed(line.now), _signed(line.now - line.before)]
        for index, line in enumerate((*figures.lines, figures.whole), 1)
    ]
    rows[-1][0] = ""
    paper.table(
        "Bảng 2. Số người tự báo thêm trong kỳ này và kỳ trước",
        ["TT", "Huyện, thành phố", "Kỳ trước (người)", "Kỳ này (người)", "Chênh lệch (người)"],
        rows,
        widths=[15, 60, 30, 30, 30],
    )


class _Paper:
    """A document in the decree's form; every method adds to its end."""

    def __init__(self, form: Report) -> None:
        import docx  # loaded only where papers are made
        from docx.enum.text import WD_ALIGN_PARAGRAPH as ALIGN

        self._form, self._align = form, ALIGN
        self._document: Document = docx.Document()
        self._set_up_page()
        self._set_up_styles()

    def head(self) -> None:
        """Put agency and national name side by side, with number, place and date below them."""
        form = self._form
        table = self._grid(2, _HEAD_WIDTHS)
        left, right = table.rows[0].cells
        parents = balanced((form.parent_agency or BLANK * 2).upper(), 12, _HEAD_WIDTHS[0])
        agencies = balanced((form.agency or BLANK * 2).upper(), 12, _HEAD_WIDTHS[0])
        for index, line in enumerate(parents):
            self._write(left, line, 12, first=index == 0)
        for line in agencies:
            self._write(left, line, 12, bold=True)
        self._rule(left, _bold_width(agencies[-1], 12) * 0.42, _HEAD_WIDTHS[0])
        nation, motto = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
        self._write(right, nation, 12, bold=True, first=True)
        self._write(right, motto, 13, bold=True)
        self._rule(right, _bold_width(motto, 13), _HEAD_WIDTHS[1])
        left, right = table.rows[1].cells
        self._write(left, f"Số: {BLANK}/BC-{form.symbol or BLANK}", 13, first=True)
        place = form.place or BLANK
        self._write(right, f"{place}, ngày …… tháng …… năm ………", 13, italic=True, first=True)

    def title(self, kind: str, lines: Sequence[str]) -> None:
        """Put the kind of document and what it is about in the middle, with a rule below."""
        heading = self._document.add_paragraph(kind, style="Title")
        heading.paragraph_format.space_before = self._points(14)
        for line in lines:
            abstract = self._document.add_paragraph(line, style="Subtitle")
            abstract.paragraph_format.keep_with_next = True
        self._rule(self._document, min(_bold_width(lines[-1], 14), _TEXT_WIDTH) * 0.4, _TEXT_WIDTH, after=10)

    def part(self, text: str) -> None:
        """Begin a part with a Roman number."""
        self._document.add_paragraph(text, style="Heading 1")

    def section(self, text: str) -> None:
        """Begin a section with an Arabic number."""
        self._document.add_paragraph(text, style="Heading 2")

    def paragraph(self, text: str, *, with_next: bool = False) -> None:
        """Add a paragraph of the text."""
        paragraph = self._document.add_paragraph(text, style="Body Text")
        paragraph.paragraph_format.keep_with_next = with_next
        # Short as they are, paragraphs stay whole: LibreOffice parts a heading from one that it splits.
        paragraph.paragraph_format.keep_together = True

    def table(self, caption: str, header: list[str], rows: list[list[str]], *, widths: list[int]) -> None:
        """Add a table with its caption above; the header repeats on every page and no row is torn; the last is bold."""
        above = self._document.add_paragraph(caption, style="Caption")
        above.paragraph_format.keep_with_next = True
        table = self._grid(1 + len(rows), widths)
        table.style = "Table Grid"
        _repeat_header(table)
        for index, text in enumerate(header):
            self._write(table.rows[0].cells[index], text, 12, bold=True, first=True, pad=3, with_next=True)
        for number, row in enumerate(rows, 1):
            last = number == len(rows)
            for index, text in enumerate(row):
                where = self._align.LEFT if index == 1 else self._align.CENTER if index == 0 else self._align.RIGHT
                cell = table.rows[number].cells[index]
                # The last rows hold together, so that a total never stands alone on a page.
                self._write(
                    cell, text, 12, bold=last, first=True, align=where, pad=2, inset=1.6,
                    with_next=number in (1, len(rows) - 1, len(rows) - 2),
                )  # fmt: skip
        self._spacer(6)

    def picture(self, content: bytes, alt: str, caption: str) -> None:
        """Add a picture with its caption below and its meaning in words for those who cannot see it."""
        from docx.shared import Mm

        paragraph = self._document.add_paragraph(style="Caption")
        paragraph.paragraph_format.keep_with_next = True
        picture = paragraph.add_run().add_picture(io.BytesIO(content))
        shrink = min(Mm(room) / side for room, side in zip(_PICTURE_ROOM, (picture.width, picture.height), strict=True))
        picture.width, picture.height = round(picture.width * shrink), round(picture.height * shrink)
        properties = picture._inline.docPr
        properties.set("descr", alt or caption)
        self._document.add_paragraph(caption, style="Caption").paragraph_format.space_after = self._points(8)

    def foot(self) -> None:
        """Put the recipients on the left and the signature on the right, on one page."""
        form = self._form
        table = self._grid(1, _FOOT_WIDTHS)
        left, right = table.rows[0].cells
        align = self._align.LEFT
        self._write(left, "Nơi nhận:", 12, bold=True, italic=True, first=True, align=align)
        for recipient in form.recipients or (BLANK * 2,):
            self._write(left, f"- {recipient.rstrip(' ;.')};", 11, align=align)
        self._write(left, f"- Lưu: {form.archive or BLANK}.", 11, align=align)
        signature = form.signature
        lines = [line for line in (signature.authority, signature.position or BLANK * 2) if line]
        for index, line in enumerate(lines):
            self._write(right, line.upper(), 14, bold=True, first=index == 0)
        self._write(right, signature.name or BLANK * 2, 14, bold=True, before=72)  # room for signature and seal

    def save(self, title: str, at: datetime) -> bytes:
        """Return the file."""
        properties = self._document.core_properties
        properties.title, properties.language = title, "vi-VN"
        properties.author = properties.last_modified_by = self._form.agency
        properties.comments = ""
        properties.created = properties.modified = at.replace(tzinfo=None)
        content = io.BytesIO()
        self._document.save(content)
        return content.getvalue()

    def _set_up_page(self) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Mm

        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(_MARGINS["top"]), Mm(_MARGINS["bottom"])
        section.left_margin, section.right_margin = Mm(_MARGINS["left"]), Mm(_MARGINS["right"])
        section.header_distance = section.footer_distance = Mm(10)
        section.different_first_page_header_footer = True  # the number stands from the second page on
        header = section.header.paragraphs[0]
        header.alignment = self._align.CENTER
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            run = header.add_run()
            if kind:
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), kind)
            else:
                mark = OxmlElement("w:instrText")
                mark.set(qn("xml:space"), "preserve")
                mark.text = text
            run._r.append(mark)

    def _set_up_styles(self) -> None:
        align = self._align
        self._style("Normal", 14)
        self._style("Header", 13)
        self._style("Body Text", 14, align=align.JUSTIFY, after=6, indent=12.7, line=1.15)
        self._style("Title", 14, bold=True, align=align.CENTER, with_next=True)
        self._style("Subtitle", 14, bold=True, align=align.CENTER, with_next=True)
        self._style("Heading 1", 14, bold=True, align=align.JUSTIFY, before=8, after=6, indent=12.7, with_next=True)
        self._style("Heading 2", 14, bold=True, align=align.JUSTIFY, before=4, after=6, indent=12.7, with_next=True)
        self._style("Caption", 13, italic=True, align=align.CENTER, before=4, after=4)

    def _style(
        self,
        name: str,
        points: float,
        *,
        bold: bool = False,
        italic: bool = False,
        align: object = None,
        before: float = 0,
        after: float = 0,
        indent: float = 0,
        line: float = 1.0,
        with_next: bool = False,
    ) -> None:
        """Give a built-in style the decree's look, so that Word's own navigation goes on working."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Mm, RGBColor

        style: ParagraphStyle = self._document.styles[name]
        font, shape = style.font, style.paragraph_format
        font.name, font.size, font.bold, font.italic = FONT, self._points(points), bold, italic
        font.color.rgb = RGBColor(0, 0, 0)
        properties = style.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for name_of_script in list(fonts.attrib):
            del fonts.attrib[name_of_script]  # themes of the template would win over the name
        for script in ("ascii", "hAnsi", "cs", "eastAsia"):
            fonts.set(qn(f"w:{script}"), FONT)
        for unwanted in ("w:lang", "w:spacing", "w:kern"):
            for element in properties.findall(qn(unwanted)):
                properties.remove(element)
        language = OxmlElement("w:lang")
        for script in ("val", "eastAsia"):
            language.set(qn(f"w:{script}"), "vi-VN")
        properties.append(language)
        for border in style.element.get_or_add_pPr().findall(qn("w:pBdr")):
            style.element.pPr.remove(border)
        shape.alignment = align
        shape.space_before, shape.space_after = self._points(before), self._points(after)
        shape.first_line_indent, shape.line_spacing = Mm(indent), line
        shape.keep_with_next, shape.widow_control = with_next, True

    def _grid(self, rows: int, widths: Sequence[int]) -> Table:
        """Add an empty table of fixed widths, without lines and without room between lines and text."""
        from docx.enum.table import WD_TABLE_ALIGNMENT
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Mm

        table: Table = self._document.add_table(rows, len(widths))
        table.autofit = False
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        margins = OxmlElement("w:tblCellMar")
        for side in ("left", "right"):
            margin = OxmlElement(f"w:{side}")
            margin.set(qn("w:w"), "0")
            margin.set(qn("w:type"), "dxa")
            margins.append(margin)
        table._tbl.tblPr.append(margins)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Mm(width)
        for row in table.rows:
            whole = OxmlElement("w:cantSplit")
            row._tr.get_or_add_trPr().append(whole)
            for cell, width in zip(row.cells, widths, strict=True):
                cell.width = Mm(width)
        return table

    def _write(
        self,
        cell: _Cell,
        text: str,
        points: float,
        *,
        bold: bool = False,
        italic: bool = False,
        first: bool = False,
        align: object = None,
        before: float = 0,
        pad: float = 0,
        inset: float = 0,
        with_next: bool = False,
    ) -> None:
        from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
        from docx.shared import Mm

        paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
        run = paragraph.add_run(text)
        run.font.size, run.font.bold, run.font.italic = self._points(points), bold, italic
        paragraph.alignment = self._align.CENTER if align is None else align
        shape = paragraph.paragraph_format
        shape.space_before, shape.space_after = self._points(before or pad), self._points(pad)
        shape.left_indent = shape.right_indent = Mm(inset)
        shape.keep_with_next = with_next
        if pad:
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER

    def _rule(self, where: Document | _Cell, width: float, room: float, *, after: float = 2) -> None:
        """Draw a line of some width in the middle of some room: the border of an empty paragraph, which all programs
        draw alike."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import Mm

        paragraph: Paragraph = where.add_paragraph()
        shape = paragraph.paragraph_format
        shape.left_indent = shape.right_indent = Mm(max(0.0, (room - width) / 2))
        shape.space_before, shape.space_after = self._points(2), self._points(after)
        shape.line_spacing = self._points(3)
        borders, top = OxmlElement("w:pBdr"), OxmlElement("w:top")
        for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
            top.set(qn(f"w:{name}"), value)
        borders.append(top)
        paragraph._p.get_or_add_pPr().insert_element_before(
            borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
        )

    def _spacer(self, points: float) -> None:
        """Leave some room after a table, which has none of its own."""
        self._document.add_paragraph().paragraph_format.line_spacing = self._points(points)

    @staticmethod
    def _points(number: float) -> Length:
        from docx.shared import Pt

        return Pt(number)


def _repeat_header(table: Table) -> None:
    from docx.oxml import OxmlElement

    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def balanced(text: str, points: float, room: float) -> list[str]:
    """Break a text in bold into as few lines as fit some millimetres, of much the same length."""
    words = text.split()
    for count in range(1, len(words) + 1):
        # The narrowest room that still takes no more lines is the balanced one.
        for width in sorted({_bold_width(" ".join(words[a:b]), points) for a in range(len(words)) for b in
                             range(a + 1, len(words) + 1)}):  # fmt: skip
            lines = _wrapped(words, points, width)
            if width <= room and len(lines) == count and all(_bold_width(line, points) <= width for line in lines):
                return lines
    return [text]


def _wrapped(words: Sequence[str], points: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and _bold_width(f"{lines[-1]} {word}", points) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _bold_width(text: str, points: float) -> float:
    """Measure a text in Times Bold, in millimetres."""
    thousandths = 0
    for letter in unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")):
        if not unicodedata.combining(letter):
            thousandths += _BOLD_WIDTHS.get(letter, 333 if letter == "-" else 250 if letter.isspace() else 500)
    return thousandths / 1000 * points * 25.4 / 72


def _people(number: int) -> str:
    return f"{_number(number)}{_SPACE}người"


def _number(number: int) -> str:
    return format_decimal(number, locale="vi_VN")


def _percent(share: float, digits: int = 2) -> str:
    return format_percent(share, format="#,##0." + "0" * digits + "%", locale="vi_VN")


def _moved(number: int) -> str:
    if number == 0:
        return "số người tự báo không thay đổi"
    return f"có thêm {_people(number)} tự báo" if number > 0 else f"số người tự báo giảm {_people(-number)}"


def _signed(number: int) -> str:
    return f"−{_number(-number)}" if number < 0 else _number(number)


def _day(day: date) -> str:
    """Write a day as the decree does: 05/02/2026, but 05/3/2026."""
    return f"{day.day:02}/{day.month:02}/{day.year}" if day.month < 3 else f"{day.day:02}/{day.month}/{day.year}"


def _joined(names: Sequence[str]) -> str:
    # The name holds together, but not with its kind: long unbreakable pieces tear holes into justified lines.
    fixed = [_SPACE.join(name.rsplit(" ", 1)) for name in names]
    return fixed[0] if len(fixed) == 1 else f"{', '.join(fixed[:-1])} và {fixed[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
