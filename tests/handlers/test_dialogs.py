"""Whole conversations as tables: what a citizen says or presses, and what must stand in the answer."""

from __future__ import annotations

import pytest

from bot import access
from bot.runtime.build import Service
from tests.conftest import Talk

# ("says", …) or ("[button", …): the text typed, or the beginning of a button's label after "["; then what must be read.
Table = list[tuple[str, str]]

DIALOGS: dict[str, Table] = {
    "greeting": [
        ("/start", "trợ lý tự động"),
        ("/start", "Sổ sức khỏe điện tử trên VNeID, miễn phí"),
        ("[Tài liệu chính thức năm 2021", "https://tiemchungcovid19.gov.vn/portal/user-manual"),
        ("/menu", "Bạn muốn làm gì"),
        ("[Hướng dẫn mở sổ trên VNeID", "https://tiemchungcovid19.gov.vn/portal/user-manual"),
    ],
    "report by typed district, corrected, withdrawn": [
        ("/baocai", "Nếu bạn đồng ý, tôi lưu: bạn dùng sổ nào, huyện"),
        ("đồng ý", "Bạn sống ở huyện"),
        ("vinh tuong", "Bạn đã cài hoặc mở sổ nào"),
        ("[Sổ trong VNeID", "Đã ghi nhận: sổ trong VNeID, huyện Vĩnh Tường"),
        ("/baocai", "Bạn đã báo ngày 23/11/2026: sổ trong VNeID, huyện Vĩnh Tường"),
        ("[Đổi huyện", "Bạn sống ở huyện"),
        ("Yên Lạc", "nay được tính cho huyện Yên Lạc"),
        ("/suabaocai", "huyện Yên Lạc"),
        ("[Tôi chưa cài", "Đã rút lại"),
        ("/suabaocai", "Bạn chưa báo đã cài lần nào"),
    ],
    "report of a commune that lies in two districts": [
        ("/baocai", "Nếu bạn đồng ý"),
        ("[Tôi đồng ý", "Bạn sống ở huyện"),
        ("xã Sơn Đông", "Tên này có ở nhiều huyện"),
        ("[Huyện Sông Lô", "Bạn đã cài hoặc mở sổ nào"),
        ("[Cả hai", "ứng dụng năm 2021 và sổ trong VNeID, huyện Sông Lô"),
    ],
    "report declined": [
        ("/baocai", "Việc báo là tự nguyện"),
        ("[Tôi không đồng ý", "tôi không ghi nhận gì cả"),
        ("/suabaocai", "Bạn chưa báo đã cài lần nào"),
    ],
    "a place that does not exist is asked again": [
        ("/baocai", "Nếu bạn đồng ý"),
        ("[Tôi đồng ý", "Bạn sống ở huyện"),
        ("Hà Giang", "chưa nhận ra nơi này"),
        ("[Huyện Tam Đảo", "Bạn đã cài hoặc mở sổ nào"),
        ("app cũ", "Đã ghi nhận: ứng dụng năm 2021, huyện Tam Đảo"),
    ],
    "a question in the middle of a report is answered": [
        ("/baocai", "Nếu bạn đồng ý"),
        ("[Tôi đồng ý", "Bạn sống ở huyện"),
        ("tôi quên mật khẩu rồi", "Quên mật khẩu"),
    ],
    "numbers choose": [
        ("/baocai", "Nếu bạn đồng ý"),
        ("1", "Bạn sống ở huyện"),
        ("số 8", "Bạn đã cài hoặc mở sổ nào"),
        ("2", "ứng dụng năm 2021, huyện Vĩnh Tường"),
    ],
    "a forged or stale button": [
        ("/start", "Chào bạn"),
        ("[!report:district:vinh-tuong", "Nếu bạn đồng ý"),
        ("[!report:district:ha-noi", "Lựa chọn này không còn nữa"),
        ("[!article:nothing", "Lựa chọn này không còn nữa"),
        ("[!nonsense", "Bạn muốn làm gì"),
        ("[!/nonsense", "Bạn muốn làm gì"),
    ],
    "two misses offer a person": [
        ("giá vàng hôm nay bao nhiêu", "không muốn đoán mò"),
        ("kết quả bóng đá tối qua", "cán bộ có thể hỗ trợ bạn"),
        ("[Gặp cán bộ", "việc cần cán bộ giúp"),
        ("máy tôi bị treo ở bước đăng ký", "chưa có cán bộ nào đăng ký với trợ lý này"),
    ],
    "my data: seen, deleted": [
        ("/baocai", "Nếu bạn đồng ý"),
        ("có", "Bạn sống ở huyện"),
        ("TP Vĩnh Yên", "Bạn đã cài hoặc mở sổ nào"),
        ("vneid", "sổ trong VNeID, thành phố Vĩnh Yên"),
        ("/dulieu", "Lượt báo của bạn: sổ trong VNeID, thành phố Vĩnh Yên, ngày 23/11/2026"),
        ("[Xóa tất cả", "Bạn có chắc"),
        ("[Có, xóa tất cả", "mọi thứ tôi lưu về bạn đã được xóa lúc 12:00, 23/11/2026"),
        ("/dulieu", "Chưa lưu gì"),
    ],
    "deletion can be called off": [
        ("/start", "Chào bạn"),
        ("/dulieu", "Những gì tôi lưu về bạn"),
        ("[Xóa tất cả", "Bạn có chắc"),
        ("[Không, giữ lại", "Những gì tôi lưu về bạn"),
    ],
    "language": [
        ("/ngonngu", "Bạn muốn dùng ngôn ngữ nào"),
        ("[English", "From now on I answer in English"),
        ("/help", "What would you like to do"),
        ("/language vi", "Từ giờ tôi trả lời bằng tiếng Việt"),
    ],
    "English is answered in English": [
        ("how do i install the app on an Android phone", "2021 app · Install on an Android phone"),
    ],
    "reminders only when asked for, stopped by one word": [
        ("/nhacnho", "Bạn không nhận tin nhắc. Nếu bạn đồng ý"),
        ("[Có, hãy nhắc tôi", "Đã bật tin nhắc"),
        ("/nhacnho", "Bạn đang nhận tin nhắc"),
        ("DUNG", "Đã ngừng"),
        ("/nhacnho", "Bạn không nhận tin nhắc"),
    ],
    "secrets are warned about": [
        ("mã OTP của tôi là 482913", "Bạn đừng gửi mật khẩu, mã OTP"),
        ("026199001234", "Bạn đừng gửi mật khẩu, mã OTP"),
        ("mật khẩu của tôi là Hoa@1990", "Bạn đừng gửi mật khẩu, mã OTP"),
    ],
    "officers only": [
        ("/thongke", "chỉ dành cho cán bộ"),
        ("/hopthu", "chỉ dành cho cán bộ"),
        ("/start moi_abcdefghijklmnop", "Mã mời này không đúng"),
    ],
    "figures for everybody": [
        ("/tiendo", "67.750 máy đã cài ứng dụng, bằng 8,58% số người trên 18 tuổi, xếp thứ 44/63"),
        ("/tiendo", "còn quá ít"),
    ],
    "topics": [
        ("/chude", "Bạn muốn hỏi về chủ đề nào"),
        ("[Cài ứng dụng", "Cài ứng dụng"),
        ("[Cài trên iPhone", "App Store"),
        ("[Xem thêm", "Cài trên iPhone"),
    ],
    "feedback": [
        ("cài trên máy Samsung thế nào", "CH Play"),
        ("[Chưa có ích", "tôi đã ghi lại"),
    ],
    "a guided walk, stuck, helped, on to the rest": [
        ("/huongdan", "Bạn cần làm việc nào"),
        ("[Mở Sổ sức khỏe trong VNeID", "Bước 1/9"),
        ("[Không thấy", "Trên máy của bạn thế nào"),
        ("[Không có nút Cập nhật", "Bước 2/9"),
        ("[Xong", "Bước 3/9"),
        ("xong", "Bạn đã xong chặng 1/3"),
        ("[Làm tiếp", "Bước 4/9"),
        ("[Bị lỗi", "Máy của bạn hiện gì"),
        ("[Tôi mở ứng dụng năm 2021", "Sổ ta đang mở nằm trong VNeID"),
        ("[Quay lại bước 4", "Bước 4/9"),
        ("[Dừng", "ta dừng ở bước 4/9"),
        ("[Làm tiếp từ bước 4", "Bước 4/9"),
    ],
    "odd input": [
        ("/khongco", "Tôi không biết lệnh này"),
        ("\u202e\u200b", "Bạn vui lòng viết câu hỏi bằng vài chữ"),
        ("x" * 2001, "nhiều nhất 2.000 ký tự"),
        ("<b>**đậm**</b> [x](https://evil.example) &amp;", ""),
    ],
}


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
        assert answered, f"{said!r} was not answered"
        assert "{" not in answered, f"a placeholder was left in {answered!r}"


async def test_sticker_gets_a_kind_sentence(talk: Talk) -> None:
    assert "chỉ đọc được chữ" in await talk.say(attachment="sticker")


async def test_officers_see_sources_and_gaps(talk: Talk, service: Service) -> None:
    await talk.say("giá vàng hôm nay bao nhiêu")
    code = await access.invite(service.store, role="officer", scope="yen-lac", at=service.clock(), actor="test")
    assert "cán bộ phụ trách huyện Yên Lạc" in await talk.say(f"/start moi_{code}")
    assert "Mã mời này không đúng" in await talk.say(f"/start moi_{code}")  # it works once
    assert "1 × giá vàng hôm nay bao nhiêu" in await talk.say("/caihoi")
    assert "Dành cho cán bộ: chưa xác nhận, đối chiếu nguồn ngày 01/12/2026" in await talk.say("cài trên máy Samsung")
    counted = await talk.say("/thongke")
    assert "Huyện Yên Lạc: dưới 5 người báo đã cài (0,00% số người lớn ước tính)" in counted
    assert "Vĩnh Tường" not in counted
