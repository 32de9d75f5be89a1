"""What citizens ask of people: officers read within their scope, take a message, answer, hand over, close."""

from __future__ import annotations

from bot import access
from bot.conversation.context import Route, Turn
from bot.errors import Refused
from bot.helpdesk.cases import DATA, TAKEN, Case, Officer, Said
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.text.markup import escape

ANSWER = "inbox.answer"
SHOWN = 8  # messages on one page
MOST_SAID = 12  # of a long talk, the latest


async def handle(turn: Turn) -> None:
    """List what waits; show, take, answer, hand over or close one message."""
    action, _, rest = turn.argument.partition(":") if turn.choice.startswith("case:") else ("", "", "")
    typed = turn.dialog.step == ANSWER and bool(turn.text) and not turn.choice and not turn.text.startswith("/")
    named, _, value = (turn.dialog.data.get("number", "") if typed else rest).partition(":")
    number = int(named) if named.isdecimal() and len(named) < 19 else 0
    if not typed:
        turn.dialog.close()
    if not typed and action in ("", "page"):
        await _list(turn, page=number)
        return
    try:
        case, said = await turn.records.read(lambda tx: turn.help_desk.thread(tx, _officer(turn), number))
        if typed:
            await _answer(turn, case)
        elif action in ("take", "over", "answer"):
            _take(turn, case, over=action == "over")
        elif action == "hand":
            await _offer_successors(turn, case, value)
        elif action == "give":
            await _hand_over(turn, case, value)
        elif action == "close":
            await _close(turn, case)
        else:
            _show(turn, case, said)
    except Refused as refusal:
        turn.dialog.close()
        turn.say(turn.t(str(refusal)), buttons=[_back(turn)])


async def _list(turn: Turn, *, page: int) -> None:
    desk, officer, at = turn.help_desk, _officer(turn), turn.records.at
    cases = await turn.records.read(lambda tx: desk.cases(tx, officer))
    if not cases:
        turn.say(turn.t("No messages are waiting."), buttons=[turn.menu_button("menu")])
        return
    waiting = await turn.records.read(lambda tx: desk.waiting(tx, officer, at=at))
    lines = ["**" + turn.t("Citizens' messages") + "**"]
    lines.append(turn.t("{waiting} wait for an answer, {overdue} of them overdue.",
                        waiting=waiting.waiting, overdue=waiting.overdue))  # fmt: skip
    if waiting.overdue_data:
        lines.append(
            turn.t("⚠ Overdue requests about personal data: {count}. The law gives two working days.",
                   count=waiting.overdue_data)
        )  # fmt: skip
    shown = cases[page * SHOWN : (page + 1) * SHOWN]
    lines += [_line(turn, case) for case in shown]
    buttons = [Button(turn.t("Message {number}", number=case.number), f"case:open:{case.number}") for case in shown]
    if len(cases) > (page + 1) * SHOWN:
        buttons.append(Button(turn.t("Next page"), f"case:page:{page + 1}"))
    turn.say("\n".join(lines), buttons=[*buttons, turn.menu_button("menu")])


def _line(turn: Turn, case: Case) -> str:
    t, place = turn.t, turn.help_desk.place_name(case.district, turn.catalogue)
    due = turn.catalogue.minute(case.due_at, turn.settings.zone)
    if case.waiting_since is None:
        line = t("{number}. {place}: answered.", number=case.number, place=place)
    elif case.overdue(turn.records.at):
        line = t("{number}. {place}: **overdue**, was due at {due}.", number=case.number, place=place, due=due)
    else:
        line = t("{number}. {place}: due at {due}.", number=case.number, place=place, due=due)
    if case.kind == DATA:
        line += " " + t("About personal data.")
    return f"{line} {_in_hand(turn, case)}".strip()


def _in_hand(turn: Turn, case: Case) -> str:
    if case.officer == turn.records.citizen.id:
        return turn.t("You have it in hand.")
    return turn.t("Officer {officer} has it in hand.", officer=case.officer) if case.officer else ""


def _show(turn: Turn, case: Case, said: list[Said]) -> None:
    t, desk, officer = turn.t, turn.help_desk, _officer(turn)
    turn.records.do(lambda tx, _: desk.note_reading(tx, officer, case.number, at=turn.records.at))
    place = desk.place_name(case.district, turn.catalogue)
    lines = ["**" + t("Message {number}", number=case.number) + f"**, {place}"]
    if case.kind == DATA:
        lines.append(t("About personal data."))
    lines += filter(None, [_in_hand(turn, case)])
    if case.question:
        lines.append(t("The question that I could not answer: {question}", question=escape(case.question)))
    for one in said[-MOST_SAID:]:
        who = t("Officer") if one.by_officer else t("Citizen")
        lines.append(f"\n**{who}, {turn.catalogue.minute(one.at, turn.settings.zone)}**\n{escape(one.text)}")
    mine = case.officer == officer.id
    if mine:
        turn.dialog.ask(ANSWER, number=str(case.number))
        lines.append("\n" + t("What you type now goes to the citizen."))
        turn.say("\n".join(lines), buttons=_doing(turn, case))
        return
    take = (
        Button(t("Take it over from the colleague"), f"case:over:{case.number}")
        if case.officer
        else Button(t("Take it and answer"), f"case:take:{case.number}")
    )
    turn.say("\n".join(lines), buttons=[take, _back(turn)])


