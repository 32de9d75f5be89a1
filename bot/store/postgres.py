"""PostgreSQL under asyncio: a few threads, each with a connection of its own, whose callers share transactions.

What arrives together is written in one transaction, as in SQLite. Where one of a group fails, or two processes got in
each other's way, each is run again in a transaction of its own, a bounded number of times; a function of a transaction
must therefore bear to be run twice. A lost connection is made again by the next who needs it.

These few threads are the pool. psycopg_pool would lend each of them its one connection again and again, make lost ones
anew in threads of its own, and say of a database that refuses only that none came in time.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from bot.errors import BotError, Conflict, SchemaTooNew, StoreError, StoreUnavailable
from bot.store.database import Row, Transaction
from bot.store.migrations import MIGRATIONS
from bot.store.postgres_dialect import numbered, table_definition

Result = TypeVar("Result")

WRITERS, READERS = 2, 2
LARGEST_GROUP, LARGEST_READ_GROUP = 100, 50
ATTEMPTS = 6
VACUUM_SECONDS = 3600.0
_CONNECT_SECONDS, _LOCK_SECONDS, _STATEMENT_SECONDS = 5, 5, 60

_STOP = object()
STRIPES = 16_384  # what is held by name is held by one of so many rows; two names seldom meet
_HOLD = b"SELECT number FROM locks WHERE number = ANY($1) ORDER BY number FOR UPDATE"
# Tables of this engine's own, beside those of schema.py.
_OWN_TABLES = frozenset(("migrations", "locks"))
_OWN = (
    'CREATE TABLE IF NOT EXISTS migrations (name TEXT COLLATE "C" PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL)',
    "CREATE TABLE IF NOT EXISTS locks (number BIGINT PRIMARY KEY)",
    f"INSERT INTO locks SELECT n FROM generate_series(0, {STRIPES - 1}) n "  # noqa: S608 - no value in it
    "WHERE NOT EXISTS (SELECT 1 FROM locks)",
)
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
# Before there is any table only the server itself can hold two starting processes apart.
_TURN = "SELECT pg_advisory_xact_lock(7255486032271)"
_OTHERS = """
SELECT COUNT(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name = current_setting('application_name')
"""
_LOOKS, _LOOK_SECONDS = 10, 0.1
# Two transactions got in each other's way: the same again is likely to succeed.
_TRY_AGAIN = frozenset(("40001", "40P01", "55P03"))
# These classes of errors come from one caller's own statement or value.
_OF_THE_CALLER = frozenset(("0A", "21", "22", "23", "25", "26", "42", "44"))
_READ_ONLY = "25006"

_Job = tuple[Callable[[Transaction], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]
_Outcome = tuple[Any, Exception | None]


class _Record(tuple[Any, ...]):
    """One record; values by column name or position, like SQLite's."""

    __slots__ = ()
    places: dict[str, int]

    def __getitem__(self, key: Any, /) -> Any:
        return tuple.__getitem__(self, self.places[key] if isinstance(key, str) else key)

    def keys(self) -> list[str]:
        """Name the columns, so that `dict` makes a mapping of the record."""
        return list(self.places)


class PostgresTransaction:
    """A transaction on one connection; see `Transaction`."""

    def __init__(self, connection: psycopg.Connection[Any], *, writes: bool = True) -> None:
        self._cursor = psycopg.RawCursor(connection, row_factory=_records)
        self._writes = writes
        self._sums: dict[tuple[str, tuple[tuple[str, object], ...]], int] = {}
        self._summed: set[str] = set()
        self._left: dict[str, list[dict[str, object]]] = {}  # statement → the values of each time

    def all(self, sql: str, /, **values: object) -> list[Row]:
        """Run a query and return its rows."""
        cursor = self._execute(sql, values)
        return cursor.fetchall() if cursor.description else []

    def one(self, sql: str, /, **values: object) -> Row | None:
        """Run a query and return its first row, if any."""
        cursor = self._execute(sql, values)
        row: Row | None = cursor.fetchone() if cursor.description else None
        return row

    def run(self, sql: str, /, **values: object) -> int:
        """Run a statement and return how many rows it changed."""
        return self._execute(sql, values).rowcount

    def defer(self, sql: str, /, **values: object) -> None:
        """Leave a statement to be run together with its like."""
        self._left.setdefault(sql, []).append(values)

    def lock(self, *keys: str) -> bool:
        """Let every other writer that holds one of these keys wait until the commit."""
        if self._writes:
            if self._left:
                self._catch_up()
            _execute(self._cursor, _HOLD, [sorted({_stripe(key) for key in keys})])
        return self._writes

    def add(self, sql: str, /, *, table: str, change: int, **values: object) -> None:
        """Run an upsert that adds `:change`, once for all that are alike, at the end and in one order for all."""
        key = sql, tuple(values.items())
        self._sums[key] = self._sums.get(key, 0) + change
        self._summed.add(table)

    def run_many(self, sql: str, /, rows: Sequence[Mapping[str, object]]) -> None:
        """Run a statement at once for each of many rows of values."""
        if self._left:
            self._catch_up()
        statement, names = numbered(sql)
        self._cursor.executemany(statement, [[values[name] for name in names] for values in rows])

    def begin_copy(self) -> None:
        """Let the statements of this transaction take as long as they need."""
        _execute(self._cursor, b"SET LOCAL statement_timeout = 0", ())

    def renumber(self, table: str, column: str) -> None:
        """Have automatic numbers go on after the largest that was copied into a table."""
        self.all(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), "  # noqa: S608 - names of our own tables
            f"COALESCE(MAX({column}), 1), MAX({column}) IS NOT NULL) FROM {table}"
        )

    def finish(self) -> None:
        """Write what was left and added up. Everybody adds in the same order, so that nobody waits in a circle."""
        self._catch_up()
        sums, self._sums = self._sums, {}
        self._summed.clear()
        for (sql, values), change in sorted(sums.items(), key=lambda item: str(item[0])):
            self._execute(sql, {**dict(values), "change": change})

    def _catch_up(self) -> None:
        left, self._left = self._left, {}
        for sql, rows in left.items():
            statement, names = numbered(sql)
            self._cursor.executemany(statement, [[values[name] for name in names] for values in rows])
            if self._cursor.rowcount != len(rows):
                raise Conflict("A row is not there any more.")

    def _execute(self, sql: str, values: dict[str, Any]) -> psycopg.RawCursor[Any]:
        if self._left:
            self._catch_up()
        if self._sums and any(table in sql for table in self._summed):
            self.finish()
        statement, names = numbered(sql)
        return _execute(self._cursor, statement, [values[name] for name in names])


