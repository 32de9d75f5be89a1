"""Charts of the counts: described in the reader's language, drawn off the event loop, kept until a figure changes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import orjson

from bot.errors import BotError
from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.statistics.counts import (
    SELF_REPORTED,
    SIMULATED,
    DayCount,
    FunnelStep,
    GoalProgress,
    OfficialFigure,
    ProvinceCount,
)

Form = Literal["png", "svg"]
ROOT = Path(__file__).resolve().parents[2]
KEPT = 64  # pictures of some 60 kB
DRAWING_SECONDS = 30.0
MOST_DAYS = 62  # more than two months are drawn by week
MOST_MARKS = 6
MOST_TOLD = 14
_TITLE_LETTERS, _NOTE_LETTERS = 42, 60
STEP_NAMES = {
    "scan": mark("QR code or link"),
    "start": mark("Began to talk"),
    "asked": mark("Asked a question"),
    "guide": mark("Opened the manual"),
    "reported": mark("Reported an installation"),
}
# A drawing takes 140 MB for a second; several at once would take them several times.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart ready to be drawn; `alt` says the same in words."""

    description: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that was sent to many people on a day, to be marked in the growth."""

    day: date
    title: str = ""


def ranking(
    province: ProvinceCount, regions: Regions, catalogue: Catalogue, *, official: OfficialFigure | None = None
) -> Chart:
    """Rank the districts by the share of their estimated adults who reported."""
    rows, said = [], []
    for count in sorted(province.districts, key=lambda c: (c.rank, -c.reports, c.district)):
        name = _capital(regions.districts[count.district].title(catalogue.language))
        label = catalogue.t(
            "{share} · {reports}", share=catalogue.percent(count.share), reports=catalogue.number(count.reports)
        )
        if province.step > 1 and not count.reports:
            label = catalogue.t("fewer than {count}", count=province.step)
        rows.append({"name": name, "share": count.share, "label": label})
        said.append(f"{name}: {label}")
    title = catalogue.t("Reported installations by district, as a share of adults")
    notes = [
        *_notes(catalogue, province.day, province.step, over=province.over),
        catalogue.t("Adults are an estimate."),
    ]
    if official is not None:
        notes.append(official_sentence(official, catalogue))
    return _chart("ranking", catalogue, title, notes, said, rows=rows)


def growth(
    days: Sequence[DayCount],
    catalogue: Catalogue,
    *,
    place: str,
    step: int = 1,
    sent: Sequence[Sent] = (),
    over: bool = True,
) -> Chart:
    """Show what was new on each day, or in seven days each of a longer time; `days` must have no gaps.

    Single days of figures that are rounded down (`step`) are noise, so these are shown by seven days too. `over` tells
    here and below whether the last day has ended.
    """
    weekly = len(days) > MOST_DAYS or step > 1
    last = days[-1].day if days else None
    spans: dict[date, int] = {}
    whole = len(days) % 7 if weekly and len(days) > 7 else 0  # a part of seven days would look like a fall
    for day in days[whole:]:
        span = _ends_seven_days(day.day, last) if weekly and last else day.day
        spans[span] = spans.get(span, 0) + day.new
    marks: list[dict[str, Any]] = []
    for one in sorted(sent, key=lambda s: s.day)[-MOST_MARKS:]:
        span = _ends_seven_days(one.day, last) if weekly and last else one.day
        if span in spans and span.isoformat() not in [m["day"] for m in marks]:
            marks.append({"day": span.isoformat(), "label": f"{one.day:%d/%m}"})
    total = catalogue.number(days[-1].total if days else 0)
    title = (
        catalogue.t("New reports in seven days each, {place}", place=place)
        if weekly
        else catalogue.t("New reports by day, {place}", place=place)
    )
    notes = _notes(catalogue, days[-1].day if days else None, step, over=over)
    if weekly:
        notes.append(catalogue.t("Each bar ends on the day below it."))
    notes.append(catalogue.t("In all {reports} at the end.", reports=total))
    if marks:
        notes.append(catalogue.t("Dashed line: a message was sent to many."))
    told = list(spans.items())
    if len(told) > MOST_TOLD:  # a reader of the picture sees the shape; in words, the peak and the end say most
        told = sorted({max(told, key=lambda item: item[1]), *told[1 - MOST_TOLD :]})
    said = [f"{catalogue.day(span)}: {catalogue.number(new)}" for span, new in told if new]
    rows = [{"day": span.isoformat(), "new": new} for span, new in spans.items()]
    return _chart("growth", catalogue, title, notes, said or [catalogue.t("nothing new")], rows=rows, marks=marks)


def progress(
    found: Sequence[GoalProgress],
    regions: Regions,
    catalogue: Catalogue,
    *,
    step: int = 1,
    measured_by: str = SELF_REPORTED,
    over: bool = True,
) -> Chart:
    """Show how far each district is on its way to its goal, and how many a week it takes."""
    rows, said = [], []
    for one in sorted(found, key=lambda p: (p.district in regions.districts, -p.share)):
        district = regions.districts.get(one.district)
        name = _capital(district.title(catalogue.language)) if district else catalogue.t("Whole province")
        if one.share >= 1:
            label = catalogue.t("{share} · reached", share=catalogue.percent(one.share, 0))
        elif one.pace is None:
            label = catalogue.t("{share} · time is over", share=catalogue.percent(one.share, 0))
        else:
            pace = catalogue.number(-(-one.pace // 1))
            label = catalogue.t("{share} · +{pace}/week", share=catalogue.percent(one.share, 0), pace=pace)
        rows.append({"name": name, "share": one.share, "label": label})
        wanted = catalogue.t("{reached} of {wanted} by {day}", reached=catalogue.number(one.reached),
                             wanted=catalogue.number(one.wanted), day=catalogue.day(one.goal.until))  # fmt: skip
        said.append(f"{name}: {label} ({wanted})")
    until = sorted({one.goal.until for one in found})
    if measured_by == SELF_REPORTED:
        notes = _notes(catalogue, found[0].day if found else None, step, over=over)
    else:
        notes = [catalogue.t("Measured by the latest official figures.")]
    if len(until) == 1:
        notes.append(catalogue.t("Grey: the goal for {day}; beside it what it takes each week.",
                                 day=catalogue.day(until[0])))  # fmt: skip
    return _chart("progress", catalogue, catalogue.t("Progress to the goal"), notes, said, rows=rows)


def funnel(
    steps: Sequence[FunnelStep], catalogue: Catalogue, *, day: date, step: int = 1, place: str = "", over: bool = True
) -> Chart:
    """Show how many people came how far, from the first contact to the report; of a place's posters, if it is named."""
    started = next((s.people for s in steps if s.name == "start"), 0)
    rows, said = [], []
    for one in steps:
        name = catalogue.t(STEP_NAMES[one.name])
        label = catalogue.number(one.people)
        if step > 1 and not one.people:
            label = catalogue.t("fewer than {count}", count=2 * step)
        elif started:
            label += f" ({catalogue.percent(one.people / started, 0)})"
        rows.append({"name": name, "people": one.people, "label": label})
        said.append(f"{name}: {label}")
    notes = [
        *_notes(catalogue, day, step, over=over),
        catalogue.t("Per cent of those who began to talk."),
        catalogue.t("Everybody counts who ever did it, so more than the reports that stand today."),
    ]
    title = catalogue.t("From the first contact to the report")
    if place:
        title = catalogue.t("From the poster to the report, posters of {place}", place=place)
    return _chart("funnel", catalogue, title, notes, said, rows=rows)


