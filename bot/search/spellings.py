"""Which words look like the name of another thing: no Vietnamese syllable, no word of ours, and no slip of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from bot.search.features import Codes, code
from bot.text.normalize import fold
from bot.text.syllables import is_bare_syllable

_SHORTEST = 4  # letters; shorter ones are abbreviations


class Spellings(NamedTuple):
    """Codes of known words, and of what is left of them when one letter is missing."""

    codes: Codes

    @classmethod
    def of(cls, words: Iterable[str]) -> Spellings:
        """Gather the spellings of known words."""
        found = {code(form) for word in words for form in _with_one_missing(fold(word))}
        return cls(np.asarray(sorted(found), np.uint32))

    def is_strange(self, word: str) -> bool:
        """Return True if a word looks like the name of another thing; two words are near if one letter differs."""
        if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()) or is_bare_syllable(word):
            return False
        return not np.isin([code(form) for form in _with_one_missing(word)], self.codes).any()


def _with_one_missing(word: str) -> list[str]:
    return [word, *(word[:at] + word[at + 1 :] for at in range(len(word)))]
