"""HTTP: web chat, health; later webhooks and the desk."""

from __future__ import annotations
