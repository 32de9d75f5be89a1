"""How far a broadcast is, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot import access
from bot.broadcasts.models import (
    UPLIFT_HOURS,
    Actor,
    Broadcast,
    BroadcastLine,
    BroadcastProgress,
    BroadcastReport,
    Uplift,
)
from bot.broadcasts.published import published_percent, published_share, share_step
from bot.broadcasts.trials import Trials
from bot.clock import stamp
from bot.statistics.counts import rounded_part
from bot.store import Row, Transaction, audiences, broadcasts
from bot.store.audiences import Audience
from bot.store.broadcasts import CLAIMED, HELD, PLANNED, RUNNING, SCHEDULED


class Reports(Trials):
    """Progress and results, as exact as somebody may see them."""

    async def progress(self, actor: Actor, number: int) -> BroadcastProgress:
        """Return how far a broadcast is, as exactly as the actor may see it."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row], int]:
            return self._find(tx, actor, number), broadcasts.counts(tx, number), self._step(tx, actor)

        found, rows, step = await self._store.read(work)
        return self.as_progress(found, rows, step=step)

    def as_progress(self, found: Broadcast, rows: Sequence[Row], *, step: int) -> BroadcastProgress:
        """Sum up the ledger's counts for somebody who may see them in steps."""
        states: Counter[str] = Counter()
        left: Counter[str] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["state"] in (PLANNED, CLAIMED):
                left[row["channel"]] += row["people"]
        del states[HELD]
        people = sum(states.values())
        done = people - states[PLANNED] - states[CLAIMED]
        begun = bool(people) or found.began_at is not None
        begin, runs = max(self._clock(), found.starts_at or self._clock()), found.state in (SCHEDULED, RUNNING)
        if step <= 1:
            percent = 100 if done >= people else done * 100 // people
            finish = self._finish(begin, left) if left and runs else None
            return BroadcastProgress(found, percent, finish, begun, people, done, states)
        percent = published_percent(done, people, step)
        seen = found.as_seen(step)
        spread = seen.plan.published.spread if seen.plan.published else {}
        remaining = {name: count * (100 - percent) // 100 for name, count in spread.items()}
        return BroadcastProgress(seen, percent, self._finish(begin, remaining) if left and runs else None, begun)

    async def report(self, actor: Actor, number: int) -> BroadcastReport:
        """Return what became of a broadcast: people, or shares for whoever may not see exact figures."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row], int]:
            return self._find(tx, actor, number), broadcasts.results(tx, number), self._step(tx, actor)

        found, rows, step = await self._store.read(work)
        trial, uplift = await self._outcome(found, step), await self._uplift(found)
        if step > 1:
            uplift = uplift if uplift and uplift.complete else None
            return replace(_in_shares(found.as_seen(step), rows, uplift, step), trial=trial)
        states: Counter[str] = Counter()
        reasons: Counter[tuple[str, str]] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["reason"]:
                reasons[row["state"], row["reason"]] += row["people"]
        by_district, by_channel = (
            tuple(BroadcastLine(name, counted) for name, counted in _by(rows, column).items())
            for column in ("district", "channel")
        )
        return BroadcastReport(found, states, reasons, by_district, by_channel, uplift, step, trial=trial)

    async def unknown(self, actor: Actor, number: int, *, limit: int = 1000) -> list[tuple[int, str, str]]:
        """List whom a message may or may not have reached, by number, channel and reason; for admins."""

        def work(tx: Transaction) -> list[tuple[int, str, str]]:
            self._find(tx, actor, number, access.EXPORT_ROWS)
            rows = broadcasts.unknown(tx, number, limit=limit)
            return [(row["person_id"], row["channel"], row["reason"]) for row in rows]

        return await self._store.read(work)

    async def _uplift(self, found: Broadcast) -> Uplift | None:
        """Return who reported, reached or not; None of a trial, whose result is told by `_outcome` alone."""
        if found.uplift or found.trial or found.began_at is None:
            return found.uplift
        began_at, until = stamp(found.began_at), stamp(found.began_at + timedelta(hours=UPLIFT_HOURS))
        audience = Audience(districts=found.audience.districts, communes=found.audience.communes)
        whom, sums = self._audience_query(audience), Counter[str]()
        effect = partial(audiences.effect, number=found.number, whom=whom, began_at=began_at, until=until)
        async for after, upto in self._pages():
            row = await self._store.read(partial(effect, after=after, upto=upto))
            assert row is not None  # sums without groups are one row
            sums.update({name: row[name] for name in ("reached", "reached_reported", "others", "others_reported")})
        return Uplift(
            sums["reached"],
            sums["reached_reported"],
            sums["others"],
            sums["others_reported"],
            stamp(self._clock()) >= until,
        )


def _by(rows: Sequence[Row], column: str) -> dict[str, Counter[str]]:
    """Count a ledger by one column and by what became of each message."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row[column], Counter())[row["state"]] += row["people"]
    return found


def _in_shares(found: Broadcast, rows: Sequence[Row], uplift: Uplift | None, step: int) -> BroadcastReport:
    """Say what became of a broadcast in per cent, where enough people were meant."""
    size = found.plan.published
    percent_step = share_step(size.basis, step) if size else 0
    states: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for row in rows:
        states[row["state"]] += row["people"]
        if row["reason"]:
            reasons[row["state"], row["reason"]] += row["people"]
    people = states.total()
    return BroadcastReport(
        found,
        {state: published_share(count, people, percent_step) for state, count in states.items()},
        {key: published_share(count, people, percent_step) for key, count in reasons.items()},
        _shares(_by(rows, "district"), size.districts if size else {}, step),
        _shares(_by(rows, "channel"), size.channels if size else {}, step),
        uplift and _rounded_proof(uplift, step),
        step,
        percent_step,
    )


def _shares(counted: Mapping[str, Counter[str]], sizes: Mapping[str, int], step: int) -> tuple[BroadcastLine, ...]:
    """Return the lines of a report whose published size is large enough, in per cent."""
    lines = []
    for name, states in counted.items():
        if percent_step := share_step(sizes.get(name, 0), step):
            people = states.total()
            shares = {state: published_share(count, people, percent_step) for state, count in states.items()}
            lines.append(BroadcastLine(name, {state: share for state, share in shares.items() if share}))
    return tuple(lines)


def _rounded_proof(uplift: Uplift, step: int) -> Uplift:
    return replace(
        uplift,
        reached=rounded_part(uplift.reached, step),
        reached_reported=rounded_part(uplift.reached_reported, step),
        others=rounded_part(uplift.others, step),
        others_reported=rounded_part(uplift.others_reported, step),
    )
