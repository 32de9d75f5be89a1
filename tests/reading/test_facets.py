"""Facets: the book, the telephone and the person that a message names."""

from __future__ import annotations

import pytest

from bot.library.knowledge import Knowledge
from bot.reading import Facets, read_facets
from bot.text.normalize import fold

BOOKS = [
    ("VNeID", "vneid"),
    ("vn eid", "vneid"),
    ("trên vnied", "vneid"),
    ("định danh điện tử", "vneid"),
    ("app của công an", "vneid"),
    ("sổ sức khỏe trên vneid", "vneid"),
    ("app sổ sức khỏe trên vneid", "vneid"),
    ("mở tài khoản định danh mức 2 ở đâu", "vneid"),
    ("ứng dụng năm 2021", "app"),
    ("app cũ", "app"),
    ("ỨNG DỤNG CŨ", "app"),
    ("cái có trái tim đỏ", "app"),
    ("app hồi dịch", "app"),
    ("the old app", "app"),
    ("sskdt", "app"),
    ("cả vneid lẫn app cũ", "both"),
    ("sổ sức khỏe điện tử là gì", ""),
    ("quên mật khẩu", ""),
    ("năm 2021 tôi tiêm hai mũi", ""),
]


@pytest.mark.parametrize(("said", "book"), BOOKS)
def test_book_is_read_in_any_spelling(said: str, book: str) -> None:
    for typed in (said, fold(said), said.upper()):
        assert read_facets(typed).book == book


PHONES = [
    ("thế còn iphone", "iphone"),
    ("ip 12 pro max", "iphone"),
    ("tải trên App Store", "iphone"),
    ("tôi dùng Samsung", "android"),
    ("máy oppo", "android"),
    ("tìm trong ch play", "android"),
    ("điện thoại cục gạch", "button"),
    ("iphone hay android", ""),
    ("điện thoại của tôi", ""),
]


@pytest.mark.parametrize(("said", "phone"), PHONES)
def test_telephone_is_read(said: str, phone: str) -> None:
    for typed in (said, fold(said), said.upper()):
        assert read_facets(typed).phone == phone


PEOPLE = [
    ("cài app cho mẹ tôi", "family"),
    ("con em 5 tuổi", "family"),
    ("cho bà", "family"),
    ("for my mother", "family"),
    ("cài cho tôi", ""),
    ("máy của tôi", ""),
]


@pytest.mark.parametrize(("said", "whom"), PEOPLE)
def test_family_is_read(said: str, whom: str) -> None:
    assert read_facets(said).whom == read_facets(fold(said)).whom == whom


# What is named only to be ruled out, and what is meant.
NEGATED = [
    ("không phải vneid", "", ""),
    ("không phải là vneid", "", ""),
    ("không phải cái app cũ", "", ""),
    ("tôi không nói vneid", "", ""),
    ("not the old app", "", ""),
    ("không phải vneid, app cũ cơ", "app", ""),
    ("không phải app cũ, ý tôi là VNeID", "vneid", ""),
    ("không phải app cũ mà là vneid", "vneid", ""),
    ("ko phải vneid mà là app sổ sức khỏe", "app", ""),
    ("not vneid, the old app", "app", ""),
    ("the old app instead of vneid", "app", ""),
    ("không phải iphone", "", ""),
    ("máy oppo chứ không phải iphone", "", "android"),
]
# "No" by itself takes back what was understood; what follows is meant.
CORRECTED = [
    ("không, vneid cơ", "vneid", ""),
    ("không. VNeID", "vneid", ""),
    ("không, tôi nói vneid", "vneid", ""),
    ("không phải, ý tôi là app cũ", "app", ""),
    ("không phải ý tôi là app cũ", "app", ""),
    ("no, the vneid one", "vneid", ""),
    ("no, I mean vneid", "vneid", ""),
    ("không, iphone", "", "iphone"),
]
# A verb between them: the matter itself is named.
NOT_WORKING = [
    ("tôi không cài được vneid", "vneid", ""),
    ("sao không mở vneid được", "vneid", ""),
    ("vneid không vào được", "vneid", ""),
    ("không vào được app cũ", "app", ""),
    ("iphone không tải được", "", "iphone"),
]


@pytest.mark.parametrize(("said", "book", "phone"), [*NEGATED, *CORRECTED, *NOT_WORKING])
def test_negation_rules_out_only_what_it_names(said: str, book: str, phone: str) -> None:
    for typed in (said, fold(said)):
        facets = read_facets(typed)
        assert (facets.book, facets.phone) == (book, phone)


ONLY = [
    ("còn vneid thì sao", True),
    ("ý tôi là app cũ cơ", True),
    ("còn ứng dụng năm 2021 thì sao", True),
    ("ứng dụng cũ", True),
    ("sổ sức khỏe trên vneid", True),
    ("thế còn iphone", True),
    ("không phải vneid, app cũ", True),
    ("no, I mean the old one", False),  # names no book by itself
    ("what about vneid", True),
    ("không phải vneid", False),
    ("quên mật khẩu của vneid", False),
    ("mã otp của vneid không về", False),
    ("vneid có mất tiền không", False),
    ("thì sao", False),
    ("", False),
]


@pytest.mark.parametrize(("said", "only"), ONLY)
def test_message_that_says_nothing_else_is_told(said: str, only: bool) -> None:
    assert read_facets(said).only is read_facets(fold(said)).only is only


def test_message_that_names_nothing_is_empty() -> None:
    assert read_facets("") == Facets()
    assert not read_facets("cho mẹ tôi")  # a person alone is no facet to swap by
    assert read_facets("iphone của tôi")


def test_reader_folds_lookalikes_and_keystrokes_first(knowledge: Knowledge) -> None:
    for typed, book in (
        ("ＶＮｅＩＤ", "vneid"),
        ("ứng dụng năm ２０２１", "app"),
        ("dinhj danh ddieenj tuwr", "vneid"),
    ):
        assert knowledge.reader.words(typed).facets.book == book
