"""Planning: people and texts are frozen and counted, what it costs and takes is estimated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import orjson

from bot.broadcasts.models import MOVED_ON, Actor, Broadcast, BroadcastPlan, ChannelPlan, Cost, broadcast_of
from bot.broadcasts.step_context import BroadcastSteps
from bot.clock import stamp
from bot.delivery.outbox import fit
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.message import Reply
from bot.store import Row, Transaction, audiences, broadcasts, usage
from bot.store.broadcasts import DRAFT, PLANNED, PLANNING

_STALE_PLANNING = timedelta(minutes=2)
_UNPACED = 100.0  # messages a second that are expected where no pace is set


class Planning(BroadcastSteps):
    """Plans; they may be made again until one is released."""

    async def plan(self, actor: Actor, number: int) -> Broadcast:
        """Freeze people and texts and count them; may be done again until it is released."""
        found = await self.find(actor, number)
        planned = await self._plan(found, states=(DRAFT, PLANNED), check=lambda tx: self._find(tx, actor, number))
        await self._store.write(lambda tx: self._audit(tx, actor, "broadcast-plan", number, planned.audience))
        return planned

    def needs_approval(self, found: Broadcast) -> bool:
        """Tell whether a second officer must approve."""
        return found.plan.people > self._settings.reminders.approve_above and not found.approved_by

    async def cost(self, found: Broadcast) -> Cost:
        """Estimate what a plan costs."""
        messages = amount = 0
        for channel in found.plan.channels:
            terms = self._terms.get(channel.channel)
            if terms is None or not terms.price or not channel.paid:
                continue
            name = channel.channel
            figures = await self._store.read(partial(usage.of_period, channel=name, period="now"))
            billed = max(0, channel.paid - figures.get("quota_remain", terms.included))
            messages, amount = messages + billed, amount + billed * terms.price
        return Cost(messages, amount)

    def finish(self, found: Broadcast, at: datetime | None = None) -> datetime:
        """Estimate when a plan that begins at a moment, or now, is sent; it rests in the quiet hours."""
        begin = at or found.starts_at or self._clock()
        return self._finish(max(begin, self._clock()), {plan.channel: plan.people for plan in found.plan.channels})

    def _finish(self, begin: datetime, left: Mapping[str, int]) -> datetime:
        paces = {name: terms.per_second or _UNPACED for name, terms in self._terms.items()}
        longest = max((people / paces.get(name, _UNPACED) for name, people in left.items()), default=0.0)
        return self._quiet.finish(begin, longest)

    async def _plan(
        self,
        found: Broadcast,
        *,
        states: Sequence[str],
        after: str = PLANNED,
        check: Callable[[Transaction], object] = lambda tx: None,
    ) -> Broadcast:
        texts = await self._fill(found)
        for channel in self._channels_of(found.audience):
            if any(len(list(fit(Reply(text), self._capabilities(channel)))) > 1 for text in texts.values()):
                raise NotAllowed(mark("The text is too long for one message on every channel; please shorten it."))

        def begin(tx: Transaction) -> Broadcast:
            check(tx)
            stale = stamp(self._clock() - _STALE_PLANNING)
            if not broadcasts.begin_planning(tx, found.number, states=states, at=self._now, stale=stale):
                raise NotAllowed(MOVED_ON)
            broadcasts.keep_texts(tx, found.number, texts)
            row = broadcasts.find(tx, found.number)
            assert row is not None  # it was there in the line above
            return broadcast_of(row)

        # The audience as it stands now: it may have been changed since the caller looked.
        frozen = await self._store.write(begin)
        try:
            if frozen.texts != found.texts:
                raise NotAllowed(MOVED_ON)
            plan = await self._fill_ledger(frozen)
        except BaseException:
            await self._store.write(
                partial(broadcasts.change, number=found.number, states=(PLANNING,), at=self._now, state=states[0])
            )
            raise

        def end(tx: Transaction) -> Broadcast:
            kept = orjson.dumps(
                {
                    "channels": {one.channel: [one.people, one.paid] for one in plan.channels},
                    "left_out": dict(plan.left_out),
                }
            ).decode()
            if not broadcasts.change(tx, found.number, states=(PLANNING,), at=self._now, state=after, plan=kept):
                raise NotAllowed(MOVED_ON)
            row = broadcasts.find(tx, found.number)
            assert row is not None  # it was there in the line above
            return broadcast_of(row)

        return await self._store.write(end)

    async def _fill_ledger(self, found: Broadcast) -> BroadcastPlan:
        """Write a row for everybody who is to get the message, page by page, and count all."""
        whom, left_out = self._audience_query(found.audience), Counter[str]()
        async for after, upto in self._pages():
            # Those who get nothing are counted beside it, by a reader.
            others = partial(audiences.left_out, whom=whom, after=after, upto=upto)
            enter = partial(audiences.enter, number=found.number, whom=whom, after=after, upto=upto)
            counted, _ = await asyncio.gather(self._store.read(others), self._store.write(enter))
            left_out.update(counted)

        def work(tx: Transaction) -> tuple[int, list[Row]]:
            return broadcasts.keep_one_of_linked(tx, found.number), broadcasts.planned(tx, found.number)

        linked, rows = await self._store.write(work)
        if linked:
            left_out[audiences.LINKED] = linked
        return BroadcastPlan(tuple(ChannelPlan(row["channel"], row["people"], row["paid"]) for row in rows), left_out)
