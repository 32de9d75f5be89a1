"""The weekly summary: officers and admins who want it get the picture and the lines of their own scope."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from bot import access
from bot.broadcasts import Actor, Broadcasts
from bot.clock import Clock, local_day, stamp
from bot.delivery.scheduled import Due
from bot.exports.overview import Overview, View
from bot.helpdesk.cases import HelpDesk
from bot.helpdesk.models import Officer
from bot.i18n.catalogue import Catalogue
from bot.library.knowledge import ContentStore
from bot.library.regions import Regions
from bot.message import Capabilities, Reply
from bot.settings import WEEKDAYS, Settings
from bot.statistics import counts
from bot.store import Store, appointments

_DAYS = 7


def summary_wording(catalogue: Catalogue, settings: Settings) -> str:
    """Say what somebody agrees to who wants the summary."""
    rules = settings.reminders
    monday = datetime(2026, 1, 5, tzinfo=settings.zone)
    day = monday + timedelta(days=WEEKDAYS.index(rules.summary_day))
    return catalogue.t(
        "Every week on {day} at {hour} you get the counts of your area by themselves, until you stop it.",
        day=catalogue.weekday(day),
        hour=rules.summary_at.strftime("%H:%M"),
    )


class Summaries:
    """Plans the summaries of a week when their hour has come, and writes each."""

    def __init__(
        self,
        store: Store,
        broadcasts: Broadcasts,
        *,
        regions: Regions,
        content_store: ContentStore,
        catalogues: Mapping[str, Catalogue],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._store, self._broadcasts, self._regions, self._content_store = store, broadcasts, regions, content_store
        self._catalogues, self._settings, self._clock = catalogues, settings, clock
        self._planned = ""

    def use(self, settings: Settings) -> None:
        """Go on by other settings."""
        self._settings = settings

    async def plan(self) -> None:
        """Plan this week's summaries once their hour has come, on their day only; those who have theirs get no other.

        Raises StoreError.
        """
        rules, zone, now = self._settings.reminders, self._settings.zone, self._clock()
        due = datetime.combine(local_day(now, zone), rules.summary_at, zone)
        if due.weekday() != WEEKDAYS.index(rules.summary_day) or due > now or self._planned == stamp(due):
            return
        await self._store.write(partial(appointments.add_summaries, due_at=stamp(due), at=stamp(now)))
        self._planned = stamp(due)

    async def compose(self, due: Due, capabilities: Capabilities) -> Reply | None:
        """Write somebody's summary; None for who is no officer any more."""
        grants = await self._store.read(partial(access.grants_of, person_id=due.person_id))
        if access.refusal([access.Grant(grant.role) for grant in grants], access.COUNT) is not None:
            return None
        settings = self._settings
        catalogue = self._catalogues.get(due.language) or self._catalogues[settings.default_language]
        scope = access.scopes(grants, access.COUNT.role)
        district = next(iter(scope)) if scope is not None and len(scope) == 1 else ""
        overview = Overview(
            store=self._store,
            regions=self._regions,
            settings=settings,
            catalogue=catalogue,
            sources=self._content_store.knowledge.sources,
            broadcasts=self._broadcasts,
            actor=Actor(due.person_id),
            today=local_day(self._clock(), settings.zone),
            step=counts.step_for(grants, settings.privacy.small_count),
        )
        shown = await overview.show(View("growth", _DAYS if district else 30, district, scope))
        t = catalogue.t
        head = t("The week at a glance")
        desk, officer = HelpDesk(self._catalogues, settings, self._regions), Officer(due.person_id, grants)
        now = self._clock()
        waiting = await self._store.read(lambda tx: desk.waiting(tx, officer, at=now))
        inbox = t("Citizens' messages: {waiting} wait for an answer, {overdue} of them overdue; {mine} in your hand.",
                  waiting=waiting.waiting, overdue=waiting.overdue, mine=waiting.mine)  # fmt: skip
        foot = t("More: /thongke. To stop this summary, use the button there.")
        return Reply(f"**{head}**\n{shown.text}\n{inbox}\n{foot}", image=shown.image, alt=shown.alt)
