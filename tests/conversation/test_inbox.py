"""The intake: stored first, done once, in order for each person, taken up again after every kind of stop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.channels import Ticket
from bot.conversation.inbox import TOO_LONG, Inbox
from bot.conversation.person_queue import Answer, PersonQueues
from bot.conversation.unit_of_work import PersonState
from bot.errors import Conflict, Flooded, StoreUnavailable, Unreachable
from bot.message import IncomingMessage, Outcome, Person, Reply
from bot.store import Row, Store, Transaction, messages, open_store, people
from tests.conftest import NOON, FrozenClock
from tests.support.property_examples import examples

A, B = Person("recorder", "a"), Person("recorder", "b")
SECONDS = 15.0


def message(id_: str, person: Person = A, text: str = "", **more: str) -> IncomingMessage:
    return IncomingMessage(person=person, id=id_, at=NOON, text=text or id_, **more)


@dataclass
class Desk:
    """The two ends of an inbox: answers with "re: …", leaves one line of audit, remembers what was delivered."""

    store: Store
    clock: FrozenClock = field(default_factory=FrozenClock)
    answered: list[IncomingMessage] = field(default_factory=list)
    delivered: list[tuple[str, str, str]] = field(default_factory=list)  # address, id, text
    before_answer: Callable[[IncomingMessage], Awaitable[object]] | None = None
    before_delivery: Callable[[str], Awaitable[object]] | None = None
    outdated: int = 0  # the first so many answers find others faster
    keeps: bool = True

    async def answer(self, said: IncomingMessage, session: PersonState | None = None) -> Answer:
        if self.before_answer is not None:
            await self.before_answer(said)
        self.answered.append(said)  # an answer that has to wait may be broken off and begun again

        def commit(tx: Transaction) -> None:
            tx.run("INSERT INTO audit (at, actor, action, detail, hash) VALUES ('', '', 'effect', :id, '')", id=said.id)
            if len(self.answered) <= self.outdated:
                raise Conflict("Somebody was faster.")
            if said.text == "erase me":
                messages.forget_person(tx, said.person)

        return Answer((Reply(f"re: {said.text}"),), commit, said.text == "erase me")

    async def deliver(self, person: Person, replies: Sequence[Reply], answering: str) -> None:
        if self.before_delivery is not None:
            await self.before_delivery(answering)
        self.delivered.extend((person.address, answering, reply.text) for reply in replies)

    def inbox(self, *, per_minute: int = 0, longest_text: int = 2000) -> Inbox:
        lines = PersonQueues(self.store, answer=self.answer, deliver=self.deliver, keeps_replies=lambda _: self.keeps,
                      clock=self.clock)  # fmt: skip
        return Inbox(lines, per_minute=per_minute, longest_text=longest_text)

    async def effects(self) -> list[str]:
        rows = await self.store.read(lambda tx: tx.all("SELECT detail FROM audit ORDER BY id"))
        return [row["detail"] for row in rows]

    async def rows(self) -> list[Row]:
        return await self.store.read(lambda tx: tx.all("SELECT * FROM inbox ORDER BY id"))


async def settled(ticket: Ticket) -> Outcome:
    return await asyncio.wait_for(asyncio.shield(ticket.done), SECONDS)


async def quiet(inbox: Inbox) -> None:
    """Wait until everything that was taken in is delivered and noted, or given up for now."""
    async with asyncio.timeout(SECONDS):
        while inbox.waiting:  # noqa: ASYNC110 - the inbox has no use for an event
            await asyncio.sleep(0.002)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.db"


@pytest.fixture
async def desk(path: Path) -> AsyncIterator[Desk]:
    store = open_store(f"sqlite:///{path}")
    yield Desk(store)
    await store.close()


async def test_an_answer_that_others_forestalled_is_made_anew_and_leaves_nothing(desk: Desk) -> None:
    desk.outdated = 2
    inbox = desk.inbox()
    assert (await settled(await inbox.receive(message("m1")))).replies == (Reply("re: m1"),)
    assert len(desk.answered) == 3
    assert await desk.effects() == ["m1"]
    assert [text for _, _, text in desk.delivered] == ["re: m1"]
    await inbox.close()


async def test_an_answer_that_is_always_forestalled_ends_and_stays_in_the_store(desk: Desk) -> None:
    desk.outdated = 1000
    inbox = desk.inbox()
    with pytest.raises(asyncio.CancelledError):
        await settled(await inbox.receive(message("m1")))
    assert 0 < len(desk.answered) < 100
    assert [(row["stage"], row["body"] != "") for row in await desk.rows()] == [(0, True)]
    assert await desk.effects() == []
    await inbox.close()


async def test_a_message_is_safe_before_anybody_is_told(desk: Desk, path: Path) -> None:
    go = asyncio.Event()
    desk.before_answer = lambda _: go.wait()
    inbox = desk.inbox()
    ticket = await inbox.receive(message("m1", text="xin chào"))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT message_id, stage, body LIKE '%xin chào%' FROM inbox").fetchall() == [("m1", 0, 1)]
    assert ticket.fresh
    assert not ticket.done.done()
    go.set()
    assert (await settled(ticket)).replies == (Reply("re: xin chào"),)
    await inbox.close()


async def test_effects_and_the_note_of_them_are_one(desk: Desk, path: Path) -> None:
    """When the replies leave, effect and stage are both committed; the citizen's words are gone from the row."""
    seen: list[tuple[object, ...]] = []

    async def look(_: str) -> None:
        with closing(sqlite3.connect(path)) as other:
            seen.extend(other.execute("SELECT stage, body, (SELECT COUNT(*) FROM audit) FROM inbox"))

    desk.before_delivery = look
    inbox = desk.inbox()
    await settled(await inbox.receive(message("m1")))
    assert seen == [(1, "", 1)]
    await inbox.close()


