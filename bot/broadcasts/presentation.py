"""What is said about broadcasts to officers: states, audiences, reasons, progress; in the language of a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, tzinfo
from typing import Final

from bot.broadcasts.models import (
    ABANDONED,
    HELD_BACK,
    ROLE_LOST,
    UPLIFT_HOURS,
    Broadcast,
    BroadcastLine,
    BroadcastPlan,
    BroadcastProgress,
    BroadcastReport,
    Cost,
    Uplift,
)
from bot.broadcasts.trial_words import HEADING, outcome_words, promise_words
from bot.i18n.catalogue import NAMES, Catalogue, mark
from bot.library.regions import NEW_MAP, Regions
from bot.store.audiences import ANY, LONG_AGO, LONG_AGO_DAYS, REPORTED, UNREPORTED, Audience
from bot.text.links import escape_but_links, foreign_hosts, trusted_links
from bot.text.markup import escape

STATES: Final[Mapping[str, str]] = {
    "draft": mark("draft"),
    "planning": mark("being planned"),
    "planned": mark("planned, not sent yet"),
    "waiting": mark("waits for a second officer's approval"),
    "scheduled": mark("scheduled"),
    "running": mark("being sent"),
    "paused": mark("paused"),
    "stopped": mark("stopped"),
    "done": mark("done"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "sent": mark("Sent"),
    "failed": mark("Certainly not delivered"),
    "gone": mark("Cannot be reached any more (blocked the bot, left)"),
    "over_quota": mark("Outside Zalo's window or budget"),
    "unknown": mark("Perhaps delivered, not repeated by itself"),
    "skipped": mark("Left out on the way"),
    "held": mark("Held back to compare"),
    "planned": mark("Not sent yet"),
    "claimed": mark("On their way"),
}
REASONS: Final[Mapping[str, str]] = {
    "no-consent": mark("did not ask for reminders"),
    "gone": mark("blocked the bot or left"),
    "channel-off": mark("their channel is off"),
    "window-closed": mark("Zalo allows no message: silent for too long"),
    "reminded": mark("reminded often enough this week"),
    "linked": mark("get it on another channel of theirs"),
    "opted-out": mark("stopped reminders meanwhile"),
    "monthly-budget": mark("the month's messages are used up"),
    "sender-died": mark("the sender ended in the middle"),
    "left": mark("left meanwhile"),
    HELD_BACK: mark("held back to compare"),
    ROLE_LOST: mark("whoever made it is no officer there any more"),
    ABANDONED: mark("it was left lying for too long"),
}
REPORTS: Final[Mapping[str, str]] = {
    ANY: mark("whether they reported or not"),
    REPORTED: mark("reported the installation"),
    UNREPORTED: mark("have not reported"),
    LONG_AGO: mark("reported more than {days} days ago"),
}
FOREIGN = mark(
    "Leads to pages that are none of the official ones: {hosts}. They are shown as text and cannot be tapped. Send "
    "this only if you are sure of them."
)
_BAR = 20


def audience_words(
    audience: Audience, regions: Regions, catalogue: Catalogue, channel_title: Callable[[str], str]
) -> str:
    """Say in one line whom a broadcast is meant for."""
    t, language = catalogue.t, catalogue.language
    places = []
    for district in audience.districts:
        title = regions.districts[district].title(language)
        communes = [commune_words(key, regions, catalogue) for key in audience.communes_of(district)]
        places.append(f"{title} ({', '.join(communes)})" if communes else title)
    where = ", ".join(places) or t("the whole province")
    parts = [where, reports_words(audience.reports, catalogue)]
    if audience.channel:
        parts.append(t(channel_title(audience.channel)))
    if audience.language:
        parts.append(t("language {language}", language=audience.language))
    if audience.source:
        parts.append(t("came by {source}", source=audience.source))
    if audience.held_of:
        parts.append(t("held back by broadcast {number}", number=audience.held_of))
    return "; ".join(parts)


def commune_words(key: str, regions: Regions, catalogue: Catalogue) -> str:
    """Name a commune by its key, with the map that it is on where two have the same name."""
    name = regions.commune_name(key)
    if key.startswith(NEW_MAP):
        return catalogue.t("{name} (since July 2025)", name=name)
    if name in {new.name for new in regions.province.communes_2025}:
        return catalogue.t("{name} (until June 2025)", name=name)
    return name


def communes_of(district: str, regions: Regions, catalogue: Catalogue) -> list[tuple[str, str]]:
    """List the communes of a district by key and name, of both maps, since people report by either."""
    new = [f"{NEW_MAP}{one.code}" for one in regions.province.communes_2025 if district in one.origins]
    keys = [*(one.code for one in regions.districts[district].communes), *new]
    return [(key, commune_words(key, regions, catalogue)) for key in keys]


def reports_words(reports: str, catalogue: Catalogue) -> str:
    """Say what somebody must have reported."""
    return catalogue.t(REPORTS[reports], days=LONG_AGO_DAYS)


def reason_words(reason: str, catalogue: Catalogue) -> str:
    """Say why; a platform's own code stays as it is."""
    known = REASONS.get(reason)
    return catalogue.t(known) if known else catalogue.t("code {code}", code=reason or "-")


