"""People to write to, officers who write, and a bot that sends without long pauses; for the tests of broadcasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

import bot.broadcasts.progress
import bot.broadcasts.sender
import bot.runtime.build
from bot.broadcasts import Actor
from bot.clock import stamp
from bot.message import Person
from bot.runtime.build import Service, open_service
from bot.settings import Settings
from bot.store import Store, Transaction, broadcasts, people, reports, roles
from handlers import ROUTES
from tests.conftest import NOON, FrozenClock, Recorder

AT, YESTERDAY = stamp(NOON), stamp(NOON - timedelta(days=1))
WORDING = "With your consent …"


def add_person(
    tx: Transaction,
    address: str,
    *,
    channel: str = "recorder",
    willing: bool = True,
    district: str = "",
    commune: str = "",
    reported_at: str = YESTERDAY,
    language: str = "",
    source: str = "",
) -> int:
    """Put somebody into the records, mostly with a consent to reminders."""
    number = people.remember(tx, Person(channel, address), source=source, at="2026-11-01T00:00:00.000Z")
    if language:
        people.set_language(tx, number, language)
    if willing:
        people.note_consent(tx, number, purpose="reminders", wording=WORDING, at=YESTERDAY)
    if district:
        reports.keep(
            tx,
            number,
            district=district,
            commune=commune,
            channel=channel,
            source=source,
            day=reported_at[:10],
            at=reported_at,
        )
    return number


async def add_officer(store: Store, address: str, scope: str = "", role: str = "officer") -> Actor:
    """Put an officer into the records."""

    def work(tx: Transaction) -> Actor:
        number = people.remember(tx, Person("recorder", address), source="", at=AT)
        roles.grant(tx, number, role=role, scope=scope, at=AT)
        return Actor(number)

    return await store.write(work)


async def ledger(store: Store, number: int) -> dict[str, str]:
    """Return the state of everybody in a broadcast's ledger by address; a reason stands after a space."""
    rows = await store.read(
        lambda tx: tx.all(
            """
            SELECT p.address, d.state, d.reason FROM deliveries d JOIN people p ON p.id = d.person_id
            WHERE d.broadcast_id = :number ORDER BY d.id
            """,
            number=number,
        )
    )
    return {row["address"]: f"{row['state']} {row['reason']}".strip() for row in rows}


async def state_of(store: Store, number: int) -> str:
    row = await store.read(lambda tx: broadcasts.find(tx, number))
    return row["state"] if row else "deleted"


async def settled(service: Service, number: int, *states: str, seconds: float = 10.0) -> str:
    """Return when a broadcast has come to one of some states, done by default."""
    found = ""

    async def look() -> bool:
        nonlocal found
        found = await state_of(service.store, number)
        return found in (states or ("done",))

    async with asyncio.timeout(seconds):
        while not await look():  # noqa: ASYNC110 - another task, or process, writes it
            await asyncio.sleep(0.01)
    return found


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses out of the background work."""
    monkeypatch.setattr(bot.broadcasts.sender, "_LOOK_PAUSE", 0.01)
    monkeypatch.setattr(bot.runtime.build, "_BROADCAST_PAUSE", 0.01)
    monkeypatch.setattr(bot.runtime.build, "_PUSH_PAUSE", 0.01)
    monkeypatch.setattr(bot.broadcasts.progress, "EDIT_PAUSE", 0.01)


@asynccontextmanager
async def sending_bot(
    settings: Settings, clock: FrozenClock, *channels: Recorder, sends: bool = True
) -> AsyncIterator[Service]:
    """Run a bot that sends what is due."""
    async with open_service(settings, ROUTES, now=clock, extra_channels=channels, sends=sends) as service:
        yield service
