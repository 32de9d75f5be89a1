"""What moves over time and along the way: questions by topic and week, the unanswered, books, from poster to report.

The desk's page of trends shows them, each with the table that says the same; reports reuse their figures.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from bot.exports.charts import STEP_NAMES, basic_notes, make_chart
from bot.exports.tables import PRODUCTS, Cells, Column, ExportTable, Kind, TabledChart
from bot.i18n.catalogue import Catalogue, mark
from bot.library.articles import Library
from bot.library.regions import Regions
from bot.statistics.activity import QuestionCounts
from bot.statistics.counts import FunnelStep, Tally

WEEKS, MAX_TOPICS, MAX_ARTICLES = 12, 12, 10
WAY: Final = ("scan", "start", "guide", "reported")
_NAME_LETTERS, _STEP_LETTERS = 24, 13
_SHADES = 5
OTHERS = mark("other or no topic")


def last_weeks(until: date, weeks: int = WEEKS) -> list[date]:
    """Return the Mondays of the last whole weeks up to a day."""
    last = until - timedelta(days=(until.weekday() + 1) % 7)  # the last Sunday that is over
    return [last - timedelta(days=7 * number + 6) for number in reversed(range(weeks))]


def topics_by_week(
    counted: QuestionCounts, library: Library, weeks: Sequence[date], catalogue: Catalogue
) -> TabledChart:
    """Show how many questions each topic had in each week, the most asked topics first."""
    t, totals = catalogue.t, Counter[str]()
    for (week, topic), times in counted.by_week.items():
        if week in weeks:
            totals[topic] += times
    topics = [topic for topic, _ in totals.most_common() if topic in library.menu.topics][:MAX_TOPICS]
    others = _capital(t(OTHERS))
    names = {topic: library.menu.topics[topic].in_language(catalogue.language) for topic in topics}
    heads = [f"{week:%d/%m}" for week in weeks]
    table: dict[str, list[int]] = {}
    for topic in topics:
        table[names[topic]] = [counted.by_week.get((week, topic), 0) for week in weeks]
    rest = [
        sum(times for (of, topic), times in counted.by_week.items() if of == week and topic not in names)
        for week in weeks
    ]
    if any(rest):
        table[others] = rest
    columns = (
        Column(Kind.TEXT, "topic", t("Topic")),
        *(Column(Kind.COUNT, week.isoformat(), f"{week:%d/%m}") for week in weeks),
    )
    title = t("Questions by topic and week")
    notes = [t("Each week from the Monday that is named. Questions, not people.")]
    most = max((max(times) for times in table.values()), default=0)
    cells = [
        _cell(name, head, catalogue.number(count) if count else "", count, most)
        for name, times in table.items()
        for head, count in zip(heads, times, strict=True)
    ]
    said = [f"{name}: {catalogue.number(sum(times))}" for name, times in table.items()]
    chart = make_chart("matrix", catalogue, title, notes, said, rows=cells, columns=list[object](heads))
    rows: list[Cells] = [[name, *times] for name, times in table.items()]
    return TabledChart(chart, ExportTable("topics", title, columns, rows))


def unanswered_by_week(counted: QuestionCounts, weeks: Sequence[date], catalogue: Catalogue) -> TabledChart:
    """Show how many questions found no answer in each week."""
    t = catalogue.t
    asked = [sum(times for (of, _), times in counted.by_week.items() if of == week) for week in weeks]
    left = [counted.unanswered_by_week.get(week, 0) for week in weeks]
    columns = (
        Column(Kind.DAY, "week", t("Week from Monday")),
        Column(Kind.COUNT, "asked", t("Questions")),
        Column(Kind.COUNT, "unanswered", t("Without an answer")),
        Column(Kind.PERCENT, "share_percent", t("Share")),
    )
    rows: list[Cells] = [
        [week, all_, none, round(100 * none / all_, 1) if all_ else None]
        for week, all_, none in zip(weeks, asked, left, strict=True)
    ]
    title = t("Questions without an answer, by week")
    share = catalogue.percent(sum(left) / sum(asked), 1) if sum(asked) else catalogue.percent(0, 1)
    notes = [
        t("Each week from the Monday that is named. Questions, not people."),
        t("{count} of {all} questions in these weeks, {share}.", count=catalogue.number(sum(left)),
          all=catalogue.number(sum(asked)), share=share),
    ]  # fmt: skip
    said = [f"{catalogue.day(week)}: {catalogue.number(none)}" for week, none in zip(weeks, left, strict=True) if none]
    drawn = [{"day": week.isoformat(), "new": none} for week, none in zip(weeks, left, strict=True)]
    chart = make_chart("growth", catalogue, title, notes, said or [t("none")], rows=drawn, marks=[])
    return TabledChart(chart, ExportTable("unanswered", title, columns, rows))


def most_asked(counted: QuestionCounts, library: Library, catalogue: Catalogue, *, days: int) -> TabledChart:
    """Show the articles that were asked for most, and how many of those who said so were helped."""
    t, number = catalogue.t, catalogue.number
    columns = (
        Column(Kind.CODE, "article"),
        Column(Kind.TEXT, "title", t("Article")),
        Column(Kind.COUNT, "asked", t("Asked for")),
        Column(Kind.COUNT, "helped", t("Helped")),
        Column(Kind.COUNT, "unhelped", t("Did not help")),
    )
    rows: list[Cells] = []
    drawn: list[dict[str, object]] = []
    for one in counted.articles[:MAX_ARTICLES]:
        name = library.articles[one.article].title.in_language(catalogue.language)
        rows.append([one.article, name, one.asked, one.helped, one.unhelped])
        label = number(one.asked)
        if one.unhelped:
            label += " · " + t("{count} not helped", count=number(one.unhelped))
        drawn.append({"name": name, "value": one.asked, "label": label})
    title = t("Most asked in {days} days", days=days)
    notes = [t("Questions, not people.")]
    said = [f"{row['name']}: {row['label']}" for row in drawn]
    chart = make_chart("bars", catalogue, title, notes, said or [t("none")], rows=drawn)
    return TabledChart(chart, ExportTable("articles", title, columns, rows))


def by_product(tallies: Sequence[Tally], catalogue: Catalogue, *, day: date, step: int) -> TabledChart:
    """Show how many reported which health book."""
    t = catalogue.t
    columns = (
        Column(Kind.CODE, "product"),
        Column(Kind.TEXT, "", t("Health book")),
        Column(Kind.COUNT, "self_reported", t("Self-reported")),
    )
    rows: list[Cells] = []
    drawn: list[dict[str, object]] = []
    for one in sorted(tallies, key=lambda tally: -tally.reports):
        name = _capital(t(PRODUCTS.get(one.key, one.key)))
        rows.append([one.key, name, one.reports])
        drawn.append({"name": name, "value": one.reports, "label": catalogue.number(one.reports)})
    title = t("Self-reported installations by health book")
    notes = basic_notes(catalogue, day, step, over=True)
    said = [f"{row['name']}: {row['label']}" for row in drawn]
    chart = make_chart("bars", catalogue, title, notes, said or [t("none")], rows=drawn)
    return TabledChart(chart, ExportTable("product", title, columns, rows))


def way_by_district(
    steps: Mapping[str, Sequence[FunnelStep]], regions: Regions, catalogue: Catalogue, *, day: date, step: int
) -> TabledChart:
    """Show for each district how many of those who came by its posters went how far, from the scan to the report."""
    t, number = catalogue.t, catalogue.number
    least = 2 * step if step > 1 else 1
    names = {name: t(STEP_NAMES[name]) for name in WAY}
    heads = ["\n".join(textwrap.wrap(names[name], _STEP_LETTERS)) for name in WAY]
    columns = (
        Column(Kind.CODE, "district"),
        Column(Kind.TEXT, "", t("District")),
        *(Column(Kind.COUNT, name, names[name], least) for name in WAY),
    )
    rows: list[Cells] = []
    cells: list[dict[str, object]] = []
    said = []
    for district, found in steps.items():
        people = {one.name: one.people for one in found}
        title = _capital(regions.districts[district].title(catalogue.language))
        rows.append([district, title, *(people[name] for name in WAY)])
        words = []
        for name, head in zip(WAY, heads, strict=True):
            count, came = people[name], people[WAY[0]]
            label = number(count) if count or least == 1 else t("<{count}", count=least)
            share = count / came if came else 0.0
            if came and count and name != WAY[0]:
                label += f" ({catalogue.percent(share, 0)})"
            cells.append(_cell(regions.districts[district].name, head, label, share if name != WAY[0] else 0.0, 1.0))
            words.append(f"{names[name]} {label}")
        said.append(f"{title}: {', '.join(words)}")
    title = t("From poster to report, by district")
    notes = [
        *basic_notes(catalogue, day, step, over=True),
        t("Those who came by the posters of a district; per cent of those who scanned or followed a link."),
    ]
    chart = make_chart("matrix", catalogue, title, notes, said, rows=cells, columns=list[object](heads))
    return TabledChart(chart, ExportTable("way", title, columns, rows))


def _cell(row: str, column: str, label: str, value: float, most: float) -> dict[str, object]:
    shade = 0 if not value or not most else max(1, -int(-_SHADES * min(value, most) // most))
    return {"row": "\n".join(textwrap.wrap(row, _NAME_LETTERS)), "column": column, "label": label, "shade": shade}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
