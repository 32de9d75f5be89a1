"""A guided walk as a state machine: where a citizen stands in a guide and where each act leads.

The handler of guides keeps a walk as plain data in the dialog and asks here for the next one. Nothing is read or
written. A step that does not exist leads to the start of its guide, a guide that does not exist to no walk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.library.bilingual import LANGUAGES, Bilingual
from bot.library.guides import END, STEP, Guide, GuideLeg, GuideStep
from bot.text.normalize import spoken

_FLOOR = 0.5  # of what was typed and of a phrasing, so much must be the same words
_MOST_FILLING = 2  # a story counts at most twice the length of the phrasing, so that length alone refuses nothing
_FILLERS = frozenset(
    ("a", "ad", "anh", "bac", "ban", "chau", "chi", "cho", "con", "em", "la", "ma", "minh", "nay", "nha", "nhe",
     "no", "o", "oi", "roi", "thi", "toi", "vay", "voi", "do", "i", "is", "it", "me", "my", "the", "to")
)  # fmt: skip
_SHORT = {"k": "khong", "ko": "khong", "kg": "khong", "hok": "khong", "hong": "khong", "dc": "duoc", "dt": "dien thoai"}
_SPELT = ("mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi")
_SPELT_ENGLISH = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: number for words in (_SPELT, _SPELT_ENGLISH) for number, word in enumerate(words, 1)}
_STEP_NUMBER = re.compile(r"\b(?:buoc|step)(?: (?:so|thu|number|no))? (\d{1,2}|" + "|".join(_NUMBERS) + r")\b")


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk: the guide and the step that is open; while `resting`, that step comes after the rest."""

    guide: Guide
    place: int = 0
    resting: bool = False

    @property
    def step(self) -> GuideStep:
        """The open step."""
        return self.guide.steps[self.place]

    @property
    def number(self) -> int:
        """The number of the open step, counted from 1."""
        return self.place + 1

    @property
    def total(self) -> int:
        """How many steps the guide has."""
        return len(self.guide.steps)

    @property
    def leg(self) -> int:
        """The number of the open step's leg, counted from 0."""
        return self._leg_of(self.place)

    @property
    def legs_done(self) -> tuple[GuideLeg, ...]:
        """The legs before the open step."""
        return self.guide.legs[: self.leg]

    @property
    def reached(self) -> tuple[Bilingual, ...]:
        """What has been reached so far, leg by leg."""
        return tuple(leg.reached for leg in self.legs_done)

    def start(self) -> Walk:
        """Return the walk at its first step."""
        return Walk(self.guide)

    def next(self) -> Walk | None:
        """Return the walk after the open step is done, at a rest where a leg ends; None at the end of the guide."""
        if self.resting:
            return replace(self, resting=False)
        after = self.step.after
        if after == END:
            return None
        following = self.place + 1 if after is None else self._place_of(after)
        return self._forward(following) if following < self.total else None

    def back(self) -> Walk:
        """Return the walk one step earlier; the first step stays."""
        return Walk(self.guide, max(0, self.place - 1))

    def at(self, number: int) -> Walk | None:
        """Return the walk at a step by its number; None where there is no such step."""
        return Walk(self.guide, number - 1) if 1 <= number <= self.total else None

    def at_step(self, step_id: str) -> Walk:
        """Return the walk at a step by its id; an unknown one leads to the start."""
        return Walk(self.guide, self._place_of(step_id))

    def answered(self, goto: str) -> Walk | None:
        """Return the walk after an answer that leads to a step of the guide, at a rest where a leg ends."""
        return self.next() if goto == "next" else self._forward(self._place_of(goto.removeprefix(f"{STEP}:")))

    def _forward(self, place: int) -> Walk:
        return Walk(self.guide, place, resting=self._leg_of(place) > self.leg)

    def _place_of(self, step_id: str) -> int:
        return next((place for place, step in enumerate(self.guide.steps) if step.id == step_id), 0)

    def _leg_of(self, place: int) -> int:
        for number, leg in enumerate(self.guide.legs):
            place -= len(leg.steps)
            if place < 0:
                return number
        raise IndexError(place)


