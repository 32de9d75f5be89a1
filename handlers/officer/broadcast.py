"""Messages to many people: whom, text, preview, test, plan, approval, sending, report; everything by buttons.

A broadcast lives in the records from its first step, and each button names it, so that an officer goes on where they or
a colleague left off. Typed are only texts, moments, last days and codes of posters.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from bot import access
from bot.broadcasts import REPORTS, Audience, Broadcast
from bot.broadcasts.presentation import (
    audience_words,
    plan_words,
    progress_words,
    report_words,
    reports_words,
    state_words,
    text_words,
)
from bot.clock import local_day
from bot.conversation.context import Route, Turn
from bot.errors import Refused
from bot.i18n.catalogue import NAMES, mark
from bot.library.regions import NEW_MAP
from bot.message import Button
from bot.text.dates import read_day, read_moment
from bot.text.markup import escape

TEXT, WHEN, UNTIL, CODE = "broadcast.text", "broadcast.when", "broadcast.until", "broadcast.code"
SHOWN = 8  # broadcasts in the list
WEEKS = (4, 8, 12)  # lengths of a series that are offered; any last day can be typed
NO_LONGER = mark("This choice is no longer there. Please choose again.")
_MINUTE: Final = 60
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """What a button or a typed step says: the action, the broadcast it is about, and a value."""

    action: str
    number: int
    value: str = ""


async def handle(turn: Turn) -> None:
    """Do one step, or say why it cannot be done."""
    await turn.take_time()
    asked = _asked(turn)
    typed = asked.action in _TYPED
    if typed and turn.message.withheld:
        turn.say(turn.t("This was not taken over."), buttons=[_back(turn, asked.number)])
        return
    if not typed:
        turn.dialog.close()  # a typed step stays open until what was typed is good
    try:
        await (_TYPED if typed else _ACTIONS).get(asked.action, _list)(turn, asked)
    except Refused as refusal:
        known = [_back(turn, asked.number)] if asked.number else []
        turn.say(turn.t(str(refusal)), buttons=[*known, Button(turn.t("All broadcasts"), "/nhantin")])


def _asked(turn: Turn) -> Asked:
    step = turn.dialog.step
    if step in _TYPED and turn.text and not turn.choice and not turn.text.startswith("/"):
        return Asked(step, _number(turn.dialog.data.get("number", "")), turn.dialog.data.get("value", ""))
    if turn.choice.startswith("broadcast:"):
        action, _, rest = turn.argument.partition(":")
        named, _, value = rest.partition(":")
        return Asked(action, _number(named), value)
    number = _number(turn.argument)
    return Asked("open" if number else "", number)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


# -- the list and one broadcast ----------------------------------------------------------------------------------


async def _list(turn: Turn, asked: Asked) -> None:
    found = (await turn.broadcasts.latest(turn.actor))[:SHOWN]
    lines = ["**" + turn.t("Messages to many people") + "**"]
    lines += [f"{one.number}. {state_words(one, turn.catalogue)} – {_whom(turn, one.audience)}" for one in found]
    if not found:
        lines.append(turn.t("Nothing has been sent yet."))
    lines.append(turn.t("Only people who asked for reminders ever get one, and never at night."))
    buttons = [Button(turn.t("New message"), "broadcast:new")]
    buttons += [
        Button(turn.t("Broadcast {number}", number=one.number), f"broadcast:open:{one.number}") for one in found
    ]
    turn.say("\n".join(lines), buttons=[*buttons, turn.menu_button("menu")])


async def _new(turn: Turn, asked: Asked) -> None:
    scope = turn.scope(access.SEND)
    audience = Audience(districts=() if scope is None else tuple(sorted(scope)))
    number = await turn.broadcasts.draft(turn.actor, audience)
    await _choose_whom(turn, Asked("whom", number))


async def _open(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    if found.state in ("running", "paused", "stopped", "done"):
        await _show_progress(turn, asked)
        return
    await _show(turn, found)


async def _show(turn: Turn, found: Broadcast, note: str = "") -> None:
    """Show a broadcast that is not on its way yet, with what can be done about it."""
    t, zone, minute = turn.t, turn.settings.zone, turn.catalogue.minute
    lines = [note] if note else []
    lines += [
        "**" + t("Broadcast {number}", number=found.number) + "**: " + state_words(found, turn.catalogue),
        t("To: {whom}", whom=_whom(turn, found.audience)),
    ]
    if found.starts_at and not found.editable:
        lines.append(t("Begins at {time}.", time=minute(found.starts_at, zone)))
        if found.weekly_until:
            lines.append(t("Every week until {day}.", day=turn.catalogue.day(found.weekly_until)))
    title = ""
    if found.ready:
        ready = (await turn.broadcasts.ready_texts()).get(found.ready)
        title = ready.title.in_language(turn.language) if ready else found.ready
    lines.append(text_words(found, title, turn.library.manual.trusted_hosts, turn.catalogue))
    if found.state == "planned" or (found.state in ("waiting", "scheduled") and found.plan.people):
        lines += ["", await _plan(turn, found)]
    if found.state == "planned" and turn.broadcasts.needs_approval(found):
        limit = turn.catalogue.number(turn.settings.reminders.approve_above)
        lines.append(t("A second officer must approve this: it goes to more than {limit} people.", limit=limit))
    turn.say("\n".join(lines), buttons=_doing(turn, found))


async def _plan(turn: Turn, found: Broadcast) -> str:
    return plan_words(
        found,
        await turn.broadcasts.cost(found),
        turn.broadcasts.finish(found),
        await turn.broadcasts.step(turn.actor),
        turn.catalogue,
        zone=turn.settings.zone,
        channel_title=turn.channel_title,
    )


def _doing(turn: Turn, found: Broadcast) -> list[Button]:
    """List what can be done about a broadcast in its state."""
    t, seen = turn.t, found.version
    change = [("whom", t("To whom")), ("text", t("Text"))]
    look = [("preview", t("Preview")), ("test", t("Test to myself"))] if found.texts else []
    stop = ("stop", t("Stop for good"))
    progress, report = ("progress", t("Progress")), ("report", t("Report"))
    offered: Mapping[str, list[tuple[str, str]]] = {
        "draft": [*change, *look, *([("plan", t("Count who gets it"))] if look else []), ("discard", t("Discard"))],
        "planning": [("plan", t("Count who gets it"))],
        "planned": [
            (f"now:{seen}", t("Send now")),
            (f"when:{seen}", t("Send at a time")),
            (f"weekly:{seen}", t("Send every week")),
            *look,
            *change,
            ("plan", t("Count anew")),
            ("discard", t("Discard")),
        ],
        "waiting": [
            *([(f"approve:{seen}", t("Approve"))] if found.made_by != turn.actor.name else []),
            *look,
            ("stop", t("Do not send")),
        ],
        "scheduled": [*look, ("pause", t("Pause")), stop],
        "running": [progress, ("pause", t("Pause")), stop],
        "paused": [("resume", t("Go on sending")), progress, stop],
        "stopped": [report],
        "done": [report, *([] if found.nameless else [("again", t("Again to those it failed for"))])],
    }
    buttons = []
    for action, label in offered[found.state]:
        name, _, value = action.partition(":")
        buttons.append(Button(label, f"broadcast:{name}:{found.number}" + (f":{value}" if value else "")))
    return [*buttons, Button(t("All broadcasts"), "/nhantin")]


# -- to whom -----------------------------------------------------------------------------------------------------


async def _choose_whom(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    t, number, scope = turn.t, found.number, turn.scope(access.SEND)
    offered = [
        ("place", t("Place")) if scope is None or len(scope) > 1 else None,
        ("commune", t("Commune")) if len(found.audience.districts) == 1 else None,
        ("reports", t("Reported or not")),
        ("channel", t("Channel")),
        ("language", t("Language of the people")),
        ("source", t("Poster or QR code")),
    ]
    buttons = [Button(label, f"broadcast:ask:{number}:{field}") for field, label in filter(None, offered)]
    following = ("open", t("Continue")) if found.texts else ("text", t("Continue to the text"))
    turn.say(
        t("Who shall get message {number}? Now: {whom}", number=number, whom=_whom(turn, found.audience))
        + "\n"
        + t("Choose what you want to narrow down, or continue."),
        buttons=[Button(following[1], f"broadcast:{following[0]}:{number}"), *buttons, _back(turn, number)],
    )


async def _ask_whom(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    t, field = turn.t, asked.value
    options: list[tuple[str, str]] = []
    if field == "place":
        scope = turn.scope(access.SEND)
        options = [(t("the whole province") if scope is None else t("all my districts"), "*")]
        places = turn.regions.districts.values()
        options += [(one.title(turn.language), one.id) for one in places if scope is None or one.id in scope]
    elif field == "commune" and len(found.audience.districts) == 1:
        options = [(t("all communes"), "*"), *_communes(turn, found.audience.districts[0])]
    elif field == "reports":
        options = [(reports_words(one, turn.catalogue), one) for one in REPORTS]
    elif field == "channel":
        options = [(t("all channels"), "*")]
        options += [(t(turn.channel_title(one)), one) for one in turn.broadcasts.channels]
    elif field == "language":
        options = [(t("all languages"), "*")]
        options += [(NAMES[one], one) for one in turn.settings.languages]
    elif field == "source":
        turn.dialog.ask(CODE, number=str(found.number))
        turn.say(
            t("Type the code of the poster, such as {code}.", code=next(iter(turn.knowledge.sources.by_code), "VT24")),
            buttons=[Button(t("People of every poster"), f"broadcast:set:{found.number}:source=*")],
        )
        return
    else:
        raise Refused(NO_LONGER)
    turn.say(
        t("Who shall get it?"),
        buttons=[
            Button(label[:1].upper() + label[1:], f"broadcast:set:{found.number}:{field}={value}")
            for label, value in options
        ],
    )


def _communes(turn: Turn, district: str) -> list[tuple[str, str]]:
    """List the communes of a district, those of today's map too, since people report by either."""
    place, province = turn.regions.districts[district], turn.regions.province
    old = [(commune.name, commune.code) for commune in place.communes]
    new = [
        (turn.t("{name} (since July 2025)", name=one.name), f"{NEW_MAP}{one.code}")
        for one in province.communes_2025
        if district in one.origins
    ]
    return [*old, *new]


