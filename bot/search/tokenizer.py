"""The word lists of `content/words.yaml`, and the normal form of a question that they lead to.

Reading a question: lower case, left-over Telex and VNI keys composed, stretched letters shortened,
abbreviations and regional spellings replaced by the common word. What a word is good for afterwards
(folded, by its sound, by its letters) belongs to `bot.search.features`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from bot.text.normalize import clean, fold, words
from bot.text.syllables import is_bare_syllable, is_syllable, respelled
from bot.text.telex import LOAN_WORDS, decode_tokens

MOST_WORDS = 160  # of one message; what comes later adds nothing but time
_NEARBY = 3  # words either side that decide about a spelling in context
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_NEGATION = re.compile(r"(\bca)?n['’`´]t\b")
_SECTIONS = frozenset(("abbreviations", "in_context", "synonyms", "elsewhere", "never_decoded"))


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class InContext:
    """A spelling that stands for `then` near one of the words, for `otherwise` elsewhere."""

    near: frozenset[str]
    then: tuple[str, ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WordLists:
    """How people write: abbreviations, synonyms, names."""

    abbreviations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    in_context: Mapping[str, InContext] = field(default_factory=dict)
    synonyms: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    never_decoded: frozenset[str] = frozenset()

    @classmethod
    def from_mapping(cls, mapping: object) -> WordLists:
        """Check the content of words.yaml and make it usable; ValueError says what is wrong and where."""
        if mapping is None:
            return cls()
        if not isinstance(mapping, Mapping):
            raise ValueError("words.yaml must hold sections (abbreviations, synonyms, …), each with a name")
        for name in mapping:
            if name not in _SECTIONS:
                raise ValueError(f"words.yaml: there is no section {name!r}; known are {', '.join(sorted(_SECTIONS))}")
        abbreviations: dict[str, tuple[str, ...]] = {}
        for key, value in _section(mapping, "abbreviations").items():
            where = f"words.yaml, abbreviations, {key!r}"
            spelling, meaning = _text(key, where), tuple(words(_text(value, where)))
            if words(spelling) != [_nfc(spelling)]:
                raise ValueError(f"{where}: the spelling must be one word of letters and digits")
            if not meaning:
                raise ValueError(f"{where}: it stands for nothing")
            abbreviations[_nfc(spelling)] = meaning
        contexts: dict[str, InContext] = {}
        for key, value in _section(mapping, "in_context").items():
            where = f"words.yaml, in_context, {key!r}"
            if not isinstance(value, Mapping) or set(value) != {"near", "then", "else"}:
                raise ValueError(f"{where}: expected near, then and else")
            contexts[_nfc(_text(key, where))] = InContext(
                frozenset(
                    form
                    for entry in _texts(value["near"], where)
                    for word in words(entry)
                    for form in (word, fold(word))
                ),
                tuple(words(_text(value["then"], where))),
                tuple(words(_text(value["else"], where))),
            )
        never_decoded = _texts(mapping.get("never_decoded") or [], "words.yaml, never_decoded")
        return cls(
            abbreviations,
            contexts,
            _groups(mapping, "synonyms"),
            _groups(mapping, "elsewhere"),
            frozenset(map(_nfc, never_decoded)),
        )

    def to_mapping(self) -> dict[str, object]:
        """The same as plain data that `from_mapping` reads."""
        groups = {
            section: {key: [" ".join(entry) for entry in group] for key, group in sorted(entries.items())}
            for section, entries in (("synonyms", self.synonyms), ("elsewhere", self.elsewhere))
        }
        contexts = {
            key: {"near": sorted(one.near), "then": " ".join(one.then), "else": " ".join(one.otherwise)}
            for key, one in sorted(self.in_context.items())
        }
        return {
            "abbreviations": {key: " ".join(value) for key, value in sorted(self.abbreviations.items())},
            "in_context": contexts,
            **groups,
            "never_decoded": sorted(self.never_decoded),
        }


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _section(mapping: Mapping[object, object], name: str) -> Mapping[object, object]:
    section = mapping.get(name) or {}
    if not isinstance(section, Mapping):
        raise ValueError(f"words.yaml, {name}: expected entries of the form `spelling: words`")
    return section


def _groups(mapping: Mapping[object, object], name: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    groups: dict[str, tuple[tuple[str, ...], ...]] = {}
    for key, value in _section(mapping, name).items():
        where = f"words.yaml, {name}, {key!r}"
        entries = tuple(tuple(words(entry)) for entry in _texts(value, where))
        if not all(entries):
            raise ValueError(f"{where}: an entry without a word in it")
        groups[_text(key, where)] = entries
    return groups


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: expected text, found {value!r} (YAML reads no, off, on, 1 otherwise: quote them)")
    return value


def _texts(value: object, where: str) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{where}: expected a list")
    return [_text(entry, where) for entry in value]


# Words that stand in English messages only, and words that stand in Vietnamese ones too ("hello ad", "do", "my").
_ENGLISH = _listed(
    "about after again all already and any are around as ask back because been before by call change could did does "
    "every few find first for found from get give had has have her here his how if installed is its just keep know "
    "last like lost made make many mine month more much must need never new next of old one only or other our out "
    "please press remove right says see send sent she should show shows since some something still take tell their "
    "there these they this those through too try two under use used using was way we were what when where which while "
    "who why will with without work wrong year yes you your"
)
_ENGLISH_TOO = _listed(
    "a account am an at be book but button can cannot card code dad day do don due error go got he health hello help "
    "hi him i in install it let login man me men message mom mum my no not now number off on open phone register say "
    "sign so son stop than thank thanks that the then to up us"
)


def is_english(tokens: Sequence[str]) -> bool:
    """Return True if these words are rather an English sentence than Vietnamese without marks."""
    sure = english = vietnamese = 0
    for token in tokens:
        if token in _ENGLISH:
            sure += 1
        elif token in _ENGLISH_TOO:
            english += 1
        elif not token.isascii() or is_bare_syllable(token):
            vietnamese += 1
    return sure + english >= vietnamese if sure else english > 1 and not vietnamese


class Tokenizer:
    """Turns what a citizen typed into the words that the search compares."""

    def __init__(self, lists: WordLists) -> None:
        self.lists = lists
        self._shorten = lru_cache(maxsize=4096)(self._known_spelling)

    def read(self, text: str) -> list[str]:
        """The question's words in normal form, in order."""
        if not text.isprintable():
            text = clean(text)
        text = text.lower()
        if "'" in text or "’" in text or "`" in text:
            text = _NEGATION.sub(lambda match: "can not" if match.group(1) else " not", text)
        tokens = words(text)[:MOST_WORDS]
        if not tokens:
            return tokens
        english = is_english(tokens)
        if not english:
            tokens = decode_tokens(tokens, self.lists.never_decoded)
        read: list[str] = []
        for place, token in enumerate(tokens):
            if english and len(token) < 3:
                read.append(token)
            else:
                read += self._meaning(tokens, place)
        return read

    def _meaning(self, tokens: Sequence[str], place: int) -> Sequence[str]:
        """The common words for one word of a message."""
        token, lists = tokens[place], self.lists
        if not token.isascii():
            token = respelled(token)
        meaning = lists.abbreviations.get(token)
        if meaning is not None:
            return meaning
        context = lists.in_context.get(token)
        if context is not None:
            return context.then if self._is_near(tokens, place, context.near) else context.otherwise
        if len(token) > 2 and not is_bare_syllable(token):
            return self._shorten(token)
        return (token,)

    def _is_near(self, tokens: Sequence[str], place: int, near: frozenset[str]) -> bool:
        """Return True if one of the words stands nearby; a word typed without marks may be any of its fold."""
        for at in range(max(0, place - _NEARBY), min(len(tokens), place + _NEARBY + 1)):
            if at != place:
                token = tokens[at]
                if token in near or any(word in near for word in self.lists.abbreviations.get(token, ())):
                    return True
        return False

    def _known_spelling(self, token: str) -> tuple[str, ...]:
        """Stretched ("đẹppp", "điiii") and half-composed ("ddt") spellings of known words."""
        shortened = _STRETCHED.sub(r"\1", token)
        if shortened != token and len(shortened) > 1 and shortened[-1] == fold(shortened[-2]) != shortened[-2]:
            shortened = shortened[:-1]  # "quáaaa"
        if len(shortened) == 1:
            return (token,)  # "hhhhhh": no letter that stands for a word
        if shortened != token:
            return self.lists.abbreviations.get(shortened, (shortened,))
        if token.endswith("g") and not token.endswith("ng") and token not in LOAN_WORDS:  # "thôg", "dừg", "xog"
            whole = token[:-1] + "ng"
            if is_syllable(whole) or is_bare_syllable(whole):
                return (whole,)
        if "dd" in token:
            meaning = self.lists.abbreviations.get(token.replace("dd", "đ"))
            if meaning:
                return meaning
        return (token,)


@lru_cache(maxsize=16384)
def sound(word: str) -> str:
    """What is left of a folded word when the usual slips are taken away (s/x, ch/tr, l/n, d/gi/r, …)."""
    word = fold(word)
    if not word.isalpha():
        return word
    for before, after in (("gi", "d"), ("tr", "ch"), ("ph", "f"), ("qu", "q"), ("gh", "g")):
        if word.startswith(before) and len(word) > len(before):
            word = after + word[len(before) :]
            break
    first = word[0]
    if first == "n" and word[1:2] not in ("g", "h"):
        word = "l" + word[1:]
    elif first in "rvxk":
        word = {"r": "d", "v": "v", "x": "s", "k": "k" if word[1:2] == "h" else "c"}[first] + word[1:]
    word = word.replace("y", "i")
    if word.endswith("ng"):
        word = word[:-1]
    elif word.endswith("c") and len(word) > 2:
        word = word[:-1] + "t"
    out = word[:1]
    for letter in word[1:]:
        if letter != out[-1]:
            out += letter
    return out
