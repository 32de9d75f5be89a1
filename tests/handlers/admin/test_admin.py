"""Admins in the chat: roles, invitations, the audit, the content; and every act that leaves a line in the audit."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bot import access
from bot.access.roles import ADMIN, OFFICER, Grant
from bot.conversation.unit_of_work import MOST_GUESSES
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import people, roles
from tests.conftest import ROOT, FrozenClock, Recorder, Talk

Another = Callable[[str], Talk]


async def appoint(talk: Talk, role: str = ADMIN, scope: str = "") -> Talk:
    code = await access.invite(talk.service.store, role=role, scope=scope, at=talk.service.clock(), actor="test")
    assert "Bạn đã là" in await talk.say(f"/start moi_{code}")
    return talk


@pytest.fixture
async def admin(another: Another) -> Talk:
    return await appoint(another("quản trị"))


async def trail(service: Service) -> list[tuple[str, str, str]]:
    return [(row["actor"], row["action"], row["detail"]) for row in await service.store.read(roles.audit)]


async def test_invite_by_buttons_then_list_then_revoke(admin: Talk, another: Another, recorder: Recorder) -> None:
    assert "Cán bộ số 1: quản trị viên; recorder, từ 23/11/2026. Đây là bạn." in await admin.say("/quyen")
    await admin.press("Mời thêm người")
    await admin.press("Cán bộ huyện")
    assert "Người được mời tên là gì?" in await admin.press("Huyện Yên Lạc")
    assert "Bạn nhập tên có chữ" in await admin.say("0912345678")
    said = await admin.say("Chị Lan *A*")
    assert "Lời mời: cán bộ, huyện Yên Lạc. Lời mời dùng được một lần trong 7 ngày." in said
    line = next(line for line in said.splitlines() if line.startswith("/start moi_"))
    assert f"http://127.0.0.1:8080/?s={line.removeprefix('/start ')}" in said
    assert "Lời mời chưa có ai nhận:\n• Chị Lan *A*: cán bộ, huyện Yên Lạc, đến 12:00, 30/11/2026" in await admin.say(
        "/roles"
    )
    officer = another("cán bộ")
    assert "cán bộ phụ trách huyện Yên Lạc" in await officer.say(line)
    listed = await admin.say("/quyen")
    assert "Chị Lan *A*: cán bộ, huyện Yên Lạc; recorder, từ 23/11/2026." in listed
    assert "Lời mời chưa có ai nhận" not in listed
    assert officer.person.address not in listed.replace("cán bộ, huyện", "")
    assert "Bạn chắc chắn thu mọi quyền của Chị Lan *A* (cán bộ, huyện Yên Lạc)?" in await admin.press(
        "Thu quyền: Chị Lan *A*"
    )
    assert "Chị Lan *A* không còn là cán bộ" in await admin.press("Đúng, thu quyền")
    await admin.service.outbox.send_pushes()
    assert [to.address for to, reply, _ in recorder.sent if "Vai trò cán bộ của bạn" in reply.text] == ["cán bộ"]
    assert "chỉ dành cho cán bộ" in await officer.say("/thongke")
    assert "không còn vai trò nào" in await admin.say(choice="roles:revoke:2")
    assert (await trail(admin.service))[-3:] == [
        ("person 1", "invite", "officer yen-lac"),
        ("person 2", "grant", "officer yen-lac"),
        ("person 1", "revoke", "person 2: officer yen-lac"),
    ]


async def test_the_last_admin_stays(admin: Talk, another: Another) -> None:
    for choice in ("roles:ask:1", "roles:revoke:1"):
        assert "Bạn là quản trị viên duy nhất" in await admin.say(choice=choice)
    second = await appoint(another("thứ hai"))
    await admin.say(choice="roles:ask:1")
    assert "Cán bộ số 1 không còn là cán bộ" in await admin.press("Đúng")
    assert "Bạn là quản trị viên duy nhất" in await second.say(choice="roles:revoke:2")
    assert "chỉ dành cho quản trị" in await admin.say("/quyen")


async def test_two_admins_who_revoke_each_other_leave_one(admin: Talk, another: Another) -> None:
    second = await appoint(another("thứ hai"))
    await asyncio.gather(admin.say(choice="roles:revoke:2"), second.say(choice="roles:revoke:1"))
    left = await admin.service.store.read(access.holders)
    assert len(left) == 1
    assert left[0].grants == (Grant(ADMIN),)


async def test_what_a_revoked_admin_could_get_in_by_ends(admin: Talk, another: Another) -> None:
    second = await appoint(another("thứ hai"))
    said = await second.say(choice="roles:nameless:admin:*")
    own = next(line for line in said.splitlines() if line.startswith("/start moi_"))
    said = await admin.say(choice="roles:nameless:admin:*")
    others = next(line for line in said.splitlines() if line.startswith("/start moi_"))
    await second.say("/desk")
    await admin.say(choice="roles:revoke:2")
    assert "Mã mời này không đúng" in await second.say(own)
    assert await admin.service.store.read(lambda tx: tx.all("SELECT 1 FROM desk_links WHERE person_id = 2")) == []
    assert "quản trị viên" in await second.say(others)


async def test_an_admin_who_left_the_platform_does_not_count(admin: Talk, another: Another) -> None:
    second = await appoint(another("thứ hai"))
    await admin.service.store.write(lambda tx: people.mark_gone(tx, second.person, "2026-11-23T05:00:00.000Z"))
    assert "Bạn là quản trị viên duy nhất" in await admin.say(choice="roles:revoke:1")


async def test_an_officer_says_what_colleagues_call_them(admin: Talk, another: Another) -> None:
    officer = await appoint(another("cán bộ"), OFFICER, "yen-lac")
    assert "Đồng nghiệp thấy tên bạn là: Cán bộ số 2." in await officer.say("/tencanbo")
    for wrong in ("1234", "x" * 61, "Lan 0912345678"):
        assert "Bạn nhập tên có chữ" in await officer.say(wrong)
    assert "Đồng nghiệp thấy tên bạn là: Nguyễn Lan." in await officer.say("  Nguyễn   Lan ")
    assert "Nguyễn Lan: cán bộ, huyện Yên Lạc" in await admin.say("/quyen")
    await admin.say("/tencanbo")
    await admin.say("Nguyễn Lan")
    listed = await admin.say("/quyen")
    assert "Nguyễn Lan (số 1): quản trị viên" in listed
    assert "Nguyễn Lan (số 2): cán bộ" in listed
    assert "chỉ dành cho cán bộ" in await another("dân").say("/tencanbo")
    assert ("person 2", "rename", "person 2") in await trail(admin.service)


NOT_OFFERED = ["roles:make:officer:atlantis", "roles:make:admin:yen-lac", "roles:make:king:*", "roles:make:officer:",
               "roles:make", "roles:make:"]  # fmt: skip


@pytest.mark.parametrize("choice", NOT_OFFERED)
async def test_only_roles_that_exist_are_given(admin: Talk, choice: str) -> None:
    before = await trail(admin.service)
    assert "không còn nữa" in await admin.say(choice=choice)
    assert await trail(admin.service) == before


async def test_withdrawn_invitations_do_not_work(admin: Talk, another: Another) -> None:
    await admin.say(choice="roles:make:admin:*")
    said = await admin.press("Không ghi tên")
    line = next(line for line in said.splitlines() if line.startswith("/start moi_"))
    await admin.say("/quyen")
    assert "không dùng được nữa" in await admin.press("Hủy mọi lời mời")
    assert "Mã mời này không đúng" in await another("b").say(line)
    assert (await trail(admin.service))[-1] == ("person 1", "withdraw-invitations", "1 invitations")


async def test_guesses_of_invitations_run_out(admin: Talk, another: Another, clock: FrozenClock) -> None:
    code = await access.invite(admin.service.store, role=ADMIN, scope="", at=clock(), actor="test")
    guesser = another("đoán mò")
    for number in range(MOST_GUESSES):
        assert "Mã mời này không đúng" in await guesser.say(f"/start moi_{number}")
    assert "nhiều lần" in await guesser.say(f"/start moi_{code}")  # right at last, and too late
    assert "Mã mời này không đúng" in await another("khác").say("/start moi_x")  # others are not held up
    clock.forward(hours=1, seconds=1)
    assert "quản trị viên" in await guesser.say(f"/start moi_{code}")


OFFICERS_MENU: list[tuple[str, str, list[str], list[str]]] = [
    (OFFICER, "yen-lac", ["/thongke", "/hopthu", "/xuat", "/baocao", "/poster", "/caihoi", "/desk", "Yên Lạc"],
     ["/quyen", "/nhatky", "/nap", "/hethong"]),
    (ADMIN, "", ["/thongke", "/hopthu", "/quyen: Phân quyền", "/nhatky: Nhật ký", "/nap: Nạp lại nội dung", "/hethong"],
     ["Địa bàn của bạn"]),
]  # fmt: skip


@pytest.mark.parametrize(("role", "scope", "there", "not_there"), OFFICERS_MENU)
async def test_the_officers_menu_lists_what_their_role_may(
    another: Another, role: str, scope: str, there: list[str], not_there: list[str]
) -> None:
    talk = await appoint(another("ai đó"), role, scope)
    assert "Việc của cán bộ" in talk.labels
    said = await talk.press("Việc của cán bộ")
    assert [word for word in there if word not in said] == []
    assert [word for word in not_there if word in said] == []
    await talk.say("/menu")
    assert "Việc của cán bộ" in talk.labels
    citizen = another("người dân")
    await citizen.say("/menu")
    assert "Việc của cán bộ" not in citizen.labels
    assert "chỉ dành cho cán bộ" in await citizen.say("/nghiepvu")


async def test_the_audit_by_pages(admin: Talk) -> None:
    for number in range(30):
        await admin.service.store.write(
            lambda tx, n=number: access.write_audit(
                tx, actor="test", action="act", detail=f"*{n}*", at=admin.service.clock()
            )
        )
    first = await admin.say("/nhatky")
    assert "Chuỗi nhật ký còn nguyên" in first
    assert first.splitlines()[3].startswith("32. 12:00, 23/11/2026 · test: act *29*")
    assert len(first.splitlines()) == 15
    second = await admin.press("Các dòng cũ hơn")
    assert second.splitlines()[1].startswith("20. ")
    third = await admin.press("Các dòng cũ hơn")
    assert third.splitlines()[-1] == "1. 12:00, 23/11/2026 · test: mời: quản trị viên"
    assert "Các dòng cũ hơn" not in admin.labels
    await admin.service.store.write(lambda tx: tx.run("UPDATE audit SET detail = '' WHERE id = 7"))
    assert "bị đứt ở dòng 7:" in await admin.press("Các dòng mới nhất")


async def test_the_audit_of_one_person_day_or_kind(admin: Talk, another: Another, clock: FrozenClock) -> None:
    officer = await appoint(another("cán bộ"), OFFICER, "yen-lac")
    await officer.say("/tencanbo")
    await officer.say("Trần Thị Lan")
    clock.forward(days=1)
    await officer.say("/desk")
    said = await admin.say("/nhatky lan")
    assert [line.partition(": ")[2] for line in said.splitlines()[1:]] == [
        "tạo đường dẫn vào bàn làm việc cho Trần Thị Lan",
        "đặt tên cho Trần Thị Lan",
        "nhận lời mời: cán bộ, huyện Yên Lạc",
    ]
    assert all(" · Trần Thị Lan: " in line for line in said.splitlines()[1:])
    said = await admin.press("Đăng nhập")
    assert [line.partition(": ")[2] for line in said.splitlines()[1:]] == [
        "tạo đường dẫn vào bàn làm việc cho Trần Thị Lan"
    ]
    assert len((await admin.say("/nhatky 24/11")).splitlines()) == 2
    assert "Không có dòng nào" in await admin.say("/nhatky 25/11/2026")
    for odd in ("audit:x:y:z:w", "audit:", "audit:1:messages:99999999999999999999:2026-13-45"):
        assert "Nhật ký" in await admin.say(choice=odd)


@pytest.fixture
def own_content(settings: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    return settings.model_copy(update={"content": tmp_path / "content"})


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


async def test_loading_the_content_anew(
    own_content: Settings, clock: FrozenClock, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.runtime import build as rooms
    from handlers import ROUTES

    monkeypatch.setattr(rooms, "_CONTENT_PAUSE", 3600.0)  # only the command looks
    async with rooms.open_service(own_content, ROUTES, now=clock, extra_channels=[recorder]) as service:
        admin = await appoint(Talk(service, recorder, Person(recorder.name, "a")))
        assert "Không có gì thay đổi: 126 bài" in await admin.say("/nap")
        menu = own_content.content / "menu.yaml"
        edit(menu, "vi: Hướng dẫn mở sổ trên VNeID", "vi: Cách cài đặt")
        said = await admin.say("/nap")
        assert said == "Đã nạp: 126 bài đang được dùng.\nTệp đã sửa (1): menu.yaml"
        await admin.say("/menu")
        assert "Cách cài đặt" in admin.labels
        edit(menu, "main: [guide,", "main: [nonsense,")
        for _ in range(2):  # told again as long as it is wrong
            said = await admin.say("/reload")
            assert "Thư mục nội dung có lỗi" in said
            assert "menu.yaml:" in said
            assert "nonsense" in said
        await admin.say("/menu")
        assert "Cách cài đặt" in admin.labels
        edit(menu, "main: [nonsense,", "main: [guide,")
        assert "Tệp đã sửa (1): menu.yaml" in await admin.say("/reload")
        assert [line for line in await trail(service) if line[1] == "reload"] == [
            ("person 1", "reload", "menu.yaml")
        ] * 2


# What is said or pressed by whom, and the action that must stand in the audit afterwards, by that person's number.
ACTS: list[tuple[str, str, str]] = [
    ("admin", "[roles:nameless:officer:yen-lac", "invite"),
    ("admin", "[export:xlsx", "export"),
    ("admin", "[export:csv", "export"),
    ("admin", "[export:raw", "export-raw"),
    ("admin", "[official:month", "official report"),
    ("admin", "/desk", "desk-link"),
    ("officer", "[case:open:1", "read"),
    ("officer", "[case:take:1", "take"),
    ("officer", "Bạn thử khởi động lại máy.", "answer"),
    ("officer", "[case:give:1:*:0", "hand over"),
    ("admin", "[case:take:1", "take"),
    ("admin", "[case:close:1", "close"),
    ("admin", "[roles:revoke:2", "revoke"),
]


async def test_every_act_leaves_its_line(admin: Talk, another: Another) -> None:
    talks = {"admin": admin, "officer": await appoint(another("cán bộ"), OFFICER)}
    citizen = another("người dân")
    await citizen.say("/canbo")
    await citizen.say("máy bị treo")
    numbers = {"admin": "person 1", "officer": "person 2"}
    seen = len(await trail(admin.service))
    for who, said, action in ACTS:
        talk = talks[who]
        await (talk.say(choice=said[1:]) if said.startswith("[") else talk.say(said))
        lines = (await trail(admin.service))[seen:]
        assert (numbers[who], action) in [line[:2] for line in lines], said
        assert not any("treo" in detail or "khởi động" in detail for _, _, detail in lines)
        seen += len(lines)
    assert await access.check_audit(admin.service.store) is None


async def test_an_officer_who_is_none_any_more_hears_nothing_of_citizens(
    admin: Talk, another: Another, recorder: Recorder, clock: FrozenClock
) -> None:
    officer, citizen = await appoint(another("cán bộ"), OFFICER), another("người dân")
    await citizen.say("/canbo")
    await citizen.say("máy bị treo")
    await officer.say(choice="case:take:1")
    await officer.say("Máy hiệu gì ạ?")
    await admin.service.outbox.send_pushes()
    clock.forward(hours=9)  # at night: words to the officer wait for the morning
    await citizen.say("máy Oppo ạ")
    await admin.say(choice="roles:revoke:2")
    clock.forward(hours=12)
    seen = len(recorder.sent)
    await admin.service.outbox.send_pushes()
    got = {to.address: reply.text for to, reply, _ in recorder.sent[seen:]}
    assert "Vai trò cán bộ của bạn tại đây đã kết thúc" in got["cán bộ"]
    assert "tin nhắn số 1" in got["quản trị"]
    assert not any("Oppo" in reply.text for to, reply, _ in recorder.sent if to.address == "cán bộ")
    assert "CH Play" in await citizen.say("cài trên máy Samsung thế nào")  # the bot answers again
