"""An inbox in a process of its own, for tests that kill it: `python -m tests.support.inbox_process DATABASE FIRST`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import clock
from bot.conversation.inbox import Inbox
from bot.conversation.person_queue import Answer, PersonQueues
from bot.conversation.unit_of_work import PersonState
from bot.message import IncomingMessage, Person, Reply
from bot.store import Transaction, open_store

MESSAGES, PEOPLE = 330, 11


async def feed(path: Path, first: int) -> None:
    """Take up what was left, then feed messages from number `first` on; prints what a citizen would know."""
    store = open_store(f"sqlite:///{path}")

    async def answer(said: IncomingMessage, session: PersonState | None = None) -> Answer:
        def commit(tx: Transaction) -> None:
            tx.run("INSERT INTO audit (at, actor, action, detail, hash) VALUES ('', :who, '', :id, '')",
                   who=said.person.address, id=said.id)  # fmt: skip

        return Answer((Reply(said.text),), commit)

    async def deliver(person: Person, replies: Sequence[Reply], answering: str) -> None:
        print("delivered", answering, replies[0].text, flush=True)

    lines = PersonQueues(store, answer=answer, deliver=deliver, keeps_replies=lambda _: True, clock=clock.now)
    inbox = Inbox(lines, per_minute=0, longest_text=2000)
    print("recovered", await inbox.recover(), flush=True)

    async def say(number: int) -> None:
        person = Person("recorder", f"p{number % PEOPLE}")
        await inbox.receive(
            IncomingMessage(person=person, id=f"m{number:04}", at=clock.now(), text=f"words-{number:04}")
        )
        print("confirmed", f"m{number:04}", flush=True)

    for start in range(first, MESSAGES, PEOPLE):
        await asyncio.gather(*(say(number) for number in range(start, min(start + PEOPLE, MESSAGES))))
    await inbox.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(feed(Path(sys.argv[1]), int(sys.argv[2])))
