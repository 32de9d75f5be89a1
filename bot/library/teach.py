"""Making a citizen's question a phrasing of an article, in the article's own file."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from bot.errors import BotError, ContentError
from bot.library.articles import load_library
from bot.text.normalize import clean, fold
from bot.text.redaction import redact
from bot.yaml_document import Document, shown_path

LONGEST_QUESTION = 300


def teach(folder: Path, article_id: str, question: str, *, language: str) -> str:
    """Add a question to an article and return the place, file:line; raises BotError and changes nothing else.

    The whole library is checked with the new line; a line that does not fit is taken out again.
    """
    question = clean(question).replace("\n", " ")
    if not question or len(question) > LONGEST_QUESTION:
        raise BotError(f"A question has 1 to {LONGEST_QUESTION} characters.")
    if redact(question).text != question:
        raise BotError("The question holds a personal number or a secret; write it without.")
    library = load_library(folder)
    if article_id not in library.articles:
        raise BotError(f"There is no article {article_id!r}.")
    for article in library.articles.values():
        if fold(question) in {fold(known) for known in (*article.questions.vi, *article.questions.en)}:
            raise BotError(f"The question stands in {article.id} already.")
    path = folder / "articles" / library.articles[article_id].topic / f"{article_id}.yaml"
    line = _last_line(
        library.documents[article_id], library.articles[article_id].questions.in_language(language), language
    )
    before = path.read_text(encoding="utf-8")
    lines = before.splitlines(keepends=True)
    lines.insert(line, f"    - {_as_yaml(question)}\n")
    _replace(path, "".join(lines))
    try:
        load_library(folder)
    except ContentError:
        _replace(path, before)
        raise
    return f"{shown_path(path)}:{line + 1}"


def _last_line(document: Document, questions: tuple[str, ...], language: str) -> int:
    """Return the number of the line on which the last question ends; questions are one a line."""
    return document.line(("questions", language, len(questions) - 1))


def _as_yaml(text: str) -> str:
    written: str = yaml.safe_dump(text, allow_unicode=True, width=10_000, default_flow_style=True)
    return written.removesuffix("\n").removesuffix("...").removesuffix("\n").strip()


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, so that a running bot never reads half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
