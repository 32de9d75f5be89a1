"""What travels between channels and handlers: frozen data, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class Person(NamedTuple):
    """Who, on one channel; the address is personal, so it never shows in a repr or a log."""

    channel: str
    address: str

    def __repr__(self) -> str:
        return f"Person(channel={self.channel!r})"


# What happens without a message: a person came (or came back), left, wants everything about them deleted; or one of
# our officers wrote to them by hand on the platform, so that the bot keeps out of the talk.
FOLLOW, UNFOLLOW, ERASE, HUMAN_TAKEOVER = "follow", "unfollow", "erase", "attended"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """One message of a person, whatever the channel.

    `id` is the platform's own, unique within the channel; `choice` is the value of a pressed button; `source`
    comes from a deep link or QR code; `attachment` names what came instead of text (photo, sticker, location …);
    `withheld` lists the kinds of secrets that were cut out of the text before anything was stored; `crowd` tells that
    it was said in a group, where others read along. `event` is one of those below for what is no message at all;
    `location` is latitude and longitude, rounded by the channel to about a kilometre.
    """

    person: Person
    id: str
    at: datetime
    text: str = field(default="", repr=False)
    choice: str = ""
    source: str = ""
    attachment: str = ""
    withheld: tuple[str, ...] = ()
    group: bool = False
    event: str = ""
    location: tuple[float, float] | None = field(default=None, repr=False)


class Button(NamedTuple):
    """A choice offered to the person: what is read, and the value that comes back."""

    label: str
    choice: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


# Before the name of a drawn screen, which the outbox and the web chat turn into a picture.
SCREEN = "screen:"


@dataclass(frozen=True, slots=True)
class Reply:
    """One message to a person; the text is the small Markdown of `bot.text.markup`.

    `image` is the picture's bytes (PNG), an https address or the name of a drawn screen; `alt` says what it shows.
    """

    text: str = field(repr=False)
    buttons: tuple[Button, ...] = ()
    image: bytes | str = b""
    alt: str = ""
    file: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform took a message; `id` is the platform's own, empty where it gives none."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message ended: the replies as stored, and whether the person's data was deleted by it."""

    replies: tuple[Reply, ...] = ()
    erased: bool = False


def _nobody_reads_along(address: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """How fast a platform may be written to; 0 switches a limit off.

    `bulk_per_second` is for messages that answer nobody, `chat_per_second` for one chat, `crowd_per_minute` for one
    group; `is_crowd` tells groups by their address.
    """

    bulk_per_second: float = 0.0
    chat_per_second: float = 0.0
    group_per_minute: float = 0.0
    is_group: Callable[[str], bool] = _nobody_reads_along


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a message to a person costs, by how long ago that person last did something on the channel.

    Free for some hours, then for a fee for some days, then refused until the person writes again. `free_messages` is
    how many are free after each of their messages, 0 for any number.
    """

    free_hours: int
    paid_days: int
    free_messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can do, as data, so that nobody asks which channel it is.

    `longest_text` is counted by `measure` (UTF-16 units, code points …). Without `buttons`, choices become numbered
    lines. `starts_talk` tells whether the bot may write first; `private_chat` is the address of a talk under four
    eyes, offered in groups.
    """

    longest_text: int
    title: str = ""  # how citizens know the channel, in English where that needs translation
    measure: Callable[[str], int] = len
    buttons: bool = True
    starts_talk: bool = True
    abroad: bool = False  # messages pass through servers outside Vietnam, which the privacy notice says
    pace: RateLimits = RateLimits()
    private_chat: str = ""
    longest_caption: int | None = None  # of a picture or a file, which are messages of their own; None: it is all one
    window: Window | None = None  # there where what may be sent depends on when the person last did something
    quiet_minutes: int = 0  # how long the bot keeps out of a talk after an officer wrote there by hand
    names_screens: bool = False  # shows a drawn screen by its name, or none at all


@dataclass(frozen=True, slots=True)
class ChannelMetric:
    """A number about a channel for those who run it; `limit` is 0 where there is none."""

    label: str
    value: int
    limit: int = 0


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel as those who run the bot see it: on or off, what is wrong, what is used up."""

    name: str
    title: str
    on: bool
    trouble: str = ""
    figures: tuple[ChannelMetric, ...] = ()
