"""What citizens and officers know each channel as; in English where that needs translation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.i18n.catalogue import mark

CHANNEL_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "webchat": mark("web chat"),
        "telegram": "Telegram",
        "zalo_oa": mark("Zalo"),
        "zalo_bot": mark("Zalo (bot)"),
        "console": mark("terminal"),
    }
)
