"""People as the records know them: language, source, dialog state, consents."""

from __future__ import annotations

from collections.abc import Sequence

from bot.message import Person
from bot.store import broadcasts, revocations, tallies
from bot.store.database import Row, Transaction
from bot.store.in_lists import in_lists
from bot.store.links import CIRCLE


def find(tx: Transaction, person: Person) -> Row | None:
    """Return what is known of a person: the row itself, reach, dialog state, and whether they hold roles."""
    rows = find_all(tx, person.channel, (person.address,))
    return rows[0] if rows else None


def find_all(tx: Transaction, channel: str, addresses: Sequence[str]) -> list[Row]:
    """Return what is known of several people of a channel."""
    rows: list[Row] = []
    for names, named in in_lists(addresses):
        rows += tx.all(
            f"""
            SELECT p.address, p.id, p.language, p.source, p.created_at, p.gone_at, p.steps, d.state, d.updated_at,
                COALESCE(r.quiet_until, '') AS quiet_until, COALESCE(r.interacted_at, '') AS interacted_at,
                EXISTS (SELECT 1 FROM roles WHERE roles.person_id = p.id) AS has_roles
            FROM people p LEFT JOIN dialogs d ON d.person_id = p.id LEFT JOIN reach r ON r.person_id = p.id
            WHERE p.channel = :channel AND p.address IN ({names})
            """,  # noqa: S608 - no value in it
            channel=channel,
            **named,
        )
    return rows


def see(tx: Transaction, person_id: int, person: Person, *, at: str) -> None:
    """Note that somebody known wrote; the transaction fails when they are not known any more."""
    tx.defer(
        "UPDATE people SET seen_at = :at WHERE id = :id AND channel = :channel AND address = :address",
        at=at,
        id=person_id,
        channel=person.channel,
        address=person.address,
    )


def remember(tx: Transaction, person: Person, *, source: str, at: str) -> int:
    """Note that a person wrote and return their id; the first source ever seen is kept."""
    row = tx.one(
        """
        INSERT INTO people (channel, address, source, created_at, seen_at)
        VALUES (:channel, :address, :source, :at, :at)
        ON CONFLICT (channel, address) DO UPDATE SET
            seen_at = excluded.seen_at,
            gone_at = NULL,
            source = CASE WHEN people.source = '' THEN excluded.source ELSE people.source END
        RETURNING id
        """,
        channel=person.channel,
        address=person.address,
        source=source,
        at=at,
    )
    assert row is not None  # RETURNING always yields the row that was written
    return int(row["id"])


def set_language(tx: Transaction, person_id: int, language: str) -> None:
    """Keep the language a person chose."""
    tx.run("UPDATE people SET language = :language WHERE id = :id", language=language, id=person_id)


def mark_gone(tx: Transaction, person: Person, at: str) -> None:
    """Note that a person cannot be written to any more."""
    tx.run(
        "UPDATE people SET gone_at = :at WHERE channel = :channel AND address = :address",
        at=at,
        channel=person.channel,
        address=person.address,
    )


def mark_returned(tx: Transaction, person: Person) -> None:
    """Note that a person can be written to again."""
    tx.run(
        "UPDATE people SET gone_at = NULL WHERE channel = :channel AND address = :address",
        channel=person.channel,
        address=person.address,
    )


def move(tx: Transaction, person: Person, address: str) -> None:
    """Follow a chat to its new address, unless that one is known already."""
    tx.run(
        """
        UPDATE people SET address = :new WHERE channel = :channel AND address = :old
        AND NOT EXISTS (SELECT 1 FROM people WHERE channel = :channel AND address = :new)
        """,
        new=address,
        channel=person.channel,
        old=person.address,
    )


def with_roles(tx: Transaction, channel: str) -> list[Row]:
    """List address, language and role of everybody on a channel who holds one."""
    return tx.all(
        """
        SELECT p.address, p.language, r.role FROM people p JOIN roles r ON r.person_id = p.id
        WHERE p.channel = :channel ORDER BY p.id
        """,
        channel=channel,
    )


