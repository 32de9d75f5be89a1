"""The machine: what a message is, how it arrives, is answered, is stored and is sent."""

from __future__ import annotations

__version__ = "0.1.0"
