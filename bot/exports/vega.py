"""The four charts as Vega-Lite specifications, and the program that renders one: description in, picture out.

Runs as a process of its own (`python -m bot.exports.vega png|svg`), because the renderer holds Python's lock while it
works and takes 140 MB that the bot gets back this way. All words and figures come ready from `charts.py`; nothing here
knows a language.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
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


CHARTS: Mapping[str, Callable[[Description], alt.LayerChart]] = {
    "ranking": ranking,
    "growth": growth,
    "progress": progress,
    "funnel": funnel,
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
