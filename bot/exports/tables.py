"""Views of the counts as tables. Each column says what it holds, so that no writer guesses from the look of a text.

The command line, the chat and the desk ask for them; `bot.exports.spreadsheet` writes them as CSV and XLSX.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from bot.channels.titles import CHANNEL_TITLES
from bot.exports.charts import STEP_NAMES, Chart
from bot.i18n.catalogue import NAMES, Catalogue, mark
from bot.library.regions import NEW_MAP, Regions
from bot.library.sources import Sources, codes_within, source_name
from bot.statistics import counts
from bot.statistics.counts import Tally
from bot.store import Row, Store

VIEWS = counts.GROUPS
NOTHING = "-"  # how programs read a part that nobody named

TITLES: Final[Mapping[str, str]] = {
    "district": mark("Districts"),
    "commune": mark("Communes"),
    "commune-2025": mark("Communes since July 2025"),
    "day": mark("Single days"),
    "week": mark("Weeks"),
    "month": mark("Months"),
    "channel": mark("Channels"),
    "language": mark("Languages"),
    "source": mark("Where they came from"),
    "product": mark("Health books"),
}
PRODUCTS: Final[Mapping[str, str]] = {
    "app": mark("the app of 2021"),
    "vneid": mark("the book inside VNeID"),
    "both": mark("both"),
    "": mark("the app; reported before the book was asked for"),
}

Cells = list[object]


class Kind(StrEnum):
    """What a column holds: a text, digits that are no number, a whole number, per cent, a date, a month's first day."""

    TEXT = "text"
    CODE = "code"
    COUNT = "count"
    PERCENT = "percent"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` for programs, `title` for officers; where one is empty, the column is for the other only.

    A count of 0 means fewer than `least`, where that is more than 1.
    """

    kind: Kind
    key: str = ""
    title: str = ""
    least: int = 1


@dataclass(frozen=True, slots=True)
class ExportTable:
    """One view of the counts; each row has a value for each column."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: list[Cells]

    def for_programs(self) -> tuple[list[str], list[Cells]]:
        """Return the keys and the rows as scripts rely on them: days in ISO, months as YYYY-MM, "-" for nothing."""
        kept = [number for number, column in enumerate(self.columns) if column.key]
        rows = [[_plain(row[number], self.columns[number].kind) for number in kept] for row in self.rows]
        return [self.columns[number].key for number in kept], rows

    def records(self) -> list[dict[str, object]]:
        """Return the rows for programs by key."""
        header, rows = self.for_programs()
        return [dict(zip(header, row, strict=True)) for row in rows]

    def for_officers(self) -> ExportTable:
        """Return the table without the columns that only programs need."""
        kept = [number for number, column in enumerate(self.columns) if column.title]
        columns = tuple(self.columns[number] for number in kept)
        return replace(self, columns=columns, rows=[[row[number] for number in kept] for row in self.rows])


@dataclass(frozen=True, slots=True)
class TabledChart:
    """A chart, and the table that says the same."""

    chart: Chart
    table: ExportTable


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which counts a table shows: the time, the scope, and how exact; see `bot.statistics.counts`."""

    today: date
    since: date | None = None
    until: date | None = None
    scope: frozenset[str] | None = None
    step: int = 1

    @property
    def last_day(self) -> date:
        """The last day that is counted."""
        last = counts.last_day(self.today, self.step)
        return min(self.until or last, last)


def _plain(value: object, kind: Kind) -> object:
    if isinstance(value, date):
        return value.isoformat()[:7] if kind is Kind.MONTH else value.isoformat()
    return NOTHING if value is None else value


def in_words(value: object, column: Column, catalogue: Catalogue) -> str:
    """Write a value as officers read it on a page or a terminal."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, date):
        return f"{value:%m/%Y}" if column.kind is Kind.MONTH else catalogue.day(value)
    assert isinstance(value, int | float)  # nothing else stands in a table
    if column.kind is Kind.PERCENT:
        return catalogue.percent(value / 100)
    if value == 0 and column.least > 1:
        return catalogue.t("fewer than {count}", count=column.least)
    return catalogue.number(value)


async def table(
    store: Store,
    regions: Regions,
    view: str,
    wanted: Wanted,
    catalogue: Catalogue,
    *,
    sources: Sources | None = None,
) -> ExportTable:
    """Make the table of one of `VIEWS`; with `sources`, their codes are named."""
    if view == "district":
        return await _districts(store, regions, wanted, catalogue)
    tallies = await counts.count_by(
        store,
        view,
        since=wanted.since,
        until=wanted.until,
        scope=wanted.scope,
        step=wanted.step,
        today=wanted.today,
        regions=regions,
    )
    if view in ("commune", "commune-2025"):
        columns, rows = _communes(tallies, regions, catalogue)
    elif view in ("day", "week", "month"):
        columns, rows = _times(tallies, view, catalogue)
    else:
        names = _names(view, tallies, regions, catalogue, sources, wanted.today)
        columns, rows = _named(tallies, view, catalogue, names)
    title = TITLES[view]
    return ExportTable(view, catalogue.t(title), columns, rows)


async def _districts(store: Store, regions: Regions, wanted: Wanted, catalogue: Catalogue) -> ExportTable:
    province = await counts.count_districts(
        store,
        regions,
        today=wanted.today,
        since=wanted.since,
        until=wanted.until,
        scope=wanted.scope,
        step=wanted.step,
    )
    official = await counts.official_figures(store, regions, until=wanted.last_day)
    t = catalogue.t
    columns = (
        Column(Kind.COUNT, "rank", t("Rank")),
        Column(Kind.TEXT, "district"),
        Column(Kind.TEXT, "name"),
        Column(Kind.CODE, "", t("District code")),
        Column(Kind.TEXT, "", t("District")),
        Column(Kind.COUNT, "self_reported", t("Self-reported"), province.step),
        Column(Kind.COUNT, "adults_estimate", t("Adults (estimate)")),
        Column(Kind.PERCENT, "share_percent", t("Share of adults")),
        Column(Kind.COUNT, "new_7_days", t("New in 7 days")),
        Column(Kind.COUNT, "", t("Phones (official figure)")),
        Column(Kind.DAY, "", t("Official figure of")),
    )

    def row(rank: object, place: str, name: str, code: str, title: str, figures: Cells) -> Cells:
        known = official.get(place)
        counted: Cells = [known.phones, known.day] if known else [None, None]
        return [rank, place, name, code, _capital(title), *figures, *counted]

    rows: list[Cells] = []
    for c in province.districts:
        district = regions.districts[c.district]
        figures: Cells = [c.reports, c.adults, round(100 * c.share, 3), c.new]
        rows.append(row(c.rank, c.district, district.name, district.code, district.title(catalogue.language), figures))
    if wanted.scope is None:
        whole = regions.province
        figures = [province.reports, province.adults, round(100 * province.share, 3), province.new]
        rows.append(row("", whole.id, whole.name, whole.code, t("the whole province"), figures))
    title = TITLES["district"]
    return ExportTable("district", t(title), columns, rows)


def _communes(
    tallies: Sequence[Tally], regions: Regions, catalogue: Catalogue
) -> tuple[tuple[Column, ...], list[Cells]]:
    t = catalogue.t
    columns = (
        Column(Kind.CODE, "code", t("Commune code")),
        Column(Kind.TEXT, "commune"),
        Column(Kind.TEXT, "", t("Commune")),
        Column(Kind.TEXT, "district"),
        Column(Kind.TEXT, "", t("District")),
        Column(Kind.COUNT, "self_reported", t("Self-reported")),
        Column(Kind.CODE, "map", t("Map of")),
    )
    rows: list[Cells] = []
    for one in tallies:
        name = regions.commune_name(one.key) if one.key else None
        code = one.key.removeprefix(NEW_MAP) or None
        year = ("2025" if one.key.startswith(NEW_MAP) else "2021") if one.key else None
        district = _capital(regions.districts[one.within].title(catalogue.language))
        rows.append([code, name, name or t("not named"), one.within, district, one.reports, year])
    return columns, rows


def _times(tallies: Sequence[Tally], view: str, catalogue: Catalogue) -> tuple[tuple[Column, ...], list[Cells]]:
    t = catalogue.t
    kind = Kind.MONTH if view == "month" else Kind.DAY
    title = {"day": t("Day"), "week": t("Week from Monday"), "month": t("Month")}[view]
    columns = (Column(kind, view, title), Column(Kind.COUNT, "self_reported", t("New self-reports")))
    return columns, [[date.fromisoformat(f"{one.key}-01"[:10]), one.reports] for one in tallies]


def _named(
    tallies: Sequence[Tally], view: str, catalogue: Catalogue, names: Mapping[str, str]
) -> tuple[tuple[Column, ...], list[Cells]]:
    """Make a view of things with a key and a name; sources keep their name for programs too."""
    t, is_source = catalogue.t, view == "source"
    title = {
        "channel": t("Channel"),
        "language": t("Language spoken"),
        "source": t("Place or unit"),
        "product": t("Health book"),
    }[view]
    columns = (
        Column(Kind.TEXT, view, t("Code") if is_source else ""),
        Column(Kind.COUNT, "self_reported", t("Self-reported")),
        Column(Kind.TEXT, "name" if is_source else "", title),
    )
    return columns, [[one.key or None, one.reports, names.get(one.key)] for one in tallies]


def _names(
    view: str,
    tallies: Sequence[Tally],
    regions: Regions,
    catalogue: Catalogue,
    sources: Sources | None,
    today: date,
) -> Mapping[str, str]:
    if view == "source":
        return source_names([one.key for one in tallies], regions, sources, today)
    known = {"channel": CHANNEL_TITLES, "language": NAMES, "product": PRODUCTS}[view]
    unknown = catalogue.t("not known")
    return {one.key: catalogue.t(known[one.key]) if one.key in known else one.key or unknown for one in tallies}


def source_names(codes: Collection[str], regions: Regions, sources: Sources | None, today: date) -> Mapping[str, str]:
    """Name the places and units that codes stand for; what is no code of ours is left out."""
    known = sources.by_code if sources else {}
    return {
        code: ", ".join(filter(None, source_name(known[code], regions, today=today))) for code in codes if code in known
    }


async def funnel(
    store: Store, wanted: Wanted, catalogue: Catalogue, *, codes: Collection[str] | None = None
) -> ExportTable:
    """Make the table of the steps from the first contact to the report; with `codes`, of those who came by them."""
    steps = await counts.count_steps(
        store, today=wanted.today, since=wanted.since, until=wanted.until, step=wanted.step, sources=codes
    )
    t = catalogue.t
    columns = (
        Column(Kind.TEXT, "step"),
        Column(Kind.TEXT, "name", t("Step")),
        Column(Kind.COUNT, "people", t("People"), 2 * wanted.step if wanted.step > 1 else 1),
    )
    rows: list[Cells] = [[step.name, t(STEP_NAMES[step.name]), step.people] for step in steps]
    return ExportTable("funnel", t("From contact to report"), columns, rows)


async def official(store: Store, regions: Regions, wanted: Wanted, catalogue: Catalogue) -> ExportTable:
    """Make the table of the latest official figures; the province's stands there whatever the scope."""
    t = catalogue.t
    columns = (
        Column(Kind.DAY, "date", t("Day")),
        Column(Kind.TEXT, "district"),
        Column(Kind.TEXT, "name"),
        Column(Kind.CODE, "", t("District code")),
        Column(Kind.TEXT, "", t("District")),
        Column(Kind.COUNT, "phones", t("Phones (official figure)")),
    )
    rows: list[Cells] = []
    for place, figure in (await counts.official_figures(store, regions, until=wanted.until or wanted.today)).items():
        if place == regions.province.id:
            whole = regions.province
            rows.append([figure.day, place, whole.name, whole.code, t("the whole province"), figure.phones])
        elif wanted.scope is None or place in wanted.scope:
            district = regions.districts[place]
            title = _capital(district.title(catalogue.language))
            rows.append([figure.day, place, district.name, district.code, title, figure.phones])
    return ExportTable("official", t("Official figures"), columns, rows)


async def all_tables(
    store: Store, regions: Regions, wanted: Wanted, catalogue: Catalogue, *, sources: Sources | None = None
) -> list[ExportTable]:
    """Make every view, the funnel (of districts: from their posters) and the official figures."""
    tables = [await table(store, regions, view, wanted, catalogue, sources=sources) for view in VIEWS]
    if wanted.scope is None:
        tables.append(await funnel(store, wanted, catalogue))
    elif sources is not None:
        tables.append(await funnel(store, wanted, catalogue, codes=codes_within(wanted.scope, sources, regions)))
    tables.append(await official(store, regions, wanted, catalogue))
    return tables


def raw_table(
    reports: Sequence[Row], regions: Regions, catalogue: Catalogue, *, sources: Sources | None, today: date
) -> ExportTable:
    """Make the table of reports one by one, without who made them."""
    t = catalogue.t
    columns = (
        Column(Kind.DAY, "day", t("Day")),
        Column(Kind.TEXT, "district"),
        Column(Kind.CODE, "", t("District code")),
        Column(Kind.TEXT, "", t("District")),
        Column(Kind.CODE, "commune", t("Commune code")),
        Column(Kind.TEXT, "", t("Commune")),
        Column(Kind.TEXT, "channel"),
        Column(Kind.TEXT, "", t("Channel")),
        Column(Kind.TEXT, "language"),
        Column(Kind.TEXT, "", t("Language spoken")),
        Column(Kind.TEXT, "source", t("Code")),
        Column(Kind.TEXT, "", t("Place or unit")),
    )
    named = source_names({row["source"] for row in reports}, regions, sources, today)
    rows: list[Cells] = []
    for row in reports:
        district, commune, channel, language = row["district"], row["commune"], row["channel"], row["language"]
        known = regions.districts.get(district)
        rows.append(
            [
                date.fromisoformat(row["day"]),
                district,
                known.code if known else None,
                _capital(known.title(catalogue.language)) if known else None,
                commune,
                regions.commune_name(commune) if commune else None,
                channel,
                t(CHANNEL_TITLES.get(channel, channel)),
                language,
                NAMES.get(language),
                row["source"],
                named.get(row["source"]),
            ]
        )
    return ExportTable("raw", t("Single reports"), columns, rows)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
