"""Holding people back: by lot and again the same, nothing to them, nothing known before its time, honest afterwards."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.broadcasts import MOVED_ON, Actor, Audience, Broadcast, BroadcastReport
from bot.broadcasts.drafts import SEALED
from bot.broadcasts.models import FEWER, HELD_BACK, MORE, UNDECIDED, TrialSides
from bot.broadcasts.trials import NOT_OFFERED, ONCE_ONLY, OUT_OF_BOUNDS, TOO_SLOW
from bot.clock import stamp
from bot.errors import NotAllowed
from bot.exports.tables import VIEWS
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.store import Transaction, audiences, broadcasts, people, trials
from bot.store.audiences import ANY, REPORTED, UNREPORTED
from bot.web.app import make_app
from tests.conftest import NOON, ROOT, FrozenClock, Recorder, Talk
from tests.support.broadcasts import add_officer, add_person, hurry, ledger, sending_bot, settled
from tests.support.engines import Engine
from tests.web.desk.test_desk import Client, sign_in, token

CROWD, SOURCE = 40, "VT24"  # of Vĩnh Tường
WHOM = Audience(reports=UNREPORTED)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.broadcasts.trials.LEAST_PEOPLE", CROWD)
    hurry(monkeypatch)


@pytest.fixture
async def bot(settings: Settings, clock: FrozenClock, recorder: Recorder) -> AsyncIterator[Service]:
    async with sending_bot(settings, clock, recorder) as service:
        await crowd(service)
        yield service


async def crowd(bot: Service, count: int = CROWD) -> None:
    await bot.store.write(lambda tx: [add_person(tx, f"p{n}", source=SOURCE) for n in range(count)])


async def planned(bot: Service, actor: Actor, audience: Audience = WHOM) -> int:
    number = await bot.broadcasts.draft(actor, audience)
    await bot.broadcasts.write(actor, number, {"vi": "Mời bạn cài ứng dụng."})
    await bot.broadcasts.plan(actor, number)
    return number


async def sent(bot: Service, actor: Actor, percent: int = 50) -> int:
    """Send a broadcast that holds people back."""
    number = await planned(bot, actor)
    await bot.broadcasts.hold_back(actor, number, percent)
    await bot.broadcasts.release(actor, number)
    await settled(bot, number)
    return number


async def sides(bot: Service, number: int) -> dict[str, list[str]]:
    """Who was told and who was held back, by address."""
    found: dict[str, list[str]] = {"sent": [], "held": []}
    for address, state in (await ledger(bot.store, number)).items():
        found[state].append(address)
    return found


async def report_at(bot: Service, addresses: list[str], at: datetime) -> None:
    for address in addresses:
        add = partial(add_person, address=address, district="vinh-tuong", source=SOURCE, reported_at=stamp(at))
        await bot.store.write(add)


# -- who is held back --------------------------------------------------------------------------------------------


async def test_who_is_held_back_follows_from_the_seed_on_both_engines(
    settings: Settings, clock: FrozenClock, recorder: Recorder, engine: Engine
) -> None:
    async with sending_bot(settings.model_copy(update={"database": engine.url}), clock, recorder, sends=False) as bot:
        await crowd(bot, 97)
        number = await planned(bot, Actor())
        await bot.broadcasts.hold_back(Actor(), number, 10)
        trial = (await bot.broadcasts.find(Actor(), number)).trial
        assert trial is not None
        rows = await bot.store.read(
            lambda tx: tx.all("SELECT person_id, state FROM deliveries WHERE broadcast_id = :n", n=number)
        )
        drawn = sorted(hashlib.md5(f"{trial.seed}/{row['person_id']}".encode()).hexdigest() for row in rows)[:9]
        for row in rows:
            first = hashlib.md5(f"{trial.seed}/{row['person_id']}".encode()).hexdigest() in drawn
            assert row["state"] == ("held" if first else "planned")


async def test_a_plan_counts_who_is_left_and_can_be_taken_back(bot: Service) -> None:
    number = await planned(bot, Actor())
    before = await bot.broadcasts.find(Actor(), number)
    found = await bot.broadcasts.hold_back(Actor(), number, 25)
    assert (found.plan.people, found.plan.left_out[HELD_BACK]) == (30, 10)
    assert found.version != before.version  # who was shown the other sends nothing
    assert 0 < bot.broadcasts.smallest_effect(found) < 1
    found = await bot.broadcasts.hold_back(Actor(), number, 50, hours=24)
    assert (found.plan.people, found.plan.left_out[HELD_BACK]) == (20, 20)
    found = await bot.broadcasts.hold_back(Actor(), number, 0)
    assert (found.plan.people, HELD_BACK in found.plan.left_out, found.trial) == (40, False, None)
    await bot.broadcasts.hold_back(Actor(), number, 50)
    found = await bot.broadcasts.plan(Actor(), number)  # counted anew: the lot is drawn anew, too
    assert (found.plan.people, found.trial) == (40, None)


async def test_what_does_not_fit_is_refused_with_why(bot: Service, clock: FrozenClock, settings: Settings) -> None:
    number = await planned(bot, Actor())
    for percent, hours in ((4, 72), (51, 72), (10, 23), (10, 721)):
        with pytest.raises(NotAllowed, match=re.escape(OUT_OF_BOUNDS)):
            await bot.broadcasts.hold_back(Actor(), number, percent, hours)
    for audience in (Audience(), Audience(reports=REPORTED), Audience(districts=("yen-lac",), reports=UNREPORTED)):
        with pytest.raises(NotAllowed, match=re.escape(NOT_OFFERED)):
            await bot.broadcasts.hold_back(Actor(), await planned(bot, Actor(), audience), 10)
    await bot.broadcasts.hold_back(Actor(), number, 50)
    with pytest.raises(NotAllowed, match=re.escape(ONCE_ONLY)):
        await bot.broadcasts.release(Actor(), number, weekly_until=date(2026, 12, 24))
    await bot.broadcasts.release(Actor(), number)
    with pytest.raises(NotAllowed, match=re.escape(MOVED_ON)):
        await bot.broadcasts.hold_back(Actor(), number, 10)


async def test_hours_that_end_before_the_last_message_are_refused(
    settings: Settings, clock: FrozenClock, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sending_bot(settings, clock, recorder, sends=False) as bot:
        await crowd(bot)
        number = await planned(bot, Actor())
        await bot.broadcasts.hold_back(Actor(), number, 50, hours=24)
        monkeypatch.setattr(bot.broadcasts, "finish", lambda found, at=None: NOON + timedelta(hours=13))
        with pytest.raises(NotAllowed, match=re.escape(TOO_SLOW)):
            await bot.broadcasts.release(Actor(), number)


# -- what came of it ---------------------------------------------------------------------------------------------


async def test_a_result_counts_both_sides_within_the_hours(
    bot: Service, clock: FrozenClock, recorder: Recorder
) -> None:
    number = await sent(bot, Actor())
    found = await sides(bot, number)
    assert sorted(to.address for to, _, _ in recorder.sent) == sorted(found["sent"])
    assert len(found["held"]) == 20
    await report_at(bot, found["sent"][:9] + found["held"][:1], NOON + timedelta(hours=71))
    await report_at(bot, found["sent"][9:12] + found["held"][1:3], NOON + timedelta(hours=73))
    await bot.store.write(lambda tx: people.erase(tx, _id(tx, found["sent"][12])))
    clock.forward(hours=72, minutes=1)
    report = await bot.broadcasts.report(Actor(), number)
    assert report.trial is not None
    assert report.trial.sides == TrialSides(19, 9, 20, 1)
    assert report.trial.verdict == MORE
    assert report.uplift is None
    assert report.states == {"sent": 20, "held": 20}


def _id(tx: Transaction, address: str) -> int:
    row = tx.one("SELECT id FROM people WHERE address = :address", address=address)
    assert row is not None
    return int(row["id"])


@pytest.mark.parametrize(
    ("counted", "verdict"),
    [
        (TrialSides(450, 60, 50, 0), MORE),
        (TrialSides(450, 20, 50, 15), FEWER),
        (TrialSides(450, 30, 50, 3), UNDECIDED),
        (TrialSides(450, 0, 0, 0), UNDECIDED),
        (TrialSides(), UNDECIDED),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(counted: TrialSides, verdict: str) -> None:
    assert counted.verdict == verdict


def test_a_verdict_alone_proves_no_small_group() -> None:
    """Of no side is it known from the verdict that 1 to 4 reported, in groups of about the published size."""
    worlds: dict[str, list[tuple[int, int]]] = {}
    for told, held in product(range(60), range(30)):
        worlds.setdefault(TrialSides(450, told, 50, held).verdict, []).append((told, held))
    assert set(worlds) == {MORE, FEWER, UNDECIDED}
    for group in worlds.values():
        for side in (0, 1):
            assert not {world[side] for world in group} <= set(range(1, 5))


async def test_a_result_outlives_the_names_and_no_seal_is_broken_by_it(
    bot: Service, clock: FrozenClock, recorder: Recorder
) -> None:
    number = await sent(bot, Actor())
    await report_at(bot, (await sides(bot, number))["sent"][:9], NOON + timedelta(hours=2))
    await bot.broadcasts.forget_names(0)  # a term that is shorter than the hours
    assert len(await ledger(bot.store, number)) == CROWD
    clock.forward(hours=73)
    before = await bot.broadcasts.report(Actor(), number)
    await bot.broadcasts.forget_names(0)
    assert await ledger(bot.store, number) == {}
    after = await bot.broadcasts.report(Actor(), number)
    assert before.trial is not None
    assert (after.trial, after.states) == (before.trial, before.states)
    assert before.trial.sides == TrialSides(20, 9, 20, 0)


# -- afterwards --------------------------------------------------------------------------------------------------


async def test_those_held_back_are_written_to_afterwards_only(
    bot: Service, clock: FrozenClock, recorder: Recorder
) -> None:
    number = await sent(bot, Actor())
    found = await sides(bot, number)
    for step in (
        bot.broadcasts.follow_up(Actor(), number),
        bot.broadcasts.draft(Actor(), Audience(held_of=number)),
        bot.broadcasts.aim(Actor(), await planned(bot, Actor()), Audience(held_of=number)),
    ):
        with pytest.raises(NotAllowed, match=re.escape(SEALED)):
            await step
    # Until then nobody else writes to them, or the two sides would differ by that, too.
    assert (await bot.broadcasts.find(Actor(), await planned(bot, Actor()))).plan.people == 0
    clock.forward(hours=73)
    recorder.sent.clear()
    await report_at(bot, found["held"][:3], NOON + timedelta(hours=1))
    following = await bot.broadcasts.follow_up(Actor(), number)
    assert (await bot.broadcasts.plan(Actor(), following)).plan.people == 17
    await bot.broadcasts.release(Actor(), following)
    await settled(bot, following)
    assert sorted(to.address for to, _, _ in recorder.sent) == sorted(found["held"][3:])
    with pytest.raises(NotAllowed):
        await bot.broadcasts.draft(Actor(), Audience(held_of=following))  # it held nobody back


# -- the seal ----------------------------------------------------------------------------------------------------


@dataclass
class World:
    """A bot whose broadcast holds people back, and an admin who looks at it by every road."""

    bot: Service
    clock: FrozenClock
    client: Client
    talk: Talk
    number: int

    async def seen(self) -> list[str]:
        """Everything that can be looked at or planned."""
        form, talk, number = {"token": await token(self.client)}, self.talk, self.number
        pages = [f"broadcasts/{number}", f"broadcasts/{number}/progress", "broadcasts", "", "districts", "trends"]
        seen = [await self.page(address) for address in pages]
        for asked in (f"/nhantin {number}", "/nhantin", "/thongke", "/tiendo"):
            seen.append(await talk.say(asked) + str(talk.labels))
        for action in ("report", "progress", "open", "again", "preview"):
            seen.append(await talk.say(choice=f"broadcast:{action}:{number}") + str(talk.labels))
        for view in VIEWS:
            seen.append(await (await self.client.post("/desk/exports/table", data={**form, "view": view})).text())
        seen.append(await (await self.client.post("/desk/exports/rows", data=form)).text())
        for reports in (ANY, REPORTED, UNREPORTED):
            draft = await planned(self.bot, Actor(), Audience(reports=reports))
            seen.append(await self.page(f"broadcasts/{draft}"))
            await self.bot.broadcasts.discard(Actor(), draft)
        follow = await self.client.post(f"/desk/broadcasts/{number}/follow-up", data=form)
        seen.append(re.sub(r"\s+", " ", _plain(await follow.text())))
        report = await self.bot.broadcasts.report(Actor(), number)
        found = await self.bot.broadcasts.find(Actor(), number)
        return [*seen, _figures(report), _figures(found)]

    async def page(self, address: str) -> str:
        return _plain(await (await self.client.get(f"/desk/{address}")).text())


def _plain(page: str) -> str:
    """Return a page without what differs from one draft or session to the next."""
    return re.sub(r'name="token" value="[0-9a-f]+"|broadcasts/\d+|Đợt gửi số \d+', "", page)


def _figures(found: Broadcast | BroadcastReport) -> str:
    """Return all that a record holds, without the seed."""
    return re.sub(r"seed='\w+'", "", repr(found))


@asynccontextmanager
async def world(folder: Path, settings: Settings, side: str) -> AsyncIterator[World]:
    """A world in which seven people of one side reported."""
    folder.mkdir()
    changed = settings.model_copy(update={"database": f"sqlite:///{folder / 'bot.db'}"})
    clock, recorder = FrozenClock(), Recorder()
    async with sending_bot(changed, clock, recorder) as bot, TestClient(TestServer(make_app(bot))) as client:
        await crowd(bot)
        number = await sent(bot, Actor())
        await report_at(bot, (await sides(bot, number))[side][:7], NOON + timedelta(minutes=1))
        clock.forward(hours=71, minutes=59)
        await sign_in(client, bot, "admin")
        yield World(bot, clock, client, Talk(bot, Recorder(), Person("webchat", "admin-")), number)


@pytest.fixture
def _quick_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def draw(chart: object, form: str = "png") -> bytes:
        return b"<svg></svg>"

    monkeypatch.setattr("bot.exports.charts.draw", draw)


@pytest.mark.usefixtures("_quick_charts")
async def test_before_its_time_no_road_tells_which_side_reported(settings: Settings, tmp_path: Path) -> None:
    """Two worlds in which as many people reported, told in the one and held back in the other, look the same."""
    async with (
        world(tmp_path / "told", settings, "sent") as told,
        world(tmp_path / "held", settings, "held") as held,
    ):
        for one, other in zip(await told.seen(), await held.seen(), strict=True):
            assert one == other
        assert "niêm phong" in await told.page(f"broadcasts/{told.number}")
        for opened, verdict in ((told, "Chênh lệch này có thể do nhắc"), (held, "tác dụng ngược")):
            opened.clock.forward(minutes=2)
            assert verdict in await opened.page(f"broadcasts/{opened.number}")
            assert verdict in await opened.talk.say(choice=f"broadcast:report:{opened.number}")
            assert "Nhắn cho những người được giữ lại" in opened.talk.labels


@pytest.mark.usefixtures("_quick_charts")
async def test_the_next_broadcast_would_tell_if_those_held_back_were_not_reminded(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "begin", lambda tx, number, *, at: None)
    async with (
        world(tmp_path / "told", settings, "sent") as told,
        world(tmp_path / "held", settings, "held") as held,
    ):
        assert await told.seen() != await held.seen()


def test_the_sides_are_counted_behind_one_door() -> None:
    code = {path: path.read_text("utf-8") for folder in ("bot", "handlers") for path in (ROOT / folder).rglob("*.py")}
    counting = {str(path.relative_to(ROOT)) for path, text in code.items() if "trials.count_sides" in text}
    assert counting == {"bot/broadcasts/trials.py"}
    assert sum(text.count("self._count_sides(") for text in code.values()) == 1
    held = [str(path.relative_to(ROOT)) for path, text in code.items() if "reported_at" in text and "'held'" in text]
    assert sorted(held) == ["bot/store/audiences.py", "bot/store/trials.py"]


async def test_an_officer_sees_the_verdict_and_no_figure(bot: Service, clock: FrozenClock) -> None:
    officer = await add_officer(bot.store, "officer", "vinh-tuong")
    number = await planned(bot, officer, Audience(districts=("vinh-tuong",), reports=UNREPORTED))
    found = await bot.broadcasts.hold_back(officer, number, 50)
    assert (found.plan.people, found.plan.coarse) == (CROWD, True)
    await bot.broadcasts.release(officer, number)
    await settled(bot, number)
    await report_at(bot, (await sides(bot, number))["sent"][:9], clock() + timedelta(hours=1))
    assert (report := await bot.broadcasts.report(officer, number)).trial is not None
    assert (report.trial.verdict, report.trial.sides) == ("", None)
    clock.forward(hours=73)
    assert (report := await bot.broadcasts.report(officer, number)).trial is not None
    assert (report.trial.verdict, report.trial.sides) == (MORE, None)
    following = await bot.broadcasts.follow_up(officer, number)
    plan = (await bot.broadcasts.plan(officer, following)).plan
    assert plan.published is not None
    assert (plan.people, plan.published.narrowed, plan.channels) == (0, True, ())


def test_an_audience_of_before_holds_nobody_back() -> None:
    assert audiences.load_audience('{"districts": [], "reports": "any"}').held_of == 0
    assert broadcasts.HELD not in broadcasts.OUTCOMES
