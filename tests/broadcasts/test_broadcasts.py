"""Broadcasts: who gets them, who may send them, once, at a decent hour, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bot import access
from bot.access.roles import OUT_OF_SCOPE
from bot.broadcasts import MOVED_ON, NOT_THERE, Actor, BroadcastProgress
from bot.channels.terms import SendingTerms, terms_of
from bot.errors import DeliveryError, Gone, NotAllowed, Rejected, Throttled, Unknown, Unreachable
from bot.message import Capabilities, Person, RateLimits, Receipt, Reply, Window
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import Transaction, broadcasts, leases, links, people, reach, roles, usage
from bot.store.audiences import LONG_AGO, REPORTED, UNREPORTED, Audience
from tests.conftest import NOON, FrozenClock, Recorder, Talk
from tests.support.broadcasts import AT, add_officer, add_person, hurry, ledger, sending_bot, settled, state_of
from tests.support.engines import Engine

VINH_TUONG, YEN_LAC = "vinh-tuong", "yen-lac"


@dataclass
class Moody(Recorder):
    """A platform with a mood for each address, and a door that can be shut."""

    moods: dict[str, list[DeliveryError]] = field(default_factory=dict)
    door: asyncio.Event = field(default_factory=asyncio.Event)
    at_the_door: int = 0

    def __post_init__(self) -> None:
        self.door.set()

    async def send(self, to: Person, reply: Reply, *, answering: str = "") -> Receipt:
        if not answering:
            self.at_the_door += 1
            await self.door.wait()
        if self.moods.get(to.address):
            raise self.moods[to.address].pop(0)
        return await Recorder.send(self, to, reply, answering=answering)

    @property
    def got(self) -> list[str]:
        """Who got something that answers nothing, in order."""
        return [person.address for person, _, answering in self.sent if not answering]


@pytest.fixture
def channel() -> Moody:
    return Moody(capabilities=Capabilities(longest_text=4000, title="recorder"))


@pytest.fixture
async def bot(
    settings: Settings, clock: FrozenClock, channel: Moody, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    hurry(monkeypatch)
    async with sending_bot(settings, clock, channel) as service:
        yield service


async def planned(bot: Service, officer: Actor, audience: Audience | None = None) -> int:
    """Write a broadcast and plan it."""
    number = await bot.broadcasts.draft(officer, audience or Audience())
    await bot.broadcasts.write(officer, number, {"vi": "Mời bạn cài ứng dụng."})
    await bot.broadcasts.plan(officer, number)
    return number


async def crowd(bot: Service, count: int, **more: Any) -> list[int]:
    return await bot.store.write(lambda tx: [add_person(tx, f"p{n}", **more) for n in range(count)])


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - nothing there could set an event
            await asyncio.sleep(0.005)


async def at_rest(bot: Service, number: int) -> BroadcastProgress:
    """Return the progress once nothing is on its way."""
    async with asyncio.timeout(10):
        while (progress := await bot.broadcasts.progress(Actor(), number)).states.get("claimed"):  # noqa: ASYNC110 - the sender writes it
            await asyncio.sleep(0.01)
    return progress


# -- whom it reaches ---------------------------------------------------------------------------------------------

# What is known of each, by name.
PEOPLE: dict[str, dict[str, Any]] = {
    "reported there": {"district": VINH_TUONG},
    "reported long ago": {"district": VINH_TUONG, "reported_at": "2026-06-01T00:00:00.000Z"},
    "reported elsewhere": {"district": YEN_LAC},
    "by a poster there": {"source": "VT24"},
    "by a poster there, reported elsewhere": {"source": "VT24", "district": YEN_LAC},
    "from nowhere": {},
    "english": {"language": "en"},
    "without consent": {"willing": False, "district": VINH_TUONG},
}
AUDIENCES: dict[str, tuple[Audience, set[str]]] = {
    "everybody": (Audience(), set(PEOPLE) - {"without consent"}),
    "one district": (
        Audience(districts=(VINH_TUONG,)),
        {"reported there", "reported long ago", "by a poster there"},
    ),
    "reported there": (Audience(districts=(VINH_TUONG,), reports=REPORTED), {"reported there", "reported long ago"}),
    "not reported there": (Audience(districts=(VINH_TUONG,), reports=UNREPORTED), {"by a poster there"}),
    "long ago": (Audience(reports=LONG_AGO), {"reported long ago"}),
    "in English": (Audience(language="en"), {"english"}),
    "by one poster": (Audience(source="VT24"), {"by a poster there", "by a poster there, reported elsewhere"}),
    "on another channel": (Audience(channel="webchat"), set()),
}


@pytest.mark.parametrize("name", AUDIENCES)
async def test_an_audience_is_who_asked_for_reminders_and_lives_there(bot: Service, name: str) -> None:
    audience, expected = AUDIENCES[name]
    boss = await add_officer(bot.store, "boss")
    await bot.store.write(lambda tx: [add_person(tx, person, **known) for person, known in PEOPLE.items()])
    number = await planned(bot, boss, audience)
    assert set(await ledger(bot.store, number)) == expected


async def test_who_is_reached_is_the_same_on_both_engines(
    settings: Settings, clock: FrozenClock, channel: Moody, engine: Engine
) -> None:
    async with sending_bot(settings.model_copy(update={"database": engine.url}), clock, channel, sends=False) as bot:
        boss = await add_officer(bot.store, "boss")
        await bot.store.write(lambda tx: [add_person(tx, person, **known) for person, known in PEOPLE.items()])
        for audience, expected in AUDIENCES.values():
            number = await planned(bot, boss, audience)
            assert set(await ledger(bot.store, number)) == expected
        later = (NOON + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        begun = partial(broadcasts.change, number=1, states=("planned",), at=AT, state="done", began_at=AT)
        await bot.store.write(begun)
        await bot.store.write(partial(add_person, address="english", district=VINH_TUONG, reported_at=later))
        uplift = (await bot.broadcasts.report(Actor(), 1)).uplift
        assert uplift is not None
        assert (uplift.reached, uplift.others, uplift.others_reported) == (0, 3, 1)  # the rest had reported before


async def test_a_commune_is_known_from_the_report_or_the_poster(bot: Service) -> None:
    boss = await add_officer(bot.store, "boss")
    source = next(s for s in bot.content_store.knowledge.sources.by_code.values() if s.commune and not s.new)
    await bot.store.write(
        lambda tx: [
            add_person(tx, "reported", district=source.district, commune=source.commune),
            add_person(tx, "poster", source=source.code),
            add_person(tx, "district only", district=source.district),
        ]
    )
    number = await planned(
        bot, boss, Audience(districts=(source.district,), communes=(f"{source.district}/{source.commune}",))
    )
    assert set(await ledger(bot.store, number)) == {"reported", "poster"}


async def test_a_changed_plan_keeps_nobody_of_the_former_audience(bot: Service) -> None:
    boss = await add_officer(bot.store, "boss")
    await bot.store.write(
        lambda tx: [add_person(tx, "there", district=VINH_TUONG), add_person(tx, "elsewhere", district="yen-lac")]
    )
    number = await planned(bot, boss)
    assert set(await ledger(bot.store, number)) == {"there", "elsewhere"}
    for change in (
        bot.broadcasts.aim(boss, number, Audience(districts=(VINH_TUONG,))),
        bot.broadcasts.write(boss, number, {"vi": "Mời bạn."}),
    ):
        await change
        assert await ledger(bot.store, number) == {}
        await bot.broadcasts.plan(boss, number)
        assert set(await ledger(bot.store, number)) == {"there"}


async def test_a_plan_says_who_is_left_out_and_why(bot: Service, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss")

    def people_there(tx: Transaction) -> None:
        add_person(tx, "reached")
        add_person(tx, "unasked", willing=False)
        add_person(tx, "off", channel="telegram")
        add_person(tx, "blocked")
        people.mark_gone(tx, Person("recorder", "blocked"), AT)
        linked = [add_person(tx, name) for name in ("linked old", "linked new")]
        tx.run("UPDATE people SET seen_at = '2026-11-20T00:00:00.000Z' WHERE address = 'linked new'")
        links.join(tx, *linked, circle="c", at=AT)

    await bot.store.write(people_there)
    found = await bot.broadcasts.find(Actor(), await planned(bot, boss))
    assert found.plan.people == 2
    assert dict(found.plan.left_out) == {"no-consent": 2, "channel-off": 1, "gone": 1, "linked": 1}  # the boss too
    assert set(await ledger(bot.store, found.number)) == {"reached", "linked new"}
    assert bot.broadcasts.finish(found) == NOON + timedelta(seconds=0.02)


async def test_zalo_windows_and_money_stand_in_the_plan(settings: Settings, clock: FrozenClock) -> None:
    oa = {"app_id": "1", "app_secret": "2", "included_messages": 1}
    changed = settings.model_copy(update={"zalo_oa": settings.zalo_oa.model_validate(oa)})
    assert terms_of(changed)["zalo_oa"] == SendingTerms(
        per_second=1.5, window=Window(free_hours=48, paid_days=7), price=55, included=1
    )
    async with sending_bot(changed, clock, sends=False) as service:
        silent_hours = {"fresh": 1, "day 3": 72, "day 4": 96, "day 5": 120, "day 8": 192}

        def fill(tx: Transaction) -> None:
            for name, hours in silent_hours.items():
                spoke = (NOON - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
                reach.note_interaction(tx, add_person(tx, name, channel="zalo_oa"), at=spoke)
            add_person(tx, "never spoke", channel="zalo_oa")

        await service.store.write(fill)
        found = await service.broadcasts.find(Actor(), await planned(service, Actor()))
        assert [(c.channel, c.people, c.paid) for c in found.plan.channels] == [("zalo_oa", 4, 3)]
        assert dict(found.plan.left_out) == {"window-closed": 2}
        cost = await service.broadcasts.cost(found)
        assert (cost.messages, cost.amount) == (2, 110)
        await service.store.write(lambda tx: usage.put(tx, "zalo_oa", period="now", kind="quota_remain", amount=3))
        assert (await service.broadcasts.cost(found)).messages == 0


async def test_nobody_is_reminded_more_often_than_promised(bot: Service, channel: Moody, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss", role="admin")
    await crowd(bot, 3)
    first, second = await planned(bot, boss), await planned(bot, boss)  # both planned before either is sent
    for number in (first, second):
        await bot.broadcasts.release(boss, number)
        await settled(bot, number)
    assert sorted(channel.got) == ["p0", "p1", "p2"]
    assert set((await ledger(bot.store, second)).values()) == {"skipped reminded"}
    third = await bot.broadcasts.find(boss, await planned(bot, boss))
    assert (third.plan.people, third.plan.left_out["reminded"]) == (0, 3)
    with pytest.raises(NotAllowed, match="Nobody would get"):
        await bot.broadcasts.release(boss, third.number)
    clock.forward(days=7, minutes=1)
    assert (await bot.broadcasts.plan(boss, third.number)).plan.people == 3


# -- what it says ------------------------------------------------------------------------------------------------


async def test_texts_are_filled_for_each_district_and_end_with_how_to_stop(bot: Service, channel: Moody) -> None:
    boss = await add_officer(bot.store, "boss")
    await bot.store.write(
        lambda tx: [
            add_person(tx, "there", district=VINH_TUONG),
            add_person(tx, "nowhere"),
            add_person(tx, "english", language="en", source="VT24"),
        ]
    )
    number = await bot.broadcasts.draft(boss, Audience())
    await bot.broadcasts.write(boss, number, {"vi": "Ở {district}: {reports} (*{share}*)"})
    await bot.broadcasts.write(boss, number, {"en": "In {district} by {date}"})
    await bot.broadcasts.plan(boss, number)
    await bot.broadcasts.release(boss, number)
    await settled(bot, number)
    texts = {person.address: reply.text for person, reply, _ in channel.sent}
    assert texts == {
        "there": "Ở huyện Vĩnh Tường: dưới 5 (\\*0,00%\\*)\n\nĐể không nhận tin nhắc nữa, bạn gõ DUNG.",
        "nowhere": "Ở khu vực Vĩnh Phúc cũ: dưới 5 (\\*0,00%\\*)\n\nĐể không nhận tin nhắc nữa, bạn gõ DUNG.",
        "english": "In Vĩnh Tường district by 22 November 2026\n\nTo get no more reminders, type DUNG.",
    }


async def test_a_text_that_cannot_be_sent_is_refused(bot: Service) -> None:
    boss = await add_officer(bot.store, "boss")
    number = await bot.broadcasts.draft(boss, Audience())
    for text, why in ({"x" * 1001: "too long", "Chào {name}": "braces"}).items():
        with pytest.raises(NotAllowed, match=why):
            await bot.broadcasts.write(boss, number, {"vi": text})
    with pytest.raises(NotAllowed, match="no text yet"):
        await bot.broadcasts.plan(boss, number)
    with pytest.raises(NotAllowed, match="Check its facts"):
        await bot.broadcasts.take_ready(boss, number, "install-app")
    found = await bot.broadcasts.take_ready(boss, number, "install-app", confirmed=True)
    assert found.confirmed
    assert found.texts["en"].startswith("Hello!")
    assert not (await bot.broadcasts.take_ready(boss, number, "beware-scam")).confirmed


# -- who may -----------------------------------------------------------------------------------------------------


async def test_an_officer_reaches_and_sees_their_own_district_only(bot: Service) -> None:
    own, other = await add_officer(bot.store, "own", VINH_TUONG), await add_officer(bot.store, "other", YEN_LAC)
    citizen = Actor(await bot.store.write(lambda tx: add_person(tx, "citizen", district=VINH_TUONG)))
    for outside in (Audience(), Audience(districts=(YEN_LAC,)), Audience(districts=(VINH_TUONG, YEN_LAC))):
        with pytest.raises(NotAllowed, match=OUT_OF_SCOPE[:20]):
            await bot.broadcasts.draft(own, outside)
    with pytest.raises(NotAllowed, match="officers only"):
        await bot.broadcasts.draft(citizen, Audience(districts=(VINH_TUONG,)))
    number = await planned(bot, own, Audience(districts=(VINH_TUONG,)))
    assert [one.number for one in await bot.broadcasts.latest(own)] == [number]
    assert await bot.broadcasts.latest(other) == []
    does = bot.broadcasts
    attempts: list[Callable[[Actor], Coroutine[Any, Any, object]]] = [
        lambda who: does.find(who, number),
        lambda who: does.write(who, number, {"vi": "x"}),
        lambda who: does.aim(who, number, Audience(districts=(YEN_LAC,))),
        lambda who: does.plan(who, number),
        lambda who: does.release(who, number),
        lambda who: does.approve(who, number),
        lambda who: does.pause(who, number),
        lambda who: does.stop(who, number),
        lambda who: does.again(who, number),
        lambda who: does.report(who, number),
        lambda who: does.progress(who, number),
        lambda who: does.preview(who, number),
        lambda who: does.discard(who, number),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed, match=NOT_THERE[:30]):
            await attempt(other)
    with pytest.raises(NotAllowed, match=OUT_OF_SCOPE[:20]):
        await bot.broadcasts.aim(own, number, Audience(districts=(YEN_LAC,)))
    with pytest.raises(NotAllowed):
        await bot.broadcasts.unknown(own, number)
    assert (await bot.broadcasts.find(own, number)).state == "planned"


async def test_a_second_officer_approves_many_messages(settings: Settings, clock: FrozenClock, channel: Moody) -> None:
    reminders = settings.reminders.model_copy(update={"approve_above": 2})
    async with sending_bot(settings.model_copy(update={"reminders": reminders}), clock, channel, sends=False) as bot:
        boss, second = await add_officer(bot.store, "boss"), await add_officer(bot.store, "second")
        same = await add_officer(bot.store, "boss's other phone")
        elsewhere = await add_officer(bot.store, "elsewhere", YEN_LAC)
        await bot.store.write(lambda tx: links.join(tx, boss.person_id, same.person_id, circle="c", at=AT))
        await crowd(bot, 3)
        number = await planned(bot, boss)
        assert (await bot.broadcasts.release(boss, number)).state == "waiting"
        for who, why in ((boss, "second officer"), (same, "second officer"), (elsewhere, NOT_THERE[:30])):
            with pytest.raises(NotAllowed, match=why):
                await bot.broadcasts.approve(who, number)
        assert (await bot.broadcasts.approve(second, number)).approved_by == second.name
        with pytest.raises(NotAllowed, match=MOVED_ON[:20]):
            await bot.broadcasts.approve(second, number)
        small = await planned(bot, boss, Audience(language="en"))
        assert (await bot.broadcasts.release(boss, small)).state == "waiting"  # "nobody" would be an exact figure
        with pytest.raises(NotAllowed, match="Nobody"):
            await bot.broadcasts.release(Actor(), await planned(bot, Actor(), Audience(language="en")))


async def test_every_step_stands_in_the_audit(bot: Service, channel: Moody) -> None:
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 2)
    number = await planned(bot, boss)
    await bot.broadcasts.sample(boss, number, "vi")
    await bot.broadcasts.release(boss, number)
    await settled(bot, number)
    lines = [(row["actor"], row["action"], row["detail"]) for row in await bot.store.read(roles.audit)]
    assert lines == [
        (boss.name, "broadcast-draft", f"broadcast {number} *"),
        (boss.name, "broadcast-plan", f"broadcast {number} * 2 people"),
        (boss.name, "broadcast-test", f"broadcast {number} 2 people"),
        (boss.name, "broadcast-send", f"broadcast {number} * 2 people"),
        (boss.name, "broadcast-begin", f"broadcast {number} * 2 people"),
    ]
    assert await access.check_audit(bot.store) is None


async def test_of_two_officers_at_once_one_is_told(bot: Service) -> None:
    boss, second = await add_officer(bot.store, "boss"), await add_officer(bot.store, "second")
    await crowd(bot, 3)
    number = await planned(bot, boss)
    later = NOON + timedelta(hours=1)
    acts = [bot.broadcasts.release(who, number, at=later) for who in (boss, second)]
    outcomes = await asyncio.gather(*acts, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Broadcast", "NotAllowed"]
    acts = [bot.broadcasts.pause(boss, number), bot.broadcasts.pause(second, number)]
    outcomes = await asyncio.gather(*acts, return_exceptions=True)
    assert sorted(type(one).__name__ for one in outcomes) == ["Broadcast", "NotAllowed"]
    acts = [bot.broadcasts.resume(boss, number), bot.broadcasts.stop(second, number)]
    await asyncio.gather(*acts, return_exceptions=True)
    assert await state_of(bot.store, number) == "stopped"
    with pytest.raises(NotAllowed, match=MOVED_ON[:20]):
        await bot.broadcasts.resume(boss, number)
    plans = [planned(bot, boss), planned(bot, second)]
    assert len(set(await asyncio.gather(*plans))) == 2
    both = [bot.broadcasts.plan(boss, number + 1), bot.broadcasts.write(second, number + 1, {"vi": "Khác"})]
    await asyncio.gather(*both, return_exceptions=True)
    found = await bot.broadcasts.find(boss, number + 1)
    frozen = await bot.store.read(lambda tx: broadcasts.texts(tx, number + 1))
    assert found.state == "draft" or found.texts["vi"] in frozen["vi", ""]


# -- once, and at a decent hour ----------------------------------------------------------------------------------


async def test_who_stops_in_the_middle_gets_nothing_after_it(bot: Service, channel: Moody) -> None:
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 100)
    number = await planned(bot, boss)
    channel.door.clear()
    await bot.broadcasts.release(boss, number)
    await until(lambda: channel.at_the_door >= 16)
    await asyncio.sleep(0.15)
    late = Talk(bot, channel, Person("recorder", "p99"))
    assert "Đã ngừng" in await late.say("DUNG")
    channel.door.set()
    await settled(bot, number)
    book = await ledger(bot.store, number)
    assert book.pop("p99") == "skipped opted-out"
    assert set(book.values()) == {"sent"}
    assert len(channel.got) == len(set(channel.got)) == 99


async def test_who_stops_while_their_message_waits_its_turn_gets_nothing(
    settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("bot.broadcasts.sender._RECHECK_AFTER_SECONDS", 0.0)
    channel = Moody(capabilities=Capabilities(longest_text=4000, title="recorder", pace=RateLimits(bulk_per_second=5)))
    async with sending_bot(settings, clock, channel) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 5)
        number = await planned(bot, boss)
        await bot.broadcasts.release(boss, number)
        await until(lambda: len(channel.got) == 1)
        assert (await ledger(bot.store, number))["p4"] == "claimed"  # all stand at the gate
        assert "Đã ngừng" in await Talk(bot, channel, Person("recorder", "p4")).say("DUNG")
        await settled(bot, number)
        book = await ledger(bot.store, number)
        assert book.pop("p4") == "skipped opted-out"
        assert set(book.values()) == {"sent"}
        assert "p4" not in channel.got


async def test_paused_resumed_stopped(bot: Service, channel: Moody) -> None:
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 200)
    number = await planned(bot, boss)
    channel.door.clear()
    await bot.broadcasts.release(boss, number)
    await until(lambda: channel.at_the_door >= 16)
    await asyncio.sleep(0.15)
    await bot.broadcasts.pause(boss, number)
    channel.door.set()
    progress = await at_rest(bot, number)
    sent = len(channel.sent)
    assert 16 <= sent < 60
    assert (progress.states["sent"], progress.states["planned"], progress.percent) == (sent, 200 - sent, sent // 2)
    await bot.broadcasts.resume(boss, number)
    await settled(bot, number)
    assert len(channel.got) == len(set(channel.got)) == 200
    other = await planned(bot, boss, Audience(language="vi"))
    assert other != number


async def test_quiet_hours_hold_also_for_a_clock_that_jumps(bot: Service, channel: Moody, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 200)
    number = await planned(bot, boss)
    clock.at = datetime(2026, 11, 23, 12, 59, 59, tzinfo=UTC)  # a second before 20:00 there
    channel.door.clear()
    await bot.broadcasts.release(boss, number)
    await until(lambda: channel.at_the_door >= 16)
    under_way = channel.at_the_door
    clock.forward(hours=1)  # the clock jumps into the night while some are on their way
    channel.door.set()
    await until(lambda: len(channel.sent) >= under_way)
    await asyncio.sleep(0.15)
    assert len(channel.sent) == under_way
    await bot.broadcasts.pause(boss, number)
    await bot.broadcasts.resume(boss, number)  # at night
    await asyncio.sleep(0.1)
    assert len(channel.sent) == under_way
    clock.at = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 08:00
    await settled(bot, number)
    assert len(channel.got) == len(set(channel.got)) == 200
    late = await planned(bot, boss)
    assert (await bot.broadcasts.find(boss, late)).plan.people == 0


async def test_what_is_released_at_night_begins_in_the_morning(bot: Service, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss", role="admin")
    await crowd(bot, 1)
    number = await planned(bot, boss)
    clock.at = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    found = await bot.broadcasts.release(boss, number)
    assert found.starts_at == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert bot.broadcasts.finish(found) == datetime(2026, 11, 24, 1, 0, 0, 10_000, tzinfo=UTC)
    await asyncio.sleep(0.1)
    assert await state_of(bot.store, number) == "scheduled"
    clock.at = datetime(2026, 11, 26, 17, 0, tzinfo=UTC)  # nobody was there in the morning, and now it is night again
    await asyncio.sleep(0.1)
    assert await state_of(bot.store, number) == "scheduled"
    clock.at = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
    await settled(bot, number)


async def test_every_week_until_a_day(bot: Service, channel: Moody, clock: FrozenClock) -> None:
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 2)
    number = await planned(bot, boss)
    with pytest.raises(NotAllowed, match="last day"):
        await bot.broadcasts.release(boss, number, weekly_until=date(2026, 11, 22))
    await bot.broadcasts.release(boss, number, weekly_until=date(2026, 12, 10))
    await settled(bot, number)
    await bot.store.write(lambda tx: add_person(tx, "new"))
    clock.forward(days=7, seconds=1)
    await settled(bot, number + 1)
    assert set(await ledger(bot.store, number + 1)) == {"p0", "p1", "new"}  # planned anew, for those there now
    clock.forward(days=7)
    await settled(bot, number + 2, "scheduled", "running", "done")
    await settled(bot, number + 2)
    assert len(await bot.broadcasts.latest(boss)) == 3  # the next would lie after the last day


async def test_a_series_ends_with_the_role_of_who_made_it(bot: Service, channel: Moody, clock: FrozenClock) -> None:
    officer = await add_officer(bot.store, "officer", VINH_TUONG)
    await crowd(bot, 2, district=VINH_TUONG)
    number = await planned(bot, officer, Audience(districts=(VINH_TUONG,)))
    await bot.broadcasts.release(officer, number, weekly_until=date(2026, 12, 30))
    await settled(bot, number)
    await bot.store.write(lambda tx: roles.revoke(tx, officer.person_id))
    clock.forward(days=7, seconds=1)
    await settled(bot, number + 1, "stopped")
    assert len(channel.got) == 2
    found = await bot.broadcasts.find(Actor(), number + 1)
    assert found.reason == "role-lost"


# -- what comes of it --------------------------------------------------------------------------------------------


async def test_each_ending_stands_in_the_ledger(bot: Service, channel: Moody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.broadcasts.sender._FIRST_REST", 0.01)
    monkeypatch.setattr("bot.delivery.outbox._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("bot.delivery.outbox._LONGEST_PAUSE", 0.001)
    channel.moods = {
        "p0": [Gone("x", code="403")],
        "p1": [Unknown("x", code="timeout")],
        "p2": [Rejected("x", code="400")],
        "p3": [Unreachable("x", code="502")] * 3,
        "p4": [Unreachable("x", code="502")] * 100,
        "p5": [Throttled("x", code="429", retry_after=0.01)],
    }
    boss, admin = await add_officer(bot.store, "boss"), await add_officer(bot.store, "admin", role="admin")
    await crowd(bot, 8)
    number = await planned(bot, boss)
    for sender in bot.broadcast_scheduler.senders:
        sender._rest = 0.01
    await bot.broadcasts.release(boss, number)
    await settled(bot, number)
    assert await ledger(bot.store, number) == {
        "p0": "gone 403",
        "p1": "unknown timeout",
        "p2": "failed 400",
        "p3": "sent",
        "p4": "failed 502",
        "p5": "sent",
        "p6": "sent",
        "p7": "sent",
    }
    assert len(channel.got) == len(set(channel.got))
    exact = await bot.broadcasts.report(admin, number)
    assert exact.states == {"gone": 1, "unknown": 1, "failed": 2, "sent": 4}
    assert exact.reasons["failed", "502"] == 1
    shares = await bot.broadcasts.report(boss, number)
    assert (shares.percent_step, set(shares.states.values())) == (0, {0})  # too few to tell any apart
    assert [channel for _, channel, _ in await bot.broadcasts.unknown(admin, number)] == ["recorder"]
    channel.moods = {}
    assert await bot.broadcasts.again(admin, number) == 2
    await settled(bot, number)
    assert (await ledger(bot.store, number))["p4"] == "sent"
    assert channel.got.count("p1") == 0  # perhaps delivered: never repeated by itself
    with pytest.raises(NotAllowed, match="Nobody is left"):
        await bot.broadcasts.again(admin, number)
    assert await bot.broadcasts.again(boss, number) is None
    assert await settled(bot, number) == "done"


async def test_what_an_officer_releases_leaves_before_the_clock_comes(
    settings: Settings, clock: FrozenClock, channel: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runtime.build._BROADCAST_PAUSE", 3600.0)
    monkeypatch.setattr("bot.broadcasts.sender._LOOK_PAUSE", 3600.0)
    async with sending_bot(settings, clock, channel) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 3)
        number = await planned(bot, boss)
        await bot.broadcasts.release(boss, number)
        await until(lambda: len(channel.got) == 3)
        await at_rest(bot, number)
    assert sorted(channel.got) == ["p0", "p1", "p2"]


async def test_a_channel_that_is_off_waits_without_blaming_anybody(
    bot: Service, channel: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.outbox._FIRST_PAUSE", 0.001)
    monkeypatch.setattr("bot.delivery.outbox._LONGEST_PAUSE", 0.001)
    boss = await add_officer(bot.store, "boss")
    await crowd(bot, 60)
    channel.moods = {f"p{n}": [Unreachable("off", code="channel-off")] * 6 for n in range(60)}
    number = await planned(bot, boss)
    await bot.broadcasts.release(boss, number)
    await until(lambda: any(s._resting_until for s in bot.broadcast_scheduler.senders))
    await at_rest(bot, number)
    assert set((await ledger(bot.store, number)).values()) == {"planned"}
    assert channel.got == []


async def test_what_a_dead_sender_claimed_is_listed_and_not_repeated(
    settings: Settings, clock: FrozenClock, channel: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    async with sending_bot(settings, clock, channel, sends=False) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 5)
        number = await planned(bot, boss)
        await bot.broadcasts.release(boss, number)
        await bot.broadcasts.advance()

        def die(tx: Transaction) -> None:
            """Another machine claims two, holds the right to send, and is heard of no more."""
            rule = broadcasts.ClaimRule(holder="dead", at=AT, week_ago="", per_week=1)
            broadcasts.claim(tx, number, channel="recorder", rule=rule, limit=2)
            until = (NOON + timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            leases.take(tx, "broadcasts:recorder", holder="elsewhere:1:x:y", at=AT, until=until)

        await bot.store.write(die)
    async with sending_bot(settings, clock, channel) as bot:
        await asyncio.sleep(0.1)
        assert channel.got == []  # the other one may be alive
        clock.forward(seconds=21)
        await settled(bot, number)
        states = await ledger(bot.store, number)
        assert [states[f"p{n}"] for n in range(5)] == ["unknown sender-died"] * 2 + ["sent"] * 3
        assert sorted(channel.got) == ["p2", "p3", "p4"]


async def test_what_had_not_begun_at_a_stop_is_planned_again(
    settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    channel = Moody(
        capabilities=Capabilities(longest_text=4000, title="recorder", pace=RateLimits(bulk_per_second=0.5))
    )
    channel.moods = {"p0": [Unreachable("x", code="502")]}  # waits for another attempt when the stop comes
    async with sending_bot(settings, clock, channel) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 30)
        number = await planned(bot, boss)
        await bot.broadcasts.release(boss, number)
        await until(lambda: channel.at_the_door >= 2)
        await until(lambda: bool(channel.got))
    async with sending_bot(settings, clock, channel, sends=False) as bot:
        book = await ledger(bot.store, number)
        assert {who for who, state in book.items() if state == "sent"} == set(channel.got)
        assert {state for who, state in book.items() if who not in channel.got} == {"planned"}


async def test_a_fifth_of_the_months_messages_is_kept_for_answers(
    settings: Settings, clock: FrozenClock, channel: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    zalo = settings.zalo_bot.model_validate({"token": "1:x", "monthly_messages": 10})
    channel.name = "zalo_bot"
    async with sending_bot(settings.model_copy(update={"zalo_bot": zalo}), clock, channel) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 4, channel="zalo_bot")
        number = await planned(bot, boss)
        await bot.store.write(lambda tx: usage.add(tx, "zalo_bot", period="2026-11", kind="received", amount=8))
        await bot.broadcasts.release(boss, number)
        await settled(bot, number)
        assert set((await ledger(bot.store, number)).values()) == {"over_quota monthly-budget"}
    assert channel.got == []


async def test_what_reports_say_about_an_effect(bot: Service, channel: Moody, clock: FrozenClock) -> None:
    admin = await add_officer(bot.store, "admin", role="admin")
    soon = (NOON + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    late = (NOON + timedelta(hours=80)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    await crowd(bot, 4)
    await bot.store.write(lambda tx: [add_person(tx, f"q{n}", willing=False) for n in range(5)])
    await bot.store.write(lambda tx: add_person(tx, "before", district=VINH_TUONG))
    number = await planned(bot, admin)
    await bot.broadcasts.release(admin, number)
    await settled(bot, number)
    clock.forward(hours=90)
    for name, at in {"p0": soon, "p1": soon, "p2": late, "q0": soon}.items():
        report = partial(add_person, address=name, willing=False, district=VINH_TUONG, reported_at=at)
        await bot.store.write(report)
    uplift = (await bot.broadcasts.report(admin, number)).uplift
    assert uplift is not None
    assert (uplift.reached, uplift.reached_reported) == (4, 2)
    assert (uplift.others, uplift.others_reported) == (5, 1)
    assert uplift.complete


async def test_replies_pass_waiting_messages(
    settings: Settings, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    channel = Moody(capabilities=Capabilities(longest_text=4000, title="recorder", pace=RateLimits(bulk_per_second=50)))
    async with sending_bot(settings, clock, channel) as bot:
        boss = await add_officer(bot.store, "boss")
        await crowd(bot, 60)
        number = await planned(bot, boss)
        await bot.broadcasts.release(boss, number)
        await until(lambda: len(channel.sent) > 5)
        assert "Bạn muốn làm gì" in await Talk(bot, channel, Person("recorder", "citizen")).say("/menu")
        place = [person.address for person, _, _ in channel.sent].index("citizen")
        assert place < 40
        await settled(bot, number)
