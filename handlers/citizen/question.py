"""Questions: an answer, up to three suggestions, or an honest "I don't know"."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation.context import BOOKS, Context, Route
from bot.i18n.catalogue import mark
from bot.library import render
from bot.library.knowledge import EMERGENCY
from bot.message import Button
from bot.reading.facets import APP, VNEID
from bot.reading.followup import InContext
from bot.reading.reader import TextReading
from bot.search import Verdict

COMMANDS = ("/chude", "/topics")
MOST_SUGGESTED = 3
MISSES_BEFORE_PERSON = 2
PLACE_ARTICLE = "district-after-merger"
# The article with the telephone line for questions of a topic of the library.
HOTLINES = {
    "vneid": "contact-vneid-hotline",
    "bhyt": "bhyt-hotline",
    "certificate": "contact-moh-hotline",
    "booking": "contact-moh-hotline",
    "account": "contact-moh-hotline",
    "errors": "contact-moh-hotline",
    "install": "contact-moh-hotline",
}
_NUMBER = re.compile(r"\b(?:so|goi|tong dai|hotline|dien thoai|number|call|phone)\b")
_PLACE_WORDS = 6
_FLOOR, _FLOOR_ABOUT_BOT = 0.06, 0.2  # shares below which an article is not offered


async def handle(context: Context) -> None:
    """Answer a question, or show what a button asks for."""
    kind = context.choice.partition(":")[0]
    if context.command in COMMANDS:
        _show_topics(context)
    elif kind == "topic":
        _show_topic(context)
    elif kind in ("article", "more"):
        _show_chosen(context, kind)
    elif kind == "none":
        _miss(context)
    elif kind == "book":
        _other_book(context)
    elif context.text.startswith("/"):
        context.say(context.t("I do not know this command. Here is what I can do."), buttons=_main_menu(context))
    elif not context.text:
        context.say(context.t("Please write your question in a few words."), buttons=_main_menu(context))
    else:
        _answer(context)


def _answer(context: Context) -> None:
    reading = context.reading or context.knowledge.reader.read(context.text, context.dialog.topic)
    question, topic = reading.question, context.dialog.topic
    found = question.found
    if not context.message.withheld:
        article = found.ids[0] if found.ids and found.verdict is not Verdict.UNKNOWN else ""
        context.work.note_question(
            context.text, language=context.language, article=article, verdict=found.verdict.value, score=found.score
        )
    if found.verdict is not Verdict.ANSWER and _say_place(context, reading.words):
        return
    if found.verdict is Verdict.ANSWER:
        context.dialog.misses = 0
        if reading.act == "who" and _NUMBER.search(reading.words.folded) and _show_hotline(context):
            return
        _show(context, question)
        if found.also and found.also != found.ids[0]:
            context.say(context.t("You also asked about this:"), buttons=[_article_button(context, found.also)])
    elif found.verdict is Verdict.SUGGEST:
        _suggest(context, question)
    elif not context.message.withheld:
        _miss(context)
    if found.verdict is not Verdict.UNKNOWN:
        topic.ranking = context.knowledge.reader.keep(question.ranking)


def _say_place(context: Context, words: TextReading) -> bool:
    """Say to which former district a place belongs, where a message names nothing else."""
    place = context.regions.understand(words.decoded).one
    if place is None or len(words.tokens) > _PLACE_WORDS:
        return False
    district = context.regions.districts[place.district].title(context.language)
    named = f"{place.kind} {place.name}".strip() if place.name else district
    context.note("answer", PLACE_ARTICLE)
    context.say(
        context.t(
            "{place}: for the counts and the officers, that belongs to {district}.",
            place=named[:1].upper() + named[1:],
            district=district,
        ),
        buttons=[context.menu_button("report"), context.menu_button("person"), context.menu_button("menu")],
    )
    return True


def _show_hotline(context: Context) -> bool:
    """Show the telephone line of the matter that the talk is about."""
    subject = context.library.articles.get(context.dialog.topic.subject)
    hotline = HOTLINES.get(subject.topic, "") if subject is not None else ""
    if hotline not in context.library.articles:
        return False
    context.show_article(hotline)
    return True


def _show(context: Context, question: InContext) -> None:
    """Show the article that a question means; of the one shown last, the part that fits."""
    article_id, topic = question.found.ids[0], context.dialog.topic
    article = context.library.articles[article_id]
    if question.leaned and article_id == topic.article and topic.parts == 1 and article.more:
        context.about(article_id, parts=2)
        context.replies.append(render.more_reply(article, context.library, context.catalogue, context.settings))
        return
    context.show_article(article_id)
    if question.book:
        _say_assumed(context, question.book)


def _say_assumed(context: Context, book: str) -> None:
    """Say before an answer which book it takes the question to be about, with the way to the other one."""
    if book == VNEID:
        assumed = context.t("I take it that you mean the book in VNeID.")
        undo = Button(context.t("No, the app of 2021"), f"book:{APP}")
    else:
        assumed = context.t("I take it that you mean the app of 2021.")
        undo = Button(context.t("No, the book in VNeID"), f"book:{VNEID}")
    last = context.replies[-1]
    context.replies[-1] = replace(last, text=f"{assumed}\n\n{last.text}", buttons=(undo, *last.buttons))


def _other_book(context: Context) -> None:
    """Show the article of the other book on the same matter."""
    topic, book = context.dialog.topic, context.argument
    article = context.library.articles.get(topic.article)
    topic.book = book if book in BOOKS else topic.book
    twins = article.twins if article is not None else ()
    candidates = [*twins, *(name for name, _ in topic.ranking)]
    chosen = next((n for n in candidates if n in context.library.articles and _is_of(context, n, book)), "")
    if chosen:
        context.show_article(chosen)
    else:
        _miss(context)


def _is_of(context: Context, article_id: str, book: str) -> bool:
    return context.library.articles[article_id].product == book


def _suggest(context: Context, question: InContext) -> None:
    context.note("suggest")
    context.dialog.misses += 1
    ids = [name for name in question.found.ids if _worth_offering(name, question)] or list(question.found.ids[:1])
    buttons = [_article_button(context, article) for article in ids[:MOST_SUGGESTED]]
    buttons.append(Button(context.t("None of these"), "none:"))
    if context.dialog.misses >= MISSES_BEFORE_PERSON:
        buttons.append(context.menu_button("person"))
    context.say(context.t("I am not quite sure what you mean. Is it one of these?"), buttons=buttons)


def _worth_offering(name: str, question: InContext) -> bool:
    """Return True above a floor of an article's own share; what is about the assistant or an emergency needs more."""
    share = question.ranking.share(name)
    return share >= (_FLOOR_ABOUT_BOT if name.startswith("bot-") or name == EMERGENCY else _FLOOR)