async def _set_whom(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    field, _, value = asked.value.partition("=")
    chosen = "" if value == "*" else value
    if field == "place":
        scope = turn.scope(access.SEND)
        everything = () if scope is None else tuple(sorted(scope))
        audience = replace(found.audience, districts=(chosen,) if chosen else everything, commune="")
    elif field in ("commune", "reports", "channel", "language", "source"):
        change: dict[str, Any] = {field: chosen}
        audience = replace(found.audience, **change)
    else:
        raise Refused(NO_LONGER)
    await turn.broadcasts.aim(turn.actor, found.number, audience)
    await _choose_whom(turn, asked)


async def _take_code(turn: Turn, asked: Asked) -> None:
    source = turn.knowledge.sources.typed(turn.text)
    if source is None:
        raise Refused(mark("I do not know this code. Please type it as it stands on the poster."))
    found = await turn.broadcasts.find(turn.actor, asked.number)
    await turn.broadcasts.aim(turn.actor, asked.number, replace(found.audience, source=source.code))
    turn.dialog.close()
    await _choose_whom(turn, asked)


# -- the text ----------------------------------------------------------------------------------------------------


async def _choose_text(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    t, number = turn.t, found.number
    buttons = [
        Button(t("Write it myself: {language}", language=NAMES[one]), f"broadcast:write:{number}:{one}")
        for one in turn.settings.languages
    ]
    for ready in (await turn.broadcasts.ready_texts()).values():
        title = ready.title.in_language(turn.language)
        buttons.append(
            Button(f"⚠ {title}" if ready.status == "check" else title, f"broadcast:ready:{number}:{ready.id}")
        )
    turn.say(
        t("Write the text, or take a ready one. With ⚠, facts must be checked first. How to stop is added to each."),
        buttons=[*buttons, _back(turn, number)],
    )


async def _ask_text(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    if asked.value not in turn.settings.languages:
        raise Refused(NO_LONGER)
    turn.dialog.ask(TEXT, number=str(found.number), value=asked.value)
    turn.say(
        turn.t("Type the text now ({language}), at most 1,000 characters.", language=NAMES[asked.value])
        + "\n"
        + turn.t("I fill in these: {names}", names="{district} {reports} {share} {date}"),
        buttons=[_back(turn, found.number)],
    )


async def _take_text(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.write(turn.actor, asked.number, asked.value, turn.text)
    turn.dialog.close()
    await _show(turn, found)


async def _take_ready(turn: Turn, asked: Asked) -> None:
    ready = (await turn.broadcasts.ready_texts()).get(asked.value)
    confirmed = asked.action == "confirm"
    if ready is not None and ready.status == "check" and not confirmed:
        await turn.broadcasts.find(turn.actor, asked.number)
        turn.say(
            turn.t("This text was true once ({day}). Please check its facts before it goes out.",
                   day=turn.catalogue.day(ready.checked_on))
            + "\n\n"
            + ready.text.in_language(turn.language).strip(),
            buttons=[
                Button(turn.t("The facts hold: take it"), f"broadcast:confirm:{asked.number}:{ready.id}"),
                Button(turn.t("Another text"), f"broadcast:text:{asked.number}"),
            ],
        )  # fmt: skip
        return
    await _show(turn, await turn.broadcasts.take_ready(turn.actor, asked.number, asked.value, confirmed=confirmed))


async def _preview(turn: Turn, asked: Asked) -> None:
    shown: dict[tuple[object, ...], list[str]] = {}
    for one in await turn.broadcasts.preview(turn.actor, asked.number):
        where = f"{turn.t(turn.channel_title(one.channel))}, {NAMES[one.language]}"
        shown.setdefault(one.replies, []).append(where)
    for replies, places in shown.items():
        turn.say("**" + turn.t("Shown on: {places}", places="; ".join(places)) + "**")
        turn.replies.extend(replies)  # type: ignore[arg-type]
    turn.say(turn.t("This is the preview."), buttons=[_back(turn, asked.number)])


async def _test(turn: Turn, asked: Asked) -> None:
    turn.replies.append(await turn.broadcasts.sample(turn.actor, asked.number, turn.language))
    turn.say(turn.t("This is how people get it; so far only you did."), buttons=[_back(turn, asked.number)])


async def _count(turn: Turn, asked: Asked) -> None:
    await _show(turn, await turn.broadcasts.plan(turn.actor, asked.number))


async def _discard(turn: Turn, asked: Asked) -> None:
    await turn.broadcasts.discard(turn.actor, asked.number)
    turn.say(
        turn.t("Broadcast {number} is discarded.", number=asked.number),
        buttons=[Button(turn.t("All broadcasts"), "/nhantin")],
    )


# -- when, and go ------------------------------------------------------------------------------------------------
#
# The value of these buttons is "seen[:at[:until]]": the version that was shown, the moment (minutes; 0 for now) and the
# last day (20261231).


async def _confirm_now(turn: Turn, asked: Asked) -> None:
    await _confirm(turn, asked.number, asked.value.partition(":")[0], None)


async def _ask_when(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    turn.dialog.ask(WHEN, number=str(found.number), value=asked.value)
    turn.say(
        turn.t("When? Type day and hour, such as 24/11 8:30 or tomorrow 19:00."), buttons=[_back(turn, found.number)]
    )


async def _take_when(turn: Turn, asked: Asked) -> None:
    at = read_moment(turn.text, turn.clock().astimezone(turn.settings.zone))
    if at is None:
        raise Refused(mark("I do not understand this moment, or it is over. Type day and hour, such as 24/11 8:30."))
    turn.dialog.close()
    await _confirm(turn, asked.number, asked.value, at)


async def _confirm(turn: Turn, number: int, seen: str, at: datetime | None) -> None:
    """Ask for the last word before messages go out."""
    found = await turn.broadcasts.find(turn.actor, number)
    t, minute = turn.t, turn.catalogue.minute
    begin = turn.settings.quiet.end(at or turn.clock())
    lines = [await _plan(turn, replace(found, starts_at=begin)), t("To: {whom}", whom=_whom(turn, found.audience))]
    lines.append(t("It begins at {time}.", time=minute(begin, turn.settings.zone)))
    if at is not None and begin != at:
        lines.append(t("The hour you named is quiet; nobody is written to then."))
    minutes = int(at.timestamp()) // _MINUTE if at else 0
    turn.say(
        "\n".join(lines),
        buttons=[
            Button(t("Yes, send it once"), f"broadcast:send:{number}:{seen}:{minutes}"),
            Button(t("Every week"), f"broadcast:weekly:{number}:{seen}:{minutes}"),
            _back(turn, number),
        ],
    )


async def _ask_until(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    seen, _, minutes = asked.value.partition(":")
    value = f"{seen}:{minutes or 0}"
    begin = turn.settings.quiet.end(_moment(minutes) or turn.clock())
    turn.dialog.ask(UNTIL, number=str(found.number), value=value)
    buttons = []
    for weeks in WEEKS:
        last = local_day(begin, turn.settings.zone) + timedelta(weeks=weeks - 1)
        label = turn.t("{count} times, until {day}", count=weeks, day=turn.catalogue.day(last))
        buttons.append(Button(label, f"broadcast:send:{found.number}:{value}:{last:%Y%m%d}"))
    turn.say(
        turn.t("Every week, first at {time}. Until when? Choose, or type the last day, such as 31/12. Each time, "
               "people are counted anew.", time=turn.catalogue.minute(begin, turn.settings.zone)),
        buttons=[*buttons, _back(turn, found.number)],
    )  # fmt: skip


async def _take_until(turn: Turn, asked: Asked) -> None:
    last = read_day(turn.text, local_day(turn.clock(), turn.settings.zone))
    if last is None:
        raise Refused(mark("I do not understand this day. Type it like 31/12/2026."))
    await _release(turn, Asked("send", asked.number, f"{asked.value}:{last:%Y%m%d}"))
    turn.dialog.close()


async def _release(turn: Turn, asked: Asked) -> None:
    seen, minutes, last = (*asked.value.split(":"), "", "", "")[:3]
    found = await turn.broadcasts.release(
        turn.actor,
        asked.number,
        at=_moment(minutes),
        weekly_until=_day(last),
        seen=seen,
        watch=True,
    )
    if found.state == "waiting":
        note = turn.t("A second officer must approve it now. Those who may were told.")
    else:
        note = turn.t("It is on its way. I tell you here how it goes on.")
    await _show(turn, found, f"**{note}**")


def _moment(minutes: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(minutes=_number(minutes)) if _number(minutes) else None
    except OverflowError:
        raise Refused(NO_LONGER) from None


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date() if text else None
    except ValueError:
        raise Refused(NO_LONGER) from None


# -- while it runs, and after ------------------------------------------------------------------------------------


async def _approve(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.approve(turn.actor, asked.number, seen=asked.value)
    await _show(turn, found, "**" + turn.t("You have approved it.") + "**")


async def _pause(turn: Turn, asked: Asked) -> None:
    await turn.broadcasts.pause(turn.actor, asked.number)
    await _open(turn, asked)


async def _resume(turn: Turn, asked: Asked) -> None:
    await turn.broadcasts.resume(turn.actor, asked.number)
    await _open(turn, asked)


async def _ask_stop(turn: Turn, asked: Asked) -> None:
    found = await turn.broadcasts.find(turn.actor, asked.number)
    turn.say(
        turn.t("Stop broadcast {number} for good? What was not sent will not be, also in the weeks to come.",
               number=found.number),
        buttons=[
            Button(turn.t("Yes, stop it"), f"broadcast:halt:{found.number}"),
            _back(turn, found.number),
        ],
    )  # fmt: skip


async def _stop(turn: Turn, asked: Asked) -> None:
    await turn.broadcasts.stop(turn.actor, asked.number)
    await _open(turn, asked)


async def _again(turn: Turn, asked: Asked) -> None:
    people = await turn.broadcasts.again(turn.actor, asked.number)
    await turn.broadcasts.watch(turn.actor, asked.number)
    turn.say(
        turn.t("Sending again to {people} people who certainly got nothing.", people=turn.catalogue.number(people)),
        buttons=[Button(turn.t("Progress"), f"broadcast:progress:{asked.number}")],
    )


async def _show_progress(turn: Turn, asked: Asked) -> None:
    progress = await turn.broadcasts.progress(turn.actor, asked.number)
    step = await turn.broadcasts.step(turn.actor)
    lines = [progress_words(progress, step, turn.catalogue), _whom(turn, progress.broadcast.audience)]
    if progress.finish:
        lines.append(turn.t("Sent by about {time}.", time=turn.catalogue.minute(progress.finish, turn.settings.zone)))
    turn.say("\n".join(lines), buttons=_doing(turn, progress.broadcast))


async def _report(turn: Turn, asked: Asked) -> None:
    report = await turn.broadcasts.report(turn.actor, asked.number)
    turn.say(
        report_words(report, turn.regions, turn.catalogue, zone=turn.settings.zone, channel_title=turn.channel_title),
        buttons=[button for button in _doing(turn, report.broadcast) if ":report:" not in button.choice],
    )


def _whom(turn: Turn, audience: Audience) -> str:
    return escape(audience_words(audience, turn.regions, turn.catalogue, turn.channel_title))


def _back(turn: Turn, number: int) -> Button:
    return Button(turn.t("Broadcast {number}", number=number), f"broadcast:open:{number}")


_Step = Callable[[Turn, Asked], Awaitable[None]]
_ACTIONS: Final[Mapping[str, _Step]] = {
    "new": _new,
    "open": _open,
    "whom": _choose_whom,
    "ask": _ask_whom,
    "set": _set_whom,
    "text": _choose_text,
    "write": _ask_text,
    "ready": _take_ready,
    "confirm": _take_ready,
    "preview": _preview,
    "test": _test,
    "plan": _count,
    "discard": _discard,
    "now": _confirm_now,
    "when": _ask_when,
    "weekly": _ask_until,
    "send": _release,
    "approve": _approve,
    "pause": _pause,
    "resume": _resume,
    "stop": _ask_stop,
    "halt": _stop,
    "again": _again,
    "progress": _show_progress,
    "report": _report,
}
_TYPED: Final[Mapping[str, _Step]] = {TEXT: _take_text, WHEN: _take_when, UNTIL: _take_until, CODE: _take_code}

ROUTE = Route(
    "broadcast",
    handle,
    commands=("/nhantin", "/broadcast"),
    choices=("broadcast:",),
    steps=tuple(_TYPED),
    action=access.SEND,
    help=mark("Messages to many people"),
)
