"""Messages to many people: whom and what, numbers, release, approval, how it goes on, what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

from aiohttp import web
from markupsafe import Markup

from bot import access
from bot.broadcasts import Broadcast, Broadcasts, Preview
from bot.broadcasts.presentation import (
    OUTCOMES,
    audience_words,
    cost_words,
    part_words,
    published_note,
    reason_words,
    reports_words,
    share_note,
    size_words,
    state_words,
)
from bot.broadcasts.templating import LONGEST_TEXT, foreign_hosts
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.library.regions import NEW_MAP
from bot.serialization import dump_reply
from bot.store import pushes
from bot.store.audiences import REPORTS, Audience
from bot.store.broadcasts import DONE, DRAFT, FAILED, PAUSED, PLANNED, PLANNING, RUNNING, SCHEDULED, STOPPED, WAITING
from bot.text.markup import to_html
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PATH, PageContext, number_in

NO_MOMENT = mark("I cannot read this day or hour. Please choose it again.")
PAST = mark("This moment lies in the past. Please choose a later one.")
SECRET = mark("The text holds a password, a one-time code or a personal number. Please take that out first.")
UNKNOWN_CODE = mark("I do not know this code. Please type it as it stands on the poster.")
LIVE = (PLANNING, SCHEDULED, RUNNING)


async def overview(page: PageContext) -> web.Response:
    """List the broadcasts of the person's scope."""
    found = await page.service.broadcasts.latest(page.actor)
    step = await page.service.broadcasts.step(page.actor)
    return await page.show("broadcasts.html", found=found, **_words(page, step))


async def begin(page: PageContext) -> web.Response:
    """Begin a draft for everybody in the person's scope."""
    scope = page.scope(access.SEND)
    districts = () if scope is None else tuple(sorted(scope))
    number = await page.service.broadcasts.draft(page.actor, Audience(districts=districts))
    return page.go(f"broadcasts/{number}")


async def broadcast(page: PageContext) -> web.Response:
    """Show one broadcast with all that can be done about it."""
    return await _show(page)


async def progress(page: PageContext) -> web.Response:
    """Return the part of the page that changes while it is sent."""
    try:
        shown = await page.service.broadcasts.progress(page.actor, _number(page))
    except NotAllowed as refusal:
        return page.refuse(404, str(refusal))
    step = await page.service.broadcasts.step(page.actor)
    return await page.show("progress.html", progress=shown, found=shown.broadcast, **_words(page, step))


async def keep(page: PageContext) -> web.Response:
    """Keep whom it is meant for and what it says."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await _keep(page, broadcasts, number)

    return await _do(page, work)


async def plan(page: PageContext) -> web.Response:
    """Keep what was chosen and typed, and count whom it reaches."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await _keep(page, broadcasts, number)
        await broadcasts.plan(page.actor, number)

    return await _do(page, work)


async def take_ready(page: PageContext) -> web.Response:
    """Take a ready text; one whose facts must be checked only with the word that they hold."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        confirmed = page.form.get("confirmed") == "1"
        await broadcasts.take_ready(page.actor, number, page.form.get("ready", ""), confirmed=confirmed)

    return await _do(page, work)


async def test(page: PageContext) -> web.Response:
    """Send it to oneself, in the chat."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        reply = await broadcasts.sample(page.actor, number, page.catalogue.language)
        at = stamp(page.at)
        await page.service.store.write(lambda tx: pushes.add(tx, page.member.id, reply=dump_reply(reply), at=at))

    return await _do(page, work, said="tested")


async def release(page: PageContext) -> web.Response:
    """Let it go, at a moment or now, once or each week until a day."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        at = _moment(page, page.form.get("at", "")) if page.form.get("when") == "later" else None
        until = _day(page.form.get("until", "")) if page.form.get("weekly") == "1" else None
        if at is not None and at < page.at:
            raise NotAllowed(PAST)
        seen, watch = page.form.get("seen", ""), page.form.get("watch") == "1"
        await broadcasts.release(page.actor, number, at=at, weekly_until=until, seen=seen, watch=watch)

    return await _do(page, work)


async def discard(page: PageContext) -> web.Response:
    """Delete what was not released."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.discard(page.actor, number)

    return await _do(page, work, target="broadcasts")


async def approve(page: PageContext) -> web.Response:
    """Approve a colleague's."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.approve(page.actor, number)

    return await _do(page, work)


async def pause(page: PageContext) -> web.Response:
    """Send nothing more for now."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.pause(page.actor, number)

    return await _do(page, work)


async def resume(page: PageContext) -> web.Response:
    """Go on."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.resume(page.actor, number)

    return await _do(page, work)


async def stop(page: PageContext) -> web.Response:
    """End it for good."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.stop(page.actor, number)

    return await _do(page, work)


