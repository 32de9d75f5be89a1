"""Outlines of places from a GeoJSON file: either winding, holes and islands; what cannot be drawn is named."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ContentError
from bot.library.outlines import MAX_BYTES, Outlines, Ring, load_outlines
from bot.library.regions import load_regions
from tests.conftest import ROOT

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
DISTRICTS = [district.code for district in REGIONS.districts.values()]
COMMUNES = [commune.code for commune in REGIONS.province.communes_2025]
Coordinates = list[list[float]]


def square(east: float, north: float, side: float) -> Coordinates:
    """Return a ring that runs counter-clockwise, as RFC 7946 wants the outer one."""
    corners = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]
    return [[east + side * x, north + side * y] for x, y in corners]


def features(codes: list[str], *, turned: bool = False) -> dict[str, Any]:
    """Lay places side by side; the first has a hole and an island."""
    found = []
    for number, code in enumerate(codes):
        east, north = 105.3 + 0.05 * (number % 6), 21.2 + 0.05 * (number // 6)
        polygons = [[square(east, north, 0.04)]]
        if number == 0:
            polygons[0].append(square(east + 0.01, north + 0.01, 0.02)[::-1])
            polygons.append([square(east, north - 0.03, 0.01)])
        if turned:
            polygons = [[ring[::-1] for ring in polygon] for polygon in polygons]
        kind, coordinates = ("MultiPolygon", polygons) if number == 0 else ("Polygon", polygons[0])
        geometry = {"type": kind, "coordinates": coordinates}
        found.append({"type": "Feature", "properties": {"code": code}, "geometry": geometry})
    return {"type": "FeatureCollection", "features": found}


def written(folder: Path, content: object) -> str:
    path = folder / "map.geojson"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def area(ring: Ring) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring)) / 2


@pytest.mark.parametrize("turned", [False, True])
def test_rings_run_the_same_way_whichever_way_they_came(tmp_path: Path, turned: bool) -> None:
    outlines = load_outlines(written(tmp_path, features(DISTRICTS, turned=turned)), REGIONS)
    known = outlines.of(DISTRICTS)
    assert known is not None
    for outline in known.values():
        for outer, *holes in outline.polygons:
            assert area(outer) > 0
            assert all(area(hole) < 0 for hole in holes)
    assert [len(polygon) for polygon in known[DISTRICTS[0]].polygons] == [2, 1]


def test_plane_has_one_scale_both_ways(tmp_path: Path) -> None:
    outlines = load_outlines(written(tmp_path, features(DISTRICTS)), REGIONS)
    ring = outlines.by_code[DISTRICTS[1]].polygons[0][0]
    wide, high = ring[1][0] - ring[0][0], ring[2][1] - ring[1][1]
    assert high == pytest.approx(0.04)
    assert wide / high == pytest.approx(0.932, abs=0.002)  # a degree of longitude at 21.2° N


def test_label_stands_inside_its_place_and_in_no_hole(tmp_path: Path) -> None:
    outlines = load_outlines(written(tmp_path, features(DISTRICTS)), REGIONS)
    for code, outline in outlines.by_code.items():
        east, north = outline.label
        outer = outline.polygons[0][0]
        assert min(p[0] for p in outer) < east < max(p[0] for p in outer), code
        assert min(p[1] for p in outer) < north < max(p[1] for p in outer), code
    first = outlines.by_code[DISTRICTS[0]]
    hole, (east, north) = first.polygons[0][1], first.label
    inside = min(p[0] for p in hole) < east < max(p[0] for p in hole)
    assert not (inside and min(p[1] for p in hole) < north < max(p[1] for p in hole))


def test_file_may_hold_communes_alone_or_both(tmp_path: Path) -> None:
    communes = load_outlines(written(tmp_path, features(COMMUNES)), REGIONS)
    assert communes.of(COMMUNES) is not None
    assert communes.of(DISTRICTS) is None
    both = load_outlines(written(tmp_path, features([*DISTRICTS, *COMMUNES])), REGIONS)
    assert both.of(DISTRICTS) is not None
    assert both.of(COMMUNES) is not None


def test_no_file_means_no_outlines() -> None:
    assert load_outlines("", REGIONS) == Outlines()
    assert Outlines().of(DISTRICTS) is None


def one(**change: object) -> dict[str, Any]:
    """Return all districts, the first feature changed."""
    collection = features(DISTRICTS)
    collection["features"][0] = {**collection["features"][0], **change}
    return collection


def ring(*points: object) -> dict[str, Any]:
    return {"geometry": {"type": "Polygon", "coordinates": [list(points)]}}


FOUR = ([105, 21], [106, 21], [106, 22], [105, 21])
WRONG: list[tuple[object, str]] = [
    ("no json", "is no JSON."),
    ("[]", "is no GeoJSON FeatureCollection."),
    ({"type": "Feature"}, "is no GeoJSON FeatureCollection."),
    (features(DISTRICTS[:-1]), f"has no feature with the code {DISTRICTS[-1]}."),
    (features([*DISTRICTS, DISTRICTS[0]]), "the code 243 stands there twice."),
    (one(properties={}), "feature 1 needs a code"),
    (one(properties=None), "feature 1 needs a code"),
    (one(geometry=None), "feature 1 needs a code"),
    (one(geometry={"type": "Point", "coordinates": [105, 21]}), "feature 1 needs a code"),
    (one(geometry={"type": "Polygon", "coordinates": []}), "feature 1 needs a code"),
    (one(**ring(*FOUR[:3])), "feature 1 needs a code"),
    (one(**ring([567890, 2345678], *FOUR)), "feature 1 needs a code"),  # metres of VN-2000
    (one(**ring(["105", "21"], *FOUR)), "feature 1 needs a code"),
    (one(**ring(*FOUR * 16_000)), "has 64040 points; simplify it to 60000."),
    (" " * (MAX_BYTES + 1), "is larger than 5 MB."),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_drawn_is_named(tmp_path: Path, content: object, sentence: str) -> None:
    with pytest.raises(ContentError) as caught:
        load_outlines(written(tmp_path, content), REGIONS)
    assert sentence in str(caught.value)
    assert "map.geojson" in str(caught.value)


def test_missing_file_is_named() -> None:
    with pytest.raises(ContentError, match=r"no\.geojson: cannot be read"):
        load_outlines("no.geojson", REGIONS)
