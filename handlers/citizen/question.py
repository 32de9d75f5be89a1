"""Questions: an answer, up to three suggestions, or an honest "I don't know"."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.i18n.catalogue import looks_english, mark
from bot.library import render
from bot.message import Button
from bot.search import Found, Verdict

COMMANDS = ("/chude", "/topics")
MOST_SUGGESTED = 3
MISSES_BEFORE_PERSON = 2


async def handle(turn: Turn) -> None:
    """Answer a question, or show what a button asks for."""
    kind = turn.choice.partition(":")[0]
    if turn.command in COMMANDS:
        _show_topics(turn)
    elif kind == "topic":
        _show_topic(turn)
    elif kind in ("article", "more"):
        _show_chosen(turn, kind)
    elif kind == "none":
        _miss(turn)
    elif turn.text.startswith("/"):
        turn.say(turn.t("I do not know this command. Here is what I can do."), buttons=_main_menu(turn))
    elif not turn.text:
        turn.say(turn.t("Please write your question in a few words."), buttons=_main_menu(turn))
    else:
        _answer(turn)


def _answer(turn: Turn) -> None:
    found = turn.knowledge.find(turn.text)
    if looks_english(turn.text) and not turn.records.citizen.chose_language and "en" in turn.catalogues:
        turn.speak("en")
    if not turn.message.withheld:
        article = found.ids[0] if found.ids and found.verdict is not Verdict.UNKNOWN else ""
        turn.records.note_question(
            turn.text, language=turn.language, article=article, verdict=found.verdict.value, score=found.score
        )
    if found.verdict is Verdict.ANSWER:
        turn.dialog.misses = 0
        turn.show_article(found.ids[0])
        if found.also and found.also != found.ids[0]:
            turn.say(turn.t("You also asked about this:"), buttons=[_article_button(turn, found.also)])
    elif found.verdict is Verdict.SUGGEST:
        _suggest(turn, found)
    elif not turn.message.withheld:
        _miss(turn)


def _suggest(turn: Turn, found: Found) -> None:
    buttons = [_article_button(turn, article) for article in found.ids[:MOST_SUGGESTED]]
    buttons.append(Button(turn.t("None of these"), "none:"))
    turn.say(turn.t("I am not quite sure what you mean. Is it one of these?"), buttons=buttons)


def _miss(turn: Turn) -> None:
    turn.dialog.misses += 1
    buttons = [turn.menu_button("topics"), turn.menu_button("guide")]
    text = turn.t(
        "Sorry, I do not know the answer to this, and I will not guess. I only know about Sổ sức khỏe điện tử. "
        "Please ask in other words, or choose a topic."
    )
    if turn.dialog.misses >= MISSES_BEFORE_PERSON:
        text += "\n\n" + turn.t("If I keep failing you, a person can help.")
        buttons.insert(0, turn.menu_button("person"))
    turn.say(text, buttons=buttons)


def _show_chosen(turn: Turn, kind: str) -> None:
    article = turn.library.articles.get(turn.argument)
    if article is None:
        turn.say(turn.t("This choice is no longer there. Please choose again."), buttons=_main_menu(turn))
        return
    turn.dialog.misses = 0
    if kind == "article":
        turn.show_article(article.id)
    else:
        turn.replies.append(render.more_reply(article, turn.library, turn.catalogue, turn.settings))


def _show_topics(turn: Turn) -> None:
    topics = turn.library.menu.topics.items()
    buttons = [Button(label.in_language(turn.language), f"topic:{topic}") for topic, label in topics]
    turn.say(turn.t("Which topic is it about?"), buttons=buttons)


def _show_topic(turn: Turn) -> None:
    label = turn.library.menu.topics.get(turn.argument)
    if label is None:
        _show_topics(turn)
        return
    buttons = [_article_button(turn, article.id) for article in turn.library.by_topic(turn.argument)]
    turn.say(f"**{label.in_language(turn.language)}**", buttons=[*buttons, turn.menu_button("topics")])


def _article_button(turn: Turn, article_id: str) -> Button:
    title = turn.library.articles[article_id].title.in_language(turn.language)
    return Button(title, f"article:{article_id}")


def _main_menu(turn: Turn) -> list[Button]:
    return [turn.menu_button(name) for name in turn.library.menu.main]


ROUTE = Route(
    "question",
    handle,
    commands=COMMANDS,
    choices=("article:", "more:", "topic:", "none:"),
    help=mark("Topics"),
    public=True,
)
