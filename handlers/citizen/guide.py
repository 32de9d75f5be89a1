"""Guided walks: which one, a step a message with its picture, troubles, rests, the end, and handing on.

`ROUTE` takes commands and buttons, asks for a walk in free text, and what is typed at a step as long as it is about the
walk: "xong", "chưa thấy", "bước 3 là sao", a trouble in own words. A question in between is left to the search.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from bot.clock import moment, stamp
from bot.conversation import handoffs, walk, walk_replies
from bot.conversation.context import Context, Route
from bot.conversation.dialog import WALK_STEP
from bot.conversation.walk import Standing, Walk
from bot.exports.qr import code_picture
from bot.i18n.catalogue import mark
from bot.library.guides import ARTICLE, END, GUIDE, STEP, Guide
from bot.message import Button
from bot.reading.facets import APP, VNEID
from bot.reminders.planning import FOLLOW_UP_AFTER
from bot.search import Verdict
from bot.statistics import walks

OPEN = WALK_STEP  # the dialog's step while a walk is open; its data is a Standing, and `at`, when it moved last
NO_SMARTPHONE = "install-no-smartphone"
_UNSHARE = "unshare"
_BREAK = timedelta(minutes=10)  # after which "go on" means the step that stood there
_ACTS: dict[str, str] = {
    "next": "on", "ok": "on", "yes": "on", "done-well": "on", "yes-please": "on", "step-by-step": "again",
    "back": "back", "repeat": "again", "simpler": "again", "which-step": "again", "not-seen": "unseen",
    "not-worked": "failed", "error": "failed", "no": "failed", "resigned": "stop",
}  # fmt: skip
_WANTED = re.compile(r"\b(?:tung buoc|lan luot tung|cam tay chi viec|step by step|walk me through)\b")
_GO_ON = re.compile(
    r"\b(?:lam|di|xem) (?:tiep|not)\b|\b(?:dang do|luc nay|hoi nay)\b.*\btiep\b|^(?:ta )?tiep tuc\b|\bgo on\b"
)
_DONE = re.compile(r"\b(?:xong|duoc|nhap duoc|vao duoc|thay|hien|len) (?:roi|r|rui|r nhe)\b|\b(?:done|worked)\b")
_SURE_QUESTION = 0.85
_MOST_CANDIDATES = 3
_ASKING = ("step-by-step", "yes-please")
_PHONES = {"android": "app-android", "iphone": "app-iphone"}
_INSTALLING = tuple(_PHONES.values())


async def handle(context: Context) -> None:
    """Take a command, a button or a text at a step."""
    if context.choice.startswith("guide:"):
        await _take_button(context)
    elif code := _code_in(context):
        await _take_code(context, code)
    elif context.command:
        overview(context)
    elif context.dialog.step == OPEN and (meant := _meant(context)) is not None:
        await meant(context)
    elif _WANTED.search(_said(context)) or context.act in _ASKING:
        await _begin_wanted(context)
    else:
        await resume(context)


def hears(context: Context) -> bool:
    """Return True for a code of somebody's walk, for a walk that is asked for, and for "let us go on"."""
    if handoffs.typed_code(context.text):
        return True
    if context.reading is None:
        return False
    if context.act == "step-by-step" or _WANTED.search(_said(context)):
        return True
    if context.act == "yes-please" and _guide_of(context, context.dialog.topic.article) is not None:
        return True
    return open_walk(context) is not None and bool(_GO_ON.search(_said(context)))


def takes(context: Context) -> bool:
    """Return True if a text belongs to the open walk; a question in between does not."""
    return context.reading is not None and _meant(context) is not None


def way_back(context: Context) -> Button | None:
    """Make the button that leads back to the open step."""
    here = open_walk(context)
    return walk_replies.back_button(here, context.catalogue) if here is not None else None


def overview(context: Context) -> None:
    """Offer the walks, those of today's book first."""
    t, manual = context.t, context.library.manual
    _note_opened(context)
    guides = [guide for guide in context.library.guides.values() if guide.product != "app"]
    buttons = [Button(guide.title.in_language(context.language), f"guide:{guide.id}") for guide in guides]
    buttons += [Button(t("The app of 2021 (vaccination certificate)"), f"guide:{APP}"), context.menu_button("report")]
    lines = [
        "**" + t("Which of these do you need?") + "**",
        t("I lead you step by step, with a drawing of each screen. Today's health book is inside **VNeID**."),
        f"{manual.links['manual'].label.in_language(context.language)}: {manual.links['manual'].url}",
    ]
    context.say("\n\n".join(lines), buttons=buttons)


