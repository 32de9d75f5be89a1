"""What every store promises, tried on a real SQLite file and a real PostgreSQL, with another program looking on."""

from __future__ import annotations

import asyncio
import gc
import queue
import sqlite3
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.errors import NotAllowed, StoreUnavailable
from bot.message import Person
from bot.store import (
    Row,
    Store,
    Transaction,
    conversations,
    messages,
    open_store,
    people,
    pushes,
    questions,
    reports,
    tallies,
)
from tests.conftest import NOON, FrozenClock
from tests.support.engines import Engine
from tests.support.property_examples import examples

AT = "2026-11-23T05:00:00.000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[Store]:
    """A store on each engine in turn."""
    opened = open_store(engine.url)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(path: Path) -> AsyncIterator[Store]:
    """A store on SQLite, for what that engine promises beside."""
    opened = open_store(f"sqlite:///{path}")
    yield opened
    await opened.close()


@contextmanager
def looking_on(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a connection of its own, as another program would."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        yield connection
    finally:
        connection.close()


def add_person(name: str) -> Callable[[Transaction], int]:
    return lambda tx: people.remember(tx, Person("recorder", name), source="", at=AT)


async def names(store: Store) -> list[str]:
    return [row["address"] for row in await store.read(lambda tx: tx.all("SELECT address FROM people ORDER BY id"))]


def commits(path: Path) -> int:
    """Count the commits in the write-ahead log: frames that name the size of the database."""
    log = path.with_name(path.name + "-wal").read_bytes()
    if not log:
        return 0
    (page,) = struct.unpack(">I", log[8:12])
    sizes = (struct.unpack(">I", log[at + 4 : at + 8])[0] for at in range(32, len(log), page + 24))
    return sum(size > 0 for size in sizes)


@contextmanager
def writer_held(store: Store) -> Iterator[threading.Event]:
    """Keep the writer busy, so that what is asked meanwhile gathers."""
    go, holding = threading.Event(), threading.Event()

    def hold(tx: Transaction) -> None:
        holding.set()
        assert go.wait(10)

    task = asyncio.ensure_future(store.write(hold))
    try:
        yield holding
    finally:
        go.set()
        task.add_done_callback(lambda done: done.exception())


async def test_what_was_written_is_read(store: Store) -> None:
    number = await store.write(add_person("a"))
    row = await store.read(lambda tx: people.find(tx, Person("recorder", "a")))
    assert row is not None
    assert (row["id"], row["created_at"], row["source"]) == (number, AT, "")


async def test_a_work_that_fails_leaves_nothing_and_tells_its_caller(store: Store) -> None:
    def half(tx: Transaction) -> None:
        add_person("half")(tx)
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        await store.write(half)
    assert await names(store) == []


def bad_value(tx: Transaction) -> None:
    add_person("bad")(tx)
    raise ValueError


def bad_reference(tx: Transaction) -> None:
    add_person("bad")(tx)
    tx.run("INSERT INTO dialogs (person_id, state, updated_at) VALUES (999, '', '')")


def bad_statement(tx: Transaction) -> None:
    add_person("bad")(tx)
    tx.run("SELEC nonsense")


def bad_table(tx: Transaction) -> None:
    add_person("bad")(tx)
    tx.run("DELETE FROM no_such_table")


def bad_argument(tx: Transaction) -> None:
    add_person("bad")(tx)
    tx.one("SELECT id FROM people WHERE id = :number LIMIT :number", number=2**70)


BAD_WORK: list[tuple[Callable[[Transaction], None], tuple[type[Exception], ...]]] = [
    (bad_value, (ValueError,)),
    (bad_reference, (sqlite3.IntegrityError, psycopg.errors.ForeignKeyViolation)),
    (bad_statement, (sqlite3.OperationalError, psycopg.errors.SyntaxError)),
    (bad_table, (sqlite3.OperationalError, psycopg.errors.UndefinedTable)),
    (bad_argument, (OverflowError, psycopg.errors.NumericValueOutOfRange)),
]


@pytest.mark.parametrize(("bad", "errors"), BAD_WORK, ids=[work.__name__ for work, _ in BAD_WORK])
async def test_a_failing_writer_harms_no_other_in_its_group(
    store: Store, bad: Callable[[Transaction], None], errors: tuple[type[Exception], ...]
) -> None:
    with writer_held(store) as holding:
        await asyncio.to_thread(holding.wait, 10)
        works = [bad if number % 3 == 1 else add_person(f"p{number}") for number in range(30)]
        tasks = [asyncio.ensure_future(store.write(work)) for work in works]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, errors) for outcome in outcomes[1::3])
    assert sorted(await names(store)) == sorted(f"p{number}" for number in range(30) if number % 3 != 1)


