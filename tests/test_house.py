"""The house: who may import whom, and every module importable alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Floor → modules and packages on it, longest name first where one contains another. A lower floor never imports a
# higher one; docs/architecture.md shows the same table.
FLOORS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (8, ("bot.__main__",)),
    (7, ("bot.commands",)),
    (6, ("handlers",)),
    (5, ("bot.web", "bot.service", "bot.platforms", "bot.zalo")),
    (4, ("bot.engine", "bot.turn", "bot.answers")),
    (
        3,
        (
            "bot.inbox",
            "bot.lines",
            "bot.elsewhere",
            "bot.replica",
            "bot.outbox",
            "bot.broadcast",
            "bot.appointments",
            "bot.reminders",
            "bot.summary",
            "bot.counts",
            "bot.access",
            "bot.dialog",
            "bot.conversations",
            "bot.records",
            "bot.official",
            "bot.simulation",
            "bot.desk",
            "bot.backups",
            "bot.backup_schedule",
            "bot.restoring",
            "bot.revocations",
            "bot.moving",
            "bot.papers",
        ),
    ),
    (2, ("bot.store", "bot.channels", "bot.limits")),
    (
        1,
        (
            "bot.settings",
            "bot.audience",
            "bot.terms",
            "bot.document",
            "bot.articles",
            "bot.regions",
            "bot.knowledge",
            "bot.teaching",
            "bot.ready_texts",
            "bot.sources",
            "bot.goals",
            "bot.search",
            "bot.i18n",
            "bot.translations",
            "bot.logs",
            "bot.wire",
        ),
    ),
    (
        0,
        (
            "bot.message",
            "bot.errors",
            "bot.text",
            "bot.markup",
            "bot.redaction",
            "bot.clock",
            "bot.metrics",
            "bot.hours",
            "bot.moments",
            "bot.keystrokes",
            "bot.syllables",
            "bot",
        ),
    ),
)
STANDARD_LIBRARY_ONLY = (
    "bot.message",
    "bot.errors",
    "bot.text",
    "bot.markup",
    "bot.redaction",
    "bot.clock",
    "bot.metrics",
    "bot.hours",
    "bot.moments",
    "bot.keystrokes",
    "bot.syllables",
)


def modules() -> dict[str, Path]:
    found = {}
    for folder in ("bot", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def floor(module: str) -> int:
    for number, names in FLOORS:
        if any(module == name or (name != "bot" and module.startswith(name + ".")) for name in names):
            return number
    raise AssertionError(f"{module} stands on no floor; add it to FLOORS and to docs/architecture.md")


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


@pytest.mark.parametrize("module", modules())
def test_imports_only_its_own_floor_and_below(module: str) -> None:
    for imported in imports(modules()[module]):
        if imported.split(".")[0] in ("bot", "handlers"):
            assert floor(imported) <= floor(module), f"{module} (floor {floor(module)}) imports {imported}"


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


@pytest.mark.parametrize("module", STANDARD_LIBRARY_ONLY)
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
