"""An article as a reply: which health book it is about, the answer, the steps, how old its sources are, the links."""

from __future__ import annotations

from bot.i18n.catalogue import Catalogue, mark
from bot.library.articles import Article, Library, Link, source_years
from bot.message import Button, Reply
from bot.settings import Settings
from bot.text.markup import escape, to_plain

MOST_RELATED = 2
OWN_TOPIC = "bot"  # articles about the assistant itself
# What officers read for the `status` of an article.
STATES = {
    "current": mark("current"),
    "check": mark("to be checked"),
    "historic": mark("historic"),
    "always": mark("always true"),
}


def article_reply(
    article: Article, library: Library, catalogue: Catalogue, settings: Settings, *, for_officer: bool = False
) -> Reply:
    """Write an article in one language, with its buttons; officers also see where its facts come from."""
    t, language = catalogue.t, catalogue.language
    guide = library.guide_of(article.id)
    buttons = [Button(t("Lead me step by step"), f"guide:{guide.id}")] if guide is not None else []
    if article.more:
        buttons.append(Button(t("More on this"), f"more:{article.id}"))
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
    title = f"**{headline(article, catalogue)}**"
    buttons = [Button(library.articles[r].title.in_language(language), f"article:{r}") for r in article.related]
    links = link_lines([library.manual.links[name] for name in article.links], language)
    parts = (title, fill(more.in_language(language), language, settings), links)
    return Reply("\n\n".join(part for part in parts if part), tuple(buttons))


def first_screen(article: Article, catalogue: Catalogue, settings: Settings) -> str:
    """Write what a citizen reads first: title with the health book, answer, steps, how old the sources are."""
    language = catalogue.language
    lines = [fill(article.answer.in_language(language), language, settings)]
    if article.steps:
        lines.append(numbered(article.steps.in_language(language), language, settings))
    head = f"**{headline(article, catalogue)}**"
    return "\n\n".join(part for part in (head, "\n".join(lines), age_line(article, catalogue)) if part)


def headline(article: Article, catalogue: Catalogue) -> str:
    """Return the title, after the name of the health book where it is about one of the two and does not name it."""
    title, t = article.title.in_language(catalogue.language), catalogue.t
    if article.product == "app" and "2021" not in title:
        return t("2021 app · {title}", title=title)
    if article.product == "vneid" and "VNeID" not in title:
        return t("VNeID · {title}", title=title)
    return title


def book_name(catalogue: Catalogue, product: str) -> str:
    """Name the health book of a report, as within a sentence: `app`, `vneid` or `both`; older reports name none."""
    t = catalogue.t
    if product == "vneid":
        return t("the book in VNeID")
    return t("the app of 2021 and the book in VNeID") if product == "both" else t("the app of 2021")


def age_line(article: Article, catalogue: Catalogue) -> str:
    """Say who tried an article's steps, or from which years its sources are; empty for one about the bot itself."""
    t = catalogue.t
    if article.tried_on and article.tried_by_role:
        return t("Tried on {day} ({role}).", day=catalogue.day(article.tried_on), role=article.tried_by_role)
    if article.status == "always" or article.topic == OWN_TOPIC:
        return ""
    years = source_years(article)
    untried = article.steps is not None or article.status == "check"
    if not years:
        return t("Its sources are undated; not tried yet.") if untried else ""
    span = str(years[0]) if years[0] == years[-1] else f"{years[0]}–{years[-1]}"
    if untried:
        return t("From sources of {years}; not tried yet.", years=span)
    return t("From sources of {years}.", years=span)


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
