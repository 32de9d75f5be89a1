"""Maps: each place with its figure, coarse where it must be, as tiles and with outlines that are drawn right."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from bot.exports import charts
from bot.exports.maps import commune_map, district_map
from bot.exports.tables import TabledChart
from bot.library.outlines import Outlines, load_outlines
from bot.library.regions import NEW_MAP
from bot.statistics.counts import Tally
from tests.exports.test_charts import EN, REGIONS, VI, province
from tests.library.test_outlines import COMMUNES, DISTRICTS, features, written

SOURCE = "Ranh giới: tự vẽ để thử"


def described(shown: TabledChart) -> dict[str, object]:
    found: dict[str, object] = json.loads(shown.chart.description)
    return found


def picture(shown: TabledChart) -> Image.Image:
    return Image.open(io.BytesIO(asyncio.run(charts.draw(shown.chart)))).convert("RGB")


def communes(**reports: int) -> list[Tally]:
    return [Tally(f"{NEW_MAP}{code.removeprefix('c')}", count, "yen-lac") for code, count in reports.items()]


def test_every_district_and_commune_has_a_tile_of_its_own() -> None:
    for places in (REGIONS.districts.values(), REGIONS.province.communes_2025):
        tiles = [place.tile for place in places]
        assert None not in tiles
        assert len(set(tiles)) == len(tiles)
    # A few neighbours, so that no column or row is turned around.
    tile = {district.id: district.tile for district in REGIONS.districts.values()}
    assert tile["song-lo"] < tile["lap-thach"] < tile["tam-dao"]  # type: ignore[operator]
    assert tile["tam-dao"][1] < tile["vinh-yen"][1] < tile["yen-lac"][1]  # type: ignore[index]


def test_district_map_says_each_share_in_words_and_table() -> None:
    shown = district_map(province(), REGIONS, VI, outlines=Outlines())
    assert "Bình Xuyên: 25,00%" in shown.chart.alt
    assert "không phải số liệu chính thức" in shown.chart.alt
    rows = {row["code"]: row for row in shown.table.records()}
    assert len(rows) == 9
    assert rows["249"]["share_percent"] == 25.0
    description = described(shown)
    assert description["chart"] == "tiles"
    assert {row["shade"] for row in description["rows"]} <= set(range(6))  # type: ignore[attr-defined]


def test_district_below_the_step_shows_no_figure() -> None:
    shown = district_map(province(), REGIONS, EN, outlines=Outlines())
    assert "Vĩnh Yên: fewer than 5" in shown.chart.alt


def test_commune_map_hides_small_parts_and_other_districts() -> None:
    tallies = [*communes(c09025=30, c09040=0), Tally("", 12, "yen-lac")]
    shown = commune_map(
        tallies, province(), REGIONS, VI, scope=frozenset(["yen-lac"]), outlines=Outlines()
    )  # fmt: skip
    assert "Yên Lạc: 30" in shown.chart.alt
    assert "Tề Lỗ: <10" in shown.chart.alt
    assert "Vĩnh Yên" not in shown.chart.alt
    assert "12 người không nêu xã" in shown.chart.alt
    labels = {row["name"]: row["label"] for row in described(shown)["rows"]}  # type: ignore[attr-defined]
    assert labels["Vĩnh Yên"] == ""
    assert len(labels) == 36
    assert {row["code"] for row in shown.table.records()} == {
        commune.code for commune in REGIONS.province.communes_2025 if "yen-lac" in commune.origins
    }


def test_commune_of_two_districts_counts_both_parts() -> None:
    tallies = [Tally(f"{NEW_MAP}08866", 20, "lap-thach"), Tally(f"{NEW_MAP}08866", 15, "song-lo")]
    shown = commune_map(tallies, province(), REGIONS, VI, scope=None, outlines=Outlines())
    assert "Sơn Đông: 35" in shown.chart.alt


@pytest.fixture(scope="module")
def outlines(tmp_path_factory: pytest.TempPathFactory) -> Outlines:
    path = written(tmp_path_factory.mktemp("map"), features([*DISTRICTS, *COMMUNES]))
    return load_outlines(path, REGIONS)


def test_outlines_take_the_place_of_tiles_with_their_source(outlines: Outlines) -> None:
    for shown in (
        district_map(province(), REGIONS, VI, outlines=outlines, attribution=SOURCE),
        commune_map([], province(), REGIONS, VI, scope=None, outlines=outlines, attribution=SOURCE),
    ):
        assert described(shown)["chart"] == "outlines"
        assert SOURCE in shown.chart.alt
        assert SOURCE in " ".join(described(shown)["notes"])  # type: ignore[arg-type]


def test_either_winding_draws_the_same_picture_with_its_hole(tmp_path: Path) -> None:
    pictures = []
    for turned in (False, True):
        known = load_outlines(written(tmp_path, features(DISTRICTS, turned=turned)), REGIONS)
        pictures.append(picture(district_map(province(), REGIONS, VI, outlines=known, attribution=SOURCE)))
    assert pictures[0].tobytes() == pictures[1].tobytes()
    # All squares but the white hole of the first are filled: a wrong winding would fill the page, or the hole.
    colours = {colour: count for count, colour in pictures[0].getcolors(maxcolors=1 << 16) or []}
    white = colours[(255, 255, 255)]
    filled = sum(count for colour, count in colours.items() if colour[2] > colour[0] + 20)
    assert filled > 60_000
    assert white > filled


@pytest.mark.parametrize("language", ["vi", "en"])
def test_maps_are_drawn_with_nothing_beyond_the_edge(outlines: Outlines, language: str) -> None:
    catalogue = {"vi": VI, "en": EN}[language]
    for known in (Outlines(), outlines):
        for shown in (
            district_map(province(), REGIONS, catalogue, outlines=known, attribution=SOURCE),
            commune_map(communes(c09025=30), province(), REGIONS, catalogue, scope=None, outlines=known,
                        attribution=SOURCE),
        ):  # fmt: skip
            drawn = picture(shown)
            assert 880 <= drawn.width <= 920
            assert 500 < drawn.height < 2000
            edge = [drawn.getpixel((x, y)) for x in (0, drawn.width - 1) for y in range(drawn.height)]
            assert set(edge) == {(255, 255, 255)}
