"""What is cut out of a citizen's words before they are kept, and what may stay."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.redaction import HIDDEN, redact

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
    # identity numbers
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
    ("STK 19036512345678 Techcombank", "STK … Techcombank", ("bank",)),
    ("thẻ DN4262620123456", "thẻ DN…", ("bank",)),
    # one-time codes
    ("482913", "…", ("otp",)),
    (" 482913. ", " …. ", ("otp",)),
    ("482 913", "…", ("otp",)),
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
    "8,58%",
    "xếp thứ 44/63",
    "2021",
    "năm 2021-2022",
    "2021 - 2022",
    "ngày 10/10/2021",
    "ngày 10-10-2021",
    "10.10.2021",
    "2021-10-10",
    "10-10-21",
    "lúc 08:30 đến 11:30",
    "từ 08.30 - 11.30",
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


@given(
    before=st.sampled_from(["", "sđt ", "sdt", "gọi em:", "(", "...", "/", "ạ,"]),
    digits=st.from_regex(r"0[35789][0-9]{8}", fullmatch=True),
    cut=st.lists(st.sampled_from(["", " ", ".", "-"]), min_size=2, max_size=2),
    after=st.sampled_from(["", " ạ", "nhé", ".", ")", "?", ", cảm ơn"]),
)
def test_no_mobile_number_stays_however_it_is_written(before: str, digits: str, cut: list[str], after: str) -> None:
    written = f"{digits[:4]}{cut[0]}{digits[4:7]}{cut[1]}{digits[7:]}"
    left = redact(f"{before}{written}{after}").text
    assert not re.search(r"\d{3}", left)
    assert left == f"{before}{HIDDEN}{after}"


# The fourth figure is sex and century, 0 to 3 until the year 2100; 0084… is a telephone number of Vietnam.
@given(
    digits=st.from_regex(r"0[0-9]{2}[0-3][0-9]{8}", fullmatch=True),
    around=st.sampled_from(["{}", "cccd {}", "số{}ạ", "({})"]),
)
def test_no_identity_number_stays(digits: str, around: str) -> None:
    found = redact(around.format(digits))
    assert found.text == around.format(HIDDEN)
    assert found.secrets == ("identity",)


@hypothesis_settings(deadline=None, max_examples=5)
@given(piece=st.sampled_from(["1", "1 ", "a1", "mk ", "mật khẩu của ", "otp ", "a@", "1.", "a.", "-1"]))
def test_a_long_text_takes_no_long_time(piece: str) -> None:
    begun = time.perf_counter()
    redact(piece * (20_000 // len(piece)))
    assert time.perf_counter() - begun < 2
