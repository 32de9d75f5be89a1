"""The forms of a broadcast as they were filled in: whom, what, and when; what contradicts itself is refused.

The pages of broadcasts call it. A field that would be ignored is refused with a sentence, so that nothing is done that
nobody meant; every refusal is shown with all that was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from bot import access
from bot.broadcasts import Broadcast
from bot.broadcasts.trials import OUT_OF_BOUNDS
from bot.clock import local_day, stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.store.audiences import Audience
from bot.text.dates import read, read_day
from bot.text.normalize import clean
from bot.text.redaction import redact
from bot.web.desk.page_context import PageContext

NO_MOMENT = mark("I cannot read this day or hour. Please choose it again.")
SECRET = mark("The text holds a password, a one-time code or a personal number. Please take that out first.")
UNKNOWN_CODE = mark("I do not know this code. Please type it as it stands on the poster.")
WHEN_MISSING = mark("Please choose when it is sent: as soon as possible, or later.")
NOW_AND_LATER = mark(
    'You chose "as soon as the hours allow", but a day and hour are filled in, too. Please choose one of both.'
)
LATER_WITHOUT_TIME = mark('You chose "later"; please fill in the day and hour.')
DAY_WITHOUT_WEEKLY = mark('A last day is filled in, but "every week" is not ticked. Please choose one.')
WEEKLY_WITHOUT_DAY = mark('You ticked "every week"; please fill in the last day.')
NOT_TAKEN = mark('A ready text is chosen, but was not taken. Please press "Take it", or choose none.')
NONE_CHOSEN = mark("Please choose a ready text first.")
OWN_TEXT = mark("Your own text would be lost. Tick that it may be replaced, or empty it first.")

_LONGEST_NUMBER = 5


@dataclass(frozen=True, slots=True)
class Timing:
    """When a broadcast is wanted: a moment, None for as soon as possible, and the last day of a series."""

    at: datetime | None
    until: date | None


def audience_of(page: PageContext, held_of: int = 0) -> Audience:
    """Return whom the form means, of those held back by a broadcast; raise NotAllowed if that does not exist."""
    form, scope = page.form, page.scope(access.SEND)
    typed = form.get("source", "").strip()
    source = page.service.content_store.knowledge.sources.typed(typed) if typed else None
    if typed and source is None:
        raise NotAllowed(UNKNOWN_CODE)
    return Audience(
        districts=tuple(form.getall("district", ())) or tuple(sorted(scope or ())),
        communes=tuple(form.getall("commune", ())),
        reports=form.get("reports", ""),
        channel=form.get("channel", ""),
        language=form.get("language", ""),
        source=source.code if source else "",
        held_of=held_of,
    )


def texts_of(page: PageContext) -> dict[str, str]:
    """Return the texts of the form by language; none where the form has none."""
    names = {language: f"text-{language}" for language in page.service.settings.languages}
    return {language: clean(page.form[name]) for language, name in names.items() if name in page.form}


async def keep(page: PageContext, number: int, *, taking_ready: bool = False) -> Broadcast:
    """Keep whom and what the form of a draft holds, as far as it differs; what was planned is planned no more."""
    broadcasts, actor = page.service.broadcasts, page.actor
    found = await broadcasts.find(actor, number)
    texts = texts_of(page)
    if any(redact(text).secrets for text in texts.values()):
        raise NotAllowed(SECRET)
    if not taking_ready and page.form.get("ready", found.ready) != found.ready:
        raise NotAllowed(NOT_TAKEN)
    if "reports" in page.form and (audience := audience_of(page, found.audience.held_of)) != found.audience:
        found = await broadcasts.aim(actor, number, audience)
    if not taking_ready and any(text != found.texts.get(language, "") for language, text in texts.items()):
        found = await broadcasts.write(actor, number, texts)
    return found


async def take_ready(page: PageContext, number: int) -> None:
    """Keep the audience and take a ready text; words of one's own are replaced only when that was ticked."""
    found = await keep(page, number, taking_ready=True)
    ready, typed = page.form.get("ready", ""), texts_of(page)
    if not ready:
        raise NotAllowed(NONE_CHOSEN)
    own = any(text and (not found.ready or text != found.texts.get(language, "")) for language, text in typed.items())
    if own and page.form.get("replace") != "1":
        raise NotAllowed(OWN_TEXT)
    confirmed = page.form.get("confirmed") == "1"
    await page.service.broadcasts.take_ready(page.actor, number, ready, confirmed=confirmed)


def trial_of(page: PageContext) -> tuple[int, int]:
    """Return how many per cent are held back and for how many hours reports are counted."""
    percent, hours = page.form.get("percent", ""), page.form.get("hours", "")
    if not all(text.isdecimal() and len(text) < _LONGEST_NUMBER for text in (percent, hours)):
        raise NotAllowed(OUT_OF_BOUNDS)
    return int(percent), int(hours)


def timing_of(page: PageContext) -> Timing:
    """Return when a broadcast is wanted; raise NotAllowed if the form does not say that, or says two things."""
    form = page.form
    when, typed_at, typed_until = form.get("when", ""), form.get("at", "").strip(), form.get("until", "").strip()
    weekly = form.get("weekly") == "1"
    if when not in ("now", "later"):
        raise NotAllowed(WHEN_MISSING)
    if when == "now" and typed_at:
        raise NotAllowed(NOW_AND_LATER)
    if when == "later" and not typed_at:
        raise NotAllowed(LATER_WITHOUT_TIME)
    if typed_until and not weekly:
        raise NotAllowed(DAY_WITHOUT_WEEKLY)
    if weekly and not typed_until:
        raise NotAllowed(WEEKLY_WITHOUT_DAY)
    return Timing(_moment(page, typed_at) if typed_at else None, _day(page, typed_until) if typed_until else None)


def promise_of(timing: Timing, begin: datetime, now: datetime) -> str:
    """Name the beginning that is asked about, so that a yes holds for that one only; "now" while it is at once."""
    return "now" if timing.at is None and begin <= now else stamp(begin)


def _moment(page: PageContext, text: str) -> datetime:
    """Return the moment of a field, as browsers write it or as people do where they show a plain line."""
    zone = page.service.settings.zone
    try:
        if (typed := datetime.fromisoformat(text)).tzinfo is None and "T" in text:
            return typed.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # before the first day there is
        pass
    except ValueError:
        now = page.at.astimezone(zone)
        if moments := read(text, now).moment.moments(now):
            return moments[0].astimezone(UTC)
    raise NotAllowed(NO_MOMENT)


def _day(page: PageContext, text: str) -> date:
    day = read_day(text, local_day(page.at, page.service.settings.zone))
    if day is None:
        raise NotAllowed(NO_MOMENT)
    return day
