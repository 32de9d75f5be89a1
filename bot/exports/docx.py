"""A Word document in the form of Nghị định 30/2020/NĐ-CP, Appendix I: page, type, head, parts, tables, signature."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot.exports.text_width import balanced, bold_width
from bot.settings import ReportSettings

if TYPE_CHECKING:
    from docx.document import Document
    from docx.shared import Length
    from docx.styles.style import ParagraphStyle
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

FONT = "Times New Roman"
BLANK = "…………"

_MARGINS = {"top": 20, "bottom": 20, "left": 30, "right": 15}  # millimetres
_TEXT_WIDTH = 210 - _MARGINS["left"] - _MARGINS["right"]
_HEAD_WIDTHS = (70, 95)
_FOOT_WIDTHS = (82, 83)
_PICTURE_ROOM = (150, 108)  # millimetres


class DecreePaper:
    """A document in the decree's form; every method adds to its end."""

    def __init__(self, form: ReportSettings) -> None:
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
        self._rule(left, bold_width(agencies[-1], 12) * 0.42, _HEAD_WIDTHS[0])
        nation, motto = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
        self._write(right, nation, 12, bold=True, first=True)
        self._write(right, motto, 13, bold=True)
        self._rule(right, bold_width(motto, 13), _HEAD_WIDTHS[1])
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
        self._rule(self._document, min(bold_width(lines[-1], 14), _TEXT_WIDTH) * 0.4, _TEXT_WIDTH, after=10)

    def warning(self, text: str) -> None:
        """Put a line in a red frame, which nobody can take for a part of the form."""
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn
        from docx.shared import RGBColor

        paragraph = self._document.add_paragraph()
        paragraph.alignment = self._align.CENTER
        paragraph.paragraph_format.space_after = self._points(8)
        run = paragraph.add_run(text)
        run.font.bold, run.font.color.rgb = True, RGBColor(0xB0, 0x00, 0x20)
        borders = OxmlElement("w:pBdr")
        for side in ("top", "left", "bottom", "right"):
            line = OxmlElement(f"w:{side}")
            for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", "B00020")):
                line.set(qn(f"w:{name}"), value)
            borders.append(line)
        paragraph._p.get_or_add_pPr().insert_element_before(
            borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
        )

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

    def blank_lines(self, number: int) -> None:
        """Leave dotted lines to be written on."""
        from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
        from docx.shared import Mm

        for left in reversed(range(number)):
            line = self._document.add_paragraph("\t", style="Body Text")
            line.paragraph_format.first_line_indent = Mm(0)
            line.paragraph_format.tab_stops.add_tab_stop(Mm(_TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
            line.paragraph_format.keep_with_next = bool(left)

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
        # No spacer: after one, LibreOffice leaves a heading alone at the end of a page. What follows keeps a distance.

    def picture(self, content: bytes, alt: str, caption: str) -> None:
        """Add a picture with its caption below and its meaning in words for those who cannot see it."""
        from docx.shared import Mm

        paragraph = self._document.add_paragraph(style="Caption")
        paragraph.paragraph_format.space_before = self._points(10)
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

    @staticmethod
    def _points(number: float) -> Length:
        from docx.shared import Pt

        return Pt(number)


def _repeat_header(table: Table) -> None:
    from docx.oxml import OxmlElement

    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
