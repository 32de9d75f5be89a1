"""Which processes serve from these records now. Each lets its number grow as long as it lives."""

from __future__ import annotations

from datetime import datetime

from bot.store.database import Row, Transaction


def join(tx: Transaction, name: str, *, online: bool, mark: str) -> None:
    """Note a process; `online` tells that it speaks on the platforms, `mark` tells its secret from another."""
    tx.run(
        "INSERT INTO replicas (name, beat, online, mark) VALUES (:name, 0, :online, :mark)",
        name=name,
        online=int(online),
        mark=mark,
    )


def heartbeat(tx: Transaction, name: str) -> bool:
    """Show that a process lives; False when others took it for dead."""
    return bool(tx.run("UPDATE replicas SET beat = beat + 1 WHERE name = :name", name=name))


def present(tx: Transaction) -> list[Row]:
    """List all processes: name, beat, online, mark."""
    return tx.all("SELECT name, beat, online, mark FROM replicas ORDER BY name")


def clock(tx: Transaction) -> datetime:
    """Return the moment when this transaction began by the clock of a database that is shared."""
    row = tx.one("SELECT CURRENT_TIMESTAMP AS began")
    assert row is not None  # it reads no table
    began: datetime = row["began"]
    return began


def leave(tx: Transaction, name: str, *, beat: int | None = None) -> bool:
    """Strike a process off, one that was taken for dead only if its number is still `beat`."""
    hold(tx, name)
    if beat is None:
        return bool(tx.run("DELETE FROM replicas WHERE name = :name", name=name))
    return bool(tx.run("DELETE FROM replicas WHERE name = :name AND beat = :beat", name=name, beat=beat))


def hold(tx: Transaction, *names: str) -> None:
    """Let nobody strike these processes off, nor take over what is theirs, until the commit."""
    tx.lock(*(f"replica {name}" for name in names))
