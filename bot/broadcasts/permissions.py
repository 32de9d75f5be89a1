"""What officers may do with broadcasts, read from the records in the same transaction as the step."""

from __future__ import annotations

from collections.abc import Sequence

from bot import access
from bot.access.roles import Action, Grant
from bot.broadcasts.models import PERSON, Actor
from bot.errors import NotAllowed
from bot.store import Transaction, roles
from bot.store.audiences import Audience
from bot.store.links import CIRCLE


def grants_of(tx: Transaction, actor: Actor) -> tuple[Grant, ...]:
    """Read what somebody may do now; a role that was taken away this second counts no more."""
    if not actor.person_id:
        return (Grant(access.ADMIN),)
    return tuple(Grant(row["role"], row["scope"]) for row in roles.of_person(tx, actor.person_id))


def officers(tx: Transaction) -> dict[int, list[Grant]]:
    """Return everybody who holds a role and can be written to."""
    found: dict[int, list[Grant]] = {}
    for row in roles.holders(tx):
        found.setdefault(row["person_id"], []).append(Grant(row["role"], row["scope"]))
    return found


def refusal(grants: Sequence[Grant], action: Action, audience: Audience) -> str | None:
    for district in audience.districts or ("",):
        if (sentence := access.refusal(grants, action, district)) is not None:
            return sentence
    return None


def require(tx: Transaction, actor: Actor, action: Action, audience: Audience) -> None:
    if (sentence := refusal(grants_of(tx, actor), action, audience)) is not None:
        raise NotAllowed(sentence)


def same_person(tx: Transaction, actor: Actor, name: str) -> bool:
    """Tell whether somebody is who made it, also from a linked channel."""
    if actor.name == name:
        return True
    circle = {f"{PERSON}{row['person_id']}" for row in tx.all(CIRCLE, id=actor.person_id)}
    return bool(actor.person_id) and name in circle
