"""Names of units that ended in July 2025 stand in no report."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.exports.letterhead import vanished_names, without_vanished
from bot.exports.wording import clock_time
from bot.library.regions import load_regions
from bot.settings import ReportSettings
from tests.conftest import ROOT

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
TODAY = date(2026, 11, 23)
HEADS: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"parent_agency": "Ủy ban nhân dân tỉnh Phú Thọ", "agency": "Sở Y tế", "place": "Phú Thọ"}, {}),
    ({"parent_agency": "ỦY BAN NHÂN DÂN TỈNH VĨNH PHÚC"}, {"parent_agency": "tỉnh Vĩnh Phúc"}),
    ({"agency": "Trung tâm Y tế huyện  Yên Lạc"}, {"agency": "huyện Yên Lạc"}),
    ({"agency": "Ủy ban nhân dân thành phố Vĩnh Yên"}, {"agency": "thành phố Vĩnh Yên"}),
    ({"place": "Vĩnh Phúc"}, {"place": "tỉnh Vĩnh Phúc"}),
    ({"place": " vĩnh phúc "}, {"place": "tỉnh Vĩnh Phúc"}),
    ({"agency": "Ủy ban nhân dân phường Vĩnh Phúc", "place": "Vĩnh Phúc"}, {}),
    ({"agency": "Ủy ban nhân dân xã Yên Lạc", "place": "Yên Lạc"}, {}),
    ({"agency": "Ủy ban nhân dân phường Vĩnh Yên", "place": "Vĩnh Yên"}, {}),
]


@pytest.mark.parametrize(("head", "vanished"), HEADS)
def test_names_of_ended_units_are_found_and_left_blank(head: dict[str, str], vanished: dict[str, str]) -> None:
    form = ReportSettings(**head)  # type: ignore[arg-type]
    assert vanished_names(form, REGIONS, TODAY) == vanished
    blank = without_vanished(form, REGIONS, TODAY)
    for field in ("parent_agency", "agency", "place"):
        assert getattr(blank, field) == ("" if field in vanished else getattr(form, field))


def test_names_stay_in_reports_made_before_the_merger() -> None:
    assert vanished_names(ReportSettings(place="Vĩnh Phúc"), REGIONS, date(2025, 6, 30)) == {}


def test_time_of_day_reads_as_the_decree_writes_it() -> None:
    at = datetime(2026, 11, 23, 8, 26, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
    assert clock_time(at).replace("\u00a0", " ") == "08 giờ 26 phút"