def state_words(found: Broadcast, catalogue: Catalogue) -> str:
    """Say how a broadcast stands."""
    words = catalogue.t(STATES[found.state])
    return f"{words} ({reason_words(found.reason, catalogue)})" if found.reason else words


def size_words(plan: BroadcastPlan, step: int, catalogue: Catalogue) -> str:
    """Say how many people a plan is meant for."""
    published = plan.published
    if not plan.coarse or published is None:
        return catalogue.number(plan.people)
    if published.narrowed:
        return catalogue.t("fewer than {count}", count=catalogue.number(published.below))
    return part_words(published.people, step, catalogue)


def part_words(people: int, step: int, catalogue: Catalogue) -> str:
    """Write a number of people that was rounded as a part of a published one."""
    if not people and step > 1:
        return catalogue.t("fewer than {count}", count=2 * step)
    return catalogue.number(people)


def progress_words(progress: BroadcastProgress, catalogue: Catalogue, *, rate: float = 0.0) -> str:
    """Say how far a broadcast is, as a bar, with figures for those who may see them."""
    t, found, percent = catalogue.t, progress.broadcast, progress.percent
    filled = percent * _BAR // 100
    lines = [
        "**" + t("Broadcast {number}", number=found.number) + "**: " + state_words(found, catalogue),
        f"{'█' * filled}{'░' * (_BAR - filled)} {percent} %",
    ]
    if progress.people is not None and progress.done is not None:
        lines.append(t("{done} of {all}", done=catalogue.number(progress.done), all=catalogue.number(progress.people)))
    lines += _outcomes(progress.states, catalogue)
    if rate and found.state == "running":
        lines.append(t("About {rate} a second.", rate=catalogue.number(round(rate, 1))))
    return "\n".join(lines)


def text_words(found: Broadcast, title: str, trusted: Collection[str], catalogue: Catalogue) -> str:
    """Show the texts as they were written, with what deserves a second look; `title` is a ready text's."""
    t = catalogue.t
    if not found.texts:
        return t("There is no text yet.")
    lines = ["**" + t("Ready text: {title}", title=title) + "**"] if found.ready else []
    for language, text in found.texts.items():
        shown = text if found.ready else escape_but_links(text, trusted)
        lines.append(f"**{NAMES[language]}**\n{shown}")
    if links := trusted_links(found.texts.values(), trusted):
        lines.append(t("Can be tapped: {addresses}", addresses=escape(", ".join(links))))
    if hosts := foreign_hosts(found.texts.values(), trusted):
        lines.append(
            "⚠ **"
            + t(FOREIGN, hosts=escape(", ".join(hosts)))
            + "**"
        )  # fmt: skip
    return "\n".join(lines)


def plan_words(
    found: Broadcast,
    cost: Cost,
    finish: datetime,
    step: int,
    catalogue: Catalogue,
    *,
    zone: tzinfo,
    channel_title: Callable[[str], str],
    smallest: float = 0.0,
) -> str:
    """Say whom a plan reaches, whom not and why, what it costs and when it is over; `smallest` of its trial, if any."""
    t, plan = catalogue.t, found.plan
    lines = ["**" + t("Messages: {people}", people=size_words(plan, step, catalogue)) + "**"]
    for one in plan.channels:
        if one.people:
            lines.append(f"– {t(channel_title(one.channel))}: {catalogue.number(one.people)}")
    left_out = {reason: people for reason, people in plan.left_out.items() if people}
    if left_out:
        lines.append(t("Left out:"))
        for reason, people in sorted(left_out.items(), key=lambda item: -item[1]):
            lines.append(f"– {reason_words(reason, catalogue)}: {catalogue.number(people)}")
    if cost.messages:
        lines.append(cost_words(plan, cost, catalogue))
    if plan.coarse:
        lines.append(published_note(step, catalogue))
    if plan.people or plan.coarse:
        lines.append(t("Sent by about {time}.", time=catalogue.minute(finish, zone)))
    if found.trial:
        lines += ["**" + t(HEADING) + "**", *promise_words(found.trial, smallest, catalogue)]
    return "\n".join(lines)


