"""Emergencies as content: every mistake in danger.yaml is a line that says where."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.acts import load_emergencies
from bot.library.knowledge import Knowledge, load_knowledge
from bot.text.markup import to_plain
from tests.library.test_articles import Edit, content, swap

__all__ = ["content"]  # the fixture: the real links, menu and words, two small articles

FILE = "danger.yaml"
DANGER = """\
kinds:
  stroke:
    text:
      vi: "**Gọi 115 ngay.** Từng phút đều quý."
      en: "**Call 115 now.** Every minute counts."
  general:
    text:
      vi: "**Gọi 115 ngay.**"
      en: "**Call 115 now.**"
signs:
  past: [năm ngoái]
examples:
  now:
    stroke: [bố tôi đột quỵ]
    general: [cấp cứu bố tôi với]
  not: [bố tôi khỏe rồi, năm ngoái bố đột quỵ]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(DANGER, encoding="utf-8")
    return tmp_path


def test_a_small_file_is_in_order(folder: Path) -> None:
    emergencies = load_emergencies(folder)
    assert list(emergencies.kinds) == ["stroke", "general"]  # the first one wins when several are meant
    assert emergencies.signs == {"past": ("năm ngoái",)}
    assert emergencies.examples.now["stroke"] == ("bố tôi đột quỵ",)
    assert len(emergencies.examples.not_now) == 2


# The edit of danger.yaml → what is said about it.
BAD: list[tuple[str, Edit, list[str]]] = [
    ("no 115", swap("**Gọi 115 ngay.** Từng", "Từng"), [":4: must name 115 within its first 120 characters."]),
    ("no 115 in English", swap("**Call 115 now.** Every", "**Call now.** Every"), [":5: must name 115 within"]),
    ("115 too late", swap('"**Gọi 115 ngay.** Từng', '"' + "dài " * 31 + "**Gọi 115 ngay.** Từng"),
     [":4: must name 115 within"]),
    ("no general kind", lambda text: text.replace("  general:\n", "  common:\n").replace(" general:", " common:"),
     [":1: the kind general is missing."]),
    ("no example of a kind", swap("    stroke: [bố tôi đột quỵ]\n", ""), [":13: holds no example of stroke."]),
    ("an empty list of examples", swap("[bố tôi đột quỵ]", "[]"), [":13: holds no example of stroke."]),
    ("examples of no kind", swap("    stroke:", "    strok: [méo miệng]\n    stroke:"), [":14: strok is no kind."]),
    ("danger and none", swap("bố tôi khỏe rồi", "bố tôi đột quỵ"),
     [":16: 'bố tôi đột quỵ' is an example of stroke too."]),
    ("danger and none, spelt otherwise", swap("bố tôi khỏe rồi", "BO TOI  dot quy"),
     [":16: 'BO TOI  dot quy' is an example of stroke too."]),
    ("one language", swap('      en: "**Call 115 now.** Every minute counts."\n', ""),
     [":3: kinds.stroke.text.en is missing."]),
    ("an empty example", swap("[bố tôi đột quỵ]", '[""]'), [":14: examples.now.stroke[1] must not be empty"]),
    ("an unknown key", swap("signs:", "sign:"), [":10: sign is not a known key."]),
    ("a wild id", swap("  stroke:\n    text", "  Đột quỵ:\n    text"), [":2: kinds.Đột quỵ"]),
    ("no calm example", swap("  not: [bố tôi khỏe rồi, năm ngoái bố đột quỵ]\n", ""),
     [":12: examples.not is missing."]),
    ("nothing", lambda _: "", [":1: kinds is missing.", ":1: examples is missing."]),
    ("not YAML", swap("kinds:", "kinds: {"), [":3: is not valid YAML"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edit", "expected"), BAD, ids=[row[0] for row in BAD])
def test_bad_emergencies_are_told_with_file_and_line(folder: Path, name: str, edit: Edit, expected: list[str]) -> None:
    (folder / FILE).write_text(edit(DANGER), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_emergencies(folder)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == len(expected), told
    for sentence, wanted in zip(sorted(told), sorted(expected), strict=True):
        assert f"{FILE}{wanted}" in sentence


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"danger\.yaml: cannot be read: No such file"):
        load_emergencies(tmp_path)


def test_knowledge_with_bad_emergencies_is_refused(content: Path) -> None:
    path = content / FILE
    path.write_text(path.read_text(encoding="utf-8").replace("Gọi 115", "Gọi 113"), encoding="utf-8")
    with pytest.raises(ContentError, match=r"danger\.yaml:3: must name 115"):
        load_knowledge(content, None)


def test_real_texts_begin_with_115_and_advise_nothing(knowledge: Knowledge) -> None:
    """What is said first is short, names the number in its first words, and holds no other figures than numbers."""
    kinds = knowledge.emergencies.kinds
    assert len(kinds) == 10
    for name, kind in kinds.items():
        for language in ("vi", "en"):
            text = to_plain(kind.text.in_language(language))
            assert "115" in text[:20], (name, language)
            assert len(text) < 400, (name, language)
            assert {word for word in text.replace(";", " ").split() if word.strip(".,").isdigit()} <= {
                "115", "115.", "115,", "114", "114,", "113", "113."
            }, (name, language)  # fmt: skip
