"""Guided walks as conversations: what a citizen says or presses, and what must stand in the answer."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from bot import access
from bot.message import Capabilities, Person
from bot.runtime.build import Service
from bot.settings import Settings
from tests.conftest import FrozenClock, OpenBot, Recorder, Talk

# What is typed, a button by its label ("[…") or by its value ("[!…"); then what must be read.
Table = list[tuple[str, str]]

DIALOGS: dict[str, Table] = {
    "the walks begin with today's book": [
        ("/huongdan", "Bạn cần làm việc nào"),
        ("/huongdan", "Sổ sức khỏe ngày nay nằm trong VNeID"),
        ("/huongdan", "https://tiemchungcovid19.gov.vn/portal/user-manual"),
        ("[Mở Sổ sức khỏe trong VNeID", "Có 9 bước, chia làm 3 chặng"),
    ],
    "the telephone is asked only for the app of 2021": [
        ("/huongdan", "Bạn cần làm việc nào"),
        ("[Ứng dụng năm 2021", "Bạn cần việc nào"),
        ("[Cài ứng dụng năm 2021 trên iPhone", "Bước 1/9 · Cài ứng dụng năm 2021 trên iPhone"),
    ],
    "step by step to the end, with rests and the report": [
        ("[!guide:vneid-activate", "Bước 1/9"),
        ("[Xong", "Bước 2/9"),
        ("[Xong", "Bước 3/9"),
        ("[Xong", "Bạn đã xong chặng 1/3"),
        ("[Làm tiếp", "Bước 4/9"),
        ("xong rồi", "Bước 5/9"),
        ("tiếp", "Bước 6/9"),
        ("ok", "✓ Sổ sức khỏe của bạn đã mở"),
        ("ok", "Bước 7/9"),
        ("2", "Trên máy của bạn thế nào"),
        ("[Không nhớ tiền sử bệnh", "Bước 8/9"),
        ("[Xong", "Bước 9/9"),
        ("[Xong", "Đã xong: Mở Sổ sức khỏe trong VNeID"),
        ("[Tôi đã cài xong", "Nếu bạn đồng ý, tôi lưu: bạn dùng sổ nào"),
    ],
    "not seen, led to a step": [
        ("[!guide:vneid-activate:open", "Bước 4/9"),
        ("[Không thấy", "Trên máy của bạn thế nào"),
        ("[Không thấy mục này", "Có thể VNeID còn bản cũ"),
        ("tiếp", "Bước 2/9"),
    ],
    "an error, led to an article and back": [
        ("[!guide:vneid-bhyt:send", "Bước 8/10"),
        ("[Bị lỗi", "Máy của bạn hiện gì"),
        ("[Kết nối thất bại", "Hệ thống đang đông"),
        ("[Quay lại bước 8", "Bước 8/10"),
    ],
    "another guide in the middle leads back": [
        ("[!guide:vneid-install:otp", "Bước 6/12"),
        ("[Không thấy", "Trên máy của bạn thế nào"),
        ("[Không thấy mã", "Bước 1/8 · Mã OTP không đến"),
        ("[Mã của VNeID", "Bước 2/8"),
        ("[Xong", "Bước 3/8"),
        ("[Mã đến rồi", "Bạn đã xong chặng 1/2"),
        ("[Làm tiếp", "Bước 7/8"),
        ("[Xong, vào được rồi", "Đã xong: Mã OTP không đến"),
        ("[Quay lại: Cài VNeID và lên mức 2, bước 6", "Bước 6/12"),
        ("[Xong", "Bước 7/12"),
    ],
    "the outer guide goes on by a word, too": [
        ("[!guide:vneid-install:otp", "Bước 6/12"),
        ("chờ mãi không có tin nhắn", "Bước 1/8"),
        ("[!guide:otp:enter:done", "Đã xong: Mã OTP không đến"),
        ("xong", "Bước 7/12"),
    ],
    "a person hears where the citizen stands": [
        ("[!guide:otp:help", "Bước 8/8"),
        ("[Gặp cán bộ", "Tôi sẽ báo cán bộ biết bạn đang ở: Bước 8/8, Mã OTP không đến"),
        ("mã vẫn không đến", "Tôi đã lưu tin nhắn của bạn"),
        ("[Quay lại bước 8", "Bước 8/8"),
    ],
    "a trouble that leads to a person": [
        ("[!guide:missing-dose:again", "Bước 7/7"),
        ("[Bị lỗi", "Máy của bạn hiện gì"),
        ("[Vẫn thiếu", "Bạn gặp cán bộ, nêu nơi tiêm"),
        ("[Gặp cán bộ", "Bước 7/7, Chứng nhận thiếu mũi tiêm"),
    ],
    "a question that is a step": [
        ("[!guide:vneid-install:level1", "không bắt buộc"),
        ("[Bỏ qua, làm luôn mức 2", "Bước 9/12"),
    ],
    "back, again, another step, in own words": [
        ("[!guide:vneid-activate:passcode", "Bước 5/9"),
        ("quay lại", "Bước 4/9"),
        ("chưa hiểu", "chỗ của nó thay đổi theo bản VNeID"),
        ("bước 6 là sao", "Một bài báo năm 2024"),
        ("[Quay lại bước 4", "Bước 4/9"),
        ("bước 5 là sao", "Passcode là mã 6 số"),
        ("[Làm tiếp từ bước 5", "Bước 5/9"),
        ("quên passcode mất rồi", "Bạn bấm Quên passcode"),
        ("bước 99", "Bước 5/9"),
    ],
    "stopped, and gone on with": [
        ("[!guide:vneid-activate:login", "Bước 2/9"),
        ("[Dừng", "Vâng, ta dừng ở bước 2/9"),
        ("[Làm tiếp từ bước 2", "Bước 2/9"),
        ("thôi", "Vâng, ta dừng ở bước 2/9"),
        ("[Nhắc tôi làm tiếp", "nhắc về Sổ sức khỏe điện tử vào lúc nào"),
    ],
    "a question in between leaves the walk open": [
        ("[!guide:vneid-activate:login", "Bước 2/9"),
        ("ứng dụng có mất phí không", "Cài và dùng có mất tiền không"),
        ("xong", "Bước 3/9"),
    ],
    "forged values": [
        ("[!guide:vneid-activate:nowhere", "Bước 1/9"),
        ("[!guide:nothing", "Bạn cần làm việc nào"),
        ("[!guide:", "Bạn cần làm việc nào"),
        ("[!guide:vneid-activate:login:dance", "Bước 2/9"),
        ("[!guide:vneid-activate:login:trouble:99", "Trên máy của bạn thế nào"),
        ("[!guide:vneid-activate:login:trouble:x", "Trên máy của bạn thế nào"),
        ("[!guide:vneid-install:level1:answer:9", "Bước 8/12"),
        ("[!guide:vneid-activate:login:share:1:2:3", "Bạn đưa mã này"),
        ("[!person:guide:nothing:x", "việc cần cán bộ giúp"),
    ],
    "an old button leads on from its own step": [
        ("[!guide:vneid-activate:update", "Bước 1/9"),
        ("[!guide:vneid-activate:open:done", "Bước 5/9"),
        ("[!guide:vneid-bhyt:number:done", "Bước 2/10"),
    ],
    "an article offers its walk": [
        ("kích hoạt sổ VNeID", "Mở sổ sức khỏe trên VNeID"),
        ("[Dẫn tôi làm từng bước", "Bước 1/9 · Mở Sổ sức khỏe trong VNeID"),
    ],
    "in English": [
        ("/language en", "From now on I answer in English"),
        ("/guide", "Which of these do you need"),
        ("[Add your insurance card to VNeID", "Step 1/10 · Add your insurance card to VNeID"),
        ("done", "Step 2/10"),
        ("[I do not see it", "What is it like on your phone"),
        ("[My account has level 1", "Only a level 2 account can add the card"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", DIALOGS)
async def test_dialog(talk: Talk, name: str) -> None:
    for said, expected in DIALOGS[name]:
        if said.startswith("[!"):
            answered = await talk.say(choice=said[2:])
        elif said.startswith("["):
            answered = await talk.press(said[1:])
        else:
            answered = await talk.say(said)
        assert expected in answered, f"{said!r} was answered {answered!r}"
        assert "{" not in answered, f"a placeholder was left in {answered!r}"


async def test_each_step_is_one_message_with_picture_and_four_buttons(talk: Talk) -> None:
    await talk.say(choice="guide:vneid-activate:login")
    (reply,) = talk.replies
    assert talk.labels == ["Xong", "Không thấy", "Bị lỗi", "Dừng"]
    assert reply.image == "screen:vneid-activate/login/vi"
    assert reply.alt.startswith("Hình vẽ màn hình “Đăng nhập VNeID”")


async def test_in_a_group_the_steps_go_on_and_nothing_is_counted(talk: Talk, service: Service) -> None:
    assert "Bước 2/9" in await talk.say(choice="guide:vneid-activate:update:done", group=True)  # type: ignore[arg-type]
    assert "Nhờ người khác" not in await talk.say(choice="guide:vneid-activate:login:share", group=True)  # type: ignore[arg-type]
    assert await service.store.read(lambda tx: tx.all("SELECT 1 FROM walk_tallies")) == []


# -- handing on --------------------------------------------------------------------------------------------------------


def code_in(said: str) -> str:
    found = re.search(r"tiep ([A-Z]{3}-[A-Z]{3})", said)
    assert found is not None, said
    return found[1]


async def handed_on(talk: Talk) -> str:
    await talk.say(choice="guide:vneid-activate:open")
    await talk.press("Không thấy")
    return code_in(await talk.press("Nhờ người khác làm tiếp"))


TAKEN_BY: list[tuple[str, Callable[[str], str]]] = [
    ("typed", lambda code: f"tiep {code}"),
    ("with marks and spaces", lambda code: f"Tiếp {code.replace('-', ' ').lower()}"),
    ("as a command", lambda code: f"/tiep {code}"),
    ("by a link", lambda code: f"/start tiep_{code.replace('-', '')}"),
]


@pytest.mark.parametrize(("about", "typed"), TAKEN_BY, ids=[row[0] for row in TAKEN_BY])
async def test_another_telephone_goes_on_at_the_step(
    talk: Talk, another: Callable[[str], Talk], about: str, typed: Callable[[str], str]
) -> None:
    code = await handed_on(talk)
    helper = another("helper")
    said = await helper.say(typed(code))
    assert "Bạn đang giúp một người làm: Mở Sổ sức khỏe trong VNeID" in said
    assert "Bước 4/9" in said
    assert "Bước 5/9" in await helper.press("Xong")


async def test_the_giver_stops_what_was_handed_on(talk: Talk, another: Callable[[str], Talk]) -> None:
    code, helper = await handed_on(talk), another("helper")
    await helper.say(f"tiep {code}")
    await talk.press("Hủy mã này")
    assert "Người bạn đang giúp đã dừng việc này" in await helper.say("xong")
    assert "Người đưa mã này đã hủy mã" in await another("late").say(f"tiep {code}")
    assert "Bước 5/9" in await talk.say(choice="guide:vneid-activate:open:done")  # their own walk goes on


async def test_the_helper_stops_what_was_handed_on(talk: Talk, another: Callable[[str], Talk]) -> None:
    code, helper = await handed_on(talk), another("helper")
    await helper.say(f"tiep {code}")
    assert "ta dừng ở bước 4/9" in await helper.press("Dừng")
    assert "Người đưa mã này đã hủy mã" in await another("second").say(f"tiep {code}")


async def test_a_code_ends_after_a_day_and_its_helper_goes_on(
    talk: Talk, another: Callable[[str], Talk], clock: FrozenClock, service: Service
) -> None:
    code, helper = await handed_on(talk), another("helper")
    clock.forward(hours=23, minutes=59)
    await helper.say(f"tiep {code}")
    clock.forward(minutes=2)
    await service.sweep()
    assert "Bước 5/9" in await helper.press("Xong")
    assert "không đúng hoặc đã hết hạn" in await another("late").say(f"tiep {code}")
    assert await service.store.read(lambda tx: tx.all("SELECT 1 FROM handoffs")) == []


async def test_a_new_code_voids_the_old_one(talk: Talk, another: Callable[[str], Talk]) -> None:
    old, new = await handed_on(talk), await handed_on(talk)
    assert "không đúng hoặc đã hết hạn" in await another("a").say(f"tiep {old}")
    assert "Bước 4/9" in await another("b").say(f"tiep {new}")


async def test_own_and_wrong_codes_are_told_apart_and_guesses_end(talk: Talk, another: Callable[[str], Talk]) -> None:
    code = await handed_on(talk)
    assert "do chính bạn đưa ra" in await talk.say(f"tiep {code}")
    guesser = another("guesser")
    for _ in range(5):
        assert "không đúng hoặc đã hết hạn" in await guesser.say("tiep BBB-BBB")
    assert "quá nhiều lần" in await guesser.say(f"tiep {code}")


async def test_nothing_of_the_giver_reaches_the_helper(
    talk: Talk, another: Callable[[str], Talk], service: Service
) -> None:
    code, helper = await handed_on(talk), another("helper")
    said = await helper.say(f"tiep {code}")
    assert talk.person.address not in said
    (row,) = await service.store.read(lambda tx: tx.all("SELECT * FROM handoffs"))
    assert code.replace("-", "") not in str(dict(row))


async def test_a_link_and_a_picture_go_with_the_code_where_there_is_an_address(
    settings: Settings, clock: FrozenClock, recorder: Recorder, open_bot: OpenBot
) -> None:
    recorder.capabilities = Capabilities(longest_text=4000, private_chat="https://t.me/so_suc_khoe_bot")
    async with open_bot() as service:
        talk = Talk(service, recorder, Person(recorder.name, "citizen-1"))
        said = await talk.say(choice="guide:vneid-activate:open:share")
        code = code_in(said).replace("-", "")
        assert f"https://t.me/so_suc_khoe_bot?start=tiep_{code}" in said
        (reply,) = talk.replies
        assert isinstance(reply.image, bytes)
        assert reply.image.startswith(b"\x89PNG")
        assert reply.alt.startswith("Mã QR của đường dẫn")


async def test_an_officer_reads_where_the_citizen_stands(
    talk: Talk, another: Callable[[str], Talk], service: Service
) -> None:
    officer = another("officer")
    code = await access.invite(service.store, role="officer", scope="", at=service.clock(), actor="test")
    await officer.say(f"/start moi_{code}")
    await talk.say(choice="person:guide:vneid-bhyt:send")
    await talk.say("bấm gửi mãi không được")
    await officer.say("/hopthu")
    said = await officer.press("1.") if any(label.startswith("1.") for label in officer.labels) else ""
    texts = await service.store.read(lambda tx: tx.all("SELECT text FROM conversation_messages"))
    assert [row["text"] for row in texts] == ["[Thêm thẻ BHYT vào VNeID, Bước 8/10]\nbấm gửi mãi không được"]
    assert not said or "Bước 8/10" in said


# -- counting ----------------------------------------------------------------------------------------------------------


async def standing(service: Service, what: str = "standing") -> dict[str, int]:
    rows = await service.store.read(
        lambda tx: tx.all("SELECT guide, step, walks FROM walk_tallies WHERE what = :what", what=what)
    )
    return {f"{row['guide']}/{row['step']}": row["walks"] for row in rows if row["walks"]}


# What is said from the first step of vneid-activate → where the walk stands, by "guide/step".
STANDS: list[tuple[str, list[str], dict[str, int]]] = [
    ("begun", [], {"vneid-activate/update": 1}),
    ("moved on", ["[Xong", "[Xong"], {"vneid-activate/level": 1}),
    ("at a rest", ["[Xong", "[Xong", "[Xong"], {"vneid-activate/open": 1}),
    ("back", ["[Xong", "quay lại"], {"vneid-activate/update": 1}),
    ("stopped", ["[Xong", "[Dừng"], {"vneid-activate/login": 1}),
    ("stopped and gone on with", ["[Xong", "[Dừng", "[Làm tiếp từ bước 2", "[Xong"], {"vneid-activate/level": 1}),
    ("begun twice", ["[!guide:vneid-activate"], {"vneid-activate/update": 1}),
    ("finished", ["[!guide:vneid-activate:history:done"], {"vneid-activate/end": 1}),
    ("another instead", ["[!guide:vneid-bhyt"], {"vneid-activate/update": 1, "vneid-bhyt/number": 1}),
    (
        "another in the middle and back",
        ["[Không thấy", "[Tôi chưa cài VNeID", "[!guide:vneid-install:passcode:done", "[Quay lại", "[Xong"],
        {"vneid-activate/login": 1, "vneid-install/end": 1},
    ),
]


@pytest.mark.parametrize(("about", "said", "expected"), STANDS, ids=[row[0] for row in STANDS])
async def test_a_walk_is_counted_where_it_stands(
    talk: Talk, service: Service, about: str, said: list[str], expected: dict[str, int]
) -> None:
    await talk.say(choice="guide:vneid-activate")
    for text in said:
        if text.startswith("[!"):
            await talk.say(choice=text[2:])
        else:
            await (talk.press(text[1:]) if text.startswith("[") else talk.say(text))
    assert await standing(service) == expected


async def test_a_walk_counts_on_the_day_it_began(talk: Talk, service: Service, clock: FrozenClock) -> None:
    clock.at = clock.at.replace(hour=16, minute=50)  # ten minutes before midnight in Vietnam
    await talk.say(choice="guide:vneid-activate")
    clock.forward(minutes=20)
    await talk.say("xong")
    rows = await service.store.read(lambda tx: tx.all("SELECT DISTINCT day FROM walk_tallies"))
    assert [row["day"] for row in rows] == ["2026-11-23"]


async def test_troubles_are_counted_too(talk: Talk, service: Service) -> None:
    await talk.say(choice="guide:vneid-activate:login:unseen")
    await talk.say(choice="guide:vneid-activate:login:failed")
    assert await standing(service, "trouble") == {"vneid-activate/login": 2}


async def test_an_erased_person_leaves_the_counts_and_no_code(
    talk: Talk, another: Callable[[str], Talk], service: Service
) -> None:
    code = await handed_on(talk)
    await talk.say(choice="privacy:erase")
    assert "không đúng hoặc đã hết hạn" in await another("helper").say(f"tiep {code}")
    assert await standing(service) == {"vneid-activate/open": 1}


async def test_officers_see_where_walks_stop(talk: Talk, another: Callable[[str], Talk], service: Service) -> None:
    assert "chỉ dành cho cán bộ" in await talk.say("/thongke huongdan")
    for number in range(3):
        walker = another(f"walker-{number}")
        await walker.say(choice="guide:vneid-activate")
        await walker.say(choice="guide:vneid-activate:update:done")
    await walker.say(choice="guide:vneid-activate:history:done")
    officer = another("officer")
    code = await access.invite(service.store, role="officer", scope="yen-lac", at=service.clock(), actor="test")
    await officer.say(f"/start moi_{code}")
    said = await officer.say("/thongke huongdan")
    assert "Mở Sổ sức khỏe trong VNeID: 3 lượt bắt đầu, 1 lượt làm đến cuối; dừng nhiều nhất ở bước 2 (2 lượt)" in said
    said = await officer.press("Mở Sổ sức khỏe trong VNeID")
    assert "1. Mở kho ứng dụng, tìm VNeID\n██████████ 3 lượt đến, 0 dừng ở đây, 0 lần vướng" in said
    assert "2. Mở VNeID\n██████████ 3 lượt đến, 2 dừng ở đây, 0 lần vướng" in said
    assert "██ 1 lượt đến" in said or "███ 1 lượt đến" in said
    assert "Làm đến cuối: 1" in said
    assert "7 ngày qua" in await officer.press("7 ngày")
