"""Reminders that citizens ask for, in the chat: what is promised, and that it comes once and never at night."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

import bot.runtime.build
from bot.broadcasts import Actor
from bot.channels.terms import SendingTerms
from bot.clock import stamp
from bot.errors import DeliveryError, Gone, Rejected, Unknown, Unreachable
from bot.message import UNFOLLOW, Capabilities, IncomingMessage, Person, Receipt, Reply, Window
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import Store, Transaction, appointments, open_store, people, reach, usage
from bot.store.audiences import Audience
from tests.conftest import NOON, FrozenClock, OpenBot, Recorder, Talk
from tests.support.broadcasts import add_person, sending_bot
from tests.support.engines import Engine

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")

# -- in the chat ---------------------------------------------------------------------------------------------------

Table = list[tuple[str, str]]

DIALOGS: dict[str, Table] = {
    "asked, listed, cancelled": [
        ("nhắc tôi ngày mai lúc 19 giờ", "lúc 19:00, thứ Ba 24/11/2026"),
        ("nhac toi mai luc 19h", "Tôi đã ghi lời nhắc này rồi"),
        ("/dulieu", "Tin đã hẹn gửi cho bạn: 19:00, thứ Ba 24/11/2026"),
        ("/nhactoi", "19:00, thứ Ba 24/11/2026"),
        ("[Hủy 19:00", "Đã hủy lời nhắc lúc 19:00, thứ Ba 24/11/2026"),
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
    ],
    "asked back, chosen": [
        ("nhắc tôi nhé", "vào lúc nào"),
        ("[19:00, thứ Hai", "lúc 19:00, thứ Hai 23/11/2026"),
    ],
    "asked back, typed": [
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
        ("[Đặt lời nhắc mới", "vào lúc nào"),
        ("toi mai 7h", "lúc 19:00, thứ Ba 24/11/2026"),
    ],
    "asked back, a question in between": [
        ("nhắc tôi nhé", "vào lúc nào"),
        ("mã OTP không về thì làm sao", "OTP"),
        ("7h tối mai", "lúc 19:00, thứ Ba 24/11/2026"),
    ],
    "asked by halves, the day first": [
        ("nhắc bác sau nhé", "vào lúc nào"),
        ("chiều mai", "Lúc mấy giờ"),
        ("3 giờ", "lúc 15:00, thứ Ba 24/11/2026"),
    ],
    "asked by halves, the hour first": [
        ("nhắc tôi tuần sau lúc 9h sáng", "Vào ngày nào"),
        ("thứ tư", "lúc 09:00, thứ Tư 02/12/2026"),
    ],
    "asked by halves, an unclear word between": [
        ("nhắc tôi sáng thứ bảy", "Lúc mấy giờ"),
        ("25h", "Không có ngày hoặc giờ như vậy"),
        ("9 rưỡi", "lúc 09:30, thứ Bảy 28/11/2026"),
    ],
    "seven may be of the evening, and is not taken for it": [
        ("nhắc tôi mai 7h", "trong các giờ sau"),
        ("[19:00", "lúc 19:00, thứ Ba 24/11/2026"),
    ],
    "refused, then better": [
        ("nhắc tôi 8h sáng nay", "đã qua mất rồi"),
        ("lộn, mai 7h", "trong các giờ sau"),
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
        ("nhắc tôi 8h sáng nay", "đã qua mất rồi"),
        ("lộn, mai 7h", "trong các giờ sau"),
        ("7h tối", "lúc 19:00, thứ Ba 24/11/2026"),
    ],
    "at night, too far away, then possible": [
        ("nhắc tui 10h đêm nay nha", "Từ 20:00 đến 08:00 tôi không nhắn tin"),
        ("hay là tháng 6 sang năm đi", "trong vòng 90 ngày tới"),
        ("vậy mốt 10h sáng", "lúc 10:00, thứ Tư 25/11/2026"),
    ],
    "what is not fully read plans nothing": [
        ("nhắc tôi mỗi sáng 8h", "Tôi chưa hiểu chắc bạn muốn nhắc lúc nào nên chưa đặt lời nhắc. Bạn chọn"),
        ("mùng 5 lúc 9h", "Tôi chưa tính được ngày âm lịch. Bạn chọn bên dưới, hoặc gõ ngày dương lịch và giờ, ví dụ"),
        (
            "sáng mai 3 giờ chiều",
            "hơn một ngày hoặc hơn một giờ. Bạn chọn bên dưới, hoặc gõ một ngày và một giờ, ví dụ",
        ),
        (
            "30/2 lúc 9h",
            "Không có ngày hoặc giờ như vậy. Bạn chọn bên dưới, hoặc gõ ngày và giờ, ví dụ “19 giờ ngày mai”",
        ),
        ("19 giờ ngày mai", "lúc 19:00, thứ Ba 24/11/2026"),
    ],
    "one more, up to three": [
        ("nhắc tôi 8h sáng thứ 6 mở sổ", "lúc 08:00, thứ Sáu 27/11/2026"),
        ("à nhắc thêm 3 giờ chiều mai nữa", "lúc 15:00, thứ Ba 24/11/2026"),
        ("thêm chủ nhật 9h sáng nữa", "lúc 09:00, Chủ nhật 29/11/2026"),
        ("xem tôi đặt những giờ nào rồi", "15:00, thứ Ba 24/11/2026"),
        ("voi lai nhac toi sang mai 8 ruoi", "đã có 3 lời nhắc"),
    ],
    "moved": [
        ("nhắc e 2 tiếng nữa cài app", "lúc 14:00, thứ Hai 23/11/2026"),
        ("nhầm, nửa tiếng nữa thôi", "lúc 12:30, thứ Hai 23/11/2026"),
        ("còn lời nhắc nào không", "!14:00"),
        ("hôm đó bận, đổi sang thứ tư tuần sau 4h chiều đi", "Tôi không nhắc lúc 12:30, thứ Hai 23/11/2026 nữa"),
        ("còn lời nhắc nào không", "16:00, thứ Tư 02/12/2026"),
        ("thôi, để thứ sáu đi", "lúc 16:00, thứ Sáu 27/11/2026"),
    ],
    "the last one is moved, and keeps the half that is not named": [
        ("nhắc tôi 9h sáng chủ nhật", "lúc 09:00, Chủ nhật 29/11/2026"),
        ("nhắc thêm 3h chiều thứ bảy", "lúc 15:00, thứ Bảy 28/11/2026"),
        ("dời sang thứ sáu", "lúc 15:00, thứ Sáu 27/11/2026"),
        ("nhầm, 4h chiều", "lúc 16:00, thứ Sáu 27/11/2026"),
        ("lời nhắc của tôi", "09:00, Chủ nhật 29/11/2026"),
    ],
    "moved in two steps, the old one stays until then": [
        ("nhắc tôi 9h sáng mai", "lúc 09:00, thứ Ba 24/11/2026"),
        ("đổi giờ nhắc được không", "vào lúc nào"),
        ("10h đêm mai", "Từ 20:00 đến 08:00"),
        ("/dulieu", "Tin đã hẹn gửi cho bạn: 09:00, thứ Ba 24/11/2026"),
        ("đổi giờ nhắc được không", "vào lúc nào"),
        ("chiều mốt", "Lúc mấy giờ"),
        ("2h", "Tôi không nhắc lúc 09:00, thứ Ba 24/11/2026 nữa"),
        ("đổi giờ nhắc được không", "vào lúc nào"),
        ("sáng mai 3 giờ chiều", "hơn một ngày hoặc hơn một giờ"),
        ("10h sáng", "lúc 10:00, thứ Tư 25/11/2026"),
    ],
    "without a reminder nothing is moved or added": [
        ("đổi sang mai 9h sáng đi", "!Vâng, tôi sẽ nhắc"),
        ("thêm chủ nhật 9h sáng nữa", "!Vâng, tôi sẽ nhắc"),
        ("thôi, mai 10h đi", "!Vâng, tôi sẽ nhắc"),
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
    ],
    "the only one is cancelled without a question": [
        ("nhac e luc 5h chieu nay", "lúc 17:00, thứ Hai 23/11/2026"),
        ("thôi huỷ nhắc đi", "Đã hủy lời nhắc lúc 17:00, thứ Hai 23/11/2026"),
        ("còn lời nhắc nào không", "Bạn chưa đặt lời nhắc nào"),
    ],
    "one of several is cancelled by a button or by its name": [
        ("nhắc tôi mai 9h", "lúc 09:00"),
        ("nhắc tôi mai 10h", "lúc 10:00"),
        ("nhắc tôi mai 15h", "lúc 15:00"),
        ("hủy nhắc", "Bạn muốn hủy lời nhắc nào"),
        ("[Hủy 10:00", "Đã hủy lời nhắc lúc 10:00"),
        ("hủy lời nhắc chiều mai", "Đã hủy lời nhắc lúc 15:00"),
        ("nhắc tôi mai 11h", "lúc 11:00"),
        ("hủy lời nhắc 8h sáng mai", "Bạn muốn hủy lời nhắc nào"),
        ("xóa hết lời nhắc đi", "Đã hủy lời nhắc lúc 09:00"),
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
    ],
    "cancelled while it is asked for": [
        ("nhắc tôi nhé", "vào lúc nào"),
        ("thôi khỏi nhắc", "Vâng, tôi không đặt thêm lời nhắc nào"),
        ("7h tối mai", "!Vâng, tôi sẽ nhắc"),
    ],
    "without a reminder, no more messages is another wish": [
        ("hủy nhắc", "Bạn chưa đặt lời nhắc nào"),
        ("đừng nhắc tôi nữa", "!Bạn chưa đặt lời nhắc nào"),
    ],
    "in the quiet hours": [
        ("nhắc tôi 10 giờ tối nay", "Từ 20:00 đến 08:00 tôi không nhắn tin"),
        ("[08:00", "lúc 08:00, thứ Ba 24/11/2026"),
    ],
    "past": [("nhắc tôi hôm nay lúc 9 giờ sáng", "đã qua mất rồi"), ("[13:00", "lúc 13:00, thứ Hai 23/11/2026")],
    "too many": [
        ("nhắc tôi mai 9h", "lúc 09:00"),
        ("nhắc tôi mai 10h", "lúc 10:00"),
        ("nhắc tôi mai 11h", "lúc 11:00"),
        ("nhắc tôi mai 14h", "đã có 3 lời nhắc"),
        ("[Hủy 09:00", "Đã hủy"),
        ("nhắc tôi mai 14h", "lúc 14:00"),
    ],
    "stopped by one word": [
        ("nhắc tôi mai 9h", "lúc 09:00"),
        ("DUNG", "bạn sẽ không nhận tin nhắc nữa"),
        ("/nhactoi", "Bạn chưa đặt lời nhắc nào"),
    ],
    "a forged or stale button": [
        ("[!remind:at:2026-11-23T09:00", "đã qua mất rồi"),
        ("[!remind:at:nonsense", "vào lúc nào"),
        ("[!remind:cancel:77", "không còn nữa"),
        ("[!remind:nonsense", "Bạn chưa đặt lời nhắc nào"),
    ],
    "in English": [
        ("/ngonngu", "ngôn ngữ nào"),
        ("[English", "English"),
        ("remind me tomorrow at 19:00", "at 19:00, Tuesday 24 November 2026"),
        ("also on Sunday at noon", "at 12:00, Sunday 29 November 2026"),
        ("change it to Saturday 3pm", "No longer at 12:00, Sunday 29 November 2026"),
        ("my reminders", "19:00, Tuesday 24 November 2026"),
        (
            "remind me every morning at 8",
            "I am not sure which moment you mean, so I have planned nothing. Choose, or type a",
        ),
        (
            "lunar new year at 9am",
            "I cannot count days of the lunar calendar. Choose, or type a solar date and a time such as",
        ),
        (
            "tomorrow or on Friday at 9am",
            "more than one day or time there. Choose, or type one day and one time, such as",
        ),
        ("30/2 at 9am", "There is no such day or time. Choose, or type a day and a time such as “tomorrow at 19:00”."),
        ("cancel all my reminders", "Cancelled: 19:00, Tuesday 24 November 2026"),
    ],
}


@pytest.mark.parametrize("name", DIALOGS)
async def test_dialogs(name: str, talk: Talk) -> None:
    for said, expected in DIALOGS[name]:
        if said.startswith("[!"):
            answer = await talk.say(choice=said[2:])
        else:
            answer = await (talk.press(said[1:]) if said.startswith("[") else talk.say(said))
        if expected.startswith("!"):
            assert expected[1:] not in answer, f"{said!r} → {answer!r}"
        else:
            assert expected in answer, f"{said!r} → {answer!r}"


async def test_where_a_talk_closes_nothing_is_promised_beyond(service: Service, recorder: Recorder, talk: Talk) -> None:
    recorder.capabilities = replace(recorder.capabilities, window=Window(free_hours=48, paid_days=7))
    assert "trong vòng 7 ngày tới" in await talk.say("nhắc tôi 24/12 lúc 9h")
    assert "lúc 09:00, Chủ nhật 29/11/2026" in await talk.say("nhắc tôi chủ nhật 9h")


async def test_where_the_bot_cannot_write_later_it_promises_nothing(open_bot: OpenBot, recorder: Recorder) -> None:
    recorder.capabilities = replace(recorder.capabilities, starts_talk=False)  # like the terminal
    async with open_bot() as service:
        talk = Talk(service, recorder, Person(recorder.name, "citizen-1"))
        assert "không thể nhắn lại" in await talk.say("nhắc tôi mai 9h")
        assert await states(service.store) == []


# -- sent ----------------------------------------------------------------------------------------------------------


class Platform(Recorder):
    """A platform that fails as told, and counts what it got."""

    fails: list[DeliveryError]

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        if not answering and getattr(self, "fails", None):
            raise self.fails.pop(0)
        return await super().send(to, reply, answering=answering)

    @property
    def got(self) -> list[str]:
        return [reply.text for _, reply, answering in self.sent if not answering]


@pytest.fixture
def platform() -> Platform:
    return Platform(capabilities=Capabilities(longest_text=4000, title="recorder"))


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs by itself: the test calls what the bot would."""
    monkeypatch.setattr(bot.runtime.build, "_BROADCAST_PAUSE", 3600.0)


