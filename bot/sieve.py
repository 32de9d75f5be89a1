"""Who of an audience gets a broadcast, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.audience import ANY, LONG_AGO, LONG_AGO_DAYS, REPORTED, UNREPORTED, Audience
from bot.clock import local_day, stamp
from bot.regions import NEW_MAP, Regions
from bot.settings import Settings
from bot.sources import Sources, districts_of
from bot.store import Row
from bot.terms import Terms

# Why somebody is left out of a plan.
NO_CONSENT, GONE, CHANNEL_OFF, REMINDED, LINKED = "no-consent", "gone", "channel-off", "reminded", "linked"
WINDOW = "window-closed"
WEEK = timedelta(days=7)


class Judged(NamedTuple):
    """One person of the audience: a reason to leave them out, or none, and whether the message costs money."""

    person_id: int
    channel: str
    district: str
    language: str
    paid: bool
    reason: str


class Sieve:
    """Sorts people at one moment by what the store knows of them (`bot.store.audiences.facts`)."""

    def __init__(
        self,
        audience: Audience,
        *,
        settings: Settings,
        regions: Regions,
        sources: Sources,
        terms: Mapping[str, Terms],
        at: datetime,
    ) -> None:
        self._audience, self._terms = audience, terms
        self._default_language, self._per_week = settings.default_language, settings.reminders.per_week
        self.week_ago = stamp(at - WEEK)
        self._long_ago = (local_day(at, settings.zone) - timedelta(days=LONG_AGO_DAYS)).isoformat()
        # Channels with a window: since when messages are free, since when they are taken at all, how many are free.
        self._windows = {
            name: (
                stamp(at - timedelta(hours=window.free_hours)),
                stamp(at - timedelta(days=window.paid_days)),
                window.free_messages,
            )
            for name, window in ((name, one.window) for name, one in terms.items())
            if window is not None
        }
        self._places: dict[str, tuple[str, str]] = {}
        for source in sources.by_code.values():
            districts = districts_of(source, regions)
            if len(districts) == 1:  # a commune of 2025 may lie in two old districts: then nobody knows
                key = f"{NEW_MAP}{source.commune}" if source.new else source.commune
                self._places[source.code] = next(iter(districts)), key

    def place(self, row: Row) -> tuple[str, str]:
        """Return the district and commune of somebody: where they reported, else where the poster hangs."""
        if row["district"]:
            return row["district"], row["commune"]
        return self._places.get(row["source"], ("", ""))

    def lives_there(self, row: Row) -> bool:
        """Tell whether somebody is known to live where the audience does."""
        district, commune = self.place(row)
        wanted = self._audience
        return (not wanted.districts or district in wanted.districts) and wanted.commune in ("", commune)

    def judge(self, row: Row) -> Judged | None:
        """Sort one person; None for who is not of the audience."""
        audience, language, channel = self._audience, row["language"] or self._default_language, row["channel"]
        district, commune = self.place(row)
        if (
            (audience.districts and district not in audience.districts)
            or audience.commune not in ("", commune)
            or audience.channel not in ("", channel)
            or audience.language not in ("", language)
            or audience.source not in ("", row["source"])
            or (audience.reports != ANY and not self._reported_as_wanted(row["day"]))
        ):
            return None
        window = self._windows.get(channel)
        paid = window is not None and _is_paid(row, window)
        return Judged(row["id"], channel, district, language, paid, self._reason(row, channel, window))

    def _reported_as_wanted(self, day: str | None) -> bool:
        wanted = self._audience.reports
        if wanted == UNREPORTED:
            return day is None
        if wanted == REPORTED:
            return day is not None
        return wanted != LONG_AGO or (day is not None and day < self._long_ago)

    def _reason(self, row: Row, channel: str, window: tuple[str, str, int] | None) -> str:
        if not row["willing"]:
            return NO_CONSENT
        if row["gone_at"] is not None:
            return GONE
        if channel not in self._terms:
            return CHANNEL_OFF
        if window is not None and (row["closed"] or (row["interacted_at"] or "") <= window[1]):
            return WINDOW
        return REMINDED if row["reminded"] >= self._per_week else ""


def _is_paid(row: Row, window: tuple[str, str, int]) -> bool:
    free_since, _, free_messages = window
    used_up = bool(free_messages) and row["sent_since"] >= free_messages
    return used_up or (row["interacted_at"] or "") <= free_since
