"""The reading of one message: what it says, once, before anything is routed. The dispatcher calls `Reader.read`.

A reading is plain data without side effects; its costlier parts are made when they are first asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from bot.reading.acts import ActReader
from bot.reading.danger import Danger, DangerReader
from bot.reading.facets import Facets, read_facets
from bot.reading.followup import ContextRanker, InContext, Topic
from bot.search import Found, Index, Ranking
from bot.text.normalize import compatible, decode_keystrokes, fold, spoken

MOST_REMEMBERED = 2000  # texts
_LONGEST_REMEMBERED = 120
# Acts that ask about the topic without naming it.
_SELF = re.compile(r"\b(?:ghi|bao|tinh|dem) (?:ten )?cho (?:toi|minh|em|tui|bac|chau|t|e) truoc\b")
ELLIPTIC = frozenset(("where", "how-long", "why", "cost", "who", "documents"))


class TextReading:
    """What the words of a message say by themselves; each part is made when it is first asked for."""

    def __init__(self, text: str, reader: Reader) -> None:
        """Read a text as typed."""
        self.text = compatible(text)
        self._reader = reader

    @cached_property
    def tokens(self) -> Sequence[str]:
        """The words in normal form."""
        return self._reader.tokenize(self.text)

    @cached_property
    def folded(self) -> str:
        """The words without marks, with single spaces between them."""
        return spoken(self.text)

    @cached_property
    def spoken(self) -> str:
        """The words in normal form, abbreviations written out, without marks."""
        return " ".join(map(fold, self.tokens))

    @cached_property
    def decoded(self) -> str:
        """The text with left-over Telex and VNI keys composed."""
        return decode_keystrokes(self.text)

    @property
    def says_self(self) -> bool:
        """Whether the person speaks of having done something themselves, beside what others did."""
        return bool(_SELF.search(self.folded))

    @cached_property
    def danger(self) -> Danger:
        """Whether somebody is in danger now."""
        return self._reader.danger.read(self.text, self.tokens)

    @cached_property
    def _act(self) -> tuple[str, bool]:
        return self._reader.acts.read(self.text, self.tokens)

    @property
    def act(self) -> str:
        """The act that the whole message is, or nothing."""
        return self._act[0]

    @property
    def act_is_listed(self) -> bool:
        """Whether the message stands in the list of that act as it was typed."""
        return self._act[1]

    @cached_property
    def facets(self) -> Facets:
        """The book, telephone and person that it names."""
        return read_facets(self.text) or read_facets(self.spoken)

    @cached_property
    def ranking(self) -> Ranking:
        """The scores of all articles for these words."""
        return self._reader.index.rank(self.text)

    @cached_property
    def found(self) -> Found:
        """What the search makes of these words."""
        return self._reader.index.find(self.text)


class Reading:
    """What a message says in a talk: its words, and its question in the context of a topic."""

    def __init__(self, words: TextReading, topic: Topic, ranker: ContextRanker) -> None:
        """Read words in the context of a topic."""
        self.words, self.topic, self._ranker = words, topic, ranker

    @property
    def danger(self) -> Danger:
        """Whether somebody is in danger now."""
        return self.words.danger

    @property
    def act(self) -> str:
        """The act that the whole message is, or nothing."""
        return self.words.act

    @property
    def facets(self) -> Facets:
        """The book, telephone and person that it names."""
        return self.words.facets

    @cached_property
    def question(self) -> InContext:
        """The question in its context."""
        words = self.words
        elliptic = words.act in ELLIPTIC and bool(self.topic.subject)
        return self._ranker.read(
            words.found, words.ranking, words.facets, self.topic, tokens=words.tokens, elliptic=elliptic
        )


class Reader:
    """Reads messages with what was learnt from the content.

    What many write is remembered as it was read, but nothing with a digit, which could be personal.
    """

    def __init__(
        self,
        *,
        index: Index,
        tokenize: Callable[[str], Sequence[str]],
        danger: DangerReader,
        acts: ActReader,
        ranker: ContextRanker,
    ) -> None:
        """Use the content's index and classifiers."""
        self.index, self.tokenize = index, tokenize
        self.danger, self.acts, self._ranker = danger, acts, ranker
        self._remembered: dict[str, TextReading] = {}

    def words(self, text: str) -> TextReading:
        """Read a text by itself."""
        known = self._remembered.get(text)
        if known is not None:
            return known
        made = TextReading(text, self)
        if len(text) <= _LONGEST_REMEMBERED and not any(map(str.isdigit, text)):
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            if MOST_REMEMBERED:
                self._remembered[text] = made
        return made

    def read(self, text: str, topic: Topic | None = None) -> Reading:
        """Read a text of a talk that is about a topic."""
        return Reading(self.words(text), topic or Topic(), self._ranker)

    def keep(self, ranking: Ranking) -> list[tuple[str, int]]:
        """Return what is remembered of a ranking for the next question."""
        return self._ranker.keep(ranking)
