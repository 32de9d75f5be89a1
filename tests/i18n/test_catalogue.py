"""Sentences, numbers and dates as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.errors import ContentError
from bot.i18n.catalogue import Catalogue, load_catalogues, looks_english

CATALOGUES = load_catalogues(["vi", "en"])
VI, EN = CATALOGUES["vi"], CATALOGUES["en"]
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")

NUMBERS: list[tuple[float, str, str]] = [
    (0, "0", "0"),
    (999, "999", "999"),
    (1000, "1.000", "1,000"),
    (67_750, "67.750", "67,750"),
    (1_151_154, "1.151.154", "1,151,154"),
    (-5, "-5", "-5"),
    (8.58, "8,58", "8.58"),
]


@pytest.mark.parametrize(("value", "vi", "en"), NUMBERS)
def test_numbers(value: float, vi: str, en: str) -> None:
    assert (VI.number(value), EN.number(value)) == (vi, en)


SHARES: list[tuple[float, int, str, str]] = [
    (0.0858, 2, "8,58%", "8.58%"),
    (0, 2, "0,00%", "0.00%"),
    (1, 0, "100%", "100%"),
    (0.5, 1, "50,0%", "50.0%"),
    (0.00001, 2, "0,00%", "0.00%"),
    (12.345, 1, "1.234,5%", "1,234.5%"),
]


@pytest.mark.parametrize(("share", "digits", "vi", "en"), SHARES)
def test_shares(share: float, digits: int, vi: str, en: str) -> None:
    assert (VI.percent(share, digits), EN.percent(share, digits)) == (vi, en)


DAYS: list[tuple[date, str, str]] = [
    (date(2021, 10, 10), "10/10/2021", "10 October 2021"),
    (date(2026, 1, 5), "05/01/2026", "5 January 2026"),
]


@pytest.mark.parametrize(("day", "vi", "en"), DAYS)
def test_days(day: date, vi: str, en: str) -> None:
    assert (VI.day(day), EN.day(day)) == (vi, en)


MOMENTS: list[tuple[datetime, str, str]] = [
    (datetime(2026, 11, 23, 5, 0, tzinfo=UTC), "12:00, 23/11/2026", "12:00, 23 November 2026"),
    (datetime(2026, 12, 31, 17, 5, tzinfo=UTC), "00:05, 01/01/2027", "00:05, 1 January 2027"),
]


@pytest.mark.parametrize(("at", "vi", "en"), MOMENTS)
def test_moments_are_told_in_local_time(at: datetime, vi: str, en: str) -> None:
    assert (VI.minute(at, HANOI), EN.minute(at, HANOI)) == (vi, en)


def test_a_sentence_is_translated_and_filled() -> None:
    sentence = "No, keep it"
    assert EN.t(sentence) == sentence
    assert VI.t(sentence) != sentence
    assert "2.000" in VI.t(
        "Your message is too long for me to read. Please ask again in at most {limit} characters.", limit="2.000"
    )


def test_braces_in_what_is_filled_in_stay_as_they_are() -> None:
    assert "{limit}" in EN.t(
        "Your message is too long for me to read. Please ask again in at most {limit} characters.", limit="{limit}"
    )


def test_a_sentence_nobody_translated_stays_english() -> None:
    assert VI.t("This sentence was never written.") == "This sentence was never written."


def test_a_catalogue_that_was_not_built_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        load_catalogues(["vi", "en"], tmp_path)
    assert [problem.file for problem in caught.value.problems] == [
        "locale/en/LC_MESSAGES/messages.mo",
        "locale/vi/LC_MESSAGES/messages.mo",
    ]
    assert "run: pybabel compile -d locale" in str(caught.value)


def test_a_catalogue_knows_its_language() -> None:
    assert [catalogue.language for catalogue in CATALOGUES.values()] == ["vi", "en"]
    assert isinstance(VI, Catalogue)


ENGLISH = [
    "how do i install the app",
    "How do I install the app on an Android phone?",
    "I forgot my password",
    "what is this",
    "Where can I download it?",
    "please help me",
    "is it free",
    "why is my phone not working",
    "how to register",
]
NOT_ENGLISH = [
    "cài ứng dụng thế nào",
    "cai ung dung the nao",
    "quen mat khau",
    "toi khong nhan duoc ma otp",
    "download app o dau",
    "app bi loi",
    "dang nhap vneid",
    "can cuoc cong dan",
    "an toan khong",
    "tai ve may samsung",
    "help",
    "ok",
    "install",
    "",
    "2",
    "123 456",
    "!!!",
    "me toi khong co dien thoai",
    "con toi do 5 tuoi",
]


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_recognised(text: str) -> None:
    assert looks_english(text)


@pytest.mark.parametrize("text", NOT_ENGLISH)
def test_vietnamese_without_marks_is_not_taken_for_english(text: str) -> None:
    assert not looks_english(text)
