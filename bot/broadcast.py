"""Messages of officers to many people: draft, plan, approval, release, pause, stop, progress and report.

People and texts are frozen when a broadcast is planned. Every step is one transaction that moves the broadcast on only
from a state in which that step makes sense and writes the audit with it, so that of two officers who act at once one
is told what the other did. What an officer may do is read from the records in that same transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial

import orjson

from bot import access, broadcast_texts
from bot.access import Action, Grant
from bot.audience import REPORTS, Audience, load_audience
from bot.broadcast_texts import Filler
from bot.clock import Clock, local_day, moment, stamp
from bot.counts import rounded, rounded_part, step_for
from bot.errors import Refused
from bot.i18n import Catalogue, mark
from bot.message import Button, Reply, Traits
from bot.outbox import fit
from bot.ready_texts import Reminder, load_reminders
from bot.regions import Regions
from bot.settings import Settings
from bot.sieve import WEEK, sieve
from bot.sources import Sources
from bot.store import Row, Store, Transaction, audiences, broadcasts, people, pushes, roles, usage
from bot.store.audiences import Whom
from bot.store.broadcasts import (
    DONE,
    DRAFT,
    PAUSED,
    PLANNED,
    PLANNING,
    RUNNING,
    SCHEDULED,
    STOPPED,
    WAITING,
)
from bot.store.links import CIRCLE
from bot.terms import Terms
from bot.wire import dump_reply

PAGE = 2_000  # people sorted in one transaction, so that replies to citizens wait for none of them long
PROOF_HOURS = 72
ROLE_LOST = "role-lost"
_STALE_PLANNING = timedelta(minutes=2)
_MOST_LISTED = 50
_VERSION_LENGTH = 10
_UNPACED = 100.0  # messages a second that are expected where no pace is set
_PERSON = "person "

NOT_THERE = mark("This broadcast does not exist, or it lies outside the area that you are responsible for.")
MOVED_ON = mark("This is not possible any more: somebody else was faster, or the broadcast has gone on meanwhile.")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with a number, or the command line, which may do everything."""

    person_id: int = 0

    @property
    def name(self) -> str:
        """How the audit and the records name them."""
        return f"{_PERSON}{self.person_id}" if self.person_id else "command line"


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """How many people get a message on a channel, and how many of these messages cost money."""

    channel: str
    people: int
    paid: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is reached on which channel, and who is left out for which reason (`bot.store.audiences`)."""

    channels: tuple[ChannelPlan, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many messages are planned."""
        return sum(channel.people for channel in self.channels)


@dataclass(frozen=True, slots=True)
class Cost:
    """Messages that are billed, and what they may cost in đồng; an estimate."""

    messages: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One broadcast as it stands. `state` is one of those in `bot.store.broadcasts`, `reason` says why it stopped."""

    number: int
    made_by: str
    audience: Audience
    texts: Mapping[str, str] = field(repr=False)
    ready: str
    confirmed: bool
    state: str
    reason: str
    plan: Plan
    approved_by: str
    starts_at: datetime | None
    weekly_until: date | None
    made_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    series: int = 0

    @property
    def version(self) -> str:
        """A short mark of whom, what and how many; another one as soon as any of these is another."""
        parts = (
            self.audience.dump(),
            sorted(self.texts.items()),
            self.plan.channels,
            sorted(self.plan.left_out.items()),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:_VERSION_LENGTH]

    @property
    def editable(self) -> bool:
        """Whether audience and texts can still be changed."""
        return self.state in (DRAFT, PLANNED)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a broadcast is: people by state, what is left by channel, when it will be over."""

    broadcast: Broadcast
    states: Mapping[str, int]
    left: Mapping[str, int]
    finish: datetime | None

    @property
    def people(self) -> int:
        """Everybody in the ledger."""
        return sum(self.states.values())

    @property
    def done(self) -> int:
        """Those for whom the matter is settled."""
        return self.people - self.states.get(PLANNED, 0) - self.states.get(broadcasts.CLAIMED, 0)

    @property
    def percent(self) -> int:
        """The settled ones of a hundred; 100 only when all are."""
        return 100 if self.done >= self.people else self.done * 100 // self.people


