"""What a table of the authorities would bring in: each figure beside the one before, and what is wrong or doubtful.

The desk and the command line show it before anything is kept. Nothing is guessed silently: a row is read, is no row of
figures, or is remarked on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.statistics.cell_values import as_count, as_day
from bot.statistics.counts import OfficialFigure
from bot.statistics.official_mapping import (
    COMMUNE,
    DISTRICT,
    NOWHERE,
    PROVINCE,
    TOTAL,
    UNKNOWN,
    PlaceRead,
    TableMapping,
    read_place,
)
from bot.statistics.table_reader import Cell, Cells, Formula, SheetTable

STOP, ASK = "stop", "ask"  # nothing is taken in; taken in when somebody says that it is right
FIRST_DAY = date(2020, 1, 1)  # the health book is younger
_LONG_AGO = timedelta(days=366)
_MAX_PHONES_PER_ADULT = 5  # more is a slip of the keyboard
_FALL, _RISE, _RISE_FROM = 0.1, 10, 100

NO_PLACES = mark("Please say in which column the districts stand.")
NO_PHONES = mark("Please say in which column the number of phones stands.")
NO_DAY = mark("Please say of which day the figures are.")
NOTHING = mark("No row of figures was found below the heading.")
NO_COUNT = mark("“{value}” is no whole number of phones.")
BROKEN_COUNT = mark("“{value}” is no whole number. If a thousands separator was meant, correct the cell in Excel.")
NO_VALUE = mark("A formula was saved without its value. Please open the file in Excel and save it again.")
EMPTY_COUNT = mark("There is no number for {place}; the row is left out.")
NO_SUCH_DAY = mark("“{value}” is no day such as 23/11/2026.")
FUTURE = mark("The day {day} lies in the future.")
TOO_EARLY = mark("The day {day} is too early: the health book is younger.")
LONG_AGO = mark("The day {day} is more than a year ago.")
UNSURE_DAY = mark("The day {day} was read from a line that may mean another one.")
TOO_MANY = mark("{phones} phones cannot be: {place} has about {adults} adults.")
MORE_THAN_ADULTS = mark("{phones} phones are more than the about {adults} adults of {place}.")
TWICE = mark("{place} of {day} stands in row {row} already.")
FALLEN = mark("{place} falls from {before} to {now}.")
RISEN = mark("{place} rises from {before} to {now}.")
NOT_THE_SUM = mark("The total says {total}; the districts above it have {sum} together.")
SLIP = mark("“{text}” is read as {place}.")
NO_DISTRICT = mark("“{text}” is none of the nine former districts; its {phones} phones are left out.")
NO_NAME = mark("This row has a number and no place; it is left out.")


@dataclass(frozen=True, slots=True)
class ImportedFigure:
    """Phones with the app in a district, or the province by its id, at the end of a day."""

    day: date
    district: str
    phones: int


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about a row (0: about the whole table), to be translated and filled; STOP or ASK.

    Values that are days, numbers or ids of places are written as the reader's language does.
    """

    row: int
    level: str
    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure, its row, the cell that named its place, and the latest official figure before its day."""

    row: int
    text: str
    figure: ImportedFigure
    before: OfficialFigure | None = None

    @property
    def change(self) -> int | None:
        """How many phones more than before."""
        return None if self.before is None else self.figure.phones - self.before.phones


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """All figures and remarks of a table read by a mapping."""

    lines: tuple[FigureLine, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether something is wrong, so that nothing can be taken in."""
        return any(remark.level == STOP for remark in self.remarks)

    @property
    def doubtful(self) -> bool:
        """Whether somebody must say that something odd is right."""
        return any(remark.level == ASK for remark in self.remarks)

    @property
    def figures(self) -> list[ImportedFigure]:
        """The figures alone."""
        return [line.figure for line in self.lines]

    @property
    def version(self) -> str:
        """A short mark of all of it; another one as soon as anything is another."""
        return hashlib.sha256(repr((self.lines, self.remarks)).encode()).hexdigest()[:16]


def remark_words(remark: Remark, regions: Regions, catalogue: Catalogue) -> str:
    """Say a remark in the reader's language; its row is not said."""

    def written(name: str, value: object) -> object:
        if name == "place":
            return place_name(str(value), regions, catalogue)
        if isinstance(value, date):
            return catalogue.day(value)
        return catalogue.number(value) if isinstance(value, int) and name != "row" else value

    return catalogue.t(remark.sentence, **{name: written(name, value) for name, value in remark.values.items()})


def place_name(place: str, regions: Regions, catalogue: Catalogue) -> str:
    """Name a district, or the province by its id."""
    known = regions.districts.get(place)
    return known.title(catalogue.language) if known else catalogue.t("the whole province")


# The latest official figure of a place before a day.
Before = Callable[[str, date], OfficialFigure | None]


def preview_table(
    table: SheetTable, mapping: TableMapping, regions: Regions, before: Before, *, today: date
) -> ImportPreview:
    """Read a table by a mapping; nothing is kept."""
    missing = [
        Remark(0, STOP, sentence)
        for lacks, sentence in (
            (mapping.place == NOWHERE, NO_PLACES),
            (mapping.phones == NOWHERE, NO_PHONES),
            (mapping.days == NOWHERE and mapping.day is None, NO_DAY),
        )
        if lacks
    ]
    if missing:
        return ImportPreview(remarks=tuple(missing))
    return _Reading(mapping, regions, before, today).read(table)


