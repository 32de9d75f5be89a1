"""Telegram: raw payloads in, exact calls out, over a Bot API on this machine with every fault the real one has."""

from __future__ import annotations

import asyncio
import json
import logging
import string
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter, TelegramError, TimedOut

from bot import access, clock
from bot.channels.telegram import errors, formatting
from bot.channels.telegram.bot_api import ApiBot
from bot.channels.telegram.http import (
    FloodError,
    ServerError,
    TelegramDroppedError,
    TelegramNotSentError,
    TelegramTransport,
)
from bot.channels.telegram.receiving import Poller
from bot.channels.telegram.updates import (
    NAME,
    AddressChanged,
    MessageReceived,
    Myself,
    PresenceChanged,
    how_to_answer,
    read_any,
    read_plain,
    read_update,
    update_id_of,
)
from bot.conversation.person_queue import Answer
from bot.delivery.outbox import Outbox
from bot.errors import (
    DeliveryError,
    Gone,
    Rejected,
    SettingsError,
    StoreUnavailable,
    Throttled,
    Unknown,
    Unreachable,
)
from bot.i18n.catalogue import load_catalogues
from bot.message import Attachment, Button, IncomingMessage, Person, Reply
from bot.runtime.build import Service, open_service
from bot.runtime.telegram_factory import TELEGRAM_HOOK, telegram_profiles
from bot.settings import Settings
from bot.store import choices
from bot.text.markup import escape
from bot.web.app import make_app
from bot.web.hooks import take_short_way
from handlers import ROUTES
from tests.conftest import NOON, ROOT
from tests.fakes.telegram import BOT, EDITS, SENDS, TOKEN, Call, FakeTelegram, Fault, running_telegram, until
from tests.support.leak_check import HOOK_SECRETS

PAYLOADS = sorted((ROOT / "tests" / "payloads" / NAME).glob("*.json"))
ME = Myself(BOT["username"], BOT["id"], ("/huongdan", "/menu", "/start"))  # type: ignore[arg-type]
CITIZEN, GROUP = 4242, -1001234567890
HOOK_SECRET = HOOK_SECRETS["telegram"]


# -- reading --------------------------------------------------------------------------------------------------------


def read_as_table(event: object) -> dict[str, Any] | None:
    """Write an event as the payload tables do: only what is not empty."""
    match event:
        case MessageReceived(message, query):
            said = {
                "id": message.id,
                "address": message.person.address,
                "at": clock.stamp(message.at),
                "text": message.text,
                "choice": message.choice,
                "attachment": message.attachment,
                "crowd": message.group,
                "query": query,
            }
            return {"heard": {key: value for key, value in said.items() if value}}
        case PresenceChanged(person, gone):
            return {"present": {"address": person.address, "gone": gone}}
        case AddressChanged(person, address):
            return {"moved": {"address": person.address, "to": address}}
    return None


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_payload_is_read(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    assert read_as_table(read_update(case["update"], ME, now=NOON)) == case["read"], case["about"]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.stem)
def test_fast_road_reads_what_python_telegram_bot_reads(path: Path) -> None:
    update = json.loads(path.read_text(encoding="utf-8"))["update"]
    fast = read_plain(update)
    assert fast is None or fast == read_any(update, ME, now=NOON)


@given(
    text=st.text(min_size=1, max_size=60),
    chat=st.integers(1, 2**52),
    number=st.integers(1, 2**31),
    at=st.integers(1_500_000_000, 2_000_000_000),
    kind=st.sampled_from(["private", "group", "supergroup", "channel"]),
    more=st.dictionaries(st.sampled_from(["username", "last_name", "is_premium"]), st.just("x")),
)
def test_both_roads_agree(text: str, chat: int, number: int, at: int, kind: str, more: dict[str, str]) -> None:
    who = {"id": chat, "is_bot": False, "first_name": "Hoa", **more}
    message = {"message_id": 1, "from": who, "chat": {"id": chat, "type": kind}, "date": at, "text": text}
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": 1}]
    update = {"update_id": number, "message": message}
    fast = read_plain(update)
    if kind != "private":
        assert fast is None
    elif Update.de_json(dict(update), None).message is not None:
        assert fast is None or fast == read_any(update, ME, now=NOON)
        assert fast is not None


@given(
    st.dictionaries(
        st.text(string.ascii_lowercase + "_", max_size=12), st.integers() | st.text() | st.none(), max_size=5
    )
)
def test_nonsense_is_never_an_update(raw: dict[str, Any]) -> None:
    if not isinstance(raw.get("update_id"), int):
        assert update_id_of(raw) is None
    for other in ([], "x", 5, None, True):
        assert update_id_of(other) is None


# -- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "wanted", "retry_after"),
    [
        (FloodError(35), Throttled, 35.0),
        (FloodError(2.5), Throttled, 2.5),
        (Forbidden("Forbidden: bot was blocked by the user"), Gone, 0),
        (Forbidden("Forbidden: user is deactivated"), Gone, 0),
        (BadRequest("Bad Request: chat not found"), Gone, 0),
        (BadRequest("Bad Request: PEER_ID_INVALID"), Gone, 0),
        (BadRequest("Bad Request: message text is empty"), Rejected, 0),
        (BadRequest("Bad Request: BUTTON_DATA_INVALID"), Rejected, 0),
        (TelegramNotSentError("no connection"), Unreachable, 0),
        (ServerError(502), Unreachable, 0),
        (TimedOut("late"), Unknown, 0),
        (InvalidToken(), Unreachable, 0),
        (Conflict("Conflict: terminated by other getUpdates request"), Unreachable, 0),
        (TelegramError("something new"), Unknown, 0),
    ],
    ids=lambda value: getattr(value, "message", getattr(value, "__name__", value)),
)
def test_error_is_mapped(error: TelegramError, wanted: type[DeliveryError], retry_after: float) -> None:
    for answering in (True, False):
        mapped = errors.delivery_error(error, answering=answering)
        assert type(mapped) is wanted
        assert mapped.retry_after == retry_after
        assert mapped.code


