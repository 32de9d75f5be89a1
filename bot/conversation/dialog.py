"""Where a conversation stands, and the steps that several capabilities share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

import orjson

from bot.clock import moment, stamp
from bot.message import Button
from bot.reading import Topic
from bot.text.normalize import decode_keystrokes, spoken

_NUMBER_WORDS = {
    "khong": 0, "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}  # fmt: skip
# How people say a number: "2", "số 2 ạ", "dạ em chọn số 2", "bấm phím 2 nhé". A number in letters may mean something
# else beside another word ("sau" is six, "sau nhé" is later; "ba em" is somebody's father).
_YES = r"(?:(?:da|vang|ok|oke|u) ){0,2}"
_TAKING = r"(?:(?:(?:toi|minh|em|con|chau|bac|co|chu|ong) )?(?:muon |xin )?(?:chon|bam|an|nhan|lay|go) (?:vao )?)"
_CALLED = r"(?:(?:cho (?:toi |minh |em |con |bac )?)?(?:cai )?(?:so|muc|cau|y|phim|dong|lua chon|number|no|option) ?)"
_KINDLY = r"(?: (?:a|nhe|nha|di|voi|thoi|ban|ban oi|em oi|ban nhe|em nhe))?"
_IN_DIGITS = re.compile(rf"{_YES}{_TAKING}?{_CALLED}?(\d{{1,2}}){_KINDLY}")
_IN_LETTERS = re.compile(rf"([a-z]+)|{_YES}(?:{_TAKING}{_CALLED}?|{_CALLED})([a-z]+){_KINDLY}")
_MENUS_REMEMBERED = 3
_LONGEST_AGREEMENT = 8  # words; more is a sentence about something
TOPIC_MINUTES = 30
WALK_STEP = "guide.step"  # a guided walk waits: people go away to press, and commands do not end it
STEP_HOURS = {WALK_STEP: 24, "person.message": 7 * 24}
_AGREE = frozenset(
    {
        "dong y", "co", "ok", "oke", "okay", "yes", "vang", "da", "da vang", "duoc", "u", "uh", "xac nhan", "nhat tri",
        "toi dong y", "minh dong y", "em dong y", "co dong y", "agree", "i agree", "sure",
    }
)  # fmt: skip
_DECLINE = frozenset(
    {
        "khong", "ko", "k", "no", "thoi", "khong dong y", "ko dong y", "huy", "cancel", "toi khong dong y",
        "khong muon", "de sau", "thoi khong", "i do not agree",
    }
)  # fmt: skip


# A choice as it is written down: its label and its value.
Choice = Sequence[str]


@dataclass(slots=True)
class Dialog:
    """The memory of one conversation: the open step, how often the bot failed in a row, what was offered of late.

    `topic` is what the talk is about, `language` the one it is held in (empty: the person's own), `emergency_until` the
    moment up to which short messages belong to an emergency.

    `offers` are the last menus, newest first, each with the moment of the message that it answered. They stay as they
    were written down: most texts choose nothing.
    """

    step: str = ""
    data: dict[str, str] = field(default_factory=dict)
    misses: int = 0
    offers: list[tuple[str, Sequence[Choice]]] = field(default_factory=list)
    topic: Topic = field(default_factory=Topic)
    language: str = ""
    emergency_until: str = ""

    @property
    def menu(self) -> tuple[Button, ...]:
        """What was offered last."""
        return tuple(map(Button._make, self.offers[0][1])) if self.offers else ()

    def ask(self, step: str, /, **data: str) -> None:
        """Open a step: the next text of this person goes to the route that owns it."""
        self.step, self.data = step, data

    def close(self) -> None:
        """Leave the open step."""
        self.step, self.data = "", {}

    def offer(self, menu: Sequence[Button], at: datetime) -> None:
        """Remember what a message was answered with; `at` is the moment of that message."""
        offered = [list(button) for button in menu]
        if self.offers and self.offers[0][1] == offered:
            del self.offers[0]
        self.offers = [(stamp(at), offered), *self.offers[: _MENUS_REMEMBERED - 1]]

    def understand(self, text: str, at: datetime) -> str:
        """Return the choice that a text of some moment means, or nothing.

        Messages may overtake each other, so that a number belongs to the menu that stood there when it was typed;
        both moments are the platform's own. A number or label of an older menu is understood where the newest one
        has none like it.
        """
        if not self.offers:
            return ""
        typed_at = stamp(at)
        standing = [menu for offered_at, menu in self.offers if offered_at <= typed_at] or [self.offers[0][1]]
        if choice := choose(text, standing[0]):
            return choice
        folded, number = spoken(text), bare_number(text)
        for menu in standing[1:]:
            if number is not None and 1 <= number <= len(menu):
                return menu[number - 1][1]
            for label, choice in menu:
                if _may_be(folded, label) and folded == spoken(label):
                    return choice
        return ""

    def dump(self) -> str:
        """Write the state down; empty when there is nothing to remember."""
        if not (self.step or self.offers or self.misses or self.topic or self.language or self.emergency_until):
            return ""
        offered_at, menu = self.offers[0] if self.offers else ("", ())
        state: dict[str, object] = {
            "step": self.step,
            "data": self.data,
            "menu": menu,
            "misses": self.misses,
            "offered_at": offered_at,
            "earlier": self.offers[1:],
        }
        if self.topic:
            topic = self.topic
            state["topic"] = [
                topic.article, topic.parts, topic.ranking, topic.offered, topic.book, topic.phone, topic.whom,
            ]  # fmt: skip
        if self.language:
            state["language"] = self.language
        if self.emergency_until:
            state["emergency_until"] = self.emergency_until
        return orjson.dumps(state).decode()


def load_dialog(state: str | None, updated_at: str | None, *, now: datetime, minutes: int) -> Dialog:
    """Read a state; a step older than `minutes` is forgotten, what was offered last is not.

    Some steps stay open longer (STEP_HOURS); the topic is forgotten after TOPIC_MINUTES.
    """
    if not state:
        return Dialog()
    kept = orjson.loads(state)
    offers = [(kept.get("offered_at", ""), kept["menu"]), *map(tuple, kept.get("earlier", ()))] if kept["menu"] else []
    dialog = Dialog(kept["step"], kept["data"], kept["misses"], offers)
    dialog.language, dialog.emergency_until = kept.get("language", ""), kept.get("emergency_until", "")
    age = (now - moment(updated_at)).total_seconds() / 60 if updated_at else 0.0
    if dialog.step and age > (STEP_HOURS[dialog.step] * 60 if dialog.step in STEP_HOURS else minutes):
        dialog.close()
    if age <= TOPIC_MINUTES:
        if "topic" in kept:
            article, parts, ranking, offered, book, phone, whom = kept["topic"]
            dialog.topic = Topic(article, parts, [(name, share) for name, share in ranking], offered, book, phone, whom)
    else:
        dialog.language = ""
    if dialog.emergency_until and dialog.emergency_until <= stamp(now):
        dialog.emergency_until = ""
    return dialog


def choose(text: str, offered: Sequence[Choice]) -> str:
    """Return the choice a text means: its number, "số 2", "hai", or its label; else nothing."""
    folded = spoken(text)
    if not folded or not offered:
        return ""
    for label, choice in offered:
        if _may_be(folded, label) and spoken(label) == folded:
            return choice
    number = _in_digits(folded)
    if number is None and (spelt := _IN_LETTERS.fullmatch(folded)):
        number = _NUMBER_WORDS.get(spelt[1] or spelt[2])
    if number is not None and 1 <= number <= len(offered):
        return offered[number - 1][1]
    return ""


def _may_be(folded: str, label: str) -> bool:
    """Rule out that a label is what was said, without folding it: that never lengthens."""
    return len(folded) <= len(label)


def bare_number(text: str) -> int | None:
    """Return the number of a text that is nothing else, such as "2" or "số 2 ạ"; None for any other text."""
    return _in_digits(spoken(text))


@lru_cache(100)  # asked several times about each text
def _in_digits(folded: str) -> int | None:
    found = _IN_DIGITS.fullmatch(folded)
    return int(found[1]) if found else None


_DISAGREES = re.compile(
    r"\b(?:khong|ko|k|chang|dung|chua|not|no|don t) (?:the )?(?:dong y|muon|bao|ghi|can|agree|want)\b"
)
_AGREES = re.compile(r"\b(?:dong y|nhat tri|agree)\b|^(?:da|vang|u|uh|uhm|um|ok|oke|okay|duoc|co|yes|sure)\b")
_THUMBS_UP = ("👍", "👌", "🙆")


def agrees(text: str) -> bool | None:
    """Return whether an answer agrees or declines, however it is wrapped; None when it does neither.

    "Vâng tôi đồng ý", "dc", "oki", "👍" agree; "không đồng ý đâu", "thôi" do not.
    """
    plain = yes_or_no(text)
    if plain is not None:
        return plain
    if any(sign in text for sign in _THUMBS_UP):
        return True
    folded = spoken(decode_keystrokes(text))
    if _DISAGREES.search(folded) or folded.startswith("thoi "):
        return False
    if len(folded.split()) <= _LONGEST_AGREEMENT and _AGREES.search(folded):
        return True
    return None


def yes_or_no(text: str) -> bool | None:
    """Tell whether a short answer agrees or declines; None when it does neither."""
    # Without marks "dung" could be any of the three.
    marked = " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text.lower())))
    if marked in ("đúng", "đúng rồi", "đúng vậy", "đúng ạ"):
        return True
    if marked in ("đừng", "dừng", "dừng lại"):
        return False
    folded = spoken(text)
    folded = re.sub(r" (?:a|nhe|nha|em|ban|thua|nghe)$", "", folded)
    if folded in _AGREE:
        return True
    if folded in _DECLINE:
        return False
    return None
