"""The classifier: training is deterministic, what is kept is read again, a damaged cache is learnt anew."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.library.knowledge import Knowledge
from bot.reading.classifier import TextClassifier
from bot.reading.training import ExampleSet, open_classifiers
from bot.search import WordLists
from bot.search.tokenizer import Tokenizer
from bot.text.normalize import fold
from tests.support.property_examples import examples

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "fire": ("nhà tôi đang cháy", "cháy bếp rồi", "cháy to lắm", "khói mù mịt rồi", "the house is on fire"),
    "flood": ("nước ngập vào nhà", "lũ về rồi", "ngập hết sân", "nước dâng cao quá", "the water is rising"),
    "none": ("nhà tôi ở đây", "cài ứng dụng thế nào", "cảm ơn bạn", "mất bao lâu", "how do I install it"),
}
GROUPS = {"water": ("nước dâng", "ngập", "lũ"), "burning": ("cháy", "khói")}
SETS = {"harm": ExampleSet(EXAMPLES, GROUPS, size=1 << 12)}
WORDS = WordLists()


def learn(cache: Path | None = None, sets: Mapping[str, ExampleSet] = SETS) -> TextClassifier:
    return open_classifiers(sets, WORDS, cache)["harm"]


def tokens(text: str) -> list[str]:
    return list(Tokenizer(WORDS).read(text))


@pytest.fixture(scope="module")
def learnt() -> TextClassifier:
    return learn()


@pytest.mark.parametrize(
    ("said", "label"),
    [(text, label) for label, texts in EXAMPLES.items() for text in texts]
    + [("bếp đang cháy", "fire"), ("nuoc dang vao nha", "flood"), ("cam on nhe", "none")],
)
def test_examples_and_their_like_are_recognised(learnt: TextClassifier, said: str, label: str) -> None:
    for typed in (said, fold(said)):
        shares = learnt.probabilities(tokens(typed))
        assert max(shares, key=lambda one: shares[one]) == label


def test_labels_stand_in_order(learnt: TextClassifier) -> None:
    assert learnt.labels == ("fire", "flood", "none")
    assert learnt.weights.shape == (1 << 12, 3)


def test_same_examples_give_same_weights(learnt: TextClassifier) -> None:
    backwards = {"harm": ExampleSet(dict(reversed(list(EXAMPLES.items()))), GROUPS, size=1 << 12)}
    for again in (learn(), learn(sets=backwards)):
        for name in ("weights", "bias", "rarity"):
            assert np.array_equal(getattr(learnt, name), getattr(again, name)), name


def test_other_examples_give_other_weights(learnt: TextClassifier) -> None:
    more = {"harm": ExampleSet({**EXAMPLES, "fire": (*EXAMPLES["fire"], "rừng cháy")}, GROUPS, size=1 << 12)}
    assert not np.array_equal(learnt.weights, learn(sets=more).weights)


SAID = ["bếp cháy rồi", "ngập rồi", "cảm ơn", "zzz", "", "the house is burning", "nha toi"]


def test_kept_classifier_reads_exactly_as_learnt(tmp_path: Path) -> None:
    """A restarted process decides as the one before, also at a threshold."""
    first, again = learn(tmp_path / "cache.npz"), learn(tmp_path / "cache.npz")
    assert again.labels == first.labels
    for said in SAID:
        assert again.probabilities(tokens(said)) == first.probabilities(tokens(said))


def test_kept_classifier_is_not_learnt_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learn(tmp_path / "cache.npz")
    before = (tmp_path / "cache.npz").stat().st_mtime_ns

    def never(*arguments: object, **more: object) -> TextClassifier:
        raise AssertionError("learnt again")

    monkeypatch.setattr(TextClassifier, "train", never)
    learn(tmp_path / "cache.npz")
    assert (tmp_path / "cache.npz").stat().st_mtime_ns == before
    with pytest.raises(AssertionError, match="learnt again"):
        learn()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def turn_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def _list() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    return buffer.getvalue()


def lose_a_part(path: Path) -> None:
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "harm.bias"}
    np.savez(path, **kept)


def make_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "a byte turned": turn_a_byte,
    "text": lambda path: path.write_text("no cache", encoding="utf-8"),
    "a list": lambda path: path.write_bytes(_list()),
    "a part lost": lose_a_part,
    "a folder": make_a_folder,
    "another archive": lambda path: np.savez(path, other=np.arange(3)),
    "a head that is no JSON": lambda path: np.savez(path, head=np.frombuffer(b"{", np.uint8)),
    "a head of another shape": lambda path: np.savez(path, head=np.frombuffer(b"[1]", np.uint8)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_cache_is_learnt_anew(tmp_path: Path, learnt: TextClassifier, damage: str) -> None:
    path = tmp_path / "cache.npz"
    learn(path)
    DAMAGE[damage](path)
    if damage == "a folder":
        with pytest.raises(IsADirectoryError):
            learn(path)
        return
    again = learn(path)
    assert np.array_equal(again.weights, learnt.weights)
    assert learn(path).probabilities(tokens("cháy rồi")) == learnt.probabilities(tokens("cháy rồi"))
    assert list(tmp_path.iterdir()) == [path]  # no draft is left


# What a kept classifier was learnt from, and what differs now.
CHANGES = {
    "an example more": {"harm": ExampleSet({**EXAMPLES, "none": (*EXAMPLES["none"], "tạm biệt")}, GROUPS, 1 << 12)},
    "another group": {"harm": ExampleSet(EXAMPLES, {**GROUPS, "past": ("năm ngoái",)}, 1 << 12)},
    "another size": {"harm": ExampleSet(EXAMPLES, GROUPS, 1 << 11)},
    "one set more": {**SETS, "more": ExampleSet({"a": ("một",), "b": ("hai",)}, size=1 << 8)},
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_content_is_learnt_anew(tmp_path: Path, change: str) -> None:
    path = tmp_path / "folder" / "cache.npz"
    learn(path)
    before = path.read_bytes()
    learn(path, CHANGES[change])
    assert path.read_bytes() != before


def test_other_word_lists_are_learnt_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.npz"
    learn(path)
    before = path.read_bytes()
    open_classifiers(SETS, WordLists(abbreviations={"nc": ("nước",)}), path)
    assert path.read_bytes() != before


WILD = st.one_of(
    st.lists(st.text(max_size=20), max_size=60),
    st.lists(st.sampled_from(["cháy", "ngập", "nước", "", "^", "$", "ộ" * 50, "\x00", "😭"]), max_size=60),
)


@settings(max_examples=examples(200))
@given(words=WILD)
def test_probabilities_of_any_words_sum_to_one(learnt: TextClassifier, words: list[str]) -> None:
    shares = learnt.probabilities(words)
    assert set(shares) == set(learnt.labels)
    assert all(0 <= share <= 1 for share in shares.values())
    assert math.isclose(sum(shares.values()), 1, abs_tol=1e-5)
    assert learnt.probabilities(words) == shares  # what is kept of a word changes nothing


@settings(max_examples=examples(100))
@given(text=st.text(max_size=200))
def test_classifiers_of_the_content_take_any_text(knowledge: Knowledge, text: str) -> None:
    danger = knowledge.reader.words(text).danger
    assert 0 <= danger.probability <= 1
    assert math.isfinite(danger.probability)


def test_words_by_themselves_do_not_depend_on_order_seen(learnt: TextClassifier) -> None:
    """What is kept of each word is the same whatever was read before."""
    fresh = learn()
    for said in reversed(SAID):
        fresh.probabilities(tokens(said))
    for said in SAID:
        assert fresh.probabilities(tokens(said)) == pytest.approx(learnt.probabilities(tokens(said)), abs=1e-6)
