"""The workbook of all counts: a cover with period, source and method, and a sheet for each view.

The command line, the chat, the desk and scheduled reports call `make_workbook`.
"""

from __future__ import annotations

import asyncio

from bot.exports.spreadsheet import Cover, as_xlsx
from bot.exports.tables import Wanted, all_tables
from bot.i18n.catalogue import Catalogue
from bot.library.regions import Regions
from bot.library.sources import Sources
from bot.statistics import counts
from bot.store import Store


async def make_workbook(
    store: Store,
    regions: Regions,
    wanted: Wanted,
    catalogue: Catalogue,
    *,
    agency: str = "",
    sources: Sources | None = None,
) -> bytes:
    """Gather all views and write them as XLSX, off the event loop."""
    tables = await all_tables(store, regions, wanted, catalogue, sources=sources)
    simulated = await counts.are_simulated(store)
    cover = make_cover(regions, wanted, catalogue, agency=agency, simulated=simulated)
    return await asyncio.to_thread(as_xlsx, tables, cover, catalogue)


def file_name(wanted: Wanted) -> str:
    """Name the workbook after its days, or after the last one."""
    since = f"{wanted.since}-" if wanted.since else ""
    return f"thong-ke-{since}{wanted.last_day if wanted.since else wanted.today}.xlsx"


def make_cover(regions: Regions, wanted: Wanted, catalogue: Catalogue, *, agency: str, simulated: bool) -> Cover:
    """Say what a workbook is, of where and when, where its figures come from and how they were made."""
    t, day = catalogue.t, catalogue.day
    since = day(wanted.since) if wanted.since else t("the beginning")
    return Cover(
        heading=t("Citizens' own reports that they installed the electronic health book"),
        facts=(
            (t("Area"), area_name(regions, wanted.scope, catalogue)),
            (t("Period"), t("{since} to {until}", since=since, until=day(wanted.last_day))),
            (t("Made on"), day(wanted.today)),
            (
                t("Source"),
                t("Reports of citizens to the assistant; beside them, official figures where there are any."),
            ),
        ),
        notes=tuple(method(wanted, catalogue)),
        warning=t(counts.SIMULATED) if simulated else "",
        agency=agency,
    )


def area_name(regions: Regions, scope: frozenset[str] | None, catalogue: Catalogue) -> str:
    """Name the area of a scope as it was called before July 2025."""
    if scope is None:
        province = regions.province
        name = province.name if catalogue.language == "vi" else province.name_en
        return catalogue.t("the former province of {name}", name=name)
    return ", ".join(regions.districts[one].title(catalogue.language) for one in regions.districts if one in scope)


def method(wanted: Wanted, catalogue: Catalogue) -> list[str]:
    """Say how the figures came about and what they are not."""
    t = catalogue.t
    lines = [
        t("Reported by citizens themselves; not official figures. Adults are an estimate."),
        t("One person counts once, also over several linked channels."),
        t("A correction moves a report, a withdrawal or deletion takes it away, on the day it happens; "
          "earlier days stay as they were."),
        t("Districts are those of before July 2025; the communes' map stands in the column “{column}”.",
          column=t("Map of")),
    ]  # fmt: skip
    if wanted.step > 1:
        lines.append(
            t("To protect people, figures end with yesterday and are rounded down to multiples of {count}; "
              "rows of communes, channels, languages and sources below {least} are not shown. "
              "Totals are the sums of the rows shown.", count=wanted.step, least=2 * wanted.step)
        )  # fmt: skip
    return lines
