"""What an index is learnt from. The library fills one with the content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.search.tokenizer import WordLists
from bot.text import normalize, syllables, telex

FORMAT = 4  # of the saved index; what is in it depends on the code too, which the fingerprint covers
_READING = (telex, syllables, normalize)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Questions of every article, foreign questions, word lists.

    The ids are any labels. An article without a question is never found.
    """

    phrasings: Mapping[str, Sequence[str]]
    foreign: Sequence[str]
    words: WordLists


def fingerprint(corpus: Corpus) -> str:
    """Return a digest of everything an index depends on: the corpus, and the code that reads and learns."""
    digest = hashlib.sha256(f"{FORMAT}\n".encode())
    for module in (*sorted(Path(__file__).parent.glob("*.py")), *(Path(str(room.__file__)) for room in _READING)):
        digest.update(module.read_bytes())
    for section, texts in (("phrasing", corpus.phrasings), ("foreign", {"": corpus.foreign})):
        for name in sorted(texts):
            for text in sorted(texts[name]):
                digest.update(f"{section}\t{name}\t{text}\n".encode("utf-8", "replace"))
    digest.update(json.dumps(corpus.words.to_mapping(), sort_keys=True).encode())
    return digest.hexdigest()
