"""Days and whole numbers in other people's cells."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.statistics.cell_values import as_count, as_day, day_in_text
from bot.statistics.table_reader import Cell, Formula

NOVEMBER = date(2026, 11, 30)
DAYS: list[tuple[Cell, date | None]] = [
    (NOVEMBER, NOVEMBER), ("2026-11-30", NOVEMBER), ("30/11/2026", NOVEMBER), ("30/11/26", NOVEMBER),
    ("30-11-2026", NOVEMBER), ("30.11.2026", NOVEMBER), ("30 / 11 / 2026", NOVEMBER), ("Ngày 30/11/2026", NOVEMBER),
    ("ngày 30 tháng 11 năm 2026", NOVEMBER), ("30  tháng 11  năm 2026", NOVEMBER), ("2026-11-30 08:00", NOVEMBER),
    ("11/30/2026", None), ("2026-11-31", None), ("31/11/2026", None), ("2026-13-45", None), ("30/11", None),
    ("1/1/1", None), ("", None), ("٣٠/١١/٢٠٢٦", None), (46356, None), (True, None), (None, None), (Formula("=1"), None),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "day"), DAYS)
def test_day_is_read_as_people_and_spreadsheets_write_it(cell: Cell, day: date | None) -> None:
    assert as_day(cell) == day


COUNTS: list[tuple[Cell, int | None]] = [
    (67750, 67750), (67750.0, 67750), (0, 0), ("67750", 67750), ("67.750", 67750), ("67,750", 67750), ("67 750", 67750),
    ("67\u00a0750", 67750), ("1.234.567", 1234567), ("0", 0), ("12.345 máy", 12345), ("12.345 thiết bị", 12345),
    (0.125, None), (12.345, None), ("0.125", None), ("0,125", None), ("067750", None), ("67.75", None),
    ("1.2345", None), ("1.234,567", None), ("1.23.456", None), (-5, None), (-5.0, None), ("-5", None), ("", None),
    ("1e5", None),
    ("٣", None), ("1٣", None), (True, None), (None, None), (float("inf"), None), (float("nan"), None),
    (Formula("=1"), None), (NOVEMBER, None), ("khoảng 500", None),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "count"), COUNTS)
def test_count_is_a_whole_number_and_nothing_else(cell: Cell, count: int | None) -> None:
    assert as_count(cell) == count


@given(st.floats() | st.integers() | st.text(max_size=12))
def test_count_never_exceeds_what_a_typed_number_says(cell: Cell) -> None:
    count = as_count(cell)
    if count is not None and isinstance(cell, int | float):
        assert count == cell


TITLES: list[tuple[str, date | None, bool]] = [
    ("(Tính đến hết ngày 30/11/26)", NOVEMBER, True),
    ("Số liệu đến 16h00 ngày 30/11/2026", NOVEMBER, True),
    ("Từ ngày 01/11/2026 đến ngày 30/11/2026", NOVEMBER, True),
    ("Cập nhật ngày 30 tháng 11 năm 2026", NOVEMBER, True),
    ("Phú Thọ, ngày 30 tháng 11 năm 2026", NOVEMBER, False),
    ("Tháng 11 năm 2026", NOVEMBER, False),
    ("tháng 02/2028", date(2028, 2, 29), False),
    ("Tháng 13/2026", None, False),
    ("Biểu số 02/BC-SYT", None, False),
    ("KẾT QUẢ CÀI ĐẶT", None, False),
]


@pytest.mark.parametrize(("title", "day", "sure"), TITLES)
def test_day_of_a_title_is_found_with_its_certainty(title: str, day: date | None, sure: bool) -> None:
    found = day_in_text(title)
    assert (found and found.day) == day
    if found:
        assert found.sure == sure
