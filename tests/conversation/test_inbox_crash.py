"""kill -9 of an inbox at random points while messages pour in: nothing confirmed is lost, nothing is done twice."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.conftest import ROOT
from tests.support.inbox_process import MESSAGES, PEOPLE

KILLS = 12


def run_until(path: Path, first: int, lines: int | None) -> list[list[str]]:
    """Feed in a process of its own and kill it after so many lines; None lets it end by itself."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.inbox_process", str(path), str(first)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    said: list[list[str]] = []
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            if line.endswith("\n"):  # the last one may be torn
                said.append(line.split())
            if len(said) == lines:
                child.kill()
    status = child.wait(timeout=60)
    assert status == (0 if lines is None else -9) or (status == 0 and lines is not None and len(said) < lines)
    return said


def test_killed_at_random_points(tmp_path: Path) -> None:
    draw, path = random.Random(1), tmp_path / "bot.db"
    said: list[list[str]] = []
    first = 0
    for _ in range(KILLS):
        said += run_until(path, first, draw.randint(1, 70))
        confirmed = sorted(words[1] for words in said if words[0] == "confirmed")
        # The platform sends again what was not confirmed, and some of what was.
        first = max(0, int(confirmed[-1][1:]) - draw.randint(0, 25)) if confirmed else 0
    said += run_until(path, max(0, first - 30), None)

    confirmed_ids = {words[1] for words in said if words[0] == "confirmed"}
    delivered = {(words[1], words[2]) for words in said if words[0] == "delivered"}
    with closing(sqlite3.connect(path)) as other:
        effects = other.execute("SELECT actor, detail FROM audit ORDER BY id").fetchall()
        stages = dict(other.execute("SELECT message_id, stage FROM inbox"))
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    times = Counter(id_ for _, id_ in effects)
    assert confirmed_ids <= set(times), "confirmed and lost"
    assert set(times.values()) == {1}, "done twice"
    assert {f"m{number:04}" for number in range(MESSAGES)} == set(times)
    assert set(stages.values()) == {2}
    assert {id_ for id_, _ in delivered} == set(times), "answered and never delivered"
    assert all(text == f"words-{id_[1:]}" for id_, text in delivered), "another's answer"
    assert sum(words[0] == "recovered" and words[1] != "0" for words in said), "no kill left anything to take up"


def test_nobody_is_answered_out_of_order_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    for lines in (5, 9, 17):
        run_until(path, 0, lines)
    run_until(path, 0, None)
    with closing(sqlite3.connect(path)) as other:
        for person in range(PEOPLE):
            ids = [
                row[0] for row in other.execute("SELECT detail FROM audit WHERE actor = ? ORDER BY id", (f"p{person}",))
            ]
            assert ids == sorted(ids)
            assert len(ids) == len({number for number in range(MESSAGES) if number % PEOPLE == person})
