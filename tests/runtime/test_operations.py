"""The bot as its operator handles it: asked to stop, to read its settings again, to go on where another listened."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import aiohttp
import pytest
import yaml

from bot.library.knowledge import Knowledge
from bot.runtime.build import Service
from bot.runtime.telegram_factory import TELEGRAM_HOOK
from bot.settings import can_change, load_settings
from tests.channels.telegram.test_crash import OFF
from tests.conftest import ROOT, Talk, copy_learned
from tests.fakes.telegram import TOKEN, FakeTelegram, running_telegram, until
from tests.support.leak_check import told
from tests.support.processes import RunningBot

STOP_SECONDS = 10.0
SENT = 400


@pytest.fixture
def data(tmp_path: Path, knowledge: Knowledge) -> Path:
    copy_learned(tmp_path)
    return tmp_path


async def test_a_stop_under_load_loses_nothing_and_takes_less_than_ten_seconds(data: Path) -> None:
    """Updates come in without a pause while the bot is told to stop; Telegram answers slowly."""
    async with running_telegram() as fake:
        bot = RunningBot(
            data,
            BOT_TELEGRAM__TOKEN=TOKEN,
            BOT_TELEGRAM__API_BASE=fake.api_base,
            BOT_TELEGRAM__MODE="webhook",
            BOT_WEB__PUBLIC_URL="http://127.0.0.1:1",
            **OFF,
        )
        fake.slow = 0.2
        await asyncio.to_thread(bot.start)
        await until(lambda: bool(fake.webhook), seconds=20)
        confirmed: list[int] = []
        pushing = asyncio.create_task(_push(fake, bot, confirmed))
        await until(lambda: len(confirmed) >= SENT // 4, seconds=30, every=0.005)
        begun = time.monotonic()
        assert await asyncio.to_thread(bot.stop) == 0
        assert time.monotonic() - begun < STOP_SECONDS
        await pushing
        assert len(confirmed) < SENT  # it was stopped in the middle of them
        fake.slow = 0.0
        await asyncio.to_thread(bot.start)
        try:
            await until(lambda: {call.chat for call in fake.delivered} >= set(confirmed), seconds=30)
        finally:
            await asyncio.to_thread(bot.stop)
        said = [call.chat for call in fake.delivered]
        assert set(said) == set(confirmed)  # who was not confirmed is not answered either: Telegram brings it again
        # An answer whose confirmation was cut off is sent once more; nothing else is.
        assert len(said) - len(set(said)) <= 32


async def _push(fake: FakeTelegram, bot: RunningBot, confirmed: list[int]) -> None:
    """Bring one update after another, and keep those that were taken, until nobody listens any more."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": str(fake.webhook["secret_token"])}
    async with aiohttp.ClientSession(headers=headers) as session:
        for number in range(SENT):
            chat = 10_000 + number
            update = {"update_id": number, "message": {**fake.message(chat), "text": "/menu"}}
            try:
                async with session.post(bot.url + TELEGRAM_HOOK, json=update) as response:
                    if response.status == 200:
                        confirmed.append(chat)
                    elif response.status == 503:
                        return
            except aiohttp.ClientError:
                return