async def begin(context: Context, guide_id: str, *, nested: bool = False) -> None:
    """Begin a guide; an unknown one shows them all. A `nested` one leads back to the open walk at its end."""
    opened = walk.open_walk(context.library.guides, guide_id)
    if opened is None:
        overview(context)
        return
    _note_opened(context)
    _stand(context, opened, nested=nested)
    context.replies.append(walk_replies.intro_reply(opened.guide, context.catalogue))
    await _show(context, opened)


async def advance(context: Context) -> None:
    """Go on to the next step, to a rest, or to the end."""
    here = open_walk(context)
    if here is None:
        overview(context)
    else:
        await _go(context, here, here.next())


async def go_back(context: Context) -> None:
    """Go one step back."""
    here = open_walk(context)
    if here is None:
        overview(context)
    else:
        await _go(context, here, here.back())


async def repeat(context: Context) -> None:
    """Say the open step in more words."""
    here = open_walk(context)
    if here is None:
        overview(context)
    else:
        _stand(context, replace(here, resting=False))
        await _show(context, replace(here, resting=False), more=True)


async def show_step(context: Context, number: int) -> None:
    """Explain a step by its number in more words; the open step stays open."""
    here = open_walk(context)
    shown = here.at(number) if here is not None else None
    if here is None or shown is None:
        await resume(context)
    elif shown.place == here.place:
        await repeat(context)
    else:
        context.replies.append(walk_replies.other_step_reply(here, shown, context.catalogue))


async def open_trouble(context: Context, *, failed: bool = False) -> None:
    """Ask what stops the citizen at the open step."""
    here = open_walk(context)
    if here is None:
        overview(context)
        return
    here = replace(here, resting=False)
    _stand(context, here)
    day = context.dialog.data["began"]
    _book(context, walks.stuck(here.guide.id, here.step.id, day=day))
    context.replies.append(walk_replies.trouble_reply(here, context.catalogue, failed=failed))


def find_trouble(context: Context, text: str) -> int | None:
    """Return the index of the open step's trouble that a text tells of."""
    here = open_walk(context)
    return walk.find_trouble(here.step, text) if here is not None else None


async def take_trouble(context: Context, index: int) -> None:
    """Say what helps against a trouble of the open step, and lead to where it leads."""
    here = open_walk(context)
    if here is None or not 0 <= index < len(here.step.trouble):
        await open_trouble(context)
        return
    trouble = here.step.trouble[index]
    await _lead_to(context, here, trouble.goto, trouble.remedy.in_language(context.language))


async def resume(context: Context) -> None:
    """Show the open step again; without an open walk, all of them."""
    here = open_walk(context)
    if here is None:
        overview(context)
    else:
        await _show(context, here)


async def stop(context: Context) -> None:
    """Leave the walk; a button leads back to where it stopped."""
    here = open_walk(context)
    if here is None:
        overview(context)
        return
    if key := context.dialog.data.get("handoff"):
        handoffs.stop(context.work, key)
    context.dialog.ask("", **context.dialog.data)  # closed, but known to whoever presses "go on"
    menu = [context.menu_button("menu")]
    context.replies.append(walk_replies.stop_reply(replace(here, resting=False), context.catalogue, menu))


def open_walk(context: Context) -> Walk | None:
    """Return the walk that is open in this talk, or was stopped last."""
    standing = _standing(context)
    return standing.walk if standing is not None else None


# -- where the walk stands --------------------------------------------------------------------------------------------


def _standing(context: Context) -> Standing | None:
    if context.dialog.step not in (OPEN, ""):
        return None
    return walk.load_standing(context.library.guides, context.dialog.data)