def test_broken_connection_is_repeated_for_an_answer_only() -> None:
    assert type(errors.delivery_error(TelegramDroppedError("gone"), answering=True)) is Unreachable
    assert type(errors.delivery_error(TelegramDroppedError("gone"), answering=False)) is Unknown


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("wait", "seconds"), [(3, 3.0), (2.5, 2.5), (timedelta(seconds=1.5), 1.5)])
def test_wait_may_be_whole_broken_or_timedelta(wait: Any, seconds: float) -> None:
    assert errors.seconds_of(wait) == seconds
    assert errors.delivery_error(RetryAfter(wait), answering=True).retry_after == seconds


# -- the running bot ------------------------------------------------------------------------------------------------


@dataclass
class Phone:
    """A citizen's telephone with Telegram on it."""

    fake: FakeTelegram
    service: Service
    polling: bool
    chat: int = CITIZEN

    async def say(self, text: str, **more: Any) -> list[str]:
        """Write, and read what comes back."""
        return await self._after(lambda: self.fake.say(self.chat, text, **more))

    async def press(self, label: str) -> list[str]:
        """Press a button by the beginning of its label, and read what comes back."""
        return await self._after(lambda: self.fake.press(self.chat, label))

    async def _after(self, act: Callable[[], int]) -> list[str]:
        before = len(self.fake.texts(self.chat))
        act()
        await self.delivered()
        return self.fake.texts(self.chat)[before:]

    async def delivered(self) -> None:
        """Wait until Telegram has brought everything and the bot has answered it."""
        if not self.polling:
            await self.fake.push_all()
        await until(lambda: not self.fake.waiting and not self.service.inbox.waiting)


Start = Callable[..., Any]


@asynccontextmanager
async def hook_client(service: Service, *, short: bool) -> AsyncIterator[TestClient[Any, Any]]:
    """Serve the bot as `run` does, with updates going past the application, or through it."""
    server = TestServer(make_app(service))
    async with TestClient(server) as client:
        if short:
            assert server.runner is not None
            assert server.runner.server is not None
            take_short_way(server.runner.server, service)
        yield client


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with running_telegram() as running:
        yield running


@pytest.fixture
def online(settings: Settings, fake: FakeTelegram) -> Start:
    """Start the bot on Telegram; settings of the Telegram section as keywords."""

    @asynccontextmanager
    async def start(*, mode: str = "polling", token: str = TOKEN, **limits: float) -> AsyncIterator[Phone]:
        pace = {"bulk_per_second": 0, "chat_per_second": 0, "group_per_minute": 0, **limits}
        public_url = "http://127.0.0.1:9"
        changed = settings.model_copy(
            update={
                "telegram": settings.telegram.model_validate(
                    {
                        "mode": mode,
                        "api_base": fake.api_base,
                        "token": token,
                        "webhook_secret": HOOK_SECRET,
                        "answer_seconds": 1,
                    }
                ),
                "limits": settings.limits.model_validate({**settings.limits.model_dump(), "telegram": pace}),
                "web": settings.web.model_validate({"public_url": public_url if mode == "webhook" else ""}),
            }
        )
        async with open_service(changed, ROUTES, now=lambda: NOON, online=True) as service:
            if mode == "polling":
                await until(lambda: fake.polls > 0 or bool(service.trouble))
                yield Phone(fake, service, polling=True)
                return
            await until(lambda: bool(fake.webhook) or bool(service.trouble))
            async with hook_client(service, short=True) as client:
                fake.webhook["url"] = str(client.make_url(TELEGRAM_HOOK))
                yield Phone(fake, service, polling=False)

    return start


MODES = pytest.mark.parametrize("mode", ["polling", "webhook"])

# What is said or pressed ("[label"), and what must stand in the answer: ask, suggestion, report, correct, data, delete.
WALK = [
    ("/start phuong_17", "trợ lý tự động"),
    ("cài trên máy Samsung thế nào", "CH Play"),
    ("[Có ích", "báo cho tôi"),
    ("tài khoản bị lỗi", "Bạn muốn hỏi việc nào dưới đây?"),
    ("[Không đăng nhập được ứng dụng", "có lúc quá tải"),
    ("/chude", "Bạn muốn hỏi về chủ đề nào"),
    ("[Cài ứng dụng 2021", "Cài ứng dụng 2021"),
    ("/baocai", "ngoài Việt Nam"),
    ("[Tôi đồng ý", "Bạn sống ở huyện"),
    ("[Huyện Vĩnh Tường", "huyện Vĩnh Tường"),
    ("/suabaocai", "huyện Vĩnh Tường"),
    ("[Đổi huyện", "Bạn sống ở huyện"),
    ("Yên Lạc", "nay được tính cho huyện Yên Lạc"),
    ("/dulieu", "huyện Yên Lạc"),
    ("[Xóa tất cả", "Bạn có chắc"),
    ("[Có, xóa tất cả", "đã được xóa"),
    ("/dulieu", "Chưa lưu gì"),
    ("/ngonngu", "Bạn muốn dùng ngôn ngữ nào"),
    ("[English", "From now on I answer in English"),
    ("/help", "What would you like to do"),
]


@MODES
async def test_walk(online: Start, mode: str) -> None:
    async with online(mode=mode) as phone:
        for said, expected in WALK:
            answered = await (phone.press(said[1:]) if said.startswith("[") else phone.say(said))
            assert any(expected in text for text in answered), f"{said!r} was answered {answered!r}"
        assert not phone.service.trouble


@MODES
async def test_the_same_update_twice_is_answered_once(online: Start, mode: str) -> None:
    async with online(mode=mode) as phone:
        await phone.say("/menu")
        update = {"update_id": 5_000, "message": {**phone.fake.message(CITIZEN), "text": "/menu"}}
        for _ in range(3):
            phone.fake._updates.append(update)
            phone.fake._news.set()
            await phone.delivered()
        assert len(phone.fake.texts(CITIZEN)) == 2


