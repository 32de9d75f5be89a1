"""What all tests share: a bot on a database of its own, a clock that stands still, and no way out of this machine."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog
from aiohttp import web

from bot.channels import Ticket
from bot.channels.protocol import Receive
from bot.conversation.inbox import Inbox
from bot.library.knowledge import INDEX_FILE, READING_FILE, Knowledge, load_knowledge
from bot.message import Capabilities, IncomingMessage, Person, Receipt, Reply
from bot.runtime.build import Service, open_service
from bot.settings import Settings
from bot.text.markup import to_plain
from bot.web import app
from handlers import ROUTES
from tests.support.engines import Engine, PostgresServer, start_postgres
from tests.support.leak_check import Overheard, told
from tests.support.property_examples import FUZZ, examples

# Every run tries the same examples, so that it says the same for everybody; `make fuzz` sets FUZZ and tries new ones.
hypothesis.settings.register_profile("tests", derandomize=not FUZZ, deadline=None, max_examples=examples(100))
hypothesis.settings.load_profile("tests")

# The tests start Python hundreds of times: it keeps what it compiled, also where the surroundings forbid that.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# As the product writes, without the values of variables, but with nothing cut out: whatever a test lets slip shows.
LOGGING = (
    structlog.processors.add_log_level,
    structlog.processors.format_exc_info,
    structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
)
structlog.configure(processors=[*LOGGING])

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build"
NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)  # noon in Vietnam


@pytest.fixture(autouse=True)
def _no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail any test that wants to leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test tried to reach {address[0]}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.QueuedMessage, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Fail any test during which a key, or anything about a citizen, stood in a log, a stream, a refusal, a figure.

    Errors are looked at too; not where a test failed by itself, since what it compared is shown there.
    """
    report: pytest.TestReport = yield  # type: ignore[misc,assignment]
    heard = item.stash.get(_OVERHEARD, Overheard())
    said = "\n".join((report.caplog, report.capstdout, report.capstderr, *heard.answers))
    found = told(said) + heard.told(said)
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: written to a log or a stream: {', '.join(found)}\n{said}"
    elif found or told(report.longreprtext):
        report.sections.append(("told", "a log, a stream or an error tells: " + ", ".join(found or ["see above"])))
    return report  # type: ignore[return-value]


_OVERHEARD = pytest.StashKey[Overheard]()


@pytest.fixture(autouse=True)
def _overheard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember who wrote what to any bot of this process, so that no log may repeat it."""
    heard = request.node.stash[_OVERHEARD] = Overheard()
    receive, add_headers = Inbox.receive, app._add_headers

    def listening(self: Inbox, message: IncomingMessage) -> asyncio.Future[Ticket]:
        heard.listen(message)
        return receive(self, message)

    async def reading(request: web.Request, response: web.StreamResponse) -> None:
        heard.read(request, response)
        await add_headers(request, response)

    monkeypatch.setattr(Inbox, "receive", listening)
    monkeypatch.setattr(app, "_add_headers", reading)  # the last to see every answer of the bot's web server


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep BOT_ variables of the machine out of the tests."""
    import os

    for name in list(os.environ):
        if name.startswith("BOT_"):
            monkeypatch.delenv(name)


@dataclass
class FrozenClock:
    """A clock that moves only when a test moves it."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **amount: float) -> None:
        self.at += timedelta(**amount)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


async def eventually(true: Callable[[], object]) -> None:
    """Wait until something holds that another task brings about and that sets no event a test could wait for."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nothing there could set an event
            await asyncio.sleep(0.005)


def copy_learned(folder: Path) -> None:
    """Give a data folder what was learnt from the real content, so that a bot there starts at once."""
    for name in (INDEX_FILE, READING_FILE):
        try:
            os.link(CACHE / name, folder / name)  # thousands of tests: copies would fill the disk
        except OSError:  # another disk
            shutil.copy(CACHE / name, folder / name)


@functools.cache
def _real_knowledge() -> Knowledge:
    CACHE.mkdir(exist_ok=True)
    return load_knowledge(ROOT / "content", CACHE / INDEX_FILE)


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    """The real content with its index, built once and kept for the next run."""
    return _real_knowledge()


