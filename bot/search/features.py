"""What the words of a question are measured by: themselves, their sound, their letters, their neighbours.

Every feature is a key (`f:cai`, `p:cai`, `m:cai` + tone, `c:^ca`, `b:cai dat`) that falls into one of DIMENSIONS
places by a stable hash. A word's features do not depend on its neighbours and a neighbour pair is one feature, so the
vector of a question is a plain sum; that is what makes scoring a sum of rows.
"""

from __future__ import annotations

import math
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from bot.search.concepts import Concepts
from bot.search.tokenizer import sound
from bot.text.normalize import fold
from bot.text.syllables import TONES

DIMENSIONS = 4096
_REMEMBERED = 4096  # words, about 2 kB each
# What a feature counts for before its rarity; found by cross-validation (docs/search.md).
_MARKED, _FOLDED, _SOUND, _LETTERS, _PAIR, _CONCEPT = 1.0, 1.3, 0.7, 0.45, 0.6, 1.6

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@lru_cache(maxsize=1024)  # about 4 kB each
def word_keys(word: str) -> tuple[tuple[str, float], ...]:
    """The features of one word and what each counts for before rarity is considered."""
    folded = fold(word)
    keys = [("f:" + folded, _FOLDED), ("p:" + sound(word), _SOUND)]
    if folded != word:
        parts = unicodedata.normalize("NFD", word)
        tone = "".join(c for c in parts if c in TONES)  # "hoà" and "hòa" are one word
        keys.append(("m:" + "".join(c for c in parts if c not in TONES) + tone, _MARKED))
    framed = f"^{folded}$"
    grams = Counter(framed[start : start + size] for size in (2, 3, 4, 5) for start in range(len(framed) - size + 1))
    keys += [("c:" + gram, _LETTERS * math.log1p(count) / math.log(2)) for gram, count in grams.items()]
    return tuple(keys)


def pair_key(first: str, second: str) -> str:
    """The feature of two neighbouring words, by their sounds."""
    return f"b:{sound(first)} {sound(second)}"


def distinct(tokens: Sequence[str]) -> list[str]:
    """The words of a question, each once, in order of appearance: saying a word twice adds nothing."""
    return list(dict.fromkeys(tokens))


def place(key: str) -> tuple[int, float]:
    """Where a feature falls, and with which sign (so that collisions cancel out on average)."""
    number = zlib.crc32(key.encode())
    return (number >> 1) % DIMENSIONS, 1.0 if number & 1 else -1.0


@dataclass(frozen=True, slots=True)
class Rarity:
    """How much each known feature counts; an unknown one counts nothing."""

    weights: Mapping[str, float]
    _made: dict[str, tuple[list[int], list[float], float]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, questions: Iterable[Sequence[str]], concepts: Concepts) -> Rarity:
        """Count in how many questions each feature occurs; rare ones count more."""
        seen: Counter[str] = Counter()
        total = 0
        for tokens in questions:
            total += 1
            keys = {key for word in tokens for key, _ in word_keys(word)}
            keys.update(pair_key(a, b) for a, b in pairwise(tokens))
            keys.update(concepts.find(tokens))
            seen.update(keys)
        # A pair or a scrap of a word seen once teaches nothing about other questions. The rest is rounded as it
        # is saved, so that a built and a loaded index agree.
        return cls(
            {
                key: float(np.float32(math.log((1 + total) / (1 + count)) + 1))
                for key, count in sorted(seen.items())
                if count > 1 or not key.startswith(("b:", "c:"))
            }
        )

    def word(self, word: str) -> tuple[list[int], list[float], float]:
        """Places, values and squared length of one word's vector."""
        made = self._made.get(word)
        if made is None:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            made = self._made[word] = self._make(word)
        return made

    def forget(self) -> None:
        """Let go of the vectors made so far: whoever scores keeps what came out of them."""
        self._made.clear()
        word_keys.cache_clear()

    def _make(self, word: str) -> tuple[list[int], list[float], float]:
        places: list[int] = []
        values: list[float] = []
        length = 0.0
        for key, weight in word_keys(word):
            rarity = self.weights.get(key)
            if rarity is not None:
                at, sign = place(key)
                value = weight * rarity
                places.append(at)
                values.append(sign * value)
                length += value * value
        return places, values, length

    def single(self, key: str) -> tuple[int, float] | None:
        """Place and value of a pair or a group of words; None when the articles never held it."""
        rarity = self.weights.get(key)
        if rarity is None:
            return None
        at, sign = place(key)
        return at, sign * rarity * (_PAIR if key.startswith("b:") else _CONCEPT)


class FeatureEncoder:
    """Questions (as words) into rows of numbers of length one."""

    def __init__(self, rarity: Rarity, concepts: Concepts) -> None:
        self.rarity = rarity
        self.concepts = concepts

    def encode(self, questions: Sequence[Sequence[str]]) -> Floats:
        """One row a question."""
        matrix = np.zeros((len(questions), DIMENSIONS), np.float32)
        flat = matrix.ravel()
        places: list[int] = []
        values: list[float] = []
        lengths = np.zeros(len(questions), np.float32)
        for row, tokens in enumerate(questions):
            base = row * DIMENSIONS
            length = 0.0
            for word in distinct(tokens):
                known = self.rarity.word(word)
                places += [base + at for at in known[0]]
                values += known[1]
                length += known[2]
            keys = {pair_key(a, b) for a, b in pairwise(tokens)}
            for key in (*sorted(keys), *self.concepts.find(tokens)):
                found = self.rarity.single(key)
                if found:
                    places.append(base + found[0])
                    values.append(found[1])
                    length += found[1] * found[1]
            lengths[row] = math.sqrt(length) or 1.0
        np.add.at(flat, np.asarray(places, np.int64), np.asarray(values, np.float32))
        matrix /= lengths[:, None]
        return matrix
