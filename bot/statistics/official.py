"""Official figures of the authorities: uploaded as a draft, looked at, taken in as a whole, and undone.

The desk keeps a draft between its pages; the command line does the same at one go. What an import changed is kept with
it, so that undoing puts back exactly what stood there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

import orjson

from bot.access.roles import write_audit
from bot.clock import moment, stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.library.regions import Regions
from bot.statistics.official_mapping import TableMapping, guess_mapping, load_mapping
from bot.statistics.official_preview import Before, ImportedFigure, ImportPreview, latest_before, preview_table
from bot.statistics.table_reader import Cell, Cells, Formula, SheetTable, read_tables
from bot.store import Row, Store, Transaction, official
from bot.store.official import DRAFT, TAKEN, UNDONE

DRAFT_LIFETIME = timedelta(days=1)
_LONGEST_NAME = 120

NOT_THERE = mark("This import does not exist, or its draft was deleted after a day. Please upload the file again.")
MOVED_ON = mark("This import was finished or changed meanwhile. Please look at it again.")
STOPPED = mark("Nothing was taken in: first correct what is marked as wrong.")
UNSURE = mark("Nothing was taken in: please confirm that what is marked as odd is right.")
SUPERSEDED = mark("A later import changed some of these figures. Please undo that one first.")


@dataclass(frozen=True, slots=True)
class OfficialImport:
    """One import as it stands: a draft with its tables, or what was taken in, or undone."""

    number: int
    state: str
    made_by: str
    file: str
    made_at: datetime
    taken_at: datetime | None
    mapping: TableMapping
    tables: tuple[SheetTable, ...] = field(repr=False)
    figures: tuple[ImportedFigure, ...] = ()
    replaced: int = 0


def read_figures_of(
    tables: Sequence[SheetTable], mapping: TableMapping, regions: Regions, before: Before, *, today: date
) -> ImportPreview:
    """Read the sheet that a mapping names."""
    return preview_table(tables[mapping.sheet], mapping, regions, before, today=today)


def known_figures(tx: Transaction, *, today: date) -> Before:
    """Return the look-up of the latest figure of a place before a day."""
    rows = official.figures(tx, until=today.isoformat())
    return latest_before([(date.fromisoformat(row["day"]), row["district"], row["phones"]) for row in rows])


async def keep_draft(store: Store, content: bytes, name: str, regions: Regions, *, actor: str, at: datetime) -> int:
    """Read a file and keep its tables with a guessed mapping; returns the draft's number. Raise TableRefused."""
    tables = await asyncio.to_thread(read_tables, content, name)
    mapping = guess_mapping(tables, regions, name)
    return await store.write(
        partial(
            official.add_import,
            made_by=actor,
            file=name[:_LONGEST_NAME],
            content=_dump_tables(tables),
            mapping=mapping.dump(),
            at=stamp(at),
        )
    )


async def find_import(store: Store, number: int) -> OfficialImport:
    """Return one import; raise NotAllowed if there is none."""
    return await store.read(partial(_find, number=number))


async def latest_imports(store: Store, *, limit: int) -> list[OfficialImport]:
    """List what was taken in or undone, newest first."""
    return [_import_of(row) for row in await store.read(partial(official.latest_imports, limit=limit))]


async def change_mapping(store: Store, number: int, mapping: TableMapping) -> None:
    """Say where the figures of a draft stand; raise NotAllowed if it is none any more."""
    if not await store.write(partial(official.change_mapping, number=number, mapping=mapping.dump())):
        raise NotAllowed(MOVED_ON)


async def preview_import(store: Store, found: OfficialImport, regions: Regions, *, today: date) -> ImportPreview:
    """Show what a draft would bring in."""
    before = await store.read(partial(known_figures, today=today))
    return read_figures_of(found.tables, found.mapping, regions, before, today=today)


async def take_in(
    store: Store,
    number: int,
    regions: Regions,
    *,
    seen: str,
    sure: bool,
    actor: str,
    at: datetime,
    today: date,
) -> OfficialImport:
    """Take a draft's figures in, all or none, as they were shown (`seen` is the version of the preview).

    Raise NotAllowed if something is wrong, or odd and not confirmed (`sure`), or changed meanwhile.
    """

    def work(tx: Transaction) -> OfficialImport:
        found = _find(tx, number)
        if found.state != DRAFT:
            raise NotAllowed(MOVED_ON)
        preview = read_figures_of(found.tables, found.mapping, regions, known_figures(tx, today=today), today=today)
        if preview.version != seen:
            raise NotAllowed(MOVED_ON)
        if preview.stopped:
            raise NotAllowed(STOPPED)
        if preview.doubtful and not sure:
            raise NotAllowed(UNSURE)
        _put(tx, number, preview.figures, file=found.file, actor=actor, at=at)
        return _find(tx, number)

    return await store.write(work)


