"""Roles on the desk: listed without addresses, invited by a code shown once, revoked with what it takes along."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from bot import access
from bot.clock import stamp
from bot.helpdesk.cases import HelpDesk
from bot.helpdesk.models import Officer
from bot.message import Person
from bot.runtime.build import Service
from bot.store import Transaction, officers, people, roles
from bot.web.app import make_app
from tests.conftest import NOON, Recorder, Talk
from tests.web.desk.test_desk import Client, asked, client, sign_in, token

__all__ = ["client"]  # a fixture


@pytest.fixture
async def colleague(service: Service) -> AsyncIterator[Client]:
    """A second browser."""
    async with TestClient(TestServer(make_app(service))) as opened:
        yield opened


async def post(client: Client, address: str, **form: str) -> ClientResponse:
    return await client.post(f"/desk/{address}", data={"token": await token(client), **form}, allow_redirects=False)


AT = stamp(NOON)


async def holders(service: Service) -> dict[int, list[str]]:
    def work(tx: Transaction) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for row in roles.all_grants(tx):
            found.setdefault(row["person_id"], []).append(f"{row['role']} {row['scope']}".strip())
        return found

    return await service.store.read(work)


async def test_an_invitation_is_shown_once_and_makes_an_officer(client: Client, service: Service, talk: Talk) -> None:
    await sign_in(client, service, "admin")
    made = await (await post(client, "people/invite", role="officer:yen-lac", name="Nguyễn Lan")).text()
    code = re.search(r"/start (moi_[^<]+)</code>", made)
    assert code is not None
    assert f"?s={code[1]}</code>" in made
    listed = await (await client.get("/desk/people")).text()
    assert "Nguyễn Lan: cán bộ, huyện Yên Lạc, đến" in listed
    assert code[1] not in listed
    assert "Yên Lạc" in await talk.say(f"/start {code[1]}")
    assert len(await holders(service)) == 2
    listed = await (await client.get("/desk/people")).text()
    assert '<th scope="row">Nguyễn Lan</th>' in listed
    assert talk.person.address not in listed
    assert "Lời mời chưa có ai nhận" not in listed
    lines = await service.store.read(lambda tx: tx.all("SELECT * FROM audit WHERE action IN ('invite', 'grant')"))
    assert [row["detail"] for row in lines] == ["officer yen-lac", "officer yen-lac"]
    assert all(code[1] not in str(tuple(row)) for row in lines)


@pytest.mark.parametrize("role", ["", "officer:nowhere", "admin:yen-lac", "citizen:", "boss:"])
async def test_roles_that_there_are_not(client: Client, service: Service, role: str) -> None:
    await sign_in(client, service, "admin")
    assert (await post(client, "people/invite", role=role)).status == 400
    assert not await service.store.read(lambda tx: tx.all("SELECT * FROM invitations"))


async def test_open_invitations_can_be_withdrawn(client: Client, service: Service, talk: Talk) -> None:
    admin = await sign_in(client, service, "admin")
    made = await (await post(client, "people/invite", role="admin:")).text()
    code = re.search(r"/start (moi_[^<]+)</code>", made)
    assert code is not None
    assert (await post(client, "people/withdraw")).status == 303
    await talk.say(f"/start {code[1]}")
    assert list(await holders(service)) == [admin]


async def test_revoking_ends_the_session_and_gives_the_talks_back(
    client: Client, colleague: Client, service: Service
) -> None:
    admin = await sign_in(client, service, "admin")
    officer = await sign_in(colleague, service, "officer", "yen-lac")
    number = await asked(service, "citizen", "yen-lac")
    assert (await post(colleague, f"inbox/{number}/take")).status == 303
    assert (await post(client, f"people/{officer}/revoke")).headers["Location"] == "/desk/people"
    assert (await colleague.get("/desk/inbox")).status == 401
    assert await holders(service) == {admin: ["admin"]}
    assert "Nhận và trả lời" in await (await client.get(f"/desk/inbox/{number}")).text()
    await service.store.write(lambda tx: roles.grant(tx, officer, role="officer", scope="yen-lac", at=AT))
    assert (await colleague.get("/desk/inbox")).status == 401  # a role that is given again opens no old session
    assert (await post(client, f"people/{officer}/revoke")).status == 303
    again = await post(client, f"people/{officer}/revoke")
    assert again.status == 409
    assert (await post(client, f"people/{admin}/revoke")).status == 409  # nobody could manage the roles otherwise
    assert await holders(service) == {admin: ["admin"]}


async def test_two_admins_who_revoke_each_other_leave_one(client: Client, colleague: Client, service: Service) -> None:
    first = await sign_in(client, service, "admin")
    second = await sign_in(colleague, service, "admin", "2")  # another person
    await service.store.write(lambda tx: tx.run("UPDATE roles SET scope = '' WHERE role = 'admin'"))
    tokens = [await token(client), await token(colleague)]
    pressed = await asyncio.gather(
        client.post(f"/desk/people/{second}/revoke", data={"token": tokens[0]}, allow_redirects=False),
        colleague.post(f"/desk/people/{first}/revoke", data={"token": tokens[1]}, allow_redirects=False),
    )
    assert sorted(response.status for response in pressed)[0] == 303
    assert sum(response.status == 303 for response in pressed) == 1
    assert len(await holders(service)) == 1


async def test_names_are_changed_by_admins_and_by_oneself(client: Client, colleague: Client, service: Service) -> None:
    admin = await sign_in(client, service, "admin")
    officer = await sign_in(colleague, service, "officer", "yen-lac")
    assert (await post(client, f"people/{officer}/rename", name=" Trần  Hùng ")).status == 303
    assert "Trần Hùng</a>" in await (await colleague.get("/desk/")).text()
    assert (await post(colleague, f"people/{admin}/rename", name="Sếp")).status == 403
    assert (await post(colleague, "name", name="Trần Văn Hùng")).status == 303
    assert 'value="Trần Văn Hùng"' in await (await client.get("/desk/people")).text()
    for wrong in ("", "   ", "123", "x" * 61, "Hùng 0912345678", "<b>1</b>"):
        refused = await post(colleague, "name", name=wrong)
        assert refused.status == (303 if wrong == "<b>1</b>" else 409), wrong
    assert "&lt;b&gt;1&lt;/b&gt;" in await (await client.get("/desk/people")).text()


@pytest.mark.parametrize(("shown", "head"), [(False, "Cán bộ trả lời câu hỏi của bạn:"), (True, "Nguyễn Lan trả lời")])
async def test_citizens_read_a_name_only_where_a_setting_says_so(
    service: Service, recorder: Recorder, shown: bool, head: str
) -> None:
    operator = service.settings.operator.model_copy(update={"show_officer_names": shown})
    service.settings = service.settings.model_copy(update={"operator": operator})
    number = await asked(service, "citizen")
    desk = HelpDesk(service.catalogues, service.settings, service.regions)

    def work(tx: Transaction) -> None:
        person = people.remember(tx, Person("recorder", "officer"), source="", at=AT)
        roles.grant(tx, person, role="officer", scope="", at=AT)
        officers.set_name(tx, person, "Nguyễn Lan", at=AT)
        officer = Officer(person, access.grants_of(tx, person))
        desk.take(tx, officer, number, at=NOON)
        desk.answer(tx, officer, number, "Chào bạn.", at=NOON)

    await service.store.write(work)
    await service.outbox.send_pushes()
    (said,) = [reply.text for to, reply, _ in recorder.sent if to.address == "citizen"]
    assert head in said
