"""Messages on their way through the bot; each platform id is taken once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.message import Person
from bot.store import replicas
from bot.store.database import Row, Transaction
from bot.store.in_lists import in_lists

RECEIVED, ANSWERED, DELIVERED = 0, 1, 2
_COLUMNS = "id, channel, message_id, address, stage, body, replies, received_at, owner"


@dataclass(frozen=True, slots=True)
class Queue:
    """What of one person is not delivered, oldest first, and the process that has their turn."""

    owner: str
    rows: tuple[Row, ...] = ()

    def is_clear(self, me: str) -> bool:
        """Tell whether a process may answer the next message at once."""
        return self.owner == me and not any(row["stage"] == RECEIVED for row in self.rows)


def keep(
    tx: Transaction,
    *,
    person: Person,
    message_id: str,
    at: str,
    body: str = "",
    replies: str = "",
    owner: str = "",
) -> None:
    """Keep a message that comes for the first time: with its body, or answered already, with the replies.

    `owner` is the process that answers it. The transaction fails where the id was taken before.
    """
    tx.defer(
        """
        INSERT INTO inbox (channel, message_id, address, received_at, stage, body, replies, owner)
        VALUES (:channel, :message_id, :address, :at, :stage, :body, :replies, :owner)
        """,
        channel=person.channel,
        message_id=message_id,
        address=person.address,
        at=at,
        stage=RECEIVED if body else ANSWERED,
        body=body,
        replies=replies,
        owner=owner,
    )


def take(tx: Transaction, *, person: Person, message_id: str, body: str, at: str, owner: str = "") -> bool:
    """Keep a message that may have come before; tells whether it is new."""
    return bool(
        tx.run(
            """
            INSERT INTO inbox (channel, message_id, address, received_at, body, owner)
            VALUES (:channel, :message_id, :address, :at, :body, :owner)
            ON CONFLICT (channel, message_id) DO NOTHING
            """,
            channel=person.channel,
            message_id=message_id,
            address=person.address,
            at=at,
            body=body,
            owner=owner,
        )
    )


def queues(tx: Transaction, persons: Collection[Person], *, me: str) -> dict[Person, Queue]:
    """Return what each person has under way, and keep it from changing hands until the commit.

    All that one person has under way belongs to one process, which has their turn: a living one, or the process `me`
    where there is none.
    """
    tx.lock(*(f"turn {person.channel} {person.address}" for person in persons))
    rows = under_way(tx, persons)
    others = {row["owner"] for row in rows} - {me}
    if others:
        replicas.hold(tx, *others)
        for gone in others - {row["name"] for row in replicas.present(tx)}:
            for person in {Person(row["channel"], row["address"]) for row in rows if row["owner"] == gone}:
                tx.run(
                    """
                    UPDATE inbox SET owner = :me
                    WHERE channel = :channel AND address = :address AND stage < 2 AND owner = :gone
                    """,
                    me=me,
                    channel=person.channel,
                    address=person.address,
                    gone=gone,
                )
        rows = under_way(tx, persons)  # somebody may have been faster in taking over
    found: dict[Person, list[Row]] = {}
    for row in rows:
        found.setdefault(Person(row["channel"], row["address"]), []).append(row)
    return {
        person: Queue(found[person][-1]["owner"], tuple(found[person])) if person in found else Queue(me)
        for person in persons
    }


def under_way(tx: Transaction, persons: Collection[Person]) -> list[Row]:
    """List what people have under way, oldest first."""
    rows: list[Row] = []
    for channel in {person.channel for person in persons}:
        for names, named in in_lists([person.address for person in persons if person.channel == channel]):
            rows += tx.all(
                f"""
                SELECT {_COLUMNS} FROM inbox WHERE channel = :channel AND address IN ({names}) AND stage < 2 ORDER BY id
                """,  # noqa: S608 - no value in it
                channel=channel,
                **named,
            )
    return rows


def recent(tx: Transaction, persons: Collection[Person], *, since: str) -> dict[Person, int]:
    """Count what each person sent since a moment, whichever process took it."""
    counted = dict.fromkeys(persons, 0)
    for channel in {person.channel for person in persons}:
        for names, named in in_lists([person.address for person in persons if person.channel == channel]):
            for row in tx.all(
                f"""
                SELECT address, COUNT(*) AS times FROM inbox
                WHERE channel = :channel AND address IN ({names}) AND received_at > :since GROUP BY address
                """,  # noqa: S608 - no value in it
                channel=channel,
                since=since,
                **named,
            ):
                counted[Person(channel, row["address"])] = int(row["times"])
    return counted


def left_behind(tx: Transaction, channels: Collection[str], *, me: str) -> list[str]:
    """List the processes that are gone and whose messages on some channels are not delivered."""
    rows = tx.all(
        """
        SELECT DISTINCT owner, channel FROM inbox WHERE stage < 2 AND owner <> :me
            AND NOT EXISTS (SELECT 1 FROM replicas r WHERE r.name = inbox.owner)
        """,
        me=me,
    )
    return sorted({row["owner"] for row in rows if row["channel"] in channels})


def take_over(tx: Transaction, gone: str, channels: Collection[str], *, me: str) -> int:
    """Take over what a process that is gone left on some channels; returns how many messages."""
    replicas.hold(tx, gone)
    if gone in {row["name"] for row in replicas.present(tx)}:
        return 0
    return sum(
        tx.run(
            "UPDATE inbox SET owner = :me WHERE channel = :channel AND owner = :gone AND stage < 2",
            me=me,
            channel=channel,
            gone=gone,
        )
        for channel in sorted(channels)
    )


def find(tx: Transaction, *, channel: str, message_id: str) -> Row | None:
    """Return a message by the platform's id."""
    return tx.one(
        """
        SELECT id, channel, address, stage, body, replies, received_at, owner FROM inbox
        WHERE channel = :channel AND message_id = :message_id
        """,
        channel=channel,
        message_id=message_id,
    )


