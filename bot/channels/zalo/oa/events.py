"""Webhook events of a Zalo Official Account as the bot understands them, and the proof that Zalo sent them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.message import ERASE, FOLLOW, HUMAN_TAKEOVER, UNFOLLOW, IncomingMessage, Person

NAME = "zalo_oa"
CHOICE_MARK = "#chon:"  # what a pressed button sends as text; typing it does the same, which harms nobody
OLDEST = timedelta(hours=24)  # what is older cannot be told from a repeat any more
FASTEST_CLOCK = timedelta(hours=2)  # how far Zalo's clock may go before ours and be believed
_FROM_PERSON = "user_send_"
_FROM_ACCOUNT = "oa_send_"
# What may come in the place of text, in the words that all channels share.
_ATTACHMENTS = {
    "image": "photo",
    "gif": "photo",
    "sticker": "sticker",
    "link": "link",
    "audio": "voice",
    "video": "video",
    "file": "document",
    "location": "location",
    "business_card": "contact",
}  # a kind that nobody has described yet is answered too
_RECEIPTS = {"user_received_message": "delivered", "user_seen_message": "seen"}
_NOTICES = frozenset({"change_oa_daily_quota", "change_template_status"})
_CONSOLE_TEST = ("This is testing message", "This is message id")
_PLACES = 2  # decimals of a coordinate that are kept, about a kilometre


@dataclass(frozen=True, slots=True)
class Receipts:
    """The platform tells that messages arrived or were seen."""

    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that those who run the account should look at; `at` is the platform's own moment, as text."""

    event: str
    at: str = ""


Event = IncomingMessage | Receipts | Notice


def event_name(raw: object) -> str:
    """Return the name of an event; empty for anything that is none."""
    name = raw.get("event_name") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else ""


def read_event(raw: Mapping[str, Any], *, now: datetime) -> Event | None:
    """Read an event that has a name; None when it asks nothing of the bot."""
    name = event_name(raw)
    if name in _RECEIPTS:
        numbers = _inner(raw, "message").get("msg_ids")
        return Receipts(_RECEIPTS[name], len(numbers) if isinstance(numbers, list) else 1)
    if name in _NOTICES:
        return Notice(name, str(raw.get("timestamp") or ""))
    at = _moment(raw.get("timestamp"), now)
    if name == "user_withdraw":  # of any age: deleting twice harms less than not at all
        person = str(raw.get("user_id") or "") or _id_of(raw, "sender") or _id_of(raw, "follower")
        return _happening(raw, ERASE, person, at)
    if now - at > OLDEST:
        return None
    if name.startswith(_FROM_PERSON):
        return _read_message(raw, name.removeprefix(_FROM_PERSON), at)
    if name.startswith(_FROM_ACCOUNT):
        # Without an admin it is the echo of what the bot itself sent.
        person = _id_of(raw, "recipient")
        by_hand = bool(_inner(raw, "sender").get("admin_id"))
        return _happening(raw, HUMAN_TAKEOVER, person, at) if by_hand else None
    if name in ("follow", "unfollow"):
        return _happening(raw, FOLLOW if name == "follow" else UNFOLLOW, _id_of(raw, "follower"), at)
    if name == "user_click_chatnow":
        return _happening(raw, FOLLOW, str(raw.get("user_id") or ""), at)
    return None


def is_platforms_own_id(message_id: str) -> bool:
    """Tell whether an id is one that the platform gave to a message, so that it can be quoted."""
    return not message_id.startswith("~")


def _read_message(raw: Mapping[str, Any], kind: str, at: datetime) -> IncomingMessage | None:
    message, person = _inner(raw, "message"), _id_of(raw, "sender")
    said, message_id = message.get("text"), str(message.get("msg_id") or "")
    text = said if isinstance(said, str) else ""
    if not person or (text, message_id) == _CONSOLE_TEST:
        return None
    choice = ""
    if text.startswith(CHOICE_MARK):
        choice, text = text.removeprefix(CHOICE_MARK), ""
    attachment = "" if kind == "text" else _ATTACHMENTS.get(kind, "unsupported")
    if not (text or choice or attachment):
        return None
    return IncomingMessage(
        person=Person(NAME, person),
        id=message_id or _made_up_id(raw, f"{_FROM_PERSON}{kind}", person),
        at=at,
        text=text,
        choice=choice,
        attachment=attachment,
        location=_location(message) if attachment == "location" else None,
    )


def _happening(raw: Mapping[str, Any], event: str, person: str, at: datetime) -> IncomingMessage | None:
    if not person:
        return None
    return IncomingMessage(
        person=Person(NAME, person), id=_made_up_id(raw, event_name(raw), person), at=at, event=event
    )


def _made_up_id(raw: Mapping[str, Any], name: str, person: str) -> str:
    """Make an id for an event that has none; hashed, because ids outlive people."""
    parts = (name, person, str(raw.get("timestamp") or ""), str(_inner(raw, "message").get("msg_id") or ""))
    return "~" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:39]


def _location(message: Mapping[str, Any]) -> tuple[float, float] | None:
    attachments = message.get("attachments")
    for attachment in attachments if isinstance(attachments, list) else ():
        try:
            place = attachment["payload"]["coordinates"]
            latitude, longitude = float(place["latitude"]), float(place["longitude"])
        except (KeyError, TypeError, ValueError):
            continue
        if -90 <= latitude <= 90 and -180 <= longitude <= 180:
            return round(latitude, _PLACES), round(longitude, _PLACES)
    return None


def _inner(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _id_of(raw: Mapping[str, Any], key: str) -> str:
    return str(_inner(raw, key).get("id") or "")


def _moment(timestamp: object, now: datetime) -> datetime:
    try:
        return min(datetime.fromtimestamp(int(str(timestamp)) / 1000, UTC), now + FASTEST_CLOCK)
    except (ValueError, OverflowError, OSError):
        return now


class Verifier:
    """Checks that a request comes from Zalo: SHA-256 over first term, raw body, timestamp and secret.

    Sources differ on the first term (app or account) and on the secret, so that each is tried; `matched` tells which
    one it was.
    """

    def __init__(self, *, app_id: str, oa_id: str, secrets: Sequence[tuple[str, str]]) -> None:
        """Take the app's and the account's number, and named secrets."""
        self._app_id, self._oa_id = app_id, oa_id
        self._secrets = tuple((name, secret) for name, secret in secrets if secret)
        self.matched = ""

    def accepts(self, body: bytes, raw: Mapping[str, Any], signature: str) -> bool:
        """Tell whether the header's signature fits the body as it came."""
        given = signature.strip().removeprefix("mac=").lower().encode("utf-8", "replace")
        timestamp = str(raw.get("timestamp", "")).encode()
        fits = ""
        # All are computed, so that the time tells nothing.
        for term_name, term in self._terms(raw):
            for secret_name, secret in self._secrets:
                digest = hashlib.sha256(term.encode() + body + timestamp + secret.encode()).hexdigest()
                if hmac.compare_digest(digest.encode(), given):
                    fits = f"{term_name} with {secret_name}"
        if fits:
            self.matched = fits
        return bool(fits)

    def _terms(self, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "the app id", self._app_id
        # The account's own number stands in another place in each kind of event; the secret is what proves.
        own = {self._oa_id, str(raw.get("oa_id") or ""), _id_of(raw, "recipient"), _id_of(raw, "sender")}
        for number in sorted(own - {"", self._app_id}):
            yield "the account id", number
