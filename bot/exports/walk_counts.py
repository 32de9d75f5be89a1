"""Counts of guided walks in words, for officers in the chat: how many began, where they stopped, a bar a step."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n.catalogue import Catalogue
from bot.library.guides import Guide, GuideStep
from bot.statistics.walks import GuideCount
from bot.text.markup import to_plain

_BAR = 10  # blocks of the longest bar
_LONGEST_NAME = 42


def overview(counted: Sequence[tuple[Guide, GuideCount]], catalogue: Catalogue, *, days: int) -> str:
    """Write one line for each guide: walks that began, walks that came to the end, and the step where most stopped."""
    t = catalogue.t
    lines = ["**" + t("Guided walks of the last {days} days", days=days) + "**"]
    for guide, count in counted:
        said = t("{guide}: {begun} began, {finished} finished", guide=guide.title.in_language(catalogue.language),
                 begun=catalogue.number(count.begun), finished=catalogue.number(count.finished))  # fmt: skip
        if (hardest := count.hardest) is not None:
            number = [step.id for step in guide.steps].index(hardest.step_id) + 1
            said += "; " + t("most stopped at step {number} ({walks})", number=number,
                             walks=catalogue.number(hardest.stands))  # fmt: skip
        lines.append(f"• {said}")
    lines.append(t("A walk that goes on today still counts as stopped where it stands. Nobody is named."))
    return "\n".join(lines)


def by_step(guide: Guide, count: GuideCount, catalogue: Catalogue, *, days: int) -> str:
    """Write a bar for each step of a guide: how many came to it, stopped there, and told of a trouble."""
    t = catalogue.t
    title = guide.title.in_language(catalogue.language)
    lines = ["**" + t("{guide}, the last {days} days", guide=title, days=days) + "**"]
    for number, (step, counted) in enumerate(zip(guide.steps, count.steps, strict=True), 1):
        bar = "█" * round(_BAR * counted.came / count.begun) if count.begun else ""
        said = t("{came} came, {stopped} stopped, {troubles} in trouble", came=catalogue.number(counted.came),
                 stopped=catalogue.number(counted.stands), troubles=catalogue.number(counted.troubles))  # fmt: skip
        lines.append(f"{number}. {step_name(step, catalogue)}\n{bar}{' ' if bar else ''}{said}")
    lines.append(t("To the end: {finished}", finished=catalogue.number(count.finished)))
    return "\n".join(lines)


def step_name(step: GuideStep, catalogue: Catalogue) -> str:
    """Name a step in a few words: the beginning of what is to be done."""
    said = to_plain(step.do.in_language(catalogue.language))
    first = said.split(". ")[0].rstrip(".")
    if len(first) <= _LONGEST_NAME:
        return first
    return first[:_LONGEST_NAME].rsplit(" ", 1)[0].rstrip(" ,:") + " …"
