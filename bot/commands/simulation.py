"""demo-data: a year of simulated data in an empty database, for trials and trainings."""

from __future__ import annotations

from collections.abc import Mapping

import click

from bot import clock
from bot.commands.context import CommandContext, pass_context
from bot.demo.simulation import simulate
from bot.library.articles import load_library
from bot.library.regions import load_regions
from bot.library.sources import load_sources

MOST_PEOPLE = 200_000


@click.command("demo-data")
@click.option("--people", type=click.IntRange(1, MOST_PEOPLE), default=24_000, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Same seed, same year.")
@pass_context
def demo_data(context: CommandContext, people: int, seed: int) -> None:
    """Make a year of simulated people, reports and questions, for trying charts, papers and the desk.

    Refused in a database that holds anybody; best with one of its own: BOT_DATABASE=sqlite:///build/demo.db. Everything
    that shows the figures says that they are simulated.
    """
    settings = context.settings
    regions, library, sources = (
        load_regions(settings.region),
        load_library(settings.content),
        load_sources(settings.content),
    )

    async def work() -> Mapping[str, int]:
        async with context.store() as store:
            return await simulate(
                store, regions, library, sources, now=clock.now(), working=settings.working, people=people, seed=seed
            )

    made = context.run(work())
    print(
        f"Simulated: {made['people']} people, {made['reports']} reports, {made['questions']} questions, "
        f"{made['requests']} requests. None of it is real, and everything that shows it says so."
    )
    print(f"To sign in to the desk: python -m bot desk-link --person {made['admin']} (admin), "
          f"--person {made['officer']} (officer of {next(iter(regions.districts))})")  # fmt: skip