def keep_dialog(tx: Transaction, person_id: int, state: str, at: str) -> None:
    """Keep where a conversation stands; an empty state forgets it."""
    if not state:
        tx.run("DELETE FROM dialogs WHERE person_id = :id", id=person_id)
        return
    tx.defer(
        """
        INSERT INTO dialogs (person_id, state, updated_at) VALUES (:id, :state, :at)
        ON CONFLICT (person_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
        """,
        id=person_id,
        state=state,
        at=at,
    )


def note_consent(tx: Transaction, person_id: int, *, purpose: str, wording: str, at: str) -> None:
    """Keep the proof of a consent: what for, in which words, when."""
    tx.run(
        "INSERT INTO consents (person_id, purpose, wording, given_at) VALUES (:id, :purpose, :wording, :at)",
        id=person_id,
        purpose=purpose,
        wording=wording,
        at=at,
    )


def withdraw_consent(tx: Transaction, person_id: int, *, purpose: str, at: str) -> None:
    """Note that a person took a consent back."""
    revocations.note_consents(tx, person_id, purpose=purpose, at=at)
    tx.run(
        """
        UPDATE consents SET withdrawn_at = :at
        WHERE person_id = :id AND purpose = :purpose AND withdrawn_at IS NULL
        """,
        id=person_id,
        purpose=purpose,
        at=at,
    )


def consents(tx: Transaction, person_id: int) -> list[Row]:
    """List what a person agreed to, oldest first."""
    return tx.all(
        "SELECT purpose, wording, given_at, withdrawn_at FROM consents WHERE person_id = :id ORDER BY id",
        id=person_id,
    )


def erase(tx: Transaction, person_id: int, *, day: str = "") -> None:
    """Delete a person and everything that hangs on them, also the report that linked channels share.

    From that day on the report is counted no more.
    """
    row = tx.one("SELECT source FROM people WHERE id = :id", id=person_id)
    with tallies.kept_up(tx, person_id, day=day):
        tx.run(f"DELETE FROM reports WHERE person_id IN ({CIRCLE})", id=person_id)  # noqa: S608 - no value in it
        broadcasts.forget_person(tx, person_id)
        tx.run("DELETE FROM people WHERE id = :id", id=person_id)
    if (
        row
        and row["source"]
        and tx.one("SELECT 1 FROM people WHERE source = :source LIMIT 1", source=row["source"]) is None
    ):
        tallies.forget_source(tx, row["source"])


def forget_dialogs(tx: Transaction, moment: str) -> int:
    """Delete what conversations left open before a moment; returns how many."""
    return tx.run("DELETE FROM dialogs WHERE updated_at < :moment", moment=moment)


def forget_silent(tx: Transaction, moment: str) -> int:
    """Delete people not seen since a moment who are counted, reminded and trusted nowhere; returns how many."""
    return tx.run(
        """
        DELETE FROM people WHERE seen_at < :moment
            AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.person_id = people.id)
            AND NOT EXISTS (SELECT 1 FROM roles o WHERE o.person_id = people.id)
            AND NOT EXISTS (SELECT 1 FROM links l WHERE l.person_id = people.id)
            AND NOT EXISTS (SELECT 1 FROM conversations c WHERE c.person_id = people.id AND c.closed_at = '')
            AND NOT EXISTS (
                SELECT 1 FROM consents k
                WHERE k.person_id = people.id AND k.purpose = 'reminders' AND k.withdrawn_at IS NULL
            )
        """,
        moment=moment,
    )


def by_number(tx: Transaction, person_id: int) -> Person | None:
    """Return a person by their number."""
    row = tx.one("SELECT channel, address FROM people WHERE id = :id", id=person_id)
    return None if row is None else Person(row["channel"], row["address"])


def language_of(tx: Transaction, person_id: int) -> str:
    """Return the language that a person chose; empty when they chose none."""
    row = tx.one("SELECT language FROM people WHERE id = :id", id=person_id)
    return str(row["language"]) if row else ""
