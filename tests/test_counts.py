"""Counting reports: by district with shares and ranks, by anything else, within days and scopes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot import counts
from bot.message import Person
from bot.regions import load_regions
from bot.store import Store, Transaction, open_store, people, reports
from tests.conftest import ROOT

REGIONS = load_regions(ROOT / "content" / "regions" / "vinh-phuc.yaml")
TODAY = date(2026, 11, 23)

# name, district, commune, channel, source, days ago
REPORTS: list[tuple[str, str, str, str, str, int]] = [
    ("a", "vinh-tuong", "09127", "webchat", "poster-1", 0),
    ("b", "vinh-tuong", "", "webchat", "", 6),
    ("c", "vinh-tuong", "09127", "telegram", "poster-1", 7),
    ("d", "yen-lac", "", "telegram", "poster-2", 0),
    ("e", "yen-lac", "", "webchat", "", 40),
    ("f", "tam-dao", "", "webchat", "", 1),
]


def put(tx: Transaction, rows: list[tuple[str, str, str, str, str, int]]) -> None:
    for name, district, commune, channel, source, ago in rows:
        number = people.remember(tx, Person(channel, name), source=source, at="")
        day = (TODAY - timedelta(days=ago)).isoformat()
        reports.keep(tx, number, district=district, commune=commune, channel=channel, source=source, day=day, at=day)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    await opened.write(lambda tx: put(tx, REPORTS))
    yield opened
    await opened.close()


async def test_districts_with_share_new_and_rank(store: Store) -> None:
    province = await counts.count_districts(store, REGIONS, today=TODAY)
    by_id = {count.district: count for count in province.districts}
    assert list(by_id) == list(REGIONS.districts)  # all nine, also those with nothing
    assert {d: (c.reports, c.new) for d, c in by_id.items() if c.reports} == {
        "vinh-tuong": (3, 2), "yen-lac": (2, 1), "tam-dao": (1, 1),
    }  # fmt: skip
    assert by_id["vinh-tuong"].share == pytest.approx(3 / 140_900)
    # by share, not by number: 3/140900 > 2/107300 > 1/57600 > 0
    assert {d: c.rank for d, c in by_id.items() if c.reports} == {"vinh-tuong": 1, "yen-lac": 2, "tam-dao": 3}
    assert {c.rank for c in by_id.values() if not c.reports} == {4}
    assert (province.reports, province.new, province.adults) == (6, 4, 789_600)
    assert province.share == pytest.approx(6 / 789_600)


DAYS: list[tuple[date | None, date | None, int]] = [
    (None, None, 6),
    (TODAY, None, 2),
    (TODAY - timedelta(days=6), None, 4),
    (TODAY - timedelta(days=7), TODAY - timedelta(days=1), 3),
    (None, TODAY - timedelta(days=40), 1),
    (None, TODAY - timedelta(days=41), 0),
    (TODAY + timedelta(days=1), None, 0),
]


@pytest.mark.parametrize(("since", "until", "reported"), DAYS)
async def test_days_are_inclusive(store: Store, since: date | None, until: date | None, reported: int) -> None:
    province = await counts.count_districts(store, REGIONS, today=TODAY, since=since, until=until)
    assert province.reports == reported
    for group in counts.GROUPS:
        tallies = await counts.count_by(store, group, since=since, until=until)
        assert sum(tally.reports for tally in tallies) == reported, group


async def test_a_scope_sees_its_own_districts_only(store: Store) -> None:
    province = await counts.count_districts(store, REGIONS, today=TODAY, scope=["yen-lac", "tam-dao"])
    assert [(c.district, c.reports, c.rank) for c in province.districts] == [("tam-dao", 1, 2), ("yen-lac", 2, 1)]
    assert (province.reports, province.adults) == (3, 57_600 + 107_300)
    nothing = await counts.count_districts(store, REGIONS, today=TODAY, scope=[])
    assert (nothing.districts, nothing.reports, nothing.share) == ((), 0, 0.0)


GROUPS: list[tuple[str, list[tuple[str, int, str]]]] = [
    ("district", [("tam-dao", 1, ""), ("vinh-tuong", 3, ""), ("yen-lac", 2, "")]),
    ("commune", [("", 1, "tam-dao"), ("", 1, "vinh-tuong"), ("", 2, "yen-lac"), ("09127", 2, "vinh-tuong")]),
    ("channel", [("telegram", 2, ""), ("webchat", 4, "")]),
    ("source", [("", 3, ""), ("poster-1", 2, ""), ("poster-2", 1, "")]),
    ("day", [("2026-10-14", 1, ""), ("2026-11-16", 1, ""), ("2026-11-17", 1, ""), ("2026-11-22", 1, ""),
             ("2026-11-23", 2, "")]),
]  # fmt: skip


@pytest.mark.parametrize(("group", "expected"), GROUPS, ids=[row[0] for row in GROUPS])
async def test_by_anything(store: Store, group: str, expected: list[tuple[str, int, str]]) -> None:
    tallies = await counts.count_by(store, group)
    assert sorted((tally.key, tally.reports, tally.within) for tally in tallies) == sorted(expected)


async def test_a_correction_moves_a_report_and_keeps_its_day(store: Store) -> None:
    await store.write(lambda tx: put(tx, [("c", "song-lo", "", "telegram", "poster-9", 0)]))
    province = await counts.count_districts(store, REGIONS, today=TODAY)
    reported = {c.district: (c.reports, c.new) for c in province.districts if c.reports}
    assert reported == {"vinh-tuong": (2, 2), "yen-lac": (2, 1), "tam-dao": (1, 1), "song-lo": (1, 0)}
    assert province.reports == 6


async def test_a_withdrawn_report_counts_nowhere(store: Store) -> None:
    await store.write(lambda tx: reports.withdraw(tx, 1, at=""))
    for group in counts.GROUPS:
        assert sum(tally.reports for tally in await counts.count_by(store, group)) == 5
    history = await store.read(lambda tx: [row["change"] for row in reports.history(tx, 1)])
    assert history == ["reported", "withdrawn"]


async def test_what_stands_for_no_district_any_more_is_left_out(store: Store) -> None:
    await store.write(lambda tx: put(tx, [("x", "atlantis", "", "webchat", "", 0)]))
    assert (await counts.count_districts(store, REGIONS, today=TODAY)).reports == 6


async def test_an_unknown_group_is_refused(store: Store) -> None:
    with pytest.raises(KeyError):
        await counts.count_by(store, "address")


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 40), min_size=9, max_size=9))
def test_ranks_agree_with_shares(tmp_path: Path, numbers: list[int]) -> None:
    import asyncio

    for old in tmp_path.iterdir():
        old.unlink()

    async def run() -> counts.ProvinceCount:
        store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
        try:
            rows = [
                (f"{district}-{n}", district, "", "webchat", "", 0)
                for district, number in zip(REGIONS.districts, numbers, strict=True)
                for n in range(number)
            ]
            await store.write(lambda tx: put(tx, rows))
            return await counts.count_districts(store, REGIONS, today=TODAY)
        finally:
            await store.close()

    province = asyncio.run(run())
    assert [c.reports for c in province.districts] == numbers
    assert province.reports == province.new == sum(numbers)
    for one in province.districts:
        assert one.rank == 1 + sum(other.share > one.share for other in province.districts)
