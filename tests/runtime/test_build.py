"""What opening the bot leaves behind, and what it does by itself while it runs."""

from __future__ import annotations

import stat

from bot.runtime.build import SECRET_FILE
from bot.settings import Settings
from tests.conftest import OpenBot


async def test_the_bots_own_secret_is_made_once_and_is_its_owners_alone(open_bot: OpenBot, settings: Settings) -> None:
    path = settings.data_folder / SECRET_FILE
    async with open_bot() as first:
        made = first.secret
        assert len(made) == 64
        assert path.read_bytes() == made
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with open_bot() as second:
        assert second.secret == made
    assert [entry.name for entry in settings.data_folder.iterdir() if entry.name.startswith("tmp")] == []


async def test_two_bots_that_start_together_agree_on_the_secret(open_bot: OpenBot) -> None:
    async with open_bot() as one, open_bot() as other:
        assert one.secret == other.secret


async def test_closing_leaves_one_tidy_file(open_bot: OpenBot, settings: Settings) -> None:
    async with open_bot() as service:
        await service.sweep()
    assert not list(settings.data_folder.glob("bot.db-*"))
