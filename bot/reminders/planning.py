"""Which moments a reminder is possible at: outside the quiet hours, not over, not too far away.

Called by `handlers/citizen/own_reminders.py`. A wish that cannot be met gets a reason and possible moments instead;
nothing is planned that the person did not say or choose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.hours import QuietHours
from bot.text.dates import AFTERNOON, EVENING, MORNING, NIGHT, NOON, NOTHING, NamedMoment

MOST = 3  # reminders of one person at once
FURTHEST = timedelta(days=90)
FOLLOW_UP_AFTER = timedelta(days=3)
# Why no moment is taken; empty where one is.
UNCLEAR, WHICH_DAY, WHICH_HOUR, WHICH_HALF, PAST, QUIET, TOO_FAR = (
    "unclear", "day", "hour", "half", "past", "quiet", "far",
)  # fmt: skip
_SOON = timedelta(minutes=1)
_MOST_OFFERS, _MOST_DAYS = 4, 31
_USUAL: Final[Mapping[str, tuple[time, ...]]] = {
    "": (time(9), time(12), time(19)), MORNING: (time(8), time(9), time(10)), NOON: (time(11, 30), time(12)),
    AFTERNOON: (time(14), time(16), time(17)), EVENING: (time(18), time(19), time(19, 30)), NIGHT: (time(19),),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What becomes of a named moment: the moment, or why there is none yet and the moments that are possible instead.

    `detail` says why an unclear one is unclear (the reasons of `bot.text.dates`), "" if nothing was named.
    """

    at: datetime | None = None
    reason: str = ""
    offers: tuple[datetime, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is possible for one person now: `now` in local time, the quiet hours, and how far ahead."""

    now: datetime
    quiet: QuietHours
    furthest: timedelta = FURTHEST

    def allow(self, at: datetime) -> bool:
        """Return True if a reminder may leave at a moment."""
        return self.now + _SOON <= at <= self.now + self.furthest and not self.quiet.covers(at)

    def allowed(self, day: date, hours: tuple[time, ...]) -> list[datetime]:
        """Return the possible moments of a day at some hours."""
        found = [datetime.combine(day, hour, self.now.tzinfo) for hour in hours]
        return [at for at in found if self.allow(at)]


def resolve(named: NamedMoment, limits: Limits) -> Wish:
    """Turn what was said into a moment that is possible, or into possible ones to choose from."""
    if named.unclear or not named:
        return Wish(None, UNCLEAR, tuple(_usual(limits)), named.unclear)
    if named.period is not None and named.day is None:
        return _which_day(named, named.period, limits)
    moments = named.moments(limits.now)
    if not moments:
        return _which_hour(named, limits)
    meant = [check(at, limits) for at in moments]
    if meant[0].at is None and meant[-1].at is not None:  # nobody is woken at seven; but perhaps the evening is meant
        offers = [meant[-1].at, *(offer for offer in meant[0].offers if offer != meant[-1].at)]
        return Wish(None, WHICH_HALF, tuple(offers[:_MOST_OFFERS]))
    return meant[0]


def check(at: datetime, limits: Limits) -> Wish:
    """Take a moment if it is possible; else say why not and offer the next that are."""
    now, quiet = limits.now, limits.quiet
    if limits.allow(at):
        return Wish(at)
    if at > now + limits.furthest:
        last = (now + limits.furthest).date()
        possible = [*limits.allowed(last, (at.time(),)), *limits.allowed(last - timedelta(days=1), (at.time(),))]
        return Wish(None, TOO_FAR, tuple(possible[:1] or _usual(limits)))
    past = at < now + _SOON
    first = quiet.end(now + timedelta(hours=1)) if past else quiet.end(at)
    wanted = [
        first.replace(minute=first.minute - first.minute % 5, second=0, microsecond=0).astimezone(now.tzinfo),
        _next(at.time(), now),
        datetime.combine(max(at, now).date(), time(19), now.tzinfo),
    ]
    offers = sorted({one for one in wanted if limits.allow(one)})
    return Wish(None, PAST if past else QUIET, tuple(offers[:_MOST_OFFERS]))


def kept(named: NamedMoment, wish: Wish) -> NamedMoment:
    """Return what of a moment that was not taken is worth completing by the next message."""
    if wish.reason == TOO_FAR:
        return replace(named, day=None, period=None, weekly=False, moment=None)
    return NOTHING if named.moment is not None else named


def dump_named(named: NamedMoment) -> dict[str, str]:
    """Write down what is kept of a moment until the next message: days and hours only, no words."""
    data = {
        "day": named.day.isoformat() if named.day else "",
        "weekly": "1" if named.weekly else "",
        "period": "/".join(day.isoformat() for day in named.period or ()),
        "part": named.part,
        "clock": "{}:{}".format(*named.clock) if named.clock else "",
        "exact": "1" if named.exact else "",
    }
    return {key: value for key, value in data.items() if value}


def load_named(data: Mapping[str, str]) -> NamedMoment:
    """Read what `dump_named` wrote; nothing where nothing is kept."""
    day, part, clock = data.get("day"), data.get("part", ""), data.get("clock", "").partition(":")
    first, _, last = data.get("period", "").partition("/")
    return NamedMoment(
        day=date.fromisoformat(day) if day else None,
        weekly="weekly" in data,
        period=(date.fromisoformat(first), date.fromisoformat(last)) if last else None,
        part=part,
        clock=(int(clock[0]), int(clock[2])) if clock[1] else None,
        exact="exact" in data,
    )


def _which_hour(named: NamedMoment, limits: Limits) -> Wish:
    day, hours = named.day or limits.now.date(), _USUAL[named.part]
    offers = limits.allowed(day, hours)
    if not offers and named.day is None:
        offers = limits.allowed(day + timedelta(days=1), hours)
    if not offers and named.day is not None:
        return check(datetime.combine(day, hours[-1], limits.now.tzinfo), limits)
    return Wish(None, WHICH_HOUR, tuple(offers[:_MOST_OFFERS]))


def _which_day(named: NamedMoment, period: tuple[date, date], limits: Limits) -> Wish:
    first, last = period
    hours = tuple(time(hour, minute) for hour, minute in named.hours() if hour < 24) or _USUAL[named.part][:1]
    offers: list[datetime] = []
    for more in range(min((last - first).days + 1, _MOST_DAYS)):
        offers += limits.allowed(first + timedelta(days=more), hours)[:1]
    if offers:
        return Wish(None, WHICH_DAY, tuple(offers[:_MOST_OFFERS]))
    return check(datetime.combine(first, hours[0], limits.now.tzinfo), limits)


def _usual(limits: Limits) -> Iterator[datetime]:
    today, tomorrow = limits.now.date(), limits.now.date() + timedelta(days=1)
    weekend = today + timedelta(days=(5 - today.weekday()) % 7 or 7)
    wanted = ((today, time(19)), (tomorrow, time(9)), (tomorrow, time(19)), (weekend, time(9)))
    yield from sorted({at for day, hour in wanted for at in limits.allowed(day, (hour,))})


def _next(hour: time, now: datetime) -> datetime:
    at = datetime.combine(now.date(), hour, now.tzinfo)
    return at if at > now else at + timedelta(days=1)
