"""Calls of the Bot Platform's methods; the token stands in their address, so that none is ever shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.zalo.errors import UNAUTHORISED, bot_code
from bot.channels.zalo.transport import ApiResponse, ZaloTransport

_SENDING_CONNECTIONS = 16
_POLL_MARGIN = 10  # seconds that a poll may take longer than was asked for


class TokenRefusedError(Exception):
    """The token is wrong, or was reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZaloBotConnection:
    """How to reach the platform, and how it reaches the bot: it polls, or is called at `hook_url`."""

    token: str
    api_base: str
    polls: bool = True
    hook_url: str = ""
    hook_secret: str = ""
    poll_seconds: int = 30
    answer_seconds: float = 15.0
    mentioned_as: str = ""

    @property
    def account(self) -> str:
        """The bot's number, which stays when its token is reset."""
        return self.token.partition(":")[0]

    def url(self, method: str) -> str:
        """Return the address of a method; the base may end with /bot or not."""
        base = self.api_base.rstrip("/").removesuffix("/bot")
        return f"{base}/bot{self.token}/{method}"


class ZaloBotApi:
    """The platform's methods over two pools, so that no poll holds a message up."""

    def __init__(self, connection: ZaloBotConnection) -> None:
        """Open nothing yet."""
        self._connection = connection
        self._polling = ZaloTransport(connections=1, seconds=connection.poll_seconds + _POLL_MARGIN)
        self._sending = ZaloTransport(connections=_SENDING_CONNECTIONS, seconds=connection.answer_seconds)

    async def call(self, method: str, asked: Mapping[str, Any]) -> ApiResponse:
        """Call a method; raises CallError, TokenRefusedError."""
        return await self._post(self._sending, method, asked)

    async def poll(self) -> ApiResponse:
        """Ask for the next update, and wait as long as the platform likes; raises CallError, TokenRefusedError."""
        return await self._post(self._polling, "getUpdates", {"timeout": self._connection.poll_seconds})

    async def close(self) -> None:
        """Let go of the connections."""
        await self._polling.close()
        await self._sending.close()

    async def _post(self, transport: ZaloTransport, method: str, asked: Mapping[str, Any]) -> ApiResponse:
        answer = await transport.post(self._connection.url(method), json=asked)
        if bot_code(answer) == UNAUTHORISED:
            raise TokenRefusedError
        return answer
