"""Reporting an installation: consent in plain words, the district, correcting, withdrawing."""

from __future__ import annotations

from bot.conversation.context import Route, Turn
from bot.conversation.dialog import yes_or_no
from bot.i18n.catalogue import mark
from bot.library.regions import Place
from bot.message import Button
from bot.search import Verdict

CONSENT, DISTRICT = "report.consent", "report.district"


async def handle(turn: Turn) -> None:
    """Lead through a report, one step a message."""
    action, _, value = turn.argument.partition(":") if turn.choice.startswith("report:") else ("", "", "")
    if action == "agree" or (not action and turn.dialog.step == CONSENT and yes_or_no(turn.text)):
        _ask_district(turn, agreed=True)
    elif action == "decline" or (not action and turn.dialog.step == CONSENT and yes_or_no(turn.text) is False):
        turn.dialog.close()
        turn.say(turn.t("All right, nothing was recorded. You can go on asking me anything."), buttons=_back(turn))
    elif action == "district":
        await _take_district(turn, value)
    elif action == "correct":
        _ask_district(turn, agreed=False)
    elif action == "withdraw":
        await _withdraw(turn)
    elif turn.dialog.step == DISTRICT and turn.message.location is not None:
        _offer_nearest(turn, *turn.message.location)
    elif turn.dialog.step == DISTRICT and turn.text and not turn.text.startswith("/"):
        await _read_district(turn)
    else:
        await _begin(turn)


async def correct(turn: Turn) -> None:
    """Offer to change or take back the report."""
    report = await turn.records.report()
    if report is None:
        turn.say(
            turn.t("You have not reported an installation yet."), buttons=[turn.menu_button("report"), *_back(turn)]
        )
        return
    _show_report(turn, report.district, turn.catalogue.day(report.at.astimezone(turn.settings.zone).date()))


async def _begin(turn: Turn) -> None:
    report = await turn.records.report()
    if report is not None:
        _show_report(turn, report.district, turn.catalogue.day(report.at.astimezone(turn.settings.zone).date()))
        return
    turn.dialog.ask(CONSENT)
    turn.say(
        consent_wording(turn),
        buttons=[
            Button(turn.t("I agree"), "report:agree"),
            Button(turn.t("I do not agree"), "report:decline"),
        ],
    )


def consent_wording(turn: Turn) -> str:
    """Say what a report keeps, what for, for how long, and that nothing depends on it."""
    operator = turn.settings.operator.name.in_language(turn.language)
    lines = [
        "**" + turn.t("Report that you installed the health book") + "**",
        turn.t("If you agree, I keep your district (and commune, if you name it), the day, and a code for this chat."),
        turn.t(
            "They serve only for counting how many people installed it. {operator} sees the counts; "
            "no name, telephone number or ID number is kept.",
            operator=operator[:1].upper() + operator[1:],
        ),
        turn.t("One person is counted once. You can correct, withdraw or delete it at any time with /dulieu."),
        turn.t("It is voluntary, for people aged 18 and over; I answer your questions either way."),
    ]
    if turn.traits.abroad:
        lines.insert(3, turn.t("This chat passes through servers outside Vietnam."))
    return "\n".join(lines)


def _offer_nearest(turn: Turn, latitude: float, longitude: float) -> None:
    """Offer the districts around a place that was sent; people do not always stand where they live."""
    agreed = bool(turn.dialog.data.get("agreed"))
    nearest = turn.regions.nearest(latitude, longitude)
    if nearest:
        question = turn.t("Near the place that you sent are these districts. Which one do you live in?")
        _ask_district(turn, agreed=agreed, among=nearest, question=question)
        return
    turn.say(turn.t("The place that you sent does not lie in Vĩnh Phúc."))
    _ask_district(turn, agreed=agreed)


