"""Roles with their scope, invitations that work once, and an audit trail that shows when it was touched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot import access
from bot.access.roles import ADMIN, CITIZEN, INVITATION_LIFETIME, OFFICER, Grant
from bot.conversation.unit_of_work import UnitOfWork
from bot.message import Person
from bot.store import Store, Transaction, open_store, people, roles
from tests.conftest import NOON, Talk
from tests.support.engines import Engine

MAY: list[tuple[tuple[Grant, ...], str, bool]] = [
    ((), CITIZEN, True),
    ((), OFFICER, False),
    ((), ADMIN, False),
    ((Grant(OFFICER),), CITIZEN, True),
    ((Grant(OFFICER),), OFFICER, True),
    ((Grant(OFFICER, "yen-lac"),), OFFICER, True),
    ((Grant(OFFICER),), ADMIN, False),
    ((Grant(ADMIN),), OFFICER, True),
    ((Grant(OFFICER, "yen-lac"), Grant(ADMIN)), ADMIN, True),
]


@pytest.mark.parametrize(("grants", "role", "allowed"), MAY)
def test_may(grants: tuple[Grant, ...], role: str, *, allowed: bool) -> None:
    assert access.may(grants, role) is allowed


SCOPES: list[tuple[tuple[Grant, ...], frozenset[str] | None]] = [
    ((), frozenset()),
    ((Grant(OFFICER, "yen-lac"),), frozenset({"yen-lac"})),
    ((Grant(OFFICER, "yen-lac"), Grant(OFFICER, "song-lo")), frozenset({"yen-lac", "song-lo"})),
    ((Grant(OFFICER),), None),
    ((Grant(OFFICER, "yen-lac"), Grant(ADMIN)), None),
]


@pytest.mark.parametrize(("grants", "scope"), SCOPES)
def test_scopes(grants: tuple[Grant, ...], scope: frozenset[str] | None) -> None:
    assert access.scopes(grants, OFFICER) == scope


OFFICER_OF_YEN_LAC, OFFICER_OF_ALL, ADMIN_OF_ALL = Grant(OFFICER, "yen-lac"), Grant(OFFICER), Grant(ADMIN)
REFUSALS: list[tuple[tuple[Grant, ...], access.Action, str, str | None]] = [
    ((), access.SEND, "yen-lac", access.NO_ROLE[OFFICER]),
    ((OFFICER_OF_YEN_LAC,), access.SEND, "yen-lac", None),
    ((OFFICER_OF_YEN_LAC,), access.SEND, "song-lo", access.OUT_OF_SCOPE),
    ((OFFICER_OF_YEN_LAC,), access.SEND, "", access.OUT_OF_SCOPE),
    ((OFFICER_OF_YEN_LAC,), access.SEE_QUESTIONS, "", None),
    ((OFFICER_OF_YEN_LAC, Grant(OFFICER, "song-lo")), access.SEND, "song-lo", None),
    ((OFFICER_OF_ALL,), access.SEND, "", None),
    ((OFFICER_OF_ALL,), access.EXPORT_ROWS, "yen-lac", access.NO_ROLE[ADMIN]),
    ((OFFICER_OF_ALL,), access.MANAGE_ROLES, "", access.NO_ROLE[ADMIN]),
    ((ADMIN_OF_ALL,), access.EXPORT_ROWS, "", None),
    ((Grant(ADMIN, "yen-lac"),), access.EXPORT_ROWS, "song-lo", access.OUT_OF_SCOPE),
]


@pytest.mark.parametrize(("grants", "action", "district", "sentence"), REFUSALS)
def test_a_refusal_says_why(
    grants: tuple[Grant, ...], action: access.Action, district: str, sentence: str | None
) -> None:
    assert access.refusal(grants, action, district) == sentence


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[Store]:
    opened = open_store(engine.url)
    yield opened
    await opened.close()


async def invite(store: Store, role: str = OFFICER, scope: str = "") -> str:
    return await access.invite(store, role=role, scope=scope, at=NOON, actor="test")


def redeem(tx: Transaction, code: str, name: str = "a", later: timedelta = timedelta()) -> Grant | None:
    person = people.remember(tx, Person("recorder", name), source="", at="")
    return access.redeem(tx, person, code, at=NOON + later)


async def test_an_invitation_works_once(store: Store) -> None:
    code = await invite(store, OFFICER, "yen-lac")
    assert await store.read(lambda tx: access.peek(tx, code, at=NOON)) == Grant(OFFICER, "yen-lac")
    assert await store.write(lambda tx: redeem(tx, code)) == Grant(OFFICER, "yen-lac")
    assert await store.write(lambda tx: redeem(tx, code, "b")) is None
    assert await store.read(lambda tx: access.peek(tx, code, at=NOON)) is None
    granted = await store.read(roles.all_grants)
    assert [(row["role"], row["scope"]) for row in granted] == [(OFFICER, "yen-lac")]


async def test_of_many_who_hurry_one_gets_the_role(store: Store) -> None:
    code = await invite(store, ADMIN)
    got = await asyncio.gather(*(store.write(lambda tx, n=n: redeem(tx, code, f"p{n}")) for n in range(20)))
    assert [grant for grant in got if grant] == [Grant(ADMIN)]
    assert len(await store.read(roles.all_grants)) == 1


LIFE: list[tuple[timedelta, bool]] = [
    (timedelta(), True),
    (INVITATION_LIFETIME - timedelta(milliseconds=1), True),
    (INVITATION_LIFETIME, False),
    (timedelta(days=365), False),
]


@pytest.mark.parametrize(("later", "works"), LIFE)
async def test_an_invitation_expires(store: Store, later: timedelta, *, works: bool) -> None:
    code = await invite(store)
    assert (await store.read(lambda tx: access.peek(tx, code, at=NOON + later)) is not None) is works
    assert (await store.write(lambda tx: redeem(tx, code, later=later)) is not None) is works


@pytest.mark.parametrize("code", ["", "x", "moi_", "'; DROP TABLE roles; --", "a" * 10_000])
async def test_what_is_no_invitation_gives_nothing(store: Store, code: str) -> None:
    await invite(store)
    assert await store.write(lambda tx: redeem(tx, code)) is None


async def test_the_code_itself_is_kept_nowhere(store: Store, engine: Engine, tmp_path: Path) -> None:
    codes = {await invite(store) for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) >= 20 for code in codes)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    kept += repr([engine.rows(f"SELECT * FROM {table}") for table in ("invitations", "audit")]).encode()
    assert len(kept) > 20 * 64
    assert not any(code.encode() in kept for code in codes)


async def trail(store: Store, lines: int = 6) -> None:
    def work(tx: Transaction) -> None:
        for number in range(lines):
            access.write_audit(tx, actor=f"person {number}", action="read", detail=f"request {number}", at=NOON)

    await store.write(work)


async def test_a_whole_trail_is_whole(store: Store) -> None:
    assert await access.check_audit(store) is None
    await trail(store)
    await trail(store)
    assert await access.check_audit(store) is None


TOUCHED: list[tuple[str, int]] = [
    ("UPDATE audit SET detail = 'request 99' WHERE id = 3", 3),
    ("UPDATE audit SET actor = 'person 99' WHERE id = 1", 1),
    ("UPDATE audit SET action = 'nothing' WHERE id = 6", 6),
    ("UPDATE audit SET at = '2020-01-01T00:00:00.000Z' WHERE id = 2", 2),
    ("UPDATE audit SET hash = 'x' WHERE id = 4", 4),
    ("DELETE FROM audit WHERE id = 1", 2),
    ("DELETE FROM audit WHERE id = 3", 4),
    ("DELETE FROM audit WHERE id IN (3, 4)", 5),
    ("DELETE FROM audit WHERE id = 6", 6),
    ("DELETE FROM audit WHERE id > 2", 3),
    ("DELETE FROM audit", 1),
    ("INSERT INTO audit (id, at, actor, action, detail, hash) VALUES (7, '', 'x', 'grant', '', 'x')", 7),
    ("UPDATE audit SET id = id + 100 WHERE id = 2", 3),
]


@pytest.mark.parametrize(("statement", "line"), TOUCHED, ids=[row[0][:44] for row in TOUCHED])
async def test_a_touched_trail_shows_where(store: Store, statement: str, line: int) -> None:
    await trail(store)
    await store.write(lambda tx: tx.run(statement))
    assert await access.check_audit(store) == line


async def test_every_invitation_and_grant_leaves_a_line(store: Store) -> None:
    code = await invite(store, OFFICER, "yen-lac")
    await store.write(lambda tx: redeem(tx, code))
    await store.write(lambda tx: redeem(tx, code))  # refused: nothing happened, nothing to note
    rows = await store.read(roles.audit)
    assert [(row["actor"], row["action"], row["detail"]) for row in rows] == [
        ("test", "invite", "officer yen-lac"),
        ("person 1", "grant", "officer yen-lac"),
    ]
    assert await access.check_audit(store) is None


async def test_in_the_chat_a_code_works_once_and_a_role_opens_its_commands(talk: Talk) -> None:
    code = await access.invite(talk.service.store, role=OFFICER, scope="yen-lac", at=NOON, actor="test")
    assert "chỉ dành cho cán bộ" in await talk.say("/thongke")
    assert "cán bộ" in await talk.say(f"/start moi_{code}")
    counted = await talk.say("/thongke")
    assert "Yên Lạc" in counted
    assert "Vĩnh Tường" not in counted  # outside the scope
    assert "Mã mời này không đúng" in await talk.say(f"/start moi_{code}")
    await talk.service.store.write(lambda tx: roles.revoke(tx, 1))
    assert "chỉ dành cho cán bộ" in await talk.say("/thongke")


async def test_of_two_who_take_one_invitation_at_once_the_slower_is_told_so(another: Callable[[str], Talk]) -> None:
    """Both have seen that the code is good before either has taken it."""
    first, second = another("first"), another("second")
    service = first.service
    code = await access.invite(service.store, role=ADMIN, scope="", at=NOON, actor="test")
    both_saw, as_ever = asyncio.Event(), UnitOfWork.redeem
    seen: list[Grant | None] = []

    async def slowly(self: UnitOfWork, code: str) -> Grant | None:
        grant = await as_ever(self, code)
        seen.append(grant)
        if len(seen) == 2:
            both_saw.set()
        await both_saw.wait()
        return grant

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(UnitOfWork, "redeem", slowly)
        said = await asyncio.gather(first.say(f"/start moi_{code}"), second.say(f"/start moi_{code}"))
    assert seen == [Grant(ADMIN), Grant(ADMIN), None]
    assert len([text for text in said if "Bạn đã là quản trị viên" in text]) == 1
    assert len([text for text in said if "Mã mời này không đúng" in text]) == 1
    assert len(await service.store.read(roles.all_grants)) == 1
