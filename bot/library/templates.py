"""Ready texts for officers: reminders to citizens, scripts for loudspeakers and the press."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.errors import ContentError, Problem
from bot.library.bilingual import Bilingual
from bot.yaml_document import Document, read_model

LONGEST_REMINDER = 400
REMINDER_PLACEHOLDERS = frozenset({"district", "reports", "share", "date"})
SYLLABLES_A_SECOND = (2.0, 3.2)  # read aloud calmly; a Vietnamese word is one or two syllables, each written apart
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class _ReadyText(BaseModel):
    """`status: check` warns the officer: true once, somebody must confirm it before it is sent or aired."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    status: Literal["current", "check"]
    checked_on: date
    title: Bilingual
    text: Bilingual


class Reminder(_ReadyText):
    """A text that officers may send to those who asked to be reminded; how to stop is added when it is sent."""


class Script(_ReadyText):
    """A text to be read aloud within some seconds."""

    seconds: int


def load_reminders(folder: Path) -> dict[str, Reminder]:
    """Load `reminders/*.yaml`, confirmed ones first; raises ContentError with all problems."""
    reminders, problems = {}, []
    for path in sorted((folder / "reminders").glob("*.yaml")):
        try:
            reminder, document = read_model(path, Reminder)
        except ContentError as error:
            problems += error.problems
            continue
        problems += _check_reminder(reminder, document, path)
        reminders[reminder.id] = reminder
    if problems:
        raise ContentError(problems)
    return dict(sorted(reminders.items(), key=lambda item: (item[1].status != "current", item[0])))


def load_scripts(folder: Path) -> dict[str, Script]:
    """Load `scripts/*.yaml`; raises ContentError with all problems."""
    scripts, problems = {}, []
    for path in sorted((folder / "scripts").glob("*.yaml")):
        try:
            script, document = read_model(path, Script)
        except ContentError as error:
            problems += error.problems
            continue
        problems += _check_script(script, document, path)
        scripts[script.id] = script
    if problems:
        raise ContentError(problems)
    return scripts


def _check_reminder(reminder: Reminder, document: Document, path: Path) -> Iterator[Problem]:
    if reminder.id != path.stem:
        yield document.problem(("id",), f"must stand in reminders/{reminder.id}.yaml.")
    for language in ("vi", "en"):
        text = reminder.text.in_language(language)
        if len(text) > LONGEST_REMINDER:
            sentence = f"text.{language} is {len(text)} characters, more than {LONGEST_REMINDER}."
            yield document.problem(("text", language), sentence)
        for name in _PLACEHOLDER.findall(text):
            if name not in REMINDER_PLACEHOLDERS:
                yield document.problem(("text", language), f"holds the unknown placeholder {{{name}}}.")


def _check_script(script: Script, document: Document, path: Path) -> Iterator[Problem]:
    if script.id != path.stem:
        yield document.problem(("id",), f"must stand in scripts/{script.id}.yaml.")
    rate = len(script.text.vi.split()) / script.seconds
    slowest, fastest = SYLLABLES_A_SECOND
    if not slowest <= rate <= fastest:
        sentence = f"text.vi has {rate:.1f} syllables a second; {slowest} to {fastest} can be read in time."
        yield document.problem(("text", "vi"), sentence)
