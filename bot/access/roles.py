"""Roles with a region scope, one-time invitations, and the audit trail chained by hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import moment, stamp
from bot.errors import NotAllowed
from bot.i18n.catalogue import mark
from bot.store import Store, Transaction, desk, officers, roles

CITIZEN, OFFICER, ADMIN = "citizen", "officer", "admin"
RANK = {CITIZEN: 0, OFFICER: 1, ADMIN: 2}
INVITATION_LIFETIME = timedelta(days=7)
INVITATION_PREFIX = "moi_"  # before the code in a deep link
AUDIT_PORTION = 1000  # lines read at a time, so that a trail of years needs no memory
_CODE_BYTES = 15  # 120 bits: nobody guesses it, and it fits a deep link


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope: a district id, or empty for the whole province."""

    role: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with roles, by their number; no address. One who is `gone` cannot be written to."""

    id: int
    channel: str
    grants: tuple[Grant, ...]
    since: datetime
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that can still be taken."""

    grant: Grant
    expires_at: datetime
    name: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person may do: the least role it needs, and whether a grant for one district ends at its border."""

    name: str
    role: str
    scoped: bool = True


COUNT = Action("count", OFFICER)
EXPORT = Action("export", OFFICER)
EXPORT_ROWS = Action("export-rows", ADMIN)
REPORT = Action("report", OFFICER)
POSTER = Action("poster", OFFICER)
SEND = Action("send", OFFICER)
APPROVE = Action("approve", OFFICER)
READ_MESSAGES = Action("read-messages", OFFICER)
ANSWER_MESSAGES = Action("answer-messages", OFFICER)
SEE_QUESTIONS = Action("see-questions", OFFICER, scoped=False)
DESK = Action("desk", OFFICER, scoped=False)
CHANGE_CONTENT = Action("change-content", ADMIN, scoped=False)
MANAGE_ROLES = Action("manage-roles", ADMIN, scoped=False)
SEE_STATE = Action("see-state", ADMIN, scoped=False)
READ_AUDIT = Action("read-audit", ADMIN, scoped=False)

NO_ROLE = {
    OFFICER: mark("This is for officers only. If you are one, ask an admin for an invitation."),
    ADMIN: mark("This is for admins only. If you need it, ask an admin of this assistant."),
}
LAST_ADMIN = mark(
    "You are the only admin left. Invite another one first; then you can give up the role. Otherwise nobody "
    "could manage the roles."
)
ONLY_ADMIN = mark("This person is the only admin left. Invite another one first.")
NOBODY_TO_REVOKE = mark("This person holds no role any more.")
OUT_OF_SCOPE = mark("This is outside the area that you are responsible for. Please ask the officer there, or an admin.")


def refusal(grants: Iterable[Grant], action: Action, district: str = "") -> str | None:
    """Return why somebody may not do something, as a sentence to translate; None when they may.

    Without a district, a scoped action is meant for the whole province.
    """
    held = [grant for grant in grants if RANK[grant.role] >= RANK[action.role]]
    if not held:
        return NO_ROLE.get(action.role)
    if action.scoped and not any(grant.scope in ("", district) for grant in held):
        return OUT_OF_SCOPE
    return None


def may(grants: Iterable[Grant], role: str) -> bool:
    """Tell whether any grant is at least this role."""
    return RANK[role] == 0 or any(RANK[grant.role] >= RANK[role] for grant in grants)


def scopes(grants: Iterable[Grant], role: str) -> frozenset[str] | None:
    """Return the districts in which a person holds at least this role; None for the whole province."""
    held = [grant for grant in grants if RANK[grant.role] >= RANK[role]]
    if any(not grant.scope for grant in held):
        return None
    return frozenset(grant.scope for grant in held)


def grants_of(tx: Transaction, person_id: int) -> tuple[Grant, ...]:
    """Return what a person may do at this moment."""
    return tuple(Grant(row["role"], row["scope"]) for row in roles.of_person(tx, person_id))


def holders(tx: Transaction) -> list[Holder]:
    """List everybody who holds a role, in the order of their numbers."""
    found: dict[int, Holder] = {}
    for row in roles.all_grants(tx):
        number, since = int(row["person_id"]), moment(row["granted_at"])
        known = found.get(number)
        grants = (*(known.grants if known else ()), Grant(row["role"], row["scope"]))
        since, gone = min(since, known.since) if known else since, row["gone_at"] is not None
        found[number] = Holder(number, row["channel"], grants, since, gone)
    return sorted(found.values(), key=lambda holder: holder.id)


def is_last_admin(everybody: Iterable[Holder], person_id: int) -> bool:
    """Return True if somebody is the only admin who can still be reached."""
    admins = [holder for holder in everybody if any(grant.role == ADMIN for grant in holder.grants)]
    return person_id in [one.id for one in admins] and {one.id for one in admins if not one.gone} <= {person_id}


def revoke(
    tx: Transaction, person_id: int, *, at: datetime, actor: str, by: int = 0, even_last: bool = False
) -> tuple[Grant, ...]:
    """Take all roles from a person and return them. Raise NotAllowed if that is not possible.

    Somebody who acts in a chat (`by`) must still be an admin. The last admin stays one, unless `even_last`. What the
    person could still get in by ends too: sessions of the desk, links to it, and invitations that they made.
    """
    tx.lock("roles")
    _still_manages(tx, by)
    held = grants_of(tx, person_id)
    if not held:
        raise NotAllowed(NOBODY_TO_REVOKE)
    if not even_last and is_last_admin(holders(tx), person_id):
        raise NotAllowed(LAST_ADMIN if by == person_id else ONLY_ADMIN)
    roles.revoke(tx, person_id)
    roles.expire_invitations(tx, at=stamp(at), made_by=person_id)
    desk.end_all(tx, person_id)
    lost = ", ".join(f"{grant.role} {grant.scope}".strip() for grant in held)
    write_audit(tx, actor=actor, action="revoke", detail=f"person {person_id}: {lost}", at=at)
    return held


def write_audit(tx: Transaction, *, actor: str, action: str, detail: str, at: datetime) -> None:
    """Append a line to the audit trail; each line's hash covers the one before it."""
    moment = stamp(at)
    before = roles.last_audit_hash(tx)
    roles.add_audit(
        tx, at=moment, actor=actor, action=action, detail=detail, hash_=_chain(before, moment, actor, action, detail)
    )


