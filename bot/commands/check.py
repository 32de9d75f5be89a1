"""check: settings, content, regions and translations; every problem a line with file and line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import aiohttp
import click

from bot import access
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.errors import ContentError, Problem
from bot.exports.letterhead import vanished_names
from bot.exports.poster import load_poster_text
from bot.i18n.catalogue import load_catalogues
from bot.i18n.check import check_translations
from bot.library.articles import LONGEST_ANSWER, Library, load_library
from bot.library.goals import load_goals
from bot.library.knowledge import load_corpus
from bot.library.outlines import load_outlines
from bot.library.regions import load_regions
from bot.library.render import screen_length
from bot.library.sources import check_sources, load_sources
from bot.library.templates import load_reminders, load_scripts
from bot.search import Index, Verdict
from bot.statistics import counts
from bot.store import Store
from bot.yaml_document import read_document, shown_path

_LINK_SECONDS = 15


@click.command()
@click.option("--links", is_flag=True, help="Also ask the servers of all links whether they answer.")
@click.option(
    "--on",
    type=DAY,
    callback=day,
    metavar="YYYY-MM-DD",
    help="Judge how old the facts are as of this day (default: today).",
)
@click.option("--overlaps/--no-overlaps", default=True, help="Look for questions that two articles would win.")
@pass_context
def check(context: CommandContext, *, links: bool, on: date | None, overlaps: bool) -> None:
    """Check settings, content, regions and translations; exit 1 when anything is wrong."""
    settings = context.settings
    problems: list[Problem] = []
    loaders: list[Callable[[], object]] = [
        partial(load_regions, settings.region),
        partial(load_reminders, settings.content),
        partial(_check_goals, settings.content, settings.region),
        partial(load_scripts, settings.content),
        partial(_check_codes, context),
        partial(_check_letterhead, context),
        partial(_check_outlines, context),
        partial(load_poster_text, settings.content),
    ]
    for load in loaders:
        try:
            load()
        except ContentError as error:
            problems += error.problems
    problems += check_translations(settings.languages)
    problems += _miscounted(context)
    problems += _tampered(context)
    library = None
    try:
        library = load_library(settings.content)
        problems += _check_commands(
            library, {c for route in context.routes for c in route.commands}, settings.content / "menu.yaml"
        )
        problems += library.stale(on or context.today())
        problems += _too_long(context, library)
        if overlaps:
            problems += _overlaps(context, library)
    except ContentError as error:
        problems += error.problems
    if links and library is not None:
        problems += asyncio.run(_dead_links(library, shown_path(settings.content / "manual.yaml")))
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    if problems:
        raise SystemExit(1)
    print(f"{len(library.articles) if library else 0} articles, settings, regions and translations are in order.")


def _check_codes(context: CommandContext) -> None:
    sources = load_sources(context.settings.content)
    if problems := list(check_sources(sources, load_regions(context.settings.region))):
        raise ContentError(problems)


def _check_letterhead(context: CommandContext) -> None:
    try:
        regions = load_regions(context.settings.region)
    except ContentError:
        return  # reported for itself
    merged = regions.province.merged_into
    sentence = "names {}, which ended on {} (the province is {} now); the report leaves it blank."
    problems = [
        Problem("config.yaml", 0, f"report.{key} {sentence.format(name, merged.since, merged.name)}")
        for key, name in vanished_names(context.settings.report, regions, context.today()).items()
    ]
    if problems:
        raise ContentError(problems)


def _check_outlines(context: CommandContext) -> None:
    try:
        regions = load_regions(context.settings.region)
    except ContentError:
        return  # reported for itself
    load_outlines(context.settings.map.outlines, regions)


def _check_goals(content: Path, region: Path) -> None:
    try:
        regions = load_regions(region)
    except ContentError:
        return  # reported for itself
    load_goals(content, regions)


def _miscounted(context: CommandContext) -> list[Problem]:
    """Compare the kept counts with a full recount of the reports, where there is a database."""
    sentence = "the kept counts differ from a recount: {}; restore a backup, or tell the makers of the bot."
    return _ask_database(context, counts.disagreements, sentence)


def _tampered(context: CommandContext) -> list[Problem]:
    """Check the chain of the audit, where there is a database."""

    async def broken(store: Store) -> list[int]:
        line = await access.check_audit(store)
        return [] if line is None else [line]

    sentence = "the audit was changed or cut at line {}; compare it with a backup and find out who could write there."
    return _ask_database(context, broken, sentence)


def _ask_database(
    context: CommandContext, ask: Callable[[Store], Coroutine[object, object, Sequence[object]]], sentence: str
) -> list[Problem]:
    path = context.settings.database_path
    if path is not None and not path.exists():
        return []

    async def work() -> Sequence[object]:
        async with context.store() as store:
            return await ask(store)

    where = shown_path(path) if path else "database"
    return [Problem(where, 0, sentence.format(found)) for found in context.run(work())]


def _check_commands(library: Library, commands: set[str], menu: object) -> Iterator[Problem]:
    document = read_document(menu)  # type: ignore[arg-type]
    for name, item in library.menu.items.items():
        if item.command not in commands:
            yield document.problem(("items", name, "command"), f"no handler knows the command {item.command}.")


def _too_long(context: CommandContext, library: Library) -> Iterator[Problem]:
    for language, catalogue in load_catalogues(context.settings.languages).items():
        for article in library.articles.values():
            length = screen_length(article, catalogue, context.settings)
            if length > LONGEST_ANSWER:
                sentence = (
                    f"the {language} answer is {length} characters, more than {LONGEST_ANSWER}; move some to `more`."
                )
                yield library.documents[article.id].problem(("answer", language), sentence)


def _overlaps(context: CommandContext, library: Library) -> Iterator[Problem]:
    """Report questions of one article that the search would answer with another one."""
    index = Index.build(load_corpus(context.settings.content, library))
    for article in library.articles.values():
        for language in ("vi", "en"):
            for number, question in enumerate(article.questions.in_language(language)):
                found = index.find(question)
                if found.verdict is Verdict.ANSWER and found.ids[0] != article.id:
                    yield library.documents[article.id].problem(
                        ("questions", language, number), f"{question!r} is answered by {found.ids[0]}."
                    )


async def _dead_links(library: Library, file: str) -> list[Problem]:
    timeout = aiohttp.ClientTimeout(total=_LINK_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:

        async def ask(name: str, url: str) -> Problem | None:
            try:
                async with session.get(url) as response:
                    if response.status < 400:
                        return None
                    said = f"answers {response.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                said = f"does not answer ({type(error).__name__})"
            return Problem(file, 0, f"link {name}: {url} {said}.")

        found = await asyncio.gather(*(ask(name, link.url) for name, link in library.manual.links.items()))
    return [problem for problem in found if problem is not None]
