"""Trends: the words, the table and the picture of each say the same."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.exports import charts, trends
from bot.exports.tables import TabledChart
from bot.library.articles import load_library
from bot.statistics.activity import ArticleCount, QuestionCounts
from bot.statistics.counts import FunnelStep, Tally
from tests.conftest import ROOT
from tests.exports.test_charts import EN, REGIONS, VI

LIBRARY = load_library(ROOT / "content")
UNTIL = date(2026, 11, 22)  # a Sunday
WEEKS = trends.last_weeks(UNTIL)
COUNTED = QuestionCounts(
    asked=100,
    unanswered=9,
    by_week={(WEEKS[-1], "install"): 30, (WEEKS[-2], "install"): 20, (WEEKS[-1], "account"): 45, (WEEKS[0], ""): 5},
    unanswered_by_week={WEEKS[-1]: 6, WEEKS[-2]: 3},
    articles=(ArticleCount("forgot-password", 60, 9, 2), ArticleCount("install-android", 40, 0, 0)),
)
NOTHING = QuestionCounts(0, 0, {}, {}, ())
STEPS = {
    "yen-lac": [FunnelStep("scan", 200), FunnelStep("start", 150), FunnelStep("asked", 90), FunnelStep("guide", 100),
                FunnelStep("reported", 50)],
    "tam-dao": [FunnelStep(name, 0) for name in ("scan", "start", "asked", "guide", "reported")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("until", "last"),
    [(date(2026, 11, 22), date(2026, 11, 16)), (date(2026, 11, 23), date(2026, 11, 16)),
     (date(2026, 11, 28), date(2026, 11, 16)), (date(2026, 11, 29), date(2026, 11, 23))],
)  # fmt: skip
def test_last_weeks_are_over_and_begin_on_mondays(until: date, last: date) -> None:
    weeks = trends.last_weeks(until)
    assert weeks[-1] == last
    assert len(weeks) == trends.WEEKS
    assert all(week.weekday() == 0 for week in weeks)
    assert weeks[-1] + timedelta(days=6) <= until


def test_topics_stand_in_the_order_of_their_questions() -> None:
    shown = trends.topics_by_week(COUNTED, LIBRARY, WEEKS, VI)
    rows = shown.table.rows
    assert [row[0] for row in rows] == [
        LIBRARY.menu.topics["install"].vi, LIBRARY.menu.topics["account"].vi, "Chủ đề khác hoặc không rõ",
    ]  # fmt: skip
    assert rows[0][-2:] == [20, 30]
    assert rows[2][1] == 5
    assert f"{LIBRARY.menu.topics['install'].vi}: 50" in shown.chart.alt


def test_unanswered_have_their_share() -> None:
    shown = trends.unanswered_by_week(COUNTED, WEEKS, VI)
    assert shown.table.rows[-1] == [WEEKS[-1], 75, 6, 8.0]
    assert shown.table.rows[1] == [WEEKS[1], 0, 0, None]
    assert "9/100 câu hỏi trong các tuần này, 9,0%" in shown.chart.alt


def test_most_asked_tells_whom_it_did_not_help() -> None:
    shown = trends.most_asked(COUNTED, LIBRARY, VI, days=90)
    assert shown.table.records()[0] == {
        "article": "forgot-password", "title": LIBRARY.articles["forgot-password"].title.vi, "asked": 60, "helped": 9,
        "unhelped": 2,
    }  # fmt: skip
    assert "60 · 2 chưa có ích" in shown.chart.alt


def test_way_shows_shares_of_those_who_scanned_and_hides_small_parts() -> None:
    shown = trends.way_by_district(STEPS, REGIONS, VI, day=UNTIL, step=5)
    assert "Huyện Yên Lạc: Quét mã" in shown.chart.alt
    assert "50 (25%)" in shown.chart.alt
    assert "<10" in shown.chart.alt
    assert [row[2:] for row in shown.table.rows] == [[200, 150, 100, 50], [0, 0, 0, 0]]


def test_books_are_named_and_older_reports_too() -> None:
    tallies = [Tally("app", 12), Tally("vneid", 40), Tally("both", 3), Tally("", 99)]
    shown = trends.by_product(tallies, VI, day=UNTIL, step=1)
    assert [(row[1], row[2]) for row in shown.table.rows] == [
        ("Ứng dụng; báo trước khi có câu hỏi về loại sổ", 99), ("Sổ trong VNeID", 40), ("Ứng dụng năm 2021", 12),
        ("Cả hai", 3),
    ]  # fmt: skip


TRENDS: dict[str, Callable[[], TabledChart]] = {
    "topics": lambda: trends.topics_by_week(COUNTED, LIBRARY, WEEKS, VI),
    "topics in English": lambda: trends.topics_by_week(COUNTED, LIBRARY, WEEKS, EN),
    "unanswered": lambda: trends.unanswered_by_week(COUNTED, WEEKS, VI),
    "most asked": lambda: trends.most_asked(COUNTED, LIBRARY, VI, days=90),
    "way": lambda: trends.way_by_district(STEPS, REGIONS, EN, day=UNTIL, step=1),
    "books": lambda: trends.by_product([Tally("app", 12), Tally("", 99)], VI, day=UNTIL, step=5),
    "no topics": lambda: trends.topics_by_week(NOTHING, LIBRARY, WEEKS, VI),
    "nothing unanswered": lambda: trends.unanswered_by_week(NOTHING, WEEKS, VI),
    "nothing asked": lambda: trends.most_asked(NOTHING, LIBRARY, VI, days=30),
    "no books": lambda: trends.by_product([], VI, day=UNTIL, step=5),
}


@pytest.mark.parametrize("name", TRENDS)
def test_trend_is_drawn_with_nothing_beyond_the_edge(name: str) -> None:
    drawn = Image.open(io.BytesIO(asyncio.run(charts.draw(TRENDS[name]().chart)))).convert("RGB")
    assert 880 <= drawn.width <= 920
    edge = {drawn.getpixel((x, y)) for x in (0, drawn.width - 1) for y in range(drawn.height)}
    assert edge == {(255, 255, 255)}
