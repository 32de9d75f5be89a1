"""The desk in a real browser, on a phone and on a large screen, with a simulated year: looks, reach, and axe.

Set PICTURES to a folder to keep the screens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot.library.knowledge import Knowledge
from tests.conftest import copy_learned
from tests.support.processes import RunningBot, running_bot
from tests.web.test_chat_browser import ARGUMENTS, CHROMIUM

if CHROMIUM is None and os.environ.get("CI") == "true":
    pytest.fail("the browser tests need Chromium: apt-get install chromium", pytrace=False)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")

SCREENS = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 900}}
PAGES = {
    "today": "/desk/",
    "districts": "/desk/districts",
    "district": "/desk/districts/yen-lac",
    "guides": "/desk/guides",
    "broadcasts": "/desk/broadcasts",
    "inbox": "/desk/inbox",
    "inbox-filtered": "/desk/inbox?state=closed&days=90&q=kh%C3%B4ng",
    "answering": "/desk/inbox/answering",
    "replies": "/desk/replies",
    "content": "/desk/content?q=qu%C3%AAn+m%E1%BA%ADt+kh%E1%BA%A9u",
    "article": "/desk/content/forgot-password",
    "exports": "/desk/exports",
    "people": "/desk/people",
    "audit": "/desk/audit?check=1",
}
CHROME_SECONDS = 60


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge) -> Iterator[RunningBot]:
    data = tmp_path_factory.mktemp("desk")
    copy_learned(data)
    # People are written to at any hour here, since nobody is real.
    with running_bot(data, BOT_REMINDERS__QUIET_FROM="00:00", BOT_REMINDERS__QUIET_UNTIL="00:00") as running:
        running.made = running.command("demo-data", "--people", "3000")  # type: ignore[attr-defined]
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


def enter(browser: Browser, bot: RunningBot, screen: str) -> Page:
    context = browser.new_context(viewport=SCREENS[screen], locale="vi-VN")  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(CHROME_SECONDS * 1000)
    number = re.search(r"--person (\d+)", bot.made)  # type: ignore[attr-defined]
    assert number is not None
    key = bot.command("desk-link", "--person", number[1]).strip().rpartition("?key=")[2]
    page.goto(f"{bot.url}/desk/in?key={key}")
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Hôm nay")).to_be_visible()
    return page


def look(page: Page, name: str, screen: str) -> None:
    """Keep the screen where wanted; it must fit, and axe find nothing."""
    page.evaluate("document.fonts.ready")
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"desk-{name}-{screen}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREENS[screen]["width"], name
    found = Axe().run(page)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_is_accessible_fits_the_screen_and_breaks_no_policy(
    browser: Browser, bot: RunningBot, screen: str
) -> None:
    page = enter(browser, bot, screen)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for name, address in PAGES.items():
        page.goto(bot.url + address)
        expect(page.get_by_role("note")).to_contain_text("SỐ LIỆU MÔ PHỎNG")
        look(page, name, screen)
    page.goto(f"{bot.url}/desk/inbox")
    page.get_by_role("link", name=re.compile("Tin nhắn số")).first.click()
    look(page, "talk", screen)
    page.get_by_role("button", name=re.compile("^Nhận")).click()
    page.get_by_label("Câu trả lời gửi người dân").fill("Chào bạn, mời bạn mang máy ra xã.")
    look(page, "talk-in-hand", screen)
    page.get_by_role("button", name="Gửi câu trả lời").click()
    expect(page.get_by_role("listitem").last).to_contain_text("mời bạn mang máy ra xã")
    look(page, "talk-answered", screen)
    page.get_by_label("Ghi chú mới").fill("Đã gọi cho xã.")
    page.get_by_role("button", name="Lưu ghi chú").click()
    page.get_by_label("Nhãn mới").fill("mang máy ra xã")
    page.get_by_role("button", name="Gắn nhãn").click()
    look(page, "talk-noted", screen)
    page.get_by_role("link", name="Người khác cùng việc này").click()
    look(page, "same-matter", screen)
    page.go_back()
    page.get_by_role("button", name="Chuyển người khác").click()
    look(page, "hand-over", screen)
    assert not said
    page.context.close()


def test_keys_go_through_the_messages_and_to_the_answer(browser: Browser, bot: RunningBot) -> None:
    page = enter(browser, bot, "desktop")
    page.goto(f"{bot.url}/desk/inbox")
    links = page.locator("[data-case]")
    for key, at in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(links.nth(at)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tin nhắn số")
    page.keyboard.press("r")
    expect(page.get_by_role("button", name=re.compile("^Nhận"))).to_be_focused()
    page.get_by_label("Ghi chú mới").focus()
    page.keyboard.press("r")
    expect(page.get_by_label("Ghi chú mới")).to_have_value("r")  # what is typed stays text
    page.context.close()


def test_the_keyboard_reaches_the_content_and_the_next_page(browser: Browser, bot: RunningBot) -> None:
    page = enter(browser, bot, "desktop")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Chuyển thẳng đến nội dung trang")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.get_by_role("link", name="Huyện, thành phố").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Huyện, thành phố")).to_be_visible()
    page.get_by_role("button", name="Đăng xuất").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Bạn đã đăng xuất")
    page.context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_a_message_to_many_is_written_sent_and_watched_on_the_page(
    browser: Browser, bot: RunningBot, screen: str
) -> None:
    page = enter(browser, bot, screen)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{bot.url}/desk/broadcasts")
    page.get_by_role("button", name="Soạn đợt gửi mới").click()
    page.get_by_label("Huyện Yên Lạc" if screen == "phone" else "Huyện Bình Xuyên").check()
    page.get_by_role("button", name="Lưu người nhận").click()
    page.get_by_label("Tự viết: Tiếng Việt").fill("Mời bạn ở {district} cài ứng dụng.\nĐã có {reports} người báo cài.")
    page.get_by_role("button", name="Lưu và tính số người nhận").click()
    look(page, "broadcast-planned", screen)
    page.get_by_label("gửi sau, vào lúc ghi dưới đây").check()
    page.get_by_label("Ngày giờ").fill(f"{date.today() + timedelta(days=30)}T09:00")
    page.get_by_role("button", name=re.compile("^Gửi cho")).click()
    look(page, "broadcast-asked", screen)
    page.get_by_role("button", name="Đồng ý, gửi").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("đã hẹn giờ")
    look(page, "broadcast-scheduled", screen)
    page.get_by_text("Dừng hẳn", exact=True).click()
    look(page, "broadcast-stopping", screen)
    page.get_by_role("button", name="Đồng ý, dừng hẳn").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("đã dừng")

    page.goto(f"{bot.url}/desk/broadcasts")
    page.get_by_role("button", name="Soạn đợt gửi mới").click()
    page.get_by_label("Huyện Tam Đảo" if screen == "phone" else "Huyện Sông Lô").check()
    page.get_by_role("button", name="Lưu người nhận").click()
    page.get_by_label("Tự viết: Tiếng Việt").fill("Mời bạn cài ứng dụng.")
    page.get_by_role("button", name="Lưu và tính số người nhận").click()
    page.get_by_label("gửi ngay khi đến giờ cho phép").check()
    page.get_by_role("button", name=re.compile("^Gửi cho")).click()
    page.get_by_role("button", name="Đồng ý, gửi").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("đã hẹn giờ|đang gửi|đã xong"))
    # The page finds out by itself that all is sent.
    expect(page.get_by_role("heading", name="Kết quả", exact=True)).to_be_visible()
    look(page, "broadcast-done", screen)
    assert not said
    page.context.close()
