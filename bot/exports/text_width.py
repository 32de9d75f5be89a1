"""How wide a text in bold Times is, and where it breaks."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

# The widths of Times Bold in thousandths of its size, which every Times New Roman keeps; marks add nothing.
_WIDTHS = dict(
    zip(
        "ABCDEGHIKLMNOPQRSTUVXYabcdeghiklmnopqrstuvxy",
        (722, 667, 722, 722, 667, 778, 778, 389, 778, 667, 944, 722, 778, 611, 778, 722, 556, 667, 722, 722, 722, 722,
         500, 556, 444, 556, 444, 500, 556, 278, 556, 278, 833, 556, 500, 556, 556, 444, 389, 333, 556, 500, 500, 500),
        strict=True,
    )
)  # fmt: skip


def balanced(text: str, points: float, room: float) -> list[str]:
    """Break a text in bold into as few lines as fit some millimetres, of much the same length."""
    words = text.split()
    for count in range(1, len(words) + 1):
        # The narrowest room that still takes no more lines is the balanced one.
        for width in sorted({bold_width(" ".join(words[a:b]), points) for a in range(len(words)) for b in
                             range(a + 1, len(words) + 1)}):  # fmt: skip
            lines = _wrapped(words, points, width)
            if width <= room and len(lines) == count and all(bold_width(line, points) <= width for line in lines):
                return lines
    return [text]


def _wrapped(words: Sequence[str], points: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and bold_width(f"{lines[-1]} {word}", points) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def bold_width(text: str, points: float) -> float:
    """Measure a text in Times Bold, in millimetres."""
    thousandths = 0
    for letter in unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")):
        if not unicodedata.combining(letter):
            thousandths += _WIDTHS.get(letter, 333 if letter == "-" else 250 if letter.isspace() else 500)
    return thousandths / 1000 * points * 25.4 / 72
