"""The library: loading and checking `content/articles`, the links and the menu."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.errors import ContentError, Problem
from bot.text import markup
from bot.text.normalize import fold
from bot.yaml_document import Document, read_model, shown_path

LONGEST_ANSWER = 600  # characters before "more", on a phone about one screen
LONGEST_MORE = 1500
STALE_AFTER = timedelta(days=180)
PLACEHOLDERS = frozenset({"operator", "office_hours", "answer_within", "question_days"})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PHONE = re.compile(r"(?<![\d/.])(?:1[89]00[ .]?\d{4}|0\d{2,3}[ .]?\d{3}[ .]?\d{3,4}|11[2-5])(?![\d/])")

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Languages = Literal["vi", "en"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(_Model):
    """One text in both languages."""

    vi: Text
    en: Text

    def in_language(self, language: str) -> str:
        """Return the text in a language."""
        return self.en if language == "en" else self.vi


class BilingualList(_Model):
    """Lines in both languages."""

    vi: tuple[Text, ...] = Field(min_length=1)
    en: tuple[Text, ...] = Field(min_length=1)

    def in_language(self, language: str) -> tuple[str, ...]:
        """Return the lines in a language."""
        return self.en if language == "en" else self.vi


class ArticleSource(_Model):
    """Where a fact was read."""

    ref: Text
    url: Text
    date: str

    @field_validator("date", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        # A bare year or day in YAML is a number or a date.
        return str(value) if isinstance(value, int | date) else value


class Article(_Model):
    """One answer, with the questions it answers and where its facts come from.

    `status`: current, check (true once, today unconfirmed), historic, always (about the bot itself).
    `product`: which of the two health books is meant; the answer says it first.
    `twins`: the same matter in the other book or on the other kind of phone.
    `tried_on`, `tried_by_role`: when a person followed the steps on a real phone, and in what role.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)]
    topic: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    product: Literal["app", "vneid", "both", "none"]
    status: Literal["current", "check", "historic", "always"]
    checked_on: date
    title: Bilingual
    answer: Bilingual
    steps: BilingualList | None = None
    more: Bilingual | None = None
    links: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    tried_on: date | None = None
    tried_by_role: str | None = None
    sources: tuple[ArticleSource, ...] = Field(min_length=1)
    questions: BilingualList


class Link(_Model):
    """An official address, with the name citizens know it by."""

    url: Text
    label: Bilingual
    publisher: str = ""
    status: Literal["current", "check"]
    sources: tuple[str, ...] = ()


class Contact(_Model):
    """A public telephone number and how well it is evidenced."""

    id: Text
    number: Text
    name: Bilingual
    status: Literal["current", "check"]
    evidence: str = ""


class Guide(_Model):
    """Steps for one kind of telephone."""

    title: Bilingual
    steps: BilingualList
    links: tuple[str, ...] = ()


class Manual(_Model):
    """The official links, numbers and step-by-step guides."""

    checked_on: date
    links: dict[str, Link]
    trusted_hosts: tuple[str, ...]
    fallback: Bilingual
    contacts: tuple[Contact, ...] = ()
    guides: dict[str, Guide] = Field(default_factory=dict)


class MenuItem(_Model):
    """A capability that buttons lead to."""

    command: Annotated[str, StringConstraints(pattern=r"^/[a-z]+$")]
    label: Bilingual


class Menu(_Model):
    """The names, labels and order of everything offered by buttons."""

    items: dict[str, MenuItem]
    main: tuple[str, ...]
    topics: dict[str, Bilingual]


@dataclass(frozen=True, slots=True)
class Library:
    """All the bot can say: articles by id, links, menu; checked as a whole."""

    articles: Mapping[str, Article]
    manual: Manual
    menu: Menu
    documents: Mapping[str, Document] = field(repr=False, default_factory=dict)

    def by_topic(self, topic: str) -> list[Article]:
        """List the articles of a topic in the order of their ids."""
        return [article for article in self.articles.values() if article.topic == topic]

    def stale(self, today: date) -> Iterator[Problem]:
        """Report articles that nobody has checked for half a year."""
        for article in self.articles.values():
            if today - article.checked_on > STALE_AFTER:
                document = self.documents[article.id]
                yield document.problem(
                    ("checked_on",),
                    f"{article.id} was last checked on {article.checked_on}, more than {STALE_AFTER.days} days ago.",
                )


