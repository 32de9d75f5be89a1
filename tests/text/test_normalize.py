"""Text: cleaning, folding, words, left-over keystrokes, splitting."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normalize import clean, decode_keystrokes, fold, is_syllable, split_text, utf16_length, words

# typed -> what was meant; typed by hand for this test
KEYSTROKES = [
    # Telex, marks after the letter or at the end of the word
    ("caif ddawtj", "cài đặt"),
    ("cafi ddatwj", "cài đặt"),
    ("khoong nhaanj dduwowcj", "không nhận được"),
    ("khoong nhanaj dduocwj", "không nhận được"),
    ("xeesp hangf", "xếp hàng"),
    ("maasy hoom nay", "mấy hôm nay"),
    ("maays hoom nay", "mấy hôm nay"),
    ("tieemr", "tiểm"),
    ("tieem phongf", "tiêm phòng"),
    ("tieenf", "tiền"),
    ("tienef", "tiền"),
    ("ddieenj thoaij", "điện thoại"),
    ("suwsc khoer", "sức khỏe"),
    ("suwcs khoer", "sức khỏe"),
    ("soor", "sổ"),
    ("quys vij", "quý vị"),
    ("giuwax", "giữa"),
    ("giuxwa", "giữa"),
    ("nguwowif", "người"),
    ("nguowif", "người"),
    ("nguwoif daan", "người dân"),
    ("truwowngf", "trường"),
    ("truwongf", "trường"),
    ("hoir", "hỏi"),
    ("hoaf binhf", "hòa bình"),
    ("thuyr", "thủy"),
    ("quaan", "quân"),
    ("quawn", "quăn"),
    ("quoocs gia", "quốc gia"),
    ("nghieengs", "nghiếng"),
    ("muaw", "mưa"),
    ("muaf", "mùa"),
    ("luwuf", "lừu"),
    ("huuw", "hưu"),
    ("tw", "tư"),
    ("tuw", "tư"),
    ("ddi ddaau", "đi đâu"),
    ("ddor", "đỏ"),
    ("duongwf", "dường"),
    ("dduwongf", "đường"),
    ("khuyur tay", "khuỷu tay"),
    ("yeeu caauf", "yêu cầu"),
    ("roofi", "rồi"),
    ("rooif", "rồi"),
    ("owr", "ở"),
    ("awn", "ăn"),
    ("uwngs", "ứng"),
    ("xoas", "xóa"),
    ("goij", "gọi"),
    ("giuwf", "giừ"),
    # partly composed already
    ("tiêmr", "tiểm"),
    ("khôngs", "khống"),
    ("mật khaaur", "mật khẩu"),
    ("số ddienej thoại", "số điện thoại"),
    # VNI
    ("d9ie6n5 thoa5i", "điện thoại"),
    ("d9ien65 thoai5 d9u7o7c5", "điện thoại được"),
    ("tu73", "tử"),
    ("kho6ng d9a8ng nha6p5", "không đăng nhập"),
    ("so61 cu7u1", "số cứu"),
    ("ngu7o7i2 be6nh5", "người bệnh"),
    ("ho65 chie61u", "hộ chiếu"),
    ("mu7o7n2", "mườn"),
    ("ba3o hie6m3", "bảo hiểm"),
    # doubtful words are decoded in clear company
    ("max xacs thuwcj khoong veef", "mã xác thực không về"),
    ("ma4 xa1c thu7c5", "mã xác thực"),
    # capitals
    ("Tooi owr Vinhx Phucs", "Tôi ở Vĩnh Phúc"),
    ("CAIF DDAWTJ", "CÀI ĐẶT"),
]

UNTOUCHED = [
    "cài đặt ứng dụng",
    "cai dat ung dung suc khoe",
    "toi khong nhan duoc ma",
    "iphone 15 pro max",
    "my second dose is not showing in the app",
    "how do I reset my password",
    "there is an error here",
    "I lost my phone last year",
    "vero cell",
    "tiêm mui1 roi",
    "lop5",
    "covid19 ncov2 4g 5g",
    "app wifi zalo momo visa taxi sim sms web",
    "wa wen",
    "oppo a5 asus xiaomi redmi vivo",
    "khoẻ khoắn hoà bình thuý",
    "xoong nồi boong tàu",
    "asdfghjkl qwerty",
    "",
    "   ",
    "😂😂",
]


@pytest.mark.parametrize(("typed", "meant"), KEYSTROKES)
def test_keystrokes_are_composed(typed: str, meant: str) -> None:
    assert decode_keystrokes(typed) == meant


@pytest.mark.parametrize("text", UNTOUCHED)
def test_other_words_stay_as_typed(text: str) -> None:
    assert decode_keystrokes(text) == text


@pytest.mark.parametrize(
    "word",
    [
        "nghiêng",
        "khuỷu",
        "giếng",
        "gì",
        "quý",
        "quốc",
        "hòa",
        "hoà",
        "khỏe",
        "khoẻ",
        "uống",
        "yêu",
        "ươm",
        "kẻ",
        "ghế",
        "xoong",
    ],
)
def test_syllables(word: str) -> None:
    assert is_syllable(word)
    assert is_syllable(unicodedata.normalize("NFD", word.upper()))


@pytest.mark.parametrize(
    "word", ["cê", "kà", "ngi", "khoong", "tiêmr", "các1", "hôc", "hôf", "zalo", "tiét n", "", "ab"]
)
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  xin   chào \t bạn ", "xin chào bạn"),
        ("mã\u200b OTP\ufeff", "mã OTP"),
        ("\u202eabc\u202c", "abc"),
        ("a\x00b\x07c\x85d", "abcd"),
        ("dòng một \r\n dòng hai\rba", "dòng một\ndòng hai\nba"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("ti\u00eam ti\u0065\u0302m", "tiêm tiêm"),
        ("\ud83d\ude00 vui", "😀 vui"),
        ("lẻ \ud83d loi", "lẻ loi"),
        ("\ude00", ""),
        ("khoảng\u00a0trắng", "khoảng trắng"),
        ("", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_fold_and_words() -> None:
    assert fold("Đặng Thị HOÀ, sổ sức khoẻ") == "dang thi hoa, so suc khoe"
    assert words("Mã OTP: 123-456, có_gì?") == ["mã", "otp", "123", "456", "có", "gì"]
    assert words("") == []


ANY_TEXT = st.text(st.characters(), max_size=200)
TYPED = st.text(st.sampled_from("aăâbcdđeêghiklmnoôơpqrstuưvxywzfj 1234567890ÁẠếự\u0301\u0309\n"), max_size=60)


@given(ANY_TEXT)
def test_clean_is_final(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    once.encode()
    assert once == unicodedata.normalize("NFC", once)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in once if c != "\n")


@given(ANY_TEXT)
def test_fold_is_final(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.one_of(ANY_TEXT, TYPED))
def test_decoding_never_raises_and_keeps_the_words(text: str) -> None:
    decoded = decode_keystrokes(text)
    assert len(words(decoded)) == len(words(text))


MEASURES: list[Callable[[str], int]] = [len, utf16_length, lambda text: len(text.encode("utf-8", "surrogatepass"))]
PROSE = st.text(st.sampled_from("aế😀👍🏽\u200d\u0301🇻🇳 \n\n.xyz"), max_size=300)


@given(PROSE, st.integers(min_value=12, max_value=80), st.sampled_from(MEASURES))
def test_splitting_loses_nothing_and_keeps_the_limit(text: str, limit: int, measure: Callable[[str], int]) -> None:
    pieces = split_text(text, limit, measure)
    assert all(measure(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    position = 0
    for piece in pieces:
        position = text.index(piece, position) + len(piece)


@given(st.text(st.sampled_from("a\u0301\u0323b "), max_size=120), st.integers(min_value=6, max_value=20))
def test_splitting_keeps_a_letter_with_its_marks(text: str, limit: int) -> None:
    for piece in split_text(text, limit)[1:]:
        marks = len(piece) - len(piece.lstrip("\u0301\u0323"))
        assert marks == 0 or "\u0301" * 2 in text or marks <= limit


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, []),
        ("ngắn", 10, ["ngắn"]),
        ("một hai ba", 7, ["một hai", "ba"]),
        ("đoạn một\n\nđoạn hai dài", 14, ["đoạn một", "đoạn hai dài"]),
        ("a b\nc d e", 6, ["a b", "c d e"]),
        ("dòng\ndòng\n\nsau", 12, ["dòng\ndòng", "sau"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("abc👍🏽", 4, ["abc", "👍🏽"]),
        ("xa\u0301", 2, ["x", "a\u0301"]),
        ("ab 🇻🇳", 4, ["ab", "🇻🇳"]),
    ],
)
def test_splitting_at_the_best_place(text: str, limit: int, pieces: list[str]) -> None:
    assert split_text(text, limit) == pieces


def test_splitting_counts_like_the_platform() -> None:
    assert utf16_length("a😀") == 3
    assert split_text("😀😀😀", 4, utf16_length) == ["😀😀", "😀"]
    with pytest.raises(ValueError, match="does not fit"):
        split_text("😀", 1, utf16_length)
    with pytest.raises(ValueError, match="at least 1"):
        split_text("a", 0)
