"""The house: who may import whom, and every module importable alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Top to bottom: a package imports packages of lower layers only, so none of its own layer and none above.
# docs/architecture.md shows the same list.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("bot.__main__",),
    ("bot.commands",),
    ("bot.web",),
    ("bot.runtime", "handlers"),
    ("bot.reminders",),
    ("bot.conversation", "bot.exports"),
    ("bot.broadcasts", "bot.backup"),
    ("bot.helpdesk", "bot.demo", "bot.statistics", "bot.delivery"),
    ("bot.library", "bot.channels", "bot.logs"),
    ("bot.reading",),
    ("bot.cluster", "bot.settings", "bot.access"),
    ("bot.serialization", "bot.yaml_document", "bot.store", "bot.search", "bot.i18n"),
    ("bot.message", "bot.errors", "bot.text", "bot.clock", "bot.hours", "bot.metrics"),
)
STANDARD_LIBRARY_ONLY = LAYERS[-1]


def modules() -> dict[str, Path]:
    found = {}
    for folder in ("bot", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def package_of(module: str) -> str:
    """Return the name in LAYERS that a module belongs to."""
    if module == "bot":
        return module  # the version alone
    for names in LAYERS:
        for name in names:
            if module == name or module.startswith(name + "."):
                return name
    raise AssertionError(f"{module} belongs to no layer; add its package to LAYERS and to docs/architecture.md")


def layer(package: str) -> int:
    """Return how high a package stands, 0 for the lowest layer."""
    return next(len(LAYERS) - 1 - index for index, names in enumerate(LAYERS) if package in names)


def imports(path: Path) -> set[str]:
    known = modules()
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else node.module)
    return found


@pytest.mark.parametrize("module", [m for m in modules() if m != "bot"])
def test_package_imports_lower_layers_only(module: str) -> None:
    own = package_of(module)
    for imported in imports(modules()[module]):
        if imported != "bot" and imported.split(".")[0] in ("bot", "handlers") and package_of(imported) != own:
            assert layer(package_of(imported)) < layer(own), f"{module} imports {imported}"


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("handlers.")])
def test_handlers_know_neither_each_other_nor_channels_store_or_web(module: str) -> None:
    for imported in imports(modules()[module]):
        assert not imported.startswith(("handlers", "bot.channels", "bot.store", "bot.web", "aiohttp", "sqlite")), (
            f"{module} imports {imported}"
        )


def test_only_the_command_line_knows_the_handlers() -> None:
    for module, path in modules().items():
        if module.startswith("bot") and module != "bot.__main__":
            assert not any(name.split(".")[0] == "handlers" for name in imports(path)), module


@pytest.mark.parametrize("module", [m for m in modules() if m != "bot" and package_of(m) in STANDARD_LIBRARY_ONLY])
def test_the_ground_floor_stands_on_the_standard_library(module: str) -> None:
    for imported in imports(modules()[module]):
        top = imported.split(".")[0]
        assert top == "bot" or top in sys.stdlib_module_names, f"{module} imports {imported}"


def test_no_room_has_a_name_that_says_nothing() -> None:
    for module in modules():
        assert module.rsplit(".", 1)[-1] not in ("utils", "util", "helpers", "helper", "manager", "base", "common")


# One interpreter loads what is not ours and forks for each module, because starting it anew takes longer than the rest.
IMPORT_EACH_ALONE = """
import importlib, os, sys, traceback, warnings
import aiohttp.web, babel.messages, click, defusedxml, jinja2, numpy, openpyxl, orjson, prometheus_client, psycopg
import pydantic_settings, sqlite_utils, structlog, telegram.ext, yaml
warnings.simplefilter("error")
for module in sys.argv[1:]:
    assert not any(name.split(".")[0] in ("bot", "handlers") for name in sys.modules), "not alone"
    if (child := os.fork()) == 0:
        try:
            importlib.import_module(module)
        except BaseException:
            print(f"{module}: {traceback.format_exc()}", flush=True)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        print(f"{module}: died", flush=True)
"""


def in_circles() -> set[str]:
    """Return the modules that come back to themselves by what they import, or by a package they belong to.

    All others import alone when the modules that they lead to do: nothing of theirs can be half loaded.
    """
    known = modules()
    steps = {
        module: {name for name in imports(path) if name in known}
        | {package for package in known if package != "bot" and module.startswith(package + ".")}
        for module, path in known.items()
    }

    def reached(module: str) -> set[str]:
        found, waiting = set[str](), [*steps[module]]
        while waiting:
            if (name := waiting.pop()) not in found:
                found.add(name)
                waiting += steps[name]
        return found

    return {module for module in known if module in reached(module)}


def test_every_module_imports_alone() -> None:
    """Import modules where none of ours was loaded before, so that no import leans on an earlier one.

    Tried are those where that could matter, and those that nobody imports, which lead to all the rest.
    """
    known = modules()
    imported = {name for path in known.values() for name in imports(path)}
    tried = sorted(in_circles() | (set(known) - imported))
    assert "handlers" in tried
    assert "bot.__main__" in tried
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH_ALONE, *tried], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
