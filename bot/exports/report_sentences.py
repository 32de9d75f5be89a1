"""What the official report says: sentences that state only what the figures show."""

from __future__ import annotations

from bot.exports.report_figures import Figures
from bot.exports.report_periods import Period
from bot.exports.wording import SPACE, capital, clock_time, day, joined, moved, number, people, percent
from bot.library.regions import Baseline
from bot.statistics.counts import OfficialFigure

_PERCENT_FROM = 50  # people


def result_sentences(figures: Figures) -> list[str]:
    """Say what the period brought, and where things stand at its end."""
    whole, period, step = figures.whole, figures.period, figures.step
    told = "tự báo với trợ lý tự động là đã cài đặt Sổ sức khỏe điện tử"
    when = capital(str(period))
    if whole.now > 0:
        first = f"{when}, có thêm {people(whole.now)} {told}."
    elif whole.now < 0:
        first = f"{when}, số người {told} giảm {people(-whole.now)}, do có người rút lại, sửa hoặc xóa báo cài."
    elif step > 1:
        first = f"{when}, số người {told} (đã làm tròn) không thay đổi."
    else:
        first = f"{when}, số người {told} không thay đổi."
    until = f"Lũy kế đến hết ngày{SPACE}{day(period.until)}"
    if whole.total:
        second = (
            f"{until}, có {people(whole.total)} tự báo, bằng {percent(whole.share)} số người từ đủ 18{SPACE}tuổi "
            f"trở lên (ước tính {people(whole.adults)})."
        )
    elif step > 1:
        where = "chưa" if len(figures.lines) == 1 else "chưa huyện, thành phố nào"
        second = f"{until}, {where} có đủ {people(step)} tự báo."
    else:
        second = f"{until}, chưa có người nào tự báo."
    if step > 1 and whole.total:
        second += f" Các số tự báo được làm tròn xuống bội số của {step} (xem Phần III)."
    return [first, second]


def district_sentences(figures: Figures) -> list[str]:
    """Say where the counts rose, stayed and fell in the period, and which shares are the highest and the lowest."""
    lines = figures.lines
    if len(lines) < 2 or not any(line.total or line.now for line in lines):
        return []
    parts = []
    for word, sign in (("tăng", 1), ("không thay đổi", 0), ("giảm", -1)):
        names = [line.name for line in lines if (line.now > 0) - (line.now < 0) == sign]
        if len(names) == len(lines):
            parts = [f"{word} tại cả {len(lines)} huyện, thành phố"]
        elif names:
            count = f" {len(names)}/{len(lines)} huyện, thành phố" if sign == 1 else f" {joined(names)}"
            parts.append(f"{word} tại{count}")
    said = [f"Trong kỳ, số người tự báo {'; '.join(parts)}."]
    shares = {line.share for line in lines}
    if len(shares) > 1:
        ends = []
        for word, share in (("cao nhất", max(shares)), ("thấp nhất", min(shares))):
            names = [line.name for line in lines if line.share == share]
            much = f"chưa đủ {people(figures.step)} tự báo" if share == 0 else percent(share)
            ends.append(f"{word} là {joined(names)} ({much})")
        said.append(f"Tỷ lệ lũy kế {ends[0]}; {ends[1]}.")
    return said


def change_sentence(now: int, before: int, period: Period) -> str:
    """Say how the period compares with the one before, and no more than the two numbers show."""
    earlier = f"kỳ trước ({period.before})"
    if now == before == 0:
        return f"Số người tự báo không thay đổi trong kỳ này và trong {earlier}."
    this = moved(now)
    if now == before:
        return f"Trong kỳ, {this}, bằng {earlier}."
    if now <= 0 or before <= 0:
        return f"Trong kỳ, {this}; trong {earlier}, {moved(before)}."
    word = "nhiều hơn" if now > before else "ít hơn"
    # Per cent of a few people would sound more exact than it is.
    share = f" ({percent(abs(now - before) / before, 1)})" if before >= _PERCENT_FROM else ""
    return f"Trong kỳ, {this}, {word} {people(abs(now - before))}{share} so với {earlier}, khi {moved(before)}."


def baseline_sentences(baseline: Baseline) -> list[str]:
    """Put the letter's figure beside, without calculating across two ways of counting."""
    date, month = day(baseline.date), f"{baseline.date.month}/{baseline.date.year}"
    return [
        f"Theo văn bản tháng{SPACE}{month} của tỉnh, tính đến ngày{SPACE}{date} có {number(baseline.phones)}{SPACE}"
        f"máy đã cài đặt ứng dụng, bằng {percent(baseline.share / 100)} số người trên 18{SPACE}tuổi, "
        f"xếp thứ {baseline.rank}/{baseline.provinces} tỉnh, thành phố.",
        "Số liệu nêu trên đếm số máy đã cài đặt, số tự báo đếm số người nhắn cho trợ lý tự động. Hai cách đếm khác "
        "nhau, nên hai số được đặt cạnh nhau để tham khảo, không cộng, không trừ với nhau.",
    ]


def official_sentence(official: OfficialFigure, adults: int) -> str:
    """State the latest official figure."""
    return (
        f"Số liệu chính thức gần nhất, ngày{SPACE}{day(official.day)}: {number(official.phones)}{SPACE}máy "
        f"đã cài đặt, bằng {percent(official.phones / adults)} số người từ đủ 18{SPACE}tuổi trở lên (ước tính). "
        "Số máy và số người tự báo không cùng cách đếm."
    )


def method_sentences(figures: Figures) -> list[str]:
    """Say how the figures came about and what they cannot tell."""
    made, step = figures.made_at, figures.step
    said = [
        "Số tự báo: số liệu do người dân tự báo với trợ lý tự động, không phải số liệu chính thức. Trợ lý không kiểm "
        "tra được điện thoại đã cài đặt hay chưa; người đã cài đặt mà không báo thì không có trong số này.",
        "Cách đếm: mỗi người được đếm một lần; tài khoản ở nhiều kênh chỉ được đếm chung khi người dân đã liên kết "
        "chúng với nhau. Số của một kỳ là hiệu của số cuối kỳ và số đầu kỳ, nên giảm khi có người rút lại, sửa hoặc "
        f"xóa. Số liệu lấy lúc {clock_time(made)} ngày{SPACE}{day(made.date())}.",
        "Địa bàn: huyện, thành phố nơi người dân cho biết đang sống, theo địa giới hành chính trước ngày 01/7/2025.",
        f"Mẫu số: số người từ đủ 18{SPACE}tuổi trở lên là ước tính, suy từ văn bản tháng 10/2021 và chia cho các "
        "huyện, thành phố theo tỷ trọng dân số ngày 01/4/2019. Hạng xếp theo tỷ lệ lũy kế; tỷ lệ bằng nhau "
        "thì cùng hạng.",
    ]
    if step > 1:
        said.append(
            f"Bảo vệ dữ liệu cá nhân: số tự báo lũy kế của mỗi huyện, thành phố được làm tròn xuống bội số của {step} "
            "trước khi cộng và so sánh, nên có thể nhỏ hơn số thật; số trong kỳ của mỗi huyện, thành phố có thể lệch "
            f"đến {people(step - 1)}."
        )
    counted = "Câu hỏi và việc nhờ cán bộ giải đáp được đếm theo lượt, không theo người"
    few = f"; số lượt nhờ cán bộ được làm tròn xuống bội số của {step}, dưới {2 * step}{SPACE}lượt thì không nêu số"
    said.append(f"{counted}{few if step > 1 else ''}.")
    return said
