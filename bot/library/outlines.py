"""Outlines of districts and communes from a GeoJSON file that the operator names, ready to be drawn on a plane.

Charts of maps use them in the place of schematic tiles. Rings of either direction are accepted and turned, so that
holes stay holes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from bot.errors import ContentError, Problem
from bot.library.regions import Regions
from bot.yaml_document import shown_path

MAX_BYTES, MAX_POINTS = 5_000_000, 60_000
_SCAN_LINES = 9  # at which the widest place for a label is looked for

Point = tuple[float, float]
Ring = list[Point]
Polygon = list[Ring]  # the outer ring, then holes


@dataclass(frozen=True, slots=True)
class Outline:
    """One place: its polygons in a plane with equal scale both ways, north up, and where its label stands."""

    polygons: tuple[Polygon, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Outlines:
    """All outlines by the code of their place."""

    by_code: Mapping[str, Outline] = field(repr=False, default_factory=dict)

    def of(self, codes: Sequence[str]) -> Mapping[str, Outline] | None:
        """Return the outlines of some places; None unless all of them are known."""
        return {code: self.by_code[code] for code in codes} if all(code in self.by_code for code in codes) else None


def load_outlines(path: str, regions: Regions) -> Outlines:
    """Load the file; no outlines for an empty path. Raise ContentError for what cannot be drawn.

    A file must hold all districts, or all communes of July 2025, or both.
    """
    if not path:
        return Outlines()
    name = shown_path(Path(path))
    features = _features(Path(path), name)
    north = [point[1] for polygons in features.values() for polygon in polygons for ring in polygon for point in ring]
    shrink = math.cos(math.radians((min(north) + max(north)) / 2)) if north else 1.0
    outlines = Outlines({code: _outline(polygons, shrink) for code, polygons in features.items()})
    districts = [district.code for district in regions.districts.values()]
    communes = [commune.code for commune in regions.province.communes_2025]
    if outlines.of(districts) is None and outlines.of(communes) is None:
        missing = [code for code in districts if code not in features]
        raise ContentError([Problem(name, 0, f"has no feature with the code {', '.join(missing)}.")])
    return outlines


def _features(path: Path, name: str) -> dict[str, list[Polygon]]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ContentError([Problem(name, 0, f"is larger than {MAX_BYTES // 1_000_000} MB.")])
        read = orjson.loads(content)
    except OSError as error:
        raise ContentError([Problem(name, 0, f"cannot be read: {error.strerror}.")]) from None
    except orjson.JSONDecodeError as error:
        raise ContentError([Problem(name, error.lineno, "is no JSON.")]) from None
    found: dict[str, list[Polygon]] = {}
    problems: list[Problem] = []
    features = read.get("features") if isinstance(read, dict) and read.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        raise ContentError([Problem(name, 0, "is no GeoJSON FeatureCollection.")])
    for number, feature in enumerate(features, 1):
        try:
            code = str(feature["properties"]["code"])
            polygons = _polygons(feature["geometry"])
        except (KeyError, TypeError, ValueError, IndexError):
            problems.append(Problem(name, 0, f"feature {number} needs a code and a Polygon or MultiPolygon in WGS84."))
            continue
        if code in found:
            problems.append(Problem(name, 0, f"the code {code} stands there twice."))
        found[code] = polygons
    points = sum(len(ring) for polygons in found.values() for polygon in polygons for ring in polygon)
    if points > MAX_POINTS:
        problems.append(Problem(name, 0, f"has {points} points; simplify it to {MAX_POINTS}."))
    if problems:
        raise ContentError(problems)
    return found


def _polygons(geometry: dict[str, Any]) -> list[Polygon]:
    """Read the polygons of a geometry; raise ValueError for another one, or for coordinates that are none."""
    kind, coordinates = geometry["type"], geometry["coordinates"]
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError(kind)
    polygons = [coordinates] if kind == "Polygon" else coordinates
    read = [[[_point(point) for point in ring] for ring in polygon] for polygon in polygons]
    if not read or not all(polygon and all(len(ring) >= 4 for ring in polygon) for polygon in read):
        raise ValueError("no area")
    return read


def _point(coordinates: Sequence[object]) -> Point:
    east, north = coordinates[:2]
    if isinstance(east, bool) or not isinstance(east, int | float) or not isinstance(north, int | float):
        raise ValueError("no numbers")
    if not (-180 <= east <= 180 and -90 <= north <= 90):
        raise ValueError("no degrees")
    return float(east), float(north)


def _outline(polygons: Sequence[Polygon], shrink: float) -> Outline:
    """Lay a place on the plane: degrees of longitude become as long as those of latitude."""
    plane = tuple(
        [
            _turned([(east * shrink, north) for east, north in ring], counter_clockwise=number == 0)
            for number, ring in enumerate(polygon)
        ]
        for polygon in polygons
    )
    largest = max(plane, key=lambda polygon: abs(_area(polygon[0])))
    return Outline(plane, _label_point(largest))


def _turned(ring: Ring, *, counter_clockwise: bool) -> Ring:
    return ring if (_area(ring) > 0) == counter_clockwise else ring[::-1]


def _area(ring: Ring) -> float:
    """Return the signed area, positive for a ring that runs counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise([*ring, ring[0]])) / 2


def _label_point(polygon: Polygon) -> Point:
    """Return the middle of the widest line through a polygon, from west to east."""
    heights = [point[1] for point in polygon[0]]
    low, high = min(heights), max(heights)
    widest = (-1.0, polygon[0][0])
    for number in range(1, _SCAN_LINES + 1):
        # A little off the round parts, so that no corner lies on the line.
        height = low + (high - low) * (number / (_SCAN_LINES + 1) + 0.0007)
        crossings = sorted(x for ring in polygon for x in _crossings(ring, height))
        for west, east in zip(crossings[::2], crossings[1::2], strict=False):
            widest = max(widest, (east - west, ((west + east) / 2, height)))
    return widest[1]


def _crossings(ring: Ring, height: float) -> Iterator[float]:
    for (ax, ay), (bx, by) in itertools.pairwise([*ring, ring[0]]):
        if (ay > height) != (by > height):
            yield ax + (height - ay) / (by - ay) * (bx - ax)
