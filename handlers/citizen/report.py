"""Reporting an installation: consent first, then the place and the book, each asked only if no word has named it."""

from __future__ import annotations

import re

from bot.conversation.context import BOOKS, Context, Route
from bot.conversation.dialog import agrees
from bot.conversation.unit_of_work import OwnReport
from bot.i18n.catalogue import mark
from bot.library.regions import NEW_MAP, Place, Understood
from bot.library.render import book_name
from bot.message import Button
from bot.reading.facets import APP, VNEID
from bot.search import Verdict

CONSENT, DISTRICT, BOOK, WITHDRAW = "report.consent", "report.district", "report.book", "report.withdraw"
BOTH = "both"
FAMILY_ARTICLE = "bot-report-family"
ARTICLES = {VNEID: "bot-report-vneid", APP: "bot-report-install", BOTH: "bot-report-install", "": "bot-report-install"}
_ACTS = ("installed", "report-request")
# In the text as said: without marks, with common abbreviations written out.
_HAS_IT = re.compile(
    r"\b(?:da|vua|moi) (?:\w+ ){0,2}?(?:cai|kich hoat|mo|lam|dang ky|co)\b"
    r"|\b(?:cai|kich hoat|mo|lam|dang ky|tai)\b(?: \w+){0,12}? (?:xong|roi|thanh cong)\b|\b(?:cai|mo|lam) duoc\b"
    r"|\bbao (?:cai|cao|giup|cho|ho|gium|luon)\b|\bghi (?:nhan|ten|cho|giup|gium|luon)\b"
    r"|\b(?:have|already|i) installed\b|\bactivated\b|\bcount me\b"
)
_WANTS = re.compile(r"\b(?:bao (?:cai|giup|cho toi|luon)|ghi (?:nhan|ten|cho|giup))\b.*|\bmuon bao\b")
_ASKS = re.compile(
    r"\b(?:khong|ko|chua|sao|gi|dau|nao|bao gio|bao lau|the nao|loi|quen|mat|nhung|tinh k|duoc chu|neu|hay la|hay vneid"
    r"|what|how|where|why|does|can i|not)\b|\bma (?:khong|nao|no|van)\b|\b(?:ha|chu)$"
)
_ASKS_MARKED = re.compile(r"\b(?:à|hả|nhỉ|chứ)\W*$")
_SHORT = 7  # words: a longer text names no place only
_WRONG = re.compile(r"\b(?:nham|sua|doi|moi dung|khong phai|wrong|mistake|change|correct)\b")
_NOT_INSTALLED = re.compile(r"\b(?:chua (?:cai|kich hoat|mo|lam)|rut (?:lai|bao|di)|bam nham|not installed|withdraw)\b")
_BOTH = re.compile(r"\b(?:ca (?:hai|2|doi)|both|ca app .*vneid|ca vneid|lan (?:mo )?so tren vneid)\b")


async def handle(context: Context) -> None:
    """Lead through a report, one step a message."""
    action, _, value = context.argument.partition(":") if context.choice.startswith("report:") else ("", "", "")
    step = context.dialog.step
    if action:
        await _press(context, action, value)
    elif context.text and not context.text.startswith("/") and step == WITHDRAW and agrees(context.text) is not None:
        await _withdraw(context) if agrees(context.text) else _keep(context)
    elif context.text and not context.text.startswith("/") and step in (CONSENT, DISTRICT, BOOK):
        await _read(context)
    elif step == DISTRICT and context.message.location is not None:
        _offer_nearest(context, *context.message.location)
    elif context.reading is not None and _corrects(context):
        await _correct(context)
    else:
        await _begin(context)
    product = context.dialog.data.get("book", "") if context.dialog.step else context.dialog.topic.book
    if not context.summary.verdict:
        context.summary.verdict, context.summary.article = "flow", ARTICLES.get(product, ARTICLES[APP])


