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
from bot.store.links import hold_circle

VIEWS: Final = ("district", "commune", "channel", "language", "source", "product")
# What a person did, in the order of the funnel; each is counted once a person.
STEPS: Final = ("scan", "start", "asked", "guide", "reported")

# A change is booked in a row of its day, of its month and of its year.
_UNITS: Final = (("day", 10), ("month", 7), ("year", 4))
_HALF_MONTH, _HALF_YEAR = 15, 6
_PAGE = 20_000
# What a report is counted under, in the order of VIEWS; the last is the day it was made.
_Key = tuple[str, str, str, str, str, str, str]


@contextmanager
def kept_up(tx: Transaction, person_id: int, *, day: str) -> Iterator[None]:
    """Book what the enclosed changes do to the report of a person and of their linked channels.

    Without a day, the changes are booked on the day of the report itself.
    """
    members = hold_circle(tx, person_id)
    before = _standing(tx, members)
    yield
    after = _standing(tx, members)
    for key, change in ((key, after[key] - before[key]) for key in before | after):
        if change:
            _book(tx, key, day=day or key[-1], change=change)


def _standing(tx: Transaction, people: Iterable[int]) -> Counter[_Key]:
    named = {f"p{number}": person for number, person in enumerate(people)}
    rows = tx.all(
        "SELECT district, commune, channel, language, source, product, day FROM reports "  # noqa: S608 - no value in it
        f"WHERE person_id IN ({', '.join(f':{name}' for name in named)})",
        **named,
    )
    return Counter(
        (r["district"], r["commune"], r["channel"], r["language"], r["source"], r["product"], r["day"]) for r in rows
    )


def _book(tx: Transaction, key: _Key, *, day: str, change: int) -> None:
    district, *names, _ = key
    for view, name in zip(VIEWS, ("", *names), strict=True):
        for unit, length in _UNITS:
            _add_reports(tx, view, unit, day[:length], district, name, change=change)


def _add_reports(tx: Transaction, view: str, unit: str, span: str, district: str, name: str, *, change: int) -> None:
    tx.add(
        """
        INSERT INTO tallies (view, unit, span, district, name, reports)
        VALUES (:view, :unit, :span, :district, :name, :change)
        ON CONFLICT (view, unit, span, district, name) DO UPDATE SET reports = tallies.reports + excluded.reports
        """,
        table="tallies",
        change=change,
        view=view,
        unit=unit,
        span=span,
        district=district,
        name=name,
    )


