"""Groups of words that mean one thing here, found in a question: synonyms, other services, danger signs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from bot.search.tokenizer import Tokenizer, WordLists, sound
from bot.text.normalize import fold
from bot.text.syllables import TONES

DANGER = "danger"


@lru_cache(maxsize=16384)
def _as_meant(word: str) -> str:
    """A marked word with the slips of the ear taken away but its marks kept; đ and d stay two letters."""
    if word.isascii():
        return word
    parts = unicodedata.normalize("NFD", word)
    tone = "".join(c for c in parts if c in TONES).replace("\u0303", "\u0309")  # ngã and hỏi are often confused
    quality = "".join(c for c in parts if unicodedata.combining(c) and c not in TONES)
    return f"{'đ' if word[0] == 'đ' else ''}{sound(word)}{quality}{tone}"


class Concepts:
    """Finds the groups of `WordLists` in a question in normal form."""

    def __init__(self, lists: WordLists, reader: Tokenizer) -> None:
        # By the word as typed, or by the sound of the first two: entries of several words survive slips and lost marks,
        # single words are sure only as written ("cài" is to install, "cai" may be "cái").
        self._single: dict[str, set[str]] = {}
        self._heard: dict[tuple[str, str], list[tuple[list[str], str]]] = {}
        self._danger: dict[str, list[tuple[frozenset[str], ...]]] = {}
        self._elsewhere = {f"k:not/{name}": place for place, name in enumerate(sorted(lists.elsewhere))}
        groups = {f"k:{name}": group for name, group in lists.synonyms.items()}
        groups |= {f"k:not/{name}": group for name, group in lists.elsewhere.items()}
        for name in sorted(groups):
            for entry in groups[name]:
                self._add(tuple(reader.read(" ".join(entry))), name)
        for sign, marked in [(sign, False) for sign in lists.danger] + [(sign, True) for sign in lists.danger_marked]:
            options = [_spellings(token, marked) for token in reader.read(sign)]
            for first in options[0]:
                self._danger.setdefault(first, []).append(tuple(options[1:]))

    def _add(self, tokens: tuple[str, ...], name: str) -> None:
        if len(tokens) == 1:
            self._single.setdefault(tokens[0], set()).add(name)
            folded = fold(tokens[0])
            if folded != tokens[0]:
                self._single.setdefault(folded, set()).add("~" + name)
        elif tokens:
            first, second, *rest = [sound(token) for token in tokens]
            self._heard.setdefault((first, second), []).append((rest, name))

    def find(self, tokens: Sequence[str], sounds: list[str] | None = None) -> list[str]:
        """The keys of the groups in these words, sorted; `sounds` are the words' sounds, if at hand."""
        if sounds is None:
            sounds = [sound(token) for token in tokens]
        found: set[str] = set()
        for token in self._single.keys() & set(tokens):
            found.update(self._single[token])
        for at, heard in enumerate(pairwise(sounds)):
            if heard in self._heard:
                for rest, name in self._heard[heard]:
                    if sounds[at + 2 : at + 2 + len(rest)] == rest:
                        found.add(name)
        return sorted(found)

    @property
    def kinds(self) -> int:
        """How many kinds of foreign questions `kind` tells apart."""
        return len(self._elsewhere) + 1

    def kind(self, tokens: Sequence[str]) -> int:
        """Which kind a foreign question is of: the first group of other things in it, the last kind without."""
        places = [self._elsewhere[key] for key in self.find(tokens) if key in self._elsewhere]
        return min(places, default=len(self._elsewhere))

    def may_be_danger(self, word: str) -> bool:
        """Whether a sign of danger may begin with this word."""
        return _as_meant(word) in self._danger or fold(word) + "*" in self._danger

    def danger(self, tokens: Sequence[str], starts: Iterable[int]) -> bool:
        """Whether a sign of danger to life begins at one of these places."""
        for at in starts:
            token = tokens[at]
            for spelling in (_as_meant(token), fold(token) + "*"):
                for rest in self._danger.get(spelling, ()):
                    following = tokens[at + 1 : at + 1 + len(rest)]
                    if len(following) == len(rest) and all(
                        _as_meant(word) in options or fold(word) + "*" in options
                        for word, options in zip(following, rest, strict=True)
                    ):
                        return True
        return False


def _spellings(token: str, marked: bool) -> frozenset[str]:
    """How a word of a danger sign may have been typed; "…*" stands for any marks or none."""
    if token.isascii():
        return frozenset((token if marked else token + "*",))
    return frozenset((_as_meant(token),) if marked else (_as_meant(token), fold(token)))
