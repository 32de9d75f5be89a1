"""Counts: picture and figures for officers and admins of their own scope, the province's total for everybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot import access
from bot.clock import local_day
from bot.conversation.context import Context, Route
from bot.exports import walk_counts
from bot.exports.overview import Overview, View
from bot.i18n.catalogue import mark
from bot.message import Button
from bot.reminders.summary import summary_wording
from bot.statistics import counts, walks
from bot.text.normalize import fold

CHARTS = ("ranking", "growth", "progress", "funnel")
PERIODS = {"7": 7, "30": 30, "365": 365, "all": 0}
DEFAULT_PERIOD = "30"
WALKS = "counts:walks:"  # then a guide and a period, both may be empty
_WALK_WORDS = ("huongdan", "huong dan", "guides", "guide")


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


async def handle(context: Context) -> None:
    """Show the counts of the person's own scope: a picture, five lines, and where to go from there."""
    if context.choice in ("counts:summary-on", "counts:summary-off"):
        _switch_summary(context, on=context.choice.endswith("on"))
        return
    if context.choice.startswith(WALKS) or (context.command and fold(context.argument) in _WALK_WORDS):
        await _show_walks(context)
        return
    scope = context.scope(access.COUNT)
    asked = _read(context, scope)
    if asked.chart == "districts":
        _offer_districts(context, asked, scope)
        return
    seen = frozenset((asked.district,)) if asked.district else scope
    overview = Overview(
        store=context.work.store,
        regions=context.regions,
        settings=context.settings,
        catalogue=context.catalogue,
        sources=context.knowledge.sources,
        broadcasts=context.broadcasts,
        actor=context.actor,
        today=local_day(context.work.at, context.settings.zone),
        step=counts.step_for(context.work.citizen.grants, context.settings.privacy.small_count),
    )
    shown = await overview.show(View(asked.chart, asked.days, asked.district, seen))
    wants = await context.work.wants_summary()
    context.replies.append(replace(shown, buttons=tuple(_buttons(context, asked, scope, wants=wants))))


async def _show_walks(context: Context) -> None:
    """Show where guided walks stop: of all guides, or step by step of the one that was chosen."""
    guide_id, _, period = context.choice.removeprefix(WALKS).partition(":") if context.choice else ("", "", "")
    days = PERIODS.get(period) or PERIODS[DEFAULT_PERIOD]
    today = local_day(context.work.at, context.settings.zone)
    guides = list(context.library.guides.values())
    counted = await walks.count_walks(context.work.store, guides, since=today - timedelta(days=days - 1), until=today)
    found = next((pair for pair in zip(guides, counted, strict=True) if pair[0].id == guide_id), None)
    if found is not None:
        said = walk_counts.by_step(*found, context.catalogue, days=days)
    else:
        said = walk_counts.overview(list(zip(guides, counted, strict=True)), context.catalogue, days=days)
    buttons = [Button(guide.title.in_language(context.language), f"{WALKS}{guide.id}:{days}") for guide in guides
               if guide.id != guide_id]  # fmt: skip
    labels = {"7": context.t("7 days"), "30": context.t("30 days"), "365": context.t("1 year")}
    buttons += [Button(label, f"{WALKS}{guide_id}:{key}") for key, label in labels.items() if int(key) != days]
    context.say(said, buttons=[*buttons, *_back(context)])


def _switch_summary(context: Context, *, on: bool) -> None:
    wording = summary_wording(context.catalogue, context.settings)
    if on:
        context.work.want_summary(wording)
        context.say(
            wording, buttons=[Button(context.t("Stop the weekly summary"), "counts:summary-off"), *_back(context)]
        )
    else:
        context.work.stop_summary()
        context.say(context.t("You get no weekly summary any more."), buttons=_back(context))


def _read(context: Context, scope: frozenset[str] | None) -> _Asked:
    """Read what was asked for; a district outside the scope is not shown, whoever made the button."""
    chart, period, district = [*(context.argument.split(":") if context.choice else ()), "", "", ""][:3]
    if district not in context.regions.districts or (scope is not None and district not in scope):
        district = ""
    if scope is not None and len(scope) == 1:
        district = next(iter(scope))
    known = (*CHARTS, "districts")
    usual = "growth" if district else "ranking"
    return _Asked(chart if chart in known else usual, period if period in PERIODS else DEFAULT_PERIOD, district)


def _buttons(context: Context, asked: _Asked, scope: frozenset[str] | None, *, wants: bool) -> list[Button]:
    t = context.t
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
    walked = Button(t("Where guided walks stop"), WALKS)
    return [*buttons, switch, walked, Button(t("Export"), "/xuat"), context.menu_button("menu")]


def _back(context: Context) -> list[Button]:
    return [Button(context.t("Counts by district"), "/thongke"), context.menu_button("menu")]


def _offer_districts(context: Context, asked: _Asked, scope: frozenset[str] | None) -> None:
    offered = [d for d in context.regions.districts.values() if scope is None or d.id in scope]
    buttons = [asked.button(_capital(d.title(context.language)), chart="growth", district=d.id) for d in offered]
    whole = asked.button(context.t("All districts"), chart="ranking", district="")
    context.say(context.t("Which district do you want to see?"), buttons=[*buttons, whole])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


async def show_public(context: Context) -> None:
    """Show the province's total to everybody."""
    today = local_day(context.work.at, context.settings.zone)
    step = max(1, context.settings.privacy.small_count)
    province = await counts.count_districts(context.work.store, context.regions, today=today, step=step)
    lines = [_baseline(context)]
    if await counts.are_simulated(context.work.store):
        lines.insert(0, f"**{context.t(counts.SIMULATED)}**")
    if province.reports:
        reported = context.t(
            "Reported to this assistant by citizens until {day}: {reports}; not official figures.",
            day=context.catalogue.day(province.day),
            reports=context.catalogue.number(province.reports),
        )
        lines.append(reported)
    else:
        lines.append(context.t("Too few people have reported to this assistant yet to show a figure."))
    context.say("\n".join(lines), buttons=[context.menu_button("report"), context.menu_button("menu")])


def _baseline(context: Context) -> str:
    base = context.regions.province.baseline
    return context.t(
        "For comparison, the province's letter: on {day}, {phones} phones had the app, {share} of adults, "
        "rank {rank} of {provinces} provinces.",
        day=context.catalogue.day(base.date),
        phones=context.catalogue.number(base.phones),
        share=context.catalogue.percent(base.share / 100),
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
