"""report, poster: what leaves on paper."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import click

from bot import clock
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.commands.progress import progress
from bot.errors import BotError
from bot.exports import poster as posters
from bot.exports.official_report import make_report
from bot.exports.report_periods import Period, month_so_far, read_period
from bot.library.articles import load_library
from bot.library.regions import load_regions
from bot.library.sources import find_sources, load_sources, source_name


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file, such as a.docx.")
@click.option("--period", help="A month, quarter or year: 2026-10, 2026-Q3, 2026; or days: 2026-10-01..2026-10-15.")
@click.option("--since", type=DAY, callback=day, help="First day, YYYY-MM-DD (default: the first of the month).")
@click.option("--until", type=DAY, callback=day, help="Last day, YYYY-MM-DD (default: yesterday).")
@pass_context
def report(context: CommandContext, out: Path, period: str | None, since: date | None, until: date | None) -> None:
    """Write the official report of some days as a .docx in the form of Nghị định 30/2020/NĐ-CP."""
    settings, days = context.settings, _days(context.today(), period, since, until)
    regions, library = load_regions(settings.region), load_library(settings.content)

    async def work() -> bytes:
        async with context.store() as store:
            return await make_report(
                store,
                regions,
                library,
                days,
                settings.report_form,
                made_at=clock.now().astimezone(settings.zone),
                small_count=settings.privacy.small_count,
            )

    with progress("Counting and writing the report"):
        content = context.run(work())
    _write(out, content)
    print(f"{out}: {days.since} to {days.until}. Dotted blanks are filled in by hand; see report.* in config.yaml.")


def _days(today: date, named: str | None, since: date | None, until: date | None) -> Period:
    """Return the days that the options name. Raise click.UsageError if they contradict or name none that are over."""
    if named is not None:
        if since or until:
            raise click.UsageError("give --period or --since and --until")
        if (found := read_period(named, today)) is None:
            raise click.UsageError(f"--period: {named!r} names no days that are over, such as 2026-10, 2026-Q3 or 2026")
        return found
    usual = month_so_far(today)
    last = until or usual.until
    days = Period(since or min(usual.since, last.replace(day=1)), last)
    if days.since > days.until:
        raise click.UsageError("--since is later than --until")
    return days


@click.command()
@click.option("--region", help='District, commune or code: vinh-tuong, "xã Lũng Hoà", 09106, VT22.')
@click.option("--unit", help="Code or name of a department, school or enterprise in content/units.yaml.")
@click.option("--size", type=click.Choice(get_args(posters.Size)), default="a4", show_default=True)
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file, ending in .pdf or .png."
)
@pass_context
def poster(
    context: CommandContext, region: str | None, unit: str | None, size: posters.Size, language: str, out: Path
) -> None:
    """Make a poster with QR codes that know where it hangs, as PDF for print or PNG for phones."""
    wanted = region or unit
    if not wanted or (region and unit):
        raise click.UsageError("give one of --region and --unit")
    form = next((form for form in get_args(posters.Form) if out.suffix.lower() == f".{form}"), None)
    if form is None:
        raise click.UsageError("--out must end in .pdf or .png")
    settings = context.settings
    regions, sources, today = load_regions(settings.region), load_sources(settings.content), context.today()
    found = [source for source in find_sources(wanted, sources, regions) if bool(source.unit) == bool(unit)]
    if not found:
        where = "content/units.yaml" if unit else "the regions"
        raise BotError(f"{'--unit' if unit else '--region'}: {wanted!r} is not in {where}.")
    if len(found) > 1:
        names = "; ".join(f"{s.code}: {', '.join(source_name(s, regions, today=today))}" for s in found)
        raise BotError(f"{wanted!r} may mean several; give the code. {names}")
    made = posters.make_poster(
        found[0],
        posters.load_poster_text(settings.content),
        regions=regions,
        library=load_library(settings.content),
        settings=settings,
        today=today,
        size=size,
        form=form,
        language=language,
    )
    _write(out, made)
    print(f"{out}: {', '.join(filter(None, source_name(found[0], regions, today=today)))}, code {found[0].code}")


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BotError(f"{path} cannot be written: {error.strerror}.") from None
