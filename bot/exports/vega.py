"""The charts and maps as Vega-Lite specifications, and the program that renders one: description in, picture out.

Runs as a process of its own (`python -m bot.exports.vega png|svg`), because the renderer holds Python's lock while it
works and takes 140 MB that the bot gets back this way. All words and figures come ready from `charts.py`; nothing here
knows a language.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

FONTS = Path(__file__).resolve().parent / "fonts"
FONT = "Be Vietnam Pro"
# Half the pixels of the PNG: 900 px wide, so that the smallest type is still 12 px high on a phone.
WIDTH, SCALE = 450, 2
_ROW, _BIG, _SMALL = 38, 15, 13
_PADDING, _LETTER, _SHORTEST_BAR = 14, 8.4, 40  # a letter of the big type is rarely wider
_LEAST = 4  # the scale of people ends no lower, so that it has no halves
# Blue and vermilion of Okabe and Ito, told apart with every kind of colour vision, and different in grey as well.
_BLUE, _RED, _TRACK, _INK, _FAINT = "#0072B2", "#D55E00", "#E3E7EC", "#1B1F24", "#57606A"
# Shades of the blue, from a place without a figure to the most; letters on the last two are white.
_SHADES, _FIRST_DARK = ("#EEF1F4", "#DCEBF5", "#B5D5EA", "#7FB5D9", "#2F86BF", "#005B8F"), 4
_FRAME = "#FFFFFF"
_GRID_ROOM = WIDTH - 2 * 14

Description = Mapping[str, Any]


def ranking(described: Description) -> alt.LayerChart:
    """Bars by district, longest first, the figures beside them."""
    import altair as alt

    rows = _data(described["rows"])
    longest = max([row["share"] for row in described["rows"]], default=0) or 1
    base = alt.Chart(rows).encode(y=_rows())
    scale = alt.Scale(domain=[0, longest * _room(described)], nice=False)
    bars = base.mark_bar(color=_BLUE, cornerRadiusEnd=3, height=22).encode(x=alt.X("share:Q", scale=scale, axis=None))
    return _finished(described, bars, _labels(base, "share", scale))


def growth(described: Description) -> alt.LayerChart:
    """A bar for each day or week, with a mark where something was sent to people."""
    import altair as alt

    rows, marks = described["rows"], described["marks"]
    days = [row["day"] for row in rows]
    every = max(1, -(-len(days) // 6))
    axis = alt.Axis(
        values=days[(len(days) - 1) % every :: every],
        labelExpr="substring(datum.value, 8, 10) + '/' + substring(datum.value, 5, 7)",
        labelAngle=0,
        labelOverlap=True,
        title=None,
        ticks=False,
        domain=False,
    )
    top = max([_LEAST, *[row["new"] for row in rows]])
    low = min([0, *[row["new"] for row in rows]])
    scale = alt.Scale(domain=[low, top * (1.22 if marks else 1.05)], nice=False)
    x = alt.X("day:O", axis=axis, scale=alt.Scale(domain=days, paddingInner=0.15, paddingOuter=0.1))
    bars = (
        alt.Chart(_data(rows))
        .mark_bar(color=_BLUE)
        .encode(
            x=x,
            y=alt.Y("new:Q", scale=scale, axis=alt.Axis(title=None, format=",d", tickCount=4, tickMinStep=1)),
        )
    )
    layers = [bars]
    if marks:
        marked = alt.Chart(_data(marks)).encode(x=x)
        layers += [
            marked.mark_rule(color=_RED, strokeDash=[4, 3], strokeWidth=1.5),
            marked.mark_text(
                color=_RED, fontSize=_SMALL, fontWeight=600, baseline="top", dy=2, dx=3, align="left", clip=False
            ).encode(y=alt.value(0), text="label:N"),
        ]
    return _finished(described, *layers, height=290)


def progress(described: Description) -> alt.LayerChart:
    """Bars within a track that is the goal, and the pace it takes from here."""
    import altair as alt

    rows = [{**row, "goal": 1, "filled": min(1, row["share"])} for row in described["rows"]]
    base = alt.Chart(_data(rows)).encode(y=_rows())
    scale = alt.Scale(domain=[0, _room(described)], nice=False)
    track = base.mark_bar(color=_TRACK, cornerRadiusEnd=3, height=22).encode(x=alt.X("goal:Q", scale=scale, axis=None))
    filled = base.mark_bar(color=_BLUE, cornerRadiusEnd=3, height=22).encode(
        x=alt.X("filled:Q", scale=scale, axis=None)
    )
    return _finished(described, track, filled, _labels(base, "goal", scale))


def funnel(described: Description) -> alt.LayerChart:
    """One bar for each step, from the first contact to the report."""
    import altair as alt

    longest = max([row["people"] for row in described["rows"]], default=0) or 1
    base = alt.Chart(_data(described["rows"])).encode(y=_rows())
    scale = alt.Scale(domain=[0, longest * _room(described)], nice=False)
    bars = base.mark_bar(color=_BLUE, cornerRadiusEnd=3, height=22).encode(x=alt.X("people:Q", scale=scale, axis=None))
    return _finished(described, bars, _labels(base, "people", scale))


def tiles(described: Description) -> alt.LayerChart:
    """A schematic map: a square for each place, with its name and figure."""
    rows = described["rows"]
    columns, lines = max(row["x"] for row in rows) + 1, max(row["y"] for row in rows) + 1
    side = _GRID_ROOM / columns
    height = min(side, 74) if columns < 6 else side * 1.3
    placed = [
        {**row, "left": row["x"] / columns, "right": (row["x"] + 1) / columns, "top": row["y"] / lines,
         "bottom": (row["y"] + 1) / lines}
        for row in rows
    ]  # fmt: skip
    return _cells(described, placed, height * lines, small=columns >= 6)


def matrix(described: Description) -> alt.LayerChart:
    """A table whose cells are shaded: things down, steps or weeks across."""
    import altair as alt

    rows = [{**row, "fill": _SHADES[row["shade"]], "ink": _ink(row["shade"])} for row in described["rows"]]
    names, columns = list(dict.fromkeys(row["row"] for row in rows)), described["columns"]
    many = len(columns) > 6
    lines: dict[str, Any] = {
        "title": None, "ticks": False, "domain": False, "grid": False, "labelExpr": "split(datum.label, '\\n')",
    }  # fmt: skip
    head_lines = max(name.count("\n") for name in columns)
    across = alt.Axis(
        orient="top", labelFontSize=11, labelLineHeight=13, labelPadding=6 + 13 * head_lines, labelOverlap=False,
        labelAngle=-90 if many else 0, **lines,
    )  # fmt: skip
    # The axis keeps the room; the names are drawn by themselves, since an axis hangs a second line below the middle.
    down = alt.Axis(labelFontSize=12, labelLimit=180, labelPadding=8, labelOpacity=0, **lines)
    place: dict[str, Any] = {
        "x": alt.X("column:N", sort=None, axis=across, scale=alt.Scale(domain=columns, padding=0)),
        "y": alt.Y("row:N", sort=None, axis=down, scale=alt.Scale(domain=names, padding=0)),
    }
    base = alt.Chart(_data(rows)).encode(**place)
    squares = base.mark_rect(stroke=_FRAME, strokeWidth=2, cornerRadius=4).encode(fill=alt.Fill("fill:N", scale=None))
    texts = base.mark_text(fontSize=11 if many else 12, fontWeight=600).encode(
        text="label:N", color=alt.Color("ink:N", scale=None)
    )
    titles = [
        alt.Chart(_data([{"row": name} for name in names if name.count("\n") == breaks]))
        .mark_text(align="right", dx=-8, dy=-7 * breaks, fontSize=12, color=_INK, lineBreak="\n", lineHeight=14)
        .encode(x=alt.value(0), y=place["y"], text="row:N")
        for breaks in sorted({name.count("\n") for name in names})
    ]
    tall = 36 if any("\n" in name for name in names) else 28
    height = tall * len(names) + _heading_height(described) + 40 + 13 * head_lines
    return _finished(described, squares, texts, *titles, height=height)


def bars(described: Description) -> alt.LayerChart:
    """Bars below their names, which may be long sentences."""
    import altair as alt

    rows = described["rows"]
    longest = max([row["value"] for row in rows], default=0) or 1
    scale = alt.Scale(domain=[0, longest * _label_room(rows)], nice=False)
    base = alt.Chart(_data(rows)).encode(y=alt.Y("name:N", sort=None, axis=None, scale=alt.Scale(padding=0)))
    x = alt.X("value:Q", scale=scale, axis=None)
    drawn = base.mark_bar(color=_BLUE, cornerRadiusEnd=3, height=16, yOffset=9).encode(x=x)
    figures = base.mark_text(align="left", dx=7, dy=9, color=_INK, fontSize=_SMALL).encode(x=x, text="label:N")
    names = base.mark_text(align="left", dy=-11, color=_INK, fontSize=_SMALL, limit=_GRID_ROOM).encode(
        x=alt.value(0), text="name:N"
    )
    return _finished(described, drawn, figures, names, height=46 * len(rows) + _heading_height(described))


def _label_room(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return how much wider than the longest bar the plot must be for the longest label."""
    labels = max((len(row["label"]) for row in rows), default=0) * 7.4 + 14
    return _GRID_ROOM / max(_SHORTEST_BAR, _GRID_ROOM - labels)


