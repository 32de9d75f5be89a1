"""A question in, ranked articles and an honest verdict out; see docs/search.md."""

from __future__ import annotations

from bot.search.calibration import Verdict
from bot.search.index import Corpus, Explanation, Index, WordLists, fingerprint, open_index
from bot.search.ranking import Evidence, Found, Ranking

__all__ = [
    "Corpus",
    "Evidence",
    "Explanation",
    "Found",
    "Index",
    "Ranking",
    "Verdict",
    "WordLists",
    "fingerprint",
    "open_index",
]
