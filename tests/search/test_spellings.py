"""Spellings: which words look like the name of another thing."""

from __future__ import annotations

import pytest

from bot.search.spellings import Spellings

KNOWN = Spellings.of(["certificate", "vneid", "chứng", "tiêm", "password", "samsung"])


@pytest.mark.parametrize(
    ("word", "strange"),
    [
        ("certificate", False),
        ("certifcate", False),  # a letter missing
        ("certiificate", False),  # one too many
        ("certificete", False),  # another one
        ("pasword", False),
        ("garena", True),
        ("kiotviet", True),
        ("trang", False),  # a syllable
        ("chung", False),
        ("abc", False),  # too short
        ("2025", False),
        ("đăgg", False),  # typed with marks: a slip rather than a name
    ],
)
def test_strange_words(word: str, strange: bool) -> None:
    assert KNOWN.is_strange(word) is strange
