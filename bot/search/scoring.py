"""The score of every article for the words of a question: a sum of rows, looked up or made on the way.

A word has one row of scores, its features' share of the learnt weights. Rows of frequent words come with the model,
those of rare and misspelt ones are made when they first come up. Pairs of words and groups are rows of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bot.search.concepts import Concepts
from bot.search.features import CONCEPT, NO_PAIRS, Floats, Ints, Vocabulary, code, order_features, word_features
from bot.search.model import Model
from bot.search.tokenizer import is_english, sound
from bot.text.normalize import fold

_SHORT = 8  # words of a message that has no room for names by the way
_SPARE = 2048  # rows for words that only come up while serving; more than one message can hold


class WordRow(NamedTuple):
    """Place of a word's row, squared length of its vector, whether the articles know it, sound, fold, strangeness."""

    place: int
    length: float
    known: bool
    sound: str
    folded: str
    strange: bool


class Scores(NamedTuple):
    """What the words of a question score, and what the judge and the rules want to know about them."""

    articles: Floats
    foreign: float  # the score of being none of the bot's business
    known: float  # share of the words that occur in the articles' questions
    familiar: float  # share of neighbouring words that do so together
    folded: str  # the question without marks
    strange: bool  # whether it is short and names a thing unheard of


class Scorer:
    """A model's weights, and the rows made from them."""

    def __init__(self, model: Model, concepts: Concepts) -> None:
        self.articles = len(model.names)
        self.concepts = concepts
        self._vocabulary = model.vocabulary
        self._weights = model.weights
        self._bias = model.bias
        self._spellings = model.spellings
        self._ready = {word: place for place, word in enumerate(model.words)}
        self._table = np.zeros((len(model.words) + _SPARE, len(model.bias)), np.float32)
        self._table[: len(model.words)] = model.word_rows
        self._spare_next = 0
        self._owners: list[str] = [""] * _SPARE
        self._words: dict[str, WordRow] = {}

    def word(self, word: str) -> WordRow:
        """Return all that is kept about a word."""
        entry = self._words.get(word)
        if entry is None:
            columns, values, known = word_vector(word, self._vocabulary)
            place = self._ready.get(word, -1)
            if place < 0:
                place = self._spare(word)
                self._table[place] = values @ self._weights[columns].astype(np.float32)
            entry = WordRow(
                place, float(values @ values), known, sound(word), fold(word), self._spellings.is_strange(word)
            )
            self._words[word] = entry
        return entry

    def _spare(self, word: str) -> int:
        """Return a place for the row of a word, that of the word that has had its place longest."""
        place = self._spare_next
        self._spare_next = (place + 1) % _SPARE
        if self._owners[place]:
            del self._words[self._owners[place]]
        self._owners[place] = word
        return len(self._ready) + place

    def score(self, tokens: Sequence[str]) -> Scores:
        """Score the words of a question, at least one."""
        words = self._words
        entries = [words.get(token) or self.word(token) for token in tokens]
        sounds = [entry.sound for entry in entries]
        different = list(dict(zip(tokens, entries, strict=True)).values())
        found, pairs = order_features(tokens, sounds)
        for group in self.concepts.find(tokens, sounds):
            found[code(group)] = CONCEPT
        columns = self._vocabulary.columns(list(found))
        known = columns >= 0
        familiar = float(known[:pairs].mean()) if pairs else NO_PAIRS
        columns = columns[known]
        values = np.fromiter(found.values(), np.float32, len(found))[known] * self._vocabulary.rarity[columns]
        logits: Floats = values @ self._weights[columns].astype(np.float32)
        logits += self._table[[entry.place for entry in different]].sum(axis=0)
        length = sum(entry.length for entry in different) + float(values @ values)
        logits /= np.float32(math.sqrt(length) or 1.0)
        logits += self._bias
        folded = " ".join([entry.folded for entry in entries])
        strange = len(tokens) <= _SHORT and any(entry.strange for entry in different) and not is_english(tokens)
        share = sum(entry.known for entry in different) / len(different)
        foreign = foreign_score(logits[self.articles :])
        return Scores(logits[: self.articles], foreign, share, familiar, folded, strange)


def word_vector(word: str, vocabulary: Vocabulary) -> tuple[Ints, Floats, bool]:
    """Return columns and values of a word's known features, and whether the word itself is known."""
    found = word_features(word)
    columns = vocabulary.columns(found.codes)
    known = columns >= 0
    columns = columns[known]
    return columns, np.asarray(found.weights, np.float32)[known] * vocabulary.rarity[columns], bool(known[0])


def foreign_score(kinds: Floats) -> float:
    """Return the score of being foreign from those of its kinds."""
    scores = kinds.tolist()
    most = max(scores)
    return float(most + math.log(sum([math.exp(score - most) for score in scores])))