def outlines(described: Description) -> alt.LayerChart:
    """A map with real outlines, the name and figure of each place in its middle."""
    import altair as alt

    rows = [{**row, "fill": _SHADES[row["shade"]], "ink": _ink(row["shade"])} for row in described["rows"]]
    shapes = [
        {"type": "Feature", "geometry": row["outline"], "properties": {"fill": row["fill"]}, "fill": row["fill"]}
        for row in rows
    ]
    flat: dict[str, Any] = {"type": "identity", "reflectY": True}
    areas = (
        alt.Chart(_data(shapes))
        .mark_geoshape(stroke=_FRAME, strokeWidth=1.5)
        .encode(fill=alt.Fill("fill:N", scale=None))
        .project(**flat)
    )
    points = [{key: row[key] for key in ("x", "y", "name", "label", "ink", "fill")} for row in rows]
    small, place = len(rows) > 12, alt.Chart(_data(points)).encode(longitude="x:Q", latitude="y:Q").project(**flat)
    texts: list[Any] = []
    for text, dy, size in (("name:N", -7, 8 if small else 11), ("label:N", 8, 9 if small else _SMALL)):
        ink, ground = alt.Color("ink:N", scale=None), alt.Stroke("fill:N", scale=None)
        # A long name may leave its place: its ground goes with it.
        texts.append(
            place.mark_text(dy=dy, fontSize=size, fontWeight=600, strokeWidth=3).encode(text=text, stroke=ground)
        )
        texts.append(place.mark_text(dy=dy, fontSize=size, fontWeight=600).encode(text=text, color=ink))
    return _finished(described, areas, *texts, height=_map_height(described["rows"]))