async def states(store: Store) -> list[tuple[str, str, str]]:
    rows = await store.read(lambda tx: tx.all("SELECT kind, state, reason FROM appointments ORDER BY id"))
    return [(row["kind"], row["state"], row["reason"]) for row in rows]


def at(hour: int, minute: int = 0, *, day: int = 23) -> datetime:
    """A moment of November 2026 in Vietnam."""
    return datetime(2026, 11, day, hour, minute, tzinfo=HANOI).astimezone(UTC)


SENT_WHEN: dict[str, tuple[str, list[tuple[datetime, int]]]] = {
    "at its moment, once": ("nhắc tôi 19h", [(at(18, 59), 0), (at(19), 1), (at(19, 1), 1), (at(9, day=24), 1)]),
    "down at its moment, late the same evening: next morning": (
        "nhắc tôi 19h",
        [(at(20, 5), 0), (at(7, 59, day=24), 0), (at(8, day=24), 1), (at(9, day=24), 1)],
    ),
    "a clock set forward into the night": ("nhắc tôi 19h", [(at(3, day=24), 0), (at(8, day=24), 1)]),
    "a clock set back after it was sent": ("nhắc tôi 19h", [(at(19), 1), (at(15), 1), (at(19, 30), 1)]),
    "down for too long": ("nhắc tôi 19h", [(at(9, day=26), 0)]),
}


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("name", SENT_WHEN)
async def test_when_it_is_sent(name: str, settings: Settings, clock: FrozenClock, platform: Platform) -> None:
    said, moments = SENT_WHEN[name]
    async with sending_bot(settings, clock, platform) as service:
        await Talk(service, platform, Person("recorder", "citizen-1")).say(said)
    async with sending_bot(settings, clock, platform) as service:  # after a restart
        for now, got in moments:
            clock.at = now
            await service.appointments.advance()
            assert len(platform.got) == got, now
    if platform.got:
        assert "Bạn đã nhờ tôi nhắc lúc 19:00, thứ Hai 23/11/2026" in platform.got[0]
        assert "Gõ DUNG" in platform.got[0]
        assert ("đến muộn" in platform.got[0]) is (moments[0][1] == 0 and "once" not in name)


