"""Wording rules: each kind of slip in the content or the catalogues is one line with its place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.library.articles import load_library
from bot.library.knowledge import Knowledge
from bot.library.wording_rules import check_sentences, check_wording, load_wording_rules, old_sources
from tests.conftest import ROOT

CONTENT = ROOT / "content"
RULES = load_wording_rules(CONTENT)

ARTICLE = """\
id: one
topic: install
product: app
status: current
checked_on: 2026-12-01
title: {vi: Bài một, en: Article one}
answer:
  vi: Bạn mở máy.
  en: Open the phone.
steps:
  vi: [Bấm cài]
  en: [Tap install]
sources: [{ref: S01, url: "https://vinhphuc.gov.vn", date: 2026-01}]
questions:
  vi: [Cài thế nào]
  en: [How to install]
"""


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """The real links and menu, and one small article."""
    folder = tmp_path / "content"
    (folder / "articles" / "install").mkdir(parents=True)
    for name in ("menu.yaml", "manual.yaml"):
        shutil.copy(CONTENT / name, folder / name)
    return folder


def slips(content: Path, article: str) -> list[str]:
    (content / "articles" / "install" / "one.yaml").write_text(article, encoding="utf-8")
    found = check_wording(RULES, load_library(content), content)
    return [str(problem).replace(f"{content}/articles/install/", "") for problem in found]


# What is changed in the article, and the beginning of each line that is reported.
SLIPS = {
    "nothing": ("", "", []),
    "another word for a thing": ("Bạn mở máy.", "Bạn mở app.", ["one.yaml:8: says 'app'; our word for it"]),
    "in a step": ("[Tap install]", "[Ask the bot]", ["one.yaml:12: says 'bot'; our word for it is 'assistant'."]),
    "in capitals": ("Bạn mở máy.", "Bot mở máy.", ["one.yaml:8: says 'bot'"]),
    "part of another word": ("Open the phone.", "Both open.", []),
    "a word on the screen": ("Bạn mở máy.", "Bạn mở **App của bác sỹ**.", []),
    "somebody's own word": ("Bạn mở máy.", "Người ta gọi là “app”.", []),
    "a name": ("Bạn mở máy.", "Bạn mở App Store.", []),
    "a hard word": ("Bạn mở máy.", "Bạn nhập mã OTP.", ["one.yaml:8: 'OTP' stands in the vi text unexplained"]),
    "a hard word in a step": ("[Bấm cài]", "[Quét mã QR]", ["one.yaml:8: 'QR' stands in the vi text unexplained"]),
    "explained in brackets": ("Bạn mở máy.", "Nhập mã OTP (dãy số trong tin nhắn). OTP chỉ dùng một lần.", []),
    "explained before it": ("Bạn mở máy.", "Nhập mã trong tin nhắn (OTP).", []),
    "explained by a sentence": ("Bạn mở máy.", "Mã OTP là dãy số trong tin nhắn.", []),
    "two words explained": ("Open the phone.", "Get level 2 (made at the police), then a passcode (6 digits).", []),
    "explained the second time": (
        "Open the phone.", "Enter the OTP. An OTP (a code) works once.",
        ["one.yaml:9: 'OTP' stands in the en text unexplained"],
    ),
    "names the other book": (
        "[Cài thế nào]", "[Cài thế nào, Mở VNeID sao], ",
        ["one.yaml:15: 'Mở VNeID sao' names 'vneid', but the article is about the other book."],
    ),
    "both books": ("product: app", "product: both", []),
    "unconfirmed without a word": (
        "status: current", "status: check",
        ["one.yaml:4: one is to be checked, and its vi text does not say so.",
         "one.yaml:4: one is to be checked, and its en text does not say so."],
    ),
    "an unconfirmed number": (
        "Bạn mở máy.", "Bạn gọi 1900 9095.", ["one.yaml:8: names 1900 9095, which nobody has confirmed"],
    ),
    "an unconfirmed number that says so": ("Bạn mở máy.", "Gọi 1900 9095 (số năm 2021, chưa kiểm tra lại).", []),
    "a confirmed number": ("Bạn mở máy.", "Bạn gọi 115.", []),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_each_slip_is_one_line(content: Path, name: str) -> None:
    before, after, expected = SLIPS[name]
    assert before in ARTICLE
    found = slips(content, ARTICLE.replace(before, after.removesuffix(", ")))
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)


def test_glossary_article_first_in_related_explains(content: Path) -> None:
    glossary = ARTICLE.replace("id: one", "id: what-is-otp").replace("Cài thế nào", "OTP gì").replace("How to", "What")
    (content / "articles" / "install" / "what-is-otp.yaml").write_text(glossary, encoding="utf-8")
    article = ARTICLE.replace("Bạn mở máy.", "Bạn nhập mã OTP.")
    assert slips(content, article.replace("sources:", "related: [what-is-otp]\nsources:")) == []
    assert len(slips(content, article)) == 1


# Where else the bot speaks, and what is not its wording.
FILES: dict[str, tuple[str, int]] = {
    "reminders/a.yaml": ("text: {vi: Mời bạn cài app., en: Please install the application.}", 2),
    "guides/a.yaml": ("steps: [{do: {vi: Hỏi bot}}]", 1),
    "poster.yaml": ("then_type: {vi: gọi hotline}\ntogether: [app]", 1),
    "words.yaml": ("vi: [app]", 0),
    "foreign.yaml": ("vi: app", 0),
    "articles/install/two.yaml": ("title: {vi: Bài}\nquestions: {vi: [cài app]}\nsources: [{vi: app}]", 0),
}


@pytest.mark.parametrize("name", FILES)
def test_terms_hold_for_every_file_that_speaks(content: Path, knowledge: Knowledge, name: str) -> None:
    text, count = FILES[name]
    path = content / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")
    found = [problem for problem in check_wording(RULES, knowledge.library, content) if path.name in problem.file]
    assert len(found) == count


def test_terms_hold_for_the_catalogues(tmp_path: Path) -> None:
    folder = tmp_path / "vi" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Hello from the bot"\nmsgstr "Chào bạn"\n\nmsgid "Ask"\nmsgstr "Hỏi bot đi"\n',
        encoding="utf-8",
    )
    found = [str(problem) for problem in check_sentences(RULES, ("vi",), tmp_path)]
    assert found == ["locale/vi/LC_MESSAGES/messages.po:7: says 'bot'; our word for it is 'trợ lý'."]


SOURCES: dict[str, tuple[Callable[[str], str], bool]] = {
    "this year's": (lambda text: text, False),
    "old": (lambda text: text.replace("date: 2026-01", "date: 2022-11-29"), True),
    "three years old": (lambda text: text.replace("date: 2026-01", "date: 2023"), False),
    "old, and not of the present": (
        lambda text: text.replace("date: 2026-01", "date: 2021").replace("status: current", "status: historic"), False,
    ),
    "old and newer": (
        lambda text: text.replace("date: 2026-01}", 'date: 2021}, {ref: S02, url: x, date: "about 2025-12"}'), False,
    ),
    "our own decision": (
        lambda text: text.replace("date: 2026-01}", "date: 2021}, {ref: D0, url: x, date: 2026-11}"), True,
    ),
    "the year of a decree": (
        lambda text: text.replace("date: 2026-01", 'date: "2022; now replaced by NĐ 69/2024"'), True,
    ),
    "undated": (lambda text: text.replace("date: 2026-01", "date: undated"), False),
}  # fmt: skip


@pytest.mark.parametrize("name", SOURCES)
def test_old_source_of_a_present_claim_draws_a_warning(content: Path, name: str) -> None:
    change, warned = SOURCES[name]
    (content / "articles" / "install" / "one.yaml").write_text(change(ARTICLE), encoding="utf-8")
    found = list(old_sources(RULES, load_library(content), date(2026, 12, 1)))
    assert bool(found) is warned


def test_the_real_content_holds_to_its_rules(knowledge: Knowledge) -> None:
    assert list(map(str, check_wording(RULES, knowledge.library, CONTENT))) == []
    assert list(map(str, check_sentences(RULES, ("vi", "en")))) == []
