"""How well questions are understood, on a set that nobody who wrote the articles has seen.

`evaluation/questions.jsonl` was written by hand from the articles' purposes alone, when there were 90: 360 questions in
all spellings, four for each, and 100 messages that must not be answered. The limits are the promises of docs/search.md.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from bot.library.knowledge import Knowledge
from bot.search import Verdict
from tests.conftest import ROOT

QUESTIONS = [
    json.loads(line) for line in (ROOT / "tests/evaluation/questions.jsonl").read_text(encoding="utf-8").splitlines()
]


@dataclass
class Figures:
    """Counts of one kind of question."""

    counts: Counter[str] = field(default_factory=Counter)

    def share(self, name: str, of: str) -> float:
        return self.counts[name] / self.counts[of]


@pytest.fixture(scope="module")
def figures(knowledge: Knowledge) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for question in QUESTIONS:
        # False alarms belong to the reading of emergencies: what is foreign is put to the search alone.
        result = knowledge.find(question["q"]) if question["ids"] else knowledge.index.find(question["q"])
        right = bool(result.ids) and result.ids[0] in question["ids"]
        outcomes = ["asked"]
        if question["ids"]:
            outcomes.append("in scope")
            if right:
                outcomes.append("top1")
            if result.verdict is Verdict.ANSWER:
                outcomes += ["answered", "answered right"] if right else ["answered"]
            if (result.verdict is Verdict.ANSWER and right) or (
                result.verdict is Verdict.SUGGEST and set(result.ids[:3]) & set(question["ids"])
            ):
                outcomes.append("helped")
        elif result.verdict is Verdict.ANSWER:
            outcomes += ["answered", "false answer"]
        for kind in (question["kind"], "all"):
            found.setdefault(kind, Figures()).counts.update(outcomes)
    return found


def test_every_article_is_asked_for() -> None:
    best = Counter(question["ids"][0] for question in QUESTIONS if question["ids"])
    assert len(best) == 90
    assert set(best.values()) == {4}


def test_promises_over_all(figures: dict[str, Figures]) -> None:
    whole = figures["all"]
    assert whole.share("top1", "in scope") >= 0.94
    assert whole.share("helped", "in scope") >= 0.95
    assert whole.share("answered right", "in scope") >= 0.83
    assert whole.share("answered right", "answered") >= 0.97


def test_what_is_foreign_is_not_answered(figures: dict[str, Figures]) -> None:
    assert figures["oos"].share("false answer", "asked") <= 0.03


KINDS = sorted({question["kind"] for question in QUESTIONS} - {"oos"})


@pytest.mark.parametrize("kind", KINDS)
def test_promises_for_each_spelling(figures: dict[str, Figures], kind: str) -> None:
    least = 0.85 if kind in ("telex", "multi") else 0.90
    assert figures[kind].share("helped", "in scope") >= least
