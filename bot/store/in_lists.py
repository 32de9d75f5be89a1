"""Lists within statements: `IN (:v0, :v1, …)`, in few lengths, so that few statements are prepared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_LENGTHS = (1, 4, 16, 64)
_NAMES = {length: ", ".join(f":v{number}" for number in range(length)) for length in _LENGTHS}


def in_lists(values: Sequence[str] | Sequence[int]) -> Iterator[tuple[str, dict[str, object]]]:
    """Cut a list up; gives the names for a statement with their values, the last of which may repeat."""
    at = 0
    while at < len(values):
        left = len(values) - at
        length = next((length for length in _LENGTHS if length >= left), _LENGTHS[-1])
        portion = values[at : at + length]
        named: dict[str, object] = {f"v{number}": value for number, value in enumerate(portion)}
        for number in range(len(portion), length):
            named[f"v{number}"] = portion[-1]
        yield _NAMES[length], named
        at += length
