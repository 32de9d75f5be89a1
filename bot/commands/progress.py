"""One line on a terminal that shows what a long command does, for how long, and how far it is.

Commands wrap their work in `progress`. Nothing is shown where standard error is no terminal, nor within the first
second; the line is gone when the work ends.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

OPENING = "Reading the content; the first time, building its search index"
_PATIENCE_SECONDS, _TICK_SECONDS = 1.0, 0.25
_ERASE = "\r\x1b[K"


class Progress:
    """The line of one piece of work; written by a thread of its own, so that it goes on while the work computes."""

    def __init__(self, doing: str, stream: TextIO) -> None:
        self._doing, self._stream = doing, stream
        self._shown, self._share = stream.isatty(), ""
        self._over, self._writing = threading.Event(), threading.Lock()

    def tell(self, number: int, of: int) -> None:
        """Add how far it is: so many of so many; of none, nothing is added."""
        self._share = f" {100 * number // of} %," if of else ""

    def say(self, line: str) -> None:
        """Print a line to standard output without tearing the line of progress."""
        with self._writing:
            self._write("")
            print(line, flush=True)

    def run(self, patience: float, tick: float) -> None:
        """Show the line until it is over, from `patience` seconds on, anew every `tick` seconds."""
        begun = time.monotonic()
        pause = patience
        while not self._over.wait(pause):
            pause = tick
            with self._writing:
                self._write(f"{self._doing} …{self._share} {time.monotonic() - begun:.0f} s")
        self._write("")

    def end(self) -> None:
        """Show nothing any more."""
        self._over.set()

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(_ERASE + text)
            self._stream.flush()


@contextmanager
def progress(
    doing: str, *, stream: TextIO | None = None, patience: float = _PATIENCE_SECONDS, tick: float = _TICK_SECONDS
) -> Iterator[Progress]:
    """Show `doing` with the seconds since the start while the block runs."""
    line = Progress(doing, stream or sys.stderr)
    if not (stream or sys.stderr).isatty():
        yield line
        return
    shower = threading.Thread(target=line.run, args=(patience, tick), daemon=True)
    shower.start()
    try:
        yield line
    finally:
        line.end()
        shower.join()
