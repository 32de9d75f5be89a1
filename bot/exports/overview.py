"""The counts of a scope at a glance, as officers read them: one picture and five lines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from bot.broadcasts import Actor, Broadcasts
from bot.clock import local_day
from bot.errors import BotError, ContentError
from bot.exports import charts
from bot.exports.charts import Chart, Sent
from bot.i18n.catalogue import Catalogue
from bot.library.goals import Goals, load_goals
from bot.library.regions import Regions
from bot.library.sources import Sources, codes_within
from bot.message import Reply
from bot.settings import Settings
from bot.statistics import counts
from bot.statistics.counts import ProvinceCount
from bot.store import Store


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a chart (ranking, growth, progress, funnel) of some days up to the last that counts, 0 for
    all; `seen` are the districts, None for the whole province, `district` the only one where there is one.
    """

    chart: str
    days: int
    district: str
    seen: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Overview:
    """Shows counts to one officer, in their language and as coarse as they may see them."""

    store: Store
    regions: Regions
    settings: Settings
    catalogue: Catalogue
    sources: Sources
    broadcasts: Broadcasts
    actor: Actor
    today: date
    step: int

    async def show(self, view: View) -> Reply:
        """Write the lines and draw the picture; without the picture where it cannot be drawn or has nothing to show."""
        until = self.today - timedelta(days=1)  # only days that are over can be compared
        since = until - timedelta(days=view.days - 1) if view.days else None
        province = await counts.count_districts(
            self.store, self.regions, today=self.today, until=until, scope=view.seen, step=self.step
        )
        text = await self._lines(province, view, since)
        chart = await self._chart(province, view, since)
        if await counts.are_simulated(self.store):
            text = f"**{self.catalogue.t(counts.SIMULATED)}**\n{text}"
            chart = charts.as_simulated(chart, self.catalogue) if chart else None
        if view.chart == "progress" and chart is None:
            text = self.catalogue.t("No goal is set; whoever runs the assistant can set one.") + f"\n{text}"
        try:
            image = await charts.draw(chart) if chart else b""
        except BotError:
            image = b""  # the lines say the same
        return Reply(text, image=image, alt=chart.alt if chart and image else "")

    async def _lines(self, province: ProvinceCount, view: View, since: date | None) -> str:
        t, number, percent = self.catalogue.t, self.catalogue.number, self.catalogue.percent
        step = province.step
        few = t("fewer than {count}", count=step)
        reports = number(province.reports) if province.reports or step <= 1 else few
        lines = [
            f"**{_capital(self._place(view))}**: "
            + t("{reports} reported the installation ({share} of estimated adults).",
                reports=reports, share=percent(province.share))
            + " " + charts.up_to(self.catalogue, province.day, over=province.over)
        ]  # fmt: skip
        if step <= 1:
            now = await counts.count_districts(
                self.store, self.regions, today=self.today, since=self.today, scope=view.seen
            )
            lines[-1] += " " + t("Today until now: {count}.", count=number(now.reports))
        lines.append(self._trend(province))
        if len(province.districts) > 1:
            ranked = sorted(province.districts, key=lambda c: (c.rank, c.district))
            names = {c.district: self.regions.districts[c.district].title(self.catalogue.language) for c in ranked}
            lines.append(
                t("Highest share: {first} ({most}); lowest: {last} ({least}).",
                  first=names[ranked[0].district], most=percent(ranked[0].share),
                  last=names[ranked[-1].district], least=percent(ranked[-1].share))
            )  # fmt: skip
        elif step <= 1:  # of rounded counts, the best day is one on which a step was passed
            days = await self._days(view, since, province)
            best = max(days, key=lambda day: day.new, default=None)
            if best is not None and best.new > 0:
                lines.append(
                    t(
                        "Most on one day: {reports}, on {day}.",
                        reports=number(best.new),
                        day=self.catalogue.day(best.day),
                    )
                )
        goals = self._goals()
        figures = await counts.official_figures(self.store, self.regions, until=province.day)
        key = view.district or self.regions.province.id
        for one in counts.progress(province, self.regions, goals, figures):
            if one.district == key:
                lines.append(self._goal(one))
        if key in figures:
            lines.append(charts.official_sentence(figures[key], self.catalogue))
        lines.append(t("Reported by citizens themselves; not official figures. Adults are an estimate."))
        if step > 1:
            lines[-1] += " " + t("Rounded down to multiples of {count}.", count=step)
        return "\n".join(lines)

    def _goals(self) -> Goals:
        try:
            return load_goals(self.settings.content, self.regions)
        except ContentError:
            return Goals()  # `check` names the mistake; the counts are shown all the same

    def _trend(self, province: ProvinceCount) -> str:
        t, number = self.catalogue.t, self.catalogue.number
        new, before = number(province.new), number(province.before)
        if province.new > province.before:
            return t("New in 7 days: {new}, more than in the 7 days before ({before}).", new=new, before=before)
        if province.new < province.before:
            return t("New in 7 days: {new}, fewer than in the 7 days before ({before}).", new=new, before=before)
        return t("New in 7 days: {new}, as in the 7 days before.", new=new)

    def _goal(self, one: counts.GoalProgress) -> str:
        t, number, day = self.catalogue.t, self.catalogue.number, self.catalogue.day
        wanted, until = number(one.wanted), day(one.goal.until)
        if one.share >= 1:
            return t("Goal of {wanted} by {day}: reached.", wanted=wanted, day=until)
        share = self.catalogue.percent(one.share, 0)
        if one.pace is None:
            return t("Goal of {wanted} by {day}: {share}, the time is over.", wanted=wanted, day=until, share=share)
        return t("Goal of {wanted} by {day}: {share}, needs {pace} a week from now on.",
                 wanted=wanted, day=until, share=share, pace=number(-(-one.pace // 1)))  # fmt: skip

    async def _chart(self, province: ProvinceCount, view: View, since: date | None) -> Chart | None:
        store, catalogue, step = self.store, self.catalogue, province.step
        if view.chart == "progress":
            goals = self._goals()
            figures = await counts.official_figures(store, self.regions, until=province.day)
            found = counts.progress(province, self.regions, goals, figures)
            if found:
                return charts.progress(found, self.regions, catalogue, step=step, measured_by=goals.measured_by,
                                       over=province.over)  # fmt: skip
            return None
        if view.chart == "funnel":
            codes = None if view.seen is None else codes_within(view.seen, self.sources, self.regions)
            steps = await counts.count_steps(
                store, today=self.today, since=since, until=province.day, step=step, sources=codes
            )
            place = self._place(view) if view.seen is not None else ""
            return charts.funnel(steps, catalogue, day=province.day, step=step, place=place, over=province.over)
        if view.chart == "growth" or len(province.districts) == 1:
            days = await self._days(view, since, province)
            if not days:
                return None
            sent = await sent_within(self.broadcasts, self.actor, view.seen, self.settings)
            return charts.growth(days, catalogue, place=self._place(view), step=step, sent=sent, over=province.over)
        figures = await counts.official_figures(store, self.regions, until=province.day)
        official = figures.get(self.regions.province.id) if view.seen is None else None
        return charts.ranking(province, self.regions, catalogue, official=official)

    async def _days(self, view: View, since: date | None, province: ProvinceCount) -> list[counts.DayCount]:
        store = self.store
        first = since or await counts.first_day(store) or province.day
        found = await counts.count_days(store, since=first, until=province.day, scope=view.seen, step=province.step)
        return counts.every_day(found, since=first, until=province.day) if found else []

    def _place(self, view: View) -> str:
        if view.district:
            return self.regions.districts[view.district].title(self.catalogue.language)
        return self.catalogue.t("your districts") if view.seen is not None else self.catalogue.t("the whole province")


async def sent_within(
    broadcasts: Broadcasts, actor: Actor, scope: Collection[str] | None, settings: Settings
) -> list[Sent]:
    """List what was sent to many in a scope, as far as somebody may know of it."""
    return [
        Sent(local_day(one.began_at, settings.zone))
        for one in await broadcasts.latest(actor)
        if one.began_at and (scope is None or not one.audience.districts or set(one.audience.districts) & set(scope))
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
