"""Citizens' conversations with officers: who waits, since when, who has it in hand, and what was said."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.database import Row, Transaction
from bot.store.in_lists import in_lists

CITIZEN, OFFICER = "citizen", "officer"
_CASE = """
    SELECT c.id, c.person_id, c.kind, c.district, c.question, COALESCE(c.officer_id, 0) AS officer_id, c.opened_at,
        c.due_at, c.waiting_since, c.spoke_at, c.closed_at, p.language, p.channel
    FROM conversations c JOIN people p ON p.id = c.person_id
"""


def begin(tx: Transaction, person_id: int, *, kind: str, district: str, question: str, at: str, due: str) -> int:
    """Open a conversation and return its number."""
    row = tx.one(
        """
        INSERT INTO conversations (person_id, kind, district, question, opened_at, due_at, waiting_since, spoke_at)
        VALUES (:id, :kind, :district, :question, :at, :due, :at, :at) RETURNING id
        """,
        id=person_id,
        kind=kind,
        district=district,
        question=question,
        at=at,
        due=due,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def find(tx: Transaction, number: int) -> Row | None:
    """Return a conversation by its number."""
    return tx.one(f"{_CASE} WHERE c.id = :id", id=number)


def of_citizen(tx: Transaction, person_id: int) -> Row | None:
    """Return the open conversation of a citizen."""
    return tx.one(f"{_CASE} WHERE c.person_id = :id AND c.closed_at = '' ORDER BY c.id LIMIT 1", id=person_id)


def unfinished(tx: Transaction) -> list[Row]:
    """List all open conversations: first those where the citizen waits, in the order in which they are due."""
    return tx.all(
        f"{_CASE} WHERE c.closed_at = '' ORDER BY CASE WHEN c.waiting_since = '' THEN 1 ELSE 0 END, c.due_at, c.id"
    )


def ended(tx: Transaction) -> list[Row]:
    """List the conversations that ended and are still kept, those that ended last first."""
    return tx.all(f"{_CASE} WHERE c.closed_at <> '' ORDER BY c.closed_at DESC, c.id DESC")


def count_open(tx: Transaction, officer_id: int, *, at: str) -> list[Row]:
    """Count open conversations by district and kind: waiting, overdue, an officer's own, and what they may answer."""
    return tx.all(
        """
        SELECT district, kind,
            SUM(CASE WHEN waiting_since <> '' THEN 1 ELSE 0 END) AS waiting,
            SUM(CASE WHEN waiting_since <> '' AND due_at < :at THEN 1 ELSE 0 END) AS overdue,
            SUM(CASE WHEN officer_id = :officer THEN 1 ELSE 0 END) AS mine,
            SUM(CASE WHEN waiting_since <> '' AND COALESCE(officer_id, :officer) = :officer THEN 1 ELSE 0 END)
                AS to_answer
        FROM conversations WHERE closed_at = '' GROUP BY district, kind
        """,
        officer=officer_id,
        at=at,
    )


def words_said(tx: Transaction, numbers: Sequence[int]) -> list[Row]:
    """List the number of each of some conversations with every text in it: messages and notes."""
    found: list[Row] = []
    for portion, values in in_lists(numbers):
        found += tx.all(
            f"""
            SELECT conversation_id AS id, text FROM conversation_messages WHERE conversation_id IN ({portion})
            UNION ALL SELECT conversation_id AS id, text FROM case_notes WHERE conversation_id IN ({portion})
            """,  # noqa: S608 - names of values
            **values,
        )
    return found


def newly_overdue(tx: Transaction, *, at: str) -> list[Row]:
    """List the conversations that are overdue at a moment and whose officers were not told, due longest first."""
    return tx.all(
        f"""
        {_CASE} WHERE c.closed_at = '' AND c.waiting_since <> '' AND c.due_at < :at AND c.overdue_told <> c.due_at
        ORDER BY c.due_at, c.id
        """,
        at=at,
    )


def note_overdue_told(tx: Transaction, number: int) -> None:
    """Note that the officers know that a conversation is overdue, until it is due at another time."""
    tx.run("UPDATE conversations SET overdue_told = due_at WHERE id = :id", id=number)


def times(tx: Transaction, *, since: str) -> list[Row]:
    """List kind, district, opened_at, closed_at and the first answer of every conversation opened since a moment."""
    return tx.all(
        """
        SELECT c.kind, c.district, c.opened_at, c.closed_at, COALESCE(MIN(m.at), '') AS answered_at
        FROM conversations c LEFT JOIN conversation_messages m ON m.conversation_id = c.id AND m.author = 'officer'
        WHERE c.opened_at >= :since GROUP BY c.id, c.kind, c.district, c.opened_at, c.closed_at ORDER BY c.id
        """,
        since=since,
    )


