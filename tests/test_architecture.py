"""The map of files in docs/architecture.md shows the tree as it is."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.test_house import FLOORS

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d) \| (.*) \|$", PAGE, re.MULTILINE)


def of_floor(floor: int) -> str:
    return " ".join(row for number, row in ROWS if int(number) == floor)


@pytest.mark.parametrize("floor", [floor for floor, _ in FLOORS])
def test_every_room_stands_on_its_floor(floor: int) -> None:
    rooms = dict(FLOORS)[floor]
    named = set(re.findall(r"`(?:bot/)?(\w+)(?:\.py|/)`", of_floor(floor)))
    assert named == {room.removeprefix("bot.") for room in rooms if room != "bot"}


def test_every_file_about_messages_to_many_is_named() -> None:
    (row,) = [row for _, row in ROWS if "`bot/broadcast/`" in row]
    files = {path.stem for path in (ROOT / "bot" / "broadcast").glob("*.py")} - {"__init__"}
    assert set(re.findall(r"`(\w+)`", row)) == files


def test_every_file_of_the_store_that_is_named_is_there() -> None:
    store = PAGE.partition("## The store")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+\.py)`", store))
    assert len(named) >= 8
    assert named <= {path.name for path in (ROOT / "bot" / "store").glob("*.py")}
