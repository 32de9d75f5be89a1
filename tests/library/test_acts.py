"""Acts as content: every mistake in acts.yaml is a line that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.acts import Acts, load_acts
from bot.library.knowledge import Knowledge, load_knowledge
from tests.conftest import ROOT
from tests.library.test_articles import Edit, content, swap

__all__ = ["content"]  # the fixture: the real links, menu and words, two small articles

FILE = "acts.yaml"
ACTS = """\
acts:
  thanks:
    article: one
    says:
      vi: [cảm ơn nhé, đa tạ]
      en: [thanks]
    answers:
      vi: [Không có gì ạ.]
      en: [You are welcome.]
  ok:
    says:
      vi: [vâng, 👍]
    answers:
      vi: [Vâng ạ.]
      en: [All right.]
other: [ở đâu, số]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(ACTS, encoding="utf-8")
    return tmp_path


def load(folder: Path) -> Acts:
    return load_acts(folder, {"one": object()})


def test_a_small_file_is_in_order(folder: Path) -> None:
    acts = load(folder)
    assert acts.says() == {"thanks": ("cảm ơn nhé", "đa tạ", "thanks"), "ok": ("vâng", "👍")}
    assert acts.acts["thanks"].answers.in_language("en") == ("You are welcome.",)
    assert acts.other == ("ở đâu", "số")


# The edit of acts.yaml → what is said about it.
BAD: list[tuple[str, Edit, list[str]]] = [
    ("no such article", swap("article: one", "article: gone"), [":3: names 'gone', which is no article."]),
    ("said by two acts", swap("[vâng, 👍]", "[vâng, đa tạ]"), [":12: 'đa tạ' stands in thanks too."]),
    ("said by two acts, spelt otherwise", swap("[vâng, 👍]", "[ĐA   TẠ]"), [":12: 'ĐA   TẠ' stands in thanks too."]),
    ("said by two acts, with signs", swap("[vâng, 👍]", '["Đa tạ!"]'), [":12: 'Đa tạ!' stands in thanks too."]),
    ("the same sign twice", swap("đa tạ", "👍👍"), [":12: '👍' stands in thanks too."]),
    ("an act and none", swap("[ở đâu, số]", "[ở đâu, da ta]"), [":16: 'da ta' stands in thanks too."]),
    ("too long an answer", swap("Vâng ạ.", "dài " * 80), [":14: is longer than 300 characters."]),
    ("two at once", lambda text: text.replace("article: one", "article: gone").replace("Vâng ạ.", "dài " * 80),
     [":3: names 'gone'", ":14: is longer"]),
    ("no answer in a language", swap("      en: [You are welcome.]\n", ""), [":7: acts.thanks.answers.en is missing."]),
    ("an empty list of answers", swap("[You are welcome.]", "[]"),
     [":9: acts.thanks.answers.en must hold at least 1"]),
    ("an empty sentence", swap("[thanks]", '[" "]'), [":6: acts.thanks.says.en[1] must not be empty"]),
    ("a language that is none", swap("      en: [thanks]", "      fr: [merci]"),
     [":6: acts.thanks.says.fr is not a known key."]),
    ("an unknown key", swap("    article: one", "    artikel: one"), [":3: acts.thanks.artikel is not a known key."]),
    ("a wild id", swap("  ok:", "  Được rồi:"), [":10: acts.Được rồi"]),
    ("says no list", swap("[thanks]", "thanks"), [":6: acts.thanks.says.en must be a list"]),
    ("no act", lambda _: "acts: {}\n", [":1: acts must hold at least 1"]),
    ("nothing", lambda _: "", [":1: acts is missing."]),
    ("a key twice", swap("other:", "other: []\nother:"), [":17: other stands here a second time."]),
    ("not YAML", swap("acts:", "acts: ["), [":3: is not valid YAML"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), BAD, ids=[row[0] for row in BAD])
def test_bad_acts_are_told_with_file_and_line(folder: Path, name: str, edit: Edit, expected: list[str]) -> None:
    (folder / FILE).write_text(edit(ACTS), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load(folder)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == len(expected), told
    for sentence, wanted in zip(told, expected, strict=True):
        assert f"{FILE}{wanted}" in sentence


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"acts\.yaml: cannot be read: No such file"):
        load(tmp_path)


def test_knowledge_with_bad_acts_is_refused(content: Path) -> None:
    path = content / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("cảm ơn nhé", "ở đâu"), encoding="utf-8")
    with pytest.raises(ContentError, match=r"acts\.yaml:5: 'ở đâu' stands in thanks too"):
        load_knowledge(content, None)


def test_the_real_acts_are_in_order(knowledge: Knowledge) -> None:
    acts = load_acts(ROOT / "content", knowledge.library.articles)
    assert len(acts.acts) >= 30
    assert {"thanks", "ok", "next", "back", "stop", "not-worked", "where", "how-long", "anger"} <= set(acts.acts)
    for name, act in acts.acts.items():
        assert act.says.vi, name
        assert act.says.en or name in ("speak-vietnamese",), name
