"""A question in its context: twins, half sentences, the book guard; what is sure by itself is answered by itself."""

from __future__ import annotations

import numpy as np
import pytest

from bot.library.knowledge import Knowledge
from bot.reading import ArticleLinks, ContextRanker, Facets, Topic
from bot.reading.followup import InContext
from bot.search import Verdict
from bot.text.normalize import fold


def about(article: str = "", book: str = "") -> Topic:
    """Make the topic of a talk in which an article was shown last."""
    return Topic(article=article, book=book, ranking=[(article, 90)] if article else [])


def ask(knowledge: Knowledge, text: str, topic: Topic) -> InContext:
    return knowledge.reader.read(text, topic).question


# The article shown last, what is said, and its twin that is meant.
SWAPS = [
    ("install-android", "còn vneid thì sao", "vneid-install-register"),
    ("install-android", "thế còn iphone", "install-iphone"),
    ("install-android", "máy tôi là iphone", "install-iphone"),
    ("install-android", "what about vneid", "vneid-install-register"),
    ("install-iphone", "android thì sao", "install-android"),
    ("vneid-install-register", "ý tôi là app cũ cơ", "install-android"),
    ("forgot-password", "ý tôi là trên VNeID", "vneid-password-passcode"),
    ("vneid-password-passcode", "không phải vneid, app cũ", "forgot-password"),
    ("vneid-password-passcode", "không phải, ý tôi là app cũ", "forgot-password"),
    ("register-account", "không phải app cũ, vneid cơ", "vneid-activate-sskdt"),
    ("vneid-activate-sskdt", "còn ứng dụng năm 2021 thì sao", "register-account"),
    ("otp-not-received", "vneid thì sao", "vneid-otp-not-received"),
    ("family-children", "thế trên vneid thì sao", "vneid-child-identity"),
]


@pytest.mark.parametrize(("shown", "said", "meant"), SWAPS)
def test_named_book_or_telephone_swaps_the_twin(knowledge: Knowledge, shown: str, said: str, meant: str) -> None:
    for typed in (said, fold(said)):
        found = ask(knowledge, typed, about(shown))
        assert (found.found.verdict, found.found.ids[0], found.leaned) == (Verdict.ANSWER, meant, True)


def test_swap_needs_a_topic(knowledge: Knowledge) -> None:
    assert not ask(knowledge, "còn vneid thì sao", Topic()).leaned


def test_offered_articles_are_swapped_too(knowledge: Knowledge) -> None:
    topic = Topic(offered=["about-cost", "otp-not-received"], ranking=[("about-cost", 20), ("otp-not-received", 15)])
    assert ask(knowledge, "trên vneid", topic).found.ids[0] == "vneid-otp-not-received"


def test_what_is_ruled_out_is_no_swap(knowledge: Knowledge) -> None:
    found = ask(knowledge, "không phải vneid", about("install-android"))
    assert found.found.ids[:1] != ("vneid-install-register",) or found.found.verdict is not Verdict.ANSWER


# Half sentences of people who were cheated are understood whatever the talk is about.
CHEATED = [
    ("install-android", "lỡ đưa mã rồi"),
    ("install-android", "bị trừ tiền rồi"),
    ("cert-missing-dose", "đưa mã rồi, mất tiền rồi"),
    ("bhyt-expired", "tôi lỡ bấm vào link rồi"),
    ("otp-not-received", "tôi lỡ đọc mã cho nó rồi"),
    ("about-cost", "nó lấy hết tiền trong tài khoản rồi"),
    ("about-cost", "bị lừa chuyển khoản rồi"),
]


CHEATED_BARE = [
    ("install-android", "bi tru tien roi"),
    ("cert-missing-dose", "dua ma roi, mat tien roi"),
    ("otp-not-received", "toi lo doc ma cho no roi"),
    ("about-cost", "no lay het tien trong tai khoan roi"),
]


@pytest.mark.parametrize(("shown", "said"), [*CHEATED, *CHEATED_BARE])
def test_victim_of_fraud_is_understood_anywhere(knowledge: Knowledge, shown: str, said: str) -> None:
    found = ask(knowledge, said, about(shown)).found
    assert (found.verdict, found.ids[0]) == (Verdict.ANSWER, "scam-victim")


# Words that ask about what was shown, and name nothing.
ELLIPTIC = [
    ("install-android", "thế bao lâu thì xong"),
    ("install-android", "how long does it take"),
    ("install-android", "tại sao"),
    ("otp-not-received", "mất bao lâu"),
    ("otp-not-received", "ở đâu"),
    ("bhyt-expired", "cần giấy tờ gì"),
]


@pytest.mark.parametrize(("shown", "said"), ELLIPTIC)
def test_elliptic_question_asks_about_the_topic(knowledge: Knowledge, shown: str, said: str) -> None:
    found = ask(knowledge, said, about(shown))
    assert (found.found.verdict, found.found.ids[0], found.leaned) == (Verdict.ANSWER, shown, True)
    assert not ask(knowledge, said, Topic()).leaned


# The article shown last, a question that is sure by itself, and its answer.
SURE = [
    ("install-android", "bhyt hết hạn thì làm sao", "bhyt-expired"),
    ("otp-not-received", "có mất phí không", "about-cost"),
    ("bhyt-expired", "cài trên máy Samsung thế nào", "install-android"),
    ("bhyt-expired", "how do I install it on an iPhone", "install-iphone"),
    ("vneid-bhyt-card", "tôi muốn xóa hết dữ liệu của tôi ở đây", "bot-delete-data"),
]


