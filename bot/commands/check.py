"""check: settings, content, regions and translations; every problem and warning a line with file and line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import click

from bot import access
from bot.clock import now, stamp
from bot.commands.context import DAY, CommandContext, day, pass_context
from bot.errors import ContentError, Problem
from bot.exports.poster import load_poster_text
from bot.i18n.catalogue import load_catalogues
from bot.i18n.check import check_translations
from bot.library.articles import LONGEST_ANSWER, Library, load_library
from bot.library.goals import load_goals
from bot.library.knowledge import INDEX_FILE, Knowledge, load_knowledge
from bot.library.regions import load_regions
from bot.library.render import screen_length
from bot.library.replay import replay
from bot.library.sources import check_sources, load_sources
from bot.library.templates import load_reminders, load_scripts
from bot.library.wording_rules import WordingRules, check_sentences, check_wording, load_wording_rules, old_sources
from bot.search import Verdict
from bot.statistics import counts
from bot.store import Store, questions
from bot.yaml_document import read_document, shown_path

_LINK_SECONDS = 15
_LATELY = timedelta(days=30)


@click.command()
@click.option("--links", is_flag=True, help="Also ask the servers of all links whether they answer.")
@click.option(
    "--on",
    type=DAY,
    callback=day,
    metavar="YYYY-MM-DD",
    help="Judge how old the facts are as of this day (default: today).",
)
@click.option(
    "--overlaps/--no-overlaps",
    default=True,
    help="Look for questions that two articles would win, and read the held-out messages of content/checks anew.",
)
@click.option("--strict", is_flag=True, help="Exit 1 for warnings too.")
@pass_context
def check(context: CommandContext, *, links: bool, on: date | None, overlaps: bool, strict: bool) -> None:
    """Check settings, content, regions and translations; exit 1 when anything is wrong.

    A warning is printed and lets the command succeed; with --strict it does not.
    """
    settings = context.settings
    problems = _broken_files(context)
    warnings = list(_unnamed_operator(context))
    problems += check_translations(settings.languages)
    problems += _miscounted(context)
    problems += _tampered(context)
    library = None
    try:
        library, rules = load_library(settings.content), load_wording_rules(settings.content)
        problems += _check_library(context, library, rules, on or context.today())
        warnings += old_sources(rules, library, on or context.today())
        if overlaps:
            knowledge = _knowledge(context)
            problems += _overlaps(knowledge)
            broken, misread = replay(knowledge, settings.content)
            problems += broken
            warnings += [*misread, *_misread_lately(context, knowledge)]
    except ContentError as error:
        problems += error.problems
    if links and library is not None:
        problems += asyncio.run(_dead_links(library, shown_path(settings.content / "manual.yaml")))
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    for warning in sorted(warnings):
        print(f"warning: {warning}", file=sys.stderr)
    if problems or (strict and warnings):
        raise SystemExit(1)
    print(f"{len(library.articles) if library else 0} articles, settings, regions and translations are in order.")


def _broken_files(context: CommandContext) -> list[Problem]:
    """Load every file but the articles; return what is wrong in them."""
    settings = context.settings
    problems: list[Problem] = []
    loaders: list[Callable[[], object]] = [
        partial(load_regions, settings.region),
        partial(load_reminders, settings.content),
        partial(_check_goals, settings.content, settings.region),
        partial(load_scripts, settings.content),
        partial(_check_codes, context),
        partial(load_poster_text, settings.content),
    ]
    for load in loaders:
        try:
            load()
        except ContentError as error:
            problems += error.problems
    return problems


def _unnamed_operator(context: CommandContext) -> Iterator[Problem]:
    if not context.settings.operator.name:
        sentence = "operator.name is not set; until it is, the assistant calls itself a trial."
        yield Problem(shown_path(context.config or Path("config.yaml")), 0, sentence)


def _check_library(context: CommandContext, library: Library, rules: WordingRules, today: date) -> Iterator[Problem]:
    """Report what is wrong with articles and sentences that can be loaded."""
    settings = context.settings
    commands = {command for route in context.routes for command in route.commands}
    yield from _check_commands(library, commands, settings.content / "menu.yaml")
    yield from library.stale(today)
    yield from _too_long(context, library)
    yield from check_wording(rules, library, settings.content)
    yield from check_sentences(rules, settings.languages)


def _check_codes(context: CommandContext) -> None:
    sources = load_sources(context.settings.content)
    if problems := list(check_sources(sources, load_regions(context.settings.region))):
        raise ContentError(problems)


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
        kind, _, article = item.command.partition(":")
        if kind == "article" and article not in library.articles:
            yield document.problem(("items", name, "command"), f"there is no article {article}.")
        if kind != "article" and item.command not in commands:
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


def _knowledge(context: CommandContext) -> Knowledge:
    """Load everything that answers; what the running bot has learnt already is taken over where it still fits."""
    folder = context.settings.data_folder
    return load_knowledge(context.settings.content, folder / INDEX_FILE if folder.is_dir() else None)


def _overlaps(knowledge: Knowledge) -> Iterator[Problem]:
    """Report questions of one article that the search would answer with another one."""
    for article in knowledge.library.articles.values():
        for language in ("vi", "en"):
            for number, question in enumerate(article.questions.in_language(language)):
                found = knowledge.index.find(question)
                if found.verdict is Verdict.ANSWER and found.ids[0] != article.id:
                    yield knowledge.library.documents[article.id].problem(
                        ("questions", language, number), f"{question!r} is answered by {found.ids[0]}."
                    )


def _misread_lately(context: CommandContext, knowledge: Knowledge) -> list[Problem]:
    """Report questions of the last days that were answered as such and would get 115 first now."""
    since = stamp(now() - _LATELY)

    async def asked(store: Store) -> list[str]:
        rows = await store.read(lambda tx: questions.answered(tx, since=since))
        return [row["text"] for row in rows if knowledge.reader.words(row["text"]).danger.now]

    return _ask_database(context, asked, "a question of the last 30 days would get 115 first now: {!r}.")


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
