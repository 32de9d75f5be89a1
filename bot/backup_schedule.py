"""The backups that the bot makes by itself: one a day, the newest few kept, by one of all processes on the records."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import structlog

from bot.channels.lease import Lease
from bot.clock import Clock, moment
from bot.errors import StoreError
from bot.settings import Settings
from bot.store import Store, backups

log = structlog.get_logger()

FIRST_AFTER = 600.0  # seconds from the start of a bot that has no backup yet
RETRY_AFTER = 900.0
_LEASE_SECONDS = 3600.0
_SET_BACK = timedelta(hours=1)
_PATTERN = "bot-[0-9]*-[0-9]*.db"


class BackupSchedule:
    """Makes a backup when one is due, in a process of its own, so that citizens do not wait for it."""

    def __init__(
        self, store: Store, settings: Settings, *, clock: Clock, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._settings, self._clock, self._tick = store, settings, clock, tick
        self._lease = Lease(store, "backup", seconds=_LEASE_SECONDS, clock=clock)
        self._not_before = tick() + FIRST_AFTER
        self._failed = ""
        self.newest: datetime | None = None  # when the newest backup was made, as of the last look

    async def advance(self) -> None:
        """Make a backup if one is due, and delete the oldest; raises StoreError as long as the last try failed."""
        keep = self._settings.backup.keep
        row = await self._store.glance(backups.latest)
        self.newest = None if row is None else moment(row["made_at"])
        waiting = self._tick() < self._not_before and (self.newest is None or bool(self._failed))
        if keep and not waiting and self._due(self.newest) and await self._lease.hold():
            try:
                await self._make(keep)
            finally:
                await self._lease.give_back()
        if keep and self._failed:
            raise StoreError(self._failed)

    def _due(self, newest: datetime | None) -> bool:
        now = self._clock()
        if newest is None or newest > now + _SET_BACK:  # a clock that was set back puts no backup off
            return True
        return newest < last_moment(now, self._settings.backup.daily_at, self._settings) <= now

    async def _make(self, keep: int) -> None:
        folder = self._settings.backup_folder
        path = folder / f"bot-{self._clock():%Y%m%d-%H%M%S}.db"
        _remove_unfinished(folder)
        said = await _run(path, self._settings.database)
        self._failed = f"No backup could be made: {said}" if said else ""
        if said:
            self._not_before = self._tick() + RETRY_AFTER
            return
        self.newest = self._clock()
        log.info("backup made", file=path.name)
        for old in forget_oldest(folder, keep=keep, but=path):
            log.info("old backup deleted", file=old)


def last_moment(now: datetime, daily_at: time_of_day, settings: Settings) -> datetime:
    """Return the last time at which a clock in the citizens' time zone showed an hour."""
    local = now.astimezone(settings.zone)
    at = local.replace(hour=daily_at.hour, minute=daily_at.minute, second=0, microsecond=0)
    return at if at <= local else at - timedelta(days=1)


def forget_oldest(folder: Path, *, keep: int, but: Path) -> list[str]:
    """Delete scheduled backups except the newest few and one that was just made; returns their names."""
    others = sorted(path for path in folder.glob(_PATTERN) if path != but)
    gone = others[: max(0, len(others) - (keep - 1))]
    for path in gone:
        path.unlink()
        path.with_name(f"{path.name}.sha256").unlink(missing_ok=True)
    return [path.name for path in gone]


def _remove_unfinished(folder: Path) -> None:
    for part in folder.glob(f"{_PATTERN}.part*"):
        part.unlink(missing_ok=True)


async def _run(path: Path, database: str) -> str:
    """Run the command at low priority; returns what was wrong, "" when nothing was."""
    gently = [program, "-n", "10"] if (program := shutil.which("nice")) else []
    process = await asyncio.create_subprocess_exec(
        *gently,
        *(sys.executable, "-m", "bot", "backup", "--scheduled", str(path)),
        env={**os.environ, "BOT_DATABASE": database},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await process.communicate()
    except BaseException:  # the bot stops: a half backup is of no use
        process.kill()
        await process.wait()
        raise
    if process.returncode == 0:
        return ""
    return " ".join(said.decode(errors="replace").split())[-500:] or f"it ended with status {process.returncode}."