def load_library(folder: Path) -> Library:
    """Load `articles/`, `manual.yaml` and `menu.yaml` of a content folder; raises ContentError with all problems."""
    problems: list[Problem] = []
    manual, menu = None, None
    try:
        manual, manual_document = read_model(folder / "manual.yaml", Manual)
        problems += _check_manual(manual, manual_document)
    except ContentError as error:
        problems += error.problems
    try:
        menu, menu_document = read_model(folder / "menu.yaml", Menu)
        problems += _check_menu(menu, menu_document)
    except ContentError as error:
        problems += error.problems
    articles: dict[str, Article] = {}
    documents: dict[str, Document] = {}
    for path in sorted((folder / "articles").glob("*/*.yaml")):
        try:
            article, document = read_model(path, Article)
        except ContentError as error:
            problems += error.problems
            continue
        if (article.topic, article.id) != (path.parent.name, path.stem):
            problems.append(document.problem(("id",), f"must stand in articles/{article.topic}/{article.id}.yaml."))
        if article.id in articles:
            other = documents[article.id].file
            problems.append(document.problem(("id",), f"the id {article.id} belongs to {other} already."))
        articles[article.id] = article
        documents[article.id] = document
    for path in sorted((folder / "articles").rglob("*.y*ml")):
        if path.suffix == ".yml" or path.parent.parent != folder / "articles":
            problems.append(Problem(shown_path(path), 0, "is not read; articles stand in articles/TOPIC/ID.yaml."))
    if not articles:
        problems.append(Problem(shown_path(folder / "articles"), 0, "holds no article."))
    if manual and menu:
        for article in articles.values():
            problems += _check_article(article, documents[article.id], articles, manual, menu)
    problems += _repeated_questions(articles, documents)
    if problems or manual is None or menu is None:
        raise ContentError(problems)
    return Library(dict(sorted(articles.items())), manual, menu, documents)


def fits(text: str, limit: int) -> bool:
    """Tell whether a text is short enough for a phone, as it is read."""
    return len(markup.to_plain(text)) <= limit


def _check_article(
    article: Article, document: Document, articles: Mapping[str, Article], manual: Manual, menu: Menu
) -> Iterator[Problem]:
    for index, other in enumerate(article.related):
        if other not in articles or other == article.id:
            yield document.problem(("related", index), f"related names {other!r}, which is no other article.")
    for index, twin in enumerate(article.twins):
        if twin not in articles or twin == article.id:
            yield document.problem(("twins", index), f"twins names {twin!r}, which is no other article.")
        elif article.id not in articles[twin].twins:
            yield document.problem(("twins", index), f"twins names {twin!r}, which does not name {article.id!r}.")
    if (article.tried_on is None) != (article.tried_by_role is None):
        yield document.problem(("id",), "tried_on and tried_by_role go together.")
    for index, name in enumerate(article.links):
        if name not in manual.links:
            yield document.problem(("links", index), f"links names {name!r}, which manual.yaml does not hold.")
    for index, name in enumerate(article.actions):
        if name not in menu.items:
            yield document.problem(("actions", index), f"actions names {name!r}, which menu.yaml does not hold.")
    if article.topic not in menu.topics:
        yield document.problem(("topic",), f"topic {article.topic!r} has no name in menu.yaml.")
    numbers = {re.sub(r"\D", "", contact.number) for contact in manual.contacts}
    for language in ("vi", "en"):
        parts: list[tuple[tuple[str | int, ...], str]] = [
            (("title", language), article.title.in_language(language)),
            (("answer", language), article.answer.in_language(language)),
        ]
        if article.steps:
            for index, step in enumerate(article.steps.in_language(language)):
                parts.append((("steps", language, index), step))
        if article.more:
            parts.append((("more", language), article.more.in_language(language)))
            if not fits(article.more.in_language(language), LONGEST_MORE):
                yield document.problem(("more", language), f"more.{language} is longer than {LONGEST_MORE} characters.")
        for key, text in parts:
            yield from _check_text(document, key, text, numbers)


def _check_text(document: Document, key: tuple[str | int, ...], text: str, numbers: set[str]) -> Iterator[Problem]:
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            yield document.problem(key, f"holds the unknown placeholder {{{name}}}.")
    if "://" in text:
        yield document.problem(key, "holds an address; name it in manual.yaml and list it under links.")
    if text.count("**") % 2:
        yield document.problem(key, "opens a bold run with ** and does not close it.")
    for number in _PHONE.findall(text):
        if re.sub(r"\D", "", number) not in numbers:
            yield document.problem(key, f"holds the telephone number {number}, which manual.yaml does not list.")


def _check_manual(manual: Manual, document: Document) -> Iterator[Problem]:
    for name, link in manual.links.items():
        try:
            address = urlsplit(link.url)
        except ValueError:
            yield document.problem(("links", name, "url"), f"link {name} is no address.")
            continue
        if address.scheme != "https":
            yield document.problem(("links", name, "url"), f"link {name} is not https.")
        if address.hostname not in manual.trusted_hosts:
            yield document.problem(
                ("links", name, "url"), f"link {name} leads to {address.hostname}, which is no trusted host."
            )
    if "manual" not in manual.links:
        yield document.problem(("links",), "the link `manual` is missing.")
    for guide_name, guide in manual.guides.items():
        for name in guide.links:
            if name not in manual.links:
                yield document.problem(("guides", guide_name, "links"), f"names the unknown link {name!r}.")


def _check_menu(menu: Menu, document: Document) -> Iterator[Problem]:
    for index, name in enumerate(menu.main):
        if name not in menu.items:
            yield document.problem(("main", index), f"main names {name!r}, which is no item.")


def _repeated_questions(articles: Mapping[str, Article], documents: Mapping[str, Document]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for article in articles.values():
        for language in ("vi", "en"):
            for index, question in enumerate(article.questions.in_language(language)):
                folded = fold(question)
                other = seen.setdefault(folded, f"{article.id}")
                if other != article.id:
                    yield documents[article.id].problem(
                        ("questions", language, index), f"the question {question!r} stands in {other} too."
                    )
