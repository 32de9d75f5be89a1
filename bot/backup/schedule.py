"""The backups that the bot makes by itself: one a day, by one of all processes on the records, kept for some days.

Each machine has a folder of its own. Whoever made the newest, every machine deletes what has become too old there.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import structlog

from bot.clock import Clock, moment
from bot.cluster.lease import Lease
from bot.errors import StoreError
from bot.settings import Settings
from bot.store import Store, backups

log = structlog.get_logger()

FIRST_AFTER = 600.0  # seconds from the start of a bot that has no backup yet
RETRY_AFTER = 900.0
_LEASE_SECONDS = 3600.0
_SET_BACK = timedelta(hours=1)
_NAME = "bot-%Y%m%d-%H%M%S.db"  # in UTC, so that names sort as the moments do
_PATTERN = f"bot-{'[0-9]' * 8}-{'[0-9]' * 6}.db"  # no name that a person would give


class BackupSchedule:
    """Makes a backup when one is due, in a process of its own, so that citizens do not wait for it."""

    def __init__(
        self, store: Store, settings: Settings, *, clock: Clock, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._settings, self._clock, self._tick = store, settings, clock, tick
        self._lease = Lease(store, "backup", seconds=_LEASE_SECONDS, clock=clock)
        self._not_before = tick() + FIRST_AFTER
        self._failed = ""
        self._seen: datetime | None = None  # the newest backup for which old ones were looked through
        self.newest: datetime | None = None  # when the newest backup was made, as of the last look

    async def advance(self) -> None:
        """Make a backup if one is due, and delete old ones; raises StoreError as long as the last try failed."""
        keep = self._settings.backup.keep
        row = await self._store.read_inline(backups.latest)
        self.newest = None if row is None else moment(row["made_at"])
        waiting = self._tick() < self._not_before and (self.newest is None or bool(self._failed))
        if keep and not waiting and self._due(self.newest) and await self._lease.hold():
            try:
                await self._make(keep)
            finally:
                await self._lease.give_back()
        if keep and self.newest is not None and self.newest != self._seen:
            with _told("An old backup cannot be deleted"):
                self._forget_old(self.newest, timedelta(days=keep))
        if keep and self._failed:
            raise StoreError(self._failed)

    def _due(self, newest: datetime | None) -> bool:
        now = self._clock()
        if newest is None or newest > now + _SET_BACK:  # a clock that was set back puts no backup off
            return True
        return newest < last_moment(now, self._settings.backup.daily_at, self._settings) <= now

    async def _make(self, keep: int) -> None:
        folder = self._settings.backup_folder
        path = folder / f"{self._clock():{_NAME}}"
        try:
            _remove_unfinished(folder)
            said = await _run(path, self._settings.database)
        except OSError as error:
            said = _sentence(error)
        self._failed = f"No backup could be made: {said}" if said else ""
        if said:
            self._not_before = self._tick() + RETRY_AFTER
            return
        self.newest = self._clock()
        log.info("backup made", file=path.name)
        with _told("An old backup cannot be deleted"):
            _log_deleted(forget_oldest(folder, keep=keep, but=path))

    def _forget_old(self, newest: datetime, term: timedelta) -> None:
        """Delete what is older than the newest by a term: what nothing has replaced stays, however old."""
        # So long a step is a clock that was set forward, or a pause: the backup after it tells.
        steady = newest - (self._seen or newest) <= term and newest <= self._clock() + _SET_BACK
        if steady:
            _log_deleted(forget_before(self._settings.backup_folder, newest - term))
        self._seen = newest


def last_moment(now: datetime, daily_at: time_of_day, settings: Settings) -> datetime:
    """Return the last time at which a clock in the citizens' time zone showed an hour."""
    local = now.astimezone(settings.zone)
    at = local.replace(hour=daily_at.hour, minute=daily_at.minute, second=0, microsecond=0)
    return at if at <= local else at - timedelta(days=1)


def forget_oldest(folder: Path, *, keep: int, but: Path) -> list[str]:
    """Delete scheduled backups except the newest few and one that was just made; returns their names."""
    others = sorted(path for path in folder.glob(_PATTERN) if path != but)
    return _delete(others[: max(0, len(others) - (keep - 1))])


def forget_before(folder: Path, first: datetime) -> list[str]:
    """Delete scheduled backups that were made before a moment; returns their names."""
    return _delete(sorted(path for path in folder.glob(_PATTERN) if path.name < f"{first:{_NAME}}"))


def _delete(gone: list[Path]) -> list[str]:
    for path in gone:
        path.unlink(missing_ok=True)  # machines may share a folder
        path.with_name(f"{path.name}.sha256").unlink(missing_ok=True)
    return [path.name for path in gone]


def _log_deleted(names: list[str]) -> None:
    for name in names:
        log.info("old backup deleted", file=name)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Put what a disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {_sentence(error)}") from None


def _sentence(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror or error}."


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
