"""An audience at one moment, in the terms by which the store sorts people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.channels.terms import SendingTerms
from bot.clock import local_day, stamp
from bot.library.regions import NEW_MAP, Regions
from bot.library.sources import Sources, districts_of
from bot.settings import Settings
from bot.store.audiences import LONG_AGO_DAYS, Audience, Bounds, Whom

WEEK = timedelta(days=7)


def audience_query(
    audience: Audience,
    *,
    settings: Settings,
    regions: Regions,
    sources: Sources,
    terms: Mapping[str, SendingTerms],
    at: datetime,
) -> Whom:
    """Return who of the audience gets a message that is planned at a moment."""
    return Whom(
        districts=audience.whole_districts,
        communes=audience.communes,
        channel=audience.channel,
        language=audience.language,
        source=audience.source,
        reports=audience.reports,
        held_of=audience.held_of,
        long_ago=(local_day(at, settings.zone) - timedelta(days=LONG_AGO_DAYS)).isoformat(),
        week_ago=stamp(at - WEEK),
        per_week=settings.reminders.per_week,
        default_language=settings.default_language,
        channels=tuple(terms),
        windows=tuple(
            Bounds(
                name,
                stamp(at - timedelta(hours=one.window.free_hours)),
                stamp(at - timedelta(days=one.window.paid_days)),
                one.window.free_messages,
            )
            for name, one in terms.items()
            if one.window is not None
        ),
        places=_places(sources, regions),
    )


def _places(sources: Sources, regions: Regions) -> tuple[tuple[str, str, str], ...]:
    """Return code, district and commune of every poster of which these are known."""
    found = []
    for source in sources.by_code.values():
        districts = districts_of(source, regions)
        if len(districts) == 1:  # a commune of 2025 may lie in two old districts: then nobody knows
            found.append((source.code, next(iter(districts)), _commune(source.commune, new=source.new)))
    return tuple(found)


def _commune(commune: str, *, new: bool) -> str:
    return f"{NEW_MAP}{commune}" if new else commune
