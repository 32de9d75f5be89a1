"""What a text asks about the person's own reminders: one more, another moment, none any more, or which there are.

Called by `handlers/citizen/own_reminders.py` and by whatever decides where a message goes. Pure functions of the text:
whether there is a reminder to move or to cancel, the handler knows. Nothing of what somebody wrote is kept: a reminder
is a moment, always about the health book.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.text.dates import CONFLICT, IMPOSSIBLE, LUNAR, NOTHING, NamedMoment, read
from bot.text.dates.words import listed
from bot.text.normalize import decode_keystrokes, spoken

ADD, MOVE, CANCEL, LIST = "add", "move", "cancel", "list"
_LONGEST = 400  # characters; a longer text tells a story and asks something else
_MOST_OTHER_WORDS = 3  # beside a moment that answers "when?"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `kind` is ADD, MOVE, CANCEL or LIST, `named` the moment that the text names, perhaps none.

    A CANCEL is about `every` reminder if the text says so. A request is not `certain` if its words may be about
    something else ("đừng nhắc tôi nữa", "đổi sang mai 9h", "thêm chủ nhật nữa"): it is one only while the person has a
    reminder of their own, or is being asked when.
    """

    kind: str
    named: NamedMoment = NOTHING
    every: bool = False
    certain: bool = True


