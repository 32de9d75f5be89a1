"""What is learnt from a corpus, as plain arrays, and the file that keeps them.

`bot.search.learning` makes a model, `bot.search.index` answers with it. A file is written whole or not at all, and its
arrays are mapped into memory, so that processes of one machine share them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.search.calibration import Judge
from bot.search.corpus import FORMAT
from bot.search.features import Floats, Vocabulary
from bot.search.spellings import Spellings
from bot.search.tokenizer import WordLists

_MAGIC = b"search-index\n"
_DIGEST_BYTES = 32
_ALIGNMENT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Learnt weights, one column of them for every article and then one for every kind of foreign question."""

    fingerprint: str
    names: tuple[str, ...]
    lists: WordLists
    judge: Judge
    vocabulary: Vocabulary
    weights: npt.NDArray[np.float16]
    bias: Floats
    words: Sequence[str]  # frequent ones, with their ready rows of scores
    word_rows: Floats
    spellings: Spellings
    exact: npt.NDArray[np.uint64]  # digests of whole questions that belong to one article only, in order
    exact_labels: npt.NDArray[np.int32]

    def exact_match(self, phrase: str) -> str:
        """Return the article that holds this whole question, "" if none or several do."""
        digest = np.uint64(phrase_digest(phrase))
        place = int(np.searchsorted(self.exact, digest))
        return self.names[self.exact_labels[place]] if place < len(self.exact) and self.exact[place] == digest else ""

    def save(self, path: Path) -> None:
        """Write the model to a file, all of it or nothing."""
        arrays: dict[str, np.ndarray] = {
            "codes": self.vocabulary.codes,
            "rarity": self.vocabulary.rarity,
            "weights": self.weights,
            "bias": self.bias,
            "words": np.frombuffer("\n".join(self.words).encode(), np.uint8),
            "word_rows": self.word_rows,
            "spellings": self.spellings.codes,
            "exact": self.exact,
            "exact_labels": self.exact_labels,
        }
        judge = self.judge
        head: dict[str, object] = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "lists": self.lists.to_mapping(),
            "judge": [judge.right, judge.inside, judge.answer_from, judge.suggest_from],
        }
        body = BytesIO()
        places = {}
        for name, array in arrays.items():
            body.write(bytes(-body.tell() % _ALIGNMENT))
            places[name] = [body.tell(), array.dtype.str, array.shape]
            body.write(np.ascontiguousarray(array).tobytes())
        text = json.dumps(head | {"arrays": places}, ensure_ascii=False).encode()
        text += b" " * (-(len(_MAGIC) + _DIGEST_BYTES + 8 + len(text)) % _ALIGNMENT)
        content = len(text).to_bytes(8, "little") + text + body.getvalue()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(_MAGIC + hashlib.sha256(content).digest() + content)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Model | None:
        """Read a saved model; None when it is absent, damaged, of another format or of another corpus."""
        try:
            with path.open("rb") as file:
                if file.read(len(_MAGIC)) != _MAGIC:
                    return None
                digest = file.read(_DIGEST_BYTES)
                start = file.tell()
                length = int.from_bytes(file.read(8), "little")
                head = json.loads(file.read(length))
                if head["format"] != FORMAT or head["fingerprint"] != fingerprint:
                    return None
                file.seek(start)
                if hashlib.file_digest(file, "sha256").digest() != digest:
                    return None
            mapped = np.memmap(path, np.uint8, "r", start + 8 + length)
            arrays = {
                name: np.frombuffer(mapped, dtype, int(np.prod(shape)), place).reshape(shape)
                for name, (place, dtype, shape) in head["arrays"].items()
            }
            right, inside, answer_from, suggest_from = head["judge"]
            return cls(
                fingerprint=fingerprint,
                names=tuple(head["names"]),
                lists=WordLists.from_mapping(head["lists"]),
                judge=Judge(tuple(right), tuple(inside), answer_from, suggest_from),
                vocabulary=Vocabulary(arrays["codes"], arrays["rarity"]),
                weights=arrays["weights"],
                bias=arrays["bias"],
                words=arrays["words"].tobytes().decode().split("\n"),
                word_rows=arrays["word_rows"],
                spellings=Spellings(arrays["spellings"]),
                exact=arrays["exact"],
                exact_labels=arrays["exact_labels"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def phrase_digest(phrase: str) -> int:
    """Return the digest by which a whole question is known again."""
    return int.from_bytes(hashlib.blake2b(phrase.encode("utf-8", "replace"), digest_size=8).digest(), "little")
