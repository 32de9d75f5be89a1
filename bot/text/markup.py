"""The small Markdown of all texts, and its three renderings.

Three marks only: `**bold**`, `[label](https://address)` and bare https addresses. A backslash before a character
takes its meaning away; `escape` does that for text that comes from outside.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.text.normalize import split_text

_MARKS = re.compile(
    r"\\(?P<literal>[\\*\[\]()_])"
    r"|\*\*(?P<bold>(?:\\.|[^*\\\n])+)\*\*"
    r"|\[(?P<label>(?:\\.|[^\[\]\\\n])+)\]\((?P<target>https?://[^\s()<>\"]+)\)"
    r"|(?P<bare>https?://[^\s<>\"'()\[\]*\\]*[^\s<>\"'()\[\]*\\.,;:!?])"
)
_SPECIAL = re.compile(r"([\\*\[\]])")
_HIDDEN_SPACE = "\ue000"  # of the private use area: no text has it
# What ends where phones would make something of a text that can be tapped. A zero-width space after it cannot be seen
# and keeps them from it: Telegram's rules know no such sign in an address, Android's and browsers' do, but find no
# top-level domain or scheme beside it. Whoever copies the text loses nothing: browsers and the bot leave it out.
_OCTET = r"(?:2[0-5]\d|1?\d?\d)"
_TAPPABLE = re.compile(
    r"[.\u3002\uff0e\uff61](?=[^\W\d_])"  # vneid.gov.vn; what is a point to the name service is one here
    rf"|(?<![\d.]){_OCTET}\.{_OCTET}\.{_OCTET}\.(?={_OCTET}(?!\d))"  # 192.0.2.1
    r"|:(?=//)|(?<=[^\W\d_]):(?=[\w+/])"  # https://, tg:, mailto:
    r"|[@\uff20#$](?=\w)"  # names and tags
    r"|(?<![\w/<>])/(?!start\b)(?=\w)"  # commands; /start alone greets, with more it is an invitation to pass on
)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text in one style; `target` is set on links."""

    text: str
    bold: bool = False
    target: str = ""


def escape(text: str) -> str:
    """Make text from outside safe to stand in a reply: no bold, nothing to tap, exactly what was typed to the eye."""
    return _SPECIAL.sub(r"\\\1", _TAPPABLE.sub("\\g<0>\u200b", text))


def spans(text: str) -> Iterator[Span]:
    """Cut a text into runs of one style, in order."""
    at = 0
    for mark in _MARKS.finditer(text):
        if mark.start() > at:
            yield Span(text[at : mark.start()])
        if mark["literal"]:
            yield Span(mark["literal"])
        elif mark["bold"]:
            yield from (Span(s.text, bold=True, target=s.target) for s in spans(mark["bold"]))
        elif mark["label"]:
            yield Span("".join(s.text for s in spans(mark["label"])), target=mark["target"])
        else:
            yield Span(mark["bare"], target=mark["bare"])
        at = mark.end()
    if at < len(text):
        yield Span(text[at:])


def split_marked(text: str, limit: int, measure: Callable[[str], int] = len) -> list[str]:
    """Split a text at paragraph, else line, else word, but never inside bold or a link."""
    # Spaces within a mark are hidden while the text is cut; marks hold no line breaks.
    hidden = _MARKS.sub(lambda mark: mark[0].replace(" ", _HIDDEN_SPACE), text.replace(_HIDDEN_SPACE, " "))
    return [part.replace(_HIDDEN_SPACE, " ") for part in split_text(hidden, limit, measure)]


def to_plain(text: str) -> str:
    """Render for a channel without styles: marks dropped, a labelled link followed by its address."""
    parts = []
    for span in spans(text):
        shown_apart = span.target and span.target != span.text
        parts.append(f"{span.text}: {span.target}" if shown_apart else span.text)
    return "".join(parts)


def to_html(text: str, *, link_attributes: str = "") -> str:
    """Render as HTML with only <b> and <a>; every other character is escaped, line breaks stay line breaks."""
    parts = []
    for span in spans(text):
        shown = html.escape(span.text, quote=False)
        if span.target:
            shown = f'<a href="{html.escape(span.target)}"{link_attributes}>{shown}</a>'
        parts.append(f"<b>{shown}</b>" if span.bold else shown)
    return "".join(parts)
