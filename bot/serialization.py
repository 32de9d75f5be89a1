"""Messages and replies as JSON, for the inbox table and the web."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson

from bot.clock import moment, stamp
from bot.message import Attachment, Button, IncomingMessage, Outcome, Person, Reply


def dump_message(message: IncomingMessage) -> str:
    """Write down what a message says; person and id stand in columns of their own."""
    said = {
        "at": stamp(message.at),
        "text": message.text,
        "choice": message.choice,
        "source": message.source,
        "attachment": message.attachment,
        "withheld": message.withheld,
        "crowd": message.group,
        "event": message.event,
        "location": message.location,
    }
    return orjson.dumps({key: value for key, value in said.items() if value}).decode()


def load_message(body: str, *, person: Person, message_id: str) -> IncomingMessage:
    """Read what `dump_message` wrote."""
    said: dict[str, Any] = orjson.loads(body)
    said["at"] = moment(said["at"])
    said["withheld"] = tuple(said.get("withheld", ()))
    if "location" in said:
        said["location"] = tuple(said["location"])
    return IncomingMessage(person=person, id=message_id, **said)


def dump_outcome(replies: Sequence[Reply], *, erased: bool) -> str:
    """Write the replies of a message down."""
    if len(replies) == 1 and not (erased or replies[0].image or replies[0].file):
        return _dump_text(replies[0])
    return orjson.dumps({"replies": [_plain(reply) for reply in replies], "erased": erased}).decode()


@lru_cache(512)  # the same answers come again and again
def _dump_text(reply: Reply) -> str:
    return orjson.dumps({"replies": [_plain(reply)], "erased": False}).decode()


def load_outcome(text: str) -> Outcome:
    """Read what `dump_settled` wrote."""
    if not text:
        return Outcome()
    kept = orjson.loads(text)
    return Outcome(tuple(_reply(item) for item in kept["replies"]), kept["erased"])


def dump_reply(reply: Reply) -> str:
    """Write one reply down."""
    return orjson.dumps(_plain(reply)).decode()


def load_reply(text: str) -> Reply:
    """Read what `dump_reply` wrote."""
    return _reply(orjson.loads(text))


def _plain(reply: Reply) -> dict[str, Any]:
    plain: dict[str, Any] = {"text": reply.text}
    if reply.buttons:
        plain["buttons"] = [(button.label, button.choice) for button in reply.buttons]
    if isinstance(reply.image, bytes) and reply.image:
        plain["picture"] = base64.b64encode(reply.image).decode()
    elif reply.image:
        plain["image"] = reply.image
    if reply.alt:
        plain["alt"] = reply.alt
    if reply.file:
        content = base64.b64encode(reply.file.content).decode()
        plain["file"] = (reply.file.name, reply.file.media_type, content)
    return plain


def _reply(plain: dict[str, Any]) -> Reply:
    image: bytes | str = base64.b64decode(plain["picture"]) if "picture" in plain else plain.get("image", b"")
    file = None
    if "file" in plain:
        name, media_type, content = plain["file"]
        file = Attachment(name, media_type, base64.b64decode(content))
    buttons = tuple(Button(label, choice) for label, choice in plain.get("buttons", ()))
    return Reply(plain["text"], buttons, image, plain.get("alt", ""), file)