async def test_a_repeated_id_is_done_once_however_it_comes(desk: Desk) -> None:
    go = asyncio.Event()
    desk.before_answer = lambda _: go.wait()
    inbox = desk.inbox()
    together = [inbox.receive(message("m1", text="one")) for _ in range(10)]
    tickets = list(await asyncio.gather(*together))
    tickets.append(await inbox.receive(message("m1", text="other words")))
    go.set()
    outcomes = [await settled(ticket) for ticket in tickets]
    assert [ticket.fresh for ticket in tickets].count(True) == 1
    await quiet(inbox)
    tickets.append(await inbox.receive(message("m1")))  # after delivery: from the store
    outcomes.append(await settled(tickets[-1]))
    again = desk.inbox()  # after a restart
    outcomes.append(await settled(await again.receive(message("m1"))))
    assert {outcome.replies for outcome in outcomes} == {(Reply("re: one"),)}
    assert await desk.effects() == ["m1"]
    assert len(desk.delivered) == 1
    await inbox.close()
    await again.close()


async def test_what_was_delivered_is_noted_with_the_next_message(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.conversation.person_queue._NOTE_SECONDS", 3600.0)
    inbox = desk.inbox()
    await settled(await inbox.receive(message("m1")))
    await settled(await inbox.receive(message("m2", B)))
    assert [(row["message_id"], row["stage"]) for row in await desk.rows()] == [("m1", 2), ("m2", 1)]
    assert inbox.waiting == 1
    assert not (await inbox.receive(message("m1"))).fresh  # from the store, where it is finished


async def test_a_note_that_could_not_be_written_with_the_next_message_is_written_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, broken = desk.store.write, [StoreUnavailable("gone"), Conflict("faster")]

    async def write_or_break(work: Callable[[Transaction], object]) -> object:
        if desk.delivered and broken:
            raise broken.pop(0)
        return await write(work)

    inbox = desk.inbox()
    await settled(await inbox.receive(message("m1")))
    monkeypatch.setattr(desk.store, "write", write_or_break)
    with pytest.raises(StoreUnavailable):
        await inbox.receive(message("m2", B))
    await settled(await inbox.receive(message("m3", B)))
    await quiet(inbox)
    assert [(row["message_id"], row["stage"]) for row in await desk.rows()] == [("m1", 2), ("m3", 2)]
    assert [text for _, _, text in desk.delivered] == ["re: m1", "re: m3"]
    await inbox.close()


async def test_many_at_a_time_share_commits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes while the first group's replies leave waits for the rest of them, and is stored at one go."""
    groups: list[int] = []
    inbox = desk.inbox()
    store_group = inbox._store_group

    async def noting(group: Sequence[object]) -> None:
        groups.append(len(group))
        await store_group(group)  # type: ignore[arg-type]

    monkeypatch.setattr(inbox, "_store_group", noting)
    monkeypatch.setattr("bot.conversation.inbox._GATHER_STEP", 0.05)  # longer than this loop takes

    async def write(number: int) -> None:
        for turn in range(3):
            await inbox.receive(message(f"{number}-{turn}", Person("recorder", str(number))))
            await asyncio.sleep(0.002 * number)

    await asyncio.gather(*(write(number) for number in range(6)))
    assert groups == [6, 6, 6]
    await quiet(inbox)
    await inbox.close()


async def test_the_same_id_on_another_channel_is_another_message(desk: Desk) -> None:
    inbox = desk.inbox()
    for person in (A, Person("other", "a")):
        await settled(await inbox.receive(message("m1", person)))
    assert await desk.effects() == ["m1", "m1"]
    await inbox.close()


async def test_replies_are_forgotten_where_nobody_asks_for_them_again(desk: Desk) -> None:
    desk.keeps = False
    inbox = desk.inbox()
    await settled(await inbox.receive(message("m1")))
    await quiet(inbox)
    assert [(row["stage"], row["body"], row["replies"]) for row in await desk.rows()] == [(2, "", "")]
    assert (await settled(await inbox.receive(message("m1")))).replies == ()
    await inbox.close()


async def test_each_person_is_answered_in_order(desk: Desk) -> None:
    async def slower_for_the_first(said: IncomingMessage) -> None:
        for _ in range(20 - int(said.text)):
            await asyncio.sleep(0)

    desk.before_answer = slower_for_the_first
    inbox = desk.inbox()
    expected = [str(number) for number in range(20)]
    tickets = [
        await inbox.receive(message(f"{person.address}{number}", person, text=number))
        for number in expected
        for person in (A, B)
    ]
    for ticket in tickets:
        await settled(ticket)
    for person in (A, B):
        assert [said.text for said in desk.answered if said.person == person] == expected
        assert [text for who, _, text in desk.delivered if who == person.address] == [f"re: {n}" for n in expected]
    await inbox.close()


async def test_nobody_waits_for_another_person(desk: Desk) -> None:
    go = asyncio.Event()

    async def hold_a(said: IncomingMessage) -> None:
        if said.person == A:
            await go.wait()

    desk.before_answer = hold_a
    inbox = desk.inbox()
    slow = await inbox.receive(message("slow", A))
    for number in range(30):
        person = Person("recorder", f"p{number}")
        await settled(await inbox.receive(message(f"m{number}", person)))
    assert not slow.done.done()
    go.set()
    await settled(slow)
    await inbox.close()


def keep(tx: Transaction, id_: str, *, stage: int, hours_ago: float = 0.0, address: str = "a") -> None:
    """Leave a message as a crash would have left it."""
    at = (NOON - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    body = '{"at": "2026-11-23T05:00:00.000Z", "text": "stored words"}'
    assert messages.take(tx, person=Person("recorder", address), message_id=id_, body=body, at=at)
    if stage >= 1:
        replies = '{"replies": [{"text": "stored reply"}], "erased": false}'
        messages.mark_answered(tx, channel="recorder", message_id=id_, replies=replies)
    if stage == 2:
        messages.mark_delivered(tx, "recorder", [id_], keep_replies=True)


async def test_what_a_crash_left_is_taken_up_where_it_stood(desk: Desk) -> None:
    def crash(tx: Transaction) -> None:
        keep(tx, "received", stage=0)
        keep(tx, "answered", stage=1)
        keep(tx, "delivered", stage=2)
        keep(tx, "received yesterday", stage=0, hours_ago=23, address="b")
        keep(tx, "answered yesterday", stage=1, hours_ago=23, address="b")
        keep(tx, "received too long ago", stage=0, hours_ago=25, address="c")
        keep(tx, "answered too long ago", stage=1, hours_ago=25, address="c")

    await desk.store.write(crash)
    inbox = desk.inbox()
    assert await inbox.recover() == 4
    await quiet(inbox)
    assert sorted(desk.delivered) == [
        ("a", "answered", "stored reply"),
        ("a", "received", "re: stored words"),
        ("b", "answered yesterday", "stored reply"),
        ("b", "received yesterday", "re: stored words"),
    ]
    assert [id_ for who, id_, _ in desk.delivered if who == "a"] == ["received", "answered"]
    assert sorted(await desk.effects()) == ["received", "received yesterday"]
    assert await inbox.recover() == 0
    await inbox.close()


async def test_an_unreachable_platform_keeps_the_reply_until_it_is_back(desk: Desk) -> None:
    away = True

    async def platform(_: str) -> None:
        if away:
            raise Unreachable("The platform is down.")

    desk.before_delivery = platform
    inbox = desk.inbox()
    await inbox.receive(message("m1"))
    await quiet(inbox)
    assert await inbox.recover() == 1
    await quiet(inbox)
    assert desk.delivered == []
    away = False
    assert await inbox.recover() == 1
    await quiet(inbox)
    assert desk.delivered == [("a", "m1", "re: m1")]
    assert await desk.effects() == ["m1"]
    await inbox.close()


async def test_a_repeat_of_an_undelivered_message_doubles_nothing_beside_it(desk: Desk) -> None:
    """A message that arrives in one group with the repeat of an unfinished one is done once all the same."""
    away = True

    async def platform(_: str) -> None:
        if away:
            raise Unreachable("The platform is down.")

    desk.before_delivery = platform
    inbox = desk.inbox()
    await inbox.receive(message("old"))
    await quiet(inbox)
    away = False
    tickets = await asyncio.gather(
        inbox.receive(message("old")), inbox.receive(message("new", B)), inbox.receive(message("newer", B))
    )
    for ticket in tickets:
        await settled(ticket)
    await quiet(inbox)
    assert sorted(await desk.effects()) == ["new", "newer", "old"]
    assert sorted(id_ for _, id_, _ in desk.delivered) == ["new", "newer", "old"]
    await inbox.close()


async def test_looking_for_unfinished_messages_at_any_moment_doubles_nothing(desk: Desk) -> None:
    inbox = desk.inbox()
    stop = False

    async def sweep() -> None:
        while not stop:
            await inbox.recover()

    sweeping = [asyncio.create_task(sweep()) for _ in range(3)]
    ids = [f"m{number}" for number in range(300)]
    for start in range(0, 300, 20):
        tickets = await asyncio.gather(
            *(
                inbox.receive(message(id_, Person("recorder", f"p{int(id_[1:]) % 7}")))
                for id_ in ids[start : start + 20]
            )
        )
        for ticket in tickets:
            await settled(ticket)
    stop = True
    await asyncio.gather(*sweeping)
    await quiet(inbox)
    assert sorted(await desk.effects()) == sorted(ids)
    assert sorted(id_ for _, id_, _ in desk.delivered) == sorted(ids)
    await inbox.close()


async def test_two_bots_on_one_database_do_each_message_once(desk: Desk) -> None:
    """`python -m bot chat` beside a running server takes its unfinished messages up, which must not double them."""
    go = asyncio.Event()
    desk.before_answer = lambda _: go.wait()
    server, terminal = desk.inbox(), desk.inbox()
    ticket = await server.receive(message("m1"))
    assert await terminal.recover() == 1
    go.set()
    assert (await settled(ticket)).replies == (Reply("re: m1"),)
    await quiet(server)
    await quiet(terminal)
    assert len(desk.answered) == 2
    assert await desk.effects() == ["m1"]
    await server.close()
    await terminal.close()


async def test_a_message_that_breaks_does_not_silence_its_person(desk: Desk) -> None:
    async def break_on_bad(said: IncomingMessage) -> None:
        if said.text == "bad":
            raise RuntimeError("a bug")

    desk.before_answer = break_on_bad
    inbox = desk.inbox()
    tickets = [await inbox.receive(message(text, text=text)) for text in ("first", "bad", "last")]
    assert (await settled(tickets[2])).replies == (Reply("re: last"),)
    assert tickets[1].done.cancelled()
    assert await desk.effects() == ["first", "last"]
    assert [row["stage"] for row in await desk.rows()][1] == 0
    await inbox.close()


async def test_an_effect_that_cannot_be_kept_leaves_no_trace(desk: Desk) -> None:
    inbox = desk.inbox()
    answer = desk.answer

    async def broken(said: IncomingMessage, session: PersonState | None = None) -> Answer:
        good = await answer(said, session)

        def commit(tx: Transaction) -> None:
            good.commit(tx)
            tx.run("INSERT INTO dialogs (person_id, state, updated_at) VALUES (999, '', '')")

        return Answer(good.replies, commit)

    desk.answer = broken  # type: ignore[method-assign]
    inbox = desk.inbox()
    await inbox.receive(message("m1"))
    await quiet(inbox)
    assert await desk.effects() == []
    assert desk.delivered == []
    desk.answer = answer  # type: ignore[method-assign]
    repaired = desk.inbox()
    await repaired.recover()
    await quiet(repaired)
    assert await desk.effects() == ["m1"]
    await inbox.close()
    await repaired.close()


async def test_a_store_that_fails_for_a_while_loses_and_doubles_nothing(desk: Desk, path: Path) -> None:
    await desk.store.write(lambda tx: tx.all("PRAGMA busy_timeout = 20"))
    tried = asyncio.Event()

    async def note(_: IncomingMessage) -> None:
        if desk.answered:
            tried.set()

    desk.before_answer = note
    inbox = desk.inbox()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        hold = asyncio.Event()
        desk.before_answer = lambda _: hold.wait()
        ticket = await inbox.receive(message("m1"))
        other.execute("BEGIN IMMEDIATE")
        desk.before_answer = note
        hold.set()
        await asyncio.wait_for(tried.wait(), SECONDS)  # it was tried, failed, and is tried again
        with pytest.raises(StoreUnavailable):
            await inbox.receive(message("refused"))  # not safe, so not taken: the platform sends it again
        assert not ticket.done.done()
        other.execute("ROLLBACK")
    assert (await settled(ticket)).replies == (Reply("re: m1"),)
    await settled(await inbox.receive(message("refused")))
    await quiet(inbox)
    assert await desk.effects() == ["m1", "refused"]
    assert [row["stage"] for row in await desk.rows()] == [2, 2]
    await inbox.close()


async def test_a_flood_stops_one_person_only(desk: Desk) -> None:
    inbox = desk.inbox(per_minute=5)
    for number in range(5):
        await inbox.receive(message(f"a{number}"))
    with pytest.raises(Flooded) as flooded:
        await inbox.receive(message("a5"))
    assert 0 < flooded.value.retry_after <= 12
    await settled(await inbox.receive(message("b0", B)))
    await quiet(inbox)
    assert "a5" not in await desk.effects()
    await inbox.close()


SCREENED: list[tuple[str, str, tuple[str, ...]]] = [
    ("mã OTP của tôi là 482913", "mã OTP của tôi là …", ("otp",)),
    ("cccd 026199001234 nhé", "cccd … nhé", ("identity",)),
    ("mật khẩu là Hoa@1990", "mật khẩu là …", ("password",)),
    ("a\x00b\u202ec\u200b", "abc", ()),
    ("  nhiều   khoảng  trắng ", "nhiều khoảng trắng", ()),
    ("x" * 2001, "", (TOO_LONG,)),
    ("x" * 2000, "x" * 2000, ()),
]


@pytest.mark.parametrize(("typed", "kept", "withheld"), SCREENED, ids=[row[0][:12] for row in SCREENED])
async def test_what_must_not_be_stored_is_not(
    desk: Desk, path: Path, typed: str, kept: str, withheld: tuple[str, ...]
) -> None:
    go = asyncio.Event()
    desk.before_answer = lambda _: go.wait()
    inbox = desk.inbox()
    ticket = await inbox.receive(message("m1", text=typed))
    stored = path.read_bytes() + path.with_name("bot.db-wal").read_bytes()
    go.set()
    await settled(ticket)
    assert [(said.text, said.withheld) for said in desk.answered] == [(kept, withheld)]
    for secret in ("482913", "026199001234", "Hoa@1990", "x" * 2001):
        assert secret.encode() not in stored
    await inbox.close()


async def test_a_value_that_cannot_be_written_harms_no_other(desk: Desk) -> None:
    inbox = desk.inbox()
    good = inbox.receive(message("good"))
    with pytest.raises(TypeError):
        await inbox.receive(message("bad", choice="\ud800"))
    also_good = inbox.receive(message("also good", B))
    for future in (good, also_good):
        await settled(await future)
    await inbox.close()


async def test_deleted_is_said_when_it_is_true_of_the_files(desk: Desk, path: Path) -> None:
    person = Person("recorder", "zqx-address-zqx")
    inbox = desk.inbox()
    for number in range(8):
        await settled(await inbox.receive(message(f"m{number}", person, text=f"zqx words {number} zqx")))
    assert b"zqx" in path.with_name("bot.db-wal").read_bytes()
    outcome = await settled(await inbox.receive(message("m9", person, text="erase me")))
    assert outcome.erased
    for name in ("bot.db", "bot.db-wal"):
        assert b"zqx" not in path.with_name(name).read_bytes()
    assert [(row["message_id"], row["address"], row["stage"]) for row in await desk.rows()] == [("m9", "", 2)]
    await inbox.close()


async def test_closing_finishes_what_is_under_way(desk: Desk) -> None:
    inbox = desk.inbox()
    futures = [inbox.receive(message(f"m{number}", Person("recorder", f"p{number % 9}"))) for number in range(100)]
    await inbox.close()
    assert all(future.done() for future in futures)
    assert len(await desk.effects()) == 100
    assert {row["stage"] for row in await desk.rows()} == {2}


async def test_what_closing_cannot_wait_for_is_taken_up_later(desk: Desk) -> None:
    desk.before_answer = lambda _: asyncio.Event().wait()
    inbox = desk.inbox()
    ticket = await inbox.receive(message("m1"))
    await inbox.close(seconds=0.01)
    assert ticket.done.cancelled()
    desk.before_answer = None
    later = desk.inbox()
    assert await later.recover() == 1
    await quiet(later)
    assert await desk.effects() == ["m1"]
    await later.close()


HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("says"), st.integers(0, 12), st.integers(0, 2)),
        st.tuples(st.just("platform"), st.booleans(), st.just(0)),
        st.tuples(st.just("sweep"), st.just(0), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@hypothesis_settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(happenings=HAPPENINGS)
def test_whatever_happens_effects_are_once(tmp_path: Path, happenings: list[tuple[str, int | bool, int]]) -> None:
    """Messages, repeats, an absent platform, sweeps and restarts in any order: each effect once, all delivered."""
    for old in tmp_path.iterdir():
        old.unlink()

    async def run() -> None:
        store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
        desk = Desk(store)
        there = True

        async def platform(_: str) -> None:
            if not there:
                raise Unreachable("away")

        desk.before_delivery = platform
        inbox = desk.inbox()
        said: set[str] = set()
        try:
            for what, value, who in happenings:
                if what == "says":
                    id_ = f"m{value}-{who}"
                    said.add(id_)
                    await inbox.receive(message(id_, Person("recorder", f"p{who}")))
                elif what == "platform":
                    there = bool(value)
                elif what == "sweep":
                    await inbox.recover()
                elif what == "restart":
                    await inbox.close(seconds=0)
                    inbox = desk.inbox()
                    await inbox.recover()
                else:
                    await quiet(inbox)
            there = True
            await quiet(inbox)
            await inbox.recover()
            await quiet(inbox)
            assert sorted(await desk.effects()) == sorted(said)
            assert {id_ for _, id_, _ in desk.delivered} == said
        finally:
            await inbox.close()
            await store.close()

    asyncio.run(run())


async def test_forgetting_a_person_leaves_others_and_what_waits(desk: Desk) -> None:
    """Answered messages go, delivered or not; the one being answered keeps its address until its reply has left."""

    def work(tx: Transaction) -> None:
        for id_, stage in (("old", 2), ("on its way", 1), ("deletes", 1), ("waits", 0)):
            keep(tx, id_, stage=stage)
        keep(tx, "other's", stage=2, address="b")
        messages.forget_person(tx, A)

    await desk.store.write(work)
    assert [row["message_id"] for row in await desk.rows()] == ["deletes", "waits", "other's"]

    def all_of_it(tx: Transaction) -> None:
        messages.forget_all(tx, A)
        people.mark_gone(tx, A, "")

    await desk.store.write(all_of_it)
    assert [row["message_id"] for row in await desk.rows()] == ["other's"]


async def test_an_answer_that_needs_no_waiting_is_stored_with_its_message(desk: Desk, path: Path) -> None:
    """When the platform is told "taken", the answer is kept too, and the citizen's words were never written down."""
    hold = asyncio.Event()
    desk.before_delivery = lambda _: hold.wait()
    inbox = desk.inbox()
    ticket = await inbox.receive(message("m1", text="zqx words zqx"))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT stage, body, (SELECT COUNT(*) FROM audit) FROM inbox").fetchall() == [(1, "", 1)]
    assert not ticket.done.done()
    hold.set()
    await settled(ticket)
    await quiet(inbox)
    assert [row["stage"] for row in await desk.rows()] == [2]
    await inbox.close()


async def test_repeats_among_new_messages_harm_none(desk: Desk) -> None:
    """A platform that is not sure sends a batch again: old ids and new ones, several of one person, all at once."""
    inbox = desk.inbox()
    for ticket in await asyncio.gather(
        *(inbox.receive(message(f"old{n}", Person("recorder", f"p{n}"))) for n in (1, 2))
    ):
        await settled(ticket)
    await quiet(inbox)
    again = desk.inbox()  # after a restart nothing is known from memory
    batch = [("old1", "p1"), ("new1", "p1"), ("new2", "p2"), ("new2", "p2"), ("old2", "p2"), ("new3", "p3")]
    tickets = await asyncio.gather(*(again.receive(message(id_, Person("recorder", who))) for id_, who in batch))
    assert [(id_, ticket.fresh) for (id_, _), ticket in zip(batch, tickets, strict=True)] == [
        ("old1", False), ("new1", True), ("new2", True), ("new2", False), ("old2", False), ("new3", True),
    ]  # fmt: skip
    for (id_, _), ticket in zip(batch, tickets, strict=True):
        assert (await settled(ticket)).replies == (Reply(f"re: {id_}"),)
    await quiet(again)
    assert sorted(await desk.effects()) == ["new1", "new2", "new3", "old1", "old2"]
    assert len(desk.delivered) == 5
    await inbox.close()
    await again.close()


async def test_one_whose_records_changed_meanwhile_harms_no_other(desk: Desk) -> None:
    """An effect that is outdated when it is written has its message answered anew; the others of the group stand."""
    changed, answer = False, desk.answer

    async def forestalled(said: IncomingMessage, session: PersonState | None = None) -> Answer:
        good = await answer(said, session)

        def commit(tx: Transaction) -> None:
            nonlocal changed
            good.commit(tx)
            if said.id == "m1" and not changed:
                changed = True
                people.see(tx, 999, said.person, at="")

        return Answer(good.replies, commit)

    desk.answer = forestalled  # type: ignore[method-assign]
    inbox = desk.inbox()
    for ticket in await asyncio.gather(inbox.receive(message("m1", A)), inbox.receive(message("m2", B))):
        await settled(ticket)
    await quiet(inbox)
    assert changed
    assert sorted(await desk.effects()) == ["m1", "m2"]
    assert [row["stage"] for row in await desk.rows()] == [2, 2]
    await inbox.close()
