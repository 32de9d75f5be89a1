"""What the documents and rule files name exists: tests, figures, settings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.clock import stamp
from bot.metrics import Metrics
from bot.runtime.build import Service
from bot.settings import all_keys, dotted
from bot.store import backups
from tests.conftest import ROOT, Talk
from tests.web.test_metrics import page_of

NAMED_TESTS = sorted(
    set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8")))
)


@pytest.mark.parametrize(("file", "name"), NAMED_TESTS, ids=[name for _, name in NAMED_TESTS])
def test_each_threat_has_the_test_that_it_names(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_of_the_table_names_a_test() -> None:
    rows = re.findall(r"^\| ([STRIDE]) \|.*$", (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == set("STRIDE")
    assert len(NAMED_TESTS) >= len(rows)


async def shown(service: Service, talk: Talk) -> set[str]:
    """Every name of a figure that `/metrics` shows, or would once something happened."""
    await talk.say("quên mật khẩu thì làm sao")
    await service.store.write(lambda tx: backups.note(tx, made_at=stamp(service.clock()), file="a.db", size=1))
    families = {family.name for family in text_string_to_metric_families(await page_of(service))}
    waiting = {count.name for count in Metrics().counts()}
    names = families | waiting | {timing.name for timing in Metrics().timings()}
    return names | {f"{name}{suffix}" for name in names for suffix in ("_total", "_bucket", "_sum", "_count")}


async def test_every_figure_of_the_alerts_and_of_the_page_on_operations_exists(service: Service, talk: Talk) -> None:
    names = await shown(service, talk)
    rules = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) >= 10
    for alert in alerts:
        used = set(re.findall(r"\bbot_\w+", alert["expr"]))
        assert used <= names, alert["alert"]
        assert used or "up{" in alert["expr"]
        assert {"summary", "action"} == set(alert["annotations"]), alert["alert"]
        for figure in re.findall(r"\bbot_\w+", " ".join(alert["annotations"].values())):
            assert figure in names, alert["alert"]
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(bot_\w+)`", page)) <= names


def test_every_setting_that_a_document_names_exists() -> None:
    keys = {dotted(key) for key in all_keys()}
    sections = {key.partition(".")[0] for key in keys}
    for path in (ROOT / "docs/operations.md", ROOT / "THREAT_MODEL.md"):
        for name in re.findall(r"`([a-z_]+\.[a-z_.]+)`", path.read_text(encoding="utf-8")):
            if name.partition(".")[0] in sections:
                assert name in keys, f"{path.name}: {name}"


def test_every_command_and_file_that_the_page_on_reliability_names_exists() -> None:
    page = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"`make ([a-z-]+)", page))
    assert {"fuzz", "bench-soak"} <= targets
    for target in targets:
        assert f"\n{target}: " in makefile, target
    files = set(re.findall(r"tests/[\w/]+\.py", page))
    assert len(files) >= 10
    for file in files:
        assert (ROOT / file).exists(), file


@pytest.mark.parametrize("name", ["Containerfile", "compose.yaml"])
def test_what_was_never_run_says_so(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    assert text.startswith("# UNTESTED")
    assert "UNTESTED" in text.splitlines()[0]
    for source in re.findall(r"^COPY (\S+) ", text, re.MULTILINE):
        assert (ROOT / source).exists(), source


LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
VIETNAMESE = sorted([ROOT / "README.vi.md", *(ROOT / "docs").glob("*.vi.md")])


@pytest.mark.parametrize("page", VIETNAMESE, ids=lambda page: page.name)
def test_vietnamese_pages_lead_to_vietnamese_pages(page: Path) -> None:
    """Each page may name its own English twin once; privacy.md is Vietnamese as a whole."""
    text = page.read_text(encoding="utf-8")
    twin = page.name.replace(".vi.md", ".md")
    leads = [link for link in LINK.findall(text) if link.endswith(".md") and "://" not in link]
    others = [link for link in leads if not link.endswith(".vi.md") and Path(link).name not in (twin, "privacy.md")]
    assert [link for link in others if "gallery" not in link] == []
    assert [link for link in leads if not (page.parent / link).exists()] == []