async def correct(context: Context) -> None:
    """Offer to change or take back the report."""
    report = await context.work.report()
    if report is None:
        context.say(
            context.t("You have not reported an installation yet."),
            buttons=[context.menu_button("report"), *_back(context)],
        )
        return
    await _show_report(context)


async def leave(context: Context) -> None:
    """Stop in the middle: nothing was recorded."""
    _decline(context)


def takes(context: Context) -> bool:
    """Return True if a text answers what the open step asked."""
    reading, step = context.reading, context.dialog.step
    if reading is None:
        return True
    if agrees(context.text) is not None and step in (CONSENT, WITHDRAW):
        return True
    if step == WITHDRAW or _is_question(context):
        return False
    if _understand(context).places or _book(context):
        return True
    surely = reading.words.found.verdict is Verdict.ANSWER
    return step == DISTRICT and not surely and not reading.act and len(reading.words.tokens) <= _SHORT


def hears(context: Context) -> bool:
    """Return True for a correction of the report that was made a moment ago, and for words that make a report."""
    if context.dialog.topic.article in ARTICLES.values() and _corrects(context):
        return True
    return _states(context)


def _states(context: Context) -> bool:
    """Return True for a statement of having the book, or the wish to report it, that is no question and no trouble."""
    reading = context.reading
    if reading is None or not reading.words.found.ids:
        return False
    said = reading.words.spoken
    if _is_question(context) or not _HAS_IT.search(said):
        return False
    about = reading.act in _ACTS or reading.words.found.ids[0].startswith("bot-report")
    return about or bool(_WANTS.search(said))


def resume(context: Context) -> Button:
    """Make the button that leads back into the report."""
    return Button(context.t("Go on with the report"), "report:resume")


def _is_question(context: Context) -> bool:
    if "?" in context.text or _ASKS_MARKED.search(context.text.lower()):
        return True
    return context.reading is not None and bool(_ASKS.search(context.reading.words.spoken))


def _corrects(context: Context) -> bool:
    said = context.reading.words.folded if context.reading is not None else ""
    if _NOT_INSTALLED.search(said):
        return True
    return bool(_WRONG.search(said)) and _understand(context).one is not None


async def _press(context: Context, action: str, value: str) -> None:
    if action == "agree":
        context.dialog.data["agreed"] = "yes"
        await _go_on(context)
    elif action == "decline":
        _decline(context)
    elif action == "outside":
        _outside(context)
    elif action == "book":
        await _take_book(context, value)
    elif action == "district":
        await _take_district(context, value)
    elif action == "correct":
        context.dialog.ask(DISTRICT)
        _ask_district(context)
    elif action == "withdraw":
        await _withdraw(context)
    elif action == "resume" and context.dialog.step:
        await _go_on(context)
    else:
        await _begin(context)


async def _begin(context: Context) -> None:
    reading = context.reading
    if reading is not None and reading.facets.whom and not reading.words.says_self:
        context.show_article(FAMILY_ARTICLE)
        return
    book = _book(context) or _book_of_talk(context)
    report = await context.work.report()
    if report is not None:
        if book in BOOKS and _adds(report.product, book):
            context.dialog.ask(DISTRICT, book=book)
            await _record(context, _reported_place(report))
            return
        await _show_report(context)
        return
    context.dialog.ask(CONSENT, book=book)
    if reading is not None:
        _note_place(context)
    _ask_consent(context)


async def _read(context: Context) -> None:
    """Take what a text says: yes or no, a place, a book, in whatever order."""
    data = context.dialog.data
    if (book := _book(context)) and not _is_question(context):
        data["book"] = book
    answer = agrees(context.text) if context.dialog.step == CONSENT else None
    noted = answer is None and _note_place(context)
    if context.dialog.step == CONSENT:
        if answer is False:
            _decline(context)
            return
        if answer:
            data["agreed"] = "yes"
            await _go_on(context)
            return
        _ask_consent(context)
        return
    if not noted and context.dialog.step == DISTRICT and not book:
        understood = _understand(context)
        if understood.places:
            _ask_district(context, among=understood.districts)
        else:
            context.say(context.t("I do not know this place in Vĩnh Phúc."))
            _ask_district(context)
        return
    await _go_on(context)


