"""Questions: an answer, up to three suggestions, or an honest "I don't know"."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.i18n.catalogue import looks_english, mark
from bot.library import render
from bot.message import Button
from bot.search import Found, Verdict

COMMANDS = ("/chude", "/topics")
MOST_SUGGESTED = 3
MISSES_BEFORE_PERSON = 2


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
    elif context.text.startswith("/"):
        context.say(context.t("I do not know this command. Here is what I can do."), buttons=_main_menu(context))
    elif not context.text:
        context.say(context.t("Please write your question in a few words."), buttons=_main_menu(context))
    else:
        _answer(context)


def _answer(context: Context) -> None:
    found = context.knowledge.find(context.text)
    if looks_english(context.text) and not context.work.citizen.chose_language and "en" in context.catalogues:
        context.speak("en")
    if not context.message.withheld:
        article = found.ids[0] if found.ids and found.verdict is not Verdict.UNKNOWN else ""
        context.work.note_question(
            context.text, language=context.language, article=article, verdict=found.verdict.value, score=found.score
        )
    if found.verdict is Verdict.ANSWER:
        context.dialog.misses = 0
        context.show_article(found.ids[0])
        if found.also and found.also != found.ids[0]:
            context.say(context.t("You also asked about this:"), buttons=[_article_button(context, found.also)])
    elif found.verdict is Verdict.SUGGEST:
        _suggest(context, found)
    elif not context.message.withheld:
        _miss(context)


def _suggest(context: Context, found: Found) -> None:
    buttons = [_article_button(context, article) for article in found.ids[:MOST_SUGGESTED]]
    buttons.append(Button(context.t("None of these"), "none:"))
    context.say(context.t("I am not quite sure what you mean. Is it one of these?"), buttons=buttons)


def _miss(context: Context) -> None:
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
    choices=("article:", "more:", "topic:", "none:"),
    help=mark("Topics"),
    public=True,
)
