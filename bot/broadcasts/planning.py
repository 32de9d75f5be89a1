"""Planning: people and texts are frozen and counted, what it costs and takes is estimated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from bot.broadcasts.models import MOVED_ON, Actor, Broadcast, BroadcastPlan, ChannelPlan, Cost, broadcast_of
from bot.broadcasts.published import published_size
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
        planned = await self._plan(
            found, maker=actor, states=(DRAFT, PLANNED), check=lambda tx: self._find(tx, actor, number)
        )

        def work(tx: Transaction) -> Broadcast:
            self._audit(tx, actor, "broadcast-plan", number, planned.audience)
            return self._seen(tx, actor, planned)

        return await self._store.write(work)

    def needs_approval(self, found: Broadcast) -> bool:
        """Tell whether a second officer must approve."""
        return found.plan.size > self._settings.reminders.approve_above and not found.approved_by

    async def cost(self, found: Broadcast) -> Cost:
        """Estimate what a plan costs."""
        messages = amount = 0
        for name, paid in self._paid(found.plan).items():
            terms = self._terms[name]
            figures = await self._store.read(partial(usage.of_period, channel=name, period="now"))
            billed = max(0, paid - figures.get("quota_remain", terms.included))
            messages, amount = messages + billed, amount + billed * terms.price
        return Cost(messages, amount)

    def _paid(self, plan: BroadcastPlan) -> dict[str, int]:
        """Return how many messages of a plan cost money, by channel; officers get a published number, at most."""
        priced = [name for name, terms in self._terms.items() if terms.price]
        if not plan.coarse:
            return {one.channel: one.paid for one in plan.channels if one.channel in priced and one.paid}
        published = plan.published
        return {name: published.paid for name in priced[:1] if published and published.paid}

    def finish(self, found: Broadcast, at: datetime | None = None) -> datetime:
        """Estimate when a plan that begins at a moment, or now, is sent; it rests in the quiet hours."""
        begin, plan = at or found.starts_at or self._clock(), found.plan
        if plan.coarse:
            spread = plan.published.spread if plan.published else {}
        else:
            spread = {one.channel: one.people for one in plan.channels}
        return self._finish(max(begin, self._clock()), spread)

    def _finish(self, begin: datetime, left: Mapping[str, int]) -> datetime:
        paces = {name: terms.per_second or _UNPACED for name, terms in self._terms.items()}
        longest = max((people / paces.get(name, _UNPACED) for name, people in left.items()), default=0.0)
        return self._quiet.finish(begin, longest)

    async def _plan(
        self,
        found: Broadcast,
        *,
        maker: Actor,
        states: Sequence[str],
        after: str = PLANNED,
        check: Callable[[Transaction], object] = lambda tx: None,
    ) -> Broadcast:
        """Freeze a broadcast's people and texts; returns it with exact figures."""
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
            plan = await self._publish(frozen, await self._fill_ledger(frozen), maker)
        except BaseException:
            await self._store.write(
                partial(broadcasts.change, number=found.number, states=(PLANNING,), at=self._now, state=states[0])
            )
            raise

        def end(tx: Transaction) -> Broadcast:
            kept, planning = plan.dump(), (PLANNING,)
            if not broadcasts.change(tx, found.number, states=planning, at=self._now, state=after, plan=kept):
                raise NotAllowed(MOVED_ON)
            row = broadcasts.find(tx, found.number)
            assert row is not None  # it was there in the line above
            return broadcast_of(row)

        return await self._store.write(end)

    async def _publish(self, found: Broadcast, plan: BroadcastPlan, maker: Actor) -> BroadcastPlan:
        """Add to a plan what officers may know of it, and the size that decides on the approval."""
        step = max(1, self._settings.privacy.small_count)
        districts = found.audience.districts or (*self._regions.districts, "")
        published = published_size(await self.count_reach(), found.audience, districts, self.channels, step=step)
        if await self.step(maker) <= 1:
            return replace(plan, published=published, size=plan.people)
        # What is asked of an officer must follow from published figures, too. On the first days, when most people came
        # only today, the true number counts as soon as it is twice what needs no approval.
        limit = 2 * self._settings.reminders.approve_above
        return replace(plan, published=published, size=max(published.below - 1, limit if plan.people >= limit else 0))

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
