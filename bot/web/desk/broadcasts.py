"""Messages to many people: whom and what, numbers, release, approval, how it goes on, what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

from aiohttp import web
from markupsafe import Markup

from bot import access
from bot.broadcasts import Broadcast, Broadcasts, Preview
from bot.broadcasts.presentation import OUTCOMES, audience_words, count_words, reason_words, reports_words, state_words
from bot.broadcasts.templating import LONGEST_TEXT, foreign_hosts
from bot.clock import stamp
from bot.errors import Refused
from bot.i18n.catalogue import mark
from bot.library.regions import NEW_MAP
from bot.serialization import dump_reply
from bot.store import pushes
from bot.store.audiences import REPORTS, Audience
from bot.store.broadcasts import DONE, DRAFT, FAILED, PAUSED, PLANNED, PLANNING, RUNNING, SCHEDULED, STOPPED, WAITING
from bot.text.markup import to_html
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PATH, Visit, number_in

NO_MOMENT = mark("I cannot read this day or hour. Please choose it again.")
PAST = mark("This moment lies in the past. Please choose a later one.")
SECRET = mark("The text holds a password, a one-time code or a personal number. Please take that out first.")
UNKNOWN_CODE = mark("I do not know this code. Please type it as it stands on the poster.")
LIVE = (PLANNING, SCHEDULED, RUNNING)


async def overview(visit: Visit) -> web.Response:
    """List the broadcasts of the person's scope."""
    found = await visit.service.broadcasts.latest(visit.actor)
    step = await visit.service.broadcasts.step(visit.actor)
    return await visit.show("broadcasts.html", found=found, **_words(visit, step))


async def begin(visit: Visit) -> web.Response:
    """Begin a draft for everybody in the person's scope."""
    scope = visit.scope(access.SEND)
    districts = () if scope is None else tuple(sorted(scope))
    number = await visit.service.broadcasts.draft(visit.actor, Audience(districts=districts))
    return visit.go(f"broadcasts/{number}")


async def broadcast(visit: Visit) -> web.Response:
    """Show one broadcast with all that can be done about it."""
    return await _show(visit)


async def progress(visit: Visit) -> web.Response:
    """Return the part of the page that changes while it is sent."""
    try:
        shown = await visit.service.broadcasts.progress(visit.actor, _number(visit))
    except Refused as refusal:
        return visit.refuse(404, str(refusal))
    step = await visit.service.broadcasts.step(visit.actor)
    return await visit.show("progress.html", progress=shown, found=shown.broadcast, **_words(visit, step))


async def keep(visit: Visit) -> web.Response:
    """Keep whom it is meant for and what it says."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await _keep(visit, broadcasts, number)

    return await _do(visit, work)


async def plan(visit: Visit) -> web.Response:
    """Keep what was chosen and typed, and count whom it reaches."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await _keep(visit, broadcasts, number)
        await broadcasts.plan(visit.actor, number)

    return await _do(visit, work)


async def take_ready(visit: Visit) -> web.Response:
    """Take a ready text; one whose facts must be checked only with the word that they hold."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        confirmed = visit.form.get("confirmed") == "1"
        await broadcasts.take_ready(visit.actor, number, visit.form.get("ready", ""), confirmed=confirmed)

    return await _do(visit, work)


async def test(visit: Visit) -> web.Response:
    """Send it to oneself, in the chat."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        reply = await broadcasts.sample(visit.actor, number, visit.catalogue.language)
        at = stamp(visit.at)
        await visit.service.store.write(lambda tx: pushes.add(tx, visit.member.id, reply=dump_reply(reply), at=at))

    return await _do(visit, work, said="tested")


