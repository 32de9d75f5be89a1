"""A simulated year: the same each time, true to the counts, refused among people, and named wherever it is shown."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import docx
import pytest
from openpyxl import load_workbook

from bot import access
from bot.clock import moment
from bot.demo.simulation import ADDRESS, MADE_UP, NotEmpty, simulate
from bot.exports.official_report import make_report
from bot.exports.report_periods import last_month
from bot.exports.tables import Wanted
from bot.exports.workbook import make_workbook
from bot.i18n.catalogue import load_catalogues
from bot.library.articles import load_library
from bot.library.regions import load_regions
from bot.library.sources import codes_within, load_sources
from bot.message import Person
from bot.settings import ReportSettings, Settings
from bot.statistics import counts
from bot.store import Store, open_store, people
from tests.conftest import NOON, ROOT, Talk
from tests.support.processes import run_command

REGIONS = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
LIBRARY, SOURCES = load_library(ROOT / "content"), load_sources(ROOT / "content")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WORKING = Settings().working
TODAY = NOON.astimezone(ZONE).date()
WARNING = "SỐ LIỆU MÔ PHỎNG"


async def fill(store: Store, *, seed: int = 1, number: int = 1500) -> None:
    await simulate(store, REGIONS, LIBRARY, SOURCES, now=NOON, working=WORKING, people=number, seed=seed)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    yield opened
    await opened.close()


async def everything(store: Store) -> list[list[tuple[object, ...]]]:
    tables = (
        "people",
        "reports",
        "report_history",
        "consents",
        "questions",
        "conversations",
        "roles",
        "tallies",
        "broadcasts",
    )
    return [
        [tuple(row) for row in await store.read(lambda tx, name=table: tx.all(f"SELECT * FROM {name} ORDER BY 1, 2"))]  # type: ignore[misc,arg-type]
        for table in (*tables, "deliveries", "funnel")
    ]


async def test_the_counts_agree_with_a_full_recount_and_the_year_ends_yesterday(store: Store) -> None:
    await fill(store)
    assert await counts.disagreements(store) == []
    assert await access.check_audit(store) is None
    days = await counts.count_days(store, since=TODAY - timedelta(days=400), until=TODAY)
    assert days[0].day >= TODAY - timedelta(days=365)
    assert days[-1].day <= TODAY - timedelta(days=1)
    assert any(day.new < 0 for day in days) or len(days) > 200
    history = await store.read(lambda tx: tx.all("SELECT change, COUNT(*) AS n FROM report_history GROUP BY change"))
    assert {row["change"] for row in history} == {"reported", "corrected", "withdrawn"}
    steps = {step.name: step.people for step in await counts.count_steps(store, today=TODAY)}
    assert steps["start"] == 1500 > steps["asked"] > steps["reported"] > 500
    future = await store.read(
        lambda tx: tx.all(
            "SELECT at FROM questions UNION ALL SELECT at FROM report_history UNION ALL SELECT seen_at FROM people"
        )
    )
    assert max(row["at"] for row in future) < NOON.isoformat()


async def test_the_same_seed_makes_the_same_year(tmp_path: Path) -> None:
    made = []
    for number, seed in enumerate((7, 7, 8)):
        store = open_store(f"sqlite:///{tmp_path / f'{number}.db'}")
        await fill(store, seed=seed, number=300)
        made.append(await everything(store))
        await store.close()
    assert made[0] == made[1] != made[2]


async def test_every_word_of_a_citizen_says_that_it_is_made_up(store: Store) -> None:
    await fill(store)
    rows = await store.read(
        lambda tx: tx.all(
            "SELECT text FROM questions UNION ALL SELECT text FROM conversation_messages "
            "UNION ALL SELECT wording FROM consents UNION ALL SELECT SUBSTR(texts, 8) FROM broadcasts"
        )
    )
    assert rows
    assert all(row["text"].startswith(MADE_UP) for row in rows)
    addresses = await store.read(lambda tx: tx.all("SELECT address FROM people"))
    assert all(row["address"].startswith(ADDRESS) for row in addresses)


async def test_talks_wait_and_messages_were_sent_to_those_who_asked_for_them(store: Store) -> None:
    await fill(store)
    open_ = await store.read(lambda tx: tx.all("SELECT * FROM conversations WHERE closed_at = '' AND district <> ''"))
    assert {row["kind"] for row in open_} == {"help", "data"}
    assert sum(row["officer_id"] is not None for row in open_) == 1
    sent = await store.read(
        lambda tx: tx.all(
            """
            SELECT b.id, b.state, b.began_at, COUNT(d.id) AS people, MAX(d.at) AS last, SUM(CASE WHEN EXISTS (
                SELECT 1 FROM consents c WHERE c.person_id = d.person_id AND c.purpose = 'reminders'
                AND c.given_at < b.began_at
            ) THEN 0 ELSE 1 END) AS unasked
            FROM broadcasts b LEFT JOIN deliveries d ON d.broadcast_id = b.id GROUP BY b.id, b.state, b.began_at
            ORDER BY b.id
            """
        )
    )
    assert [row["state"] for row in sent] == ["done"] * 8 + ["waiting"]
    assert all(row["people"] > 50 and not row["unasked"] for row in sent[1:-1])
    assert max(row["last"] for row in sent[:-1]) < NOON.isoformat()


async def test_deadlines_keep_working_hours(store: Store) -> None:
    await fill(store)
    rows = await store.read(lambda tx: tx.all("SELECT opened_at, due_at FROM conversations"))
    assert len(rows) > 4
    for row in rows:
        assert moment(row["due_at"]) == WORKING.due(moment(row["opened_at"]), 2)
        assert WORKING.works_on(moment(row["due_at"]).astimezone(ZONE).date())


async def test_it_is_refused_where_anybody_is_or_was_counted(store: Store) -> None:
    at = "2026-11-01T05:00:00.000Z"
    number = await store.write(lambda tx: people.remember(tx, Person("telegram", "1"), source="", at=at))
    with pytest.raises(NotEmpty, match="holds people"):
        await fill(store)
    await store.write(lambda tx: people.erase(tx, number, day="2026-11-02"))
    await fill(store, number=10)
    with pytest.raises(NotEmpty, match="simulated data already"):
        await fill(store)


async def test_what_was_counted_of_deleted_people_also_refuses_it(store: Store) -> None:
    from tests.statistics.test_counts import report

    number = await store.write(report("a", "yen-lac", TODAY))
    await store.write(lambda tx: people.erase(tx, number or 1, day=TODAY.isoformat()))
    with pytest.raises(NotEmpty, match="holds people"):
        await fill(store)


async def test_nothing_says_simulated_where_nothing_is(talk: Talk) -> None:
    assert WARNING not in await talk.say("/tiendo")
    assert not await counts.are_simulated(talk.service.store)


async def test_chat_picture_file_and_report_say_that_figures_are_simulated(talk: Talk) -> None:
    store = talk.service.store
    await fill(store)
    code = await access.invite(store, role="admin", scope="", at=NOON, actor="test")
    await talk.say(f"/start moi_{code}")
    assert (await talk.say("/thongke")).startswith(WARNING)
    assert WARNING in talk.replies[0].alt
    assert WARNING in await talk.say("/tiendo")
    assert WARNING in await talk.say(choice="export:csv")
    file = talk.replies[0].file
    assert file is not None
    assert file.name.startswith("mo-phong-")
    content = await make_workbook(store, REGIONS, Wanted(TODAY), load_catalogues(["vi"])["vi"], sources=SOURCES)
    assert WARNING in str(load_workbook(io.BytesIO(content)).worksheets[0]["A2"].value)
    content = await make_report(
        store, REGIONS, LIBRARY, last_month(TODAY), ReportSettings(), made_at=NOON.astimezone(ZONE), small_count=5
    )
    paper = docx.Document(io.BytesIO(content))
    assert any(paragraph.text.startswith(WARNING) for paragraph in paper.paragraphs)


async def test_a_districts_funnel_holds_those_who_came_by_its_posters(store: Store) -> None:
    await fill(store)
    codes = codes_within(["yen-lac"], SOURCES, REGIONS)
    assert all(code.startswith("YL") for code in codes)
    assert all(SOURCES.by_code[code].district == "yen-lac" for code in codes)
    steps = {s.name: s.people for s in await counts.count_steps(store, today=TODAY, sources=codes)}
    row = await store.read(lambda tx: tx.all("SELECT source FROM people WHERE source <> ''"))
    assert steps["scan"] == sum(r["source"] in codes for r in row) > 0
    # Published, a part is hidden below two steps, whole steps else; all districts together never exceed the whole.
    whole = {s.name: s.people for s in await counts.count_steps(store, today=TODAY, step=5)}
    parts = [
        {s.name: s.people for s in await counts.count_steps(
            store, today=TODAY, step=5, sources=codes_within([district], SOURCES, REGIONS))}
        for district in REGIONS.districts
    ]  # fmt: skip
    for step, people_ in whole.items():
        assert all(part[step] % 5 == 0 and part[step] != 5 for part in parts)
        assert sum(part[step] for part in parts) <= people_


async def test_nobody_comes_by_the_codes_of_no_district(store: Store) -> None:
    await fill(store, number=100)
    assert all(s.people == 0 for s in await counts.count_steps(store, today=TODAY, sources=frozenset()))


def test_the_command_makes_it_once_and_says_how_to_sign_in(tmp_path: Path) -> None:
    made = run_command("demo-data", "--people", "200", data=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "200 people" in made.stdout
    assert "desk-link --person 201" in made.stdout
    again = run_command("demo-data", data=tmp_path)
    assert (again.returncode, again.stdout) == (1, "")
    assert "simulated data already" in again.stderr
    counted = run_command("counts", "--by", "source", data=tmp_path)
    assert counted.stderr.startswith(WARNING)
    assert "huyện Yên Lạc cũ" in counted.stdout  # its code is named
    assert datetime.now(UTC) > NOON
