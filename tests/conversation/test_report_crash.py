"""kill -9 at any point of a citizen's walk: nothing that was confirmed is lost, nothing is done twice."""

from __future__ import annotations

import http.client
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from bot.library.knowledge import Knowledge
from tests.conftest import copy_learned
from tests.support.processes import RunningBot, running_bot

# What the citizen sends, and what must stand in the answer.
WALK: tuple[tuple[dict[str, str], str], ...] = (
    ({"text": "/start"}, "trợ lý tự động"),
    ({"text": "cai tren may samsung"}, "CH Play"),
    ({"text": "/baocai"}, "Nếu bạn đồng ý"),
    ({"choice": "report:agree"}, "Bạn sống ở huyện"),
    ({"text": "vinh tuong"}, "huyện Vĩnh Tường"),
    ({"text": "/suabaocai"}, "huyện Vĩnh Tường"),
    ({"choice": "report:correct"}, "Bạn sống ở huyện"),
    ({"text": "yen lac"}, "huyện Yên Lạc"),
    ({"text": "/dulieu"}, "huyện Yên Lạc"),
    ({"choice": "privacy:erase"}, "đã được xóa lúc"),
)
HISTORY_BEFORE_ERASURE = [("reported", "vinh-tuong"), ("corrected", "yen-lac")]


class Citizen:
    """A browser as far as the protocol goes: one cookie, own message ids, repeats what got no answer."""

    def __init__(self, bot: RunningBot) -> None:
        self._bot = bot
        self._headers = {"Content-Type": "application/json"}
        cookie, _ = self._request("GET", "/", None)
        self._headers["Cookie"] = cookie.partition(";")[0]

    def send(self, number: int, after_sending: Callable[[], None] | None = None) -> str:
        """Send message `number` of the walk; `after_sending` runs between request and answer."""
        body = json.dumps({"id": f"message-{number:04}", **WALK[number][0]})
        _, answer = self._request("POST", "/api/chat", body, after_sending)
        return "\n".join(reply["text"] for reply in json.loads(answer)["replies"])

    def _request(
        self, method: str, path: str, body: str | None, after_sending: Callable[[], None] | None = None
    ) -> tuple[str, bytes]:
        with closing(HTTPConnection("127.0.0.1", self._bot.port, timeout=20)) as connection:
            connection.request(method, path, body, self._headers)
            if after_sending is not None:
                after_sending()
            with connection.getresponse() as response:
                return response.getheader("Set-Cookie", ""), response.read()


@pytest.fixture
def bot(tmp_path: Path, knowledge: Knowledge) -> Iterator[RunningBot]:
    copy_learned(tmp_path)
    with running_bot(tmp_path) as running:
        yield running


def stored(tmp_path: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(tmp_path / "bot.db")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("moment", ["while it is answered", "after the answer"])
def test_killed_at_each_of_ten_points(bot: RunningBot, tmp_path: Path, moment: str) -> None:
    citizen = Citizen(bot)
    for number, (_, expected) in enumerate(WALK):
        if moment == "after the answer":
            assert expected in citizen.send(number)
            bot.kill()
            bot.start()
            # The browser that lost the connection right then asks again, and gets the same.
            assert expected in citizen.send(number)
        else:
            try:
                answered = citizen.send(number, after_sending=bot.kill)
            except (OSError, http.client.HTTPException):
                bot.start()
                answered = citizen.send(number)
            else:
                bot.start()
            assert expected in answered
        if number == len(WALK) - 2:
            history = stored(tmp_path, "SELECT change, district FROM report_history ORDER BY id")
            assert history == HISTORY_BEFORE_ERASURE
            assert stored(tmp_path, "SELECT district FROM reports") == [("yen-lac",)]
            assert len(stored(tmp_path, "SELECT id FROM questions")) == 1
    for table in ("people", "reports", "report_history", "questions", "dialogs", "consents"):
        assert stored(tmp_path, f"SELECT * FROM {table}") == [], table


def test_an_orderly_stop_ends_well(bot: RunningBot) -> None:
    Citizen(bot).send(0)
    assert bot.stop() == 0
