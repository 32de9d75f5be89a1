"""The classifiers of acts and danger: learnt from the content, kept beside the search index.

`bot.library.knowledge` calls `open_classifiers` when content is loaded. The same content gives the same weights.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bot.reading.classifier import PLACES, TextClassifier
from bot.search import WordLists
from bot.search import concepts as concepts_module
from bot.search import tokenizer as tokenizer_module
from bot.search.concepts import Concepts
from bot.search.tokenizer import Tokenizer
from bot.text import normalize, syllables, telex
from bot.text.normalize import compatible, fold
from bot.text.normalize import words as split_words

Groups = Callable[[Sequence[str]], list[str]]

_FORMAT = 1
_CODE = ("classifier.py", "training.py")
_TEXT_MODULES = (tokenizer_module, concepts_module, normalize, syllables, telex)


@dataclass(frozen=True, slots=True)
class ExampleSet:
    """What one classifier learns from: examples of each label, and groups of words that count together."""

    examples: Mapping[str, Sequence[str]]
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    size: int = PLACES


def open_classifiers(sets: Mapping[str, ExampleSet], words: WordLists, cache: Path | None) -> dict[str, TextClassifier]:
    """Return a classifier for each named set of examples: from the cache when it still fits, else learnt and kept."""
    mark, tokenizer = _fingerprint(sets, words), Tokenizer(words)
    groups = {name: _finder(one.groups, words, tokenizer) for name, one in sets.items()}
    if cache is not None and (kept := _load(cache, mark, groups)) is not None:
        return kept
    made = {
        name: TextClassifier.train(
            {label: _variants(texts, tokenizer) for label, texts in one.examples.items()}, groups[name], size=one.size
        )
        for name, one in sets.items()
    }
    for one in made.values():  # as they are kept, so that the next process reads alike
        one.weights = one.weights.astype(np.float16).astype(np.float32)
    if cache is not None:
        _save(cache, mark, made)
    return made


def _finder(groups: Mapping[str, Sequence[str]], words: WordLists, tokenizer: Tokenizer) -> Groups:
    lists = WordLists(
        abbreviations=words.abbreviations,
        synonyms={name: tuple(tuple(split_words(text)) for text in texts) for name, texts in groups.items()},
    )
    return Concepts(lists, tokenizer).find


def _variants(texts: Sequence[str], tokenizer: Tokenizer) -> list[list[str]]:
    """Return the words of each text as typed and, where it has marks, without them."""
    found = []
    for text in texts:
        plain = compatible(text)
        for typed in dict.fromkeys((plain, fold(plain))):
            if tokens := tokenizer.read(typed):
                found.append(tokens)
    return found


def _fingerprint(sets: Mapping[str, ExampleSet], words: WordLists) -> str:
    digest = hashlib.sha256(f"{_FORMAT}\n".encode())
    for path in (*(Path(__file__).parent / name for name in _CODE), *(Path(str(m.__file__)) for m in _TEXT_MODULES)):
        digest.update(path.read_bytes())
    for name, one in sorted(sets.items()):
        digest.update(f"{name} {one.size}\n".encode())
        for label, texts in (*sorted(one.examples.items()), *sorted(one.groups.items())):
            digest.update("\n".join((name, label, *texts)).encode("utf-8", "replace"))
    digest.update(json.dumps(words.to_mapping(), sort_keys=True).encode())
    return digest.hexdigest()


def _save(path: Path, mark: str, made: Mapping[str, TextClassifier]) -> None:
    arrays: dict[str, Any] = {}
    for name, one in made.items():
        arrays[f"{name}.weights"], arrays[f"{name}.bias"] = one.weights.astype(np.float16), one.bias
        arrays[f"{name}.rarity"] = one.rarity
    head = {"mark": mark, "labels": {name: one.labels for name, one in made.items()}}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_bytes(buffer.getvalue())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _load(path: Path, mark: str, groups: Mapping[str, Groups]) -> dict[str, TextClassifier] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            head = json.loads(arrays["head"].tobytes().decode())
            if head["mark"] != mark:
                return None
            return {
                name: TextClassifier(
                    labels,
                    arrays[f"{name}.weights"].astype(np.float32),
                    arrays[f"{name}.bias"],
                    arrays[f"{name}.rarity"],
                    groups[name],
                )
                for name, labels in head["labels"].items()
            }
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
