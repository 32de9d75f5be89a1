"""Whether every sentence of the bot is translated into every language."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from bot.errors import Problem
from bot.i18n.catalogue import LOCALE_FOLDER

ROOT = LOCALE_FOLDER.parent
KEYWORDS = {"t": None, "mark": None}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
FOLDERS = ("bot", "handlers")


@cache
def sentences() -> dict[str, tuple[str, int]]:
    """Find every sentence marked for translation in the code, with the place where it stands first."""
    found: dict[str, tuple[str, int]] = {}
    for folder in FOLDERS:
        extracted = extract_from_dir(ROOT / folder, method_map=METHODS, keywords=KEYWORDS, strip_comment_tags=False)
        for file, line, message, _comments, _context in extracted:
            text = message[0] if isinstance(message, tuple) else message
            found.setdefault(text, (f"{folder}/{file}", line))
    return found


def check_translations(languages: Iterable[str], folder: Path = LOCALE_FOLDER) -> Iterator[Problem]:
    """Report missing, fuzzy, obsolete entries and placeholders that differ."""
    wanted = sentences()
    for language in languages:
        path = folder / language / "LC_MESSAGES" / "messages.po"
        name = f"locale/{language}/LC_MESSAGES/messages.po"
        if not path.exists():
            yield Problem(name, 0, "is missing.")
            continue
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
        yield from _compare(wanted, catalog, name)


def _compare(wanted: dict[str, tuple[str, int]], catalog: Catalog, name: str) -> Iterator[Problem]:
    for sentence, (file, line) in wanted.items():
        entry = catalog.get(sentence)
        if entry is None or not entry.string:
            yield Problem(file, line, f"{sentence!r:.60} has no translation in {name}.")
        elif entry.fuzzy:
            yield Problem(name, 0, f"{sentence!r:.60} is marked fuzzy.")
        elif _placeholders(sentence) != _placeholders(str(entry.string)):
            yield Problem(name, 0, f"{sentence!r:.60} and its translation differ in their placeholders.")
    for entry in (*catalog, *catalog.obsolete.values()):
        if entry.id and str(entry.id) not in wanted:
            yield Problem(name, 0, f"{str(entry.id)!r:.60} is no longer used.")


def _placeholders(sentence: str) -> set[str | None]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    except ValueError:  # a brace that is not closed
        return {None}
