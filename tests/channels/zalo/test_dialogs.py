"""The walks of every channel, over both Zalo fakes: numbers in the place of buttons."""

from __future__ import annotations

import pytest

from bot.settings import Settings
from tests.conftest import FrozenClock
from tests.handlers.test_dialogs import DIALOGS
from tests.support.zalo_walk import Taken, walking

CHANNELS = ("zalo_bot", "zalo_oa")
# Zalo's Bot Platform has no buttons that could be forged; the Official Account has, as texts.
WITHOUT_BUTTONS = "a forged or stale button"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    return Taken(monkeypatch)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_every_dialog_by_numbers(channel: str, settings: Settings, clock: FrozenClock, taken: Taken) -> None:
    async with walking(channel, settings, clock, taken) as walker:
        for citizen, (name, table) in enumerate(DIALOGS.items()):
            if channel == "zalo_bot" and name == WITHOUT_BUTTONS:
                continue
            walker.address, walker.read = f"{1000 + citizen:020}", 0
            for said, expected in table:
                walker.fake.now_ms = int(clock().timestamp() * 1000)
                if said.startswith("[!"):
                    answer = await walker.say(f"#chon:{said[2:]}")
                elif said.startswith("["):
                    answer = await walker.choose(said[1:])
                else:
                    answer = await walker.say(said)
                assert expected in answer, f"{name}: {said!r} → {answer!r}"