def add_message(tx: Transaction, number: int, *, author: str, officer_id: int | None, text: str, at: str) -> int:
    """Keep what was said and return its number."""
    tx.run("UPDATE conversations SET spoke_at = :at WHERE id = :id", id=number, at=at)
    row = tx.one(
        """
        INSERT INTO conversation_messages (conversation_id, author, officer_id, text, at)
        VALUES (:id, :author, :officer_id, :text, :at) RETURNING id
        """,
        id=number,
        author=author,
        officer_id=officer_id,
        text=text,
        at=at,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def messages(tx: Transaction, number: int) -> list[Row]:
    """List what was said in a conversation, oldest first."""
    return tx.all(
        """
        SELECT id, author, COALESCE(officer_id, 0) AS officer_id, text, at
        FROM conversation_messages WHERE conversation_id = :id ORDER BY id
        """,
        id=number,
    )


def waits(tx: Transaction, number: int, *, at: str, due: str) -> None:
    """Note that the citizen waits for words; who waits already goes on waiting since then."""
    tx.run(
        """
        UPDATE conversations SET waiting_since = :at, due_at = :due WHERE id = :id AND waiting_since = ''
        """,
        id=number,
        at=at,
        due=due,
    )


def make_urgent(tx: Transaction, number: int, *, kind: str, due: str) -> None:
    """Change what a conversation is about, and bring the time until when words are due forward."""
    tx.run(
        """
        UPDATE conversations SET kind = :kind, due_at = CASE WHEN due_at > :due THEN :due ELSE due_at END
        WHERE id = :id
        """,
        id=number,
        kind=kind,
        due=due,
    )


def answered(tx: Transaction, number: int) -> None:
    """Note that the citizen waits no more."""
    tx.run("UPDATE conversations SET waiting_since = '' WHERE id = :id", id=number)


def assign(tx: Transaction, number: int, *, officer_id: int | None) -> None:
    """Put a conversation into an officer's hand, or into nobody's."""
    tx.run("UPDATE conversations SET officer_id = :officer WHERE id = :id", id=number, officer=officer_id)


def place(tx: Transaction, number: int, *, district: str) -> None:
    """Note which district a conversation belongs to; empty for the province."""
    tx.run("UPDATE conversations SET district = :district WHERE id = :id", id=number, district=district)


def close(tx: Transaction, number: int, *, at: str) -> None:
    """End a conversation."""
    tx.run("UPDATE conversations SET closed_at = :at, waiting_since = '' WHERE id = :id", id=number, at=at)


def reopen(tx: Transaction, number: int, *, at: str) -> None:
    """Go on with a conversation that had ended; it has been silent since this moment."""
    tx.run("UPDATE conversations SET closed_at = '', spoke_at = :at WHERE id = :id", id=number, at=at)


def numbers_of(tx: Transaction, person_id: int) -> list[int]:
    """List all conversations of a citizen, open or not."""
    return [row["id"] for row in tx.all("SELECT id FROM conversations WHERE person_id = :id", id=person_id)]


def close_idle(tx: Transaction, *, before: str, at: str) -> int:
    """End conversations in which an officer spoke last, before a moment; returns how many."""
    return tx.run(
        """
        UPDATE conversations SET closed_at = :at WHERE closed_at = '' AND waiting_since = '' AND spoke_at < :before
        """,
        before=before,
        at=at,
    )


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete conversations that ended before a moment; returns how many."""
    return tx.run("DELETE FROM conversations WHERE closed_at <> '' AND closed_at < :moment", moment=moment)


def kept_of_citizen(tx: Transaction, person_id: int) -> list[Row]:
    """List everything said in a person's conversations, oldest first, as they may see it themselves."""
    return tx.all(
        """
        SELECT c.id AS conversation, c.kind, m.author, m.text, m.at
        FROM conversations c JOIN conversation_messages m ON m.conversation_id = c.id
        WHERE c.person_id = :id ORDER BY m.id
        """,
        id=person_id,
    )


def home(tx: Transaction, person_id: int) -> str:
    """Return the district that a person, or a linked channel of theirs, reported from; empty when unknown."""
    row = tx.one(
        """
        SELECT MIN(r.district) AS district FROM reports r WHERE r.person_id = :id OR r.person_id IN (
            SELECT o.person_id FROM links m JOIN links o ON o.circle = m.circle WHERE m.person_id = :id
        )
        """,
        id=person_id,
    )
    return str(row["district"] or "") if row else ""
