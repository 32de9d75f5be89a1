"""Acts: what people say that is no question, as it is listed and as it was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bot.library.knowledge import Knowledge
from bot.reading import ActReader
from bot.reading.acts import NO_ACT, NO_ACT_AT_ALL, SURE, Act
from bot.reading.classifier import TextClassifier
from bot.text.normalize import fold, words

# As listed: with marks or without, shouted, with signs around it.
LISTED = [
    ("cảm ơn nhé", "thanks"),
    ("CAM ON BAN", "thanks"),
    ("Cảm ơn bạn!!!", "thanks"),
    ("thank you so much", "thanks"),
    ("👍", "ok"),
    ("👍👍👍", "ok"),
    ("ừ", "ok"),
    ("❤️", "emoji-love"),
    ("😂😂", "laughter"),
    ("😡", "anger"),
    ("chào trợ lý", "greeting"),
    ("vẫn không được", "not-worked"),
    ("tiếp theo", "next"),
    ("rồi sao nữa", "next"),
    ("what next", "next"),
    ("quay lại bước trước", "back"),
    ("thôi không cần nữa", "stop"),
    ("noi lai di", "repeat"),
    ("bạn có phải người thật không", "human"),
    ("mất bao lâu", "how-long"),
    ("bấm nhầm rồi", "slip"),
    ("đợi tí", "wait"),
    ("bye bye", "bye"),
    ("...", "calling"),
    ("cho tôi gặp cán bộ", "person-request"),
    ("nói tiếng anh đi", "speak-english"),
]


@pytest.mark.parametrize(("said", "act"), LISTED)
def test_listed_message_is_its_act(knowledge: Knowledge, said: str, act: str) -> None:
    words = knowledge.reader.words(said)
    assert (words.act, words.act_is_listed) == (act, True)


def test_every_listed_message_is_its_act(knowledge: Knowledge) -> None:
    """Also without marks and in capitals, where the list does not tell two acts apart by their marks."""
    says = knowledge.acts.says()
    wrong = [
        (text, act, words.act)
        for act, texts in says.items()
        for text in texts
        for words in (knowledge.reader.words(text), knowledge.reader.words(fold(text).upper()))
        if (words.act, words.act_is_listed) != (act, True)
    ]
    assert wrong == []


# As learnt: like what is listed, and not in the list.
LEARNT = [
    ("it does not work", "not-worked"),
    ("mình cài được rồi nè", "installed"),
    ("dạ em cài xong rồi", "installed"),
    ("speak english please", "speak-english"),
]


@pytest.mark.parametrize(("said", "act"), LEARNT)
def test_message_like_listed_ones_is_that_act(knowledge: Knowledge, said: str, act: str) -> None:
    words = knowledge.reader.words(said)
    assert (words.act, words.act_is_listed) == (act, False)


NO_ACTS = [
    "quên mật khẩu",
    "mã otp mãi không thấy về",
    "giá vàng hôm nay",
    "Vĩnh Tường",
    "tôi ở Lập Thạch",
    "cài app cho mẹ tôi thế nào",
    "how do I install it on an iphone",
    "hôm qua tôi đi chợ mua rau rồi gặp bà hàng xóm bà ấy bảo cũng cảm ơn trợ lý nhiều lắm",  # a story
    "",
    "\u200b",
]


@pytest.mark.parametrize("said", NO_ACTS)
def test_question_place_or_story_is_no_act(knowledge: Knowledge, said: str) -> None:
    words = knowledge.reader.words(said)
    assert (words.act, words.act_is_listed) == ("", False)


def test_every_act_of_the_content_is_known_to_the_classifier(knowledge: Knowledge) -> None:
    assert {act for _, act in LISTED} | {act for _, act in LEARNT} <= set(knowledge.acts.acts)


# -- the thresholds ------------------------------------------------------------------------------------------------

SAYS = {"thanks": ("cảm ơn", "👍👍"), "bye": ("tạm biệt",)}


class FixedShares(TextClassifier):
    """A classifier that finds the same shares in every text."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        self.labels, self._shares = tuple(shares), dict(shares)

    def probabilities(self, tokens: Sequence[str]) -> dict[str, float]:
        return dict(self._shares)


# The shares of each label, and what is made of a message that is not listed.
SHARES = [
    ({"thanks": 0.9, "bye": 0.05, NO_ACT: 0.05}, Act("thanks", 0.9)),
    ({"thanks": 0.2, "bye": 0.7, NO_ACT: 0.1}, Act("bye", 0.7)),
    ({"thanks": 0.45, "bye": 0.3, NO_ACT: 0.25}, Act("thanks", 0.45)),  # likely, and below SURE
    ({"thanks": 0.4, "bye": 0.35, NO_ACT: 0.25}, NO_ACT_AT_ALL),
    ({"thanks": 0.1, "bye": 0.1, NO_ACT: 0.8}, NO_ACT_AT_ALL),
    ({"thanks": 0.44, "bye": 0.1, NO_ACT: 0.46}, NO_ACT_AT_ALL),
]


@pytest.mark.parametrize(("shares", "expected"), SHARES)
def test_likeliest_act_counts_from_its_threshold(shares: Mapping[str, float], expected: Act) -> None:
    reader = ActReader(FixedShares(shares), SAYS)
    assert reader.read("đội ơn", words("đội ơn")) == expected
    assert reader.read("Cam on", words("cam on")) == Act("thanks", 1.0, listed=True)
    assert reader.read("👍", ()) == Act("thanks", 1.0, listed=True)
    assert 0.45 < SURE <= 0.7


@pytest.mark.parametrize(("count", "found"), [(1, True), (14, True), (15, False)])
def test_long_message_is_no_learnt_act(count: int, found: bool) -> None:
    reader = ActReader(FixedShares({"thanks": 0.99, NO_ACT: 0.01}), SAYS)
    said = ["ơn"] * count
    assert bool(reader.read(" ".join(said), said).name) is found


def test_likely_act_yields_to_sure_answer(knowledge: Knowledge) -> None:
    """An act below SURE is believed only where the search knows no answer to the words."""
    reader = knowledge.reader
    said = "quên mật khẩu"
    likely, sure = ({"stop": share, NO_ACT: 1 - share} for share in (SURE - 0.05, SURE + 0.05))
    for shares, act in ((likely, ""), (sure, "stop")):
        other = type(reader)(
            index=reader.index,
            tokenize=reader.tokenize,
            danger=reader.danger,
            acts=ActReader(FixedShares(shares), {}),
            ranker=None,  # type: ignore[arg-type]
        )
        assert other.words(said).act == act
        assert other.words("tràng giang đại hải").act == "stop"