async def check_audit(store: Store) -> int | None:
    """Return the number of the first line at which the chain is broken, or after the last; None when it is whole."""
    return await store.read(_broken_line)


def _broken_line(tx: Transaction) -> int | None:
    before, last = "", 0
    while rows := roles.audit(tx, after=last, limit=AUDIT_PORTION):
        for row in rows:
            last = int(row["id"])
            if row["hash"] != _chain(before, row["at"], row["actor"], row["action"], row["detail"]):
                return last
            before = row["hash"]
    # Whoever cuts off the end leaves a chain that is whole in itself.
    return None if before == roles.audit_head(tx) else last + 1


def new_code() -> str:
    """Make up the code of an invitation."""
    return secrets.token_urlsafe(_CODE_BYTES)


def offer_role(
    tx: Transaction, code: str, grant: Grant, *, name: str = "", at: datetime, actor: str, by: int = 0
) -> None:
    """Let a code give a role to its first user, of which only the hash is kept; `by` must still be an admin.

    `name` is what that user is called, as `bot.access.names.check_name` returns it.
    """
    _still_manages(tx, by)
    roles.invite(
        tx,
        code_hash=hash_code(code),
        role=grant.role,
        scope=grant.scope,
        name=name,
        made_by=by,
        at=stamp(at),
        expires_at=stamp(at + INVITATION_LIFETIME),
    )
    write_audit(tx, actor=actor, action="invite", detail=f"{grant.role} {grant.scope}".strip(), at=at)


def open_invitations(tx: Transaction, *, at: datetime) -> list[Invitation]:
    """List the invitations that can still be taken, the oldest first."""
    rows = roles.open_invitations(tx, at=stamp(at))
    return [Invitation(Grant(row["role"], row["scope"]), moment(row["expires_at"]), row["name"]) for row in rows]


def withdraw_invitations(tx: Transaction, *, at: datetime, actor: str, by: int = 0) -> int:
    """Make all open invitations worthless and return how many there were; `by` must still be an admin."""
    _still_manages(tx, by)
    withdrawn = roles.expire_invitations(tx, at=stamp(at))
    if withdrawn:
        write_audit(tx, actor=actor, action="withdraw-invitations", detail=f"{withdrawn} invitations", at=at)
    return withdrawn


def _still_manages(tx: Transaction, by: int) -> None:
    if by and (sentence := refusal(grants_of(tx, by), MANAGE_ROLES)) is not None:
        raise NotAllowed(sentence)


async def invite(store: Store, *, role: str, scope: str, name: str = "", at: datetime, actor: str) -> str:
    """Make a one-time invitation and return its code, which is stored nowhere."""
    code = new_code()
    await store.write(lambda tx: offer_role(tx, code, Grant(role, scope), name=name, at=at, actor=actor))
    return code


def peek(tx: Transaction, code: str, *, at: datetime) -> Grant | None:
    """Return what an invitation would give, without using it up."""
    row = roles.find_invitation(tx, code_hash=hash_code(code), at=stamp(at))
    return None if row is None else Grant(row["role"], row["scope"])


def redeem(tx: Transaction, person_id: int, code: str, *, at: datetime) -> Grant | None:
    """Use an invitation up for a person; None when it is unknown, expired or used."""
    row = roles.redeem(tx, code_hash=hash_code(code), at=stamp(at))
    if row is None:
        return None
    grant = Grant(row["role"], row["scope"])
    roles.grant(tx, person_id, role=grant.role, scope=grant.scope, at=stamp(at))
    if row["name"]:
        officers.set_name(tx, person_id, row["name"], at=stamp(at))
    write_audit(tx, actor=f"person {person_id}", action="grant", detail=f"{grant.role} {grant.scope}".strip(), at=at)
    return grant


def hash_code(code: str) -> str:
    """Hash an invitation code; 120 random bits need no salt and no slowness."""
    return hashlib.sha256(code.encode()).hexdigest()


def _chain(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
