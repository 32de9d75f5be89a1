"""The ready texts for officers: the real ones are in order, broken ones are named with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ContentError
from bot.library.templates import load_reminders, load_scripts
from tests.conftest import ROOT

GOOD = """\
id: {id}
status: current
checked_on: 2026-10-06
title: {{vi: Mời, en: Please}}
{more}text:
  vi: {vi}
  en: Please install it.
"""


def test_the_letters_texts_are_there() -> None:
    reminders = load_reminders(ROOT / "content")
    assert {"vneid-activate", "vneid-level2", "report-after-install", "beware-scam"} <= set(reminders)
    assert list(reminders)[-2:] == ["check-certificate", "install-app"]  # the app of 2021, unconfirmed today
    assert {script.seconds for script in load_scripts(ROOT / "content").values()} == {30, 60}


def test_no_reminder_threatens() -> None:
    """The letter asks; it knows no duty and no penalty."""
    for reminder in load_reminders(ROOT / "content").values():
        for word in ("bắt buộc", "xử phạt", "phạt", "mandatory", "fine"):
            assert word not in reminder.text.vi.lower()
            assert f" {word} " not in reminder.text.en.lower()


BROKEN = [
    ("reminders/a.yaml", GOOD.format(id="b", more="", vi="Mời bạn."), ":1: must stand in reminders/b.yaml."),
    ("reminders/a.yaml", GOOD.format(id="a", more="", vi="Chào {ten}."), ":6: holds the unknown placeholder {ten}."),
    ("reminders/a.yaml", GOOD.format(id="a", more="", vi="x" * 401), ":6: text.vi is 401 characters, more than 400."),
    ("reminders/a.yaml", GOOD.format(id="a", more="pause: 1\n", vi="Mời."), ":5: pause is not a known key."),
    ("scripts/a.yaml", GOOD.format(id="a", more="seconds: 30\n", vi="Ngắn."), ":7: text.vi has 0.0 syllables a second"),
    ("scripts/a.yaml", GOOD.format(id="a", more="", vi="Mời."), ":1: seconds is missing."),
]


@pytest.mark.parametrize(("name", "text", "sentence"), BROKEN)
def test_a_broken_text_is_named_with_its_line(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    load = load_reminders if name.startswith("reminders") else load_scripts
    with pytest.raises(ContentError) as caught:
        load(tmp_path)
    assert sentence in str(caught.value)