async def test_a_group_with_a_failing_writer_is_still_one_commit(sqlite: Store, path: Path) -> None:
    with writer_held(sqlite) as holding:
        await asyncio.to_thread(holding.wait, 10)
        before = commits(path)
        works = [bad_value if number % 3 == 1 else add_person(f"p{number}") for number in range(30)]
        tasks = [asyncio.ensure_future(sqlite.write(work)) for work in works]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert commits(path) - before == 1


async def test_writers_that_wait_together_share_one_commit(sqlite: Store, path: Path) -> None:
    before = commits(path)
    with writer_held(sqlite) as holding:
        await asyncio.to_thread(holding.wait, 10)
        tasks = [asyncio.ensure_future(sqlite.write(add_person(f"p{number}"))) for number in range(400)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert commits(path) - before == 1
    assert len(await names(sqlite)) == 400


async def test_a_write_returns_only_after_others_can_see_it(store: Store, engine: Engine) -> None:
    async def write_and_look(number: int) -> tuple[object, ...]:
        mine = await store.write(add_person(f"p{number}"))
        return engine.rows(f"SELECT address FROM people WHERE id = {mine}")[0]

    seen = await asyncio.gather(*(write_and_look(number) for number in range(60)))
    assert sorted(seen) == sorted((f"p{number}",) for number in range(60))


async def test_nobody_sees_a_group_before_its_commit(store: Store, engine: Engine) -> None:
    def work(tx: Transaction) -> int:
        add_person("early")(tx)
        return int(engine.rows("SELECT COUNT(*) FROM people")[0][0])

    assert await store.write(work) == 0
    assert await names(store) == ["early"]


async def test_writes_happen_in_the_order_they_were_asked_for(sqlite: Store) -> None:
    await asyncio.gather(*(sqlite.write(add_person(f"{number:04}")) for number in range(700)))
    assert await names(sqlite) == [f"{number:04}" for number in range(700)]


async def test_a_caller_that_goes_away_stops_nothing(store: Store) -> None:
    with writer_held(store) as holding:
        await asyncio.to_thread(holding.wait, 10)
        gone = asyncio.ensure_future(store.write(add_person("gone")))
        stays = asyncio.ensure_future(store.write(add_person("stays")))
        await asyncio.sleep(0)
        gone.cancel()
    await stays
    assert sorted(await names(store)) == ["gone", "stays"]


async def test_a_refusal_whose_caller_has_gone_is_not_reported(store: Store) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))

    def refuse(tx: Transaction) -> None:
        raise NotAllowed("This is closed.")

    for act in (store.read, store.write):
        with pytest.raises(NotAllowed):
            await act(refuse)
        abandoned = act(refuse)
        abandoned.send(None)  # as an answer that is begun anew behind the others
        for _ in range(30):  # until every thread has gone on to something else
            await act(lambda tx: None)
        abandoned.close()
        del abandoned
        gc.collect()
    assert reported == []


async def test_one_view_for_one_reading(store: Store, engine: Engine) -> None:
    await store.write(add_person("first"))

    def twice(tx: Transaction) -> tuple[int, int]:
        before = len(tx.all("SELECT id FROM people"))
        with engine.looking_on() as other:
            other.execute("INSERT INTO people (channel, address, created_at, seen_at) VALUES ('x', 'y', '', '')")
        return before, len(tx.all("SELECT id FROM people"))

    assert await store.read(twice) == (1, 1)
    assert len(await names(store)) == 2


async def test_a_reading_function_cannot_write(store: Store) -> None:
    with pytest.raises(StoreUnavailable, match="read-only"):
        await store.read(add_person("sneaky"))
    assert await names(store) == []


async def test_readers_do_not_wait_for_the_writer(store: Store) -> None:
    with writer_held(store) as holding:
        await asyncio.to_thread(holding.wait, 10)
        assert await asyncio.wait_for(names(store), 5) == []


async def test_an_insert_with_returning_is_run_to_its_end(store: Store) -> None:
    row = await store.write(
        lambda tx: tx.one(
            "INSERT INTO people (channel, address, created_at, seen_at) VALUES ('c', 'a', '', ''), ('c', 'b', '', '') "
            "RETURNING address"
        )
    )
    assert row is not None
    assert await names(store) == ["a", "b"]


