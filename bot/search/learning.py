"""Learning a model from a corpus, in seconds; the same corpus gives the same model.

Weights are learnt once from everything, and once without a third of it. What this second model makes of the questions
it has not seen is what the verdict is calibrated on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np

from bot.search import training
from bot.search.augmentation import spoiled, without_marks
from bot.search.calibration import Note, calibrate, signs_of
from bot.search.concepts import Concepts
from bot.search.corpus import Corpus, fingerprint
from bot.search.features import Features, Floats, Ints, Vocabulary
from bot.search.model import Model, phrase_digest
from bot.search.practice import foreign_questions
from bot.search.scoring import word_vector
from bot.search.spellings import Spellings
from bot.search.tokenizer import Tokenizer
from bot.text.normalize import fold

_SEED = 1
_FOLDS, _LEFT_OUT = 3, 0
_LONG, _OVERLAP = 25, 3  # words of a question whose halves are learnt from too, and words that both halves hold
_WORD_BYTES = 8_000_000  # of the ready rows of frequent words

_Tokens = list[str]


class _Text(NamedTuple):
    """One piece of what is learnt from: its words, its class, the fold it is in."""

    tokens: _Tokens
    label: int
    fold: int


@dataclass(frozen=True, slots=True)
class _Material:
    """All that is learnt from, in normal form. Labels after those of the articles are kinds of foreign questions.

    `variants` are the questions without their marks, and halves of long ones.
    """

    names: tuple[str, ...]
    questions: list[_Text]
    variants: list[_Text]
    practice: list[_Text]

    def all(self) -> list[_Text]:
        """Return everything: the questions first, and last the made-up ones, as their words are no knowledge."""
        return [*self.questions, *self.variants, *self.practice]

    def is_foreign(self, text: _Text) -> bool:
        """Return True if a text belongs to no article."""
        return text.label >= len(self.names)


def learn(corpus: Corpus) -> Model:
    """Learn a model; raise ValueError if no article has a question."""
    reader = Tokenizer(corpus.words)
    concepts = Concepts(corpus.words, reader)
    material = _gather(corpus, reader, concepts)
    texts = material.all()
    features = Features.of([text.tokens for text in texts], concepts)
    vocabulary, times = features.vocabulary(len(material.questions), len(texts) - len(material.practice))
    rows = features.rows(vocabulary)
    labels = np.asarray([text.label for text in texts], np.int64)
    fold_of = np.asarray([text.fold for text in texts])
    classes = len(material.names) + concepts.kinds

    def train(members: Ints) -> tuple[Floats, Floats]:
        return training.softmax_regression(rows, labels, members, len(vocabulary.codes), classes)

    with training.one_blas_thread(), ThreadPoolExecutor(2) as pool:
        whole = pool.submit(train, np.arange(len(texts)))
        part = train(np.flatnonzero(fold_of != _LEFT_OUT))
        judge = calibrate(_notes(material, concepts, vocabulary, times, part))
        weights, bias = whole.result()
    small = weights.astype(np.float16)
    words = _frequent_words(material.questions, _WORD_BYTES // (4 * classes))
    exact = _exact(material)
    return Model(
        fingerprint=fingerprint(corpus),
        names=material.names,
        lists=corpus.words,
        judge=judge,
        vocabulary=vocabulary,
        weights=small,
        bias=bias,
        words=words,
        word_rows=_word_rows(words, vocabulary, small),
        spellings=Spellings.of(word for text in material.questions for word in text.tokens),
        exact=np.asarray(sorted(exact), np.uint64),
        exact_labels=np.asarray([exact[digest] for digest in sorted(exact)], np.int32),
    )


def _gather(corpus: Corpus, reader: Tokenizer, concepts: Concepts) -> _Material:
    draw = Random(_SEED)  # noqa: S311 - practice material, no secret
    names = tuple(sorted(name for name in corpus.phrasings if corpus.phrasings[name]))
    if not names:
        raise ValueError("there is nothing to learn from: no article has a question")

    def foreign(tokens: _Tokens) -> int:
        """Foreign questions are too various for one prototype: each kind of them is learnt by itself."""
        return len(names) + concepts.kind(tokens)

    asked = [
        (tokens, label)
        for label, name in enumerate(names)
        for text in sorted(corpus.phrasings[name])
        if (tokens := reader.read(text))
    ]
    others = [(tokens, foreign(tokens)) for text in sorted(corpus.foreign) if (tokens := reader.read(text))]
    labels = np.asarray([label for _, label in (*asked, *others)], np.int64)
    fold_of = training.folds(labels, _FOLDS).tolist()
    questions = [_Text(*one, fold_of[place]) for place, one in enumerate((*asked, *others))]
    made = foreign_questions([tokens for tokens, _ in asked], reader, draw)
    return _Material(
        names,
        questions,
        [
            *(half for text in questions if text.label < len(names) for half in _halves(text)),
            *(text._replace(tokens=bare) for text in questions if (bare := without_marks(text.tokens)) != text.tokens),
        ],
        [_Text(tokens, foreign(tokens), place % _FOLDS) for place, tokens in enumerate(made)],
    )


def _halves(text: _Text) -> list[_Text]:
    """Return both halves of a long question: either says enough, and stories get shorter."""
    tokens = text.tokens
    if len(tokens) < _LONG:
        return []
    middle = len(tokens) // 2
    return [text._replace(tokens=half) for half in (tokens[: middle + _OVERLAP], tokens[middle - _OVERLAP :])]


def _notes(
    material: _Material,
    concepts: Concepts,
    vocabulary: Vocabulary,
    times: Ints,
    part: tuple[Floats, Floats],
) -> list[Note]:
    """Return what the part model makes of the questions that it has not seen, as written and spoiled."""
    draw = Random(_SEED)  # noqa: S311 - practice material, no secret
    words, pairs = vocabulary.codes[times > 1], vocabulary.codes[times > 2]  # known by other questions too
    held = [text for text in (*material.questions, *material.practice) if text.fold == _LEFT_OUT]
    held += [
        text._replace(tokens=spoiled(text.tokens, draw))
        for place, text in enumerate(held)
        if place % 2 or material.is_foreign(text)  # half of the others, for the time it takes
    ]
    features = Features.of([text.tokens for text in held], concepts)
    known, familiar = features.known(words, pairs)
    scores = training.scores(features.rows(vocabulary), *part)
    articles, kinds = scores[:, : len(material.names)], scores[:, len(material.names) :]
    best = articles.argmax(axis=1)
    two_best = -np.sort(-articles, axis=1)[:, :2]
    foreign = np.logaddexp.reduce(kinds, axis=1)
    notes = []
    for place, text in enumerate(held):
        first, *rest = two_best[place].tolist()
        second = rest[0] if rest else first - 10.0
        shares = float(known[place]), float(familiar[place])
        signs = signs_of(first, second, float(foreign[place]), *shares, len(text.tokens))
        notes.append(Note(signs, bool(best[place] == text.label), material.is_foreign(text)))
    return notes


def _frequent_words(questions: Sequence[_Text], most: int) -> list[str]:
    counted = Counter(word for text in questions for word in set(text.tokens))
    return [word for word, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))][:most]


def _word_rows(words: Sequence[str], vocabulary: Vocabulary, weights: np.ndarray) -> Floats:
    """Return the scores of each word by itself."""
    rows = np.zeros((len(words), weights.shape[1]), np.float32)
    for place, word in enumerate(words):
        columns, values, _ = word_vector(word, vocabulary)
        rows[place] = values @ weights[columns].astype(np.float32)
    return rows


def _exact(material: _Material) -> dict[int, int]:
    """Return the digests of whole questions that belong to one article only, as written and without marks."""
    owners: dict[int, set[int]] = {}
    for text in material.questions:
        phrase = " ".join(text.tokens)
        for form in (phrase, fold(phrase)):
            owners.setdefault(phrase_digest(form), set()).add(min(text.label, len(material.names)))
    return {
        digest: label
        for digest, labels in owners.items()
        if len(labels) == 1 and (label := next(iter(labels))) < len(material.names)
    }