def cost_words(plan: BroadcastPlan, cost: Cost, catalogue: Catalogue) -> str:
    """Say what a plan may cost."""
    sentence = (
        mark("Billed messages: about {messages} at most; estimated cost {amount} đồng at most.")
        if plan.coarse
        else mark("Billed messages: about {messages}; estimated cost {amount} đồng.")
    )
    return catalogue.t(sentence, messages=catalogue.number(cost.messages), amount=catalogue.number(cost.amount))


def published_note(step: int, catalogue: Catalogue) -> str:
    """Say how the figures of a plan came about that officers see."""
    return catalogue.t(
        "As of the end of yesterday, rounded down to multiples of {count}; parts below {least} are not shown. Who came "
        "today gets the message, too.",
        count=step,
        least=2 * step,
    )


def report_words(
    report: BroadcastReport,
    regions: Regions,
    catalogue: Catalogue,
    *,
    zone: tzinfo,
    channel_title: Callable[[str], str],
) -> str:
    """Say what became of a broadcast: in all, by reason, district and channel, and what was reported since."""
    t, found, step = catalogue.t, report.broadcast, report.step
    lines = ["**" + t("Broadcast {number}", number=found.number) + "**: " + state_words(found, catalogue)]
    if found.began_at:
        lines.append(t("Begun at {time}.", time=catalogue.minute(found.began_at, zone)))
    if found.ended_at:
        lines.append(t("Ended at {time}.", time=catalogue.minute(found.ended_at, zone)))
    percent = step > 1
    lines += _outcomes(report.states, catalogue, percent=percent)
    reasons = [(state, reason, people) for (state, reason), people in report.reasons.items() if people]
    if reasons:
        lines.append("\n**" + t("Why") + "**")
        for state, reason, people in sorted(reasons, key=lambda one: -one[2]):
            figure = _figure(people, catalogue, percent=percent)
            lines.append(f"{t(OUTCOMES[state])} – {reason_words(reason, catalogue)}: {figure}")
    districts = {place.id: place.title(catalogue.language) for place in regions.districts.values()}
    unknown = t("district not known")
    for heading, rows in (
        (t("By channel"), [(t(channel_title(row.name)), row) for row in report.by_channel]),
        (t("By district"), [(districts.get(row.name, unknown), row) for row in report.by_district]),
    ):
        if shown := [_line(name, row, catalogue, percent=percent) for name, row in rows if row.states]:
            lines += [f"\n**{heading}**", *shown]
    if report.trial is not None:
        lines += ["", "**" + t(HEADING) + "**", *outcome_words(report.trial, catalogue, zone)]
    if report.uplift is not None:
        lines += ["", *_uplift(report.uplift, step, catalogue)]
    if percent:
        lines.append(share_note(report, catalogue))
    return "\n".join(lines)


def share_note(report: BroadcastReport, catalogue: Catalogue) -> str:
    """Say how the shares of a report came about that officers see."""
    if not report.percent_step:
        return catalogue.t("It was meant for too few people to show shares.")
    return catalogue.t("Shares are rounded down to {step} %.", step=report.percent_step)


def _figure(figure: int, catalogue: Catalogue, *, percent: bool) -> str:
    return f"{figure} %" if percent else catalogue.number(figure)


def _outcomes(states: Mapping[str, int], catalogue: Catalogue, *, percent: bool = False) -> list[str]:
    return [
        f"{catalogue.t(words)}: {_figure(states[state], catalogue, percent=percent)}"
        for state, words in OUTCOMES.items()
        if states.get(state)
    ]


def _line(name: str, line: BroadcastLine, catalogue: Catalogue, *, percent: bool = False) -> str:
    return f"{name[:1].upper()}{name[1:]}: " + "; ".join(_outcomes(line.states, catalogue, percent=percent))


def _uplift(uplift: Uplift, step: int, catalogue: Catalogue) -> list[str]:
    t = catalogue.t
    lines = ["**" + t("Reports of the installation within {hours} hours", hours=UPLIFT_HOURS) + "**"]
    for sentence, people, reported in (
        (mark("Reminded, not reported before: {people}; of these, reported since: {reported}"),
         uplift.reached, uplift.reached_reported),
        (mark("Not reminded, same area, not reported before: {people}; of these, reported since: {reported}"),
         uplift.others, uplift.others_reported),
    ):  # fmt: skip
        shown = {"people": part_words(people, step, catalogue), "reported": part_words(reported, step, catalogue)}
        lines.append(t(sentence, **shown))
    if not uplift.complete:
        lines.append(t("The {hours} hours are not over yet.", hours=UPLIFT_HOURS))
    lines.append(t("This is no proof of an effect: those who asked for reminders differ from those who did not."))
    return lines
