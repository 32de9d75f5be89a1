"""The library: loading and checking `content/articles`, the links and the menu."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints

from bot.errors import ContentError, Problem
from bot.library.bilingual import LANGUAGES, Bilingual, BilingualList, Citation, ContentModel, Text, check_text, fits
from bot.library.guides import FOLDER as GUIDES
from bot.library.guides import Guide, check_guide, read_guides
from bot.text.normalize import fold
from bot.yaml_document import Document, read_model, shown_path

LONGEST_ANSWER = 600  # characters before "more", on a phone about one screen
LONGEST_MORE = 1500
STALE_AFTER = timedelta(days=180)
_YEAR = re.compile(r"(?<![\d/])20[12]\d(?!\d)")  # not the year of a decree: NĐ 59/2022
_OWN_DECISION = "D0"  # the ref of what this project decided itself


class Article(ContentModel):
    """One answer, with the questions it answers and where its facts come from.

    `status`: current, check (true once, today unconfirmed), historic, always (about the bot itself).
    `product`: which of the two health books is meant; the answer says it first.
    `followups`: half sentences that mean it when the talk is about it or about an article beside it.
    `phone`: the only kind of phone it is about, empty for any.
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
    phone: Literal["", "android", "iphone"] = ""
    tried_on: date | None = None
    tried_by_role: str | None = None
    sources: tuple[Citation, ...] = Field(min_length=1)
    questions: BilingualList
    followups: BilingualList | None = None


class Link(ContentModel):
    """An official address, with the name citizens know it by."""

    url: Text
    label: Bilingual
    publisher: str = ""
    status: Literal["current", "check"]
    sources: tuple[str, ...] = ()


class Contact(ContentModel):
    """A public telephone number and how well it is evidenced."""

    id: Text
    number: Text
    name: Bilingual
    status: Literal["current", "check"]
    evidence: str = ""


class Manual(ContentModel):
    """The official links and the public telephone numbers."""

    checked_on: date
    links: dict[str, Link]
    trusted_hosts: tuple[str, ...]
    fallback: Bilingual
    contacts: tuple[Contact, ...] = ()


class MenuItem(ContentModel):
    """A capability or an article that buttons lead to."""

    command: Annotated[str, StringConstraints(pattern=r"^(/[a-z]+|article:[a-z0-9-]+)$")]
    label: Bilingual


class Menu(ContentModel):
    """The names, labels and order of everything offered by buttons."""

    items: dict[str, MenuItem]
    main: tuple[str, ...]
    topics: dict[str, Bilingual]


@dataclass(frozen=True, slots=True)
class Library:
    """All the bot can say: articles and guides by id, links, menu; checked as a whole.

    `guides` stand in the order in which they are offered; `documents` hold the guides' files by their paths.
    """

    articles: Mapping[str, Article]
    manual: Manual
    menu: Menu
    documents: Mapping[str, Document] = field(repr=False, default_factory=dict)
    guides: Mapping[str, Guide] = field(default_factory=dict)

    def by_topic(self, topic: str) -> list[Article]:
        """List the articles of a topic in the order of their ids."""
        return [article for article in self.articles.values() if article.topic == topic]

    def guide_of(self, article_id: str) -> Guide | None:
        """Return the guided walk that an article belongs to."""
        return next((guide for guide in self.guides.values() if article_id in guide.articles), None)

    def stale(self, today: date) -> Iterator[Problem]:
        """Report articles and guides that nobody has checked for half a year."""
        checked = [(id_, id_, article.checked_on) for id_, article in self.articles.items()]
        checked += [(f"{GUIDES}/{id_}", id_, guide.checked_on) for id_, guide in self.guides.items()]
        for file, id_, checked_on in checked:
            if today - checked_on > STALE_AFTER:
                yield self.documents[file].problem(
                    ("checked_on",), f"{id_} was last checked on {checked_on}, more than {STALE_AFTER.days} days ago."
                )


def load_library(folder: Path) -> Library:
    """Load all that the bot can say from a content folder; raises ContentError with all problems."""
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
    articles, documents = _read_articles(folder, problems)
    guides = read_guides(folder)
    problems += guides.problems
    if manual and menu:
        numbers = {re.sub(r"\D", "", contact.number) for contact in manual.contacts}
        for article in articles.values():
            problems += _check_article(article, documents[article.id], articles, manual, menu, numbers)
        for id_, guide in guides.guides.items():
            problems += check_guide(
                guide, guides.documents[id_], guides=guides.guides, articles=articles, numbers=numbers
            )
    problems += _repeated_questions(articles, documents)
    if problems or manual is None or menu is None:
        raise ContentError(problems)
    documents |= {f"{GUIDES}/{id_}": document for id_, document in guides.documents.items()}
    ordered = dict(sorted(guides.guides.items(), key=lambda item: (item[1].order, item[0])))
    return Library(dict(sorted(articles.items())), manual, menu, documents, ordered)


def _read_articles(folder: Path, problems: list[Problem]) -> tuple[dict[str, Article], dict[str, Document]]:
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
    return articles, documents


def source_years(article: Article) -> tuple[int, ...]:
    """Return the years that the dates of an article's sources name, the oldest first."""
    dates = [source.date for source in article.sources if source.ref != _OWN_DECISION]
    return tuple(sorted({int(year) for date in dates for year in _YEAR.findall(date)}))


def _check_article(
    article: Article,
    document: Document,
    articles: Mapping[str, Article],
    manual: Manual,
    menu: Menu,
    numbers: set[str],
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
    for language in LANGUAGES:
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
            yield from check_text(document, key, text, numbers)


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


def _check_menu(menu: Menu, document: Document) -> Iterator[Problem]:
    for index, name in enumerate(menu.main):
        if name not in menu.items:
            yield document.problem(("main", index), f"main names {name!r}, which is no item.")


def _repeated_questions(articles: Mapping[str, Article], documents: Mapping[str, Document]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for article in articles.values():
        for language in LANGUAGES:
            for index, question in enumerate(article.questions.in_language(language)):
                folded = fold(question)
                other = seen.setdefault(folded, f"{article.id}")
                if other != article.id:
                    yield documents[article.id].problem(
                        ("questions", language, index), f"the question {question!r} stands in {other} too."
                    )
