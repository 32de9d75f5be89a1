"""A new consent for the Official Account, from the terminal."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.channels.zalo.oa.tokens import challenge_of, verifier_of
from bot.errors import BotError
from bot.store import credentials, open_store
from tests.fakes.zalo_oa import APP_ID, APP_SECRET, FakeZaloOA, running_zalo_oa

SECRET = "the-bots-own-secret"
VERIFIER = verifier_of(SECRET.encode(), APP_ID)
CODE = "code-for-" + hashlib.sha256(VERIFIER.encode()).hexdigest()


@pytest.fixture
async def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeZaloOA]:
    async with running_zalo_oa() as running:
        for name, value in {
            "SECRET": SECRET,
            "DATABASE": f"sqlite:///{tmp_path / 'bot.db'}",
            "ZALO_OA__API_BASE": running.url,
            "ZALO_OA__OAUTH_BASE": running.url,
            "ZALO_OA__APP_ID": APP_ID,
            "ZALO_OA__APP_SECRET": APP_SECRET,
            "WEB__PUBLIC_URL": "https://bot.example.vn",
        }.items():
            monkeypatch.setenv(f"BOT_{name}", value)
        yield running


async def run(*arguments: str, typed: str = "") -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ["zalo-oa", *arguments], input=typed)


async def stored(tmp_path: Path) -> tuple[str, str] | None:
    store = open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    row = await store.read(lambda tx: credentials.find(tx, "zalo_oa"))
    await store.close()
    return None if row is None else (row["access"], row["refresh"])


@pytest.mark.parametrize("paste", ["{code}", "https://bot.example.vn/?oa_id=2&code={code}&state=x", "  {code} "])
async def test_the_pasted_code_becomes_keys(fake: FakeZaloOA, tmp_path: Path, paste: str) -> None:
    done = await run("login", typed=paste.format(code=CODE) + "\n")
    assert done.exit_code == 0, done.output
    assert await stored(tmp_path) == (fake.access, fake.refresh)
    link = re.search(r"http\S+/v4/oa/permission\S+", done.output)
    assert link is not None
    asked = parse_qs(urlsplit(link[0]).query)
    assert asked["code_challenge"] == [challenge_of(VERIFIER)]
    assert asked["redirect_uri"] == ["https://bot.example.vn"]
    for secret in (fake.access, fake.refresh, VERIFIER, APP_SECRET):
        assert secret not in done.output


def test_the_verifier_is_what_zalo_wants() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", VERIFIER)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge_of(VERIFIER))


async def test_a_wrong_code_changes_nothing(fake: FakeZaloOA, tmp_path: Path) -> None:
    await run("login", "--code", CODE)
    before = await stored(tmp_path)
    refused = await run("login", "--code", "another-code")
    assert isinstance(refused.exception, BotError)
    assert "-14003" in str(refused.exception)
    nothing = await run("login", typed="https://bot.example.vn/?error=1\n")
    assert isinstance(nothing.exception, BotError)
    assert await stored(tmp_path) == before


async def test_without_the_apps_secrets_it_says_which(fake: FakeZaloOA, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOT_ZALO_OA__APP_SECRET")
    done = await run("login")
    assert "BOT_ZALO_OA__APP_ID and BOT_ZALO_OA__APP_SECRET" in str(done.exception)
