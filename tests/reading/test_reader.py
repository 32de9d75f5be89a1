"""The reading of one message: no text makes it fail, what it says is a distribution, and nothing personal is kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.library.knowledge import Knowledge, load_knowledge
from bot.reading import Facets, Reader, Topic
from bot.reading.reader import MOST_REMEMBERED
from bot.search import Verdict
from tests.conftest import CACHE, ROOT
from tests.support.property_examples import examples

PIECES = st.sampled_from(
    ["bố tôi", "đột quỵ", "vneid", "app cũ", "không phải", "iphone", "115", "👍", "\u202e", "\u200d", "ộ̂̂", "đưa mã",
     "ｖｎｅｉｄ", "dddd", "aaas", "ws9", "8h30", "\ud800", "\x00", "。", "ﷺ", "İ", "ß", "Ǆ", "١٢", "%s", "{}", "<b>"]
)  # fmt: skip
WILD = st.one_of(
    st.text(max_size=300),
    st.lists(PIECES, max_size=40).map(" ".join),
    st.lists(PIECES, max_size=15).map("".join),
)


@pytest.fixture(scope="module")
def names(knowledge: Knowledge) -> list[str]:
    return [*knowledge.library.articles, "gone-article"]


@settings(max_examples=examples(150))
@given(text=WILD, data=st.data())
def test_any_text_in_any_talk_is_read(knowledge: Knowledge, names: list[str], text: str, data: st.DataObject) -> None:
    name = st.sampled_from(names)
    topic = Topic(
        article=data.draw(st.one_of(st.just(""), name)),
        ranking=data.draw(st.lists(st.tuples(name, st.integers(1, 100)), max_size=8)),
        offered=data.draw(st.lists(name, max_size=5)),
        book=data.draw(st.sampled_from(["", "app", "vneid"])),
        phone=data.draw(st.sampled_from(["", "android", "iphone", "button"])),
    )
    reading = knowledge.reader.read(text, topic)
    assert 0 <= reading.danger.probability <= 1
    assert reading.danger.kind in knowledge.emergencies.kinds if reading.danger.now else not reading.danger.kind
    assert not reading.act or reading.act in knowledge.acts.acts
    assert isinstance(reading.facets, Facets)
    found = reading.question.found
    assert found.verdict is not Verdict.ANSWER or found.ids
    assert set(found.ids) <= set(knowledge.library.articles)
    for part in (reading.words.folded, reading.words.spoken, reading.words.decoded):
        assert isinstance(part, str)
    assert reading.words.says_self in (True, False)


def test_reading_has_no_side_effects(knowledge: Knowledge) -> None:
    topic = Topic("install-android", 1, [("install-android", 80)], ["about-cost"], "app", "android")
    before = repr(topic)
    for said in ("còn vneid thì sao", "ở đâu", "mã otp không về", "bố tôi đột quỵ"):
        first, second = (knowledge.reader.read(said, topic).question for _ in range(2))
        assert first.found == second.found
    assert repr(topic) == before


def test_text_is_remembered_as_it_was_read(knowledge: Knowledge) -> None:
    reader = fresh(knowledge)
    assert reader.words("quên mật khẩu") is reader.words("quên mật khẩu")
    assert reader.words("quên mật khẩu") is not reader.words("quen mat khau")


PERSONAL = ["tôi sinh năm 1953", "cccd 026199001234", "số ٣ của tôi", "dài " * 40]


@pytest.mark.parametrize("said", PERSONAL)
def test_digits_and_long_texts_are_not_remembered(knowledge: Knowledge, said: str) -> None:
    reader = fresh(knowledge)
    assert reader.words(said) is not reader.words(said)


def test_number_of_remembered_texts_is_bounded(knowledge: Knowledge) -> None:
    reader = fresh(knowledge)
    first = reader.words("quên mật khẩu")
    letters = "abcdefghijklmnopqrstuvwxyz"
    for number in range(MOST_REMEMBERED):
        reader.words("".join(letters[number // 26**place % 26] for place in range(3)))
    assert reader.words("quên mật khẩu") is not first


def fresh(knowledge: Knowledge) -> Reader:
    """Make a reader that remembers nothing yet."""
    reader = knowledge.reader
    return Reader(
        index=reader.index,
        tokenize=reader.tokenize,
        danger=reader.danger,
        acts=reader.acts,
        ranker=None,  # type: ignore[arg-type]
    )


def test_emergency_is_found_before_the_search(knowledge: Knowledge) -> None:
    found = knowledge.find("bố tôi đột quỵ méo miệng")
    assert (found.verdict, found.ids) == (Verdict.ANSWER, ("emergency-symptoms",))
    assert knowledge.find("quên mật khẩu").ids[0] == "forgot-password"


# "Ghi cho tôi trước": the person's own matter beside that of the family.
OF_THEIR_OWN = [
    ("ghi cho tôi trước", True),
    ("báo cho bác trước đã", True),
    ("tính tên cho em trước", True),
    ("ghi cho mẹ tôi", False),
    ("cài xong trước rồi", False),
]


@pytest.mark.parametrize(("said", "own"), OF_THEIR_OWN)
def test_own_matter_is_told_from_the_familys(knowledge: Knowledge, said: str, own: bool) -> None:
    assert knowledge.reader.words(said).says_self is own


def test_second_load_reads_alike(knowledge: Knowledge) -> None:
    """What a restarted process reads is what the one before read."""
    again = load_knowledge(ROOT / "content", CACHE / "search-index.npz")
    for said in ("bố tôi khó thở", "cảm ơn nhé", "lằng nhằng quá", "còn vneid thì sao", "mã otp không về"):
        one, other = knowledge.reader.words(said), again.reader.words(said)
        assert (one.danger, one.act, one.facets, one.found) == (other.danger, other.act, other.facets, other.found)
