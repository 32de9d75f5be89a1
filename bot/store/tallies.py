"""Counts kept beside the reports, in the same transaction: what changed on which day, by one thing at a time.

A report is booked +1 on its day; a correction books -1 and +1, a withdrawal or a deletion -1, on the day it happens.
So the sum up to a day is what was true at the end of that day, for ever, and names nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from bot.store.database import Row, Transaction
from bot.store.links import CIRCLE

VIEWS: Final = ("district", "commune", "channel", "language", "source")
# What a person did, in the order of the funnel; each is counted once a person.
STEPS: Final = ("scan", "start", "asked", "guide", "reported")

_DAY, _MONTH = "day", "month"
# What a report is counted under, in the order of VIEWS; the last is the day it was made.
_Key = tuple[str, str, str, str, str, str]


@contextmanager
def kept_up(tx: Transaction, person_id: int, *, day: str) -> Iterator[None]:
    """Book what the enclosed changes do to the report of a person and of their linked channels.

    Without a day, the changes are booked on the day of the report itself.
    """
    members = [row["person_id"] for row in tx.all(CIRCLE, id=person_id)]
    before = _standing(tx, members)
    yield
    after = _standing(tx, members)
    for key, change in ((key, after[key] - before[key]) for key in before | after):
        if change:
            _book(tx, key, day=day or key[-1], change=change)


def _standing(tx: Transaction, people: Iterable[int]) -> Counter[_Key]:
    named = {f"p{number}": person for number, person in enumerate(people)}
    rows = tx.all(
        "SELECT district, commune, channel, language, source, day FROM reports "  # noqa: S608 - no value in it
        f"WHERE person_id IN ({', '.join(f':{name}' for name in named)})",
        **named,
    )
    return Counter((r["district"], r["commune"], r["channel"], r["language"], r["source"], r["day"]) for r in rows)


def _book(tx: Transaction, key: _Key, *, day: str, change: int) -> None:
    district, commune, channel, language, source, _ = key
    for view, name in zip(VIEWS, ("", commune, channel, language, source), strict=True):
        for unit, span in ((_DAY, day), (_MONTH, day[:7])):
            tx.run(
                """
                INSERT INTO tallies (view, unit, span, district, name, reports)
                VALUES (:view, :unit, :span, :district, :name, :change)
                ON CONFLICT (view, unit, span, district, name)
                DO UPDATE SET reports = tallies.reports + excluded.reports
                """,
                view=view,
                unit=unit,
                span=span,
                district=district,
                name=name,
                change=change,
            )


def sums(tx: Transaction, view: str, *, since: str, until: str, districts: Collection[str] | None = None) -> list[Row]:
    """Sum the changes of a time by district and name (empty in the view of districts); days are inclusive."""
    ranges = _ranges(since, until)
    if not ranges:
        return []
    where, named = _within(districts)
    parts = " UNION ALL ".join(
        f"SELECT district, name, reports FROM tallies WHERE view = :view AND unit = '{unit}' "  # noqa: S608
        f"AND span >= :first{number} AND span <= :last{number}{where}"
        for number, (unit, _, _) in enumerate(ranges)
    )
    for number, (_, first, last) in enumerate(ranges):
        named |= {f"first{number}": first, f"last{number}": last}
    return tx.all(
        f"SELECT district, name, SUM(reports) AS reports FROM ({parts}) AS changes "  # noqa: S608
        "GROUP BY district, name ORDER BY district, name",
        view=view,
        **named,
    )


def by_day(tx: Transaction, *, since: str, until: str, districts: Collection[str] | None = None) -> list[Row]:
    """List the changes of each day and district: day, district, reports."""
    where, named = _within(districts)
    return tx.all(
        f"""
        SELECT span AS day, district, reports FROM tallies
        WHERE view = 'district' AND unit = 'day' AND span >= :since AND span <= :until{where} ORDER BY span, district
        """,  # noqa: S608 - no value in it
        since=since,
        until=until,
        **named,
    )


def first_day(tx: Transaction) -> str:
    """Return the first day on which anything was booked; empty when there is none."""
    row = tx.one("SELECT MIN(span) AS day FROM tallies WHERE view = 'district' AND unit = 'day'")
    return (row["day"] if row else "") or ""


def recount(tx: Transaction, view: str) -> list[Row]:
    """Count the reports themselves by district and name, however long that takes."""
    assert view in VIEWS  # it becomes part of the statement
    if view == "district":
        return tx.all("SELECT district, '' AS name, COUNT(*) AS reports FROM reports GROUP BY district")
    return tx.all(
        f"SELECT district, {view} AS name, COUNT(*) AS reports FROM reports GROUP BY district, {view}"  # noqa: S608
    )


def disagreements(tx: Transaction) -> list[str]:
    """Compare what was kept with a full recount and with itself; a sentence for each difference."""
    found = []
    for view in VIEWS:
        kept = {
            (r["district"], r["name"]): r["reports"] for r in sums(tx, view, since="0001-01-01", until="9999-12-31")
        }
        counted = {(r["district"], r["name"]): r["reports"] for r in recount(tx, view)}
        found += [
            f"{view} {'/'.join(filter(None, key)) or '-'}: {kept.get(key, 0)} kept, {counted.get(key, 0)} counted"
            for key in sorted(kept.keys() | counted.keys())
            if kept.get(key, 0) != counted.get(key, 0)
        ]
    rows = tx.all(
        """
        SELECT view, month, SUM(days) AS days, SUM(months) AS months FROM (
            SELECT view, substr(span, 1, 7) AS month,
                   CASE WHEN unit = 'day' THEN reports ELSE 0 END AS days,
                   CASE WHEN unit = 'month' THEN reports ELSE 0 END AS months
            FROM tallies
        ) AS both_units GROUP BY view, month HAVING SUM(days) <> SUM(months) ORDER BY view, month
        """
    )
    found += [f"{r['view']} {r['month']}: {r['days']} by day, {r['months']} by month" for r in rows]
    return found


def note_steps(tx: Transaction, person_id: int, steps: Collection[str], *, day: str) -> None:
    """Count a person in each step of the funnel that they take for the first time."""
    row = tx.one("SELECT channel, source, steps FROM people WHERE id = :id", id=person_id)
    if row is None:
        return
    new = [step for number, step in enumerate(STEPS) if step in steps and not row["steps"] >> number & 1]
    if not new:
        return
    tx.run(
        "UPDATE people SET steps = :steps WHERE id = :id",
        steps=row["steps"] | sum(1 << STEPS.index(step) for step in new),
        id=person_id,
    )
    for step in new:
        for unit, span in ((_DAY, day), (_MONTH, day[:7])):
            tx.run(
                """
                INSERT INTO funnel (step, unit, span, channel, source, people)
                VALUES (:step, :unit, :span, :channel, :source, 1)
                ON CONFLICT (step, unit, span, channel, source) DO UPDATE SET people = funnel.people + 1
                """,
                step=step,
                unit=unit,
                span=span,
                channel=row["channel"],
                source=row["source"],
            )


def forget_source(tx: Transaction, source: str) -> None:
    """Count under no name what was counted under a source of which nobody is left: the name may be a trace."""
    tx.run(
        """
        INSERT INTO tallies (view, unit, span, district, name, reports)
        SELECT view, unit, span, district, '', reports FROM tallies WHERE view = 'source' AND name = :source
        ON CONFLICT (view, unit, span, district, name) DO UPDATE SET reports = tallies.reports + excluded.reports
        """,
        source=source,
    )
    tx.run("DELETE FROM tallies WHERE view = 'source' AND name = :source", source=source)
    tx.run(
        """
        INSERT INTO funnel (step, unit, span, channel, source, people)
        SELECT step, unit, span, channel, '', people FROM funnel WHERE source = :source
        ON CONFLICT (step, unit, span, channel, source) DO UPDATE SET people = funnel.people + excluded.people
        """,
        source=source,
    )
    tx.run("DELETE FROM funnel WHERE source = :source", source=source)


def funnel(tx: Transaction, *, since: str, until: str, source: str = "") -> dict[str, int]:
    """Count the people who took each step in a time, of one source where it is named."""
    counts = dict.fromkeys(STEPS, 0)
    also = " AND source = :source" if source else ""
    for unit, first, last in _ranges(since, until):
        for row in tx.all(
            f"""
            SELECT step, SUM(people) AS people FROM funnel
            WHERE unit = :unit AND span >= :first AND span <= :last{also} GROUP BY step
            """,  # noqa: S608 - no value in it
            unit=unit,
            first=first,
            last=last,
            **({"source": source} if source else {}),
        ):
            counts[row["step"]] += row["people"]
    return counts


def raw(tx: Transaction, *, after: int, limit: int) -> list[Row]:
    """List reports one by one, without who made them, in pages: `number` says where the next page begins."""
    return tx.all(
        """
        SELECT person_id AS number, day, district, commune, channel, language, source FROM reports
        WHERE person_id > :after ORDER BY person_id LIMIT :limit
        """,
        after=after,
        limit=limit,
    )


def _ranges(since: str, until: str) -> list[tuple[str, str, str]]:
    """Cover a time with whole months and the days at its ends, so that years are a few rows each."""
    if since > until:
        return []
    first, last = since[:7], until[:7]
    # The last month is taken by days, as its end may lie ahead; the first one too unless it is whole.
    whole = first if since[8:] == "01" else _next_month(first)
    ranges = []
    if whole > first:
        ranges.append((_DAY, since, min(until, first + "-31")))
    if whole < last:
        ranges.append((_MONTH, whole, _month_before(last)))
    if last >= whole:
        ranges.append((_DAY, last + "-01", until))
    return ranges


def _next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def _month_before(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04}-{(number - 2) % 12 + 1:02}"


def _within(districts: Collection[str] | None) -> tuple[str, dict[str, object]]:
    if districts is None:
        return "", {}
    named: dict[str, object] = {f"in{number}": district for number, district in enumerate(sorted(districts))}
    return f" AND district IN ({', '.join(f':{name}' for name in named) or 'NULL'})", named
