"""What no line of a log, no stream and no error may hold: keys, and whatever citizens are, are called and say.

Keys and names are listed here. Addresses and sentences are gathered as they come in, from every channel, during each
test (`Overheard`), and from the records of bots in processes of their own (`of_records`), so that a new test is watched
without further ado.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from aiohttp import web

from bot.errors import BotError
from bot.message import IncomingMessage
from tests.fakes import telegram, zalo_bot, zalo_oa
from tests.support.engines import Engine

# What the fake platforms, their settings and payloads use; each is known to no one.
HOOK_SECRETS = {
    "telegram": "a-secret-that-only-Telegram-was-told",
    "zalo_bot": "zalo-hook-secret-0001",
}
KEYS = (
    telegram.TOKEN.partition(":")[2],
    zalo_bot.TOKEN.partition(":")[2],
    zalo_oa.APP_SECRET,
    zalo_oa.OA_SECRET,
    "FAKE_REFRESH_",
    "FAKE_ACCESS_",
    *HOOK_SECRETS.values(),
)
NAMES = ("Nguyễn Thị Mẫu", "Nguyễn Văn A")
PHONES = re.compile(r"(?<!\d)(?:0912345678|0987654321|84912345678)(?!\d)")
_SHORTEST_ADDRESS, _SHORTEST_SENTENCE, _MOST = 7, 9, 5_000
_SECRET_SETTING = re.compile(r"BOT_(?:SECRET|\w+__(?:TOKEN|\w*SECRET|REFRESH_TOKEN))$")


@dataclass
class Overheard:
    """Addresses and sentences that came in, and what was answered where no such thing belongs."""

    addresses: set[str] = field(default_factory=set)
    sentences: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)

    def listen(self, message: IncomingMessage) -> None:
        """Remember who said what."""
        if len(self.addresses) + len(self.sentences) > _MOST:
            return
        address, text = message.person.address, message.text.strip()
        if len(address) >= _SHORTEST_ADDRESS:
            self.addresses.add(address)
        if len(text) >= _SHORTEST_SENTENCE and not text.startswith("/"):
            self.sentences.add(text)

    def read(self, request: web.Request, response: web.StreamResponse) -> None:
        """Keep a refusal of the bot's web server, and its figures by their names and labels."""
        shows_figures = request.path == "/metrics"
        if not isinstance(response, web.Response) or not (shows_figures or response.status >= 400):
            return
        lines = (response.text or "").splitlines()
        self.answers += [line.rpartition(" ")[0] for line in lines] if shows_figures else lines

    def told(self, said: str) -> list[str]:
        """List what a text tells of them, by kind."""
        return [
            f"{kind} {value!r}"
            for kind, values in (("an address", self.addresses), ("a sentence", self.sentences))
            for value in values
            if value in said
        ]


def told(said: str, keys: Iterable[str] = ()) -> list[str]:
    """List the kinds of keys, names and numbers that a text tells; the keys themselves are not repeated."""
    found = [f"a key ({key[:4]}…)" for key in (*KEYS, *keys) if key and key in said]
    found += [f"a name ({name})" for name in NAMES if name in said]
    return found + (["a phone number"] if PHONES.search(said) else [])


def keys_in(environment: Mapping[str, str]) -> list[str]:
    """Return the secrets that a process was given."""
    return [
        value.partition(":")[2] or value
        for name, value in environment.items()
        if _SECRET_SETTING.search(name) and value
    ]


def of_records(url: str) -> Overheard:
    """Return who and what stands in the records of a bot, as far as they can be read."""
    heard = Overheard()
    engine = Engine("sqlite" if url.startswith("sqlite") else "postgresql", url)
    with suppress(OSError, psycopg.Error, BotError, sqlite3.Error):
        for (address,) in engine.rows("SELECT address FROM people UNION SELECT address FROM inbox"):
            if len(address) >= _SHORTEST_ADDRESS:
                heard.addresses.add(address)
        for (text,) in engine.rows("SELECT text FROM questions"):
            if len(text) >= _SHORTEST_SENTENCE:
                heard.sentences.add(text)
    return heard
