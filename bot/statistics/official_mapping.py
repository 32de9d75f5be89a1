"""Where the figures stand in a table of the authorities: sheet, heading, columns, day; guessed, shown, corrected.

The desk and the command line call `guess_mapping` and show what it found before anything is read by it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import orjson

from bot.library.regions import Regions
from bot.statistics.cell_values import DayFound, as_count, as_day, day_in_text
from bot.statistics.table_reader import Cell, Cells, Formula, SheetTable
from bot.text.normalize import fold

NOWHERE = -1
DISTRICT, PROVINCE, TOTAL, COMMUNE, UNKNOWN = "district", "province", "total", "commune", "unknown"
# The headings of a table that was made for this import; such a one needs no second look.
PLAIN: Final = {
    "date": ("date", "day", "ngay"),
    "place": ("district", "huyen", "don vi", "dia phuong", "huyen, thanh pho"),
    "phones": ("phones", "so may", "so may da cai", "so luong"),
}
_TOTAL = re.compile(r"(?:tong|cong)(?:\s(?:cong|so|chung|toan bo|hop))*")
_PROVINCE = re.compile(r"(?:tong(?:\scong|\sso)?\s)?(?:toan tinh|ca tinh|tinh|province)")
_NUMBERING = re.compile(r"^(?:\d{1,2}|[ivx]{1,4}|[a-z])\s?[.)/-]\s?|^[-–+*•]\s*")
# How much a heading promises to be the number of phones.
_PROMISES: Final = (
    (10, re.compile(r"so may|thiet bi|dien thoai da|da cai|so luong cai|luot cai|cai dat")),
    (4, re.compile(r"luy ke|den nay|tong so|tong cong")),
    (2, re.compile(r"so luong|ket qua|thuc hien|dat duoc")),
    (-12, re.compile(r"ty le|ti le|%|dan so|chi tieu|ke hoach|giao|muc tieu|tu du 18|nguoi lon|xep hang|^hang$")),
    (-5, re.compile(r"trong (?:ky|thang|tuan|ngay|quy)|phat sinh|tang|giam|ky truoc|thang truoc|tuan truoc")),
    (-12, re.compile(r"^(?:tt|stt|so tt|ma|ghi chu)\b")),
)  # fmt: skip
_WORD = re.compile(r"[^\W_]+")
_SAMPLES = 3
_LONGEST_FIGURE = 20
_MOST_HEADING_ROWS = 4


@dataclass(frozen=True, slots=True)
class PlaceRead:
    """What a cell names: the id of a district or of the province, a total, a commune, or nothing known.

    `slip` tells that the name is only nearly written there.
    """

    kind: str
    place: str = ""
    slip: bool = False


@dataclass(frozen=True, slots=True)
class TableMapping:
    """Where everything stands: the sheet by its place, the last row of the heading, columns from 0, or NOWHERE.

    Without a column of days, `day` is the day of all rows; `day_sure` unless it may be another one.
    """

    sheet: int = 0
    heading_row: int = 0
    place: int = NOWHERE
    phones: int = NOWHERE
    days: int = NOWHERE
    day: date | None = None
    day_sure: bool = True
    plain: bool = False

    def dump(self) -> str:
        """Write it down."""
        return orjson.dumps(self).decode()


@dataclass(frozen=True, slots=True)
class ColumnShown:
    """One column as it is offered: its letter, its heading, a few of its values."""

    number: int
    heading: str
    samples: tuple[str, ...]

    @property
    def letter(self) -> str:
        """The name that Excel gives it."""
        high, low = divmod(self.number, 26)
        return (chr(ord("A") + high - 1) if high else "") + chr(ord("A") + low)


def load_mapping(text: str) -> TableMapping:
    """Read what `dump` wrote."""
    kept = orjson.loads(text)
    day = date.fromisoformat(kept["day"]) if kept["day"] else None
    return TableMapping(**{**kept, "day": day})


def read_place(cell: Cell, regions: Regions) -> PlaceRead:
    """Understand a cell as the chat understands a place, by id or code too."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell if cell is not None else "")
    plain = _NUMBERING.sub("", " ".join(fold(text).split())).strip(" .:;-")
    province = regions.province
    if plain in (province.id, province.code, fold(province.name), f"{fold(province.kind)} {fold(province.name)}"):
        return PlaceRead(PROVINCE, province.id)
    if _PROVINCE.fullmatch(plain):
        return PlaceRead(PROVINCE, province.id)
    if _TOTAL.fullmatch(plain):
        return PlaceRead(TOTAL)
    for district in regions.districts.values():
        if plain in (district.id, district.code):
            return PlaceRead(DISTRICT, district.id)
    if not any(map(str.isalpha, plain)):
        return PlaceRead(UNKNOWN)
    understood = regions.understand(text)
    found = understood.one
    if found is None or found.commune or any(place.commune for place in understood.places):
        return PlaceRead(COMMUNE if understood.places else UNKNOWN)
    return PlaceRead(DISTRICT, found.district, slip=not _stands_in(regions.districts[found.district].name, text))


