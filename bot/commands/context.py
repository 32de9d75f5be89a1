"""What all commands share: settings, routes, and errors as one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot import clock
from bot.clock import local_day
from bot.settings import Settings, load_settings
from bot.store import Store, open_store

if TYPE_CHECKING:  # it leads to nearly everything, which few commands need
    from bot.conversation.context import Route

Result = TypeVar("Result")


@dataclass
class CommandContext:
    """Settings read on demand, so that `--help` works with a broken config.yaml; routes, where a command needs them."""

    config: Path | None
    read_routes: Callable[[], Sequence[Route]]

    @cached_property
    def routes(self) -> Sequence[Route]:
        """What the bot does for people."""
        return self.read_routes()

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises SettingsError."""
        return load_settings(self.config)

    def today(self) -> date:
        """Return today where the citizens live."""
        return local_day(clock.now(), self.settings.zone)

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """Open the records for one command."""
        store = open_store(self.settings.database)
        try:
            yield store
        finally:
            await store.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end."""
        return asyncio.run(work)


pass_context = click.make_pass_decorator(CommandContext)


def day(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    """Turn click's DateTime into a day."""
    return value.date() if value else None


DAY = click.DateTime(["%Y-%m-%d"])