async def test_closing_finishes_what_was_begun(engine: Engine) -> None:
    store = open_store(engine.url)
    tasks = [asyncio.ensure_future(store.write(add_person(f"p{number}"))) for number in range(300)]
    await asyncio.sleep(0)
    await store.close()
    await store.close()
    assert sorted(await asyncio.gather(*tasks)) == list(range(1, 301))
    assert engine.rows("SELECT COUNT(*) FROM people") == [(300,)]
    for work in (store.read, store.write):
        with pytest.raises(StoreUnavailable, match="closed"):
            await work(add_person("late"))


async def test_a_locked_file_is_waited_for_once_is_reported_and_works_again(sqlite: Store, path: Path) -> None:
    await sqlite.write(lambda tx: tx.all("PRAGMA busy_timeout = 50"))
    begun: list[str] = []
    with looking_on(path) as other:
        other.execute("BEGIN IMMEDIATE")
        sqlite._workers[0]._connection.set_trace_callback(begun.append)  # type: ignore[attr-defined]
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            await sqlite.write(add_person("refused"))
        sqlite._workers[0]._connection.set_trace_callback(None)  # type: ignore[attr-defined]
        assert begun == ["BEGIN IMMEDIATE"]
        assert await names(sqlite) == []  # reading goes on
        other.execute("ROLLBACK")
    await sqlite.write(add_person("taken"))
    assert await names(sqlite) == ["taken"]


async def test_a_full_disk_is_reported_to_the_whole_group_and_works_again(sqlite: Store) -> None:
    full = await sqlite.write(lambda tx: tx.all("PRAGMA page_count")[0][0])
    await sqlite.write(lambda tx: tx.all(f"PRAGMA max_page_count = {full}"))
    big = "x" * 20_000

    def fill(tx: Transaction) -> None:
        tx.run("INSERT INTO audit (at, actor, action, detail, hash) VALUES ('', '', '', :big, '')", big=big)

    with writer_held(sqlite) as holding:
        await asyncio.to_thread(holding.wait, 10)
        tasks = [asyncio.ensure_future(sqlite.write(work)) for work in (add_person("a"), fill, add_person("b"))]
        await asyncio.sleep(0)
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(outcome, StoreUnavailable)
        assert "takes no more" in str(outcome)
        assert "\n" not in str(outcome)
    assert await names(sqlite) == []
    await sqlite.write(lambda tx: tx.all("PRAGMA max_page_count = 1000000"))
    await sqlite.write(fill)
    await sqlite.write(add_person("c"))
    assert await names(sqlite) == ["c"]


def test_every_table_is_strict_and_every_person_id_falls_with_the_person(path: Path) -> None:
    asyncio.run(open_store(f"sqlite:///{path}").close())
    with looking_on(path) as other:
        tables = [row for row in other.execute("PRAGMA table_list").fetchall() if row[0] == "main"]
        own = {row[1]: bool(row[5]) for row in tables if not row[1].startswith(("sqlite_", "_sqlite_"))}
        assert {"people", "reports", "report_history", "questions", "inbox", "dialogs", "roles", "audit"} <= set(own)
        assert not [name for name, strict in own.items() if not strict]
        for name in own:
            columns = [row[1] for row in other.execute(f"PRAGMA table_info({name})")]
            keys = other.execute(f"PRAGMA foreign_key_list({name})").fetchall()
            if "person_id" in columns:
                owner = [(key[2], key[3], key[6]) for key in keys if key[3] == "person_id"]
                assert owner == [("people", "person_id", "CASCADE")], name


async def test_types_and_references_are_enforced(store: Store) -> None:
    with pytest.raises(
        (sqlite3.IntegrityError, psycopg.errors.DataError), match=r"cannot store TEXT|invalid input syntax"
    ):
        await store.write(lambda tx: tx.run("INSERT INTO inbox (channel, message_id, address, received_at, stage) "
                                            "VALUES ('c', 'm', 'a', '', 'zero')"))  # fmt: skip
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.ForeignKeyViolation), match=r"(?i)foreign key"):
        await store.write(lambda tx: pushes.add(tx, 12345, reply="x", at=AT))


SECRET_TEXTS = ["zqx-question-zqx", "zqx-request-zqx", "zqx-push-zqx", "zqx-state-zqx", "zqx-source-zqx"]


