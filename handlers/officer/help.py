"""Talking to a person: the citizen's words go to the officers of their place, honestly said when they answer."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.helpdesk.cases import DATA, HELP, Case
from bot.i18n.catalogue import mark
from bot.message import Button

MESSAGE = "person.message"


async def handle(turn: Turn) -> None:
    """Ask for the message and pass it on; take the district; end the talk."""
    turn.dialog.misses = 0
    desk = turn.help_desk
    case = await turn.records.read(lambda tx: desk.own_case(tx, turn.records.citizen.id))
    action, _, value = turn.argument.partition(":") if turn.choice.startswith("person:") else ("", "", "")
    if action == "district":
        await _take_district(turn, case, value)
    elif action == "end" and case is not None:
        turn.records.do(lambda tx, person_id: desk.end(tx, person_id, at=turn.records.at))
        turn.say(turn.t("All right, the officers know that nothing is open any more."), buttons=_menu(turn))
    elif turn.dialog.step == MESSAGE and turn.text and not turn.choice and not turn.text.startswith("/"):
        await _pass_on(turn, case)
    else:
        _invite(turn, case, kind=DATA if action == DATA else HELP)


async def attend(turn: Turn) -> None:
    """Bring what a citizen writes to the officer who talks to them; the bot itself keeps quiet."""
    desk = turn.help_desk
    case = await turn.records.read(lambda tx: desk.own_case(tx, turn.records.citizen.id))
    if case is None:
        return  # an officer writes by hand on the platform and reads there
    if not turn.text:
        if turn.message.attachment:
            turn.say(turn.t("I can only pass on text to the officer. Please write it in a few words."))
        return
    turn.records.do(lambda tx, person_id: desk.tell(tx, person_id, turn.text, at=turn.records.at))
    if case.waiting_since is None:  # said once, not after every line
        turn.say(turn.t("Passed on to the officer. To talk to me, the automatic assistant, type /menu."))


def _invite(turn: Turn, case: Case | None, *, kind: str) -> None:
    turn.dialog.ask(MESSAGE, kind=kind)
    if case is not None:
        since = turn.catalogue.minute(case.opened_at, turn.settings.zone)
        turn.say(
            turn.t("Your talk with the officers is open since {moment}. Write what you want to add.", moment=since),
            buttons=[Button(turn.t("I no longer need a person"), "person:end"), *_menu(turn)],
        )
        return
    operator = turn.settings.operator
    said = turn.t(
        "Please write in one message what a person should help you with. Officers answer during {hours}, usually "
        "within {time}. Do not send ID numbers, OTP codes or passwords. "
        "In a medical emergency call **115** at once.",
        hours=operator.office_hours.in_language(turn.language),
        time=operator.answer_within.in_language(turn.language),
    )
    if kind == DATA:
        said = turn.t(
            "Please write in one message what you ask about your personal data: to see it, correct it, delete it, "
            "or that it is not used. An officer answers within two working days. Do not send ID numbers or passwords."
        )
    turn.say(said, buttons=_menu(turn))


async def _pass_on(turn: Turn, case: Case | None) -> None:
    kind = turn.dialog.data.get("kind") or HELP
    turn.dialog.close()
    desk, text, at = turn.help_desk, turn.text, turn.records.at
    turn.records.do(lambda tx, person_id: desk.ask(tx, person_id, text, kind=kind, at=at))
    if case is not None:
        turn.say(turn.t("Added to your talk with the officers."), buttons=_menu(turn))
        return
    outlook = await turn.records.read(lambda tx: desk.outlook(tx, turn.records.citizen.id, kind=kind, at=at))
    lines = []
    if outlook.officers:
        lines.append(
            turn.t(
                "Passed on to the officers. They answer here, usually within {time}. Meanwhile I am still here.",
                time=turn.settings.operator.answer_within.in_language(turn.language),
            )
        )
        if not outlook.at_work:
            opens = turn.catalogue.minute(outlook.opens, turn.settings.zone)
            lines.append(turn.t("It is outside office hours now; they are back at {moment}.", moment=opens))
    else:
        lines.append(_nobody(turn))
    buttons = _menu(turn)
    if not outlook.district:
        lines.append(turn.t("If you want, choose your district: then the officers there get it."))
        buttons = [*_districts(turn), *buttons]
    turn.say("\n".join(lines), buttons=buttons)


async def _take_district(turn: Turn, case: Case | None, district: str) -> None:
    if case is None or district not in turn.regions.districts:
        turn.say(turn.t("This choice is no longer there. Please choose again."), buttons=_menu(turn))
        return
    desk = turn.help_desk
    turn.records.do(lambda tx, person_id: desk.place(tx, person_id, district, at=turn.records.at))
    called = await turn.records.read(lambda tx: desk.officers_for(tx, district))
    place = turn.regions.districts[district].title(turn.language)
    if any(district in one.areas for one in called):
        turn.say(turn.t("Thank you: it goes to the officers for {place}.", place=place), buttons=_menu(turn))
    elif called:
        turn.say(
            turn.t("There is no officer for {place} here yet; the officers of the province answer.", place=place),
            buttons=_menu(turn),
        )
    else:
        turn.say(_nobody(turn), buttons=_menu(turn))


def _nobody(turn: Turn) -> str:
    return turn.t(
        "Your message is kept, and nothing of it is lost. But no officer is signed in at this assistant yet, so that I "
        "cannot say when somebody answers. If it is urgent, ask me whom to contact."
    )


def _districts(turn: Turn) -> list[Button]:
    places = [(district.id, district.title(turn.language)) for district in turn.regions.districts.values()]
    return [Button(title[:1].upper() + title[1:], f"person:district:{key}") for key, title in places]


def _menu(turn: Turn) -> list[Button]:
    return [turn.menu_button("menu")]


ROUTE = Route(
    "person",
    handle,
    commands=("/canbo", "/officer"),
    choices=("person:",),
    steps=(MESSAGE,),
    help=mark("Talk to a person"),
)
ATTENDED = Route("attended", attend, attends=True)