def open_walk(guides: Mapping[str, Guide], guide_id: str, step_id: str = "", *, rest: str = "") -> Walk | None:
    """Return the walk of a guide at a step; None for an unknown guide, the start for an unknown step."""
    guide = guides.get(guide_id)
    if guide is None:
        return None
    walk = Walk(guide).at_step(step_id)
    return replace(walk, resting=bool(rest) and walk.place > 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """A walk as a talk remembers it.

    `began` is the day on which it began, under which it is counted; `outer` is the walk, with its own day, that goes on
    at the end of this one; `handoff` is the key of the code that it came by.
    """

    walk: Walk
    began: str
    outer: tuple[Walk, str] | None = None
    handoff: str = ""

    def dump(self) -> dict[str, str]:
        """Write it down for the dialog."""
        outer = "/".join((self.outer[0].guide.id, self.outer[0].step.id, self.outer[1])) if self.outer else ""
        return {
            "guide": self.walk.guide.id,
            "step": self.walk.step.id,
            "rest": "yes" if self.walk.resting else "",
            "began": self.began,
            "outer": outer,
            "handoff": self.handoff,
        }

    def move(self, there: Walk) -> Standing:
        """Return the same walk at another step, or the outer one where `there` belongs to it."""
        if there.guide.id == self.walk.guide.id or self.outer is None:
            return replace(self, walk=there)
        return Standing(there, self.outer[1])

    def continues_with(self, there: Walk) -> bool:
        """Return True if `there` belongs to this walk or to its outer one."""
        return there.guide.id in (self.walk.guide.id, self.outer[0].guide.id if self.outer else "")

    def left_at(self, there: Walk) -> str:
        """Return the step at which the walk of `there`, this one or the outer one, stood before."""
        if there.guide.id == self.walk.guide.id or self.outer is None:
            return self.walk.step.id
        return self.outer[0].step.id


def load_standing(guides: Mapping[str, Guide], data: Mapping[str, str]) -> Standing | None:
    """Read what `Standing.dump` wrote; None where the dialog holds no walk, or its guide is gone."""
    walk = open_walk(guides, data.get("guide", ""), data.get("step", ""), rest=data.get("rest", ""))
    if walk is None:
        return None
    guide_id, _, rest = data.get("outer", "").partition("/")
    step_id, _, began = rest.partition("/")
    outer = open_walk(guides, guide_id, step_id)
    return Standing(walk, data.get("began", ""), (outer, began) if outer else None, data.get("handoff", ""))


def step_number(text: str) -> int | None:
    """Return the number of a step that a text names ("bước 3", "bước ba", "step 3"); None where it names none."""
    found = _STEP_NUMBER.search(spoken(text))
    return None if found is None else _NUMBERS.get(found[1]) or int(found[1])


def find_trouble(step: GuideStep, text: str) -> int | None:
    """Return the index of the trouble of a step that a text tells of; None where no phrasing shares enough words."""
    typed = _words_of(text)
    best, best_score = None, _FLOOR
    for index, trouble in enumerate(step.trouble):
        for language in LANGUAGES:
            for phrase in (trouble.label.in_language(language), *trouble.says.in_language(language)):
                score = _likeness(typed, _phrase_words(phrase))
                if score > best_score:
                    best, best_score = index, score
    return best


def _likeness(typed: frozenset[str], phrase: frozenset[str]) -> float:
    shared = len(typed & phrase)
    if not shared or (shared == 1 and len(phrase) > 1):
        return 0.0
    return 2 * shared / (len(phrase) + min(len(typed), _MOST_FILLING * len(phrase)))


def _words_of(text: str) -> frozenset[str]:
    said = " ".join(_SHORT.get(word, word) for word in spoken(text).split())
    return frozenset(word for word in said.split() if word not in _FILLERS)


@lru_cache(4096)  # the phrasings of the content, compared with every text at their step
def _phrase_words(phrase: str) -> frozenset[str]:
    return _words_of(phrase)
