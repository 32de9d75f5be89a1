"""Where citizens come from: the short codes on posters, one for every district, commune and unit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from bot.errors import ContentError, Problem
from bot.library.regions import KIND_EN, Commune, NewCommune, Regions
from bot.text.normalize import fold, spoken
from bot.yaml_document import Document, read_model

REGION_FILE, UNIT_FILE = "source-codes.yaml", "units.yaml"
_SHORTEST_NAME = 3
_LONGEST_CALL = 40  # characters around a code and with it
_LETTERS = "A-HJ-NP-Z"  # no I and no O, and no 0 and 1 among the digits: on paper they are the same
_CALL = re.compile(r"(?:(?:go|nhan|ma|code) )*")

RegionCode = Annotated[str, StringConstraints(pattern=rf"^[{_LETTERS}]{{2}}[2-9]{{2}}$")]
UnitCode = Annotated[str, StringConstraints(pattern=rf"^[{_LETTERS}2-9]{{4,8}}$")]
CommuneCode = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unit(_Model):
    """A department, school or enterprise that checks its own people."""

    code: UnitCode
    name: Text
    kind: Literal["department", "school", "enterprise", "other"]
    district: str = ""


class _Units(_Model):
    units: tuple[Unit, ...] = ()


class _RegionCodes(_Model):
    districts: dict[RegionCode, str]
    communes: dict[RegionCode, CommuneCode]
    communes_2025: dict[RegionCode, CommuneCode]


@dataclass(frozen=True, slots=True)
class Source:
    """What a code stands for: a unit, else a commune (of 2025 with `new`), else a whole district."""

    code: str
    district: str = ""
    commune: str = ""
    new: bool = False
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All codes of posters."""

    by_code: Mapping[str, Source] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(repr=False, default_factory=dict)

    @property
    def units(self) -> tuple[Unit, ...]:
        """The departments, schools and enterprises, in the order of the file."""
        return tuple(source.unit for source in self.by_code.values() if source.unit)

    def typed(self, text: str) -> Source | None:
        """Find the code that a text is: "VT24", "vt 24", "gõ VT24"; None when it is anything else."""
        if len(text) > _LONGEST_CALL:
            return None
        folded = spoken(text)
        code = folded[match.end() :] if (match := _CALL.match(folded)) else folded
        return self.by_code.get(code.replace(" ", "").upper())

    def of_place(self, district: str, commune: str = "", *, new: bool = False) -> Source | None:
        """Find the code of a district or commune; a commune of 2025 goes by its first district."""
        for source in self.by_code.values():
            same = (source.commune, source.new) == (commune, new)
            if source.unit is None and same and (source.district == district or commune):
                return source
        return None


def load_sources(folder: Path) -> Sources:
    """Load both files of codes in a content folder; raises ContentError with all problems."""
    problems: list[Problem] = []
    by_code: dict[str, Source] = {}
    documents: dict[str, Document] = {}
    try:
        regions, document = read_model(folder / REGION_FILE, _RegionCodes)
        documents[REGION_FILE] = document
        letters = {code[:2]: district for code, district in regions.districts.items()}
        for code, district in regions.districts.items():
            by_code[code] = Source(code, district)
        for section, communes, new in (
            ("communes", regions.communes, False),
            ("communes_2025", regions.communes_2025, True),
        ):
            for code, commune in communes.items():
                if code in by_code or code[:2] not in letters:
                    sentence = "stands here a second time." if code in by_code else "begins like no district's code."
                    problems.append(document.problem((section, code), f"{code} {sentence}"))
                by_code[code] = Source(code, letters.get(code[:2], ""), commune, new)
    except ContentError as error:
        problems += error.problems
    try:
        units, document = read_model(folder / UNIT_FILE, _Units)
        documents[UNIT_FILE] = document
        for index, unit in enumerate(units.units):
            if unit.code in by_code:
                problems.append(document.problem(("units", index, "code"), f"{unit.code} is taken already."))
            by_code[unit.code] = Source(unit.code, unit.district, unit=unit)
    except ContentError as error:
        problems += error.problems
    if problems:
        raise ContentError(problems)
    return Sources(by_code, documents)


