"""YAML files: every value knows its line, and every way of being broken is one sentence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from bot.errors import ContentError
from bot.yaml_document import dotted, read_document, read_model, shown_path

TREE = """\
# a comment
name: Vĩnh Phúc

districts:
  - id: vinh-yen
    adults: 81700
  - id: phuc-yen   # a remark
    adults:
      2019: 72700
text: |
  one
  two
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


LINES: list[tuple[tuple[str | int, ...], int]] = [
    (("name",), 2),
    (("districts",), 4),
    (("districts", 0), 5),
    (("districts", 0, "adults"), 6),
    (("districts", 1, "adults"), 8),
    (("districts", 1, "adults", "2019"), 9),
    (("districts", 1, "missing"), 7),  # the nearest that stands there
    (("text",), 10),
    (("nothing",), 2),  # where the file's own mapping begins
    ((), 2),
]


@pytest.mark.parametrize(("key", "line"), LINES)
def test_a_key_knows_its_line(tmp_path: Path, key: tuple[str | int, ...], line: int) -> None:
    assert read_document(write(tmp_path, TREE)).line(key) == line


BROKEN: list[tuple[str | bytes, str]] = [
    ("a: [1, 2", "is not valid YAML: did not find expected ',' or ']'."),
    ("a: 1\nb: 'open\nc: 2", "is not valid YAML"),
    ("a: 1\n b: 2", "file.yaml:2: is not valid YAML"),
    ("a: @x", "file.yaml:1: is not valid YAML"),
    ("a: *nowhere", "file.yaml:1: is not valid YAML"),
    ("a: !!python/object:os.system x", "file.yaml:1: is not valid YAML"),
    ("a: 1\n---\nb: 2", "file.yaml:2: is not valid YAML"),
    ("a: 1\nb: 2\na: 3", "file.yaml:3: a stands here a second time."),
    ("x:\n  a: 1\n  a: 2", "file.yaml:3: x.a stands here a second time."),
    ("? [a]\n: 1", "file.yaml:1: a key must be a plain word."),
    ("{[1, 2]: 3}", "file.yaml:1: a key must be a plain word."),
    ("a: 1\nday: 2026-02-30", "file.yaml:2: '2026-02-30' cannot be: day is out of range for month."),
    ("day: 2026-13-01", "file.yaml:1: '2026-13-01' cannot be: month must be in 1..12."),
    ("a: 1\nb: \x01", "file.yaml:2: holds the character U+0001, which YAML does not allow."),
    (b"a: \xff", "file.yaml: is not UTF-8 text."),
    ("a: &x [*x]", "file.yaml: is not valid YAML: maximum recursion depth exceeded."),
]


@pytest.mark.parametrize(("text", "sentence"), BROKEN, ids=[repr(row[0]) for row in BROKEN])
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(ContentError) as caught:
        read_document(write(tmp_path, text))
    (problem,) = caught.value.problems
    assert sentence in str(problem)
    assert "\n" not in str(problem)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"no\.yaml: cannot be read: No such file or directory\."):
        read_document(tmp_path / "no.yaml")


EMPTY = ["", "\n\n", "# only a comment\n", "---\n"]


@pytest.mark.parametrize("text", EMPTY)
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, text: str) -> None:
    assert read_document(write(tmp_path, text)).value in ({}, None)


def test_letters_are_composed(tmp_path: Path) -> None:
    assert read_document(write(tmp_path, "a: Vi\u0303nh Phu\u0301c")).value == {"a": "Vĩnh Phúc"}


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str
    adults: int = Field(gt=0)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    day: date | None = None
    districts: list[Inner] = []


WRONG: list[tuple[str, list[str]]] = [
    ("districts: []", ["file.yaml:1: name is missing."]),
    ("name: 5", ["file.yaml:1: name must be text, not 5."]),
    ("name: x\nextra: 1", ["file.yaml:2: extra is not a known key."]),
    ("name: x\ndistricts:\n  - id: a\n    adults: many",
     ["file.yaml:4: districts[1].adults must be a whole number, not 'many'."]),
    ("name: x\ndistricts:\n  - id: a\n    adults: 1\n  - adults: 0\n    colour: red",
     ["file.yaml:5: districts[2].adults should be greater than 0, not 0.", "file.yaml:5: districts[2].id is missing.",
      "file.yaml:6: districts[2].colour is not a known key."]),
    ("name: x\ndistricts: {}", ["file.yaml:2: districts must be a list."]),
    ("name: x\ndistricts: [a]", ["file.yaml:2: districts[1] must be a mapping, not 'a'."]),
    ("- a", ["file.yaml:1: the file must be a mapping."]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[row[0] for row in WRONG])
def test_each_wrong_value_is_a_line_of_its_own(tmp_path: Path, text: str, expected: list[str]) -> None:
    with pytest.raises(ContentError) as caught:
        read_model(write(tmp_path, text), Outer)
    assert [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems] == expected


def test_a_good_file_is_a_model(tmp_path: Path) -> None:
    model, document = read_model(write(tmp_path, "name: x\nday: 2026-11-23"), Outer)
    assert model == Outer(name="x", day=date(2026, 11, 23))
    assert str(document.problem(("day",), "is past.")).endswith("file.yaml:2: is past.")


NAMES: list[tuple[tuple[str | int, ...], str]] = [
    ((), "the file"),
    (("web", "port"), "web.port"),
    (("questions", "vi", 2), "questions.vi[3]"),
    (("a", 0, "b"), "a[1].b"),
]


@pytest.mark.parametrize(("location", "name"), NAMES)
def test_keys_are_named_as_people_count(location: tuple[str | int, ...], name: str) -> None:
    assert dotted(location) == name


def test_paths_are_shown_from_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(tmp_path / "a" / "b.yaml") == "a/b.yaml"
    assert shown_path(Path("/etc/hosts")) == "/etc/hosts"


def test_an_error_of_another_process_says_the_same(tmp_path: Path) -> None:
    """The index is built in a process of its own, whose error comes back pickled."""
    import pickle

    with pytest.raises(ContentError) as caught:
        read_document(write(tmp_path, "a: 1\na: 2"))
    there = pickle.loads(pickle.dumps(caught.value))
    assert (str(there), there.problems) == (str(caught.value), caught.value.problems)


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=60)
    | st.lists(st.sampled_from(["a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", "&x", "*x", "!!int ", "|", "'", '"',
                                "? ", "#", "2026-02-30", "0x", "1e999", "<<", "~", ".inf"]), max_size=14).map("".join)
)  # fmt: skip
def test_any_text_is_read_or_complained_about(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text.encode("utf-8", "surrogatepass"))
    said: list[str] | None = None
    try:
        read_document(path)
    except ContentError as error:
        said = [str(problem) for problem in error.problems]
    assert said is None or (said and all("\n" not in line for line in said))
