"""talk: whole conversations from standard input, answered by the real handlers over temporary records.

For measuring from outside: each line is one conversation of a new person in the web chat, each result one line in
the same order. Nothing is kept and nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import orjson

from bot import access
from bot.clock import moment, stamp
from bot.commands.context import CommandContext, pass_context
from bot.conversation.context import Context
from bot.conversation.dialog import WALK_STEP, Dialog, load_dialog
from bot.conversation.unit_of_work import read_session
from bot.errors import BotError
from bot.helpdesk.models import Officer
from bot.logs import set_up_logs
from bot.message import IncomingMessage, Person, Reply
from bot.runtime.build import Service, open_service
from bot.settings import LogSettings, Settings
from bot.store import Transaction, appointments, people, reports, roles
from bot.text.markup import to_plain
from bot.text.normalize import fold

CHANNEL: Final = "webchat"
STARTS_AT: Final = datetime.fromisoformat("2026-11-30T09:00:00+07:00")
BETWEEN_TURNS = timedelta(seconds=20)
_DONE_SECONDS = 30.0
_LONGEST_PAUSE = 10 * 366 * 86400  # seconds between two turns
_KINDS = ("say", "press", "officer")
# What is open, by the first part of a step's name.
_FLOWS = {"report": "report", "person": "officer", "remind": "reminder", "data": "data"}


@dataclass
class _Clock:
    """The clock of all conversations: each sets it as its turns say."""

    at: datetime = STARTS_AT

    def __call__(self) -> datetime:
        return self.at


@dataclass
class _Talk:
    """One conversation of one person, and what its turns came to."""

    service: Service
    clock: _Clock
    person: Person
    officer: Officer
    seen: list[Context]
    offer: tuple[tuple[str, str], ...] = ()  # label and value of the buttons shown last
    number: int = 0
    turns: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, turn: Mapping[str, Any]) -> None:
        """Run one turn and note what it came to."""
        if "officer" in turn:
            replies = await self._answer_as_officer(turn["officer"])
            result = _flow_result("\n\n".join(replies)) if replies else _silent_result()
            self.turns.append({**result, **await self._standing(result["language"])})
            return
        text, choice = turn.get("say", ""), ""
        if "press" in turn:
            choice = self._pressed(turn["press"])
            text = "" if choice else turn["press"]
        self.number += 1
        message = IncomingMessage(
            person=self.person, id=f"{self.person.address}-{self.number}", at=self.clock(), text=text, choice=choice
        )
        self.seen.clear()
        ticket = await self.service.inbox.receive(message)
        outcome = await asyncio.wait_for(asyncio.shield(ticket.done), _DONE_SECONDS)
        context = self.seen[-1]
        self.turns.append(await self._result(context, outcome.replies))

    def _pressed(self, label: str) -> str:
        wanted = fold(label)
        return next((choice for shown, choice in self.offer if fold(shown).startswith(wanted)), "")

    async def _result(self, context: Context, replies: Sequence[Reply]) -> dict[str, Any]:
        buttons = tuple((button.label, button.choice) for reply in replies for button in reply.buttons)
        if buttons:
            self.offer = buttons
        summary = context.summary
        verdict = summary.verdict or ("flow" if replies else "silent")
        return {
            "verdict": verdict,
            "article": summary.article,
            "offered": [choice.partition(":")[2] for _, choice in buttons if choice.startswith("article:")],
            "buttons": [label for label, _ in buttons],
            "danger": summary.danger,
            "to_officer": summary.to_officer,
            "text": "\n\n".join(filter(None, (_read(reply) for reply in replies))),
            **await self._standing(context.language),
        }

    async def _standing(self, language: str) -> dict[str, Any]:
        """Tell what stands after a turn: the open flow, the report, the next reminder."""

        def work(tx: Transaction) -> dict[str, Any]:
            session = read_session(tx, self.person)
            row = session.row
            if row is None:
                return {"flow": "", "report": "", "product": "", "reminder": "", "language": language}
            dialog = load_dialog(
                row["state"], row["updated_at"], now=self.clock(), minutes=self.service.settings.privacy.dialog_minutes
            )
            report = reports.find(tx, row["id"])
            asked = [
                moment(one["due_at"])
                for one in appointments.of_person(tx, row["id"], kind=appointments.ASKED)
                if one["state"] == appointments.WAITING and moment(one["due_at"]) > self.clock()  # else it was sent
            ]
            zone = self.service.settings.zone
            return {
                "flow": _flow_of(dialog),
                "report": report["district"] if report else "",
                "product": (report["product"] or "app") if report else "",
                "reminder": f"{min(asked).astimezone(zone):%Y-%m-%dT%H:%M}" if asked else "",
                "language": language,
            }

        return await self.service.store.read(work)

    async def _answer_as_officer(self, text: str) -> list[str]:
        """Take the waiting case and answer it; returns what the citizen gets, nothing where no case waits."""

        def work(tx: Transaction) -> list[str]:
            row = people.find(tx, self.person)
            case = None if row is None else self.service.help_desk.own_case(tx, row["id"])
            if case is None:
                return []
            desk, at = self.service.help_desk, self.clock()
            desk.take(tx, self.officer, case.number, at=at, over=True)
            desk.answer(tx, self.officer, case.number, text, at=at)
            return [text]

        return await self.service.store.write(work)


def _read(reply: Reply) -> str:
    text = to_plain(reply.text).replace("\u200b", "")
    return f"{text}\n{reply.alt}".strip() if reply.image and reply.alt and not text else text


def _flow_of(dialog: Dialog) -> str:
    if dialog.step == WALK_STEP:
        return f"guide:{dialog.data.get('guide', '')}"
    return _FLOWS.get(dialog.step.partition(".")[0], dialog.step.partition(".")[0])


def _flow_result(text: str) -> dict[str, Any]:
    return {**_silent_result(), "verdict": "flow", "text": text}


def _silent_result() -> dict[str, Any]:
    return {
        "verdict": "silent",
        "article": "",
        "offered": [],
        "buttons": [],
        "danger": False,
        "to_officer": False,
        "text": "",
        "language": "vi",
    }


@click.command()
@click.option("--jsonl", is_flag=True, required=True, help="Read one conversation a line, write one result a line.")
@pass_context
def talk(context: CommandContext, *, jsonl: bool) -> None:
    """Answer whole conversations on standard input, for measuring from outside; nothing is kept.

    A line is {"id": …, "now": …, "turns": [{"say" | "press" | "officer": …, "after": seconds}]}.
    """
    assert jsonl  # the option is required
    set_up_logs(LogSettings(level="error"))
    try:
        conversations = [_checked(number, line) for number, line in enumerate(sys.stdin.buffer, 1) if line.strip()]
    except BotError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    context.run(_talk(context, conversations))


async def _talk(context: CommandContext, conversations: Sequence[Mapping[str, Any]]) -> None:
    clock, seen = _Clock(), list[Context]()
    async with _service(context, clock, seen) as service:
        officer = await service.store.write(_sign_in_officer)
        for number, conversation in enumerate(conversations, 1):
            clock.at = conversation["now"]
            talking = _Talk(service, clock, Person(CHANNEL, f"talk-{number}"), officer, seen)
            for place, turn in enumerate(conversation["turns"]):
                after = turn.get("after")
                if after is not None:
                    clock.at += timedelta(seconds=after)
                elif place:
                    clock.at += BETWEEN_TURNS
                await talking.take(turn)
            result = {"id": conversation["id"], "turns": talking.turns}
            sys.stdout.write(orjson.dumps(result).decode() + "\n")
            sys.stdout.flush()


@asynccontextmanager
async def _service(context: CommandContext, clock: _Clock, seen: list[Context]) -> Any:
    settings: Settings = context.settings
    limits = settings.limits.model_copy(update={"person_per_minute": 0, "most_waiting": 0})
    with tempfile.TemporaryDirectory() as folder:
        settings = settings.model_copy(update={"database": f"sqlite:///{Path(folder) / 'talk.db'}", "limits": limits})
        async with open_service(settings, context.routes, now=clock, observe=seen.append) as service:
            yield service


def _sign_in_officer(tx: Transaction) -> Officer:
    at = stamp(STARTS_AT)
    number = people.remember(tx, Person(CHANNEL, "talk-officer"), source="", at=at)
    roles.grant(tx, number, role=access.OFFICER, scope="", at=at)
    return Officer(number, (access.Grant(access.OFFICER),))


def _checked(number: int, line: bytes) -> Mapping[str, Any]:
    """Read one conversation; raises BotError with the line's number."""
    try:
        conversation = orjson.loads(line)
        turns = conversation["turns"]
        if not isinstance(conversation["id"], str) or not isinstance(turns, list):
            raise TypeError
        for turn in turns:
            (kind,) = [kind for kind in _KINDS if kind in turn]
            after = turn.get("after", 0)
            if not isinstance(turn[kind], str) or not isinstance(after, int | float) or isinstance(after, bool):
                raise TypeError
            if not 0 <= after <= _LONGEST_PAUSE:
                raise ValueError
        now = conversation.get("now")
        return {**conversation, "now": STARTS_AT if now is None else _aware(datetime.fromisoformat(now))}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        raise BotError(
            f'standard input:{number}: expected one conversation {{"id": "…", "turns": [{{"say": "…"}}]}} a line.'
        ) from None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a moment without its zone")
    return at
