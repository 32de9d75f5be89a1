"""The state machine of a guided walk: where each act leads, what is forged, what is understood."""

from __future__ import annotations

import pytest

from bot.conversation import walk_replies
from bot.conversation.walk import Standing, Walk, find_trouble, load_standing, open_walk, step_number
from bot.i18n.catalogue import load_catalogues
from bot.library.guides import Guide
from bot.library.knowledge import Knowledge
from bot.text.markup import to_plain
from bot.text.normalize import utf16_length

CATALOGUES = load_catalogues(["vi", "en"])
LONGEST_CAPTION = 1024  # of a picture on Telegram


@pytest.fixture
def guides(knowledge: Knowledge) -> dict[str, Guide]:
    return dict(knowledge.library.guides)


def at(guides: dict[str, Guide], place: str) -> Walk:
    """Open a walk by "guide/step", with a "+" behind it while resting before that step."""
    guide_id, _, step_id = place.rstrip("+").partition("/")
    walk = open_walk(guides, guide_id, step_id, rest="yes" if place.endswith("+") else "")
    assert walk is not None
    return walk


def where(walk: Walk | None) -> str:
    return "end" if walk is None else f"{walk.guide.id}/{walk.step.id}" + ("+" if walk.resting else "")


# A place, an act → the place after it.
MOVES: list[tuple[str, str, str]] = [
    ("vneid-activate/update", "next", "vneid-activate/login"),
    ("vneid-activate/level", "next", "vneid-activate/open+"),
    ("vneid-activate/open+", "next", "vneid-activate/open"),
    ("vneid-activate/history", "next", "end"),
    ("vneid-new-phone/oldcode", "next", "vneid-new-phone/otp+"),
    ("vneid-new-phone/scan", "next", "vneid-new-phone/otp+"),
    ("vneid-new-phone/borrow", "next", "vneid-new-phone/otp+"),
    ("otp/enter", "next", "end"),
    ("vneid-activate/update", "back", "vneid-activate/update"),
    ("vneid-activate/open", "back", "vneid-activate/level"),
    ("vneid-activate/open+", "back", "vneid-activate/level"),
    ("vneid-activate/level", "start", "vneid-activate/update"),
    ("vneid-install/level1", "step:police", "vneid-install/police"),
    ("otp/signal", "step:enter", "otp/enter+"),
    ("otp/which", "next", "otp/number"),
]


@pytest.mark.parametrize(("place", "act", "expected"), MOVES, ids=lambda part: part)
def test_an_act_leads_on(guides: dict[str, Guide], place: str, act: str, expected: str) -> None:
    walk = at(guides, place)
    moved = {"next": walk.next, "back": walk.back, "start": walk.start}.get(act, lambda: walk.answered(act))()
    assert where(moved) == expected


@pytest.mark.parametrize("guide_id", ["vneid-install", "vneid-activate", "vneid-bhyt", "vneid-new-phone", "otp",
                                      "app-android", "app-iphone", "missing-dose"])  # fmt: skip
def test_done_again_and_again_comes_to_the_end(guides: dict[str, Guide], guide_id: str) -> None:
    walk: Walk | None = at(guides, guide_id)
    seen = []
    while walk is not None:
        seen.append(where(walk))
        walk = walk.next()
    assert len(set(seen)) == len(seen) <= 2 * len(guides[guide_id].steps)


FORGED: list[tuple[str, str, str]] = [
    ("vneid-activate", "nowhere", "vneid-activate/update"),
    ("vneid-activate", "", "vneid-activate/update"),
    ("vneid-activate", "police", "vneid-activate/update"),
    ("nothing", "update", "none"),
    ("", "", "none"),
    ("../etc/passwd", "x", "none"),
]


@pytest.mark.parametrize(("guide_id", "step_id", "expected"), FORGED)
def test_a_forged_place_is_the_start_or_no_walk(
    guides: dict[str, Guide], guide_id: str, step_id: str, expected: str
) -> None:
    walk = open_walk(guides, guide_id, step_id)
    assert ("none" if walk is None else where(walk)) == expected


def test_what_has_been_reached_grows_with_the_legs(guides: dict[str, Guide]) -> None:
    assert at(guides, "vneid-activate/level").reached == ()
    assert [text.vi for text in at(guides, "vneid-activate/open+").reached] == [
        guides["vneid-activate"].legs[0].reached.vi
    ]
    assert len(at(guides, "vneid-activate/history").reached) == 2


def test_a_step_is_found_by_its_number(guides: dict[str, Guide]) -> None:
    walk = at(guides, "vneid-activate/history")
    assert where(walk.at(3)) == "vneid-activate/level"
    assert walk.at(0) is None
    assert walk.at(10) is None


