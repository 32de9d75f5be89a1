"""Make the pictures of docs/gallery from a year of simulated data: `make gallery`; needs Chromium and LibreOffice."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bot import clock
from bot.clock import local_day
from bot.exports import charts
from bot.i18n.catalogue import load_catalogues
from bot.library.goals import Goal, Goals
from bot.library.regions import load_regions
from bot.statistics import counts
from bot.store import open_store
from tests.support.processes import run_command, running_bot

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "docs" / "gallery"
SCREENS = {"phone": (360, 740), "desktop": (1280, 900)}
PAGES = {
    "today": "/desk/",
    "districts": "/desk/districts",
    "district": "/desk/districts/vinh-tuong",
    "broadcasts": "/desk/broadcasts",
    "broadcast": "/desk/broadcasts/8",
    "draft": "/desk/broadcasts/10",
    "inbox": "/desk/inbox",
    "people": "/desk/people",
    "content": "/desk/content?q=quen+mat+khau",
    "exports": "/desk/exports",
}
# Addresses that nobody has, so that the posters can be looked at and lead nowhere.
DOORS = {
    "BOT_ZALO_OA__LINK": "https://zalo.me/1234567890",
    "BOT_WEB__PUBLIC_URL": "https://hoidap.example.vn",
    "BOT_TELEGRAM__USERNAME": "vi_du_bot",
}
POSTERS = {"poster-VT22-a4": ("VT22", "a4"), "poster-VT62-a5": ("VT62", "a5")}
COLOURS = 96


def keep(picture: bytes, name: str, *, folder: Path = GALLERY) -> None:
    """Keep a picture with few colours, so that the repository stays small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(folder / name, optimize=True)
    print(f"{name}: {(folder / name).stat().st_size // 1024} kB")


def talk(browser: Browser, url: str) -> None:
    """Photograph a citizen's talk for the README: greeting, an answer, a report."""
    width, height, edge = 360, 740, 24
    page = browser.new_page(viewport={"width": width, "height": height}, locale="vi-VN", reduced_motion="reduce")
    page.goto(url)
    sheet = Image.new("RGB", (3 * width + 4 * edge, height + 2 * edge), "#dfe6e4")
    said = (("", "trợ lý tự động"), ("cai tren may samsung", "CH Play"), ("vinh tuong", "Đã ghi nhận"))
    for place, (text, answered) in enumerate(said):
        if answered == "Đã ghi nhận":
            write(page, "/baocai", "Nếu bạn đồng ý")
            page.get_by_role("button", name="Tôi đồng ý").last.click()
            page.get_by_text("Bạn sống ở huyện, thành phố nào").wait_for()
        if text:
            write(page, text, answered)
        picture = Image.open(io.BytesIO(page.screenshot()))
        sheet.paste(picture, (edge + place * (width + edge), edge))
    content = io.BytesIO()
    sheet.save(content, "PNG")
    keep(content.getvalue(), "web-chat.png", folder=ROOT / "docs/pictures")
    page.close()


def write(page: Page, text: str, answered: str) -> None:
    """Say something, and wait for words of the answer."""
    page.get_by_role("textbox").fill(text)
    page.keyboard.press("Enter")
    page.get_by_text(answered).last.wait_for()
    page.mouse.move(0, 0)  # or the button under it looks pressed
    page.wait_for_timeout(500)  # until it stands where it will be read


async def draw_charts(data: Path) -> None:
    """Draw the four charts as an officer of the province sees them; the goal is made up, too."""
    regions = load_regions(ROOT / "content/regions/vinh-phuc.yaml")
    catalogue = load_catalogues(["vi"])["vi"]
    today = local_day(clock.now(), ZoneInfo("Asia/Ho_Chi_Minh"))
    until = today - timedelta(days=1)
    since = until - timedelta(days=89)
    store = open_store(f"sqlite:///{data / 'bot.db'}")
    province = await counts.count_districts(store, regions, today=today, step=5)
    days = counts.every_day(await counts.count_days(store, since=since, until=until, step=5), since=since, until=until)
    goal = Goal(percent=3, until=today + timedelta(days=200))
    goals = Goals(province=goal, districts=goal, province_id=regions.province.id)
    steps = await counts.count_steps(store, today=today, step=5)
    await store.close()
    for name, chart in {
        "ranking": charts.ranking(province, regions, catalogue),
        "growth": charts.growth(days, catalogue, place=catalogue.t("the whole province"), step=5),
        "progress": charts.progress(counts.progress(province, regions, goals, {}), regions, catalogue, step=5),
        "funnel": charts.funnel(steps, catalogue, day=until, step=5),
    }.items():
        keep(await charts.draw(charts.as_simulated(chart, catalogue)), f"chart-{name}.png")