# All patterns see folded words with single spaces; "@" stands for a moment, "~" for one that is over, "," for any mark.
_ME = r"(?:toi|minh|em|anh|chi|co|chu|bac|con|chau|ong|ba|tui|to|mk|mik|e|a|c|t|me)"
_CALL = (
    r"(?:(?:da|vang|a|u|ad|admin|bot|em|ban|oi|alo|chao|ok|oke|hay|nho|xin|lam on|vui long|phien|giup|ma|thi|the|vay"
    r"|roi|please|hi|hello|hey) |, )*"
)
# Nearly every text asks nothing of this, and is found out by its words before it is read.
_KEYS = re.compile(r"[wjfz]|aa|ee|oo|dd|[a-z]\d")
_NAMES_REMINDERS = re.compile(r"nhac|remind|\b(?:dat|hen|huy|bo|xoa)\b.*\b(?:nao|may gio|hen)\b")
_CHANGES = re.compile(
    r"\b(?:nham|lon|doi|chuyen|hoan|lui|dich|them|nua|ca|y|khong phai|sai|also|too|sorry|actually|mean|meant|instead"
    r"|move|change|postpone|reschedule|another|one more|make it|hen lai|dat lai|de (?:sang|qua))\b"
    r"|^(?:(?:a|o|oi|oh|ma) )*(?:khong|no|thoi)\b"
)
_HINTS_AT_MOMENT = re.compile(
    r"\d|\b(?:mai|mot|kia|nay|thu|t\d|chu nhat|tuan|thang|ngay|gio|ruoi|tieng|phut|sang|trua|chieu|dem|noon|hour|week"
    r"|month|today|tonight|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
_LONGEST_CHANGE = 100
_ASKING = re.compile(
    rf"{_CALL}(?:{_ME} )?(?:(?:muon|can|nho|xin) )?(?:duoc )?{_CALL}(?:(?:dat|hen|tao) (?:lich |gio |loi )?)?"
    rf"nhac(?: nho| hen| them)?(?: (?:giup|gium|ho|dum|cho|lai cho))*(?: {_ME})?\b"
    r"|(?:(?:hi|hello|hey|please|can you|could you|would you|kindly|i want you to) )*"
    r"(?:remind me|set (?:a|another) reminder)(?: for me)?\b"
)
_NOTHING_MORE = re.compile(
    r"(?: ?(?:nhe|nha|nghen|nhe a|a|voi|vs|di|sau|sau nay|sau nhe|lai sau|later|again|please|giup|gium|dum|cai|cai dat"
    r"|cai app|cai ung dung|cai so suc khoe(?: dien tu)?|bao cai|to install(?: the app| it)?|ban|ban oi|bot|em|tui|toi"
    r"|some time|sometime|khi khac|luc khac|hom khac|hay quen lam|viec nay|about it|about this|nua|mot lan nua"
    r"|(?:luc|khi|gio|ngay) nao cung duoc|any ?time|whenever)\b|,)*\s*"
)
_KINDLY = re.compile(r"\b(?:nhe|nha|nghen|nhen|voi|giup|gium|dum|duoc khong|dc ko|duoc ko|duoc chu|please)\b")
_BEFORE_REMIND = re.compile(
    r"(?:^|[@~,] |\b(?:nho|hay|thi|giup|muon|duoc|can|xin|phai|a|oi|ok|oke|va|roi|lai|voi|ban|bot|ad|tro ly|nen|de"
    r"|quen|the|vui long|lam on|alo|da|vang|u|nhe|dat|hen|lich|gio|vay|ma|thoi|tao|loi|mai|sau|please|to|you|and|me) )"
    r"(?:nhac|remind)\b|\b(?:set|create|add|make|schedule)(?: \S+){0,2} reminder\b"
)
_NOT_ASKING = re.compile(
    r"\b(?:khong|ko|k|hong|chang|dung|ngung|ngong|tat|stop|don ' t|dont|do not|never|chua|bi|tin|nhan|sao|bat|mo|cu|ai"
    r"|no)(?: (?:can|phai|muon|duoc|duoc gui|gui|nhan|co|tin|need to|want you to))* (?:nhac|remind)"
    r"|\bnhac (?:den|hoai|mai|nhieu|gi|ai|ve|chuong)\b|\b(?:how often|why|did) .*remind"
)
_QUESTION = re.compile(
    r"\b(?:(?<!xem )sao|ai|the nao|nhu nao|(?:la|lam|theo|can) gi|gi vay|o dau|o cho nao|may lan"
    r"|how|why|what|where|which)\b"
)
_REPEATING = re.compile(r"\bnhac lai (?:cach|buoc|cau|huong dan|cho (?:toi|minh|em) (?:cach|buoc|cau))\b")
_NOTHING_TO_DO = re.compile(r" ?(?:cach|lai|den|ve|gi|o dau|hoai|nhieu|mai|how|what|where)\b")
_LISTING = re.compile(
    r"\b(?:con|co|xem|coi|may|bao nhieu|nhung|cac|danh sach|liet ke|kiem tra)"
    r"(?: (?!dat\b|tao\b|them\b|hen\b)\S+){0,3}? (?:loi|lich|gio|cai) nhac\b"
    rf"|\b(?:loi|lich|gio) nhac (?:nao|chua|cua {_ME}|con khong|con ko)\b"
    r"|\b(?:xem|coi|da|kiem tra)(?: \S+){0,2} (?:dat|hen)(?: \S+){0,3} (?:gio|luc|ngay|khi) nao\b"
    rf"|\b{_ME} (?:dat|hen)(?: \S+){{0,3}} (?:(?:gio|luc|ngay|khi) nao|may gio) (?:roi|ay|nhi|vay|the)\b"
    rf"|(?<!tin )\bnhac (?:{_ME} )?(?:vao |nhung |cac )?(?:luc nao|khi nao|may gio|gio nao|hom nao|ngay nao)\b(?! cung)"
    rf"|\b(?:khi nao|may gio|bao gio)(?: \S+){{0,2}} nhac {_ME}\b"
    r"|\b(?:my|any|what|which|list|show)(?: \S+){0,3} reminders?\b|\bwhen (?:will|do) you remind me\b"
)
_CANCELLING = re.compile(
    r"\b(?:huy|xoa|cancel|delete|remove|clear)(?: (?:giup|gium|dum|cho|cai|het|tat ca|toan bo|cac|nhung|ca|hai|ba|loi"
    rf"|lich|gio|hen|dat|di|luc|@|nay|do|my|all|both|the|this|that|of|{_ME}))* (?:nhac|reminders?)\b"
    r"|\b(?:bo|dep|go)(?: (?:cai|het|cac|loi|lich|gio|hen))* nhac\b"
    r"|\b(?:khoi|khong can|ko can|k can|no need to)(?: phai)? (?:nhac|remind)\b"
)
_PERHAPS_CANCELLING = re.compile(
    r"\b(?:dung|khong|ko|stop|don ' t|dont|do not)(?: (?:co|phai|muon|duoc))? (?:nhac|remind|reminding)\b"
    rf"(?: (?:{_ME}|@))*(?: nua| any ?more|$)|\b(?:dung|khong|ko|don ' t|do not) (?:nhac|remind)(?: {_ME})? @"
    r"|\b(?:huy|bo|xoa)(?: (?:cai|lich|cuoc|giup|@))* hen\b(?! (?:tiem|kham|bac si|benh))"
)
_EVERY = re.compile(r"\b(?:het|tat ca|toan bo|ca hai|all|every)\b")
_MOVING = re.compile(
    r"\b(?:doi|chuyen|hoan|lui|day|dich|move|change|postpone|reschedule)"
    rf"(?: (?:{_ME}|lai|lich|gio|ngay|loi|nhac|hen|cai|giup|cho|do|kia|no|it|that|the|reminder|my|one|@|tu))*"
    r" (?:sang|qua|thanh|lai|ve|lich|gio|ngay|nhac|hen|to|until|it|that|reminder) (?:(?:vao|cho) )?@"
    r"|\b(?:hoan|lui|chuyen|dich)(?: lai)? (?:den|toi) @|\b(?:hen|dat) lai(?: cho toi)? @|\bde (?:sang|qua) @"
    r"|\bmake it @"
    r"|\b(?:doi|chuyen|sua|hoan|lui|change|move)(?: (?:cho|giup|lai|cai|the|my))*"
    r" (?:(?:gio|lich|loi|ngay|lich hen) nhac|nhac|reminder)\b"
)
_CORRECTING = re.compile(
    rf"^(?:(?:a|o|oi|ui|u|e|thoi|xin loi|sorry|chet|quen|ah|oh|oops|no|khong|ko|y|{_ME}|,) )*"
    r"(?:nham|lon|noi nham|noi lon|ghi nham|go nham|dat nham|hen nham|sai|khong phai|my mistake|wrong|sorry|actually"
    rf"|i mean|i meant|(?:a|o|oi|oh) (?:khong|no)|y {_ME}(?: la)?(?= [@,]))\b"
)
_ONLY_ANOTHER = re.compile(r"^(?:(?:a|o|ma|oh) )*(?:thoi|khong|no)(?: (?:,|de|thi|la))* @")
_FROM_TO = re.compile(r"\b(?:sang|thành|thanh|qua|to|into)\b", re.IGNORECASE)
_MUSIC = re.compile("nhạc", re.IGNORECASE)
_ADDING: Final = listed("them nua also too ca cong another add more")
# Words that say nothing beside a moment.
_FILLERS: Final = listed(
    "@ ~ , a u o ok oke okie da vang the vay thi la hay thoi di nhe nha nghen nhen nhi voi vs giup gium dum ho ban oi "
    "bot ad toi minh em anh chi co chu bac con chau ong ba tui to mk mik e c t luc vao khoang tam tu cho de duoc dc "
    "khong ko chac cung ma roi va sang qua doi chuyen sua lai gio ngay hom muon nhac nho hen dat chon xin lay luon nao "
    "do tien ranh nghi xong lam viec buoi at on in the please thanks yes no maybe about around how for me it make then "
    "well one instead i think would be better fine good let s is that"
)


def read_request(text: str, now: datetime) -> Request | None:
    """Return what a text asks about reminders, None if it asks nothing about them; `now` is local time."""
    if len(text) > _LONGEST or not _may_be_request(text):
        return None
    text = _MUSIC.sub("~", text)
    named = read(text, now)
    rest, moment = named.rest, named.moment
    if _CANCELLING.search(rest):
        return Request(CANCEL, moment, every=bool(_EVERY.search(rest)))
    if _PERHAPS_CANCELLING.search(rest) and "quen" not in rest.split():
        return Request(CANCEL, moment, every=bool(_EVERY.search(rest)), certain=False)
    if _MOVING.search(rest):
        if rest.count("@") > 1:
            moment = read(_FROM_TO.split(text)[-1], now).moment
        return Request(MOVE, moment, certain="nhac" in rest or "remind" in rest)
    others = len(_other_words(rest))
    if moment and _CORRECTING.search(rest) and others <= _MOST_OTHER_WORDS:
        return Request(MOVE, moment, certain=False)
    if _ONLY_ANOTHER.search(rest) and not others:
        return Request(MOVE, moment, certain=False)
    if _asks_at(rest):
        return Request(ADD, moment)
    if moment and _asks_more(rest):
        return Request(ADD, moment, certain=False)
    if _LISTING.search(rest):
        return Request(LIST)
    return Request(ADD, moment) if _asks_sometime(rest) else None


def _may_be_request(text: str) -> bool:
    said = spoken(text)
    if _KEYS.search(said):
        said = spoken(decode_keystrokes(text))
    if _NAMES_REMINDERS.search(said):
        return True
    short = len(said) <= _LONGEST_CHANGE
    return short and _CHANGES.search(said) is not None and _HINTS_AT_MOMENT.search(said) is not None


def names_moment(text: str, now: datetime) -> bool:
    """Return True if a text answers "when?": a moment or a part of one with few other words, or a request.

    An unclear moment answers too, since it is asked for again; a question that happens to name a day does not.
    """
    if len(text) > _LONGEST:
        return False
    if read_request(text, now) is not None:
        return True
    named = read(text, now)
    others = len(_other_words(named.rest))
    if not named.moment or (others and (_QUESTION.search(named.rest) or _NOT_ASKING.search(named.rest))):
        return False
    told = named.moment.clock or named.moment.moment or named.moment.unclear in (LUNAR, CONFLICT, IMPOSSIBLE)
    return others <= (_MOST_OTHER_WORDS if told else 0)


def _may_ask(rest: str) -> bool:
    """Return True if the word for reminding stands there and is neither denied nor only mentioned."""
    if not ("nhac" in rest or "remind" in rest) or _REPEATING.search(rest):
        return False
    wanted = rest.replace("dung quen nhac", "nhac").replace("don ' t forget to remind", "remind")
    return not _NOT_ASKING.search(wanted)


def _asks_at(rest: str) -> bool:
    """Return True if somebody asks to be reminded and names a moment."""
    if "@" not in rest or not _may_ask(rest) or _QUESTION.search(rest):
        return False
    return _BEFORE_REMIND.search(rest) is not None or _KINDLY.search(rest) is not None


def _asks_sometime(rest: str) -> bool:
    """Return True if somebody asks to be reminded and says nothing that answers "when?"."""
    return _may_ask(rest) and any(_asks_without_moment(clause) for clause in (rest, rest.rpartition(" , ")[2]))


def _asks_without_moment(clause: str) -> bool:
    found = _ASKING.match(clause)
    if found is None:
        return False
    more = clause[found.end() :]
    if _NOTHING_MORE.fullmatch(more):
        return True
    things = not _QUESTION.search(more) and not _NOTHING_TO_DO.match(more)
    return things and len(more.split()) <= 8 and _KINDLY.search(more) is not None


def _asks_more(rest: str) -> bool:
    """Return True for "also tomorrow at noon": a moment, a word that adds, and nothing else."""
    return not _ADDING.isdisjoint(rest.split()) and not _other_words(rest)


def _other_words(rest: str) -> list[str]:
    return [word for word in rest.split() if not (word in _FILLERS or word in _ADDING or word.isdecimal())]
