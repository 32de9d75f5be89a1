"""The words of the messages whose moment has come: reminders that citizens asked for, and follow-ups.

Called by `bot.delivery.scheduled` through `bot.runtime.build`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.delivery.scheduled import Due
from bot.i18n.catalogue import Catalogue, mark
from bot.message import Button, Capabilities, Reply
from bot.settings import Settings

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
