"""How long it is known whom messages to many went to."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta
from functools import partial

import orjson

from bot.broadcasts.models import ABANDONED, Actor, Broadcast, broadcast_of
from bot.broadcasts.results import Reports
from bot.broadcasts.trials import proof_of
from bot.clock import stamp
from bot.store import Transaction, broadcasts
from bot.store.broadcasts import DONE, DRAFT, PAUSED, PLANNED, STOPPED, WAITING

_PORTION = 2_000  # rows of a ledger deleted in one transaction


class Retention(Reports):
    """The people go after a term, the figures stay."""

    async def forget_names(self, days: int) -> None:
        """Delete from the ledgers whom messages went to that ended so many days ago; all figures of reports stay.

        What was planned and left lying for so long goes back to a draft, or is stopped if it was released.
        """
        before = stamp(self._clock() - timedelta(days=days))
        for row in await self._store.read(partial(broadcasts.idle_since, moment=before)):
            await self._store.write(partial(self._close_abandoned, found=broadcast_of(row)))
        for row in await self._store.read(partial(broadcasts.ended_before, moment=before)):
            found = broadcast_of(row)
            if not found.nameless:
                uplift = await self._uplift(found)
                proof = astuple(uplift) if uplift else proof_of(await self._outcome(found, 1))
                kept = orjson.dumps(proof).decode() if proof else ""
                close = partial(broadcasts.change, number=found.number, states=(DONE, STOPPED), at=self._now)
                if not await self._store.write(partial(close, proof=kept, names_gone_at=self._now)):
                    continue  # sent again this moment
            while await self._store.write(partial(broadcasts.forget_names, number=found.number, limit=_PORTION)):
                pass

    def _close_abandoned(self, tx: Transaction, found: Broadcast) -> None:
        number = found.number
        if found.state == PLANNED:
            if broadcasts.change(tx, number, states=(PLANNED,), at=self._now, state=DRAFT, plan="{}"):
                broadcasts.empty_ledger(tx, number)
        elif broadcasts.change(
            tx, number, states=(WAITING, PAUSED), at=self._now, state=STOPPED, reason=ABANDONED, ended_at=self._now
        ):
            broadcasts.stop_series(tx, found.series or number, reason=ABANDONED, at=self._now)
            self._audit(tx, Actor(), "broadcast-left-lying", number, found.audience)