async def release(visit: Visit) -> web.Response:
    """Let it go, at a moment or now, once or each week until a day."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        at = _moment(visit, visit.form.get("at", "")) if visit.form.get("when") == "later" else None
        until = _day(visit.form.get("until", "")) if visit.form.get("weekly") == "1" else None
        if at is not None and at < visit.at:
            raise Refused(PAST)
        seen, watch = visit.form.get("seen", ""), visit.form.get("watch") == "1"
        await broadcasts.release(visit.actor, number, at=at, weekly_until=until, seen=seen, watch=watch)

    return await _do(visit, work)


async def discard(visit: Visit) -> web.Response:
    """Delete what was not released."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.discard(visit.actor, number)

    return await _do(visit, work, target="broadcasts")


async def approve(visit: Visit) -> web.Response:
    """Approve a colleague's."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.approve(visit.actor, number)

    return await _do(visit, work)


async def pause(visit: Visit) -> web.Response:
    """Send nothing more for now."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.pause(visit.actor, number)

    return await _do(visit, work)


async def resume(visit: Visit) -> web.Response:
    """Go on."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.resume(visit.actor, number)

    return await _do(visit, work)


async def stop(visit: Visit) -> web.Response:
    """End it for good."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.stop(visit.actor, number)

    return await _do(visit, work)


