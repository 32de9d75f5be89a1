"""Who is signed in to the desk: a one-time link opens a session, which ends by itself and with the role."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot import access
from bot.clock import moment, stamp
from bot.store import Store, Transaction, desk

LINK_LIFETIME = timedelta(minutes=10)
IDLE, LONGEST = timedelta(minutes=60), timedelta(hours=12)
_NOTE_EVERY = timedelta(minutes=1)  # a session in use costs a write a minute, not one a page
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody at the desk: their number, what they may do, and the session's secret."""

    id: int
    grants: tuple[access.Grant, ...]
    session: str = field(repr=False)


def new_key() -> str:
    """Make up the key of a link."""
    return secrets.token_urlsafe(_KEY_BYTES)


def offer_link(tx: Transaction, person_id: int, key: str, *, at: datetime, actor: str) -> bool:
    """Let a key sign somebody in once; False for somebody who may not use the desk. Only its hash is kept."""
    if access.refusal(access.grants_of(tx, person_id), access.DESK) is not None:
        return False
    desk.add_link(tx, person_id, key_hash=access.hash_code(key), expires_at=stamp(at + LINK_LIFETIME))
    access.write_audit(tx, actor=actor, action="desk-link", detail=f"person {person_id}", at=at)
    return True


async def sign_in(store: Store, key: str, *, at: datetime, replaces: str = "") -> Member | None:
    """Use a link up and open a session under a new secret; None for a link that is used, expired or of no officer."""
    session = new_key()

    def work(tx: Transaction) -> Member | None:
        desk.forget_expired(tx, stamp(at))
        person_id = desk.use_link(tx, key_hash=access.hash_code(key), at=stamp(at))
        if person_id is None:
            return None
        grants = access.grants_of(tx, person_id)
        if access.refusal(grants, access.DESK) is not None:
            return None
        if replaces:
            desk.end_session(tx, id_hash=access.hash_code(replaces))
        desk.begin_session(
            tx, person_id, id_hash=access.hash_code(session), at=stamp(at), expires_at=stamp(at + LONGEST)
        )
        access.write_audit(tx, actor=f"person {person_id}", action="sign-in", detail="desk", at=at)
        return Member(person_id, grants, session)

    return await store.write(work)


async def find_member(store: Store, session: str, *, at: datetime, used: bool = True) -> Member | None:
    """Return who a session belongs to, with their grants of this moment; None when it is over or the role is gone.

    A session that is `used` lives on; looking at it does not prolong it.
    """
    id_hash = access.hash_code(session)

    def look(tx: Transaction) -> tuple[Member, datetime] | None:
        row = desk.find_session(tx, id_hash=id_hash, at=stamp(at), seen_after=stamp(at - IDLE))
        if row is None:
            return None
        member = Member(row["person_id"], access.grants_of(tx, row["person_id"]), session)
        return None if access.refusal(member.grants, access.DESK) else (member, moment(row["seen_at"]))

    found = await store.read(look)
    if found is None:
        return None
    member, seen_at = found
    if used and at - seen_at >= _NOTE_EVERY:
        await store.write(lambda tx: desk.note_seen(tx, id_hash=id_hash, at=stamp(at)))
    return member


async def sign_out(store: Store, session: str) -> None:
    """End a session."""
    await store.write(lambda tx: desk.end_session(tx, id_hash=access.hash_code(session)))