def _stand(context: Context, there: Walk, *, handoff: str = "", nested: bool = False) -> None:
    """Keep where the walk stands and count its move; a `nested` guide leads back to the one it was begun from."""
    before, step_id = _standing(context), there.step.id
    if before is not None and before.continues_with(there):
        standing, left = before.move(there), before.left_at(there)
        _book(context, walks.moved(there.guide.id, left, step_id, day=standing.began))
    else:
        outer = (before.walk, before.began) if before is not None and nested else None
        standing = Standing(there, context.work.day, outer, handoff)
        _book(context, walks.begun(there.guide.id, step_id, day=standing.began))
    context.dialog.ask(OPEN, **standing.dump(), at=stamp(context.work.at))


def _book(context: Context, booking: walks.Booking) -> None:
    """Count something; not in a group, where nobody's walk is remembered from one message to the next."""
    if not context.message.group:
        context.work.do(lambda tx, _: booking(tx))


def _note_opened(context: Context) -> None:
    context.work.note_guide()
    context.work.plan_follow_up(context.settings.quiet.end(context.work.at + FOLLOW_UP_AFTER))


# -- steps ------------------------------------------------------------------------------------------------------------


async def _go(context: Context, here: Walk, there: Walk | None) -> None:
    """Go to another step of the guide; None is its end."""
    if there is None:
        _finish(context, here)
        return
    _stand(context, there)
    await _show(context, there)


async def _show(context: Context, there: Walk, *, lead: str = "", more: bool = False) -> None:
    """Show a step or a rest; a walk that the giver of its code has stopped ends here."""
    standing = _standing(context)
    if standing is not None and standing.handoff:
        handoff = await handoffs.find_by_key(context.work, standing.handoff)
        if handoff is not None and handoff.stopped:
            context.dialog.close()
            context.say(
                context.t("The person whom you help has stopped this walk. Thank you for helping."),
                buttons=[Button(there.guide.title.in_language(context.language), f"guide:{there.guide.id}"),
                         context.menu_button("menu")],
            )  # fmt: skip
            return
    context.note("flow", there.guide.articles[0])
    context.about(there.guide.articles[0], parts=1)
    if there.resting:
        context.replies.append(walk_replies.rest_reply(there, context.catalogue))
    else:
        context.replies.append(walk_replies.step_reply(there, context.catalogue, lead=lead, more=more))


def _finish(context: Context, here: Walk) -> None:
    standing = _standing(context)
    day = standing.began if standing is not None else context.work.day
    _book(context, walks.moved(here.guide.id, here.step.id, END, day=day))
    outer = standing.outer if standing is not None else None
    if outer is not None:  # its own walk stands where it stood
        context.dialog.ask(OPEN, **Standing(*outer).dump(), at=stamp(context.work.at))
    else:
        context.dialog.close()
    came_from = outer[0] if outer is not None else None
    context.replies.append(walk_replies.end_reply(here.guide, context.library, context.catalogue, came_from=came_from))


async def _lead_to(context: Context, here: Walk, goto: str, remedy: str) -> None:
    """Say a remedy and lead to a step, a guide, an article or a person."""
    kind, _, name = goto.partition(":")
    if kind == STEP:
        there = here.at_step(name)
        _stand(context, there)
        await _show(context, there, lead=remedy)
    elif kind == GUIDE:
        context.say(remedy)
        await begin(context, name, nested=True)
    elif kind == ARTICLE:
        context.say(remedy)
        context.show_article(name)
        context.say(
            context.t("When you are ready, we go on."), buttons=[walk_replies.back_button(here, context.catalogue)]
        )
    else:
        context.say(
            remedy,
            buttons=[
                walk_replies.person_button(here, context.catalogue),
                walk_replies.back_button(here, context.catalogue),
            ],
        )


# -- buttons and words ------------------------------------------------------------------------------------------------


async def _take_button(context: Context) -> None:
    """Do what a button says at the step that it names; what is unknown leads to the start of its guide."""
    guide_id, step_id, action, number = [*context.argument.split(":"), "", "", ""][:4]
    if guide_id == APP:
        _ask_telephone(context)
        return
    there = walk.open_walk(context.library.guides, guide_id, step_id)
    if there is None or not step_id or there.step.id != step_id:
        await begin(context, guide_id)
        return
    if action == _UNSHARE:
        _unshare(context, there)
        return
    _stand(context, there)
    if action == walk_replies.DONE:
        await advance(context)
    elif action in (walk_replies.UNSEEN, walk_replies.FAILED):
        await open_trouble(context, failed=action == walk_replies.FAILED)
    elif action == walk_replies.TROUBLE:
        await take_trouble(context, int(number) if number.isdecimal() else -1)
    elif action == walk_replies.ANSWER:
        await _take_answer(context, there, number)
    elif action == walk_replies.STOP:
        await stop(context)
    elif action == walk_replies.SHARE and not context.message.group:
        _share(context, there)
    else:
        await _show(context, there)