async def again(visit: Visit) -> web.Response:
    """Send again to those who certainly got nothing."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.again(visit.actor, number)

    return await _do(visit, work)


async def _keep(visit: Visit, broadcasts: Broadcasts, number: int) -> None:
    """Keep what the form of a draft holds and differs; what was planned is planned no more."""
    found = await broadcasts.find(visit.actor, number)
    if "reports" in visit.form and (audience := _audience(visit)) != found.audience:
        await broadcasts.aim(visit.actor, number, audience)
    typed = _typed(visit)
    if any(redact(text).secrets for text in typed.values()):
        raise Refused(SECRET)
    if any(text != found.texts.get(language, "") for language, text in typed.items()):
        for language, text in typed.items():  # all of them: a ready text goes as a whole
            await broadcasts.write(visit.actor, number, language, text)


def _audience(visit: Visit) -> Audience:
    form, scope = visit.form, visit.scope(access.SEND)
    districts = tuple(form.getall("district", ())) or tuple(sorted(scope or ()))
    commune, typed = form.get("commune", ""), form.get("source", "").strip()
    source = visit.service.shelf.knowledge.sources.typed(typed) if typed else None
    if typed and source is None:
        raise Refused(UNKNOWN_CODE)
    return Audience(
        districts=districts,
        commune=commune if len(districts) == 1 and commune in dict(_communes(visit, districts[0])) else "",
        reports=form.get("reports", ""),
        channel=form.get("channel", ""),
        language=form.get("language", ""),
        source=source.code if source else "",
    )


def _typed(visit: Visit) -> dict[str, str]:
    """Return the texts of the form by language; none where the form has none."""
    names = {language: f"text-{language}" for language in visit.service.settings.languages}
    return {language: clean(visit.form[name]) for language, name in names.items() if name in visit.form}


async def _do(
    visit: Visit,
    work: Callable[[Broadcasts, int], Awaitable[None]],
    *,
    said: str = "",
    target: str = "",
) -> web.Response:
    """Do something and go back to the broadcast; what may not be done is said there, with all that was typed."""
    number = _number(visit)
    try:
        await work(visit.service.broadcasts, number)
    except Refused as refusal:
        return await _show(visit, warning=str(refusal), status=409)
    return visit.go(target or f"broadcasts/{number}{f'?said={said}' if said else ''}")


async def _show(visit: Visit, *, warning: str = "", status: int = 200) -> web.Response:
    broadcasts, actor, number = visit.service.broadcasts, visit.actor, _number(visit)
    try:
        shown = await broadcasts.progress(actor, number)
    except Refused as refusal:
        return visit.refuse(404, str(refusal))
    found, step = shown.broadcast, await broadcasts.step(actor)
    over = found.state in (DONE, STOPPED)
    trusted = visit.service.shelf.knowledge.library.manual.trusted_hosts
    return await visit.show(
        "broadcast.html",
        status=status,
        address=f"{PATH}/broadcasts/{number}",
        found=found,
        progress=shown,
        report=await broadcasts.report(actor, number) if over and shown.people else None,
        warning=warning and visit.t(warning),
        tested=visit.request.query.get("said") == "tested",
        previews=await _previews(visit, found),
        cost=await broadcasts.cost(found),
        finish=broadcasts.finish(found),
        second=broadcasts.needs_approval(found),
        own=found.made_by == actor.name,
        foreign=", ".join(foreign_hosts(found.texts.values(), trusted)),
        typed={**found.texts, **_typed(visit)},
        longest=LONGEST_TEXT,
        **(await _choices(visit, found) if found.editable else {}),
        **_words(visit, step),
    )


async def _choices(visit: Visit, found: Broadcast) -> dict[str, Any]:
    """Return what the forms of a draft offer."""
    scope, settings = visit.scope(access.SEND), visit.service.settings
    districts = [d for d in visit.service.regions.districts.values() if scope is None or d.id in scope]
    chosen = found.audience.districts
    return {
        "districts": districts,
        "communes": _communes(visit, chosen[0]) if len(chosen) == 1 else [],
        "reports": [(name, reports_words(name, visit.catalogue)) for name in REPORTS],
        "channels": [(name, visit.t(visit.channel_title(name))) for name in visit.service.broadcasts.channels],
        "languages": settings.languages,
        "ready": [
            (text.id, text.title.in_language(visit.catalogue.language), text.status == "check")
            for text in (await visit.service.broadcasts.ready_texts()).values()
        ],
        "whole": scope is None,
        "now": visit.at.astimezone(settings.zone).strftime("%Y-%m-%dT%H:%M"),
        "today": visit.today,
    }


async def _previews(visit: Visit, found: Broadcast) -> list[tuple[str, str, Markup]]:
    """Return each different look of the message: where it looks so, its language, and how."""
    if not found.texts or found.state == PLANNING:
        return []
    try:
        previews: list[Preview] = await visit.service.broadcasts.preview(visit.actor, found.number)
    except Refused:  # there is no text in the language that all others fall back to
        return []
    looks: dict[tuple[str, Markup], list[str]] = {}
    for one in previews:
        html = "\n".join(to_html(reply.text, link_attributes=' rel="noopener noreferrer"') for reply in one.replies)
        look = one.language, Markup(html)  # noqa: S704 - to_html escapes all but its own marks
        looks.setdefault(look, []).append(visit.t(visit.channel_title(one.channel)))
    return [(", ".join(places), language, html) for (language, html), places in looks.items()]


def _words(visit: Visit, step: int) -> dict[str, Any]:
    """Return the words that templates say broadcasts in."""
    catalogue, regions = visit.catalogue, visit.service.regions
    return {
        "step": step,
        "whom": lambda audience: audience_words(audience, regions, catalogue, visit.channel_title),
        "state": lambda found: state_words(found, catalogue),
        "people": lambda number: count_words(number, step, catalogue),
        "why": lambda reason: reason_words(reason, catalogue),
        "place": visit.place_name,
        "channel_title": visit.channel_title,
        "outcomes": OUTCOMES,
        "live": LIVE,
        "states": {
            "draft": DRAFT,
            "planned": PLANNED,
            "waiting": WAITING,
            "paused": PAUSED,
            "failed": FAILED,
        },
    }


def _communes(visit: Visit, district: str) -> list[tuple[str, str]]:
    """List the communes of a district by key and name, of the old and the new map."""
    regions = visit.service.regions
    place = regions.districts.get(district)
    if place is None:
        return []
    new = [
        (f"{NEW_MAP}{one.code}", visit.t("{name} (since July 2025)", name=one.name))
        for one in regions.province.communes_2025
        if district in one.origins
    ]
    return [*((one.code, one.name) for one in place.communes), *new]


def _number(visit: Visit) -> int:
    return number_in(visit.request.match_info["number"])


def _moment(visit: Visit, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=visit.service.settings.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(NO_MOMENT) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(NO_MOMENT) from None
