"""A linear classifier of short texts, learnt from examples; `bot.reading.danger` and `bot.reading.acts` use it.

Features are words as typed and as they sound, their letters, and neighbouring words by their sound, each hashed to a
place. A word's features do not depend on its neighbours, so that its share of the scores is made once and kept.
Training is deterministic and takes seconds; the weights are kept with the search index.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from bot.search.tokenizer import sound
from bot.text.normalize import fold

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

PLACES = 1 << 17  # at most; a classifier may use fewer
_EPOCHS, _BATCH, _RATE, _SEED = 4, 128, 0.35, 20261201
_SHARPNESS = np.float32(5.0)  # texts have length one: without it the logits could hardly grow
_FOLDED, _MARKED, _SOUND, _LETTERS = 0.9, 0.8, 0.6, 0.3
_PAIR, _SKIP, _TRIPLE = 0.9, 0.6, 0.7
_GROUP, _GROUP_PAIR = 1.5, 1.0
_KEPT_WORDS = 4096


def _place(key: str) -> int:
    return zlib.crc32(key.encode()) % PLACES


@lru_cache(maxsize=4096)
def _word_features(word: str) -> tuple[tuple[int, ...], tuple[float, ...]]:
    folded = fold(word)
    found = [(_place("f:" + folded), _FOLDED), (_place("p:" + sound(word)), _SOUND)]
    if folded != word:
        found.append((_place("m:" + word), _MARKED))
    framed = f"^{folded}$"
    for size in (3, 4):
        found += [(_place("c:" + framed[at : at + size]), _LETTERS) for at in range(len(framed) - size + 1)]
    places, weights = zip(*found, strict=True)
    return places, weights


def _neighbour_features(tokens: Sequence[str]) -> tuple[list[int], list[float]]:
    framed = ["^", *map(sound, tokens), "$"]
    places: list[int] = []
    weights: list[float] = []
    for at in range(len(framed) - 1):
        places.append(_place(f"b:{framed[at]} {framed[at + 1]}"))
        weights.append(_PAIR)
        if at + 2 < len(framed):
            places.append(_place(f"s:{framed[at]} {framed[at + 2]}"))
            weights.append(_SKIP)
            places.append(_place(f"t:{framed[at]} {framed[at + 1]} {framed[at + 2]}"))
            weights.append(_TRIPLE)
    return places, weights


def _group_features(groups: Sequence[str]) -> tuple[list[int], list[float]]:
    """Return the features of the groups found in a text: each, and each two of them together."""
    places = [_place(group) for group in groups]
    pairs = [_place(f"{one} {other}") for at, one in enumerate(groups) for other in groups[at + 1 :]]
    return [*places, *pairs], [*[_GROUP] * len(places), *[_GROUP_PAIR] * len(pairs)]


def _encode(tokens: Sequence[str], groups: Sequence[str], size: int) -> tuple[Ints, Floats]:
    """Return the places and values of a text's features, as a vector of length one."""
    places, weights = _neighbour_features(tokens)
    group_places, group_weights = _group_features(groups)
    places += group_places
    weights += group_weights
    for token in tokens:
        word_places, word_weights = _word_features(token)
        places += word_places
        weights += word_weights
    return np.asarray(places, np.int64) % size, np.asarray(weights, np.float32)


def _rarity(rows: Sequence[tuple[Ints, Floats]], size: int) -> Floats:
    """Return what each place counts: the more, the fewer texts have it."""
    seen = np.zeros(size, np.float32)
    for places, _ in rows:
        seen[np.unique(places)] += 1
    rarity: Floats = np.log((1 + len(rows)) / (1 + seen)).astype(np.float32) + np.float32(1)
    return rarity


def _weighted(row: tuple[Ints, Floats], rarity: Floats) -> tuple[Ints, Floats]:
    places, weights = row
    values: Floats = weights * rarity[places]
    return places, values / np.float32(math.sqrt(float(values @ values)) or 1.0)