async def _go_on(context: Context) -> None:
    """Ask for the next thing that is missing, or record."""
    data = context.dialog.data
    before = await context.work.report()
    if before is None and not data.get("agreed"):
        # A button of an older message: no report without the consent just before it.
        context.dialog.ask(CONSENT, **data)
        _ask_consent(context)
        return
    if not data.get("district"):
        context.dialog.step = DISTRICT
        _ask_district(context)
        return
    if before is None and not data.get("book"):
        context.dialog.step = BOOK
        _ask_book(context)
        return
    await _record(context, _kept_place(context))


def _understand(context: Context) -> Understood:
    """Return the places that the text names, also with left-over Telex keys."""
    found = context.regions.understand(context.text)
    if found.places or context.reading is None:
        return found
    return context.regions.understand(context.reading.words.decoded)


def _note_place(context: Context) -> bool:
    understood = _understand(context)
    if understood.one is None:
        return False
    _keep_place(context, understood.one)
    return True


def _keep_place(context: Context, place: Place) -> None:
    context.dialog.data |= {
        "district": place.district,
        "commune": place.commune,
        "name": place.name,
        "kind": place.kind,
        "map": "new" if place.new else "",
    }


def _kept_place(context: Context) -> Place:
    data = context.dialog.data
    return Place(
        data["district"], data.get("commune", ""), data.get("name", ""), data.get("kind", ""), data.get("map") == "new"
    )


def _book(context: Context) -> str:
    """Return the book that the text names: app, vneid, both, or nothing."""
    if context.reading is None:
        return ""
    if _BOTH.search(context.reading.words.folded):
        return BOTH
    return context.reading.facets.book


def _book_of_talk(context: Context) -> str:
    """Return the book that the talk is about, if the person spoke of having it."""
    return context.dialog.topic.book if context.dialog.topic.article else ""


def _adds(reported: str, book: str) -> bool:
    return book not in (reported or APP) and reported != BOTH


def _ask_consent(context: Context) -> None:
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
            "If you agree, I keep which book it is, your district (and commune, if you name it), the day, and a code "
            "for this chat."
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
    nearest = context.regions.nearest(latitude, longitude)
    if nearest:
        question = context.t("Near the place that you sent are these districts. Which one do you live in?")
        _ask_district(context, among=nearest, question=question)
        return
    context.say(context.t("The place that you sent does not lie in Vĩnh Phúc."))
    _ask_district(context)


def _ask_district(context: Context, *, among: tuple[str, ...] = (), question: str = "") -> None:
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
    buttons.append(Button(context.t("I live elsewhere, or do not remember"), "report:outside"))
    context.say(question, buttons=buttons)


def _ask_book(context: Context) -> None:
    context.say(
        context.t("Which book did you install or open?"),
        buttons=[
            Button(context.t("The book in VNeID"), f"report:book:{VNEID}"),
            Button(context.t("The app of 2021"), f"report:book:{APP}"),
            Button(context.t("Both"), f"report:book:{BOTH}"),
        ],
    )


async def _take_book(context: Context, book: str) -> None:
    if book not in (*BOOKS, BOTH):
        context.say(context.t("This choice is no longer there. Please choose again."), buttons=_back(context))
        return
    if context.dialog.step not in (CONSENT, DISTRICT, BOOK):
        await _begin_with(context, book)
        return
    context.dialog.data["book"] = book
    await _go_on(context)


async def _begin_with(context: Context, book: str) -> None:
    """Begin a report of a book that a button names, such as at the end of a guided walk."""
    context.dialog.topic.book = book if book in BOOKS else context.dialog.topic.book
    context.dialog.topic.article = context.dialog.topic.article or ARTICLES[book]
    context.dialog.close()
    await _begin(context)


