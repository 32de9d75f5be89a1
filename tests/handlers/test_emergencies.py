"""An emergency gets 115 first: in every state that a conversation can be in, on every channel, in three wordings."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot import access
from bot.channels.console import ConsoleChannel
from bot.clock import stamp
from bot.conversation.dialog import Dialog
from bot.message import HUMAN_TAKEOVER, Button, Capabilities, IncomingMessage, Person
from bot.reading import Topic
from bot.runtime.build import open_service
from bot.settings import Settings
from bot.store import Transaction, people, roles
from bot.web.app import make_app
from handlers import ROUTES
from tests.channels.telegram.test_telegram import Start, fake, online
from tests.conftest import FrozenClock, OpenBot, Recorder, Talk
from tests.support.zalo_walk import Taken, walking

__all__ = ["fake", "online"]  # the fixtures: a bot on Telegram

WORDINGS = {
    "marked": "mẹ tôi vừa tiêm xong khó thở tím tái",
    "bare": "me toi vua tiem xong kho tho tim tai",
    "English": "my mother can't breathe and is turning blue",
}
FIRST_WORDS = 40  # characters, within which the number to call stands
wordings = pytest.mark.parametrize("said", WORDINGS.values(), ids=WORDINGS)


def begins_with_115(text: str) -> bool:
    return "115" in text[:FIRST_WORDS]


# -- every open step -----------------------------------------------------------------------------------------------

# A new step of any capability is in this table by itself.
STEPS = [pytest.param(step, route.role, id=step) for route in ROUTES for step in route.steps]


async def stand_at(talk: Talk, dialog: Dialog, *, role: str = access.CITIZEN) -> int:
    """Put a person into a state, with a role if there is one; returns their number."""
    at = stamp(talk.service.clock())

    def work(tx: Transaction) -> int:
        number = people.remember(tx, talk.person, source="", at=at)
        people.keep_dialog(tx, number, dialog.dump(), at)
        if role != access.CITIZEN:
            roles.grant(tx, number, role=role, scope="", at=at)
        return number

    return await talk.service.store.write(work)


async def open_step(talk: Talk) -> str:
    """Return the step that stands open now."""
    rows = await talk.service.store.read(
        lambda tx: tx.all(
            "SELECT d.state FROM dialogs d JOIN people p ON p.id = d.person_id WHERE p.address = :address",
            address=talk.person.address,
        )
    )
    return str(orjson.loads(rows[0]["state"])["step"]) if rows and rows[0]["state"] else ""


def test_steps_of_citizens_and_officers_are_known() -> None:
    steps = {param.id for param in STEPS}
    assert {"report.consent", "guide.step", "person.message", "remind.when", "link.code"} <= steps
    assert {"inbox.answer", "broadcast.text", "poster.place", "roles.name"} <= steps


@wordings
@pytest.mark.parametrize(("step", "role"), STEPS)
async def test_emergency_in_open_step_gets_115_first(talk: Talk, step: str, role: str, said: str) -> None:
    menu = (Button("Tôi đồng ý", "report:agree"), Button("Thôi", "/menu"))
    dialog = Dialog(step, topic=Topic("install-android", 1, [("install-android", 90)]))
    dialog.offer(menu, talk.service.clock())
    await stand_at(talk, dialog, role=role)
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), talk.replies
    assert await open_step(talk) == step  # it goes on afterwards


@wordings
@pytest.mark.parametrize(("step", "role"), [param for param in STEPS if param.values[1] != access.CITIZEN])
async def test_officers_step_without_its_role_gets_115(talk: Talk, step: str, role: str, said: str) -> None:
    """A role may be taken away while a step of it stands open."""
    await stand_at(talk, Dialog(step))
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), (role, talk.replies)


# -- every way into a state ----------------------------------------------------------------------------------------

# What is said or pressed ("[label") before the emergency.
STATES: dict[str, list[str]] = {
    "the very first words": [],
    "greeted": ["/start"],
    "a menu": ["/menu"],
    "topics": ["/chude"],
    "an answer": ["cài trên máy Samsung thế nào"],
    "a choice of articles": ["tài khoản bị lỗi"],
    "two misses": ["giá vàng hôm nay", "kết quả bóng đá"],
    "consent asked": ["/baocai"],
    "district asked": ["/baocai", "[Tôi đồng ý"],
    "one of two districts": ["/baocai", "[Tôi đồng ý", "xã Sơn Đông"],
    "book asked": ["/baocai", "[Tôi đồng ý", "Yên Lạc"],
    "reported": ["/baocai", "[Tôi đồng ý", "Yên Lạc", "vneid"],
    "a reminder asked": ["nhắc tôi nhé"],
    "half a reminder": ["nhắc tôi nhé", "chiều mai"],
    "a walk": ["/huongdan", "[Mở Sổ sức khỏe trong VNeID"],
    "stuck in a walk": ["/huongdan", "[Mở Sổ sức khỏe trong VNeID", "[Không thấy"],
    "a person asked for": ["/canbo"],
    "waiting for a person": ["/canbo", "máy tôi bị treo"],
    "deletion to confirm": ["/menu", "/dulieu", "[Xóa tất cả"],
    "all erased": ["/menu", "/dulieu", "[Xóa tất cả", "[Có, xóa tất cả"],
    "language asked": ["/ngonngu"],
    "English chosen": ["/ngonngu", "[English"],
    "another channel to link": ["/lienket"],
    "an emergency before": ["bố tôi đột quỵ méo miệng"],
    "an emergency said to be over": ["bố tôi đột quỵ méo miệng", "nhầm"],
}


@wordings
@pytest.mark.parametrize("state", STATES)
async def test_emergency_in_every_state_gets_115_first(talk: Talk, state: str, said: str) -> None:
    for before in STATES[state]:
        await (talk.press(before[1:]) if before.startswith("[") else talk.say(before))
    step = await open_step(talk)
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), talk.replies
    assert await open_step(talk) == step
    assert not any(button.choice.startswith(("helped:", "report:")) for button in talk.replies[0].buttons[1:])


@wordings
async def test_emergency_while_officer_talks_reaches_both(
    talk: Talk, another: Callable[[str], Talk], said: str
) -> None:
    officer = another("officer-1")
    await take_case(talk, officer)
    await talk.say("dạ cháu nghe")
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), talk.replies
    shown = await officer.say("/hopthu")
    await officer.say(choice=next(b.choice for b in officer.replies[0].buttons if b.choice.startswith("case:")))
    shown = "\n".join(reply.text for reply in officer.replies)
    assert said[:20] in shown.replace("\u200b", "").replace("\\", "")


async def take_case(talk: Talk, officer: Talk) -> None:
    """Have a citizen ask for a person, and an officer take the case and answer."""
    for said in ("/canbo", "máy tôi bị treo"):
        await talk.say(said)
    code = await access.invite(talk.service.store, role="officer", scope="", at=talk.service.clock(), actor="test")
    await officer.say(f"/start moi_{code}")
    await officer.say("/hopthu")
    await officer.say(choice=next(b.choice for b in officer.replies[0].buttons if b.choice.startswith("case:")))
    await officer.say(choice=officer.replies[0].buttons[0].choice)
    await officer.say("Bạn thử khởi động lại máy nhé")


@wordings
async def test_emergency_while_human_writes_by_hand_gets_115(
    open_bot: OpenBot, recorder: Recorder, clock: FrozenClock, said: str
) -> None:
    """On a platform where an officer has taken over, the assistant is silent but for an emergency."""
    recorder.capabilities = Capabilities(longest_text=4000, title="recorder", quiet_minutes=60)
    async with open_bot() as service:
        talk = Talk(service, recorder, Person(recorder.name, "citizen-1"))
        await talk.say("/menu")
        event = IncomingMessage(person=talk.person, id="takeover", at=clock(), event=HUMAN_TAKEOVER)
        await (await service.inbox.receive(event)).done
        assert await talk.say("cài trên máy Samsung thế nào") == ""
        await talk.say(said)
        assert begins_with_115(talk.replies[0].text), talk.replies


@wordings
async def test_emergency_in_group_gets_115_first(talk: Talk, said: str) -> None:
    await talk.say(said, group=True)  # type: ignore[arg-type]
    assert begins_with_115(talk.replies[0].text), talk.replies


@wordings
async def test_emergency_in_dialog_grown_old_gets_115(talk: Talk, clock: FrozenClock, said: str) -> None:
    for before in ("/baocai", "có"):
        await talk.say(before)
    clock.at += timedelta(days=40)
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), talk.replies


# Said together with what is usually answered otherwise.
TOGETHER = [
    ("đồng ý nhưng mẹ tôi đang khó thở tím tái cứu với", "/baocai"),
    ("Yên Lạc, bố tôi đột quỵ méo miệng rồi", "/baocai"),
    ("nhắc tôi mai 8h, mà khoan mẹ tôi ngất xỉu gọi không dậy", ""),
    ("026199001234 bố tôi đột quỵ méo miệng rồi", ""),
    ("cho tôi gặp cán bộ, con tôi co giật tím tái rồi", ""),
    ("cảm ơn nhưng chồng tôi vừa ngất xỉu gọi không dậy", "/menu"),
]


@pytest.mark.parametrize(("said", "before"), TOGETHER)
async def test_emergency_beside_something_else_gets_115(talk: Talk, said: str, before: str) -> None:
    if before:
        await talk.say(before)
    await talk.say(said)
    assert begins_with_115(talk.replies[0].text), talk.replies


# What is said while an emergency is under way, and what is read.
GOES_ON = [
    ("địa chỉ ở đâu", "Gọi 115"),
    ("gọi không được", "Gọi 115"),
    ("giờ tôi phải làm gì", "Gọi 115"),
    ("cảm ơn", "gọi ngay 115"),
    ("bố tôi không thở nữa", "Gọi 115"),
    ("bao lâu thì họ đến", "Gọi 115"),
]


@pytest.mark.parametrize(("said", "expected"), GOES_ON)
async def test_short_words_belong_to_the_emergency(talk: Talk, clock: FrozenClock, said: str, expected: str) -> None:
    await talk.say("bố tôi đột quỵ méo miệng")
    clock.forward(minutes=29)
    assert expected in await talk.say(said)
    assert not any(button.choice.startswith("helped:") for reply in talk.replies for button in reply.buttons)


async def test_other_matter_ends_nothing_and_is_answered(talk: Talk, clock: FrozenClock) -> None:
    await talk.say("bố tôi đột quỵ méo miệng")
    assert "CH Play" in await talk.say("cài app cũ trên máy Samsung thế nào")
    clock.forward(minutes=31)
    assert "115" not in await talk.say("ở đâu")


# -- every channel -------------------------------------------------------------------------------------------------

Say = Callable[[str], Awaitable[list[str]]]


@asynccontextmanager
async def on_console(settings: Settings, clock: FrozenClock) -> AsyncIterator[Say]:
    paper = io.StringIO()
    channel = ConsoleChannel(address="citizen-1", clock=clock, out=paper)
    async with open_service(settings, ROUTES, now=clock, extra_channels=[channel]) as service:

        async def say(text: str) -> list[str]:
            before = len(paper.getvalue())
            await channel.say(service.inbox.receive, text)
            return [paper.getvalue()[before:]]

        yield say


@asynccontextmanager
async def on_webchat(settings: Settings, clock: FrozenClock) -> AsyncIterator[Say]:
    async with (
        open_service(settings, ROUTES, now=clock) as service,
        TestClient(TestServer(make_app(service))) as client,
    ):

        async def say(text: str) -> list[str]:
            response = await client.post("/api/chat", json={"text": text})
            assert response.status == 200
            return [reply["text"] for reply in (await response.json())["replies"]]

        yield say


@asynccontextmanager
async def on_zalo(name: str, settings: Settings, clock: FrozenClock, taken: Taken) -> AsyncIterator[Say]:
    async with walking(name, settings, clock, taken) as walker:

        async def say(text: str) -> list[str]:
            walker.fake.now_ms = int(clock().timestamp() * 1000)
            await walker.say(text)
            return walker.latest

        yield say


@asynccontextmanager
async def on_telegram(start: Start, mode: str) -> AsyncIterator[Say]:
    async with start(mode=mode) as phone:
        yield phone.say


CHANNELS = ("console", "webchat", "telegram by polling", "telegram by webhook", "zalo_bot", "zalo_oa")
# What is typed before, so that nothing, the report, the walk, the talk with officers or a reminder is open.
OPENED = {
    "nothing": [],
    "a report": ["/baocai", "đồng ý"],
    "a walk": ["/huongdan", "1"],
    "a talk with officers": ["/canbo", "máy tôi bị treo"],
    "a reminder": ["nhắc tôi nhé"],
}


@pytest.mark.parametrize("channel", CHANNELS)
async def test_emergency_on_every_channel_gets_115_first(
    channel: str, settings: Settings, clock: FrozenClock, online: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "console": lambda: on_console(settings, clock),
        "webchat": lambda: on_webchat(settings, clock),
        "telegram by polling": lambda: on_telegram(online, "polling"),
        "telegram by webhook": lambda: on_telegram(online, "webhook"),
        "zalo_bot": lambda: on_zalo("zalo_bot", settings, clock, Taken(monkeypatch)),
        "zalo_oa": lambda: on_zalo("zalo_oa", settings, clock, Taken(monkeypatch)),
    }
    async with AsyncExitStack() as stack:
        say: Say = await stack.enter_async_context(makers[channel]())
        for state, typed in OPENED.items():
            for text in typed:
                assert await say(text), (state, text)
            for said in WORDINGS.values():
                told = await say(said)
                assert begins_with_115(told[0].replace("<b>", "").replace("*", "")), (state, said, told)
            await say("/menu")