@pytest.mark.usefixtures("by_hand")
async def test_a_missed_one_is_told_of(settings: Settings, clock: FrozenClock, platform: Platform) -> None:
    async with sending_bot(settings, clock, platform) as service:
        talk = Talk(service, platform, Person("recorder", "citizen-1"))
        await talk.say("nhắc tôi 19h")
        clock.at = at(9, day=27)
        await service.appointments.advance()
        assert platform.got == []
        assert "19:00, thứ Hai 23/11/2026: không gửi được" in await talk.say("/nhactoi")
        assert "Đã hủy" in await talk.press("Xóa 19:00")
        assert await states(service.store) == []


FAILS: list[tuple[DeliveryError, tuple[str, str, str], int]] = [
    (Unknown("?", code="broken-off"), ("asked", "unknown", "broken-off"), 0),
    (Rejected("no", code="400"), ("asked", "failed", "400"), 0),
    (Gone("gone", code="403"), ("asked", "missed", "403"), 0),
    (Unreachable("later", code="502", retry_after=60.0), ("asked", "sent", ""), 1),
]


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize(("error", "ended", "got"), FAILS, ids=[row[1][1] for row in FAILS])
async def test_what_may_have_arrived_is_never_repeated(
    error: DeliveryError,
    ended: tuple[str, str, str],
    got: int,
    settings: Settings,
    clock: FrozenClock,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.delivery.outbox.ATTEMPTS", 1)
    async with sending_bot(settings, clock, platform) as service:
        await Talk(service, platform, Person("recorder", "citizen-1")).say("nhắc tôi 19h")
        platform.fails = [error]
        for minute in (0, 1, 2, 5):
            clock.at = at(19, minute)
            await service.appointments.advance()
        assert (await states(service.store), len(platform.got)) == ([ended], got)


@pytest.mark.usefixtures("by_hand")
async def test_stopping_while_it_waits_to_leave(settings: Settings, clock: FrozenClock, platform: Platform) -> None:
    """Who stops, leaves or deletes everything gets nothing that was planned before."""
    async with sending_bot(settings, clock, platform) as service:
        for name, words in (("stops", "DUNG"), ("cancels", ""), ("leaves", ""), ("deletes", "")):
            talk = Talk(service, platform, Person("recorder", name))
            await talk.say("nhắc tôi 19h")
            if words:
                await talk.say(words)
            elif name == "cancels":
                await talk.say("/nhactoi")
                await talk.press("Hủy")
            elif name == "deletes":
                await talk.say(choice="privacy:erase")
            else:
                gone = IncomingMessage(person=talk.person, id="gone", at=clock(), event=UNFOLLOW)
                await (await service.inbox.receive(gone)).done
        clock.at = at(19)
        await service.appointments.advance()
        assert (platform.got, await states(service.store)) == ([], [])


@pytest.mark.usefixtures("by_hand")
async def test_a_closed_window_is_respected(settings: Settings, clock: FrozenClock, platform: Platform) -> None:
    platform.capabilities = replace(platform.capabilities, window=Window(free_hours=48, paid_days=7))
    async with sending_bot(settings, clock, platform) as service:
        talk = Talk(service, platform, Person("recorder", "citizen-1"))
        await talk.say("nhắc tôi mai 9h")
        await service.store.write(partial(reach.close, person=talk.person, code="-230"))
        clock.at = at(9, day=24)
        await service.appointments.advance()
        assert (platform.got, await states(service.store)) == ([], [("asked", "missed", "window-closed")])


async def test_only_one_of_several_processes_sends(engine: Engine, settings: Settings, clock: FrozenClock) -> None:
    settings = settings.model_copy(update={"database": engine.url})
    one, two = Platform(), Platform()
    async with sending_bot(settings, clock, one) as first, sending_bot(settings, clock, two) as second:

        def work(tx: Transaction) -> None:
            for number in range(30):
                person = add_person(tx, f"citizen-{number}")
                appointments.add(tx, person, kind=appointments.ASKED, due_at=stamp(at(19)), at=stamp(NOON))

        await first.store.write(work)
        clock.at = at(19)
        await asyncio.gather(*(service.appointments.advance() for service in (first, second) for _ in range(1)))
        got = [person.address for recorder in (one, two) for person, _, _ in recorder.sent]
        assert sorted(got) == sorted(f"citizen-{number}" for number in range(30))


# -- follow-ups ----------------------------------------------------------------------------------------------------


Steps = list[str]
FOLLOW_UPS: dict[str, tuple[Steps, int]] = {
    "opted in, opened, not reported": (["/nhacnho", "[Có, hãy nhắc tôi", "/huongdan"], 1),
    "opened twice": (["/nhacnho", "[Có, hãy nhắc tôi", "/huongdan", "/huongdan"], 1),
    "not opted in": (["/huongdan"], 0),
    "opted in, then out": (["/nhacnho", "[Có, hãy nhắc tôi", "/huongdan", "DUNG"], 0),
    "opted in only after": (["/huongdan", "/nhacnho", "[Có, hãy nhắc tôi"], 0),
    "reported": (["/nhacnho", "[Có, hãy nhắc tôi", "/huongdan", "/baocai", "đồng ý", "vneid, vinh tuong"], 0),
}


@pytest.mark.usefixtures("by_hand")
@pytest.mark.parametrize("name", FOLLOW_UPS)
async def test_follow_up(name: str, settings: Settings, clock: FrozenClock, platform: Platform) -> None:
    steps, got = FOLLOW_UPS[name]
    async with sending_bot(settings, clock, platform) as service:
        talk = Talk(service, platform, Person("recorder", "citizen-1"))
        for said in steps:
            await (talk.press(said[1:]) if said.startswith("[") else talk.say(said))
        clock.at = NOON + timedelta(days=3) - timedelta(minutes=1)
        await service.appointments.advance()
        assert platform.got == []
        for _ in range(3):
            clock.forward(minutes=1)
            await service.appointments.advance()
        assert len(platform.got) == got
        assert all("Mấy hôm trước bạn có xem hướng dẫn" in text for text in platform.got)


@pytest.mark.usefixtures("by_hand")
async def test_a_follow_up_counts_like_a_message_to_many(
    settings: Settings, clock: FrozenClock, platform: Platform
) -> None:
    """Once a week was promised, whatever the message is."""
    async with sending_bot(settings, clock, platform) as service:

        def work(tx: Transaction) -> None:
            person = add_person(tx, "citizen-1")
            appointments.add(tx, person, kind=appointments.FOLLOW_UP, due_at=stamp(NOON), at=stamp(NOON))

        await service.store.write(work)
        await service.appointments.advance()
        assert len(platform.got) == 1
        number = await service.broadcasts.draft(Actor(), Audience())
        await service.broadcasts.write(Actor(), number, {"vi": "Mời bạn cài ứng dụng."})
        planned = await service.broadcasts.plan(Actor(), number)
        assert (planned.plan.people, dict(planned.plan.left_out)) == (0, {"reminded": 1})


@pytest.mark.usefixtures("by_hand")
async def test_what_is_left_of_a_month_is_kept_for_answers(
    settings: Settings, clock: FrozenClock, platform: Platform
) -> None:
    async with sending_bot(settings, clock, platform) as service:
        service.appointments._terms = {"recorder": SendingTerms(budget=10, budgeted=("sent",))}

        def work(tx: Transaction) -> None:
            person = add_person(tx, "citizen-1")
            usage.add(tx, "recorder", period="2026-11", kind="sent", amount=8)
            for kind in (appointments.FOLLOW_UP, appointments.ASKED):
                appointments.add(tx, person, kind=kind, due_at=stamp(NOON), at=stamp(NOON))

        await service.store.write(work)
        await service.appointments.advance()
        ended = [("follow-up", "missed", "monthly-budget"), ("asked", "sent", "")]  # who asks, gets it
        assert (await states(service.store), len(platform.got)) == (ended, 1)


@pytest.mark.usefixtures("by_hand")
async def test_a_follow_up_waits_while_an_officer_talks(
    settings: Settings, clock: FrozenClock, platform: Platform
) -> None:
    async with sending_bot(settings, clock, platform) as service:

        def work(tx: Transaction) -> None:
            person = add_person(tx, "citizen-1")
            reach.keep_quiet(tx, person, until=stamp(NOON + timedelta(hours=2)))
            appointments.add(tx, person, kind=appointments.FOLLOW_UP, due_at=stamp(NOON), at=stamp(NOON))

        await service.store.write(work)
        await service.appointments.advance()
        assert platform.got == []
        clock.forward(hours=2)
        await service.appointments.advance()
        assert len(platform.got) == 1


# -- the store, on both engines ------------------------------------------------------------------------------------


async def test_the_steps_of_a_row(engine: Engine) -> None:
    store = open_store(engine.url)
    now = stamp(NOON)

    def work(tx: Transaction) -> None:
        person = people.remember(tx, Person("recorder", "citizen-1"), source="", at=now)
        assert appointments.add(tx, person, kind="asked", due_at=now, at=now)
        assert not appointments.add(tx, person, kind="asked", due_at=now, at=now)
        appointments.add_follow_up(tx, person, due_at=now, at=now)  # without a consent
        assert [row["kind"] for row in due(tx)] == ["asked"]
        people.note_consent(tx, person, purpose="reminders", wording="…", at=now)
        appointments.add_follow_up(tx, person, due_at=now, at=now)
        appointments.add_follow_up(tx, person, due_at=stamp(NOON + timedelta(days=1)), at=now)
        found = due(tx)
        assert [(row["kind"], bool(row["willing"]), bool(row["reported"]), row["reminded"]) for row in found] == [
            ("asked", True, False, 0),
            ("follow-up", True, False, 0),
        ]
        numbers = [row["id"] for row in found]
        appointments.claim(tx, numbers, holder="me", at=now)
        assert appointments.holds(tx, numbers[0], holder="me")
        assert not appointments.holds(tx, numbers[0], holder="another")
        appointments.put_off(tx, numbers[0], until=stamp(NOON + timedelta(hours=1)), at=now, tries=1)
        assert due(tx) == []
        assert appointments.mark_lost(tx, at=now) == 1
        appointments.end(tx, numbers[1], state="sent", at=now)  # too late: another has said what became of it
        rows = tx.all("SELECT state, tries FROM appointments ORDER BY id")
        assert [(row["state"], row["tries"]) for row in rows] == [("waiting", 1), ("unknown", 0)]
        assert appointments.forget_before(tx, stamp(NOON + timedelta(days=1))) == 1
        assert appointments.miss_due(tx, at=stamp(NOON + timedelta(days=1))) == 1
        assert [row["state"] for row in appointments.of_person(tx, person, kind="asked")] == ["missed"]
        assert appointments.cancel(tx, person, numbers[0])
        assert not appointments.cancel(tx, person, numbers[0])

    def due(tx: Transaction) -> list[object]:
        week_ago = stamp(NOON - timedelta(days=7))
        return list(appointments.due(tx, "recorder", at=now, week_ago=week_ago, limit=10))

    await store.write(work)
    await store.close()
