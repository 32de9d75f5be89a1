"""How many examples a property test tries: the same ones in every run, ten times as many new ones with FUZZ=true."""

from __future__ import annotations

import os

FUZZ = os.environ.get("FUZZ") == "true"


def examples(count: int) -> int:
    """Return how many examples to try where a usual run tries `count`."""
    return 10 * count if FUZZ else count
