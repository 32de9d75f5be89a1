"""A reminder at a moment that the citizen names: understood, asked back, refused kindly, listed, cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.conversation.context import Route, Turn
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


async def handle(turn: Turn) -> None:
    """Plan a reminder, list or cancel them."""
    action, _, value = turn.argument.partition(":") if turn.choice.startswith("remind:") else ("", "", "")
    own = await turn.records.own_reminders()
    if turn.message.person.channel not in turn.broadcasts.channels:
        turn.say(turn.t("Here I cannot write to you later. Please ask me on another channel."), buttons=_back(turn))
    elif action == "at":
        _take(turn, own, _moment(turn, value))
    elif action == "cancel":
        _cancel(turn, own, value)
    elif action == "new":
        _ask(turn, requests.read_wish("", _now(turn), quiet=turn.settings.quiet, furthest=_furthest(turn)))
    elif action or turn.command or _bare(turn) in KEYWORDS:
        _list(turn, own)
    else:
        _hear(turn, own)


def _hear(turn: Turn, own: list[OwnReminder]) -> None:
    step, asked = turn.dialog.step == WHEN, requests.is_asked_for(turn.text)
    wish = requests.read_wish(turn.text, _now(turn), quiet=turn.settings.quiet, furthest=_furthest(turn), asked=asked)
    if step and not asked and wish.reason == requests.UNCLEAR:
        turn.dialog.close()  # they have gone on to something else, which is answered like any question
        return
    if wish.at is not None:
        _take(turn, own, wish)
    else:
        _ask(turn, wish)


def _moment(turn: Turn, value: str) -> Wish:
    try:
        at = datetime.fromisoformat(value).replace(tzinfo=turn.settings.zone)
    except ValueError:
        return Wish(None, requests.UNCLEAR)
    return requests.check(at, _now(turn), quiet=turn.settings.quiet, furthest=_furthest(turn))


def _take(turn: Turn, own: list[OwnReminder], wish: Wish) -> None:
    if wish.at is None:
        _ask(turn, wish)
        return
    turn.dialog.close()
    waiting = [one for one in own if not one.missed]
    when = turn.catalogue.appointment(wish.at, turn.settings.zone)
    if any(one.due == wish.at for one in waiting):
        turn.say(turn.t("I have noted that already: {moment}.", moment=when), buttons=_buttons(turn))
        return
    if len(waiting) >= MOST:
        turn.say(turn.t("You have {count} reminders already, which is the most. Cancel one first.", count=len(waiting)))
        _list(turn, own)
        return
    turn.records.ask_reminder(wish.at)
    lines = [
        turn.t("All right: I remind you of the health book at **{moment}**.", moment=when),
        turn.t("I do not remind you of doctor's appointments, vaccinations or medicine."),
    ]
    if not turn.traits.starts_talk:
        lines.append(turn.t("In this chat you see it when you open the page again."))
    lines.append(turn.t("See or cancel: /nhactoi. Type DUNG to get no reminders any more."))
    turn.say("\n".join(lines), buttons=_buttons(turn))


def _ask(turn: Turn, wish: Wish) -> None:
    turn.dialog.ask(WHEN)
    rules, offers = turn.settings.reminders, wish.offers
    if not offers:
        offers = requests.read_wish("", _now(turn), quiet=turn.settings.quiet, furthest=_furthest(turn)).offers
    said = turn.t(
        _WHY[wish.reason],
        example=turn.t("tomorrow at 19:00"),
        since=rules.quiet_from.strftime("%H:%M"),
        until=rules.quiet_until.strftime("%H:%M"),
        days=_furthest(turn).days,
    )
    buttons = [
        Button(turn.catalogue.appointment(at, turn.settings.zone), f"remind:at:{at:%Y-%m-%dT%H:%M}") for at in offers
    ]
    turn.say(said, buttons=[*buttons, turn.menu_button("reminders"), turn.menu_button("menu")])


def _list(turn: Turn, own: list[OwnReminder]) -> None:
    t, zone = turn.t, turn.settings.zone
    if not own:
        turn.say(t("You have asked for no reminder."), buttons=_buttons(turn, listing=True))
        return
    lines, buttons = ["**" + t("Your reminders") + "**"], []
    for one in own:
        when = turn.catalogue.appointment(one.due, zone)
        lines.append("• " + (t("{moment}: could not be sent", moment=when) if one.missed else when))
        label = t("Remove {moment}", moment=when) if one.missed else t("Cancel {moment}", moment=when)
        buttons.append(Button(label, f"remind:cancel:{one.number}"))
    turn.say("\n".join(lines), buttons=[*buttons, *_buttons(turn, listing=True)])


def _cancel(turn: Turn, own: list[OwnReminder], value: str) -> None:
    found = next((one for one in own if str(one.number) == value), None)
    if found is None:
        turn.say(turn.t("This reminder is no longer there."), buttons=_buttons(turn))
        return
    turn.records.cancel_reminder(found.number)
    when = turn.catalogue.appointment(found.due, turn.settings.zone)
    turn.say(turn.t("Cancelled: {moment}.", moment=when), buttons=_buttons(turn))


def _now(turn: Turn) -> datetime:
    return turn.records.at.astimezone(turn.settings.zone)


def _furthest(turn: Turn) -> timedelta:
    """Return how far ahead a message here can be promised: a platform may close the talk some days after a word."""
    window = turn.traits.window
    return min(FURTHEST, timedelta(days=window.paid_days)) if window else FURTHEST


def _buttons(turn: Turn, *, listing: bool = False) -> list[Button]:
    if listing:
        return [Button(turn.t("A new reminder"), "remind:new"), *_back(turn)]
    return [Button(turn.t("My reminders"), "remind:list"), *_back(turn)]


def _back(turn: Turn) -> list[Button]:
    return [turn.menu_button("menu")]


def _bare(turn: Turn) -> str:
    return turn.text.lower().strip(" .!")


KEYWORDS = ("lời nhắc của tôi", "loi nhac cua toi", "my reminders", "hủy nhắc", "huy nhac")
ROUTE = Route(
    "own-reminders",
    handle,
    commands=("/nhactoi", "/remindme"),
    choices=("remind:",),
    steps=(WHEN,),
    keywords=KEYWORDS,
    help=mark("A reminder at a time of your choice"),
    hears=requests.is_asked_for,
)
