"""How many people reminders reach, counted once a day by district and by one thing at a time; names nobody."""

from __future__ import annotations

from collections.abc import Mapping

from bot.store.database import Row, Transaction

# view → what its name is; "" counts everybody who would get a message.
VIEWS = ("", "commune", "channel", "language", "source", "reports", "left-out")
Key = tuple[str, str, str]  # district, view, name


def is_counted(tx: Transaction, day: str) -> bool:
    """Return True if a day was counted."""
    return tx.one("SELECT 1 FROM reach_counts WHERE day = :day LIMIT 1", day=day) is not None


def replace(tx: Transaction, day: str, counted: Mapping[Key, tuple[int, int]]) -> None:
    """Keep the counts of a day, people and how many of their messages cost money; those of other days go.

    A day that is there already stays as it is: what was published once does not change.
    """
    tx.lock("reach counts")
    if is_counted(tx, day):
        return
    tx.run("DELETE FROM reach_counts")
    tx.run_many(
        """
        INSERT INTO reach_counts (day, district, view, name, people, paid)
        VALUES (:day, :district, :view, :name, :people, :paid)
        """,
        [
            {"day": day, "district": district, "view": view, "name": name, "people": people, "paid": paid}
            for (district, view, name), (people, paid) in sorted(counted.items())
        ],
    )


def of_day(tx: Transaction, day: str) -> list[Row]:
    """List district, view, name, people and paid of a day."""
    return tx.all("SELECT district, view, name, people, paid FROM reach_counts WHERE day = :day", day=day)
