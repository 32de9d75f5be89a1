"""counts: the self-reported installations as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import click
import orjson

from bot import counts
from bot.commands.context import DAY, Context, day, pass_context
from bot.errors import BotError
from bot.i18n import load_catalogues
from bot.regions import Regions, load_regions

FORMATS = ("table", "csv", "json")


@click.command("counts")
@click.option(
    "--by", "group", type=click.Choice(counts.GROUPS), default="district", show_default=True, help="What makes a line."
)
@click.option("--since", type=DAY, callback=day, metavar="YYYY-MM-DD", help="First day.")
@click.option("--until", type=DAY, callback=day, metavar="YYYY-MM-DD", help="Last day, which counts too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="A table to read, CSV for a spreadsheet, JSON for programs.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of the screen.")
@pass_context
def show_counts(
    context: Context, group: str, since: date | None, until: date | None, form: str, out: Path | None
) -> None:
    """Count reports of installation, as citizens reported them; not official figures."""
    if since and until and since > until:
        raise click.UsageError("--since is later than --until")
    regions = load_regions(context.settings.region)
    header, rows = context.run(_rows(context, regions, group, since, until))
    if form == "json":
        text = orjson.dumps([dict(zip(header, row, strict=True)) for row in rows], option=orjson.OPT_INDENT_2).decode()
    elif form == "csv":
        text = _as_csv(header, rows)
    else:
        text = _as_table(header, rows) + "\n\n" + _notes(context, regions)
    if out is None:
        print(text.rstrip("\n"))
        return
    try:
        # Excel takes a file for UTF-8 only when it begins with this mark.
        out.write_text(text, encoding="utf-8-sig" if form == "csv" else "utf-8")
    except OSError as error:
        raise BotError(f"{out} cannot be written: {error.strerror}.") from None


async def _rows(
    context: Context, regions: Regions, group: str, since: date | None, until: date | None
) -> tuple[list[str], list[list[object]]]:
    async with context.store() as store:
        if group != "district":
            tallies = await counts.count_by(store, group, since=since, until=until)
            if group == "commune":
                rows: list[list[object]] = [
                    [t.key or "-", regions.commune_name(t.key) if t.key else "-", t.within, t.reports] for t in tallies
                ]
                return ["code", "commune", "district", "self_reported"], rows
            return [group, "self_reported"], [[t.key or "-", t.reports] for t in tallies]
        province = await counts.count_districts(store, regions, today=context.today(), since=since, until=until)
    header = ["rank", "district", "name", "self_reported", "adults_estimate", "share_percent", "new_7_days"]
    lines: list[list[object]] = [
        [c.rank, c.district, regions.districts[c.district].name, c.reports, c.adults, round(100 * c.share, 3), c.new]
        for c in province.districts
    ]
    total = [province.reports, province.adults, round(100 * province.share, 3), province.new]
    lines.append(["", regions.province.id, regions.province.name, *total])
    return header, lines


def _notes(context: Context, regions: Regions) -> str:
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


def _as_csv(header: list[str], rows: Iterable[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a citizen's text (a source) for a formula."""
    return (
        f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") and len(value) > 1 else value
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
