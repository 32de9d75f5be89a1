"""Questions that name one of the two health books are never answered by an article of the other.

The questions were written after the articles, from what people ask at a counter, and no article was tuned on them.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.library.render import headline
from bot.runtime.build import Service
from tests.conftest import Talk

Another = Callable[[str], Talk]

VNEID = [
    "quên mật khẩu vneid thì lấy lại sao ạ",
    "VNeID bắt nhập mã OTP mà chờ mãi chẳng thấy tin nhắn về",
    "nhap otp vao vneid no cu bao khong hop le",
    "tôi đổi sim mới rồi, giờ VNeID vẫn gửi mã về số cũ, đổi số ở đâu",
    "Máy mới mua đăng nhập VNeID có mất dữ liệu ở máy cũ không",
    "vneid báo lỗi kết nối hoài, không vào được ad ơi",
    "VNeID của mẹ tôi mở lên trắng xóa rồi tự thoát",
    "cách đăng ký tài khoản VNeID cho người mới lần đầu dùng điện thoại thông minh",
    "dang nhap vneid bao sai mat khau du toi go dung",
    "xem lại mũi tiêm covid trên vneid ở mục nào",
    "VNeID không hiện chứng nhận tiêm của tôi dù tôi tiêm đủ ba mũi",
    "trên VNeID họ tên tôi bị sai dấu thì sửa ở đâu",
    "ngày sinh của bố em trong vneid ghi nhầm năm, giờ nhờ ai sửa",
    "làm sao thêm con nhỏ vào VNeID của mẹ",
    "em muốn lập sổ sức khỏe cho ông bà bằng VNeID của em được không",
    "cả nhà tôi dùng chung một số điện thoại thì đăng ký VNeID kiểu gì",
    "VNeID báo số điện thoại này đã được dùng cho người khác",
    "Xóa hẳn tài khoản VNeID thì làm thế nào",
    "thẻ bhyt của tôi quét trên vneid không được, phải gõ tay à",
    "vneid ko quét đc mã trên thẻ căn cước r",
    "điện thoại đời cũ Android 6 cài VNeID được không",
    "cài vneid báo máy không tương thích",
    "tải VNeID ở đâu cho đúng, tìm ra mấy cái giống nhau",
    "iPhone 6 của ông nội có cài được vneid không bạn",
    "Tôi là người Hàn Quốc ở Bình Xuyên, có passport thôi, dùng VNeID được không?",
    "cho hỏi sổ sức khỏe trên VNeID trống trơn là vì sao",
    "khám ở phòng khám tư mà VNeID không thấy ghi gì cả",
    "đi viện tỉnh đưa VNeID thay sổ khám bệnh giấy được chưa",
    "bác sĩ bảo mở đơn thuốc cũ trong vneid mà tôi tìm không ra chỗ",
    "ai xem được bệnh của tôi trên VNeID, cơ quan có biết không",
    "Tôi cài app định danh rồi mà không thấy mục sổ sức khỏe đâu",
    "ứng dụng định danh của công an đòi passcode, tôi có đặt bao giờ đâu",
    "app công an bắt quét khuôn mặt mãi không nhận",
    "mk mất đt r, vô lại vnid bằng cách nào",
    "VN eID hỏi mức 2, mức 2 là phải ra xã làm à",
    "gỡ VNeID cài lại thì mấy giấy tờ tích hợp có còn không",
    "Hôm trước có người gọi bảo cập nhật VNeID không thì khóa thẻ BHYT, có thật không",
    "vneid co lay duoc giay chuyen vien khong hay van phai xin giay",
    "Cô y tá dặn xem lịch tái khám trong VNeID, tôi bấm chỗ nào để xem lịch ấy",
    "How do I reset my password in VNeID?",
]
APP = [
    "quên mật khẩu app sổ sức khỏe điện tử hồi 2021",
    "ứng dụng năm 2021 không gửi mã OTP cho tôi",
    "app tiêm chủng cũ nhập otp báo sai",
    "đổi số điện thoại trong ứng dụng 2021 thế nào",
    "app 2021 đăng nhập không vào, mật khẩu đúng mà",
    "ứng dụng tiêm chủng ngày xưa mở lên bị văng",
    "xóa tài khoản app cũ hồi dịch ấy",
    "ung dung nam 2021 bao loi ket noi",
    "app cũ báo số điện thoại đã đăng ký",
    "sửa ngày sinh trong app tiêm chủng 2021",
    "mã qr cá nhân trong ứng dụng 2021 nằm đâu",
    "cài lại app năm 2021 có mất mũi tiêm không",
    "thêm con vào app tiêm chủng 2021 được không",
    "app sổ sức khỏe của Viettel làm năm 2021 quét thẻ bảo hiểm không được",
    "Tìm app 2021 trên CH Play ra hai cái, cái nào của Bộ Y tế",
    "tải ứng dụng năm 2021 về iPhone",
    "chứng nhận trong app tiêm chủng sai tên tôi",
    "app cu hoi covid thieu mot mui cua toi",
    "đăng ký tài khoản ứng dụng 2021 cần giấy tờ gì",
    "I forgot the password of the 2021 health book app",
]


async def answered_by(other: str, questions: list[str], service: Service, another: Another) -> dict[str, str]:
    """Return the questions that an article of the other book answered, each asked by a new person, with its title."""
    catalogue, library = service.catalogues["vi"], service.content_store.knowledge.library
    english = service.catalogues["en"]
    titles = {
        headline(article, written)
        for article in library.articles.values()
        if article.product == other
        for written in (catalogue, english)
    }
    wrong = {}
    for number, question in enumerate(questions):
        first = (await another(f"citizen-{number}").say(question)).partition("\n")[0]
        if first in titles:
            wrong[question] = first
    return wrong


async def test_vneid_questions_get_no_answer_about_2021_app(service: Service, another: Another) -> None:
    assert await answered_by("app", VNEID, service, another) == {}


async def test_2021_app_questions_get_no_answer_about_vneid(service: Service, another: Another) -> None:
    assert await answered_by("vneid", APP, service, another) == {}


def test_there_are_enough_questions_of_both_books() -> None:
    assert (len(set(VNEID)), len(set(APP))) == (40, 20)
