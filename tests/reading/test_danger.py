"""Emergencies: danger under way against what only looks like it, in both languages, however it is typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pytest

from bot.library.knowledge import Knowledge
from bot.library.regions import load_regions
from bot.reading import Danger
from bot.reading.danger import DANGER_FROM
from bot.text.normalize import fold
from tests.conftest import ROOT


def read(knowledge: Knowledge, text: str) -> Danger:
    return knowledge.reader.words(text).danger


# A sentence with its marks, and the kind that is said first.
UNDER_WAY = [
    ("Bố tôi đột quỵ, méo miệng, tay phải không nhấc lên được", "stroke"),
    ("bà cụ nhà tôi tự nhiên nói ngọng, liệt nửa người", "stroke"),
    ("mẹ tôi tiêm xong khó thở tím tái", "allergy"),
    ("tiêm xong môi sưng vù, nổi mề đay khắp người, nghẹt thở", "allergy"),
    ("vợ tôi đang đau đẻ ở nhà, vỡ ối rồi", "birth"),
    ("vợ em băng huyết sau sinh ở nhà", "birth"),
    ("cháu nhà tôi uống nhầm thuốc diệt cỏ", "poisoning"),
    ("ăn nấm xong cả nhà nôn mửa, đau bụng dữ dội", "poisoning"),
    ("ngửi phải khí ga cả nhà buồn nôn choáng váng", "poisoning"),
    ("rắn cắn vào chân sưng to lắm", "poisoning"),
    ("tôi không muốn sống nữa, muốn chết cho xong", "suicide"),
    ("em không thiết sống nữa", "suicide"),
    ("con gái tôi để lại thư tuyệt mệnh rồi đi mất", "suicide"),
    ("chồng em bị xe tải tông chảy máu đầu", "accident"),
    ("nhà hàng xóm đang cháy, còn người kẹt bên trong", "accident"),
    ("điện giật, anh ấy nằm im rồi", "accident"),
    ("cháu bé rơi xuống ao vừa vớt lên không thở", "child"),
    ("em bé bị hóc hạt nhãn, mặt tím", "child"),
    ("bé sốt 40 độ co giật trợn mắt", "child"),
    ("ông tôi gọi mãi không tỉnh", "unconscious"),
    ("mẹ em tụt huyết áp ngất rồi", "unconscious"),
    ("tôi đau ngực dữ dội, khó thở", "breathing"),
    ("bố tôi khó thở 😭😭😭", "breathing"),
]


@pytest.mark.parametrize("spelling", ["marked", "bare", "shouted", "decomposed"])
@pytest.mark.parametrize(("said", "kind"), UNDER_WAY)
def test_danger_under_way_is_recognised(knowledge: Knowledge, said: str, kind: str, spelling: str) -> None:
    typed = {
        "marked": said,
        "bare": fold(said),
        "shouted": said.upper(),
        "decomposed": unicodedata.normalize("NFD", said),
    }[spelling]
    danger = read(knowledge, typed)
    assert danger.now, danger
    assert DANGER_FROM <= danger.probability <= 1
    if spelling in ("marked", "decomposed"):
        assert danger.kind == kind


IN_ENGLISH = [
    ("my father can't breathe", "breathing"),
    ("my husband has chest pain and is sweating", "breathing"),
    ("dad collapsed and is not responding", "unconscious"),
    ("my son swallowed bleach", "poisoning"),
    ("he drank pesticide", "poisoning"),
    ("I am going to kill myself tonight", "suicide"),
    ("her water broke and the baby is coming", "birth"),
    ("my baby is choking", "child"),
    ("my daughter is having a seizure", "child"),
    ("grandma fell down the stairs, she is bleeding", "accident"),
    ("my throat is swelling after the injection", "allergy"),
]


@pytest.mark.parametrize(("said", "kind"), IN_ENGLISH)
def test_danger_in_english_is_recognised(knowledge: Knowledge, said: str, kind: str) -> None:
    danger = read(knowledge, said)
    assert (danger.now, danger.kind) == (True, kind)
    assert read(knowledge, said.upper()).now


# The same words in letters that only look like those of a keyboard.
LOOKALIKES = [
    ("BỐ TÔI BỊ ÐỘT QUỴ", "Bố tôi bị đột quỵ"),
    ("ƉỘT QUỴ RỒI, cứu bố tôi", "ĐỘT QUỴ RỒI, cứu bố tôi"),
    ("ＢＯ ＴＯＩ ＫＨＯ ＴＨＯ ＱＵＡ", "BO TOI KHO THO QUA"),
    ("𝐛𝐨 𝐭𝐨𝐢 𝐤𝐡𝐨 𝐭𝐡𝐨 𝐪𝐮𝐚", "bo toi kho tho qua"),
    ("cоn tôi ngất хỉu rồi", "con tôi ngất xỉu rồi"),  # Cyrillic о and х
    ("mẹ tôi khos thowr quas", "mẹ tôi khó thở quá"),  # Telex keys
]


@pytest.mark.parametrize(("typed", "meant"), LOOKALIKES)
def test_lookalike_letters_are_read_as_meant(knowledge: Knowledge, typed: str, meant: str) -> None:
    danger = read(knowledge, typed)
    assert danger.now
    assert danger.kind == read(knowledge, meant).kind


CRIES = ["115", "gọi 115", "goi 115 gap", "số 115", "115 ơi", "cứu với", "CUU VOI", "cứu tôi với", "cấp cứu", "cap cuu",
         "help", "HELP ME!!!", "sos", "emergency"]  # fmt: skip


@pytest.mark.parametrize("said", CRIES)
def test_cry_for_help_alone_is_danger(knowledge: Knowledge, said: str) -> None:
    assert read(knowledge, said) == Danger(True, 1.0, "general")


# What a cry is part of decides, where it is part of something.
NO_CRIES = ["số 115 là số gì vậy bạn", "help me install the app", "bảo hiểm có chi trả cấp cứu không",
            "bhyt co chi tra cap cuu khong", "114", "1150", "cứu vãn tài khoản"]  # fmt: skip


@pytest.mark.parametrize("said", NO_CRIES)
def test_number_or_cry_in_question_is_calm(knowledge: Knowledge, said: str) -> None:
    assert not read(knowledge, said).now


# Each with marks and without; both must be calm.
NOT_NOW = {
    "past": [
        "năm ngoái bố tôi bị đột quỵ, giờ khai vào sổ ở đâu",
        "hồi nhỏ tôi bị động kinh, có khai không",
        "tuần trước mẹ tôi cấp cứu, giờ ra viện rồi",
        "con tôi đã hết sốt co giật từ tháng trước",
    ],
    "negated": [
        "mẹ tôi không khó thở, chỉ hơi mệt",
        "con tôi chưa từng bị co giật",
        "không sao đâu bạn ạ",
        "tôi hỏi thử thôi chứ không ai đau ốm",
    ],
    "hypothetical": [
        "nếu tiêm xong bị khó thở thì làm thế nào",
        "lỡ sốc phản vệ thì bảo hiểm chi trả không",
        "giả sử tôi ngất thì ai xem được sổ của tôi",
        "dấu hiệu đột quỵ là gì",
    ],
    "on paper": [
        "trong sổ ghi tiền sử đột quỵ thì sửa ở đâu",
        "giấy ra viện ghi nhồi máu não có nhập vào sổ được không",
        "mục tiền sử dị ứng ghi khó thở là sao",
    ],
    "figure of speech": [
        "app này làm tôi tức chết đi được",
        "cười chết mất",
        "app lag muốn xỉu",
        "mạng chậm muốn ngạt thở",
        "buồn ngủ chết đi được",
        "giá gói cước sốc quá",
    ],
    "device": [
        "điện thoại ngất luôn rồi",
        "máy tôi chết rồi, bật mãi không lên",
        "thẻ bhyt của tôi chết rồi",
        "tài khoản của tôi bị khóa cứng",
    ],
    "fiction": [
        "phim hôm qua có người bị tai nạn chảy máu ghê quá",
    ],
    "same letters": [
        "từ từ rồi tôi làm",
        "để tôi tìm tài liệu đã",
        "hơn mẹ tôi một tuổi",
        "trẻ em dưới 6 tuổi có tài khoản không",
    ],
    "told to be silent": [
        "đừng gửi nữa",
        "đừng nhắn nữa",
        "đừng hỏi nữa",
    ],
}


@pytest.mark.parametrize("spell", [str, fold], ids=["marked", "bare"])
@pytest.mark.parametrize("said", [pytest.param(said, id=f"{why}: {said}") for why in NOT_NOW for said in NOT_NOW[why]])
def test_what_only_looks_like_danger_is_calm(knowledge: Knowledge, said: str, spell: Callable[[str], str]) -> None:
    danger = read(knowledge, spell(said))
    assert not danger.now, danger
    assert danger.kind == ""
    assert 0 <= danger.probability < DANGER_FROM


CALM_IN_ENGLISH = [
    "my father had a stroke last year, where do I record it",
    "I fainted two years ago",
    "my mother is not short of breath, just tired",
    "nobody is hurt, I only ask about the app",
    "if someone faints after the vaccine, what should I do",
    "what are the signs of a stroke",
    "is chest pain a side effect of the vaccine",
    "the book says I had a heart attack, that is wrong",
    "this app is killing me",
    "i'm dying of laughter",
    "my phone died",
    "i would kill for a working otp",
    "the app crashed",
]


@pytest.mark.parametrize("said", CALM_IN_ENGLISH)
def test_what_only_looks_like_danger_is_calm_in_english(knowledge: Knowledge, said: str) -> None:
    assert not read(knowledge, said).now


def hours() -> list[str]:
    parts = ("", " sáng", " trưa", " chiều", " tối", " sáng mai", " tối nay", " tối mai")
    return [f"{hour}{unit}{part}" for hour in range(1, 25) for unit in ("h", " giờ", "h30") for part in parts]


def test_bare_hours_are_never_danger(knowledge: Knowledge) -> None:
    said = [*hours(), *map(fold, hours()), "8:00", "08:30", "8 am", "7 pm", "at 8 tomorrow"]
    assert [text for text in said if read(knowledge, text).now] == []


def test_names_of_places_are_never_danger(knowledge: Knowledge) -> None:
    places = load_regions(ROOT / "content" / "regions" / "vinh-phuc.yaml").names
    bare = [re.sub(r"^(?:thành phố|thị trấn|huyện|phường|xã) ", "", name) for name in places]
    said = [form.format(name) for name in (*places, *bare) for form in ("{}", "tôi ở {}", "nhà tôi ở {}", "{} cũ")]
    assert len(said) > 1000
    said += list(map(fold, said))
    assert [text for text in said if read(knowledge, text).now] == []


# Said in passing, in a message about something else.
IN_PASSING = [
    "tôi đang ngồi cài sổ sức khỏe trên vneid cho cả nhà thì mẹ tôi ở dưới bếp kêu đau ngực rồi ngã xuống không dậy "
    "được nữa",
    "hôm nay tôi đưa con đi tiêm ở trạm y tế xã về nhà thấy cháu bình thường rồi tự nhiên cháu khó thở tím tái chân "
    "tay co giật",
]


@pytest.mark.parametrize("said", IN_PASSING)
def test_danger_in_long_message_is_recognised(knowledge: Knowledge, said: str) -> None:
    assert read(knowledge, said).now
    assert read(knowledge, fold(said)).now


def test_long_calm_question_stays_calm(knowledge: Knowledge) -> None:
    said = (
        "cho tôi hỏi là mẹ tôi năm nay 70 tuổi hồi năm kia từng phải nằm viện vì tai biến nhưng giờ khỏe rồi thì khi "
        "khai tiền sử bệnh trong sổ sức khỏe trên vneid tôi phải ghi vào mục nào và có cần giấy ra viện không"
    )
    assert not read(knowledge, said).now
    assert not read(knowledge, fold(said)).now


@pytest.mark.parametrize("said", ["", " ", "…", "😭", "\u200b", "?!"])
def test_message_without_words_is_calm(knowledge: Knowledge, said: str) -> None:
    assert not read(knowledge, said).now
