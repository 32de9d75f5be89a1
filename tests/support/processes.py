"""A real bot in a process of its own, for tests that kill it or look at it from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from queue import Empty, Queue

from tests.conftest import ROOT
from tests.support.leak_check import keys_in, of_records, told

START_SECONDS = 60


class RunningBot:
    """`python -m bot run` on a free port that it keeps over restarts."""

    def __init__(self, data: Path, **environment: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BOT_")},
            "BOT_DATABASE": f"sqlite:///{data / 'bot.db'}",
            **environment,
        }
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self._lines: Queue[str] = Queue()
        self.said: list[str] = []  # everything it ever wrote, over restarts
        self.shown: list[str] = []  # its figures before each stop

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What a command needs to work on the same records."""
        return self._environment

    def start(self) -> None:
        """Start and wait until the web chat can be reached."""
        environment = {**self._environment, "BOT_WEB__PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._process = process
        lines = self._lines = Queue[str]()
        self._reader = threading.Thread(target=_read, args=(process, lines, self.said), daemon=True)
        self._reader.start()
        said = []
        while True:
            try:
                said.append(lines.get(timeout=START_SECONDS))
            except Empty:
                raise AssertionError(f"the bot did not start: {''.join(said)}") from None
            if match := re.search(r"Web chat: http://127\.0\.0\.1:(\d+)", said[-1]):
                self.port = int(match[1])
                return
            assert process.poll() is None, f"the bot ended: {''.join(said)}"

    def wait_for(self, words: str) -> str:
        """Wait until it writes a line with these words, and return the line."""
        said = []
        while True:
            try:
                said.append(self._lines.get(timeout=START_SECONDS))
            except Empty:
                raise AssertionError(f"{words!r} was not said: {''.join(said)}") from None
            if words in said[-1]:
                return said[-1]

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._reader.join()
        # Its records stay untouched until it starts again; who stands in them is looked for when it stops.
        found = told("".join(self.said), keys_in(self._environment))
        assert not found, found

    def stop(self) -> int:
        """End it as an operator would, and see that it told nothing about anybody; returns the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self.shown.append(self._figures())
            self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(timeout=20)
        self._reader.join()
        assert not self.told(), self.told()
        return status

    def command(self, *arguments: str) -> str:
        """Run another command on the same records and return what it prints, which tells nothing about anybody."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        found = self._told_by(done.stdout + done.stderr)
        assert not found, found
        assert done.returncode == 0, done.stderr
        return done.stdout

    def told(self) -> list[str]:
        """List what it wrote and showed of keys, and of people who stand in its records."""
        return self._told_by("".join(self.said + self.shown))

    def _told_by(self, text: str) -> list[str]:
        return told(text, keys_in(self._environment)) + of_records(self._environment["BOT_DATABASE"]).told(text)

    def _figures(self) -> str:
        """Return the names and labels in /metrics, without the numbers; empty where nothing answers."""
        with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", "/metrics")
            lines = connection.getresponse().read().decode().splitlines()
            return "\n".join(line.rpartition(" ")[0] for line in lines)
        return ""


def _read(process: subprocess.Popen[str], lines: Queue[str], said: list[str]) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            said.append(line)
            lines.put(line)


@contextmanager
def running_bot(data: Path, **environment: str) -> Iterator[RunningBot]:
    """Run a bot for the length of a test."""
    bot = RunningBot(data, **environment)
    bot.start()
    try:
        yield bot
    finally:
        bot.stop()


# Starts the bot without root's right to pass over permissions, and with a limit on the size of files: as root runs
# the tests in containers, and no disk must be filled for them.
_CONFINED = """
import ctypes, os, resource, sys
for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; refused where not root
if size := int(sys.argv[1]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
os.execv(sys.executable, [sys.executable, "-m", "bot", *sys.argv[2:]])
"""


def run_command(
    *arguments: str,
    data: Path,
    stdin: str | bytes = "",
    largest_file: int = 0,
    confined: bool = False,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Run `python -m bot …` on the records in a folder, to its end; `confined` means without root's privileges."""
    program = ["-c", _CONFINED, str(largest_file)] if confined or largest_file else ["-m", "bot"]
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("BOT_")},
            "BOT_DATABASE": f"sqlite:///{data / 'bot.db'}",
            **environment,
        },
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=START_SECONDS,
        check=False,
    )
    found = told((done.stdout + done.stderr).decode(errors="replace"), keys_in(environment))
    assert not found, found
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
