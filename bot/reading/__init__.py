"""One reading of every message before it is routed: danger, acts, facets, and the question in its context."""

from __future__ import annotations

from bot.reading.acts import ActReader
from bot.reading.danger import Danger, DangerReader
from bot.reading.facets import Facets, read_facets
from bot.reading.followup import ArticleLinks, ContextRanker, Topic
from bot.reading.reader import Reader, Reading

__all__ = [
    "ActReader",
    "ArticleLinks",
    "ContextRanker",
    "Danger",
    "DangerReader",
    "Facets",
    "Reader",
    "Reading",
    "Topic",
    "read_facets",
]
