"""Counts: the districts for officers and admins, the province for everybody."""

from __future__ import annotations

from bot import access, counts
from bot.clock import local_day
from bot.i18n import mark
from bot.turn import Route, Turn


async def handle(turn: Turn) -> None:
    """Show the counts of the person's own scope."""
    scope = access.scopes(turn.records.citizen.grants, access.OFFICER)
    today = local_day(turn.records.at, turn.settings.zone)
    province = await counts.count_districts(turn.records.store, turn.regions, today=today, scope=scope)
    number, percent = turn.catalogue.number, turn.catalogue.percent
    lines = [
        "**" + turn.t("Self-reported installations, {day}", day=turn.catalogue.day(today)) + "**",
        turn.t("Total: {reports} ({share} of estimated adults), {new} new in 7 days.",
               reports=number(province.reports), share=percent(province.share), new=number(province.new)),
    ]  # fmt: skip
    for count in sorted(province.districts, key=lambda c: (c.rank, c.district)):
        name = turn.regions.districts[count.district].title(turn.language)
        lines.append(
            turn.t("{rank}. {name}: {reports} ({share}), {new} new", rank=count.rank, name=name,
                   reports=number(count.reports), share=percent(count.share), new=number(count.new))
        )  # fmt: skip
    lines.append(_baseline(turn))
    lines.append(turn.t("Reported by citizens themselves; not official figures. Adults are an estimate."))
    turn.say("\n".join(lines), buttons=[turn.menu_button("menu")])


async def show_public(turn: Turn) -> None:
    """Show the province's total to everybody."""
    today = local_day(turn.records.at, turn.settings.zone)
    province = await counts.count_districts(turn.records.store, turn.regions, today=today)
    lines = [_baseline(turn)]
    if province.reports >= turn.settings.privacy.small_count:
        reported = turn.t("Reported to this assistant by citizens until {day}: {reports}; not official figures.",
                          day=turn.catalogue.day(today), reports=turn.catalogue.number(province.reports))  # fmt: skip
        lines.append(reported)
    else:
        lines.append(turn.t("Too few people have reported to this assistant yet to show a figure."))
    turn.say("\n".join(lines), buttons=[turn.menu_button("report"), turn.menu_button("menu")])


def _baseline(turn: Turn) -> str:
    base = turn.regions.province.baseline
    return turn.t(
        "For comparison, the province's letter: on {day}, {phones} phones had the app, {share} of adults, "
        "rank {rank} of {provinces} provinces.",
        day=turn.catalogue.day(base.date),
        phones=turn.catalogue.number(base.phones),
        share=turn.catalogue.percent(base.share / 100),
        rank=base.rank,
        provinces=base.provinces,
    )


ROUTE = Route("counts", handle, commands=("/thongke", "/counts"), role=access.OFFICER, help=mark("Counts by district"))
PUBLIC = Route(
    "progress", show_public, commands=("/tiendo", "/progress"), help=mark("The province's figures"), public=True
)