def _ends_seven_days(day: date, last: date) -> date:
    """Return the end of the seven days that hold a day, counted back from the last one."""
    return last - timedelta(days=(last - day).days // 7 * 7)


def as_simulated(chart: Chart, catalogue: Catalogue) -> Chart:
    """Write above a chart, and before its words, that its figures are simulated."""
    sentence, described = catalogue.t(SIMULATED), orjson.loads(chart.description)
    alt = f"{sentence} {chart.alt}"
    title = [*textwrap.wrap(sentence, _TITLE_LETTERS), *described["title"]]
    return Chart(orjson.dumps({**described, "title": title, "alt": alt}), alt)


def official_sentence(figure: OfficialFigure, catalogue: Catalogue) -> str:
    """Say the latest official figure, so that nobody takes the self-reported ones for it."""
    return catalogue.t(
        "Official figure: {phones} phones on {day}.",
        phones=catalogue.number(figure.phones),
        day=catalogue.day(figure.day),
    )


async def draw(chart: Chart, form: Form = "png") -> bytes:
    """Draw a chart in a process of its own; the same figures are drawn once. Raises BotError."""
    return await asyncio.to_thread(_drawn, chart.description, form)


@lru_cache(maxsize=KEPT)
def _drawn(description: bytes, form: Form) -> bytes:
    command = [sys.executable, "-m", "bot.exports.vega", form]
    with _one_at_a_time:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                command, input=description, capture_output=True, cwd=ROOT, timeout=DRAWING_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BotError(f"The chart could not be drawn: {error}.") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"]
        raise BotError(f"The chart could not be drawn: {lines[-1]}")
    return done.stdout


def up_to(catalogue: Catalogue, day: date, *, over: bool) -> str:
    """Say until when counts go: to the end of a day, or into one that is not over."""
    if over:
        return catalogue.t("Up to the end of {day}.", day=catalogue.day(day))
    return catalogue.t("Up to this moment; {day} is not over yet.", day=catalogue.day(day))


def _notes(catalogue: Catalogue, day: date | None, step: int, *, over: bool) -> list[str]:
    notes = [catalogue.t("Reported by citizens themselves; not official figures.")]
    if day is not None:
        notes.append(up_to(catalogue, day, over=over))
    if step > 1:
        notes.append(catalogue.t("Rounded down to multiples of {count}.", count=step))
    return notes


def _chart(
    kind: str, catalogue: Catalogue, title: str, notes: list[str], said: list[str], **figures: list[dict[str, Any]]
) -> Chart:
    alt = f"{title}. {'; '.join(said)}. {' '.join(notes)}"
    decimal, thousands = catalogue.number(0.5)[1], catalogue.number(1000)[1]
    described = {
        "chart": kind,
        "title": textwrap.wrap(title, _TITLE_LETTERS),
        "notes": textwrap.wrap(" ".join(notes), _NOTE_LETTERS),
        "alt": alt,
        "separators": [decimal, thousands],
        **figures,
    }
    return Chart(orjson.dumps(described), alt)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