class _Reading:
    """One reading of a table, row by row."""

    def __init__(self, mapping: TableMapping, regions: Regions, before: Before, today: date) -> None:
        self._mapping, self._regions, self._before, self._today = mapping, regions, before, today
        self._lines: list[FigureLine] = []
        self._remarks: list[Remark] = []
        self._rows: dict[tuple[date, str], int] = {}
        self._in_block: list[ImportedFigure] = []  # the districts since the last total

    def read(self, table: SheetTable) -> ImportPreview:
        for number, row in table.rows:
            if number > self._mapping.heading_row:
                self._row(number, row)
        if not self._lines and not any(remark.level == STOP for remark in self._remarks):
            self._note(0, STOP, NOTHING)
        return ImportPreview(tuple(self._lines), tuple(self._remarks))

    def _row(self, number: int, row: Cells) -> None:
        named, value = _at(row, self._mapping.place), _at(row, self._mapping.phones)
        read = read_place(named, self._regions)
        if read.kind == UNKNOWN and named is None and (total := self._total_elsewhere(row)):
            read = total
        phones = as_count(value)
        if read.kind in (UNKNOWN, COMMUNE):
            if phones is not None and not isinstance(named, int | float):
                text = str(named or "")
                sentence = NO_DISTRICT if text else NO_NAME
                self._note(number, ASK, sentence, **({"text": text, "phones": phones} if text else {}))
            elif named is not None:
                self._in_block = []  # a heading within the table: what follows has a total of its own
            return
        if read.kind == TOTAL:
            self._check_sum(number, phones)
            return
        self._figure(number, row, str(named), read, value, phones)

    def _total_elsewhere(self, row: Cells) -> PlaceRead | None:
        """Find "Tổng cộng" that was written over several columns, and so stands left of the places."""
        for cell in row[: self._mapping.place]:
            read = read_place(cell, self._regions)
            if read.kind in (TOTAL, PROVINCE):
                return read
        return None

    def _figure(self, number: int, row: Cells, text: str, read: PlaceRead, value: Cell, phones: int | None) -> None:
        place = read.place
        if phones is None:
            self._no_count(number, place, value)
            return
        day = self._day(number, row)
        if day is None:
            return
        adults = self._adults(place)
        if phones > _MAX_PHONES_PER_ADULT * adults:
            self._note(number, STOP, TOO_MANY, phones=phones, place=place, adults=adults)
            return
        if phones > adults:
            self._note(number, ASK, MORE_THAN_ADULTS, phones=phones, place=place, adults=adults)
        first = self._rows.setdefault((day, place), number)
        if first != number:
            self._note(number, STOP, TWICE, place=place, day=day, row=first)
            return
        if read.slip:
            self._note(number, ASK, SLIP, text=text, place=place)
        known = self._before(place, day)
        if known is not None and known.phones >= _RISE_FROM:
            if phones <= known.phones * _FALL:
                self._note(number, ASK, FALLEN, place=place, before=known.phones, now=phones)
            elif phones >= known.phones * _RISE:
                self._note(number, ASK, RISEN, place=place, before=known.phones, now=phones)
        figure = ImportedFigure(day, place, phones)
        self._lines.append(FigureLine(number, text, figure, known))
        if read.kind == DISTRICT:
            self._in_block.append(figure)
        else:
            self._check_sum(number, phones)

    def _no_count(self, number: int, place: str, value: Cell) -> None:
        if value is None:
            self._note(number, ASK, EMPTY_COUNT, place=place)
        elif isinstance(value, Formula):
            self._note(number, STOP, NO_VALUE)
        else:
            broken = isinstance(value, float) or (isinstance(value, str) and value.startswith("0."))
            self._note(number, STOP, BROKEN_COUNT if broken else NO_COUNT, value=str(value)[:40])

    def _day(self, number: int, row: Cells) -> date | None:
        value: Cell = self._mapping.day
        if self._mapping.days != NOWHERE:
            value = _at(row, self._mapping.days)
        day = as_day(value)
        if day is None:
            self._note(number, STOP, NO_SUCH_DAY, value=str(value if value is not None else "")[:40])
        elif day > self._today or day < FIRST_DAY:
            self._tell_day(number, STOP, FUTURE if day > self._today else TOO_EARLY, day)
            return None
        elif self._mapping.days == NOWHERE and not self._mapping.day_sure:
            self._tell_day(0, ASK, UNSURE_DAY, day)
        if day is not None and day < self._today - _LONG_AGO:
            self._tell_day(number, ASK, LONG_AGO, day)
        return day

    def _tell_day(self, number: int, level: str, sentence: str, day: date) -> None:
        """Remark on a day once, however many rows have it."""
        if not any(told.sentence == sentence and told.values.get("day") == day for told in self._remarks):
            self._note(0 if self._mapping.days == NOWHERE else number, level, sentence, day=day)

    def _check_sum(self, number: int, total: int | None) -> None:
        counted = sum(figure.phones for figure in self._in_block)
        if total is not None and len(self._in_block) > 1 and total != counted:
            self._note(number, ASK, NOT_THE_SUM, total=total, sum=counted)
        self._in_block = []

    def _note(self, row: int, level: str, sentence: str, /, **values: object) -> None:
        remark = Remark(row, level, sentence, values)
        if remark not in self._remarks:
            self._remarks.append(remark)

    def _adults(self, place: str) -> int:
        district = self._regions.districts.get(place)
        return district.adults_estimate if district else self._regions.province.baseline.adults_estimate


def _at(row: Cells, column: int) -> Cell:
    return row[column] if 0 <= column < len(row) else None


def latest_before(known: Sequence[tuple[date, str, int]]) -> Before:
    """Return a look-up of the latest figure of a place before a day, from all that are known, oldest first."""
    by_place: dict[str, list[OfficialFigure]] = {}
    for day, place, phones in known:
        by_place.setdefault(place, []).append(OfficialFigure(day, phones))

    def before(place: str, day: date) -> OfficialFigure | None:
        return next((one for one in reversed(by_place.get(place, [])) if one.day < day), None)

    return before
