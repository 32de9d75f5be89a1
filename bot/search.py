"""A question in, ranked articles and an honest verdict out.

`Index.build` learns from the articles' own phrasings, `Index.find` answers; between the two nothing changes, so an
index is saved beside the database and used again while the content is the same. See docs/search.md.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from bot import learning, noise
from bot.concepts import Concepts
from bot.features import DIMENSIONS, Encoder, Floats, Ints, Rarity, distinct, pair_key
from bot.text import fold
from bot.verdicts import Judge, Verdict, calibrate, signs_of
from bot.words import Reader, Words

__all__ = ["Corpus", "Explanation", "Found", "Index", "Verdict", "Words", "fingerprint", "open_index"]

FORMAT = 1
EMERGENCY = "emergency-symptoms"
_FOLDS = 3
_MOST_IDS = 5
_MOST_REMEMBERED = 20_000
_SHORTEST_PART = 2  # words, of a message that may hold two questions
_JOINTS = re.compile(
    r"[?!.;,\n]+|\b(?:với lại|voi lai|rồi|roi|còn|con|và|va|à mà|a ma|ngoài ra|ngoai ra|tiện thể|tien the|and|also|nếu|neu)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What the search makes of a question; `also` is the article of a second question in the message."""

    verdict: Verdict
    ids: tuple[str, ...]
    score: float
    margin: float
    also: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What the search learns from: questions of every article, foreign questions, word lists."""

    phrasings: Mapping[str, Sequence[str]]
    foreign: Sequence[str]
    words: Words


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the search saw in a question."""

    question: str
    normal_form: str
    words: tuple[tuple[str, bool], ...]
    concepts: tuple[str, ...]
    danger: bool
    top: tuple[tuple[str, float], ...]
    foreign: float
    inside: float
    found: Found
    answer_from: float
    suggest_from: float

    def lines(self) -> list[str]:
        """The explanation as readable lines."""
        seen = " ".join(word if known else f"[{word}?]" for word, known in self.words)
        rows = [
            f"question     {self.question}",
            f"normal form  {self.normal_form}",
            f"words        {seen or '-'}",
            f"concepts     {', '.join(self.concepts) or '-'}",
        ]
        if self.danger:
            rows.append(f"danger sign  yes: {EMERGENCY} comes first")
        rows += [f"{place}. {share:6.1%}  {name}" for place, (name, share) in enumerate(self.top, 1)]
        rows += [
            f"foreign      {self.foreign:.1%}",
            f"score        {self.found.score:.3f} (answer from {self.answer_from:.3f})",
            f"in scope     {self.inside:.3f} (suggest from {self.suggest_from:.3f})",
            f"margin       {self.found.margin:.3f}",
            f"verdict      {self.found.verdict.value}" + (f", also {self.found.also}" if self.found.also else ""),
        ]
        return rows


def fingerprint(corpus: Corpus) -> str:
    """A digest of everything an index depends on."""
    digest = hashlib.sha256(f"{FORMAT} {DIMENSIONS} {_FOLDS}\n".encode())
    for name in sorted(corpus.phrasings):
        for phrasing in corpus.phrasings[name]:
            digest.update(f"{name}\t{phrasing}\n".encode("utf-8", "replace"))
    for question in corpus.foreign:
        digest.update(f"\t{question}\n".encode("utf-8", "replace"))
    digest.update(json.dumps(corpus.words.to_mapping(), sort_keys=True).encode())
    return digest.hexdigest()


