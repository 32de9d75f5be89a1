"""What `deploy/` and the page on operations name exists: files, commands, settings, addresses. No engine runs here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Context

from bot.__main__ import main
from bot.settings import Settings, all_keys, load_settings, secret_keys
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
PAGE = ROOT / "docs" / "operations.md"
VARIABLES = {"BOT_" + "__".join(key).upper() for key in (*all_keys(), *secret_keys())} | {"BOT_CONFIG"}
COMPOSE, POSTGRES = (
    yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8")) for name in ("compose.yaml", "compose.postgres.yaml")
)
PASSWORD = "a1b2c3"


def laid_over(below: Any, above: Any) -> Any:
    """Merge as compose does as far as these files go: mappings by key, lists one after the other."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        return {key: laid_over(below.get(key), above.get(key)) for key in (*below, *(set(above) - set(below)))}
    if isinstance(below, list) and isinstance(above, list):
        return below + above
    return below if above is None else above


STACKS: dict[str, dict[str, Any]] = {"sqlite": COMPOSE, "postgresql": laid_over(COMPOSE, POSTGRES)}


@pytest.mark.parametrize("path", [*FILES, PAGE], ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    named = set(re.findall(r"\bBOT_[A-Z][A-Z0-9_]*[A-Z0-9]", path.read_text(encoding="utf-8")))
    assert named <= VARIABLES


@pytest.mark.parametrize("path", [*FILES, PAGE], ids=lambda path: path.name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('", "', " ")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"python -m bot ([a-z][\w-]*)", text)) <= set(main.list_commands(Context(main)))
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert f"\n{target}:" in makefile, target


@pytest.mark.parametrize("path", [*FILES, PAGE], ids=lambda path: path.name)
def test_every_file_that_is_named_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    linked = [path.parent / name for name in re.findall(r"\]\(([\w./-]+)(?:#[\w-]*)?\)", text)]
    named = [ROOT / name for name in re.findall(r"(?<![\w/.])(?:deploy|docs|tests|bench)/[\w/.-]*\w\.\w+", text)]
    made_by_the_operator = {DEPLOY / "bot.env"}
    assert [str(found) for found in [*linked, *named] if not found.exists() and found not in made_by_the_operator] == []


def test_every_heading_that_the_page_leads_to_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {re.sub(r"[^\w-]", "", line.lower().replace(" ", "-")) for line in re.findall(r"^#+ (.+)$", text, re.M)}
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) <= headings


@pytest.mark.parametrize("engine", STACKS)
def test_a_compose_file_names_only_what_it_has(engine: str) -> None:
    stack = STACKS[engine]
    services, volumes = stack["services"], set(stack["volumes"])
    for name, service in services.items():
        mounted = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert mounted <= volumes, name
        assert set(service.get("depends_on", ())) <= set(services), name
        for other, wanted in service.get("depends_on", {}).items():
            assert wanted == {"condition": "service_healthy"}
            assert "healthcheck" in services[other]
        assert "build" in service or "image" in service, name
    build = services["bot"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    assert services["bot"]["ports"] == [f"127.0.0.1:{Settings().web.port}:{Settings().web.port}"]


def test_the_bot_finds_the_database_and_a_folder_that_may_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the stack with PostgreSQL are taken by the bot, and fit what stands beside it."""
    bot, postgres = (STACKS["postgresql"]["services"][name] for name in ("bot", "postgres"))
    for name, value in bot["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", PASSWORD, value))
    settings = load_settings(ROOT / "config.yaml")
    made = postgres["environment"]
    assert settings.database == f"postgresql://{made['POSTGRES_USER']}:{PASSWORD}@postgres/{made['POSTGRES_DB']}"
    assert made["POSTGRES_PASSWORD"] in bot["environment"]["BOT_DATABASE"]
    (folder,) = [volume.partition(":")[2] for volume in bot["volumes"]]
    assert bot["read_only"]
    assert os.fspath(settings.data_folder) == folder
    assert f"VOLUME {folder}\n" in (DEPLOY / "Containerfile").read_text(encoding="utf-8")


def test_the_container_keeps_its_sqlite_file_where_it_may_write() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    (database,) = re.findall(r"BOT_DATABASE=sqlite:///(\S+)", text)
    (folder,) = re.findall(r"^VOLUME (\S+)$", text, re.MULTILINE)
    assert Path(database).parent == Path(folder)
    assert f"EXPOSE {Settings().web.port}" in text


def test_proxies_let_through_what_the_bot_takes_and_nothing_of_its_own() -> None:
    """A proxy that takes less would refuse a message for which the bot has a sentence."""
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    (size,) = re.findall(r"client_max_body_size (\d+)k;", nginx)
    (limit,) = re.findall(r"max_size (\d+)KiB", caddy)
    assert int(size) * 1024 == int(limit) * 1024 == Settings().web.largest_body
    addresses = set(re.findall(r"127\.0\.0\.1:\d+", nginx + caddy + (DEPLOY / "so-suc-khoe-bot.socket").read_text()))
    assert addresses == {f"127.0.0.1:{Settings().web.port}"}
    for private in ("metrics", "readyz"):
        assert re.search(rf"location ~ \^/\([^)]*{private}[^)]*\)\$ \{{[^}}]*deny all;", nginx), private
        assert f"/{private}" in next(line for line in caddy.splitlines() if "@private path" in line)


def test_no_proxy_writes_down_what_opens_a_door() -> None:
    """One-time links carry their key in the query; Caddy writes no log of requests unless told to."""
    nginx, caddy = (DEPLOY / "nginx.conf").read_text(), (DEPLOY / "Caddyfile").read_text()
    formats = dict(re.findall(r"^log_format (\w+) '([^']*)';", nginx, re.MULTILINE))
    logs = re.findall(r"access_log (\S+?)(?: (\w+))?;", nginx)
    assert re.search(r"^    access_log ", nginx, re.MULTILINE)  # for the whole server
    for target, name in logs:
        written = set(re.findall(r"\$\w+", formats[name])) if target != "off" else set()
        assert not written & {"$request", "$request_uri", "$args", "$query_string", "$http_referer"}
    assert not re.search(r"^\s*log\b", caddy, re.MULTILINE)


STOP_SECONDS = 10  # what a stop may take, as the page on operations promises


def test_whoever_ends_the_bot_waits_for_it() -> None:
    unit = (DEPLOY / "so-suc-khoe-bot.service").read_text(encoding="utf-8")
    assert f"at most {STOP_SECONDS} s" in PAGE.read_text(encoding="utf-8")
    for stack in STACKS.values():
        assert int(stack["services"]["bot"]["stop_grace_period"].removesuffix("s")) > STOP_SECONDS
    assert int(re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[0]) > STOP_SECONDS


def test_what_was_never_run_says_so() -> None:
    text = (DEPLOY / "compose.postgres.yaml").read_text(encoding="utf-8")
    assert text.startswith("# UNTESTED: no container engine was at hand")