def guess_mapping(tables: Sequence[SheetTable], regions: Regions, name: str = "") -> TableMapping:
    """Find the sheet with most districts, its columns and day; `name` of the file may tell the day."""
    guesses = [_guess_sheet(table, number, regions) for number, table in enumerate(tables)]
    places, best = max(guesses, key=lambda guess: (guess[0], -guess[1].sheet))
    table = tables[best.sheet]
    if not places:
        return replace(best, heading_row=table.rows[0][0] if table.rows else 0)
    if best.days == NOWHERE and best.day is None:
        found = day_in_text(table.name) or day_in_text(name)
        if found is not None:
            best = replace(best, day=found.day, day_sure=found.sure)
    return best


def columns_of(table: SheetTable, heading_row: int) -> list[ColumnShown]:
    """List the columns with their headings and the first values below them."""
    headings = _headings(table, heading_row)
    below = [row for number, row in table.rows if number > heading_row and not _is_numbering(row)]
    shown = []
    for column in range(table.width):
        values = [str(row[column]) for row in below if column < len(row) and row[column] is not None]
        shown.append(ColumnShown(column, headings.get(column, ""), tuple(value[:40] for value in values[:_SAMPLES])))
    return shown


def _guess_sheet(table: SheetTable, number: int, regions: Regions) -> tuple[int, TableMapping]:
    """Return how many districts a sheet names in one column, and where everything stands there."""
    mapping = TableMapping(sheet=number)
    named: dict[int, list[tuple[int, str]]] = {}
    for row_number, row in table.rows:
        for column, cell in enumerate(row):
            read = read_place(cell, regions) if isinstance(cell, str) else PlaceRead(UNKNOWN)
            if read.kind in (DISTRICT, PROVINCE):
                named.setdefault(column, []).append((row_number, read.place))
    if not named:
        return 0, mapping
    place = max(named, key=lambda column: (len({one for _, one in named[column]}), len(named[column]), -column))
    rows_named = {row_number for row_number, _ in named[place]}
    data = [(row_number, row) for row_number, row in table.rows if row_number in rows_named]
    # A title may name a place in the same column; figures begin where a number stands beside one.
    data = [(n, row) for n, row in data if any(_is_figure(cell) for cell in row[:place] + row[place + 1 :])]
    if not data:
        return 0, mapping
    first = _first_row(table, data[0][0], rows_named)
    heading_row = max((n for n, row in table.rows if n < first and not _is_numbering(row)), default=0)
    mapping = replace(mapping, place=place, heading_row=heading_row)
    headings = _headings(table, heading_row)
    rows = [row for _, row in data]
    mapping = replace(
        mapping,
        phones=_phones_column(rows, place, headings),
        days=_days_column(rows, place),
        plain=_is_plain(headings, place),
    )
    if mapping.days == NOWHERE:
        found = _day_around(table, first)
        mapping = replace(mapping, day=found.day if found else None, day_sure=found.sure if found else True)
    return len({one for _, one in named[place]}), mapping


def _first_row(table: SheetTable, first: int, named: set[int]) -> int:
    """Return the first row of figures, also where the first places have no number."""
    for number, _ in reversed([one for one in table.rows if one[0] < first]):
        if number not in named:
            break
        first = number
    return first


def _is_figure(cell: Cell) -> bool:
    """Return True for a number, and for what may have been meant as one."""
    if isinstance(cell, str):
        looks = cell.startswith("#") or any(map(str.isdecimal, cell))
        return looks and len(cell) <= _LONGEST_FIGURE and as_day(cell) is None
    return isinstance(cell, Formula) or (isinstance(cell, int | float) and not isinstance(cell, bool))


