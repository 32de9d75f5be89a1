"""The line on a terminal that shows what a long command does."""

from __future__ import annotations

import io
import threading

import pytest

from bot.commands.progress import progress


class Terminal(io.StringIO):
    """Remembers what is written, and lets a test wait for words."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        with self.changed:
            length = super().write(text)
            self.changed.notify_all()
        return length

    def wait_for(self, words: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: words in self.getvalue(), timeout=10)


def test_terminal_shows_work_share_and_seconds_then_nothing() -> None:
    terminal = Terminal()
    with progress("Counting", stream=terminal, patience=0, tick=0.001) as line:
        terminal.wait_for("Counting … 0 s")
        line.tell(3, 4)
        terminal.wait_for("Counting … 75 %, 0 s")
        line.tell(0, 0)
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_short_work_shows_nothing() -> None:
    terminal = Terminal()
    with progress("Counting", stream=terminal, patience=60):
        pass
    assert terminal.getvalue() == "\r\x1b[K"


def test_other_stream_than_a_terminal_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    with progress("Counting", stream=stream, patience=0) as line:
        line.say("people: 5 rows")
    assert stream.getvalue() == ""
    assert capsys.readouterr().out == "people: 5 rows\n"


def test_line_said_meanwhile_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    with progress("Moving", stream=terminal, patience=0, tick=0.001) as line:
        terminal.wait_for("Moving")
        line.say("people: 5 rows")
    assert capsys.readouterr().out == "people: 5 rows\n"


def test_error_of_the_work_ends_the_line() -> None:
    terminal = Terminal()
    with pytest.raises(ValueError, match="no"), progress("Counting", stream=terminal, patience=0, tick=0.001):
        raise ValueError("no")
    assert terminal.getvalue().endswith("\r\x1b[K")
