"""How long each aggregate takes on ten million reports: from the kept tallies, and by a full recount of the reports.

The reports are made up: three years, nine districts, their communes on both maps, four channels, two languages, 400
sources. Run with `make bench-counts`; the database (2 GB) is made once in build/ and kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

from bot.exports.tables import VIEWS, Wanted, table
from bot.exports.workbook import make_workbook
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import NEW_MAP, load_regions
from bot.statistics import counts
from bot.store import Store, open_store, reports, tallies
from bot.store.migrations import FILL_TALLIES

ROOT = Path(__file__).resolve().parent.parent
TODAY, DAYS, SOURCES = date(2026, 11, 23), 1095, 400
REPEATS = 5
LIMIT_MS = 100.0


def fill(path: Path, number: int) -> None:
    """Make the reports with arithmetic in SQLite itself, then the tallies as the migration makes them."""
    regions = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
    asyncio.run(open_store(f"sqlite:///{path}").close())
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA cache_size = -500000;")
    connection.execute("CREATE TEMP TABLE places (number INTEGER PRIMARY KEY, district TEXT, commune TEXT)")
    places = [(d.id, c.code) for d in regions.districts.values() for c in d.communes]
    places += [(d, f"{NEW_MAP}{c.code}") for c in regions.province.communes_2025 for d in c.origins]
    places += [(d, "") for d in regions.districts]
    connection.executemany("INSERT INTO places (district, commune) VALUES (?, ?)", places)
    connection.execute("CREATE TEMP TABLE days (number INTEGER PRIMARY KEY, day TEXT)")
    days = [((TODAY - timedelta(days=DAYS - 1 - n)).isoformat(),) for n in range(DAYS)]
    connection.executemany("INSERT INTO days (day) VALUES (?)", days)
    numbers = f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})"
    connection.execute("BEGIN")
    connection.execute(
        f"""
        INSERT INTO people (id, channel, address, source, created_at, seen_at)
        {numbers} SELECT i, 'c' || (i * 7919 % 4), i, 's' || (i * 6007 % {SOURCES}), '', '' FROM n
        """
    )
    connection.execute(
        f"""
        INSERT INTO reports (person_id, district, commune, channel, source, language, day, reported_at)
        {numbers} SELECT i, p.district, p.commune, 'c' || (i * 7919 % 4), 's' || (i * 6007 % {SOURCES}),
            CASE WHEN i * 31 % 50 = 0 THEN 'en' ELSE 'vi' END, d.day, d.day || 'T05:00:00.000Z'
        FROM n JOIN places p ON p.number = 1 + (i * 104729 % {len(places)})
        JOIN days d ON d.number = 1 + ((i * 15485863) % {DAYS})
        """
    )
    for statement in FILL_TALLIES:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.close()


async def measured(work: Callable[[], Awaitable[object]]) -> float:
    """Return the median of some runs, in milliseconds."""
    spent = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        await work()
        spent.append(1000 * (time.perf_counter() - begun))
    return statistics.median(spent)


async def measure(store: Store) -> dict[str, dict[str, float]]:
    """Time everything that can be asked for."""
    regions = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
    catalogue = load_catalogues(["vi"])["vi"]
    odd, month = TODAY - timedelta(days=500), TODAY - timedelta(days=30)
    works: dict[str, Callable[[], Awaitable[object]]] = {}
    for view in VIEWS:
        works[f"{view}, ever"] = lambda view=view: table(store, regions, view, Wanted(TODAY), catalogue)
        works[f"{view}, 500 days"] = lambda view=view: table(store, regions, view, Wanted(TODAY, odd, TODAY), catalogue)
        works[f"{view}, one district, published"] = lambda view=view: table(
            store, regions, view, Wanted(TODAY, month, TODAY, frozenset(["vinh-tuong"]), 5), catalogue
        )
    works["growth, 30 days"] = lambda: counts.count_days(store, since=month, until=TODAY)
    works["whole workbook (all sheets)"] = lambda: make_workbook(store, regions, Wanted(TODAY), catalogue)
    kept = {name: await measured(work) for name, work in works.items()}
    full = {}
    begun = time.perf_counter()
    await store.read(tallies.recount)
    full["every view"] = 1000 * (time.perf_counter() - begun)
    begun = time.perf_counter()
    assert await counts.disagreements(store) == []
    full["and compared, as `python -m bot check`"] = 1000 * (time.perf_counter() - begun)
    return {"kept": kept, "recount": full}


async def measure_writing(store: Store) -> float:
    """Time a report with all its tallies, a thousand in one transaction, in microseconds."""
    number = 1000

    def work(tx: object) -> None:
        for person in range(1, number + 1):
            reports.withdraw(tx, person, at=f"{TODAY}T05:00:00.000Z", day=TODAY.isoformat())  # type: ignore[arg-type]
            reports.keep(
                tx, person, district="vinh-tuong", commune="09076", channel="c1", source="s1", language="vi",
                day=TODAY.isoformat(), at=f"{TODAY}T05:00:00.000Z",
            )  # type: ignore[arg-type]  # fmt: skip

    begun = time.perf_counter()
    await store.write(work)
    return 1e6 * (time.perf_counter() - begun) / (2 * number)


async def main() -> int:
    """Print the table, or JSON with --json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=10_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    path = ROOT / "build" / f"bench-counts-{options.reports}.db"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        begun = time.perf_counter()
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        await asyncio.to_thread(fill, part, options.reports)
        part.rename(path)
        print(f"{options.reports:,} reports made in {time.perf_counter() - begun:.0f} s")
    store = open_store(f"sqlite:///{path}")
    try:
        rows = await store.read(lambda tx: tx.all("SELECT COUNT(*) AS n FROM tallies"))
        found = await measure(store)
        writing = await measure_writing(store)
    finally:
        await store.close()
    slowest = max(ms for name, ms in found["kept"].items() if "workbook" not in name)
    if options.json:
        print(
            json.dumps({"reports": options.reports, "tallies": rows[0]["n"], "change_us": writing, **found}, indent=2)
        )
        return int(slowest >= LIMIT_MS)
    print(f"{options.reports:,} reports, {rows[0]['n']:,} rows of tallies; a change with its tallies: {writing:.0f} µs")
    for title, times in found.items():
        print(f"\nfrom the {'kept tallies' if title == 'kept' else 'reports, recounted'} (ms)")
        for name, ms in times.items():
            print(f"  {name:<42}{ms:>10,.1f}")
    print(f"\nslowest aggregate {slowest:.1f} ms, limit {LIMIT_MS:.0f} ms")
    return int(slowest >= LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