@pytest.mark.parametrize(("shown", "said", "answer"), SURE)
def test_sure_question_is_answered_alone(knowledge: Knowledge, shown: str, said: str, answer: str) -> None:
    found = ask(knowledge, said, about(shown))
    assert (found.found.verdict, found.found.ids[0]) == (Verdict.ANSWER, answer)
    assert found.book == ""


def test_foreign_question_leans_on_nothing(knowledge: Knowledge) -> None:
    found = ask(knowledge, "giá vàng hôm nay", about("install-android"))
    assert (found.found.verdict, found.leaned) == (Verdict.UNKNOWN, False)


# The book of the talk, a question that names none, its answer, and the book that is said to be assumed.
GUARDED = [
    ("vneid", "mã otp không về", "vneid-otp-not-received", "vneid"),
    ("vneid", "quên mật khẩu", "vneid-password-passcode", "vneid"),
    ("vneid", "cách đăng ký tài khoản", "vneid-activate-sskdt", "vneid"),
    ("vneid", "đổi số điện thoại thế nào", "vneid-change-phone-number", "vneid"),
    ("app", "mã otp không về", "otp-not-received", ""),
    ("app", "quên mật khẩu", "forgot-password", ""),
    ("app", "đổi số điện thoại thế nào", "change-phone-number", ""),
    ("", "mã otp không về", "otp-not-received", ""),
]
# A book that is named goes before the one of the talk, and nothing is assumed.
NAMED = [
    ("app", "cài vneid thế nào", "vneid-install-register", ""),
    ("app", "quên mật khẩu của vneid", "vneid-password-passcode", ""),
    ("vneid", "quên mật khẩu app cũ", "forgot-password", ""),
]


@pytest.mark.parametrize(("book", "said", "answer", "assumed"), [*GUARDED, *NAMED])
def test_question_is_answered_for_the_book(
    knowledge: Knowledge, book: str, said: str, answer: str, assumed: str
) -> None:
    found = ask(knowledge, said, about(book=book))
    assert (found.found.verdict, found.found.ids[0], found.book) == (Verdict.ANSWER, answer, assumed)


def test_guarded_answers_never_belong_to_the_other_book(knowledge: Knowledge) -> None:
    """An article of the other book that has a twin is never answered in its place."""
    articles = knowledge.library.articles
    for name, article in articles.items():
        other = {"app": "vneid", "vneid": "app"}.get(article.product)
        if other is None or not article.twins:
            continue
        for question in article.questions.vi[:3]:
            reading = knowledge.reader.read(question, about(book=other))
            if reading.facets.book:
                continue
            found = reading.question.found
            assert found.verdict is not Verdict.ANSWER or found.ids[0] != name, (question, found)


def test_scores_stay_a_distribution(knowledge: Knowledge) -> None:
    for shown, said, _ in SURE:
        for book in ("", "app", "vneid"):
            ranking = ask(knowledge, said, about(shown, book)).ranking
            assert np.all(ranking.scores >= 0)
            assert float(ranking.scores.sum()) + ranking.foreign == pytest.approx(1, abs=1e-3)


def test_kept_ranking_holds_ids_and_per_cents(knowledge: Knowledge) -> None:
    kept = knowledge.reader.keep(knowledge.reader.words("mã otp không về").ranking)
    assert kept[0][0] == "otp-not-received"
    assert 1 <= len(kept) <= 8
    assert all(name in knowledge.library.articles and 0 < share <= 100 for name, share in kept)
    assert [share for _, share in kept] == sorted((share for _, share in kept), reverse=True)


def test_topic_of_content_that_is_gone_is_harmless(knowledge: Knowledge) -> None:
    """A session may name articles that an edit of the content has taken away."""
    gone = Topic("gone-article", 2, [("gone-article", 80), ("other-gone", 10)], ["gone-article"], "vneid", "iphone")
    for said in ("ở đâu", "còn vneid thì sao", "mã otp không về", "vẫn không được", "iphone"):
        found = ask(knowledge, said, gone).found
        assert set(found.ids) <= set(knowledge.library.articles)


# The article shown last, the likeliest articles of the last question, and the subject of the talk.
SUBJECTS = [
    ("install-android", [("about-cost", 90)], "install-android"),
    ("", [("about-cost", 35)], "about-cost"),
    ("", [("about-cost", 34)], ""),
    ("", [], ""),
]


@pytest.mark.parametrize(("article", "ranking", "subject"), SUBJECTS)
def test_subject_is_the_article_shown_or_likeliest(article: str, ranking: list[tuple[str, int]], subject: str) -> None:
    assert Topic(article=article, ranking=ranking).subject == subject


def test_topic_counts_only_when_it_holds_something() -> None:
    assert not Topic()
    assert not Topic(whom="family", phone="")
    assert Topic(book="app")
    assert Topic(ranking=[("about-cost", 3)])


def test_ranker_without_half_sentences_leans_on_scores(knowledge: Knowledge) -> None:
    """Content without `followups` still has twins and the question before."""
    links = {
        name: ArticleLinks(one.product, one.phone, one.twins, one.related, one.topic, one.anywhere)
        for name, one in knowledge.library.articles.items()
    }
    ranker, words = ContextRanker(knowledge.index, links), knowledge.reader.words("ở đâu")
    found = ranker.read(words.found, words.ranking, Facets(), about("bhyt-expired"), tokens=words.tokens, elliptic=True)
    assert found.found.ids[0] == "bhyt-expired"
