"""When people may be written to, and when officers work: hours of the day, working days, days off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_LONGEST_BREAK = 366  # days in a row without work; more is a mistake in the settings


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours in which the bot writes to nobody first, such as 20:00 to 08:00; none when both are the same."""

    since: time
    until: time
    zone: tzinfo

    def covers(self, at: datetime) -> bool:
        """Tell whether a moment is quiet; `since` is, `until` is not."""
        local = at.astimezone(self.zone).time().replace(tzinfo=None)
        if self.since <= self.until:
            return self.since <= local < self.until
        return local >= self.since or local < self.until

    def end(self, at: datetime) -> datetime:
        """Return when writing is allowed again: the moment itself when it is not quiet."""
        if not self.covers(at):
            return at
        local = at.astimezone(self.zone)
        ends = datetime.combine(local.date(), self.until, self.zone)
        return ends if ends > local else datetime.combine(local.date() + timedelta(days=1), self.until, self.zone)

    def finish(self, begin: datetime, seconds: float) -> datetime:
        """Return when work of some seconds is over that begins at a moment and rests in the quiet hours."""
        at, left = self.end(begin), timedelta(seconds=seconds)
        while self.since != self.until:
            pause = self._begins(at)
            if at + left <= pause:
                break
            at, left = self.end(pause), left - (pause - at)
        return at + left

    def _begins(self, at: datetime) -> datetime:
        local = at.astimezone(self.zone)
        begins = datetime.combine(local.date(), self.since, self.zone)
        return begins if begins > local else datetime.combine(local.date() + timedelta(days=1), self.since, self.zone)


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When officers work; `days` are weekdays from 0, Monday. No break at noon when both of its ends are the same."""

    days: frozenset[int]
    since: time
    until: time
    zone: tzinfo
    days_off: frozenset[date] = frozenset()
    lunch_from: time = time(12)
    lunch_until: time = time(12)

    def works_on(self, day: date) -> bool:
        """Tell whether a day is a working day."""
        return day.weekday() in self.days and day not in self.days_off

    def is_open(self, at: datetime) -> bool:
        """Tell whether officers are at work."""
        local = at.astimezone(self.zone)
        if not self.works_on(local.date()) or self.lunch_from <= local.time() < self.lunch_until:
            return False
        return self.since <= local.time() < self.until

    def opens(self, at: datetime) -> datetime:
        """Return when officers are at work next: the moment itself when they are."""
        if self.is_open(at):
            return at
        local = at.astimezone(self.zone)
        for day in self._working_days(local.date()):
            for begins in (self.since, self.lunch_until):
                opens = datetime.combine(day, begins, self.zone)
                if opens > local and self.is_open(opens):
                    return opens
        return at

    def due(self, at: datetime, days: int) -> datetime:
        """Return the end of the last of some working days; the day of the moment itself does not count."""
        last = local = at.astimezone(self.zone).date()
        for number, day in enumerate(self._working_days(local + timedelta(days=1)), 1):
            last = day
            if number == days:
                break
        return datetime.combine(last, self.until, self.zone)

    def _working_days(self, first: date) -> Iterator[date]:
        yield from (day for n in range(_LONGEST_BREAK) if self.works_on(day := first + timedelta(days=n)))
