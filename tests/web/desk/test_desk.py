"""The desk over HTTP: how one gets in and out, who sees what, and what forms of other sites come to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from bot import access
from bot.access import desk_sessions
from bot.broadcasts import Actor
from bot.clock import stamp
from bot.exports.charts import Form
from bot.helpdesk.cases import HelpDesk
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import NameSettings, OperatorSettings
from bot.store import Transaction, people, roles
from bot.store.audiences import Audience
from bot.web.app import make_app
from bot.web.desk.routes import PAGES
from tests.conftest import FrozenClock, Talk
from tests.statistics.test_counts import report

Client = TestClient[web.Request, web.Application]
SVG = b'<svg class="marks" style="font-weight:600" role="x"><g aria-label="one"/></svg>'


@pytest.fixture(autouse=True)
def _drawing_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: tests/exports/test_charts.py and the browser look at real pictures."""

    async def draw(chart: object, form: Form = "png") -> bytes:
        return SVG

    monkeypatch.setattr("bot.exports.charts.draw", draw)


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(service))) as opened:
        yield opened


async def member(service: Service, role: str, scope: str = "") -> int:
    at = stamp(service.clock())

    def work(tx: Transaction) -> int:
        number = people.remember(tx, Person("webchat", f"{role}-{scope}"), source="", at=at)
        roles.grant(tx, number, role=role, scope=scope, at=at)
        return number

    return await service.store.write(work)


async def key_of(service: Service, person: int) -> str:
    key = desk_sessions.new_key()
    await service.store.write(lambda tx: desk_sessions.offer_link(tx, person, key, at=service.clock(), actor="test"))
    return key


async def enter(client: Client, key: str, **headers: str) -> ClientResponse:
    return await client.post("/desk/in", data={"key": key}, headers=headers, allow_redirects=False)


async def sign_in(client: Client, service: Service, role: str, scope: str = "") -> int:
    person = await member(service, role, scope)
    assert (await enter(client, await key_of(service, person))).status == 303
    return person


def session(client: Client) -> str:
    return client.session.cookie_jar.filter_cookies(client.make_url("/desk/"))["desk"].value


async def asked(service: Service, address: str, district: str = "", text: str = "máy bị treo") -> int:
    """Have a citizen ask for a person; returns the number of the talk."""
    at = service.clock()
    help_desk = HelpDesk(service.catalogues, service.settings, service.regions)

    def work(tx: Transaction) -> int:
        person = people.remember(tx, Person("recorder", address), source="", at=stamp(at))
        number = help_desk.ask(tx, person, text, at=at).number
        if district:
            help_desk.place(tx, person, district, at=at)
        return number

    return await service.store.write(work)


async def token(client: Client) -> str:
    found = re.search(r'name="token" value="([0-9a-f]+)"', await (await client.get("/desk/exports")).text())
    assert found is not None
    return found[1]


