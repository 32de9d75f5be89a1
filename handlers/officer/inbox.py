"""What citizens ask of people: officers read within their scope, take a message, answer, hand over, close."""

from __future__ import annotations

from bot import access
from bot.access.names import OfficerNames, officer_names
from bot.conversation.context import Context, Route
from bot.errors import NotAllowed
from bot.helpdesk.cases import TAKEN
from bot.helpdesk.models import DATA, Case, CaseMessage, Officer
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.markup import escape

ANSWER = "inbox.answer"
SHOWN = 8  # messages on one page
MOST_SAID = 12  # of a long talk, the latest


async def handle(context: Context) -> None:
    """List what waits; show, take, answer, hand over or close one message."""
    action, _, rest = context.argument.partition(":") if context.choice.startswith("case:") else ("", "", "")
    typed = (
        context.dialog.step == ANSWER and bool(context.text) and not context.choice and not context.text.startswith("/")
    )
    named, _, value = (context.dialog.data.get("number", "") if typed else rest).partition(":")
    number = int(named) if named.isdecimal() and len(named) < 19 else 0
    if not typed:
        context.dialog.close()
    if not typed and action in ("", "page"):
        await _list(context, page=number)
        return
    try:
        case, said = await context.work.read(lambda tx: context.help_desk.thread(tx, _officer(context), number))
        if typed:
            await _answer(context, case)
        elif action in ("take", "over", "answer"):
            _take(context, case, over=action == "over")
        elif action == "hand":
            await _offer_successors(context, case, value)
        elif action == "give":
            await _hand_over(context, case, value)
        elif action in ("close", "shut"):
            await _close(context, case, sure=action == "shut")
        else:
            await _show(context, case, said)
    except NotAllowed as refusal:
        context.dialog.close()
        context.say(context.t(str(refusal)), buttons=[_back(context)])


