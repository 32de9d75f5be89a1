"""Acts: what people say that is no question by itself ("thanks", "next", "still does not work").

`bot.reading.reader` calls it. A whole message is one act or none; the lists stand in content/acts.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from bot.reading.classifier import TextClassifier
from bot.text.normalize import fold, spoken

NO_ACT: Final = "other"
_MOST_WORDS = 14  # a longer message is a story or a question
_SURE = 0.6
_SIGNS = re.compile(r"[^\w\s]+")


class ActReader:
    """Finds the act of a message: exactly as listed, else as a classifier has learnt it."""

    def __init__(self, classifier: TextClassifier, says: Mapping[str, Sequence[str]]) -> None:
        """Use a classifier whose labels are acts and NO_ACT, and the listed messages of each act."""
        self._classifier = classifier
        self._exact = {_key(text): act for act, texts in says.items() for text in texts}

    def read(self, text: str, tokens: Sequence[str]) -> tuple[str, bool]:
        """Return the act of a message, empty where it is none, and whether it is one of the listed messages."""
        if act := self._exact.get(_key(text)):
            return act, True
        if not tokens or len(tokens) > _MOST_WORDS:
            return "", False
        shares = self._classifier.probabilities(tokens)
        act = max(shares, key=lambda label: shares[label])
        return (act if act != NO_ACT and shares[act] >= _SURE else ""), False


def _key(text: str) -> str:
    """Return what is compared: the words without marks, or the signs where there is no word ("👍")."""
    if said := spoken(text):
        return said
    signs = "".join(_SIGNS.findall(fold(text))).replace("\ufe0f", "")
    return "".join(dict.fromkeys(signs))
