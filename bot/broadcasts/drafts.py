"""Broadcasts before they are planned: audience, texts, preview, a test to oneself."""

from __future__ import annotations

import asyncio
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import partial

import orjson

from bot import access
from bot.broadcasts.models import MOVED_ON, NO_NAMES, Actor, Broadcast, Preview
from bot.broadcasts.permissions import require
from bot.broadcasts.presentation import communes_of
from bot.broadcasts.step_context import BroadcastSteps
from bot.broadcasts.templating import check
from bot.delivery.outbox import fit
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.library.templates import Reminder, load_reminders
from bot.message import Reply
from bot.store import Transaction, broadcasts, trials
from bot.store.audiences import REPORTS, Audience
from bot.store.broadcasts import DRAFT, PLANNED

UNKNOWN_CHOICE = mark("This choice is no longer there. Please choose again.")
SEALED = mark("Those held back can be written to once the result is known; before that, it would be spoilt.")
DIFFERING = mark(
    "{same} still says the ready text “{title}”, {other} says something else. Please change both, or empty one: its "
    "readers then get the other."
)


@dataclass(frozen=True, slots=True)
class Differing:
    """A broadcast that says the words of a ready text in some languages and others in the rest."""

    ready: Reminder
    same: tuple[str, ...]
    other: tuple[str, ...]


class Drafts(BroadcastSteps):
    """Drafts; nothing of them is sent but a test."""

    async def ready_texts(self) -> Mapping[str, Reminder]:
        """Return the ready texts by id; raises ContentError."""
        return await asyncio.to_thread(load_reminders, self._settings.content)

    async def draft(self, actor: Actor, audience: Audience) -> int:
        """Begin a broadcast and return its number."""
        self._check(audience)

        def work(tx: Transaction) -> int:
            require(tx, actor, access.SEND, audience)
            self._free_held(tx, actor, audience)
            number = broadcasts.add(tx, made_by=actor.name, audience=audience.dump(), at=self._now)
            self._audit(tx, actor, "broadcast-draft", number, audience)
            return number

        return await self._store.write(work)

    async def aim(self, actor: Actor, number: int, audience: Audience) -> Broadcast:
        """Change whom it is meant for; what was planned is planned no more."""
        self._check(audience)

        def work(tx: Transaction) -> Broadcast:
            self._find(tx, actor, number)
            require(tx, actor, access.SEND, audience)
            self._free_held(tx, actor, audience)
            return self._edit(tx, actor, number, audience=audience.dump())

        return await self._store.write(work)

    async def follow_up(self, actor: Actor, number: int) -> int:
        """Begin a broadcast to those whom another held back, with its text; returns its number.

        Raise NotAllowed before the result may be known: it would tell the sides apart.
        """
        found = await self.find(actor, number)
        following = await self.draft(actor, replace(found.audience, held_of=number))
        texts, confirmed_by = orjson.dumps(dict(found.texts)).decode(), actor.name if found.confirmed else ""
        change = partial(broadcasts.change, number=following, states=(DRAFT,), at=self._now)
        await self._store.write(partial(change, texts=texts, ready=found.ready, confirmed_by=confirmed_by))
        return following

    async def write(self, actor: Actor, number: int, texts: Mapping[str, str]) -> Broadcast:
        """Set texts by language, written by hand; an empty one takes it away, a language that is not named stays.

        What was planned is no more.
        """
        written = {language: check(text) if text.strip() else "" for language, text in texts.items()}

        def work(tx: Transaction) -> Broadcast:
            found = self._find(tx, actor, number)
            kept = {name: said for name, said in {**found.texts, **written}.items() if said}
            return self._edit(tx, actor, number, texts=orjson.dumps(kept).decode(), ready="", confirmed_by="")

        return await self._store.write(work)

    async def differing(self, found: Broadcast) -> Differing | None:
        """Return of which ready text a broadcast still holds some languages, while others say something else."""
        for ready in (await self.ready_texts()).values():
            same = [name for name, said in found.texts.items() if ready.text.in_language(name).strip() == said]
            other = [name for name in found.texts if name not in same]
            if same and other:
                return Differing(ready, tuple(same), tuple(other))
        return None

    async def take_ready(self, actor: Actor, number: int, ready: str, *, confirmed: bool = False) -> Broadcast:
        """Take a ready text; one whose facts are to be checked only once somebody confirmed them."""
        texts = await self.ready_texts()
        if ready not in texts:
            raise NotAllowed(mark("There is no such ready text."))
        text = texts[ready]
        if text.status == "check" and not confirmed:
            raise NotAllowed(
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
                raise NotAllowed(MOVED_ON)
            self._audit(tx, actor, "broadcast-discard", number, found.audience)

        await self._store.write(work)

    async def preview(self, actor: Actor, number: int) -> list[Preview]:
        """Show what is sent as each channel will show it, in each language, for the first district or the province."""
        found = await self.find(actor, number)
        texts = await self._fill(found)
        district = found.audience.districts[0] if found.audience.districts else ""
        return [
            Preview(
                channel, language, district, tuple(fit(Reply(texts[language, district]), self._capabilities(channel)))
            )
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

    def _edit(self, tx: Transaction, actor: Actor, number: int, **columns: str) -> Broadcast:
        if not broadcasts.change(tx, number, states=(DRAFT, PLANNED), at=self._now, state=DRAFT, plan="{}", **columns):
            raise NotAllowed(mark("This broadcast is on its way and cannot be changed any more."))
        broadcasts.empty_ledger(tx, number)  # it holds people of the former audience
        return self._seen(tx, actor, self._find(tx, actor, number))

    def _free_held(self, tx: Transaction, actor: Actor, audience: Audience) -> None:
        """Let those be written to whom a broadcast held back, if an audience means them and its result is known."""
        if not audience.held_of:
            return
        held = self._find(tx, actor, audience.held_of)
        if held.trial is None or held.nameless:
            raise NotAllowed(NO_NAMES if held.trial else UNKNOWN_CHOICE)
        if self.is_sealed(held):
            raise NotAllowed(SEALED)
        trials.end(tx, held.number)

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
            raise NotAllowed(UNKNOWN_CHOICE)
        for commune in audience.communes:
            district, _, key = commune.partition("/")
            if district not in audience.districts:
                raise NotAllowed(mark("A commune is chosen whose district is not. Please choose the district, too."))
            if key not in dict(communes_of(district, self._regions, self._catalogues[self._language])):
                raise NotAllowed(UNKNOWN_CHOICE)
