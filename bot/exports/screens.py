"""Drawn screens of guided walks: a schematic telephone with the thing to press marked, as SVG and PNG.

A reply names its picture (`bot.library.guides.screen_name`); the outbox and the web chat have it drawn. A picture
depends on the content alone and is drawn once.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bot.i18n.catalogue import Catalogue, mark
from bot.library.articles import Library
from bot.library.guides import MAY_DIFFER, GuideStep, ScreenElement, read_screen_name

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
KEPT = 512  # pictures, about 15 kB each; two themes and two languages of every step
WIDTH, SCALE = 360, 2  # a telephone's width, sharp on its screen
_COLOURS = 48  # flat drawings lose nothing, and a picture has a third of the bytes
_FONTS = Path(__file__).resolve().parent / "fonts"
_FONT = "Be Vietnam Pro"
_WEIGHTS = {400: "Regular", 600: "SemiBold"}
_EDGE, _BODY, _GAP = 10, 28, 22  # margin of the telephone, of what stands on it, between two elements
_LEAST_HEIGHT = 250  # else it is no telephone any more
_LINE = 1.34  # height of a line: stacked marks and dots below must not touch
_LABEL, _NOTE, _HEAD, _TAG = 19, 15, 18, 15  # type sizes


@dataclass(frozen=True, slots=True)
class _Colours:
    ground: str
    body: str
    frame: str
    head: str
    on_head: str
    ink: str
    faint: str
    line: str
    fill: str
    key: str
    on_key: str


_PALETTES: Mapping[Theme, _Colours] = {
    "light": _Colours(
        ground="#ffffff", body="#fbfcfd", frame="#3c4650", head="#3f5f7d", on_head="#ffffff", ink="#1b1f24",
        faint="#4c5661", line="#8a949e", fill="#e3e9ef", key="#b34400", on_key="#ffffff",
    ),
    "dark": _Colours(
        ground="#1c2827", body="#101817", frame="#9fb0ac", head="#35536e", on_head="#ffffff", ink="#f0f5f4",
        faint="#c3cfcc", line="#7f908c", fill="#2c3d3b", key="#ffab66", on_key="#1a0d00",
    ),
}  # fmt: skip
# What is to be done with an element of a kind, as the mark beside it says.
_DO: Mapping[str, str] = {
    "button": mark("Tap here"),
    "icon": mark("Tap here"),
    "tab": mark("Tap here"),
    "switch": mark("Tap here"),
    "tick": mark("Tap here"),
    "list": mark("Choose here"),
    "field": mark("Type here"),
    "text": mark("Look here"),
    "code": mark("Look here"),
    "scan": mark("Scan here"),
    "card": mark("Hold it here"),
}


class Screens:
    """The pictures of a library's guides, drawn when they are asked for and kept."""

    def __init__(self, library: Callable[[], Library], catalogues: Mapping[str, Catalogue]) -> None:
        self._library, self._catalogues = library, catalogues

    def picture(self, name: str, theme: Theme = "light") -> bytes:
        """Return the PNG of a name that `screen_name` made; empty when its step is gone. Takes about 30 ms once."""
        guide_id, step_id, language = read_screen_name(name)
        guide, catalogue = self._library().guides.get(guide_id), self._catalogues.get(language)
        step = next((step for step in guide.steps if step.id == step_id), None) if guide else None
        if step is None or step.screen is None or catalogue is None:
            return b""
        return render(draw(step, catalogue, theme))


@lru_cache(KEPT)
def render(svg: str) -> bytes:
    """Make a drawing a PNG with few colours."""
    import vl_convert
    from PIL import Image

    _register_fonts()
    picture = Image.open(io.BytesIO(vl_convert.svg_to_png(svg, scale=SCALE))).convert("RGB")
    written = io.BytesIO()
    picture.quantize(_COLOURS, dither=Image.Dither.NONE).save(written, "png", optimize=True)
    return written.getvalue()


def draw(step: GuideStep, catalogue: Catalogue, theme: Theme = "light") -> str:
    """Draw the screen of a step as SVG; an unsure one looks sketched and says that it may differ."""
    assert step.screen is not None
    pen = _Pen(_PALETTES[theme], catalogue, rough=step.unsure, seed=step.screen.name.vi)
    return pen.telephone(step.screen.name.in_language(catalogue.language), step.screen.elements)


