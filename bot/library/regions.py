"""The region tree, and what a citizen who types a place means by it."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.errors import ContentError
from bot.text.normalize import clean, decode_keystrokes, fold
from bot.yaml_document import read_model

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Code = Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
CommuneKind = Literal["phường", "thị trấn", "xã"]

NEW_MAP = "2025-"  # before the code of a commune of July 2025, where codes of 2021 were given out again
_PREFIXES = {
    "district": ("huyen", "h", "thanh pho", "tp", "q", "quan", "thi xa", "tx"),
    "commune": ("xa", "x", "phuong", "p", "thi tran", "tt"),
    "province": ("tinh", "t"),
}
_PREFIX_OF = {words: level for level, prefixes in _PREFIXES.items() for words in prefixes}
# Below this, one slip of the finger turns a name into another (Bình Xuyên and Bình Nguyên are 0.73 alike).
_LIKENESS = 0.86
_SHORTEST_SLIP, _LONGEST_SLIP = 6, 20
_LONGEST_NAME = 3  # words
_LONGEST_TYPED = 300
_GLUED = re.compile(r"\b(t[tpx])(?=[a-z]{2})")  # "TPVĩnh Yên": no syllable begins so
_KM_A_DEGREE = 111.2
_SHRINK = math.cos(math.radians(21.3))  # of a degree of longitude, in Vĩnh Phúc
_FARTHEST_KM, _MOST_NEAREST = 20.0, 3
_WORD = re.compile(r"[^\W_]+")
KIND_EN = {"thành phố": "city", "huyện": "district", "phường": "ward", "thị trấn": "township", "xã": "commune"}


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
    centre: tuple[float, float] | None = None  # latitude and longitude of its main town, within some kilometres
    communes: tuple[Commune, ...] = Field(min_length=1)
    later_names: tuple[Commune, ...] = ()

    def title(self, language: str) -> str:
        """Name the district as people write it: huyện Lập Thạch, Lap Thach district."""
        if language == "en":
            return f"{self.name} {KIND_EN[self.kind]}"
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

    def area(self, language: str, *, merged: bool = True) -> str:
        """Name where the nine districts lie: the province, or since the merger the area that it was."""
        if language == "en":
            return f"the former {self.name_en} area" if merged else f"{self.name_en} province"
        return f"khu vực {self.name} cũ" if merged else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in one old district; `commune` is a code of 2021, or of 2025 with `new`; empty for the district."""

    district: str
    commune: str = ""
    name: str = ""
    kind: str = ""
    new: bool = False

    @property
    def key(self) -> str:
        """How the records name the commune: the code, told apart from an older commune's that was given to it again."""
        return f"{NEW_MAP}{self.commune}" if self.new and self.commune else self.commune


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
        mentions = self._mentions(clean(text[:_LONGEST_TYPED]))
        if not mentions:
            return Understood()
        common = set.intersection(*({place.district for place in places} for places in mentions))
        kept = [place for places in mentions for place in places if not common or place.district in common]
        order = list(self.districts)
        unique = sorted(dict.fromkeys(kept), key=lambda place: (order.index(place.district), place.commune))
        return Understood(tuple(unique))

    @property
    def names(self) -> list[str]:
        """The names of all districts and communes, with the word for what they are, old and new, each once."""
        found = [district.title("vi") for district in self.districts.values()]
        for district in self.districts.values():
            found += [f"{commune.kind} {commune.name}" for commune in (*district.communes, *district.later_names)]
        found += [f"{new.kind} {new.name}" for new in self.province.communes_2025]
        return sorted(set(found))

    def nearest(self, latitude: float, longitude: float) -> tuple[str, ...]:
        """List up to three districts by how near their centres are; none for a place outside the province."""
        distances = sorted(
            (math.dist((latitude, longitude * _SHRINK), (d.centre[0], d.centre[1] * _SHRINK)) * _KM_A_DEGREE, d.id)
            for d in self.districts.values()
            if d.centre is not None
        )
        if not distances or distances[0][0] > _FARTHEST_KM:
            return ()
        return tuple(district for _, district in distances[:_MOST_NEAREST])

    def commune_name(self, key: str) -> str:
        """Return the name of a commune by its key, as in `Place.key`; its first name where it had several."""
        code = key.removeprefix(NEW_MAP)
        if key != code:
            return next((new.name for new in self.province.communes_2025 if new.code == code), key)
        communes = (commune for district in self.districts.values() for commune in district.communes)
        return next((commune.name for commune in communes if commune.code == code), key)

    def commune_since_2025(self, key: str) -> str:
        """Return the key of the commune of July 2025 in which a commune lies; empty where the sources do not say."""
        if key.startswith(NEW_MAP):
            return key
        for district in self.districts.values():
            names = {c.name for c in (*district.communes, *district.later_names) if c.code == key}
            for new in self.province.communes_2025 if names else ():
                if names & set(new.origins.get(district.id, ())):
                    return f"{NEW_MAP}{new.code}"
        return ""

    def _mentions(self, typed: str) -> list[tuple[Place, ...]]:
        decoded = _tokens(decode_keystrokes(typed))
        for tokens, find in ((decoded, self._exact), (_tokens(typed), self._exact), (decoded, self._with_a_slip)):
            if mentions := list(self._narrowed(tokens, find(tokens))):
                return mentions
        return []

    def _narrowed(
        self, tokens: list[str], found: list[tuple[int, int, tuple[Place, ...]]]
    ) -> Iterator[tuple[Place, ...]]:
        for at, length, places in found:
            # The province's own name is also that of a ward; alone it says no more than "here".
            here = "".join(tokens[at : at + length]) == _key(self.province.name)
            if not here or _kind_before(tokens, at) == "commune":
                yield self._narrow(places, tokens, at)

    def _exact(self, tokens: list[str]) -> list[tuple[int, int, tuple[Place, ...]]]:
        """Find the names that stand there, the longest at each place, in order."""
        found, at = [], 0
        while at < len(tokens):
            for length in range(min(_LONGEST_NAME, len(tokens) - at), 0, -1):
                places = self._names.get("".join(tokens[at : at + length]))
                if places:
                    found.append((at, length, places))
                    at += length
                    break
            else:
                at += 1
        return found

    def _with_a_slip(self, tokens: list[str]) -> list[tuple[int, int, tuple[Place, ...]]]:
        """Find names that are nearly there, the likest first: only where no name stands exactly."""
        near = []
        for at, first in enumerate(tokens):
            if first in _PREFIX_OF:
                continue  # "huyện Bình …" is more like "Yên Bình" than it should be
            for length in range(1, min(_LONGEST_NAME, len(tokens) - at) + 1):
                candidate = "".join(tokens[at : at + length])
                if not _SHORTEST_SLIP <= len(candidate) <= _LONGEST_SLIP:
                    continue
                for name in difflib.get_close_matches(candidate, self._names, n=2, cutoff=_LIKENESS):
                    likeness = difflib.SequenceMatcher(None, name, candidate).ratio()
                    near.append((-likeness, at, length, self._names[name]))
        found: dict[int, tuple[float, int, int, tuple[Place, ...]]] = {}
        for likeness, at, length, places in sorted(near, key=lambda one: one[:3]):
            taken = range(at, at + length)
            if all(spot not in found for spot in taken):
                found.update(dict.fromkeys(taken, (likeness, at, length, places)))
            elif all(found.get(spot, (0.0, -1))[:2] == (likeness, at) for spot in taken):  # two names equally near
                both = tuple(dict.fromkeys((*found[at][3], *places)))
                found.update(dict.fromkeys(taken, (likeness, at, length, both)))
        return [(at, length, places) for _, at, length, places in dict.fromkeys(found[spot] for spot in sorted(found))]

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


def _tokens(typed: str) -> list[str]:
    return _WORD.findall(_GLUED.sub(r"\1 ", fold(typed)))


def _key(name: str) -> str:
    return "".join(_WORD.findall(fold(name)))


def _kind_before(tokens: list[str], at: int) -> str:
    """Name the level that the kind word before a name gives: district, commune, province or none."""
    pair = " ".join(tokens[max(0, at - 2) : at])
    return _PREFIX_OF.get(pair) or _PREFIX_OF.get(tokens[at - 1] if at else "", "")
