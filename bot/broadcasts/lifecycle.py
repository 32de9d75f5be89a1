"""Broadcasts on their way: release, approval, pause, stop, and what happens when their time comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from bot import access
from bot.broadcasts.audience_query import WEEK
from bot.broadcasts.models import MOVED_ON, NO_NAMES, ROLE_LOST, Actor, Broadcast, broadcast_of, maker_of
from bot.broadcasts.permissions import grants_of, officers, refusal, same_person
from bot.broadcasts.trials import Trials
from bot.clock import local_day, stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.message import Button, Reply
from bot.serialization import dump_reply
from bot.store import Transaction, broadcasts, people, pushes, trials
from bot.store.broadcasts import DONE, PAUSED, PLANNED, RUNNING, SCHEDULED, STOPPED, WAITING

PAST = mark("This moment lies in the past. Please choose a later one.")
MOST_AHEAD = timedelta(days=731)
FAR_AHEAD = timedelta(days=300)  # a year that was mistyped, perhaps
_TYPED_EXACTLY = timedelta(minutes=1)


class Running(Trials):
    """Steps of officers, and those that come by themselves."""

    def begin_at(self, at: datetime | None, weekly_until: date | None = None) -> datetime:
        """Return when a broadcast begins that is wanted at a moment, or now: not in the quiet hours.

        Raise NotAllowed if the moment is over or more than two years away, or if a series would end before it begins.
        """
        now = self._clock()
        if at is not None and at <= now - _TYPED_EXACTLY:
            raise NotAllowed(PAST)
        latest = local_day(now + MOST_AHEAD, self._settings.zone)
        if (at is not None and at > now + MOST_AHEAD) or (weekly_until is not None and weekly_until > latest):
            raise NotAllowed(mark("This is more than two years ahead. Please check the year."))
        begin = self._quiet.end(max(at or now, now))
        if weekly_until is not None and weekly_until < local_day(begin, self._settings.zone):
            raise NotAllowed(mark("The last day lies before the first message."))
        return begin

    def is_far(self, begin: datetime) -> bool:
        """Return True if a moment is so far ahead that the year may be a mistake."""
        return begin > self._clock() + FAR_AHEAD

    async def release(
        self,
        actor: Actor,
        number: int,
        *,
        at: datetime | None = None,
        weekly_until: date | None = None,
        seen: str | None = None,
        watch: bool = False,
    ) -> Broadcast:
        """Let a planned broadcast go at a moment, or as soon as the hours allow, once or every week until a day.

        Above `reminders.approve_above` people it waits for another officer, and those who may approve are told. With
        `seen`, the version that the actor was shown, nothing goes that a colleague has changed since. `watch` has
        the actor told how it goes on.
        """
        begin = self.begin_at(at, weekly_until)

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            step = self._step(tx, actor)
            if seen is not None and found.as_seen(step).version != seen:
                raise NotAllowed(MOVED_ON)
            # Who sees no exact figures is not told that there is nobody either: it would be an exact figure.
            if found.state == PLANNED and not found.plan.people and step <= 1:
                raise NotAllowed(mark("Nobody would get this message. Please choose other people."))
            self._check_hours(found.as_seen(step), begin, weekly=weekly_until is not None)
            state = WAITING if self.needs_approval(found) else SCHEDULED
            moved = broadcasts.change(
                tx,
                number,
                states=(PLANNED,),
                at=self._now,
                state=state,
                starts_at=stamp(begin),
                weekly_until=weekly_until.isoformat() if weekly_until else "",
            )
            if not moved:
                raise NotAllowed(MOVED_ON)
            if watch and actor.person_id:
                broadcasts.watch(tx, number, actor.person_id)
            self._audit(tx, actor, "broadcast-send", number, found.audience)
            if state == WAITING:
                self._call_approvers(tx, found)
            return self._seen(tx, actor, self._find(tx, actor, number))

        return await self._change(work)

    async def approve(self, actor: Actor, number: int, *, seen: str | None = None) -> Broadcast:
        """Approve somebody else's broadcast; with `seen`, only the version that was shown."""

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number, access.APPROVE)
            if seen is not None and self._seen(tx, actor, found).version != seen:
                raise NotAllowed(MOVED_ON)
            if same_person(tx, actor, found.made_by):
                raise NotAllowed(mark("A second officer must approve this, not the one who made it."))
            if not broadcasts.change(
                tx, number, states=(WAITING,), at=self._now, state=SCHEDULED, approved_by=actor.name
            ):
                raise NotAllowed(MOVED_ON)
            self._audit(tx, actor, "broadcast-approve", number, found.audience)
            return self._seen(tx, actor, self._find(tx, actor, number))

        return await self._change(work)

    async def pause(self, actor: Actor, number: int) -> Broadcast:
        """Send nothing more until it is resumed; what is on its way this second still arrives."""
        return await self._move(actor, number, "broadcast-pause", (RUNNING, SCHEDULED), lambda found: PAUSED)

    async def resume(self, actor: Actor, number: int) -> Broadcast:
        """Go on where it paused."""
        return await self._move(
            actor, number, "broadcast-resume", (PAUSED,), lambda found: RUNNING if found.began_at else SCHEDULED
        )

    async def stop(self, actor: Actor, number: int) -> Broadcast:
        """End it for good, and all that were still to come of its series."""
        return await self._move(
            actor, number, "broadcast-stop", (WAITING, SCHEDULED, RUNNING, PAUSED), lambda found: STOPPED
        )

    async def again(self, actor: Actor, number: int) -> int | None:
        """Send again to those who certainly got nothing; returns how many, or None to whoever may not know that."""

        def work(tx: Transaction) -> int | None:
            found, exact = self._find(tx, actor, number), self._step(tx, actor) <= 1
            if found.nameless:
                raise NotAllowed(NO_NAMES)
            if not broadcasts.change(tx, number, states=(DONE,), at=self._now, state=RUNNING, ended_at=""):
                raise NotAllowed(MOVED_ON)
            people = broadcasts.plan_failed_again(tx, number)
            if not people and exact:
                raise NotAllowed(mark("Nobody is left who certainly got nothing."))
            self._audit(tx, actor, "broadcast-again", number, found.audience)
            return people if exact else None

        return await self._change(work)

    async def watch(self, actor: Actor, number: int) -> None:
        """Have the actor told how a broadcast goes on."""

        def work(tx: Transaction) -> None:
            self._find(tx, actor, number)
            broadcasts.watch(tx, number, actor.person_id)

        await self._store.write(work)

    async def busy(self) -> bool:
        """Tell whether anything is scheduled, running or watched."""
        return await self._store.read(broadcasts.busy)

    async def advance(self) -> None:
        """Begin what is due and end what is done; for the one process that has the right to.

        Who made a broadcast must still be an officer there when it begins, also weeks later.
        """
        for row in await self._store.read(broadcasts.open_):
            found = broadcast_of(row)
            if found.state == RUNNING:
                await self._store.write(partial(broadcasts.finish, number=found.number, at=self._now))
            elif found.starts_at and found.starts_at <= self._clock() and not self._quiet.covers(self._clock()):
                await self._begin(found)

    async def _begin(self, found: Broadcast) -> None:
        if not found.plan.is_made and found.series:
            try:
                found = await self._plan(found, maker=maker_of(found), states=(SCHEDULED,), after=SCHEDULED)
            except NotAllowed:
                return  # somebody stopped or paused it this moment

        def work(tx: Transaction) -> None:
            maker = maker_of(found)
            if refusal(grants_of(tx, maker), access.SEND, found.audience) is not None:
                change = partial(broadcasts.change, tx, found.number, states=(SCHEDULED,), at=self._now)
                if change(state=STOPPED, reason=ROLE_LOST, ended_at=self._now):
                    self._audit(tx, Actor(), "broadcast-role-lost", found.number, found.audience)
                return
            if self.needs_approval(found):
                if broadcasts.change(tx, found.number, states=(SCHEDULED,), at=self._now, state=WAITING):
                    self._call_approvers(tx, found)
                return
            if broadcasts.change(
                tx, found.number, states=(SCHEDULED,), at=self._now, state=RUNNING, began_at=self._now
            ):
                trials.begin(tx, found.number, at=self._now)
                self._audit(tx, maker, "broadcast-begin", found.number, found.audience)
                self._repeat(tx, found)

        await self._change(work)

    def _repeat(self, tx: Transaction, found: Broadcast) -> None:
        if found.weekly_until is None or found.starts_at is None:
            return
        following = found.starts_at + WEEK
        while following <= self._clock():  # weeks that went by while nobody was there are not made up for
            following += WEEK
        if local_day(following, self._settings.zone) <= found.weekly_until:
            broadcasts.repeat(tx, found.number, starts_at=stamp(following), at=self._now)

    def _call_approvers(self, tx: Transaction, found: Broadcast) -> None:
        """Tell every officer who may approve, but not at night; not who made it."""
        now = self._clock()
        begins = stamp(self._quiet.end(now)) if self._quiet.covers(now) else ""
        for number, grants in officers(tx).items():
            officer = Actor(number)
            if refusal(grants, access.APPROVE, found.audience) or same_person(tx, officer, found.made_by):
                continue
            catalogue = self._catalogues.get(people.language_of(tx, number)) or self._catalogues[self._language]
            said = catalogue.t("Broadcast {number} waits for the approval of a second officer.", number=found.number)
            look = Button(catalogue.t("Look at it"), f"broadcast:open:{found.number}")
            pushes.add(tx, number, reply=dump_reply(Reply(said, (look,))), at=self._now, not_before=begins)

    async def _move(
        self, actor: Actor, number: int, action: str, states: Sequence[str], target: Callable[[Broadcast], str]
    ) -> Broadcast:
        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            state = target(found)
            ended = {"ended_at": self._now} if state == STOPPED else {}
            if not broadcasts.change(tx, number, states=states, at=self._now, state=state, **ended):
                raise NotAllowed(MOVED_ON)
            if state == STOPPED:
                broadcasts.stop_series(tx, found.series or number, reason="", at=self._now)
            self._audit(tx, actor, action, number, found.audience)
            return self._seen(tx, actor, self._find(tx, actor, number))

        return await self._change(work)