class TextClassifier:
    """Weights for some labels; gives each label's probability for a text."""

    def __init__(
        self,
        labels: Sequence[str],
        weights: Floats,
        bias: Floats,
        rarity: Floats,
        groups: Callable[[Sequence[str]], list[str]],
    ) -> None:
        """Use learnt weights: a row for each place, a column for each label; `groups` finds groups of words."""
        self.labels, self._groups = tuple(labels), groups
        self.weights, self.bias, self.rarity = weights, bias, rarity
        self._words: dict[str, tuple[Floats, float]] = {}

    @classmethod
    def train(
        cls,
        examples: Mapping[str, Sequence[Sequence[str]]],
        groups: Callable[[Sequence[str]], list[str]],
        *,
        size: int = PLACES,
    ) -> TextClassifier:
        """Learn from tokenized examples of each label; the same examples give the same weights.

        `size` is how many places the features fall into, a power of two.
        """
        labels = sorted(examples)
        encoded = [_encode(tokens, groups(tokens), size) for label in labels for tokens in examples[label]]
        rarity = _rarity(encoded, size)
        rows = [_weighted(row, rarity) for row in encoded]
        targets = np.repeat(np.arange(len(labels)), [len(examples[label]) for label in labels])
        weights = np.zeros((size, len(labels)), np.float32)
        bias = np.zeros(len(labels), np.float32)
        seen = np.full((size, len(labels)), 1e-3, np.float32)  # AdaGrad's sums of squared gradients
        draw = np.random.Generator(np.random.PCG64(_SEED))
        for _ in range(_EPOCHS):
            order = draw.permutation(len(rows))
            for start in range(0, len(order), _BATCH):
                chosen = order[start : start + _BATCH]
                _step(weights, bias, seen, [rows[at] for at in chosen], targets[chosen])
        return cls(labels, weights, bias, rarity, groups)

    def probabilities(self, tokens: Sequence[str]) -> dict[str, float]:
        """Return each label's probability; they add up to one."""
        places, weights = _neighbour_features(tokens)
        group_places, group_weights = _group_features(self._groups(tokens))
        places += group_places
        weights += group_weights
        at = np.asarray(places, np.int64) % len(self.weights)
        values: Floats = np.asarray(weights, np.float32) * self.rarity[at]
        logits: Floats = values @ self.weights[at]
        length = float(values @ values)
        for token in tokens:
            row, square = self._word(token)
            logits += row
            length += square
        logits *= _SHARPNESS / np.float32(math.sqrt(length) or 1.0)
        logits += self.bias
        shares = _softmax(logits[None, :])[0]
        return dict(zip(self.labels, shares.tolist(), strict=True))

    def _word(self, token: str) -> tuple[Floats, float]:
        kept = self._words.get(token)
        if kept is None:
            places, weights = _word_features(token)
            at = np.asarray(places, np.int64) % len(self.weights)
            values: Floats = np.asarray(weights, np.float32) * self.rarity[at]
            row: Floats = values @ self.weights[at]
            kept = row, float(values @ values)
            if len(self._words) >= _KEPT_WORDS:
                self._words.clear()
            self._words[token] = kept
        return kept


def _softmax(logits: Floats) -> Floats:
    logits = logits - logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def _step(weights: Floats, bias: Floats, seen: Floats, batch: Sequence[tuple[Ints, Floats]], targets: Ints) -> None:
    places = np.concatenate([row[0] for row in batch])
    values = np.concatenate([row[1] for row in batch])
    lengths = np.asarray([len(row[0]) for row in batch])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    error = _softmax(np.add.reduceat(values[:, None] * weights[places], starts, axis=0) * _SHARPNESS + bias)
    error[np.arange(len(batch)), targets] -= 1
    slopes = values[:, None] * np.repeat(error, lengths, axis=0)
    slopes *= _SHARPNESS / np.float32(len(batch))
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    summed = np.add.reduceat(slopes[order], firsts, axis=0)
    distinct = ordered[firsts]
    seen[distinct] += summed * summed
    weights[distinct] -= np.float32(_RATE) * summed / np.sqrt(seen[distinct])
    bias -= np.float32(0.05) * error.mean(axis=0)
