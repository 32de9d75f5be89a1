"""The region tree, and what a citizen who types a place means by it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.document import read_model
from bot.errors import ContentError
from bot.text import clean, decode_keystrokes, fold

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Code = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
CommuneKind = Literal["phường", "thị trấn", "xã"]

_PREFIXES = {
    "district": ("huyen", "h", "thanh pho", "tp", "q", "quan", "thi xa", "tx"),
    "commune": ("xa", "x", "phuong", "p", "thi tran", "tt"),
    "province": ("tinh", "t"),
}
_PREFIX_OF = {words: level for level, prefixes in _PREFIXES.items() for words in prefixes}
# Below this, one slip of the finger turns a name into another (Bình Xuyên and Bình Nguyên are 0.73 alike).
_LIKENESS = 0.86
_SHORTEST_SLIP = 6
_WORD = re.compile(r"[^\W_]+")
_KIND_EN = {"thành phố": "city", "huyện": "district", "phường": "ward", "thị trấn": "township", "xã": "commune"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Commune(_Model):
    """A commune, ward or township."""

    code: Code
    name: Text
    kind: CommuneKind


class District(_Model):
    """A district-level unit of October 2021: the key of all counts."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]
    code: Text
    name: Text
    kind: Literal["thành phố", "huyện"]
    population_2019: int = Field(gt=0)
    adults_estimate: int = Field(gt=0)
    communes: tuple[Commune, ...] = Field(min_length=1)
    later_names: tuple[Commune, ...] = ()

    def title(self, language: str) -> str:
        """Name the district as people write it: huyện Lập Thạch, Lap Thach district."""
        if language == "en":
            return f"{self.name} {_KIND_EN[self.kind]}"
        return f"{self.kind} {self.name}"


class NewCommune(_Model):
    """A commune or ward since 1 July 2025, with the old districts it came from."""

    code: Code
    name: Text
    kind: Literal["phường", "xã"]
    origins: dict[str, tuple[Text, ...]] = Field(alias="from", min_length=1)


class Baseline(_Model):
    """The official figure that started it all."""

    date: date
    phones: int
    share: float
    rank: int
    provinces: int
    adults_estimate: int


class Merger(_Model):
    """The province that took this one in."""

    name: Text
    since: date


