"""The README tells the truth: its commands work, its files exist, and nothing is undocumented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context

from bot.__main__ import main
from bot.library.knowledge import Knowledge
from handlers import ROUTES
from tests.conftest import ROOT, copy_learned

README = (ROOT / "README.md").read_text(encoding="utf-8")
README_VI = (ROOT / "README.vi.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)


def test_there_are_commands_to_try() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_works(command: str, tmp_path: Path, knowledge: Knowledge) -> None:
    copy_learned(tmp_path)
    done = subprocess.run(
        command.replace(".venv/bin/python", sys.executable),
        shell=True,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "BOT_DATABASE": f"sqlite:///{tmp_path / 'bot.db'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("readme", [README, README_VI], ids=["en", "vi"])
def test_every_command_is_documented(readme: str) -> None:
    for name in main.list_commands(Context(main)):
        assert f"`{name}" in readme, name


@pytest.mark.parametrize("readme", [README, README_VI], ids=["en", "vi"])
def test_every_file_that_is_named_exists(readme: str) -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", readme) + re.findall(r"`(content/[\w./-]+\.yaml)`", readme)
    for name in named:
        assert (ROOT / name).exists(), name


def test_both_readmes_hold_the_same_set_up() -> None:
    lines = re.findall(r"^    (.+?)(?:  +#.*)?$", README, re.MULTILINE)
    assert lines
    assert [line for line in lines if f"    {line}" not in README_VI] == []


def test_every_command_of_the_chat_has_a_help_sentence() -> None:
    for route in ROUTES:
        if route.commands:
            assert route.help, route.name
