"""The score of every article for the words of a question: a sum of rows, looked up or made on the way.

Every word, neighbour pair and group of words has one row: its features' share of the learnt weights. Rows of what
is frequent are made when the index is opened; rows of rare and of misspelt words when they first come up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bot.search.concepts import Concepts
from bot.search.features import Floats, Rarity
from bot.search.tokenizer import sound
from bot.text.normalize import fold

_LONG = 22  # words; longer messages are also scored through a sliding window, for the question inside a story
_WINDOW, _STRIDE = 14, 4
_BEST_WINDOW = 0.25
_TABLE_BYTES = 8_000_000
_SPARE = 2048  # places in the table for what only comes up while serving; more than one message can hold


class WordRow(NamedTuple):
    """Place of a word's row, squared length of its vector, whether the articles know it, what it sounds like."""

    place: int
    length: float
    known: bool
    sound: str
    folded: str
    alarming: bool


class Scores(NamedTuple):
    """What the words of a question score, and what the judge and the rules want to know about them."""

    articles: Floats
    foreign: float  # the score of being none of the bot's business
    known: float  # share of the words that occur in the articles' questions
    familiar: float  # share of neighbouring words that do so together
    folded: str  # the question without marks
    danger: bool


class Scorer:
    """Learnt weights, and the rows made from them."""

    def __init__(self, rarity: Rarity, concepts: Concepts, weights: Floats, bias: Floats, articles: int) -> None:
        self.articles = articles
        self.rarity = rarity
        self.concepts = concepts
        self.weights = weights
        self.bias = bias
        self._vocabulary = frozenset(key[2:] for key in rarity.weights if key.startswith("f:"))
        places = max(2 * _SPARE, _TABLE_BYTES // (4 * len(bias)))
        self._kept = places - _SPARE
        self._table = np.zeros((places, len(bias)), np.float32)
        self._table_used = 0
        self._spare_next = 0
        self._owners: list[str] = [""] * _SPARE
        self._words: dict[str, WordRow] = {}
        self._singles: dict[str, tuple[int, float]] = {}

    def warm(self, words: Sequence[str]) -> None:
        """Make the rows of these words, and of all pairs and groups, as far as the table reaches."""
        common = sorted(
            (weight, key) for key, weight in self.rarity.weights.items() if key.startswith(("b:", "k:", "~k:"))
        )
        for word in words:
            if self._table_used >= self._kept * 2 // 3:
                break
            self.word(word)
        for _, key in common:
            if self._table_used >= self._kept:
                break
            self._single(key)
        self.rarity.forget()

    def word(self, word: str) -> WordRow:
        """All that is kept about a word."""
        entry = self._words.get(word)
        if entry is None:
            places, values, length = self.rarity.word(word)
            place = self._place("w" + word)
            if places:
                np.matmul(np.asarray(values, np.float32), self.weights[places], out=self._table[place])
            else:
                self._table[place] = 0.0
            folded = fold(word)
            known, alarming = folded in self._vocabulary, self.concepts.may_be_danger(word)
            entry = self._words[word] = WordRow(place, length, known, sound(word), folded, alarming)
        return entry

    def _single(self, key: str) -> tuple[int, float] | None:
        entry = self._singles.get(key)
        if entry is None and key in self.rarity.weights:
            found = self.rarity.single(key)
            assert found is not None
            place = self._place("s" + key)
            np.multiply(self.weights[found[0]], np.float32(found[1]), out=self._table[place])
            entry = self._singles[key] = place, found[1] * found[1]
        return entry

    def _place(self, owner: str) -> int:
        if self._table_used < self._kept:
            self._table_used += 1
            return self._table_used - 1
        spare = self._spare_next
        self._spare_next = (spare + 1) % _SPARE
        former = self._owners[spare]
        if former:
            (self._words if former[0] == "w" else self._singles).pop(former[1:], None)
        self._owners[spare] = owner
        return self._kept + spare

    def score(self, tokens: Sequence[str]) -> Scores:
        """Score the words of a question."""
        words = self._words
        entries = [words.get(token) or self.word(token) for token in tokens]
        sounds = [entry.sound for entry in entries]
        rows: list[int] = []
        length = 0.0
        known = 0
        for entry in dict(zip(tokens, entries, strict=True)).values():
            rows.append(entry.place)
            length += entry.length
            known += entry.known
        count = len(rows)
        pairs = [self._single(f"b:{a} {b}") for a, b in pairwise(sounds)]
        for single in (*dict.fromkeys(pairs), *map(self._single, self.concepts.find(tokens, sounds))):
            if single is not None:
                rows.append(single[0])
                length += single[1]
        logits: Floats = self._table[rows].sum(axis=0)
        logits /= np.float32(math.sqrt(length) or 1.0)
        logits += self.bias
        if len(tokens) > _LONG:
            logits = self._with_windows(logits, entries, pairs)
        starts = [at for at, entry in enumerate(entries) if entry.alarming]
        danger = bool(starts) and self.concepts.danger(tokens, starts)
        familiar = sum(pair is not None for pair in pairs) / len(pairs) if pairs else 0.5
        elsewhere = logits[self.articles :].tolist()
        most = max(elsewhere)
        foreign = most + math.log(sum([math.exp(score - most) for score in elsewhere]))
        folded = " ".join([entry.folded for entry in entries])
        return Scores(logits[: self.articles], foreign, known / count, familiar, folded, danger)

    def _with_windows(
        self,
        whole: Floats,
        entries: Sequence[WordRow],
        pairs: Sequence[tuple[int, float] | None],
    ) -> Floats:
        """The scores of a long message, with those of its parts."""
        rows = self._table[[entry.place for entry in entries]]
        lengths = np.asarray([entry.length for entry in entries])
        for at, pair in enumerate(pairs):
            if pair is not None:
                rows[at + 1] += self._table[pair[0]]
                lengths[at + 1] += pair[1]
        sums = np.zeros((len(rows) + 1, rows.shape[1]), np.float32)
        np.cumsum(rows, axis=0, out=sums[1:])
        totals = np.zeros(len(rows) + 1)
        np.cumsum(lengths, out=totals[1:])
        starts = np.asarray([*range(0, len(rows) - _WINDOW, _STRIDE), len(rows) - _WINDOW])
        parts = sums[starts + _WINDOW] - sums[starts]
        parts /= np.sqrt(np.maximum(totals[starts + _WINDOW] - totals[starts], 1e-6)).astype(np.float32)[:, None]
        parts += self.bias
        mixed: Floats = whole + parts.mean(axis=0) + np.float32(_BEST_WINDOW) * parts.max(axis=0)
        return mixed / np.float32(1.5)