def _miss(context: Context) -> None:
    context.note("unknown")
    context.dialog.misses += 1
    buttons = [context.menu_button("topics"), context.menu_button("guide")]
    text = context.t(
        "Sorry, I do not know the answer to this, and I will not guess. I only know about Sổ sức khỏe điện tử. "
        "Please ask in other words, or choose a topic."
    )
    if context.dialog.misses >= MISSES_BEFORE_PERSON:
        text += "\n\n" + context.t("If I keep failing you, a person can help.")
        buttons.insert(0, context.menu_button("person"))
    context.say(text, buttons=buttons)


def _show_chosen(context: Context, kind: str) -> None:
    article = context.library.articles.get(context.argument)
    if article is None:
        context.say(context.t("This choice is no longer there. Please choose again."), buttons=_main_menu(context))
        return
    context.dialog.misses = 0
    if kind == "article":
        context.show_article(article.id)
    else:
        context.about(article.id, parts=2)
        context.replies.append(render.more_reply(article, context.library, context.catalogue, context.settings))


def _show_topics(context: Context) -> None:
    topics = context.library.menu.topics.items()
    buttons = [Button(label.in_language(context.language), f"topic:{topic}") for topic, label in topics]
    context.say(context.t("Which topic is it about?"), buttons=buttons)


def _show_topic(context: Context) -> None:
    label = context.library.menu.topics.get(context.argument)
    if label is None:
        _show_topics(context)
        return
    buttons = [_article_button(context, article.id) for article in context.library.by_topic(context.argument)]
    context.say(f"**{label.in_language(context.language)}**", buttons=[*buttons, context.menu_button("topics")])


def _article_button(context: Context, article_id: str) -> Button:
    title = context.library.articles[article_id].title.in_language(context.language)
    return Button(title, f"article:{article_id}")


def _main_menu(context: Context) -> list[Button]:
    return [context.menu_button(name) for name in context.library.menu.main]


ROUTE = Route(
    "question",
    handle,
    commands=COMMANDS,
    choices=("article:", "more:", "topic:", "none:", "book:"),
    help=mark("Topics"),
    public=True,
)
