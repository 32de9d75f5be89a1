"""Talking to a person: the citizen's words go to the officers of their place, honestly said when they answer."""

from __future__ import annotations

import re

from bot.conversation.context import ANY_ACT, Context, Route
from bot.conversation.walk import Walk, open_walk
from bot.conversation.walk_replies import back_button, progress
from bot.helpdesk.models import DATA, HELP, Case
from bot.i18n.catalogue import mark
from bot.message import Button

MESSAGE = "person.message"
_SENT = "sent"  # in the step's data: something went to the officers
STOP, REQUEST = "stop", "person-request"
# Words that turn to the assistant while officers are waited for.
_ASIDE = re.compile(
    r"\b(?:trong|tranh thu) (?:luc|khi) (?:cho|doi)\b.*\b(?:hoi|chi|xem)\b|^(?:tien the|nhan tien)\b.*\bhoi\b"
    r"|\bhoi (?:bot|may|tro ly)\b|\bwhile (?:i wait|waiting)\b"
)


# A person is asked for, among other things; asked how or where one is found, the search answers.
_WANTED = re.compile(
    r"\b(?:cho|muon|can|xin|doi|yeu cau|de)(?: (?:toi|minh|em|con|bac|chau|co|chu|anh|chi|duoc))*"
    r" (?:gap|noi chuyen voi|ket noi voi|lien he voi)(?: (?:truc tiep|mot|ai do|1))*"
    r" (?:nguoi (?:that|co trach nhiem|phu trach|quan ly)|can bo|nhan vien|lanh dao|sep)\b"
)
_ASKED = re.compile(r"\b(?:o dau|the nao|lam sao|kieu gi|khi nao|may gio|ntn|cach nao|duoc khong)\b")
# The place whose officers somebody asks for: it is no part of the request.
_PLACE = re.compile(
    r"\s+(?:(?:của|cua|ở|o|tại|tai|bên|ben|phụ trách|phu trach)\s+)?"
    r"(?:xã|xa|phường|phuong|thị trấn|thi tran|tt|huyện|huyen|thành phố|thanh pho|tp|x\.|h\.|p\.)\s*\w.*$",
    re.IGNORECASE,
)


async def handle(context: Context) -> None:
    """Ask for the message and pass it on; take the district; end the talk."""
    context.dialog.misses = 0
    desk = context.help_desk
    case = await context.work.read(lambda tx: desk.own_case(tx, context.work.citizen.id))
    action, _, value = context.argument.partition(":") if context.choice.startswith("person:") else ("", "", "")
    if action == "district":
        await _take_district(context, case, value)
    elif action == "end" and case is not None:
        context.work.do(lambda tx, person_id: desk.end(tx, person_id, at=context.work.at))
        context.dialog.close()
        context.say(
            context.t("All right, I have told the officers that you need no more help."), buttons=_menu(context)
        )
    elif context.dialog.step == MESSAGE and context.text and not context.choice and not context.text.startswith("/"):
        if case is None and context.dialog.data.get(_SENT):  # the officers have closed it since
            context.dialog.close()
            await _go_on(context)
        else:
            await _pass_on(context, case)
    else:
        where = value if action == "guide" else ""
        _invite(context, case, kind=DATA if action == DATA else HELP, where=where)


async def _go_on(context: Context) -> None:
    """Answer a message as if it had found no open step: as an act, else as a question."""
    acts = {context.act, ANY_ACT} if context.act else set()
    await next((one for one in context.routes if acts.intersection(one.acts)), context.routes[-1]).handle(context)


def hears(context: Context) -> bool:
    """Return True for a request for a person that stands in a longer message, or names the place of the officers."""
    if context.reading is None or context.act:
        return False
    said = context.reading.words.folded
    if _WANTED.search(said) and not _ASKED.search(said):
        return True
    if not (found := _PLACE.search(context.text)):
        return False
    return context.knowledge.reader.words(context.text[: found.start()]).act == REQUEST


def takes(context: Context) -> bool:
    """Return True unless the person turns to the assistant or wants to leave: all else is for the officers."""
    reading = context.reading
    if reading is None:
        return True
    return reading.act != STOP and not _ASIDE.search(reading.words.folded)


async def leave(context: Context) -> None:
    """Leave the talk at once; what was sent already is taken back after a yes."""
    context.dialog.close()
    desk = context.help_desk
    case = await context.work.read(lambda tx: desk.own_case(tx, context.work.citizen.id))
    if case is None:
        context.say(context.t("All right, nothing was sent to the officers."), buttons=_menu(context))
        return
    context.say(
        context.t("All right. What you wrote is with the officers. Shall I take it back?"),
        buttons=[
            Button(context.t("Yes, take it back"), "person:end"),
            Button(context.t("No, they may answer"), "/menu"),
        ],
    )


def resume(context: Context) -> Button:
    """Make the button that leads back into the talk."""
    return Button(context.t("Go on writing to the officers"), "/canbo")


async def attend(context: Context) -> None:
    """Bring what a citizen writes to the officer who talks to them; the bot itself keeps quiet."""
    desk = context.help_desk
    case = await context.work.read(lambda tx: desk.own_case(tx, context.work.citizen.id))
    if case is None:
        return  # an officer writes by hand on the platform and reads there
    if not context.text:
        if context.message.attachment:
            context.say(context.t("I can only pass on text to the officer. Please write it in a few words."))
        return
    context.work.do(lambda tx, person_id: desk.tell(tx, person_id, context.text, at=context.work.at))
    if case.waiting_since is None:  # said once, not after every line
        context.say(context.t("Passed on to the officer. To talk to me, the automatic assistant, type “menu”."))


