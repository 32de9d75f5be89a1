"""Reporting an installation: consent in plain words, the district, correcting, withdrawing."""

from __future__ import annotations

from bot.conversation.context import Context, Route
from bot.conversation.dialog import yes_or_no
from bot.i18n.catalogue import mark
from bot.library.regions import Place
from bot.message import Button
from bot.search import Verdict

CONSENT, DISTRICT = "report.consent", "report.district"


async def handle(context: Context) -> None:
    """Lead through a report, one step a message."""
    action, _, value = context.argument.partition(":") if context.choice.startswith("report:") else ("", "", "")
    if action == "agree" or (not action and context.dialog.step == CONSENT and yes_or_no(context.text)):
        _ask_district(context, agreed=True)
    elif action == "decline" or (not action and context.dialog.step == CONSENT and yes_or_no(context.text) is False):
        context.dialog.close()
        context.say(
            context.t("All right, nothing was recorded. You can go on asking me anything."), buttons=_back(context)
        )
    elif action == "district":
        await _take_district(context, value)
    elif action == "correct":
        _ask_district(context, agreed=False)
    elif action == "withdraw":
        await _withdraw(context)
    elif context.dialog.step == DISTRICT and context.message.location is not None:
        _offer_nearest(context, *context.message.location)
    elif context.dialog.step == DISTRICT and context.text and not context.text.startswith("/"):
        await _read_district(context)
    else:
        await _begin(context)


async def correct(context: Context) -> None:
    """Offer to change or take back the report."""
    report = await context.work.report()
    if report is None:
        context.say(
            context.t("You have not reported an installation yet."),
            buttons=[context.menu_button("report"), *_back(context)],
        )
        return
    _show_report(context, report.district, context.catalogue.day(report.at.astimezone(context.settings.zone).date()))


async def _begin(context: Context) -> None:
    report = await context.work.report()
    if report is not None:
        _show_report(
            context, report.district, context.catalogue.day(report.at.astimezone(context.settings.zone).date())
        )
        return
    context.dialog.ask(CONSENT)
    context.say(
        consent_wording(context),
        buttons=[
            Button(context.t("I agree"), "report:agree"),
            Button(context.t("I do not agree"), "report:decline"),
        ],
    )


def consent_wording(context: Context) -> str:
    """Say what a report keeps, what for, for how long, and that nothing depends on it."""
    operator = context.settings.operator.name.in_language(context.language)
    lines = [
        "**" + context.t("Report that you installed the health book") + "**",
        context.t(
            "If you agree, I keep your district (and commune, if you name it), the day, and a code for this chat."
        ),
        context.t(
            "They serve only for counting how many people installed it. {operator} sees the counts; "
            "no name, telephone number or ID number is kept.",
            operator=operator[:1].upper() + operator[1:],
        ),
        context.t("One person is counted once. You can correct, withdraw or delete it at any time with /dulieu."),
        context.t("It is voluntary, for people aged 18 and over; I answer your questions either way."),
    ]
    if context.capabilities.abroad:
        lines.insert(3, context.t("This chat passes through servers outside Vietnam."))
    return "\n".join(lines)


def _offer_nearest(context: Context, latitude: float, longitude: float) -> None:
    """Offer the districts around a place that was sent; people do not always stand where they live."""
    agreed = bool(context.dialog.data.get("agreed"))
    nearest = context.regions.nearest(latitude, longitude)
    if nearest:
        question = context.t("Near the place that you sent are these districts. Which one do you live in?")
        _ask_district(context, agreed=agreed, among=nearest, question=question)
        return
    context.say(context.t("The place that you sent does not lie in Vĩnh Phúc."))
    _ask_district(context, agreed=agreed)


def _ask_district(context: Context, *, agreed: bool, among: tuple[str, ...] = (), question: str = "") -> None:
    context.dialog.ask(DISTRICT, agreed="yes" if agreed else "")
    districts = among or tuple(context.regions.districts)
    buttons = [
        Button(_capital(context.regions.districts[district].title(context.language)), f"report:district:{district}")
        for district in districts
    ]
    if not question and among:
        question = context.t("This name belongs to more than one district. Which one is yours?")
    elif not question:
        question = context.t(
            "Which district (of before July 2025) do you live in? Choose, or type its name or your commune's."
        )
    context.say(question, buttons=buttons)


async def _read_district(context: Context) -> None:
    understood = context.regions.understand(context.text)
    if place := understood.one:
        await _record(context, place)
    elif understood.places:
        _ask_district(context, agreed=bool(context.dialog.data.get("agreed")), among=understood.districts)
    elif context.knowledge.find(context.text).verdict is Verdict.ANSWER:
        context.dialog.close()  # a question, not a place: answered as one
    else:
        agreed = bool(context.dialog.data.get("agreed"))
        context.say(context.t("I do not know this place in Vĩnh Phúc."))
        _ask_district(context, agreed=agreed)


async def _take_district(context: Context, district: str) -> None:
    if district not in context.regions.districts:
        context.say(context.t("This choice is no longer there. Please choose again."), buttons=_back(context))
        return
    await _record(context, Place(district))


async def _record(context: Context, place: Place) -> None:
    before = await context.work.report()
    if context.dialog.step != DISTRICT or (before is None and not context.dialog.data.get("agreed")):
        # A button of an older message: no report without the consent just before it.
        context.dialog.close()
        await _begin(context)
        return
    context.dialog.close()
    context.work.keep_report(place, wording=consent_wording(context) if before is None else "")
    where = place_name(context, place)
    if before is None:
        text = context.t("Thank you. Recorded: you installed the health book, {place}.", place=where)
    else:
        text = context.t("Corrected: your report now counts for {place}.", place=where)
    text += "\n" + context.t("The figures are self-reported; each person counts once.")
    context.say(
        text,
        buttons=[context.menu_button("correct-report"), context.menu_button("my-data"), context.menu_button("menu")],
    )


async def _withdraw(context: Context) -> None:
    context.dialog.close()
    if await context.work.report() is None:
        context.say(context.t("You have not reported an installation yet."), buttons=_back(context))
        return
    context.work.withdraw_report()
    context.say(
        context.t("Withdrawn: you are no longer counted. Do you need help with installing?"),
        buttons=[context.menu_button("guide"), context.menu_button("menu")],
    )


def _show_report(context: Context, district: str, day: str) -> None:
    context.say(
        context.t(
            "You reported on {day} that you installed the health book, {place}.",
            day=day,
            place=context.regions.districts[district].title(context.language),
        ),
        buttons=[
            Button(context.t("Change the district"), "report:correct"),
            Button(context.t("I have not installed it (withdraw)"), "report:withdraw"),
            context.menu_button("menu"),
        ],
    )


def place_name(context: Context, place: Place) -> str:
    """Name a place as people do: the commune first, then the district."""
    district = context.regions.districts[place.district].title(context.language)
    if not place.commune:
        return district
    name = f"{place.kind} {place.name}" if context.language == "vi" else place.name
    return f"{name}, {district}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _back(context: Context) -> list[Button]:
    return [context.menu_button("guide"), context.menu_button("menu")]


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
