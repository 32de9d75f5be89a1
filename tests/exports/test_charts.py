"""Charts: right words and figures, real pictures of the right size with nothing cut off, drawn once."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.errors import BotError
from bot.exports import charts, vega
from bot.exports.charts import Chart, Sent
from bot.i18n.catalogue import load_catalogues
from bot.library.goals import Goal
from bot.library.regions import load_regions
from bot.statistics.counts import DayCount, DistrictCount, FunnelStep, GoalProgress, OfficialFigure, ProvinceCount
from tests.conftest import ROOT

TODAY = date(2026, 11, 22)
REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
CATALOGUES = load_catalogues(["vi", "en"])
VI, EN = CATALOGUES["vi"], CATALOGUES["en"]
SHARES = (0.0, 0.0001, 0.004, 0.0858, 0.1, 0.25, 0.5, 0.75, 1.0)


def province(shares: Sequence[float] = SHARES, step: int = 5) -> ProvinceCount:
    counted = tuple(
        DistrictCount(
            d.id, int(share * d.adults_estimate), d.adults_estimate, share, 7, 1 + sum(s > share for s in shares)
        )
        for d, share in zip(REGIONS.districts.values(), shares, strict=True)
    )
    return ProvinceCount(counted, sum(c.reports for c in counted), 789_600, 63, TODAY, 0, step)


def days(number: int, new: int = 1234) -> list[DayCount]:
    first = TODAY - timedelta(days=number - 1)
    return [DayCount(first + timedelta(days=n), new * (n % 5), new * n) for n in range(number)]


def goals() -> list[GoalProgress]:
    goal = Goal(percent=50, until=date(2027, 6, 30))
    late = Goal(percent=50, until=TODAY)
    found = [
        GoalProgress("vinh-phuc", goal, 394_800, 31_000, TODAY),
        GoalProgress("yen-lac", goal, 53_650, 99_999, TODAY),
    ]
    return [*found, GoalProgress("tam-dao", late, 28_800, 12, TODAY), GoalProgress("song-lo", goal, 33_850, 0, TODAY)]


STEPS = [
    FunnelStep("scan", 1_005),
    FunnelStep("start", 1_234_560),
    FunnelStep("asked", 800_500),
    FunnelStep("guide", 0),
    FunnelStep("reported", 10),
]
SENT = [Sent(TODAY - timedelta(days=n)) for n in (0, 3, 12, 29)]

DAILY = charts.growth(days(30), VI, place="huyện Vĩnh Tường", sent=SENT)
DRAWN: dict[str, Chart] = {
    "growth by day": DAILY,
    "ranking": charts.ranking(province(), REGIONS, VI, official=OfficialFigure(date(2021, 10, 10), 67_750)),
    "ranking of nothing": charts.ranking(province([0.0] * 9), REGIONS, VI),
    "ranking in English": charts.ranking(province(step=1), REGIONS, EN),
    "growth": charts.growth(days(30), VI, place="huyện Vĩnh Tường", step=5, sent=SENT),
    "growth of a year": charts.growth(days(365), VI, place="toàn tỉnh", sent=SENT),
    "growth of nothing": charts.growth(days(7, 0), VI, place="huyện Sông Lô", step=5),
    "growth with withdrawals": charts.growth([DayCount(TODAY, -3, 4)], EN, place="Yên Lạc district"),
    "progress": charts.progress(goals(), REGIONS, VI, step=5),
    "progress in English": charts.progress(goals(), REGIONS, EN, measured_by="official"),
    "funnel": charts.funnel(STEPS, VI, day=TODAY, step=5),
    "funnel in English": charts.funnel(STEPS, EN, day=TODAY),
}


@pytest.fixture(scope="module")
def pictures() -> dict[str, bytes]:
    async def draw() -> dict[str, bytes]:
        return {name: await charts.draw(chart) for name, chart in DRAWN.items()}

    return asyncio.run(draw())


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off_at_the_edges(pictures: dict[str, bytes], name: str) -> None:
    picture = Image.open(io.BytesIO(pictures[name])).convert("L")
    assert picture.width == 900
    assert 400 <= picture.height <= 1400
    margin = 10
    width, height = picture.size
    for box in ((0, 0, width, margin), (0, 0, margin, height), (width - margin, 0, width, height),
                (0, height - margin, width, height)):  # fmt: skip
        assert picture.crop(box).getextrema() == (255, 255), box


def test_the_words_are_vietnamese_with_the_figures() -> None:
    alt = DRAWN["ranking"].alt
    assert "Huyện Tam Dương: 8,58% · 6.735" in alt
    assert "Thành phố Vĩnh Yên: dưới 5" in alt
    assert "Số do người dân tự báo, không phải số liệu chính thức." in alt
    assert "Tính đến hết ngày 22/11/2026." in alt
    assert "Số liệu chính thức: 67.750 máy, ngày 10/10/2021." in alt
    assert "Toàn tỉnh: 8% · +11.576/tuần (31.000 trên 394.800, hạn 30/06/2027)" in DRAWN["progress"].alt
    assert "Huyện Yên Lạc: 186% · đã đạt" in DRAWN["progress"].alt
    assert "Huyện Tam Đảo: 0% · đã hết hạn" in DRAWN["progress"].alt
    assert "Đặt câu hỏi: 800.500 (65%)" in DRAWN["funnel"].alt
    assert "Mở hướng dẫn: dưới 10" in DRAWN["funnel"].alt
    assert "22/11/2026: " in DRAWN["growth"].alt
    assert "Mỗi cột là 7 ngày" in DRAWN["growth"].alt  # single days of rounded counts are noise
    assert "không có lượt báo mới" in DRAWN["growth of nothing"].alt
    assert "Tam Dương district: 8.58% · 6,735" in DRAWN["ranking in English"].alt


@pytest.mark.parametrize("name", DRAWN)
def test_each_chart_is_a_specification_of_its_own(name: str) -> None:
    described = json.loads(DRAWN[name].description)
    written = vega.specification(described)
    assert written["$schema"].startswith("https://vega.github.io/schema/vega-lite/")
    assert written["description"] == DRAWN[name].alt
    # Every figure is in the specification itself; it points to nothing outside.
    assert "url" not in json.dumps(written["layer"])


def test_marks_stand_where_something_was_sent() -> None:
    daily = json.loads(DAILY.description)
    assert [mark["label"] for mark in daily["marks"]] == ["24/10", "10/11", "19/11", "22/11"]
    for name in ("growth", "growth of a year"):
        weekly = json.loads(DRAWN[name].description)
        assert {mark["day"] for mark in weekly["marks"]} <= {row["day"] for row in weekly["rows"]}
        assert len(weekly["marks"]) >= 2


@pytest.mark.parametrize("length", [1, 6, 7, 8, 30, 91])
def test_rounded_growth_is_shown_in_whole_sevens(length: int) -> None:
    counted = days(length)
    described = json.loads(charts.growth(counted, VI, place="toàn tỉnh", step=5).description)
    ends = [date.fromisoformat(row["day"]) for row in described["rows"]]
    assert ends == [TODAY - timedelta(days=7 * n) for n in reversed(range(max(1, length // 7)))]
    shown = counted[length % 7 if length > 7 else 0 :]
    assert sum(row["new"] for row in described["rows"]) == sum(day.new for day in shown)


async def test_svg_keeps_the_text_and_its_typeface() -> None:
    drawn = (await charts.draw(DRAWN["ranking"], "svg")).decode()
    assert drawn.startswith("<svg")
    assert "Huyện Vĩnh Tường" in drawn
    assert "Be Vietnam Pro" in drawn
    assert "<script" not in drawn
    assert "href" not in drawn.replace("xmlns:xlink", "")


async def test_the_same_figures_are_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = await charts.draw(DRAWN["funnel"])

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(subprocess, "run", refuse)
    again = charts.funnel(list(STEPS), VI, day=TODAY, step=5)
    assert await charts.draw(again) is first
    with pytest.raises(AssertionError, match="drawn again"):
        await charts.draw(charts.funnel([*STEPS[:4], FunnelStep("reported", 15)], VI, day=TODAY, step=5))


async def test_the_bot_answers_others_while_a_chart_is_drawn() -> None:
    drawing_now = asyncio.create_task(charts.draw(charts.funnel(STEPS[::-1], VI, day=TODAY)))
    turns = 0
    while not drawing_now.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1000


async def test_a_chart_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BotError, match="could not be drawn"):
        await charts.draw(Chart(b'{"chart": "pie"}', ""))
    monkeypatch.setattr(charts, "DRAWING_SECONDS", 0.01)
    with pytest.raises(BotError, match="could not be drawn"):
        await charts.draw(charts.funnel(STEPS[:2], VI, day=TODAY))


def test_the_serving_process_loads_no_library_of_papers() -> None:
    program = "import sys, handlers, bot.runtime.build, bot.__main__; print([m for m in ('altair', 'vl_convert', 'openpyxl', 'narwhals') if m in sys.modules])"  # noqa: E501
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
