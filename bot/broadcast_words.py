"""What is said about broadcasts to officers: states, audiences, reasons, progress; in the language of a catalogue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bot.audience import ANY, LONG_AGO, LONG_AGO_DAYS, REPORTED, UNREPORTED, Audience
from bot.broadcast import ROLE_LOST, Broadcast, Progress
from bot.counts import rounded
from bot.i18n import Catalogue, mark
from bot.regions import Regions

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
    ROLE_LOST: mark("whoever made it is no officer there any more"),
}
REPORTS: Final[Mapping[str, str]] = {
    ANY: mark("whether they reported or not"),
    REPORTED: mark("reported the installation"),
    UNREPORTED: mark("have not reported"),
    LONG_AGO: mark("reported more than {days} days ago"),
}
_BAR = 20


def audience_words(
    audience: Audience, regions: Regions, catalogue: Catalogue, channel_title: Callable[[str], str]
) -> str:
    """Say in one line whom a broadcast is meant for."""
    t, language = catalogue.t, catalogue.language
    if audience.commune:
        where = f"{regions.commune_name(audience.commune)}, {regions.districts[audience.districts[0]].title(language)}"
    elif audience.districts:
        where = ", ".join(regions.districts[district].title(language) for district in audience.districts)
    else:
        where = t("the whole province")
    parts = [where, reports_words(audience.reports, catalogue)]
    if audience.channel:
        parts.append(t(channel_title(audience.channel)))
    if audience.language:
        parts.append(t("language {language}", language=audience.language))
    if audience.source:
        parts.append(t("came by {source}", source=audience.source))
    return "; ".join(parts)


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


def count_words(people: int, step: int, catalogue: Catalogue) -> str:
    """Write a number of people, coarse where it must be."""
    if 0 < people < step:
        return catalogue.t("fewer than {count}", count=step)
    return catalogue.number(rounded(people, step))


def progress_words(progress: Progress, step: int, catalogue: Catalogue, *, rate: float = 0.0) -> str:
    """Say how far a broadcast is, as a bar with figures."""
    t, found, percent = catalogue.t, progress.broadcast, progress.percent
    filled = percent * _BAR // 100
    states = {state: count_words(people, step, catalogue) for state, people in progress.states.items()}
    lines = [
        "**" + t("Broadcast {number}", number=found.number) + "**: " + state_words(found, catalogue),
        f"{'█' * filled}{'░' * (_BAR - filled)} {percent} %",
        t("{done} of {all}", done=count_words(progress.done, step, catalogue),
          all=count_words(progress.people, step, catalogue)),
    ]  # fmt: skip
    lines += [f"{t(words)}: {states[state]}" for state, words in OUTCOMES.items() if states.get(state, "0") != "0"]
    if rate and found.state == "running":
        lines.append(t("About {rate} a second.", rate=catalogue.number(round(rate, 1))))
    return "\n".join(lines)
