"""Reminders that citizens ask for themselves: what they say, which moments are possible, and the words they get.

Nothing of what somebody wrote is kept: a reminder is a moment, always about the health book.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.delivery.scheduled import Due
from bot.hours import QuietHours
from bot.i18n.catalogue import Catalogue, mark
from bot.message import Button, Capabilities, Reply
from bot.settings import Settings
from bot.text.dates import AFTERNOON, EVENING, MORNING, NIGHT, NOON, NamedMoment, read_named
from bot.text.normalize import fold, spoken

MOST = 3  # a person has so many at once
FURTHEST = timedelta(days=90)
FOLLOW_UP_AFTER = timedelta(days=3)
# Why a moment is not taken; empty where it is.
UNCLEAR, WHICH_HOUR, WHICH_HALF, PAST, QUIET, TOO_FAR = "unclear", "hour", "half", "past", "quiet", "far"
_SOON = timedelta(minutes=1)
_LONGEST, _MOST_WORDS, _MOST_OFFERS = 200, 16, 4
_USUAL: Final[Mapping[str, tuple[time, ...]]] = {
    "": (time(9), time(12), time(19)), MORNING: (time(8), time(9), time(10)), NOON: (time(11, 30), time(12)),
    AFTERNOON: (time(14), time(16), time(17)), EVENING: (time(18), time(19), time(19, 30)), NIGHT: (time(19),),
}  # fmt: skip

_WHO = r"(?:toi|minh|em|anh|chi|co|chu|bac|con|chau|ong|ba|tui|to|mk|mik|e|a|c|t|me)"
_CALL = (
    r"(?:(?:da|vang|a|ad|admin|bot|em|ban|oi|alo|chao|ok|oke|hay|nho|xin|lam on|vui long|phien|giup|please|hi|hello) )*"
)
_ASKING = re.compile(
    rf"{_CALL}(?:{_WHO} )?(?:(?:muon|can|nho|xin) )?(?:duoc )?{_CALL}"
    rf"(?:(?:dat|hen) (?:lich |gio )?)?nhac(?: nho| hen)?(?: (?:giup|gium|ho|dum|cho|lai cho))*(?: {_WHO})?\b"
    r"|(?:(?:hi|hello|hey|please|can you|could you|would you|kindly|i want you to) )*(?:remind me|set a reminder)"
    r"(?: for me)?\b"
)
_ASKED_WITH = ("nhac", "remind")  # without one of them nobody asks, and the pattern need not be tried
_NOTHING_MORE = re.compile(
    r"(?: ?(?:nhe|nha|nghen|nhe a|a|voi|vs|di|sau|sau nay|sau nhe|lai sau|later|again|please|giup|gium|dum|cai|cai dat"
    r"|cai app|cai ung dung|cai so suc khoe(?: dien tu)?|bao cai|to install(?: the app| it)?|ban|ban oi|bot|em|tui|toi"
    r"|some time|sometime|khi khac|luc khac|hom khac|hay quen lam|viec nay|about it|about this)\b)*[ .!?]*"
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What became of a wish: the moment, or why there is none yet and the moments that are possible instead."""

    at: datetime | None = None
    reason: str = ""
    offers: tuple[datetime, ...] = ()


def is_asked_for(text: str) -> bool:
    """Tell whether a text asks to be reminded, and is no question about something else."""
    rest = _after_asking(text)
    if rest is None or len(rest.split()) > _MOST_WORDS:
        return False
    return bool(read_named(rest, datetime(2026, 1, 1))) or _NOTHING_MORE.fullmatch(fold(rest)) is not None


def read_wish(
    text: str, now: datetime, *, quiet: QuietHours, furthest: timedelta = FURTHEST, asked: bool = True
) -> Wish:
    """Return what a text wishes, `now` in local time; without `asked` it only names a moment."""
    rest = _after_asking(text)
    return resolve(read_named(text if rest is None or not asked else rest, now), now, quiet=quiet, furthest=furthest)


def _after_asking(text: str) -> str | None:
    """Return what follows "remind me" as it was typed; None for a text that does not begin so."""
    if len(text) > _LONGEST or not any(word in spoken(text) for word in _ASKED_WITH):
        return None
    marked = " ".join(unicodedata.normalize("NFC", text.lower()).replace(",", " ").split())
    folded = fold(marked)
    found = _ASKING.match(folded)
    if found is None:
        return None
    return (marked if len(marked) == len(folded) else folded)[found.end() :].strip()


def resolve(named: NamedMoment, now: datetime, *, quiet: QuietHours, furthest: timedelta = FURTHEST) -> Wish:
    """Turn what was said into a moment that is possible, or into possible ones to choose from."""
    if named.unclear or not named:
        return Wish(None, UNCLEAR, tuple(_usual(now, quiet, furthest)))
    if named.moment is not None:
        return check(named.moment, now, quiet=quiet, furthest=furthest)
    if not named.times:
        day = named.day or now.date()
        offers = _at_times(day, _USUAL[named.part], now, quiet, furthest)
        if not offers and named.day is None:
            offers = _at_times(day + timedelta(days=1), _USUAL[named.part], now, quiet, furthest)
        if not offers and named.day is not None:
            return check(datetime.combine(day, _USUAL[named.part][-1], now.tzinfo), now, quiet=quiet, furthest=furthest)
        return Wish(None, WHICH_HOUR, tuple(offers[:_MOST_OFFERS]))
    meant = [check(_next(named.day, hour, now), now, quiet=quiet, furthest=furthest) for hour in named.times]
    if meant[0].at is not None:
        return meant[0]
    if len(meant) > 1 and meant[1].at is not None:  # nobody is woken at seven; but perhaps the evening was meant
        offers = [meant[1].at, *(offer for offer in meant[0].offers if offer != meant[1].at)]
        return Wish(None, WHICH_HALF, tuple(offers[:_MOST_OFFERS]))
    return meant[0]


