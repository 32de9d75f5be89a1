"""Pictures for platforms that fetch them from us: each under an address nobody can guess, for some hours."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta

from bot.clock import Clock, stamp
from bot.store import Store, pictures

ROUTE = "/pictures/"
_MOST_KNOWN = 200
_PNG, _JPEG = "image/png", "image/jpeg"


class MediaStore:
    """Keeps pictures where the world can fetch them, several times each, until they expire."""

    def __init__(self, store: Store, *, public_url: str, hours: float, clock: Clock) -> None:
        self._store, self._public_url, self._clock = store, public_url, clock
        self._lifetime = timedelta(hours=hours)
        self._known: OrderedDict[str, tuple[str, datetime]] = OrderedDict()  # digest → key, when it was kept

    async def address_of(self, content: bytes) -> str:
        """Return a public address of a picture; empty when the bot has none. Raises StoreError."""
        if not self._public_url:
            return ""
        digest, now = hashlib.sha256(content).hexdigest(), self._clock()
        key, kept_at = self._known.get(digest, ("", now))
        if not key or now - kept_at > self._lifetime / 2:
            key = secrets.token_urlsafe(24)
            media_type = _JPEG if content.startswith(b"\xff\xd8") else _PNG
            expires_at = stamp(now + self._lifetime)
            await self._store.write(
                lambda tx: pictures.keep(tx, key, content=content, media_type=media_type, expires_at=expires_at)
            )
            self._known[digest] = key, now
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        return f"{self._public_url}{ROUTE}{key}"
