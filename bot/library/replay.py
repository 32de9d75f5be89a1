"""Questions and emergencies that are never learnt from, answered anew: what an edit of the content broke.

`content/checks/` holds them; `python -m bot check` replays them. A single message may be read wrongly, so a limit is
set on how many are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from bot.errors import ContentError, Problem
from bot.library.knowledge import EMERGENCY, Knowledge
from bot.yaml_document import shown_path

FOLDER: Final = "checks"
LEAST_FOUND: Final = 0.95  # of the emergencies
MOST_FALSE: Final = 0.02  # of what only looks like one
MOST_QUESTIONS: Final = 0.005  # of the questions that get 115 first


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    q: Annotated[str, StringConstraints(min_length=1)]
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Messages with the line on which each stands."""

    path: Path
    messages: tuple[_Message, ...]

    def where(self, number: int) -> tuple[str, int]:
        """Return the file and line of a message."""
        return shown_path(self.path), number + 1


def load_held_out(folder: Path, name: str) -> HeldOut:
    """Load a file of messages, one JSON object a line; raises ContentError for a line that is none."""
    path = folder / FOLDER / name
    messages: list[_Message] = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ContentError([Problem(shown_path(path), 0, f"cannot be read: {error.strerror}.")]) from None
    for number, line in enumerate(lines, 1):
        try:
            messages.append(_Message.model_validate_json(line))
        except ValidationError:
            sentence = 'expected one object {"q": "…"} a line, for questions with "ids".'
            raise ContentError([Problem(shown_path(path), number, sentence)]) from None
    return HeldOut(path, tuple(messages))


def replay(knowledge: Knowledge, folder: Path) -> tuple[list[Problem], list[Problem]]:
    """Read all held-out messages; returns problems (too many are read wrongly) and warnings (each one that is)."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    dangers = load_held_out(folder, "dangers.jsonl")
    missed = [n for n, one in enumerate(dangers.messages) if not _is_danger(knowledge, one)]
    warnings += _told(dangers, missed, "is an emergency, and 115 is not said first")
    if len(missed) > (1 - LEAST_FOUND) * len(dangers.messages):
        problems.append(_too_many(dangers, missed, "emergencies are missed"))
    lookalikes, questions = load_held_out(folder, "lookalikes.jsonl"), load_held_out(folder, "questions.jsonl")
    for held, limit in ((lookalikes, MOST_FALSE), (questions, MOST_QUESTIONS)):
        wrong = [n for n, one in enumerate(held.messages) if EMERGENCY not in one.ids and _is_danger(knowledge, one)]
        warnings += _told(held, wrong, "is no emergency, and 115 is said first")
        if len(wrong) > limit * len(held.messages):
            problems.append(_too_many(held, wrong, "messages that are no emergency get 115 first"))
    return problems, warnings


def _is_danger(knowledge: Knowledge, message: _Message) -> bool:
    return knowledge.reader.words(message.q).danger.now


def _told(held: HeldOut, numbers: Sequence[int], what: str) -> Iterator[Problem]:
    for number in numbers:
        yield Problem(*held.where(number), f"{held.messages[number].q!r} {what}.")


def _too_many(held: HeldOut, numbers: Sequence[int], what: str) -> Problem:
    return Problem(shown_path(held.path), 0, f"{len(numbers)} of {len(held.messages)} {what}; see the warnings.")
