"""Rules for how the content is worded, read from `terms.yaml`, and the check of the content against them.

`python -m bot check` calls it. A running bot never does, so an edit that breaks a rule is still loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from babel.messages.pofile import read_po
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.errors import Problem
from bot.i18n.catalogue import LOCALE_FOLDER
from bot.library.articles import Article, Contact, Library, source_years
from bot.text.normalize import fold
from bot.yaml_document import Document, Key, read_document, read_model

FILE = "terms.yaml"
LANGUAGES = ("vi", "en")
# Files of the content folder that hold what citizens or machines write, not what the bot says.
_NOT_SPOKEN = frozenset({FILE, "words.yaml", "foreign.yaml", "units.yaml", "source-codes.yaml", "goals.yaml"})
_NOT_WORDING = frozenset({"questions", "followups", "says", "elements", "sources", "url", "evidence", "together"})
_QUOTED = re.compile(r'\*\*[^*]*\*\*|“[^”]*”|"[^"]*"|\{[^}]*\}')

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HardWord(_Model):
    """A word that must be explained, and the article that explains it."""

    vi: Text
    en: Text
    article: Text


class WordingRules(_Model):
    """Everything in `terms.yaml`."""

    terms: dict[str, dict[str, tuple[Text, ...]]]
    names: tuple[Text, ...] = ()
    explain: tuple[HardWord, ...] = ()
    products: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    hedges: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    source_years: int = Field(3, ge=1)


def load_wording_rules(folder: Path) -> WordingRules:
    """Load `terms.yaml` of a content folder; raise ContentError with all problems."""
    return read_model(folder / FILE, WordingRules)[0]


def check_wording(rules: WordingRules, library: Library, folder: Path) -> Iterator[Problem]:
    """Report mixed terms, unexplained words, mixed products and missing hedges in a content folder."""
    yield from _mixed_terms(rules, folder)
    unconfirmed = [contact for contact in library.manual.contacts if contact.status == "check"]
    for article in library.articles.values():
        document = library.documents[article.id]
        yield from _named_product(rules, article, document)
        for language in LANGUAGES:
            yield from _unexplained(rules, article, document, language)
            yield from _unhedged(rules, article, document, language, unconfirmed)


def check_sentences(rules: WordingRules, languages: tuple[str, ...], folder: Path = LOCALE_FOLDER) -> Iterator[Problem]:
    """Report mixed terms in the assistant's own sentences."""
    for language in languages:
        path = folder / language / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
        for entry in catalog:
            if entry.id:
                for sentence in _slips(rules, str(entry.string), language):
                    yield Problem(f"locale/{language}/LC_MESSAGES/messages.po", entry.lineno or 0, sentence)


def old_sources(rules: WordingRules, library: Library, today: date) -> Iterator[Problem]:
    """Report `current` articles whose newest source is too old for a claim about the present."""
    for article in library.articles.values():
        years = source_years(article)
        if article.status == "current" and years and today.year - years[-1] > rules.source_years:
            sentence = (
                f"{article.id} speaks of the present, and its newest source is of {years[-1]}, more than "
                f"{rules.source_years} years ago."
            )
            yield library.documents[article.id].problem(("sources",), sentence)


def _mixed_terms(rules: WordingRules, folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*.yaml")):
        if path.name in _NOT_SPOKEN or path.parent.name == "regions":
            continue
        document = read_document(path)
        for key, language, text in _spoken(document.value):
            for sentence in _slips(rules, text, language):
                yield document.problem(key, sentence)


def _spoken(value: object, key: Key = (), language: str = "") -> Iterator[tuple[Key, str, str]]:
    """Find the texts that stand below `vi` or `en`, with their keys."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in _NOT_WORDING:
                yield from _spoken(inner, (*key, name), name if name in LANGUAGES else language)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _spoken(inner, (*key, index), language)
    elif isinstance(value, str) and language:
        yield key, language, value


def _slips(rules: WordingRules, text: str, language: str) -> Iterator[str]:
    bare = _QUOTED.sub(" ", text)
    for name in rules.names:
        bare = bare.replace(name, " ")
    for say, others in rules.terms.get(language, {}).items():
        for other in others:
            if re.search(rf"(?<!\w){re.escape(other)}(?!\w)", bare, re.IGNORECASE):
                yield f"says {other!r}; our word for it is {say!r}."


def _named_product(rules: WordingRules, article: Article, document: Document) -> Iterator[Problem]:
    """Report phrasings of an article of one book that name the other."""
    for product, names in rules.products.items():
        if article.product in (product, "both", "none"):
            continue
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})\b")
        for language in LANGUAGES:
            for index, question in enumerate(article.questions.in_language(language)):
                if found := pattern.search(fold(question)):
                    sentence = f"{question!r} names {found[0]!r}, but the article is about the other book."
                    yield document.problem(("questions", language, index), sentence)


def _unexplained(rules: WordingRules, article: Article, document: Document, language: str) -> Iterator[Problem]:
    """Report hard words that an article neither explains where it says them first nor leads to an explanation of."""
    text = " ".join(text for _, text in _texts(article, language))
    for word in rules.explain:
        if article.id == word.article or article.related[:1] == (word.article,):
            continue
        spelled = word.en if language == "en" else word.vi
        found = re.search(rf"(?<!\w){re.escape(spelled)}(?!\w)", text, re.IGNORECASE)
        if found and not _is_explained(text, found):
            sentence = f"{spelled!r} stands in the {language} text unexplained; see `explain` in {FILE}."
            yield document.problem(("answer", language), sentence)


def _is_explained(text: str, found: re.Match[str]) -> bool:
    """Return True if a word stands in brackets, or is followed by brackets or by "is"."""
    before, after = text[: found.start()], text[found.end() :]
    return bool(re.match(r"\**(?: \w+){0,2}\**\s*(?:\(|là |is |are )", after) or re.search(r"\([^()]*$", before[-60:]))


def _unhedged(
    rules: WordingRules, article: Article, document: Document, language: str, unconfirmed: list[Contact]
) -> Iterator[Problem]:
    """Report articles and telephone numbers that nobody has confirmed and that do not say so."""
    hedges = rules.hedges.get(language, ())
    texts = _texts(article, language)
    whole = " ".join(text for _, text in texts).lower()
    if article.status == "check" and not any(hedge in whole for hedge in hedges):
        yield document.problem(("status",), f"{article.id} is to be checked, and its {language} text does not say so.")
    for contact in unconfirmed:
        if contact.number in whole and not any(hedge in whole for hedge in hedges):
            key = next(key for key, text in texts if contact.number in text)
            yield document.problem(key, f"names {contact.number}, which nobody has confirmed, and does not say so.")


def _texts(article: Article, language: str) -> list[tuple[Key, str]]:
    texts: list[tuple[Key, str]] = [(("answer", language), article.answer.in_language(language))]
    for index, step in enumerate(article.steps.in_language(language) if article.steps else ()):
        texts.append((("steps", language, index), step))
    if article.more:
        texts.append((("more", language), article.more.in_language(language)))
    return texts
