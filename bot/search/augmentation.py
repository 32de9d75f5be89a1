"""How people spoil a sentence when they type: the practice material the search is trained and tested on.

All of it works on a question in normal form (abbreviations and keystrokes are already resolved there) and is
drawn from a seeded generator, so the same content gives the same index.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from random import Random

from bot.text.normalize import fold
from bot.text.syllables import TONES, compose

_LETTER_SLIPS = (
    ("tr", "ch"), ("ch", "tr"), ("s", "x"), ("x", "s"), ("l", "n"), ("n", "l"), ("gi", "d"), ("d", "gi"),
    ("r", "d"), ("d", "r"), ("gi", "r"), ("r", "gi"), ("v", "d"), ("qu", "w"), ("ph", "f"), ("k", "c"), ("c", "k"),
    ("ngh", "ng"), ("th", "t"), ("kh", "k"),
)  # fmt: skip
_END_SLIPS = (("n", "ng"), ("ng", "n"), ("c", "t"), ("t", "c"), ("i", "y"), ("y", "i"), ("nh", "n"), ("ng", "g"))
_KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BEFORE = (
    "xin chào mọi người",
    "chào bạn",
    "dạ cho em hỏi một chút",
    "tôi lớn tuổi rồi không rành máy móc",
    "bạn ơi",
    "chả là hôm trước tôi có nghe người trong xóm kể",
    "nhà tôi ở quê sóng lúc có lúc không",
    "cháu hỏi giúp bà nội cháu",
    "tôi đang đi làm đồng về mới rảnh để nhắn",
    "mong bạn thông cảm tôi đánh máy chậm",
    "sáng nay tôi ngồi cả buổi rồi",
    "hôm nọ ra chợ gặp người quen họ cũng nói chuyện này",
    "tôi hỏi thật nhé",
    "không biết hỏi ai nên nhắn vào đây",
    "vợ chồng tôi cãi nhau mãi vì chuyện này",
    "thằng cháu nó bảo cứ nhắn lên đây là có người chỉ",
    "em mới dùng lần đầu",
    "trời thì mưa mà tôi lại ở xa",
    "nói thật là tôi không hiểu gì mấy",
    "anh chị nào biết thì chỉ tôi",
)
_AFTER = (
    "cảm ơn bạn trước nhé",
    "mong được trả lời sớm",
    "giúp tôi với",
    "tôi đang cần gấp lắm",
    "nói chậm chậm thôi cho tôi hiểu",
    "có gì bạn nhắn lại cho tôi",
    "tôi chờ ở đây",
    "chứ tôi thử mấy lần rồi",
    "không thì tôi lại phải đi xa lắm",
    "ai biết chỉ giùm",
    "hỏi mấy người rồi mà mỗi người nói một kiểu",
    "rầy rà quá",
    "phiền bạn một chút",
)


def without_marks(tokens: Sequence[str]) -> list[str]:
    """The question as typed on a keyboard that knows no Vietnamese."""
    return [fold(token) for token in tokens]


def with_some_marks(tokens: Sequence[str], draw: Random) -> list[str]:
    """The question with the marks of about half the words left out."""
    return [fold(token) if draw.random() < 0.55 else token for token in tokens]


def with_slips(tokens: Sequence[str], draw: Random, rate: float = 0.3) -> list[str]:
    """The question with some words misspelt."""
    return [_slip(token, draw) if draw.random() < rate and len(token) > 1 else token for token in tokens]


def rambling(tokens: Sequence[str], draw: Random) -> list[str]:
    """The question in the middle of a story."""
    before = " ".join(draw.choice(_BEFORE) for _ in range(1 + int(draw.random() * 2))).split()
    after = draw.choice(_AFTER).split() if draw.random() < 0.6 else []
    return [*before, *tokens, *after]


def spoiled(tokens: Sequence[str], draw: Random) -> list[str]:
    """The question as somebody or other might have typed it."""
    kind = draw.random()
    result = list(tokens)
    if kind > 0.85:
        result = rambling(result, draw)
        kind = draw.random()
    if kind < 0.3:
        return without_marks(result)
    if kind < 0.5:
        return with_some_marks(result, draw)
    if kind < 0.7:
        return with_slips(result, draw)
    if kind < 0.85:
        return with_slips(with_some_marks(result, draw), draw)
    return result


def _slip(word: str, draw: Random) -> str:
    kind = draw.random()
    if kind < 0.3:
        for before, after in _shuffled(_LETTER_SLIPS, draw):
            if word.startswith(before) and len(word) > len(before):
                return after + word[len(before) :]
    if kind < 0.4:
        for before, after in _shuffled(_END_SLIPS, draw):
            if word.endswith(before) and len(word) > len(before) + 1:
                return word[: -len(before)] + after
    if kind < 0.6:
        return _other_tone(word, draw)
    at = int(draw.random() * (len(word) - 1))
    if kind < 0.75:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind < 0.88 and len(word) > 2:
        at = 1 + int(draw.random() * (len(word) - 1))
        return word[:at] + word[at + 1 :]
    if kind < 0.95:
        return word[: at + 1] + word[at] + word[at + 1 :]
    return word[:at] + _key_beside(fold(word[at]), draw) + word[at + 1 :]


def _key_beside(letter: str, draw: Random) -> str:
    for row in _KEY_ROWS:
        at = row.find(letter)
        if at >= 0:
            return draw.choice(row[max(0, at - 1) : at + 2])
    return letter


def _shuffled(slips: Sequence[tuple[str, str]], draw: Random) -> list[tuple[str, str]]:
    return sorted(slips, key=lambda _: draw.random())


def _other_tone(word: str, draw: Random) -> str:
    parts = unicodedata.normalize("NFD", word)
    tone = next((TONES.index(c) + 1 for c in parts if c in TONES), 0)
    letters = unicodedata.normalize("NFC", "".join(c for c in parts if c not in TONES))
    other = {3: 4, 4: 3}.get(tone) if draw.random() < 0.6 else None
    return compose(letters, other if other is not None else int(draw.random() * 6))