@pytest.fixture
def configured(data: Path) -> Iterator[tuple[RunningBot, Path]]:
    """A bot with a settings file of its own."""
    config = data / "config.yaml"
    config.write_text((ROOT / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    bot = RunningBot(data, BOT_CONFIG=str(config))
    bot.start()
    yield bot, config
    bot.stop()


def test_settings_are_read_again_on_a_signal_and_broken_ones_change_nothing(
    configured: tuple[RunningBot, Path],
) -> None:
    bot, config = configured
    whole = config.read_text(encoding="utf-8")

    def tell(text: str) -> None:
        config.write_text(text, encoding="utf-8")
        os.kill(bot.pid, signal.SIGHUP)

    tell(whole.replace("person_per_minute: 30", "person_per_minute: thirty"))
    assert "limits.person_per_minute" in bot.wait_for("settings kept as they were")
    tell(whole.replace("person_per_minute: 30", "person_per_minute: 2").replace("idle_seconds: 75", "idle_seconds: 30"))
    assert "web.idle_seconds" in bot.wait_for("setting needs a restart")
    assert "limits.person_per_minute" in bot.wait_for("settings read again")
    statuses, cookie = [], ""
    for _ in range(3):
        status, cookie = _say(bot, cookie)
        statuses.append(status)
    assert statuses == [200, 200, 429]


def _say(bot: RunningBot, cookie: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", bot.port, timeout=20)
    headers = {"Content-Type": "application/json", **({"Cookie": cookie} if cookie else {})}
    connection.request("POST", "/api/chat", json.dumps({"text": "/menu"}), headers)
    response = connection.getresponse()
    response.read()
    new = response.getheader("Set-Cookie", "").partition(";")[0]
    connection.close()
    return response.status, new or cookie


def _take_over(listening: socket.socket, data: Path) -> subprocess.Popen[str]:
    """Start a bot with a socket that listens already, as systemd does with a .socket unit."""
    code = (
        "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); os.dup2(int(sys.argv[1]), 3); "
        "os.execv(sys.executable, [sys.executable, '-m', 'bot', 'run'])"
    )
    database = f"sqlite:///{data / 'bot.db'}"
    return subprocess.Popen(
        [sys.executable, "-c", code, str(listening.fileno())],
        cwd=ROOT,
        env={**os.environ, "BOT_DATABASE": database, "LISTEN_FDS": "1", **OFF},
        pass_fds=(listening.fileno(), 3),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def test_a_socket_that_outlives_the_process_refuses_nobody(data: Path) -> None:
    """People write all the time: before any process runs, while it does, and while one ends and the next begins."""
    answered, slowest, over = 0, 0.0, asyncio.Event()

    async def write(url: str) -> None:
        nonlocal answered, slowest
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar, connector=aiohttp.TCPConnector(force_close=True)) as browser:
            body, begun = {"text": "/menu", "id": uuid.uuid4().hex}, time.monotonic()
            while not over.is_set():
                async with browser.post(f"{url}/api/chat", json=body) as response:
                    assert response.status == 200
                    assert (await response.json())["replies"]
                answered, slowest = answered + 1, max(slowest, time.monotonic() - begun)
                body, begun = {"text": "/menu", "id": uuid.uuid4().hex}, time.monotonic()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        writing = asyncio.gather(*(write(f"http://127.0.0.1:{listening.getsockname()[1]}") for _ in range(4)))
        for life in range(1, 3):
            process, slowest = _take_over(listening, data), 0.0
            try:
                await until(lambda life=life: answered > 100 * life or writing.done(), seconds=60)  # type: ignore[misc]
                if life == 2:
                    over.set()
                    await writing
            finally:
                process.send_signal(signal.SIGTERM)
                said, _ = await asyncio.to_thread(process.communicate, timeout=20)
            assert process.returncode == 0
            assert "Web chat" in said
            assert told(said) == []
    assert slowest > 0.2  # somebody did wait for the second process


async def test_what_takes_effect_while_running(service: Service, talk: Talk, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    config["limits"]["longest_text"] = 100
    config["privacy"]["question_days"] = 30
    config["web"]["port"] = 9
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    new = load_settings(path)
    new = new.model_copy(update={"database": service.settings.database, "data": service.settings.data})
    taken, waiting = service.take_settings(new)
    assert {"limits.longest_text", "privacy.question_days"} <= set(taken)
    assert waiting == ["web.port"]
    assert service.settings.privacy.question_days == 30
    assert service.settings.web.port == 8080
    assert "nhiều nhất 100 ký tự" in await talk.say("x" * 101)


CHANGE: list[tuple[str, bool]] = [
    ("limits.person_per_minute", True),
    ("limits.telegram.bulk_per_second", True),
    ("privacy.question_days", True),
    ("operator.work_from", True),
    ("log.level", True),
    ("operator.name.vi", False),
    ("log.format", False),
    ("limitsless", False),
    ("telegram.token", False),
    ("reminders.quiet_from", False),
    ("database", False),
]


@pytest.mark.parametrize(("key", "changes"), CHANGE, ids=[key for key, _ in CHANGE])
def test_which_settings_need_a_restart(key: str, changes: bool) -> None:
    assert can_change(key) is changes


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not at hand")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """As they are, but for a program and a user that exist here."""
    for name in ("so-suc-khoe-bot.service", "so-suc-khoe-bot.socket"):
        unit = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        unit = re.sub("^ExecStart=.*", f"ExecStart={sys.executable}", unit, flags=re.MULTILINE)
        unit = re.sub("^(User|Group)=.*", r"\1=root", unit, flags=re.MULTILINE)
        (tmp_path / name).write_text(unit, encoding="utf-8")
    looked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "so-suc-khoe-bot.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (looked.returncode, looked.stderr) == (0, "")
