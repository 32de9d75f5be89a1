"""When the records were last backed up, by whichever process."""

from __future__ import annotations

from bot.store.database import Row, Transaction


def note(tx: Transaction, *, made_at: str, file: str, size: int) -> None:
    """Note a backup that was made and verified; `size` in bytes."""
    tx.run(
        "INSERT INTO backups (made_at, file, bytes) VALUES (:made_at, :file, :size)",
        made_at=made_at,
        file=file,
        size=size,
    )


def latest(tx: Transaction) -> Row | None:
    """Return made_at, file and bytes of the newest backup."""
    return tx.one("SELECT made_at, file, bytes FROM backups ORDER BY id DESC LIMIT 1")
