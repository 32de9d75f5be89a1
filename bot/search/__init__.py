"""A question in, ranked articles and an honest verdict out; see docs/search.md."""

from __future__ import annotations

from bot.search.index import Corpus, Explanation, Found, Index, Verdict, WordLists, fingerprint, open_index

__all__ = ["Corpus", "Explanation", "Found", "Index", "Verdict", "WordLists", "fingerprint", "open_index"]
