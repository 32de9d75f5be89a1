"""Telegram's updates as the bot understands them.

A plain private text, which is nearly everything that comes, is read straight from the JSON; anything else goes
through python-telegram-bot's own objects. A test holds both roads to the same result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from telegram import CallbackQuery, ChatMemberUpdated, Message, MessageEntity, Update
from telegram.constants import ChatMemberStatus, ChatType

from bot.message import IncomingMessage, Person

NAME = "telegram"
KINDS: Final = ("message", "callback_query", "my_chat_member")  # an edit, a post, a poll … asks the bot nothing
LONGEST_MENU = 200  # a longer text, or one of several lines, is something to keep, not a menu to replace

_PLAIN: Final = frozenset({"message_id", "from", "chat", "date", "text"})
_PLAIN_COMMAND: Final = _PLAIN | {"entities"}
_GROUPS: Final = (ChatType.GROUP, ChatType.SUPERGROUP)
_ABSENT: Final = (ChatMemberStatus.BANNED, ChatMemberStatus.LEFT)
# What may come in the place of text, as python-telegram-bot names it.
_ATTACHMENTS: Final = (
    "photo", "sticker", "voice", "video", "video_note", "audio", "animation", "document", "contact", "location",
    "venue", "poll", "dice", "story", "game", "checklist", "paid_media",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Myself:
    """The bot as groups know it: its user name, its number, the commands it knows (with their slash)."""

    username: str = ""
    number: int = 0
    commands: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message; `query` is the pressed button's, to be acknowledged."""

    message: IncomingMessage
    query: str = ""


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A person blocked the bot or came back; a group threw it out or took it in."""

    person: Person
    gone: bool


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """A group became a supergroup and has a new address."""

    person: Person
    address: str


Event = MessageReceived | PresenceChanged | AddressChanged


@dataclass(frozen=True, slots=True)
class Answered:
    """What the id of a message tells about answering it: the menu or picture to edit, or the message to reply to."""

    edits: int = 0
    replies_to: int = 0
    edits_picture: int = 0


def message_id(update_id: int, answered: Answered = Answered()) -> str:
    """Write the id of a message: Telegram's own number, which never repeats, and how to answer."""
    if answered.edits:
        return f"{update_id}:e{answered.edits}"
    if answered.edits_picture:
        return f"{update_id}:p{answered.edits_picture}"
    return f"{update_id}:r{answered.replies_to}" if answered.replies_to else str(update_id)


def how_to_answer(message_id: str) -> Answered:
    """Read what `message_id` wrote."""
    _, _, how = message_id.partition(":")
    if not how:
        return Answered()
    number = int(how[1:])
    if how[0] == "p":
        return Answered(edits_picture=number)
    return Answered(edits=number) if how[0] == "e" else Answered(replies_to=number)


def update_id_of(raw: object) -> int | None:
    """Return the number of an update; None for anything that is no update of Telegram."""
    if not isinstance(raw, dict):
        return None
    number = raw.get("update_id")
    return number if isinstance(number, int) and not isinstance(number, bool) and len(raw) > 1 else None


def read_update(raw: Mapping[str, Any], me: Myself, *, now: datetime) -> Event | None:
    """Read an update; None when it asks nothing of the bot."""
    return read_plain(raw) or read_any(raw, me, now=now)


def read_plain(raw: Mapping[str, Any]) -> MessageReceived | None:
    """Read a private text, with or without a command; None for every other update."""
    message = raw.get("message")
    if message is None or len(raw) != 2:
        return None
    keys = message.keys()
    if keys != _PLAIN and (keys != _PLAIN_COMMAND or not message["text"].startswith("/")):
        return None
    chat = message["chat"]
    if chat["type"] != "private":
        return None
    return MessageReceived(
        IncomingMessage(
            person=Person(NAME, str(chat["id"])),
            id=str(raw["update_id"]),
            at=datetime.fromtimestamp(message["date"], UTC),
            text=message["text"],
        )
    )


def read_any(raw: Mapping[str, Any], me: Myself, *, now: datetime) -> Event | None:
    """Read an update by python-telegram-bot's objects."""
    update = Update.de_json(dict(raw), None)
    if update.message is not None:
        return _read_message(update.update_id, update.message, me)
    if update.callback_query is not None:
        return _read_press(update.update_id, update.callback_query, now)
    if update.my_chat_member is not None:
        return _read_presence(update.my_chat_member)
    return None


def _read_message(update_id: int, message: Message, me: Myself) -> Event | None:
    chat = message.chat
    person = Person(NAME, str(chat.id))
    if message.migrate_to_chat_id is not None:
        return AddressChanged(person, str(message.migrate_to_chat_id))
    if chat.type != ChatType.PRIVATE and chat.type not in _GROUPS:
        return None
    text = message.text or message.caption or ""
    attachment = next((kind for kind in _ATTACHMENTS if getattr(message, kind, None)), "")
    if not text and not attachment:
        return None  # joined, left, pinned: Telegram's own notes
    group = chat.type in _GROUPS
    answered = Answered()
    if group:
        spoken_to = _spoken_to_me(message, text, me)
        if spoken_to is None:
            return None
        text, answered = spoken_to, Answered(replies_to=message.message_id)
    return MessageReceived(
        IncomingMessage(
            person=person,
            id=message_id(update_id, answered),
            at=message.date,
            text=text,
            attachment=attachment,
            group=group,
        )
    )


def _spoken_to_me(message: Message, text: str, me: Myself) -> str | None:
    """Return what a group says to the bot, without the mention; None when it talks among itself."""
    entities = message.parse_entities() if message.text else message.parse_caption_entities()
    mention = f"@{me.username}".lower() if me.username else ""
    for entity, said in entities.items():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            command, _, to = said.lower().partition("@")
            mine = f"@{to}" == mention if to else command in me.commands
            return command + text[len(said) :] if mine else None
        if entity.type == MessageEntity.MENTION and said.lower() == mention:
            return " ".join(text.replace(said, " ", 1).split())
        if entity.type == MessageEntity.TEXT_MENTION and entity.user and entity.user.id == me.number:
            return " ".join(text.replace(said, " ", 1).split())
    repliee = message.reply_to_message
    if repliee is not None and repliee.from_user is not None and repliee.from_user.id == me.number and me.number:
        return text
    return None


def _read_press(update_id: int, query: CallbackQuery, now: datetime) -> MessageReceived | None:
    message = query.message
    if message is None or not query.data:
        return None
    group = message.chat.type in _GROUPS
    shown = (message.text or "") if isinstance(message, Message) else ""
    # In a group everybody needs the menu, so that it stays.
    edits = bool(shown) and "\n" not in shown and len(shown) <= LONGEST_MENU and not group
    pictured = isinstance(message, Message) and bool(message.photo) and not group
    answered = Answered(edits=message.message_id if edits else 0, edits_picture=message.message_id if pictured else 0)
    return MessageReceived(
        IncomingMessage(
            person=Person(NAME, str(message.chat.id)),
            id=message_id(update_id, answered),
            at=now,
            choice=query.data,
            group=group,
        ),
        query.id,
    )


def _read_presence(change: ChatMemberUpdated) -> PresenceChanged:
    return PresenceChanged(Person(NAME, str(change.chat.id)), change.new_chat_member.status in _ABSENT)
