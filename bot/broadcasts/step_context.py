"""What every step with a broadcast needs: the records, the settings, the people of an audience."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime, time
from functools import partial
from typing import TypeVar

from bot import access
from bot.access.roles import Action
from bot.broadcasts.audience_query import audience_query
from bot.broadcasts.models import NOT_THERE, Actor, Broadcast, broadcast_of
from bot.broadcasts.permissions import grants_of, refusal
from bot.broadcasts.published import ReachCounts, count_reach
from bot.broadcasts.templating import Filler
from bot.channels.terms import SendingTerms
from bot.clock import Clock, local_day, stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import Catalogue, mark
from bot.library.regions import Regions
from bot.library.sources import Sources
from bot.message import Capabilities
from bot.settings import Settings
from bot.statistics.counts import step_for
from bot.store import Store, Transaction, audiences, broadcasts, reach_counts
from bot.store.audiences import Audience, Whom

Result = TypeVar("Result")

_MOST_LISTED = 50
PAGE = 2_000  # people sorted in one transaction, so that replies to citizens wait for none of them long


class BroadcastSteps:
    """All that the steps share."""

    def __init__(
        self,
        store: Store,
        *,
        settings: Settings,
        regions: Regions,
        catalogues: Mapping[str, Catalogue],
        terms: Mapping[str, SendingTerms],
        capabilities: Callable[[str], Capabilities],
        sources: Callable[[], Sources],
        clock: Clock,
    ) -> None:
        """Join what is needed; `terms` are those of the channels that are on."""
        self._store, self._settings, self._regions, self._clock = store, settings, regions, clock
        self._terms, self._capabilities, self._sources, self._catalogues = terms, capabilities, sources, catalogues
        self._language = settings.default_language
        self._quiet = settings.quiet
        self._filler = Filler(settings, regions, catalogues, clock)
        self.followers: list[Callable[[], None]] = []  # told that a broadcast changed, so that they need not look

    def use(self, settings: Settings) -> None:
        """Go on by other settings; those of the channels and of the time zone stay."""
        self._settings = settings

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels that are on."""
        return tuple(self._terms)

    async def find(self, actor: Actor, number: int) -> Broadcast:
        """Return a broadcast within the actor's scope, with figures as exact as the actor may see them."""
        return await self._store.read(lambda tx: self._seen(tx, actor, self._find(tx, actor, number)))

    async def latest(self, actor: Actor) -> list[Broadcast]:
        """List the newest broadcasts within the actor's scope, newest first."""

        def work(tx: Transaction) -> list[Broadcast]:
            found = map(broadcast_of, broadcasts.latest(tx, limit=_MOST_LISTED))
            grants = grants_of(tx, actor)
            step = self._step(tx, actor)
            return [one.as_seen(step) for one in found if refusal(grants, access.SEND, one.audience) is None]

        return await self._store.read(work)

    def is_sealed(self, found: Broadcast) -> bool:
        """Return True while nobody may know the result of a broadcast's trial."""
        return found.trial is not None and (found.opens_at is None or self._clock() < found.opens_at)

    async def step(self, actor: Actor) -> int:
        """Return how coarse the figures are that the actor may see."""
        return await self._store.read(lambda tx: self._step(tx, actor))

    def _step(self, tx: Transaction, actor: Actor) -> int:
        return step_for(grants_of(tx, actor), self._settings.privacy.small_count)

    def _seen(self, tx: Transaction, actor: Actor, found: Broadcast) -> Broadcast:
        """Return a broadcast as the actor may see it; everything that is handed out comes through here."""
        return found.as_seen(self._step(tx, actor))

    @property
    def _now(self) -> str:
        return stamp(self._clock())

    async def _change(self, work: Callable[[Transaction], Result]) -> Result:
        """Write a step, and let those who carry broadcasts out know."""
        done = await self._store.write(work)
        for follower in self.followers:
            follower()
        return done

    def _find(self, tx: Transaction, actor: Actor, number: int, action: Action = access.SEND) -> Broadcast:
        row = broadcasts.find(tx, number)
        if row is None:
            raise NotAllowed(NOT_THERE)
        found, grants = broadcast_of(row), grants_of(tx, actor)
        # An area outside one's own is not even said to exist.
        if (why := refusal(grants, action, found.audience)) is not None:
            raise NotAllowed(NOT_THERE if why == access.OUT_OF_SCOPE else why)
        return found

    async def _pages(self) -> AsyncIterator[tuple[int, int]]:
        """Cut all people into pages by their numbers."""
        last = await self._store.read(audiences.last_person)
        for after in range(0, last, PAGE):
            yield after, after + PAGE

    def _audience_query(self, audience: Audience) -> Whom:
        return audience_query(
            audience,
            settings=self._settings,
            regions=self._regions,
            sources=self._sources(),
            terms=self._terms,
            at=self._clock(),
        )

    async def publish_day(self) -> None:
        """Make the day's published counts once the day has begun; a background task calls it. Raises StoreError."""
        today = local_day(self._clock(), self._settings.zone).isoformat()
        if not await self._store.read(partial(reach_counts.is_counted, day=today)):
            await self.count_reach()

    async def count_reach(self) -> ReachCounts:
        """Return the day's published counts, made now if nobody asked today; raises StoreError."""
        today = local_day(self._clock(), self._settings.zone)
        begins = datetime.combine(today, time(), self._settings.zone)
        whom = replace(self._audience_query(Audience()), before=stamp(begins))
        return await count_reach(self._store, whom, self._pages(), day=today.isoformat())

    async def _fill(self, found: Broadcast) -> dict[tuple[str, str], str]:
        if not found.texts.get(self._settings.default_language):
            raise NotAllowed(mark("There is no text yet; write one, or take a ready one."))
        districts = found.audience.districts or tuple(self._regions.districts)
        return await self._filler.fill(self._store, found.texts, districts, ready=bool(found.ready))

    def _channels_of(self, audience: Audience) -> tuple[str, ...]:
        return tuple(name for name in self.channels if audience.channel in ("", name))

    def _languages_of(self, found: Broadcast) -> tuple[str, ...]:
        wanted = found.audience.language
        return tuple(language for language in self._settings.languages if wanted in ("", language))

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
        people = broadcast_of(row).plan.people if row else 0
        where = " ".join(audience.districts) or "*" if audience else ""
        counted = f"{people} people" if people else ""
        words = " ".join(filter(None, (f"broadcast {number}", where, counted, detail)))
        access.write_audit(tx, actor=actor.name, action=action, detail=words, at=self._clock())
