"""Channels: each speaks one platform's wire format, which stops and starts in its file."""

from __future__ import annotations

from bot.channels.protocol import Channel, Receive, Ticket

__all__ = ["Channel", "Receive", "Ticket"]
