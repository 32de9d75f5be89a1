"""This process among those that serve from the same records: shows that it lives, and sees who does not any more.

A process that has not been seen alive for `LEASE_SECONDS` is struck off, and what it had under way is taken over by
another. That needs no clocks: each watches the others' numbers grow by a reckoning of its own, and begins anew when it
could not look itself. One that died on this machine is known at once. A process that could not show itself in time
stops delivering before others begin, and goes on under a new name when it was struck off.

Leases do need clocks: each process looks how far its own is from the database's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from bot.clock import Clock, now
from bot.cluster.lease import is_dead, new_holder
from bot.store import Row, Store, Transaction, replicas

log = structlog.get_logger()

HEARTBEAT_SECONDS, LEASE_SECONDS = 5.0, 20.0
_SURE_SECONDS = 15.0  # without a sign of life from itself, before a process must expect others to take over
_LOOKED_AWAY = 2.5 * HEARTBEAT_SECONDS
# From the database's clock; two processes are then less apart than the 15 s that the shortest lease has left at least.
_CLOCK_OFF = 5.0


class Membership:
    """One process's place among the others."""

    def __init__(
        self,
        store: Store,
        *,
        online: bool,
        mark: str = "",
        tick: Callable[[], float] = time.monotonic,
        clock: Clock = now,
    ) -> None:
        """`online` processes speak on the platforms; `mark` is the same for all that have the same secret."""
        self._store, self._online, self._mark, self._tick, self._clock = store, online, mark, tick, clock
        self.name = new_holder()
        self.online = 1  # how many processes speak on the platforms, this one at least
        self.others = 0  # how many more processes there are
        self.has_secret_mismatch = False  # whether one of them has another secret
        self.clock_trouble: str | None = None  # a sentence while the clock of this machine differs too much
        self._shown_at = tick()
        self._looked_at = -_LOOKED_AWAY
        self._seen: dict[str, tuple[int, float]] = {}  # name → its number, and since when it has not grown

    @property
    def is_owner(self) -> bool:
        """Whether nobody else can have taken over what belongs to this process."""
        return not self._store.shared or self._tick() - self._shown_at < _SURE_SECONDS

    async def join(self) -> None:
        """Take a place among the others, and strike those off that died on this machine. Raises StoreError."""
        asked_at = self._tick()
        await self._store.write(
            lambda tx: replicas.join(tx, self.name, online=self._online, mark=self._mark)  # fails if taken twice
        )
        self._shown_at = asked_at
        await self._look()

    async def heartbeat(self) -> bool:
        """Show that this process lives, and look at the others; tells whether one is gone. Raises StoreError."""
        asked_at = self._tick()
        if not await self._store.write(lambda tx: replicas.heartbeat(tx, self.name)):
            log.warning("taken for dead, going on under a new name")
            self.name = new_holder()
            await self.join()
            return True
        self._shown_at = asked_at
        return await self._look()

    async def leave(self) -> None:
        """Let others take over at once. Raises StoreError."""
        await self._store.write(lambda tx: replicas.leave(tx, self.name))

    async def _look(self) -> bool:
        asked_at = self._clock()
        present, theirs = await self._store.read(
            lambda tx: (replicas.present(tx), replicas.clock(tx) if self._store.shared else asked_at)
        )
        self.clock_trouble = _differs(asked_at, theirs, self._clock())
        rows = [row for row in present if row["name"] != self.name]
        dead = self._dead(rows)

        def evict(tx: Transaction) -> list[str]:
            return [name for name, beat in dead if replicas.leave(tx, name, beat=beat)]

        gone = await self._store.write(evict) if dead else []
        if gone:
            log.warning("processes are gone, their messages are taken over", processes=len(gone))
        living = [row for row in rows if row["name"] not in gone]
        fewer, self.others = len(living) < self.others, len(living)
        self.online = 1 + sum(row["online"] for row in living)
        self.has_secret_mismatch = any(row["mark"] != self._mark for row in living)
        return fewer or bool(gone)

    def _dead(self, rows: Sequence[Row]) -> list[tuple[str, int]]:
        """Find those whose number has not grown for too long, or whose process is not there any more."""
        now = self._tick()
        known = self._seen if now - self._looked_at < _LOOKED_AWAY else {}
        self._looked_at = now
        self._seen = {}
        dead = []
        for row in rows:
            heartbeat, since = known.get(row["name"], (-1, now))
            if heartbeat != row["beat"]:
                heartbeat, since = int(row["beat"]), now
            self._seen[row["name"]] = heartbeat, since
            if now - since >= LEASE_SECONDS or is_dead(row["name"]):
                dead.append((row["name"], heartbeat))
        return dead


def _differs(asked_at: datetime, theirs: datetime, answered_at: datetime) -> str | None:
    """Tell in a sentence that the database's moment lies too far from the time in which it was asked for."""
    behind = max((theirs - answered_at).total_seconds(), 0.0)
    ahead = max((asked_at - theirs).total_seconds(), 0.0)
    if max(behind, ahead) < _CLOCK_OFF:
        return None
    how = f"{behind:.0f} s behind" if behind else f"{ahead:.0f} s ahead of"
    return f"The clock of this machine is {how} the database's; see that the time of both is right."
