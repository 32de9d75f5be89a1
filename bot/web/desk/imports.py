"""Official figures at the desk: upload, say where they stand, look at them, take them in, undo."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

from aiohttp import web

from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.statistics import official
from bot.statistics.official import OfficialImport
from bot.statistics.official_mapping import NOWHERE, columns_of, guess_mapping
from bot.statistics.official_preview import STOP, place_name, remark_words
from bot.statistics.table_reader import MAX_BYTES, TableRefused, check_size
from bot.store.official import DRAFT, TAKEN, UNDONE
from bot.web.desk.page_context import PATH, PageContext, number_in

NO_FILE = mark("Please choose a file first.")
STATES = {TAKEN: mark("taken in"), UNDONE: mark("undone")}
MOST_LISTED, MOST_SHOWN_ROWS, MOST_SHOWN_COLUMNS = 30, 40, 12


async def overview(page: PageContext) -> web.Response:
    """Offer the upload and list what was taken in."""
    return await _overview(page)


async def upload(page: PageContext) -> web.Response:
    """Keep a file as a draft and lead to it; what is no table is refused in one sentence."""
    given = (await page.request.post()).get("file")
    if not isinstance(given, web.FileField):
        return await _overview(page, warning=page.t(NO_FILE), status=400)
    content, service = await asyncio.to_thread(given.file.read), page.service
    try:
        check_size(content)
        number = await official.keep_draft(
            service.store, content, given.filename, service.regions, actor=page.actor.name, at=page.at
        )
    except TableRefused as refusal:
        return await _overview(page, warning=page.t(refusal.sentence, **refusal.values), status=400)
    return page.go(f"import/{number}")


async def draft(page: PageContext) -> web.Response:
    """Show a draft with what it would bring in, or what an import brought."""
    return await _show(page)


async def change_mapping(page: PageContext) -> web.Response:
    """Say where the figures stand."""
    number = _number(page)
    found = await official.find_import(page.service.store, number)
    form, mapping = page.form, found.mapping
    sheet = min(_whole(form.get("sheet", ""), mapping.sheet), max(0, len(found.tables) - 1))
    day = _day(form.get("day", ""))
    changed = replace(
        mapping,
        sheet=sheet,
        heading_row=_whole(form.get("heading_row", ""), mapping.heading_row),
        place=_whole(form.get("place", ""), NOWHERE),
        phones=_whole(form.get("phones", ""), NOWHERE),
        days=_whole(form.get("days", ""), NOWHERE),
        day=day,
        day_sure=day is not None,
        plain=False,
    )
    if sheet != mapping.sheet:  # other columns there
        guessed = guess_mapping(found.tables[sheet : sheet + 1], page.service.regions, found.file)
        changed = replace(guessed, sheet=sheet, plain=False)
    await official.change_mapping(page.service.store, number, changed)
    return page.go(f"import/{number}")


async def take(page: PageContext) -> web.Response:
    """Take in what was shown."""
    service, number = page.service, _number(page)
    try:
        await official.take_in(
            service.store,
            number,
            service.regions,
            seen=page.form.get("seen", ""),
            sure=page.form.get("sure") == "1",
            actor=page.actor.name,
            at=page.at,
            today=page.today,
        )
    except NotAllowed as refusal:
        return await _show(page, warning=page.t(str(refusal)), status=409)
    return page.go(f"import/{number}")


async def discard(page: PageContext) -> web.Response:
    """Delete a draft."""
    await official.discard_draft(page.service.store, _number(page))
    return page.go("import")


async def undo(page: PageContext) -> web.Response:
    """Put back what stood there before an import."""
    try:
        await official.undo_import(page.service.store, _number(page), actor=page.actor.name, at=page.at)
    except NotAllowed as refusal:
        return await _show(page, warning=page.t(str(refusal)), status=409)
    return page.go(f"import/{_number(page)}")


async def _overview(page: PageContext, *, warning: str = "", status: int = 200) -> web.Response:
    return await page.show(
        "imports.html",
        status=status,
        warning=warning,
        found=await official.latest_imports(page.service.store, limit=MOST_LISTED),
        states=STATES,
        megabytes=MAX_BYTES // 1_000_000,
    )


async def _show(page: PageContext, *, warning: str = "", status: int = 200) -> web.Response:
    found = await official.find_import(page.service.store, _number(page))
    regions, catalogue = page.service.regions, page.catalogue
    return await page.show(
        "import.html",
        status=status,
        warning=warning,
        found=found,
        address=f"{PATH}/import/{found.number}",
        states=STATES,
        place=lambda place: place_name(place, regions, catalogue),
        **(await _of_draft(page, found) if found.state == DRAFT else {}),
    )


async def _of_draft(page: PageContext, found: OfficialImport) -> dict[str, Any]:
    """Return what the page of a draft shows: the choices, the head of the table, the figures, the remarks."""
    service, mapping = page.service, found.mapping
    preview = await official.preview_import(service.store, found, service.regions, today=page.today)
    table = found.tables[mapping.sheet]
    remarks = [
        (remark.row, remark.level == STOP, remark_words(remark, service.regions, page.catalogue))
        for remark in sorted(preview.remarks, key=lambda remark: (remark.level != STOP, remark.row))
    ]
    return {
        "sheets": [(number, one.name) for number, one in enumerate(found.tables) if one.rows],
        "columns": columns_of(table, mapping.heading_row),
        "rows": [(number, row[:MOST_SHOWN_COLUMNS]) for number, row in table.rows[:MOST_SHOWN_ROWS]],
        "more": max(0, len(table.rows) - MOST_SHOWN_ROWS),
        "width": min(table.width, MOST_SHOWN_COLUMNS),
        "mapping": mapping,
        "nowhere": NOWHERE,
        "preview": preview,
        "remarks": remarks,
        "shown": lambda cell: _cell(page, cell),
        "today": page.today,
    }


def _cell(page: PageContext, cell: object) -> str:
    if isinstance(cell, date):
        return page.catalogue.day(cell)
    return "" if cell is None else str(getattr(cell, "text", cell))[:80]


def _number(page: PageContext) -> int:
    return number_in(page.request.match_info["number"])


def _whole(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
