"""Counts: picture and figures for officers and admins of their own scope, the province's total for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bot import access, counts
from bot.clock import local_day
from bot.counts import ProvinceCount
from bot.errors import BotError, ContentError
from bot.goals import Goals, load_goals
from bot.i18n import mark
from bot.message import Button
from bot.papers import charts
from bot.papers.charts import Chart
from bot.sources import codes_within
from bot.turn import Route, Turn

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
    scope = turn.scope(access.COUNT)
    asked = _read(turn, scope)
    if asked.chart == "districts":
        _offer_districts(turn, asked, scope)
        return
    today = local_day(turn.records.at, turn.settings.zone)
    step = counts.step_for(turn.records.citizen.grants, turn.settings.privacy.small_count)
    seen = frozenset((asked.district,)) if asked.district else scope
    until = counts.last_day(today, step)
    since = until - timedelta(days=asked.days - 1) if asked.days else None
    province = await counts.count_districts(turn.records.store, turn.regions, today=today, scope=seen, step=step)
    text = await _lines(turn, province, asked, seen, since)
    chart = await _chart(turn, province, asked, seen, since)
    if await counts.are_simulated(turn.records.store):
        text = f"**{turn.t(counts.SIMULATED)}**\n{text}"
        chart = charts.as_simulated(chart, turn.catalogue) if chart else None
    try:
        image = await charts.draw(chart) if chart else b""
    except BotError:
        image = b""  # the lines say the same
    alt = chart.alt if chart and image else ""
    turn.say(text, buttons=_buttons(turn, asked, scope), image=image, alt=alt)


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


async def _lines(
    turn: Turn, province: ProvinceCount, asked: _Asked, seen: frozenset[str] | None, since: date | None
) -> str:
    t, number, percent = turn.t, turn.catalogue.number, turn.catalogue.percent
    step = province.step
    few = t("fewer than {count}", count=step)
    reports = number(province.reports) if province.reports or step <= 1 else few
    lines = [
        f"**{_capital(_place(turn, asked, seen))}**: "
        + t("{reports} reported the installation ({share} of estimated adults), until the end of {day}.",
            reports=reports, share=percent(province.share), day=turn.catalogue.day(province.day))
    ]  # fmt: skip
    lines.append(_trend(turn, province))
    if len(province.districts) > 1:
        ranked = sorted(province.districts, key=lambda c: (c.rank, c.district))
        names = {c.district: turn.regions.districts[c.district].title(turn.language) for c in ranked}
        lines.append(
            t("Highest share: {first} ({most}); lowest: {last} ({least}).",
              first=names[ranked[0].district], most=percent(ranked[0].share),
              last=names[ranked[-1].district], least=percent(ranked[-1].share))
        )  # fmt: skip
    else:
        days = await _days(turn, asked, seen, since, province)
        best = max(days, key=lambda day: day.new, default=None)
        if best is not None and best.new > 0:
            lines.append(
                t("Most on one day: {reports}, on {day}.", reports=number(best.new), day=turn.catalogue.day(best.day))
            )
    goals = _goals(turn)
    figures = await counts.official_figures(turn.records.store, turn.regions, until=province.day)
    key = asked.district or turn.regions.province.id
    for one in counts.progress(province, turn.regions, goals, figures):
        if one.district == key:
            lines.append(_goal(turn, one))
    if key in figures:
        lines.append(charts.official_sentence(figures[key], turn.catalogue))
    lines.append(t("Reported by citizens themselves; not official figures. Adults are an estimate."))
    if step > 1:
        lines[-1] += " " + t("Rounded down to multiples of {count}.", count=step)
    return "\n".join(lines)


def _goals(turn: Turn) -> Goals:
    try:
        return load_goals(turn.settings.content, turn.regions)
    except ContentError:
        return Goals()  # `check` names the mistake; the counts are shown all the same


def _trend(turn: Turn, province: ProvinceCount) -> str:
    t, number = turn.t, turn.catalogue.number
    new, before = number(province.new), number(province.before)
    if province.new > province.before:
        return t("New in 7 days: {new}, more than in the 7 days before ({before}).", new=new, before=before)
    if province.new < province.before:
        return t("New in 7 days: {new}, fewer than in the 7 days before ({before}).", new=new, before=before)
    return t("New in 7 days: {new}, as in the 7 days before.", new=new)


def _goal(turn: Turn, one: counts.Progress) -> str:
    t, number, day = turn.t, turn.catalogue.number, turn.catalogue.day
    wanted, until = number(one.wanted), day(one.goal.until)
    if one.share >= 1:
        return t("Goal of {wanted} by {day}: reached.", wanted=wanted, day=until)
    share = turn.catalogue.percent(one.share, 0)
    if one.pace is None:
        return t("Goal of {wanted} by {day}: {share}, the time is over.", wanted=wanted, day=until, share=share)
    return t("Goal of {wanted} by {day}: {share}, needs {pace} a week from now on.",
             wanted=wanted, day=until, share=share, pace=number(-(-one.pace // 1)))  # fmt: skip


async def _chart(
    turn: Turn, province: ProvinceCount, asked: _Asked, seen: frozenset[str] | None, since: date | None
) -> Chart | None:
    store, catalogue, step = turn.records.store, turn.catalogue, province.step
    if asked.chart == "progress":
        goals = _goals(turn)
        figures = await counts.official_figures(store, turn.regions, until=province.day)
        found = counts.progress(province, turn.regions, goals, figures)
        if found:
            return charts.progress(found, turn.regions, catalogue, step=step, measured_by=goals.measured_by)
        turn.say(turn.t("No goal is set; an admin can set one in content/goals.yaml."))
        return None
    if asked.chart == "funnel":
        today = local_day(turn.records.at, turn.settings.zone)
        codes = None if seen is None else codes_within(seen, turn.knowledge.sources, turn.regions)
        steps = await counts.count_steps(store, today=today, since=since, step=step, sources=codes)
        place = _place(turn, asked, seen) if seen is not None else ""
        return charts.funnel(steps, catalogue, day=province.day, step=step, place=place)
    if asked.chart == "growth" or len(province.districts) == 1:
        days = await _days(turn, asked, seen, since, province)
        return charts.growth(days, catalogue, place=_place(turn, asked, seen), step=step) if days else None
    figures = await counts.official_figures(store, turn.regions, until=province.day)
    official = figures.get(turn.regions.province.id) if seen is None else None
    return charts.ranking(province, turn.regions, catalogue, official=official)


async def _days(
    turn: Turn, asked: _Asked, seen: frozenset[str] | None, since: date | None, province: ProvinceCount
) -> list[counts.DayCount]:
    store = turn.records.store
    first = since or await counts.first_day(store) or province.day
    found = await counts.count_days(store, since=first, until=province.day, scope=seen, step=province.step)
    return counts.every_day(found, since=first, until=province.day) if found else []


def _buttons(turn: Turn, asked: _Asked, scope: frozenset[str] | None) -> list[Button]:
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
    return [*buttons, Button(t("Export"), "/xuat"), turn.menu_button("menu")]


def _offer_districts(turn: Turn, asked: _Asked, scope: frozenset[str] | None) -> None:
    offered = [d for d in turn.regions.districts.values() if scope is None or d.id in scope]
    buttons = [asked.button(_capital(d.title(turn.language)), chart="growth", district=d.id) for d in offered]
    whole = asked.button(turn.t("All districts"), chart="ranking", district="")
    turn.say(turn.t("Which district do you want to see?"), buttons=[*buttons, whole])


def _place(turn: Turn, asked: _Asked, seen: frozenset[str] | None) -> str:
    if asked.district:
        return turn.regions.districts[asked.district].title(turn.language)
    return turn.t("your districts") if seen is not None else turn.t("the whole province")


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
