"""The watch over logs, streams and errors catches what it is there for."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree

import pytest

from bot.library.knowledge import Knowledge
from tests.conftest import ROOT, copy_learned
from tests.support.leak_check import HOOK_SECRETS, NAMES
from tests.support.processes import RunningBot, run_command

NAME = NAMES[0]
NUMBER = "0912 345 678".replace(" ", "")  # as a text of this file, it would stand in any error of it
KEY = HOOK_SECRETS["telegram"]

# What a test does → what the watch says of it.
PLANTED: list[tuple[str, str, str]] = [
    ("name_in_log", f"log.info('seen', who={NAME!r})", "a name"),
    ("number_in_log", f"log.warning('seen', sent={NUMBER!r})", "a phone number"),
    ("number_in_a_librarys_log", f"logging.getLogger('library').warning('sent %s', {NUMBER!r})", "a phone number"),
    ("key_in_log", f"log.error('refused', url='https://api.example/bot{KEY}/getMe')", "a key"),
    ("name_in_traceback", f"log.error('failed', exc_info=ValueError({NAME!r}))", "a name"),
    ("name_in_a_childs_stream", f"subprocess.run(['echo', {NAME!r}], check=True)", "a name"),
    ("key_in_a_childs_errors", f"subprocess.run(['sh', '-c', 'echo {KEY} >&2'], check=True)", "a key"),
    ("sentence_that_came_in", "hear('123456789', 'mua xe máy'); print('said: mua xe máy')", "a sentence"),
    ("address_that_came_in", "hear('123456789', 'mua xe máy'); print('to 123456789')", "an address"),
    ("name_in_a_figure", f"service.metrics.failures.add({NAME!r}); await get(service, '/metrics')", "a name"),
    ("number_in_a_refusal", f"refuse({NUMBER!r}); await get(service, '/healthz')", "a phone number"),
    ("nothing_of_anybody", "hear('123456789', 'mua xe máy'); print('a message'); log.info('taken', hours=48)", ""),
]
HEAD = """
import contextlib, logging, subprocess
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from bot.clock import now
from bot.conversation.inbox import Inbox
from bot.message import IncomingMessage, Person
from bot.web import health
from bot.web.app import make_app

log = structlog.get_logger()

def hear(address, text):
    with contextlib.suppress(AttributeError):  # no inbox is open; it is heard before that
        Inbox.receive(None, IncomingMessage(person=Person("telegram", address), id="1", at=now(), text=text))

def refuse(reason):
    async def alive(request):
        raise web.HTTPBadRequest(reason=reason)
    health.alive = alive

async def get(service, path):
    async with TestClient(TestServer(make_app(service))) as client:
        await client.get(path)
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Why each planted test failed in a run of its own, under the hooks of this suite; empty where it passed."""
    folder = tmp_path_factory.mktemp("planted")
    file, report = folder / "test_planted.py", folder / "report.xml"
    bodies = "\n\n".join(
        f"async def test_{name}({'service' if 'service' in line else ''}):\n    {line}" for name, line, _ in PLANTED
    )
    file.write_text(f"{HEAD}\n{bodies}\n", encoding="utf-8")
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-o", "addopts=", "-c", str(ROOT / "pyproject.toml")]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", str(file)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    said: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):  # its end is a case of its own where that failed too
        name = case.attrib["name"].removeprefix("test_")
        said[name] = said.get(name, "") + "".join(case.itertext())
    return said


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, _, kind in PLANTED])
def test_what_a_test_lets_slip_fails_it(verdicts: dict[str, str], name: str, kind: str) -> None:
    found = re.search("written to a log or a stream: (an? [a-z]+(?: number)?)", verdicts[name])
    assert (found[1] if found else verdicts[name]) == kind


@contextmanager
def figures(page: str) -> Iterator[int]:
    """Answer every request with a page; gives the port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        serving = Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def test_what_a_running_bot_shows_or_writes_fails_its_end(tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    bot = RunningBot(tmp_path)
    bot.start()
    assert "bot_store" in bot._figures()
    with (
        figures(f'bot_failures_total{{where="{NAME}"}} 1.0\n') as bot.port,
        pytest.raises(AssertionError, match="a name"),
    ):
        bot.stop()
    bot.shown.clear()
    assert bot.told() == []
    bot.said.append(f"refused: {KEY}")
    with pytest.raises(AssertionError, match="a key"):
        bot.kill()


def test_what_a_command_prints_fails_it(tmp_path: Path) -> None:
    """A wrong setting is repeated in the refusal; here it is somebody's name."""
    wrong = f'["{NAME}"]'
    with pytest.raises(AssertionError, match="a name"):
        RunningBot(tmp_path, BOT_OPERATOR__DAYS_OFF=wrong).command("counts")
    with pytest.raises(AssertionError, match="a name"):
        run_command("counts", data=tmp_path, BOT_OPERATOR__DAYS_OFF=wrong)
