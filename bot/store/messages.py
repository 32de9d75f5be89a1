"""Messages on their way through the bot; each platform id is taken once."""

from __future__ import annotations

from collections.abc import Sequence

from bot.message import Person
from bot.store.database import Row, Transaction
from bot.store.portions import portions

RECEIVED, ANSWERED, DELIVERED = 0, 1, 2


def keep(tx: Transaction, *, person: Person, message_id: str, at: str, body: str = "", replies: str = "") -> None:
    """Keep a message that comes for the first time: with its body, or answered already, with the replies.

    The transaction fails where the id was taken before.
    """
    tx.later(
        """
        INSERT INTO inbox (channel, message_id, address, received_at, stage, body, replies)
        VALUES (:channel, :message_id, :address, :at, :stage, :body, :replies)
        """,
        channel=person.channel,
        message_id=message_id,
        address=person.address,
        at=at,
        stage=RECEIVED if body else ANSWERED,
        body=body,
        replies=replies,
    )


def take(tx: Transaction, *, person: Person, message_id: str, body: str, at: str) -> bool:
    """Keep a message that may have come before; tells whether it is new."""
    return bool(
        tx.run(
            """
            INSERT INTO inbox (channel, message_id, address, received_at, body)
            VALUES (:channel, :message_id, :address, :at, :body)
            ON CONFLICT (channel, message_id) DO NOTHING
            """,
            channel=person.channel,
            message_id=message_id,
            address=person.address,
            at=at,
            body=body,
        )
    )


def find(tx: Transaction, *, channel: str, message_id: str) -> Row | None:
    """Return a message by the platform's id."""
    return tx.one(
        """
        SELECT id, channel, address, stage, body, replies, received_at FROM inbox
        WHERE channel = :channel AND message_id = :message_id
        """,
        channel=channel,
        message_id=message_id,
    )


def unfinished(tx: Transaction, *, since: str) -> list[Row]:
    """List what was received since a moment and is not delivered, in the order of arrival."""
    return tx.all(
        """
        SELECT id, channel, message_id, address, stage, body, replies, received_at FROM inbox
        WHERE stage < 2 AND received_at >= :since ORDER BY id
        """,
        since=since,
    )


def mark_answered(tx: Transaction, *, channel: str, message_id: str, replies: str) -> bool:
    """Keep the replies and forget the message's own text; False when it was answered before."""
    return bool(
        tx.run(
            """
            UPDATE inbox SET stage = 1, body = '', replies = :replies
            WHERE channel = :channel AND message_id = :message_id AND stage = 0
            """,
            replies=replies,
            channel=channel,
            message_id=message_id,
        )
    )


def mark_delivered(tx: Transaction, channel: str, message_ids: Sequence[str], *, keep_replies: bool) -> None:
    """Note that the replies left; they are kept only where the person may ask for them again."""
    for names, named in portions(message_ids):
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
    for names, named in portions(message_ids):
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


def forget_before(tx: Transaction, moment: str) -> int:
    """Delete what arrived before a moment; returns how many."""
    return tx.run("DELETE FROM inbox WHERE received_at < :moment", moment=moment)
