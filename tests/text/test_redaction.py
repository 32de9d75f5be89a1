"""What is cut out of a citizen's words before they are kept, and what may stay."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.text.redaction import HIDDEN, redact
from tests.support.property_examples import examples

# Typed → kept, kinds of secrets that the citizen is warned about.
CUT: list[tuple[str, str, tuple[str, ...]]] = [
    # telephone numbers and addresses: cut, no reason to warn
    ("gọi lại cho tôi 0912345678", "gọi lại cho tôi …", ()),
    ("0912 345 678", "…", ()),
    ("số em là 0912.345.678 ạ", "số em là … ạ", ()),
    ("0912-345-678", "…", ()),
    ("0912 - 345 - 678", "…", ()),
    ("+84912345678", "…", ()),
    ("+84 912 345 678", "…", ()),
    ("84912345678 nhé", "… nhé", ()),
    ("0084912345678", "…", ()),
    ("máy bàn 0211 3861 234", "máy bàn …", ()),
    ("02113861234.", "….", ()),
    ("sdt0912345678", "sdt…", ()),
    ("0912345678nhé", "…nhé", ()),
    ("SĐT.0912345678", "SĐT.…", ()),
    ("zalo:0912345678,", "zalo:…,", ()),
    ("zalo.me/0912345678", "zalo.me/…", ()),
    ("0912345678 hoặc 0987654321", "… hoặc …", ()),
    ("0912345678 0987654321", "…", ()),
    ("thư: nguyen.van-a+1@example.com.vn nhé", "thư: … nhé", ()),
    ("mã BHXH 2620123456", "mã BHXH …", ()),
    # telephone numbers as nobody foresaw them
    ("gọi 091.234.567.8 ạ", "gọi … ạ", ()),
    ("84.912.345.678", "…", ()),
    ("0912,345,678", "…", ()),
    ("0912, 345, 678", "…", ()),
    ("0912/345/678", "…", ()),
    ("0912 / 345 / 678", "…", ()),
    ("0912_345_678", "…", ()),
    ("0912:345:678", "…", ()),
    ("0912|345|678", "…", ()),
    ("0912*345*678", "…", ()),
    ("0912  345  678", "…", ()),
    ("0912 34/56/78", "…", ()),
    ("(0912)345678", "…", ()),
    ("(0912) 345 678", "…", ()),
    ("gọi (0912) 345-678 nhé", "gọi … nhé", ()),
    ("(+84)912345678", "…", ()),
    ("+84 (0)912 345 678", "…", ()),
    ("+84 (0) 912/345/678", "…", ()),
    ("+84,912,345,678", "…", ()),
    ("84/912/345/678", "…", ()),
    ("(0211) 3861 234", "…", ()),
    ("0211/3861/234", "…", ()),
    ("09/12/34/56/78", "…", ()),
    ("0_9_1_2_3_4_5_6_7_8", "…", ()),
    ("0912\u2009345\u2009678", "…", ()),
    ("0912\u00a0345\u00a0678", "…", ()),
    ("0912\u202f345\u202f678", "…", ()),
    ("0912\u200b345\u200b678", "…", ()),
    ("0912‑345‑678", "…", ()),
    ("0912—345—678", "…", ()),
    ("０９１２３４５６７８", "…", ()),
    ("０９１２／３４５／６７８", "…", ()),
    ("٠٩١٢٣٤٥٦٧٨", "…", ()),
    ("𝟎𝟗𝟏𝟐 𝟑𝟒𝟓 𝟔𝟕𝟖", "…", ()),
    ("0️⃣9️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "…\ufe0f\u20e3", ()),
    ("0912,345,678, 12 tuổi", "…, 12 tuổi", ()),
    ("sinh 10/10/2021, sđt 0912/345/678", "sinh 10/10/2021, sđt …", ()),
    ("08:30 09/12/34/56/78", "08:30 …", ()),
    ("0912/345/678/0987/654/321", "…/…", ()),
    ("mã OTP gửi về (0912) 345 678", "mã OTP gửi về …", ()),
    # identity numbers
    ("026.199.001.234", "…", ("identity",)),
    ("số 026.199.001.234, cấp 10-10-2021", "số …, cấp 10-10-2021", ("identity",)),
    ("026,199,001,234", "…", ("identity",)),
    ("026/199/001/234", "…", ("identity",)),
    ("026_199_001_234", "…", ("identity",)),
    ("(026) 199 001 234", "…", ("identity",)),
    ("026199/001234", "…", ("identity",)),
    ("０２６１９９００１２３４", "…", ("identity",)),
    ("026\u2009199\u2009001\u2009234", "…", ("identity",)),
    ("123.456.789.012", "…", ("identity",)),
    ("135/123/456", "…", ("identity",)),
    ("135_123_456", "…", ("identity",)),
    ("cmnd 135.123.456", "cmnd …", ("identity",)),
    ("số chứng minh của tôi 135.123.456", "số chứng minh của tôi …", ("identity",)),
    ("mã BHXH 262/012/3456", "mã BHXH …", ()),
    ("026199001234", "…", ("identity",)),
    ("cccd của tôi 026199001234", "cccd của tôi …", ("identity",)),
    ("CCCD026199001234", "CCCD…", ("identity",)),
    ("026 199 001 234", "…", ("identity",)),
    ("cmnd 135123456 cũ", "cmnd … cũ", ("identity",)),
    ("hộ chiếu B1234567", "hộ chiếu …", ("identity",)),
    ("passport: C12345678", "passport: …", ("identity",)),
    # cards and accounts
    ("thẻ 4111 1111 1111 1111", "thẻ …", ("bank",)),
    ("4111-1111-1111-1111", "…", ("bank",)),
    ("4111,1111,1111,1111", "…", ("bank",)),
    ("4111/1111/1111/1111", "…", ("bank",)),
    ("４１１１＿１１１１＿１１１１＿１１１１", "…", ("bank",)),
    ("STK 19036512345678 Techcombank", "STK … Techcombank", ("bank",)),
    ("thẻ DN4262620123456", "thẻ DN…", ("bank",)),
    # one-time codes
    ("482913", "…", ("otp",)),
    (" 482913. ", " …. ", ("otp",)),
    ("482 913", "…", ("otp",)),
    ("４８２９１３", "…", ("otp",)),
    ("482\u00a0913", "…", ("otp",)),
    ("mã là 482913 ạ", "mã là … ạ", ("otp",)),
    ("mã 4829", "mã …", ("otp",)),
    ("OTP 482913", "OTP …", ("otp",)),
    ("otp482913", "otp…", ("otp",)),
    ("mã otp của em là 4829 thì nhập vào đâu", "mã otp của em là … thì nhập vào đâu", ("otp",)),
    ("em nhận được mã xác nhận 482913 rồi", "em nhận được mã xác nhận … rồi", ("otp",)),
    ("ma xac thuc 482913", "ma xac thuc …", ("otp",)),
    ("mã kích hoạt: 48291377", "mã kích hoạt: …", ("otp",)),
    ("482913 là mã OTP đúng không", "… là mã OTP đúng không", ("otp",)),
    ("my verification code is 482913", "my verification code is …", ("otp",)),
    # passwords
    ("mật khẩu của tôi là Hoa@1990", "mật khẩu của tôi là …", ("password",)),
    ("mat khau la hoa1990", "mat khau la …", ("password",)),
    ("mk: Hoa1990", "mk: …", ("password",)),
    ("mk=abc#def", "mk=…", ("password",)),
    ("MẬT KHẨU LÀ Hoa@1990!", "MẬT KHẨU LÀ …", ("password",)),
    ("pass Hoa@1990", "pass …", ("password",)),
    ("mật khẩu hoa1990 sao không vào được", "mật khẩu … sao không vào được", ("password",)),
    ("password is S3cret!x", "password is …", ("password",)),
    ("mật khẩu vneid của em là 12345678", "mật khẩu vneid của em là …", ("password",)),
    # several at once, each named once
    ("cccd 026199001234, mk là Hoa@1990, otp 482913", "cccd …, mk là … otp …", ("password", "identity", "otp")),
    ("026199001234 và 026199005678", "… và …", ("identity",)),
    ("cccd 026199001234,0912345678", "cccd …,…", ("identity",)),
    ("mã OTP 482913,026199001234", "mã OTP …,…", ("otp", "identity")),
    ("số 5,0912 345 678 nhé", "số 5,… nhé", ()),
]
KEPT: list[str] = [
    "quên mật khẩu là sao",
    "mật khẩu là gì?",
    "mật khẩu là gì!!",
    "mật khẩu là số điện thoại à",
    "mật khẩu phải có 8 ký tự",
    "mật khẩu: 8-20 ký tự",
    "đổi mật khẩu 2 lần không được",
    "mật khẩu covid19 là gì",
    "otp là gì",
    "không nhận được mã OTP",
    "otp không về, máy Nokia 1280",
    "đợi otp 10 phút rồi",
    "otp năm 2021 khác gì 2026",
    "67.750 máy đã cài",
    "67.750",
    "1.234.567 người",
    "9.876.543.210 đồng",
    "12.345.678,9",
    "135.123.456 đồng",
    "1,234,567 người",
    "67.750, 12.345 và 1.234.567",
    "8100/107300 máy",
    "câu 1, 2, 3, 4, 5, 6, 7, 8, 9",
    "câu 1,2,3,4,5,6,7,8,9,10,11,12",
    "mẫu 03, 04, 05, 06, 07",
    "mẫu 03,04,05,06,07",
    "0,5 - 1,5 - 2,5 - 3,5 - 4,5",
    "0.75, 0.80, 0.85, 0.90",
    "lỗi 1001, 1002, 1003",
    "các năm 2021, 2022, 2023",
    "7/30",
    "3,5",
    "iPhone 6/7/8/9/10/11/12",
    "8,58%",
    "xếp thứ 44/63",
    "2021",
    "năm 2021-2022",
    "2021 - 2022",
    "ngày 10/10/2021",
    "ngày 10-10-2021",
    "10.10.2021",
    "từ 05/10/2021 08:30 đến 06/10/2021 17:00",
    "05/10/2021, 06/10/2021, 07/10/2021",
    "05/10/2021-06/10/2021",
    "từ 05/10-08/10/2021",
    "05/10-06/10-07/10-08/10-09/10",
    "05.10.2021 - 06.10.2021",
    "2021-10-10",
    "10-10-21",
    "lúc 08:30 đến 11:30",
    "từ 08.30 - 11.30",
    "08:30-11:30, 13:30-17:00",
    "08.30 - 11.30, 13.30 - 17.00",
    "08.30-11.30/13.30 - 17.00",
    "phiên bản 1.2.3",
    "iOS 14.5.1",
    "Android 10",
    "iPhone 12 Pro Max",
    "Samsung SM-A515F",
    "Redmi Note 10 pin 5000mAh",
    "lỗi 1001",
    "mã lỗi 5003",
    "gọi 115",
    "115",
    "1900 9095",
    "19009095",
    "1900.9095",
    "gọi 1900 9095 hoặc 115",
    "1800 1119",
    "1900 0368",
    "18001119",
    "tiêm mũi 1 mũi 2 mũi 3",
    "số 2",
    "2",
    "đạt 67,12345 %",
    "1,234,567,890 đồng",
    "phí 10000 đồng",
    "https://tiemchungcovid19.gov.vn/portal/user-manual",
    "mk cài app mãi không được",
    "thanks pass the test",
    "",
    " ",
]


@pytest.mark.parametrize(("typed", "kept", "kinds"), CUT, ids=[row[0] for row in CUT])
def test_cut(typed: str, kept: str, kinds: tuple[str, ...]) -> None:
    found = redact(typed)
    assert found.text == kept
    assert found.secrets == kinds


@pytest.mark.parametrize("typed", KEPT)
def test_kept(typed: str) -> None:
    found = redact(typed)
    assert found.text == typed
    assert found.secrets == ()


@pytest.mark.parametrize(("typed", "kept", "kinds"), CUT, ids=[row[0] for row in CUT])
def test_what_was_cut_stays_cut(typed: str, kept: str, kinds: tuple[str, ...]) -> None:
    assert redact(redact(typed).text).secrets == ()


WILD = st.text(max_size=200) | st.text("0123456789 .-–,+aạđmkotp:=là@", max_size=120)


@given(text=WILD)
def test_never_raises_and_keeps_the_rest(text: str) -> None:
    found = redact(text)
    assert set(found.secrets) <= {"password", "otp", "identity", "bank"}
    if HIDDEN not in text and not found.secrets and HIDDEN not in found.text:
        import unicodedata

        assert found.text == unicodedata.normalize("NFC", text)


# What people, keyboards and copied pages put between groups of figures.
SIGNS = ["", " ", ".", "-", ",", "/", "_", ":", "|", "*", " - ", " / ", " . ", ", ", "  ", "\u00a0", "\u2009", "\u202f",
         "\u200b", "–", "‑", "．", "／", "，"]  # fmt: skip
FIGURES = ["0123456789", "０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]


@given(
    before=st.sampled_from(["", "sđt ", "sdt", "gọi em:", "(", "...", "/", "ạ,"]),
    digits=st.from_regex(r"0[35789][0-9]{8}", fullmatch=True),
    cut=st.lists(st.sampled_from(SIGNS), min_size=2, max_size=2),
    figures=st.sampled_from(FIGURES),
    after=st.sampled_from(["", " ạ", "nhé", ".", ")", "?", ", cảm ơn"]),
)
def test_no_mobile_number_stays_however_it_is_written(
    before: str, digits: str, cut: list[str], figures: str, after: str
) -> None:
    written = f"{digits[:4]}{cut[0]}{digits[4:7]}{cut[1]}{digits[7:]}".translate(as_figures(figures))
    left = redact(f"{before}{written}{after}").text
    assert not re.search(r"\d{3}", left)
    assert left == f"{before}{HIDDEN}{after}"


@given(
    digits=st.from_regex(r"0[35789][0-9]{8}", fullmatch=True),
    sign=st.sampled_from([sign for sign in SIGNS if sign.strip() not in (",", "，")]),  # with commas it is a list
    size=st.sampled_from([1, 2, 5]),
)
def test_no_mobile_number_stays_in_whatever_portions(digits: str, sign: str, size: int) -> None:
    written = sign.join(digits[at : at + size] for at in range(0, 10, size))
    assert redact(f"gọi {written} ạ").text == f"gọi {HIDDEN} ạ"


def as_figures(figures: str) -> dict[int, str]:
    """Map the ten figures to those of another script."""
    return str.maketrans("0123456789", figures)


# The fourth figure is sex and century, 0 to 3 until the year 2100; 0084… is a telephone number of Vietnam.
@given(
    digits=st.from_regex(r"0[0-9]{2}[0-3][0-9]{8}", fullmatch=True),
    sign=st.sampled_from(SIGNS),
    figures=st.sampled_from(FIGURES),
    around=st.sampled_from(["{}", "cccd {}", "số{}ạ", "({})"]),
)
def test_no_identity_number_stays(digits: str, sign: str, figures: str, around: str) -> None:
    written = sign.join(re.findall("...", digits)).translate(as_figures(figures))
    found = redact(around.format(written))
    assert found.text == around.format(HIDDEN)
    assert found.secrets == ("identity",)


@hypothesis_settings(deadline=None, max_examples=examples(5))
@given(
    piece=st.sampled_from(
        [
            "1",
            "1 ",
            "a1",
            "mk ",
            "mật khẩu của ",
            "otp ",
            "a@",
            "1.",
            "a.",
            "-1",
            "0",
            "0 ",
            "0,",
            "0   ",
            "09,",
            "0912,345,678,",
            "0912345678 ",
            "84 ",
            "(0",
            "135/",
            "4111,",
            "0️⃣",
        ]
    )
)
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    redact(piece * (20_000 // len(piece)))
    assert time.perf_counter() - begun < 2


def test_signs_around_a_figure_take_no_long_time() -> None:
    begun = time.perf_counter()
    for about in (". ", "- ", "mã ", "la. "):
        redact(about * 60 + "1234" + about * 60 + "x")
    assert time.perf_counter() - begun < 0.5
