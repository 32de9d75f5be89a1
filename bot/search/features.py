"""What the words of a question are measured by: themselves, their sound, their letters, their neighbours.

Every feature is a key (`f:cai`, `p:cai`, `m:` + marked word, `c:^ca`, `b:cai dat`) with a stable code. The features of
a word do not depend on its neighbours and every other feature stands alone, so the vector of a question is a plain
sum; that is what makes scoring a sum of rows.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bot.search.concepts import Concepts
from bot.search.tokenizer import sound
from bot.text.normalize import fold

# What a feature counts for before its rarity; found by cross-validation over authors (docs/search.md). The fold of a
# marked word counts less than that of a bare one, so that "hiến máu" does not become "hiện màu".
_MARKED, _FOLDED, _FOLDED_OF_MARKED, _SOUND, _SOUND_OF_MARKED, _LETTERS = 1.8, 1.3, 0.8, 0.7, 0.4, 0.5
_PAIR, _SKIP, _FAR_SKIP, _NEGATED, _EDGE, CONCEPT = 0.8, 0.6, 0.42, 0.8, 0.5, 1.2
_LETTER_GROUPS = (3, 4)
_NEGATIONS = frozenset(
    ["không", "chưa", "chẳng", "chả", "đừng", "khỏi", "khong", "chua", "chang", "not", "never", "no", "cannot"]
)
_NOT_NEGATED = frozenset(  # words without a meaning of their own between a negation and what it denies
    [
        "là",
        "thì",
        "mà",
        "có",
        "được",
        "cho",
        "với",
        "ạ",
        "à",
        "ơi",
        "nhé",
        "thế",
        "vậy",
        "gì",
        "em",
        "tôi",
        "mình",
        "bạn",
        "này",
        "cái",
        "la",
        "thi",
        "ma",
        "co",
        "duoc",
        "the",
        "vay",
    ]
)
# Roles of features: what a word is known by, the other forms of a whole word, a pair of neighbours; 0 for the others.
_WORD, _FORM, _NEIGHBOURS = 1, 2, 3
NO_PAIRS = 0.5  # share of familiar pairs where there is none
_AFTER_NEGATION, _MOST_NEGATED = 3, 2

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]


def code(key: str) -> int:
    """Return the code of a feature; two of 80,000 features share one by chance once in two indexes."""
    return zlib.crc32(key.encode("utf-8", "replace"))


class WordFeatures(NamedTuple):
    """The features of one word: first its forms (fold, sound, the word as marked), then its letters."""

    codes: tuple[int, ...]
    weights: tuple[float, ...]
    forms: int


@lru_cache(maxsize=8192)  # about 1 kB each
def word_features(word: str) -> WordFeatures:
    """Return the features of one word, and what each counts for before its rarity."""
    folded = fold(word)
    bare = folded == word
    features = [
        ("f:" + folded, _FOLDED if bare else _FOLDED_OF_MARKED),
        ("p:" + sound(word), _SOUND if bare else _SOUND_OF_MARKED),
    ]
    if not bare:
        features.append(("m:" + word, _MARKED))
    forms = len(features)
    framed = f"^{folded}$"
    groups = Counter(framed[at : at + size] for size in _LETTER_GROUPS for at in range(len(framed) - size + 1))
    features += [("c:" + group, _LETTERS * math.log2(1 + count)) for group, count in groups.items()]
    return WordFeatures(tuple(code(key) for key, _ in features), tuple(value for _, value in features), forms)


def order_features(tokens: Sequence[str], sounds: Sequence[str]) -> tuple[dict[int, float], int]:
    """Return the features of the words' order, and how many of them, the first ones, are pairs of neighbours.

    The others are words apart, what is negated, and both ends.
    """
    found = {code(f"b:{a} {b}"): _PAIR for a, b in pairwise(sounds)}
    pairs = len(found)
    for distance, value in ((2, _SKIP), (3, _FAR_SKIP)):
        for a, b in zip(sounds, sounds[distance:], strict=False):
            found.setdefault(code(f"s:{a} {b}"), value)
    for place, token in enumerate(tokens):
        if token in _NEGATIONS:
            following = range(place + 1, min(len(tokens), place + 1 + _AFTER_NEGATION))
            for at in [at for at in following if tokens[at] not in _NOT_NEGATED][:_MOST_NEGATED]:
                found[code("n:" + sounds[at])] = _NEGATED
    found[code("e:^" + sounds[0])] = found[code("e:$" + sounds[-1])] = _EDGE
    return found, pairs


def distinct(tokens: Sequence[str]) -> list[str]:
    """Return the words of a question, each once, in order of appearance: saying a word twice adds nothing."""
    return list(dict.fromkeys(tokens))


class Vocabulary(NamedTuple):
    """The known features: their codes in order, and how much each counts for its rarity."""

    codes: Codes
    rarity: Floats

    def columns(self, codes: Sequence[int] | Codes) -> Ints:
        """Return the column of each code, -1 for an unknown one."""
        wanted = np.asarray(codes, np.uint32)
        places = np.searchsorted(self.codes, wanted)
        places[places == len(self.codes)] = 0
        return np.where(self.codes[places] == wanted, places, -1)


class Rows(NamedTuple):
    """Questions as sparse rows of length one: where each row starts, columns and values."""

    starts: Ints
    columns: npt.NDArray[np.int32]
    values: Floats

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, chosen: Ints) -> Rows:
        """Return some of the rows, in this order."""
        lengths = self.starts[chosen + 1] - self.starts[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        entries = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return Rows(starts, self.columns[entries], self.values[entries])


class Features(NamedTuple):
    """The features of many questions before any of them counts: code, weight and question of each."""

    codes: Codes
    weights: Floats
    owners: Ints
    roles: npt.NDArray[np.uint8]
    total: int

    @classmethod
    def of(cls, questions: Sequence[Sequence[str]], concepts: Concepts) -> Features:
        """Find the features of questions in normal form."""
        codes: list[int] = []
        weights: list[float] = []
        roles = bytearray()
        ends: list[int] = []
        for tokens in questions:
            for word in distinct(tokens):
                found = word_features(word)
                codes += found.codes
                weights += found.weights
                roles += bytes((_WORD, *[_FORM] * (found.forms - 1), *bytes(len(found.codes) - found.forms)))
            if tokens:
                sounds = [sound(token) for token in tokens]
                ordered, pairs = order_features(tokens, sounds)
                groups = [code(group) for group in concepts.find(tokens, sounds)]
                codes += [*ordered, *groups]
                weights += [*ordered.values(), *[CONCEPT] * len(groups)]
                roles += bytes((*[_NEIGHBOURS] * pairs, *bytes(len(ordered) - pairs), *[_FORM] * len(groups)))
            ends.append(len(codes))
        return cls(
            np.asarray(codes, np.uint32),
            np.asarray(weights, np.float32),
            np.repeat(np.arange(len(questions)), np.diff(np.asarray([0, *ends]))),
            np.frombuffer(bytes(roles), np.uint8),
            len(questions),
        )

    def vocabulary(self, questions: int, texts: int) -> tuple[Vocabulary, Ints]:
        """Return the features that count, and how often the first `questions` hold each.

        These are all forms of whole words of the first `texts`, and of the rest what the questions hold more than once.
        """
        codes, times = np.unique(self.codes[self.owners < questions], return_counts=True)
        forms = np.unique(self.codes[(self.owners < texts) & np.isin(self.roles, (_WORD, _FORM))])
        kept = np.union1d(codes[times > 1], forms)
        counts = np.zeros(len(kept), np.int64)
        own = np.isin(codes, kept)
        counts[np.searchsorted(kept, codes[own])] = times[own]
        rarity = np.log((1 + questions) / (1 + counts)) + 1
        return Vocabulary(kept, rarity.astype(np.float32)), counts

    def rows(self, vocabulary: Vocabulary) -> Rows:
        """Return the questions in this vocabulary."""
        columns = vocabulary.columns(self.codes)
        known = columns >= 0
        columns, owners = columns[known], self.owners[known]
        values = self.weights[known] * vocabulary.rarity[columns]
        lengths = np.sqrt(np.bincount(owners, values * values, self.total))
        lengths[lengths == 0] = 1
        values /= lengths[owners].astype(np.float32)
        return Rows(np.searchsorted(owners, np.arange(self.total + 1)), columns.astype(np.int32), values)

    def known(self, words: Codes, pairs: Codes) -> tuple[Floats, Floats]:
        """Return for each question which share of its words, and of its neighbouring pairs, is among these."""
        return self._share(_WORD, words), self._share(_NEIGHBOURS, pairs)

    def _share(self, role: int, codes: Codes) -> Floats:
        chosen = self.roles == role
        owners = self.owners[chosen]
        all_of_them = np.bincount(owners, minlength=self.total)
        hits = np.bincount(owners, np.isin(self.codes[chosen], codes), self.total)
        return np.where(all_of_them > 0, hits / np.maximum(all_of_them, 1), NO_PAIRS).astype(np.float32)