def print_report(data: Path, paper: Path) -> None:
    """Print the report with LibreOffice and keep its pages."""
    command = ["soffice", f"-env:UserInstallation=file://{data}/office", "--headless", "--convert-to", "pdf"]
    subprocess.run([*command, "--outdir", str(data), str(paper)], check=True, capture_output=True)
    shutil.copy(paper, GALLERY / "bao-cao-mo-phong.docx")
    for old in GALLERY.glob(f"{paper.stem}-mo-phong-*.png"):
        old.unlink()
    pages = pypdfium2.PdfDocument(data / f"{paper.stem}.pdf")
    for number in range(len(pages)):
        content = io.BytesIO()
        pages[number].render(scale=1.3).to_pil().save(content, "PNG")
        keep(content.getvalue(), f"bao-cao-mo-phong-{number + 1}.png")


def look(page: Page, name: str, screen: str) -> None:
    """Keep a screen, of a phone twice as high."""
    page.evaluate("document.fonts.ready")
    width, height = SCREENS[screen]
    whole = int(page.evaluate("document.documentElement.scrollHeight"))
    tall = min(whole, height * (2 if screen == "phone" else 1))
    area = {"x": 0, "y": 0, "width": width, "height": tall}
    keep(page.screenshot(full_page=True, clip=area), f"desk-{name}-{screen}.png")  # type: ignore[arg-type]


def print_posters(data: Path) -> None:
    """Make the posters as files for print and as pictures."""
    for name, (code, size) in POSTERS.items():
        for end in ("pdf", "png"):
            made = GALLERY / f"{name}.{end}"
            done = run_command("poster", "--region", code, "--size", size, "--out", str(made), data=data, **DOORS)
            assert done.returncode == 0, done.stderr
            print(f"{made.name}: {made.stat().st_size // 1024} kB")


def write_draft(page: Page, url: str) -> None:
    """Write a message to many and count whom it would reach."""
    page.goto(f"{url}/desk/broadcasts")
    page.get_by_role("button", name="Soạn đợt gửi mới").click()
    page.get_by_label("Huyện Vĩnh Tường").check()
    page.get_by_label("Đã báo hay chưa báo").select_option("unreported")
    page.get_by_label("Tự viết: Tiếng Việt").fill(
        "Mời bạn ở {district} mở sổ trên VNeID và báo tại đây. Đã có {reports} người báo, tính đến {date}."
    )
    page.get_by_role("button", name="Lưu và tính số người nhận").click()


def print_page(page: Page, url: str) -> None:
    """Print the first page of the desk on A4 and keep how it looks."""
    page.goto(f"{url}/desk/")
    paper = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
    content = io.BytesIO()
    paper[0].render(scale=1.3).to_pil().save(content, "PNG")
    keep(content.getvalue(), "desk-today-print.png")


def main() -> int:
    """Make everything anew in a folder that is thrown away."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, running_bot(Path(folder)) as bot:
        data = Path(folder)
        made = bot.command("demo-data")
        officer = re.search(r"--person (\d+)", made)
        assert officer is not None  # the command always names them
        bot.command("report", "--out", str(data / "bao-cao.docx"))
        print_report(data, data / "bao-cao.docx")
        print_posters(data)
        asyncio.run(draw_charts(data))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            talk(browser, bot.url)
            for screen, (width, height) in SCREENS.items():
                page = browser.new_page(viewport={"width": width, "height": height}, locale="vi-VN")
                key = bot.command("desk-link", "--person", officer[1]).strip().rpartition("?key=")[2]
                page.goto(f"{bot.url}/desk/in?key={key}")
                page.get_by_role("button", name="Đăng nhập").click()
                page.wait_for_selector(".pictures svg", timeout=60_000)
                if screen == "phone":
                    write_draft(page, bot.url)
                    print_page(page, bot.url)
                for name, address in PAGES.items():
                    page.goto(bot.url + address, timeout=60_000)
                    look(page, name, screen)
                page.goto(f"{bot.url}/desk/inbox")
                page.get_by_role("link", name=re.compile("^Tin nhắn số")).first.click()
                if page.get_by_role("button", name="Nhận và trả lời").count():
                    page.get_by_role("button", name="Nhận và trả lời").click()
                look(page, "talk", screen)
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
