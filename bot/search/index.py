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
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from bot.search import augmentation, training
from bot.search.calibration import Judge, Note, Verdict, calibrate, signs_of
from bot.search.concepts import Concepts
from bot.search.explanation import Explanation
from bot.search.features import DIMENSIONS, FeatureEncoder, Rarity, distinct
from bot.search.ranking import MOST_IDS, Evidence, Found, Ranking
from bot.search.scoring import Scorer, Scores
from bot.search.tokenizer import Tokenizer, WordLists
from bot.text import normalize, syllables, telex
from bot.text.normalize import fold

__all__ = ["Corpus", "Explanation", "Found", "Index", "Ranking", "Verdict", "WordLists", "fingerprint", "open_index"]

FORMAT = 3  # of the file; what is in it depends on the code too, which the fingerprint covers
_SEED = 1
_DIGEST = 32  # bytes of SHA-256 before the saved arrays
EMERGENCY = "emergency-symptoms"
_FOLDS = 3
_READING = (telex, syllables, normalize)
_EXACT = 0.98  # the score of a question that stands in an article word for word
_BORROWED, _MASHED = 600, 40  # made-up foreign questions to practise on
_BORROWED_FROM = ("apps", "papers", "devices")  # of `elsewhere` in words.yaml
_OWN_THINGS = ("app", "certificate", "passport", "bhyt", "idcard")  # of `synonyms`: what is replaced by them
_SHORTEST_PART, _MOST_PARTS = 3, 4  # words of a part and parts of a message that may hold two questions
_TWO_QUESTIONS = 6, 36  # words of a message that may hold two; longer ones are stories
_SURE_PART, _SURE_FIRST = 0.85, 0.95
_JOINTS = re.compile(
    r"[?!.;,\n]+|\b(?:với lại|voi lai|rồi|roi|còn|con|và|va|à mà|a ma|ngoài ra|ngoai ra|tiện thể|tien the"
    r"|and|also|nếu|neu)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """What the search learns from: questions of every article, foreign questions, word lists."""

    phrasings: Mapping[str, Sequence[str]]
    foreign: Sequence[str]
    words: WordLists


def fingerprint(corpus: Corpus) -> str:
    """A digest of everything an index depends on: the corpus, and the code that reads and learns."""
    digest = hashlib.sha256(f"{FORMAT}\n".encode())
    for module in (*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(room.__file__)) for room in _READING)):
        digest.update(module.read_bytes())
    for name in sorted(corpus.phrasings):
        for phrasing in sorted(corpus.phrasings[name]):
            digest.update(f"{name}\t{phrasing}\n".encode("utf-8", "replace"))
    for question in sorted(corpus.foreign):
        digest.update(f"\t{question}\n".encode("utf-8", "replace"))
    digest.update(json.dumps(corpus.words.to_mapping(), sort_keys=True).encode())
    return digest.hexdigest()


class Index:
    """What was learnt from a corpus, ready to answer."""

    def __init__(
        self,
        *,
        names: Sequence[str],
        reader: Tokenizer,
        scorer: Scorer,
        judge: Judge,
        exact: Mapping[str, int],
        vocabulary: Sequence[str],
        fingerprint: str,
    ) -> None:
        self.names = tuple(names)
        self.fingerprint = fingerprint
        self._reader = reader
        self._scorer = scorer
        self._judge = judge
        self._exact = exact
        self._vocabulary = tuple(vocabulary)
        self._emergency = self.names.index(EMERGENCY) if EMERGENCY in self.names else -1
        scorer.warm(self._vocabulary)

    # -- learning ---------------------------------------------------------------------------------------------

    @classmethod
    def build(cls, corpus: Corpus) -> Index:
        """Learn an index from the corpus (seconds); the same corpus gives the same index."""
        names = sorted(name for name in corpus.phrasings if corpus.phrasings[name])
        if not names:
            raise ValueError("there is nothing to learn from: no article has a question")
        reader = Tokenizer(corpus.words)
        concepts = Concepts(corpus.words, reader)
        foreign = len(names)
        questions: list[list[str]] = []
        labels: list[int] = []
        for label, name in enumerate(names):
            for phrasing in sorted(corpus.phrasings[name]):
                tokens = reader.read(phrasing)
                if tokens:
                    questions.append(tokens)
                    labels.append(label)
        for phrasing in sorted(corpus.foreign):
            tokens = reader.read(phrasing)
            if tokens:
                questions.append(tokens)
                labels.append(foreign)
        exact = _exact(questions, labels)
        draw = Random(_SEED)  # noqa: S311 - practice material, no secret
        spoiled = [augmentation.spoiled(tokens, draw) for tokens in questions]
        rarity = Rarity.of(questions, concepts)
        encoder = FeatureEncoder(rarity, concepts)
        practice = _practice(questions, labels, foreign, corpus.words, reader, draw)
        rows = encoder.encode([*questions, *practice])
        # Foreign questions are too various for one prototype: each kind of them is learnt by itself.
        kinds = [
            label if label < foreign else foreign + concepts.kind(tokens)
            for label, tokens in zip([*labels, *(foreign for _ in practice)], [*questions, *practice], strict=True)
        ]
        targets = np.asarray(kinds, np.int64)
        classes = foreign + concepts.kinds

        fold_of = training.folds(targets[: len(labels)], _FOLDS)
        fold_of = np.concatenate([fold_of, np.full(len(practice), _FOLDS)])  # practice is never held out

        def learn(left_out: int) -> Scorer:
            members = np.flatnonzero(fold_of != left_out)
            weights, bias = training.softmax_regression(rows, targets, members, classes)
            return Scorer(rarity, concepts, weights, bias, foreign)

        with training.one_blas_thread(), ThreadPoolExecutor(min(_FOLDS + 1, os.cpu_count() or 1)) as pool:
            *of_folds, scorer = pool.map(learn, [*range(_FOLDS), -1])
        notes: list[Note] = []
        for place, number in enumerate(fold_of[: len(labels)].tolist()):
            notes.append(_note(of_folds[number], questions[place], labels[place], foreign))
            if place % 2 or labels[place] == foreign:  # half of them, for the time it takes
                notes.append(_note(of_folds[number], spoiled[place], labels[place], foreign))
        judge = calibrate(notes)
        counted = Counter(word for tokens in questions for word in set(tokens))
        return cls(
            names=names,
            reader=reader,
            scorer=scorer,
            judge=judge,
            exact=exact,
            vocabulary=[word for word, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))],
            fingerprint=fingerprint(corpus),
        )

    # -- answering --------------------------------------------------------------------------------------------

    def find(self, question: str) -> Found:
        """Rank the articles for a question and say whether to answer, to suggest or to admit not knowing."""
        tokens = self._reader.read(question)
        if not tokens:
            return Found(Verdict.UNKNOWN, (), 0.0, 0.0)
        found = self.judge(self._ranking(tokens))
        if found.verdict is not Verdict.UNKNOWN and _TWO_QUESTIONS[0] <= len(tokens) <= _TWO_QUESTIONS[1]:
            if found.ids[0] == EMERGENCY:
                return found
            if found.score < _EXACT:
                found = self._with_second(question, found)
        return found

    def rank(self, question: str) -> Ranking:
        """Return the scores of all articles for a question."""
        return self._ranking(self._reader.read(question))

    def judge(self, ranking: Ranking) -> Found:
        """Return the verdict on a ranking, as `rank` made it or with its scores changed meanwhile."""
        evidence = ranking.evidence
        if not evidence.words:
            return Found(Verdict.UNKNOWN, (), 0.0, 0.0)
        order = ranking.order()
        signs = _signs(ranking, order)
        right, inside = self._judge.probabilities(signs)
        verdict = self._judge.verdict(right, inside)
        ids = [self.names[place] for place in order]
        margin = _log(ranking.scores[order[0]]) - _log(ranking.scores[order[1]]) if len(order) > 1 else 10.0
        if evidence.exact:
            ids = [evidence.exact, *(other for other in ids if other != evidence.exact)][:MOST_IDS]
            verdict, right = Verdict.ANSWER, max(right, _EXACT)
        if evidence.danger and EMERGENCY in self.names:
            ids = [EMERGENCY, *(other for other in ids if other != EMERGENCY)][:MOST_IDS]
            verdict, right = Verdict.ANSWER, max(right, 0.99)
        return Found(verdict, tuple(ids), round(right, 4), round(max(0.0, margin), 4))

    def _ranking(self, tokens: list[str]) -> Ranking:
        if not tokens:
            return Ranking(self.names, np.zeros(len(self.names), np.float32), 1.0, Evidence())
        scores = self._scorer.score(tokens)
        match = self._exact.get(" ".join(tokens))
        if match is None:
            match = self._exact.get(scores.folded)
        exact = self.names[match] if match is not None and match < len(self.names) else ""
        return _shares(self.names, scores, len(tokens), exact)

    def _with_second(self, question: str, found: Found) -> Found:
        """Look for two questions in one message: answer the first, offer the second.

        The message as a whole is the better witness: the article it points to stays first unless it points
        there with doubt, and an earlier part elsewhere with great certainty.
        """
        if not _JOINTS.search(question):
            return found
        parts = [self._reader.read(part) for part in _JOINTS.split(question)]
        parts = [tokens for tokens in parts if len(tokens) >= _SHORTEST_PART]
        if not 2 <= len(parts) <= _MOST_PARTS:
            return found
        judged = [one for tokens in parts if (one := self.judge(self._ranking(tokens))).verdict is Verdict.ANSWER]
        best = found.ids[0]
        others = [one for one in judged if one.ids[0] != best and one.score >= _SURE_PART]
        if not others or all(one.ids[0] != best for one in judged):
            return found
        other = others[0]
        earlier = judged.index(other) < next(place for place, one in enumerate(judged) if one.ids[0] == best)
        doubtful = found.verdict is not Verdict.ANSWER
        turned = earlier and doubtful and other.score >= _SURE_FIRST
        first, second = (other.ids[0], best) if turned else (best, other.ids[0])
        ids = tuple(dict.fromkeys((first, second, *found.ids)))[:MOST_IDS]
        return Found(found.verdict, ids, found.score, found.margin, second)

    def explain(self, question: str) -> Explanation:
        """What the search saw in a question and how it came to its verdict."""
        tokens = self._reader.read(question)
        if not tokens:
            empty = Found(Verdict.UNKNOWN, (), 0.0, 0.0)
            judge = self._judge
            return Explanation(question, "", (), (), False, (), 0.0, 0.0, empty, judge.answer_from, judge.suggest_from)
        ranking = self._ranking(tokens)
        _, inside = self._judge.probabilities(_signs(ranking, ranking.order()))
        return Explanation(
            question,
            " ".join(tokens),
            tuple((word, self._scorer.word(word).known) for word in distinct(tokens)),
            tuple(self._scorer.concepts.find(tokens)),
            ranking.evidence.danger,
            tuple(ranking.best()),
            ranking.foreign,
            inside,
            self.find(question),
            self._judge.answer_from,
            self._judge.suggest_from,
        )

    # -- keeping ----------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the index to a file, all of it or nothing."""
        rarity = self._scorer.rarity.weights
        keys = sorted(rarity)
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
            rarity=np.asarray([rarity[key] for key in keys], np.float32),
            weights=self._scorer.weights,
            bias=self._scorer.bias,
            vocabulary=_bytes("\n".join(self._vocabulary)),
            exact=_bytes("\n".join(exact)),
            labels=np.asarray([self._exact[phrase] for phrase in exact], np.int32),
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Index | None:
        """Read a saved index; None when it is absent, damaged, of another format or of other content."""
        try:
            stored = path.read_bytes()
            if hashlib.sha256(stored[_DIGEST:]).digest() != stored[:_DIGEST]:
                return None
            with np.load(io.BytesIO(stored[_DIGEST:]), allow_pickle=False) as arrays:
                head = json.loads(arrays["head"].tobytes().decode())
                if head["format"] != FORMAT or head["fingerprint"] != fingerprint:
                    return None
                keys = arrays["keys"].tobytes().decode().split("\n")
                rarity = Rarity(dict(zip(keys, arrays["rarity"].tolist(), strict=True)))
                vocabulary = arrays["vocabulary"].tobytes().decode().split("\n")
                exact = arrays["exact"].tobytes().decode().split("\n")
                weights, bias, labels = arrays["weights"], arrays["bias"], arrays["labels"].tolist()
                names = head["names"]
                right, inside, answer_from, suggest_from = head["judge"]
            words = WordLists.from_mapping(head["words"])
            reader = Tokenizer(words)
            concepts = Concepts(words, reader)
            if weights.shape != (DIMENSIONS, len(names) + concepts.kinds) or bias.shape != weights.shape[1:]:
                return None
            return cls(
                names=names,
                reader=reader,
                scorer=Scorer(rarity, concepts, weights, bias, len(names)),
                vocabulary=vocabulary,
                judge=Judge(tuple(right), tuple(inside), answer_from, suggest_from),
                exact=dict(zip(exact, labels, strict=True)),
                fingerprint=fingerprint,
            )
        except (OSError, ValueError, KeyError, TypeError):
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


def _practice(
    questions: Sequence[Sequence[str]],
    labels: Sequence[int],
    foreign: int,
    lists: WordLists,
    reader: Tokenizer,
    draw: Random,
) -> list[list[str]]:
    """Made-up foreign questions: ours asked about another thing, and fingers on a keyboard."""
    others = [
        [reader.read(" ".join(entry)) for entry in lists.elsewhere[group]]
        for group in _BORROWED_FROM
        if group in lists.elsewhere
    ]
    entries = [entry for group in _OWN_THINGS for entry in lists.synonyms.get(group, ())]
    own = [reader.read(" ".join(entry)) for entry in sorted(entries, key=lambda entry: (-len(entry), entry))]
    made = [augmentation.mash(draw) for _ in range(_MASHED)]
    short = [place for place, label in enumerate(labels) if label != foreign and 2 <= len(questions[place]) <= 10]
    if others:
        for place in draw.sample(short, min(_BORROWED, len(short))):
            tokens = augmentation.borrowed(questions[place], own, draw.choice(draw.choice(others)), draw)
            if tokens:
                made.append(tokens)
    return made


def _shares(names: tuple[str, ...], scores: Scores, length: int, exact: str) -> Ranking:
    """Divide what the words score into shares."""
    most = max(float(scores.articles.max()), scores.foreign)
    shares = np.exp(scores.articles - np.float32(most))
    foreign = math.exp(scores.foreign - most)
    total = float(shares.sum()) + foreign
    shares /= np.float32(total)
    level = most + math.log(total)
    evidence = Evidence(length, scores.known, scores.familiar, level, exact, scores.danger)
    return Ranking(names, shares, foreign / total, evidence)


def _log(share: float) -> float:
    return math.log(max(float(share), 1e-12))


def _signs(ranking: Ranking, order: Sequence[int]) -> tuple[float, ...]:
    evidence = ranking.evidence
    first = _log(ranking.scores[order[0]]) + evidence.level
    second = _log(ranking.scores[order[1]]) + evidence.level if len(order) > 1 else first - 10.0
    foreign = _log(ranking.foreign) + evidence.level
    return signs_of(first, second, foreign, evidence.known, evidence.familiar, evidence.words)


def _note(scorer: Scorer, tokens: list[str], label: int, foreign: int) -> Note:
    """What the judge learns from one question that the scorer was not trained on."""
    ranking = _shares((), scorer.score(tokens), len(tokens), "")
    order = np.argsort(-ranking.scores, kind="stable")[:2].tolist()
    return Note(_signs(ranking, order), order[0] == label, label == foreign)
