"""A year of simulated data: whether it is there, and how so many rows are written at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.store import tallies
from bot.store.database import Transaction

Rows = Sequence[tuple[object, ...]]

_TABLES: Mapping[str, tuple[str, ...]] = {
    "people": ("channel", "address", "language", "source", "created_at", "seen_at", "gone_at", "steps"),
    "reports": ("person_id", "district", "commune", "channel", "source", "language", "day", "reported_at"),
    "report_history": ("person_id", "change", "district", "commune", "at"),
    "consents": ("person_id", "purpose", "wording", "given_at", "withdrawn_at"),
    "questions": ("person_id", "channel", "language", "text", "article", "verdict", "score", "helped", "at"),
    "conversations": (
        "person_id",
        "officer_id",
        "kind",
        "district",
        "opened_at",
        "due_at",
        "waiting_since",
        "spoke_at",
        "closed_at",
    ),
    "conversation_messages": ("conversation_id", "author", "officer_id", "text", "at"),
    "broadcasts": (
        "made_by",
        "audience",
        "texts",
        "state",
        "plan",
        "approved_by",
        "starts_at",
        "made_at",
        "changed_at",
        "began_at",
        "ended_at",
    ),
    "deliveries": ("broadcast_id", "person_id", "channel", "language", "district", "state", "reason", "at"),
    "roles": ("person_id", "role", "scope", "granted_at"),
    "officers": ("person_id", "name", "named_at"),
    "tallies": ("view", "unit", "span", "district", "name", "reports"),
    "funnel": ("unit", "span", "step", "channel", "source", "people"),
}
_AT_ONCE = 200  # rows in a statement: more are no faster, and both engines take as many values


def is_simulated(tx: Transaction) -> bool:
    """Tell whether simulated data was ever put into this database; its counts stay in the tallies for good."""
    return tx.one("SELECT 1 AS found FROM simulations LIMIT 1") is not None


def holds_anything(tx: Transaction) -> bool:
    """Tell whether anybody is or was counted here."""
    people = tx.one("SELECT 1 AS found FROM people LIMIT 1")
    return people is not None or tallies.first_day(tx) != ""


def note_simulation(tx: Transaction, *, seed: int, people: int, at: str) -> None:
    """Mark the database for good."""
    tx.run(
        "INSERT INTO simulations (seed, people, made_at) VALUES (:seed, :people, :at)", seed=seed, people=people, at=at
    )


def numbers(tx: Transaction) -> dict[str, int]:
    """Return the number of every person by their address."""
    return {row["address"]: row["id"] for row in tx.all("SELECT id, address FROM people")}


def talks(tx: Transaction) -> dict[int, int]:
    """Return the number of everybody's conversation by the person's number; nobody has two."""
    return {row["person_id"]: row["id"] for row in tx.all("SELECT id, person_id FROM conversations")}


def broadcasts(tx: Transaction) -> list[int]:
    """Return the numbers of the simulated broadcasts, oldest first; nobody is there who could have made others."""
    return [row["id"] for row in tx.all("SELECT id FROM broadcasts ORDER BY id")]


def fill(tx: Transaction, table: str, rows: Rows) -> None:
    """Insert many rows into one of the tables that a simulation fills."""
    columns = _TABLES[table]
    for first in range(0, len(rows), _AT_ONCE):
        places: list[str] = []
        values: dict[str, object] = {}
        for number, row in enumerate(rows[first : first + _AT_ONCE]):
            names = [f"v{number}_{column}" for column in range(len(columns))]
            places.append(f"({', '.join(f':{name}' for name in names)})")
            values.update(zip(names, row, strict=True))
        tx.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join(places)}", **values)  # noqa: S608
