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
from bot.broadcasts.drafts import DIFFERING, Differing
from bot.broadcasts.presentation import (
    audience_words,
    communes_of,
    plan_words,
    progress_words,
    report_words,
    reports_words,
    state_words,
    text_words,
)
from bot.broadcasts.trials import USUAL_PERCENT
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.errors import NotAllowed
from bot.i18n.catalogue import NAMES, mark
from bot.message import Button
from bot.text.dates import read, read_day
from bot.text.markup import escape

TEXT, WHEN, UNTIL, CODE = "broadcast.text", "broadcast.when", "broadcast.until", "broadcast.code"
SHOWN = 8  # broadcasts in the list
WEEKS = (4, 8, 12)  # lengths of a series that are offered; any last day can be typed
NO_LONGER = mark("This choice is no longer there. Please choose again.")
QUIET_NOW = mark("It is a quiet hour now; nobody is written to. It begins when these hours are over.")
_MINUTE: Final = 60
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """What a button or a typed step says: the action, the broadcast it is about, and a value."""

    action: str
    number: int
    value: str = ""


async def handle(context: Context) -> None:
    """Do one step, or say why it cannot be done."""
    await context.take_time()
    asked = _asked(context)
    typed = asked.action in _TYPED
    if typed and context.message.withheld:
        context.say(context.t("This was not taken over."), buttons=[_back(context, asked.number)])
        return
    if not typed:
        context.dialog.close()  # a typed step stays open until what was typed is good
    try:
        await (_TYPED if typed else _ACTIONS).get(asked.action, _list)(context, asked)
    except NotAllowed as refusal:
        known = [_back(context, asked.number)] if asked.number else []
        context.say(context.t(str(refusal)), buttons=[*known, Button(context.t("All broadcasts"), "/nhantin")])


def _asked(context: Context) -> Asked:
    step = context.dialog.step
    if step in _TYPED and context.text and not context.choice and not context.text.startswith("/"):
        return Asked(step, _number(context.dialog.data.get("number", "")), context.dialog.data.get("value", ""))
    if context.choice.startswith("broadcast:"):
        action, _, rest = context.argument.partition(":")
        named, _, value = rest.partition(":")
        return Asked(action, _number(named), value)
    number = _number(context.argument)
    return Asked("open" if number else "", number)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else 0


# -- the list and one broadcast ----------------------------------------------------------------------------------


async def _list(context: Context, asked: Asked) -> None:
    found = (await context.broadcasts.latest(context.actor))[:SHOWN]
    lines = ["**" + context.t("Messages to many people") + "**"]
    lines += [f"{one.number}. {state_words(one, context.catalogue)} – {_whom(context, one.audience)}" for one in found]
    if not found:
        lines.append(context.t("Nothing has been sent yet."))
    lines.append(context.t("Only people who asked for reminders ever get one, and never at night."))
    buttons = [Button(context.t("New message"), "broadcast:new")]
    buttons += [
        Button(context.t("Broadcast {number}", number=one.number), f"broadcast:open:{one.number}") for one in found
    ]
    context.say("\n".join(lines), buttons=[*buttons, context.menu_button("menu")])


async def _new(context: Context, asked: Asked) -> None:
    scope = context.scope(access.SEND)
    audience = Audience(districts=() if scope is None else tuple(sorted(scope)))
    number = await context.broadcasts.draft(context.actor, audience)
    await _choose_whom(context, Asked("whom", number))


