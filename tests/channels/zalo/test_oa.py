"""The Zalo Official Account: raw events in, exact calls out, keys that expire, windows, humans who take over."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.channels.zalo.errors import ACCOUNT, BUSINESS, Host, oa_error
from bot.channels.zalo.oa.channel import ZaloOAChannel
from bot.channels.zalo.oa.events import NAME, Notice, Receipts, Verifier, event_name, read_event
from bot.channels.zalo.oa.tokens import Pair, keep_pair
from bot.channels.zalo.speech import LONGEST_TEXT, as_texts, nfc_length, plain
from bot.channels.zalo.transport import ApiResponse
from bot.clock import stamp
from bot.delivery.outbox import fit
from bot.errors import DeliveryError, Gone, Rejected, StoreUnavailable, Throttled, Unknown, Unreachable
from bot.message import Attachment, Button, Capabilities, IncomingMessage, Person, Reply, Window
from bot.runtime.zalo_factory import open_zalo
from bot.settings import Settings
from bot.store import Transaction, credentials, people, reach, roles
from tests.conftest import NOON, ROOT, FrozenClock
from tests.fakes.zalo import Fault
from tests.fakes.zalo_oa import APP_ID, APP_SECRET, FIRST_REFRESH, OA_ID, OA_SECRET, FakeZaloOA, signed
from tests.support.zalo_walk import CITIZEN, Taken, Walker, an_admin, oa_settings, walking

PAYLOADS = sorted((ROOT / "tests" / "payloads" / NAME).glob("*.json"))
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
SECRETS = [("own", OA_SECRET), ("app", APP_SECRET)]
TRAITS = Capabilities(longest_text=LONGEST_TEXT, measure=nfc_length, buttons=False)


def as_table(event: object) -> dict[str, Any] | None:
    """Write an event as the payload tables do: only what is not empty, no id that was made up."""
    match event:
        case IncomingMessage():
            said = {
                "id": "" if event.id.startswith("~") else event.id,
                "address": event.person.address,
                "at": stamp(event.at),
                "text": event.text,
                "choice": event.choice,
                "attachment": event.attachment,
                "event": event.event,
                "location": list(event.location or ()),
            }
            return {"heard": {key: value for key, value in said.items() if value}}
        case Receipts(kind, count):
            return {"receipts": {"kind": kind, "count": count}}
        case Notice(name):
            return {"notice": name}
    return None


@pytest.mark.parametrize("path", PAYLOADS, ids=[path.stem for path in PAYLOADS])
def test_payload(path: Path) -> None:
    payload = json.loads(path.read_text(encoding="utf-8"))
    assert event_name(payload["update"])
    at = NOON if path.stem == "without-timestamp" else NOON + timedelta(milliseconds=123)
    assert as_table(read_event(payload["update"], now=at)) == payload["read"]


def test_ids_that_are_made_up_differ_and_hide_the_person() -> None:
    fake = FakeZaloOA()
    events = [fake.follow(CITIZEN), fake.follow(CITIZEN), fake.follow("2"), fake.follow(CITIZEN, leaves=True)]
    read = [read_event(event, now=NOON) for event in (*events, events[0])]
    ids = [message.id for message in read if isinstance(message, IncomingMessage)]
    assert len(ids) == 5
    assert len(set(ids)) == 4
    assert not any(CITIZEN in message_id for message_id in ids)


# The four ways in which sources say that the header is made, and three in which it is not.
SIGNATURES: list[tuple[str, str, str, bool]] = [
    ("app id, own secret", APP_ID, OA_SECRET, True),
    ("account id, own secret", OA_ID, OA_SECRET, True),
    ("app id, app secret", APP_ID, APP_SECRET, True),
    ("account id, app secret", OA_ID, APP_SECRET, True),
    ("another app", "4", OA_SECRET, False),
    ("another secret", APP_ID, "x", False),
    ("no secret", APP_ID, "", False),
]


@pytest.mark.parametrize(("about", "first", "secret", "accepted"), SIGNATURES, ids=[row[0] for row in SIGNATURES])
def test_signature(about: str, first: str, secret: str, accepted: bool) -> None:
    event = FakeZaloOA().text(CITIZEN, "Xin chào, tôi cần hỗ trợ")
    body, headers = signed(event, first=first, secret=secret)
    header = headers["X-ZEvent-Signature"]
    verifier = Verifier(app_id=APP_ID, oa_id="", secrets=SECRETS)
    assert verifier.accepts(body, event, header) is accepted
    assert verifier.accepts(body, event, header.removeprefix("mac=").upper()) is accepted
    assert not verifier.accepts(body + b" ", event, header)
    assert not verifier.accepts(json.dumps(event).encode(), event, header)  # not the bytes that came
    assert not verifier.accepts(body, event, "")


def test_a_keyed_hash_is_no_signature() -> None:
    event = FakeZaloOA().text(CITIZEN, "alo")
    body, _ = signed(event)
    digest = hmac.new(OA_SECRET.encode(), APP_ID.encode() + body, hashlib.sha256).hexdigest()
    assert not Verifier(app_id=APP_ID, oa_id=OA_ID, secrets=SECRETS).accepts(body, event, f"mac={digest}")


# Every code that has been described, by what it leads to, on each of the two hosts.
REFUSALS: dict[type[DeliveryError], tuple[str, str]] = {
    Unreachable: (
        "-216 -220 -204 -205 -209 -212 -219 -221 -223 -224 -235 -242 -320 -211 -321 -234 -200",
        "-124 -101 -102 -103 -104 -105 -117 -120 -125 -131 -135 -1351 -136 -138 -146 "
        "-115 -126 -137 -144 -1441 -147 -133 -100",
    ),
    Throttled: ("-32", "-32"),
    Gone: ("-213 -217 -218 -227 -230 -232 -244", "-108 -114 -118 -119 -139 -140 -141"),
    Rejected: (
        "-201 -210 -214 -233 -237 -240 -248 -249 -403 -100 -238 -241",
        "-109 -111 -112 -1121 -1122 -1124 -116 -121 -122 -132 -158 -159",
    ),
    Unknown: ("-9999 -118", "-9999 -230"),  # -118 and -230 say something on the other host only
}
CODES = [
    (code, host, expected)
    for expected, hosts in REFUSALS.items()
    for host, codes in zip((ACCOUNT, BUSINESS), hosts, strict=True)
    for code in codes.split()
]


def error_of(answer: ApiResponse, host: Host = ACCOUNT, *, hours: float = 0.0) -> DeliveryError | None:
    return oa_error(answer, now=NOON + timedelta(hours=hours), zone=Settings().zone, host=host)


def test_every_code_on_both_hosts() -> None:
    for code, host, expected in CODES:
        for written in (int(code), code):
            error = error_of(ApiResponse(200, {"error": written, "message": "x"}), host)
            assert type(error) is expected, code
            assert error.code == code
    described = {int(code) for code, host, expected in CODES if host is ACCOUNT and expected is not Unknown}
    assert set(ACCOUNT) - {-124} == described
    described = {int(code) for code, host, expected in CODES if host is BUSINESS and expected is not Unknown}
    assert set(BUSINESS) == described


ANSWERS: list[tuple[int, dict[str, Any], type[DeliveryError] | None]] = [
    (200, {"error": 0, "data": {}}, None),
    (200, {"error": "0"}, None),
    (502, {}, Unreachable),
    (200, {}, Unknown),
    (200, {"message": "no code at all"}, Unknown),
]


@pytest.mark.parametrize(("status", "body", "expected"), ANSWERS)
def test_answers(status: int, body: dict[str, Any], expected: type[DeliveryError] | None) -> None:
    error = error_of(ApiResponse(status, body))
    assert (type(error) if error else None) is expected


def test_pauses_end_when_the_limit_does() -> None:
    zone = Settings().zone
    rate = oa_error(ApiResponse(200, {"error": -32}), now=NOON + timedelta(seconds=20), zone=zone)
    assert rate is not None
    assert 40 <= rate.retry_after <= 45
    for code, hours, expected in (
        (-234, 10.5, timedelta(hours=7, minutes=35)),
        (-211, 0, timedelta(hours=18, minutes=5)),
    ):
        error = error_of(ApiResponse(200, {"error": code}), hours=hours)  # at 22:30, at noon
        assert error is not None
        assert error.retry_after == expected.total_seconds()


@pytest.mark.parametrize(
    ("text", "whose"),
    [("Your application reached limit call api", "app's"), ("Your OA reached limit call api", "account's")],
)
def test_one_code_for_two_limits(text: str, whose: str) -> None:
    assert whose in str(error_of(ApiResponse(200, {"error": -32, "message": text})))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ("id", "admin_id", "text", "msg_id", "msg_ids", "attachments", "payload", "coordinates")
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(
        ("user_send_text", "user_send_location", "follow", "user_withdraw", "oa_send_text", "user_seen_message")
    ),
)
def test_whatever_comes_is_read_without_a_fault(wild: Any, name: str) -> None:
    places = ("sender", "recipient", "follower", "message", "timestamp", "user_id")
    read = read_event({"event_name": name, **dict.fromkeys(places, wild)}, now=NOON)
    if isinstance(read, IncomingMessage):
        assert read.person.address
        assert read.id


LENGTHS: list[tuple[str, int]] = [
    ("ế" * 2000, 1),
    ("e\u0302\u0301" * 2000, 1),  # decomposed: 6,000 before it is composed
    ("ế" * 2001, 2),
    ("😀" * 1000, 1),
    ("😀" * 1001, 2),
]


@pytest.mark.parametrize(("text", "messages"), LENGTHS)
def test_two_thousand_letters_are_one_message(text: str, messages: int) -> None:
    parts = [part for reply in fit(Reply(text), TRAITS) for part in as_texts(plain(reply.text))]
    assert len(parts) == messages
    assert all(len(part.encode("utf-16-le")) // 2 <= 2000 for part in parts)
    assert "".join(parts) == unicodedata.normalize("NFC", text)


# -- over the wire --------------------------------------------------------------------------------------------------


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    return Taken(monkeypatch)


@pytest.fixture
async def walker(settings: Settings, clock: FrozenClock, taken: Taken) -> AsyncIterator[Walker]:
    async with walking("zalo_oa", settings, clock, taken) as opened:
        yield opened


def channel_of(walker: Walker) -> ZaloOAChannel:
    channel = walker.service.channels[NAME]
    assert isinstance(channel, ZaloOAChannel)
    return channel


async def send(walker: Walker, reply: Reply, answering: str = "") -> Any:
    return await channel_of(walker).send(Person(NAME, CITIZEN), reply, answering=answering)


async def all_rows(walker: Walker, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await walker.service.store.read(lambda tx: tx.all(sql))]  # type: ignore[arg-type]


async def test_the_webhook(walker: Walker) -> None:
    fake, client = walker.fake, walker.client

    async def post(body: bytes, headers: dict[str, str]) -> int:
        async with client.post("/hooks/zalo-oa", data=body, headers=headers) as response:
            return response.status

    assert await post(b"{}", {}) == 200  # what is posted when the webhook is saved
    assert await post(b"", {}) == 200
    assert await post(b"<xml>", {}) == 400
    assert await post(b"[]", {}) == 400
    body, headers = signed(fake.text(CITIZEN, "/menu"))
    assert await post(body, {}) == 401
    assert await post(body, {"X-ZEvent-Signature": "mac=" + "0" * 64}) == 401
    assert await post(*signed({"timestamp": "1", "hello": 1})) == 400
    assert await post(b" " * 70_000 + body, headers) == 413
    assert await post(*signed(fake.event("an_event_of_tomorrow"))) == 200
    for _ in range(3):
        assert await post(body, headers) == 200
    await walker.taken.settled()
    await walker.taken.settled()
    assert len(fake.texts(CITIZEN)) == 1


async def test_the_first_answer_quotes_the_question(walker: Walker) -> None:
    await walker.post(walker.fake.text(CITIZEN, "/start", msg_id="feed-1"))
    await walker.heard()
    quotes = [said.message.get("quote_message_id") for said in walker.fake.said]
    assert quotes[0] == "feed-1"
    assert set(quotes[1:]) <= {None}
    walker.fake.faults.append(Fault(-201, "quote_message_id is invalid"))
    await send(walker, Reply("x"), "feed-2")
    assert walker.fake.said[-1].message == {"text": "x"}


async def test_who_follows_is_greeted_and_who_leaves_is_left_alone(walker: Walker) -> None:
    await walker.post(walker.fake.follow(CITIZEN))
    assert "trợ lý tự động" in await walker.heard()
    await walker.say("/nhacnho")
    await walker.choose("Có, hãy nhắc tôi")
    await walker.post(walker.fake.follow(CITIZEN, leaves=True))
    assert await walker.heard() == ""
    assert await all_rows(walker, "SELECT gone_at IS NOT NULL FROM people") == [(1,)]
    assert await all_rows(walker, "SELECT withdrawn_at IS NOT NULL FROM consents") == [(1,)]
    await walker.post(walker.fake.follow(CITIZEN))
    assert "Chào mừng bạn quay lại" in await walker.heard()
    assert await all_rows(walker, "SELECT gone_at FROM people") == [(None,)]


async def test_presence_that_was_overtaken_changes_nothing(walker: Walker) -> None:
    came, left = walker.fake.follow(CITIZEN), walker.fake.follow(CITIZEN, leaves=True)
    assert "Bạn muốn làm gì" in await walker.say("/menu")
    for late in (came, left):
        await walker.post(late)
        assert await walker.heard() == ""
    assert await all_rows(walker, "SELECT gone_at FROM people") == [(None,)]


async def test_the_code_of_a_poster_is_typed(walker: Walker) -> None:
    await walker.post(walker.fake.follow(CITIZEN))
    await walker.heard()
    assert "trợ lý tự động" in await walker.say("gõ vt 24")
    await walker.say("gõ YL22")
    assert await all_rows(walker, "SELECT source FROM people") == [("VT24",)]  # the first one stays


async def test_a_stranger_who_leaves_stays_unknown(walker: Walker) -> None:
    await walker.post(walker.fake.follow(CITIZEN, leaves=True))
    await walker.heard()
    assert await all_rows(walker, "SELECT id FROM people") == []


async def test_a_withdrawal_erases(walker: Walker) -> None:
    for said in ("/baocai", "có", "vĩnh tường", "quên mật khẩu"):
        await walker.say(said)
    await walker.post(walker.fake.event("user_withdraw", oa_id=OA_ID, user_id=CITIZEN))
    assert await walker.heard() == ""
    for table in ("people", "reports", "report_history", "questions", "consents", "dialogs", "reach"):
        assert await all_rows(walker, f"SELECT * FROM {table}") == [], table
    assert CITIZEN not in str(await all_rows(walker, "SELECT address, message_id, body, replies FROM inbox"))


async def test_the_bot_keeps_out_when_an_officer_writes(walker: Walker, clock: FrozenClock) -> None:
    await walker.say("/start")
    await walker.post(walker.fake.echo(CITIZEN, "Chào bạn"))  # its own echo
    assert "Bạn muốn làm gì" in await walker.say("/menu")
    await walker.post(walker.fake.echo(CITIZEN, "Cán bộ đây ạ", admin="59"))
    assert await walker.heard() == ""
    assert await walker.say("dạ máy em bị treo ạ") == ""
    assert await all_rows(walker, "SELECT * FROM questions") == []
    assert "Bạn muốn làm gì" in await walker.say("menu")  # the citizen calls the bot back
    assert await walker.say("quên mật khẩu") != ""
    await walker.post(walker.fake.echo(CITIZEN, "Bạn thử lại nhé", admin="59"))
    await walker.heard()
    clock.forward(minutes=61)
    assert await walker.say("quên mật khẩu") != ""


async def test_an_officer_may_write_to_somebody_unknown(walker: Walker) -> None:
    await walker.post(walker.fake.echo(CITIZEN, "Cán bộ đây ạ", admin="59"))
    await walker.heard()
    assert await walker.say("dạ chào cán bộ") == ""


async def test_a_location_names_the_districts_around_it(walker: Walker) -> None:
    place = {"coordinates": {"latitude": "21.2201", "longitude": "105.5102"}}
    await walker.post(walker.fake.sends(CITIZEN, "location", place))
    assert "chỉ đọc được chữ" in await walker.heard()
    for said in ("/baocai", "1"):
        await walker.say(said)
    await walker.post(
        walker.fake.sends(CITIZEN, "location", {"coordinates": {"latitude": "10.7", "longitude": "106.6"}})
    )
    assert "không nằm trong vùng Vĩnh Phúc cũ" in await walker.heard()
    await walker.post(walker.fake.sends(CITIZEN, "location", place))
    shown = await walker.heard()
    assert "1. Huyện Vĩnh Tường" in shown
    assert "4. Tôi ở nơi khác" in shown
    assert "5. " not in shown
    assert "Bạn đã cài hoặc mở sổ nào" in await walker.choose("Huyện Vĩnh Tường")
    assert "huyện Vĩnh Tường" in await walker.choose("Sổ trong VNeID")
    assert "21.2" not in str(await all_rows(walker, "SELECT * FROM inbox"))


@pytest.mark.parametrize("kind", ["image", "sticker", "file", "audio", "video", "link", "business_card", "gif"])
async def test_anything_but_text_gets_a_kind_sentence(walker: Walker, kind: str) -> None:
    await walker.post(walker.fake.sends(CITIZEN, kind, {"url": "https://x.invalid/a"}))
    assert "chỉ đọc được chữ" in await walker.heard()


async def test_a_number_belongs_to_the_menu_that_stood_there_when_it_was_typed(walker: Walker) -> None:
    await walker.say("/menu")
    overtaken = walker.fake.text(CITIZEN, "1")  # typed while the menu was the last thing read …
    await walker.say("/ngonngu")
    await walker.post(overtaken)  # … and brought late
    assert "user-manual" in await walker.heard()


async def test_buttons_are_a_decoration(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    oa = settings.zalo_oa.model_copy(update={"buttons": True, "button_template": "promotion"})
    async with walking("zalo_oa", settings.model_copy(update={"zalo_oa": oa}), clock, taken) as walker:
        await walker.say("/baocai")
        payload = walker.fake.said[-1].message["attachment"]["payload"]
        assert payload["template_type"] == "promotion"
        assert [button["payload"] for button in payload["buttons"]] == ["#chon:report:agree", "#chon:report:decline"]
        assert "Bạn sống ở huyện" in await walker.say("#chon:report:agree")  # a tap comes as text
        assert len(walker.fake.said[-1].message["attachment"]["payload"]["buttons"]) == 5
        walker.fake.faults.extend([Fault(-201, "quote"), Fault(-201, "attachment is invalid")])
        await send(walker, Reply("x", (Button("a", "b"),)), "feed-9")
        await send(walker, Reply("y", (Button("a", "b"),)), "feed-10")
        assert [said.message.get("attachment") for said in walker.fake.said[-2:]] == [None, None]


async def test_pictures_are_uploaded_once(walker: Walker) -> None:
    for _ in range(2):
        await send(walker, Reply("Biểu đồ", image=PNG, alt="bằng lời"), "m")
    assert walker.fake.uploads == [("picture.png", PNG)]
    element = walker.fake.said[-1].message["attachment"]["payload"]["elements"][0]
    assert element == {"media_type": "image", "attachment_id": "UPLOAD_1"}
    walker.fake.faults.append(Fault(-100, "attachment_id was expired"))
    await send(walker, Reply("Biểu đồ", image=PNG))
    assert len(walker.fake.uploads) == 2
    await send(walker, Reply("Biểu đồ", image=PNG + bytes(1_000_000), alt="bằng lời"), "m")
    assert walker.fake.said[-1].message == {"text": "Biểu đồ\n\nbằng lời", "quote_message_id": "m"} or (
        walker.fake.said[-1].text == "Biểu đồ\n\nbằng lời"
    )


async def test_files(walker: Walker) -> None:
    await send(walker, Reply("Báo cáo", file=Attachment("a.pdf", "application/pdf", b"%PDF")))
    assert walker.fake.said[-2].message["attachment"] == {"type": "file", "payload": {"token": "UPLOAD_1"}}
    await send(walker, Reply("Dữ liệu", file=Attachment("a.json", "application/json", b"{}")))
    assert walker.fake.said[-1].text == "Dữ liệu\n\na.json\n\n{}"


async def test_the_windows_are_kept_for_each_person(walker: Walker, clock: FrozenClock) -> None:
    channel, store = channel_of(walker), walker.service.store
    assert channel.capabilities.window == Window(free_hours=48, free_messages=0, paid_days=7)

    async def windows(free_messages: int = 0) -> list[int]:
        """Count by price, and ask for the price of the one person, which is the same."""
        await channel._usage_meter.flush()
        counted = [figure.value for figure in (await channel.state())[1:4]]
        window = Window(free_hours=48, free_messages=free_messages, paid_days=7)
        number = (await all_rows(walker, "SELECT id FROM people"))[0][0]
        price = await store.read(lambda tx: reach.price(tx, number, window, now=clock()))
        if not free_messages:
            assert counted == [int(price == name) for name in (reach.FREE, reach.PAID, reach.CLOSED)]
        return [int(price == name) for name in (reach.FREE, reach.PAID, reach.CLOSED)]

    await walker.say("/menu")
    assert await windows() == [1, 0, 0]
    for _ in range(7):
        await send(walker, Reply("tin"))
    assert await windows() == [1, 0, 0]
    assert await windows(free_messages=8) == [0, 1, 0]  # where only eight are free
    clock.forward(hours=49)
    assert await windows() == [0, 1, 0]
    await walker.post(walker.fake.event("user_seen_message", recipient={"id": CITIZEN}, message={"msg_ids": ["c1"]}))
    assert await windows() == [0, 1, 0]  # a receipt opens nothing
    clock.forward(days=5)
    assert await windows() == [0, 0, 1]
    walker.fake.faults.append(Fault(-230, "User has not interacted with the OA in the past 7 days"))
    with pytest.raises(Gone):
        await send(walker, Reply("tin"))
    row = await store.read(lambda tx: reach.find(tx, Person(NAME, CITIZEN)))
    assert row is not None
    assert row["closed"] == "-230"
    walker.fake.now_ms = int(clock().timestamp() * 1000)
    await walker.say("/menu")
    assert await windows() == [1, 0, 0]
    assert await store.read(lambda tx: reach.price(tx, 404, channel.capabilities.window, now=clock())) == reach.CLOSED


async def test_who_only_an_officer_wrote_to_must_write_first(walker: Walker, clock: FrozenClock) -> None:
    await walker.post(walker.fake.echo(CITIZEN, "Cán bộ đây ạ", admin="59"))
    await walker.heard()
    store, window = walker.service.store, channel_of(walker).capabilities.window
    assert await store.read(lambda tx: reach.prices(tx, NAME, window, now=clock())) == {
        "free": 0,
        "paid": 0,
        "closed": 1,
    }
    assert await store.read(lambda tx: reach.prices(tx, NAME, None, now=clock())) == {"free": 1, "paid": 0, "closed": 0}


async def test_without_quota_messages_to_many_wait_and_answers_leave(walker: Walker, clock: FrozenClock) -> None:
    told = await an_admin(walker, clock)
    walker.fake.faults.append(Fault(-211, "Out of quota"))
    for _ in range(3):
        with pytest.raises(Unreachable) as caught:
            await send(walker, Reply("nhắc"))
        assert caught.value.retry_after == timedelta(hours=18, minutes=5).total_seconds()
    assert len(walker.fake.tried) == 1  # Zalo is not asked again
    assert "Bạn muốn làm gì" in await walker.say("/menu")
    assert len(await told()) == 1
    assert "hết hạn mức" in (await told())[0]
    clock.forward(hours=19)
    await send(walker, Reply("nhắc"))


async def test_an_answer_without_quota_is_tried_again_after_a_while(walker: Walker, clock: FrozenClock) -> None:
    walker.fake.faults.append(Fault(-211, "Out of quota"))
    for _ in range(2):
        with pytest.raises(Unreachable):
            await send(walker, Reply("đáp"), "feed-1")
    assert len(walker.fake.tried) == 1
    await channel_of(walker).send(Person(NAME, "2"), Reply("đáp"), answering="feed-2")  # others are not concerned
    clock.forward(minutes=16)
    await send(walker, Reply("đáp"), "feed-1")


async def test_a_notice_of_zalo_reaches_the_admins_once(walker: Walker, clock: FrozenClock) -> None:
    told = await an_admin(walker, clock)
    event = walker.fake.event("change_oa_daily_quota", oa_id=OA_ID)
    for _ in range(2):
        assert await walker.post(event) == 200
    await walker.post(walker.fake.event("change_template_status", oa_id=OA_ID))
    assert len(await told()) == 2


async def test_until_the_secret_is_known_nothing_is_believed_and_nothing_refused(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    oa = settings.zalo_oa.model_copy(update={"oa_secret": None})
    with capture_logs() as entries:
        fake = FakeZaloOA()
        async with walking("zalo_oa", settings.model_copy(update={"zalo_oa": oa}), clock, taken, fake) as walker:
            channel = channel_of(walker)
            channel._set_up = False
            channel._verifier = Verifier(app_id=APP_ID, oa_id="", secrets=[("the app's secret", APP_SECRET)])
            assert await walker.post(fake.text(CITIZEN, "/menu")) == 200
            assert await all_rows(walker, "SELECT * FROM inbox") == []
            body, headers = signed(fake.text(CITIZEN, "/menu"), secret=APP_SECRET)
            async with walker.client.post("/hooks/zalo-oa", data=body, headers=headers) as response:
                assert response.status == 200
            assert "Bạn muốn làm gì" in await walker.heard()
            assert await walker.post(fake.text(CITIZEN, "/menu")) == 401  # it is known now which secret signs
    assert "BOT_ZALO_OA__OA_SECRET" in str(entries)


async def test_an_event_that_comes_again_is_answered_once_and_noted(walker: Walker) -> None:
    event = walker.fake.text(CITIZEN, "/menu")
    with capture_logs() as entries:
        for tries in ("", "1", "5"):
            body, headers = signed(event)
            headers |= {"num_retry": tries} if tries else {}
            async with walker.client.post("/hooks/zalo-oa", data=body, headers=headers) as response:
                assert response.status == 200
        await walker.taken.settled()
        await walker.taken.settled()
    assert len(walker.fake.texts(CITIZEN)) == 1
    assert [entry["tries"] for entry in entries if "tries" in entry] == ["1", "5"]


async def test_what_the_package_still_allows_is_shown(walker: Walker) -> None:
    walker.fake.quota = {"quota_type": "sub_quota", "remain": "1999", "total": "2000"}
    await walker.say("/menu")
    channel = channel_of(walker)
    await channel._usage_meter.flush()
    last = (await channel.state())[-1]
    assert (last.value, last.limit) == (1999, 2000)


# -- keys -----------------------------------------------------------------------------------------------------------


async def test_a_refused_key_is_renewed_once_by_many(walker: Walker) -> None:
    await walker.say("/menu")
    assert walker.fake.renewals == 1
    walker.fake.expire()
    await asyncio.gather(*(send(walker, Reply(f"tin {number}")) for number in range(20)))
    assert walker.fake.renewals == 2
    assert len(walker.fake.said) == 21
    row = await walker.service.store.read(lambda tx: credentials.find(tx, "zalo_oa"))
    assert row is not None
    assert (row["access"], row["refresh"]) == (walker.fake.access, walker.fake.refresh)


async def test_the_stored_pair_goes_before_the_one_in_the_settings(
    settings: Settings, clock: FrozenClock, taken: Taken
) -> None:
    fake = FakeZaloOA()
    for _ in range(2):
        async with walking("zalo_oa", settings, clock, taken, fake) as walker:
            assert await walker.say("/menu")
    assert fake.renewals == 1


async def test_keys_are_renewed_in_good_time(walker: Walker, clock: FrozenClock) -> None:
    await walker.say("/menu")
    tokens = channel_of(walker)._tokens
    clock.forward(hours=19)
    await tokens.keep_fresh()
    assert walker.fake.renewals == 1
    clock.forward(hours=1)
    await tokens.keep_fresh()
    assert walker.fake.renewals == 2
    clock.forward(hours=20)
    walker.fake.oauth_faults.append(Fault(status=502, html=True))
    with pytest.raises(Unreachable):
        await tokens.keep_fresh()
    await send(walker, Reply("x"))  # the present one still serves
    assert "Messages still leave until" in walker.service.trouble["zalo_oa keys"]
    await tokens.keep_fresh()
    assert walker.fake.renewals == 3
    assert "zalo_oa keys" not in walker.service.trouble


async def test_a_lost_answer_locks_the_account_out_and_says_so(
    walker: Walker, clock: FrozenClock, settings: Settings
) -> None:
    await walker.say("/menu")
    admin = Person("webchat", "an-admin")
    at = stamp(clock())
    number = await walker.service.store.write(lambda tx: people.remember(tx, admin, source="", at=at))
    await walker.service.store.write(lambda tx: roles.grant(tx, number, role="admin", scope="", at=at))
    walker.fake.lose_next_pair = True
    walker.fake.expire()
    for _ in range(3):
        with pytest.raises(Unreachable):
            await send(walker, Reply("x"))
    assert "python -m bot zalo-oa login" in walker.service.trouble["zalo_oa keys"]
    ready = await walker.client.get("/readyz")
    assert ready.status == 503
    assert "zalo_oa keys" in (await ready.json())["trouble"]
    assert len(walker.fake.oauth_calls) == 3  # one good, one lost, one refused: no hammering on a dead key
    told = await all_rows(walker, "SELECT reply FROM pushes") + await all_rows(walker, "SELECT reply FROM chat_events")
    assert ["cần cấp quyền lại" in row[0] for row in told] == [True]
    # A new consent from another process is taken up without a restart.
    app = channel_of(walker)._tokens._app
    walker.fake.access = "FAKE_NEW_ACCESS"
    await keep_pair(walker.service.store, app, Pair("FAKE_NEW_ACCESS", walker.fake.refresh, 90000), obtained_at=clock())
    await channel_of(walker)._tokens.keep_fresh()
    await send(walker, Reply("x"))
    assert "zalo_oa keys" not in walker.service.trouble


async def test_new_keys_are_not_lost_while_the_database_takes_nothing(
    walker: Walker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await walker.say("/menu")
    keep, full = credentials.keep, True

    def failing(tx: Transaction, name: str, **pair: str) -> None:
        if full:
            raise StoreUnavailable("the disk is full")
        keep(tx, name, **pair)

    monkeypatch.setattr(credentials, "keep", failing)
    walker.fake.expire()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await send(walker, Reply("x"))
        assert "would lose them" in walker.service.trouble["zalo_oa keys"]
    assert walker.fake.said[1:] == []  # not used before they are stored
    full = False
    await channel_of(walker)._tokens.keep_fresh()
    await send(walker, Reply("x"))
    assert walker.fake.renewals == 2
    assert "zalo_oa keys" not in walker.service.trouble


async def test_a_day_without_new_keys_is_told_once(walker: Walker, clock: FrozenClock) -> None:
    told = await an_admin(walker, clock)
    await walker.say("/menu")
    tokens = channel_of(walker)._tokens
    for hours, sentences in ((21, 0), (2, 0), (1.5, 1), (0.2, 1)):
        clock.forward(hours=hours)
        walker.fake.oauth_faults.append(Fault(status=503, html=True))
        with pytest.raises(Unreachable):
            await tokens.keep_fresh()
        assert len(await told()) == sentences
    assert "24 giờ" in (await told())[0]


async def test_a_wrong_app_secret_costs_no_consent(settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    fake = FakeZaloOA()
    async with walking("zalo_oa", settings, clock, taken, fake) as walker:
        assert await walker.say("/menu")
        fake.expire()
        app = channel_of(walker)._tokens._app
        channel_of(walker)._tokens._app = replace(app, secret="wrong")
        for _ in range(3):
            with pytest.raises(Unreachable):
                await send(walker, Reply("x"))
        assert len(fake.oauth_calls) == 2
    clock.forward(hours=26)
    fake.now_ms = int(clock().timestamp() * 1000)
    async with walking("zalo_oa", settings, clock, taken, fake) as walker:  # the right one again
        assert "Bạn muốn làm gì" in await walker.say("/menu")
        assert "zalo_oa keys" not in walker.service.trouble


async def test_two_processes_renew_once(walker: Walker, settings: Settings, clock: FrozenClock) -> None:
    await walker.say("/menu")
    (other,) = open_zalo(
        oa_settings(settings, walker.fake),
        store=walker.service.store,
        catalogues=walker.service.catalogues,
        secret=b"x",
        too_fast="",
        clock=clock,
        report=lambda part, sentence: None,
    )
    assert isinstance(other, ZaloOAChannel)
    await other._tokens.current()
    walker.fake.expire()
    await asyncio.gather(send(walker, Reply("a")), other.send(Person(NAME, CITIZEN), Reply("b")))
    assert walker.fake.renewals == 2
    await other.close()


async def test_a_wrong_set_up_pauses_the_channel(walker: Walker, clock: FrozenClock) -> None:
    told = await an_admin(walker, clock)
    channel = channel_of(walker)
    moment = 1000.0
    channel._tick = lambda: moment
    walker.fake.faults.append(Fault(-224, "The OA needs to upgrade OA Tier Package"))
    with pytest.raises(Unreachable):
        await send(walker, Reply("x"))
    with pytest.raises(Unreachable):
        await send(walker, Reply("x"))
    assert len(walker.fake.tried) == 1
    assert NAME in walker.service.trouble
    for _ in range(3):  # tried again every five minutes, told once a day
        moment += 301
        walker.fake.faults.append(Fault(-224, "The OA needs to upgrade OA Tier Package"))
        with pytest.raises(Unreachable):
            await send(walker, Reply("x"))
    assert len(await told()) == 1
    moment += 301
    await send(walker, Reply("x"))
    assert NAME not in walker.service.trouble


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(-32, "Your OA reached limit call api"), Throttled),
        (Fault(-200), Unreachable),
        (Fault(status=502, html=True), Unreachable),
        (Fault(drop=True), Unknown),
    ],
)
async def test_faults(walker: Walker, fault: Fault, expected: type[DeliveryError]) -> None:
    walker.fake.faults.append(fault)
    with pytest.raises(expected):
        await send(walker, Reply("x"))


async def test_the_log_names_nobody_and_nothing(
    settings: Settings,
    clock: FrozenClock,
    taken: Taken,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as entries:
        async with walking("zalo_oa", settings, clock, taken) as walker:
            await walker.say("câu hỏi không ai được đọc")
            walker.fake.faults.append(Fault(-201, "x"))
            walker.fake.expire()
            await walker.say("/menu")
            walker.fake.lose_next_pair = True
            walker.fake.expire()
            for _ in range(2):
                with pytest.raises(Unreachable):
                    await send(walker, Reply("x"))
    said = str(entries) + caplog.text
    for secret in (CITIZEN, "câu hỏi", "never-written", APP_SECRET, OA_SECRET, FIRST_REFRESH):
        assert secret not in said
