"""A question in, ranked articles and an honest verdict out; see docs/search.md."""

from __future__ import annotations

from bot.search.calibration import Verdict
from bot.search.corpus import Corpus, fingerprint
from bot.search.explanation import Explanation
from bot.search.index import Index, open_index
from bot.search.ranking import Evidence, Found, Ranking
from bot.search.tokenizer import WordLists

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
