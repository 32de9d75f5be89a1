"""The Zalo Bot Platform: raw payloads in, exact calls out, over a platform on this machine with its faults."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import access
from bot.channels.zalo.bot import channel
from bot.channels.zalo.bot.channel import ZaloBotChannel
from bot.channels.zalo.bot.updates import NAME, read_update, spoken_to_me, unwrap
from bot.channels.zalo.errors import bot_error, call_error
from bot.channels.zalo.transport import ApiResponse, SlowError, ZaloDroppedError, ZaloNotSentError
from bot.clock import stamp
from bot.cluster.lease import Lease
from bot.errors import DeliveryError, Overloaded, Rejected, StoreUnavailable, Throttled, Unknown, Unreachable
from bot.message import Attachment, Button, IncomingMessage, Person, Reply
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import leases
from tests.conftest import NOON, ROOT, FrozenClock
from tests.fakes.zalo import Fault
from tests.fakes.zalo_bot import TOKEN, FakeZaloBot
from tests.support.zalo_walk import Client, Taken, Walker, an_admin, walking

PAYLOADS = sorted((ROOT / "tests" / "payloads" / NAME).glob("*.json"))
CITIZEN = "7a6b5c4d3e2f1a0b9c8d"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
HEADER = "X-Bot-Api-Secret-Token"


def as_table(message: IncomingMessage | None) -> dict[str, Any] | None:
    """Write a message as the payload tables do: only what is not empty."""
    if message is None:
        return None
    said = {
        "address": message.person.address,
        "at": stamp(message.at),
        "text": message.text,
        "attachment": message.attachment,
        "crowd": message.group,
    }
    return {"heard": {key: value for key, value in said.items() if value}}


@pytest.mark.parametrize("path", PAYLOADS, ids=[path.stem for path in PAYLOADS])
def test_payload(path: Path) -> None:
    payload = json.loads(path.read_text(encoding="utf-8"))
    body = unwrap(payload["update"])
    assert body is not None
    message = read_update(body, account="1000", known_as=("Bot Hỏi Đáp", "bot.HoiDap"), now=NOON)
    assert as_table(message) == payload["read"]
    if message is not None:
        assert CITIZEN not in message.id


@pytest.mark.parametrize(
    "raw", [None, [], "x", 5, {}, {"ok": True}, {"result": {}}, {"event_name": "x"}, {"message": {}}]
)
def test_no_update(raw: object) -> None:
    assert unwrap(raw) is None


def test_the_same_message_id_elsewhere_is_another_message() -> None:
    body = json.loads((PAYLOADS[0].parent / "text-flat.json").read_text(encoding="utf-8"))["update"]
    other = {**body, "message": {**body["message"], "chat": {"chat_type": "PRIVATE", "id": "elsewhere"}}}
    ids = {
        message.id
        for account, update in (("1", body), ("2", body), ("1", other))
        if (message := read_update(update, account=account, now=NOON))
    }
    assert len(ids) == 3


MENTIONS: list[tuple[str, str, str | None]] = [
    ("@Bot Sức Khỏe cài ở đâu", "Bot Sức Khỏe", "cài ở đâu"),
    ("cài ở đâu @bot sức khỏe?", "Bot Sức Khỏe", "cài ở đâu ?"),
    ("@Bot Su\u031b\u0301c Kho\u0309e alo", "Bot S\u1ee9c Kh\u1ecfe", "alo"),
    ("@Bot Khác cài ở đâu", "Bot Sức Khỏe", None),
    ("@BotX cài ở đâu", "", "BotX cài ở đâu"),
    ("@bot.hoidap cài ở đâu", "", "cài ở đâu"),  # known by its own account
    ("cài ở đâu", "", None),
]


@pytest.mark.parametrize(("text", "name", "heard"), MENTIONS)
def test_groups_are_answered_only_when_they_mention_the_bot(text: str, name: str, heard: str | None) -> None:
    assert spoken_to_me(text, name, ("Bot Hỏi Đáp", "bot.HoiDap")) == heard


ERRORS: list[tuple[int, dict[str, Any], type[DeliveryError] | None]] = [
    (200, {"ok": True, "result": {}}, None),
    (500, {"ok": True}, None),  # judged by ok, not by the status
    (200, {"ok": True, "error_code": 0}, None),
    (200, {"ok": False, "error_code": 400}, Rejected),
    (400, {"ok": False, "error_code": "400"}, Rejected),
    (200, {"ok": False, "error_code": 401}, Unreachable),
    (200, {"ok": False, "error_code": 403, "description": "Internal server error"}, Unreachable),
    (200, {"ok": False, "error_code": 404}, Rejected),
    (408, {"ok": False, "error_code": 408}, Unknown),
    (200, {"ok": False, "errorCode": 429}, Throttled),
    (429, {"ok": False, "error_code": 429, "description": "Quota exceeded"}, Throttled),
    (200, {"ok": False, "errorCode": 426}, Rejected),
    (200, {"ok": False, "error_code": 500}, Unreachable),
    (200, {"ok": False, "error_code": "x"}, Rejected),
    (200, {"ok": "true"}, Rejected),
    (502, {}, Unreachable),
    (504, {}, Unreachable),
    (200, {}, Unknown),
]


@pytest.mark.parametrize(("status", "body", "expected"), ERRORS)
def test_error(status: int, body: dict[str, Any], expected: type[DeliveryError] | None) -> None:
    error = bot_error(ApiResponse(status, body))
    assert (type(error) if error else None) is expected


def test_requests_without_an_answer() -> None:
    for error, answering, expected in (
        (ZaloNotSentError("x"), False, Unreachable),
        (ZaloDroppedError("x"), True, Unreachable),
        (ZaloDroppedError("x"), False, Unknown),
        (SlowError("x"), True, Unknown),
    ):
        assert type(call_error(error, answering=answering)) is expected


# -- over the wire --------------------------------------------------------------------------------------------------


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    return Taken(monkeypatch)


@pytest.fixture
async def walker(settings: Settings, clock: FrozenClock, taken: Taken) -> AsyncIterator[Walker]:
    async with walking("zalo_bot", settings, clock, taken) as opened:
        yield opened


def channel_of(service: Service) -> ZaloBotChannel:
    channel = service.channels[NAME]
    assert isinstance(channel, ZaloBotChannel)
    return channel


async def until(walker: Walker, part: str) -> str:
    """Return what /readyz says about a part as soon as it says anything."""
    for _ in range(1000):
        if sentence := walker.service.trouble.get(part):
            return sentence
        await asyncio.sleep(0.005)
    raise AssertionError(f"no trouble with {part}")


async def test_numbers_and_the_way_back(walker: Walker) -> None:
    first = await walker.say("/start")
    assert "Gõ số để chọn, gõ 0 để về menu chính" in first
    assert "1. Hướng dẫn mở sổ trên VNeID" in first
    assert "user-manual" in await walker.say("số 1")
    assert "Bạn muốn làm gì" in await walker.say("0")
    assert "không có số 47" in await walker.say("47")
    assert "user-manual" in await walker.say("hướng dẫn")


async def test_flat_updates_and_the_platforms_other_moods(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    fake = FakeZaloBot(wrapped=False, quiet_status=408, quiet_seconds=0.01)
    fake.faults["getMe"].append(Fault(status=502, html=True))
    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        assert "Bạn muốn làm gì" in await walker.say("/menu")
        assert NAME not in walker.service.trouble


async def test_a_replayed_update_is_answered_once(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    fake = FakeZaloBot(replays=True)
    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        assert "Bạn muốn làm gì" in await walker.say("/menu")
        await fake.until_called("getUpdates", 2)
        await taken.settled()
        assert len(fake.texts(walker.address)) == 1


async def test_polling_stops_while_a_webhook_of_another_is_set(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    fake = FakeZaloBot(webhook={"url": "https://elsewhere.example/hook"})
    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        assert "elsewhere.example" in await until(walker, NAME)
        assert fake.asked("deleteWebhook") == []


async def test_a_refused_token_stops_the_channel_with_one_sentence(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    async with walking("zalo_bot", settings, clock, taken, FakeZaloBot(token="another:one")) as walker:
        sentence = await until(walker, NAME)
        assert "BOT_ZALO_BOT__TOKEN" in sentence
        assert TOKEN not in sentence
        assert (await walker.client.get("/readyz")).status == 503
        with pytest.raises(Unreachable):
            await channel_of(walker.service).send(Person(NAME, CITIZEN), Reply("x"), answering="m")


async def test_a_refused_token_is_told_to_the_admins_once(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    async with walking("zalo_bot", settings, clock, taken) as walker:
        told = await an_admin(walker, clock)
        walker.fake.token = "reset:since"
        for _ in range(2):
            with pytest.raises(Unreachable):
                await channel_of(walker.service).send(Person(NAME, CITIZEN), Reply("x"), answering="m")
        # Polling may have met the refusal first and be about to tell the admins.
        async with asyncio.timeout(10):
            while not (sentences := await told()):  # noqa: ASYNC110 - the channel sets no event
                await asyncio.sleep(0.005)
        assert ["từ chối token" in text for text in sentences] == [True]


async def test_polling_goes_on_after_anything_but_a_refused_token(
    settings: Settings, clock: FrozenClock, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = FakeZaloBot()
    polls = fake.faults["getUpdates"]
    polls.extend([Fault(429, "x"), Fault(403, "Internal server error"), Fault(status=504, html=True), Fault(drop=True)])
    polls.extend([Fault(500, "x", 500), Fault(408, "Request timeout")])  # the last one before its time
    faulty = [True]
    real = channel.read_update

    def mistaken(*args: Any, **more: Any) -> IncomingMessage | None:
        if faulty:
            faulty.pop()
            raise ValueError("a mistake of ours")
        return real(*args, **more)

    monkeypatch.setattr(channel, "read_update", mistaken)
    rested: list[float] = []

    async def no_sleep(seconds: float) -> None:
        rested.append(seconds)
        await asyncio.sleep(0)

    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        listening = channel_of(walker.service)._listening
        listening._sleep = no_sleep
        walker.fake.say(walker.address, "lost by the mistake, for nothing can be asked for again")
        await fake.until_called("getUpdates", 8)
        assert "Bạn muốn làm gì" in await walker.say("/menu")
    assert len(rested) >= 7  # never at once
    assert all(seconds >= 0.5 for seconds in rested)


@pytest.mark.parametrize("why", ["overloaded", "no database"])
async def test_what_a_poll_brought_is_taken_before_the_next_however_long_that_takes(
    settings: Settings, clock: FrozenClock, taken: Taken, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Each poll makes the platform forget what the one before it brought."""
    fake, gate, rested = FakeZaloBot(), asyncio.Event(), asyncio.Queue[float]()
    deliver = fake._deliver

    async def deliver_when_let(call: Any) -> dict[str, Any]:
        await gate.wait()
        return await deliver(call)

    async def rest(seconds: float) -> None:
        rested.put_nowait(seconds)
        await asyncio.sleep(0)

    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        service = walker.service
        channel_of(service)._listening._sleep = rest
        if why == "overloaded":
            fake._deliver = deliver_when_let  # type: ignore[method-assign]
            fake.say("first-of-three", "/menu")
            await fake.until_called("sendMessage")
            service.inbox.limit(per_minute=0, longest_text=2000, most_waiting=1)
        else:
            gate.set()
            fake.say("first-of-three", "/menu")
            await fake.until(1)
            read_inline = service.store.read_inline

            async def away(work: Any) -> Any:
                raise StoreUnavailable("The database cannot be reached.")

            monkeypatch.setattr(service.store, "read_inline", away)
        fake.say("second-of-three", "/menu")
        fake.say("third-of-three", "/menu")
        for _ in range(5):
            assert await asyncio.wait_for(rested.get(), 10) > 0
        polls = len(fake.asked("getUpdates"))
        for _ in range(5):
            await asyncio.wait_for(rested.get(), 10)
        assert len(fake.asked("getUpdates")) == polls
        assert fake.texts("third-of-three") == []
        assert NAME in service.trouble  # said in /readyz meanwhile
        if why == "overloaded":
            gate.set()
        else:
            monkeypatch.setattr(service.store, "read_inline", read_inline)
        await fake.until(3)
        for name in ("first-of-three", "second-of-three", "third-of-three"):
            assert len(fake.texts(name)) == 1
        await until_well(walker)