@pytest.fixture(autouse=True)
def _real_content_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand the real content, which no test changes, to every bot that opens it; any other folder is really read."""

    def load(folder: Path, cache: Path) -> Knowledge:
        if folder.resolve() == ROOT / "content":
            return replace(_real_knowledge())
        return load_knowledge(folder, cache)

    monkeypatch.setattr("bot.library.knowledge.load_knowledge", load)


# For a test, or a file of them, that must hold on both engines whatever the run is.
ON_BOTH_ENGINES = pytest.mark.parametrize("settings", ["sqlite", "postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)  # what looks into its files


@pytest.fixture
def settings(
    tmp_path: Path, knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Settings:
    """Defaults, the real content, an empty data folder that holds the ready index.

    TEST_ENGINE=postgresql runs every test that asks for them on that engine; ON_BOTH_ENGINES always on both.
    """
    monkeypatch.chdir(ROOT)
    data = tmp_path / "data"
    data.mkdir()
    copy_learned(data)
    database = f"sqlite:///{data / 'bot.db'}"
    if getattr(request, "param", os.environ.get("TEST_ENGINE")) == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    return Settings(database=database, data=str(data), limits={"person_per_minute": 0})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for the whole run."""
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A fresh database of each engine in turn."""
    return new_database(request, tmp_path, PostgresServer.fresh)


def new_database(request: pytest.FixtureRequest, folder: Path, make: Callable[[PostgresServer], str]) -> Engine:
    """Name a database of the engine that a fixture is asked for; a file is made by whoever opens it first."""
    if request.param == "sqlite":
        return Engine("sqlite", f"sqlite:///{folder / 'bot.db'}")
    return Engine("postgresql", make(request.getfixturevalue("postgres")))


@dataclass
class Recorder:
    """A channel that only remembers what it was told to send."""

    name: str = "recorder"
    capabilities: Capabilities = field(default_factory=lambda: Capabilities(longest_text=4000, title="recorder"))
    sent: list[tuple[Person, Reply, str]] = field(default_factory=list)

    async def listen(self, receive: Receive) -> None:
        await asyncio.Event().wait()

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        self.sent.append((to, reply, answering))
        return Receipt(str(len(self.sent)))

    async def close(self) -> None:
        pass


@dataclass
class Talk:
    """One person talking to a running bot: says something, gets the replies of exactly that message."""

    service: Service
    recorder: Recorder
    person: Person
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    replies: list[Reply] = field(default_factory=list)

    async def say(self, text: str = "", *, choice: str = "", **more: str) -> str:
        """Say a text or press a button by its value; returns what the bot answered, as read."""
        message = IncomingMessage(
            person=self.person,
            id=f"{self.person.address}-{next(self.numbers)}",
            at=self.service.clock(),
            text=text,
            choice=choice,
            **more,
        )
        ticket = await self.service.inbox.receive(message)
        self.replies = list((await ticket.done).replies)
        return "\n".join(to_plain(reply.text) for reply in self.replies).replace("\u200b", "")

    async def press(self, label: str) -> str:
        """Press a button of the latest replies by (the beginning of) its label."""
        for reply in reversed(self.replies):
            for button in reply.buttons:
                if button.label.startswith(label):
                    return await self.say(choice=button.choice)
        raise AssertionError(f"no button {label!r} among {self.labels}")

    @property
    def labels(self) -> list[str]:
        return [button.label for reply in self.replies for button in reply.buttons]


OpenBot = Callable[[], AbstractAsyncContextManager[Service]]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def open_bot(settings: Settings, clock: FrozenClock, recorder: Recorder) -> OpenBot:
    """Open the same bot as often as wanted, on one database."""

    @asynccontextmanager
    async def open_() -> AsyncIterator[Service]:
        async with open_service(settings, ROUTES, now=clock, extra_channels=[recorder]) as service:
            yield service

    return open_


@pytest.fixture
async def service(open_bot: OpenBot) -> AsyncIterator[Service]:
    async with open_bot() as running:
        yield running


@pytest.fixture
def talk(service: Service, recorder: Recorder) -> Talk:
    """A citizen at the recorder channel."""
    return Talk(service, recorder, Person(recorder.name, "citizen-1"))


@pytest.fixture
def another(service: Service, recorder: Recorder) -> Callable[[str], Talk]:
    """Make more people."""
    return lambda name: Talk(service, recorder, Person(recorder.name, name))
