"""YAML files whose every value knows its line, checked against a pydantic model."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.errors import ContentError, Problem

Key = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

# What YAML's own readers of days and numbers let out for a value that is none.
_UNREADABLE = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Document:
    """A parsed file: plain values, and the line on which each key stands."""

    file: str
    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, key: Iterable[str | int]) -> int:
        """Return the line of a key, or of its nearest parent that stands in the file."""
        path = tuple(key)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, key: Iterable[str | int], sentence: str) -> Problem:
        """Say what is wrong with a key, with its place."""
        return Problem(self.file, self.line(key), sentence)


def shown_path(path: Path) -> str:
    """Name a file as a reader would: relative to the working directory where it lies within."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_document(path: Path) -> Document:
    """Parse one YAML file; raises ContentError with the line when it cannot be read or parsed."""
    document = Document(shown_path(path))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ContentError([Problem(document.file, 0, f"cannot be read: {error.strerror}.")]) from None
    except UnicodeDecodeError:
        raise ContentError([Problem(document.file, 0, "is not UTF-8 text.")]) from None
    loader = None
    try:
        loader = _Loader(unicodedata.normalize("NFC", text))
        root = loader.get_single_node()
        if root is None:
            document.value = {}
            return document
        doubles: list[Problem] = []
        _note_lines(root, (), document, doubles)
        if doubles:
            raise ContentError(doubles)
        _refuse_bad_values(root, document, loader)
        document.value = loader.construct_document(root)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        sentence = f"holds the character U+{error.character:04X}, which YAML does not allow."
        raise ContentError([Problem(document.file, line, sentence)]) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ContentError([Problem(document.file, line, f"is not valid YAML: {error.problem}.")]) from None
    except (yaml.YAMLError, RecursionError, *_UNREADABLE) as error:
        raise ContentError([Problem(document.file, 0, f"is not valid YAML: {error}.")]) from None
    finally:
        if loader is not None:
            loader.dispose()
    return document


def read_model(path: Path, model: type[Model]) -> tuple[Model, Document]:
    """Parse a file into a model; raises ContentError with one problem for each wrong value."""
    document = read_document(path)
    try:
        return model.model_validate(document.value), document
    except ValidationError as error:
        raise ContentError(
            [document.problem(_key(e["loc"]), f"{dotted(e['loc'])} {wording(e)}") for e in error.errors()]
        ) from None


def dotted(location: Iterable[str | int]) -> str:
    """Write a key as people do: `web.port`, `questions.vi[3]`."""
    name = ""
    for part in location:
        name += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if name else part
    return name or "the file"


def wording(error: ErrorDetails, *, show_value: bool = True) -> str:
    """Put one validation error into words that follow the name of the key."""
    context = error.get("ctx") or {}
    kind = error["type"]
    sentence = {
        "missing": "is missing",
        "extra_forbidden": "is not a known key",
        "string_type": "must be text",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "float_parsing": "must be a number",
        "bool_parsing": "must be true or false",
        "bool_type": "must be true or false",
        "list_type": "must be a list",
        "tuple_type": "must be a list",
        "dict_type": "must be a mapping",
        "model_type": "must be a mapping",
        "model_attributes_type": "must be a mapping",
        "literal_error": f"must be {context.get('expected')}",
        "time_parsing": 'must be a time of day such as "20:00"',
        "too_short": f"must hold at least {context.get('min_length')}",
        "too_long": f"must hold at most {context.get('max_length')}",
        "string_too_short": "must not be empty",
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "value_error": str(context.get("error", "")),
        "assertion_error": str(context.get("error", "")),
    }.get(kind)
    if sentence is None:
        sentence = error["msg"][:1].lower() + error["msg"][1:]
        sentence = sentence.removeprefix("input ").replace("string", "text")
    value = error.get("input")
    if show_value and kind not in ("missing", "extra_forbidden") and isinstance(value, str | int | float | bool):
        sentence += f", not {value!r:.60}"
    return sentence.rstrip(".") + "."


def _key(location: tuple[str | int, ...]) -> Key:
    return tuple(location)


def _refuse_bad_values(root: yaml.Node, document: Document, loader: Any) -> None:
    """Name the line of a value that YAML takes for a day or number that cannot be, such as 2026-02-30."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.ScalarNode):
            try:
                loader.construct_object(node)
            except _UNREADABLE as error:
                line = node.start_mark.line + 1
                raise ContentError([Problem(document.file, line, f"{node.value!r:.60} cannot be: {error}.")]) from None


def _note_lines(node: yaml.Node, key: Key, document: Document, doubles: list[Problem]) -> None:
    document.lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            child = (*key, str(name.value))
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarNode):
                doubles.append(Problem(document.file, line, "a key must be a plain word."))
                continue
            if name.value in seen:
                doubles.append(Problem(document.file, line, f"{dotted(child)} stands here a second time."))
            seen.add(name.value)
            document.lines[child] = line
            _note_lines(value, child, document, doubles)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            child_index: Key = (*key, index)
            document.lines[child_index] = value.start_mark.line + 1
            _note_lines(value, child_index, document, doubles)