def _map_height(rows: Sequence[Mapping[str, Any]]) -> int:
    points = [p for row in rows for polygon in row["outline"]["coordinates"] for ring in polygon for p in ring]
    wide = max(p[0] for p in points) - min(p[0] for p in points)
    high = max(p[1] for p in points) - min(p[1] for p in points)
    return int(_GRID_ROOM * high / wide) + 110


def _cells(
    described: Description, rows: Sequence[Mapping[str, Any]], height: float, *around: Any, small: bool
) -> alt.LayerChart:
    """Draw cells at fractions of the plot, each with its name above its figure."""
    import altair as alt

    values = [
        {**row, "fill": _SHADES[row["shade"]], "ink": _ink(row["shade"]),
         "name": row["name"].replace(" ", "\n") if small else row["name"],
         "middle": (row["left"] + row["right"]) / 2, "center": (row["top"] + row["bottom"]) / 2}
        for row in rows
    ]  # fmt: skip
    across, down = alt.Scale(domain=[0, 1], nice=False), alt.Scale(domain=[1, 0], nice=False)
    base = alt.Chart(_data(values))
    squares = base.mark_rect(stroke=_FRAME, strokeWidth=2, cornerRadius=4).encode(
        x=alt.X("left:Q", scale=across, axis=None),
        x2="right:Q",
        y=alt.Y("top:Q", scale=down, axis=None),
        y2="bottom:Q",
        fill=alt.Fill("fill:N", scale=None),
    )
    named = any(row["name"] for row in rows)
    name_size, figure_size = (10.5, 12) if small else (13, _BIG)
    middle: dict[str, Any] = {
        "x": alt.X("middle:Q", scale=across, axis=None),
        "y": alt.Y("center:Q", scale=down, axis=None),
    }
    ink = alt.Color("ink:N", scale=None)
    texts = [
        base.mark_text(
            dy=(21 if small else 11) if named else 0, fontSize=figure_size, fontWeight=600, baseline="middle"
        ).encode(**middle, text="label:N", color=ink)
    ]
    if named:
        texts.append(
            base.mark_text(
                dy=-22 if small else -10, fontSize=name_size, lineBreak="\n", lineHeight=12, baseline="middle"
            ).encode(**middle, text="name:N", color=ink)
        )
    return _finished(described, squares, *texts, *around, height=round(height) + _heading_height(described))


