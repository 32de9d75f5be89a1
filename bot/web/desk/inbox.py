"""The inbox as a list: what waits, found by words and filters, and how much; an officer sees the own places only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from aiohttp import web

from bot import access
from bot.access.names import officer_names
from bot.channels.titles import CHANNEL_TITLES
from bot.errors import NotAllowed
from bot.helpdesk.listing import ALL, CLOSED, MINE, OPEN, OVERDUE, STATES, WAITING, CaseFilter, list_cases
from bot.helpdesk.models import Waiting
from bot.helpdesk.notes import known_labels
from bot.helpdesk.notices import colleagues
from bot.helpdesk.service_times import WEEKS, service_times
from bot.i18n.catalogue import mark
from bot.text.normalize import clean
from bot.web.desk.page_context import PageContext, number_in

SHOWN = 50  # on one page
PERIODS = ("7", "30", "90")
LONGEST_WORDS = 100
HOURS_AS_DAYS = 48
NO_DISTRICT = "none"  # in an address: cases whose place is unknown
NO_CHOICE = mark("This choice is no longer there. Please choose again.")
TOO_LONG = mark("These are too many words to look for. Please take fewer.")
STATE_TITLES: Mapping[str, str] = {
    OPEN: mark("Open"),
    WAITING: mark("Waiting"),
    OVERDUE: mark("Overdue"),
    MINE: mark("Mine"),
    CLOSED: mark("Closed"),
    ALL: mark("All"),
}
FIELDS = ("q", "state", "district", "channel", "officer", "label", "days")


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen in the inbox, each as value and title."""

    district: tuple[tuple[str, str], ...]
    channel: tuple[tuple[str, str], ...]
    officer: tuple[tuple[str, str], ...]
    label: tuple[tuple[str, str], ...]
    days: tuple[tuple[str, str], ...]

    def title(self, name: str, value: str) -> str:
        """Return what a choice is called. Raise NotAllowed if it cannot be chosen."""
        found = dict(getattr(self, name)).get(value)
        if found is None:
            raise NotAllowed(NO_CHOICE)
        return str(found)


async def overview(page: PageContext) -> web.Response:
    """List talks of the person's scope, without their words: reading these stands in the audit."""
    chosen = {name: clean(page.request.query.get(name, "")).replace("\n", " ") for name in FIELDS}
    choices, warning = await _choices(page), ""
    try:
        wanted, chips = _wanted(page, chosen, choices)
    except NotAllowed as refusal:
        wanted, chips, warning = CaseFilter(), [], page.t(str(refusal))
        chosen = dict.fromkeys(FIELDS, "")

    found = await page.service.store.read(lambda tx: list_cases(tx, page.officer, wanted, at=page.at))
    if wanted.words:
        await page.audit("search", f"messages {len(found.cases)}")
    first = min(number_in(page.request.query.get("from", "")), len(found.cases) // SHOWN * SHOWN)
    return await page.show(
        "inbox.html",
        status=400 if warning else 200,
        warning=warning,
        listed=found.cases[first : first + SHOWN],
        labels=found.labels,
        found=len(found.cases),
        newer=_address(chosen, {"from": str(max(first - SHOWN, 0))}) if first else "",
        older=_address(chosen, {"from": str(first + SHOWN)}) if len(found.cases) > first + SHOWN else "",
        chosen=chosen,
        choices=choices,
        chips=chips,
        states=[
            (_address(chosen, {"state": state}), page.t(STATE_TITLES[state]), count, state == wanted.state)
            for state, count in _counted(await page.waiting())
        ],
    )


async def counters(page: PageContext) -> web.Response:
    """Return how much waits, as an open page asks now and then."""
    waiting = await page.waiting()
    return web.json_response({name: getattr(waiting, name) for name in ("waiting", "overdue", "mine", "to_answer")})


async def answering(page: PageContext) -> web.Response:
    """Show how long citizens of the own places wait for answers, how often too long, and what they say of it."""
    found = await page.service.store.read(
        lambda tx: service_times(tx, page.help_desk, page.officer, page.service.settings, at=page.at)
    )

    def span(length: timedelta | None) -> str:
        if length is None:
            return "–"
        hours = length.total_seconds() / 3600
        if hours >= HOURS_AS_DAYS:
            return page.t("{count} days", count=page.catalogue.number(round(hours / 24, 1)))
        return page.t("{count} hours", count=page.catalogue.number(round(hours, 1)))

    least = page.service.settings.privacy.small_count
    return await page.show("answering.html", found=found, span=span, weeks=WEEKS, least=least)


def _counted(waiting: Waiting) -> list[tuple[str, int | None]]:
    known = {WAITING: waiting.waiting, OVERDUE: waiting.overdue, MINE: waiting.mine}
    return [(state, known.get(state)) for state in STATES]


def _address(chosen: Mapping[str, str], changes: Mapping[str, str]) -> str:
    """Return the address of the list with other choices, from its beginning."""
    kept = {name: value for name, value in {**chosen, **changes}.items() if value}
    return f"/desk/inbox?{urlencode(kept)}" if kept else "/desk/inbox"


def _wanted(page: PageContext, chosen: Mapping[str, str], choices: Choices) -> tuple[CaseFilter, list[tuple[str, str]]]:
    """Return the filter of an address, and what is chosen with the address that takes it off. Raise NotAllowed."""
    if len(chosen["q"]) > LONGEST_WORDS:
        raise NotAllowed(TOO_LONG)
    state = chosen["state"] or (ALL if chosen["q"] else OPEN)
    if state not in STATES:
        raise NotAllowed(NO_CHOICE)
    chips = [(chosen["q"], _address(chosen, {"q": ""}))] if chosen["q"] else []
    for name in ("district", "channel", "officer", "label", "days"):
        if chosen[name]:
            chips.append((choices.title(name, chosen[name]), _address(chosen, {name: ""})))
    district = None if not chosen["district"] else chosen["district"].replace(NO_DISTRICT, "")
    since = page.at - timedelta(days=int(chosen["days"])) if chosen["days"] else None
    officer = number_in(chosen["officer"])
    return CaseFilter(chosen["q"], state, district, chosen["channel"], officer, chosen["label"], since), chips


async def _choices(page: PageContext) -> Choices:
    scope, regions = page.scope(access.READ_MESSAGES), page.service.regions
    places = [(d.id, d.title(page.catalogue.language)) for d in regions.districts.values() if scope is None
              or d.id in scope]  # fmt: skip
    if scope is None:
        places.append((NO_DISTRICT, page.t("place unknown")))
    names, labels, officers = await page.service.store.read(
        lambda tx: (officer_names(tx), known_labels(tx, page.officer), colleagues(tx))
    )
    within = [one for one in officers if scope is None or "" in one.areas or scope & set(one.areas)]
    return Choices(
        tuple(places),
        tuple((name, page.t(page.channel_title(name))) for name in sorted({*page.service.channels, *CHANNEL_TITLES})),
        tuple((str(one.id), names.of(one.id, page.catalogue)) for one in within),
        tuple((label, label) for label in labels),
        tuple((days, page.t("last {days} days", days=days)) for days in PERIODS),
    )
