"""The scores of one question, and what the search makes of them.

`Index.rank` returns a `Ranking`, `Index.judge` turns it into a `Found`. A caller may change the scores in between,
for example mix in those of the previous question with `Ranking.mixed`; the evidence stays that of the question's words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bot.search.calibration import Verdict
from bot.search.features import Floats

MOST_IDS = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the words of a question tell beside the scores; the judge reads it."""

    words: int = 0
    known: float = 0.0  # share of the words that occur in the articles' questions
    familiar: float = 0.0  # share of neighbouring words that do so together
    strange: bool = False  # whether it is short and names a thing unheard of
    level: float = 0.0  # logarithm of what the scores were divided by to become shares
    exact: str = ""  # the article that holds this question word for word


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A share of the probability for every article and for "foreign"; together they are 1.

    `ids` are all articles of the index, always in the same order; `scores` are their shares, in the same order.
    """

    ids: tuple[str, ...]
    scores: Floats
    foreign: float
    evidence: Evidence

    def order(self, count: int = MOST_IDS) -> list[int]:
        """Return the places of the best articles in `ids`, best first."""
        order: list[int] = np.argsort(-self.scores, kind="stable")[:count].tolist()
        return order

    def best(self, count: int = MOST_IDS) -> list[tuple[str, float]]:
        """Return the best articles with their shares, best first."""
        return [(self.ids[place], float(self.scores[place])) for place in self.order(count)]

    def share(self, name: str) -> float:
        """Return the share of one article, 0 where it is none of the index."""
        return float(self.scores[self.ids.index(name)]) if name in self.ids else 0.0

    def mixed(self, earlier: Ranking, share: float) -> Ranking:
        """Return this ranking with a share (0 to 1) of another one's scores, both of the same index.

        A question that stands in an article word for word keeps its article.
        """
        if self.ids != earlier.ids:
            raise ValueError("rankings of different indexes cannot be mixed")
        scores = self.scores * np.float32(1 - share) + earlier.scores * np.float32(share)
        return replace(self, scores=scores, foreign=self.foreign * (1 - share) + earlier.foreign * share)


@dataclass(frozen=True, slots=True)
class Found:
    """What the search makes of a question; `also` is the article of a second question in the message."""

    verdict: Verdict
    ids: tuple[str, ...]
    score: float
    margin: float
    also: str = ""
