"""Figures of the authorities from a table: all of it, or nothing and a sentence for each wrong row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.access.roles import write_audit
from bot.clock import stamp
from bot.errors import ContentError, Problem
from bot.library.regions import Regions
from bot.statistics.table_reader import Cells, as_count, as_day, read_rows
from bot.store import Store, Transaction, official
from bot.text.normalize import fold
from bot.yaml_document import shown_path

COLUMNS = {
    "date": ("date", "day", "ngay"),
    "district": ("district", "huyen", "don vi", "dia phuong", "huyen, thanh pho"),
    "phones": ("phones", "so may", "so may da cai", "so luong"),
}
_WHOLE = ("toan tinh", "tinh", "ca tinh", "province")
_KINDS = ("huyen ", "thanh pho ", "tp. ", "tp ", "h. ", "tinh ")
_MOST_PHONES_PER_ADULT = 5  # more is a slip of the keyboard


@dataclass(frozen=True, slots=True)
class ImportedFigure:
    """Phones with the app in a district, or the province by its id, at the end of a day."""

    day: date
    district: str
    phones: int


def read_figures(path: Path, regions: Regions, *, today: date) -> list[ImportedFigure]:
    """Read a table with the columns date, district, phones; raises ContentError with every wrong row."""
    name = shown_path(path)
    rows = read_rows(path)
    if not rows:
        raise ContentError([Problem(name, 0, "is empty.")])
    number, header = rows[0]
    places, missing = _columns(header)
    if missing:
        sentence = f"the first row must name the columns date, district, phones; missing: {', '.join(missing)}."
        raise ContentError([Problem(name, number, sentence)])
    figures: list[ImportedFigure] = []
    problems: list[Problem] = []
    seen: dict[tuple[date, str], int] = {}
    for number, row in rows[1:]:
        figure, wrong = _figure(row, places, regions, today)
        problems += [Problem(name, number, sentence) for sentence in wrong]
        if figure is None:
            continue
        before = seen.setdefault((figure.day, figure.district), number)
        if before != number:
            problems.append(Problem(name, number, f"{figure.district} on {figure.day} stands in row {before} already."))
        figures.append(figure)
    if not figures and not problems:
        problems.append(Problem(name, 0, "has no row of figures."))
    if problems:
        raise ContentError(problems)
    return figures


async def import_figures(
    store: Store, figures: Sequence[ImportedFigure], *, actor: str, source: str, at: datetime
) -> int:
    """Keep figures in one transaction with a line in the audit; returns how many took the place of others."""

    def work(tx: Transaction) -> int:
        replaced = sum(
            official.put(tx, day=f.day.isoformat(), district=f.district, phones=f.phones, at=stamp(at)) for f in figures
        )
        write_audit(tx, actor=actor, action="import-official", detail=f"{len(figures)} figures of {source}", at=at)
        return replaced

    return await store.write(work)


def _columns(header: Cells) -> tuple[dict[str, int], list[str]]:
    folded = [fold(str(cell or "")).strip() for cell in header]
    places = {
        column: next(number for number, name in enumerate(folded) if name in names)
        for column, names in COLUMNS.items()
        if any(name in names for name in folded)
    }
    return places, [column for column in COLUMNS if column not in places]


def _figure(
    row: Cells, places: dict[str, int], regions: Regions, today: date
) -> tuple[ImportedFigure | None, list[str]]:
    given = {column: row[place] if place < len(row) else None for column, place in places.items()}
    wrong = []
    for column, value in given.items():
        if isinstance(value, str) and value.startswith("="):
            wrong.append(f"{column} is a formula; put its value there instead.")
        elif value in (None, ""):
            wrong.append(f"{column} is missing.")
    if wrong:
        return None, wrong
    day, phones = as_day(given["date"]), as_count(given["phones"])
    district = _district(str(given["district"]), regions)
    if day is None:
        wrong.append(f"date must be a day such as 2026-11-23 or 23/11/2026, not {str(given['date'])!r:.40}.")
    elif day > today:
        wrong.append(f"date lies in the future: {day}.")
    if not district:
        known = ", ".join(regions.districts)
        wrong.append(f"district {str(given['district'])!r:.40} is not known; known are {known}.")
    if phones is None:
        wrong.append(f"phones must be a whole number, not {str(given['phones'])!r:.40}.")
    elif district and phones > _MOST_PHONES_PER_ADULT * _adults(district, regions):
        wrong.append(f"phones cannot be {phones}: {district} has about {_adults(district, regions)} adults.")
    if wrong or day is None or phones is None:
        return None, wrong
    return ImportedFigure(day, district, phones), []


def _district(text: str, regions: Regions) -> str:
    """Return the id of what is named exactly, by id, code or name with or without its kind; no guesses here."""
    folded = fold(text).strip()
    if folded in _WHOLE:
        return regions.province.id
    names = {folded, *(folded.removeprefix(kind) for kind in _KINDS)}
    known = {place.id: {place.id, place.code, fold(place.name)} for place in regions.districts.values()}
    known[regions.province.id] = {regions.province.id, regions.province.code, fold(regions.province.name)}
    return next((place for place, called in known.items() if names & called), "")


def _adults(district: str, regions: Regions) -> int:
    if district in regions.districts:
        return regions.districts[district].adults_estimate
    return regions.province.baseline.adults_estimate