async def test_a_link_works_once_and_looking_at_it_does_not_use_it_up(client: Client, service: Service) -> None:
    person = await member(service, "admin")
    key = await key_of(service, person)
    for _ in range(2):
        assert (await client.get(f"/desk/in?key={key}")).status == 200
    entered = await enter(client, key)
    assert (entered.status, entered.headers["Location"]) == (303, "/desk/")
    cookie = entered.cookies["desk"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/desk")
    assert (await client.get("/desk/")).status == 200
    client.session.cookie_jar.clear()
    assert (await enter(client, key)).status == 403
    stored = await service.store.read(
        lambda tx: [*tx.all("SELECT * FROM desk_sessions"), *tx.all("SELECT * FROM audit")]
    )
    assert all(secret not in str(tuple(row)) for row in stored for secret in (key, cookie.value))


async def test_links_expire_and_a_newer_one_ends_the_older(
    client: Client, service: Service, clock: FrozenClock
) -> None:
    person = await member(service, "admin")
    older, newer = await key_of(service, person), await key_of(service, person)
    assert (await enter(client, older)).status == 403
    clock.forward(minutes=11)
    assert (await enter(client, newer)).status == 403
    assert (await enter(client, "")).status == 403


async def test_a_session_brought_along_is_not_kept(client: Client, service: Service) -> None:
    person = await member(service, "admin")
    planted = "planted-by-somebody-else"
    entered = await enter(client, await key_of(service, person), Cookie=f"desk={planted}")
    assert entered.cookies["desk"].value != planted
    first = session(client)
    await enter(client, await key_of(service, person))
    assert session(client) != first
    client.session.cookie_jar.clear()
    assert (await client.get("/desk/", headers={"Cookie": f"desk={first}"})).status == 401
    assert (await client.get("/desk/", headers={"Cookie": f"desk={planted}"})).status == 401


async def test_a_session_ends_when_idle_and_after_a_day_of_work(
    client: Client, service: Service, clock: FrozenClock
) -> None:
    await sign_in(client, service, "admin")
    clock.forward(minutes=61)
    assert (await client.get("/desk/")).status == 401
    await sign_in(client, service, "admin")
    for _ in range(14):
        clock.forward(minutes=50)
        assert (await client.get("/desk/exports")).status == 200
    clock.at += timedelta(minutes=50)
    assert (await client.get("/desk/exports")).status == 401


async def test_a_session_ends_with_the_role_and_by_signing_out(client: Client, service: Service) -> None:
    person = await sign_in(client, service, "officer", "yen-lac")
    await service.store.write(lambda tx: roles.revoke(tx, person))
    assert (await client.get("/desk/")).status == 401
    assert (
        await service.store.write(lambda tx: desk_sessions.offer_link(tx, person, "k", at=service.clock(), actor="x"))
        is False
    )
    await sign_in(client, service, "admin")
    used = session(client)
    assert (await client.post("/desk/out", data={"token": await token(client)})).status == 200
    assert (await client.get("/desk/", headers={"Cookie": f"desk={used}"})).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_forms_of_other_sites_do_nothing(client: Client, service: Service, headers: dict[str, str]) -> None:
    person = await sign_in(client, service, "admin")
    ours = await token(client)
    assert (await client.post("/desk/exports/workbook", data={"token": ours}, headers=headers)).status == 403
    assert (await enter(client, await key_of(service, person), **headers)).status == 403
    lines = await service.store.read(lambda tx: tx.all("SELECT action FROM audit"))
    assert "export" not in [row["action"] for row in lines]


async def test_a_form_without_the_sessions_token_does_nothing(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    for wrong in ("", "0" * 64, "é"):
        assert (await client.post("/desk/exports/workbook", data={"token": wrong})).status == 403
    assert (await client.post("/desk/exports/workbook", data={"token": await token(client)})).status == 200


# Who gets where: nobody, an officer of Yên Lạc, an officer of the province, an admin.
ACCESS = {
    "/": (401, 200, 200, 200),
    "/districts": (401, 200, 200, 200),
    "/guides": (401, 200, 200, 200),
    "/guides?days=x": (401, 200, 200, 200),
    "/districts/yen-lac": (401, 200, 200, 200),
    "/districts/vinh-tuong": (401, 403, 200, 200),
    "/districts/nowhere": (401, 404, 404, 404),
    "/content": (401, 200, 200, 200),
    "/content/forgot-password": (401, 200, 200, 200),
    "/content/nothing": (401, 404, 404, 404),
    # 1 is for the whole province, 2 for Yên Lạc; nobody was ever there to send them to
    "/broadcasts": (401, 200, 200, 200),
    "/broadcasts/1": (401, 404, 200, 200),
    "/broadcasts/1/progress": (401, 404, 200, 200),
    "/broadcasts/2": (401, 200, 200, 200),
    "/broadcasts/2/progress": (401, 200, 200, 200),
    "/broadcasts/99": (401, 404, 404, 404),
    "POST /broadcasts/1/draft": (401, 404, 303, 303),
    "POST /broadcasts/1/plan": (401, 404, 303, 303),
    "POST /broadcasts/1/test": (401, 404, 303, 303),
    "POST /broadcasts/1/approve": (401, 404, 409, 409),
    "POST /broadcasts/1/discard": (401, 404, 303, 303),
    "POST /broadcasts/2/draft": (401, 303, 303, 303),
    "POST /broadcasts/2/ready": (401, 409, 409, 409),
    "POST /broadcasts/2/plan": (401, 303, 303, 303),
    "POST /broadcasts/2/release": (401, 409, 409, 409),
    "POST /broadcasts/2/approve": (401, 409, 409, 409),
    "POST /broadcasts/2/pause": (401, 409, 409, 409),
    "POST /broadcasts/2/resume": (401, 409, 409, 409),
    "POST /broadcasts/2/stop": (401, 409, 409, 409),
    "POST /broadcasts/2/again": (401, 409, 409, 409),
    "POST /broadcasts/2/hold": (401, 409, 409, 409),
    "POST /broadcasts/2/follow-up": (401, 409, 409, 409),  # it held nobody back
    "POST /broadcasts/2/discard": (401, 303, 303, 303),
    "POST /broadcasts": (401, 303, 303, 303),
    # 1 came from nowhere in particular, 2 from Yên Lạc; nobody has these in hand, and whoever looks takes none
    "/inbox": (401, 200, 200, 200),
    "/inbox?state=closed&q=treo&days=30": (401, 200, 200, 200),
    "/inbox?district=vinh-tuong": (401, 400, 200, 200),
    "/inbox/answering": (401, 200, 200, 200),
    "/inbox/counters": (401, 200, 200, 200),
    "/inbox/1": (401, 404, 200, 200),
    "/inbox/2": (401, 200, 200, 200),
    "/inbox/99": (401, 404, 404, 404),
    "/inbox/x": (401, 404, 404, 404),
    "POST /inbox/1/answer": (401, 404, 409, 409),
    "POST /inbox/1/insert": (401, 404, 400, 400),
    "POST /inbox/1/note": (401, 404, 409, 409),
    "POST /inbox/1/label": (401, 404, 409, 409),
    "POST /inbox/1/reopen": (401, 404, 409, 409),
    "POST /inbox/1/file": (401, 404, 200, 200),
    "POST /inbox/1/hand-over": (401, 404, 409, 409),
    "POST /inbox/1/close": (401, 404, 409, 409),
    "POST /inbox/1/take": (401, 404, 303, 303),
    "POST /inbox/2/take": (401, 303, 303, 303),
    "/inbox/1/same": (401, 409, 409, 409),  # it is in nobody's hand
    "POST /inbox/1/same": (401, 409, 409, 409),
    "/replies": (401, 200, 200, 200),
    "POST /replies": (401, 409, 409, 409),  # without a title
    "POST /replies/99": (401, 409, 409, 409),
    "POST /replies/99/delete": (401, 409, 409, 409),
    "/exports": (401, 200, 200, 200),
    "/audit": (401, 403, 403, 200),
    "/audit?before=2": (401, 403, 403, 200),
    "/audit?check=1": (401, 403, 403, 200),
    "/map": (401, 200, 200, 200),
    "/map/map-districts.png": (401, 200, 200, 200),
    "/map/nothing.png": (401, 404, 404, 404),
    "/trends": (401, 200, 200, 200),
    "/trends/way.png": (401, 200, 200, 200),
    "/import": (401, 403, 403, 200),
    "/import/99": (401, 403, 403, 409),
    "POST /import": (401, 403, 403, 400),  # no file was chosen
    "POST /import/99/mapping": (401, 403, 403, 409),
    "POST /import/99/take": (401, 403, 403, 409),
    "POST /import/99/discard": (401, 403, 403, 303),
    "POST /import/99/undo": (401, 403, 403, 409),
    "/people": (401, 403, 403, 200),
    "POST /people/invite": (401, 403, 403, 200),
    "POST /people/withdraw": (401, 403, 403, 303),
    "POST /people/99/revoke": (401, 403, 403, 409),
    "POST /people/99/rename": (401, 403, 403, 409),
    "/name": (401, 200, 200, 200),
    "POST /name": (401, 303, 303, 303),
    "POST /exports/workbook": (401, 200, 200, 200),
    "POST /exports/table": (401, 200, 200, 200),
    "POST /exports/rows": (401, 403, 403, 200),
    "POST /exports/report": (401, 200, 200, 200),
    "POST /exports/orders": (401, 404, 404, 404),  # for nobody
    "POST /exports/poster": (401, 409, 409, 409),  # no channel is set up that a code could lead to
    "POST /summary": (401, 303, 303, 303),
    "POST /out": (401, 200, 200, 200),
}
WHO = [("", ""), ("officer", "yen-lac"), ("officer", ""), ("admin", "")]


@pytest.mark.parametrize("number", range(4), ids=["nobody", "officer of a district", "officer", "admin"])
async def test_every_page_and_form_keeps_to_the_scope(client: Client, service: Service, number: int) -> None:
    role, scope = WHO[number]
    await asked(service, "one")
    await asked(service, "two", "yen-lac")
    for districts in ((), ("yen-lac",)):
        await service.broadcasts.draft(Actor(), Audience(districts=districts))
    ours = ""
    if role:
        await sign_in(client, service, role, scope)
        ours = await token(client)
    for address, expected in ACCESS.items():
        method, _, path = address.rpartition(" ")
        form = (
            {"token": ours, "view": "commune", "period": "month", "code": "YL24", "form": "a4", "text": "Chào bạn."}
            if method
            else None
        )
        if form:
            form |= {"name": "Lan", "role": "officer:yen-lac", "reports": "any", "text-vi": "Chào bạn."}
        response = await client.request(method or "GET", f"/desk{path}", data=form, allow_redirects=False)
        assert response.status == expected[number], address
        if expected[number] not in (200, 303):
            assert "Traceback" not in await response.text()


def test_the_table_of_access_names_every_address() -> None:
    named = {address.rpartition(" ")[2] for address in ACCESS}
    for _, address, _, _ in PAGES:
        pattern = re.sub(r"\{\w+\}", r"[^/]+", address)
        assert any(re.fullmatch(pattern, path) for path in named), address


async def test_guided_walks_are_shown_step_by_step(client: Client, service: Service, talk: Talk) -> None:
    await talk.say(choice="guide:vneid-bhyt")
    await talk.say(choice="guide:vneid-bhyt:number:unseen")
    await talk.say(choice="guide:vneid-bhyt:number:done")
    await sign_in(client, service, "officer", "yen-lac")
    page = await (await client.get("/desk/guides?days=7")).text()
    assert "1 lượt bắt đầu, 0 lượt làm đến cuối" in page
    assert re.search(r'1\. Tìm số thẻ BHYT.*?<meter min="0" max="1" value="1">1</meter> 1</td><td class="n">0</td>'
                     r'<td class="n">1</td>', page, re.DOTALL)  # fmt: skip
    assert page.count("<table>") == 1  # guides that nobody began have none


async def test_an_officer_exports_the_own_district_only_and_leaves_a_line(client: Client, service: Service) -> None:
    today = service.clock().date() - timedelta(days=3)
    for number in range(12):
        await service.store.write(report(f"a{number}", "yen-lac", today))
        await service.store.write(report(f"b{number}", "vinh-tuong", today))
    person = await sign_in(client, service, "officer", "yen-lac")
    response = await client.post("/desk/exports/table", data={"token": await token(client), "view": "district"})
    text = (await response.read()).decode("utf-8-sig")
    assert ";251;Huyện Yên Lạc;" in text
    assert "Vĩnh Tường" not in text
    assert response.headers["Content-Disposition"].startswith("attachment")
    lines = await service.store.read(
        lambda tx: tx.all("SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1")
    )
    assert tuple(lines[0]) == (f"person {person}", "export", "csv district yen-lac")
    assert "vinh-tuong" not in await (await client.get("/desk/districts")).text()


async def test_reports_of_any_period_and_to_whom_they_come(client: Client, service: Service) -> None:
    officer = await sign_in(client, service, "officer", "yen-lac")
    form = {"token": await token(client)}

    async def made(kind: str = "report", **fields: str) -> tuple[int, str]:
        response = await client.post(f"/desk/exports/{kind}", data={**form, **fields})
        name = response.headers.get("Content-Disposition", "").partition("filename=")[2].strip('"')
        return response.status, name or await response.text()

    assert await made(period="last-quarter") == (200, "bao-cao-2026-07-01-2026-09-30.docx")
    assert await made(period="year") == (200, "bao-cao-2026-01-01-2026-11-22.docx")
    days = {"period": "days", "since": "2026-10-05", "until": "2026-10-09"}
    assert await made(**days) == (200, "bao-cao-2026-10-05-2026-10-09.docx")
    assert await made("workbook", period="last-quarter") == (200, "thong-ke-2026-07-01-2026-09-30.xlsx")
    for wrong in (
        {**days, "until": "2026-10-01"},
        {**days, "since": "2026-11-23", "until": "2026-11-24"},
        {"period": "x"},
    ):
        status, page = await made(**wrong)
        assert status == 400
        assert "Không đọc được những ngày này" in page

    async def order(person: int, every: str) -> int:
        fields = {**form, "person": str(person), "every": every}
        return (await client.post("/desk/exports/orders", data=fields, allow_redirects=False)).status

    assert await order(officer, "quarter") == 303
    assert re.search(r"<li>[^<]+: hằng quý</li>", await (await client.get("/desk/exports")).text())
    assert await order(officer + 1, "month") == 404  # only admins order for others
    assert await order(officer, "day") == 404
    admin = await sign_in(client, service, "admin")
    form["token"] = await token(client)
    assert await order(officer, "month") == 303
    assert await order(admin, "year") == 303
    assert (await (await client.get("/desk/exports")).text()).count("<li>") >= 2
    assert await order(officer, "never") == 303
    rows = await service.store.read(lambda tx: tx.all("SELECT person_id, every FROM report_orders"))
    assert [tuple(row) for row in rows] == [(admin, "year")]


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def test_nothing_a_citizen_typed_becomes_markup(client: Client, service: Service, talk: Talk) -> None:
    await talk.say(EVIL)
    day = service.clock().date() - timedelta(days=2)
    for number in range(12):
        await service.store.write(report(f"a{number}", "yen-lac", day, source=EVIL))
    await sign_in(client, service, "admin")
    gaps = await (await client.get("/desk/content", params={"q": EVIL})).text()
    assert "&lt;script&gt;" in gaps
    place = await (await client.get("/desk/districts/yen-lac")).text()
    assert "&lt;script&gt;" in place
    link = await (await client.get("/desk/in", params={"key": EVIL})).text()
    for text in (gaps, place, link):
        assert not re.search(r'<script(?! src="/static/desk)', text)
        assert "<img" not in text


async def test_pages_have_nothing_inline_and_ask_no_third_party(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    for method, address, _, _ in PAGES:
        if "{" in address or method == "POST" or address == "/inbox/counters":
            continue
        response = await client.get(f"/desk{address}")
        text = await response.text()
        assert not re.search(r'\sstyle=|<style|<script(?! src="/static/desk)|\son\w+=|https?://', text), address
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"
        assert '<html lang="vi">' in text
    english = await (await client.get("/desk/?lang=en")).text()
    assert ">Districts</a>" in english


async def test_the_chat_gives_officers_a_link_and_nobody_else(talk: Talk, client: Client, service: Service) -> None:
    assert "/desk/in" not in await talk.say("/desk")
    code = await access.invite(service.store, role="officer", scope="yen-lac", at=service.clock(), actor="test")
    await talk.say(f"/start moi_{code}")
    said = await talk.say("/desk")
    key = re.search(r"/desk/in\?key=(\S+)", said)
    assert key is not None
    assert (await enter(client, key[1])).status == 303


async def test_a_poster_of_the_own_places_only(client: Client, service: Service) -> None:
    await sign_in(client, service, "officer", "yen-lac")
    web = service.settings.web.model_copy(update={"public_url": "https://suckhoe.example.vn"})
    service.settings = service.settings.model_copy(update={"web": web})
    offered = await (await client.get("/desk/exports")).text()
    assert 'value="YL22"' in offered
    assert 'value="VT24"' not in offered
    form = {"token": await token(client), "form": "png"}
    made = await client.post("/desk/exports/poster", data={**form, "code": "YL22"})
    assert made.headers["Content-Type"] == "image/png"
    assert (await made.read()).startswith(b"\x89PNG")
    assert (await client.post("/desk/exports/poster", data={**form, "code": "VT24"})).status == 403
    assert (await client.post("/desk/exports/poster", data={**form, "code": "<b>"})).status == 404


async def test_the_vietnamese_desk_says_everything_in_vietnamese(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    exports = await (await client.get("/desk/exports")).text()
    assert '<option value="commune-2025">Xã, phường từ tháng 7/2025</option>' in exports
    content = await (await client.get("/desk/content", params={"q": "quên mật khẩu"})).text()
    for words in ("Độ chắc chắn", "Các bài gần nhất", "<td>còn đúng</td>", "đã trả lời"):
        assert words in content
    for words in ("normal form", "verdict", "<td>current</td>"):
        assert words not in content


async def test_the_audit_is_read_page_by_page_and_its_chain_checked_when_asked(
    client: Client, service: Service
) -> None:
    for number in range(250):
        await service.store.write(
            lambda tx, n=number: access.write_audit(
                tx, actor="test", action="line", detail=f"no {n}.", at=service.clock()
            )  # type: ignore[misc]
        )
    await sign_in(client, service, "admin")
    newest = await (await client.get("/desk/audit")).text()
    assert "no 249." in newest
    assert "no 20." not in newest
    older = re.search(r'href="(\?before=\d+)"', newest)
    assert older is not None
    rest = await (await client.get(f"/desk/audit{older[1]}")).text()
    assert "no 20." in rest
    assert "no 249." not in rest
    assert "before=" not in rest
    assert "còn nguyên:" not in newest
    assert "còn nguyên:" in await (await client.get("/desk/audit?check=1")).text()
    await service.store.write(lambda tx: tx.run("UPDATE audit SET detail = 'x' WHERE detail = 'no 100.'"))
    assert 'class="warning"' in await (await client.get("/desk/audit?check=1")).text()


async def test_the_audit_is_filtered_by_person_kind_and_day(
    client: Client, service: Service, clock: FrozenClock
) -> None:
    number = await asked(service, "citizen", "yen-lac")
    officer = await sign_in(client, service, "officer", "yen-lac")
    await client.get(f"/desk/inbox/{number}")
    await client.post("/desk/name", data={"token": await token(client), "name": "Trần Thị Lan"})
    clock.forward(days=1)
    await sign_in(client, service, "admin")

    async def shown(**query: str) -> list[str]:
        page = await (await client.get("/desk/audit", params=query)).text()
        return re.findall(r"<td>([^<]*)</td></tr>", page)

    assert "đọc tin nhắn số 1" in await shown()
    assert await shown(person=f"person {officer}") == [
        "đặt tên cho Trần Thị Lan", "đọc tin nhắn số 1", "đăng nhập bàn làm việc",
    ]  # fmt: skip
    assert await shown(person=f"person {officer}", kind="messages") == ["đọc tin nhắn số 1"]
    assert len(await shown(day="2026-11-24")) == 2  # a link and its use
    assert await shown(day="2026-11-25") == []
    assert await shown(person="nobody", kind="nothing") == []
    for wrong in ("x", "9999-12-31", "2026-13-01", "9" * 400):
        assert (await client.get("/desk/audit", params={"day": wrong})).status == 400
    assert ">Trần Thị Lan</option>" in await (await client.get("/desk/audit")).text()


async def test_counts_of_the_days_that_were_chosen(client: Client, service: Service) -> None:
    today = service.clock().date()
    for age in (3, 20, 60, 200):
        for number in range(6):
            await service.store.write(report(f"{age}-{number}", "yen-lac", today - timedelta(days=age)))
    await sign_in(client, service, "admin")
    for days, new in (("7", 6), ("30", 12), ("90", 18), ("365", 24), ("x", 12)):
        for address in ("", "districts", "districts/yen-lac"):
            text = await (await client.get(f"/desk/{address}", params={"days": days})).text()
            assert re.search(rf"Mới trong \d+ ngày</dt><dd>{new}</dd>", text), (days, address)


async def test_first_page_asks_for_the_name_of_the_agency(client: Client, service: Service) -> None:
    await sign_in(client, service, "officer", "yen-lac")
    page = await client.get("/desk/")
    assert page.status == 200
    assert "Chưa có tên cơ quan vận hành" in await page.text()
    named = OperatorSettings(name=NameSettings(vi="Sở Thử nghiệm", en="the Trial Department"))
    service.settings = service.settings.model_copy(update={"operator": named})
    assert "Chưa có tên cơ quan vận hành" not in await (await client.get("/desk/")).text()


NAVIGATION = 'href="/desk/inbox"'


async def test_an_answer_comes_back_after_signing_in_again(
    client: Client, service: Service, clock: FrozenClock
) -> None:
    number = await asked(service, "citizen", "yen-lac")
    person = await sign_in(client, service, "officer", "yen-lac")
    await client.post(f"/desk/inbox/{number}/take", data={"token": await token(client)})
    old, text = await token(client), f"Bạn mang máy ra xã nhé. {EVIL}"
    clock.forward(minutes=61)
    form = {"token": old, "seen": "1", "text": text}
    for _ in range(2):  # signed out, then signed in with a form of before
        lost = await client.post(f"/desk/inbox/{number}/answer", data=form, allow_redirects=False)
        page = await lost.text()
        assert "Bạn mang máy ra xã nhé. &lt;script&gt;" in page
        assert "<script>alert" not in page
        assert 'name="seen" value="1"' in page
        assert (NAVIGATION in page) == (lost.status == 403)
        await enter(client, await key_of(service, person))
    said = await service.store.read(lambda tx: tx.all("SELECT 1 FROM conversation_messages WHERE author = 'officer'"))
    assert said == []
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    again = await client.post(f"/desk/inbox/{number}/answer", data={**form, **fields, "token": await token(client)})
    assert again.status == 200
    assert "Bạn mang máy ra xã nhé." in await again.text()


async def test_a_form_of_another_site_gets_nothing_back(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    answer = await client.post(
        "/desk/inbox/1/answer", data={"text": "Chào bạn"}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status == 403
    assert "Chào bạn" not in await answer.text()


@pytest.mark.parametrize(
    ("asked_for", "target"),
    [
        ("/desk/districts?days=7", "/desk/districts?days=7"),
        ("/desk/inbox/12", "/desk/inbox/12"),
        ("/desk/broadcasts/1/progress", "/desk/"),  # asked for by a page, not by a person
        ("/desk/", "/desk/"),
    ],
)
async def test_signing_in_leads_to_the_page_that_was_asked_for(
    client: Client, service: Service, asked_for: str, target: str
) -> None:
    person = await member(service, "admin")
    assert (await client.get(asked_for)).status == 401
    assert (await enter(client, await key_of(service, person))).headers["Location"] == target
    assert (await enter(client, await key_of(service, person))).headers["Location"] == "/desk/"


FORGED = ["//evil.example", "/desk//evil.example", "https://evil.example", "/desk/\\evil", "/"]


@pytest.mark.parametrize("forged", FORGED)
async def test_signing_in_leads_to_pages_of_the_desk_only(client: Client, service: Service, forged: str) -> None:
    person = await member(service, "admin")
    cookie = f"desk-return={quote(forged, safe='')}"
    entered = await enter(client, await key_of(service, person), Cookie=cookie)
    assert entered.headers["Location"] == "/desk/"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "unknown", 404),
        ("POST", "unknown", 404),
        ("GET", "inbox/1/take", 404),
        ("GET", "inbox/99", 404),
        ("GET", "broadcasts/99", 404),
        ("GET", "districts/nowhere", 404),
        ("GET", "people", 403),
        ("POST", "exports/poster", 404),
        ("POST", "people/1/revoke", 403),
    ],
)
async def test_error_pages_show_the_way_to_the_others(
    client: Client, service: Service, method: str, address: str, status: int
) -> None:
    await sign_in(client, service, "officer", "yen-lac")
    form = {"token": await token(client)} if method == "POST" else None
    answer = await client.request(method, f"/desk/{address}", data=form)
    assert answer.status == status
    assert answer.content_type == "text/html"
    assert NAVIGATION in await answer.text()


async def test_an_error_before_signing_in_is_a_page_too(client: Client) -> None:
    for address, data in (("/desk/unknown", None), ("/desk/in", b"x" * 70_000)):
        answer = await client.request("POST" if data else "GET", address, data=data)
        assert answer.status == (413 if data else 401)
        assert answer.content_type == "text/html"


@pytest.mark.parametrize("role", ["admin", "officer"])
async def test_all_figures_of_a_page_end_with_yesterday(client: Client, service: Service, role: str) -> None:
    today = service.clock().date()
    for age, number in ((0, 30), (1, 10), (3, 20), (9, 40)):
        for one in range(number):
            work = report(f"{age}-{one}", "yen-lac", today - timedelta(days=age), commune="09025", source="YL22")
            await service.store.write(work)
    await sign_in(client, service, role)
    for address in ("", "districts", "districts/yen-lac"):
        text = await (await client.get(f"/desk/{address}")).text()
        assert "Tính đến hết ngày 22/11/2026" in text, address
        assert "Tính đến lúc này" not in text
        for title, figure in (("Đã báo", 70), ("Mới trong 7 ngày", 30), ("Trong 7 ngày trước đó", 40)):
            assert f"{title}</dt><dd>{figure}</dd>" in text, (address, title)
        assert ("Hôm nay đến lúc này: 30" in text) == (role == "admin")
        assert "100" not in text.replace("1000", "")
    place = await (await client.get("/desk/districts/yen-lac")).text()
    assert re.search(r'<td>2021</td><td class="n">70</td>', place)
    assert re.search(r'YL22</th><td>[^<]*</td><td class="n">70</td>', place)


async def test_trouble_is_told_in_the_reader_s_words(client: Client, service: Service) -> None:
    await sign_in(client, service, "admin")
    service.trouble["zalo_oa keys"] = "The keys are refused."
    service.trouble["engine"] = "It stands still."
    page = await (await client.get("/desk/")).text()
    for words in ("Kênh Zalo đang trục trặc", "The keys are refused.", "Một phần của trợ lý đang trục trặc: engine."):
        assert words in page
    service.trouble.clear()


async def test_the_weekly_summary_is_switched_on_and_off(client: Client, service: Service) -> None:
    await sign_in(client, service, "officer", "yen-lac")
    for on, shown in (("1", "Đang bật. Hằng tuần, vào thứ Hai lúc 08:00"), ("1", "Đang bật"), ("0", "Đang tắt")):
        form = {"token": await token(client), "on": on}
        assert (await client.post("/desk/summary", data=form, allow_redirects=False)).status == 303
        assert shown in await (await client.get("/desk/")).text()
    consents = await service.store.read(lambda tx: tx.all("SELECT purpose, withdrawn_at FROM consents"))
    assert [(row["purpose"], row["withdrawn_at"] is None) for row in consents] == [("summary", False)]
