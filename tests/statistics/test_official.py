"""Imports of official figures: drafts, all or nothing, undone exactly; the command that does it at one go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import NotAllowed
from bot.library.regions import load_regions
from bot.statistics import counts, official
from bot.statistics.counts import OfficialFigure
from bot.statistics.official_mapping import guess_mapping
from bot.statistics.official_preview import ImportPreview
from bot.statistics.table_reader import TableRefused
from bot.store import Store, open_store, roles
from tests.conftest import NOON, ROOT
from tests.statistics.test_counts import report
from tests.statistics.test_official_import import NAMES, PHONES, department
from tests.statistics.test_table_reader import workbook
from tests.support.engines import Engine
from tests.support.processes import run_command

TODAY = date(2026, 12, 1)
NOVEMBER = date(2026, 11, 30)
REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[Store]:
    opened = open_store(engine.url)
    yield opened
    await opened.close()


async def draft(store: Store, content: bytes, name: str = "a.xlsx", at: datetime = NOON) -> int:
    return await official.keep_draft(store, content, name, REGIONS, actor="person 7", at=at)


async def look(store: Store, number: int) -> ImportPreview:
    return await official.preview_import(store, await official.find_import(store, number), REGIONS, today=TODAY)


async def take(store: Store, number: int, *, sure: bool = False, seen: str = "", at: datetime = NOON) -> int:
    """Take a draft in as it is shown now; returns how many figures took the place of others."""
    seen = seen or (await look(store, number)).version
    done = await official.take_in(
        store, number, REGIONS, seen=seen, sure=sure, actor="person 7", at=at, today=TODAY
    )  # fmt: skip
    return done.replaced


async def known(store: Store) -> dict[str, OfficialFigure]:
    return dict(await counts.official_figures(store, REGIONS, until=TODAY))


def one(day: date, phones: int, name: str = "Yên Lạc") -> bytes:
    return workbook(("x", [["Ngày", "Huyện", "Số máy"], [day, name, phones]]))


async def test_draft_is_kept_as_it_was_read(store: Store) -> None:
    rows: list[list[object]] = [
        ["Ngày", "Huyện", "Số máy", "Khác"],
        [NOVEMBER, "Yên Lạc", 10800, 0.5],
        [None, True, "=1"],
    ]
    number = await draft(store, workbook(("Một", rows), ("Hai", [["x"]])))
    found = await official.find_import(store, number)
    assert (found.state, found.file, found.made_by, found.taken_at) == ("draft", "a.xlsx", "person 7", None)
    assert [table.name for table in found.tables] == ["Một", "Hai"]
    assert found.tables[0].rows[1] == (2, [NOVEMBER, "Yên Lạc", 10800, 0.5])
    assert found.mapping == guess_mapping(found.tables, REGIONS)
    assert await known(store) == {"vinh-phuc": OfficialFigure(date(2021, 10, 10), 67750)}
    assert await official.latest_imports(store, limit=9) == []


async def test_department_table_is_taken_in_as_shown(store: Store) -> None:
    number = await draft(store, workbook(("Tháng 11", department())))
    assert await take(store, number) == 0
    figures = await known(store)
    assert {place: figures[place].phones for place in PHONES} == PHONES
    assert figures["vinh-phuc"] == OfficialFigure(NOVEMBER, sum(PHONES.values()))
    (listed,) = await official.latest_imports(store, limit=9)
    assert (listed.number, listed.state, len(listed.figures)) == (number, "taken", 9)
    assert (await official.find_import(store, number)).tables == ()
    assert [(row["actor"], row["action"], row["detail"]) for row in await store.read(roles.audit)] == [
        ("person 7", "import-official", f"import {number}: 9 figures of a.xlsx")
    ]


async def test_province_counts_as_complete_only_with_all_districts(store: Store) -> None:
    await take(store, await draft(store, one(NOVEMBER, 10800)))
    assert (await known(store))["vinh-phuc"].phones == 67750


async def test_undo_puts_back_exactly_what_stood_there(store: Store) -> None:
    await take(store, await draft(store, one(NOVEMBER, 10000)))
    before = await known(store)
    number = await draft(store, workbook(("Tháng 11", department())))
    assert await take(store, number, at=NOON + timedelta(hours=1)) == 1
    undone = await official.undo_import(store, number, actor="person 8", at=NOON + timedelta(hours=2))
    assert undone.state == "undone"
    assert await known(store) == before
    assert [row["action"] for row in await store.read(roles.audit)][-1] == "undo-official"
    with pytest.raises(NotAllowed, match="finished or changed"):
        await official.undo_import(store, number, actor="person 8", at=NOON)


async def test_undo_waits_for_a_later_import_to_be_undone(store: Store) -> None:
    first = await draft(store, one(NOVEMBER, 10000))
    await take(store, first)
    second = await draft(store, one(NOVEMBER, 10000))
    await take(store, second, at=NOON + timedelta(minutes=1))  # the same figure, from another file
    with pytest.raises(NotAllowed, match="later import changed"):
        await official.undo_import(store, first, actor="x", at=NOON)
    assert (await known(store))["yen-lac"].phones == 10000
    await official.undo_import(store, second, actor="x", at=NOON)
    await official.undo_import(store, first, actor="x", at=NOON)
    assert "yen-lac" not in await known(store)


async def test_nothing_is_taken_in_that_is_wrong_odd_or_changed(store: Store) -> None:
    wrong = await draft(store, one(date(2027, 1, 1), 10800))
    with pytest.raises(NotAllowed, match="marked as wrong"):
        await take(store, wrong, sure=True)
    await take(store, await draft(store, one(date(2026, 10, 31), 10000)))
    odd = await draft(store, one(NOVEMBER, 100))
    with pytest.raises(NotAllowed, match="marked as odd"):
        await take(store, odd)
    seen = (await look(store, odd)).version
    mapping = (await official.find_import(store, odd)).mapping
    await official.change_mapping(store, odd, replace(mapping, day=date(2026, 11, 29), days=-1))
    with pytest.raises(NotAllowed, match="changed meanwhile"):
        await take(store, odd, sure=True, seen=seen)
    assert (await known(store))["yen-lac"].phones == 10000
    await take(store, odd, sure=True)
    assert (await known(store))["yen-lac"] == OfficialFigure(date(2026, 11, 29), 100)
    with pytest.raises(NotAllowed, match="finished or changed"):
        await take(store, odd, seen="x")
    with pytest.raises(NotAllowed, match="finished or changed"):
        await official.change_mapping(store, odd, mapping)


async def test_figure_that_changes_between_look_and_confirmation_is_shown_again(store: Store) -> None:
    number = await draft(store, one(NOVEMBER, 10800))
    seen = (await look(store, number)).version
    await take(store, await draft(store, one(date(2026, 10, 31), 9000)))
    with pytest.raises(NotAllowed, match="changed meanwhile"):
        await take(store, number, seen=seen)


async def test_draft_is_deleted_on_demand_and_after_a_day(store: Store) -> None:
    numbers = [await draft(store, one(NOVEMBER, 5), at=NOON - timedelta(hours=hours)) for hours in (1, 1, 25)]
    await official.discard_draft(store, numbers[1])
    assert await store.write(lambda tx: official.forget_drafts(tx, at=NOON)) == 1
    await official.find_import(store, numbers[0])
    for number in numbers[1:]:
        with pytest.raises(NotAllowed, match="does not exist"):
            await official.find_import(store, number)


async def test_refused_file_leaves_no_draft(store: Store) -> None:
    with pytest.raises(TableRefused, match="PDF"):
        await draft(store, b"%PDF-1.7", "a.pdf")


async def test_official_figures_stand_beside_the_reports_of_their_day(store: Store) -> None:
    for number in range(7):
        await store.write(report(f"a{number}", "yen-lac", date(2026, 11, 10)))
    await store.write(report("late", "yen-lac", NOVEMBER))
    for day, phones in ((date(2026, 11, 1), 9000), (date(2026, 11, 15), 10000), (NOVEMBER, 10800)):
        await take(store, await draft(store, one(day, phones)))
    exact = await counts.official_history(store, REGIONS, "yen-lac", today=TODAY, step=1, limit=2)
    assert [(one.official.phones, one.reports) for one in exact] == [(10800, 8), (10000, 7)]
    coarse = await counts.official_history(store, REGIONS, "yen-lac", today=TODAY, step=5, limit=9)
    assert [one.reports for one in coarse] == [5, 5, 0]


# The command.


def made(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def test_command_takes_a_plain_table_without_a_question(tmp_path: Path) -> None:
    today = date.today()
    days = [today - timedelta(days=8), today - timedelta(days=1)]
    text = "date,district,phones\n" + "".join(f"{day},yen-lac,{5000 + n}\n" for n, day in enumerate(days))
    done = run_command("import-official", made(tmp_path / "a.csv", text.encode()), data=tmp_path)
    assert done.stdout == (
        f"2 official figures from {days[0]} to {days[1]} taken in, 0 of them corrected. "
        "To undo: python -m bot import-official --undo 1\n"
    )
    assert done.stderr == ""
    undone = run_command("import-official", "--undo", "1", data=tmp_path)
    assert undone.stdout == "Undone: 2 official figures of a.csv are as they were before.\n"
    again = run_command("import-official", "--undo", "1", data=tmp_path)
    assert (again.returncode, again.stdout) == (1, "")


def test_command_names_every_wrong_row_and_takes_nothing(tmp_path: Path) -> None:
    text = "date,district,phones\n2022-01-01,yen-lac,5\n2099-01-01,yen-lac,6\n2022-01-08,yen-lac,x\n"
    done = run_command("import-official", made(tmp_path / "a.csv", text.encode()), data=tmp_path)
    assert done.returncode == 1
    assert "a.csv:3: Ngày 01/01/2099 ở tương lai." in done.stderr
    assert "a.csv:4: “x” không phải số máy" in done.stderr
    done = run_command("import-official", "--undo", "1", data=tmp_path)
    assert done.stderr == "Không có lần nhập này, hoặc bản nháp đã bị xóa sau một ngày. Bạn hãy tải tệp lên lại.\n"


def test_command_shows_a_table_that_needs_a_look(tmp_path: Path) -> None:
    today = date.today() - timedelta(days=1)
    rows = department(until=f"Tính đến ngày {today:%d/%m/%Y}")
    file = made(tmp_path / "a.xlsx", workbook(("Tháng 11", rows)))
    done = run_command("import-official", file, data=tmp_path)
    assert done.returncode == 1
    for line in ("Trang tính: Tháng 11", "Địa bàn: cột B “Đơn vị”", "Số máy: cột D “Số máy đã cài đặt Lũy kế”"):
        assert line in done.stdout
    assert NAMES[6] in done.stdout
    assert "--yes takes it in" in done.stderr
    chosen = run_command("import-official", file, "--phones", "C", "--yes", data=tmp_path)
    assert "9 official figures" in chosen.stdout
    assert "Số máy: cột C" not in chosen.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ((), 2, "give a FILE, or --undo"),
        (("a.csv", "--undo", "1"), 2, "give a FILE, or --undo"),
        (("/dev/zero",), 1, "/dev/zero: Không đọc được tệp này."),
        (("none.csv",), 1, "none.csv: Không đọc được tệp này."),
    ],
)
def test_command_refuses_in_one_sentence(tmp_path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = run_command("import-official", *arguments, data=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"), [("--sheet", "Ba", "there is no sheet 'Ba'"), ("--places", "7", "must be a letter")]
)
def test_command_refuses_what_the_file_has_not(tmp_path: Path, option: str, value: str, said: str) -> None:
    file = made(tmp_path / "a.xlsx", workbook(("Tháng 11", department())))
    done = run_command("import-official", file, option, value, data=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