def _invite(context: Context, case: Case | None, *, kind: str, where: str) -> None:
    """Ask for the message; `where` is the guide and the step at which the citizen stands, passed on with it."""
    context.dialog.ask(MESSAGE, kind=kind, where=where)
    if case is not None:
        since = context.catalogue.minute(case.opened_at, context.settings.zone)
        context.say(
            context.t("Your talk with the officers is open since {moment}. Write what you want to add.", moment=since),
            buttons=[Button(context.t("I no longer need a person"), "person:end"), *_menu(context)],
        )
        return
    operator = context.settings.operator
    said = context.t(
        "Please write in one message what a person should help you with. Officers answer during {hours}, usually "
        "within {time}. Do not send ID numbers, OTP codes or passwords. "
        "In a medical emergency call **115** at once.",
        hours=operator.office_hours.in_language(context.language),
        time=operator.answer_within.in_language(context.language),
    )
    if kind == DATA:
        said = context.t(
            "Please write in one message what you ask about your personal data: to see it, correct it, delete it, "
            "or that it is not used. An officer answers within two working days. Do not send ID numbers or passwords."
        )
    if walk := _walk_at(context, where):
        stands = f"{progress(walk, context.catalogue)}, {walk.guide.title.in_language(context.language)}"
        said = context.t("I tell them where you stand: {step}.", step=stands) + "\n\n" + said
    context.say(said, buttons=_menu(context))


def _walk_at(context: Context, where: str) -> Walk | None:
    guide_id, _, step_id = where.partition(":")
    return open_walk(context.library.guides, guide_id, step_id)


async def _pass_on(context: Context, case: Case | None) -> None:
    """Take a message into the case; its step stays open, so that the next one is added too."""
    kind, walk = context.dialog.data.get("kind") or HELP, _walk_at(context, context.dialog.data.pop("where", ""))
    desk, text, at = context.help_desk, context.text, context.work.at
    context.summary.to_officer = True
    place = context.regions.understand(text).one
    district = place.district if place is not None else ""
    if walk is not None:  # for officers, in the language that they share
        catalogue = context.catalogues[context.settings.default_language]
        stands = f"{walk.guide.title.in_language(catalogue.language)}, {progress(walk, catalogue)}"
        text = f"[{stands}]\n{text}"
    context.work.do(lambda tx, person_id: desk.ask(tx, person_id, text, kind=kind, district=district, at=at))
    context.dialog.data[_SENT] = "yes"
    if case is not None:
        said = context.t("Added. Is there anything else?")
        if district and not case.officer and case.district != district:
            where = context.regions.districts[district].title(context.language)
            said += " " + context.t("It goes to the officers for {place}.", place=where)
        context.say(said, buttons=[Button(context.t("I no longer need a person"), "person:end"), *_menu(context)])
        return
    outlook = await context.work.read(lambda tx: desk.outlook(tx, context.work.citizen.id, kind=kind, at=at))
    lines = []
    if outlook.officers:
        lines.append(
            context.t(
                "Passed on to the officers. They answer here, usually within {time}. What you add here goes to them "
                "too; to ask me something, type “menu”.",
                time=context.settings.operator.answer_within.in_language(context.language),
            )
        )
        if not outlook.at_work:
            opens = context.catalogue.minute(outlook.opens, context.settings.zone)
            lines.append(context.t("It is outside office hours now; they are back at {moment}.", moment=opens))
    else:
        lines.append(_nobody(context))
    buttons = [back_button(walk, context.catalogue)] if walk is not None else []
    buttons += _menu(context)
    if not outlook.district and not district:
        lines.append(context.t("If you want, choose your district: then the officers there get it."))
        buttons = [*_districts(context), *buttons]
    context.say("\n".join(lines), buttons=buttons)


async def _take_district(context: Context, case: Case | None, district: str) -> None:
    if case is None or district not in context.regions.districts:
        context.say(context.t("This choice is no longer there. Please choose again."), buttons=_menu(context))
        return
    desk = context.help_desk
    context.work.do(lambda tx, person_id: desk.place(tx, person_id, district, at=context.work.at))
    called = await context.work.read(lambda tx: desk.officers_for(tx, district))
    place = context.regions.districts[district].title(context.language)
    if any(district in one.areas for one in called):
        context.say(context.t("Thank you: it goes to the officers for {place}.", place=place), buttons=_menu(context))
    elif called:
        context.say(
            context.t("There is no officer for {place} here yet; the officers of the province answer.", place=place),
            buttons=_menu(context),
        )
    else:
        context.say(_nobody(context), buttons=_menu(context))


def _nobody(context: Context) -> str:
    return context.t(
        "Your message is kept, and nothing of it is lost. But no officer is signed in at this assistant yet, so "
        "I cannot say when somebody will answer. If it is urgent, ask me whom to contact."
    )


def _districts(context: Context) -> list[Button]:
    places = [(district.id, district.title(context.language)) for district in context.regions.districts.values()]
    return [Button(title[:1].upper() + title[1:], f"person:district:{key}") for key, title in places]


def _menu(context: Context) -> list[Button]:
    return [context.menu_button("menu")]


ROUTE = Route(
    "person",
    handle,
    commands=("/canbo", "/officer"),
    choices=("person:",),
    steps=(MESSAGE,),
    acts=(REQUEST,),
    hears=hears,
    takes=takes,
    leave=leave,
    resume=resume,
    help=mark("Talk to a person"),
)
HUMAN_TAKEOVER = Route("attended", attend, attends=True)
