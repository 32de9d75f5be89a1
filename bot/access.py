"""Roles with a region scope, one-time invitations, and the audit trail chained by hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.clock import stamp
from bot.i18n import mark
from bot.store import Store, Transaction, roles

CITIZEN, OFFICER, ADMIN = "citizen", "officer", "admin"
RANK = {CITIZEN: 0, OFFICER: 1, ADMIN: 2}
INVITATION_LIFETIME = timedelta(days=7)
_CODE_BYTES = 15  # 120 bits: nobody guesses it, and it fits a deep link


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope: a district id, or empty for the whole province."""

    role: str
    scope: str = ""


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
    ADMIN: mark("This is for admins only. If you need it, ask an admin of the bot."),
}
OUT_OF_SCOPE = mark(
    "This lies outside the area that you are responsible for. Please ask the officer there, or an admin."
)


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


def write_audit(tx: Transaction, *, actor: str, action: str, detail: str, at: datetime) -> None:
    """Append a line to the audit trail; each line's hash covers the one before it."""
    moment = stamp(at)
    before = roles.last_audit_hash(tx)
    roles.add_audit(
        tx, at=moment, actor=actor, action=action, detail=detail, hash_=_chain(before, moment, actor, action, detail)
    )


async def check_audit(store: Store) -> int | None:
    """Return the number of the first line at which the chain is broken; None when it is whole."""
    before = ""
    for row in await store.read(roles.audit):
        if row["hash"] != _chain(before, row["at"], row["actor"], row["action"], row["detail"]):
            return int(row["id"])
        before = row["hash"]
    return None


async def invite(store: Store, *, role: str, scope: str, at: datetime, actor: str) -> str:
    """Make a one-time invitation and return its code, which is stored nowhere."""
    code = secrets.token_urlsafe(_CODE_BYTES)

    def work(tx: Transaction) -> None:
        roles.invite(
            tx,
            code_hash=hash_code(code),
            role=role,
            scope=scope,
            at=stamp(at),
            expires_at=stamp(at + INVITATION_LIFETIME),
        )
        write_audit(tx, actor=actor, action="invite", detail=f"{role} {scope}".strip(), at=at)

    await store.write(work)
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
    write_audit(tx, actor=f"person {person_id}", action="grant", detail=f"{grant.role} {grant.scope}".strip(), at=at)
    return grant


def hash_code(code: str) -> str:
    """Hash an invitation code; 120 random bits need no salt and no slowness."""
    return hashlib.sha256(code.encode()).hexdigest()


def _chain(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