def _take(turn: Turn, case: Case, *, over: bool) -> None:
    desk, officer = turn.help_desk, _officer(turn)
    if case.officer not in (0, officer.id) and not over:
        raise Refused(TAKEN)
    turn.records.do(lambda tx, _: desk.take(tx, officer, case.number, at=turn.records.at, over=over))
    turn.dialog.ask(ANSWER, number=str(case.number))
    turn.say(
        turn.t("You have message {number} in hand. What you type now goes to the citizen.", number=case.number),
        buttons=_doing(turn, case),
    )


async def _answer(turn: Turn, case: Case) -> None:
    desk, officer, text = turn.help_desk, _officer(turn), turn.text
    if turn.message.withheld:
        turn.say(turn.t("This was not sent to the citizen."), buttons=_doing(turn, case))
        return
    await turn.records.read(lambda tx: desk.held(tx, officer, case.number))
    turn.records.do(lambda tx, _: desk.answer(tx, officer, case.number, text, at=turn.records.at))
    turn.dialog.ask(ANSWER, number=str(case.number))
    turn.say(
        turn.t("Your answer is on its way (message {number}). What you type next goes there too.", number=case.number),
        buttons=_doing(turn, case),
    )


async def _offer_successors(turn: Turn, case: Case, district: str) -> None:
    desk, officer = turn.help_desk, _officer(turn)
    await turn.records.read(lambda tx: desk.held(tx, officer, case.number))
    if not district:
        buttons = [Button(turn.t("To the province"), f"case:hand:{case.number}:*")]
        for place in turn.regions.districts.values():
            title = place.title(turn.language)
            buttons.append(Button(title[:1].upper() + title[1:], f"case:hand:{case.number}:{place.id}"))
        turn.say(turn.t("To whom do you hand message {number} over?", number=case.number),
                 buttons=[*buttons, _back(turn)])  # fmt: skip
        return
    key = "" if district == "*" else district
    found = await turn.records.read(lambda tx: desk.successors(tx, case, key))
    buttons = [Button(turn.t("To whoever takes it first"), f"case:give:{case.number}:{district}:0")]
    buttons += [
        Button(turn.t("Officer {officer}", officer=one.id), f"case:give:{case.number}:{district}:{one.id}")
        for one in found[:SHOWN]
    ]
    place_name = desk.place_name(key, turn.catalogue) if key else turn.t("the whole province")
    turn.say(turn.t("Message {number} goes to: {place}. To one officer, or to all of them?",
                    number=case.number, place=place_name), buttons=[*buttons, _back(turn)])  # fmt: skip


async def _hand_over(turn: Turn, case: Case, value: str) -> None:
    desk, officer = turn.help_desk, _officer(turn)
    district, _, to = value.partition(":")
    key, number = "" if district == "*" else district, int(to) if to.isdecimal() and len(to) < 19 else 0
    await turn.records.read(lambda tx: desk.may_hand_over(tx, officer, case.number, district=key, to=number))
    turn.records.do(lambda tx, _: desk.hand_over(tx, officer, case.number, district=key, to=number, at=turn.records.at))
    turn.say(turn.t("Message {number} is handed over.", number=case.number), buttons=[_back(turn)])


async def _close(turn: Turn, case: Case) -> None:
    desk, officer = turn.help_desk, _officer(turn)
    await turn.records.read(lambda tx: desk.held(tx, officer, case.number))
    turn.records.do(lambda tx, _: desk.close(tx, officer, case.number, at=turn.records.at))
    turn.say(turn.t("Message {number} is closed; the citizen was told.", number=case.number), buttons=[_back(turn)])


def _officer(turn: Turn) -> Officer:
    return Officer(turn.records.citizen.id, turn.records.citizen.grants)


def _doing(turn: Turn, case: Case) -> list[Button]:
    return [
        Button(turn.t("Close the talk"), f"case:close:{case.number}"),
        Button(turn.t("Hand over"), f"case:hand:{case.number}"),
        _back(turn),
    ]


def _back(turn: Turn) -> Button:
    return Button(turn.t("Citizens' messages"), "/hopthu")


ROUTE = Route(
    "inbox",
    handle,
    commands=("/hopthu", "/inbox"),
    choices=("case:",),
    steps=(ANSWER,),
    action=access.READ_MESSAGES,
    help=mark("Citizens' messages"),
)
