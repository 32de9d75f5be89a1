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
from bot.errors import BotError
from bot.exports import spreadsheet
from bot.exports.spreadsheet import BOM, ExportTable, Wanted, as_csv, as_xlsx
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import Regions, load_regions
from bot.library.sources import load_sources
from bot.statistics import counts
from bot.store import Store, Transaction, tallies

FORMATS = ("table", "csv", "json", "xlsx")
PAGE = 5000


@click.command("counts")
@click.option("--by", "group", type=click.Choice(counts.GROUPS), default="district", show_default=True)
@click.option("--since", type=DAY, callback=day, help="First day, YYYY-MM-DD.")
@click.option("--until", type=DAY, callback=day, help="Last day, YYYY-MM-DD.")
@click.option("--published", is_flag=True, help="Rounded, up to yesterday: what everybody may see.")
@click.option("--raw", is_flag=True, help="Every report, without who made it, as CSV; leaves a line in the audit.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
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
    out: Path | None,
) -> None:
    """Count reports of installation, as citizens reported them; not official figures.

    A workbook (--format xlsx) holds all views.
    """
    if since and until and since > until:
        raise click.UsageError("--since is later than --until")
    if raw and (published or since or until or group != "district"):
        raise click.UsageError("--raw lists everything; it takes no other choice than --out")
    if (raw or form == "xlsx") and out is None:
        raise click.UsageError("--out FILE is needed here")
    regions = load_regions(context.settings.region)
    step = max(1, context.settings.privacy.small_count) if published else 1
    wanted = Wanted(context.today(), since, until, None, step)
    if raw:
        assert out is not None  # asked for above
        print(f"{context.run(_write_raw(context, out))} reports written to {out}.")
        return
    tables = context.run(_tables(context, regions, group, wanted, everything=form == "xlsx"))
    content: bytes
    if form == "xlsx":
        content = as_xlsx(tables)
    else:
        header, rows = tables[0].header, tables[0].rows
        if form == "json":
            shown = [dict(zip(header, row, strict=True)) for row in rows]
            text = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
        elif form == "csv":
            text = as_csv(header, rows)
        else:
            text = _as_table(header, rows) + "\n\n" + _notes(context, regions)
        if out is None:
            print(text.rstrip("\n"))
            return
        content = ((BOM if form == "csv" else "") + text).encode()
    try:
        out.write_bytes(content)  # type: ignore[union-attr]
    except OSError as error:
        raise _unwritable(out, error) from None


async def _tables(
    context: CommandContext, regions: Regions, group: str, wanted: Wanted, *, everything: bool
) -> Sequence[ExportTable]:
    language, sources = context.settings.default_language, load_sources(context.settings.content)
    async with context.store() as store:
        if await counts.are_simulated(store):
            print(load_catalogues([language])[language].t(counts.SIMULATED), file=sys.stderr)
        if everything:
            catalogue = load_catalogues([language])[language]
            return await spreadsheet.all_tables(store, regions, wanted, catalogue, sources=sources)
        return [await spreadsheet.table(store, regions, group, wanted, sources=sources)]


async def _write_raw(context: CommandContext, out: Path) -> int:
    """Write all reports page by page, so that millions need little memory."""
    number = 0

    def note(tx: Transaction) -> None:
        access.write_audit(tx, actor=ACTOR, action="export-raw", detail="all reports", at=clock.now())

    language = context.settings.default_language
    async with context.store() as store:
        if await counts.are_simulated(store):
            print(load_catalogues([language])[language].t(counts.SIMULATED), file=sys.stderr)
        await store.write(note)  # first, so that no row leaves without it
        try:
            with out.open("w", encoding="utf-8", newline="") as file:
                file.write(BOM + as_csv(spreadsheet.RAW_HEADER, []))
                async for rows in _pages(store):
                    number += len(rows)
                    file.write(as_csv([], rows).removeprefix("\r\n"))
        except OSError as error:
            raise _unwritable(out, error) from None
    return number


async def _pages(store: Store) -> AsyncIterator[list[list[object]]]:
    after = 0
    while True:
        page = await store.read(lambda tx, after=after: tallies.raw(tx, after=after, limit=PAGE))  # type: ignore[misc]
        if not page:
            return
        after = page[-1]["number"]
        yield [[row[column] for column in spreadsheet.RAW_HEADER] for row in page]


def _unwritable(out: Path | None, error: OSError) -> BotError:
    return BotError(f"{out} cannot be written: {error.strerror}.")


def _notes(context: CommandContext, regions: Regions) -> str:
    base = regions.province.baseline
    language = context.settings.default_language
    catalogue = load_catalogues([language])[language]
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


def _as_table(header: list[str], rows: list[list[object]]) -> str:
    cells = [header, *[[str(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = [
        all(isinstance(row[column], int | float) or row[column] == "" for row in rows) for column in range(len(header))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    )
