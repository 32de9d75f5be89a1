"""ask: one answer without a conversation; with --jsonl, a whole set of questions."""

from __future__ import annotations

import sys

import click
import orjson

from bot.commands.context import CommandContext, pass_context
from bot.commands.progress import OPENING, progress
from bot.errors import BotError
from bot.i18n.catalogue import load_catalogues, looks_english
from bot.library.knowledge import INDEX_FILE, Knowledge, load_knowledge
from bot.library.render import article_reply
from bot.search import Verdict
from bot.text.markup import to_plain


@click.command()
@click.argument("question", required=False)
@click.option("--jsonl", is_flag=True, help='Read {"q": …} lines on standard input, write one verdict a line.')
@click.option(
    "--explain", is_flag=True, help="Show what the search saw: normal form, top five, score, margin, verdict."
)
@pass_context
def ask(context: CommandContext, question: str | None, *, jsonl: bool, explain: bool) -> None:
    """Answer one QUESTION, or with --jsonl all questions on standard input."""
    if jsonl == (question is not None):
        raise click.UsageError("give one QUESTION, or --jsonl and questions on standard input")
    settings = context.settings
    try:
        settings.data_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BotError(f"The folder {settings.data_folder} cannot be made: {error.strerror}.") from None
    with progress(OPENING):
        knowledge = load_knowledge(settings.content, settings.data_folder / INDEX_FILE)
    if jsonl:
        _answer_lines(knowledge)
        return
    assert question is not None
    if explain:
        print("\n".join(knowledge.explain(question).lines()))
        return
    found = knowledge.find(question)
    language = "en" if looks_english(question) and "en" in settings.languages else settings.default_language
    catalogue = load_catalogues([language])[language]
    if found.verdict is Verdict.ANSWER:
        article = knowledge.library.articles[found.ids[0]]
        print(to_plain(article_reply(article, knowledge.library, catalogue, settings).text))
    elif found.verdict is Verdict.SUGGEST:
        print(catalogue.t("I am not quite sure what you mean. Is it one of these?"))
        for article_id in found.ids[:3]:
            print(f"- {knowledge.library.articles[article_id].title.in_language(language)} ({article_id})")
    else:
        print(
            catalogue.t(
                "Sorry, I do not know the answer to this, and I will not guess. I only know about Sổ sức khỏe điện tử. "
                "Please ask in other words, or choose a topic."
            )
        )


def _answer_lines(knowledge: Knowledge) -> None:
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            question = orjson.loads(line)["q"]
            if not isinstance(question, str):
                raise TypeError
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise BotError(f'standard input:{number}: expected one object {{"q": "…"}} a line.') from None
        found = knowledge.find(question)
        result = {"verdict": found.verdict.value, "ids": found.ids, "score": round(float(found.score), 4)}
        sys.stdout.write(orjson.dumps(result).decode() + "\n")