async def until_well(walker: Walker) -> None:
    async with asyncio.timeout(10):
        while NAME in walker.service.trouble:  # noqa: ASYNC110 - the next poll takes it away
            await asyncio.sleep(0.01)


async def test_a_stop_while_an_update_waits_for_room_gives_it_a_last_chance(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    fake, resting = FakeZaloBot(), asyncio.Event()

    async def rest(seconds: float) -> None:
        resting.set()
        await asyncio.Event().wait()

    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        channel_of(walker.service)._listening._sleep = rest
        receive = channel_of(walker.service)._receive
        refused = [True]

        def full(message: IncomingMessage) -> Any:
            if refused:
                refused.pop()
                raise Overloaded
            return receive(message)  # type: ignore[misc]

        channel_of(walker.service)._receive = full
        fake.say(walker.address, "/menu")
        await asyncio.wait_for(resting.wait(), 10)
    assert len(fake.texts(walker.address)) == 1


async def test_a_poll_may_bring_nothing_a_list_or_a_flat_update(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    async with walking("zalo_bot", settings, clock, taken) as walker:
        listening = channel_of(walker.service)._listening
        one, two, flat = (walker.fake.update(str(number), "/menu")["result"] for number in range(3))
        for body, fresh in (
            ({"ok": True}, False),
            ({"ok": True, "result": []}, False),
            ({"ok": True, "result": [one, two]}, True),
            (flat, True),
            (flat, False),
            ({"ok": True, "result": {"event_name": 5}}, False),
        ):
            assert await listening._take_all(ApiResponse(200, body)) is fresh


async def test_one_poller_a_token(walker: Walker, clock: FrozenClock) -> None:
    await walker.say("/menu")
    store = walker.service.store
    name = f"{NAME}:{TOKEN.partition(':')[0]}"
    assert not await Lease(store, name, seconds=60, clock=clock).hold()  # the channel itself has it
    at = stamp(clock() + timedelta(minutes=5))
    elsewhere = "elsewhere:1:abc:def"
    assert await store.write(
        lambda tx: leases.take(tx, name, holder=elsewhere, at=at, until=stamp(clock() + timedelta(seconds=100)))
    )
    assert not await Lease(store, name, seconds=60, clock=clock).hold()
    clock.forward(minutes=10)
    assert await Lease(store, name, seconds=60, clock=clock).hold()  # it ran out


async def test_the_lease_of_a_dead_process_is_free_at_once(service: Service, clock: FrozenClock) -> None:
    holder = f"{socket.gethostname()}:999999999:abc:def"
    at, until_ = stamp(clock()), stamp(clock() + timedelta(hours=1))
    await service.store.write(lambda tx: leases.take(tx, "x", holder=holder, at=at, until=until_))
    assert await Lease(service.store, "x", seconds=60, clock=clock).hold()


async def test_the_budget_is_counted_and_alarmed_once(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    bot = settings.zalo_bot.model_copy(update={"monthly_messages": 5})
    async with walking("zalo_bot", settings.model_copy(update={"zalo_bot": bot}), clock, taken) as walker:
        admin = Person("recorder", "admin-elsewhere")
        code = await access.invite(walker.service.store, role="admin", scope="", at=clock(), actor="test")
        message = IncomingMessage(person=admin, id="1", at=clock(), text=f"/start moi_{code}")
        await walker.service.inbox.receive(message)
        await taken.line.get()  # its answer has no channel to leave by
        for _ in range(3):
            await walker.say("/menu")
            await channel_of(walker.service)._usage_meter.flush()
        figures = await channel_of(walker.service).state()
        assert [(figure.value, figure.limit) for figure in figures] == [(6, 5), (3, 0)]
        pushes = await walker.service.store.read(lambda tx: tx.all("SELECT reply FROM pushes"))
        assert ["Kênh Zalo (bot) đã dùng 4 trong 5" in row["reply"] for row in pushes] == [True]
        clock.forward(days=30)
        for _ in range(2):
            await walker.say("/menu")
        await channel_of(walker.service)._usage_meter.flush()
        pushes = await walker.service.store.read(lambda tx: tx.all("SELECT reply FROM pushes"))
        assert len(pushes) == 2  # a new month, a new alarm


async def test_pictures_have_an_address_for_a_while(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    web = settings.web.model_copy(update={"public_url": "https://bot.example.vn"})
    async with walking("zalo_bot", settings, clock, taken, None) as walker:
        channel = channel_of(walker.service)
        person = Person(NAME, CITIZEN)
        await channel.send(person, Reply("Biểu đồ", image=PNG, alt="67.750 máy"), answering="m")
        assert walker.fake.texts(CITIZEN) == ["Biểu đồ\n\n67.750 máy"]  # without a public address, in words
        channel._pictures._public_url = web.public_url
        for _ in range(2):
            await channel.send(person, Reply("Biểu đồ", image=PNG), answering="m")
        urls = {call.data["photo"] for call in walker.fake.asked("sendPhoto")}
        assert len(urls) == 1
        path = urls.pop().removeprefix(web.public_url)
        assert len(path) > 40
        for _ in range(3):
            response = await walker.client.get(path)
            assert (response.status, response.content_type, await response.read()) == (200, "image/png", PNG)
        assert (await walker.client.get(path[:-1])).status == 404
        walker.fake.faults["sendPhoto"].append(Fault(400, "The photo URL is invalid"))
        await channel.send(person, Reply("Biểu đồ", image=PNG, alt="bằng lời"), answering="m")
        assert walker.fake.texts(CITIZEN)[-1] == "Biểu đồ\n\nbằng lời"
        clock.forward(hours=25)
        assert (await walker.client.get(path)).status == 404


async def test_what_leaves(walker: Walker) -> None:
    channel, person = channel_of(walker.service), Person(NAME, CITIZEN)
    decomposed = "to\u0302i đo\u0302\u0300ng y\u0301"
    await channel.send(person, Reply(f"**{decomposed}**", (Button("a", "b"),)), answering="m")
    assert walker.fake.delivered[-1].data == {"chat_id": CITIZEN, "text": "tôi đồng ý"}
    await channel.send(
        person, Reply("Dữ liệu", file=Attachment("a.json", "application/json", b'{"a": 1}')), answering="m"
    )
    assert walker.fake.texts(CITIZEN)[-1] == 'Dữ liệu\n\na.json\n\n{"a": 1}'
    file = Attachment("a.json", "application/json", "ă".encode() * 4500)
    await channel.send(person, Reply("", file=file), answering="m")
    assert sum(map(len, walker.fake.texts(CITIZEN)[-3:])) >= 4500


@pytest.mark.parametrize(
    ("fault", "expected", "code"),
    [
        (Fault(429, "Quota exceeded"), Throttled, "429"),
        (Fault(408, "Request timeout"), Unknown, "408"),
        (Fault(403, "Internal server error"), Unreachable, "403"),
        (Fault(status=504, html=True), Unreachable, "504"),
        (Fault(drop=True), Unreachable, "dropped"),
    ],
)
async def test_faults(walker: Walker, fault: Fault, expected: type[DeliveryError], code: str) -> None:
    walker.fake.faults["sendMessage"].append(fault)
    with pytest.raises(expected) as caught:
        await channel_of(walker.service).send(Person(NAME, CITIZEN), Reply("x"), answering="m")
    assert caught.value.code == code
    assert TOKEN not in str(caught.value)


async def test_the_pause_grows_with_every_refused_quota(walker: Walker, clock: FrozenClock) -> None:
    told = await an_admin(walker, clock)
    pauses = []
    for _ in range(3):
        walker.fake.faults["sendMessage"].append(Fault(429, "Quota exceeded"))
        with pytest.raises(Throttled) as caught:
            await channel_of(walker.service).send(Person(NAME, CITIZEN), Reply("x"), answering="m")
        pauses.append(caught.value.retry_after)
    assert pauses == [60, 120, 240]
    assert ["hết số tin nhắn" in text for text in await told()] == [True]  # by then it is the plan, and told once
    assert "used up" in walker.service.trouble["zalo_bot sending"]
    await channel_of(walker.service).send(Person(NAME, CITIZEN), Reply("x"), answering="m")
    assert "zalo_bot sending" not in walker.service.trouble


# -- webhook --------------------------------------------------------------------------------------------------------


async def hook(client: Client, body: Any, secret: str) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post("/hooks/zalo-bot", data=data, headers={HEADER: secret}) as response:
        return response.status


async def test_the_webhook(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    settings = settings.model_copy(
        update={
            "web": settings.web.model_copy(update={"public_url": "https://bot.example.vn"}),
            "zalo_bot": settings.zalo_bot.model_copy(update={"mode": "webhook"}),
        }
    )
    fake = FakeZaloBot()
    async with walking("zalo_bot", settings, clock, taken, fake) as walker:
        await fake.until_called("setWebhook")
        asked = fake.asked("setWebhook")[0].data
        assert asked["url"] == "https://bot.example.vn/hooks/zalo-bot"
        secret, client = asked["secret_token"], walker.client
        assert 8 <= len(secret) <= 256
        update = fake.update(CITIZEN, "/menu")
        assert await hook(client, update, "wrong") == 403
        assert await hook(client, update, "") == 403
        assert await hook(client, b"", "") == 200  # the probe
        assert await hook(client, b"<xml>", secret) == 400
        assert await hook(client, [], secret) == 400
        assert await hook(client, {"ok": True}, secret) == 200  # a probe with the secret
        assert await hook(client, {"event_name": "bot.of.tomorrow"}, secret) == 200
        assert await hook(client, b" " * 70_000 + b"{}", secret) == 413
        assert await hook(client, fake.update(CITIZEN, event="video"), secret) == 200
        for body in (update, update["result"], update):  # wrapped, flat, again
            assert await hook(client, body, secret) == 200
        await taken.settled()
        assert len(fake.texts(CITIZEN)) == 1


def with_hook(settings: Settings, mode: str) -> Settings:
    return settings.model_copy(
        update={
            "web": settings.web.model_copy(update={"public_url": "https://bot.example.vn"}),
            "zalo_bot": settings.zalo_bot.model_copy(update={"mode": mode}),
        }
    )


async def test_the_bots_own_webhook_is_taken_back_when_it_polls(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    fake = FakeZaloBot(webhook={"url": "https://bot.example.vn/hooks/zalo-bot"})
    async with walking("zalo_bot", with_hook(settings, "polling"), clock, taken, fake) as walker:
        assert "Bạn muốn làm gì" in await walker.say("/menu")
        assert len(fake.asked("deleteWebhook")) == 1


async def test_two_programs_do_not_fight_for_the_webhook(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    fake = FakeZaloBot(webhook={"url": "https://before.example/hook"})

    async def soon(seconds: float) -> None:
        await asyncio.sleep(0.01)

    async with walking("zalo_bot", with_hook(settings, "webhook"), clock, taken, fake) as walker:
        channel_of(walker.service)._listening._sleep = soon
        await fake.until_called("setWebhook")  # at the start the settings are believed …
        fake.webhook = {"url": "https://elsewhere.example/hook"}
        assert "elsewhere.example" in await until(walker, NAME)  # … but who takes it away then, keeps it
        assert len(fake.asked("setWebhook")) == 1
        fake.webhook = {}
        await fake.until_called("setWebhook", 2)  # lost, not taken


async def test_a_webhook_that_zalo_cannot_reach_is_told(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    fake = FakeZaloBot(probe={"ok": False, "status_code": 403, "outcome": "webhook.http.403"})
    async with walking("zalo_bot", with_hook(settings, "webhook"), clock, taken, fake) as walker:
        sentence = await until(walker, NAME)
        assert "403" in sentence
        assert "Java" in sentence


async def test_the_log_names_nobody_and_nothing(
    settings: Settings,
    clock: FrozenClock,
    taken: Taken,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    fake = FakeZaloBot()
    fake.faults["getMe"].append(Fault(drop=True))
    with capture_logs() as entries:
        async with walking("zalo_bot", settings, clock, taken, fake) as walker:
            await walker.say("câu hỏi không ai được đọc", caption="")
            fake.faults["sendMessage"].append(Fault(400, "Bad Request"))
            await walker.say("/menu")
            await fake.until_called("getUpdates", 3)
    said = str(entries) + caplog.text
    for secret in (TOKEN, walker.address, "câu hỏi", "Nguyễn Thị Mẫu"):
        assert secret not in said