def find_all(tx: Transaction, channel: str, message_ids: Sequence[str]) -> list[Row]:
    """Return messages of a channel by the platform's ids: message_id, stage, replies."""
    rows: list[Row] = []
    for names, named in in_lists(message_ids):
        rows += tx.all(
            f"""
            SELECT message_id, stage, replies FROM inbox WHERE channel = :channel AND message_id IN ({names})
            """,  # noqa: S608 - no value in it
            channel=channel,
            **named,
        )
    return rows


def unfinished(tx: Transaction, *, since: str, owner: str = "", stage: int = ANSWERED) -> list[Row]:
    """List what was received since a moment and is not delivered, in the order of arrival.

    Only what belongs to a process when `owner` is given, and is at most at a `stage`.
    """
    return tx.all(
        f"""
        SELECT {_COLUMNS} FROM inbox
        WHERE stage < 2 AND stage <= :stage AND received_at >= :since AND (:owner = '' OR owner = :owner) ORDER BY id
        """,  # noqa: S608 - no value in it
        since=since,
        owner=owner,
        stage=stage,
    )


def mark_answered(tx: Transaction, *, channel: str, message_id: str, replies: str, owner: str = "") -> bool:
    """Keep the replies and forget the message's own text; False when it was answered before, or has another owner."""
    return bool(
        tx.run(
            """
            UPDATE inbox SET stage = 1, body = '', replies = :replies
            WHERE channel = :channel AND message_id = :message_id AND stage = 0 AND (:owner = '' OR owner = :owner)
            """,
            replies=replies,
            owner=owner,
            channel=channel,
            message_id=message_id,
        )
    )


def mark_delivered(tx: Transaction, channel: str, message_ids: Sequence[str], *, keep_replies: bool) -> None:
    """Note that the replies left; they are kept only where the person may ask for them again."""
    for names, named in in_lists(message_ids):
        tx.run(
            f"""
            UPDATE inbox SET stage = 2, replies = CASE WHEN :keep = 1 THEN replies ELSE '' END
            WHERE channel = :channel AND message_id IN ({names})
            """,  # noqa: S608 - no value in it
            keep=int(keep_replies),
            channel=channel,
            **named,
        )


def forget_address(tx: Transaction, channel: str, message_ids: Sequence[str]) -> None:
    """Forget who wrote messages, when that was deleted by them."""
    for names, named in in_lists(message_ids):
        tx.run(
            f"UPDATE inbox SET address = '' WHERE channel = :channel AND message_id IN ({names})",  # noqa: S608
            channel=channel,
            **named,
        )


def forget_person(tx: Transaction, person: Person) -> None:
    """Delete a person's answered messages but the latest, which loses its address when its reply has left."""
    tx.run(
        """
        DELETE FROM inbox WHERE channel = :channel AND address = :address AND stage > 0 AND id NOT IN (
            SELECT MAX(id) FROM inbox WHERE channel = :channel AND address = :address AND stage = 1
            HAVING MAX(id) IS NOT NULL
        )
        """,
        channel=person.channel,
        address=person.address,
    )


def forget_all(tx: Transaction, person: Person) -> None:
    """Delete every message of a person, answered or not."""
    tx.run(
        "DELETE FROM inbox WHERE channel = :channel AND address = :address",
        channel=person.channel,
        address=person.address,
    )


def of_strangers(tx: Transaction) -> list[Row]:
    """List who wrote what is not delivered yet and is not known: channel, address, received_at."""
    return tx.all(
        """
        SELECT channel, address, received_at FROM inbox i WHERE stage < 2 AND NOT EXISTS (
            SELECT 1 FROM people p WHERE p.channel = i.channel AND p.address = i.address
        ) ORDER BY id
        """
    )


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what arrived before a moment; returns how many."""
    return tx.run("DELETE FROM inbox WHERE received_at < :moment", moment=moment)
