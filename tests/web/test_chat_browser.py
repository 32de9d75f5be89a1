"""A citizen's walk in a real browser on a phone's screen, and what a screen reader and a keyboard find there.

Set PICTURES to a folder to keep the screens of the walk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from bot.library.knowledge import Knowledge
from tests.conftest import copy_learned
from tests.support.processes import RunningBot, running_bot

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PHONE = {"width": 360, "height": 740}

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("the browser tests need Chromium: apt-get install chromium", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
expect.set_options(timeout=30_000)  # a chart is drawn while other tests have the processor


@pytest.fixture
def bot(tmp_path: Path, knowledge: Knowledge) -> Iterator[RunningBot]:
    copy_learned(tmp_path)
    with running_bot(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, bot: RunningBot) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, locale="vi-VN", has_touch=True, reduced_motion="reduce")  # type: ignore[arg-type]
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda m: problems.append(m.text) if "Content Security Policy" in m.text else None)
    opened.on("request", lambda r: problems.append(r.url) if not r.url.startswith((bot.url, "data:")) else None)
    opened.goto(bot.url)
    expect(log(opened)).to_contain_text("trợ lý tự động")
    yield opened
    context.close()
    assert not problems, problems


def log(page: Page) -> Locator:
    return page.get_by_role("log")


def say(page: Page, text: str, expected: str) -> None:
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")
    expect(log(page)).to_contain_text(expected)


def press(page: Page, label: str, expected: str) -> None:
    page.get_by_role("button", name=label, exact=True).last.click()
    expect(log(page)).to_contain_text(expected)


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def reports(bot: RunningBot, district: str) -> int:
    for line in bot.command("counts", "--format", "csv").splitlines()[1:]:
        cells = line.split(",")
        if cells[1] == district:
            return int(cells[3])
    raise AssertionError(district)


# Vague on purpose; which of them the search is unsure about may change with the content.
VAGUE, MEANT = "thong tin cua toi bi sai", "error-info-incorrect"


def test_a_citizens_walk(page: Page, bot: RunningBot, knowledge: Knowledge) -> None:
    picture(page, "web-chat-start")
    say(page, "cai tren may samsung", "CH Play")
    picture(page, "web-chat-answer")
    say(page, VAGUE, "Bạn muốn hỏi việc nào dưới đây?")
    picture(page, "web-chat-suggest")
    suggested = knowledge.library.articles[MEANT]
    press(page, suggested.title.vi, suggested.answer.vi.splitlines()[0].replace("**", ""))
    say(page, "/baocai", "Nếu bạn đồng ý, tôi lưu: bạn dùng sổ nào")
    press(page, "Tôi đồng ý", "Bạn sống ở huyện, thành phố nào")
    say(page, "vinh tuong", "Đã ghi nhận: ứng dụng năm 2021, huyện Vĩnh Tường")
    picture(page, "web-chat-report")
    assert (reports(bot, "vinh-tuong"), reports(bot, "yen-lac")) == (1, 0)
    press(page, "Sửa lượt báo đã cài", "ứng dụng năm 2021, huyện Vĩnh Tường")
    press(page, "Đổi huyện, thành phố", "Bạn sống ở huyện")
    say(page, "Yên Lạc", "nay được tính cho huyện Yên Lạc")
    assert (reports(bot, "vinh-tuong"), reports(bot, "yen-lac")) == (0, 1)
    press(page, "Dữ liệu của tôi", "Lượt báo của bạn: ứng dụng năm 2021, huyện Yên Lạc")
    picture(page, "web-chat-my-data")
    press(page, "Xóa tất cả", "Bạn có chắc")
    press(page, "Có, xóa tất cả", "đã được xóa lúc")
    expect(log(page)).not_to_contain_text("Yên Lạc")  # the screen forgets, too
    assert reports(bot, "vinh-phuc") == 0


def test_a_restart_of_the_server_loses_nothing_on_the_screen(page: Page, bot: RunningBot) -> None:
    say(page, "/baocai", "Nếu bạn đồng ý")
    bot.kill()
    page.get_by_role("button", name="Tôi đồng ý").click()
    expect(page.locator("body")).to_contain_text("Đang chờ kết nối")
    bot.start()
    expect(log(page)).to_contain_text("Bạn sống ở huyện, thành phố nào", timeout=30_000)
    page.reload()
    expect(log(page)).to_contain_text("Nếu bạn đồng ý, tôi lưu: bạn dùng sổ nào")
    say(page, "vneid, tam đảo", "huyện Tam Đảo")
    assert reports(bot, "tam-dao") == 1


def test_the_page_speaks_english(page: Page, bot: RunningBot) -> None:
    page.get_by_role("link", name="English").click()
    expect(page).to_have_title("Health book assistant")
    expect(log(page)).to_contain_text("From now on I answer in English")
    press(page, "Main menu", "What would you like to do?")


def test_keyboard_alone_is_enough(page: Page) -> None:
    page.keyboard.press("Tab")  # the first stop skips to the message box
    page.keyboard.press("Enter")
    page.keyboard.type("quên mật khẩu")
    page.keyboard.press("Enter")
    expect(log(page)).to_contain_text("Quên mật khẩu ứng dụng")


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    say(page, "cai tren may samsung", "CH Play")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"web-chat-{width}")


def test_an_invitation_link_works_once_and_leaves_the_address(page: Page, bot: RunningBot) -> None:
    link = next(line for line in bot.command("invite", "--role", "admin").splitlines() if line.startswith("Web chat"))
    page.goto(bot.url + "/?s=" + link.rpartition("?s=")[2])
    expect(log(page)).to_contain_text("Bạn đã là quản trị viên")
    assert "moi_" not in page.url
    say(page, "/thongke", "Chọn huyện")
