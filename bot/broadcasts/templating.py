"""What a broadcast says: placeholders filled for each district, and how to stop at the end of every message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from bot.clock import Clock, local_day
from bot.errors import NotAllowed
from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.library.templates import LONGEST_REMINDER, REMINDER_PLACEHOLDERS
from bot.settings import Settings
from bot.statistics import counts
from bot.store import Store
from bot.text.links import escape_but_links

LONGEST_TEXT = 1000
HOW_TO_STOP = mark("To get no more reminders, type DUNG.")
_PLACEHOLDER = re.compile(r"\{([^{}\s]*)\}")
assert LONGEST_TEXT >= LONGEST_REMINDER  # a ready text is one that could be written by hand


def check(text: str) -> str:
    """Return a text as written by hand, cleaned; raises NotAllowed when it cannot be sent."""
    written = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not written:
        raise NotAllowed(mark("The text is empty."))
    if len(written) > LONGEST_TEXT:
        raise NotAllowed(mark("The text is too long; at most 1,000 characters can be sent."))
    if unknown(written):
        raise NotAllowed(
            mark("The text holds something in braces that I cannot fill in; known are district, reports, share, date.")
        )
    return written


def unknown(text: str) -> list[str]:
    """List the placeholders of a text that nobody can fill."""
    return [name for name in _PLACEHOLDER.findall(text) if name not in REMINDER_PLACEHOLDERS]


class Filler:
    """Fills texts with published figures, which everybody may read."""

    def __init__(self, settings: Settings, regions: Regions, catalogues: Mapping[str, Catalogue], clock: Clock) -> None:
        self._settings, self._regions, self._catalogues, self._clock = settings, regions, catalogues, clock

    async def fill(
        self, store: Store, texts: Mapping[str, str], districts: Iterable[str], *, ready: bool
    ) -> dict[tuple[str, str], str]:
        """Return what is sent, by language and district; the district "" is for people of whom none is known.

        A language without a text of its own gets that of the default one. What officers wrote is shown as it stands.
        """
        today = local_day(self._clock(), self._settings.zone)
        step = max(1, self._settings.privacy.small_count)
        province = await counts.count_districts(store, self._regions, today=today, step=step)
        by_district = {counted.district: counted for counted in province.districts}
        filled: dict[tuple[str, str], str] = {}
        for language in self._settings.languages:
            catalogue = self._catalogues[language]
            text = texts.get(language) or texts[self._settings.default_language]
            few = catalogue.t("fewer than {count}", count=step)
            for district in ("", *districts):
                counted = by_district.get(district, province)
                values = {
                    "district": self._name(district, language),
                    "reports": catalogue.number(counted.reports) if counted.reports else few,
                    "share": catalogue.percent(counted.share),
                    "date": catalogue.day(province.day),
                }
                said = text if ready else escape_but_links(text, self._settings.operator.trusted_hosts)
                said = _PLACEHOLDER.sub(lambda match, values=values: values[match[1]], said)  # type: ignore[misc]
                filled[language, district] = f"{said.strip()}\n\n{catalogue.t(HOW_TO_STOP)}"
        return filled

    def _name(self, district: str, language: str) -> str:
        if district in self._regions.districts:
            return self._regions.districts[district].title(language)
        return self._regions.province.area(language)
