"""Maps of the counts: districts by share, communes of July 2025 by number, as schematic tiles or with real outlines.

The desk and the chat ask for them; `bot.exports.vega` draws them. Each place carries its figure, so that no colour
needs to be told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.exports.charts import Chart, basic_notes, make_chart
from bot.exports.tables import Column, ExportTable, Kind, TabledChart
from bot.i18n.catalogue import Catalogue
from bot.library.outlines import Outline, Outlines
from bot.library.regions import NEW_MAP, Regions, Tile
from bot.statistics.counts import ProvinceCount, Tally

SHADES = 5


@dataclass(frozen=True, slots=True)
class _Place:
    """One place with its figure: `value` decides on the shade, None for a place outside the scope."""

    code: str
    name: str
    tile: Tile
    value: float | None
    label: str


def district_map(
    province: ProvinceCount, regions: Regions, catalogue: Catalogue, *, outlines: Outlines, attribution: str = ""
) -> TabledChart:
    """Show each district's share of its estimated adults; districts outside the scope stay blank."""
    t, counted = catalogue.t, {one.district: one for one in province.districts}
    few = t("fewer than {count}", count=province.step)
    places = []
    for district in regions.districts.values():
        one = counted.get(district.id)
        label, value = "", None
        if one is not None:
            label, value = catalogue.percent(one.share), one.share
            if province.step > 1 and not one.reports:
                label = few
        places.append(_Place(district.code, district.name, district.tile or (0, 0), value, label))
    columns = (
        Column(Kind.CODE, "code", t("District code")),
        Column(Kind.TEXT, "district", t("District")),
        Column(Kind.COUNT, "self_reported", t("Self-reported"), province.step),
        Column(Kind.PERCENT, "share_percent", t("Share of adults")),
    )
    rows: list[list[object]] = [
        [regions.districts[one.district].code, _capital(regions.districts[one.district].title(catalogue.language)),
         one.reports, round(100 * one.share, 3)]
        for one in province.districts
    ]  # fmt: skip
    title = t("Map of self-reported installations by district")
    notes = basic_notes(catalogue, province.day, province.step, over=province.over)
    notes.append(t("Share of the estimated adults."))
    chart = _map(title, notes, places, outlines, attribution, catalogue)
    return TabledChart(chart, ExportTable("map-districts", title, columns, rows))


def commune_map(
    tallies: Sequence[Tally],
    province: ProvinceCount,
    regions: Regions,
    catalogue: Catalogue,
    *,
    scope: frozenset[str] | None,
    outlines: Outlines,
    attribution: str = "",
) -> TabledChart:
    """Show how many people of each commune of July 2025 reported; `tallies` are those of the view commune-2025."""
    t = catalogue.t
    reports: dict[str, int] = defaultdict(int)
    for tally in tallies:
        reports[tally.key.removeprefix(NEW_MAP)] += tally.reports
    least = 2 * province.step if province.step > 1 else 1
    places, rows = [], list[list[object]]()
    for commune in regions.province.communes_2025:
        within = scope is None or bool(set(commune.origins) & scope)
        count = reports[commune.code]
        label = t("<{count}", count=least) if least > 1 and not count else catalogue.number(count)
        value = float(count) if within else None
        places.append(_Place(commune.code, commune.name, commune.tile or (0, 0), value, label if within else ""))
        if within:
            rows.append([commune.code, f"{_capital(commune.kind)} {commune.name}", count])
    columns = (
        Column(Kind.CODE, "code", t("Commune code")),
        Column(Kind.TEXT, "commune", t("Commune")),
        Column(Kind.COUNT, "self_reported", t("Self-reported"), least),
    )
    title = t("Map of self-reported installations by commune")
    notes = basic_notes(catalogue, province.day, province.step, over=province.over)
    if unplaced := reports[""]:
        notes.append(
            t("{count} named no commune, or one whose new one is not known.", count=catalogue.number(unplaced))
        )
    chart = _map(title, notes, places, outlines, attribution, catalogue)
    return TabledChart(chart, ExportTable("map-communes", title, columns, rows))


def _map(
    title: str,
    notes: list[str],
    places: Sequence[_Place],
    outlines: Outlines,
    attribution: str,
    catalogue: Catalogue,
) -> Chart:
    t = catalogue.t
    said = [f"{place.name}: {place.label}" for place in places if place.value is not None]
    most = max((place.value for place in places if place.value), default=0.0)
    drawn = outlines.of([place.code for place in places])
    if drawn is not None:
        notes = [*notes, t("The darker, the more."), attribution]
        rows = [_outlined(place, drawn[place.code], most) for place in places]
        return make_chart("outlines", catalogue, title, notes, said, rows=rows)
    notes = [*notes, t("The darker, the more. A schematic map: places as they lie to each other, not to scale.")]
    rows = [{**_marked(place, most), "x": place.tile[0], "y": place.tile[1]} for place in places]
    return make_chart("tiles", catalogue, title, notes, said, rows=rows)


def _marked(place: _Place, most: float) -> dict[str, object]:
    """Return what is drawn of a place: 0 for a blank one, else a shade from 1 on."""
    shade = 0
    if place.value is not None:
        shade = max(1, -int(-SHADES * place.value // most)) if most else 1
    return {"name": place.name, "label": place.label, "shade": shade}


def _outlined(place: _Place, outline: Outline, most: float) -> dict[str, object]:
    rings: Mapping[str, object] = {"type": "MultiPolygon", "coordinates": outline.polygons}
    return {**_marked(place, most), "outline": rings, "x": outline.label[0], "y": outline.label[1]}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