class Province(_Model):
    """The whole tree as it stands in the file."""

    id: Text
    code: Text
    name: Text
    name_en: Text
    kind: Text
    merged_into: Merger
    baseline: Baseline
    districts: tuple[District, ...] = Field(min_length=1)
    communes_2025: tuple[NewCommune, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A place in one old district; `commune` is a code of 2021, or of 2025 with `new`; empty for the district."""

    district: str
    commune: str = ""
    name: str = ""
    kind: str = ""
    new: bool = False


@dataclass(frozen=True, slots=True)
class Understood:
    """What a text means: one district, several to ask about, or none."""

    places: tuple[Place, ...] = ()

    @property
    def districts(self) -> tuple[str, ...]:
        """The districts that may be meant, in the order of the tree."""
        return tuple(dict.fromkeys(place.district for place in self.places))

    @property
    def one(self) -> Place | None:
        """The place, when only one district can be meant."""
        if len(self.districts) != 1:
            return None
        communes = [place for place in self.places if place.commune]
        # A commune that kept its name through the reform lies within the new one, which is right either way.
        precise = [place for place in communes if place.new] if len(communes) > 1 else communes
        same_name = len({fold(place.name) for place in communes}) == 1
        return precise[0] if len(precise) == 1 and same_name else Place(self.districts[0])


@dataclass(frozen=True, slots=True)
class Regions:
    """The tree with its index of names."""

    province: Province
    districts: Mapping[str, District]
    _names: Mapping[str, tuple[Place, ...]] = field(repr=False)

    def understand(self, text: str) -> Understood:
        """Find the places named in a text, with and without marks, kind words, or a small slip.

        Two names in one line narrow each other down (a commune and its district); names that cannot belong together
        are all returned, so that the citizen is asked.
        """
        mentions = list(self._mentions(fold(decode_keystrokes(clean(text)[:300]))))
        if not mentions:
            return Understood()
        common = set.intersection(*({place.district for place in places} for places in mentions))
        kept = [place for places in mentions for place in places if not common or place.district in common]
        order = list(self.districts)
        unique = sorted(dict.fromkeys(kept), key=lambda place: (order.index(place.district), place.commune))
        return Understood(tuple(unique))

    def commune_name(self, code: str) -> str:
        """Return the name of a commune by its code, old or new."""
        for places in self._names.values():
            for place in places:
                if place.commune == code:
                    return place.name
        return code

    def _mentions(self, folded: str) -> Iterator[tuple[Place, ...]]:
        tokens = _WORD.findall(folded)
        at = 0
        while at < len(tokens):
            length, places = self._longest(tokens, at)
            narrowed = self._narrow(places, tokens, at)
            name = "".join(tokens[at : at + length])
            # The province's own name is also that of a ward; alone it says no more than "here".
            if narrowed and (name != _key(self.province.name) or _kind_before(tokens, at) == "commune"):
                yield narrowed
            at += length or 1

    def _longest(self, tokens: list[str], at: int) -> tuple[int, tuple[Place, ...]]:
        for length in (3, 2, 1):
            if at + length > len(tokens):
                continue
            candidate = "".join(tokens[at : at + length])
            if candidate in self._names:
                return length, self._names[candidate]
        for length in (2, 3, 1):
            if at + length > len(tokens):
                continue
            candidate = "".join(tokens[at : at + length])
            if len(candidate) < _SHORTEST_SLIP:
                continue
            close = difflib.get_close_matches(candidate, self._names, n=2, cutoff=_LIKENESS)
            if close:
                return length, tuple(dict.fromkeys(place for name in close for place in self._names[name]))
        return 0, ()

    @staticmethod
    def _narrow(places: tuple[Place, ...], tokens: list[str], at: int) -> tuple[Place, ...]:
        """Use the kind word before a name: "huyện Vĩnh Tường" is no commune, "xã Sơn Đông" no district."""
        level = _kind_before(tokens, at)
        communes = tuple(place for place in places if place.commune)
        wholes = tuple(place for place in places if not place.commune)
        if level == "commune":
            return communes or places
        # Without a kind word, a name that district and commune share means the district: it holds the commune.
        elsewhere = tuple(place for place in communes if place.district not in {whole.district for whole in wholes})
        return wholes if wholes and level == "district" else (*wholes, *elsewhere)


def load_regions(path: Path) -> Regions:
    """Load the tree; raises ContentError with file and line of everything that does not fit together."""
    province, document = read_model(path, Province)
    districts = {district.id: district for district in province.districts}
    problems = []
    codes: dict[str, str] = {}
    for number, district in enumerate(province.districts):
        for index, commune in enumerate(district.communes):
            other = codes.setdefault(commune.code, commune.name)
            if other != commune.name:
                at = ("districts", number, "communes", index)
                problems.append(document.problem(at, f"the code {commune.code} belongs to {other} already."))
    for index, new in enumerate(province.communes_2025):
        for origin, parts in new.origins.items():
            key = ("communes_2025", index, "from")
            if origin not in districts:
                problems.append(document.problem(key, f"{new.name} comes from the unknown district {origin!r}."))
                continue
            old = districts[origin]
            known = {commune.name for commune in (*old.communes, *old.later_names)}
            problems += [
                document.problem(key, f"{new.name} comes from {part!r}, which {old.name} does not hold.")
                for part in parts
                if part not in known
            ]
    if problems:
        raise ContentError(problems)
    return Regions(province, districts, _index(province))


def _index(province: Province) -> dict[str, tuple[Place, ...]]:
    names: dict[str, list[Place]] = {}

    def add(name: str, place: Place) -> None:
        names.setdefault(_key(name), []).append(place)

    for district in province.districts:
        add(district.name, Place(district.id))
        for commune in (*district.communes, *district.later_names):
            add(commune.name, Place(district.id, commune.code, commune.name, commune.kind))
    for new in province.communes_2025:
        for origin in new.origins:
            add(new.name, Place(origin, new.code, new.name, new.kind, new=True))
    return {name: tuple(dict.fromkeys(places)) for name, places in names.items()}


def _key(name: str) -> str:
    return "".join(_WORD.findall(fold(name)))


def _kind_before(tokens: list[str], at: int) -> str:
    """Name the level that the kind word before a name gives: district, commune, province or none."""
    pair = " ".join(tokens[max(0, at - 2) : at])
    return _PREFIX_OF.get(pair) or _PREFIX_OF.get(tokens[at - 1] if at else "", "")