async def _take_answer(context: Context, here: Walk, number: str) -> None:
    index = int(number) if number.isdecimal() else -1
    if not 0 <= index < len(here.step.answers):
        await _show(context, here)
        return
    goto = here.step.answers[index].goto
    if goto == "next" or goto.startswith(f"{STEP}:"):
        await _go(context, here, here.answered(goto))
    elif goto.startswith(f"{GUIDE}:"):
        await begin(context, goto.partition(":")[2], nested=True)
    else:
        await _lead_to(context, here, goto, here.step.expect.in_language(context.language))


def _ask_telephone(context: Context) -> None:
    guides, manual = context.library.guides.values(), context.library.manual
    buttons = [Button(guide.title.in_language(context.language), f"guide:{guide.id}") for guide in guides
               if guide.product == "app"]  # fmt: skip
    if article := context.library.articles.get(NO_SMARTPHONE):
        buttons.append(Button(article.title.in_language(context.language), f"article:{article.id}"))
    lines = [
        context.t("The app of 2021 shows the COVID-19 vaccination certificate. What do you need?"),
        f"{manual.links['manual'].label.in_language(context.language)}: {manual.links['manual'].url}",
        manual.fallback.in_language(context.language),
    ]
    context.say("\n\n".join(lines), buttons=buttons)


Move = Callable[[Context], Awaitable[None]]
_MOVES: dict[str, Move] = {"back": go_back, "again": repeat, "stop": stop}


def _meant(context: Context) -> Move | None:
    """Return what a typed text does at the open step; None for what is no part of the walk."""
    said, act = _said(context), _ACTS.get(context.act, "")
    if (number := walk.step_number(context.text)) is not None:
        return lambda context: show_step(context, number)
    if act == "on" or (not act and _DONE.search(said) and not _asks(context)):
        return resume if _after_break(context) and _GO_ON.search(said) else advance
    if act in _MOVES:
        return _MOVES[act]
    if context.act and not act:
        return None  # another capability's
    if (index := find_trouble(context, context.text)) is not None:
        return lambda context: take_trouble(context, index)
    if _asks(context):
        return None
    if act:
        return lambda context: open_trouble(context, failed=act == "failed")
    return None


def _asks(context: Context) -> bool:
    """Return True if a text is surely a question that the search answers, or another capability's."""
    assert context.reading is not None  # only typed texts lead here
    if context.act and context.act not in _ACTS:
        return True
    found = context.reading.words.found
    return found.verdict is Verdict.ANSWER and found.score >= _SURE_QUESTION


def _after_break(context: Context) -> bool:
    at = context.dialog.data.get("at", "")
    return bool(at) and context.work.at - moment(at) > _BREAK


def _said(context: Context) -> str:
    return context.reading.words.spoken if context.reading is not None else ""


async def _begin_wanted(context: Context) -> None:
    """Begin the walk that a text asks for, or the one of what the talk is about; else offer them all."""
    assert context.reading is not None  # only typed texts lead here
    facets, topic = context.reading.facets, context.dialog.topic
    found = context.reading.question.found
    short = context.act in _ASKING  # "step by step, please": about the article shown last
    sure = found.verdict is Verdict.ANSWER or (found.verdict is Verdict.SUGGEST and not short)
    named = found.ids[:_MOST_CANDIDATES] if sure else ()
    ranked = [name for name, _ in context.reading.words.ranking.best(_MOST_CANDIDATES)]
    candidates = [topic.subject, *named] if short else [*named, *ranked, topic.subject]
    book, phone = facets.book or (topic.book if short else ""), facets.phone or topic.phone
    guides = [guide for name in candidates if (guide := _guide_of(context, name)) is not None]
    fitting = [guide for guide in guides if book not in (APP, VNEID) or guide.product in (book, "both")]
    if not fitting:
        overview(context)
        return
    chosen = fitting[0]
    if chosen.product == APP and phone and (other := _for_phone(context, phone)) is not None:
        chosen = other if chosen.id in _INSTALLING else chosen
    await begin(context, chosen.id)


