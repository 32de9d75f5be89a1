"""Guided walks: `content/guides/<id>.yaml`, one step a message, with a drawn screen and a list of troubles.

`bot.library.articles.load_library` loads them with the articles they belong to. Every place that a step, an answer or a
trouble leads to exists, and every text fits a phone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.errors import ContentError, Problem
from bot.i18n.catalogue import mark
from bot.library.bilingual import LANGUAGES, Bilingual, BilingualList, Citation, ContentModel, Text, check_text, fits
from bot.message import SCREEN
from bot.text.normalize import spoken
from bot.yaml_document import Document, Key, read_model, shown_path

FOLDER = "guides"
MOST_STEPS_A_LEG = 4  # completion of tours falls by half between three steps and five
MAY_DIFFER = mark("your screen may differ")  # said wherever a step is unsure
END = "end"  # where the last step leads, and any other that says so
# Where a way may lead: another step of the guide, another guide, an article, or a person.
STEP, GUIDE, ARTICLE, PERSON = "step", "guide", "article", "person"
# The most characters of each text, as it is read.
LONGEST = {
    "title": 48, "for_whom": 250, "reached": 120, "do": 230, "more": 500, "expect": 140, "remedy": 300, "end": 400,
    "label": 36, "screen": 40, "element": 58, "note": 64,
}  # fmt: skip
_FEWEST_SAYS: Mapping[str, int] = {"vi": 3, "en": 2}

StepId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$", max_length=12)]
GuideId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=24)]
Goto = Annotated[str, StringConstraints(pattern=r"^(?:(?:step|guide|article):[a-z0-9-]+|person)$")]


class ScreenElement(ContentModel):
    """One thing on a screen; `label` is what stands on it, `press` marks the one to use."""

    kind: Literal["button", "field", "list", "text", "icon", "tab", "switch", "tick", "code", "scan", "card"]
    label: Bilingual
    note: Bilingual | None = None
    press: bool = False


class GuideScreen(ContentModel):
    """A screen of the citizen's telephone, as `bot.exports.screens` draws it."""

    name: Bilingual
    elements: tuple[ScreenElement, ...] = Field(min_length=1, max_length=6)


class Trouble(ContentModel):
    """What may stop a citizen at a step: how people put it, what helps, and where it leads."""

    label: Bilingual
    says: BilingualList
    remedy: Bilingual
    goto: Goto


class GuideAnswer(ContentModel):
    """An answer to a step that is a question; it stands in the place of "Done"."""

    label: Bilingual
    goto: Goto | Literal["next"] = "next"


class GuideStep(ContentModel):
    """One screen with one action.

    `more` says the same in more words; `unsure` steps promise no label; `after` names the next step where it is not
    the following one.
    """

    id: StepId
    do: Bilingual
    more: Bilingual
    expect: Bilingual
    unsure: bool = False
    screen: GuideScreen | None = None
    answers: tuple[GuideAnswer, ...] = Field((), max_length=3)
    after: StepId | Literal["end"] | None = None
    trouble: tuple[Trouble, ...] = Field(min_length=1, max_length=5)


class GuideLeg(ContentModel):
    """A few steps up to a rest, and what has been reached there."""

    reached: Bilingual
    steps: tuple[GuideStep, ...] = Field(min_length=1, max_length=MOST_STEPS_A_LEG)


class GuideEnd(ContentModel):
    """The last words; `report` is the book whose report is offered, `guides` and `articles` may follow."""

    text: Bilingual
    report: Literal["app", "vneid"] | None = None
    guides: tuple[GuideId, ...] = ()
    articles: tuple[Text, ...] = ()


class Guide(ContentModel):
    """A guided walk.

    `article` answers the same question at one go, `article_vneid` where VNeID is meant; `order` is its place among the
    walks that are offered.
    """

    id: GuideId
    order: int = Field(ge=1)
    product: Literal["vneid", "app", "both"]
    article: Text
    article_vneid: Text | None = None
    checked_on: date
    title: Bilingual
    for_whom: Bilingual
    legs: tuple[GuideLeg, ...] = Field(min_length=1)
    end: GuideEnd
    sources: tuple[Citation, ...] = Field(min_length=1)

    @property
    def articles(self) -> tuple[str, ...]:
        """The articles that it belongs to."""
        return tuple(filter(None, (self.article, self.article_vneid)))

    @property
    def steps(self) -> tuple[GuideStep, ...]:
        """All steps in order."""
        return tuple(step for leg in self.legs for step in leg.steps)


@dataclass(frozen=True, slots=True)
class GuideFiles:
    """What was read from the folder: the guides by id, where they stand, and what is wrong."""

    guides: dict[str, Guide] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_guides(folder: Path) -> GuideFiles:
    """Read `guides/` of a content folder; each file that is no guide is a problem with its line."""
    found = GuideFiles()
    for path in sorted((folder / FOLDER).rglob("*.y*ml")):
        if path.suffix == ".yml" or path.parent != folder / FOLDER:
            found.problems.append(Problem(shown_path(path), 0, "is not read; guides stand in guides/ID.yaml."))
            continue
        try:
            guide, document = read_model(path, Guide)
        except ContentError as error:
            found.problems.extend(error.problems)
            continue
        if guide.id != path.stem:
            found.problems.append(document.problem(("id",), f"must stand in guides/{guide.id}.yaml."))
        found.guides[guide.id], found.documents[guide.id] = guide, document
    return found


