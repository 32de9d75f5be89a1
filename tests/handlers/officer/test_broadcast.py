"""Messages to many people in talks with officers: whole talks as tables, from the invitation to the report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot import access
from bot.access.roles import ADMIN, OFFICER
from bot.broadcasts import Actor
from bot.message import Capabilities, Person, Receipt, Reply
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import roles
from bot.store.audiences import Audience
from bot.text.links import foreign_hosts
from tests.conftest import FrozenClock, Recorder, Talk
from tests.support.broadcasts import add_person, hurry, ledger, sending_bot, settled

VINH_TUONG, YEN_LAC = "vinh-tuong", "yen-lac"
OFFICERS = {"tỉnh": (OFFICER, ""), "tỉnh 2": (OFFICER, ""), "vĩnh tường": (OFFICER, VINH_TUONG),
            "yên lạc": (OFFICER, YEN_LAC), "quản trị": (ADMIN, "")}  # fmt: skip
# Who says or presses ("[") what, and what must be read; "[!" is a button that was not offered. "+" is what reaches
# somebody by itself, "-" what must never have, "clock" moves the time on, "door" shuts or opens the platform.
Table = list[tuple[str, str, str]]

TO_THE_PLAN: Table = [
    ("vĩnh tường", "/nhantin", "Chưa có đợt gửi nào"),
    (
        "vĩnh tường",
        "[Soạn đợt gửi mới",
        "Đợt gửi số 1 gửi cho ai? Hiện tại: huyện Vĩnh Tường; đã báo hay chưa báo đều gửi",
    ),
    ("vĩnh tường", "[Đã báo hay chưa báo", "Bạn muốn gửi cho ai"),
    ("vĩnh tường", "[Chưa báo đã cài", "huyện Vĩnh Tường; chưa báo đã cài"),
    ("vĩnh tường", "[Đã báo hay chưa báo", "Bạn muốn gửi cho ai"),
    ("vĩnh tường", "1", "đã báo hay chưa báo đều gửi"),  # a number chooses as well as a press
    ("vĩnh tường", "[Tiếp tục soạn nội dung", "chọn mẫu có sẵn"),
    ("vĩnh tường", "[Tự soạn: Tiếng Việt", "Bạn gõ nội dung ngay bây giờ"),
    ("vĩnh tường", "Mời bà con {district} cài Sổ sức khỏe điện tử.", "Gửi tới: huyện Vĩnh Tường"),
    ("vĩnh tường", "[Xem trước", "Mời bà con huyện Vĩnh Tường cài Sổ sức khỏe điện tử.\n\nĐể không nhận tin nhắc nữa"),
    ("vĩnh tường", "[Đợt gửi số 1", "bản nháp"),
    ("vĩnh tường", "[Gửi thử cho tôi", "Mời bà con huyện Vĩnh Tường cài Sổ sức khỏe điện tử."),
    ("vĩnh tường", "[Đợt gửi số 1", "bản nháp"),
    ("vĩnh tường", "[Lập danh sách người nhận", "đã lập danh sách, chưa gửi"),
]
# What an officer types on Monday the 23rd of November 2026 at noon, and when it begins.
MOMENTS = [
    ("8h thứ năm", "08:00, thứ Năm 26/11/2026"),
    ("7 giờ tối ngày 25 tháng 11", "19:00, thứ Tư 25/11/2026"),
    ("2 giờ nữa", "14:00, thứ Hai 23/11/2026"),
    ("5 giờ chiều mốt", "17:00, thứ Tư 25/11/2026"),
    ("9h ngày 31", "09:00, thứ Năm 31/12/2026"),
    ("8 giờ tối mốt", "08:00, thứ Năm 26/11/2026"),  # from here on the hour is quiet, and it begins when that is over
    ("12h đêm nay", "08:00, thứ Ba 24/11/2026"),
    ("8h kém 15 ngày mai", "08:00, thứ Ba 24/11/2026"),
]
TALKS: dict[str, Table] = {
    "begins at the moment that is named": [
        *TO_THE_PLAN,
        *(
            step
            for typed, begins in MOMENTS
            for step in (
                ("vĩnh tường", "[Hẹn giờ gửi", "Gửi lúc nào"),
                ("vĩnh tường", typed, f"Bắt đầu gửi lúc {begins}"),
                ("vĩnh tường", "[Đợt gửi số 1", "đã lập danh sách"),
            )
        ),
    ],
    "invited, drafted, planned, tested, approved, sent, paused, resumed, reported": [
        *TO_THE_PLAN,
        ("vĩnh tường", "/nhantin 1", "Đợt gửi cho hơn 20 người phải có một cán bộ khác duyệt"),
        ("vĩnh tường", "[Gửi ngay", "Bắt đầu gửi lúc 12:00, thứ Hai 23/11/2026"),
        ("vĩnh tường", "[Đồng ý, gửi một lần", "Bây giờ cần một cán bộ khác duyệt"),
        ("tỉnh", "+", "Đợt gửi số 1 đang chờ một cán bộ khác duyệt"),
        ("yên lạc", "-", "Đợt gửi số 1"),
        ("vĩnh tường", "[!broadcast:approve:1:0", "người khác đã thao tác trước"),
        ("yên lạc", "[!broadcast:approve:1", "nằm ngoài địa bàn bạn phụ trách"),
        ("tỉnh", "[!broadcast:open:1", "Mời bà con {district} cài Sổ sức khỏe điện tử."),
        ("door", "shut", ""),
        ("tỉnh", "[Duyệt", "Bạn đã duyệt đợt gửi này"),
        ("tỉnh 2", "[!broadcast:approve:1", "người khác đã thao tác trước"),
        ("door", "busy", ""),
        ("vĩnh tường", "[!broadcast:pause:1", "tạm dừng"),
        ("door", "open", ""),
        ("vĩnh tường", "[Gửi tiếp", "đang gửi"),
        ("wait", "1", "done"),
        ("dân 0", "+", "Mời bà con huyện Vĩnh Tường"),
        ("dân 24", "+", "Mời bà con huyện Vĩnh Tường"),
        ("yên lạc dân", "-", "Mời bà con"),
        ("vĩnh tường", "+", "rồi tìm đợt gửi số 1"),
        ("vĩnh tường", "/nhantin 1", "đã xong"),
        ("vĩnh tường", "[Kết quả", "Đợt gửi cho quá ít người nên không hiển thị tỷ lệ."),
        ("quản trị", "[!broadcast:report:1", "Đây không phải bằng chứng về hiệu quả"),
        ("quản trị", "[!broadcast:report:1", "Huyện Vĩnh Tường: Đã gửi: 25"),
        ("quản trị", "[!broadcast:again:1", "Không còn ai chắc chắn chưa nhận được tin"),
        ("vĩnh tường", "[!broadcast:again:1", "Đang gửi lại cho tất cả những người chắc chắn chưa nhận được"),
        ("yên lạc", "/nhantin", "Chưa có đợt gửi nào"),
    ],
    "a district is left by no button": [
        *TO_THE_PLAN,
        *[
            ("yên lạc", f"[!broadcast:{step}", "nằm ngoài địa bàn bạn phụ trách")
            for step in (
                "open:1", "whom:1", "ask:1:place", "set:1:reports=any", "text:1", "write:1:vi", "ready:1:beware-scam",
                "confirm:1:install-app", "preview:1", "test:1", "plan:1", "discard:1", "now:1:0", "when:1:0",
                "weekly:1:0", "send:1:0", "approve:1", "pause:1", "resume:1", "stop:1", "halt:1", "again:1",
                "progress:1", "report:1", "nonsense:1", "open:99", "open:", "open:999999999999999999999", "set:1:",
            )
            if step not in ("nonsense:1", "open:")
        ],
        ("yên lạc", "[!broadcast:nonsense:1", "Chưa có đợt gửi nào"),
        ("vĩnh tường", "[!broadcast:set:1:place=yen-lac", "nằm ngoài địa bàn bạn phụ trách"),
        ("vĩnh tường", "[!broadcast:set:1:place=*", "Hiện tại: huyện Vĩnh Tường;"),
        ("vĩnh tường", "[!broadcast:set:1:place=nowhere", "không còn nữa"),
        ("vĩnh tường", "[!broadcast:set:1:districts=yen-lac", "không còn nữa"),
        ("vĩnh tường", "[!broadcast:ask:1:districts", "không còn nữa"),
        ("vĩnh tường", "[!broadcast:write:1:fr", "không còn nữa"),
        ("vĩnh tường", "[!broadcast:send:1:0", "người khác đã thao tác trước"),
        ("vĩnh tường", "[!broadcast:send:1:0:999999999999999999", "không còn nữa"),
        ("vĩnh tường", "[!broadcast:send:1:0:0:2026x", "không còn nữa"),
        ("dân 0", "/nhantin", "chỉ dành cho cán bộ"),
        ("dân 0", "[!broadcast:send:1:0", "chỉ dành cho cán bộ"),
    ],
    "who stops in the middle gets nothing after it": [
        *TO_THE_PLAN[:-1],
        ("vĩnh tường", "[!broadcast:set:1:reports=reported", "đã báo là đã cài"),
        ("vĩnh tường", "[!broadcast:plan:1", "Số tin sẽ gửi: dưới 10"),
        ("door", "shut", ""),
        ("vĩnh tường", "[Gửi ngay", "Bắt đầu gửi lúc"),
        ("vĩnh tường", "[Đồng ý, gửi một lần", "Tôi sẽ báo tiến độ"),
        ("door", "busy", ""),
        ("vĩnh tường", "[!broadcast:pause:1", "tạm dừng"),
        ("dân 4", "DUNG", "bạn sẽ không nhận tin nhắc nữa"),
        ("door", "open", ""),
        ("vĩnh tường", "[!broadcast:resume:1", "đang gửi"),
        ("wait", "1", "done"),
        ("dân 3", "+", "Mời bà con"),
        ("dân 4", "-", "Mời bà con"),
    ],
    "at a time in the quiet hours, weekly, by a clock that jumps": [
        *TO_THE_PLAN[:-1],
        ("vĩnh tường", "[!broadcast:set:1:reports=reported", "đã báo là đã cài"),
        ("vĩnh tường", "[!broadcast:plan:1", "Số tin sẽ gửi: dưới 10"),
        ("vĩnh tường", "[Hẹn giờ gửi", "Gửi lúc nào"),
        ("vĩnh tường", "lúc nào cũng được", "Tôi chưa hiểu thời điểm này"),
        ("vĩnh tường", "sáng mai 3 giờ chiều", "Bạn gõ một ngày và một giờ, ví dụ 24/11 8h30"),
        ("vĩnh tường", "9h sáng nay", "Thời điểm này đã qua"),
        ("vĩnh tường", "22h tối nay", "Giờ bạn chọn nằm trong khung giờ không nhắn tin"),
        ("vĩnh tường", "[Gửi mỗi tuần", "lần đầu lúc 08:00, 24/11/2026"),
        ("vĩnh tường", "hôm nào đó", "Tôi chưa hiểu ngày này"),
        ("vĩnh tường", "23/11", "Ngày kết thúc sớm hơn lần gửi đầu tiên"),
        ("vĩnh tường", "1/12/2026", "Mỗi tuần một lần, đến 01/12/2026"),
        ("vĩnh tường", "[Đồng ý, gửi hằng tuần", "Tôi sẽ báo tiến độ"),
        ("clock", "2026-11-23T16:00", ""),
        ("dân 0", "-", "Mời bà con"),
        ("clock", "2026-11-24T01:00", ""),
        ("wait", "1", "done"),
        ("dân 0", "+", "Mời bà con"),
        ("vĩnh tường", "/nhantin", "2. đã hẹn giờ"),
        ("clock", "2026-11-24T14:00", ""),
        ("vĩnh tường", "[!broadcast:stop:2", "Dừng hẳn đợt gửi số 2"),
        ("vĩnh tường", "[Đồng ý, dừng hẳn", "đã dừng hẳn"),
    ],
    "a colleague changes it between the question and the answer": [
        *TO_THE_PLAN,
        ("vĩnh tường", "[Gửi ngay", "Bắt đầu gửi lúc"),
        ("tỉnh", "[!broadcast:write:1:vi", "Bạn gõ nội dung"),
        ("tỉnh", "Nội dung khác hẳn.", "Nội dung khác hẳn."),
        ("tỉnh", "[Lập danh sách người nhận", "đã lập danh sách"),
        ("vĩnh tường", "[Đồng ý, gửi một lần", "người khác đã thao tác trước"),
        ("dân 0", "-", "Mời bà con"),
    ],
    "ready texts, links, secrets": [
        ("tỉnh", "/broadcast", "Chưa có đợt gửi nào"),
        ("tỉnh", "[Soạn đợt gửi mới", "Hiện tại: toàn tỉnh"),
        ("tỉnh", "[Địa bàn", "Bạn muốn gửi cho ai"),
        ("tỉnh", "[Huyện Yên Lạc", "Hiện tại: huyện Yên Lạc"),
        ("tỉnh", "[Xã, phường", "Bạn muốn gửi cho ai"),
        ("tỉnh", "2", "huyện Yên Lạc"),
        ("tỉnh", "[Ngôn ngữ", "Bạn muốn gửi cho ai"),
        ("tỉnh", "[Tiếng Việt", "ngôn ngữ vi"),
        ("tỉnh", "[Kênh", "Bạn muốn gửi cho ai"),
        ("tỉnh", "[Tất cả các kênh", "Hiện tại"),
        ("tỉnh", "[Áp phích", "Bạn gõ mã trên áp phích"),
        ("tỉnh", "XX99", "Tôi không biết mã này"),
        ("tỉnh", "vt 24", "đến từ mã VT24"),
        ("tỉnh", "[Áp phích", "Bạn gõ mã trên áp phích"),
        ("tỉnh", "[Không lọc theo mã", "Hiện tại"),
        ("tỉnh", "[Tiếp tục soạn", "Mẫu có dấu ⚠"),
        ("tỉnh", "[⚠ Ứng dụng năm 2021: xem", "Mẫu này soạn theo thông tin ngày 01/12/2026"),
        ("tỉnh", "[!broadcast:ready:1:nothing", "Không có mẫu tin này"),
        ("tỉnh", "[!broadcast:confirm:1:install-app", "Mẫu có sẵn: Ứng dụng năm 2021"),
        ("tỉnh", "[Nội dung", "Mẫu có dấu ⚠"),
        ("tỉnh", "[Cẩn thận kẻ gian", "Mẫu có sẵn: Cẩn thận kẻ gian mạo danh"),
        ("tỉnh", "[Nội dung", "Mẫu có dấu ⚠"),
        ("tỉnh", "[Tự soạn: Tiếng Việt", "Bạn gõ nội dung"),
        ("tỉnh", "Chào {tên}", "trong ngoặc nhọn mà tôi không điền được"),
        ("tỉnh", "mật khẩu là abc123@", "Nội dung này chưa được ghi nhận"),
        ("tỉnh", "Cài tại bit.ly/so-suc-khoe, hỏi 0912345678 *nhé*", "không thuộc các trang chính thức: bit.ly"),
        ("tỉnh", "[Xem trước", "Cài tại bit.ly/so-suc-khoe, hỏi 0912345678 *nhé*"),
        ("tỉnh", "/nhantin 1", "bản nháp"),
        ("tỉnh", "[Lập danh sách", "Số tin sẽ gửi: dưới 10"),
        ("quản trị", "[!broadcast:now:1:0", "Số tin sẽ gửi: 0"),
        ("quản trị", "/nhantin 1", "đã lập danh sách"),
        ("quản trị", "[Gửi ngay", "Số tin sẽ gửi: 0"),
        ("quản trị", "[Đồng ý, gửi một lần", "Không có ai nhận tin này"),
        ("tỉnh", "/nhantin 1", "đã lập danh sách"),
        ("tỉnh", "[Bỏ đợt gửi này", "Đã bỏ đợt gửi số 1"),
        ("tỉnh", "/nhantin 1", "Không có đợt gửi này"),
        ("tỉnh", "/nhantin abc", "Chưa có đợt gửi nào"),
    ],
}  # fmt: skip


@dataclass
class Doored(Recorder):
    """A platform with a door for what answers nobody."""

    door: asyncio.Event = field(default_factory=asyncio.Event)
    at_the_door: int = 0

    def __post_init__(self) -> None:
        self.door.set()

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        if not answering:
            self.at_the_door += 1
            await self.door.wait()
            self.at_the_door -= 1
        return await Recorder.send(self, to, reply, answering=answering)

    def got(self, address: str) -> list[str]:
        """What reached somebody without their asking."""
        return [
            reply.text.replace("**", "")
            for to, reply, answering in self.sent
            if to.address == address and not answering
        ]


@pytest.fixture
def channel() -> Doored:
    return Doored(capabilities=Capabilities(longest_text=4000, title="recorder"))


@pytest.fixture
async def bot(
    settings: Settings, clock: FrozenClock, channel: Doored, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    hurry(monkeypatch)
    # At the door two at a time, the others wait behind them.
    monkeypatch.setattr("bot.broadcasts.sender.MAX_IN_FLIGHT", 2)
    monkeypatch.setattr("bot.broadcasts.sender._RECHECK_AFTER_SECONDS", 0.0)
    reminders = settings.reminders.model_copy(update={"approve_above": 20})
    async with sending_bot(settings.model_copy(update={"reminders": reminders}), clock, channel) as service:
        yield service


async def until(true: bool | object) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(10):
        while not true():  # type: ignore[operator] # noqa: ASYNC110 - nothing there could set an event
            await asyncio.sleep(0.005)


async def hire(bot: Service, channel: Doored) -> dict[str, Talk]:
    """Sign officers in by invitation, and put 25 people of one district and one of another into the records."""

    talks = {}
    for name, (role, scope) in OFFICERS.items():
        talks[name] = Talk(bot, channel, Person(channel.name, name))
        code = await access.invite(bot.store, role=role, scope=scope, at=bot.clock(), actor="test")
        await talks[name].say(f"/start moi_{code}")
    await bot.store.write(
        lambda tx: [
            *(add_person(tx, f"dân {n}", source="VT24", district=VINH_TUONG if n < 5 else "") for n in range(25)),
            add_person(tx, "yên lạc dân", district=YEN_LAC),
        ]
    )
    return talks


async def play(talks: dict[str, Talk], bot: Service, channel: Doored, table: Table) -> None:
    for who, said, expected in table:
        if who == "door":
            if said == "busy":
                await until(lambda: channel.at_the_door > 0)
            else:
                (channel.door.set if said == "open" else channel.door.clear)()
        elif who == "clock":
            assert isinstance(bot.clock, FrozenClock)
            bot.clock.at = datetime.fromisoformat(said).replace(tzinfo=UTC)
        elif who == "wait":
            assert await settled(bot, int(said)) == expected
        elif said == "+":
            await until(lambda who=who, expected=expected: any(expected in text for text in channel.got(who)))
        elif said == "-":
            assert not [text for text in channel.got(who) if expected in text]
        else:
            talk = talks.setdefault(who, Talk(bot, channel, Person(channel.name, who)))
            answered = await (
                talk.say(choice=said[2:]) if said.startswith("[!")
                else talk.press(said[1:]) if said.startswith("[")
                else talk.say(said)
            )  # fmt: skip
            assert expected in answered, f"{who}: {said!r} was answered {answered!r}"
            assert answered, f"{who}: {said!r} was not answered"


@pytest.mark.parametrize("name", TALKS)
async def test_talk(name: str, bot: Service, channel: Doored) -> None:
    talks = await hire(bot, channel)
    await play(talks, bot, channel, TALKS[name])
    assert await access.check_audit(bot.store) is None
    for row in await bot.store.read(roles.audit):
        assert "Mời" not in row["detail"]
        assert "bit.ly" not in row["detail"]


async def test_of_two_officers_who_press_at_once_one_is_told(bot: Service, channel: Doored) -> None:
    talks = await hire(bot, channel)
    await play(talks, bot, channel, TO_THE_PLAN)
    whole = TALKS["invited, drafted, planned, tested, approved, sent, paused, resumed, reported"]
    await play(talks, bot, channel, whole[len(TO_THE_PLAN) : len(TO_THE_PLAN) + 3])
    second = ("tỉnh", "tỉnh 2")
    await asyncio.gather(*(talks[name].say("/nhantin 1") for name in second))
    answers = await asyncio.gather(*(talks[name].press("Duyệt") for name in second))
    assert sorted("Bạn đã duyệt" in answer for answer in answers) == [False, True]
    assert sorted("người khác đã thao tác trước" in answer for answer in answers) == [False, True]
    await settled(bot, 1)
    assert set((await ledger(bot.store, 1)).values()) == {"sent"}
    assert [len(channel.got(f"dân {n}")) for n in range(25)] == [1] * 25


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("Mời bạn xem https://tiemchungcovid19.gov.vn/portal nhé", []),
        ("www.play.google.com", []),
        ("bit.ly/abc", ["bit.ly"]),
        ("https://tiemchungcovid19.gov.vn.evil.xyz", ["tiemchungcovid19.gov.vn.evil.xyz"]),
        ("https://play.google.com@evil.com/x", ["evil.com"]),
        ("http://1.2.3.4/x", ["1.2.3.4"]),
        ("vào tiemchungcovid19-gov.vn. Rồi", ["tiemchungcovid19-gov.vn"]),
        ("https://tiêmchủng.vn", ["tiêmchủng.vn"]),
        ("Mời bạn cài ứng dụng.Mời bạn; số 1.234,5; ngày 24.11.2026; bản 2.1/3", []),
    ],
)
def test_links_to_other_pages_are_found(text: str, hosts: list[str], settings: Settings) -> None:
    assert foreign_hosts([text], settings.operator.trusted_hosts) == hosts


async def test_small_numbers_are_hidden_from_an_officer(bot: Service, channel: Doored) -> None:
    talks = await hire(bot, channel)
    number = await bot.broadcasts.draft(Actor(), Audience(districts=(YEN_LAC,)))
    await bot.broadcasts.write(Actor(), number, {"vi": "Mời bạn."})
    await bot.broadcasts.plan(Actor(), number)
    assert "Số tin sẽ gửi: dưới 10" in await talks["yên lạc"].say(f"/nhantin {number}")
    assert "Số tin sẽ gửi: 1" in await talks["quản trị"].say(f"/nhantin {number}")
    await bot.broadcasts.release(Actor(), number)
    await settled(bot, number)
    assert "Đã gửi" not in await talks["yên lạc"].say(choice=f"broadcast:report:{number}")
    assert "Đã gửi: 1" in await talks["quản trị"].say(choice=f"broadcast:report:{number}")
