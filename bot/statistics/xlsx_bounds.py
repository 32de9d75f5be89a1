"""Bounds on what an XLSX file may make its reader hold: every part is measured in a stream before it is opened.

`bot.statistics.table_reader` calls `measure`. An archive that breaks a bound takes no more memory than one portion.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from xml.parsers import expat

from bot.errors import BotError

MAX_PARTS, MAX_UNPACKED = 500, 40_000_000
MAX_SHEET_BYTES, MAX_OTHER_BYTES = 25_000_000, 8_000_000
MAX_DEPTH, MAX_ATTRIBUTES, MAX_TEXT = 40, 20_000, 200_000
MAX_CELLS_IN_ROW = 16_384  # as many as a spreadsheet has columns
MAX_IN_ROWS, MAX_ELSEWHERE = 500_000, 60_000  # elements
_PORTION = 1 << 16
_MAX_TOKEN = 4 * _PORTION  # the parser reads a tag anew with each portion until its end has come
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
# What the reader opens; pictures, charts and the like are left alone.
_READ = re.compile(
    r"\[Content_Types\]\.xml|(?:.*/)?_rels/[^/]+\.rels|docProps/[^/]+\.xml|xl/[^/]+\.xml|xl/(?:worksheets|theme)/[^/]+\.xml"
)


class OutOfBounds(BotError):
    """A part of the archive is larger, deeper or wider than a table of figures can be."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the parts hold that decides how they are read."""

    formulas: bool


class _Meter:
    """Counts the elements of one part."""

    def __init__(self, *, sheet: bool) -> None:
        self._sheet, self._depth, self._in_row, self._in_rows, self._elsewhere, self._text = sheet, 0, -1, 0, 0, 0
        self._cells = 0
        self.formulas = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth, self._text = self._depth + 1, 0
        if self._depth > MAX_DEPTH or sum(map(len, attributes.values())) > MAX_ATTRIBUTES:
            raise OutOfBounds("deep or long")
        tag = name.rpartition(":")[2]
        if self._in_row < 0:
            self._elsewhere += 1
            if self._sheet and tag == "row":
                self._in_row, self._cells = self._depth, 0
        else:
            self._in_rows += 1
            self._cells += self._depth == self._in_row + 1
            self.formulas = self.formulas or tag == "f"
        if self._cells > MAX_CELLS_IN_ROW or self._in_rows > MAX_IN_ROWS or self._elsewhere > MAX_ELSEWHERE:
            raise OutOfBounds("many")

    def _end(self, name: str) -> None:
        if self._depth == self._in_row:
            self._in_row = -1
            self._elsewhere -= 1  # rows are let go of one by one
        self._depth, self._text = self._depth - 1, 0

    def _data(self, text: str) -> None:
        self._text += len(text)
        if self._text > MAX_TEXT:
            raise OutOfBounds("long")

    def _doctype(self, *_: object) -> None:
        raise OutOfBounds("declares entities")


def measure(content: bytes) -> Measured:
    """Read every part that will be opened; raise OutOfBounds, BadZipFile, or ExpatError for what is no XML."""
    formulas = False
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        # The sizes are what the archive says of itself; Python unpacks no more than that.
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
            raise OutOfBounds("large")
        for part in parts:
            if not _READ.fullmatch(part.filename):
                continue
            sheet = _SHEET.fullmatch(part.filename) is not None
            if part.file_size > (MAX_SHEET_BYTES if sheet else MAX_OTHER_BYTES):
                raise OutOfBounds("large")
            meter = _Meter(sheet=sheet)
            with archive.open(part) as stream:
                fed = 0
                while portion := stream.read(_PORTION):
                    meter.parser.Parse(portion, False)
                    fed += len(portion)
                    if fed - meter.parser.CurrentByteIndex > _MAX_TOKEN:
                        raise OutOfBounds("long")
            meter.parser.Parse(b"", True)
            formulas = formulas or meter.formulas
    return Measured(formulas)