@dataclass(frozen=True, slots=True)
class Proof:
    """Who had not reported before, and how many of them did within 72 hours; of those reached, and of the others.

    It proves nothing: those who asked for reminders are not like those who did not.
    """

    reached: int
    reached_reported: int
    others: int
    others_reported: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report: how many people of a district or channel ended how."""

    name: str
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a broadcast. With `step` above 1 all figures are rounded down to it, as in `bot.counts`."""

    broadcast: Broadcast
    states: Mapping[str, int]
    reasons: Mapping[tuple[str, str], int]
    by_district: tuple[Line, ...]
    by_channel: tuple[Line, ...]
    proof: Proof | None
    step: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What somebody of a language and district reads on a channel, message by message."""

    channel: str
    language: str
    district: str
    replies: tuple[Reply, ...]


class Broadcasts:
    """All broadcasts; raises Refused with a sentence to translate when something may not or cannot be done."""

    def __init__(
        self,
        store: Store,
        *,
        settings: Settings,
        regions: Regions,
        catalogues: Mapping[str, Catalogue],
        terms: Mapping[str, Terms],
        traits: Callable[[str], Traits],
        sources: Callable[[], Sources],
        clock: Clock,
    ) -> None:
        """Join what is needed; `terms` are those of the channels that are on."""
        self._store, self._settings, self._regions, self._clock = store, settings, regions, clock
        self._terms, self._traits, self._sources, self._catalogues = terms, traits, sources, catalogues
        self._language = settings.default_language
        self._quiet = settings.quiet
        self._filler = Filler(settings, regions, catalogues, clock)

    def use(self, settings: Settings) -> None:
        """Go on by other settings; those of the channels and of the time zone stay."""
        self._settings = settings

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are on."""
        return tuple(self._terms)

    # -- looking -------------------------------------------------------------------------------------------------

    async def find(self, actor: Actor, number: int) -> Broadcast:
        """Return a broadcast within the actor's scope."""
        return await self._store.read(lambda tx: self._find(tx, actor, number))

    async def latest(self, actor: Actor) -> list[Broadcast]:
        """List the newest broadcasts within the actor's scope, newest first."""

        def work(tx: Transaction) -> list[Broadcast]:
            found = map(_broadcast, broadcasts.latest(tx, limit=_MOST_LISTED))
            grants = _grants(tx, actor)
            return [one for one in found if _refusal(grants, access.SEND, one.audience) is None]

        return await self._store.read(work)

    async def progress(self, actor: Actor, number: int) -> Progress:
        """Return how far a broadcast is; exact, so show `rounded` figures to whoever is no admin."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row]]:
            return self._find(tx, actor, number), broadcasts.counts(tx, number)

        found, rows = await self._store.read(work)
        return self.as_progress(found, rows)

    def as_progress(self, found: Broadcast, rows: Sequence[Row]) -> Progress:
        """Sum up the ledger's counts."""
        states: Counter[str] = Counter()
        left: Counter[str] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["state"] in (PLANNED, broadcasts.CLAIMED):
                left[row["channel"]] += row["people"]
        begin = max(self._clock(), found.starts_at or self._clock())
        finish = self._finish(begin, left) if left and found.state in (SCHEDULED, RUNNING) else None
        return Progress(found, states, left, finish)

    async def report(self, actor: Actor, number: int) -> Report:
        """Return what became of a broadcast, rounded for whoever is no admin."""

        def work(tx: Transaction) -> tuple[Broadcast, list[Row], int]:
            found = self._find(tx, actor, number)
            step = step_for(_grants(tx, actor), self._settings.privacy.small_count)
            return found, broadcasts.results(tx, number), step

        found, rows, step = await self._store.read(work)
        states: Counter[str] = Counter()
        reasons: Counter[tuple[str, str]] = Counter()
        for row in rows:
            states[row["state"]] += row["people"]
            if row["reason"]:
                reasons[row["state"], row["reason"]] += row["people"]
        proof = await self._proof(found) if found.began_at else None
        return Report(
            found,
            {state: rounded(people, step) for state, people in states.items()},
            {key: rounded_part(people, step) for key, people in reasons.items()},
            tuple(_lines(rows, "district", step)),
            tuple(_lines(rows, "channel", step)),
            proof and _rounded_proof(proof, step),
            step,
        )

    async def unknown(self, actor: Actor, number: int, *, limit: int = 1000) -> list[tuple[int, str, str]]:
        """List whom a message may or may not have reached, by number, channel and reason; for admins."""

        def work(tx: Transaction) -> list[tuple[int, str, str]]:
            self._find(tx, actor, number, access.EXPORT_ROWS)
            rows = broadcasts.unknown(tx, number, limit=limit)
            return [(row["person_id"], row["channel"], row["reason"]) for row in rows]

        return await self._store.read(work)

    async def step(self, actor: Actor) -> int:
        """Return how coarse the figures are that the actor may see."""
        small = self._settings.privacy.small_count
        return await self._store.read(lambda tx: step_for(_grants(tx, actor), small))

    # -- the draft -----------------------------------------------------------------------------------------------

    async def ready_texts(self) -> Mapping[str, Reminder]:
        """Return the ready texts by id; raises ContentError."""
        return await asyncio.to_thread(load_reminders, self._settings.content)

    async def draft(self, actor: Actor, audience: Audience) -> int:
        """Begin a broadcast and return its number."""
        self._check(audience)

        def work(tx: Transaction) -> int:
            _require(tx, actor, access.SEND, audience)
            number = broadcasts.add(tx, made_by=actor.name, audience=audience.dump(), at=self._now)
            self._audit(tx, actor, "broadcast-draft", number, audience)
            return number

        return await self._store.write(work)

    async def aim(self, actor: Actor, number: int, audience: Audience) -> Broadcast:
        """Change whom it is meant for; what was planned is planned no more."""
        self._check(audience)

        def work(tx: Transaction) -> Broadcast:
            self._find(tx, actor, number)
            _require(tx, actor, access.SEND, audience)
            return self._edit(tx, actor, number, audience=audience.dump())

        return await self._store.write(work)

    async def write(self, actor: Actor, number: int, language: str, text: str) -> Broadcast:
        """Set the text of a language, written by hand; an empty one takes it away. What was planned is no more."""
        written = broadcast_texts.check(text) if text.strip() else ""

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            texts = {} if found.ready else dict(found.texts)
            texts[language] = written
            kept = {name: said for name, said in texts.items() if said}
            return self._edit(tx, actor, number, texts=orjson.dumps(kept).decode(), ready="", confirmed_by="")

        return await self._store.write(work)

    async def take_ready(self, actor: Actor, number: int, ready: str, *, confirmed: bool = False) -> Broadcast:
        """Take a ready text; one whose facts are to be checked only once somebody confirmed them."""
        texts = await self.ready_texts()
        if ready not in texts:
            raise Refused(mark("There is no such ready text."))
        text = texts[ready]
        if text.status == "check" and not confirmed:
            raise Refused(
                mark("This text was true once. Check its facts and confirm that they still hold, or take another.")
            )
        said = {language: text.text.in_language(language).strip() for language in self._settings.languages}

        def work(tx: Transaction) -> Broadcast:
            self._find(tx, actor, number)
            if text.status == "check":
                self._audit(tx, actor, "broadcast-confirm-text", number, detail=ready)
            return self._edit(
                tx,
                actor,
                number,
                texts=orjson.dumps(said).decode(),
                ready=ready,
                confirmed_by=actor.name if text.status == "check" else "",
            )

        return await self._store.write(work)

    async def discard(self, actor: Actor, number: int) -> None:
        """Delete what was not released yet."""

        def work(tx: Transaction) -> None:
            found = self._find(tx, actor, number)
            if not broadcasts.forget(tx, number):
                raise Refused(MOVED_ON)
            self._audit(tx, actor, "broadcast-discard", number, found.audience)

        await self._store.write(work)

    async def preview(self, actor: Actor, number: int) -> list[Preview]:
        """Show what is sent as each channel will show it, in each language, for the first district or the province."""
        found = await self.find(actor, number)
        texts = await self._fill(found)
        district = found.audience.districts[0] if found.audience.districts else ""
        return [
            Preview(channel, language, district, tuple(fit(Reply(texts[language, district]), self._traits(channel))))
            for channel in self._channels_of(found.audience)
            for language in self._languages_of(found)
        ]

    async def sample(self, actor: Actor, number: int, language: str) -> Reply:
        """Return the message as somebody gets it, for a test to oneself; the test stands in the audit."""
        found = await self.find(actor, number)
        texts = await self._fill(found)
        district = found.audience.districts[0] if found.audience.districts else ""
        await self._store.write(lambda tx: self._audit(tx, actor, "broadcast-test", number))
        return Reply(texts[language if (language, district) in texts else self._settings.default_language, district])

    # -- plan, release, approval ---------------------------------------------------------------------------------

    async def plan(self, actor: Actor, number: int) -> Broadcast:
        """Freeze people and texts and count them; may be done again until it is released."""
        found = await self.find(actor, number)
        planned = await self._plan(found, states=(DRAFT, PLANNED), check=lambda tx: self._find(tx, actor, number))
        await self._store.write(lambda tx: self._audit(tx, actor, "broadcast-plan", number, planned.audience))
        return planned

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
        begin = self._quiet.end(max(at or self._clock(), self._clock()))
        if weekly_until is not None and weekly_until < local_day(begin, self._settings.zone):
            raise Refused(mark("The last day lies before the first message."))

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            if seen is not None and found.version != seen:
                raise Refused(MOVED_ON)
            if found.state == PLANNED and not found.plan.people:
                raise Refused(mark("Nobody would get this message. Please choose other people."))
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
                raise Refused(MOVED_ON)
            if watch and actor.person_id:
                broadcasts.watch(tx, number, actor.person_id)
            self._audit(tx, actor, "broadcast-send", number, found.audience)
            if state == WAITING:
                self._call_approvers(tx, found)
            return self._find(tx, actor, number)

        return await self._store.write(work)

    def needs_approval(self, found: Broadcast) -> bool:
        """Tell whether a second officer must approve."""
        return found.plan.people > self._settings.reminders.approve_above and not found.approved_by

    async def approve(self, actor: Actor, number: int, *, seen: str | None = None) -> Broadcast:
        """Approve somebody else's broadcast; with `seen`, only the version that was shown."""

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number, access.APPROVE)
            if seen is not None and found.version != seen:
                raise Refused(MOVED_ON)
            if _same_person(tx, actor, found.made_by):
                raise Refused(mark("A second officer must approve this, not the one who made it."))
            if not broadcasts.change(
                tx, number, states=(WAITING,), at=self._now, state=SCHEDULED, approved_by=actor.name
            ):
                raise Refused(MOVED_ON)
            self._audit(tx, actor, "broadcast-approve", number, found.audience)
            return self._find(tx, actor, number)

        return await self._store.write(work)

    # -- while it runs -------------------------------------------------------------------------------------------

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

    async def again(self, actor: Actor, number: int) -> int:
        """Send again to those who certainly got nothing; returns how many."""

        def work(tx: Transaction) -> int:
            found = self._find(tx, actor, number)
            if not broadcasts.change(tx, number, states=(DONE,), at=self._now, state=RUNNING, ended_at=""):
                raise Refused(MOVED_ON)
            people = broadcasts.plan_failed_again(tx, number)
            if not people:
                raise Refused(mark("Nobody is left who certainly got nothing."))
            self._audit(tx, actor, "broadcast-again", number, found.audience)
            return people

        return await self._store.write(work)

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
            found = _broadcast(row)
            if found.state == RUNNING:
                await self._store.write(partial(broadcasts.finish, number=found.number, at=self._now))
            elif found.starts_at and found.starts_at <= self._clock() and not self._quiet.covers(self._clock()):
                await self._begin(found)

    async def _begin(self, found: Broadcast) -> None:
        if not found.plan.channels and found.series:
            try:
                found = await self._plan(found, states=(SCHEDULED,), after=SCHEDULED)
            except Refused:
                return  # somebody stopped or paused it this moment

        def work(tx: Transaction) -> None:
            maker = _maker(found)
            if _refusal(_grants(tx, maker), access.SEND, found.audience) is not None:
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
                self._audit(tx, maker, "broadcast-begin", found.number, found.audience)
                self._repeat(tx, found)

        await self._store.write(work)

    def _repeat(self, tx: Transaction, found: Broadcast) -> None:
        if found.weekly_until is None or found.starts_at is None:
            return
        following = found.starts_at + WEEK
        while following <= self._clock():  # weeks that went by while nobody was there are not made up for
            following += WEEK
        if local_day(following, self._settings.zone) <= found.weekly_until:
            broadcasts.repeat(tx, found.number, starts_at=stamp(following), at=self._now)

    # -- numbers -------------------------------------------------------------------------------------------------

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

    async def _proof(self, found: Broadcast) -> Proof:
        assert found.began_at is not None  # the caller looked
        began_at, until = stamp(found.began_at), stamp(found.began_at + timedelta(hours=PROOF_HOURS))
        audience = Audience(districts=found.audience.districts, commune=found.audience.commune)
        whom, sums = self._sieve(audience), Counter[str]()
        effect = partial(audiences.effect, number=found.number, whom=whom, began_at=began_at, until=until)
        async for after, upto in self._pages():
            row = await self._store.read(partial(effect, after=after, upto=upto))
            assert row is not None  # sums without groups are one row
            sums.update({name: row[name] for name in ("reached", "reached_reported", "others", "others_reported")})
        return Proof(
            sums["reached"],
            sums["reached_reported"],
            sums["others"],
            sums["others_reported"],
            stamp(self._clock()) >= until,
        )

    # -- within --------------------------------------------------------------------------------------------------

    @property
    def _now(self) -> str:
        return stamp(self._clock())

    def _find(self, tx: Transaction, actor: Actor, number: int, action: Action = access.SEND) -> Broadcast:
        row = broadcasts.find(tx, number)
        if row is None:
            raise Refused(NOT_THERE)
        found, grants = _broadcast(row), _grants(tx, actor)
        # An area outside one's own is not even said to exist.
        if (why := _refusal(grants, action, found.audience)) is not None:
            raise Refused(NOT_THERE if why == access.OUT_OF_SCOPE else why)
        return found

    def _call_approvers(self, tx: Transaction, found: Broadcast) -> None:
        """Tell every officer who may approve, but not at night; not who made it."""
        now = self._clock()
        begins = stamp(self._quiet.end(now)) if self._quiet.covers(now) else ""
        for number, grants in _officers(tx).items():
            officer = Actor(number)
            if _refusal(grants, access.APPROVE, found.audience) or _same_person(tx, officer, found.made_by):
                continue
            catalogue = self._catalogues.get(people.language_of(tx, number)) or self._catalogues[self._language]
            said = catalogue.t("Broadcast {number} waits for the approval of a second officer.", number=found.number)
            look = Button(catalogue.t("Look at it"), f"broadcast:open:{found.number}")
            pushes.add(tx, number, reply=dump_reply(Reply(said, (look,))), at=self._now, not_before=begins)

    def _edit(self, tx: Transaction, actor: Actor, number: int, **columns: str) -> Broadcast:
        if not broadcasts.change(tx, number, states=(DRAFT, PLANNED), at=self._now, state=DRAFT, plan="{}", **columns):
            raise Refused(mark("This broadcast is on its way and cannot be changed any more."))
        return self._find(tx, actor, number)

    async def _move(
        self, actor: Actor, number: int, action: str, states: Sequence[str], target: Callable[[Broadcast], str]
    ) -> Broadcast:
        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            state = target(found)
            ended = {"ended_at": self._now} if state == STOPPED else {}
            if not broadcasts.change(tx, number, states=states, at=self._now, state=state, **ended):
                raise Refused(MOVED_ON)
            if state == STOPPED:
                broadcasts.stop_series(tx, found.series or number, reason="", at=self._now)
            self._audit(tx, actor, action, number, found.audience)
            return self._find(tx, actor, number)

        return await self._store.write(work)

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
            if any(len(list(fit(Reply(text), self._traits(channel)))) > 1 for text in texts.values()):
                raise Refused(mark("The text is too long for one message on every channel; please shorten it."))

        def begin(tx: Transaction) -> Broadcast:
            check(tx)
            stale = stamp(self._clock() - _STALE_PLANNING)
            if not broadcasts.begin_planning(tx, found.number, states=states, at=self._now, stale=stale):
                raise Refused(MOVED_ON)
            broadcasts.keep_texts(tx, found.number, texts)
            row = broadcasts.find(tx, found.number)
            assert row is not None  # it was there in the line above
            return _broadcast(row)

        # The audience as it stands now: it may have been changed since the caller looked.
        frozen = await self._store.write(begin)
        try:
            if frozen.texts != found.texts:
                raise Refused(MOVED_ON)
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
                raise Refused(MOVED_ON)
            row = broadcasts.find(tx, found.number)
            assert row is not None  # it was there in the line above
            return _broadcast(row)

        return await self._store.write(end)

    async def _fill_ledger(self, found: Broadcast) -> Plan:
        """Write a row for everybody who is to get the message, page by page, and count all."""
        whom, left_out = self._sieve(found.audience), Counter[str]()
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
        return Plan(tuple(ChannelPlan(row["channel"], row["people"], row["paid"]) for row in rows), left_out)

    async def _pages(self) -> AsyncIterator[tuple[int, int]]:
        """Cut all people into pages by their numbers."""
        last = await self._store.read(audiences.last_person)
        for after in range(0, last, PAGE):
            yield after, after + PAGE

    def _sieve(self, audience: Audience) -> Whom:
        return sieve(
            audience,
            settings=self._settings,
            regions=self._regions,
            sources=self._sources(),
            terms=self._terms,
            at=self._clock(),
        )

    async def _fill(self, found: Broadcast) -> dict[tuple[str, str], str]:
        if not found.texts.get(self._settings.default_language):
            raise Refused(mark("There is no text yet; write one, or take a ready one."))
        districts = found.audience.districts or tuple(self._regions.districts)
        return await self._filler.fill(self._store, found.texts, districts, ready=bool(found.ready))

    def _channels_of(self, audience: Audience) -> tuple[str, ...]:
        return tuple(name for name in self.channels if audience.channel in ("", name))

    def _languages_of(self, found: Broadcast) -> tuple[str, ...]:
        wanted = found.audience.language
        return tuple(language for language in self._settings.languages if wanted in ("", language))

    def _check(self, audience: Audience) -> None:
        """Refuse an audience that names what does not exist."""
        chosen: tuple[tuple[str, Container[str]], ...] = (
            *((district, self._regions.districts) for district in audience.districts),
            (audience.reports, REPORTS),
            (audience.channel, ("", *self.channels)),
            (audience.language, ("", *self._settings.languages)),
            (audience.source, ("", *self._sources().by_code)),
        )
        if any(value not in known for value, known in chosen):
            raise Refused(mark("This choice is no longer there. Please choose again."))
        if audience.commune and len(audience.districts) != 1:
            raise Refused(mark("A commune lies within one district; please choose that one."))

    def _audit(
        self,
        tx: Transaction,
        actor: Actor,
        action: str,
        number: int,
        audience: Audience | None = None,
        *,
        detail: str = "",
    ) -> None:
        row = broadcasts.find(tx, number)
        people = _broadcast(row).plan.people if row else 0
        where = " ".join(audience.districts) or "*" if audience else ""
        counted = f"{people} people" if people else ""
        words = " ".join(filter(None, (f"broadcast {number}", where, counted, detail)))
        access.write_audit(tx, actor=actor.name, action=action, detail=words, at=self._clock())


