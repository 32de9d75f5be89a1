"""Texts in both languages, where their facts come from, and the rules that every text of the content keeps.

The models of articles, guides, templates and posters use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.errors import Problem
from bot.text import markup
from bot.yaml_document import Document, Key

PLACEHOLDERS = frozenset({"operator", "office_hours", "answer_within", "question_days"})
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PHONE = re.compile(r"(?<![\d/.])(?:1[89]00[ .]?\d{4}|0\d{2,3}[ .]?\d{3}[ .]?\d{3,4}|11[2-5])(?![\d/])")

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Languages = Literal["vi", "en"]
LANGUAGES: tuple[Languages, ...] = ("vi", "en")


class ContentModel(BaseModel):
    """A part of the content: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bilingual(ContentModel):
    """One text in both languages."""

    vi: Text
    en: Text

    def in_language(self, language: str) -> str:
        """Return the text in a language."""
        return self.en if language == "en" else self.vi


class BilingualList(ContentModel):
    """Lines in both languages."""

    vi: tuple[Text, ...] = Field(min_length=1)
    en: tuple[Text, ...] = Field(min_length=1)

    def in_language(self, language: str) -> tuple[str, ...]:
        """Return the lines in a language."""
        return self.en if language == "en" else self.vi


class Citation(ContentModel):
    """Where a fact was read."""

    ref: Text
    url: Text
    date: str

    @field_validator("date", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        # A bare year or day in YAML is a number or a date.
        return str(value) if isinstance(value, int | date) else value


def fits(text: str, limit: int) -> bool:
    """Return True if a text has at most `limit` characters as it is read."""
    return len(markup.to_plain(text)) <= limit


def check_text(document: Document, key: Key, text: str, numbers: set[str]) -> Iterator[Problem]:
    """Report placeholders, addresses, open bold runs and telephone numbers that a text must not hold.

    `numbers` are the digits of the telephone numbers of manual.yaml.
    """
    for name in _PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            yield document.problem(key, f"holds the unknown placeholder {{{name}}}.")
    if "://" in text:
        yield document.problem(key, "holds an address; name it in manual.yaml and list it under links.")
    if text.count("**") % 2:
        yield document.problem(key, "opens a bold run with ** and does not close it.")
    for number in _PHONE.findall(text):
        if re.sub(r"\D", "", number) not in numbers:
            yield document.problem(key, f"holds the telephone number {number}, which manual.yaml does not list.")
