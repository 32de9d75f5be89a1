"""A sentence that is not translated, or not well, is found before citizens find it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from bot.i18n.catalogue import LOCALE_FOLDER
from bot.i18n.check import check_translations, sentences


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(LOCALE_FOLDER, tmp_path / "locale")
    return tmp_path / "locale"


def problems(folder: Path, *languages: str) -> list[str]:
    return [str(problem) for problem in check_translations(languages or ["vi"], folder)]


def new_problems(folder: Path) -> list[str]:
    """Report what is wrong with a copy and not with the original, so that one bad entry fails one test only."""
    return sorted(set(problems(folder)) - set(problems(LOCALE_FOLDER)))


def entry(folder: Path, msgid: str) -> tuple[Path, str, str]:
    """Return the file, its text, and the entry of a sentence in it."""
    path = folder / "vi" / "LC_MESSAGES" / "messages.po"
    text = path.read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n") if f'msgid "{msgid}"' in block]
    assert len(blocks) == 1
    return path, text, blocks[0]


def test_the_catalogues_are_complete() -> None:
    assert problems(LOCALE_FOLDER, "vi", "en") == []


def test_sentences_are_found_in_code_and_templates() -> None:
    found = sentences()
    assert len(found) > 80
    assert found["More on this"][0] == "bot/library/render.py"
    assert any(file.startswith("handlers/") for file, _ in found.values())
    assert any(file.endswith(".html") for file, _ in found.values())
    assert any(file == "bot/web/chat.py" for file, _ in found.values())  # by mark()


ONE = "This helped"
FILLED = "You also asked about this:"


def test_a_missing_entry(folder: Path) -> None:
    path, text, block = entry(folder, ONE)
    path.write_text(text.replace(block + "\n\n", ""), encoding="utf-8")
    (problem,) = new_problems(folder)
    assert problem.startswith("bot/library/render.py:")
    assert "'This helped' has no translation in locale/vi/LC_MESSAGES/messages.po." in problem


def test_an_empty_entry(folder: Path) -> None:
    path, text, block = entry(folder, ONE)
    path.write_text(text.replace(block, f'#: x.py\nmsgid "{ONE}"\nmsgstr ""'), encoding="utf-8")
    (problem,) = new_problems(folder)
    assert "has no translation" in problem


def test_a_fuzzy_entry(folder: Path) -> None:
    path, text, block = entry(folder, ONE)
    path.write_text(text.replace(block, "#, fuzzy\n" + block), encoding="utf-8")
    (problem,) = new_problems(folder)
    assert problem == "locale/vi/LC_MESSAGES/messages.po: 'This helped' is marked fuzzy."


def test_an_entry_nobody_uses(folder: Path) -> None:
    path, text, _ = entry(folder, ONE)
    path.write_text(text + '\n\nmsgid "Long gone"\nmsgstr "Đã bỏ"\n', encoding="utf-8")
    (problem,) = new_problems(folder)
    assert problem == "locale/vi/LC_MESSAGES/messages.po: 'Long gone' is no longer used."


def test_an_obsolete_entry(folder: Path) -> None:
    path, text, _ = entry(folder, ONE)
    path.write_text(text + '\n\n#~ msgid "Long gone"\n#~ msgstr "Đã bỏ"\n', encoding="utf-8")
    (problem,) = new_problems(folder)
    assert "'Long gone' is no longer used." in problem


BROKEN = ["{day}", "{channel} {days}", "{}", "{day", "day}", "{Day}", "{ day}"]


@pytest.mark.parametrize("placeholders", BROKEN)
def test_a_placeholder_that_differs(folder: Path, placeholders: str) -> None:
    path, text, block = entry(folder, "Linked with {channel} since {day}.")
    translated = block[block.index("msgstr") :]
    path.write_text(text.replace(translated, f'msgstr "{placeholders} tin"'), encoding="utf-8")
    (problem,) = new_problems(folder)
    assert "differ in their placeholders" in problem
    assert "locale/vi/LC_MESSAGES/messages.po" in problem


def test_a_language_without_a_file(folder: Path) -> None:
    assert problems(folder, "fr") == ["locale/fr/LC_MESSAGES/messages.po: is missing."]


# Commands, options of the command line and keys of settings: people find their way by buttons and words.
MACHINERY = re.compile(
    r"(?<![\w/:.<}])/[a-z]{3,}|python -m bot|config\.yaml|\b(?:operator|report|web|telegram|zalo_oa)\.\w+"
)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_sentence_names_a_command_or_a_setting(language: str) -> None:
    with (LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    assert [str(entry.string) for entry in catalog if entry.id and MACHINERY.search(str(entry.string))] == []