def _guide_of(context: Context, article_id: str) -> Guide | None:
    return context.library.guide_of(article_id) if article_id else None


def _for_phone(context: Context, phone: str) -> Guide | None:
    return context.library.guides.get(_PHONES.get(phone, ""))


# -- handing on -------------------------------------------------------------------------------------------------------


def _share(context: Context, here: Walk) -> None:
    """Give a code with which somebody else's telephone goes on at this step."""
    t = context.t
    code = handoffs.offer(context.work, here.guide.id, here.step.id)
    shown, link = handoffs.shown(code), handoffs.link_of(code, context.settings, context.capabilities)
    lines = [
        t("Give this code to whoever helps you: **{code}**", code=shown),
        t("Within {hours} hours they write to this assistant: tiep {code}", code=shown,
          hours=int(handoffs.LIFETIME.total_seconds() // 3600)),
    ]  # fmt: skip
    if link:
        lines.append(t("Or they scan the picture, or open: {link}", link=link))
    lines.append(
        t("Their phone goes on at step {number}/{total}. Nothing about you goes along. You both can stop it. "
          "Give nobody a password or an OTP.", number=here.number, total=here.total)
    )  # fmt: skip
    alt = t("QR code of the link {link}", link=link) if link else ""
    buttons = [
        Button(t("Void the code"), walk_replies.walk_choice(here, _UNSHARE)),
        walk_replies.back_button(here, context.catalogue),
    ]
    context.say("\n\n".join(lines), buttons=buttons, image=code_picture(link) if link else b"", alt=alt)


def _unshare(context: Context, here: Walk) -> None:
    handoffs.stop_own(context.work)
    context.say(
        context.t("The code is void now. Whoever went on with it is told so at their next step."),
        buttons=[walk_replies.back_button(here, context.catalogue), context.menu_button("menu")],
    )


def _code_in(context: Context) -> str:
    """Return the code of a handoff that was typed or came by a link."""
    if context.command == "/start":
        return handoffs.linked_code(context.argument)
    if context.command in _TAKE:
        return handoffs.typed_code(f"tiep {context.argument}") or context.argument
    return handoffs.typed_code(context.text) if context.text else ""


async def _take_code(context: Context, code: str) -> None:
    """Go on with a walk that another person handed on."""
    t, menu = context.t, [context.menu_button("guide"), context.menu_button("menu")]
    if not await context.work.may_guess():
        context.say(t("Too many wrong codes. Please try again in an hour."), buttons=menu)
        return
    handoff = await handoffs.find(context.work, code)
    there = walk.open_walk(context.library.guides, handoff.guide_id, handoff.step_id) if handoff is not None else None
    if handoff is None or there is None:
        context.work.note_guess()
        context.say(t("This code is wrong or expired. Please ask for a new one."), buttons=menu)
    elif handoff.stopped:
        context.say(t("The person who gave this code has stopped it."), buttons=menu)
    elif handoff.own:
        context.say(
            t("You gave this code yourself; it is for another phone."),
            buttons=[walk_replies.back_button(there, context.catalogue)],
        )
    else:
        context.dialog.close()
        context.say(
            t("You help somebody with: {guide}. I do not know who it is. They enter passwords and OTP codes "
              "themselves; you need none of them.", guide=there.guide.title.in_language(context.language))
        )  # fmt: skip
        _stand(context, there, handoff=handoff.key)
        await _show(context, there)


_TAKE = ("/tiep", "/continue")
ROUTE = Route(
    "guide",
    handle,
    commands=("/huongdan", "/guide", "/manual", *_TAKE),
    choices=("guide:",),
    steps=(OPEN,),
    help=mark("The manual"),
    public=True,
    links=(handoffs.DEEP_LINK,),
    acts=("step-by-step",),
    hears=hears,
    takes=takes,
    leave=stop,
    resume=way_back,
)
