"""The one reader of days and hours: "8h30 24/11", "7h tối thứ năm tuần sau", "ba ngày nữa", "in two hours"."""

from bot.text.dates.facts import CONFLICT, IMPOSSIBLE, LUNAR, UNREAD
from bot.text.dates.moments import NOTHING, Named, NamedMoment, read, read_day, read_moment
from bot.text.dates.words import AFTERNOON, EVENING, MORNING, NIGHT, NOON

__all__ = [
    "AFTERNOON",
    "CONFLICT",
    "EVENING",
    "IMPOSSIBLE",
    "LUNAR",
    "MORNING",
    "NIGHT",
    "NOON",
    "NOTHING",
    "UNREAD",
    "Named",
    "NamedMoment",
    "read",
    "read_day",
    "read_moment",
]
