"""Tells officers how their broadcasts go on: one message that changes where a channel can, else each quarter."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from bot.broadcasts import Broadcasts
from bot.broadcasts.models import Actor, BroadcastProgress
from bot.broadcasts.presentation import progress_words
from bot.clock import Clock, stamp
from bot.delivery.outbox import Outbox
from bot.errors import DeliveryError, NotAllowed
from bot.i18n.catalogue import Catalogue
from bot.message import Button, Person, Reply
from bot.serialization import dump_reply
from bot.store import Row, Store, Transaction, broadcasts, pushes

log = structlog.get_logger()

EDIT_PAUSE = 3.0  # seconds between two changes of a message
_QUARTER = 25
_OVER = ("done", "stopped")
_RATE_SECONDS = 2.0


class ProgressNotifier:
    """Tells who watches."""

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        broadcasts_: Broadcasts,
        *,
        catalogues: Mapping[str, Catalogue],
        default_language: str,
        clock: Clock,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._outbox, self._broadcasts = store, outbox, broadcasts_
        self._catalogues, self._default, self._clock, self._tick = catalogues, default_language, clock, tick
        self._told_at = -EDIT_PAUSE
        self._said: dict[tuple[int, int], str] = {}  # what each message shows
        self._marks: dict[int, tuple[float, int, float]] = {}  # when so many were done, and the rate until then

    async def tell(self) -> None:
        """Tell everybody what has changed for them; not more often than a platform likes to see a message change."""
        if self._tick() - self._told_at < EDIT_PAUSE:
            return
        self._told_at = self._tick()
        for row in await self._store.read(broadcasts.watchers):
            watcher, number = Actor(row["person_id"]), int(row["broadcast_id"])
            try:
                progress = await self._broadcasts.progress(watcher, number)
            except NotAllowed:  # their role is gone
                await self._store.write(partial(broadcasts.unwatch, number=number, person_id=watcher.person_id))
                continue
            await self._tell(row, progress)

    async def _tell(self, row: Row, progress: BroadcastProgress) -> None:
        number, person_id = progress.broadcast.number, int(row["person_id"])
        over = progress.broadcast.state in _OVER
        if progress.broadcast.state in ("waiting", "scheduled") or not progress.begun:
            return
        catalogue = self._catalogues.get(row["language"]) or self._catalogues[self._default]
        text = progress_words(progress, catalogue, rate=self._rate(progress))
        if self._outbox.can_edit(row["channel"]):
            if self._said.get((number, person_id)) != text:
                await self._edit(row, progress, text, catalogue)
            if not over:
                return
        elif progress.percent // _QUARTER <= row["shown"] // _QUARTER and not over:
            return
        hint = catalogue.t("The report: /nhantin {number}", number=number)
        reply = Reply(f"{text}\n\n{hint}" if over else text)

        def work(tx: Transaction) -> None:
            pushes.add(tx, person_id, reply=dump_reply(reply), at=stamp(self._clock()))
            broadcasts.note_shown(tx, number, person_id, message=row["message"], shown=progress.percent)
            if over:
                broadcasts.unwatch(tx, number, person_id)

        await self._store.write(work)
        if over:
            self._said.pop((number, person_id), None)
            self._marks.pop(number, None)

    async def _edit(self, row: Row, progress: BroadcastProgress, text: str, catalogue: Catalogue) -> None:
        number = progress.broadcast.number
        reply = Reply(text, _buttons(progress, catalogue))
        try:
            message = await self._outbox.send_or_edit(
                Person(row["channel"], row["address"]), reply, message_id=row["message"]
            )
        except DeliveryError as error:
            log.info("progress not shown", channel=row["channel"], code=error.code)
            return
        self._said[number, row["person_id"]] = text
        if message != row["message"]:
            note = partial(
                broadcasts.note_shown, number=number, person_id=row["person_id"], message=message, shown=row["shown"]
            )
            await self._store.write(note)

    def _rate(self, progress: BroadcastProgress) -> float:
        """Measure how many people a second are done, over the last seconds; 0 for who sees no exact figures."""
        if progress.done is None:
            return 0.0
        number, now = progress.broadcast.number, self._tick()
        at, done, rate = self._marks.get(number, (now, progress.done, 0.0))
        if now - at >= _RATE_SECONDS:
            rate = max(0, progress.done - done) / (now - at)
            self._marks[number] = now, progress.done, rate
        else:
            self._marks.setdefault(number, (at, done, rate))
        return rate


def _buttons(progress: BroadcastProgress, catalogue: Catalogue) -> tuple[Button, ...]:
    number, t = progress.broadcast.number, catalogue.t
    if progress.broadcast.state == "running":
        return (Button(t("Pause"), f"broadcast:pause:{number}"), Button(t("Stop for good"), f"broadcast:stop:{number}"))
    if progress.broadcast.state == "paused":
        return (
            Button(t("Go on sending"), f"broadcast:resume:{number}"),
            Button(t("Stop for good"), f"broadcast:stop:{number}"),
        )
    return (Button(t("Report"), f"broadcast:report:{number}"),)