def live(tx: Transaction, name: str) -> int:
    """Leave in every table what a busy citizen leaves, each text marked so that it can be looked for."""
    person = Person("recorder", f"zqx-address-{name}-zqx")
    number = people.remember(tx, person, source="zqx-source-zqx", at=AT)
    people.keep_dialog(tx, number, "zqx-state-zqx", AT)
    people.note_consent(tx, number, purpose="report", wording="zqx-wording-zqx", at=AT)
    for district in ("vinh-yen", "yen-lac"):
        reports.keep(tx, number, district=district, commune="", channel="recorder", source="zqx-source-zqx",
                     day="2026-11-23", at=AT)  # fmt: skip
    for index in range(5):
        questions.note(tx, number, channel="recorder", language="vi", text=f"zqx-question-zqx {name} {index} " * 9,
                       article="", verdict="unknown", score=0.1, at=AT)  # fmt: skip
        message_id = f"{name}-{index}"
        assert messages.take(tx, person=person, message_id=message_id, body="zqx-body-zqx " * 40, at=AT)
        messages.mark_answered(tx, channel="recorder", message_id=message_id, replies="zqx-replies-zqx " * 60)
        messages.mark_delivered(tx, "recorder", [message_id], keep_replies=True)
    case = conversations.begin(tx, number, kind="help", district="", question="zqx-question-zqx", at=AT, due=AT)
    conversations.add_message(tx, case, author="citizen", officer_id=None, text="zqx-request-zqx", at=AT)
    pushes.add(tx, number, reply="zqx-push-zqx", at=AT)
    return number


def leftovers(folder: Path) -> dict[str, int]:
    return {path.name: found for path in folder.iterdir() if (found := path.read_bytes().count(b"zqx"))}


@pytest.mark.parametrize("survivors", [0, 40])
async def test_erased_people_cannot_be_read_out_of_the_files(sqlite: Store, tmp_path: Path, survivors: int) -> None:
    def kept(tx: Transaction, name: str) -> None:
        number = people.remember(tx, Person("recorder", name), source="", at=AT)
        for index in range(6):
            questions.note(tx, number, channel="recorder", language="vi", text=f"câu hỏi {name} {index} " * 6,
                           article="", verdict="answer", score=0.9, at=AT)  # fmt: skip

    erased = []
    for index in range(40):
        erased.append((index, await sqlite.write(lambda tx, index=index: live(tx, f"n{index}"))))
        if index < survivors:
            await sqlite.write(lambda tx, index=index: kept(tx, f"stays-{index}"))
    assert leftovers(tmp_path)
    for index, number in erased:

        def erase(tx: Transaction, index: int = index, number: int = number) -> None:
            people.erase(tx, number)
            messages.forget_person(tx, Person("recorder", f"zqx-address-n{index}-zqx"))

        await sqlite.write(erase)
    await sqlite.purge_deleted()
    assert leftovers(tmp_path) == {}
    assert len(await names(sqlite)) == survivors


