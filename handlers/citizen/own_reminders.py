"""A reminder at a moment that the citizen names: understood, asked back, refused kindly, listed, cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.conversation.context import Context, Route
from bot.conversation.unit_of_work import OwnReminder
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.reminders import requests
from bot.reminders.requests import FURTHEST, MOST, Wish

WHEN = "remind.when"
_WHY = {
    requests.UNCLEAR: mark(
        "When shall I remind you of the health book? Choose, or type a day and a time such as “{example}”."
    ),
    requests.WHICH_HOUR: mark("At what time? Choose, or type it."),
    requests.WHICH_HALF: mark("Which of these do you mean? I write to people between {until} and {since} only."),
    requests.PAST: mark("That moment is already over. These are possible:"),
    requests.QUIET: mark("Between {since} and {until} I write to nobody, so that nobody is woken. These are possible:"),
    requests.TOO_FAR: mark(
        "That is too far away: here I can remind you within {days} days. Please choose an earlier moment."
    ),
}


async def handle(context: Context) -> None:
    """Plan a reminder, list or cancel them."""
    action, _, value = context.argument.partition(":") if context.choice.startswith("remind:") else ("", "", "")
    own = await context.work.own_reminders()
    if context.message.person.channel not in context.broadcasts.channels:
        context.say(
            context.t("Here I cannot write to you later. Please ask me on another channel."), buttons=_back(context)
        )
    elif action == "at":
        _take(context, own, _moment(context, value))
    elif action == "cancel":
        _cancel(context, own, value)
    elif action == "new":
        _ask(context, requests.read_wish("", _now(context), quiet=context.settings.quiet, furthest=_furthest(context)))
    elif action or context.command or _bare(context) in KEYWORDS:
        _list(context, own)
    else:
        _take_words(context, own)


def _take_words(context: Context, own: list[OwnReminder]) -> None:
    step, asked = context.dialog.step == WHEN, requests.is_asked_for(context.text)
    wish = requests.read_wish(
        context.text, _now(context), quiet=context.settings.quiet, furthest=_furthest(context), asked=asked
    )
    if step and not asked and wish.reason == requests.UNCLEAR:
        context.dialog.close()  # they have gone on to something else, which is answered like any question
        return
    if wish.at is not None:
        _take(context, own, wish)
    else:
        _ask(context, wish)


def _moment(context: Context, value: str) -> Wish:
    try:
        at = datetime.fromisoformat(value).replace(tzinfo=context.settings.zone)
    except ValueError:
        return Wish(None, requests.UNCLEAR)
    return requests.check(at, _now(context), quiet=context.settings.quiet, furthest=_furthest(context))


def _take(context: Context, own: list[OwnReminder], wish: Wish) -> None:
    if wish.at is None:
        _ask(context, wish)
        return
    context.dialog.close()
    waiting = [one for one in own if not one.missed]
    when = context.catalogue.appointment(wish.at, context.settings.zone)
    if any(one.due == wish.at for one in waiting):
        context.say(context.t("I have noted that already: {moment}.", moment=when), buttons=_buttons(context))
        return
    if len(waiting) >= MOST:
        context.say(
            context.t("You have {count} reminders already, which is the most. Cancel one first.", count=len(waiting))
        )
        _list(context, own)
        return
    context.work.ask_reminder(wish.at)
    lines = [
        context.t("All right: I remind you of the health book at **{moment}**.", moment=when),
        context.t("I do not remind you of doctor's appointments, vaccinations or medicine."),
    ]
    if not context.capabilities.starts_talk:
        lines.append(context.t("In this chat you see it when you open the page again."))
    lines.append(context.t("See or cancel: /nhactoi. Type DUNG to get no reminders any more."))
    context.say("\n".join(lines), buttons=_buttons(context))


def _ask(context: Context, wish: Wish) -> None:
    context.dialog.ask(WHEN)
    rules, offers = context.settings.reminders, wish.offers
    if not offers:
        offers = requests.read_wish("", _now(context), quiet=context.settings.quiet, furthest=_furthest(context)).offers
    said = context.t(
        _WHY[wish.reason],
        example=context.t("tomorrow at 19:00"),
        since=rules.quiet_from.strftime("%H:%M"),
        until=rules.quiet_until.strftime("%H:%M"),
        days=_furthest(context).days,
    )
    buttons = [
        Button(context.catalogue.appointment(at, context.settings.zone), f"remind:at:{at:%Y-%m-%dT%H:%M}")
        for at in offers
    ]
    context.say(said, buttons=[*buttons, context.menu_button("reminders"), context.menu_button("menu")])


def _list(context: Context, own: list[OwnReminder]) -> None:
    t, zone = context.t, context.settings.zone
    if not own:
        context.say(t("You have asked for no reminder."), buttons=_buttons(context, listing=True))
        return
    lines, buttons = ["**" + t("Your reminders") + "**"], []
    for one in own:
        when = context.catalogue.appointment(one.due, zone)
        lines.append("• " + (t("{moment}: could not be sent", moment=when) if one.missed else when))
        label = t("Remove {moment}", moment=when) if one.missed else t("Cancel {moment}", moment=when)
        buttons.append(Button(label, f"remind:cancel:{one.number}"))
    context.say("\n".join(lines), buttons=[*buttons, *_buttons(context, listing=True)])


def _cancel(context: Context, own: list[OwnReminder], value: str) -> None:
    found = next((one for one in own if str(one.number) == value), None)
    if found is None:
        context.say(context.t("This reminder is no longer there."), buttons=_buttons(context))
        return
    context.work.cancel_reminder(found.number)
    when = context.catalogue.appointment(found.due, context.settings.zone)
    context.say(context.t("Cancelled: {moment}.", moment=when), buttons=_buttons(context))


def _now(context: Context) -> datetime:
    return context.work.at.astimezone(context.settings.zone)


def _furthest(context: Context) -> timedelta:
    """Return how far ahead a message here can be promised: a platform may close the talk some days after a word."""
    window = context.capabilities.window
    return min(FURTHEST, timedelta(days=window.paid_days)) if window else FURTHEST


def _buttons(context: Context, *, listing: bool = False) -> list[Button]:
    if listing:
        return [Button(context.t("A new reminder"), "remind:new"), *_back(context)]
    return [Button(context.t("My reminders"), "remind:list"), *_back(context)]


def _back(context: Context) -> list[Button]:
    return [context.menu_button("menu")]


def _bare(context: Context) -> str:
    return context.text.lower().strip(" .!")


KEYWORDS = ("lời nhắc của tôi", "loi nhac cua toi", "my reminders", "hủy nhắc", "huy nhac")
ROUTE = Route(
    "own-reminders",
    handle,
    commands=("/nhactoi", "/remindme"),
    choices=("remind:",),
    steps=(WHEN,),
    keywords=KEYWORDS,
    help=mark("A reminder at a time of your choice"),
    hears=lambda context: requests.is_asked_for(context.text),
)
