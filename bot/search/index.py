"""A question in, ranked articles and an honest verdict out.

`Index.build` learns from the articles' own phrasings, `Index.find` answers; between the two nothing changes, so an
index is saved beside the database and used again while the content is the same. See docs/search.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bot.search.calibration import Verdict, signs_of
from bot.search.concepts import Concepts
from bot.search.corpus import Corpus, fingerprint
from bot.search.explanation import Explanation
from bot.search.features import distinct
from bot.search.learning import learn
from bot.search.model import Model
from bot.search.ranking import MOST_IDS, Evidence, Found, Ranking
from bot.search.scoring import Scorer, Scores
from bot.search.tokenizer import Tokenizer

_EXACT = 0.98  # the score of a question that stands in an article word for word
_SHORTEST_PART, _MOST_PARTS = 3, 4  # words of a part and parts of a message that may hold two questions
_TWO_QUESTIONS = 6, 36  # words of a message that may hold two; longer ones are stories
_SURE_PART, _SURE_FIRST = 0.85, 0.95
_JOINTS = re.compile(
    r"[?!.;,\n]+|\b(?:với lại|voi lai|rồi|roi|còn|con|và|va|à mà|a ma|ngoài ra|ngoai ra|tiện thể|tien the"
    r"|and|also|nếu|neu)\b",
    re.IGNORECASE,
)


class Index:
    """What was learnt from a corpus, ready to answer."""

    def __init__(self, model: Model) -> None:
        self.names = model.names
        self._model = model
        self._judge = model.judge
        self._reader = Tokenizer(model.lists)
        self._scorer = Scorer(model, Concepts(model.lists, self._reader))

    @classmethod
    def build(cls, corpus: Corpus) -> Index:
        """Learn an index from the corpus (seconds); the same corpus gives the same index."""
        return cls(learn(corpus))

    def save(self, path: Path) -> None:
        """Write the index to a file, all of it or nothing."""
        self._model.save(path)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Index | None:
        """Read a saved index; None when it is absent, damaged, of another format or of other content."""
        model = Model.load(path, fingerprint)
        return cls(model) if model else None

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the corpus and the code that made the index."""
        return self._model.fingerprint

    # -- answering --------------------------------------------------------------------------------------------

    def find(self, question: str) -> Found:
        """Rank the articles for a question and say whether to answer, to suggest or to admit not knowing."""
        tokens = self._reader.read(question)
        if not tokens:
            return Found(Verdict.UNKNOWN, (), 0.0, 0.0)
        found = self.judge(self._ranking(tokens))
        may_hold_two = _TWO_QUESTIONS[0] <= len(tokens) <= _TWO_QUESTIONS[1] and found.score < _EXACT
        return self._with_second(question, found) if may_hold_two and found.verdict is not Verdict.UNKNOWN else found

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
        if evidence.strange and verdict is Verdict.ANSWER:
            verdict = Verdict.SUGGEST
        ids = [self.names[place] for place in order]
        margin = _log(ranking.scores[order[0]]) - _log(ranking.scores[order[1]]) if len(order) > 1 else 10.0
        if evidence.exact:
            ids = [evidence.exact, *(other for other in ids if other != evidence.exact)][:MOST_IDS]
            verdict, right = Verdict.ANSWER, max(right, _EXACT)
        return Found(verdict, tuple(ids), round(right, 4), round(max(0.0, margin), 4))

    def _ranking(self, tokens: list[str]) -> Ranking:
        if not tokens:
            return Ranking(self.names, np.zeros(len(self.names), np.float32), 1.0, Evidence())
        scores = self._scorer.score(tokens)
        exact = self._model.exact_match(" ".join(tokens)) or self._model.exact_match(scores.folded)
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
            return Explanation(question, "", (), (), (), 0.0, 0.0, empty, judge.answer_from, judge.suggest_from)
        ranking = self._ranking(tokens)
        _, inside = self._judge.probabilities(_signs(ranking, ranking.order()))
        return Explanation(
            question,
            " ".join(tokens),
            tuple((word, self._scorer.word(word).known) for word in distinct(tokens)),
            tuple(self._scorer.concepts.find(tokens)),
            tuple(ranking.best()),
            ranking.foreign,
            inside,
            self.find(question),
            self._judge.answer_from,
            self._judge.suggest_from,
        )


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


def _shares(names: tuple[str, ...], scores: Scores, length: int, exact: str) -> Ranking:
    """Divide what the words score into shares."""
    most = max(float(scores.articles.max()), scores.foreign)
    shares = np.exp(scores.articles - np.float32(most))
    foreign = math.exp(scores.foreign - most)
    total = float(shares.sum()) + foreign
    shares /= np.float32(total)
    level = most + math.log(total)
    evidence = Evidence(length, scores.known, scores.familiar, scores.strange, level, exact)
    return Ranking(names, shares, foreign / total, evidence)


def _log(share: float) -> float:
    return math.log(max(float(share), 1e-12))


def _signs(ranking: Ranking, order: Sequence[int]) -> tuple[float, ...]:
    evidence = ranking.evidence
    first = _log(ranking.scores[order[0]]) + evidence.level
    second = _log(ranking.scores[order[1]]) + evidence.level if len(order) > 1 else first - 10.0
    foreign = _log(ranking.foreign) + evidence.level
    return signs_of(first, second, foreign, evidence.known, evidence.familiar, evidence.words)
