"""Emergencies: is somebody in danger now, and of which kind. `bot.reading.reader` asks before anything is routed.

A text is compared with examples of danger under way and of what only looks like it: the past, the negated, the
hypothetical, what stands on paper, figures of speech. The decision is learnt; three rules stand beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.reading.classifier import GROUP, TextClassifier
from bot.text.normalize import fold, spoken

NOT_DANGER: Final = "not"
# From this probability on an emergency is assumed: a needless 115 is a smaller harm than a missed one.
DANGER_FROM: Final = 0.25
# Where no sign of danger stands there, the letters of an unknown word may look like anything: more is asked for.
_UNNAMED_FROM: Final = 0.4
_SHORT, _SHORT_FROM = 3, 0.6  # words
# A long message may say it in passing, beside a story or a question: parts of it are looked at by themselves.
_LONG, _PART, _STEP = 20, 14, 5  # words
_PART_FROM: Final = 0.95
_ALARM_NUMBER = re.compile(r"(?:goi |so |sos |cuu )*115(?: (?:oi|voi|gap|khan cap|cap cuu|di|ngay))*")
# Numbers, dates and codes say nothing of danger, whatever their letters are like.
_CODE = re.compile(r"\d.*|.*\d.*\d.*|(?=.{6}).*\d.*|[^aeiouy]{3,}|[a-z]?")
_CRY = re.compile(
    r"(?:cuu|cap cuu|cuu mang|help|sos|emergency|cuu toi|cuu em)(?: (?:voi|toi|em|gap|me|ngay|oi|help|a|cuu))*"
)
# A day or an hour alone answers "when", however it is written ("8h30 sáng mai").
_OF_TIME = re.compile(
    r"\d{1,2}(?:(?:h|g|gio|am|pm)(?:\d{1,2}p?)?)?|luc|vao|khoang|h|g|gio|phut|ruoi|kem|sang|trua|chieu|toi|dem|khuya"
    r"|mai|mot|kia|nay|hom|ngay|thang|thu|chu|nhat|cn|tuan|sau|am|pm|at|o|clock|today|tonight|tomorrow"
)


@dataclass(frozen=True, slots=True)
class Danger:
    """Whether somebody is in danger now, how likely, and the most likely kind (an id of content/danger.yaml)."""

    now: bool
    probability: float
    kind: str = ""


NONE = Danger(False, 0.0)


class DangerReader:
    """Decides on emergencies from tokenized texts."""

    def __init__(self, classifier: TextClassifier) -> None:
        """Use a classifier whose labels are the kinds of emergency and NOT_DANGER."""
        self._classifier = classifier
        self._kinds = tuple(label for label in classifier.labels if label != NOT_DANGER)
        self._signs = frozenset(f"{GROUP}{kind}" for kind in self._kinds)

    def read(self, text: str, tokens: Sequence[str]) -> Danger:
        """Return what a text says of danger; `tokens` are its words in normal form."""
        said = spoken(text)
        if _ALARM_NUMBER.fullmatch(said) or _CRY.fullmatch(said):
            return Danger(True, 1.0, "general")
        tokens = [token for token in tokens if not _CODE.fullmatch(fold(token))]
        if not tokens or all(map(_OF_TIME.fullmatch, said.split())):
            return NONE
        shares = self._classifier.probabilities(tokens)
        if 1.0 - shares[NOT_DANGER] < DANGER_FROM and len(tokens) > _LONG:
            parts = [tokens[start : start + _PART] for start in range(0, len(tokens) - _PART + _STEP, _STEP)]
            part = min(map(self._classifier.probabilities, parts), key=lambda one: one[NOT_DANGER])
            if 1.0 - part[NOT_DANGER] >= _PART_FROM:
                shares = part
        probability = 1.0 - shares[NOT_DANGER]
        if probability < self._least(tokens):
            return Danger(False, probability)
        return Danger(True, probability, max(self._kinds, key=lambda kind: shares[kind]))

    def _least(self, tokens: Sequence[str]) -> float:
        if not self._signs.isdisjoint(self._classifier.groups(tokens)):
            return DANGER_FROM
        return _SHORT_FROM if len(tokens) <= _SHORT else _UNNAMED_FROM