async def test_button_is_acknowledged_first_and_the_menu_replaced(online: Start) -> None:
    async with online() as phone:
        await phone.say("/chude")
        before = len(phone.fake.calls)
        await phone.press("Cài ứng dụng")
        methods = [call.method for call in phone.fake.calls[before:] if call.method != "getUpdates"]
        assert methods == ["answerCallbackQuery", "editMessageText"]
        assert phone.fake.delivered[-1].data["message_id"] == max(number for _, number in phone.fake.messages)


async def test_an_answer_stays_when_a_button_under_it_is_pressed(online: Start) -> None:
    async with online() as phone:
        await phone.say("cài trên máy Samsung thế nào")
        before = len(phone.fake.calls)
        await phone.press("Có ích")
        assert [c.method for c in phone.fake.calls[before:] if c.method.startswith(("send", "edit"))] == ["sendMessage"]


async def test_a_menu_that_cannot_be_changed_is_sent_anew(online: Start) -> None:
    async with online() as phone:
        await phone.say("/chude")
        phone.fake.faults["editMessageText"].append(Fault(400, "Bad Request: message can't be edited"))
        assert await phone.press("Cài ứng dụng")
        assert phone.fake.delivered[-1].method == "sendMessage"


GUIDED = [
    ("/huongdan", "Bạn cần làm việc nào"),
    ("[Thêm thẻ BHYT vào VNeID", "Bước 1/10"),
    ("[Xong", "Bước 2/10"),
    ("[Không thấy", "Trên máy của bạn thế nào"),
    ("[Tài khoản mới mức 1", "Chỉ tài khoản mức 2 mới thêm được thẻ"),
    ("phí cài đặt bao nhiêu", "mất tiền"),
    ("bước 3 là sao", "Tích hợp nghĩa là đưa thẻ vào VNeID"),
    ("xong", "Bước 3/10"),
    ("xong", "Bước 4/10"),
    ("[Xong", "Bạn đã xong chặng 1/3"),
    ("[Làm tiếp", "Bước 5/10"),
]


@MODES
async def test_guided_walk(online: Start, mode: str) -> None:
    async with online(mode=mode) as phone:
        for said, expected in GUIDED:
            answered = await (phone.press(said[1:]) if said.startswith("[") else phone.say(said))
            assert any(expected in text for text in answered), f"{said!r} was answered {answered!r}"
        assert not phone.service.trouble


def sent_and_edited(phone: Phone, before: int) -> list[str]:
    return [call.method for call in phone.fake.calls[before:] if call.method in (*SENDS, *EDITS)]


async def test_the_next_step_takes_the_place_of_the_picture(online: Start) -> None:
    async with online() as phone:
        await phone.say("/huongdan")
        await phone.press("Mở Sổ sức khỏe trong VNeID")
        before = len(phone.fake.calls)
        await phone.press("Xong")
        assert sent_and_edited(phone, before) == ["editMessageMedia"]
        assert int(phone.fake.delivered[-1].data["message_id"]) == max(number for _, number in phone.fake.messages)
        await phone.press("Không thấy")  # a text has no place in a picture
        assert sent_and_edited(phone, before) == ["editMessageMedia", "sendMessage"]


async def test_a_picture_that_cannot_be_changed_is_sent_anew(online: Start) -> None:
    async with online() as phone:
        await phone.say("/huongdan")
        await phone.press("Mở Sổ sức khỏe trong VNeID")
        phone.fake.faults["editMessageMedia"].append(Fault(400, "Bad Request: message can't be edited"))
        assert await phone.press("Xong")
        assert phone.fake.delivered[-1].method == "sendPhoto"


async def test_a_late_acknowledgement_harms_nobody(online: Start) -> None:
    async with online() as phone:
        await phone.say("/chude")
        phone.fake.faults["answerCallbackQuery"].append(Fault(400, "Bad Request: query is too old"))
        assert await phone.press("Cài ứng dụng")


async def test_long_choices_travel_behind_a_key(online: Start) -> None:
    long = "article:" + "đ" * 40
    async with online() as phone:
        to = Person(NAME, str(CITIZEN))
        await phone.service.channels[NAME].send(to, Reply("Chọn", (Button("Dài", long), Button("Ngắn", "/menu"))))
        sent = phone.fake.delivered[-1].data["reply_markup"]["inline_keyboard"]
        assert [button["callback_data"] for row in sent for button in row] == [choices.short_key(long), "/menu"]
        kept = await phone.service.store.read(lambda tx: choices.find(tx, choices.short_key(long)))
        assert kept == long
        taken: list[IncomingMessage] = []
        lines = phone.service.inbox._queues
        lines.answer = _listening(taken, lines.answer)
        await phone.press("Dài")
        assert taken[0].choice == long


