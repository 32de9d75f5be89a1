"""python-telegram-bot's methods, and the two that are called all the time on a shorter way."""

from __future__ import annotations

from typing import Any, cast

from telegram import Bot

from bot.channels.telegram.http import TelegramTransport
from bot.channels.telegram.updates import KINDS

_BATCH = 100


class ApiBot(Bot):
    """A bot whose updates stay plain data, and whose texts may come as finished JSON."""

    __slots__ = ()

    async def updates(self, *, offset: int | None, seconds: int) -> list[dict[str, Any]]:
        """Wait for updates from `offset` on, which confirms all before it."""
        asked = {"offset": offset, "limit": _BATCH, "timeout": seconds, "allowed_updates": KINDS}
        found: list[dict[str, Any]] = await self._post("getUpdates", asked, read_timeout=seconds + 10)
        return found

    async def say(self, chat: int, body: bytes) -> object:
        """Send a text; `body` is the end of a JSON object that says everything but the chat."""
        transport = cast(TelegramTransport, self.request)
        return await transport.ask(f"{self.base_url}/sendMessage", b'{"chat_id":%d,' % chat + body)
