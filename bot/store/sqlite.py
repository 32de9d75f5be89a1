"""SQLite under asyncio: one writer thread whose callers share commits, and readers beside it.

A commit with `synchronous=FULL` waits for the disk. Writes that arrive meanwhile gather and share the next commit,
so a thousand callers cost a few disk waits. When one of a group fails, all are run again, each within a savepoint of
its own, so that one failure harms no other; a function of a transaction must therefore bear to be run twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import queue
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils
from sqlite_utils.migrations import Migrations

from bot.errors import BotError, Conflict, SchemaTooNew, StoreError, StoreUnavailable
from bot.store.database import Row, Transaction
from bot.store.migrations import MIGRATIONS

Result = TypeVar("Result")

MIGRATION_SET = "bot"
BUSY_SECONDS = 5.0
READERS = 2
LARGEST_GROUP = 500
LARGEST_READ_GROUP = 50
# While the log waits for somebody who reads, nobody can write: so long at most, then again after each of these pauses.
SCRUB_PATIENCE, SCRUB_PAUSES = 0.2, (0.5, 1.0, 2.0)
# Changed rows after which the log is brought into the file; pages of the log at which the writer does it after all.
CHECKPOINT_CHANGES, LARGEST_LOG = 1500, 8000

_STOP = object()
_PROBE_BYTES = 256 * 1024  # what a first group of writes may need
# These errors come from one caller's own statement; every other one concerns the file, and so everybody.
_OF_THE_CALLER = frozenset(
    (
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
        sqlite3.SQLITE_TOOBIG,
    )
)


class SqliteTransaction:
    """A transaction on one connection; see `Transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._left: dict[str, list[dict[str, object]]] = {}  # statement → the values of each time

    def all(self, sql: str, /, **values: object) -> list[Row]:
        """Run a query and return its rows."""
        if self._left:
            self.flush()
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, /, **values: object) -> Row | None:
        """Run a query and return its first row, if any."""
        # Fetching all, not one, so that an INSERT … RETURNING is run to its end.
        rows = self.all(sql, **values)
        return rows[0] if rows else None

    def run(self, sql: str, /, **values: object) -> int:
        """Run a statement and return how many rows it changed."""
        if self._left:
            self.flush()
        return self._connection.execute(sql, values).rowcount

    def defer(self, sql: str, /, **values: object) -> None:
        """Leave a statement to be run together with its like."""
        waiting = self._left.get(sql)
        if waiting is None:
            self._left[sql] = [values]
        else:
            waiting.append(values)

    def flush(self) -> None:
        """Run what was left for later."""
        left, self._left = self._left, {}
        for sql, values in left.items():
            if self._connection.executemany(sql, values).rowcount != len(values):
                raise Conflict("A row is not there any more.")

    def lock(self, *keys: str) -> bool:
        """Nothing to do: there is one writer at a time, others wait already."""
        return False

    def run_many(self, sql: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement at once for each of many rows of values."""
        if self._left:
            self.flush()
        self._connection.executemany(sql, rows)

    def begin_copy(self) -> None:
        """Nothing to do: a statement may take as long as it needs."""

    def renumber(self, table: str, column: str) -> None:
        """Nothing to do: the next number is always the one after the largest."""

    def add(self, sql: str, /, *, table: str, change: int, **values: object) -> None:
        """Run an upsert that adds `:change`."""
        self.run(sql, **values, change=change)


class _Worker(threading.Thread):
    """A thread with its own connection that runs functions of a transaction for coroutines.

    The one with a checkpointer writes, the others read.
    """

    def __init__(self, path: Path, jobs: queue.SimpleQueue[Any], checkpointer: _Checkpointer | None = None) -> None:
        writes = checkpointer is not None
        super().__init__(name="store-writer" if writes else "store-reader", daemon=True)
        self._checkpointer, self._checkpointed = checkpointer, 0
        self._path, self._jobs, self._writes = path, jobs, writes
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._largest = LARGEST_GROUP if writes else LARGEST_READ_GROUP
        self._connection = _connect(path)
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {LARGEST_LOG}" if writes else "PRAGMA query_only = ON")

    def run(self) -> None:
        """Take what has gathered, run it in one transaction, tell every caller."""
        running = True
        while running:
            group = [self._jobs.get()]
            with suppress(queue.Empty):
                while len(group) < self._largest:
                    group.append(self._jobs.get_nowait())
            if _STOP in group:
                running = self._requeue_stops(group)
                group = [job for job in group if job is not _STOP]
            if group:
                self._run_group(group)
        self._connection.close()

    def _requeue_stops(self, group: list[Any]) -> bool:
        """Pass on the stops meant for other readers; always False."""
        for _ in range(group.count(_STOP) - 1):
            self._jobs.put(_STOP)
        return False

    def _run_group(self, group: list[Any]) -> None:
        try:
            outcomes = self._run_together(group)
        except Exception as error:
            if self._writes and _concerns_all(error):
                # To try again would only keep everybody behind them waiting as long once more.
                outcomes = [(None, _unavailable(self._path, error))] * len(group)
            else:
                # One of them failed and took all with it: again, so that it harms no other.
                outcomes = self._run_apart(group)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]] = {}
        for (_, loop, future), (result, failure) in zip(group, outcomes, strict=True):
            by_loop.setdefault(loop, []).append((future, result, failure))
        for loop, done in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_tell, done)
        if self._checkpointer is not None:
            self._spare_log(self._checkpointer)

    def _spare_log(self, checkpointer: _Checkpointer) -> None:
        """Have the log brought into the file now and then, long before the writer would have to do it."""
        changes = self._connection.total_changes
        if changes - self._checkpointed >= CHECKPOINT_CHANGES:
            self._checkpointed = changes
            checkpointer.call()

    def _run_together(self, group: list[Any]) -> list[tuple[Any, Exception | None]]:
        try:
            self._connection.execute(self._begin)
            transaction = SqliteTransaction(self._connection)
            outcomes = [(work(transaction), None) for work, _, _ in group]
            transaction.flush()
            self._connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        return outcomes  # type: ignore[return-value]

    def _run_apart(self, group: list[Any]) -> list[tuple[Any, Exception | None]]:
        outcomes: list[tuple[Any, Exception | None]] = []
        try:
            self._connection.execute(self._begin)
            for work, _, _ in group:
                outcomes.append(self._run_one(work, SqliteTransaction(self._connection)))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            outcomes = [(None, _unavailable(self._path, error))] * len(group)
        return outcomes

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")

    def _run_one(
        self, work: Callable[[Transaction], Any], transaction: SqliteTransaction
    ) -> tuple[Any, Exception | None]:
        if not self._writes:
            try:
                return work(transaction), None
            except sqlite3.Error as error:
                return None, _unavailable(self._path, error) if _concerns_all(error) else error
            except Exception as error:
                return None, error
        self._connection.execute("SAVEPOINT one")
        try:
            result, failure = work(transaction), None
            transaction.flush()
        except Exception as error:
            if _concerns_all(error):
                raise
            result, failure = None, error
            self._connection.execute("ROLLBACK TO one")
        self._connection.execute("RELEASE one")
        return result, failure


class _Checkpointer(threading.Thread):
    """Brings what is committed from the log into the file, beside the writer.

    The writer itself would do it in the middle of a commit, and everybody whose message is in it would wait.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(name="store-checkpointer", daemon=True)
        self._connection = _connect(path, seconds=0)
        self._goes_on: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def call(self) -> None:
        """Have it done."""
        self._goes_on.put(True)

    def stop(self) -> None:
        """End when all calls are done."""
        self._goes_on.put(False)

    def run(self) -> None:
        """Do it at every call; what does not succeed is left to the next."""
        while self._goes_on.get():
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self._connection.close()


class SqliteStore:
    """The store on one SQLite file; see `Store`."""

    shared = False

    def __init__(self, path: Path) -> None:
        """Open the file, make it where it is missing, bring its tables up to date; raises StoreError."""
        prepare(path)
        self._path = path
        self._writes: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            self._checkpointer = _Checkpointer(path)
            self._workers = [_Worker(path, self._writes, self._checkpointer)]
            self._workers += [_Worker(path, self._reads) for _ in range(READERS)]
            self._inline_connection = _connect(path, seconds=0)
            self._inline_connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise _unavailable(path, error) from None
        for thread in (self._checkpointer, *self._workers):
            thread.start()
        self.name = f"sqlite:///{path}"
        self._closed = False
        self._gathered: list[Any] = []

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a reading function on a consistent view."""
        jobs: list[Any] = []
        future: asyncio.Future[Result] = self._job(work, jobs)
        self._reads.put(jobs[0])
        return await future

    async def read_inline(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a function that reads a few rows by their keys, here and now: going to another thread costs more."""
        if self._closed:
            raise StoreUnavailable(f"The database {self._path} is closed.")
        try:
            return work(SqliteTransaction(self._inline_connection))
        except sqlite3.OperationalError:  # somebody holds the file: the readers have the patience for that
            return await self.read(work)

    async def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a writing function whole or not at all; returns only after the commit."""
        future: asyncio.Future[Result] = self._job(work, self._gathered)
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_soon(self._hand_over)
        return await future

    async def purge_deleted(self) -> None:
        """Leave nothing readable of what was deleted; raises StoreUnavailable when somebody holds the file."""
        pauses = iter(SCRUB_PAUSES)
        while not await asyncio.to_thread(_scrub, self._path):
            if (pause := next(pauses, None)) is None:
                raise StoreUnavailable(
                    f"The database {self._path} is in use; deleted text stays in its log until the next try."
                )
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        writer, *readers = self._workers
        for _ in readers:
            self._reads.put(_STOP)
        for reader in readers:
            await asyncio.to_thread(reader.join)
        self._checkpointer.stop()
        await asyncio.to_thread(self._checkpointer.join)
        self._inline_connection.close()
        # The writer goes last and alone: only then does SQLite surely empty and remove the log.
        self._writes.put(_STOP)
        await asyncio.to_thread(writer.join)

    def _job(self, work: Callable[[Transaction], Result], jobs: list[Any]) -> asyncio.Future[Result]:
        if self._closed:
            raise StoreUnavailable(f"The database {self._path} is closed.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        jobs.append((work, loop, future))
        return future

    def _hand_over(self) -> None:
        """Give the writer what has gathered, at one go: every waking of the other thread costs both of them."""
        jobs, self._gathered = self._gathered, []
        for job in jobs:
            self._writes.put(job)


def _tell(done: list[tuple[asyncio.Future[Any], Any, Exception | None]]) -> None:
    for future, result, failure in done:
        if future.done():  # the caller has gone; the work is committed all the same
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)
            if isinstance(failure, BotError):
                future.exception()  # asyncio need not report a refusal whose caller has gone


def _connect(path: Path, *, seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    # Deleted means gone: freed pages are overwritten, so that erased people cannot be read out of the file.
    connection.execute("PRAGMA secure_delete = ON")
    connection.create_function("md5", 1, _md5, deterministic=True)  # as PostgreSQL has it
    return connection


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _scrub(path: Path) -> bool:
    """Empty the write-ahead log, which holds older states of pages: the deletions too are then in the file itself.

    False while somebody reads an older state.
    """
    try:
        with closing(_connect(path, seconds=SCRUB_PATIENCE)) as connection:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise _unavailable(path, error) from None
    return not busy


def _concerns_all(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and code is not None and code & 0xFF not in _OF_THE_CALLER


def applied_migrations(path: Path) -> list[str]:
    """List the migrations of a file as it is; none where there is no file."""
    if not path.exists():
        return []
    try:
        with closing(_connect(path)) as connection:
            return [migration.name for migration in _migrations().applied(sqlite_utils.Database(connection))]
    except sqlite3.Error as error:
        raise _unavailable(path, error) from None


def in_use(path: Path) -> bool:
    """Tell whether anybody has a file open: only then can its log not be folded back into it."""
    if not path.exists():
        return False
    try:
        with closing(_connect(path, seconds=1.0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        return "locked" in str(error) or "busy" in str(error)
    except sqlite3.DatabaseError:
        pass  # damaged, so that nobody can have opened it
    return False


def prepare(path: Path) -> None:
    """Check the file and migrate it; on any error nothing of it has changed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"The folder {path.parent} cannot be made: {error.strerror}.") from None
    _refuse_full_disk(path)
    connection = None
    try:
        connection = _connect(path)
        _refuse_damage(path, connection)
        database = sqlite_utils.Database(connection)
        migrations = _migrations()
        known = set(MIGRATIONS)
        applied = [migration.name for migration in migrations.applied(database)]
        unknown = [name for name in applied if name not in known]
        if unknown:
            raise SchemaTooNew(path, unknown)
        if not applied and set(database.table_names()) - {migrations.migrations_table}:
            raise StoreError(f"The database {path} belongs to another program; name another file.")
        # Taking the write lock at once shows a locked or read-only file before anything is served.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE probe (written INTEGER)")
        connection.execute("ROLLBACK")
        if migrations.pending(database):
            migrations.apply(database)
    except sqlite3.Error as error:
        raise _unavailable(path, error) from None
    finally:
        if connection is not None:
            connection.close()


def _refuse_damage(path: Path, connection: sqlite3.Connection) -> None:
    row = connection.execute("PRAGMA quick_check(1)").fetchone()
    if row[0] != "ok":
        found = row[0].strip().splitlines()[-1].rstrip(".")
        raise StoreError(f"The database {path} is damaged ({found}); restore a backup.")


def _refuse_full_disk(path: Path) -> None:
    """Write a little beside the database and take it away: SQLite itself would notice with the first message only."""
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
    except PermissionError:
        pass  # SQLite says it better, and knows whether that matters
    except OSError as error:
        raise StoreUnavailable(_no_room(path, error.strerror or str(error))) from None


def _no_room(path: Path, reason: str) -> str:
    return f"The disk that holds the database {path} takes no more ({reason}); make room or look at the disk."


def _migrations() -> Migrations:
    migrations = Migrations(MIGRATION_SET)
    for name, statements in MIGRATIONS.items():
        migrations(name=name)(_migration(statements))
    return migrations


def _migration(statements: tuple[str, ...]) -> Callable[[sqlite_utils.Database], None]:
    def apply(database: sqlite_utils.Database) -> None:
        for statement in statements:
            database.execute(sqlite_definition(statement))

    return apply


def sqlite_definition(statement: str) -> str:
    """Fill a statement of a migration for SQLite."""
    return statement.format(serial="INTEGER PRIMARY KEY", strict="STRICT", clustered="STRICT, WITHOUT ROWID")


def _unavailable(path: Path, error: Exception) -> StoreError:
    """Put SQLite's word into one sentence for the operator."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return StoreUnavailable(f"The database {path} is locked by another program; stop that one first.")
    if "readonly" in said or "read-only" in said:
        return StoreUnavailable(f"The database {path} is read-only; give the bot the right to write there.")
    if "full" in said or "disk I/O error" in said:
        return StoreUnavailable(_no_room(path, said))
    if "unable to open" in said:
        return StoreUnavailable(f"The database {path} cannot be opened; check the path and the rights.")
    if "not a database" in said or "malformed" in said:
        return StoreError(f"The database {path} is damaged or no database ({said}); restore a backup.")
    return StoreUnavailable(f"The database {path} cannot be used: {said}.")
