"""import-official: figures of the authorities beside what citizens report."""

from __future__ import annotations

from pathlib import Path

import click

from bot import clock
from bot.commands.context import CommandContext, pass_context
from bot.commands.people import ACTOR
from bot.library.regions import load_regions
from bot.statistics import official


@click.command("import-official")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_context
def import_official(context: CommandContext, file: Path) -> None:
    """Take in official figures from FILE, a CSV or XLSX with the columns date, district, phones.

    A district is an id, code or name; "toàn tỉnh" is the province. A figure of the same day and district takes the
    place of the old one. Nothing is taken in when any row is wrong.
    """
    regions = load_regions(context.settings.region)
    figures = official.read_figures(file, regions, today=context.today())

    async def work() -> int:
        async with context.store() as store:
            return await official.import_figures(store, figures, actor=ACTOR, source=file.name, at=clock.now())

    replaced = context.run(work())
    days = sorted({figure.day for figure in figures})
    print(f"{len(figures)} official figures from {days[0]} to {days[-1]} taken in, {replaced} of them corrected.")
