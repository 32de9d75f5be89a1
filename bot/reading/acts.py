"""Acts: what people say that is no question by itself ("thanks", "next", "still does not work").

`bot.reading.reader` calls it. A whole message is one act or none; the lists stand in content/acts.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.reading.classifier import TextClassifier
from bot.text.normalize import fold, spoken

NO_ACT: Final = "other"
_MOST_WORDS = 14  # a longer message is a story or a question
SURE: Final = 0.6
_LIKELY = 0.42
_SIGNS = re.compile(r"[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Act:
    """What a message does, how likely, and whether it is one of the listed messages.

    Below SURE it is believed only where the search knows no answer to the words.
    """

    name: str
    share: float
    listed: bool = False


NO_ACT_AT_ALL: Final = Act("", 0.0)


class ActReader:
    """Finds the act of a message: exactly as listed, else as a classifier has learnt it."""

    def __init__(self, classifier: TextClassifier, says: Mapping[str, Sequence[str]]) -> None:
        """Use a classifier whose labels are acts and NO_ACT, and the listed messages of each act."""
        self._classifier = classifier
        self._exact = {comparable(text): act for act, texts in says.items() for text in texts}

    def read(self, text: str, tokens: Sequence[str]) -> Act:
        """Return the likeliest act of a message; one without a name where it is none."""
        if act := self._exact.get(comparable(text)):
            return Act(act, 1.0, listed=True)
        if not tokens or len(tokens) > _MOST_WORDS:
            return NO_ACT_AT_ALL
        shares = self._classifier.probabilities(tokens)
        act = max(shares, key=lambda label: shares[label])
        return Act(act, shares[act]) if act != NO_ACT and shares[act] >= _LIKELY else NO_ACT_AT_ALL


def comparable(text: str) -> str:
    """Return what is compared: the words without marks, or the signs where there is no word ("👍", "<3")."""
    said = spoken(text)
    if not said:
        signs = "".join(_SIGNS.findall(fold(text))).replace("\ufe0f", "")
        return "".join(dict.fromkeys(signs))
    return "".join(text.split()) if said.isdigit() else said