async def _list(context: Context, *, page: int) -> None:
    desk, officer, at = context.help_desk, _officer(context), context.work.at
    cases = await context.work.read(lambda tx: desk.cases(tx, officer))
    if not cases:
        context.say(context.t("No messages are waiting."), buttons=[context.menu_button("menu")])
        return
    waiting = await context.work.read(lambda tx: desk.waiting(tx, officer, at=at))
    lines = ["**" + context.t("Citizens' messages") + "**"]
    lines.append(context.t("{waiting} wait for an answer, {overdue} of them overdue.",
                        waiting=waiting.waiting, overdue=waiting.overdue))  # fmt: skip
    if waiting.overdue_data:
        lines.append(
            context.t("⚠ Overdue requests about personal data: {count}. The law gives two working days.",
                   count=waiting.overdue_data)
        )  # fmt: skip
    shown = cases[page * SHOWN : (page + 1) * SHOWN]
    names = await context.work.read(officer_names)
    lines += [_line(context, case, names) for case in shown]
    buttons = [Button(context.t("Message {number}", number=case.number), f"case:open:{case.number}") for case in shown]
    if len(cases) > (page + 1) * SHOWN:
        buttons.append(Button(context.t("Next page"), f"case:page:{page + 1}"))
    context.say("\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


def _line(context: Context, case: Case, names: OfficerNames) -> str:
    t, place = context.t, context.help_desk.place_name(case.district, context.catalogue)
    due = context.catalogue.minute(case.due_at, context.settings.zone)
    if case.waiting_since is None:
        line = t("{number}. {place}: answered.", number=case.number, place=place)
    elif case.overdue(context.work.at):
        line = t("{number}. {place}: **overdue**, was due at {due}.", number=case.number, place=place, due=due)
    else:
        line = t("{number}. {place}: due at {due}.", number=case.number, place=place, due=due)
    if case.kind == DATA:
        line += " " + t("About personal data.")
    return f"{line} {_in_hand(context, case, names)}".strip()


def _in_hand(context: Context, case: Case, names: OfficerNames) -> str:
    if case.officer == context.work.citizen.id:
        return context.t("You are handling it.")
    if not case.officer:
        return ""
    return context.t("{officer} is handling it.", officer=escape(names.of(case.officer, context.catalogue)))


async def _show(context: Context, case: Case, said: list[CaseMessage]) -> None:
    t, desk, officer = context.t, context.help_desk, _officer(context)
    names = await context.work.read(officer_names)
    context.work.do(lambda tx, _: desk.note_reading(tx, officer, case.number, at=context.work.at))
    place = desk.place_name(case.district, context.catalogue)
    lines = ["**" + t("Message {number}", number=case.number) + f"**, {place}"]
    if case.kind == DATA:
        lines.append(t("About personal data."))
    lines += filter(None, [_in_hand(context, case, names)])
    if case.question:
        lines.append(t("The question that I could not answer: {question}", question=escape(case.question)))
    for one in said[-MOST_SAID:]:
        who = t("Citizen") if not one.by_officer else t("Officer")
        if one.officer:
            who = escape(names.of(one.officer, context.catalogue))
        lines.append(f"\n**{who}, {context.catalogue.minute(one.at, context.settings.zone)}**\n{escape(one.text)}")
    if case.closed_at is not None:
        closed = context.catalogue.minute(case.closed_at, context.settings.zone)
        context.say("\n".join([*lines, "\n" + t("Closed: {moment}", moment=closed)]), buttons=[_back(context)])
        return
    mine = case.officer == officer.id
    if mine:
        context.dialog.ask(ANSWER, number=str(case.number))
        lines.append("\n" + t("What you type now goes to the citizen."))
        context.say("\n".join(lines), buttons=_doing(context, case))
        return
    take = (
        Button(t("Take it over from the colleague"), f"case:over:{case.number}")
        if case.officer
        else Button(t("Take it and answer"), f"case:take:{case.number}")
    )
    context.say("\n".join(lines), buttons=[take, _back(context)])


def _take(context: Context, case: Case, *, over: bool) -> None:
    desk, officer = context.help_desk, _officer(context)
    if case.officer not in (0, officer.id) and not over:
        raise NotAllowed(TAKEN)
    context.work.do(lambda tx, _: desk.take(tx, officer, case.number, at=context.work.at, over=over))
    context.dialog.ask(ANSWER, number=str(case.number))
    context.say(
        context.t("You have taken message {number}. What you type now goes to the citizen.", number=case.number),
        buttons=_doing(context, case),
    )


async def _answer(context: Context, case: Case) -> None:
    desk, officer, text = context.help_desk, _officer(context), context.text
    if context.message.withheld:
        context.say(context.t("This was not sent to the citizen."), buttons=_doing(context, case))
        return
    await context.work.read(lambda tx: desk.held(tx, officer, case.number))
    context.work.do(lambda tx, _: desk.answer(tx, officer, case.number, text, at=context.work.at))
    context.dialog.ask(ANSWER, number=str(case.number))
    context.say(
        context.t(
            "Your answer is on its way (message {number}). What you type next goes there too.", number=case.number
        ),
        buttons=_doing(context, case),
    )


async def _offer_successors(context: Context, case: Case, district: str) -> None:
    desk, officer = context.help_desk, _officer(context)
    await context.work.read(lambda tx: desk.held(tx, officer, case.number))
    if not district:
        buttons = [Button(context.t("To the province"), f"case:hand:{case.number}:*")]
        for place in context.regions.districts.values():
            title = place.title(context.language)
            buttons.append(Button(title[:1].upper() + title[1:], f"case:hand:{case.number}:{place.id}"))
        context.say(context.t("To whom do you hand message {number} over?", number=case.number),
                 buttons=[*buttons, _back(context)])  # fmt: skip
        return
    key = "" if district == "*" else district
    found = await context.work.read(lambda tx: desk.successors(tx, case, key))
    buttons = [Button(context.t("To whoever takes it first"), f"case:give:{case.number}:{district}:0")]
    names = await context.work.read(officer_names)
    buttons += [
        Button(names.of(one.id, context.catalogue), f"case:give:{case.number}:{district}:{one.id}")
        for one in found[:SHOWN]
    ]
    place_name = desk.place_name(key, context.catalogue) if key else context.t("the whole province")
    context.say(context.t("Message {number} goes to: {place}. To one officer, or to all of them?",
                    number=case.number, place=place_name), buttons=[*buttons, _back(context)])  # fmt: skip


async def _hand_over(context: Context, case: Case, value: str) -> None:
    desk, officer = context.help_desk, _officer(context)
    district, _, to = value.partition(":")
    key, number = "" if district == "*" else district, int(to) if to.isdecimal() and len(to) < 19 else 0
    await context.work.read(lambda tx: desk.may_hand_over(tx, officer, case.number, district=key, to=number))
    context.work.do(lambda tx, _: desk.hand_over(tx, officer, case.number, district=key, to=number, at=context.work.at))
    context.say(context.t("Message {number} is handed over.", number=case.number), buttons=[_back(context)])


async def _close(context: Context, case: Case, *, sure: bool) -> None:
    desk, officer = context.help_desk, _officer(context)
    held = await context.work.read(lambda tx: desk.held(tx, officer, case.number))
    if held.waiting_since is not None and not sure:
        since = context.catalogue.minute(held.waiting_since, context.settings.zone)
        context.say(
            context.t("The citizen has the last word and has been waiting since {moment}.", moment=since),
            buttons=[Button(context.t("Yes, close it"), f"case:shut:{case.number}"), *_doing(context, case)[1:]],
        )
        context.dialog.ask(ANSWER, number=str(case.number))
        return
    context.work.do(lambda tx, _: desk.close(tx, officer, case.number, at=context.work.at))
    context.say(
        context.t("Message {number} is closed; the citizen was told.", number=case.number), buttons=[_back(context)]
    )


def _officer(context: Context) -> Officer:
    return Officer(context.work.citizen.id, context.work.citizen.grants)


def _doing(context: Context, case: Case) -> list[Button]:
    return [
        Button(context.t("Close the talk"), f"case:close:{case.number}"),
        Button(context.t("Hand over"), f"case:hand:{case.number}"),
        _back(context),
    ]


def _back(context: Context) -> Button:
    return Button(context.t("Citizens' messages"), "/hopthu")


ROUTE = Route(
    "inbox",
    handle,
    commands=("/hopthu", "/inbox"),
    choices=("case:",),
    steps=(ANSWER,),
    action=access.READ_MESSAGES,
    help=mark("Citizens' messages"),
)
