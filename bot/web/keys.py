"""What the application carries for its handlers, typed."""

from __future__ import annotations

from collections import Counter

import jinja2
from aiohttp import web

from bot.channels.rate_limit import Buckets
from bot.runtime.build import Service

SERVICE: web.AppKey[Service] = web.AppKey("service", Service)
TEMPLATES: web.AppKey[jinja2.Environment] = web.AppKey("templates", jinja2.Environment)
NEW_SESSIONS: web.AppKey[Buckets] = web.AppKey("new_sessions", Buckets)
ALL_MESSAGES: web.AppKey[Buckets] = web.AppKey("all_messages", Buckets)
LISTENERS: web.AppKey[Counter[str]] = web.AppKey("listeners", Counter)
