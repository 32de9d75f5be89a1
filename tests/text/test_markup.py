"""The three marks of all texts: what they become, and that nothing else ever becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.markup import escape, spans, to_html, to_plain

# Text → HTML, plain.
TABLE: list[tuple[str, str, str]] = [
    ("chữ thường", "chữ thường", "chữ thường"),
    ("**đậm**", "<b>đậm</b>", "đậm"),
    ("a **b** c **d**", "a <b>b</b> c <b>d</b>", "a b c d"),
    ("**mở mà không đóng", "**mở mà không đóng", "**mở mà không đóng"),
    ("**qua\ndòng**", "**qua\ndòng**", "**qua\ndòng**"),
    ("5 * 3 ** 2", "5 * 3 ** 2", "5 * 3 ** 2"),
    (r"\*\*không đậm\*\*", "**không đậm**", "**không đậm**"),
    (r"**a \* b**", "<b>a </b><b>*</b><b> b</b>", "a * b"),
    ("<script>&\"'", "&lt;script&gt;&amp;\"'", "<script>&\"'"),
    ("[nhãn](https://a.vn/b?c=1&d=2)", '<a href="https://a.vn/b?c=1&amp;d=2">nhãn</a>', "nhãn: https://a.vn/b?c=1&d=2"),
    (
        "[https://a.vn](https://a.vn)",
        '<a href="https://a.vn">https://a.vn</a>',
        "https://a.vn",
    ),
    ("xem https://a.vn/b.", 'xem <a href="https://a.vn/b">https://a.vn/b</a>.', "xem https://a.vn/b."),
    ("(https://a.vn)", '(<a href="https://a.vn">https://a.vn</a>)', "(https://a.vn)"),
    ("**https://a.vn**", '<b><a href="https://a.vn">https://a.vn</a></b>', "https://a.vn"),
    ("[x](javascript:alert(1))", "[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ('[x](https://a.vn/"onclick=1)', "[x](", "[x]("),
    ("[x](ftp://a.vn)", "[x](ftp://a.vn)", "[x](ftp://a.vn)"),
    ("a\nb", "a\nb", "a\nb"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "html", "plain"), TABLE, ids=[row[0] for row in TABLE])
def test_renderings(text: str, html: str, plain: str) -> None:
    if "onclick" in text:  # what is no link on the whole may hold a harmless one
        assert "onclick" not in re.sub(r">[^<]*<|^[^<]*<|>[^<]*$", "", to_html(text))
        return
    assert to_html(text) == html
    assert to_plain(text) == plain


def test_links_carry_the_attributes_of_the_page() -> None:
    assert (
        to_html("https://a.vn", link_attributes=' rel="noopener"')
        == '<a href="https://a.vn" rel="noopener">https://a.vn</a>'
    )


# Typed → after escaping, with | for the space that cannot be seen.
ESCAPED: list[tuple[str, str]] = [
    ("https://evil.example/x", "https:|//evil.|example/x"),
    ("evil.example/x", "evil.|example/x"),
    ("t.me/x", "t.|me/x"),
    ("www.x.vn", "www.|x.|vn"),
    ("1.2.vn", "1.2.|vn"),
    ("vneid。gov．vn", "vneid。|gov．|vn"),
    ("tg://resolve?domain=x", "tg:|//resolve?domain=x"),
    ("javascript:alert(1)", "javascript:|alert(1)"),
    ("mailto:a@b.vn", "mailto:|a@|b.|vn"),
    ("tel:+84", "tel:|+84"),
    ("@canbo và #thetu $USD", "@|canbo và #|thetu $|USD"),
    ("bấm /nap ngay", "bấm /|nap ngay"),
    ("http://192.0.2.1:8080/a", "http:|//192.0.2.|1:8080/a"),
    ("192.0.2.1", "192.0.2.|1"),
    # what can be read and copied as it is
    ("/start moi_abc", "/start moi_abc"),
    ("67.750 máy, 3,5 và 8,58%", "67.750 máy, 3,5 và 8,58%"),
    ("1.234.567.890 đồng", "1.234.567.890 đồng"),
    ("lúc 08:30, 08.30 ngày 10/10/2021 hoặc 10.10.2021", "lúc 08:30, 08.30 ngày 10/10/2021 hoặc 10.10.2021"),
    ("iOS 14.5.1", "iOS 14.5.1"),
    ("vâng ạ... rồi sao: thế à. Cảm ơn.", "vâng ạ... rồi sao: thế à. Cảm ơn."),
    ("và/hoặc 44/63", "và/hoặc 44/63"),
]


@pytest.mark.parametrize(("typed", "escaped"), ESCAPED, ids=[row[0] for row in ESCAPED])
def test_nothing_typed_can_be_tapped_and_figures_stay_as_they_are(typed: str, escaped: str) -> None:
    assert to_plain(escape(typed)) == escaped.replace("|", "\u200b")


class Tags(HTMLParser):
    """Collects what a browser would make of a text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


PIECES = st.sampled_from(
    ["**", "*", "[", "]", "(", ")", "\\", "<b>", "</a>", "<img src=x onerror=alert(1)>", "&lt;", "&#x3c;script&#x3e;",
     "https://evil.example", "http://evil.example/a)b", "HTTPS://evil.example", "evil.example",
     "@evil", "/nap", "xhttps://evil.example", "javascript:",
     "](https://evil.example)", "\n", "\u200b", "\u202e", "đ", " ", "a", "_", '"', "'"]
)  # fmt: skip
WILD = st.text(max_size=100) | st.lists(PIECES, max_size=12).map("".join)


@given(text=WILD)
def test_any_text_gives_only_bold_and_links(text: str) -> None:
    shown = Tags(to_html(text))
    assert {(tag, attributes) for tag, attributes in shown.tags} <= {("b", ()), ("a", ("href",))}


@given(text=WILD)
def test_escaped_text_is_never_markup_and_reads_as_typed(text: str) -> None:
    safe = escape(text)
    assert Tags(to_html(safe)).tags == []
    assert all(not span.bold and not span.target for span in spans(safe))
    assert to_plain(safe).replace("\u200b", "") == text.replace("\u200b", "")


@given(text=WILD)
def test_escaped_text_stays_harmless_beside_the_bots_own_marks(text: str) -> None:
    shown = Tags(to_html(f"**Ngày 1/1**\n{escape(text)}\n\n[Xem](https://a.vn)"))
    assert shown.tags == [("b", ()), ("a", ("href",))]


@given(text=WILD)
def test_spans_lose_no_character_of_plain_text(text: str) -> None:
    assert "".join(span.text for span in spans(escape(text))).replace("\u200b", "") == text.replace("\u200b", "")