async def test_scrubbing_says_when_somebody_holds_the_file(
    sqlite: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite.SCRUB_PATIENCE", 0.05)
    monkeypatch.setattr("bot.store.sqlite.SCRUB_PAUSES", (0.0,))
    await sqlite.write(add_person("a"))
    with looking_on(path) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM people").fetchall()
        await sqlite.write(add_person("b"))
        with pytest.raises(StoreUnavailable, match="in use"):
            await sqlite.purge_deleted()
        other.execute("COMMIT")
    await sqlite.purge_deleted()
    assert path.with_name("bot.db-wal").stat().st_size == 0


async def test_scrubbing_lets_others_write_while_it_waits(
    sqlite: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resting, goes_on = asyncio.Event(), asyncio.Event()

    async def rest(_: float) -> None:
        resting.set()
        await goes_on.wait()

    monkeypatch.setattr("bot.store.sqlite.SCRUB_PATIENCE", 0.05)
    with looking_on(path) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM people").fetchall()
        await sqlite.write(add_person("a"))
        monkeypatch.setattr("bot.store.sqlite.asyncio.sleep", rest)
        scrubbing = asyncio.create_task(sqlite.purge_deleted())
        async with asyncio.timeout(20):
            await resting.wait()
        await sqlite.write(add_person("b"))
        other.execute("COMMIT")
    assert await names(sqlite) == ["a", "b"]
    goes_on.set()
    await scrubbing
    assert path.with_name("bot.db-wal").stat().st_size == 0


async def test_the_log_is_brought_into_the_file_beside_the_writer(
    sqlite: Store, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite.CHECKPOINT_CHANGES", 10)

    def in_the_file_alone() -> int:
        copy = tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        with looking_on(copy) as other:
            return int(other.execute("SELECT COUNT(*) FROM people").fetchone()[0])

    for number in range(9):
        await sqlite.write(add_person(f"p{number}"))
    assert in_the_file_alone() == 0
    begun: queue.Queue[str] = queue.Queue()
    checkpointer = sqlite._checkpointer  # type: ignore[attr-defined]
    checkpointer._connection.set_trace_callback(begun.put)
    await sqlite.write(add_person("p9"))
    # The writer tells its callers first and calls the checkpointer then.
    assert await asyncio.to_thread(begun.get, timeout=20) == "PRAGMA wal_checkpoint(PASSIVE)"
    checkpointer.stop()  # after what it was called for
    await asyncio.to_thread(checkpointer.join, 20)
    assert in_the_file_alone() == 10


async def test_the_writer_brings_the_log_into_the_file_where_nobody_else_does(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.sqlite.LARGEST_LOG", 20)
    store = open_store(f"sqlite:///{path}")
    for number in range(200):
        await store.write(add_person(f"p{number}"))
    size = path.with_name("bot.db-wal").stat().st_size
    await store.close()
    assert size < 100 * 4096  # 200 commits change more than 400 pages


# The domain queries, each against a plain model of it.


async def test_a_message_id_is_taken_once_a_channel(store: Store) -> None:
    one, two = Person("recorder", "a"), Person("other", "a")

    def take(person: Person) -> Callable[[Transaction], bool]:
        return lambda tx: messages.take(tx, person=person, message_id="m1", body="{}", at=AT)

    assert await store.write(take(one))
    assert not await store.write(take(one))
    assert await store.write(take(two))


async def test_the_first_source_stays(store: Store) -> None:
    person = Person("recorder", "a")
    for source in ("", "poster-1", "poster-2", ""):
        await store.write(lambda tx, source=source: people.remember(tx, person, source=source, at=AT))
    row = await store.read(lambda tx: people.find(tx, person))
    assert row is not None
    assert row["source"] == "poster-1"


async def test_who_writes_again_is_no_longer_gone(store: Store) -> None:
    person = Person("recorder", "a")
    number = await store.write(add_person("a"))

    async def gone_at() -> object:
        rows: list[Row] = await store.read(lambda tx: tx.all("SELECT gone_at FROM people WHERE id = :id", id=number))
        return rows[0]["gone_at"]

    await store.write(lambda tx: people.mark_gone(tx, person, AT))
    assert await gone_at() == AT
    await store.write(add_person("a"))
    assert await gone_at() is None


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("keep"), st.integers(0, 3), st.sampled_from(["vinh-yen", "yen-lac", "song-lo"])),
        st.tuples(st.just("withdraw"), st.integers(0, 3), st.just("")),
        st.tuples(st.just("erase"), st.integers(0, 3), st.just("")),
    ),
    max_size=25,
)


@hypothesis_settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_reports_agree_with_a_model(engine: Engine, steps: list[tuple[str, int, str]]) -> None:
    """One current report a person, whatever the order; the totals are the sum of them."""
    clock = FrozenClock(NOON)
    model: dict[int, str] = {}

    async def run() -> None:
        store = open_store(engine.url)
        try:
            await store.write(lambda tx: [tx.run(f"DELETE FROM {table}") for table in ("people", "tallies")])
            for what, who, district in steps:
                clock.forward(seconds=1)

                def work(tx: Transaction, what: str = what, who: int = who, district: str = district) -> None:
                    number = add_person(str(who))(tx)
                    if what == "keep":
                        reports.keep(tx, number, district=district, commune="", channel="c", source="",
                                     day="2026-11-23", at=AT)  # fmt: skip
                    elif what == "withdraw":
                        reports.withdraw(tx, number, at=AT)
                    else:
                        people.erase(tx, number)

                await store.write(work)
                if what == "keep":
                    model[who] = district
                else:
                    model.pop(who, None)
            rows = await store.read(lambda tx: reports.totals(tx, by="district", since="2026-11-23", until="9999"))
            counted = {row["key"]: row["reports"] for row in rows}
            assert await store.read(tallies.disagreements) == []
            assert counted == {d: list(model.values()).count(d) for d in sorted(set(model.values()))}
        finally:
            await store.close()

    asyncio.run(run())