def _broadcast(row: Row) -> Broadcast:
    plan = orjson.loads(row["plan"])
    channels = tuple(ChannelPlan(name, *figures) for name, figures in plan.get("channels", {}).items())
    return Broadcast(
        number=row["id"],
        made_by=row["made_by"],
        audience=load_audience(row["audience"]),
        texts=orjson.loads(row["texts"]),
        ready=row["ready"],
        confirmed=bool(row["confirmed_by"]),
        state=row["state"],
        reason=row["reason"],
        plan=Plan(channels, plan.get("left_out", {})),
        approved_by=row["approved_by"],
        starts_at=moment(row["starts_at"]) if row["starts_at"] else None,
        weekly_until=date.fromisoformat(row["weekly_until"]) if row["weekly_until"] else None,
        made_at=moment(row["made_at"]),
        began_at=moment(row["began_at"]) if row["began_at"] else None,
        ended_at=moment(row["ended_at"]) if row["ended_at"] else None,
        series=row["series"],
    )


def _grants(tx: Transaction, actor: Actor) -> tuple[Grant, ...]:
    """Read what somebody may do now; a role that was taken away this second counts no more."""
    if not actor.person_id:
        return (Grant(access.ADMIN),)
    return tuple(Grant(row["role"], row["scope"]) for row in roles.of_person(tx, actor.person_id))