class Index:
    """What was learnt from a corpus, ready to answer."""

    def __init__(
        self,
        *,
        names: Sequence[str],
        reader: Reader,
        concepts: Concepts,
        rarity: Rarity,
        weights: Floats,
        bias: Floats,
        judge: Judge,
        exact: Mapping[str, int],
        fingerprint: str,
    ) -> None:
        self.names = tuple(names)
        self.fingerprint = fingerprint
        self._reader = reader
        self._concepts = concepts
        self._rarity = rarity
        self._weights = weights
        self._bias = bias
        self._judge = judge
        self._exact = exact
        self._emergency = self.names.index(EMERGENCY) if EMERGENCY in self.names else -1
        self._known = frozenset(key[2:] for key in rarity.weights if key.startswith("f:"))
        self._words: dict[str, tuple[Floats, float, bool]] = {}
        self._singles: dict[str, tuple[int, float]] = {}
        for key in rarity.weights:
            if key.startswith(("b:", "k:", "~k:")):
                found = rarity.pair_by_key(key) if key.startswith("b:") else rarity.concept(key)
                assert found is not None
                self._singles[key] = found

    # -- learning ---------------------------------------------------------------------------------------------

    @classmethod
    def build(cls, corpus: Corpus) -> Index:
        """Learn an index from the corpus (seconds); the same corpus gives the same index."""
        names = sorted(name for name in corpus.phrasings if corpus.phrasings[name])
        if not names:
            raise ValueError("there is nothing to learn from: no article has a question")
        reader = Reader(corpus.words)
        concepts = Concepts(corpus.words, reader)
        foreign = len(names)
        questions: list[list[str]] = []
        labels: list[int] = []
        for label, name in enumerate(names):
            for phrasing in corpus.phrasings[name]:
                tokens = reader.read(phrasing)
                if tokens:
                    questions.append(tokens)
                    labels.append(label)
        for phrasing in corpus.foreign:
            tokens = reader.read(phrasing)
            if tokens:
                questions.append(tokens)
                labels.append(foreign)
        exact = _exact(questions, labels)
        draw = Random(FORMAT)  # noqa: S311 - practice material, no secret
        spoiled = [noise.spoiled(tokens, draw) for tokens in questions]
        rarity = Rarity.of(questions, concepts)
        encoder = Encoder(rarity, concepts)
        targets = np.asarray(labels, np.int64)
        clean_rows, spoiled_rows = encoder.encode(questions), encoder.encode(spoiled)
        classes = foreign + 1
        logits = np.zeros((2, len(questions), classes), np.float32)
        fold_of = learning.folds(targets, _FOLDS)
        for number in range(_FOLDS):
            held = fold_of == number
            weights, bias = learning.softmax_regression(clean_rows[~held], targets[~held], classes)
            logits[0, held] = clean_rows[held] @ weights + bias
            logits[1, held] = spoiled_rows[held] @ weights + bias
        known = frozenset(key[2:] for key in rarity.weights if key.startswith("f:"))
        judge = _calibrated(logits, targets, foreign, questions, spoiled, known)
        weights, bias = learning.softmax_regression(clean_rows, targets, classes)
        return cls(
            names=names,
            reader=reader,
            concepts=concepts,
            rarity=rarity,
            weights=weights,
            bias=bias,
            judge=judge,
            exact=exact,
            fingerprint=fingerprint(corpus),
        )

    # -- answering --------------------------------------------------------------------------------------------

    def find(self, question: str) -> Found:
        """Rank the articles for a question and say whether to answer, to suggest or to admit not knowing."""
        tokens = self._reader.read(question)
        if not tokens:
            return Found(Verdict.UNKNOWN, (), 0.0, 0.0)
        found, _ = self._judged(tokens)
        if found.verdict is not Verdict.UNKNOWN and len(tokens) > 5 and found.ids[0] != EMERGENCY:
            found = self._with_second(question, found)
        return found

    def _judged(self, tokens: list[str]) -> tuple[Found, tuple[Floats, float]]:
        keys = self._concepts.find(tokens)
        logits = self._logits(tokens, keys)
        foreign = float(logits[-1])
        articles = logits[:-1]
        order = np.argsort(-articles, kind="stable")[:_MOST_IDS].tolist()
        first = float(articles[order[0]])
        second = float(articles[order[1]]) if len(order) > 1 else first - 10.0
        unique = distinct(tokens)
        known = sum(1 for word in unique if self._word(word)[2]) / len(unique)
        right, inside = self._judge.probabilities(signs_of(first, second, foreign, known, len(tokens)))
        verdict = self._judge.verdict(right, inside)
        match = self._exact.get(" ".join(tokens))
        if match is None:
            match = self._exact.get(fold(" ".join(tokens)))
        if match is not None and match < len(self.names):
            order = [match, *(other for other in order if other != match)][:_MOST_IDS]
            verdict, right = Verdict.ANSWER, max(right, 0.98)
        if self._emergency >= 0 and self._concepts.danger(tokens):
            order = [self._emergency, *(other for other in order if other != self._emergency)][:_MOST_IDS]
            verdict, right = Verdict.ANSWER, max(right, 0.99)
        ids = tuple(self.names[place] for place in order)
        found = Found(verdict, ids, round(right, 4), round(max(0.0, first - second), 4))
        return found, (logits, inside)

    def _with_second(self, question: str, found: Found) -> Found:
        """Look for two questions in one message: answer the first, offer the second."""
        parts = [part for part in _JOINTS.split(question) if part and part.strip()]
        if not 2 <= len(parts) <= 4:
            return found
        judged = []
        for part in parts:
            tokens = self._reader.read(part)
            if len(tokens) >= _SHORTEST_PART:
                one, _ = self._judged(tokens)
                if one.verdict is Verdict.ANSWER:
                    judged.append(one)
        for one in judged[1:]:
            if one.ids[0] != judged[0].ids[0]:
                first, second = judged[0].ids[0], one.ids[0]
                if found.ids[0] not in (first, second):
                    return found
                ids = tuple(dict.fromkeys((first, second, *found.ids)))[:_MOST_IDS]
                return Found(Verdict.ANSWER, ids, max(judged[0].score, found.score), found.margin, second)
        return found

    def _word(self, word: str) -> tuple[Floats, float, bool]:
        remembered = self._words.get(word)
        if remembered is None:
            places, values, length = self._rarity.word(word)
            row = np.asarray(values, np.float32) @ self._weights[places] if places else np.zeros_like(self._bias)
            if len(self._words) >= _MOST_REMEMBERED:
                self._words.clear()
            remembered = self._words[word] = row, length, fold(word) in self._known
        return remembered

    def _logits(self, tokens: list[str], concepts: Sequence[str]) -> Floats:
        total = np.zeros_like(self._bias)
        length = 0.0
        for word in distinct(tokens):
            row, squared, _ = self._word(word)
            total += row
            length += squared
        keys = {pair_key(a, b) for a, b in zip(tokens, tokens[1:], strict=False)}
        singles = [found for key in (*sorted(keys), *concepts) if (found := self._singles.get(key))]
        if singles:
            places, values = zip(*singles, strict=True)
            total += np.asarray(values, np.float32) @ self._weights[list(places)]
            length += sum(value * value for value in values)
        result: Floats = total / np.float32(math.sqrt(length) or 1.0) + self._bias
        return result

    def explain(self, question: str) -> Explanation:
        """What the search saw in a question and how it came to its verdict."""
        tokens = self._reader.read(question)
        if not tokens:
            empty = Found(Verdict.UNKNOWN, (), 0.0, 0.0)
            judge = self._judge
            return Explanation(question, "", (), (), False, (), 0.0, 0.0, empty, judge.answer_from, judge.suggest_from)
        found, (logits, inside) = self._judged(tokens)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        order = np.argsort(-logits[:-1], kind="stable")[:_MOST_IDS].tolist()
        keys = self._concepts.find(tokens)
        return Explanation(
            question,
            " ".join(tokens),
            tuple((word, self._word(word)[2]) for word in distinct(tokens)),
            tuple(keys),
            self._concepts.danger(tokens),
            tuple((self.names[place], float(shares[place])) for place in order),
            float(shares[-1]),
            inside,
            self.find(question),
            self._judge.answer_from,
            self._judge.suggest_from,
        )

    # -- keeping ----------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the index to a file, all of it or nothing."""
        keys = sorted(self._rarity.weights)
        exact = sorted(self._exact)
        head = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "words": self._reader.lists.to_mapping(),
            "judge": [self._judge.right, self._judge.inside, self._judge.answer_from, self._judge.suggest_from],
        }
        buffer = io.BytesIO()
        np.savez(
            buffer,
            head=_bytes(json.dumps(head, ensure_ascii=False)),
            keys=_bytes("\n".join(keys)),
            rarity=np.asarray([self._rarity.weights[key] for key in keys], np.float32),
            weights=self._weights,
            bias=self._bias,
            exact=_bytes("\n".join(exact)),
            labels=np.asarray([self._exact[phrase] for phrase in exact], np.int32),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(buffer.getvalue())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Index | None:
        """Read a saved index; None when it is absent, damaged, of another format or of other content."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                head = json.loads(arrays["head"].tobytes().decode())
                if head["format"] != FORMAT or head["fingerprint"] != fingerprint:
                    return None
                keys = arrays["keys"].tobytes().decode().split("\n")
                rarity = Rarity(dict(zip(keys, arrays["rarity"].tolist(), strict=True)))
                exact = arrays["exact"].tobytes().decode().split("\n")
                weights, bias, labels = arrays["weights"], arrays["bias"], arrays["labels"].tolist()
                names = head["names"]
                right, inside, answer_from, suggest_from = head["judge"]
            if weights.shape != (DIMENSIONS, len(names) + 1) or bias.shape != (len(names) + 1,):
                return None
            words = Words.from_mapping(head["words"])
            reader = Reader(words)
            return cls(
                names=names,
                reader=reader,
                concepts=Concepts(words, reader),
                rarity=rarity,
                weights=weights,
                bias=bias,
                judge=Judge(tuple(right), tuple(inside), answer_from, suggest_from),
                exact=dict(zip(exact, labels, strict=True)),
                fingerprint=fingerprint,
            )
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
            return None


def open_index(corpus: Corpus, cache: Path | None = None) -> Index:
    """The index of this corpus: from the cache when that still fits, else built and cached."""
    if cache is not None:
        index = Index.load(cache, fingerprint(corpus))
        if index is not None:
            return index
    index = Index.build(corpus)
    if cache is not None:
        index.save(cache)
    return index


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _exact(questions: Sequence[Sequence[str]], labels: Sequence[int]) -> dict[str, int]:
    """Whole questions that belong to one article only, as written and without marks."""
    owners: dict[str, set[int]] = {}
    for tokens, label in zip(questions, labels, strict=True):
        phrase = " ".join(tokens)
        owners.setdefault(phrase, set()).add(label)
        owners.setdefault(fold(phrase), set()).add(label)
    return {phrase: next(iter(found)) for phrase, found in owners.items() if len(found) == 1}


def _calibrated(
    logits: Floats,
    targets: Ints,
    foreign: int,
    questions: Sequence[Sequence[str]],
    spoiled: Sequence[Sequence[str]],
    known: frozenset[str],
) -> Judge:
    signs: list[tuple[float, ...]] = []
    right: list[bool] = []
    outside: list[bool] = []
    for version, asked in enumerate((questions, spoiled)):
        articles = logits[version][:, :-1]
        ranked = np.sort(articles, axis=1)
        best = articles.argmax(axis=1)
        for row, tokens in enumerate(asked):
            unique = distinct(tokens)
            share = sum(1 for word in unique if fold(word) in known) / len(unique)
            second = float(ranked[row, -2]) if articles.shape[1] > 1 else float(ranked[row, -1]) - 10.0
            signs.append(signs_of(float(ranked[row, -1]), second, float(logits[version][row, -1]), share, len(tokens)))
            outside.append(bool(targets[row] == foreign))
            right.append(bool(best[row] == targets[row]))
    return calibrate(np.asarray(signs, np.float32), np.asarray(right), np.asarray(outside))
