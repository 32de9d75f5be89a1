"""Reports that come by themselves: when a month, quarter or year is over, named officers get the files by button."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

from bot import access
from bot.clock import Clock, local_day, stamp
from bot.delivery.scheduled import Due
from bot.exports.report_periods import EVERY, last_whole
from bot.i18n.catalogue import Catalogue
from bot.message import Button, Capabilities, Reply
from bot.settings import Settings
from bot.store import Store, appointments, report_orders

_MADE_UP_FOR = timedelta(days=7)  # after a standstill


class ScheduledReports:
    """Plans the notices once a period is over, and writes each."""

    def __init__(self, store: Store, *, catalogues: Mapping[str, Catalogue], settings: Settings, clock: Clock) -> None:
        self._store, self._catalogues, self._settings, self._clock = store, catalogues, settings, clock
        self._planned = ""

    def use(self, settings: Settings) -> None:
        """Go on by other settings."""
        self._settings = settings

    async def plan(self) -> None:
        """Plan the notices of what was over with the first of a month, for a week from then on. Raises StoreError."""
        settings, now = self._settings, self._clock()
        first = local_day(now, settings.zone).replace(day=1)
        due = datetime.combine(first, settings.reminders.summary_at, settings.zone)
        if not due <= now <= due + _MADE_UP_FOR or self._planned == stamp(due):
            return
        for every, (_, months) in EVERY.items():
            if (first.month - 1) % months == 0:
                add = partial(appointments.add_reports, every=every, due_at=stamp(due), at=stamp(now))
                await self._store.write(add)
        self._planned = stamp(due)

    async def compose(self, due: Due, capabilities: Capabilities) -> Reply | None:
        """Write somebody's notice; None for who may make no report any more or wants none."""
        grants = await self._store.read(partial(access.grants_of, person_id=due.person_id))
        every = await self._store.read(partial(report_orders.of_person, person_id=due.person_id))
        if every not in EVERY or access.refusal([access.Grant(grant.role) for grant in grants], access.REPORT):
            return None
        catalogue = self._catalogues.get(due.language) or self._catalogues[self._settings.default_language]
        period = last_whole(local_day(due.due_at, self._settings.zone), EVERY[every][1])
        t, day = catalogue.t, catalogue.day
        return Reply(
            t("The figures from {since} to {until} are complete. The official report and the workbook are ready:",
              since=day(period.since), until=day(period.until)),
            (
                Button(t("Official report (.docx)"), f"official:{period.name}"),
                Button(t("Workbook (.xlsx)"), f"export:xlsx:{period.name}"),
            ),
        )  # fmt: skip
