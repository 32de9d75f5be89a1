"""Roles with their scope, one-time invitations, and the audit trail."""

from __future__ import annotations

from collections.abc import Sequence

from bot.store.database import Row, Transaction

_ALL = 2**62


def of_person(tx: Transaction, person_id: int) -> list[Row]:
    """List a person's roles with their scopes."""
    return tx.all("SELECT role, scope FROM roles WHERE person_id = :id ORDER BY role, scope", id=person_id)


def all_grants(tx: Transaction) -> list[Row]:
    """List every grant with the person's number and channel, and since when they cannot be written to."""
    return tx.all(
        """
        SELECT r.person_id, p.channel, p.gone_at, r.role, r.scope, r.granted_at
        FROM roles r JOIN people p ON p.id = r.person_id ORDER BY r.role, r.scope, r.person_id
        """
    )


def holders(tx: Transaction) -> list[Row]:
    """List role and scope of everybody who holds one and can be written to, with number, channel and language."""
    return tx.all(
        """
        SELECT r.person_id, p.channel, p.language, r.role, r.scope FROM roles r JOIN people p ON p.id = r.person_id
        WHERE p.gone_at IS NULL ORDER BY r.person_id, r.role, r.scope
        """
    )


def admins(tx: Transaction, *, except_channel: str = "") -> list[Row]:
    """List number, channel and language of everybody who is an admin, without those of one channel."""
    return tx.all(
        """
        SELECT DISTINCT p.id, p.channel, p.language FROM roles r JOIN people p ON p.id = r.person_id
        WHERE r.role = 'admin' AND p.channel <> :channel AND p.gone_at IS NULL ORDER BY p.id
        """,
        channel=except_channel,
    )


def grant(tx: Transaction, person_id: int, *, role: str, scope: str, at: str) -> None:
    """Give a person a role; giving it twice changes nothing."""
    tx.run(
        """
        INSERT INTO roles (person_id, role, scope, granted_at) VALUES (:id, :role, :scope, :at)
        ON CONFLICT (person_id, role, scope) DO NOTHING
        """,
        id=person_id,
        role=role,
        scope=scope,
        at=at,
    )


def revoke(tx: Transaction, person_id: int) -> int:
    """Take all roles from a person; returns how many there were."""
    return tx.run("DELETE FROM roles WHERE person_id = :id", id=person_id)


def invite(
    tx: Transaction, *, code_hash: str, role: str, scope: str, name: str, made_by: int, at: str, expires_at: str
) -> None:
    """Keep an invitation by the hash of its code."""
    tx.run(
        """
        INSERT INTO invitations (code_hash, role, scope, name, made_by, created_at, expires_at)
        VALUES (:code_hash, :role, :scope, :name, :made_by, :at, :expires_at)
        """,
        code_hash=code_hash,
        role=role,
        scope=scope,
        name=name,
        made_by=made_by,
        at=at,
        expires_at=expires_at,
    )


def find_invitation(tx: Transaction, *, code_hash: str, at: str) -> Row | None:
    """Return role and scope of an invitation that can still be used."""
    return tx.one(
        """
        SELECT role, scope FROM invitations
        WHERE code_hash = :code_hash AND used_at IS NULL AND expires_at > :at
        """,
        code_hash=code_hash,
        at=at,
    )


def redeem(tx: Transaction, *, code_hash: str, at: str) -> Row | None:
    """Use an invitation up and return its role, scope and name; None when unknown, expired or used."""
    return tx.one(
        """
        UPDATE invitations SET used_at = :at
        WHERE code_hash = :code_hash AND used_at IS NULL AND expires_at > :at
        RETURNING role, scope, name
        """,
        code_hash=code_hash,
        at=at,
    )


def open_invitations(tx: Transaction, *, at: str) -> list[Row]:
    """List role, scope, name and end of the invitations that can still be used, the oldest first."""
    return tx.all(
        """
        SELECT role, scope, name, expires_at FROM invitations
        WHERE used_at IS NULL AND expires_at > :at ORDER BY expires_at, code_hash
        """,
        at=at,
    )


def expire_invitations(tx: Transaction, *, at: str, made_by: int | None = None) -> int:
    """End the invitations that can still be used, all or those of one admin; returns how many."""
    return tx.run(
        """
        UPDATE invitations SET expires_at = :at
        WHERE used_at IS NULL AND expires_at > :at AND (:made_by = -1 OR made_by = :made_by)
        """,
        at=at,
        made_by=-1 if made_by is None else made_by,
    )


def last_audit_hash(tx: Transaction) -> str:
    """Return the hash of the newest audit line, empty when there is none; nobody adds one until the commit."""
    tx.lock("audit")
    row = tx.one("SELECT hash FROM audit ORDER BY id DESC LIMIT 1")
    return row["hash"] if row else ""


def audit_head(tx: Transaction) -> str:
    """Return the hash of the audit line that was written last, whatever became of it; empty when there is none."""
    row = tx.one("SELECT hash FROM audit_head WHERE name = 'newest'")
    return row["hash"] if row else ""


def add_audit(tx: Transaction, *, at: str, actor: str, action: str, detail: str, hash_: str) -> None:
    """Append one line to the audit trail."""
    tx.run(
        "INSERT INTO audit (at, actor, action, detail, hash) VALUES (:at, :actor, :action, :detail, :hash)",
        at=at,
        actor=actor,
        action=action,
        detail=detail,
        hash=hash_,
    )
    tx.run(
        """
        INSERT INTO audit_head (name, hash) VALUES ('newest', :hash)
        ON CONFLICT (name) DO UPDATE SET hash = excluded.hash
        """,
        hash=hash_,
    )


def audit(tx: Transaction, *, after: int = 0, limit: int = _ALL) -> list[Row]:
    """List the audit trail after a line, oldest first."""
    return tx.all(
        "SELECT id, at, actor, action, detail, hash FROM audit WHERE id > :after ORDER BY id LIMIT :limit",
        after=after,
        limit=limit,
    )


def newest_audit(
    tx: Transaction,
    *,
    before: int = 0,
    limit: int,
    actor: str = "",
    actions: Sequence[str] = (),
    since: str = "",
    until: str = "",
) -> list[Row]:
    """List the lines of the audit trail before a line, or from the end, newest first; what is empty sets no bounds.

    `actions` are how actions begin, `since` and `until` moments, of which the later one is not included.
    """
    bounds, values = ["id < :before"], {"before": before or _ALL}
    if actor:
        bounds.append("actor = :actor")
    if actions:
        bounds.append("(" + " OR ".join(f"action LIKE :a{number}" for number in range(len(actions))) + ")")
    if since:
        bounds.append("at >= :since")
    if until:
        bounds.append("at < :until")
    named = {f"a{number}": f"{action}%" for number, action in enumerate(actions)}
    return tx.all(
        f"SELECT id, at, actor, action, detail FROM audit WHERE {' AND '.join(bounds)} "  # noqa: S608 - no value in it
        "ORDER BY id DESC LIMIT :limit",
        limit=limit,
        **values,
        **({"actor": actor} if actor else {}),
        **({"since": since} if since else {}),
        **({"until": until} if until else {}),
        **named,
    )


def audit_actors(tx: Transaction) -> list[str]:
    """List everybody who ever left a line, each once."""
    return [row["actor"] for row in tx.all("SELECT DISTINCT actor FROM audit ORDER BY actor")]