def _officers(tx: Transaction) -> dict[int, list[Grant]]:
    """Return everybody who holds a role and can be written to."""
    found: dict[int, list[Grant]] = {}
    for row in roles.holders(tx):
        found.setdefault(row["person_id"], []).append(Grant(row["role"], row["scope"]))
    return found


def _refusal(grants: Sequence[Grant], action: Action, audience: Audience) -> str | None:
    for district in audience.districts or ("",):
        if (sentence := access.refusal(grants, action, district)) is not None:
            return sentence
    return None


def _require(tx: Transaction, actor: Actor, action: Action, audience: Audience) -> None:
    if (sentence := _refusal(_grants(tx, actor), action, audience)) is not None:
        raise Refused(sentence)


def _maker(found: Broadcast) -> Actor:
    name = found.made_by
    return Actor(int(name.removeprefix(_PERSON))) if name.startswith(_PERSON) else Actor()


def _same_person(tx: Transaction, actor: Actor, name: str) -> bool:
    """Tell whether somebody is who made it, also from a linked channel."""
    if actor.name == name:
        return True
    circle = {f"{_PERSON}{row['person_id']}" for row in tx.all(CIRCLE, id=actor.person_id)}
    return bool(actor.person_id) and name in circle


def _lines(rows: Sequence[Row], column: str, step: int) -> Iterator[Line]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(row[column], Counter())[row["state"]] += row["people"]
    for name, states in found.items():
        shown = {state: rounded_part(people, step) for state, people in states.items()}
        yield Line(name, {state: people for state, people in shown.items() if people})


def _rounded_proof(proof: Proof, step: int) -> Proof:
    return replace(
        proof,
        reached=rounded(proof.reached, step),
        reached_reported=rounded_part(proof.reached_reported, step),
        others=rounded(proof.others, step),
        others_reported=rounded_part(proof.others_reported, step),
    )
