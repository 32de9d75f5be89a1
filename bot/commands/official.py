"""import-official: figures of the authorities beside what citizens report."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from bot import clock
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.commands.people import ACTOR
from bot.commands.progress import progress
from bot.errors import BotError, NotAllowed
from bot.i18n.catalogue import Catalogue, load_catalogues
from bot.library.regions import Regions, load_regions
from bot.statistics import official
from bot.statistics.official import OfficialImport
from bot.statistics.official_mapping import NOWHERE, ColumnShown, TableMapping, columns_of
from bot.statistics.official_preview import STOP, ImportPreview, Remark, place_name, remark_words
from bot.statistics.table_reader import SheetTable, TableRefused, read_bounded
from bot.store import Store
from bot.yaml_document import shown_path

_COLUMN = "Column letter, as in Excel."


@click.command("import-official")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--sheet", help="Name of the sheet, or its number from 1 (default: the one that names most districts).")
@click.option("--heading-row", type=click.IntRange(0), help="Row number of the heading's last line.")
@click.option("--places", metavar="COLUMN", help=f"Where the districts stand. {_COLUMN}")
@click.option("--phones", metavar="COLUMN", help=f"Where the number of phones stands. {_COLUMN}")
@click.option("--days", metavar="COLUMN", help=f"Where the days stand. {_COLUMN}")
@click.option("--day", "one_day", type=DAY, callback=day, help="The day of all rows, YYYY-MM-DD.")
@click.option("--yes", is_flag=True, help="Take in what is shown, also what is marked as odd, without asking.")
@click.option(
    "--undo", type=click.IntRange(1, 2**63 - 1), metavar="NUMBER", help="Put back what stood before an import."
)
@pass_context
def import_official(
    context: CommandContext,
    file: Path | None,
    sheet: str | None,
    heading_row: int | None,
    places: str | None,
    phones: str | None,
    days: str | None,
    one_day: date | None,
    yes: bool,
    undo: int | None,
) -> None:
    """Take in official figures from FILE, a CSV or XLSX, or with --undo put back what stood before an import.

    Any table of a department will do: titles, totals and signatures are no obstacle. What was understood is shown
    first, and asked about in a terminal; a table with the headings date, district, phones needs no question. A figure
    of the same day and place takes the place of the old one. Nothing is taken in when anything is wrong.
    """
    if (file is None) == (undo is None):
        raise click.UsageError("give a FILE, or --undo and the number of an import")
    if file is None:
        assert undo is not None  # one of both was given
        context.run(_undo(context, undo))
        return
    regions = load_regions(context.settings.region)
    catalogue = load_catalogues([context.settings.default_language])[context.settings.default_language]
    given = {
        "sheet": sheet,
        "heading_row": heading_row,
        "place": places,
        "phones": phones,
        "days": days,
        "day": one_day,
    }
    chosen = {name: value for name, value in given.items() if value is not None}

    async def work() -> None:
        async with context.store() as store:
            number = await _draft(context, store, file, regions, catalogue)
            try:
                await _look_and_take(context, store, number, chosen, regions, catalogue, yes=yes)
            finally:
                await official.discard_draft(store, number)

    context.run(work())


async def _draft(context: CommandContext, store: Store, file: Path, regions: Regions, catalogue: Catalogue) -> int:
    try:
        with progress("Reading the table"):
            content = read_bounded(file)
            return await official.keep_draft(store, content, file.name, regions, actor=ACTOR, at=clock.now())
    except TableRefused as refusal:
        raise BotError(f"{shown_path(file)}: {catalogue.t(refusal.sentence, **refusal.values)}") from None


async def _look_and_take(
    context: CommandContext,
    store: Store,
    number: int,
    chosen: Mapping[str, object],
    regions: Regions,
    catalogue: Catalogue,
    *,
    yes: bool,
) -> None:
    found, today = await official.find_import(store, number), context.today()
    mapping = _chosen_mapping(found, chosen)
    await official.change_mapping(store, number, mapping)
    found = replace(found, mapping=mapping)
    preview = await official.preview_import(store, found, regions, today=today)
    asks = preview.doubtful or not (mapping.plain or chosen)
    if asks or preview.stopped:
        print("\n".join(_shown(found, preview, regions, catalogue)))
    if preview.stopped:
        problems = [_said(found.file, remark, regions, catalogue) for remark in preview.remarks if remark.level == STOP]
        raise BotError("\n".join(problems))
    for remark in preview.remarks:
        print(_said(found.file, remark, regions, catalogue), file=sys.stderr)
    if asks and not yes and not _agreed(catalogue):
        raise BotError("Nothing was taken in. Look at what is shown above; --yes takes it in.")
    try:
        done = await official.take_in(
            store, number, regions, seen=preview.version, sure=True, actor=ACTOR, at=clock.now(), today=today
        )
    except NotAllowed as refusal:
        raise BotError(catalogue.t(str(refusal))) from None
    taken = sorted({figure.day for figure in done.figures})
    print(f"{len(done.figures)} official figures from {taken[0]} to {taken[-1]} taken in, {done.replaced} of them "
          f"corrected. To undo: python -m bot import-official --undo {number}")  # fmt: skip


def _agreed(catalogue: Catalogue) -> bool:
    return sys.stdin.isatty() and click.confirm(catalogue.t("Take these figures in?"), default=False)


def _chosen_mapping(found: OfficialImport, chosen: Mapping[str, object]) -> TableMapping:
    mapping = found.mapping
    changes: dict[str, object] = {}
    if "sheet" in chosen:
        changes["sheet"] = _sheet(found.tables, str(chosen["sheet"]))
    if "heading_row" in chosen:
        changes["heading_row"] = chosen["heading_row"]
    changes.update({name: _column(str(chosen[name])) for name in ("place", "phones", "days") if name in chosen})
    if "day" in chosen:
        changes.update(day=chosen["day"], day_sure=True, days=NOWHERE)
    return replace(mapping, **changes)  # type: ignore[arg-type]


def _sheet(tables: tuple[SheetTable, ...], wanted: str) -> int:
    names = [table.name for table in tables]
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and 0 < int(wanted) <= len(names):
        return int(wanted) - 1
    raise click.BadParameter(f"there is no sheet {wanted!r}; there are {', '.join(names)}", param_hint="--sheet")


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z" or len(letters) > 2:
            raise click.BadParameter(f"must be a letter such as B, not {letters!r}")
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _shown(found: OfficialImport, preview: ImportPreview, regions: Regions, catalogue: Catalogue) -> Iterator[str]:
    """Show where the figures stand and what they are."""
    t, mapping = catalogue.t, found.mapping
    table = found.tables[mapping.sheet]
    columns = {column.number: column for column in columns_of(table, mapping.heading_row)}
    yield t("Sheet: {name}", name=table.name)
    yield t("Last line of the heading: {row}", row=mapping.heading_row)
    yield t("Places: {column}", column=_column_words(columns.get(mapping.place), catalogue))
    yield t("Phones: {column}", column=_column_words(columns.get(mapping.phones), catalogue))
    if mapping.days != NOWHERE:
        yield t("Days: {column}", column=_column_words(columns.get(mapping.days), catalogue))
    elif mapping.day is not None:
        yield t("Day of all rows: {day}", day=catalogue.day(mapping.day))
    for line in preview.lines:
        before = catalogue.number(line.before.phones) if line.before else "–"
        figure = line.figure
        yield (f"{line.row:>5}  {catalogue.day(figure.day)}  {catalogue.number(figure.phones):>10}  {before:>10}  "
               f"{place_name(figure.district, regions, catalogue)}")  # fmt: skip


def _column_words(column: ColumnShown | None, catalogue: Catalogue) -> str:
    return f"{column.letter} “{column.heading}”" if column else catalogue.t("not found")


def _said(file: str, remark: Remark, regions: Regions, catalogue: Catalogue) -> str:
    where = f"{file}:{remark.row}" if remark.row else file
    return f"{where}: {remark_words(remark, regions, catalogue)}"


async def _undo(context: CommandContext, number: int) -> None:
    catalogue = load_catalogues([context.settings.default_language])[context.settings.default_language]
    async with context.store() as store:
        try:
            undone = await official.undo_import(store, number, actor=ACTOR, at=clock.now())
        except NotAllowed as refusal:
            raise BotError(catalogue.t(str(refusal))) from None
    print(f"Undone: {len(undone.figures)} official figures of {undone.file} are as they were before.")