async def _take_district(context: Context, district: str) -> None:
    if district not in context.regions.districts:
        context.say(context.t("This choice is no longer there. Please choose again."), buttons=_back(context))
        return
    if context.dialog.step not in (CONSENT, DISTRICT, BOOK):
        context.dialog.close()
        await _begin(context)
        return
    _keep_place(context, Place(district))
    await _go_on(context)


async def _record(context: Context, place: Place) -> None:
    before, book = await context.work.report(), context.dialog.data.get("book", "")
    context.dialog.close()
    context.work.keep_report(place, wording=consent_wording(context) if before is None else "", product=book)
    where, named = place_name(context, place), book_name(context.catalogue, book)
    if before is None:
        text = context.t("Thank you. Recorded: {book}, {place}.", book=named, place=where)
    elif book and _adds(before.product, book):
        text = context.t("Thank you. Recorded too: {book}, {place}.", book=named, place=where)
    else:
        text = context.t("Corrected: your report now counts for {place}.", place=where)
    text += "\n" + context.t("The figures are self-reported; each person counts once.")
    context.say(
        text,
        buttons=[context.menu_button("correct-report"), context.menu_button("my-data"), context.menu_button("menu")],
    )
    topic = context.dialog.topic
    topic.article, topic.parts = ARTICLES.get(book, ARTICLES[APP]), 2


async def _correct(context: Context) -> None:
    """Change the place of the report, or ask whether it is to be taken back."""
    if await context.work.report() is None:
        await _begin(context)
        return
    understood = _understand(context)
    if understood.one is not None:
        await _record(context, understood.one)
        return
    context.dialog.ask(WITHDRAW)
    context.say(
        context.t("Shall I take your report back, so that you are no longer counted?"),
        buttons=[
            Button(context.t("Yes, withdraw it"), "report:withdraw"),
            Button(context.t("No, keep it"), "report:decline"),
        ],
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


def _keep(context: Context) -> None:
    context.dialog.close()
    context.say(context.t("All right, your report stays as it is."), buttons=_back(context))


def _decline(context: Context) -> None:
    context.dialog.close()
    context.say(context.t("All right, nothing was recorded. You can go on asking me anything."), buttons=_back(context))


def _outside(context: Context) -> None:
    context.dialog.close()
    context.say(
        context.t(
            "That is fine. These counts are only for the nine former districts of Vĩnh Phúc, so nothing was recorded. "
            "I help you all the same; just ask."
        ),
        buttons=_back(context),
    )


async def _show_report(context: Context) -> None:
    report = await context.work.report()
    assert report is not None  # the caller looked
    buttons = [Button(context.t("Change the district"), "report:correct")]
    for book in BOOKS:
        if _adds(report.product, book):
            label = context.t("I also have: {book}", book=book_name(context.catalogue, book))
            buttons.append(Button(label, f"report:book:{book}"))
    buttons.append(Button(context.t("I have not installed it (withdraw)"), "report:withdraw"))
    context.say(
        context.t(
            "You reported on {day}: {book}, {place}.",
            day=context.catalogue.day(report.at.astimezone(context.settings.zone).date()),
            book=book_name(context.catalogue, report.product),
            place=context.regions.districts[report.district].title(context.language),
        ),
        buttons=[*buttons, context.menu_button("menu")],
    )


def _reported_place(report: OwnReport) -> Place:
    new = report.commune.startswith(NEW_MAP)
    return Place(report.district, report.commune.removeprefix(NEW_MAP), new=new)


def place_name(context: Context, place: Place) -> str:
    """Name a place as people do: the commune first, then the district."""
    district = context.regions.districts[place.district].title(context.language)
    if not place.name:
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
    steps=(CONSENT, DISTRICT, BOOK, WITHDRAW),
    located=(DISTRICT,),
    help=mark("I have installed it"),
    acts=_ACTS,
    hears=hears,
    takes=takes,
    leave=leave,
    resume=resume,
)
CORRECT = Route("correct", correct, commands=("/suabaocai", "/correct"), help=mark("Correct my report"))
