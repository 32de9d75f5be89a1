"""The web API: what it answers to good and to bad requests."""

from __future__ import annotations

import asyncio
import json
import string
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.channels.webchat import NAME
from bot.message import Person, Reply
from bot.runtime.build import Service, open_service
from bot.settings import Settings
from bot.web.app import make_app
from handlers import ROUTES
from tests.conftest import FrozenClock
from tests.support.property_examples import examples

Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with TestClient(TestServer(make_app(service))) as opened:
        yield opened


async def ask(client: Client, **body: Any) -> dict[str, Any]:
    response = await client.post("/api/chat", json=body)
    assert response.status == 200, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


async def test_a_question_is_answered_with_text_html_and_buttons(client: Client) -> None:
    answer = await ask(client, text="cài trên máy Samsung thế nào")
    reply = answer["replies"][0]
    assert set(reply) == {"text", "html", "buttons", "image", "image_dark", "alt", "file"}
    assert "CH Play" in reply["text"]
    assert "<b>CH Play</b>" in reply["html"]
    assert 'href="https://tiemchungcovid19.gov.vn/portal/user-manual"' in reply["html"]
    assert {"label", "choice"} == set(reply["buttons"][0])


async def test_a_drawn_screen_is_fetched_by_its_address_in_both_themes(client: Client) -> None:
    answer = await ask(client, choice="guide:vneid-bhyt:wallet")
    (step,) = [reply for reply in answer["replies"] if reply["image"]]
    assert step["image"] == "/screens/vneid-bhyt/wallet/vi-light.png"
    assert step["image_dark"] == "/screens/vneid-bhyt/wallet/vi-dark.png"
    assert step["alt"].startswith("Hình vẽ màn hình")
    for address in (step["image"], step["image_dark"]):
        response = await client.get(address)
        assert (response.status, response.content_type) == (200, "image/png")
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        again = await client.get(address, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status == 304


@pytest.mark.parametrize(
    "path",
    ["vneid-bhyt/wallet/vi-red.png", "vneid-bhyt/gone/vi-light.png", "gone/wallet/vi-light.png",
     "vneid-bhyt/wallet/fr-light.png", "vneid-install/ready/vi-light.png"],
)  # fmt: skip
async def test_a_screen_that_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert (await client.get(f"/screens/{path}")).status == 404


async def test_a_conversation_has_one_session(client: Client) -> None:
    await ask(client, text="/baocai")
    await ask(client, choice="report:agree")
    answer = await ask(client, text="vneid, vinh tuong")
    assert "huyện Vĩnh Tường" in answer["replies"][0]["text"]
    cookie = client.session.cookie_jar.filter_cookies(client.make_url("/"))["chat"]
    assert "." in cookie.value


async def test_a_repeated_id_is_done_once_and_answered_alike(client: Client, service: Service) -> None:
    await ask(client, text="/baocai", id="message-0001")
    await ask(client, choice="report:agree", id="message-0002")
    first = await ask(client, text="vneid, yen lac", id="message-0003")
    again = await ask(client, text="vneid, yen lac", id="message-0003")
    assert first == again
    history = await service.store.read(lambda tx: tx.all("SELECT change FROM report_history"))
    assert [row["change"] for row in history] == ["reported"]


async def test_another_session_cannot_read_by_id(service: Service) -> None:
    app = make_app(service)
    async with TestClient(TestServer(app)) as one, TestClient(TestServer(make_app(service))) as two:
        await ask(one, text="/dulieu", id="message-0001")
        answer = await ask(two, text="/menu", id="message-0001")
        assert "Bạn muốn làm gì" in answer["replies"][0]["text"]


async def test_my_data_can_be_taken_along_and_deleted(client: Client, service: Service) -> None:
    await ask(client, text="quên mật khẩu thì làm sao")
    answer = await ask(client, choice="privacy:export", id="message-0009")
    file = answer["replies"][0]["file"]
    response = await client.get(file["url"])
    assert response.headers["Content-Disposition"].startswith("attachment")
    copy = json.loads(await response.read())
    assert copy["channel"] == "webchat"
    assert copy["questions"][0]["text"] == "quên mật khẩu thì làm sao"
    answer = await ask(client, choice="privacy:erase")
    assert answer["erased"] is True
    left = await service.store.read(lambda tx: tx.all("SELECT id FROM people"))
    assert not left
    client.session.cookie_jar.clear()
    assert (await client.get(file["url"])).status == 404


BAD_REQUESTS: list[tuple[str, dict[str, Any], int]] = [
    ("no JSON", {"data": b"hello", "headers": {"Content-Type": "application/json"}}, 400),
    ("not UTF-8", {"data": b'{"text": "\xff"}', "headers": {"Content-Type": "application/json"}}, 400),
    ("half a surrogate pair", {"data": b'{"text": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, 400),
    ("a form", {"data": {"text": "hello"}}, 400),
    ("a list", {"json": ["hello"]}, 400),
    ("empty", {"json": {"text": ""}}, 400),
    ("blank", {"json": {"text": " \n\t"}}, 400),
    ("nothing", {"json": {}}, 400),
    ("text and choice", {"json": {"text": "a", "choice": "b"}}, 400),
    ("a number", {"json": {"text": 7}}, 400),
    ("a deep nest", {"data": b'{"text":' + b"[" * 20000, "headers": {"Content-Type": "application/json"}}, 400),
    ("a wild id", {"json": {"text": "a", "id": "../../etc/passwd"}}, 400),
    ("a long choice", {"json": {"choice": "x" * 201}}, 400),
    ("one megabyte", {"json": {"text": "x" * 1_000_000}}, 413),
]


@pytest.mark.parametrize(("name", "request_", "status"), BAD_REQUESTS, ids=[row[0] for row in BAD_REQUESTS])
async def test_bad_requests_get_one_kind_sentence(
    client: Client, service: Service, name: str, request_: dict[str, Any], status: int
) -> None:
    response = await client.post("/api/chat", **request_)
    assert response.status == status
    error = (await response.json())["error"]
    assert error
    assert "Traceback" not in error
    stored = await service.store.read(lambda tx: tx.all("SELECT id FROM inbox"))
    assert not stored


@pytest.mark.parametrize("cookie", ["", ".", "abc", "abc.def", "a" * 5000, "x.\u00e9"])
async def test_a_forged_cookie_is_refused(client: Client, service: Service, cookie: str) -> None:
    headers = {"Cookie": f'chat="{cookie}"'.encode("latin-1").decode("latin-1")}
    response = await client.post("/api/chat", json={"text": "hello"}, headers=headers)
    assert response.status == 403
    assert "không hợp lệ" in (await response.json())["error"]
    assert not await service.store.read(lambda tx: tx.all("SELECT id FROM people"))
    page = await client.get("/", headers=headers)  # opening the page again mends it
    assert page.cookies["chat"].value.partition(".")[2]


WILD_TEXTS: list[tuple[str, str]] = [
    ("HTML", "<script>alert(1)</script><img src=x onerror=alert(1)>"),
    ("Markdown", "**x** [click](https://evil.example) https://evil.example"),
    ("right-to-left marks", "\u202eabc\u2066def\u200f"),
    ("control characters", "a\x00b\x07c\x1b[31m"),
]


@pytest.mark.parametrize(("name", "text"), WILD_TEXTS, ids=[row[0] for row in WILD_TEXTS])
async def test_a_citizens_text_is_never_markup(client: Client, name: str, text: str) -> None:
    await ask(client, text="/canbo")
    for said in (text, text):
        for reply in (await ask(client, text=said))["replies"]:
            assert "evil" not in reply["html"]
            assert "<script" not in reply["html"]
            assert "<img" not in reply["html"]
            assert "\u202e" not in reply["text"]


async def test_what_an_officer_reads_is_never_markup(client: Client, service: Service) -> None:
    await ask(client, text="/canbo")
    await ask(
        client,
        text='máy tôi bị treo <a href="https://evil.example">x</a> **b** [c](https://evil.example) https://evil.example',
    )
    code = await invite(service)
    await ask(client, text=f"/start moi_{code}")
    listed = await ask(client, text="/hopthu")
    choices = [button["choice"] for button in listed["replies"][0]["buttons"]]
    shown = await ask(client, choice=next(choice for choice in choices if choice.startswith("case:open:")))
    html = shown["replies"][0]["html"]
    assert "<a" not in html
    assert "&lt;a href=" in html
    assert html.count("<b>") == 2  # the bot's own headings


async def invite(service: Service) -> str:
    from bot import access

    return await access.invite(service.store, role="admin", scope="", at=service.clock(), actor="test")


async def test_an_officers_answer_reaches_the_open_chat(client: Client, service: Service) -> None:
    await ask(client, text="/canbo")
    await ask(client, text="máy tôi bị treo")
    async with TestClient(TestServer(make_app(service))) as officer:
        await ask(officer, text=f"/start moi_{await invite(service)}")
        listed = await ask(officer, text="/hopthu")
        shown = await ask(officer, choice=listed["replies"][0]["buttons"][0]["choice"])
        await ask(officer, choice=shown["replies"][0]["buttons"][0]["choice"])
        await ask(officer, text="Bạn thử khởi động lại máy nhé. **Chúc vui**")
    async with client.get("/api/chat/events") as stream:
        event = await read_event(stream)
    assert "khởi động lại máy" in event["text"]
    assert "<b>Chúc vui</b>" not in event["html"]


async def test_events_go_on_after_the_last_one_seen(client: Client, service: Service) -> None:
    await ask(client, text="/menu")
    row = await service.store.read(lambda tx: tx.one("SELECT address FROM people"))
    assert row is not None
    person = Person(NAME, row["address"])
    first = await service.webchat.send(person, Reply("một"))
    await service.webchat.send(person, Reply("hai"))
    async with client.get("/api/chat/events", headers={"Last-Event-ID": first.id}) as stream:
        assert (await read_event(stream))["text"] == "hai"
        waiting = asyncio.ensure_future(read_event(stream))
        await service.webchat.send(person, Reply("ba"))
        assert (await asyncio.wait_for(waiting, 10))["text"] == "ba"


async def read_event(stream: ClientResponse) -> dict[str, Any]:
    while True:
        line = (await asyncio.wait_for(stream.content.readline(), 10)).decode()
        if line.startswith("data: "):
            data: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return data


async def test_floods_are_answered_429_with_the_time_to_wait(settings: Settings, clock: FrozenClock) -> None:
    limits = settings.limits.model_copy(update={"person_per_minute": 3})
    async with (
        open_service(settings.model_copy(update={"limits": limits}), ROUTES, now=clock) as service,
        TestClient(TestServer(make_app(service))) as client,
    ):
        statuses = [(await client.post("/api/chat", json={"text": "/menu"})).status for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        response = await client.post("/api/chat", json={"text": "/menu"})
        assert 1 <= int(response.headers["Retry-After"]) <= 21


async def test_the_page_is_small_strict_and_in_two_languages(client: Client) -> None:
    page = await client.get("/")
    text = await page.text()
    assert 'lang="vi"' in text
    assert "Trợ lý Sổ sức khỏe điện tử" in text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    english = await client.get("/?lang=en")
    assert 'lang="en"' in await english.text()
    assert 'lang="en"' in await (await client.get("/")).text()  # remembered
    size = len(text.encode())
    for path in ("/static/chat.css", "/static/chat.js", "/static/icon.svg"):
        response = await client.get(path)
        assert response.status == 200
        size += len(await response.read())
    assert size < 60_000
    assert "http://" not in text.replace("http://www.w3.org", "")


async def test_health(client: Client, service: Service) -> None:
    assert (await client.get("/healthz")).status == 200
    ready = await client.get("/readyz")
    assert ready.status == 200
    assert (await ready.json())["articles"] == 126
    assert b"bot_messages_waiting" in await (await client.get("/metrics")).read()
    service.trouble["store"] = "The disk is full."
    assert (await client.get("/readyz")).status == 503


@pytest.mark.parametrize("path", ["/nothing", "/static/../app.py", "/static/%2e%2e/app.py", "/api/chat"])
async def test_other_addresses_are_refused_kindly(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.status in (401, 403, 404, 405)
    assert (await response.json())["error"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=JSON
    | st.fixed_dictionaries({"text": st.text(max_size=300)})
    | st.fixed_dictionaries({"choice": st.text(max_size=60)})
    | st.fixed_dictionaries(
        {"text": st.text(string.printable + "ăâêôơưđạẵ\u202e\u0301", max_size=200), "id": st.text(max_size=70)}
    )
)
def test_any_body_gets_an_answer_or_a_sentence(wild: Client, loop_runner: asyncio.Runner, body: Any) -> None:
    async def send() -> tuple[int, Any]:
        response = await wild.post("/api/chat", data=json.dumps(body), headers={"Content-Type": "application/json"})
        return response.status, await response.json()

    status, answer = loop_runner.run(send())
    assert status in (200, 400)
    assert answer["replies"] if status == 200 else answer["error"]


@pytest.fixture
def loop_runner() -> Any:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def wild(loop_runner: asyncio.Runner, settings: Settings, clock: FrozenClock) -> Any:
    """The same client for many generated bodies: Hypothesis is no coroutine, so the loop is run by hand."""
    opened = open_service(settings, ROUTES, now=clock)
    service = loop_runner.run(opened.__aenter__())

    async def start() -> Client:
        client: Client = TestClient(TestServer(make_app(service)))
        await client.start_server()
        return client

    client = loop_runner.run(start())
    yield client
    loop_runner.run(client.close())
    loop_runner.run(opened.__aexit__(None, None, None))
