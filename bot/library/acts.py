"""Acts and emergencies as content: `content/acts.yaml` and `content/danger.yaml`, checked like every other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.errors import ContentError, Problem
from bot.library.bilingual import Bilingual, BilingualList
from bot.reading.acts import comparable
from bot.text.markup import to_plain
from bot.text.normalize import fold
from bot.yaml_document import Document, read_model

ACT_FILE, DANGER_FILE = "acts.yaml", "danger.yaml"
GENERAL: Final = "general"  # the kind of emergency that needs no closer look
_FIRST_CHARACTERS = 120  # within which the number to call stands
_LONGEST_ACT_ANSWER = 300

Id = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _ContentPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SpokenLines(_ContentPart):
    """What people say, in each language."""

    vi: tuple[Line, ...] = ()
    en: tuple[Line, ...] = ()


class Act(_ContentPart):
    """Something people say that is no question: how they say it, and what is answered.

    `article` is the article about the assistant that it stands for, empty for none.
    """

    article: str = ""
    says: SpokenLines
    answers: BilingualList


class Acts(_ContentPart):
    """All acts by id, and short messages that are none."""

    acts: dict[Id, Act] = Field(min_length=1)
    other: tuple[Line, ...] = ()

    def says(self) -> Mapping[str, Sequence[str]]:
        """Return what people say for each act."""
        return {name: (*act.says.vi, *act.says.en) for name, act in self.acts.items()}


class EmergencyKind(_ContentPart):
    """What is said in one kind of emergency; it begins with the number to call."""

    text: Bilingual


class EmergencyExamples(_ContentPart):
    """Messages of people in danger now, by kind, and messages that only look like it."""

    now: dict[Id, tuple[Line, ...]]
    not_now: tuple[Line, ...] = Field(alias="not")


class Emergencies(_ContentPart):
    """How emergencies are recognised and what is said; `signs` are groups of words that count together."""

    kinds: dict[Id, EmergencyKind]
    signs: dict[Id, tuple[Line, ...]] = Field(default_factory=dict)
    examples: EmergencyExamples


def load_acts(folder: Path, articles: Mapping[str, object]) -> Acts:
    """Load `acts.yaml`; raises ContentError with every problem."""
    acts, document = read_model(folder / ACT_FILE, Acts)
    if problems := list(_check_acts(acts, document, articles)):
        raise ContentError(problems)
    return acts


def load_emergencies(folder: Path) -> Emergencies:
    """Load `danger.yaml`; raises ContentError with every problem."""
    emergencies, document = read_model(folder / DANGER_FILE, Emergencies)
    if problems := list(_check_emergencies(emergencies, document)):
        raise ContentError(problems)
    return emergencies


def _check_acts(acts: Acts, document: Document, articles: Mapping[str, object]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, act in acts.acts.items():
        if act.article and act.article not in articles:
            yield document.problem(("acts", name, "article"), f"names {act.article!r}, which is no article.")
        for language in ("vi", "en"):
            for index, text in enumerate(getattr(act.says, language)):
                owner = owners.setdefault(comparable(text), name)
                if owner != name:
                    yield document.problem(("acts", name, "says", language, index), f"{text!r} stands in {owner} too.")
            for index, answer in enumerate(act.answers.in_language(language)):
                if len(to_plain(answer)) > _LONGEST_ACT_ANSWER:
                    yield document.problem(
                        ("acts", name, "answers", language, index), f"is longer than {_LONGEST_ACT_ANSWER} characters."
                    )
    for index, text in enumerate(acts.other):
        if (other := owners.get(comparable(text))) is not None:
            yield document.problem(("other", index), f"{text!r} stands in {other} too.")


def _check_emergencies(emergencies: Emergencies, document: Document) -> Iterator[Problem]:
    if GENERAL not in emergencies.kinds:
        yield document.problem(("kinds",), f"the kind {GENERAL} is missing.")
    for name, kind in emergencies.kinds.items():
        for language in ("vi", "en"):
            if "115" not in to_plain(kind.text.in_language(language))[:_FIRST_CHARACTERS]:
                yield document.problem(
                    ("kinds", name, "text", language),
                    f"must name 115 within its first {_FIRST_CHARACTERS} characters.",
                )
        if not emergencies.examples.now.get(name):
            yield document.problem(("examples", "now"), f"holds no example of {name}.")
    for name in emergencies.examples.now:
        if name not in emergencies.kinds:
            yield document.problem(("examples", "now", name), f"{name} is no kind.")
    now = {_compared(text): name for name, texts in emergencies.examples.now.items() for text in texts}
    for index, text in enumerate(emergencies.examples.not_now):
        if owner := now.get(_compared(text)):
            yield document.problem(("examples", "not", index), f"{text!r} is an example of {owner} too.")


def _compared(text: str) -> str:
    return " ".join(fold(text).split())
