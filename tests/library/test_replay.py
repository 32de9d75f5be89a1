"""Held-out messages: the shipped content keeps the limits, and a faulty reading is refused with its file."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.knowledge import Knowledge
from bot.library.replay import FOLDER, LEAST_FOUND, MOST_FALSE, MOST_QUESTIONS, load_held_out, replay
from bot.reading import Danger, DangerReader, Reader
from bot.text.normalize import fold
from tests.conftest import ROOT

CONTENT = ROOT / "content"
_NAME = 4  # syllables; a name as short as that can hardly be said in other words
FILES = ("dangers.jsonl", "lookalikes.jsonl", "questions.jsonl")


class FaultyDanger(DangerReader):
    """A reader of danger with one phrase too many, or one that misses all that holds a phrase."""

    def __init__(self, real: DangerReader, *, fires: str = "", misses: str = "") -> None:
        self._real = real
        self._fires, self._misses = (re.compile(pattern or r"(?!)") for pattern in (fires, misses))

    def read(self, text: str, tokens: Sequence[str]) -> Danger:
        if self._fires.search(fold(text)):
            return Danger(True, 1.0, "general")
        if self._misses.search(fold(text)):
            return Danger(False, 0.0)
        return self._real.read(text, tokens)


def faulty(knowledge: Knowledge, *, fires: str = "", misses: str = "") -> Knowledge:
    real = knowledge.reader
    reader = Reader(
        index=real.index,
        tokenize=real.tokenize,
        danger=FaultyDanger(real.danger, fires=fires, misses=misses),
        acts=real.acts,
        ranker=None,  # type: ignore[arg-type]
    )
    return replace(knowledge, reader=reader)


def test_shipped_content_keeps_the_limits(knowledge: Knowledge) -> None:
    problems, warnings = replay(knowledge, CONTENT)
    assert problems == []
    told = [str(warning) for warning in warnings]
    shares = {file: sum(f"/{file}:" in line for line in told) / count(file) for file in FILES}
    assert shares["dangers.jsonl"] <= 1 - LEAST_FOUND
    assert shares["lookalikes.jsonl"] <= MOST_FALSE
    assert shares["questions.jsonl"] <= MOST_QUESTIONS
    for line in told:
        assert re.match(r"content/checks/\w+\.jsonl:\d+: '", line), line


def count(file: str) -> int:
    return len(load_held_out(CONTENT, file).messages)


@pytest.mark.parametrize(
    ("file", "least"), [("dangers.jsonl", 100), ("lookalikes.jsonl", 100), ("questions.jsonl", 300)]
)
def test_held_out_sets_are_large_enough(file: str, least: int) -> None:
    assert count(file) >= least


def test_held_out_messages_are_never_learnt_from(knowledge: Knowledge) -> None:
    """The figures measure understanding, not memory."""
    examples = knowledge.emergencies.examples
    learnt = {
        " ".join(fold(text).split())
        for texts in (
            *examples.now.values(),
            examples.not_now,
            *knowledge.acts.says().values(),
            knowledge.acts.other,
            *((*one.questions.vi, *one.questions.en) for one in knowledge.library.articles.values()),
        )
        for text in texts
    }
    for file in FILES:
        held = load_held_out(CONTENT, file).messages
        copied = [one.q for one in held if len(one.q.split()) > _NAME and " ".join(fold(one.q).split()) in learnt]
        assert copied == [], file


# What the reading gets wrong, and what `check` says; each limit by itself.
FAULTS = [
    ("a phrase that fires on questions", {"fires": r"\botp\b"},
     r"content/checks/questions\.jsonl: \d+ of \d+ messages that are no emergency get 115 first; see the warnings\."),
    ("a phrase that fires on lookalikes", {"fires": r"\bnam (?:ngoai|kia|truoc)\b"},
     r"content/checks/lookalikes\.jsonl: \d+ of \d+ messages that are no emergency get 115 first; see the warnings\."),
    ("nobody who cannot breathe is heard", {"misses": r"\btho\b"},
     r"content/checks/dangers\.jsonl: \d+ of \d+ emergencies are missed; see the warnings\."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "fault", "sentence"), FAULTS, ids=[row[0] for row in FAULTS])
def test_faulty_reading_is_refused_with_its_file(
    knowledge: Knowledge, name: str, fault: dict[str, str], sentence: str
) -> None:
    problems, warnings = replay(faulty(knowledge, **fault), CONTENT)
    assert any(re.fullmatch(sentence, str(problem)) for problem in problems), problems
    assert len(warnings) > 1


def test_each_misread_message_is_a_warning(knowledge: Knowledge, tmp_path: Path) -> None:
    held = write(tmp_path, dangers=["bố tôi đột quỵ méo miệng", "zzz"], lookalikes=["zzz cũ"], questions=["zzz mới"])
    problems, warnings = replay(faulty(knowledge, fires="zzz (?:cu|moi)"), held)
    assert [str(one).replace(f"{held}/", "") for one in sorted(warnings)] == [
        "checks/dangers.jsonl:2: 'zzz' is an emergency, and 115 is not said first.",
        "checks/lookalikes.jsonl:1: 'zzz cũ' is no emergency, and 115 is said first.",
        "checks/questions.jsonl:1: 'zzz mới' is no emergency, and 115 is said first.",
    ]
    assert len(problems) == 3


def test_question_about_emergencies_may_get_115(knowledge: Knowledge, tmp_path: Path) -> None:
    held = write(tmp_path, dangers=["115"], lookalikes=["bố tôi khỏe"], questions=[])
    line = json.dumps({"q": "zzz", "ids": ["emergency-symptoms"]}) + "\n"
    (held / FOLDER / "questions.jsonl").write_text(line, encoding="utf-8")
    assert replay(faulty(knowledge, fires="zzz"), held) == ([], [])


# How many of a hundred are misread, and whether that is an error.
LIMITS = [("dangers", 5, False), ("dangers", 6, True), ("lookalikes", 2, False), ("lookalikes", 3, True),
          ("questions", 0, False), ("questions", 1, True)]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong", "refused"), LIMITS)
def test_limit_itself_is_still_kept(knowledge: Knowledge, tmp_path: Path, name: str, wrong: int, refused: bool) -> None:
    right, misread = {"dangers": ("cấp cứu", "quên mã")}.get(name, ("quên mã", "cấp cứu"))
    sets: dict[str, list[str]] = {"dangers": ["cấp cứu"], "lookalikes": ["quên mã"], "questions": ["quên mã"]}
    sets[name] = [misread] * wrong + [right] * (100 - wrong)
    problems, warnings = replay(knowledge, write(tmp_path, **sets))
    assert (bool(problems), len(warnings)) == (refused, wrong)


def write(folder: Path, **sets: Sequence[str]) -> Path:
    (folder / FOLDER).mkdir()
    for name, texts in sets.items():
        lines = "".join(json.dumps({"q": text}, ensure_ascii=False) + "\n" for text in texts)
        (folder / FOLDER / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


# A line of a held-out file that is none.
BAD_LINES = ["{", "[]", '{"question": "x"}', '{"q": ""}', '{"q": 7}', '{"q": "x", "ids": "about-app"}', "", "\ufeff",
             '{"q": "\\ud800"}']  # fmt: skip


@pytest.mark.parametrize("line", BAD_LINES)
@pytest.mark.parametrize("file", FILES)
def test_bad_line_is_told_with_file_and_number(tmp_path: Path, file: str, line: str) -> None:
    shutil.copytree(CONTENT / FOLDER, tmp_path / FOLDER)
    path = tmp_path / FOLDER / file
    before = path.read_text(encoding="utf-8").splitlines()[:2]
    path.write_text("\n".join((*before, line, *before)) + "\n", encoding="utf-8")
    with pytest.raises(ContentError, match=rf"{re.escape(file)}:3: expected one object") as caught:
        load_held_out(tmp_path, file)
    assert len(caught.value.problems) == 1


def test_missing_file_is_told(knowledge: Knowledge, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"checks/dangers\.jsonl: cannot be read: No such file"):
        replay(knowledge, tmp_path)
