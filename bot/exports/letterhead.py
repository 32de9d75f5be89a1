"""Names in the head and foot of the official report that no longer name anything.

The report leaves them blank, `python -m bot check` tells of them: the districts and the province ended in July 2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from bot.library.regions import Regions
from bot.settings import ReportSettings

_SPACES = re.compile(r"\s+")
_FIELDS = ("parent_agency", "agency", "place")


def vanished_names(form: ReportSettings, regions: Regions, day: date) -> dict[str, str]:
    """Return the keys of `report` that name a unit which had ended by a day, with that unit's name."""
    province = regions.province
    if day < province.merged_into.since:
        return {}
    titles = list(_titles(regions))
    found = {}
    for field in _FIELDS:
        said = _plain(getattr(form, field))
        if name := next((title for title in titles if re.search(rf"\b{re.escape(_plain(title))}\b", said)), ""):
            found[field] = name
    # The province's name lives on as a ward's, whose own agency may write it before the date.
    if _plain(form.place) == _plain(province.name) and f"phường {_plain(province.name)}" not in _plain(form.agency):
        found["place"] = f"{province.kind} {province.name}"
    return found


def without_vanished(form: ReportSettings, regions: Regions, day: date) -> ReportSettings:
    """Return the form with a blank for each name that ended; a blank is filled in by hand."""
    return form.model_copy(update=dict.fromkeys(vanished_names(form, regions, day), ""))


def _titles(regions: Regions) -> Iterator[str]:
    province = regions.province
    yield f"{province.kind} {province.name}"
    for district in regions.districts.values():
        yield district.title("vi")


def _plain(text: str) -> str:
    return _SPACES.sub(" ", text).strip().casefold()
