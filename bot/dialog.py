"""Where a conversation stands, and the steps that several capabilities share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from bot.clock import moment
from bot.message import Button
from bot.text import fold

_NUMBER_WORDS = {
    "khong": 0, "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10,
}  # fmt: skip
_NUMBERED = re.compile(r"(?:(?:so|chon|muc|cau|number|no|option)[ .]*)?(\d{1,2}|[a-z]+)[ .)]*")
_SHORTEST_BEGINNING = 5
_AGREE = frozenset({"dong y", "co", "ok", "oke", "okay", "yes", "vang", "da", "da vang", "duoc", "u", "uh", "xac nhan",
                    "toi dong y", "minh dong y", "em dong y", "agree", "i agree", "sure", "nhat tri", "co dong y"})  # fmt: skip
_DECLINE = frozenset({"khong", "ko", "k", "no", "thoi", "khong dong y", "ko dong y", "huy", "cancel", "toi khong dong y",
                      "khong muon", "de sau", "thoi khong", "i do not agree"})  # fmt: skip


@dataclass(slots=True)
class Dialog:
    """The memory of one conversation: the open step, what was offered last, how often the bot failed in a row."""

    step: str = ""
    data: dict[str, str] = field(default_factory=dict)
    menu: tuple[Button, ...] = ()
    misses: int = 0

    def ask(self, step: str, **data: str) -> None:
        """Open a step: the next text of this person goes to the route that owns it."""
        self.step, self.data = step, data

    def close(self) -> None:
        """Leave the open step."""
        self.step, self.data = "", {}

    def dump(self) -> str:
        """Write the state down; empty when there is nothing to remember."""
        if not (self.step or self.menu or self.misses):
            return ""
        state = {
            "step": self.step,
            "data": self.data,
            "menu": [(button.label, button.choice) for button in self.menu],
            "misses": self.misses,
        }
        return orjson.dumps(state).decode()


def load_dialog(state: str | None, updated_at: str | None, *, now: datetime, minutes: int) -> Dialog:
    """Read a state; a step older than `minutes` is forgotten, what was offered last is not."""
    if not state:
        return Dialog()
    kept = orjson.loads(state)
    dialog = Dialog(kept["step"], kept["data"], tuple(Button(*pair) for pair in kept["menu"]), kept["misses"])
    if updated_at and (now - moment(updated_at)).total_seconds() > minutes * 60:
        dialog.close()
    return dialog


def choose(text: str, offered: Sequence[Button]) -> str:
    """Return the choice a text means: its number, "số 2", "hai", its label or its beginning; else nothing."""
    folded = " ".join(re.findall(r"[^\W_]+", fold(text)))
    if not folded or not offered:
        return ""
    labels = [" ".join(re.findall(r"[^\W_]+", fold(button.label))) for button in offered]
    if folded in labels:
        return offered[labels.index(folded)].choice
    numbered = _NUMBERED.fullmatch(folded)
    if numbered:
        word = numbered.group(1)
        number = int(word) if word.isdigit() else _NUMBER_WORDS.get(word, 0)
        if 1 <= number <= len(offered):
            return offered[number - 1].choice
    beginning = [index for index, label in enumerate(labels) if label.startswith(folded)]
    if len(folded) >= _SHORTEST_BEGINNING and len(beginning) == 1:
        return offered[beginning[0]].choice
    return ""


def yes_or_no(text: str) -> bool | None:
    """Tell whether a short answer agrees or declines; None when it does neither."""
    folded = " ".join(re.findall(r"[^\W_]+", fold(text)))
    folded = re.sub(r" (?:a|nhe|nha|em|ban|thua|nghe)$", "", folded)
    if folded in _AGREE:
        return True
    if folded in _DECLINE:
        return False
    return None
