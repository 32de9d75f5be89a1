"""Did a broadcast work? A random share gets nothing, and later both sides are compared.

`_outcome` is the one door to the result: every page, answer, command and the deletion of names ask it, and before its
time it tells nobody anything. Looking on every day would make one comparison in five a false alarm.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from functools import partial

from bot.broadcasts.models import (
    HELD_BACK,
    MOVED_ON,
    UPLIFT_HOURS,
    Actor,
    Broadcast,
    BroadcastPlan,
    ChannelPlan,
    Trial,
    TrialOutcome,
    TrialSides,
)
from bot.broadcasts.planning import Planning
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.statistics.newcombe import smallest_noticed
from bot.store import Transaction, broadcasts, trials
from bot.store.audiences import UNREPORTED, Audience
from bot.store.broadcasts import PLANNED

LEAST_PEOPLE = 500
USUAL_PERCENT, LEAST_PERCENT, MOST_PERCENT = 10, 5, 50
# At most 30 days: until then it is known who was held back (`privacy.ledger_days`).
USUAL_HOURS, LEAST_HOURS, MOST_HOURS = UPLIFT_HOURS, 24, 720
# How many report within the hours without a reminder, to reckon with before anything is known.
USUAL_SHARE = 0.05

NOT_OFFERED = mark(
    "Whether it works can be measured only if it goes to people who have not reported, and to at least 500 of them."
)
OUT_OF_BOUNDS = mark("From 5 to 50 per cent can be held back, and reports counted for 24 to 720 hours.")
ONCE_ONLY = mark("A message that holds people back is sent once, not every week.")
TOO_SLOW = mark(
    "Sending would take more than half of the hours in which reports are counted: whoever gets it late has no time to "
    "report. Please choose more hours."
)


class Trials(Planning):
    """Holding back, and what came of it."""

    def may_hold_back(self, found: Broadcast) -> bool:
        """Return True if a plan fits: enough people who could still report, by what its reader may know of it."""
        plan, audience = found.plan, found.audience
        people = plan.people + plan.left_out.get(HELD_BACK, 0)
        return audience.reports == UNREPORTED and not audience.held_of and people >= LEAST_PEOPLE

    async def hold_back(
        self, actor: Actor, number: int, percent: int = USUAL_PERCENT, hours: int = USUAL_HOURS
    ) -> Broadcast:
        """Hold back a random share of a plan and count reports for some hours; 0 per cent: nobody.

        Raise NotAllowed if the plan is too small or goes to people who have reported.
        """

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            if percent:
                self._check_trial(self._seen(tx, actor, found), percent, hours)
            trial = Trial(percent, hours, secrets.token_hex(8)) if percent else None
            held = trials.hold_back(tx, number, seed=trial.seed if trial else "", percent=percent)
            plan = _without_held(found.plan, held, tx, number)
            kept = trial.dump() if trial else ""
            if not broadcasts.change(tx, number, states=(PLANNED,), at=self._now, plan=plan.dump(), trial=kept):
                raise NotAllowed(MOVED_ON)
            self._audit(tx, actor, "broadcast-hold-back", number, found.audience, detail=f"{percent} % {hours} hours")
            return self._seen(tx, actor, self._find(tx, actor, number))

        return await self._store.write(work)

    def smallest_effect(self, found: Broadcast) -> float:
        """Return the smallest rise of the share of reports that a trial would notice in four of five cases, if any."""
        if found.trial is None:
            return 0.0
        people = found.plan.people + found.plan.left_out.get(HELD_BACK, 0)
        held = people * found.trial.percent // 100
        return smallest_noticed(people - held, held, usual=USUAL_SHARE)

    def _check_trial(self, found: Broadcast, percent: int, hours: int) -> None:
        if found.state != PLANNED:
            raise NotAllowed(MOVED_ON)
        if not self.may_hold_back(found):
            raise NotAllowed(NOT_OFFERED)
        if not (LEAST_PERCENT <= percent <= MOST_PERCENT and LEAST_HOURS <= hours <= MOST_HOURS):
            raise NotAllowed(OUT_OF_BOUNDS)

    def _check_hours(self, found: Broadcast, begin: datetime, *, weekly: bool) -> None:
        """Raise NotAllowed if a trial does not fit what is to be sent and when."""
        if found.trial is None:
            return
        if weekly:
            raise NotAllowed(ONCE_ONLY)
        if self.finish(found, begin) - begin > timedelta(hours=found.trial.hours) / 2:
            raise NotAllowed(TOO_SLOW)

    async def _outcome(self, found: Broadcast, step: int) -> TrialOutcome | None:
        """Return what may be known of a trial now, with exact figures for a step of 1; None if there is none."""
        if found.trial is None or found.opens_at is None:
            return None
        hours = found.trial.hours
        if self.is_sealed(found):
            return TrialOutcome(found.opens_at, hours)
        sides = found.sides or await self._count_sides(found)
        # A verdict alone fits groups in which nobody reported; with any figure beside it, it could prove small ones.
        return TrialOutcome(found.opens_at, hours, sides.verdict, sides if step <= 1 else None)

    async def _count_sides(self, found: Broadcast) -> TrialSides:
        assert found.began_at is not None  # the caller looked
        assert found.opens_at is not None
        whom, sums = self._audience_query(Audience()), Counter[str]()
        began_at, until = stamp(found.began_at), stamp(found.opens_at)
        count = partial(trials.count_sides, number=found.number, whom=whom, began_at=began_at, until=until)
        async for after, upto in self._pages():
            for row in await self._store.read(partial(count, after=after, upto=upto)):
                side = "held" if row["held"] else "told"
                sums.update({side: row["people"], f"{side}_reported": row["reported"]})
        return TrialSides(**sums)


def proof_of(outcome: TrialOutcome | None) -> tuple[int, ...]:
    """Return what is kept of a result once nobody can be told any more who was held back."""
    return astuple(outcome.sides) if outcome and outcome.sides else ()


def _without_held(plan: BroadcastPlan, held: int, tx: Transaction, number: int) -> BroadcastPlan:
    """Return a plan with the messages that are left when some people are held back."""
    channels = tuple(ChannelPlan(row["channel"], row["people"], row["paid"]) for row in broadcasts.planned(tx, number))
    left_out = {reason: people for reason, people in plan.left_out.items() if reason != HELD_BACK}
    return replace(plan, channels=channels, left_out={**left_out, HELD_BACK: held} if held else left_out)