def _listening(taken: list[IncomingMessage], answer: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def listen(message: IncomingMessage, session: Any = None) -> Any:
        taken.append(message)
        return await answer(message, session)

    return listen


@pytest.mark.parametrize("length", [4096, 4097, 9000])
async def test_long_texts_are_cut_by_utf16_and_marks_stay_whole(online: Start, length: int) -> None:
    text = ("😀 **đậm và dài** [nhãn](https://example.vn/a) chữ " * (length // 20))[:length]
    async with online() as phone:
        await phone.service.outbox.deliver(Person(NAME, str(CITIZEN)), [Reply(text, (Button("A", "/menu"),))], "1")
        parts = [call.data for call in phone.fake.delivered]
        assert all(part["text"].count("<b>") == part["text"].count("</b>") for part in parts)
        assert all("**" not in part["text"] for part in parts[:-1])
        assert [("reply_markup" in part) for part in parts] == [False] * (len(parts) - 1) + [True]


@given(st.text(max_size=300))
def test_every_citizens_character_is_escaped(text: str) -> None:
    shown = formatting.html(escape(text))
    assert unescape(shown).replace("\u200b", "") == text.replace("\u200b", "")
    assert shown.replace("&lt;", "").count("<") == 0


class Recording(TelegramTransport):
    """Keeps the bodies of requests instead of sending them."""

    def __init__(self) -> None:
        super().__init__(connections=1, seconds=1)
        self.sent: list[tuple[str, Any]] = []

    async def do_request(
        self, url: str, method: str, request_data: Any = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        body = request_data if isinstance(request_data, bytes) else orjson.dumps(request_data.parameters)
        self.sent.append((f"{method} {url.rpartition('/')[2]}", orjson.loads(body)))
        return 200, b'{"ok":true,"result":{"message_id":5,"date":0,"chat":{"id":1,"type":"private"}}}'


@given(
    text=st.text(min_size=1, max_size=200),
    labels=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), max_size=6),
    choice=st.text(string.printable, min_size=1, max_size=90),
    chat=st.integers(-(10**13), 10**13),
)
def test_finished_request_is_the_one_python_telegram_bot_makes(
    text: str, labels: list[str], choice: str, chat: int
) -> None:
    text = text.encode("utf-8", "ignore").decode()
    buttons = tuple(Button(label, choice) for label in labels)

    async def both() -> tuple[list[Any], Any]:
        recording = Recording()
        bot = ApiBot(TOKEN, "http://127.0.0.1:9/bot", request=recording, get_updates_request=recording)
        said = await bot.say(chat, formatting.message_body(text, buttons))
        await bot.send_message(
            chat, formatting.html(text), ParseMode.HTML, reply_markup=formatting.keyboard(buttons),
            api_kwargs={"link_preview_options": formatting.NO_PREVIEW},
        )  # fmt: skip
        return recording.sent, said

    (finished, made), said = asyncio.run(both())
    assert finished == made
    assert said["message_id"] == 5


async def test_text_whose_marks_telegram_refuses_goes_out_plain(online: Start) -> None:
    async with online() as phone:
        phone.fake.faults["sendMessage"].append(Fault(400, "Bad Request: can't parse entities: unsupported start tag"))
        assert "trợ lý tự động" in (await phone.say("/start"))[0]
        assert "parse_mode" not in phone.fake.delivered[-1].data


@pytest.mark.parametrize(
    ("method", "text", "refusal"),
    [
        ("sendMessage", "<b>đậm</b> &lt;b&gt; A & B <a href=\"https://example.vn/?a=1&amp;b=2\">nhãn</a>", None),
        ("sendMessage", "<b>đậm", "can't parse entities: Can't find end tag corresponding to start tag \"b\""),
        ("editMessageText", "đậm</b>", "can't parse entities: Unexpected end tag at byte offset 6"),
        ("sendMessage", "ế <bạn>", "can't parse entities: Unsupported start tag \"bạn\" at byte offset 4"),
        ("sendMessage", "1 < 2", "can't parse entities: Unclosed start tag at byte offset 2"),
        ("sendMessage", "<b><i>x</b></i>",
         "can't parse entities: Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
        ("sendMessage", "<b> </b>", "message text is empty"),
        ("sendMessage", "<b>" + "😀" * 2048 + "</b>", None),
        ("sendMessage", "😀" * 2048 + "x", "message is too long"),
        ("sendPhoto", "<b>" + "😀" * 512 + "</b>", None),
        ("sendPhoto", "😀" * 512 + "x", "message caption is too long"),
        ("sendDocument", "<u", "can't parse entities: Unclosed start tag at byte offset 0"),
    ],
    ids=lambda value: (value or "taken")[:24],
)  # fmt: skip
async def test_the_telegram_of_the_tests_is_as_strict(
    fake: FakeTelegram, method: str, text: str, refusal: str | None
) -> None:
    fake.messages[CITIZEN, 7] = {"text": "trước"}
    said = {"chat_id": CITIZEN, "message_id": 7, "parse_mode": "HTML"}
    said["caption" if method in ("sendPhoto", "sendDocument") else "text"] = text
    transport = TelegramTransport(connections=1, seconds=5)
    status, content = await transport.do_request(f"{fake.api_base}{TOKEN}/{method}", "POST", orjson.dumps(said))
    await transport.shutdown()
    answer = orjson.loads(content)
    if refusal is None:
        assert (status, answer["ok"]) == (200, True)
    else:
        assert (status, answer["description"]) == (400, f"Bad Request: {refusal}")
    fake.unreadable.clear()


async def test_pictures_and_files(online: Start) -> None:
    async with online() as phone:
        outbox, to = phone.service.outbox, Person(NAME, str(CITIZEN))
        await outbox.deliver(to, [Reply("Đây là **ảnh**", image=b"\x89PNG\r\n\x1a\n")])
        await outbox.deliver(to, [Reply("x" * 1500, file=Attachment("so.json", "application/json", b"{}"))])
        photo, text, document = phone.fake.delivered
        assert (photo.method, photo.data["caption"]) == ("sendPhoto", "Đây là <b>ảnh</b>")
        assert (text.method, document.method) == ("sendMessage", "sendDocument")
        assert document.data["document"]["filename"] == "so.json"
        assert document.data["document"]["content"] == b"{}"


async def test_typing_is_shown_only_when_an_answer_takes_long(online: Start) -> None:
    async with online() as phone:
        await phone.say("/menu")
        assert not phone.fake.asked("sendChatAction")
        lines = phone.service.inbox._queues
        answer = lines.answer

        async def slow(message: IncomingMessage, session: Any = None) -> Any:
            await asyncio.sleep(0.6)
            return await answer(message, session)

        lines.answer = slow
        await phone.say("/menu")
        assert [call.data["action"] for call in phone.fake.asked("sendChatAction")] == ["typing"]


async def test_blocked_and_returned_people_are_marked(online: Start) -> None:
    async def gone(phone: Phone) -> bool:
        row = await phone.service.store.read(lambda tx: tx.one("SELECT gone_at FROM people"))
        return row is not None and row["gone_at"] is not None

    def member(status: str) -> dict[str, Any]:
        me = {"user": BOT, "status": status, **({"until_date": 0} if status == "kicked" else {})}
        old = {"user": BOT, "status": "member"}
        return {
            "my_chat_member": {
                "chat": FakeTelegram.chat(CITIZEN), "from": FakeTelegram.user(CITIZEN), "date": 1795410000,
                "old_chat_member": old, "new_chat_member": me,
            }
        }  # fmt: skip

    async with online() as phone:
        await phone.say("/start")
        phone.fake.queue(member("kicked"))
        await phone.delivered()
        assert await gone(phone)
        phone.fake.queue(member("member"))
        await phone.delivered()
        assert not await gone(phone)
        phone.fake.faults["sendMessage"].append(Fault(403, "Forbidden: bot was blocked by the user"))
        await phone.say("/menu")
        assert await gone(phone)


async def test_a_group_that_moved_is_followed(online: Start) -> None:
    async with online() as phone:
        group = replace(phone, chat=-555)
        await group.say(f"@{BOT['username']} cài thế nào", entities=[{"type": "mention", "offset": 0, "length": 16}])
        phone.fake.faults["sendMessage"].append(
            Fault(400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": GROUP})
        )
        await phone.service.channels[NAME].send(Person(NAME, "-555"), Reply("chào"))
        assert phone.fake.delivered[-1].chat == GROUP
        rows = await phone.service.store.read(lambda tx: tx.all("SELECT address FROM people"))
        assert [row["address"] for row in rows] == [str(GROUP)]


@MODES
async def test_a_group_that_says_it_moved_is_followed(online: Start, mode: str) -> None:
    async with online(mode=mode) as phone:
        group = replace(phone, chat=-555)
        await group.say(f"@{BOT['username']} cài thế nào", entities=[{"type": "mention", "offset": 0, "length": 16}])
        old = {"id": -555, "type": "group", "title": "Tổ 5"}
        phone.fake.queue({"message": {**phone.fake.message(-555), "chat": old, "migrate_to_chat_id": GROUP}})
        phone.fake.queue({"message": {**phone.fake.message(GROUP), "migrate_from_chat_id": -555}})
        await phone.delivered()
        rows = await phone.service.store.read(lambda tx: tx.all("SELECT address FROM people"))
        assert [row["address"] for row in rows] == [str(GROUP)]
        assert not phone.fake.texts(GROUP)


async def test_a_group_is_written_to_as_often_as_telegram_allows(online: Start) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with online(group_per_minute=20) as phone:
        outbox = Outbox(
            phone.service.store, phone.service.channels, clock=lambda: NOON, sleep=sleep,
            timer=lambda: 1000.0 + sum(waits),
        )  # fmt: skip
        for chat, expected in ((CITIZEN, []), (GROUP, [pytest.approx(3)] * 2)):
            for number in range(22):
                await outbox.deliver(Person(NAME, str(chat)), [Reply(f"phần {number}")], "7")
            assert waits == expected
            assert len(phone.fake.texts(chat)) == 22


async def test_groups_get_no_report_and_the_private_chat(online: Start) -> None:
    async with online() as phone:
        group = replace(phone, chat=GROUP)
        assert await group.say("tối nay họp nhé") == []
        mention = [{"type": "mention", "offset": 0, "length": 16}]
        for said in ("/baocai", "/dulieu", "/start moi_abcdefghijklmnop"):
            command, _, rest = said.partition(" ")
            entity = {"type": "bot_command", "offset": 0, "length": len(command) + 16}
            answered = await group.say(f"{command}@{BOT['username']} {rest}".strip(), entities=[entity])
            assert f"https://t.me/{BOT['username']}" in "".join(answered)
            assert "Nếu bạn đồng ý" not in "".join(answered)
            assert "mã mời" not in "".join(answered).lower()
        answered = await group.say(f"@{BOT['username']} cài trên máy Samsung thế nào", entities=mention)
        assert "CH Play" in answered[0]
        sent = phone.fake.delivered[-1].data
        labels = [b["callback_data"] for row in sent.get("reply_markup", {}).get("inline_keyboard", ()) for b in row]
        assert all(not label.startswith(("report", "/baocai", "/dulieu", "/canbo")) for label in labels)
        assert sent["reply_parameters"]["message_id"]


async def test_the_bot_introduces_itself(online: Start) -> None:
    async with online() as phone:
        await until(lambda: "setMyCommands all_group_chats en" in phone.fake.profile)
        profile = phone.fake.profile
        assert "trợ lý tự động" in profile["setMyDescription  "]["description"]
        assert profile["setMyDescription  vi"]["description"] == profile["setMyDescription  "]["description"]
        assert "automatic assistant" in profile["setMyDescription  en"]["description"]
        for name, data in profile.items():
            assert len(data.get("description", "")) <= 512
            assert len(data.get("short_description", "")) <= 120
            for command in data.get("commands", ()):
                assert set(command["command"]) <= set(string.ascii_lowercase + "_")
                assert 1 <= len(command["description"]) <= 256
            commands = [command["command"] for command in data.get("commands", ())]
            assert len(commands) == len(set(commands))
            if "group" in name:
                assert "baocai" not in commands
        assert "thongke" not in str(profile["setMyCommands all_private_chats "])


async def test_everybody_reads_it_in_the_language_of_the_telephone(online: Start, settings: Settings) -> None:
    vi, en = telegram_profiles(settings, ROUTES, load_catalogues(settings.languages))
    assert "Sổ sức khỏe điện tử" in vi.short_description
    assert "Free automatic help" in en.short_description
    expected: dict[str, dict[str, Any]] = {}
    for code, profile in (("", vi), ("vi", vi), ("en", en)):
        reader = {"language_code": code} if code else {}
        expected[f"setMyDescription  {code}"] = {"description": profile.description, **reader}
        expected[f"setMyShortDescription  {code}"] = {"short_description": profile.short_description, **reader}
        for scope, commands in (
            ("all_private_chats", profile.commands[access.CITIZEN]),
            ("all_group_chats", profile.in_groups),
        ):
            listed = [{"command": command.name, "description": command.help} for command in commands]
            assert listed
            expected[f"setMyCommands {scope} {code}"] = {"scope": {"type": scope}, "commands": listed, **reader}
    async with online() as phone:
        await until(lambda: len(phone.fake.profile) >= len(expected))
        assert phone.fake.profile == expected
        assert len([call for call in phone.fake.calls if call.method.startswith("setMy")]) == len(expected)


async def test_officers_see_their_commands_and_lose_them(online: Start) -> None:
    async with online() as phone:
        await phone.say("/start")
        code = await access.invite(phone.service.store, role=access.OFFICER, scope="", at=NOON, actor="test")
        await phone.say(f"/start moi_{code}")
        introduction = phone.service.channels[NAME]._introduction  # type: ignore[attr-defined]
        await introduction.refresh()
        assert "thongke" in str(phone.fake.profile["setMyCommands chat "])
        await phone.service.store.write(lambda tx: tx.run("DELETE FROM roles"))
        await introduction.refresh()
        assert [call.data["scope"]["chat_id"] for call in phone.fake.asked("deleteMyCommands")] == [CITIZEN] * 3


# -- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, "Too Many Requests: retry after 1", {"retry_after": 0.1}),
        Fault(502, "Bad Gateway"),
        Fault(500, "Internal Server Error"),
        Fault(drop=True),
    ],
    ids=lambda fault: fault.description or "dropped",
)
async def test_what_is_safe_to_repeat_is_repeated(online: Start, fault: Fault) -> None:
    async with online() as phone:
        phone.fake.faults["sendMessage"].append(fault)
        assert "trợ lý tự động" in (await phone.say("/start"))[0]
        assert len(phone.fake.asked("sendMessage")) == 2


async def test_what_may_have_arrived_is_not_repeated(online: Start) -> None:
    async with online() as phone:
        phone.fake.faults["sendMessage"].append(Fault(hang=1.3, delivered=True))
        await phone.say("/start")
        assert len(phone.fake.asked("sendMessage")) == 1


async def test_a_wrong_token_stops_the_channel_and_nothing_else(online: Start) -> None:
    async with online(token="987654321:BBanother-token_that-must-never-be-written") as phone:
        assert "Telegram refuses the token" in phone.service.trouble[NAME]
        async with TestClient(TestServer(make_app(phone.service))) as client:
            assert (await client.get("/readyz")).status == 503
            answer = await client.post("/api/chat", json={"text": "/start"})
            assert "trợ lý tự động" in (await answer.json())["replies"][0]["text"]
        with pytest.raises(Unreachable):
            await phone.service.channels[NAME].send(Person(NAME, "1"), Reply("x"))


@pytest.mark.parametrize(
    ("hook", "said"),
    [("https://other.example/hook", "A webhook is set for this bot at other.example"), ("", "Another program polls")],
)
async def test_a_conflict_is_named(online: Start, fake: FakeTelegram, hook: str, said: str) -> None:
    fake.webhook = {"url": hook} if hook else {}
    if not hook:
        fake.faults["getUpdates"].extend([Fault(409, "Conflict: terminated by other getUpdates request")] * 3)
    async with online() as phone:
        await until(lambda: NAME in phone.service.trouble)
        assert said in phone.service.trouble[NAME]
        fake.webhook = {}
        fake.faults["getUpdates"].clear()
        await until(lambda: NAME not in phone.service.trouble)
        assert await phone.say("/start")


async def test_silence_restarts_polling_and_is_said(online: Start) -> None:
    at, looks = 0.0, 0

    def tick() -> float:
        nonlocal looks
        looks += 1
        return at

    async with online() as phone, hook_client(phone.service, short=False) as client:
        listener = phone.service.channels[NAME]._listener  # type: ignore[attr-defined]
        listener._tick = tick
        await phone.say("/menu")  # the last that came from there
        phone.fake.silent = True
        polls, at, looks = phone.fake.polls, at + 89, 0
        await until(lambda: looks >= 2)
        assert phone.fake.polls == polls
        assert (await client.get("/readyz")).status == 200
        at += 2
        await until(lambda: phone.fake.polls > polls)
        said = "Telegram has not answered for 90 s; polling was started again."
        assert phone.service.trouble[NAME] == said
        answer = await client.get("/readyz")
        assert (answer.status, (await answer.json())["trouble"][NAME]) == (503, said)
        phone.fake.say(CITIZEN, "/chude")
        phone.fake.silent = False
        await until(lambda: NAME not in phone.service.trouble)
        await phone.delivered()
        assert len(phone.fake.texts(CITIZEN)) == 2


async def test_an_own_webhook_is_taken_back_for_polling(online: Start, fake: FakeTelegram, settings: Settings) -> None:
    fake.webhook = {"url": f"https://bot.example.vn{TELEGRAM_HOOK}"}
    changed = settings.model_copy(
        update={
            "telegram": settings.telegram.model_validate({"api_base": fake.api_base, "token": TOKEN}),
            "web": settings.web.model_validate({"public_url": "https://bot.example.vn"}),
        }
    )
    async with open_service(changed, ROUTES, online=True):
        await until(lambda: fake.polls > 0)
        assert fake.asked("deleteWebhook")[0].data.get("drop_pending_updates") in (None, False)


async def test_flooding_people_are_told_once(
    online: Start, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with online() as phone:
        phone.service.inbox._buckets._capacity, phone.service.inbox._buckets._rate = 3.0, 0.01
        for _ in range(6):
            phone.fake.say(CITIZEN, "/menu")
        await phone.delivered()
        await until(lambda: len(phone.fake.texts(CITIZEN)) == 4)
        assert sum("nhanh quá" in text for text in phone.fake.texts(CITIZEN)) == 1


# -- the webhook ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        (HOOK_SECRET, b'{"update_id": 7, "from_the_future": {}}', 200),
        ("", b'{"update_id": 7, "message": {}}', 403),
        ("wrong", b'{"update_id": 7, "message": {}}', 403),
        ("sai-bí-mật", b"{}", 403),
        (HOOK_SECRET, b"not json", 400),
        (HOOK_SECRET, b"[]", 400),
        (HOOK_SECRET, b"{}", 400),
        (HOOK_SECRET, b'{"update_id": "7", "message": {}}', 400),
        (HOOK_SECRET, b'{"update_id": 7, "message": {}}', 200),
        (HOOK_SECRET, b'{"update_id": 7, "message": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
async def test_hook_answers(online: Start, secret: str, body: bytes, status: int) -> None:
    async with online(mode="webhook") as phone:
        for short in (True, False):
            async with hook_client(phone.service, short=short) as client:
                headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret else {}
                answer = await client.post(TELEGRAM_HOOK, data=body, headers=headers)
                assert answer.status == status


@pytest.mark.parametrize(
    ("version", "header", "stays"),
    [("1.1", "", True), ("1.1", "Connection: close\r\n", False), ("1.0", "", False)],
)
async def test_a_taken_update_leaves_the_connection_as_it_was_asked_for(
    online: Start, version: str, header: str, stays: bool
) -> None:
    """Bytes in, bytes out: two updates over one connection, or one and its end."""
    body = b'{"update_id": 7, "from_the_future": {}}'
    request = (
        f"POST {TELEGRAM_HOOK} HTTP/{version}\r\nHost: bot\r\nX-Telegram-Bot-Api-Secret-Token: {HOOK_SECRET}\r\n"
        f"Content-Length: {len(body)}\r\n{header}\r\n"
    ).encode() + body
    async with online(mode="webhook") as phone, hook_client(phone.service, short=True) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
        for _ in range(2 if stays else 1):
            writer.write(request)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert answer.startswith(f"HTTP/{version} 200 OK\r\n".encode())
            assert b"Content-Length: 0\r\n" in answer
        if not stays:
            assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        page = await client.get("/healthz")
        assert page.status == 200  # everything else goes through the application, with its headers
        assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_hook_is_told_to_come_again_while_the_database_is_away(online: Start) -> None:
    async with online(mode="webhook") as phone:
        write = phone.service.store.write

        async def broken(work: Any) -> Any:
            raise StoreUnavailable("The disk is full.")

        phone.service.store.write = broken  # type: ignore[method-assign]
        update = {"update_id": 9, "message": {**phone.fake.message(CITIZEN), "text": "/start"}}
        async with TestClient(TestServer(make_app(phone.service))) as client:
            headers = {"X-Telegram-Bot-Api-Secret-Token": HOOK_SECRET}
            answer = await client.post(TELEGRAM_HOOK, json=update, headers=headers)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
            phone.service.store.write = write  # type: ignore[method-assign]
            assert (await client.post(TELEGRAM_HOOK, json=update, headers=headers)).status == 200
        await until(lambda: len(phone.fake.texts(CITIZEN)) == 1)


async def test_webhook_needs_a_public_address(settings: Settings, fake: FakeTelegram) -> None:
    changed = settings.model_copy(
        update={"telegram": settings.telegram.model_validate({"mode": "webhook", "token": TOKEN})}
    )
    with pytest.raises(SettingsError, match=r"web\.public_url"):
        async with open_service(changed, ROUTES, online=True):
            pass


# -- secrets --------------------------------------------------------------------------------------------------------


async def test_no_error_names_the_token() -> None:
    for address in (f"http://127.0.0.1:9/bot{TOKEN}/getMe", f"http://no.such.host.invalid/bot{TOKEN}/getMe"):
        transport = TelegramTransport(connections=1, seconds=0.2)
        with pytest.raises(TelegramError) as caught:
            await transport.do_request(address, "POST")
        assert TOKEN not in repr(caught.value) + str(caught.value)
        assert caught.value.__cause__ is None
        await transport.shutdown()


async def test_nothing_is_logged_about_the_token(
    online: Start, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with online() as phone:
        phone.fake.faults["sendMessage"].extend([Fault(500, "Internal Server Error"), Fault(drop=True)])
        await phone.say("/start")
    said = capsys.readouterr()
    assert TOKEN not in caplog.text + said.out + said.err
    assert TOKEN.partition(":")[2] not in caplog.text + said.out + said.err


def test_message_ids_carry_how_to_answer() -> None:
    assert how_to_answer("77").edits == how_to_answer("").edits == 0
    assert how_to_answer("77:e9").edits == 9
    assert how_to_answer("77:r9").replies_to == 9
    assert how_to_answer("77:p9").edits_picture == 9


# -- bad days --------------------------------------------------------------------------------------------------------


@MODES
async def test_a_token_that_is_refused_later_stops_the_channel_and_stays_said(online: Start, mode: str) -> None:
    async with online(mode=mode) as phone:
        await phone.say("/start")
        phone.fake.token = "none"  # revoked at BotFather's
        with pytest.raises(Unreachable):
            await phone.service.channels[NAME].send(Person(NAME, str(CITIZEN)), Reply("x"))
        await until(lambda: all(task.done() for task in tasks_named("Telegram.listen")))
        assert "Telegram refuses the token" in phone.service.trouble[NAME]
        async with TestClient(TestServer(make_app(phone.service))) as client:
            assert (await client.get("/readyz")).status == 503
            answer = await client.post("/api/chat", json={"text": "/start"})
            assert "trợ lý tự động" in (await answer.json())["replies"][0]["text"]


def tasks_named(name: str) -> list[asyncio.Task[Any]]:
    """List running tasks by the function that they run."""
    return [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "") == name]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_what_answers_before_telegram_harms_nobody(online: Start, status: int) -> None:
    async with online() as phone:
        await phone.say("/start")
        page = Fault(status, page="<html>Access to {path} denied</html>")
        for method in ("sendMessage", "getUpdates"):
            phone.fake.faults[method].extend([page, page])
        assert await phone.say("/menu")
        row = await phone.service.store.read(lambda tx: tx.one("SELECT gone_at FROM people"))
        assert row is not None
        assert row["gone_at"] is None
        await until(lambda: NAME not in phone.service.trouble)


@MODES
async def test_what_answers_before_telegram_does_not_bring_the_token_into_readyz(
    online: Start, fake: FakeTelegram, mode: str
) -> None:
    methods = ("getMe", "setWebhook", "getWebhookInfo")
    fake.decide = lambda call: Fault(400, page="<html>No {path} here</html>") if call.method in methods else None
    async with online(mode=mode) as phone:
        await until(lambda: NAME in phone.service.trouble)
        async with TestClient(TestServer(make_app(phone.service))) as client:
            said = await (await client.get("/readyz")).text()
        assert "between here and Telegram answered 400" in said
        assert TOKEN.partition(":")[2] not in said


async def test_a_method_that_telegram_does_not_know_for_a_moment_stops_nothing(online: Start) -> None:
    async with online() as phone:
        phone.fake.faults["getUpdates"].append(Fault(404, "Not Found"))
        phone.fake.faults["sendMessage"].append(Fault(404, "Not Found"))
        assert await phone.say("/menu")


async def test_of_an_answer_that_is_repeated_only_the_rest_leaves(
    online: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.outbox._FIRST_PAUSE", 0.001)
    async with online() as phone:
        away = True

        def decide(call: Call) -> Fault | None:
            return Fault(502, "Bad Gateway") if away and call.data.get("text") == "hai" else None

        async def answer(message: IncomingMessage, session: object = None) -> Answer:
            return Answer((Reply("một"), Reply("hai"), Reply("ba")), lambda tx: None)

        phone.fake.decide = decide
        monkeypatch.setattr(phone.service.inbox._queues, "answer", answer)
        phone.fake.say(CITIZEN, "x")
        for _ in range(2):
            await until(lambda: not phone.fake.waiting and not phone.service.inbox.waiting)
            assert phone.fake.texts(CITIZEN) == ["một"]
            await phone.service.inbox.recover()
        await until(lambda: not phone.service.inbox.waiting)
        away = False
        await phone.service.inbox.recover()
        await until(lambda: len(phone.fake.texts(CITIZEN)) > 2)
        assert phone.fake.texts(CITIZEN) == ["một", "hai", "ba"]


@pytest.mark.parametrize(
    ("reply", "arrives"),
    [
        (Reply("x" * 1500, image=b"\x89PNG\r\n\x1a\n"), ["sendMessage", "sendPhoto"]),
        (
            Reply("x", image=b"\x89PNG\r\n\x1a\n", file=Attachment("a", "text/plain", b"a")),
            ["sendPhoto", "sendDocument"],
        ),
    ],
    ids=["a text too long for a caption", "a picture and a file"],
)
async def test_what_has_left_does_not_leave_again_with_its_picture_or_file(
    online: Start, reply: Reply, arrives: list[str]
) -> None:
    async with online() as phone:
        last = phone.fake.faults[arrives[-1]]
        last.extend([Fault(502, "Bad Gateway"), Fault(429, "Too Many Requests", {"retry_after": 0.01})])
        await phone.service.outbox.deliver(Person(NAME, str(CITIZEN)), [reply], "1")
        assert [call.method for call in phone.fake.delivered] == arrives
        assert not last


async def test_a_group_that_writes_before_the_bot_knows_its_name_is_answered(online: Start, fake: FakeTelegram) -> None:
    fake.faults["getMe"].extend([Fault(502, "Bad Gateway")] * 2)
    async with online(mode="webhook") as phone:
        fake.push_to = fake.webhook["url"]  # the bot has not set it yet
        said = {"text": f"@{BOT['username']} cài thế nào", "entities": [{"type": "mention", "offset": 0, "length": 16}]}
        fake.queue({"message": {**fake.message(GROUP), **said}})
        await phone.delivered()
        assert fake.texts(GROUP)


async def test_a_rival_webhook_is_set_back_and_named(online: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.receiving._HOOK_PAUSE", 0.05)
    async with online(mode="webhook") as phone:
        own = f"http://127.0.0.1:9{TELEGRAM_HOOK}"
        for rival, said in (
            ("https://rival.example/x", "its webhook at rival.example"),
            ("", "took this bot's webhook"),
        ):
            phone.fake.webhook = {"url": rival}
            await until(lambda said=said: said in phone.service.trouble.get(NAME, ""))  # type: ignore[misc]
            await until(lambda: NAME not in phone.service.trouble)
            assert phone.fake.webhook["url"] == own
        assert all("drop_pending_updates" not in call.data for call in phone.fake.asked("setWebhook"))


async def test_a_full_house_is_no_silence_of_telegrams(online: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.channel._MOST_OPEN", 2)
    async with online() as phone:
        listener = phone.service.channels[NAME]._listener  # type: ignore[attr-defined]
        listener._silence, told = 0.2, []
        monkeypatch.setattr(listener, "_report", told.append)
        phone.fake.slow = 0.8
        for chat in range(5):
            phone.fake.say(5000 + chat, "/menu")
        await phone.delivered()
        assert [sentence for sentence in told if sentence] == []


async def test_a_mistake_of_ours_does_not_end_listening(online: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    run, broken = Poller.run, ["once"]

    async def breaks_once(self: Poller) -> None:
        if broken:
            raise RuntimeError(broken.pop())
        await run(self)

    monkeypatch.setattr(Poller, "run", breaks_once)
    monkeypatch.setattr("bot.runtime.build._RETRY_PAUSE", 0.01)
    async with online() as phone:
        assert await phone.say("/menu")
        assert NAME not in phone.service.trouble
        async with TestClient(TestServer(make_app(phone.service))) as client:
            assert 'bot_failures_total{where="listen"} 1.0' in await (await client.get("/metrics")).text()


async def test_what_nobody_needs_does_not_lengthen_a_pause(online: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Telegram wants to be left alone, no "typing" and no "too fast" goes out; an acknowledgement does."""
    async with online() as phone:
        channel = phone.service.channels[NAME]
        now = 1000.0
        monkeypatch.setattr(channel, "_tick", lambda: now)
        phone.fake.faults["sendMessage"].append(Fault(429, "Too Many Requests: retry after 7", {"retry_after": 7}))
        with pytest.raises(Throttled):
            await channel.send(Person(NAME, str(CITIZEN)), Reply("x"), answering="1")
        for seconds, sent in ((6.9, 0), (7.1, 1)):
            now = 1000.0 + seconds
            await channel._type(str(CITIZEN))  # type: ignore[attr-defined]
            await channel._say_too_fast(str(CITIZEN))  # type: ignore[attr-defined]
            assert len(phone.fake.asked("sendChatAction")) == sent
            assert len(phone.fake.texts(CITIZEN)) == sent
