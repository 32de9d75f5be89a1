"""Counts: picture and figures for officers and admins of their own scope, the province's total for everybody."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot import access
from bot.clock import local_day
from bot.conversation.context import Route, Turn
from bot.exports.overview import Overview, View
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.reminders.summary import summary_wording
from bot.statistics import counts

CHARTS = ("ranking", "growth", "progress", "funnel")
PERIODS = {"7": 7, "30": 30, "365": 365, "all": 0}
DEFAULT_PERIOD = "30"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a button asks for: `counts:CHART:PERIOD:DISTRICT`."""

    chart: str
    period: str
    district: str

    @property
    def days(self) -> int:
        return PERIODS[self.period]

    def button(self, label: str, *, chart: str = "", period: str = "", district: str | None = None) -> Button:
        """Lead from here to another view."""
        place = self.district if district is None else district
        return Button(label, f"counts:{chart or self.chart}:{period or self.period}:{place}")


async def handle(turn: Turn) -> None:
    """Show the counts of the person's own scope: a picture, five lines, and where to go from there."""
    if turn.choice in ("counts:summary-on", "counts:summary-off"):
        _switch_summary(turn, on=turn.choice.endswith("on"))
        return
    scope = turn.scope(access.COUNT)
    asked = _read(turn, scope)
    if asked.chart == "districts":
        _offer_districts(turn, asked, scope)
        return
    seen = frozenset((asked.district,)) if asked.district else scope
    overview = Overview(
        store=turn.records.store,
        regions=turn.regions,
        settings=turn.settings,
        catalogue=turn.catalogue,
        sources=turn.knowledge.sources,
        broadcasts=turn.broadcasts,
        actor=turn.actor,
        today=local_day(turn.records.at, turn.settings.zone),
        step=counts.step_for(turn.records.citizen.grants, turn.settings.privacy.small_count),
    )
    shown = await overview.show(View(asked.chart, asked.days, asked.district, seen))
    wants = await turn.records.wants_summary()
    turn.replies.append(replace(shown, buttons=tuple(_buttons(turn, asked, scope, wants=wants))))


def _switch_summary(turn: Turn, *, on: bool) -> None:
    wording = summary_wording(turn.catalogue, turn.settings)
    if on:
        turn.records.want_summary(wording)
        turn.say(wording, buttons=[Button(turn.t("Stop the weekly summary"), "counts:summary-off"), *_back(turn)])
    else:
        turn.records.stop_summary()
        turn.say(turn.t("You get no weekly summary any more."), buttons=_back(turn))


def _read(turn: Turn, scope: frozenset[str] | None) -> _Asked:
    """Read what was asked for; a district outside the scope is not shown, whoever made the button."""
    chart, period, district = [*(turn.argument.split(":") if turn.choice else ()), "", "", ""][:3]
    if district not in turn.regions.districts or (scope is not None and district not in scope):
        district = ""
    if scope is not None and len(scope) == 1:
        district = next(iter(scope))
    known = (*CHARTS, "districts")
    usual = "growth" if district else "ranking"
    return _Asked(chart if chart in known else usual, period if period in PERIODS else DEFAULT_PERIOD, district)


def _buttons(turn: Turn, asked: _Asked, scope: frozenset[str] | None, *, wants: bool) -> list[Button]:
    t = turn.t
    buttons = []
    names = {
        "ranking": t("Ranking of districts"),
        "growth": t("Growth"),
        "progress": t("Progress to the goal"),
        "funnel": t("From contact to report"),
    }
    for chart, name in names.items():
        if chart == asked.chart or (chart == "ranking" and asked.district):
            continue
        buttons.append(asked.button(name, chart=chart))
    if asked.chart in ("growth", "funnel"):
        labels = {"7": t("7 days"), "30": t("30 days"), "365": t("1 year"), "all": t("Since the beginning")}
        buttons += [asked.button(label, period=period) for period, label in labels.items() if period != asked.period]
    if scope is None or len(scope) > 1:
        buttons.append(asked.button(t("Choose a district"), chart="districts"))
    switch = (
        Button(t("Stop the weekly summary"), "counts:summary-off")
        if wants
        else Button(t("Every week by itself"), "counts:summary-on")
    )
    return [*buttons, switch, Button(t("Export"), "/xuat"), turn.menu_button("menu")]


def _back(turn: Turn) -> list[Button]:
    return [Button(turn.t("Counts by district"), "/thongke"), turn.menu_button("menu")]


def _offer_districts(turn: Turn, asked: _Asked, scope: frozenset[str] | None) -> None:
    offered = [d for d in turn.regions.districts.values() if scope is None or d.id in scope]
    buttons = [asked.button(_capital(d.title(turn.language)), chart="growth", district=d.id) for d in offered]
    whole = asked.button(turn.t("All districts"), chart="ranking", district="")
    turn.say(turn.t("Which district do you want to see?"), buttons=[*buttons, whole])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


async def show_public(turn: Turn) -> None:
    """Show the province's total to everybody."""
    today = local_day(turn.records.at, turn.settings.zone)
    step = max(1, turn.settings.privacy.small_count)
    province = await counts.count_districts(turn.records.store, turn.regions, today=today, step=step)
    lines = [_baseline(turn)]
    if await counts.are_simulated(turn.records.store):
        lines.insert(0, f"**{turn.t(counts.SIMULATED)}**")
    if province.reports:
        reported = turn.t(
            "Reported to this assistant by citizens until {day}: {reports}; not official figures.",
            day=turn.catalogue.day(province.day),
            reports=turn.catalogue.number(province.reports),
        )
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


ROUTE = Route(
    "counts",
    handle,
    commands=("/thongke", "/counts"),
    choices=("counts:",),
    action=access.COUNT,
    help=mark("Counts by district"),
)
PUBLIC = Route(
    "progress", show_public, commands=("/tiendo", "/progress"), help=mark("The province's figures"), public=True
)
