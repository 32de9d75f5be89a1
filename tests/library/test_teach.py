"""What the search learns from: nothing of the evaluation, and what officers teach it."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from bot.errors import BotError
from bot.library.articles import load_library
from bot.library.knowledge import Knowledge, load_corpus
from bot.library.teach import teach
from bot.text.normalize import fold, words
from tests.conftest import ROOT

# SHA-256 of every folded question of the evaluation set, which itself is kept elsewhere.
SEALED = frozenset((ROOT / "tests/evaluation/questions.sha256").read_text().split())


def seal(text: str) -> str:
    return hashlib.sha256(" ".join(words(fold(text))).encode()).hexdigest()


def test_no_question_of_the_evaluation_is_learned(knowledge: Knowledge) -> None:
    """The figures measure understanding, not memory."""
    assert len(SEALED) > 500
    corpus = load_corpus(ROOT / "content", knowledge.library)
    learned = [question for questions in corpus.phrasings.values() for question in questions]
    copied = [question for question in (*learned, *corpus.foreign) if words(question) and seal(question) in SEALED]
    assert copied == []


@pytest.fixture
def content(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "content", tmp_path / "content")
    return tmp_path / "content"


QUESTIONS = [
    ("đợi từ trưa: chả thấy mã gì cả", "vi"),
    ("# sao mã không về", "vi"),
    ('anh bảo "chờ đi" mà tôi chờ mãi', "vi"),
    ("the code never shows up, what now", "en"),
]


@pytest.mark.parametrize(("question", "language"), QUESTIONS)
def test_a_taught_question_stands_in_the_article(content: Path, question: str, language: str) -> None:
    before = load_library(content).articles["otp-not-received"].questions.in_language(language)
    place = teach(content, "otp-not-received", question, language=language)
    after = load_library(content).articles["otp-not-received"].questions.in_language(language)
    assert after == (*before, question)
    line = int(place.rpartition(":")[2])
    path = content / "articles/account/otp-not-received.yaml"
    assert question[-8:] in path.read_text(encoding="utf-8").splitlines()[line - 1]


REFUSED = [
    ("no-such-article", "câu gì cũng được", "There is no article"),
    ("otp-not-received", "", "1 to 300 characters"),
    ("otp-not-received", "x" * 301, "1 to 300 characters"),
    ("otp-not-received", "mã OTP 123456 không nhận", "personal number"),
    ("otp-not-received", "gọi 0912345678 không được", "personal number"),
]


@pytest.mark.parametrize(("article", "question", "sentence"), REFUSED)
def test_what_cannot_be_taught(content: Path, article: str, question: str, sentence: str) -> None:
    before = {path: path.read_bytes() for path in content.rglob("*.yaml")}
    with pytest.raises(BotError, match=sentence):
        teach(content, article, question, language="vi")
    assert {path: path.read_bytes() for path in content.rglob("*.yaml")} == before


def test_a_known_question_is_not_taught_twice(content: Path) -> None:
    known = load_library(content).articles["install-android"].questions.vi[0]
    with pytest.raises(BotError, match="stands in install-android already"):
        teach(content, "otp-not-received", known.upper(), language="vi")
