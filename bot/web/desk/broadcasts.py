"""Messages to many people: whom and what, numbers, release, approval, how it goes on, what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from markupsafe import Markup

from bot import access
from bot.broadcasts import Broadcast, Broadcasts, Preview
from bot.broadcasts.drafts import DIFFERING
from bot.broadcasts.presentation import (
    FOREIGN,
    OUTCOMES,
    audience_words,
    communes_of,
    cost_words,
    part_words,
    published_note,
    reason_words,
    reports_words,
    share_note,
    size_words,
    state_words,
)
from bot.broadcasts.templating import LONGEST_TEXT
from bot.broadcasts.trial_words import HEADING, outcome_words, promise_words
from bot.broadcasts.trials import NOT_OFFERED, USUAL_HOURS, USUAL_PERCENT
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import NAMES
from bot.serialization import dump_reply
from bot.store import pushes
from bot.store.audiences import REPORTS, Audience
from bot.store.broadcasts import DONE, DRAFT, FAILED, PAUSED, PLANNED, PLANNING, RUNNING, SCHEDULED, STOPPED, WAITING
from bot.text.links import foreign_hosts, trusted_links
from bot.text.markup import to_html
from bot.web.desk import broadcast_form
from bot.web.desk.broadcast_form import Timing
from bot.web.desk.page_context import PATH, PageContext, number_in

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
        return await page.refuse(404, str(refusal))
    step = await page.service.broadcasts.step(page.actor)
    return await page.show("progress.html", progress=shown, found=shown.broadcast, **_words(page, step))


async def keep(page: PageContext) -> web.Response:
    """Keep whom it is meant for and what it says."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcast_form.keep(page, number)

    return await _do(page, work)


async def plan(page: PageContext) -> web.Response:
    """Keep what was chosen and typed, and count whom it reaches."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcast_form.keep(page, number)
        await broadcasts.plan(page.actor, number)

    return await _do(page, work)


async def take_ready(page: PageContext) -> web.Response:
    """Keep whom it is meant for, and take a ready text."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        await broadcast_form.take_ready(page, number)

    return await _do(page, work)


async def test(page: PageContext) -> web.Response:
    """Send it to oneself, in the chat."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        reply = await broadcasts.sample(page.actor, number, page.catalogue.language)
        at = stamp(page.at)
        await page.service.store.write(lambda tx: pushes.add(tx, page.member.id, reply=dump_reply(reply), at=at))

    return await _do(page, work, said="tested")


async def release(page: PageContext) -> web.Response:
    """Let it go, at a moment or now, once or each week until a day; what that means is said and asked before."""
    broadcasts, number, form = page.service.broadcasts, _number(page), page.form
    try:
        timing = broadcast_form.timing_of(page)
        begin = broadcasts.begin_at(timing.at, timing.until)
        promise = broadcast_form.promise_of(timing, begin, page.at)
        if form.get("sure") != promise:
            return await _ask(page, timing, begin, promise)
        await broadcasts.release(
            page.actor,
            number,
            at=timing.at,
            weekly_until=timing.until,
            seen=form.get("seen", ""),
            watch=form.get("watch") == "1",
        )
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    return page.go(f"broadcasts/{number}")


async def _ask(page: PageContext, timing: Timing, begin: datetime, promise: str) -> web.Response:
    """Ask for the last word: how many people, when, and what of that is not as it was typed."""
    broadcasts, number = page.service.broadcasts, _number(page)
    found = await broadcasts.find(page.actor, number)
    return await page.show(
        "release.html",
        address=f"{PATH}/broadcasts/{number}",
        found=found,
        begin=begin,
        promise=promise,
        moved=begin > max(timing.at or page.at, page.at),
        far=broadcasts.is_far(begin),
        until=timing.until,
        second=broadcasts.needs_approval(found),
        finish=broadcasts.finish(found, begin),
        form=page.form,
        **_words(page, await broadcasts.step(page.actor)),
    )


async def hold_back(page: PageContext) -> web.Response:
    """Hold back a random share, or nobody any more."""

    async def work(broadcasts: Broadcasts, number: int) -> None:
        percent, hours = broadcast_form.trial_of(page) if page.form.get("nobody") != "1" else (0, 0)
        await broadcasts.hold_back(page.actor, number, percent, hours)

    return await _do(page, work)


async def follow_up(page: PageContext) -> web.Response:
    """Begin a message to those whom this one held back."""
    try:
        following = await page.service.broadcasts.follow_up(page.actor, _number(page))
    except NotAllowed as refusal:
        return await _show(page, warning=str(refusal), status=409)
    return page.go(f"broadcasts/{following}")


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
        return await page.refuse(404, str(refusal))
    found, step = shown.broadcast, await broadcasts.step(actor)
    over, form = found.state in (DONE, STOPPED), page.form
    trusted = page.service.settings.operator.trusted_hosts
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
        offered=broadcasts.may_hold_back(found),
        usual=(USUAL_PERCENT, USUAL_HOURS),
        not_offered=NOT_OFFERED,
        own=found.made_by == actor.name,
        foreign=", ".join(foreign_hosts(found.texts.values(), trusted)) if not found.ready else "",
        foreign_words=FOREIGN,
        links=trusted_links(found.texts.values(), trusted) if not found.ready else [],
        typed={**found.texts, **broadcast_form.texts_of(page)},
        form=form,
        longest=LONGEST_TEXT,
        **(await _choices(page, found) if found.editable else {}),
        **_words(page, step),
    )


async def _choices(page: PageContext, found: Broadcast) -> dict[str, Any]:
    """Return what the forms of a draft offer."""
    scope, settings = page.scope(access.SEND), page.service.settings
    districts = [d for d in page.service.regions.districts.values() if scope is None or d.id in scope]
    chosen = _chosen(page, found)
    return {
        "districts": districts,
        "chosen": chosen,
        "communes": [(d, communes_of(d, page.service.regions, page.catalogue)) for d in chosen["districts"]],
        "opened": lambda district: any(one.startswith(f"{district}/") for one in chosen["communes"]),
        "named": lambda names: ", ".join(NAMES[name] for name in names),
        "differing_words": DIFFERING,
        "differing": await page.service.broadcasts.differing(found),
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


def _chosen(page: PageContext, found: Broadcast) -> dict[str, Any]:
    """Return what the form of the audience shows: what was just chosen, else what is kept."""
    form, audience, known = page.form, found.audience, page.service.regions.districts
    if "reports" not in form:
        return {
            "districts": [district for district in audience.districts if district in known],
            "communes": audience.communes,
            "reports": audience.reports,
            "channel": audience.channel,
            "language": audience.language,
            "source": audience.source,
        }
    return {
        "districts": [district for district in form.getall("district", ()) if district in known],
        "communes": tuple(form.getall("commune", ())),
        **{name: form.get(name, "") for name in ("reports", "channel", "language", "source")},
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
        "trial_heading": HEADING,
        "compared": lambda found: _compared(page, found),
        "outcome": lambda trial: outcome_words(trial, catalogue, page.service.settings.zone),
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


def _compared(page: PageContext, found: Broadcast) -> list[str]:
    """Say what is held back and what that will show; nothing if nobody is."""
    smallest = page.service.broadcasts.smallest_effect(found)
    return promise_words(found.trial, smallest, page.catalogue) if found.trial else []


def _number(page: PageContext) -> int:
    return number_in(page.request.match_info["number"])
