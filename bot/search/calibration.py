"""When the search may answer, when it offers a choice, and when it says that it does not know.

Two small logistic models look at how the scores of one question lie: one says how likely the best article is the
right one, the other how likely the question belongs to the bot at all. Both, and the two thresholds, are learnt
from predictions that the scorer made for questions it had not been trained on.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# The calibrated probability from which an answer is worth its risk. Held-out phrasings are harder than citizens'
# questions, so of the answers from here on 98 of 100 were right for questions of other authors (docs/search.md).
ANSWER_FROM = 0.71
FALSE_ANSWERS = 0.06  # of the foreign questions, out of fold: above this the threshold rises
OUT_OF_FOLD_PRECISION = 0.85  # of the answers to questions like none in the training set: below, it rises too
FOREIGN_SUGGESTED = 0.28
FOREIGN_SHARE = 0.2  # of messages that have nothing to do with the bot, when weighing the two kinds of error


class Verdict(enum.StrEnum):
    """What the bot should do with a question."""

    ANSWER = "answer"
    SUGGEST = "suggest"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judge:
    """The two models and their thresholds."""

    right: tuple[float, ...]
    inside: tuple[float, ...]
    answer_from: float
    suggest_from: float

    def probabilities(self, signs: Sequence[float]) -> tuple[float, float]:
        """How likely the best article is right, and how likely the question belongs to the bot."""
        right, inside = self.right[0], self.inside[0]
        for sign, for_right, for_inside in zip(signs, self.right[1:], self.inside[1:], strict=True):
            right += sign * for_right
            inside += sign * for_inside
        return _logistic(right), _logistic(inside)

    def verdict(self, right: float, inside: float) -> Verdict:
        """The verdict on these two probabilities."""
        if right >= self.answer_from and inside >= self.suggest_from:
            return Verdict.ANSWER
        return Verdict.SUGGEST if inside >= self.suggest_from or right >= self.answer_from else Verdict.UNKNOWN


def signs_of(
    first: float, second: float, foreign: float, known: float, familiar: float, length: int
) -> tuple[float, ...]:
    """What the judge looks at: scores of the two best articles and of "foreign", how known the words are, length."""
    margin = first - second
    against = first - foreign
    return (
        first / 4.0,
        min(margin, 6.0) / 4.0,
        max(-6.0, min(against, 8.0)) / 4.0,
        known,
        known * known,
        familiar,
        math.log1p(length) / 3.0,
        1.0 if length <= 2 else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Note:
    """One out-of-fold prediction: its signs, whether the best article was right, whether it was foreign."""

    signs: tuple[float, ...]
    right: bool
    foreign: bool


def calibrate(notes: Sequence[Note]) -> Judge:
    """Learn the judge from out-of-fold predictions."""
    signs = np.asarray([note.signs for note in notes], np.float32)
    right = np.asarray([note.right for note in notes])
    foreign = np.asarray([note.foreign for note in notes])
    inside = ~foreign
    weights = np.where(foreign, FOREIGN_SHARE / max(1, foreign.sum()), (1 - FOREIGN_SHARE) / max(1, inside.sum()))
    weights = weights * len(weights)
    for_right = _fit(signs, right & inside, weights)
    for_inside = _fit(signs, inside, weights)
    columns = np.hstack([np.ones((len(signs), 1), np.float32), signs]).astype(np.float64)
    p_right = 1 / (1 + np.exp(-columns @ for_right))
    p_inside = 1 / (1 + np.exp(-columns @ for_inside))
    suggest_from = float(np.quantile(p_inside[foreign], 1 - FOREIGN_SUGGESTED)) if foreign.any() else 0.0
    suggest_from = min(suggest_from, float(np.quantile(p_inside[inside], 0.2)))
    answer_from = 0.99
    for threshold in np.arange(ANSWER_FROM, 0.99, 0.005):
        answered = (p_right >= threshold) & (p_inside >= suggest_from)
        false = (answered & foreign).sum() / max(1, foreign.sum())
        told = answered & inside
        if told.any() and false <= FALSE_ANSWERS and (told & right).sum() / told.sum() >= OUT_OF_FOLD_PRECISION:
            answer_from = float(threshold)
            break
    return Judge(
        tuple(round(float(x), 6) for x in for_right),
        tuple(round(float(x), 6) for x in for_inside),
        round(answer_from, 4),
        round(suggest_from, 4),
    )


def _fit(signs: Floats, target: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Logistic regression by Newton steps, lightly held back."""
    columns = np.hstack([np.ones((len(signs), 1)), signs]).astype(np.float64)
    goal = target.astype(np.float64)
    solution = np.zeros(columns.shape[1])
    held = np.eye(columns.shape[1])
    held[0, 0] = 1e-6
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(columns @ solution, -30, 30)))
        slope = columns.T @ (weights * (goal - chance)) - held @ solution
        curve = (columns * (weights * chance * (1 - chance))[:, None]).T @ columns + held
        step = np.linalg.solve(curve, slope)
        solution = solution + step
        if float(np.abs(step).max()) < 1e-7:
            break
    return solution


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))