def check_sources(sources: Sources, regions: Regions) -> Iterator[Problem]:
    """Report codes of places that do not exist or have two, places without a code, units in unknown districts."""
    document, units = sources.documents[REGION_FILE], sources.documents[UNIT_FILE]
    homes = {("districts", district): {district} for district in regions.districts}
    for district in regions.province.districts:
        homes |= {("communes", commune.code): {district.id} for commune in district.communes}
    homes |= {("communes_2025", commune.code): set(commune.origins) for commune in regions.province.communes_2025}
    without = dict.fromkeys(homes)
    for source in sources.by_code.values():
        if source.unit is not None:
            if source.district and source.district not in regions.districts:
                key: tuple[str | int, ...] = ("units", sources.units.index(source.unit), "district")
                yield units.problem(key, f"{source.code} lies in the unknown district {source.district!r}.")
            continue
        section = "communes_2025" if source.new else "communes" if source.commune else "districts"
        place = (section, source.commune or source.district)
        if source.district not in homes.get(place, ()):
            yield document.problem((section, source.code), f"{source.code} stands for no place of its district.")
        elif place not in without:
            yield document.problem((section, source.code), f"{source.code} is the second code of {place[1]}.")
        without.pop(place, None)
    for section, name in without:
        yield document.problem((section,), f"{name} has no code.")


def districts_of(source: Source, regions: Regions) -> frozenset[str]:
    """Return the old districts that a source lies in; none for a unit of the whole province."""
    if source.new:
        communes = regions.province.communes_2025
        return frozenset(d for commune in communes if commune.code == source.commune for d in commune.origins)
    return frozenset({source.district} if source.district else ())


def codes_within(districts: Collection[str], sources: Sources, regions: Regions) -> frozenset[str]:
    """Return the codes that lead to nobody outside some old districts."""
    within = frozenset(districts)
    return frozenset(
        code for code, source in sources.by_code.items() if (lies := districts_of(source, regions)) and lies <= within
    )


def find_sources(text: str, sources: Sources, regions: Regions) -> list[Source]:
    """Find what a text may mean: a code, a commune's number, a unit's name, or a place as citizens write it."""
    if exact := sources.typed(text):
        return [exact]
    folded = fold(text).strip()
    if not folded:
        return []
    if named := [s for s in sources.by_code.values() if s.unit is None and text.strip() == (s.commune or s.district)]:
        return named
    units = [source for source in sources.by_code.values() if source.unit and folded in fold(source.unit.name)]
    if units and len(folded) >= _SHORTEST_NAME:
        return units
    places = regions.understand(text).places
    found = (sources.of_place(place.district, place.commune, new=place.new) for place in places)
    return list(dict.fromkeys(source for source in found if source))


def source_name(source: Source, regions: Regions, *, today: date, language: str = "vi") -> tuple[str, str]:
    """Name what a code stands for, and where that lies; districts and province are "cũ" since the merger."""
    province, merged = regions.province, today >= regions.province.merged_into.since
    district = ""
    if source.district in regions.districts:
        district = _former(regions.districts[source.district].title(language), language, merged)
    if source.unit is not None:
        return source.unit.name, district
    if source.new:
        new = next(commune for commune in province.communes_2025 if commune.code == source.commune)
        return _title(new, language), f"tỉnh {province.merged_into.name}" if language == "vi" else (
            f"{province.merged_into.name} province"
        )
    if source.commune:
        communes = regions.districts[source.district].communes
        return next(_title(commune, language) for commune in communes if commune.code == source.commune), district
    return district, province.area(language, merged=merged)


def _former(name: str, language: str, merged: bool) -> str:
    if not merged:
        return name
    return f"{name} cũ" if language == "vi" else f"former {name}"


def _title(commune: Commune | NewCommune, language: str) -> str:
    return f"{commune.kind} {commune.name}" if language == "vi" else f"{commune.name} {KIND_EN[commune.kind]}"