def _ink(shade: int) -> str:
    return "#FFFFFF" if shade >= _FIRST_DARK else _INK


def _heading_height(described: Description) -> int:
    return 18 * len(described["notes"]) + 24 * len(described["title"]) + 20


CHARTS: Mapping[str, Callable[[Description], alt.LayerChart]] = {
    "ranking": ranking,
    "growth": growth,
    "progress": progress,
    "funnel": funnel,
    "tiles": tiles,
    "outlines": outlines,
    "matrix": matrix,
    "bars": bars,
}


def specification(described: Description) -> dict[str, Any]:
    """Write a chart as the Vega-Lite it is rendered from."""
    written: dict[str, Any] = CHARTS[described["chart"]](described).to_dict()
    return written


def render(described: Description, form: str) -> bytes:
    """Render a chart as png or svg."""
    import vl_convert

    vl_convert.register_font_directory(str(FONTS))
    decimal, thousands = described["separators"]
    options: dict[str, Any] = {
        "vl_spec": specification(described),
        "format_locale": {"decimal": decimal, "thousands": thousands, "grouping": [3], "currency": ["", ""]},
    }
    if form == "svg":
        drawn: str = vl_convert.vegalite_to_svg(**options)
        return drawn.encode()
    picture: bytes = vl_convert.vegalite_to_png(**options, scale=SCALE)
    return picture


def _data(rows: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.InlineData(values=rows)


def _room(described: Description) -> float:
    """Return how much wider than the longest bar the plot must be, so that the longest label fits behind it."""
    names = max(len(row["name"]) for row in described["rows"]) * _LETTER + 8
    labels = max(len(row["label"]) for row in described["rows"]) * _LETTER + 14
    plot = WIDTH - 2 * _PADDING - names
    return plot / max(_SHORTEST_BAR, plot - labels)


def _rows() -> Any:
    import altair as alt

    axis = alt.Axis(title=None, ticks=False, domain=False, labelLimit=190, labelPadding=8, labelColor=_INK)
    return alt.Y("name:N", sort=None, axis=axis)


def _labels(base: alt.Chart, field: str, scale: alt.Scale) -> Any:
    import altair as alt

    return base.mark_text(align="left", dx=7, color=_INK, fontSize=_BIG).encode(
        x=alt.X(f"{field}:Q", scale=scale, axis=None), text="label:N"
    )


def _finished(described: Description, *layers: Any, height: int = 0) -> alt.LayerChart:
    import altair as alt

    title = alt.TitleParams(
        text=described["title"],
        subtitle=described["notes"],
        anchor="start",
        frame="bounds",
        font=FONT,
        fontSize=19,
        fontWeight=800,
        color=_INK,
        subtitleFont=FONT,
        subtitleFontSize=_SMALL,
        subtitleColor=_FAINT,
        subtitleLineHeight=18,
        subtitlePadding=6,
        offset=14,
        lineHeight=24,
    )
    drawn: alt.LayerChart = (
        alt.layer(*layers)
        .properties(
            title=title,
            width=WIDTH,
            height=height or _ROW * len(described["rows"]) + 26 * (len(described["notes"]) + len(described["title"])),
            autosize=alt.AutoSizeParams(type="fit", contains="padding"),
            padding={"left": _PADDING, "right": _PADDING, "top": _PADDING, "bottom": 12},
            background="white",
            description=described["alt"],
        )
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelFont=FONT, labelFontSize=_BIG, labelColor=_FAINT, gridColor=_TRACK, domainColor=_TRACK, titleFont=FONT
        )
    )
    return drawn


if __name__ == "__main__":
    sys.stdout.buffer.write(render(json.load(sys.stdin.buffer), sys.argv[1]))
