"""Updates of the Zalo Bot Platform as the bot understands them: wrapped as documented, or flat as really seen."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.message import IncomingMessage, Person

NAME = "zalo_bot"
# What may come in the place of text.
_ATTACHMENTS = {
    "message.image.received": "photo",
    "message.sticker.received": "sticker",
    "message.voice.received": "voice",
    "message.unsupported.received": "unsupported",  # a file, a link, or anything of a protected person
}
_TEXT, _GROUP = "message.text.received", "GROUP"
_ANY_BOT = re.compile("@bot", re.IGNORECASE)
_LONGEST_AGE = 1e11  # seconds; anything above is milliseconds


def unwrap(raw: object) -> Mapping[str, Any] | None:
    """Return event and message of an update, or None for anything that is no update of this platform."""
    if not isinstance(raw, dict):
        return None
    inner = raw.get("result")
    body = inner if isinstance(inner, dict) and "event_name" in inner else raw
    return body if isinstance(body.get("event_name"), str) and isinstance(body.get("message"), dict) else None


def names_of(me: object) -> tuple[str, ...]:
    """Return the names that `getMe` gives the bot, by which groups may mention it."""
    found = [me.get(key) for key in ("display_name", "account_name")] if isinstance(me, dict) else []
    return tuple(name for name in found if isinstance(name, str) and name)


def read_update(
    body: Mapping[str, Any], *, account: str, mentioned_as: str = "", known_as: Sequence[str] = (), now: datetime
) -> IncomingMessage | None:
    """Read an update that `unwrap` gave; None when it asks nothing of the bot.

    In groups only what names the bot counts: `mentioned_as`, or without it any name beginning with "Bot" (all bots'
    names do), of which the names that the bot is `known_as` are recognised.
    """
    event, message = body["event_name"], body["message"]
    chat, sender = _inner(message, "chat"), _inner(message, "from")
    chat_id, message_id = str(chat.get("id") or ""), str(message.get("message_id") or "")
    if not chat_id or not message_id or sender.get("is_bot") or (event != _TEXT and event not in _ATTACHMENTS):
        return None
    group = chat.get("chat_type") == _GROUP
    text = message.get("text") if event == _TEXT else message.get("caption")
    text = text if isinstance(text, str) else ""
    if group:
        spoken = spoken_to_me(text, mentioned_as, known_as)
        if spoken is None:
            return None
        text = spoken
    attachment = _ATTACHMENTS.get(event, "")
    if not text and not attachment and not group:
        return None
    # The address and the account are part of what makes a message the same; hashed, because ids outlive people.
    parts = (account, event, chat_id, str(sender.get("id") or ""), message_id)
    return IncomingMessage(
        person=Person(NAME, chat_id),
        id=hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40],
        at=_moment(message.get("date"), now),
        text=text,
        attachment=attachment,
        group=group,
    )


def spoken_to_me(text: str, name: str, known_as: Sequence[str] = ()) -> str | None:
    """Return what a group says to the bot, without the mention; None when it talks among itself."""
    text = unicodedata.normalize("NFC", text)
    for own in (name,) if name else known_as:
        mention = re.compile(re.escape(f"@{unicodedata.normalize('NFC', own)}"), re.IGNORECASE)
        if mention.search(text):
            return " ".join(mention.sub(" ", text, count=1).split())
    if name or not (any_bot := _ANY_BOT.search(text)):
        return None
    # Without knowing the name there is no telling where it ends: the rest stays, the search copes with a few words.
    return " ".join((text[: any_bot.start()] + " " + text[any_bot.start() + 1 :]).split())


def _inner(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _moment(date: object, now: datetime) -> datetime:
    try:
        seconds = float(date)  # type: ignore[arg-type]
        return datetime.fromtimestamp(seconds / 1000 if seconds > _LONGEST_AGE else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return now
