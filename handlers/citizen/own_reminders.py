"""A reminder at a moment that the citizen names: understood, asked back, refused kindly, listed, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.conversation.context import Context, Route
from bot.conversation.unit_of_work import OwnReminder
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.reminders import planning, requests
from bot.reminders.planning import FURTHEST, MOST, Limits, Wish
from bot.reminders.requests import ADD, CANCEL, LIST, MOVE, Request
from bot.text.dates import CONFLICT, IMPOSSIBLE, LUNAR, NOTHING, UNREAD, NamedMoment, read

WHEN = "remind.when"
_WHY = {
    planning.UNCLEAR: mark(
        "When shall I remind you of the health book? Choose, or type a day and a time such as “{example}”."
    ),
    planning.WHICH_DAY: mark("On which day? Choose, or type the day and the time, such as “{example}”."),
    planning.WHICH_HOUR: mark("At what time? Choose, or type it."),
    planning.WHICH_HALF: mark("Which of these do you mean? I write to people between {until} and {since} only."),
    planning.PAST: mark("That moment is already over. These are possible:"),
    planning.QUIET: mark("Between {since} and {until} I write to nobody, so that nobody is woken. These are possible:"),
    planning.TOO_FAR: mark(
        "That is too far away: here I can remind you within {days} days. Please choose an earlier moment."
    ),
}
_WHY_UNCLEAR = {
    UNREAD: mark(
        "I am not sure which moment you mean, so I have planned nothing. Choose, or type a day and a time such as "
        "“{example}”."
    ),
    LUNAR: mark(
        "I cannot count days of the lunar calendar. Choose, or type a solar date and a time such as “{example}”."
    ),
    CONFLICT: mark("I see more than one day or time there. Choose, or type one day and one time, such as “{example}”."),
    IMPOSSIBLE: mark("There is no such day or time. Choose, or type a day and a time such as “{example}”."),
}


def takes(context: Context) -> bool:
    """Return True if the open step asks when to remind and the text says so: a moment, a part of one, or a request."""
    return context.dialog.step == WHEN and requests.names_moment(context.text, _limits(context).now)


def hears(context: Context) -> bool:
    """Return True for a free text that asks for, moves, lists or cancels a reminder.

    Words that may be about something else come here too, and are left to the last resort when there is no reminder.
    """
    return requests.read_request(context.text, _limits(context).now) is not None


def resume(context: Context) -> Button:
    """Make the button that leads back to the question when to remind."""
    return Button(context.t("Go on with the reminder"), "remind:resume")


async def handle(context: Context) -> None:
    """Plan a reminder, move, list or cancel them."""
    action, _, value = context.argument.partition(":") if context.choice.startswith("remind:") else ("", "", "")
    own = await context.work.own_reminders()
    if context.message.person.channel not in context.broadcasts.channels:
        context.say(
            context.t("Here I cannot write to you later. Please ask me on another channel."), buttons=_back(context)
        )
    elif action == "at":
        _take(context, own, _chosen(context, value))
    elif action == "cancel":
        _cancel_number(context, own, value)
    elif action == "new":
        _ask(context, _wish(context, NOTHING))
    elif action == "resume" and context.dialog.step == WHEN:
        named = planning.load_named(context.dialog.data)
        _ask(context, _wish(context, named), named, _moved(context, own))
    elif action or context.command:
        _list(context, own)
    else:
        _take_words(context, own)


def _take_words(context: Context, own: list[OwnReminder]) -> None:
    request = requests.read_request(context.text, _limits(context).now)
    if request is None and takes(context):
        request = Request(ADD, read(context.text, _limits(context).now).moment)
    if request is None:
        context.dialog.close()  # they have gone on to something else, which is answered like any question
    elif not request.certain and not own and context.dialog.step != WHEN:
        return  # nothing to move, to cancel or to add to: these words are about something else
    elif request.kind == LIST:
        _list(context, own)
    elif request.kind == CANCEL:
        _cancel(context, own, request)
    else:
        _plan(context, own, request)


def _plan(context: Context, own: list[OwnReminder], request: Request) -> None:
    """Plan what was named, completed by what was said before or by the reminder that is moved."""
    named, moved = request.named, None
    if context.dialog.step == WHEN:
        named, moved = named.completed(planning.load_named(context.dialog.data)), _moved(context, own)
    elif request.kind == MOVE:
        moved = max((one for one in own if not one.missed), key=lambda one: one.number, default=None)
    if moved is not None and named:
        named = named.completed(_as_named(context, moved.due))
    wish = _wish(context, named)
    if wish.at is not None:
        _take(context, own, wish, moved)
    else:
        _ask(context, wish, named, moved)


def _as_named(context: Context, due: datetime) -> NamedMoment:
    local = due.astimezone(context.settings.zone)
    return NamedMoment(day=local.date(), clock=(local.hour, local.minute), exact=True)


def _moved(context: Context, own: list[OwnReminder]) -> OwnReminder | None:
    """Return the reminder that the open step moves, if it is one and still waits."""
    number = context.dialog.data.get("moves") if context.dialog.step == WHEN else None
    return next((one for one in own if str(one.number) == number and not one.missed), None)


def _wish(context: Context, named: NamedMoment) -> Wish:
    return planning.resolve(named, _limits(context))


def _chosen(context: Context, value: str) -> Wish:
    try:
        at = datetime.fromisoformat(value).replace(tzinfo=context.settings.zone)
    except ValueError:
        return Wish(None, planning.UNCLEAR)
    return planning.check(at, _limits(context))


def _take(context: Context, own: list[OwnReminder], wish: Wish, moved: OwnReminder | None = None) -> None:
    if wish.at is None:
        _ask(context, wish, moved=moved)
        return
    moved = moved or _moved(context, own)
    context.dialog.close()
    waiting = [one for one in own if not one.missed]
    when = context.catalogue.appointment(wish.at, context.settings.zone)
    if any(one.due == wish.at for one in waiting):
        context.say(context.t("I have noted that already: {moment}.", moment=when), buttons=_buttons(context))
        return
    if moved is None and len(waiting) >= MOST:
        context.say(
            context.t("You have {count} reminders already, which is the most. Cancel one first.", count=len(waiting))
        )
        _list(context, own)
        return
    context.work.ask_reminder(wish.at)
    lines = [context.t("All right: I remind you of the health book at **{moment}**.", moment=when)]
    if moved is not None:
        context.work.cancel_reminder(moved.number)
        lines.append(context.t("No longer at {moment}.", moment=_when(context, moved)))
    lines.append(context.t("I do not remind you of doctor's appointments, vaccinations or medicine."))
    if not context.capabilities.starts_talk:
        lines.append(context.t("In this chat you see it when you open the page again."))
    lines.append(context.t("See or cancel: /nhactoi. Type DUNG to get no reminders any more."))
    context.say("\n".join(lines), buttons=_buttons(context))


def _ask(context: Context, wish: Wish, named: NamedMoment = NOTHING, moved: OwnReminder | None = None) -> None:
    """Ask for a better moment, or for its other half, and keep what was said of it."""
    if wish.detail and context.dialog.step == WHEN:
        named = planning.load_named(context.dialog.data)  # an unclear word does not undo what was said before
    data = planning.dump_named(planning.kept(named, wish))
    context.dialog.ask(WHEN, **data, **({"moves": str(moved.number)} if moved else {}))
    rules, offers = context.settings.reminders, wish.offers or _wish(context, NOTHING).offers
    said = context.t(
        _WHY_UNCLEAR[wish.detail] if wish.detail else _WHY[wish.reason],
        example=context.t("tomorrow at 19:00"),
        since=rules.quiet_from.strftime("%H:%M"),
        until=rules.quiet_until.strftime("%H:%M"),
        days=_limits(context).furthest.days,
    )
    buttons = [
        Button(context.catalogue.appointment(at, context.settings.zone), f"remind:at:{at:%Y-%m-%dT%H:%M}")
        for at in offers
    ]
    context.say(said, buttons=[*buttons, context.menu_button("reminders"), context.menu_button("menu")])


def _list(context: Context, own: list[OwnReminder]) -> None:
    t = context.t
    if not own:
        context.say(t("You have asked for no reminder."), buttons=_buttons(context, listing=True))
        return
    lines = ["**" + t("Your reminders") + "**"]
    for one in own:
        when = _when(context, one)
        lines.append("• " + (t("{moment}: could not be sent", moment=when) if one.missed else when))
    context.say("\n".join(lines), buttons=[*_cancelling(context, own), *_buttons(context, listing=True)])


def _cancel(context: Context, own: list[OwnReminder], request: Request) -> None:
    """Cancel the reminder that is meant without a second question; ask only where it may be one of several."""
    asking = context.dialog.step == WHEN
    context.dialog.close()
    if asking and not request.named and not request.every:
        context.say(context.t("All right, I have planned nothing new."), buttons=_buttons(context))
        return
    waiting = [one for one in own if not one.missed]
    if not waiting:
        _list(context, own)
        return
    named = [one for one in waiting if request.named.may_mean(one.due.astimezone(context.settings.zone))]
    if request.every or len(named) == 1:
        _cancel_all(context, waiting if request.every else named)
    else:
        context.say(
            context.t("Which reminder shall I cancel?"), buttons=[*_cancelling(context, waiting), *_back(context)]
        )


def _cancel_number(context: Context, own: list[OwnReminder], value: str) -> None:
    found = [one for one in own if str(one.number) == value]
    if not found:
        context.say(context.t("This reminder is no longer there."), buttons=_buttons(context))
        return
    _cancel_all(context, found)


def _cancel_all(context: Context, reminders: Sequence[OwnReminder]) -> None:
    lines = []
    for one in reminders:
        context.work.cancel_reminder(one.number)
        lines.append(context.t("Cancelled: {moment}.", moment=_when(context, one)))
    context.say("\n".join(lines), buttons=_buttons(context))


def _cancelling(context: Context, reminders: Sequence[OwnReminder]) -> list[Button]:
    """Make a button for each reminder that cancels it."""
    t, buttons = context.t, []
    for one in reminders:
        when = _when(context, one)
        label = t("Remove {moment}", moment=when) if one.missed else t("Cancel {moment}", moment=when)
        buttons.append(Button(label, f"remind:cancel:{one.number}"))
    return buttons


def _when(context: Context, one: OwnReminder) -> str:
    return context.catalogue.appointment(one.due, context.settings.zone)


def _limits(context: Context) -> Limits:
    """Return what is possible here: a platform may close the talk some days after a word."""
    window = context.capabilities.window
    furthest = min(FURTHEST, timedelta(days=window.paid_days)) if window else FURTHEST
    return Limits(context.work.at.astimezone(context.settings.zone), context.settings.quiet, furthest)


def _buttons(context: Context, *, listing: bool = False) -> list[Button]:
    if listing:
        return [Button(context.t("A new reminder"), "remind:new"), *_back(context)]
    return [Button(context.t("My reminders"), "remind:list"), *_back(context)]


def _back(context: Context) -> list[Button]:
    return [context.menu_button("menu")]


ROUTE = Route(
    "own-reminders",
    handle,
    commands=("/nhactoi", "/remindme"),
    choices=("remind:",),
    steps=(WHEN,),
    keywords=("lời nhắc của tôi", "loi nhac cua toi", "my reminders", "hủy nhắc", "huy nhac"),
    help=mark("A reminder at a time of your choice"),
    hears=hears,
    takes=takes,
    resume=resume,
)