class _Worker(threading.Thread):
    """A thread with its own connection that runs functions of a transaction for coroutines."""

    def __init__(self, server: _Server, jobs: queue.SimpleQueue[Any], *, writes: bool) -> None:
        super().__init__(name="store-writer" if writes else "store-reader", daemon=True)
        self._server, self._jobs, self._writes = server, jobs, writes
        self._largest = LARGEST_GROUP if writes else LARGEST_READ_GROUP
        self._connection: psycopg.Connection[Any] | None = None
        self._committing = False

    def run(self) -> None:
        """Take what has gathered, run it in one transaction, tell every caller."""
        running = True
        while running:
            group = [self._jobs.get()]
            with suppress(queue.Empty):
                while group[-1] is not _STOP and len(group) < self._largest:
                    group.append(self._jobs.get_nowait())
            if group[-1] is _STOP:
                running = False
                group.pop()
            if group:
                _tell_all(group, self._run_group(group))
        self._let_go()

    def _run_group(self, group: Sequence[_Job]) -> list[_Outcome]:
        works = [work for work, _, _ in group]
        if len(works) > 1:
            try:
                return [(result, None) for result in self._run_together(works)]
            except Exception as error:
                if self._roll_back() and self._committing:
                    return [(None, self._server.explain(error))] * len(works)
                # One of them failed and took all with it: again, so that it harms no other.
        return [self._run_alone(work) for work in works]

    def _run_together(self, works: Sequence[Callable[[Transaction], Any]]) -> list[Any]:
        self._committing = False
        connection = self._connect()
        transaction = PostgresTransaction(connection, writes=self._writes)
        results = [work(transaction) for work in works]
        transaction.finish()
        self._committing = True
        connection.commit()
        return results

    def _run_alone(self, work: Callable[[Transaction], Any]) -> _Outcome:
        pause = 0.005
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._run_together([work])[0], None
            except psycopg.Error as error:
                lost = self._roll_back()
                # Lost during the commit: nobody knows whether it was done, so that it must not be done again here.
                again = attempt == 1 and not self._committing if lost else error.sqlstate in _TRY_AGAIN
                if again and attempt < ATTEMPTS:
                    time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, no secret
                    pause *= 2
                    continue
                return None, self._server.explain(error, reading=not self._writes)
            except Exception as error:
                self._roll_back()
                return None, error
        raise AssertionError  # every attempt returns or goes on

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = self._server.connect()
            if self._writes:
                # Whatever the server's default: who waited for `hold` must see what the one before committed.
                connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            else:
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                connection.read_only = True
        return connection

    def _roll_back(self) -> bool:
        """End what is under way; True when the connection was lost."""
        connection = self._connection
        if connection is None:
            return False
        with suppress(psycopg.Error):
            if connection.info.transaction_status is not TransactionStatus.IDLE:
                connection.rollback()
        if connection.broken or connection.closed:
            self._let_go()
            return True
        return False

    def _let_go(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


class PostgresStore:
    """The store on a PostgreSQL database; see `Store`."""

    shared = True

    def __init__(self, url: str) -> None:
        """Connect, bring the tables up to date; raises StoreError."""
        self._server = _Server(url)
        self._server.prepare()
        self._writes: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._writers = [_Worker(self._server, self._writes, writes=True) for _ in range(WRITERS)]
        self._readers = [_Worker(self._server, self._reads, writes=False) for _ in range(READERS)]
        for worker in (*self._writers, *self._readers):
            worker.start()
        self.name = self._server.name
        self._closed = False
        self._gathered: list[_Job] = []
        self._vacuumed = time.monotonic()

    async def read(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a reading function on a consistent view."""
        job: _Job = self._job(work)
        self._reads.put(job)
        result: Result = await job[2]
        return result

    async def read_inline(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a function that reads a few rows; the way to the server is the same for few and many."""
        return await self.read(work)

    async def write(self, work: Callable[[Transaction], Result]) -> Result:
        """Run a writing function whole or not at all; returns only after the commit."""
        job: _Job = self._job(work)
        self._gathered.append(job)
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_soon(self._hand_over)
        result: Result = await job[2]
        return result

    async def purge_deleted(self) -> None:
        """Have deleted rows cleared out of the tables, at most once an hour; see docs/backup.md for what that means."""
        if time.monotonic() - self._vacuumed >= VACUUM_SECONDS:
            self._vacuumed = time.monotonic()
            await asyncio.to_thread(self._server.vacuum)

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        if self._closed:
            return
        self._closed = True
        self._hand_over()
        for jobs, workers in ((self._reads, self._readers), (self._writes, self._writers)):
            for _ in workers:
                jobs.put(_STOP)
            for worker in workers:
                await asyncio.to_thread(worker.join)

    def _job(self, work: Callable[[Transaction], Any]) -> _Job:
        if self._closed:
            raise StoreUnavailable(f"The database {self._server.name} is closed.")
        loop = asyncio.get_running_loop()
        return work, loop, loop.create_future()

    def _hand_over(self) -> None:
        jobs, self._gathered = self._gathered, []
        for job in jobs:
            self._writes.put(job)


class _Server:
    """Where the database is, how to reach it, and how to say what is wrong with it."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self.name = shown(url)
        except psycopg.ProgrammingError as error:
            raise StoreError(f"What is set as database is no address of PostgreSQL: {_first_line(error)}.") from None

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection that gives up rather than waits for ever."""
        given = conninfo_to_dict(self._url)
        patience: dict[str, Any] = {
            "connect_timeout": _CONNECT_SECONDS,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "application_name": "so-suc-khoe-bot",
        }
        connection: psycopg.Connection[Any] = psycopg.connect(
            self._url, **{name: value for name, value in patience.items() if name not in given}
        )
        connection.adapters.register_loader("numeric", _NumericLoader)
        connection.prepare_threshold = 3
        for setting, seconds in (
            ("lock_timeout", _LOCK_SECONDS),
            ("statement_timeout", _STATEMENT_SECONDS),
            ("idle_in_transaction_session_timeout", _STATEMENT_SECONDS),
        ):
            connection.execute(f"SET {setting} = {seconds * 1000}")
        connection.commit()
        return connection

    def prepare(self) -> None:
        """Bring the tables up to date in one transaction; of several processes that start at once, one does."""
        try:
            with self.connect() as connection, connection.transaction():
                self._migrate(connection)
        except psycopg.Error as error:
            raise self.explain(error) from None

    def vacuum(self) -> None:
        """Clear deleted rows out of the tables; an engine that does that by itself may refuse."""
        try:
            with self.connect() as connection:
                connection.autocommit = True
                # Without the limit on a statement: a large table takes long, and waits for nobody.
                connection.execute("SET statement_timeout = 0")
                connection.execute("VACUUM (SKIP_LOCKED)")
        except psycopg.Error as error:
            if (error.sqlstate or "")[:2] not in _OF_THE_CALLER:
                raise self.explain(error) from None

    def explain(self, error: Exception, *, reading: bool = False) -> Exception:
        """Put PostgreSQL's word into one sentence for the operator; a caller's own mistake comes back as it is."""
        if not isinstance(error, psycopg.Error):
            return error
        state = error.sqlstate or ""
        if state == _READ_ONLY:
            why = "only read here" if reading else "a standby, or set so"
            return StoreUnavailable(f"The database {self.name} is read-only ({why}); let the bot write there.")
        if state[:2] in _OF_THE_CALLER:
            return error
        if not state and not isinstance(error, psycopg.OperationalError | psycopg.InternalError):
            return error
        said = _first_line(error)
        if state in _TRY_AGAIN:
            return StoreUnavailable(f"The database {self.name} is in use by others at the same place; try again.")
        if state == "53100":
            return StoreUnavailable(f"The disk of the database {self.name} takes no more; make room there.")
        if state[:2] == "28":
            return StoreUnavailable(f"The database {self.name} refuses this user or password.")
        if state == "3D000" or ("does not exist" in said and "database" in said):
            return StoreUnavailable(f"The database {self.name} does not exist; make it with createdb.")
        if state == "57014":
            return StoreUnavailable(f"The database {self.name} took longer than {_STATEMENT_SECONDS} s; try again.")
        return StoreUnavailable(f"The database {self.name} cannot be reached: {said}.")

    def _migrate(self, connection: psycopg.Connection[Any]) -> None:
        there = {name for (name,) in connection.execute(_TABLES).fetchall()}
        if there and not there & _OWN_TABLES:
            raise StoreError(f"The database {self.name} belongs to another program; name another one.")
        # Whoever comes second waits here until the first has committed.
        connection.execute(_TURN)
        connection.execute("SET LOCAL statement_timeout = 0")  # large tables take their time
        for definition in _OWN:
            connection.execute(definition)
        applied = [str(name) for (name,) in connection.execute("SELECT name FROM migrations ORDER BY name").fetchall()]
        unknown = [name for name in applied if name not in MIGRATIONS]
        if unknown:
            raise SchemaTooNew(self.name, unknown)
        for name, statements in MIGRATIONS.items():
            if name not in applied:
                for statement in statements:
                    connection.execute(table_definition(statement).encode())
                connection.execute("INSERT INTO migrations (name, applied_at) VALUES (%s, now())", (name,))


class _NumericLoader(Loader):
    """Sums of whole numbers as whole numbers, as SQLite gives them."""

    def load(self, data: Any) -> Any:
        text = bytes(data).decode()
        return float(text) if "." in text or not text.lstrip("-").isdecimal() else int(text)


def applied_migrations(url: str) -> list[str]:
    """List the migrations of a database as it is; none where there are no tables."""
    server = _Server(url)
    try:
        with server.connect() as connection:
            if not connection.execute("SELECT to_regclass('migrations')").fetchall()[0][0]:
                return []
            return [str(name) for (name,) in connection.execute("SELECT name FROM migrations ORDER BY name").fetchall()]
    except psycopg.Error as error:
        raise server.explain(error) from None


def in_use(url: str) -> bool:
    """Tell whether any other connection of the bot is open; one that was just closed has a moment to go."""
    server = _Server(url)
    try:
        with server.connect() as connection:
            connection.autocommit = True
            for _ in range(_LOOKS):
                if not connection.execute(_OTHERS).fetchall()[0][0]:
                    return False
                time.sleep(_LOOK_SECONDS)
    except psycopg.Error as error:
        raise server.explain(error) from None
    return True


def shown(url: str) -> str:
    """Name a database without who opens it and with which password."""
    parts = conninfo_to_dict(url)
    host, port = parts.get("host") or "", parts.get("port")
    where = "" if str(host).startswith("/") else f"{host}{f':{port}' if port else ''}"
    return f"postgresql://{where}/{parts.get('dbname') or parts.get('user') or ''}"


def _execute(cursor: psycopg.RawCursor[Any], statement: bytes, values: Sequence[Any]) -> psycopg.RawCursor[Any]:
    return cursor.execute(statement, values or None)


def _records(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], Any]:
    result = cursor.pgresult
    if result is None:
        return tuple
    return _record_kind(tuple((result.fname(column) or b"").decode() for column in range(result.nfields)))


@lru_cache(maxsize=1000)
def _record_kind(names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    return type("Record", (_Record,), {"__slots__": (), "places": {name: at for at, name in enumerate(names)}})


def _stripe(key: str) -> int:
    return zlib.crc32(key.encode()) % STRIPES


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _tell_all(group: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, Exception | None]]] = {}
    for (_, loop, future), (result, failure) in zip(group, outcomes, strict=True):
        by_loop.setdefault(loop, []).append((future, result, failure))
    for loop, done in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, done)


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
