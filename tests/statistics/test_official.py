"""Official figures: all rows or none, every wrong one named with its place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.regions import load_regions
from bot.statistics import counts, official
from bot.statistics.official import ImportedFigure, import_figures, read_figures
from bot.store import Store, open_store, roles
from tests.conftest import NOON, ROOT
from tests.exports.test_spreadsheet import written
from tests.support.processes import run_command

TODAY = date(2026, 11, 23)
REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
GOOD = """date,district,phones
2026-11-01,vinh-tuong,12.345
01/11/2026,"Huyện Yên Lạc",9 000
2026-11-01,243,"7,001"
2026-11-01,toàn tỉnh,80000
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    yield opened
    await opened.close()


def read(path: Path, text: str) -> list[ImportedFigure]:
    path.write_text(text, encoding="utf-8")
    return read_figures(path, REGIONS, today=TODAY)


def test_districts_days_and_numbers_as_people_write_them(tmp_path: Path) -> None:
    day = date(2026, 11, 1)
    expected = [
        ImportedFigure(day, "vinh-tuong", 12345), ImportedFigure(day, "yen-lac", 9000),
        ImportedFigure(day, "vinh-yen", 7001),
        ImportedFigure(day, "vinh-phuc", 80000),
    ]  # fmt: skip
    assert read(tmp_path / "a.csv", GOOD) == expected
    assert read(tmp_path / "a.csv", "\ufeff" + GOOD.replace("date,district,phones", "Ngày,Huyện,Số máy")) == expected
    book = written(
        tmp_path / "a.xlsx",
        [["ghi chú", "số máy", "huyện", "ngày"], ["x", 12345, "vinh-tuong", datetime(2026, 11, 1)],
         [None, 9000.0, "Yên Lạc", "2026-11-01"], ["", 7001, "TP Vĩnh Yên", date(2026, 11, 1)],
         ["", "80.000", "Tỉnh Vĩnh Phúc", "1/11/2026"]],
    )  # fmt: skip
    assert read_figures(book, REGIONS, today=TODAY) == expected


HEAD = "date,district,phones\n"
WRONG = [
    ("date,phones\n", ":1: the first row must name the columns date, district, phones; missing: district."),
    ("", ": is empty."),
    (HEAD, ": has no row of figures."),
    (HEAD + "2026-11-31,yen-lac,5\n", ":2: date must be a day such as 2026-11-23 or 23/11/2026, not '2026-11-31'."),
    (HEAD + "2026-11-24,yen-lac,5\n", ":2: date lies in the future: 2026-11-24."),
    (HEAD + "2026-11-01,yen lak,5\n", ":2: district 'yen lak' is not known; known are vinh-yen,"),
    (HEAD + "2026-11-01,Ba Đình,5\n", ":2: district 'Ba Đình' is not known"),
    (HEAD + "2026-11-01,yen-lac,-5\n", ":2: phones must be a whole number, not '-5'."),
    (HEAD + "2026-11-01,yen-lac,5.5\n", ":2: phones must be a whole number, not '5.5'."),
    (HEAD + "2026-11-01,yen-lac,9000000\n", ":2: phones cannot be 9000000: yen-lac has about 107300 adults."),
    (HEAD + "2026-11-01,yen-lac,\n", ":2: phones is missing."),
    (HEAD + "2026-11-01,yen-lac\n", ":2: phones is missing."),
    (HEAD + "2026-11-01,yen-lac,=2+3\n", ":2: phones is a formula; put its value there instead."),
    (HEAD + "2026-11-01,yen-lac,5\n\n2026-11-01,251,6\n", ":4: yen-lac on 2026-11-01 stands in row 2 already."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_a_wrong_row_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ContentError) as caught:
        read(tmp_path / "a.csv", text)
    assert sentence in str(caught.value)
    assert len(caught.value.problems) == 1


async def test_a_figure_takes_the_place_of_the_same_day_and_the_baseline_stands_until_then(store: Store) -> None:
    figures = await counts.official_figures(store, REGIONS, until=TODAY)
    assert figures == {"vinh-phuc": counts.OfficialFigure(date(2021, 10, 10), 67750)}
    day = date(2026, 11, 1)
    nine = [ImportedFigure(day, district, 100 + n) for n, district in enumerate(REGIONS.districts)]
    assert await import_figures(store, nine[:3], actor="test", source="a.csv", at=NOON) == 0
    figures = await counts.official_figures(store, REGIONS, until=TODAY)
    assert figures["vinh-phuc"].phones == 67750  # three districts are no province
    assert await import_figures(store, nine, actor="test", source="a.csv", at=NOON) == 0
    assert await import_figures(store, [ImportedFigure(day, "yen-lac", 7)], actor="test", source="b.csv", at=NOON) == 1
    figures = await counts.official_figures(store, REGIONS, until=TODAY)
    assert figures["yen-lac"] == counts.OfficialFigure(day, 7)
    assert figures["vinh-phuc"] == counts.OfficialFigure(day, sum(100 + n for n in range(9)) - 106 + 7)
    assert "yen-lac" not in await counts.official_figures(store, REGIONS, until=date(2026, 10, 31))
    actions = [(row["action"], row["detail"]) for row in await store.read(roles.audit)]
    assert actions == [
        ("import-official", "3 figures of a.csv"), ("import-official", "9 figures of a.csv"),
        ("import-official", "1 figures of b.csv"),
    ]  # fmt: skip


def test_the_command_takes_all_or_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEAD + "2022-01-01,yen-lac,5\n2022-01-01,nowhere,x\n", encoding="utf-8")
    done = run_command("import-official", str(file), data=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("a.csv:3: ") == 2
    assert done.stdout == ""

    async def held() -> int:
        store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
        try:
            return len(await counts.official_figures(store, REGIONS, until=TODAY))
        finally:
            await store.close()

    assert asyncio.run(held()) == 1
    file.write_text(HEAD + "2022-01-01,yen-lac,5\n2022-01-08,yen-lac,6\n", encoding="utf-8")
    done = run_command("import-official", str(file), data=tmp_path)
    assert done.stdout == "2 official figures from 2022-01-01 to 2022-01-08 taken in, 0 of them corrected.\n"
    assert asyncio.run(held()) == 2
    assert run_command("import-official", str(tmp_path / "none.csv"), data=tmp_path).returncode == 1
    assert official.COLUMNS.keys() == {"date", "district", "phones"}