class _Pen:
    """Draws one telephone from top to bottom; `self.y` is how far it has come."""

    def __init__(self, colours: _Colours, catalogue: Catalogue, *, rough: bool, seed: str) -> None:
        self.colours, self.t, self.language = colours, catalogue.t, catalogue.language
        self.rough, self.random = rough, random.Random(seed)  # noqa: S311 - the same drawing each time
        self.parts: list[str] = []
        self.y = 0.0

    def telephone(self, name: str, elements: Sequence[ScreenElement]) -> str:
        """Draw the body, the name of the screen, the elements, and a bar at the bottom for tabs."""
        c, tabs = self.colours, [element for element in elements if element.kind == "tab"]
        self.y = self._head(name)
        for element in elements:
            if element.kind != "tab":
                self.y += _GAP
                self._element(element)
        self.y = max(self.y + _GAP, _LEAST_HEIGHT - 70 * len(tabs))
        if self.rough:
            self._banner()
        for tab in tabs:
            self._tab(tab)
        bottom = self.y + (0 if tabs else 14)
        height = bottom + _EDGE
        side = WIDTH - 2 * _EDGE
        behind = (
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="{c.ground}"/>'
            f'<rect x="{_EDGE}" y="{_EDGE}" width="{side}" height="{bottom - _EDGE:.0f}" rx="26" fill="{c.body}"/>'
        )
        frame = self._box(_EDGE, _EDGE, side, bottom - _EDGE, 26, stroke=c.frame, line=4)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
            f'viewBox="0 0 {WIDTH} {height:.0f}">{behind}{"".join(self.parts)}{frame}</svg>'
        )

    def _head(self, name: str) -> float:
        c = self.colours
        lines = wrap(name, _HEAD, 600, WIDTH - 2 * _BODY - 20)
        height = 34 + len(lines) * _HEAD * _LINE
        self.parts.append(
            f'<path d="M{_EDGE} {_EDGE + 26}a26 26 0 0 1 26-26h{WIDTH - 2 * _EDGE - 52}a26 26 0 0 1 26 26'
            f'v{height - 26:.0f}h-{WIDTH - 2 * _EDGE}z" fill="{c.head}"/>'
            f'<rect x="{WIDTH / 2 - 26}" y="{_EDGE + 9}" width="52" height="5" rx="2.5" fill="{c.on_head}" '
            'opacity="0.55"/>'
        )
        self._lines(lines, WIDTH / 2, _EDGE + 20, _HEAD, 600, c.on_head, middle=True)
        return _EDGE + height

    def _element(self, element: ScreenElement) -> None:
        """Draw one element and its note, with the mark around it if it is the one to press."""
        label = element.label.in_language(self.language)
        note = element.note.in_language(self.language) if element.note is not None else ""
        if element.press:
            self.y += 18  # room for the mark's words above
        top, room = self.y, WIDTH - 2 * _BODY
        height = getattr(self, f"_{element.kind}")(label, top, room)
        if element.press:
            self._mark(element.kind, _BODY - 7, top - 7, room + 14, height + 14)
            height += 7
        self.y = top + height
        if note:
            lines = wrap(note, _NOTE, 400, room - 8)
            self._lines(lines, _BODY + 6, self.y + 4, _NOTE, 400, self.colours.faint)
            self.y += 4 + len(lines) * _NOTE * _LINE

    def _button(self, label: str, top: float, room: float) -> float:
        lines = wrap(label, _LABEL, 600, room - 28)
        height = max(48, 22 + len(lines) * _LABEL * _LINE)
        c = self.colours
        self.parts.append(self._box(_BODY, top, room, height, 14, fill=c.fill, stroke=c.line))
        self._centred(lines, top, height, 600)
        return height

    def _field(self, label: str, top: float, room: float, *, right: float = 0) -> float:
        lines = wrap(label, _LABEL, 400, room - 44 - right)
        height = max(48, 22 + len(lines) * _LABEL * _LINE)
        c = self.colours
        self.parts.append(self._box(_BODY, top, room, height, 6, fill=c.ground, stroke=c.line, line=2))
        self.parts.append(
            f'<path d="M{_BODY + 14} {top + 13:.1f}v{height - 26:.1f}" stroke="{c.ink}" stroke-width="2"/>'
        )
        block = len(lines) * _LABEL * _LINE
        self._lines(lines, _BODY + 24, top + (height - block) / 2, _LABEL, 400, c.ink)
        return height

    def _text(self, label: str, top: float, room: float) -> float:
        lines = wrap(label, _LABEL, 600, room - 12)
        self._lines(lines, _BODY + 6, top + 7, _LABEL, 600, self.colours.ink)
        return 10 + len(lines) * _LABEL * _LINE

    def _icon(self, label: str, top: float, room: float) -> float:
        c, side = self.colours, 56
        lines = wrap(label, _LABEL, 600, room - side - 20)
        height = max(side, len(lines) * _LABEL * _LINE)
        self.parts.append(self._box(_BODY + 4, top + (height - side) / 2, side, side, 14, fill=c.fill, stroke=c.line))
        x, y = _BODY + 4 + side / 2, top + height / 2
        self.parts.append(
            f'<path d="M{x - 13} {y - 13:.1f}h26v26h-26zM{x - 6} {y - 4:.1f}h12M{x - 6} {y + 4:.1f}h12" fill="none" '
            f'stroke="{c.faint}" stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"/>'
        )
        block = len(lines) * _LABEL * _LINE
        self._lines(lines, _BODY + side + 18, top + (height - block) / 2, _LABEL, 600, c.ink)
        return height

    def _list(self, label: str, top: float, room: float) -> float:
        """Draw a box from which one chooses."""
        height, c = self._field(label, top, room, right=34), self.colours
        self.parts.append(
            f'<path d="M{_BODY + room - 30} {top + height / 2 - 4:.1f}l8 9 8-9" fill="none" stroke="{c.ink}" '
            'stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>'
        )
        return height

    def _tick(self, label: str, top: float, room: float) -> float:
        c = self.colours
        lines = wrap(label, _LABEL, 400, room - 64)
        height = max(40, 12 + len(lines) * _LABEL * _LINE)
        y = top + height / 2
        self.parts.append(self._box(_BODY + 4, y - 14, 28, 28, 6, fill=c.ground, stroke=c.line, line=2))
        self.parts.append(
            f'<path d="M{_BODY + 10} {y:.1f}l6 7 12-14" fill="none" stroke="{c.ink}" '
            'stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>'
        )
        block = len(lines) * _LABEL * _LINE
        self._lines(lines, _BODY + 46, top + (height - block) / 2, _LABEL, 400, c.ink)
        return height

    def _switch(self, label: str, top: float, room: float) -> float:
        c = self.colours
        lines = wrap(label, _LABEL, 400, room - 86)
        height = max(44, 12 + len(lines) * _LABEL * _LINE)
        x, y = _BODY + room - 62, top + height / 2
        self.parts.append(self._box(x, y - 15, 54, 30, 15, fill=c.fill, stroke=c.line, line=2))
        self.parts.append(f'<circle cx="{x + 16}" cy="{y:.1f}" r="10" fill="{c.ink}"/>')
        block = len(lines) * _LABEL * _LINE
        self._lines(lines, _BODY + 8, top + (height - block) / 2, _LABEL, 400, c.ink)
        return height

    def _code(self, label: str, top: float, room: float) -> float:
        side = 96
        self.parts.append(
            f'<path d="{_code_squares(WIDTH / 2 - side / 2, top, side / 17)}" fill="{self.colours.ink}"/>'
        )
        return side + 8 + self._below(label, top + side + 4, room)

    def _scan(self, label: str, top: float, room: float) -> float:
        """Draw a code between the corners of a camera's view."""
        self.parts.append(
            f'<path d="M{WIDTH / 2 - 60} {top + 22}v-22h22M{WIDTH / 2 + 60} {top + 22}v-22h-22'
            f'M{WIDTH / 2 - 60} {top + 98}v22h22M{WIDTH / 2 + 60} {top + 98}v22h-22" fill="none" '
            f'stroke="{self.colours.ink}" stroke-width="3"/>'
        )
        return 16 + self._code("", top + 12, room) + self._below(label, top + 124, room)

    def _card(self, label: str, top: float, room: float) -> float:
        """Draw a card held against the back of a telephone, with waves between them."""
        c, x = self.colours, WIDTH / 2
        self.parts.append(self._box(x - 96, top + 2, 62, 104, 10, fill=c.fill, stroke=c.frame, line=2.5))
        self.parts.append(self._box(x + 4, top + 26, 92, 58, 6, fill=c.ground, stroke=c.ink, line=2.5))
        self.parts.append(
            f'<rect x="{x + 16}" y="{top + 40}" width="20" height="16" rx="3" fill="none" stroke="{c.ink}" '
            f'stroke-width="2"/><path d="M{x - 8} {top + 44}q-8 11 0 22M{x - 17} {top + 38}q-14 17 0 34" fill="none" '
            f'stroke="{c.key}" stroke-width="3" stroke-linecap="round"/>'
        )
        return 114 + self._below(label, top + 112, room)

    def _below(self, label: str, top: float, room: float) -> float:
        lines = wrap(label, _LABEL, 600, room - 12)
        self._lines(lines, WIDTH / 2, top, _LABEL, 600, self.colours.ink, middle=True)
        return len(lines) * _LABEL * _LINE

    def _tab(self, element: ScreenElement) -> None:
        """Draw the bar at the bottom with one tab that has a name."""
        c, label = self.colours, element.label.in_language(self.language)
        note = element.note.in_language(self.language) if element.note is not None else ""
        if note:
            lines = wrap(note, _NOTE, 400, WIDTH - 2 * _BODY - 8)
            self._lines(lines, _BODY + 6, self.y - 6, _NOTE, 400, c.faint)
            self.y += len(lines) * _NOTE * _LINE
        if element.press:
            self.y += 22
        top, left, side = self.y, _EDGE, WIDTH - 2 * _EDGE
        lines = wrap(label, _NOTE + 1, 600, 150)
        height = 40 + len(lines) * (_NOTE + 1) * _LINE
        self.parts.append(f'<path d="M{left} {top:.1f}h{side}" stroke="{c.line}" stroke-width="2"/>')
        for x in (left + 46, left + side - 46):
            self.parts.append(
                f'<circle cx="{x}" cy="{top + height / 2:.1f}" r="12" fill="{c.fill}" stroke="{c.line}"/>'
            )
        middle = WIDTH / 2
        self.parts.append(self._box(middle - 12, top + 10, 24, 18, 4, fill=c.fill, stroke=c.ink, line=2))
        self._lines(lines, middle, top + 32, _NOTE + 1, 600, c.ink, middle=True)
        if element.press:
            self._mark("tab", middle - 86, top + 4, 172, height - 6)
        self.y = top + height + 8

    def _mark(self, kind: str, x: float, y: float, width: float, height: float) -> None:
        """Ring what is to be pressed, and say in a tag above it what to do."""
        c, words = self.colours, self.t(_DO[kind])
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="14" fill="none" '
            f'stroke="{c.key}" stroke-width="4.5"/>'
        )
        wide = measure(words, _TAG, 600) + 22
        left = x + width - wide - 10
        self.parts.append(
            f'<rect x="{left:.1f}" y="{y - 24:.1f}" width="{wide:.1f}" height="26" rx="13" fill="{c.key}"/>'
            f'<path d="M{left + wide / 2 - 9:.1f} {y:.1f}h18l-9 11z" fill="{c.key}"/>'
        )
        self._lines([words], left + wide / 2, y - 24 + (26 - _TAG * _LINE) / 2, _TAG, 600, c.on_key, middle=True)

    def _banner(self) -> None:
        c = self.colours
        lines = wrap("≈ " + self.t(MAY_DIFFER), _NOTE, 600, WIDTH - 2 * _BODY - 24)
        height = 14 + len(lines) * _NOTE * _LINE
        self.parts.append(
            f'<rect x="{_BODY}" y="{self.y:.1f}" width="{WIDTH - 2 * _BODY}" height="{height:.1f}" rx="10" '
            f'fill="none" stroke="{c.faint}" stroke-width="1.5" stroke-dasharray="6 5"/>'
        )
        self._lines(lines, WIDTH / 2, self.y + 7, _NOTE, 600, c.ink, middle=True)
        self.y += height + 6

    def _box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        radius: float,
        *,
        stroke: str,
        fill: str = "none",
        line: float = 1.5,
    ) -> str:
        """Draw a box with round corners; a rough one as a hand would, in two lines that nearly meet."""
        style = f'fill="{fill}" stroke="{stroke}" stroke-width="{line}"'
        if not self.rough:
            return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius}" {style}/>'
        first, second = (self._outline(x, y, width, height, radius) for _ in range(2))
        return (
            f'<path d="{first}" {style}/><path d="{second}" fill="none" stroke="{stroke}" stroke-width="{line * 0.8}"/>'
        )

    def _outline(self, x: float, y: float, width: float, height: float, radius: float) -> str:
        def near(value: float) -> float:
            return round(value + self.random.uniform(-1.8, 1.8), 1)

        left, top, right, low = near(x), near(y), near(x + width), near(y + height)
        r = min(radius, height / 2)
        middle_x, middle_y = x + width / 2, y + height / 2
        return (
            f"M{left + r} {near(y)}Q{middle_x} {near(y)} {right - r} {top}Q{right} {top} {right} {top + r}"
            f"Q{near(x + width)} {middle_y} {near(x + width)} {low - r}Q{right} {low} {right - r} {low}"
            f"Q{middle_x} {near(y + height)} {left + r} {near(y + height)}Q{left} {low} {left} {low - r}"
            f"Q{near(x)} {middle_y} {near(x)} {top + r}Q{left} {top} {left + r} {near(y)}"
        )

    def _centred(self, lines: Sequence[str], top: float, height: float, weight: int) -> None:
        block = len(lines) * _LABEL * _LINE
        self._lines(lines, WIDTH / 2, top + (height - block) / 2, _LABEL, weight, self.colours.ink, middle=True)

    def _lines(
        self, lines: Sequence[str], x: float, top: float, size: int, weight: int, colour: str, *, middle: bool = False
    ) -> None:
        anchor = ' text-anchor="middle"' if middle else ""
        for number, line in enumerate(lines):
            base = top + number * size * _LINE + size * 1.02
            self.parts.append(
                f'<text x="{x:.1f}" y="{base:.1f}" font-family="{_FONT}" font-size="{size}" font-weight="{weight}" '
                f'fill="{colour}"{anchor}>{escape(line)}</text>'
            )


