"""Which days a report is about: as people write them, whole or up to yesterday, and never days to come."""

from __future__ import annotations

from datetime import date

import pytest

from bot.exports.report_periods import EVERY, OFFERED, last_whole, read_period

TODAY = date(2026, 12, 1)
WRITTEN: list[tuple[str, str]] = [
    ("10/2026", "2026-10-01..2026-10-31"),
    ("tháng 2/2024", "2024-02-01..2024-02-29"),
    ("2026-10", "2026-10-01..2026-10-31"),
    ("Quý III/2026", "2026-07-01..2026-09-30"),
    ("quý 3 năm 2026", "2026-07-01..2026-09-30"),
    ("Q4/2026", "2026-10-01..2026-11-30"),  # up to yesterday
    ("2026-Q1", "2026-01-01..2026-03-31"),
    ("năm 2025", "2025-01-01..2025-12-31"),
    ("2026", "2026-01-01..2026-11-30"),
    ("2026-10-01..2026-10-15", "2026-10-01..2026-10-15"),
    ("từ 1/10/2026 đến 15/10/2026", "2026-10-01..2026-10-15"),
    ("1/10/2026 – 31/12/2026", "2026-10-01..2026-11-30"),
]


@pytest.mark.parametrize(("text", "days"), WRITTEN)
def test_a_period_is_read_as_people_write_it(text: str, days: str) -> None:
    found = read_period(text, TODAY)
    assert found is not None
    assert found.name == days
    assert read_period(found.name, TODAY) == found


@pytest.mark.parametrize(
    "text", ["", "hôm qua", "12/2026", "2027", "13/2026", "quý V/2026", "0000", "5/10 đến 1/10", "x"]
)
def test_what_is_no_period_that_began_is_not_read(text: str) -> None:
    assert read_period(text, TODAY) is None


def test_the_offered_periods_are_over() -> None:
    names = {name: days(TODAY).name for name, (_, days) in OFFERED.items()}
    assert names == {
        "month": "2026-11-01..2026-11-30",
        "last-month": "2026-11-01..2026-11-30",
        "week": "2026-11-24..2026-11-30",
        "quarter": "2026-10-01..2026-11-30",
        "last-quarter": "2026-07-01..2026-09-30",
        "year": "2026-01-01..2026-11-30",
        "last-year": "2025-01-01..2025-12-31",
    }
    new_year = date(2027, 1, 1)
    assert {last_whole(new_year, months).name for _, months in EVERY.values()} == {
        "2026-12-01..2026-12-31", "2026-10-01..2026-12-31", "2026-01-01..2026-12-31"
    }  # fmt: skip
