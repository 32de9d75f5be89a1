"""docs/architecture.md shows the tree and the layers as they are."""

from __future__ import annotations

import re

from tests.conftest import ROOT
from tests.repository.test_layers import LAYERS

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_page_lists_the_layers_that_are_enforced() -> None:
    (block,) = re.findall(r"^```\n(bot\.__main__.*?)```", PAGE, re.MULTILINE | re.DOTALL)
    assert tuple(tuple(line.split(", ")) for line in block.splitlines()) == LAYERS


def test_page_names_every_package() -> None:
    table = PAGE.partition("## The tree")[2].partition("\n## ")[0]
    named = set(re.findall(r"`bot/(\w+)/`", table))
    assert named == {path.parent.name for path in (ROOT / "bot").glob("*/__init__.py")}


def test_every_file_that_the_page_names_exists() -> None:
    for name in re.findall(r"`((?:bot|handlers|tests)/[\w/]+\.py)`", PAGE):
        assert (ROOT / name).is_file(), name


def test_every_file_of_the_store_that_is_named_exists() -> None:
    store = PAGE.partition("## The store")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+\.py)`", store))
    assert len(named) >= 8
    assert named <= {path.name for path in (ROOT / "bot" / "store").glob("*.py")}
