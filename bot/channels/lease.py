"""Doing a thing alone, across processes that share the store."""

from __future__ import annotations

import os
import secrets
import socket
from datetime import timedelta

from bot.clock import Clock, stamp
from bot.store import Store, Transaction, leases

_OWN_LIFE = secrets.token_hex(4)  # in a container every life has the same process number


class Lease:
    """A right that one process has at a time; a holder that died loses it, on the same machine at once."""

    def __init__(self, store: Store, name: str, *, seconds: float, clock: Clock) -> None:
        self._store, self._name, self._seconds, self._clock = store, name, seconds, clock
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{_OWN_LIFE}:{secrets.token_hex(4)}"

    async def hold(self) -> bool:
        """Take or prolong the right; False while another process has it. Raises StoreError."""
        now, length = self._clock(), timedelta(seconds=self._seconds)
        # Clocks of two machines may differ by less than a whole length.
        at, until, absurd = stamp(now), stamp(now + length), stamp(now + 2 * length)

        def work(tx: Transaction) -> bool:
            if leases.take(tx, self._name, holder=self._holder, at=at, until=until, absurd=absurd):
                return True
            other = leases.holder(tx, self._name)
            if other is None or not _is_dead(other):
                return False
            leases.give_back(tx, self._name, holder=other)
            return leases.take(tx, self._name, holder=self._holder, at=at, until=until, absurd=absurd)

        return await self._store.write(work)

    async def give_back(self) -> None:
        """Let another process have it at once."""
        await self._store.write(lambda tx: leases.give_back(tx, self._name, holder=self._holder))


def _is_dead(holder: str) -> bool:
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
