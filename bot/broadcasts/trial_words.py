"""What is said about holding people back: before it leaves, while the result is sealed, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from bot.broadcasts.models import FEWER, MORE, UNDECIDED, Trial, TrialOutcome, TrialSides
from bot.broadcasts.trials import USUAL_SHARE
from bot.i18n.catalogue import Catalogue, mark

HEADING = mark("Did the reminder work?")
VERDICTS: Final[Mapping[str, str]] = {
    MORE: mark("More of those who were reminded reported. That may well come from the reminder."),
    FEWER: mark("Fewer of those who were reminded reported. The reminder may have had the opposite effect."),
    UNDECIDED: mark("Not enough to conclude: the difference may be chance."),
}


def promise_words(trial: Trial, smallest: float, catalogue: Catalogue) -> list[str]:
    """Say before it leaves who is held back, what is compared, how large an effect must be, and when it is known."""
    t = catalogue.t
    return [
        t(
            "{percent} per cent of these people, drawn by lot, get nothing. Then it is compared how many of both sides "
            "report within {hours} hours.",
            percent=trial.percent,
            hours=trial.hours,
        ),
        t(
            "An effect is noticed if at least {rise} more of 100 people report because of the reminder; a smaller one "
            "may stay unseen. (Reckoned with {usual} of 100 who report anyway.)",
            rise=catalogue.number(round(100 * smallest, 1)),
            usual=round(100 * USUAL_SHARE),
        ),
        t("Nobody can see the result earlier; it is known {hours} hours after the first message.", hours=trial.hours),
    ]


def outcome_words(outcome: TrialOutcome, catalogue: Catalogue, zone: tzinfo) -> list[str]:
    """Say what is known of a trial."""
    t = catalogue.t
    if not outcome.verdict:
        return [
            t(
                "The result is sealed until {time}. Whoever looks at it every day is misled by chance in one "
                "comparison of five.",
                time=catalogue.minute(outcome.opens_at, zone),
            )
        ]
    lines = [t(VERDICTS[outcome.verdict])]
    if outcome.sides is None:
        return [*lines, t("Administrators see the figures; of small groups they would tell too much.")]
    return [*lines, *_figures(outcome.sides, outcome.hours, catalogue)]


def _figures(sides: TrialSides, hours: int, catalogue: Catalogue) -> list[str]:
    t, difference = catalogue.t, sides.difference
    lines = [t("Reports of the installation within {hours} hours, of those who had not reported before:", hours=hours)]
    for sentence, reported, people in (
        (mark("– reminded: {reported} of {people} ({share})"), sides.told_reported, sides.told),
        (mark("– held back: {reported} of {people} ({share})"), sides.held_reported, sides.held),
    ):
        share = catalogue.percent(reported / people if people else 0.0)
        figures = {"reported": catalogue.number(reported), "people": catalogue.number(people), "share": share}
        lines.append(t(sentence, **figures))
    points = {
        name: _points(value, catalogue)
        for name, value in (("value", difference.value), ("low", difference.low), ("high", difference.high))
    }
    lines.append(t("Difference: {value} percentage points (95 per cent interval: {low} to {high}).", **points))
    lines.append(t("Everybody counts on the side that the lot put them on, also those whom the message did not reach."))
    return lines


def _points(value: float, catalogue: Catalogue) -> str:
    points = round(100 * value, 1)
    sign = "+" if points > 0 else "−" if points < 0 else ""
    return f"{sign}{catalogue.number(abs(points))}"
