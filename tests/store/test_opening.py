"""Databases that cannot be used: each is one clear sentence, exit status 1, and not a byte of the file changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from bot.store import open_store
from tests.conftest import ROOT
from tests.support.processes import run_command

PAGE = 4096


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A database in good order, with a few hundred people, closed."""
    path = tmp_path / "data" / "bot.db"
    store = open_store(f"sqlite:///{path}")
    await store.write(
        lambda tx: [
            tx.run("INSERT INTO people (channel, address, created_at, seen_at) VALUES ('c', :a, '', '')", a=f"{n:0100}")
            for n in range(500)
        ]
    )
    await store.close()
    return path


@contextmanager
def holding(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('bot', 'm999_later', '')"
        )


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")


def bad_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"SQLite format 9\x00")


def no_database(path: Path) -> None:
    path.write_text("Dear diary, " * 500)


def bad_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        for page in range(5, file.tell() // PAGE):
            file.seek(page * PAGE)
            file.write(b"\xde\xad\xbe\xef" * 64)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // PAGE * PAGE)


def nothing(path: Path) -> None:
    pass


Spoil = Callable[[Path], None]
Hold = Callable[[Path], AbstractContextManager[None]]


def free(_: Path) -> AbstractContextManager[None]:
    return nullcontext()


REFUSED: dict[str, tuple[Spoil, Hold, str]] = {
    "a newer version's": (newer, free, "written by a newer version of the bot (unknown migrations: m999_later)"),
    "another program's": (of_another_program, free, "belongs to another program"),
    "locked": (nothing, holding, "is locked by another program"),
    "a read-only file": (nothing, lambda path: mode(path, 0o444), "is read-only"),
    "a file without rights": (nothing, lambda path: mode(path, 0), "cannot be opened"),
    "a read-only folder": (nothing, lambda path: mode(path.parent, 0o555), "is read-only"),
    "a bad header": (bad_header, free, "is damaged or no database"),
    "a diary": (no_database, free, "is damaged or no database"),
    "bad pages": (bad_page, free, "is damaged"),
    "cut short": (cut_short, free, "is damaged"),
}


def check_refusal(done: subprocess.CompletedProcess[str], path: Path, expected: str) -> None:
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert expected in lines[0]
    assert str(path) in lines[0]
    assert lines[0].endswith(".")


@pytest.mark.parametrize("name", REFUSED)
async def test_a_database_that_cannot_be_used(database: Path, name: str) -> None:
    spoil, hold, expected = REFUSED[name]
    spoil(database)
    before = database.read_bytes()
    with hold(database):
        done = run_command("counts", data=database.parent, confined=True)
    check_refusal(done, database, expected)
    assert database.read_bytes() == before
    assert {path.name for path in database.parent.iterdir()} <= {"bot.db", "bot.db-wal", "bot.db-shm"}


@pytest.mark.parametrize(
    "command", [["run"], ["chat"], ["invite", "--role", "admin"], ["forget", "1"], ["role", "list"]]
)
async def test_every_command_says_it_alike(database: Path, command: list[str]) -> None:
    newer(database)
    before = database.read_bytes()
    done = run_command(*command, data=database.parent)
    if command == ["role", "list"]:
        done.stdout = done.stdout.removeprefix("person\tchannel\trole\tscope\tsince\n")
    check_refusal(done, database, "update the bot, or restore an older backup")
    assert database.read_bytes() == before


async def test_a_spoiled_database_is_no_trap(database: Path) -> None:
    """What is refused above is really the spoiling: the same file works before."""
    done = run_command("counts", "--by", "day", data=database.parent, confined=True)
    assert (done.returncode, done.stderr) == (0, "")


PLACES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "the path is a folder": (lambda at: at, "cannot be opened"),
    "the folder is a file": (lambda at: at / "file" / "bot.db", "cannot be made"),
    "the folder may not be made": (lambda at: at / "closed" / "new" / "bot.db", "cannot be made"),
    "nothing there and no right to make it": (lambda at: at / "closed" / "bot.db", "check the path and the rights"),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_that_cannot_hold_a_database(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "closed").mkdir()
    where, expected = PLACES[name]
    path = where(tmp_path)
    with mode(tmp_path / "closed", 0o555):
        done = run_command("counts", data=tmp_path, confined=True, BOT_DATABASE=f"sqlite:///{path}")
    check_refusal(done, path if "made" not in expected else path.parent, expected)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["closed", "file"]
    assert not list((tmp_path / "closed").iterdir())


@pytest.mark.parametrize("new", [True, False], ids=["a new database", "an old one"])
@pytest.mark.parametrize("command", ["counts", "run"])
async def test_no_room_on_the_disk(database: Path, *, new: bool, command: str) -> None:
    """A limit on the size of files stands for the end of the disk."""
    if new:
        database.unlink()
    before = None if new else database.read_bytes()
    done = run_command(command, data=database.parent, largest_file=PAGE)
    check_refusal(done, database, "takes no more")
    assert "make room" in done.stderr
    if not new:
        assert database.read_bytes() == before
    else:
        assert not database.exists() or not database.stat().st_size


FILL = """
set -e
mount -t tmpfs -o size=$(( $(stat -c %s "$1/bot.db") + 65536 )) tmpfs "$2"
cp "$1/bot.db" "$2/bot.db"
dd if=/dev/zero of="$2/filler" bs=4096 status=none || true 2>/dev/null
status=0
"$3" -m bot "$4" || status=$?
cmp "$1/bot.db" "$2/bot.db" >&2
exit $status
"""


def test_a_disk_that_is_really_full(database: Path, tmp_path: Path) -> None:
    """A tiny disk in memory, seen by this one process only."""
    separate = ["unshare", "--mount", "--map-root-user"] if os.getuid() else ["unshare", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*separate, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make a disk in memory; the limit on file sizes above stands for it")
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*separate, "sh", "-c", FILL, "sh", str(database.parent), str(disk), sys.executable, "run"],
        cwd=ROOT,
        env={**os.environ, "BOT_DATABASE": f"sqlite:///{disk / 'bot.db'}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done.stderr = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("dd:"))
    check_refusal(done, disk / "bot.db", "takes no more (No space left on device)")