NUMBERS: list[tuple[str, int | None]] = [
    ("bước 3 là sao", 3),
    ("buoc ba la gi", 3),
    ("cho tôi xem lại bước số 7", 7),
    ("Bước thứ hai ạ", 2),
    ("what is step 4", 4),
    ("step two please", 2),
    ("bước 12", 12),
    ("bước sau", 6),  # "sáu" and "sau" are the same without marks; the caller asks for "next" first
    ("buoc nay la sao", None),
    ("3", None),
    ("ba bước nữa", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_the_number_of_a_step_is_read(text: str, number: int | None) -> None:
    assert step_number(text) == number


# What is typed at a step → the label of the trouble that is meant, "" for none.
TROUBLES: list[tuple[str, str, str]] = [
    ("vneid-install/get", "nó kêu máy không tương thích", "Máy không tương thích"),
    ("vneid-install/get", "may keu day bo nho roi", "Không tải được"),
    ("vneid-install/get", "nó bắt nhập thẻ ngân hàng bác ạ", "Đòi thẻ ngân hàng"),
    ("vneid-install/register", "hiện là số điện thoại của tôi đã gắn tài khoản khác rồi", "Số điện thoại đã đăng ký"),
    ("vneid-install/otp", "cho mai khong co tin nhan", "Không thấy mã"),
    ("vneid-install/otp", "có người gọi điện hỏi mã", "Có người gọi hỏi mã"),
    ("vneid-activate/login", "tôi quên mất mật khẩu rồi", "Quên mật khẩu"),
    ("vneid-activate/login", "tài khoản báo thiết bị mới", "Báo thiết bị mới"),
    ("vneid-activate/open", "tìm ko ra sổ sức khỏe đâu cả", "Không thấy mục này"),
    ("vneid-activate/history", "mở ra trống trơn chẳng có gì", "Trống, không có gì"),
    ("vneid-activate/history", "có lần khám không phải của tôi, bệnh viện ấy tôi chưa tới bao giờ",
     "Có lần khám không phải của tôi"),
    ("vneid-new-phone/nfc", "điện thoại của em đời cũ không có NFC", "Máy không có NFC"),
    ("otp/which", "OTP la gi", "OTP là gì"),
    ("otp/help", "cho tôi gặp người", "Cho tôi gặp người"),
    ("vneid-bhyt/send", "the button is grey", "Bấm gửi không được"),
    ("vneid-install/get", "hôm nay trời đẹp quá", ""),
    ("vneid-install/get", "cảm ơn bạn nhiều", ""),
    ("vneid-activate/login", "Vĩnh Tường", ""),
    ("vneid-activate/login", "sổ sức khỏe để làm gì", ""),
    ("vneid-activate/login", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("place", "text", "label"), TROUBLES, ids=[f"{row[0]}: {row[1]}" for row in TROUBLES])
def test_a_trouble_is_found_in_own_words(guides: dict[str, Guide], place: str, text: str, label: str) -> None:
    step = at(guides, place).step
    found = find_trouble(step, text)
    assert ("" if found is None else step.trouble[found].label.vi) == label


def test_every_phrasing_finds_its_own_trouble(guides: dict[str, Guide]) -> None:
    missed = []
    for guide in guides.values():
        for step in guide.steps:
            for index, trouble in enumerate(step.trouble):
                for phrase in (*trouble.says.vi, *trouble.says.en):
                    if find_trouble(step, phrase) != index:
                        missed.append(f"{guide.id}/{step.id}: {phrase}")
    assert missed == []


def test_a_standing_comes_back_from_the_dialog(guides: dict[str, Guide]) -> None:
    outer = at(guides, "vneid-install/otp")
    for standing in (
        Standing(at(guides, "vneid-activate/open+"), "2026-11-23"),
        Standing(at(guides, "otp/wait"), "2026-11-23", (outer, "2026-11-20"), "hash"),
    ):
        assert load_standing(guides, standing.dump()) == standing
    assert load_standing(guides, {}) is None
    assert load_standing(guides, {"guide": "gone", "step": "x"}) is None
    odd = load_standing(guides, {"guide": "otp", "step": "gone", "outer": "gone/x/y/z"})
    assert odd == Standing(at(guides, "otp/which"), "")


def test_a_nested_walk_leads_back_to_the_outer_one(guides: dict[str, Guide]) -> None:
    outer = at(guides, "vneid-install/otp")
    nested = Standing(at(guides, "otp/wait"), "2026-11-23", (outer, "2026-11-20"))
    assert nested.continues_with(outer)
    assert nested.left_at(outer) == "otp"
    assert nested.move(outer) == Standing(outer, "2026-11-20")
    assert not nested.continues_with(at(guides, "vneid-bhyt/number"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_step_fits_under_a_picture(guides: dict[str, Guide], language: str) -> None:
    catalogue = CATALOGUES[language]
    for guide in guides.values():
        for number in range(1, len(guide.steps) + 1):
            walk = Walk(guide).at(number)
            assert walk is not None
            for more in (False, True):
                reply = walk_replies.step_reply(walk, catalogue, more=more)
                assert utf16_length(to_plain(reply.text)) <= LONGEST_CAPTION, (guide.id, walk.step.id)
                assert bool(reply.image) == bool(reply.alt) == (walk.step.screen is not None)
            for trouble in walk.step.trouble:
                led = walk_replies.step_reply(walk, catalogue, lead=trouble.remedy.in_language(language))
                assert utf16_length(to_plain(led.text)) <= LONGEST_CAPTION, (guide.id, walk.step.id)


def test_the_words_of_a_picture_name_everything_in_it(guides: dict[str, Guide]) -> None:
    for guide in guides.values():
        for step in guide.steps:
            said = walk_replies.describe(step, CATALOGUES["vi"])
            if step.screen is None:
                assert said == ""
                continue
            for element in step.screen.elements:
                assert element.label.vi in said
            assert ("Màn hình có thể khác" in said) is step.unsure
            assert said.count("đây là chỗ cần dùng") == 1