def _phones_column(rows: Sequence[Cells], place: int, headings: dict[int, str]) -> int:
    scores: dict[int, float] = {}
    for column in range(max(map(len, rows))):
        cells = [row[column] for row in rows if column < len(row) and _is_figure(row[column])]
        if column == place or 2 * len(cells) < len(rows) or _counts_rows(list(map(as_count, cells))):
            continue
        heading = fold(headings.get(column, ""))
        scores[column] = sum(points for points, pattern in _PROMISES if pattern.search(heading)) + column / 1000
    return max(scores, key=lambda column: scores[column]) if scores else NOWHERE


def _counts_rows(values: Sequence[int | None]) -> bool:
    """Return True for a column that only numbers the rows."""
    return len(values) > 1 and values[0] in (0, 1) and list(values) == list(range(values[0], values[0] + len(values)))


def _days_column(rows: Sequence[Cells], place: int) -> int:
    dated: Counter[int] = Counter()
    for row in rows:
        dated.update(column for column, cell in enumerate(row) if column != place and as_day(cell) is not None)
    column, times = dated.most_common(1)[0] if dated else (NOWHERE, 0)
    return column if 2 * times >= len(rows) else NOWHERE


def _is_plain(headings: dict[int, str], place: int) -> bool:
    folded = {column: fold(heading) for column, heading in headings.items()}
    return all(any(heading in names for heading in folded.values()) for names in PLAIN.values()) and (
        folded.get(place) in PLAIN["place"]
    )


def _headings(table: SheetTable, heading_row: int) -> dict[int, str]:
    """Join what stands above each column; a heading over several columns counts for all of them."""
    block: list[Cells] = []
    for number, row in reversed([one for one in table.rows if one[0] <= heading_row]):
        filled = sum(cell is not None for cell in row)
        if _is_numbering(row) or (filled < 2 and block) or len(block) == _MOST_HEADING_ROWS:
            if _is_numbering(row) and number == heading_row:
                continue
            break
        block.insert(0, row)
    headings: dict[int, str] = {}
    width = max((len(row) for row in block), default=0)
    for level, row in enumerate(block):
        last = ""
        for column in range(width):
            cell = row[column] if column < len(row) else None
            spread = last if level < len(block) - 1 and _is_spread(block, level, column) else ""
            text = str(cell) if cell is not None else spread
            last = text if cell is not None or spread else ""
            if text and text not in headings.get(column, ""):
                headings[column] = f"{headings.get(column, '')} {text}".strip()
    return headings


def _is_spread(block: Sequence[Cells], level: int, column: int) -> bool:
    """Return True if something stands below an empty cell, so that the heading to its left spreads over it."""
    return any(column < len(row) and row[column] is not None for row in block[level + 1 :])


def _is_numbering(row: Cells) -> bool:
    """Return True for the line (1) (2) (3) or A B 1 2 below a heading."""
    values = [str(cell).strip("() =.") for cell in row if cell is not None]
    short = [value for value in values if re.fullmatch(r"\d{1,2}|[A-Za-z]|\d\s?[=/+*x:-]\s?[\d()/+*x:-]+", value)]
    return len(values) > 1 and len(short) == len(values) and not any(isinstance(cell, date) for cell in row)


def _day_around(table: SheetTable, first: int) -> DayFound | None:
    """Find the day in the lines above the figures, else below them."""
    found = [*_days(table, above=True, first=first), *_days(table, above=False, first=first)]
    return next((one for one in found if one.sure), found[0] if found else None)


def _days(table: SheetTable, *, above: bool, first: int) -> Iterator[DayFound]:
    for number, row in table.rows:
        if (number < first) == above:
            for cell in row:
                if isinstance(cell, str) and (found := day_in_text(cell)) is not None:
                    yield found
                elif isinstance(cell, date) and above:
                    yield DayFound(cell, False)


def _stands_in(name: str, text: str) -> bool:
    """Return True if the words of a name stand in a text, written together or not."""
    wanted, words = "".join(_WORD.findall(fold(name))), _WORD.findall(fold(text))
    return any("".join(words[at : at + length]) == wanted for at in range(len(words)) for length in range(1, 5))
