"""The difference of two independent shares with its 95 % interval, and the smallest one that a size can show.

The interval is method 10 of R. G. Newcombe, "Interval estimation for the difference between independent proportions:
comparison of eleven methods", Statistics in Medicine 17 (1998), 873–890: the score intervals of E. B. Wilson (1927) of
both shares, put together. It holds for small groups and for shares near 0, where the usual interval fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_Z = 1.959963984540054  # 97.5 % of a standard normal distribution lie below
_Z_POWER = 0.8416212335729143  # 80 %: so often a difference of the smallest size is noticed
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger one share is than another, and the bounds of its 95 % interval; all between -1 and 1."""

    value: float
    low: float
    high: float


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the bounds of a share's 95 % score interval; a whole of 0 leaves everything possible."""
    if not whole:
        return 0.0, 1.0
    share, squared = part / whole, _Z * _Z
    middle = 2 * whole * share + squared
    spread = _Z * sqrt(squared + 4 * whole * share * (1 - share))
    return max(0.0, (middle - spread) / (2 * (whole + squared))), min(1.0, (middle + spread) / (2 * (whole + squared)))


def difference(part: int, whole: int, other_part: int, other_whole: int) -> Difference:
    """Return how much larger the first share is than the second."""
    (low, high), (other_low, other_high) = wilson(part, whole), wilson(other_part, other_whole)
    share = part / whole if whole else 0.0
    other = other_part / other_whole if other_whole else 0.0
    value = share - other
    return Difference(
        value,
        max(-1.0, value - sqrt((share - low) ** 2 + (other_high - other) ** 2)),
        min(1.0, value + sqrt((high - share) ** 2 + (other - other_low) ** 2)),
    )


def smallest_noticed(whole: int, other_whole: int, *, usual: float) -> float:
    """Return the smallest rise above a usual share that two groups of such sizes show in four of five cases.

    It is what the planning of trials reckons with: an interval of 95 % that leaves out 0 with a probability of 80 %.
    Returns 1 where even the largest rise would often go unnoticed.
    """
    if not whole or not other_whole:
        return 1.0
    low, high = 0.0, 1.0 - usual
    for _ in range(_HALVINGS):
        rise = (low + high) / 2
        raised = usual + rise
        pooled = (whole * raised + other_whole * usual) / (whole + other_whole)
        chance = sqrt(pooled * (1 - pooled) * (1 / whole + 1 / other_whole))
        spread = sqrt(raised * (1 - raised) / whole + usual * (1 - usual) / other_whole)
        low, high = (low, rise) if rise >= _Z * chance + _Z_POWER * spread else (rise, high)
    return high if high < 1.0 - usual - 1e-6 else 1.0