async def _open(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    if found.state in ("running", "paused", "stopped", "done"):
        await _show_progress(context, asked)
        return
    await _show(context, found)


async def _show(context: Context, found: Broadcast, note: str = "") -> None:
    """Show a broadcast that is not on its way yet, with what can be done about it."""
    t, zone, minute = context.t, context.settings.zone, context.catalogue.minute
    lines = [note] if note else []
    lines += [
        "**" + t("Broadcast {number}", number=found.number) + "**: " + state_words(found, context.catalogue),
        t("To: {whom}", whom=_whom(context, found.audience)),
    ]
    if found.starts_at and not found.editable:
        lines.append(t("Begins at {time}.", time=minute(found.starts_at, zone)))
        if found.weekly_until:
            lines.append(t("Every week until {day}.", day=context.catalogue.day(found.weekly_until)))
    title = ""
    if found.ready:
        ready = (await context.broadcasts.ready_texts()).get(found.ready)
        title = ready.title.in_language(context.language) if ready else found.ready
    if differing := None if found.ready else await context.broadcasts.differing(found):
        lines.append("⚠ " + _differing(context, differing))
    lines.append(text_words(found, title, context.settings.operator.trusted_hosts, context.catalogue))
    if found.state == "planned" or (found.state in ("waiting", "scheduled") and found.plan.is_made):
        lines += ["", await _plan(context, found)]
    if found.state == "planned" and context.broadcasts.needs_approval(found):
        limit = context.catalogue.number(context.settings.reminders.approve_above)
        lines.append(t("A second officer must approve this: it goes to more than {limit} people.", limit=limit))
    context.say("\n".join(lines), buttons=_doing(context, found))


def _differing(context: Context, differing: Differing) -> str:
    return context.t(
        DIFFERING,
        same=", ".join(NAMES[name] for name in differing.same),
        title=differing.ready.title.in_language(context.language),
        other=", ".join(NAMES[name] for name in differing.other),
    )


async def _plan(context: Context, found: Broadcast) -> str:
    return plan_words(
        found,
        await context.broadcasts.cost(found),
        context.broadcasts.finish(found),
        await context.broadcasts.step(context.actor),
        context.catalogue,
        zone=context.settings.zone,
        channel_title=context.channel_title,
        smallest=context.broadcasts.smallest_effect(found),
    )


def _doing(context: Context, found: Broadcast) -> list[Button]:
    """List what can be done about a broadcast in its state."""
    t, seen = context.t, found.version
    change = [("whom", t("To whom")), ("text", t("Text"))]
    look = [("preview", t("Preview")), ("test", t("Test to myself"))] if found.texts else []
    stop = ("stop", t("Stop for good"))
    hold = [("hold:0", t("Hold nobody back"))] if found.trial else []
    if not found.trial and context.broadcasts.may_hold_back(found):
        hold = [(f"hold:{USUAL_PERCENT}", t("Measure the effect: hold back {percent} %", percent=USUAL_PERCENT))]
    progress, report = ("progress", t("Progress")), ("report", t("Report"))
    offered: Mapping[str, list[tuple[str, str]]] = {
        "draft": [*change, *look, *([("plan", t("Count who gets it"))] if look else []), ("discard", t("Discard"))],
        "planning": [("plan", t("Count who gets it"))],
        "planned": [
            (f"now:{seen}", t("Send now")),
            (f"when:{seen}", t("Send at a time")),
            (f"weekly:{seen}", t("Send every week")),
            *hold,
            *look,
            *change,
            ("plan", t("Count anew")),
            ("discard", t("Discard")),
        ],
        "waiting": [
            *([(f"approve:{seen}", t("Approve"))] if found.made_by != context.actor.name else []),
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


async def _choose_whom(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    t, number, scope = context.t, found.number, context.scope(access.SEND)
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
    context.say(
        t("Who shall get message {number}? Now: {whom}", number=number, whom=_whom(context, found.audience))
        + "\n"
        + t("Choose what you want to narrow down, or continue."),
        buttons=[Button(following[1], f"broadcast:{following[0]}:{number}"), *buttons, _back(context, number)],
    )


async def _ask_whom(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    t, field = context.t, asked.value
    options: list[tuple[str, str]] = []
    if field == "place":
        scope = context.scope(access.SEND)
        options = [(t("the whole province") if scope is None else t("all my districts"), "*")]
        places = context.regions.districts.values()
        options += [(one.title(context.language), one.id) for one in places if scope is None or one.id in scope]
    elif field == "commune" and len(found.audience.districts) == 1:
        chosen = found.audience.communes_of(found.audience.districts[0])
        names = communes_of(found.audience.districts[0], context.regions, context.catalogue)
        options = [(t("all communes"), "*"), *((f"✓ {name}" if key in chosen else name, key) for key, name in names)]
    elif field == "reports":
        options = [(reports_words(one, context.catalogue), one) for one in REPORTS]
    elif field == "channel":
        options = [(t("all channels"), "*")]
        options += [(t(context.channel_title(one)), one) for one in context.broadcasts.channels]
    elif field == "language":
        options = [(t("all languages"), "*")]
        options += [(NAMES[one], one) for one in context.settings.languages]
    elif field == "source":
        context.dialog.ask(CODE, number=str(found.number))
        context.say(
            t(
                "Type the code of the poster, such as {code}.",
                code=next(iter(context.knowledge.sources.by_code), "VT24"),
            ),
            buttons=[Button(t("People of every poster"), f"broadcast:set:{found.number}:source=*")],
        )
        return
    else:
        raise NotAllowed(NO_LONGER)
    context.say(
        t("Who shall get it?"),
        buttons=[
            Button(label[:1].upper() + label[1:], f"broadcast:set:{found.number}:{field}={value}")
            for label, value in options
        ],
    )


async def _set_whom(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    field, _, value = asked.value.partition("=")
    chosen = "" if value == "*" else value
    if field == "place":
        scope = context.scope(access.SEND)
        everything = () if scope is None else tuple(sorted(scope))
        audience = replace(found.audience, districts=(chosen,) if chosen else everything, communes=())
    elif field == "commune" and len(found.audience.districts) == 1:
        audience = replace(found.audience, communes=_toggled(found.audience, chosen))
    elif field in ("reports", "channel", "language", "source"):
        change: dict[str, Any] = {field: chosen}
        audience = replace(found.audience, **change)
    else:
        raise NotAllowed(NO_LONGER)
    await context.broadcasts.aim(context.actor, found.number, audience)
    await _choose_whom(context, asked)


def _toggled(audience: Audience, commune: str) -> tuple[str, ...]:
    """Return the communes with one more, or without one that was chosen before; none for all of them."""
    named = f"{audience.districts[0]}/{commune}"
    if not commune:
        return ()
    kept = tuple(one for one in audience.communes if one != named)
    return kept if named in audience.communes else (*kept, named)


async def _take_code(context: Context, asked: Asked) -> None:
    source = context.knowledge.sources.typed(context.text)
    if source is None:
        raise NotAllowed(mark("I do not know this code. Please type it as it stands on the poster."))
    found = await context.broadcasts.find(context.actor, asked.number)
    await context.broadcasts.aim(context.actor, asked.number, replace(found.audience, source=source.code))
    context.dialog.close()
    await _choose_whom(context, asked)


# -- the text ----------------------------------------------------------------------------------------------------


async def _choose_text(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    t, number = context.t, found.number
    buttons = [
        Button(t("Write it myself: {language}", language=NAMES[one]), f"broadcast:write:{number}:{one}")
        for one in context.settings.languages
    ]
    for ready in (await context.broadcasts.ready_texts()).values():
        title = ready.title.in_language(context.language)
        buttons.append(
            Button(f"⚠ {title}" if ready.status == "check" else title, f"broadcast:ready:{number}:{ready.id}")
        )
    context.say(
        t("Write the text, or take a ready one. With ⚠, facts must be checked first. How to stop is added to each."),
        buttons=[*buttons, _back(context, number)],
    )


async def _ask_text(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    if asked.value not in context.settings.languages:
        raise NotAllowed(NO_LONGER)
    context.dialog.ask(TEXT, number=str(found.number), value=asked.value)
    context.say(
        context.t("Type the text now ({language}), at most 1,000 characters.", language=NAMES[asked.value])
        + "\n"
        + context.t("I fill in these: {names}", names="{district} {reports} {share} {date}"),
        buttons=[_back(context, found.number)],
    )


async def _take_text(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.write(context.actor, asked.number, {asked.value: context.text})
    context.dialog.close()
    await _show(context, found)


async def _take_ready(context: Context, asked: Asked) -> None:
    ready = (await context.broadcasts.ready_texts()).get(asked.value)
    confirmed = asked.action == "confirm"
    if ready is not None and ready.status == "check" and not confirmed:
        await context.broadcasts.find(context.actor, asked.number)
        context.say(
            context.t("This text was true once ({day}). Please check its facts before it goes out.",
                   day=context.catalogue.day(ready.checked_on))
            + "\n\n"
            + ready.text.in_language(context.language).strip(),
            buttons=[
                Button(context.t("The facts hold: take it"), f"broadcast:confirm:{asked.number}:{ready.id}"),
                Button(context.t("Another text"), f"broadcast:text:{asked.number}"),
            ],
        )  # fmt: skip
        return
    await _show(
        context, await context.broadcasts.take_ready(context.actor, asked.number, asked.value, confirmed=confirmed)
    )


async def _preview(context: Context, asked: Asked) -> None:
    shown: dict[tuple[object, ...], list[str]] = {}
    for one in await context.broadcasts.preview(context.actor, asked.number):
        where = f"{context.t(context.channel_title(one.channel))}, {NAMES[one.language]}"
        shown.setdefault(one.replies, []).append(where)
    for replies, places in shown.items():
        context.say("**" + context.t("Shown on: {places}", places="; ".join(places)) + "**")
        context.replies.extend(replies)  # type: ignore[arg-type]
    context.say(context.t("This is the preview."), buttons=[_back(context, asked.number)])


async def _test(context: Context, asked: Asked) -> None:
    context.replies.append(await context.broadcasts.sample(context.actor, asked.number, context.language))
    context.say(context.t("This is how people get it; so far only you did."), buttons=[_back(context, asked.number)])


async def _count(context: Context, asked: Asked) -> None:
    await _show(context, await context.broadcasts.plan(context.actor, asked.number))


async def _hold_back(context: Context, asked: Asked) -> None:
    await _show(context, await context.broadcasts.hold_back(context.actor, asked.number, _number(asked.value)))


async def _follow_up(context: Context, asked: Asked) -> None:
    number = await context.broadcasts.follow_up(context.actor, asked.number)
    await _show(context, await context.broadcasts.find(context.actor, number))


async def _discard(context: Context, asked: Asked) -> None:
    await context.broadcasts.discard(context.actor, asked.number)
    context.say(
        context.t("Broadcast {number} is discarded.", number=asked.number),
        buttons=[Button(context.t("All broadcasts"), "/nhantin")],
    )


# -- when, and go ------------------------------------------------------------------------------------------------
#
# The value of these buttons is "seen[:at[:until]]": the version that was shown, the moment (minutes; 0 for now) and the
# last day (20261231).


async def _confirm_now(context: Context, asked: Asked) -> None:
    await _confirm(context, asked.number, asked.value.partition(":")[0], None)


async def _ask_when(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    context.dialog.ask(WHEN, number=str(found.number), value=asked.value)
    context.say(
        context.t("When? Type day and hour, such as 24/11 8:30 or tomorrow 19:00."),
        buttons=[_back(context, found.number)],
    )


async def _take_when(context: Context, asked: Asked) -> None:
    now = context.clock().astimezone(context.settings.zone)
    moments = read(context.text, now).moment.moments(now)
    if not moments:
        raise NotAllowed(mark("I do not understand this moment. Type one day and one hour, such as 24/11 8:30."))
    context.broadcasts.begin_at(moments[0])
    context.dialog.close()
    await _confirm(context, asked.number, asked.value, moments[0])


async def _confirm(context: Context, number: int, seen: str, at: datetime | None, until: date | None = None) -> None:
    """Ask for the last word before messages go out."""
    found = await context.broadcasts.find(context.actor, number)
    t, zone, now = context.t, context.settings.zone, context.clock()
    begin = context.broadcasts.begin_at(at, until)
    lines = [
        await _plan(context, replace(found, starts_at=begin)),
        t("To: {whom}", whom=_whom(context, found.audience)),
        t("It begins at {time}.", time=context.catalogue.appointment(begin, zone)),
    ]
    if begin > max(at or now, now):
        lines.append("⚠ " + t("The hour you named is quiet; nobody is written to then.") if at else "⚠ " + t(QUIET_NOW))
    if context.broadcasts.is_far(begin):
        lines.append("⚠ " + t("That is most of a year ahead. Is the year right?"))
    # What begins at once says so, and holds for at once only: after a while it is asked about again.
    minutes = 0 if at is None and begin <= now else int(begin.timestamp()) // _MINUTE
    value = f"{number}:{seen}:{minutes}"
    if until is not None:
        lines.append(t("Every week until {day}.", day=context.catalogue.day(until)))
        buttons = [Button(t("Yes, send it every week"), f"broadcast:send:{value}:{until:%Y%m%d}")]
    else:
        buttons = [
            Button(t("Yes, send it once"), f"broadcast:send:{value}"),
            Button(t("Every week"), f"broadcast:weekly:{value}"),
        ]
    context.say("\n".join(lines), buttons=[*buttons, _back(context, number)])


async def _ask_until(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    seen, _, minutes = asked.value.partition(":")
    value = f"{seen}:{minutes or 0}"
    begin = context.settings.quiet.end(_moment(minutes) or context.clock())
    context.dialog.ask(UNTIL, number=str(found.number), value=value)
    buttons = []
    for weeks in WEEKS:
        last = local_day(begin, context.settings.zone) + timedelta(weeks=weeks - 1)
        label = context.t("{count} times, until {day}", count=weeks, day=context.catalogue.day(last))
        buttons.append(Button(label, f"broadcast:sure:{found.number}:{value}:{last:%Y%m%d}"))
    context.say(
        context.t("Every week, first at {time}. Until when? Choose, or type the last day, such as 31/12. Each time, "
               "people are counted anew.", time=context.catalogue.minute(begin, context.settings.zone)),
        buttons=[*buttons, _back(context, found.number)],
    )  # fmt: skip


async def _take_until(context: Context, asked: Asked) -> None:
    last = read_day(context.text, local_day(context.clock(), context.settings.zone))
    if last is None:
        raise NotAllowed(mark("I do not understand this day. Type it like 31/12/2026."))
    await _confirm_series(context, Asked("sure", asked.number, f"{asked.value}:{last:%Y%m%d}"))
    context.dialog.close()


async def _confirm_series(context: Context, asked: Asked) -> None:
    seen, minutes, last = _timing(asked.value)
    await _confirm(context, asked.number, seen, minutes, last)


async def _release(context: Context, asked: Asked) -> None:
    seen, at, last = _timing(asked.value)
    if at is None and context.settings.quiet.covers(context.clock()):  # it was not quiet yet when that was asked
        await _confirm(context, asked.number, seen, None, last)
        return
    found = await context.broadcasts.release(
        context.actor, asked.number, at=at, weekly_until=last, seen=seen, watch=True
    )
    if found.state == "waiting":
        note = context.t("A second officer must approve it now. Those who may were told.")
    else:
        note = context.t("It is on its way. I tell you here how it goes on.")
    await _show(context, found, f"**{note}**")


def _timing(value: str) -> tuple[str, datetime | None, date | None]:
    """Read the value of a button: the version that was shown, when it begins, the last day."""
    seen, minutes, last = (*value.split(":"), "", "", "")[:3]
    return seen, _moment(minutes), _day(last)


def _moment(minutes: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(minutes=_number(minutes)) if _number(minutes) else None
    except OverflowError:
        raise NotAllowed(NO_LONGER) from None


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date() if text else None
    except ValueError:
        raise NotAllowed(NO_LONGER) from None


# -- while it runs, and after ------------------------------------------------------------------------------------


async def _approve(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.approve(context.actor, asked.number, seen=asked.value)
    await _show(context, found, "**" + context.t("You have approved it.") + "**")


async def _pause(context: Context, asked: Asked) -> None:
    await context.broadcasts.pause(context.actor, asked.number)
    await _open(context, asked)


async def _resume(context: Context, asked: Asked) -> None:
    await context.broadcasts.resume(context.actor, asked.number)
    await _open(context, asked)


async def _ask_stop(context: Context, asked: Asked) -> None:
    found = await context.broadcasts.find(context.actor, asked.number)
    context.say(
        context.t("Stop broadcast {number} for good? What was not sent will not be, also in the weeks to come.",
               number=found.number),
        buttons=[
            Button(context.t("Yes, stop it"), f"broadcast:halt:{found.number}"),
            _back(context, found.number),
        ],
    )  # fmt: skip


async def _stop(context: Context, asked: Asked) -> None:
    await context.broadcasts.stop(context.actor, asked.number)
    await _open(context, asked)


async def _again(context: Context, asked: Asked) -> None:
    people = await context.broadcasts.again(context.actor, asked.number)
    await context.broadcasts.watch(context.actor, asked.number)
    context.say(
        context.t("Sending again to all who certainly got nothing.")
        if people is None
        else context.t(
            "Sending again to {people} people who certainly got nothing.", people=context.catalogue.number(people)
        ),
        buttons=[Button(context.t("Progress"), f"broadcast:progress:{asked.number}")],
    )


async def _show_progress(context: Context, asked: Asked) -> None:
    progress = await context.broadcasts.progress(context.actor, asked.number)
    lines = [progress_words(progress, context.catalogue), _whom(context, progress.broadcast.audience)]
    if progress.finish:
        lines.append(
            context.t("Sent by about {time}.", time=context.catalogue.minute(progress.finish, context.settings.zone))
        )
    context.say("\n".join(lines), buttons=_doing(context, progress.broadcast))


async def _report(context: Context, asked: Asked) -> None:
    report = await context.broadcasts.report(context.actor, asked.number)
    buttons = [button for button in _doing(context, report.broadcast) if ":report:" not in button.choice]
    if report.trial and report.trial.verdict and not report.broadcast.nameless:
        buttons.insert(0, Button(context.t("Write to those held back"), f"broadcast:follow:{asked.number}"))
    context.say(
        report_words(
            report, context.regions, context.catalogue, zone=context.settings.zone, channel_title=context.channel_title
        ),
        buttons=buttons,
    )


def _whom(context: Context, audience: Audience) -> str:
    return escape(audience_words(audience, context.regions, context.catalogue, context.channel_title))


def _back(context: Context, number: int) -> Button:
    return Button(context.t("Broadcast {number}", number=number), f"broadcast:open:{number}")


_Step = Callable[[Context, Asked], Awaitable[None]]
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
    "hold": _hold_back,
    "follow": _follow_up,
    "discard": _discard,
    "now": _confirm_now,
    "when": _ask_when,
    "weekly": _ask_until,
    "sure": _confirm_series,
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
