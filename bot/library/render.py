"""An article as a reply: what it is about first, the answer, the steps, the official links."""

from __future__ import annotations

from bot.i18n.catalogue import Catalogue, mark
from bot.library.articles import Article, Library, Link
from bot.message import Button, Reply
from bot.settings import Settings
from bot.text.markup import escape, to_plain

STATES = {
    "current": mark("current"),
    "check": mark("to be checked"),
    "historic": mark("historic"),
    "always": mark("always true"),
}
MOST_RELATED = 2


def article_reply(
    article: Article, library: Library, catalogue: Catalogue, settings: Settings, *, for_officer: bool = False
) -> Reply:
    """Write an article in one language, with its buttons; officers also see where its facts come from."""
    t, language = catalogue.t, catalogue.language
    buttons = [Button(t("More on this"), f"more:{article.id}")] if article.more else []
    for name in article.actions:
        item = library.menu.items[name]
        buttons.append(Button(item.label.in_language(language), item.command))
    for related in article.related[:MOST_RELATED]:
        buttons.append(Button(library.articles[related].title.in_language(language), f"article:{related}"))
    buttons.append(Button(t("This helped"), "helped:yes"))
    buttons.append(Button(t("This did not help"), "helped:no"))
    text = first_screen(article, catalogue, settings)
    links = link_lines([library.manual.links[name] for name in article.links], language)
    sources = source_lines(article, catalogue) if for_officer else ""
    return Reply("\n\n".join(part for part in (text, links, sources) if part), tuple(buttons))


def source_lines(article: Article, catalogue: Catalogue) -> str:
    """Write the state and the sources of an article, for those who answer for it."""
    said = catalogue.t(
        "For officers: {status}, checked on {day}; sources:",
        status=catalogue.t(STATES[article.status]),
        day=catalogue.day(article.checked_on),
    )
    # The addresses are references, not links that the bot recommends: escaped, so that no channel makes them one.
    undated = catalogue.t("without a date")
    dates = [source.date.replace("undated", undated) for source in article.sources]
    named = zip(article.sources, dates, strict=True)
    return "\n".join((said, *(f"• {source.ref}, {day}: {escape(source.url)}" for source, day in named)))


def more_reply(article: Article, library: Library, catalogue: Catalogue, settings: Settings) -> Reply:
    """Write the second part of an article."""
    language = catalogue.language
    more = article.more or article.answer
    title = f"**{article.title.in_language(language)}**"
    buttons = [Button(library.articles[r].title.in_language(language), f"article:{r}") for r in article.related]
    links = link_lines([library.manual.links[name] for name in article.links], language)
    parts = (title, fill(more.in_language(language), language, settings), links)
    return Reply("\n\n".join(part for part in parts if part), tuple(buttons))


def first_screen(article: Article, catalogue: Catalogue, settings: Settings) -> str:
    """Write what a citizen reads first: title, which health book, answer, steps, when it was checked."""
    t, language = catalogue.t, catalogue.language
    meant = {
        "app": t("About the Sổ sức khỏe điện tử app (2021)"),
        "vneid": t("About the Sổ sức khỏe điện tử inside VNeID"),
        "both": t("About the 2021 app and the book inside VNeID"),
        "none": "",
    }[article.product]
    head = f"**{article.title.in_language(language)}**" + (f"\n{meant}" if meant else "")
    lines = [fill(article.answer.in_language(language), language, settings)]
    if article.steps:
        lines.append(numbered(article.steps.in_language(language), language, settings))
    hint = ""
    if article.status == "check":
        hint = t("Last checked on {day}; the screens may look different today.", day=catalogue.day(article.checked_on))
    return "\n\n".join(part for part in (head, "\n".join(lines), hint) if part)


def screen_length(article: Article, catalogue: Catalogue, settings: Settings) -> int:
    """Count the characters of the first screen as they are read."""
    return len(to_plain(first_screen(article, catalogue, settings)))


def numbered(steps: tuple[str, ...], language: str, settings: Settings) -> str:
    """Write steps one a line."""
    return "\n".join(f"{number}. {fill(step, language, settings)}" for number, step in enumerate(steps, 1))


def link_lines(links: list[Link], language: str) -> str:
    """Write official links one a line, label and address, publisher where known."""
    lines = []
    for link in links:
        by = f" ({link.publisher})" if link.publisher else ""
        lines.append(f"{link.label.in_language(language)}{by}: {link.url}")
    return "\n".join(lines)


def fill(text: str, language: str, settings: Settings) -> str:
    """Put the operator's own words into an article's placeholders."""
    values = {
        "operator": settings.operator.name.in_language(language),
        "office_hours": settings.operator.office_hours.in_language(language),
        "answer_within": settings.operator.answer_within.in_language(language),
        "question_days": str(settings.privacy.question_days),
    }
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