def standing(tx: Transaction, view: str, *, day: str, districts: Collection[str] | None = None) -> list[Row]:
    """Count what stood at the end of a day by district and name, which is empty in the view of districts."""
    where, named = _within(districts)
    select = f"SELECT district, name, {{sign}}reports AS reports FROM tallies WHERE view = :view{where} AND "  # noqa: S608
    parts, values = _parts(day, select)
    return tx.all(
        f"SELECT district, name, SUM(reports) AS reports FROM ({parts}) AS changes "  # noqa: S608
        "GROUP BY district, name ORDER BY district, name",
        view=view,
        **named,
        **values,
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


def recount(tx: Transaction) -> dict[str, Counter[tuple[str, str]]]:
    """Count the reports themselves by each view, district and name, however long that takes."""
    counted: dict[str, Counter[tuple[str, str]]] = {view: Counter() for view in VIEWS}
    after = 0
    while True:
        # Page by page and counted here: a GROUP BY would sort millions of rows once for each view.
        rows = raw(tx, after=after, limit=_PAGE)
        if not rows:
            return counted
        after = rows[-1]["number"]
        counted["district"].update((row["district"], "") for row in rows)
        for view in VIEWS[1:]:
            counted[view].update((row["district"], row[view]) for row in rows)


def disagreements(tx: Transaction) -> list[str]:
    """Compare what was kept with a full recount and with itself; a sentence for each difference."""
    found, recounted = [], recount(tx)
    for view in VIEWS:
        kept = {(r["district"], r["name"]): r["reports"] for r in standing(tx, view, day="9999-12-31")}
        counted = recounted[view]
        found += [
            f"{view} {'/'.join(filter(None, key)) or '-'}: {kept.get(key, 0)} kept, {counted.get(key, 0)} counted"
            for key in sorted(kept.keys() | counted.keys())
            if kept.get(key, 0) != counted.get(key, 0)
        ]
    rows = tx.all(
        """
        SELECT view, year, SUM(days) AS days, SUM(months) AS months, SUM(years) AS years FROM (
            SELECT view, substr(span, 1, 4) AS year,
                   CASE WHEN unit = 'day' THEN reports ELSE 0 END AS days,
                   CASE WHEN unit = 'month' THEN reports ELSE 0 END AS months,
                   CASE WHEN unit = 'year' THEN reports ELSE 0 END AS years
            FROM tallies
        ) AS units GROUP BY view, year
        HAVING SUM(days) <> SUM(months) OR SUM(days) <> SUM(years) ORDER BY view, year
        """
    )
    found += [
        f"{r['view']} {r['year']}: {r['days']} by day, {r['months']} by month, {r['years']} by year" for r in rows
    ]
    return found


def took(steps: int, names: Iterable[str]) -> bool:
    """Tell whether all these steps are among those a person took."""
    return all(steps >> STEPS.index(name) & 1 for name in names)


def note_steps(tx: Transaction, person_id: int, steps: Collection[str], *, day: str) -> None:
    """Count a person in each step of the funnel that they take for the first time."""
    row = tx.one("SELECT channel, source, steps FROM people WHERE id = :id", id=person_id)
    if row is None:
        return
    new = [step for step in STEPS if step in steps and not took(row["steps"], (step,))]
    if not new:
        return
    taken = sum(1 << STEPS.index(step) for step in new)
    # Only who finds none of them taken counts them: another process may have taken one a moment ago.
    if not tx.run(
        "UPDATE people SET steps = steps | :taken WHERE id = :id AND steps & :taken = 0", taken=taken, id=person_id
    ):
        note_steps(tx, person_id, steps, day=day)
        return
    for step in new:
        for unit, length in _UNITS:
            _add_people(tx, step, unit, day[:length], row["channel"], row["source"], change=1)


def _add_people(tx: Transaction, step: str, unit: str, span: str, channel: str, source: str, *, change: int) -> None:
    tx.add(
        """
        INSERT INTO funnel (step, unit, span, channel, source, people)
        VALUES (:step, :unit, :span, :channel, :source, :change)
        ON CONFLICT (unit, span, step, channel, source) DO UPDATE SET people = funnel.people + excluded.people
        """,
        table="funnel",
        change=change,
        step=step,
        unit=unit,
        span=span,
        channel=channel,
        source=source,
    )


def forget_source(tx: Transaction, source: str) -> None:
    """Count under no name what was counted under a source of which nobody is left: the name may be a trace."""
    # What is deleted is what is moved, also where another process counts at this moment.
    moved = tx.all(
        "DELETE FROM tallies WHERE view = 'source' AND name = :source RETURNING unit, span, district, reports",
        source=source,
    )
    steps = tx.all(
        "DELETE FROM funnel WHERE source = :source RETURNING step, unit, span, channel, people", source=source
    )
    # Somebody of that source may have come while others were waited for.
    name = source if tx.one("SELECT 1 FROM people WHERE source = :source LIMIT 1", source=source) else ""
    for row in moved:
        _add_reports(tx, "source", row["unit"], row["span"], row["district"], name, change=row["reports"])
    for row in steps:
        _add_people(tx, row["step"], row["unit"], row["span"], row["channel"], name, change=row["people"])


def funnel(tx: Transaction, *, day: str, sources: Collection[str] | None = None) -> dict[str, int]:
    """Count the people who had taken each step at the end of a day; only of some sources, if any are given."""
    also, named = _among("source", sources)
    select = f"SELECT step, {{sign}}people AS people FROM funnel WHERE 1 = 1{also} AND "  # noqa: S608 - no value in it
    parts, values = _parts(day, select)
    rows = tx.all(
        f"SELECT step, SUM(people) AS people FROM ({parts}) AS changes GROUP BY step",  # noqa: S608
        **values,
        **named,
    )
    return dict.fromkeys(STEPS, 0) | {row["step"]: int(row["people"]) for row in rows}


def raw(tx: Transaction, *, after: int, limit: int) -> list[Row]:
    """List reports one by one, without who made them, in pages: `number` says where the next page begins."""
    return tx.all(
        """
        SELECT person_id AS number, day, district, commune, channel, language, source, product FROM reports
        WHERE person_id > :after ORDER BY person_id LIMIT :limit
        """,
        after=after,
        limit=limit,
    )


def _parts(day: str, select: str) -> tuple[str, dict[str, object]]:
    """Write the sum up to a day as a few ranges of days, months and years, each with its sign."""
    values: dict[str, object] = {}
    parts = []
    for number, (sign, unit, first, last) in enumerate(_ranges(day)):
        parts.append(f"{select.format(sign=sign)}unit = '{unit}' AND span >= :first{number} AND span <= :last{number}")
        values |= {f"first{number}": first, f"last{number}": last}
    return " UNION ALL ".join(parts), values


def _ranges(day: str) -> list[tuple[str, str, str, str]]:
    """Cover all time up to a day: whole years and months, then the nearer side of the month and year is put right.

    Mostly the day is today or yesterday, so that a year and a month are complete but for nothing or a day.
    """
    year, month, date = day[:4], int(day[5:7]), int(day[8:])
    months = month if date > _HALF_MONTH else month - 1  # how many months of the year are counted whole
    if months > _HALF_YEAR:
        ranges = [("", "year", "0000", year), ("-", "month", f"{year}-{months + 1:02}", f"{year}-12")]
    else:
        ranges = [("", "year", "0000", f"{int(year) - 1:04}"), ("", "month", f"{year}-01", f"{year}-{months:02}")]
    if months == month:
        ranges.append(("-", "day", f"{day[:8]}{date + 1:02}", f"{day[:8]}31"))
    else:
        ranges.append(("", "day", f"{day[:8]}01", day))
    return ranges


def _within(districts: Collection[str] | None) -> tuple[str, dict[str, object]]:
    return _among("district", districts)


def _among(column: str, wanted: Collection[str] | None) -> tuple[str, dict[str, object]]:
    if wanted is None:
        return "", {}
    named: dict[str, object] = {f"in{number}": one for number, one in enumerate(sorted(wanted))}
    return f" AND {column} IN ({', '.join(f':{name}' for name in named) or 'NULL'})", named
