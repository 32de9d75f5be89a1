"""Charts of the counts as part of a page: drawn as for the chat, without anything that a strict policy refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from bot.errors import BotError
from bot.exports import charts
from bot.exports.charts import Chart

_SAID_ELSEWHERE = re.compile(r'\s(?:aria-[a-z]+|role)="[^"]*"')
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_ROOT = re.compile(r"<svg\b")


async def drawn(found: Sequence[Chart | None]) -> list[Markup]:
    """Draw charts as SVG to stand within a page; one that cannot be drawn says its figures in words."""
    pictures = []
    for chart in found:
        if chart is None:
            continue
        try:
            svg = (await charts.draw(chart, "svg")).decode()
        except BotError:
            pictures.append(Markup("<p>{}</p>").format(chart.alt))
            continue
        svg = _STYLE.sub(_as_attributes, _SAID_ELSEWHERE.sub("", svg))
        alt = escape(chart.alt, quote=True)
        pictures.append(Markup(_ROOT.sub(f'<svg role="img" aria-label="{alt}"', svg, count=1)))  # noqa: S704 - our own
    return pictures


def _as_attributes(match: re.Match[str]) -> str:
    rules = (rule.partition(":") for rule in match[1].split(";") if ":" in rule)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in rules)
