"""Groups of words that mean one thing here, found in a question: synonyms, other services."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bot.search.tokenizer import Tokenizer, WordLists, sound
from bot.text.normalize import fold


class Concepts:
    """Finds the groups of `WordLists` in a question in normal form."""

    def __init__(self, lists: WordLists, reader: Tokenizer) -> None:
        # By the word as typed, or by the sound of the first two: entries of several words survive slips and lost marks,
        # single words are sure only as written ("cài" is to install, "cai" may be "cái").
        self._single: dict[str, set[str]] = {}
        self._heard: dict[tuple[str, str], list[tuple[list[str], str]]] = {}
        self._elsewhere = {f"k:not/{name}": place for place, name in enumerate(sorted(lists.elsewhere))}
        groups = {f"k:{name}": group for name, group in lists.synonyms.items()}
        groups |= {f"k:not/{name}": group for name, group in lists.elsewhere.items()}
        for name in sorted(groups):
            for entry in groups[name]:
                self._add(tuple(reader.read(" ".join(entry))), name)

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
