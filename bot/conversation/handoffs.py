"""Handing a guided walk on to another person's telephone by a code; no data of the first person goes along.

The handler of guides calls these functions. A code holds for a day and for any number of telephones, until the giver or
a helper stops it. Only its hash is kept.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from bot import access
from bot.clock import stamp
from bot.conversation.unit_of_work import UnitOfWork
from bot.message import Capabilities
from bot.settings import Settings
from bot.store import handoffs
from bot.text.normalize import fold, spoken

LIFETIME = timedelta(hours=24)
DEEP_LINK = "tiep_"  # before the code in the links of this bot
# Letters only, because numbers in a chat look like one-time codes and are cut out; no vowels, so that no word appears.
_LETTERS, _LENGTH = "BCDFGHJKMNPQRSTVWXZ", 6
_TYPED = re.compile(rf"(?:tiep|continue) (?:tuc )?([{_LETTERS.lower()}]{{3}}) ?([{_LETTERS.lower()}]{{3}})")


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a code leads to; `key` stands for the code, `stopped` says that one of both called it off."""

    key: str
    guide_id: str
    step_id: str
    own: bool
    stopped: bool


def offer(work: UnitOfWork, guide_id: str, step_id: str) -> str:
    """Make a code with which another telephone goes on at a step; an earlier code of the person is void."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    expires_at = stamp(work.at + LIFETIME)
    work.do(
        lambda tx, person_id: handoffs.offer(
            tx, person_id, code_hash=access.hash_code(code), guide=guide_id, step=step_id, expires_at=expires_at
        )
    )
    return code


async def find(work: UnitOfWork, code: str) -> Handoff | None:
    """Return what a typed code leads to; None for one that is wrong or expired."""
    return await find_by_key(work, access.hash_code("".join(filter(str.isalpha, code.upper()))))


async def find_by_key(work: UnitOfWork, key: str) -> Handoff | None:
    """Return what a code leads to by its hash; None once it has expired or its giver is deleted."""
    row = await work.store.read_inline(lambda tx: handoffs.find(tx, key, at=stamp(work.at)))
    if row is None:
        return None
    return Handoff(key, row["guide"], row["step"], row["person_id"] == work.citizen.id, bool(row["stopped_at"]))


def stop(work: UnitOfWork, key: str) -> None:
    """Call a code off from the helper's side."""
    work.do(lambda tx, _: handoffs.stop(tx, key, at=stamp(work.at)))


def stop_own(work: UnitOfWork) -> None:
    """Call off what the person gave."""
    work.do(lambda tx, person_id: handoffs.stop_of_person(tx, person_id, at=stamp(work.at)))


def shown(code: str) -> str:
    """Write a code so that it can be read aloud: BCD-FGH."""
    return f"{code[:3]}-{code[3:]}"


def typed_code(text: str) -> str:
    """Return the code of a text such as "tiep BCD-FGH"; empty where it holds none."""
    found = _TYPED.fullmatch(spoken(text))
    return f"{found[1]}{found[2]}".upper() if found else ""


def linked_code(argument: str) -> str:
    """Return the code of a deep link's value; empty where it is another one."""
    folded = fold(argument)
    return argument[len(DEEP_LINK) :].upper() if folded.startswith(DEEP_LINK) else ""


def link_of(code: str, settings: Settings, capabilities: Capabilities) -> str:
    """Return an address that goes on with a code: the web chat, which every telephone has, else this chat; or empty."""
    if settings.web.public_url:
        return f"{settings.web.public_url}/?s={quote(DEEP_LINK + code)}"
    if capabilities.private_chat.startswith("https://t.me/"):
        return f"{capabilities.private_chat}?start={quote(DEEP_LINK + code)}"
    return ""
