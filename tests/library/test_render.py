"""An article as a reply: which book it is about stands in its title, how old its sources are below it."""

from __future__ import annotations

from datetime import date

import pytest

from bot.i18n.catalogue import load_catalogues
from bot.library.articles import LONGEST_ANSWER, Article, Bilingual, BilingualList, Citation
from bot.library.knowledge import Knowledge
from bot.library.render import age_line, article_reply, first_screen, headline, more_reply, screen_length
from bot.settings import Settings

CATALOGUES = load_catalogues(["vi", "en"])


def article(**changes: object) -> Article:
    values: dict[str, object] = {
        "id": "one",
        "topic": "vneid",
        "product": "vneid",
        "status": "current",
        "checked_on": date(2026, 12, 1),
        "title": Bilingual(vi="Quên mật khẩu", en="Forgotten password"),
        "answer": Bilingual(vi="Bạn bấm **Quên mật khẩu**.", en="Tap **Quên mật khẩu**."),
        "sources": (Citation(ref="V13", url="x", date="2025-12-04"),),
        "questions": BilingualList(vi=("quên",), en=("forgot",)),
    }
    return Article.model_validate({**values, **changes})


HEADLINES = [
    ("vneid", "Quên mật khẩu", "VNeID · Quên mật khẩu"),
    ("vneid", "Quên mật khẩu VNeID", "Quên mật khẩu VNeID"),
    ("app", "Quên mật khẩu", "Ứng dụng 2021 · Quên mật khẩu"),
    ("app", "Ứng dụng năm 2021 bị lỗi", "Ứng dụng năm 2021 bị lỗi"),
    ("app", "Khác VNeID thế nào", "Ứng dụng 2021 · Khác VNeID thế nào"),
    ("both", "Quên mật khẩu", "Quên mật khẩu"),
    ("none", "Chào hỏi", "Chào hỏi"),
]


@pytest.mark.parametrize(("product", "title", "expected"), HEADLINES)
def test_title_names_the_book_once(product: str, title: str, expected: str) -> None:
    made = article(product=product, title=Bilingual(vi=title, en="x"), more=Bilingual(vi="Thêm.", en="More."))
    assert headline(made, CATALOGUES["vi"]) == expected


def sources(*dates: str) -> dict[str, object]:
    return {"sources": tuple(Citation(ref="S01", url="x", date=date) for date in dates)}


STEPS = {"steps": BilingualList(vi=("Bấm",), en=("Tap",))}
AGES: list[tuple[dict[str, object], str, str]] = [
    (sources("2021-07", "2022; low"), "Theo nguồn năm 2021–2022.", "From sources of 2021–2022."),
    ({**sources("2021-07", "2021"), "status": "check"}, "Theo nguồn năm 2021; chưa ai mở thử.",
     "From sources of 2021; not tried yet."),
    ({**sources("2025-12-04"), **STEPS}, "Theo nguồn năm 2025; chưa ai mở thử.",
     "From sources of 2025; not tried yet."),
    ({**sources("undated"), **STEPS}, "Nguồn không ghi năm; chưa ai mở thử.",
     "Its sources are undated; not tried yet."),
    (sources("undated"), "", ""),
    ({**STEPS, "tried_on": date(2026, 12, 20), "tried_by_role": "cán bộ xã"}, "Đã mở thử ngày 20/12/2026 (cán bộ xã).",
     "Tried on 20 December 2026 (cán bộ xã)."),
    ({"status": "always"}, "", ""),
    ({"topic": "bot", "product": "none"}, "", ""),
    ({"product": "none"}, "Theo nguồn năm 2025.", "From sources of 2025."),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "vietnamese", "english"), AGES)
def test_article_shows_from_when_its_sources_are(changes: dict[str, object], vietnamese: str, english: str) -> None:
    made = article(**changes)
    assert age_line(made, CATALOGUES["vi"]) == vietnamese
    assert age_line(made, CATALOGUES["en"]) == english


def test_officers_read_the_state_in_words(knowledge: Knowledge) -> None:
    library = knowledge.library
    reply = article_reply(library.articles["install-android"], library, CATALOGUES["vi"], Settings(), for_officer=True)
    assert "chưa xác nhận, đối chiếu nguồn ngày 01/12/2026" in reply.text


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_first_screen_names_its_book_and_fits(knowledge: Knowledge, language: str) -> None:
    catalogue, settings = CATALOGUES[language], Settings()
    for made in knowledge.library.articles.values():
        first = first_screen(made, catalogue, settings).splitlines()[0]
        assert screen_length(made, catalogue, settings) <= LONGEST_ANSWER, made.id
        assert made.product != "vneid" or "VNeID" in first
        assert made.product != "app" or "2021" in first
        assert more_reply(made, knowledge.library, catalogue, settings).text.startswith(first)


def test_operator_without_a_name_is_a_trial(knowledge: Knowledge) -> None:
    shown = first_screen(knowledge.library.articles["bot-who-are-you"], CATALOGUES["vi"], Settings())
    assert "Cơ quan vận hành: đơn vị đang chạy thử trợ lý này." in shown
    assert "{operator}" not in shown