def _ask_district(turn: Turn, *, agreed: bool, among: tuple[str, ...] = (), question: str = "") -> None:
    turn.dialog.ask(DISTRICT, agreed="yes" if agreed else "")
    districts = among or tuple(turn.regions.districts)
    buttons = [
        Button(_capital(turn.regions.districts[district].title(turn.language)), f"report:district:{district}")
        for district in districts
    ]
    if not question and among:
        question = turn.t("This name belongs to more than one district. Which one is yours?")
    elif not question:
        question = turn.t(
            "Which district (of before July 2025) do you live in? Choose, or type its name or your commune's."
        )
    turn.say(question, buttons=buttons)


async def _read_district(turn: Turn) -> None:
    understood = turn.regions.understand(turn.text)
    if place := understood.one:
        await _record(turn, place)
    elif understood.places:
        _ask_district(turn, agreed=bool(turn.dialog.data.get("agreed")), among=understood.districts)
    elif turn.knowledge.find(turn.text).verdict is Verdict.ANSWER:
        turn.dialog.close()  # a question, not a place: answered as one
    else:
        agreed = bool(turn.dialog.data.get("agreed"))
        turn.say(turn.t("I do not know this place in Vĩnh Phúc."))
        _ask_district(turn, agreed=agreed)


async def _take_district(turn: Turn, district: str) -> None:
    if district not in turn.regions.districts:
        turn.say(turn.t("This choice is no longer there. Please choose again."), buttons=_back(turn))
        return
    await _record(turn, Place(district))


async def _record(turn: Turn, place: Place) -> None:
    before = await turn.records.report()
    if turn.dialog.step != DISTRICT or (before is None and not turn.dialog.data.get("agreed")):
        # A button of an older message: no report without the consent just before it.
        turn.dialog.close()
        await _begin(turn)
        return
    turn.dialog.close()
    turn.records.keep_report(place, wording=consent_wording(turn) if before is None else "")
    where = place_name(turn, place)
    if before is None:
        text = turn.t("Thank you. Recorded: you installed the health book, {place}.", place=where)
    else:
        text = turn.t("Corrected: your report now counts for {place}.", place=where)
    text += "\n" + turn.t("The figures are self-reported; each person counts once.")
    turn.say(text, buttons=[turn.menu_button("correct-report"), turn.menu_button("my-data"), turn.menu_button("menu")])


async def _withdraw(turn: Turn) -> None:
    turn.dialog.close()
    if await turn.records.report() is None:
        turn.say(turn.t("You have not reported an installation yet."), buttons=_back(turn))
        return
    turn.records.withdraw_report()
    turn.say(
        turn.t("Withdrawn: you are no longer counted. Do you need help with installing?"),
        buttons=[turn.menu_button("guide"), turn.menu_button("menu")],
    )


def _show_report(turn: Turn, district: str, day: str) -> None:
    turn.say(
        turn.t(
            "You reported on {day} that you installed the health book, {place}.",
            day=day,
            place=turn.regions.districts[district].title(turn.language),
        ),
        buttons=[
            Button(turn.t("Change the district"), "report:correct"),
            Button(turn.t("I have not installed it (withdraw)"), "report:withdraw"),
            turn.menu_button("menu"),
        ],
    )


def place_name(turn: Turn, place: Place) -> str:
    """Name a place as people do: the commune first, then the district."""
    district = turn.regions.districts[place.district].title(turn.language)
    if not place.commune:
        return district
    name = f"{place.kind} {place.name}" if turn.language == "vi" else place.name
    return f"{name}, {district}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _back(turn: Turn) -> list[Button]:
    return [turn.menu_button("guide"), turn.menu_button("menu")]


ROUTE = Route(
    "report",
    handle,
    commands=("/baocai", "/report"),
    choices=("report:",),
    steps=(CONSENT, DISTRICT),
    located=(DISTRICT,),
    help=mark("I have installed it"),
)
CORRECT = Route("correct", correct, commands=("/suabaocai", "/correct"), help=mark("Correct my report"))