def check(at: datetime, now: datetime, *, quiet: QuietHours, furthest: timedelta = FURTHEST) -> Wish:
    """Take a moment if it is possible; else say why not and offer the next that are."""
    if at >= now + _SOON and at <= now + furthest and not quiet.covers(at):
        return Wish(at)
    if at > now + furthest:
        last = (now + furthest).date()
        same_hour = [datetime.combine(last - timedelta(days=days), at.timetz()) for days in (0, 1)]
        possible = [one for one in same_hour if _possible(one, now, quiet, furthest)]
        return Wish(None, TOO_FAR, tuple(possible[:1] or _usual(now, quiet, furthest)))
    past = at < now + _SOON
    first = quiet.end(now + timedelta(hours=1)) if past else quiet.end(at)
    wanted = [
        first.replace(minute=first.minute - first.minute % 5, second=0, microsecond=0).astimezone(now.tzinfo),
        _next(None, at.time(), now),
        datetime.combine(max(at, now).date(), time(19), now.tzinfo),
    ]
    offers = sorted({one for one in wanted if _possible(one, now, quiet, furthest)})
    return Wish(None, PAST if past else QUIET, tuple(offers[:_MOST_OFFERS]))


def _usual(now: datetime, quiet: QuietHours, furthest: timedelta) -> Iterator[datetime]:
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    weekend = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
    wanted = ((today, time(19)), (tomorrow, time(9)), (tomorrow, time(19)), (weekend, time(9)))
    offers = {datetime.combine(day, hour, now.tzinfo) for day, hour in wanted}
    yield from sorted(one for one in offers if _possible(one, now, quiet, furthest))


def _at_times(
    day: date, hours: tuple[time, ...], now: datetime, quiet: QuietHours, furthest: timedelta
) -> list[datetime]:
    found = [datetime.combine(day, hour, now.tzinfo) for hour in hours]
    return [one for one in found if _possible(one, now, quiet, furthest)]


def _possible(at: datetime, now: datetime, quiet: QuietHours, furthest: timedelta) -> bool:
    return now + _SOON <= at <= now + furthest and not quiet.covers(at)


def _next(day: date | None, hour: time, now: datetime) -> datetime:
    at = datetime.combine(day or now.date(), hour, now.tzinfo)
    return at if day is not None or at > now else datetime.combine(now.date() + timedelta(days=1), hour, now.tzinfo)


# What is sent when the moment has come.
_ASKED = mark("You asked me to remind you at {moment}: the electronic health book, installing it or using it.")
_LATE = mark("This comes late because of an interruption on our side, sorry.")
_FOLLOW_UP = mark(
    "Some days ago you opened the manual of the health book. Did it work? If you installed it, please report it; "
    "if something holds you up, just write to me."
)
_WAYS = mark("Manual: /huongdan. I have installed it: /baocai. Another reminder: /nhactoi.")
_STOP = mark("Type DUNG to get no reminders any more.")


class ReminderTexts:
    """Writes the messages whose moment has come."""

    def __init__(self, catalogues: Mapping[str, Catalogue], settings: Settings) -> None:
        self._catalogues, self._settings = catalogues, settings

    async def asked(self, due: Due, capabilities: Capabilities) -> Reply | None:
        """Write the reminder that somebody asked for."""
        catalogue = self._catalogue(due)
        t, when = catalogue.t, catalogue.appointment(due.due_at, self._settings.zone)
        lines = [t(_ASKED, moment=when), *([t(_LATE)] if due.late else []), t(_WAYS), t(_STOP)]
        return Reply("\n".join(lines), _ways(catalogue, capabilities))

    async def follow_up(self, due: Due, capabilities: Capabilities) -> Reply | None:
        """Write to somebody who opened the manual and has not reported."""
        catalogue = self._catalogue(due)
        return Reply("\n".join(map(catalogue.t, (_FOLLOW_UP, _WAYS, _STOP))), _ways(catalogue, capabilities))

    def _catalogue(self, due: Due) -> Catalogue:
        return self._catalogues.get(due.language) or self._catalogues[self._settings.default_language]


def _ways(catalogue: Catalogue, capabilities: Capabilities) -> tuple[Button, ...]:
    """Offer buttons where they are buttons; a number typed later might belong to another list."""
    t = catalogue.t
    wanted = (
        (t("The manual"), "/huongdan"),
        (t("I have installed it"), "/baocai"),
        (t("Another reminder"), "/nhactoi"),
    )
    return tuple(Button(label, command) for label, command in wanted) if capabilities.buttons else ()