def _code_squares(left: float, top: float, cell: float) -> str:
    """Draw what looks like a code of 17 by 17 squares; it stands for any and says nothing."""

    def dark(row: int, column: int) -> bool:
        for corner_row, corner_column in ((0, 0), (0, 12), (12, 0)):
            ring = max(abs(row - corner_row - 2), abs(column - corner_column - 2))
            if ring <= 3:
                return ring in (0, 2)
        return (row * 7 + column * 11 + row * column) % 5 in (0, 2)

    return "".join(
        f"M{left + column * cell:.1f} {top + row * cell:.1f}h{cell:.1f}v{cell:.1f}h-{cell:.1f}z"
        for row in range(17)
        for column in range(17)
        if dark(row, column)
    )


def wrap(text: str, size: int, weight: int, room: float) -> list[str]:
    """Break a text into lines that fit some pixels."""
    lines: list[str] = []
    for word in text.split():
        if lines and measure(f"{lines[-1]} {word}", size, weight) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@lru_cache(4096)
def measure(text: str, size: int, weight: int) -> float:
    """Return how wide a text is drawn, in pixels."""
    return _font(size, weight).getlength(text)


@lru_cache(16)
def _font(size: int, weight: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(_FONTS / f"BeVietnamPro-{_WEIGHTS[weight]}.ttf", size)


@lru_cache(1)
def _register_fonts() -> None:
    import vl_convert

    vl_convert.register_font_directory(str(_FONTS))
