"""What people took back stays taken back: no older copy of the records brings it again."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.backup.backup import back_up
from bot.backup.move import move
from bot.backup.restore import Restored, restore
from bot.backup.revocations import FILE, Journal, read
from bot.clock import stamp
from bot.errors import StoreUnavailable
from bot.message import IncomingMessage, Person
from bot.runtime.build import Service, open_service
from bot.serialization import dump_message
from bot.settings import Settings
from bot.store import Transaction, messages, open_store, people, tallies
from bot.store.introspection import tables
from bot.store.revocations import CONSENT, PERSON, Revocation
from handlers import ROUTES
from tests.conftest import FrozenClock, Recorder, Talk
from tests.support.engines import Engine, PostgresServer
from tests.support.processes import run_command

SAID = (
    "quên mật khẩu thì làm sao",
    "/baocai",
    "vinh tuong",
    "yen lac",
    "/nhacnho",
    "/dulieu",
    "/canbo",
    "1",
    "tôi không đăng nhập được",
    "/lienket",
    "cai tren iphone",
)
CHOICES = ("report:agree", "reminders:on", "privacy:export", "helped:no")


@asynccontextmanager
async def running(settings: Settings, engine: Engine, clock: FrozenClock, recorder: Recorder) -> AsyncIterator[Service]:
    settings = settings.model_copy(update={"database": engine.url})
    async with open_service(settings, ROUTES, now=clock, extra_channels=[recorder]) as service:
        yield service


_NUMBERS = itertools.count(1)  # of messages: each is a new one


def citizen(service: Service, recorder: Recorder, name: str = "citizen-1") -> Talk:
    return Talk(service, recorder, Person(recorder.name, name), _NUMBERS)


async def talk_at_random(
    service: Service, recorder: Recorder, names: list[str], draw: random.Random, times: int
) -> None:
    talks = [citizen(service, recorder, name) for name in names]
    for _ in range(times):
        talk = draw.choice(talks)
        if draw.random() < 0.4:
            await talk.say(choice=draw.choice(CHOICES))
        else:
            await talk.say(draw.choice(SAID))


async def number_of(service: Service, name: str) -> int:
    row = await service.store.read(lambda tx: people.find(tx, Person("recorder", name)))
    assert row is not None
    return int(row["id"])


async def traces(url: str, name: str, number: int) -> dict[str, int]:
    """Count the rows of every table that name somebody by address or number."""

    def work(tx: Transaction) -> dict[str, int]:
        found = {}
        for table in tables():
            rows = tx.all(f"SELECT {', '.join(table.columns)} FROM {table.name}")
            own = table.columns.index("person_id") if "person_id" in table.columns else None
            found[table.name] = sum(
                any(isinstance(value, str) and name in value for value in row)  # type: ignore[attr-defined]
                or (own is not None and row[own] == number)
                for row in rows
            )
        return {table: count for table, count in found.items() if count}

    store = open_store(url)
    try:
        return await store.read(work)
    finally:
        await store.close()


async def restored(settings: Settings, url: str, path: Path, clock: FrozenClock) -> Restored:
    return await restore(url, path, at=clock(), data=settings.data_folder, actor="test", zone=settings.zone)


@pytest.mark.parametrize(("lost", "seed"), [(False, 1), (True, 2)], ids=["database there", "database lost"])
async def test_who_had_everything_deleted_after_a_backup_is_in_no_table_after_restoring(
    settings: Settings,
    engine: Engine,
    clock: FrozenClock,
    recorder: Recorder,
    tmp_path: Path,
    lost: bool,
    seed: int,
    request: pytest.FixtureRequest,
) -> None:
    draw, path = random.Random(seed), tmp_path / "backup.db"
    names = [f"citizen-{letter}-" for letter in "abcdefgh"]
    async with running(settings, engine, clock, recorder) as service:
        early = citizen(service, recorder, names[-1])
        await early.say("/menu")
        await early.say(choice="privacy:erase")  # and is back before the backup
        clock.forward(seconds=1)
        await talk_at_random(service, recorder, names, draw, 60)
        for name in names:
            await citizen(service, recorder, name).say("/start")
        numbers = {name: await number_of(service, name) for name in names}
        await back_up(engine.url, path, at=clock(), actor="test")
        clock.forward(minutes=5)
        await talk_at_random(service, recorder, names, draw, 20)
        gone = draw.sample(names[:-1], 3)
        for name in gone:
            assert "Mã xác nhận" in await citizen(service, recorder, name).say(choice="privacy:erase")
        clock.forward(seconds=1)
        await citizen(service, recorder, gone[0]).say("/menu")  # comes again: that is lost with the rest
        await talk_at_random(service, recorder, [name for name in names if name not in gone], draw, 10)
    url = engine.url
    if lost:
        if engine.name == "sqlite":
            for old in tmp_path.glob("bot.db*"):
                old.unlink()
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            url = server.empty()
    done = await restored(settings, url, path, clock)
    assert done.again.people == 3
    for name in gone:
        assert await traces(url, name, numbers[name]) == {}, name
    for name in set(names) - set(gone):
        assert (await traces(url, name, numbers[name]))["people"] == 1
    store = open_store(url)
    assert await store.read(tallies.disagreements) == []
    await store.close()
    # and once more, from what was restored: it knows by itself by now
    (settings.data_folder / FILE).unlink()
    clock.forward(seconds=1)
    assert (await restored(settings, url, path, clock)).again.people == 3
    assert await traces(url, gone[0], numbers[gone[0]]) == {}


async def test_what_was_withdrawn_after_a_backup_stays_withdrawn(
    settings: Settings, engine: Engine, clock: FrozenClock, recorder: Recorder, tmp_path: Path
) -> None:
    path = tmp_path / "backup.db"
    async with running(settings, engine, clock, recorder) as service:
        talk = citizen(service, recorder)
        other = citizen(service, recorder, "citizen-2")
        for one in (talk, other):
            await one.say("/nhacnho")
            await one.press("Có, hãy nhắc tôi")
            await one.say("/baocai")
            await one.say("đồng ý")
            await one.say("vneid, vinh tuong")
        number, remains = await number_of(service, "citizen-1"), await number_of(service, "citizen-2")
        await back_up(engine.url, path, at=clock(), actor="test")
        clock.forward(hours=1)
        await talk.say("DUNG")
        await talk.say("/suabaocai")
        await talk.press("Tôi chưa cài")
    done = await restored(settings, engine.url, path, clock)
    assert (done.again.consents, done.again.reports) == (2, 1)
    open_ = "SELECT person_id FROM consents WHERE withdrawn_at IS NULL GROUP BY person_id"
    assert engine.rows(open_) == [(remains,)]
    assert engine.rows("SELECT person_id FROM reports") == [(remains,)]
    assert engine.rows(f"SELECT change FROM report_history WHERE person_id = {number} ORDER BY id DESC LIMIT 1") == [
        ("withdrawn",)
    ]


async def test_a_first_message_that_waited_is_not_answered_after_its_writer_left(
    settings: Settings, engine: Engine, clock: FrozenClock, recorder: Recorder, tmp_path: Path
) -> None:
    path, store = tmp_path / "backup.db", open_store(engine.url)

    def wait(tx: Transaction) -> None:
        # As it stands between storing a message that takes its time and answering it.
        for name, at in (("citizen-1", clock()), ("citizen-2", clock().replace(hour=1))):
            message = IncomingMessage(person=Person(recorder.name, name), id=f"{name}-0", at=at, text="/menu")
            body = dump_message(message)
            messages.take(tx, person=message.person, message_id=message.id, body=body, at=stamp(at))

    await store.write(wait)
    await store.close()
    await back_up(engine.url, path, at=clock(), actor="test")
    clock.forward(seconds=2)
    async with running(settings, engine, clock, recorder) as service:  # answers both
        await citizen(service, recorder).say(choice="privacy:erase")
    await restored(settings, engine.url, path, clock)
    assert engine.rows("SELECT address FROM inbox WHERE stage < 2") == [("citizen-2",)]


async def test_moving_an_old_copy_leaves_them_out_too(
    settings: Settings, clock: FrozenClock, recorder: Recorder, tmp_path: Path
) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    async with running(settings, engine, clock, recorder) as service:
        talk = citizen(service, recorder)
        await talk.say("/menu")
        number = await number_of(service, "citizen-1")
        await service.store.write(lambda tx: tx.one("SELECT 1"))
    old = tmp_path / "old.db"
    old.write_bytes((tmp_path / "bot.db").read_bytes())
    async with running(settings, engine, clock, recorder) as service:
        await citizen(service, recorder).say(choice="privacy:erase")
    target = f"sqlite:///{tmp_path / 'new.db'}"
    await move(
        f"sqlite:///{old}",
        target,
        at=clock(),
        actor="test",
        tell=lambda line: None,
        data=settings.data_folder,
        zone=settings.zone,
    )
    assert await traces(target, "citizen-1", number) == {}


async def test_the_file_names_nobody_and_forgets(
    settings: Settings, clock: FrozenClock, recorder: Recorder, tmp_path: Path
) -> None:
    engine = Engine("sqlite", f"sqlite:///{tmp_path / 'bot.db'}")
    file = settings.data_folder / FILE
    async with running(settings, engine, clock, recorder) as service:
        talk = citizen(service, recorder)
        await talk.say("/menu")
        number, since = await number_of(service, "citizen-1"), stamp(clock())
        clock.forward(hours=1)
        await talk.say(choice="privacy:erase")
        await service.keep_revocations()
        await service.keep_revocations()
        assert read(settings.data_folder) == [Revocation(PERSON, number, since, stamp(clock()))]
    assert "citizen" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    with file.open("ab") as half:  # as a crash leaves it
        half.write(b'["person",12,"2026-')
    assert len(read(settings.data_folder)) == 1
    clock.forward(days=settings.privacy.revocation_days)
    async with running(settings, engine, clock, recorder) as service:
        await service.keep_revocations()
        assert len(read(settings.data_folder)) == 1
    clock.forward(days=1)
    async with running(settings, engine, clock, recorder) as service:
        await service.keep_revocations()
    assert read(settings.data_folder) == []
    assert engine.rows("SELECT COUNT(*) FROM revocations") == [(0,)]


async def test_a_file_that_cannot_be_written_is_said_and_made_up_for(
    settings: Settings, service: Service, talk: Talk, clock: FrozenClock
) -> None:
    await talk.say("/menu")
    await service.keep_revocations()
    await talk.say(choice="privacy:erase")
    folder = settings.data_folder / FILE
    folder.unlink(missing_ok=True)
    folder.mkdir()
    with pytest.raises(StoreUnavailable, match=r"revocations\.jsonl cannot be written"):
        await service.keep_revocations()
    folder.rmdir()
    await service.keep_revocations()
    assert [one.subject for one in read(settings.data_folder)] == [PERSON]


async def test_an_erasure_says_all_about_what_was_withdrawn_before(service: Service, talk: Talk) -> None:
    await talk.say("/nhacnho")
    await talk.press("Có, hãy nhắc tôi")
    await talk.say("DUNG")
    subjects = "SELECT subject FROM revocations"
    assert [row["subject"] for row in await service.store.read(lambda tx: tx.all(subjects))] == [CONSENT]
    await talk.say(choice="privacy:erase")
    assert [row["subject"] for row in await service.store.read(lambda tx: tx.all(subjects))] == [PERSON]


async def test_the_commands_do_it_too(tmp_path: Path) -> None:
    """`forget`, then `restore` of a backup from before, which says what it left out."""
    store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    await store.write(lambda tx: people.remember(tx, Person("recorder", "citizen-1"), source="", at="2026-11-23T05"))
    await store.close()
    path = tmp_path / "backup.db"
    assert run_command("backup", str(path), data=tmp_path, BOT_DATA=str(tmp_path)).returncode == 0
    forgotten = run_command("forget", "1", data=tmp_path, BOT_DATA=str(tmp_path))
    assert (forgotten.returncode, forgotten.stdout) == (0, "Deleted: person 1.\n")
    for old in tmp_path.glob("bot.db*"):
        old.unlink()
    done = run_command("restore", str(path), data=tmp_path, BOT_DATA=str(tmp_path))
    assert done.stdout.splitlines()[-1] == "Taken back since and so not restored: 1 people, 0 consents, 0 reports."


async def test_a_journal_of_another_process_is_added_to(settings: Settings, service: Service, talk: Talk) -> None:
    """Two processes on one folder: each writes what it finds, and neither takes the other's lines away."""
    await talk.say("/menu")
    mine, other = Journal(settings.data_folder), Journal(settings.data_folder)
    at, days = service.clock(), settings.privacy.revocation_days
    await mine.keep(service.store, at=at, days=days)
    await other.keep(service.store, at=at, days=days)
    await talk.say(choice="privacy:erase")
    for journal in (mine, other, mine):
        await journal.keep(service.store, at=at, days=days)
    assert len(set(read(settings.data_folder))) == 1