async def undo_import(store: Store, number: int, *, actor: str, at: datetime) -> OfficialImport:
    """Put back what stood there before an import; raise NotAllowed if a later one changed any of it."""

    def work(tx: Transaction) -> OfficialImport:
        row = official.find_import(tx, number)
        if row is None:
            raise NotAllowed(NOT_THERE)
        changes = orjson.loads(row["figures"])
        if not official.end_import(tx, number, before=TAKEN, state=UNDONE, figures=row["figures"], at=row["taken_at"]):
            raise NotAllowed(MOVED_ON)
        for day, place, phones, _, _ in changes:
            now = official.figure(tx, day=day, district=place)
            if now is None or now["phones"] != phones or now["imported_at"] != row["taken_at"]:
                raise NotAllowed(SUPERSEDED)
        for day, place, _, old, old_at in changes:
            if old is None:
                official.remove(tx, day=day, district=place)
            else:
                official.put(tx, day=day, district=place, phones=old, at=old_at)
        detail = f"import {number}: {len(changes)} figures of {row['file']}"
        write_audit(tx, actor=actor, action="undo-official", detail=detail, at=at)
        return _find(tx, number)

    return await store.write(work)


async def discard_draft(store: Store, number: int) -> None:
    """Delete a draft."""
    await store.write(partial(official.discard_draft, number=number))


def forget_drafts(tx: Transaction, *, at: datetime) -> int:
    """Delete the drafts that nobody took in for a day; returns how many."""
    return official.forget_drafts(tx, stamp(at - DRAFT_LIFETIME))


def _put(
    tx: Transaction, number: int, figures: Sequence[ImportedFigure], *, file: str, actor: str, at: datetime
) -> None:
    changes = []
    for figure in figures:
        day, place = figure.day.isoformat(), figure.district
        old = official.figure(tx, day=day, district=place)
        changes.append([day, place, figure.phones, old and old["phones"], old and old["imported_at"]])
        official.put(tx, day=day, district=place, phones=figure.phones, at=stamp(at))
    kept = orjson.dumps(changes).decode()
    if not official.end_import(tx, number, before=DRAFT, state=TAKEN, figures=kept, at=stamp(at)):
        raise NotAllowed(MOVED_ON)
    detail = f"import {number}: {len(figures)} figures of {file}"
    write_audit(tx, actor=actor, action="import-official", detail=detail, at=at)


def _find(tx: Transaction, number: int) -> OfficialImport:
    row = official.find_import(tx, number)
    if row is None:
        raise NotAllowed(NOT_THERE)
    return _import_of(row)


def _import_of(row: Row) -> OfficialImport:
    changes = orjson.loads(row["figures"])
    return OfficialImport(
        number=row["id"],
        state=row["state"],
        made_by=row["made_by"],
        file=row["file"],
        made_at=moment(row["made_at"]),
        taken_at=moment(row["taken_at"]) if row["taken_at"] else None,
        mapping=load_mapping(row["mapping"]),
        tables=_load_tables(row["content"]),
        figures=tuple(ImportedFigure(date.fromisoformat(day), place, phones) for day, place, phones, *_ in changes),
        replaced=sum(old is not None and old != phones for _, _, phones, old, _ in changes),
    )


def _dump_tables(tables: Sequence[SheetTable]) -> str:
    def plain(cell: Cell) -> object:
        if isinstance(cell, date):
            return {"day": cell.isoformat()}
        return {"formula": cell.text} if isinstance(cell, Formula) else cell

    return orjson.dumps(
        [[table.name, [[number, list(map(plain, row))] for number, row in table.rows]] for table in tables]
    ).decode()


def _load_tables(text: str) -> tuple[SheetTable, ...]:
    def cell(plain: object) -> Cell:
        if isinstance(plain, dict):
            return date.fromisoformat(plain["day"]) if "day" in plain else Formula(plain["formula"])
        return plain  # type: ignore[return-value]

    def cells(row: list[object]) -> Cells:
        return list(map(cell, row))

    kept = orjson.loads(text) if text else []
    return tuple(SheetTable(name, tuple((number, cells(row)) for number, row in rows)) for name, rows in kept)
