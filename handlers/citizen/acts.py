"""Acts: a short fitting sentence to thanks, a greeting, anger; and what leans on the article shown last.

Nothing here is a question, so nothing is counted as missed, rated or answered with an article it does not mean.
"""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.context import ANY_ACT, Context, Route
from bot.library import render
from bot.message import Button

_PERSON = frozenset(("anger", "calling", "not-worked", "error", "no-tech"))
_ABOUT_TOPIC = frozenset(("next", "repeat", "simpler", "not-worked", "not-seen", "error", "which-step"))
_OTHERS = frozenset(("not-what-i-meant",))
_LANGUAGES = {"speak-english": "en", "speak-vietnamese": "vi"}
MOST_OFFERED = 3


async def handle(context: Context) -> None:
    """Answer an act, about the topic where there is one."""
    act, topic = context.act, context.dialog.topic
    if (language := _LANGUAGES.get(act)) and language in context.catalogues:
        context.speak(language)
        context.dialog.language = language
    if act in _ABOUT_TOPIC and topic.subject in context.library.articles:
        _go_on(context, act, topic.subject)
        return
    if act in _OTHERS and _offer_others(context):
        return
    _answer(context, act)


def _answer(context: Context, act: str) -> None:
    known = context.knowledge.acts.acts[act]
    answers = known.answers.in_language(context.language)
    context.note("act", known.article)
    buttons = [context.menu_button("person")] if act in _PERSON else []
    context.say(answers[context.work.at.minute % len(answers)], buttons=buttons)


def _go_on(context: Context, act: str, article_id: str) -> None:
    """Show the next part of the article, or the same again; a person where it did not help."""
    article, topic = context.library.articles[article_id], context.dialog.topic
    stuck = act in ("not-worked", "not-seen", "error")
    person = [context.menu_button("person")]
    if not topic.article or act == "repeat" or not article.more:
        context.show_article(article_id)
        if stuck:
            last = context.replies[-1]
            context.replies[-1] = replace(last, buttons=(*person, *last.buttons))
        return
    if topic.parts < 2 or act == "simpler":
        reply = render.more_reply(article, context.library, context.catalogue, context.settings)
        context.about(article_id, parts=2)
        context.say(reply.text, buttons=[*(person if stuck or act == "simpler" else ()), *reply.buttons])
        return
    context.about(article_id, parts=2)
    related = [Button(_title(context, name), f"article:{name}") for name in article.related[:MOST_OFFERED]]
    if stuck:
        said = context.t("Then a person should look at it with you. Or is it one of these?")
        context.say(said, buttons=[*person, *related])
    else:
        context.say(context.t("That was all on this. What goes on from here:"), buttons=[*related, *person])


def _offer_others(context: Context) -> bool:
    topic = context.dialog.topic
    others = [name for name, _ in topic.ranking if name != topic.article and name in context.library.articles]
    if not others:
        return False
    context.note("suggest")
    buttons = [Button(_title(context, name), f"article:{name}") for name in others[:MOST_OFFERED]]
    context.say(
        context.t("Sorry, I misunderstood you. Did you mean one of these?"),
        buttons=[*buttons, context.menu_button("person")],
    )
    return True


def _title(context: Context, article_id: str) -> str:
    return context.library.articles[article_id].title.in_language(context.language)


ROUTE = Route("acts", handle, acts=(ANY_ACT,), public=True)
