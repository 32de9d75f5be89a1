"""Talking to a person: whole talks between citizens and officers as tables, and rules that no order of steps breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot import access
from bot.access.roles import ADMIN, OFFICER, Grant
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.helpdesk.cases import IDLE, HelpDesk
from bot.helpdesk.models import DATA, Case, Officer, case_of
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import Store, Transaction, conversations, open_store, people, roles
from tests.conftest import NOON, ON_BOTH_ENGINES, ROOT, FrozenClock, Recorder, Talk
from tests.support.property_examples import examples

Another = Callable[[str], Talk]
# Who says or presses what, and what must be read; "+" is what reaches that person by itself.
Table = list[tuple[str, str, str]]

OFFICERS = {"tỉnh": (OFFICER, ""), "yên lạc": (OFFICER, "yen-lac"), "yên lạc 2": (OFFICER, "yen-lac"),
            "sông lô": (OFFICER, "song-lo"), "quản trị": (ADMIN, "")}  # fmt: skip

TALKS: dict[str, Table] = {
    "asked, rerouted, taken, answered, answered back, closed": [
        ("dân", "giá vàng hôm nay bao nhiêu", "không muốn đoán mò"),
        ("dân", "/canbo", "việc cần cán bộ giúp"),
        ("dân", "số tôi là 0912345678, máy bị treo", "Tôi đã chuyển tới cán bộ"),
        ("tỉnh", "+", "Có người dân cần gặp cán bộ: tin nhắn số 1, chưa rõ địa bàn"),
        ("dân", "[Huyện Yên Lạc", "chuyển tới cán bộ phụ trách huyện Yên Lạc"),
        ("yên lạc", "+", "tin nhắn số 1, huyện Yên Lạc. Bạn vui lòng trả lời trước 17:00, 25/11/2026"),
        ("sông lô", "/hopthu", "Không có tin nhắn nào đang chờ"),
        ("sông lô", "[!case:open:1", "ngoài địa bàn bạn phụ trách"),
        ("sông lô", "[!case:take:1", "ngoài địa bàn bạn phụ trách"),
        ("yên lạc", "/hopthu", "1 tin nhắn đang chờ trả lời, trong đó 0 tin quá hạn"),
        ("yên lạc", "[Tin nhắn số 1", "số tôi là …, máy bị treo"),
        ("yên lạc", "[!case:open:1", "Câu hỏi mà tôi chưa trả lời được: giá vàng hôm nay bao nhiêu"),
        ("yên lạc", "[Nhận và trả lời", "Bạn đã nhận tin nhắn số 1"),
        ("yên lạc 2", "/hopthu", "đang xử lý"),
        ("yên lạc 2", "[!case:take:1", "Đồng nghiệp đã nhận tin nhắn này rồi"),
        ("yên lạc", "Bạn thử tắt máy rồi bật lại.", "đang được gửi đi"),
        ("dân", "+", "Cán bộ trả lời câu hỏi của bạn:\nBạn thử tắt máy rồi bật lại."),
        ("dân", "vẫn bị treo ạ", "Tôi đã chuyển cho cán bộ"),
        ("dân", "cài trên máy Samsung thế nào", ""),
        ("yên lạc", "+", "Tin nhắn số 1, người dân viết:\nvẫn bị treo ạ"),
        ("yên lạc", "+", "Tin nhắn số 1, người dân viết:\ncài trên máy Samsung thế nào"),
        ("yên lạc", "Mời bạn mang máy ra xã.", "đang được gửi đi"),
        ("dân", "+", "Mời bạn mang máy ra xã."),
        ("yên lạc", "[Kết thúc trao đổi", "Đã kết thúc tin nhắn số 1"),
        ("dân", "+", "lại trả lời bạn"),
        ("dân", "cài trên máy Samsung thế nào", "CH Play"),
        ("yên lạc", "/hopthu", "Không có tin nhắn nào đang chờ"),
    ],
    "a command calls the bot back, /canbo leads to the officer again": [
        ("dân", "/canbo", "việc cần cán bộ giúp"),
        ("dân", "máy bị treo", "Tôi đã chuyển tới cán bộ"),
        ("tỉnh", "[!case:take:1", "Bạn đã nhận tin nhắn số 1"),
        ("tỉnh", "Máy của bạn hiệu gì?", "đang được gửi đi"),
        ("dân", "/menu", "Bạn muốn làm gì"),
        ("dân", "cài trên máy Samsung thế nào", "CH Play"),
        ("dân", "/canbo", "Cuộc trao đổi của bạn với cán bộ được mở từ 12:00, 23/11/2026"),
        ("dân", "máy Oppo ạ", "Tôi đã ghi thêm"),
        ("tỉnh", "+", "người dân viết:\nmáy Oppo ạ"),
        ("dân", "/canbo", "được mở từ"),
        ("dân", "[Tôi không cần gặp", "đã báo cán bộ"),
        ("tỉnh", "+", "không còn chờ trả lời nữa"),
        ("tỉnh", "Còn đó không bạn?", "đã kết thúc hoặc nằm ngoài địa bàn"),
    ],
    "handed over to a district, to one officer, to one who may not": [
        ("dân", "/canbo", "việc cần cán bộ giúp"),
        ("dân", "tôi ở Sông Lô, máy bị treo", "Tôi đã chuyển tới cán bộ"),
        ("tỉnh", "[!case:take:1", "Bạn đã nhận"),
        ("tỉnh", "[Chuyển người khác", "chuyển tin nhắn số 1 cho ai"),
        ("tỉnh", "[Huyện Sông Lô", "cho một cán bộ hay cho tất cả"),
        ("tỉnh", "[Cho người nhận đầu tiên", "Đã chuyển tin nhắn số 1"),
        ("sông lô", "+", "tin nhắn số 1, huyện Sông Lô"),
        ("sông lô", "[!case:take:1", "Bạn đã nhận"),
        ("sông lô", "[!case:give:1:song-lo:3", "Cán bộ này không phụ trách nơi đó"),
        ("sông lô", "[!case:give:1:song-lo:2", "Đã chuyển tin nhắn số 1"),
        ("tỉnh", "+", "chuyển cho bạn tin nhắn số 1"),
        ("tỉnh", "[!case:answer:1", "Bạn đã nhận"),
        ("tỉnh", "Chào bạn.", "đang được gửi đi"),
        ("dân", "+", "Chào bạn."),
    ],
    "a colleague takes over": [
        ("dân", "/canbo", "việc cần cán bộ giúp"),
        ("dân", "máy bị treo", "Tôi đã chuyển tới cán bộ"),
        ("tỉnh", "[!case:take:1", "Bạn đã nhận"),
        ("quản trị", "[!case:open:1", "Cán bộ số 2 đang xử lý"),
        ("quản trị", "[Nhận thay đồng nghiệp", "Bạn đã nhận"),
        ("tỉnh", "+", "đã nhận thay bạn tin nhắn số 1"),
        ("tỉnh", "Tôi trả lời tiếp", "Đồng nghiệp đã nhận tin nhắn này rồi"),
    ],
    "a request about personal data has its own deadline": [
        ("dân", "/start", "Chào bạn"),
        ("dân", "/dulieu", "Những gì tôi lưu về bạn"),
        ("dân", "[Gửi yêu cầu về dữ liệu", "Cán bộ trả lời trong hai ngày làm việc"),
        ("dân", "xin sửa ngày báo cài", "Tôi đã chuyển tới cán bộ"),
        (
            "tỉnh",
            "+",
            "yêu cầu về dữ liệu cá nhân: tin nhắn số 1, chưa rõ địa bàn. Phải trả lời trước 17:00, 25/11/2026",
        ),
        ("tỉnh", "/hopthu", "Yêu cầu về dữ liệu cá nhân"),
    ],
    "an officer's secret is not sent on": [
        ("dân", "/canbo", "việc cần cán bộ giúp"),
        ("dân", "máy bị treo", "Tôi đã chuyển tới cán bộ"),
        ("tỉnh", "[!case:take:1", "Bạn đã nhận"),
        ("tỉnh", "mã OTP là 482913", "Tin này chưa được gửi cho người dân"),
    ],
    "odd numbers": [
        ("tỉnh", "[!case:open:", "đã kết thúc hoặc nằm ngoài"),
        ("tỉnh", "[!case:open:99999999999999999999999", "đã kết thúc hoặc nằm ngoài"),
        ("tỉnh", "[!case:take:-1", "đã kết thúc hoặc nằm ngoài"),
        ("tỉnh", "[!case:give:1:song-lo:x", "đã kết thúc hoặc nằm ngoài"),
        ("tỉnh", "[!case:page:7", "Không có tin nhắn nào"),
        ("dân", "[!person:district:yen-lac", "không còn nữa"),
        ("dân", "[!person:end", "việc cần cán bộ giúp"),
        ("dân", "[!case:open:1", "chỉ dành cho cán bộ"),
    ],
}


async def hire(service: Service, another: Another) -> dict[str, Talk]:
    """Sign the officers in, a citizen first, so that their numbers are known."""
    talks = {"dân": another("dân")}
    await talks["dân"].say("/menu")
    for name, (role, scope) in OFFICERS.items():
        talks[name] = another(name)
        code = await access.invite(service.store, role=role, scope=scope, at=service.clock(), actor="test")
        await talks[name].say(f"/start moi_{code}")
    return talks


async def play(talks: dict[str, Talk], service: Service, recorder: Recorder, table: Table) -> None:
    seen = 0
    came: list[tuple[str, str]] = []
    for who, said, expected in table:
        if said == "+":
            await service.outbox.send_pushes()
            came += [(to.address, reply.text) for to, reply, answering in recorder.sent[seen:] if not answering]
            seen = len(recorder.sent)
            got = [text.replace("**", "") for address, text in came if address == who]
            assert any(expected in text for text in got), f"{who} got {got!r}, not {expected!r}"
            continue
        if said.startswith("[!"):
            answered = await talks[who].say(choice=said[2:])
        elif said.startswith("["):
            answered = await talks[who].press(said[1:])
        else:
            answered = await talks[who].say(said)
        assert expected in answered, f"{who}: {said!r} was answered {answered!r}"
        assert bool(answered) is bool(expected), f"{who}: {said!r} was answered {answered!r}"
        assert "{" not in answered


@ON_BOTH_ENGINES
@pytest.mark.parametrize("name", TALKS)
async def test_talk(name: str, service: Service, another: Another, recorder: Recorder) -> None:
    talks = await hire(service, another)
    await play(talks, service, recorder, TALKS[name])
    assert await access.check_audit(service.store) is None


@ON_BOTH_ENGINES
async def test_each_word_reaches_the_other_side_once(service: Service, another: Another, recorder: Recorder) -> None:
    talks = await hire(service, another)
    await play(talks, service, recorder, TALKS["asked, rerouted, taken, answered, answered back, closed"])
    for _ in range(3):
        await service.outbox.send_pushes()
    pushed = [(to.address, reply.text) for to, reply, answering in recorder.sent if not answering]
    for words, receiver in (("vẫn bị treo ạ", "yên lạc"), ("Mời bạn mang máy ra xã.", "dân"), ("bật lại", "dân")):
        assert [address for address, text in pushed if words in text] == [receiver]
    # the district was named before any notice had left or been read; nobody outside it was called
    assert not [text for address, text in pushed if address == "sông lô"]
    audit = await service.store.read(roles.audit)
    done = [(row["actor"], row["action"]) for row in audit if row["action"] not in ("invite", "grant")]
    assert ("person 3", "take") in done
    assert done.count(("person 3", "read")) == 4  # shown twice, two lines brought to them
    assert done.count(("person 3", "answer")) == 2
    assert ("person 3", "close") in done
    assert not [actor for actor, _ in done if actor == "person 5"]  # refused: nothing was read
    assert all("treo" not in row["detail"] for row in audit)


@ON_BOTH_ENGINES
async def test_the_same_message_of_a_platform_is_added_once(service: Service, another: Another) -> None:
    talks = await hire(service, another)
    citizen = talks["dân"]
    for said in ("/canbo", "máy bị treo"):
        await citizen.say(said)
    await talks["tỉnh"].say(choice="case:take:1")
    before = citizen.numbers
    citizen.numbers = iter([900, 900, 901])
    for said in ("một", "một", "hai"):
        await citizen.say(said)
    citizen.numbers = before
    kept = await service.store.read(lambda tx: tx.all("SELECT text FROM conversation_messages ORDER BY id"))
    assert [row["text"] for row in kept] == ["máy bị treo", "một", "hai"]
    waiting = await service.store.read(lambda tx: tx.all("SELECT reply FROM pushes WHERE reply LIKE '%một%'"))
    assert len(waiting) <= 1  # the background may have sent it already


@ON_BOTH_ENGINES
async def test_of_two_officers_who_take_at_once_the_slower_is_told(service: Service, another: Another) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    await talks["dân"].press("Huyện Yên Lạc")
    rivals = ("yên lạc", "yên lạc 2", "tỉnh", "quản trị")
    said = await asyncio.gather(*(talks[name].say(choice="case:take:1") for name in rivals))
    assert len([text for text in said if "Bạn đã nhận tin nhắn số 1" in text]) == 1
    assert len([text for text in said if "Đồng nghiệp đã nhận tin nhắn này rồi" in text]) == 3


async def test_at_night_officers_are_left_alone_and_citizens_are_told(
    service: Service, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    talks = await hire(service, another)
    clock.forward(hours=10)  # 22:00
    await talks["dân"].say("/canbo")
    assert "cán bộ làm việc lại lúc 08:00, 24/11/2026" in await talks["dân"].say("máy bị treo")
    await service.outbox.send_pushes()
    assert not [reply for _, reply, answering in recorder.sent if not answering]
    clock.forward(hours=9, minutes=59)
    await service.outbox.send_pushes()
    assert not [reply for _, reply, answering in recorder.sent if not answering]
    clock.forward(minutes=1)
    await service.outbox.send_pushes()
    assert {to.address for to, _, answering in recorder.sent if not answering} == {"tỉnh", "quản trị"}


async def test_what_was_settled_at_night_wakes_nobody_in_the_morning(
    service: Service, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    talks = await hire(service, another)
    clock.forward(hours=10)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    await talks["tỉnh"].say(choice="case:take:1")
    clock.forward(hours=12)
    await service.outbox.send_pushes()
    assert not [reply for _, reply, answering in recorder.sent if not answering]


async def test_nobody_on_duty_is_said_and_nothing_is_lost(talk: Talk, another: Another, service: Service) -> None:
    await talk.say("/canbo")
    answered = await talk.say("máy bị treo")
    assert "chưa có cán bộ nào đăng ký" in answered
    assert "Tôi đã chuyển tới cán bộ" not in answered
    assert "chưa có cán bộ nào đăng ký" in await talk.press("Huyện Yên Lạc")
    officer = another("later")
    code = await access.invite(service.store, role=OFFICER, scope="yen-lac", at=service.clock(), actor="test")
    await officer.say(f"/start moi_{code}")
    await officer.say("/hopthu")
    assert "máy bị treo" in await officer.press("Tin nhắn số 1")


async def test_no_officer_for_the_district_means_the_province(service: Service, another: Another) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    assert "chưa có cán bộ phụ trách huyện Tam Đảo" in await talks["dân"].press("Huyện Tam Đảo")
    await talks["tỉnh"].say("/hopthu")
    assert "máy bị treo" in await talks["tỉnh"].press("Tin nhắn số 1")


@ON_BOTH_ENGINES
async def test_what_waits_too_long_is_overdue(service: Service, another: Another, clock: FrozenClock) -> None:
    talks = await hire(service, another)
    await talks["dân"].say("/canbo")
    await talks["dân"].say("máy bị treo")
    clock.forward(days=2, hours=5, minutes=1)  # Wednesday, 17:01
    listed = await talks["tỉnh"].say("/hopthu")
    assert "1 tin nhắn đang chờ trả lời, trong đó 1 tin quá hạn" in listed
    assert "quá hạn, hạn trả lời là 17:00, 25/11/2026" in listed


@ON_BOTH_ENGINES
async def test_a_talk_that_fell_silent_ends_by_itself(service: Service, another: Another, clock: FrozenClock) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    await talks["tỉnh"].say(choice="case:take:1")
    await talks["tỉnh"].say("Bạn thử bật lại máy.")
    clock.forward(seconds=IDLE.total_seconds() - 1)
    await service.sweep()
    assert "đã trả lời" in await talks["tỉnh"].say("/hopthu")
    clock.forward(seconds=2)
    await service.sweep()
    assert "Không có tin nhắn nào" in await talks["tỉnh"].say("/hopthu")
    assert "CH Play" in await talks["dân"].say("cài trên máy Samsung thế nào")


@ON_BOTH_ENGINES
async def test_deletion_takes_the_talk_along(service: Service, another: Another) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo zqx", "/dulieu"):
        await talks["dân"].say(said)
    exported = await talks["dân"].press("Xuất") if "Xuất" in str(talks["dân"].labels) else ""
    assert "zqx" not in exported
    await talks["dân"].say(choice="privacy:erase")
    for table in ("conversations", "conversation_messages"):
        assert await service.store.read(lambda tx, table=table: tx.all(f"SELECT * FROM {table}")) == []
    assert "Không có tin nhắn nào" in await talks["tỉnh"].say("/hopthu")


GOING = {"deleted by themselves": "[!privacy:erase", "their role ends": ""}


@ON_BOTH_ENGINES
@pytest.mark.parametrize("how", GOING)
async def test_an_officer_who_goes_leaves_the_talk_to_the_others(
    how: str, service: Service, another: Another, recorder: Recorder
) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    await talks["tỉnh"].say(choice="case:take:1")
    await talks["tỉnh"].say("Bạn thử bật lại máy.")
    assert await talks["dân"].say("vẫn treo")  # the officer gets it, and the bot keeps quiet
    if GOING[how]:
        await talks["tỉnh"].say(choice=GOING[how][2:])
    else:
        await talks["quản trị"].say(choice="roles:revoke:2")
    gone: Table = [
        ("quản trị", "+", "Có người dân cần gặp cán bộ: tin nhắn số 1"),
        ("dân", "+", "Cán bộ trao đổi với bạn không còn trả lời ở đây nữa"),
        ("dân", "máy vẫn treo", "Tôi đã ghi thêm"),
        ("dân", "/canbo", "được mở từ"),
        ("dân", "vẫn chưa được ạ", "Tôi đã ghi thêm"),
        ("quản trị", "[!case:open:1", "vẫn chưa được ạ"),
    ]
    await play(talks, service, recorder, gone)


@ON_BOTH_ENGINES
async def test_a_citizens_words_on_their_way_go_with_the_citizen(
    service: Service, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    talks = await hire(service, another)
    for said in ("/canbo", "máy bị treo"):
        await talks["dân"].say(said)
    await talks["tỉnh"].say(choice="case:take:1")
    clock.forward(hours=10)  # at night, officers get words in the morning
    await talks["dân"].say("nhà tôi ở xóm zqx")
    await talks["dân"].say(choice="privacy:erase")
    kept = await service.store.read(lambda tx: tx.all("SELECT reply FROM pushes"))
    assert not [row for row in kept if "zqx" in row["reply"]]
    clock.forward(hours=12)
    await service.outbox.send_pushes()
    told = [reply.text for to, reply, answering in recorder.sent if not answering and to.address == "tỉnh"]
    assert "không còn chờ trả lời nữa" in told[-1]
    assert not [text for text in told if "zqx" in text]


DISTRICTS = ("", "yen-lac", "song-lo", "tam-dao")
GRANTS = [(), (Grant(OFFICER, "yen-lac"),), (Grant(OFFICER, "song-lo"),), (Grant(OFFICER, "yen-lac"),
          Grant(OFFICER, "tam-dao")), (Grant(OFFICER),), (Grant(ADMIN),)]  # fmt: skip
CITIZENS = 3


class Desk(RuleBasedStateMachine):
    """Officers of all kinds do everything they can think of; nobody ever reads or does a thing out of their scope."""

    desk: HelpDesk
    store: Store
    runner: asyncio.Runner

    @initialize()
    def open(self) -> None:
        self.at = NOON
        self.written: list[list[object]] = []

        def people_in(tx: Transaction) -> None:
            for table in ("conversations", "roles", "pushes", "audit", "audit_head", "people"):
                tx.run(f"DELETE FROM {table}")
            ids = [people.remember(tx, Person("x", str(n)), source="", at="") for n in range(CITIZENS + len(GRANTS))]
            self.citizens = ids[:CITIZENS]
            self.officers = [Officer(number, grants) for number, grants in zip(ids[CITIZENS:], GRANTS, strict=True)]
            for officer in self.officers:
                for grant in officer.grants:
                    roles.grant(tx, officer.id, role=grant.role, scope=grant.scope, at=stamp(NOON))

        self.do(people_in)

    def do(self, work: Callable[[Transaction], object]) -> object:
        return self.runner.run(self.store.write(work))

    def allowed(self, officer: Officer, district: str) -> bool:
        return any(grant.scope in ("", district) for grant in officer.grants)

    def state(self, number: int) -> tuple[object, ...] | None:
        row = self.runner.run(self.store.read(lambda tx: tx.one(
            "SELECT district, officer_id, closed_at FROM conversations WHERE id = :id", id=number)))  # fmt: skip
        return None if row is None else (row["district"], row["officer_id"], row["closed_at"])

    def act(self, officer: Officer, number: int, work: Callable[[Transaction], object]) -> None:
        """Do a thing to a case: it either was within the scope or it was refused and nothing has changed."""
        before = self.state(number)
        try:
            self.do(work)
        except NotAllowed:
            assert self.state(number) == before
            return
        assert before is not None
        assert self.allowed(officer, str(before[0])), f"{officer.grants} acted on a case of {before[0]!r}"

    numbers = st.integers(0, 6)
    who = st.integers(0, len(GRANTS) - 1)

    @rule(citizen=st.integers(0, CITIZENS - 1), kind=st.sampled_from(["help", DATA]))
    def ask(self, citizen: int, kind: str) -> None:
        self.do(lambda tx: self.desk.ask(tx, self.citizens[citizen], "treo máy", kind=kind, at=self.at))

    @rule(citizen=st.integers(0, CITIZENS - 1), district=st.sampled_from(DISTRICTS))
    def place(self, citizen: int, district: str) -> None:
        with suppress(NotAllowed):
            self.do(lambda tx: self.desk.place(tx, self.citizens[citizen], district, at=self.at))

    @rule(citizen=st.integers(0, CITIZENS - 1), ends=st.booleans())
    def tell(self, citizen: int, ends: bool) -> None:
        with suppress(NotAllowed):
            if ends:
                self.do(lambda tx: self.desk.end(tx, self.citizens[citizen], at=self.at))
            else:
                self.do(lambda tx: self.desk.tell(tx, self.citizens[citizen], "vẫn treo", at=self.at))

    def number(self, index: int) -> int:
        rows = self.runner.run(self.store.read(lambda tx: tx.all("SELECT id FROM conversations ORDER BY id")))
        return int(rows[index]["id"]) if index < len(rows) else 10**6 + index

    @rule(who=who, index=numbers, over=st.booleans())
    def take(self, who: int, index: int, over: bool) -> None:
        officer, number = self.officers[who], self.number(index)
        self.act(officer, number, lambda tx: self.desk.take(tx, officer, number, at=self.at, over=over))

    @rule(who=who, index=numbers)
    def read(self, who: int, index: int) -> None:
        officer, number = self.officers[who], self.number(index)
        self.act(officer, number, lambda tx: self.desk.thread(tx, officer, number))
        self.act(officer, number, lambda tx: self.desk.note_reading(tx, officer, number, at=self.at))

    @rule(who=who, index=numbers)
    def answer(self, who: int, index: int) -> None:
        officer, number = self.officers[who], self.number(index)
        self.act(officer, number, lambda tx: self.desk.answer(tx, officer, number, "bật lại máy", at=self.at))

    @rule(who=who, index=numbers)
    def close(self, who: int, index: int) -> None:
        officer, number = self.officers[who], self.number(index)
        self.act(officer, number, lambda tx: self.desk.close(tx, officer, number, at=self.at))

    @rule(who=who, index=numbers, district=st.sampled_from((*DISTRICTS, "ha-noi")), to=st.integers(-1, len(GRANTS) - 1))
    def hand_over(self, who: int, index: int, district: str, to: int) -> None:
        officer, number = self.officers[who], self.number(index)
        successor = 0 if to < 0 else self.officers[to].id
        self.act(officer, number, lambda tx: self.desk.hand_over(
            tx, officer, number, district=district, to=successor, at=self.at))  # fmt: skip

    @rule(who=who)
    def dismiss(self, who: int) -> None:
        number = self.officers[who].id
        with suppress(NotAllowed):
            self.do(lambda tx: self.desk.dismiss(tx, number, at=self.at, actor="test"))
            self.officers[who] = Officer(number, ())

    @rule(who=who)
    def look(self, who: int) -> None:
        officer = self.officers[who]
        seen = self.runner.run(self.store.read(lambda tx: self.desk.cases(tx, officer)))
        assert all(self.allowed(officer, case.district) for case in seen)

    @invariant()
    def nobody_has_or_hears_what_is_not_theirs(self) -> None:
        if not hasattr(self, "officers"):
            return

        def look(tx: Transaction) -> tuple[list[Case], list[tuple[int, str]]]:
            found = [case_of(row) for row in conversations.unfinished(tx)]
            rows = tx.all("SELECT person_id, about FROM pushes WHERE about LIKE 'conversation%'")
            return found, [(row["person_id"], row["about"]) for row in rows]

        open_cases, told = self.runner.run(self.store.read(look))
        by_number = {officer.id: officer for officer in self.officers}
        assert all(by_number[person_id].grants for person_id, _ in told)  # who has no role hears of nobody
        for case in open_cases:
            assert not case.officer or self.allowed(by_number[case.officer], case.district)
        assert self.runner.run(access.check_audit(self.store)) is None


@pytest.mark.hypothesis
def test_no_sequence_of_actions_leaves_a_scope(tmp_path: Path, settings: Settings) -> None:
    with asyncio.Runner() as runner:

        async def open_() -> Store:
            return open_store(f"sqlite:///{tmp_path / 'machine.db'}")

        Desk.runner, Desk.store = runner, runner.run(open_())
        Desk.desk = HelpDesk(load_catalogues(("vi", "en")), settings, load_regions(ROOT / settings.region))
        try:
            hypothesis.stateful.run_state_machine_as_test(  # type: ignore[no-untyped-call]
                Desk, settings=hypothesis.settings(max_examples=examples(25), stateful_step_count=30, deadline=None)
            )
        finally:
            runner.run(Desk.store.close())


DUES: list[tuple[str, datetime, datetime]] = [
    ("help", NOON, NOON + timedelta(days=2, hours=5)),
    (DATA, NOON, NOON + timedelta(days=2, hours=5)),
    (DATA, NOON + timedelta(days=4), NOON + timedelta(days=8, hours=5)),  # asked on a Friday
]


@pytest.mark.parametrize(("kind", "asked", "due"), DUES)
def test_due(settings: Settings, kind: str, asked: datetime, due: datetime) -> None:
    desk = HelpDesk(load_catalogues(("vi",)), settings, load_regions(ROOT / settings.region))
    assert desk.due(kind, asked) == due
    slow = settings.model_copy(update={"operator": settings.operator.model_copy(update={"answer_days": 9})})
    assert (HelpDesk(load_catalogues(("vi",)), slow, load_regions(ROOT / settings.region)).due(kind, asked) == due) is (
        kind == DATA
    )
