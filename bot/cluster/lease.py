"""Doing a thing alone, across processes that share the store."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from bot.clock import Clock, stamp
from bot.errors import StoreError
from bot.store import Store, Transaction, leases

log = structlog.get_logger()

_OWN_LIFE = secrets.token_hex(4)  # in a container every life has the same process number


class Lease:
    """A right that one process has at a time; a holder that died loses it, on the same machine at once."""

    def __init__(self, store: Store, name: str, *, seconds: float, clock: Clock) -> None:
        self._store, self._name, self._seconds, self._clock = store, name, seconds, clock
        self._holder = new_holder()

    async def hold(self) -> bool:
        """Take or prolong the right; False while another process has it. Raises StoreError."""
        now, length = self._clock(), timedelta(seconds=self._seconds)
        # Clocks of two machines may differ by less than a whole length.
        at, until, absurd = stamp(now), stamp(now + length), stamp(now + 2 * length)

        def work(tx: Transaction) -> bool:
            if leases.take(tx, self._name, holder=self._holder, at=at, until=until, absurd=absurd):
                return True
            other = leases.holder(tx, self._name)
            if other is None or not is_dead(other):
                return False
            leases.give_back(tx, self._name, holder=other)
            return leases.take(tx, self._name, holder=self._holder, at=at, until=until, absurd=absurd)

        return await self._store.write(work)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[asyncio.Event]:
        """Prolong a right that is held as long as something is done by it; gives what is set when it is lost."""
        lost = asyncio.Event()
        keeping = asyncio.get_running_loop().create_task(self._keep(lost))
        try:
            yield lost
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self, lost: asyncio.Event) -> None:
        held_at = time.monotonic()
        while not lost.is_set():
            await asyncio.sleep(self._seconds / 4)
            asked_at = time.monotonic()
            try:
                if await self.hold():
                    held_at = asked_at
                else:
                    lost.set()
            except StoreError as error:
                log.error("lease not prolonged", reason=str(error))
                if time.monotonic() - held_at >= self._seconds * 3 / 4:
                    lost.set()

    async def give_back(self) -> None:
        """Let another process have it at once."""
        await self._store.write(lambda tx: leases.give_back(tx, self._name, holder=self._holder))


def new_holder() -> str:
    """Make a name for something in this process that holds what others may not."""
    return f"{socket.gethostname()}:{os.getpid()}:{_OWN_LIFE}:{secrets.token_hex(4)}"


def is_dead(holder: str) -> bool:
    """Tell whether a name was made by a process that ran on this machine and is gone."""
    host, pid, life, _ = holder.split(":")
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return life != _OWN_LIFE
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