def check_guide(
    guide: Guide, document: Document, *, guides: Collection[str], articles: Collection[str], numbers: set[str]
) -> Iterator[Problem]:
    """Report what a guide names that does not exist, and texts that do not fit."""
    known = {STEP: {step.id for step in guide.steps}, GUIDE: set(guides) - {guide.id}, ARTICLE: set(articles)}
    yield from _check_ids(guide, document, known)
    for key, goto in _ways(guide):
        kind, _, name = goto.partition(":")
        if kind in known and name not in known[kind]:
            yield document.problem(key, f"leads to {goto}, which does not exist.")
    for key, screen in _screens(guide):
        if sum(element.press for element in screen.elements) > 1:
            yield document.problem(key, "marks more than one thing to press; a step is one action.")
    for key, kind, text in _texts(guide):
        yield from check_text(document, key, text, numbers)
        if not fits(text, LONGEST[kind]):
            yield document.problem(key, f"is longer than {LONGEST[kind]} characters.")
    yield from _check_says(guide, document)


def _check_ids(guide: Guide, document: Document, known: Mapping[str, set[str]]) -> Iterator[Problem]:
    for name in ("article", "article_vneid"):
        article = getattr(guide, name)
        if article is not None and article not in known[ARTICLE]:
            yield document.problem((name,), f"names the article {article!r}, which does not exist.")
    for kind, names in ((GUIDE, guide.end.guides), (ARTICLE, guide.end.articles)):
        for index, other in enumerate(names):
            if other not in known[kind]:
                yield document.problem(("end", f"{kind}s", index), f"names {other!r}, which is no other {kind}.")
    seen: set[str] = {END}
    for key, step in _steps(guide):
        if step.id in seen:
            yield document.problem((*key, "id"), f"the id {step.id} belongs to another step already.")
        seen.add(step.id)


def _check_says(guide: Guide, document: Document) -> Iterator[Problem]:
    for key, step in _steps(guide):
        seen: set[str] = set()
        for number, trouble in enumerate(step.trouble):
            where = (*key, "trouble", number, "says")
            for language in LANGUAGES:
                said = trouble.says.in_language(language)
                if len(said) < (fewest := _FEWEST_SAYS[language]):
                    yield document.problem((*where, language), f"must hold at least {fewest} phrasings.")
                for index, phrase in enumerate(said):
                    if (folded := spoken(phrase)) in seen:
                        yield document.problem((*where, language, index), f"{phrase!r} stands at this step twice.")
                    seen.add(folded)


def _steps(guide: Guide) -> Iterator[tuple[Key, GuideStep]]:
    for number, leg in enumerate(guide.legs):
        for index, step in enumerate(leg.steps):
            yield ("legs", number, "steps", index), step


def _ways(guide: Guide) -> Iterator[tuple[Key, str]]:
    """List every way that a step names, with its key."""
    for key, step in _steps(guide):
        if step.after is not None and step.after != END:
            yield (*key, "after"), f"{STEP}:{step.after}"
        for index, answer in enumerate(step.answers):
            yield (*key, "answers", index, "goto"), answer.goto
        for index, trouble in enumerate(step.trouble):
            yield (*key, "trouble", index, "goto"), trouble.goto


def _screens(guide: Guide) -> Iterator[tuple[Key, GuideScreen]]:
    for key, step in _steps(guide):
        if step.screen is not None:
            yield (*key, "screen"), step.screen


def _texts(guide: Guide) -> Iterator[tuple[Key, str, str]]:
    """List every text that citizens read: its key, its kind in LONGEST, the words."""
    for key, kind, text in _bilingual(guide):
        for language in LANGUAGES:
            yield (*key, language), kind, text.in_language(language)


def _bilingual(guide: Guide) -> Iterator[tuple[Key, str, Bilingual]]:
    yield ("title",), "title", guide.title
    yield ("for_whom",), "for_whom", guide.for_whom
    yield ("end", "text"), "end", guide.end.text
    for number, leg in enumerate(guide.legs):
        yield ("legs", number, "reached"), "reached", leg.reached
    for key, step in _steps(guide):
        yield (*key, "do"), "do", step.do
        yield (*key, "more"), "more", step.more
        yield (*key, "expect"), "expect", step.expect
        for index, answer in enumerate(step.answers):
            yield (*key, "answers", index, "label"), "label", answer.label
        for index, trouble in enumerate(step.trouble):
            yield (*key, "trouble", index, "label"), "label", trouble.label
            yield (*key, "trouble", index, "remedy"), "remedy", trouble.remedy
    for key, screen in _screens(guide):
        yield (*key, "name"), "screen", screen.name
        for index, element in enumerate(screen.elements):
            yield (*key, "elements", index, "label"), "element", element.label
            if element.note is not None:
                yield (*key, "elements", index, "note"), "note", element.note


def screen_name(guide_id: str, step: GuideStep, language: str) -> str:
    """Name the picture of a step, for `Reply.image`; empty where the step has none."""
    return f"{SCREEN}{guide_id}/{step.id}/{language}" if step.screen is not None else ""


def read_screen_name(name: str) -> tuple[str, str, str]:
    """Return guide, step and language of what `screen_name` made; whatever else comes names nothing."""
    guide_id, _, rest = name.removeprefix(SCREEN).partition("/")
    step_id, _, language = rest.partition("/")
    return guide_id, step_id, language