async def again(page: PageContext) -> web.Response:
    """Send again to those who certainly got nothing."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcasts.again(page.actor, number)

    return await _do(page, work)


async def _keep(page: PageContext, broadcasts: Broadcasts, number: int) -> None:
    """Keep what the form of a draft holds and differs; what was planned is planned no more."""
    found = await broadcasts.find(page.actor, number)
    if "reports" in page.form and (audience := _audience(page)) != found.audience:
        await broadcasts.aim(page.actor, number, audience)
    typed = _typed(page)
    if any(redact(text).secrets for text in typed.values()):
        raise NotAllowed(SECRET)
    if any(text != found.texts.get(language, "") for language, text in typed.items()):
        for language, text in typed.items():  # all of them: a ready text goes as a whole
            await broadcasts.write(page.actor, number, language, text)


def _audience(page: PageContext) -> Audience:
    form, scope = page.form, page.scope(access.SEND)
    districts = tuple(form.getall("district", ())) or tuple(sorted(scope or ()))
    commune, typed = form.get("commune", ""), form.get("source", "").strip()
    source = page.service.content_store.knowledge.sources.typed(typed) if typed else None
    if typed and source is None:
        raise NotAllowed(UNKNOWN_CODE)
    return Audience(
        districts=districts,
        commune=commune if len(districts) == 1 and commune in dict(_communes(page, districts[0])) else "",
        reports=form.get("reports", ""),
        channel=form.get("channel", ""),
        language=form.get("language", ""),
        source=source.code if source else "",
    )


def _typed(page: PageContext) -> dict[str, str]:
    """Return the texts of the form by language; none where the form has none."""
    names = {language: f"text-{language}" for language in page.service.settings.languages}
    return {language: clean(page.form[name]) for language, name in names.items() if name in page.form}


async def _do(
    page: PageContext,
    work: Callable[[Broadcasts, int], Awaitable[None]],
    *,
    said: str = "",
    target: str = "",
) -> web.Response:
    """Do something and go back to the broadcast; what may not be done is said there, with all that was typed."""
    number = _number(page)
    try:
        await work(page.service.broadcasts, number)
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    return page.go(target or f"broadcasts/{number}{f'?said={said}' if said else ''}")


async def _show(page: PageContext, *, warning: str = "", status: int = 200) -> web.Response:
    broadcasts, actor, number = page.service.broadcasts, page.actor, _number(page)
    try:
        shown = await broadcasts.progress(actor, number)
    except NotAllowed as refusal:
        return page.refuse(404, str(refusal))
    found, step = shown.broadcast, await broadcasts.step(actor)
    over = found.state in (DONE, STOPPED)
    trusted = page.service.content_store.knowledge.library.manual.trusted_hosts
    return await page.show(
        "broadcast.html",
        status=status,
        address=f"{PATH}/broadcasts/{number}",
        found=found,
        progress=shown,
        report=await broadcasts.report(actor, number) if over and shown.begun else None,
        warning=warning and page.t(warning),
        tested=page.request.query.get("said") == "tested",
        previews=await _previews(page, found),
        cost=await broadcasts.cost(found),
        finish=broadcasts.finish(found),
        second=broadcasts.needs_approval(found),
        own=found.made_by == actor.name,
        foreign=", ".join(foreign_hosts(found.texts.values(), trusted)),
        typed={**found.texts, **_typed(page)},
        longest=LONGEST_TEXT,
        **(await _choices(page, found) if found.editable else {}),
        **_words(page, step),
    )


async def _choices(page: PageContext, found: Broadcast) -> dict[str, Any]:
    """Return what the forms of a draft offer."""
    scope, settings = page.scope(access.SEND), page.service.settings
    districts = [d for d in page.service.regions.districts.values() if scope is None or d.id in scope]
    chosen = found.audience.districts
    return {
        "districts": districts,
        "communes": _communes(page, chosen[0]) if len(chosen) == 1 else [],
        "reports": [(name, reports_words(name, page.catalogue)) for name in REPORTS],
        "channels": [(name, page.t(page.channel_title(name))) for name in page.service.broadcasts.channels],
        "languages": settings.languages,
        "ready": [
            (text.id, text.title.in_language(page.catalogue.language), text.status == "check")
            for text in (await page.service.broadcasts.ready_texts()).values()
        ],
        "whole": scope is None,
        "now": page.at.astimezone(settings.zone).strftime("%Y-%m-%dT%H:%M"),
        "today": page.today,
    }


async def _previews(page: PageContext, found: Broadcast) -> list[tuple[str, str, Markup]]:
    """Return each different look of the message: where it looks so, its language, and how."""
    if not found.texts or found.state == PLANNING:
        return []
    try:
        previews: list[Preview] = await page.service.broadcasts.preview(page.actor, found.number)
    except NotAllowed:  # there is no text in the language that all others fall back to
        return []
    looks: dict[tuple[str, Markup], list[str]] = {}
    for one in previews:
        html = "\n".join(to_html(reply.text, link_attributes=' rel="noopener noreferrer"') for reply in one.replies)
        look = one.language, Markup(html)  # noqa: S704 - to_html escapes all but its own marks
        looks.setdefault(look, []).append(page.t(page.channel_title(one.channel)))
    return [(", ".join(places), language, html) for (language, html), places in looks.items()]


def _words(page: PageContext, step: int) -> dict[str, Any]:
    """Return the words that templates say broadcasts in."""
    catalogue, regions = page.catalogue, page.service.regions
    return {
        "step": step,
        "whom": lambda audience: audience_words(audience, regions, catalogue, page.channel_title),
        "state": lambda found: state_words(found, catalogue),
        "size": lambda plan: size_words(plan, step, catalogue),
        "part": lambda number: part_words(number, step, catalogue),
        "cost_words": lambda plan, cost: cost_words(plan, cost, catalogue),
        "share_note": lambda report: share_note(report, catalogue),
        "published_note": published_note(step, catalogue),
        "why": lambda reason: reason_words(reason, catalogue),
        "place": page.place_name,
        "channel_title": page.channel_title,
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


def _communes(page: PageContext, district: str) -> list[tuple[str, str]]:
    """List the communes of a district by key and name, of the old and the new map."""
    regions = page.service.regions
    place = regions.districts.get(district)
    if place is None:
        return []
    new = [
        (f"{NEW_MAP}{one.code}", page.t("{name} (since July 2025)", name=one.name))
        for one in regions.province.communes_2025
        if district in one.origins
    ]
    return [*((one.code, one.name) for one in place.communes), *new]


def _number(page: PageContext) -> int:
    return number_in(page.request.match_info["number"])


def _moment(page: PageContext, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=page.service.settings.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotAllowed(NO_MOMENT) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotAllowed(NO_MOMENT) from None
