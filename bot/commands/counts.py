"""counts: the self-reported installations as a table, CSV, JSON or XLSX."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import click
import orjson

from bot import access, clock
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.commands.people import ACTOR
from bot.commands.progress import progress
from bot.errors import BotError
from bot.exports import tables
from bot.exports.spreadsheet import BOM, as_csv, office_csv
from bot.exports.tables import ExportTable, Kind, Wanted
from bot.exports.workbook import make_workbook
from bot.i18n.catalogue import Catalogue, load_catalogues
from bot.library.regions import Regions, load_regions
from bot.library.sources import load_sources
from bot.statistics import counts
from bot.store import Row, Store, Transaction, tallies

FORMATS = ("table", "csv", "json", "xlsx")
PAGE = 5000


@click.command("counts")
@click.option("--by", "group", type=click.Choice(counts.GROUPS), default="district", show_default=True)
@click.option("--since", type=DAY, callback=day, help="First day, YYYY-MM-DD.")
@click.option("--until", type=DAY, callback=day, help="Last day, YYYY-MM-DD.")
@click.option("--published", is_flag=True, help="Rounded, up to yesterday: what everybody may see.")
@click.option("--raw", is_flag=True, help="Every report, without who made it, as CSV; leaves a line in the audit.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--labels",
    type=click.Choice(("vi", "en")),
    help="Headings, names and numbers as officers read them; table and xlsx have them anyway.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of the screen.")
@pass_context
def show_counts(
    context: CommandContext,
    group: str,
    since: date | None,
    until: date | None,
    published: bool,
    raw: bool,
    form: str,
    labels: str | None,
    out: Path | None,
) -> None:
    """Count reports of installation, as citizens reported them; not official figures.

    A workbook (--format xlsx) holds all views. CSV and JSON keep their English keys for scripts; --labels vi gives the
    CSV that a Vietnamese Excel opens.
    """
    if since and until and since > until:
        raise click.UsageError("--since is later than --until")
    if raw and (published or since or until or group != "district"):
        raise click.UsageError("--raw lists everything; it takes no other choice than --out and --labels")
    if (raw or form == "xlsx") and out is None:
        raise click.UsageError("--out FILE is needed here")
    regions = load_regions(context.settings.region)
    step = max(1, context.settings.privacy.small_count) if published else 1
    wanted = Wanted(context.today(), since, until, None, step)
    catalogue = _catalogue(labels or context.settings.default_language)
    if raw:
        assert out is not None  # asked for above
        with progress("Writing every report"):
            count = context.run(_write_raw(context, regions, catalogue, out, labelled=labels is not None))
        print(f"{count} reports written to {out}.")
        return
    with progress("Counting"):
        content = context.run(_content(context, regions, group, wanted, form, catalogue, labelled=labels is not None))
    if out is None:
        print(content.decode().removeprefix(BOM).rstrip("\n"))
        return
    if form == "csv" and labels is None:
        content = BOM.encode() + content
    try:
        out.write_bytes(content)
    except OSError as error:
        raise _unwritable(out, error) from None


async def _content(
    context: CommandContext,
    regions: Regions,
    group: str,
    wanted: Wanted,
    form: str,
    catalogue: Catalogue,
    *,
    labelled: bool,
) -> bytes:
    sources = load_sources(context.settings.content)
    async with context.store() as store:
        await _warn(store, catalogue)
        if form == "xlsx":
            agency = context.settings.report.agency
            return await make_workbook(store, regions, wanted, catalogue, agency=agency, sources=sources)
        found = await tables.table(store, regions, group, wanted, catalogue, sources=sources)
    if form == "table":
        return f"{_as_table(found, catalogue)}\n\n{_notes(regions, catalogue)}".encode()
    if form == "csv":
        return office_csv(found, catalogue) if labelled else as_csv(*found.for_programs()).encode()
    return orjson.dumps(_labelled(found) if labelled else found.records(), option=orjson.OPT_INDENT_2)


def _labelled(table: ExportTable) -> list[dict[str, object]]:
    shown = table.for_officers()
    titles = [column.title for column in shown.columns]
    return [dict(zip(titles, row, strict=True)) for row in shown.rows]


async def _warn(store: Store, catalogue: Catalogue) -> None:
    if await counts.are_simulated(store):
        print(catalogue.t(counts.SIMULATED), file=sys.stderr)


async def _write_raw(
    context: CommandContext, regions: Regions, catalogue: Catalogue, out: Path, *, labelled: bool
) -> int:
    """Write all reports page by page, so that millions need little memory."""
    number = 0

    def note(tx: Transaction) -> None:
        access.write_audit(tx, actor=ACTOR, action="export-raw", detail="all reports", at=clock.now())

    sources, today = load_sources(context.settings.content), context.today()

    def written(rows: Sequence[Row]) -> bytes:
        page = tables.raw_table(rows, regions, catalogue, sources=sources, today=today)
        return office_csv(page, catalogue) if labelled else (BOM + as_csv(*page.for_programs())).encode()

    async with context.store() as store:
        await _warn(store, catalogue)
        await store.write(note)  # first, so that no row leaves without it
        try:
            with out.open("wb") as file:
                file.write(written([]))
                async for rows in _pages(store):
                    file.write(written(rows).partition(b"\r\n")[2])
                    number += len(rows)
        except OSError as error:
            raise _unwritable(out, error) from None
    return number


async def _pages(store: Store) -> AsyncIterator[Sequence[Row]]:
    after = 0
    while True:
        page = await store.read(lambda tx, after=after: tallies.raw(tx, after=after, limit=PAGE))  # type: ignore[misc]
        if not page:
            return
        after = page[-1]["number"]
        yield page


def _catalogue(language: str) -> Catalogue:
    return load_catalogues([language])[language]


def _unwritable(out: Path | None, error: OSError) -> BotError:
    return BotError(f"{out} cannot be written: {error.strerror}.")


def _notes(regions: Regions, catalogue: Catalogue) -> str:
    base = regions.province.baseline
    compared = catalogue.t(
        "For comparison, the province's letter: on {day}, {phones} phones had the app, {share} of adults, "
        "rank {rank} of {provinces} provinces.",
        day=catalogue.day(base.date),
        phones=catalogue.number(base.phones),
        share=catalogue.percent(base.share / 100),
        rank=base.rank,
        provinces=base.provinces,
    )
    return (
        compared + "\n" + catalogue.t("Reported by citizens themselves; not official figures. Adults are an estimate.")
    )


def _as_table(table: ExportTable, catalogue: Catalogue) -> str:
    """Lay a table out for the terminal, numbers to the right."""
    shown = table.for_officers()
    right = [column.kind in (Kind.COUNT, Kind.PERCENT) for column in shown.columns]
    cells = [[column.title for column in shown.columns]]
    for row in shown.rows:
        cells.append(
            [tables.in_words(value, column, catalogue) for value, column in zip(row, shown.columns, strict=True)]
        )
    widths = [max(len(row[number]) for row in cells) for number in range(len(shown.columns))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    )
