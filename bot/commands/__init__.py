"""The commands of `python -m bot`, one file for each matter."""

from __future__ import annotations
