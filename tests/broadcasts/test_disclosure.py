"""What an officer can find out about small groups from the figures of broadcasts: nothing, by any road, on any day.

Two proofs. Small worlds are enumerated: for everything that is published about them, no number of people is left with
1 to 4 as its only values. And the real pages and answers are compared: they are the same in two worlds that differ by a
few people, and the same before and after somebody reports. Each road is opened on purpose, too: then a proof fails.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.broadcasts import published
from bot.broadcasts.models import Actor, Broadcast, BroadcastPlan
from bot.broadcasts.published import ReachCounts, published_percent, published_size
from bot.exports.charts import Chart, Form
from bot.exports.tables import VIEWS
from bot.message import Person
from bot.runtime.build import Service
from bot.settings import Settings
from bot.statistics import counts
from bot.store import Row, Transaction, audiences, people, reach_counts, reports
from bot.store.audiences import NEVER, REPORTED, Audience, Whom
from bot.web.app import make_app
from tests.conftest import FrozenClock, Recorder, Talk
from tests.support.broadcasts import AT, add_person, hurry, sending_bot, settled
from tests.support.property_examples import examples
from tests.web.desk.test_desk import Client, enter, key_of, sign_in, token

STEP, SMALL = 5, set(range(1, 5))
VINH_TUONG, YEN_LAC = "vinh-tuong", "yen-lac"
Figures = tuple[int, ...]

# -- worlds, enumerated ------------------------------------------------------------------------------------------


def provable(
    worlds: list[Figures], show: Callable[[Figures], object], secrets: Callable[[Figures], Figures]
) -> list[int]:
    """List the secrets of which somebody who sees what is shown knows that they lie between 1 and 4.

    What looks like a world at the edge is left out: worlds that were not tried may look the same.
    """
    edges = [{min(column), max(column)} - {0} for column in zip(*worlds, strict=True)]
    groups: dict[object, list[Figures]] = defaultdict(list)
    at_the_edge: set[object] = set()
    for world in worlds:
        groups[shown := show(world)].append(secrets(world))
        if any(figure in edge for figure, edge in zip(world, edges, strict=True)):
            at_the_edge.add(shown)
    assert len(at_the_edge) < len(groups)
    return [
        number
        for shown, group in groups.items()
        if shown not in at_the_edge
        for number, values in enumerate(map(set, zip(*group, strict=True)))
        if values <= SMALL
    ]


def rounded(figure: int) -> int:
    return counts.rounded(figure, STEP)


def part(figure: int) -> int:
    return counts.rounded_part(figure, STEP)


# A district: how many are on Zalo or Telegram and read Vietnamese or English. Few but those on Zalo in Vietnamese.
CELLS = tuple(product(("zalo", "telegram"), ("vi", "en")))
DISTRICTS = [*product(range(12, 28), range(12), range(12), range(12))]
CHANNELS = ("zalo", "telegram")


def reach(cells: Figures) -> ReachCounts:
    counted: dict[tuple[str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    for (channel, language), number in zip(CELLS, cells, strict=True):
        for view, name in (("", ""), ("channel", channel), ("language", language)):
            before, paid = counted[VINH_TUONG, view, name]
            counted[VINH_TUONG, view, name] = before + number, paid + (number if channel == "zalo" else 0)
    return ReachCounts(dict(counted))


def plans_of(cells: Figures) -> object:
    """Everything that the plans of all audiences show of a district."""
    zalo_vi, zalo_en, telegram_vi, telegram_en = cells
    # They are made from the counts by one thing at a time, so worlds that agree in these need not be looked at twice.
    return _plans_of(zalo_vi + zalo_en, telegram_vi + telegram_en, zalo_vi + telegram_vi)


@cache
def _plans_of(zalo: int, telegram: int, vietnamese: int) -> object:
    least = max(0, vietnamese - telegram)
    cells = (least, zalo - least, vietnamese - least, telegram - vietnamese + least)
    found: list[object] = []
    for channel, language in product(("", *CHANNELS), ("", "vi", "en")):
        audience = Audience(districts=(VINH_TUONG,), channel=channel, language=language)
        size = published_size(reach(cells), audience, (VINH_TUONG,), CHANNELS, step=STEP)
        found += [size.people, size.below, size.paid, *sorted(size.channels.items()), *sorted(size.spread.items())]
    return tuple(found)


def groups_of(cells: Figures) -> Figures:
    """How many are in each group that an audience can be narrowed to."""
    zalo_vi, zalo_en, telegram_vi, telegram_en = cells
    sums = (zalo_vi + zalo_en, telegram_vi + telegram_en, zalo_vi + telegram_vi, zalo_en + telegram_en, sum(cells))
    return (*cells, *sums)


def test_no_small_group_can_be_proved_from_the_plans_of_all_audiences() -> None:
    assert provable(DISTRICTS, plans_of, groups_of) == []


OPENED_PLANS: dict[str, Callable[[Figures], object]] = {
    "figures of audiences that two things narrow": lambda cells: (plans_of(cells), *map(part, groups_of(cells))),
    "messages that cost money as they are": lambda cells: (plans_of(cells), cells[0] + cells[1]),
    "parts that are shown from 5": lambda cells: tuple(map(rounded, groups_of(cells)[4:])),
}


@pytest.mark.parametrize("name", OPENED_PLANS)
def test_an_opened_road_to_the_plan_proves_a_small_group(name: str) -> None:
    assert provable(DISTRICTS, OPENED_PLANS[name], groups_of)


# A small group, and two others with which it can be put together: three districts, or three communes.
THREE = [*product(range(12), range(8, 24), range(8, 24))]
UNIONS = [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]


@pytest.mark.parametrize("of_rows", [True, False])
def test_unions_tell_nothing_as_long_as_they_are_sums_of_rows(of_rows: bool) -> None:
    def show(world: Figures) -> object:
        return tuple(
            sum(part(world[one]) for one in union) if of_rows else part(sum(world[one] for one in union))
            for union in UNIONS
        )

    assert bool(provable(THREE, show, lambda world: world)) != of_rows


@hypothesis_settings(max_examples=examples(60), deadline=None)
@given(cells=st.tuples(*(st.integers(0, 40) for _ in CELLS)), step=st.sampled_from([3, 5, 10]))
def test_a_published_size_bounds_the_truth(cells: Figures, step: int) -> None:
    for channel, language in product(("", "zalo", "telegram"), ("", "vi", "en")):
        audience = Audience(districts=(VINH_TUONG,), channel=channel, language=language)
        size = published_size(reach(cells), audience, (VINH_TUONG,), CHANNELS, step=step)
        truth = sum(
            number
            for (on, reads), number in zip(CELLS, cells, strict=True)
            if channel in ("", on) and language in ("", reads)
        )
        assert size.people <= truth < size.below
        assert size.people == 0 or (size.people % step == 0 and size.people >= 2 * step and not size.narrowed)


def steps_seen(people_: int, percent: Callable[[int, int, int], int]) -> tuple[int, ...]:
    """The different percentages that a page shows while one message after the other is settled."""
    return tuple(sorted({percent(done, people_, STEP) for done in range(people_ + 1)}))


def test_progress_tells_nothing_about_how_many_are_sent_to() -> None:
    assert {steps_seen(number, published_percent) for number in range(10, 300)} == {tuple(range(0, 101, 10))}
    assert {steps_seen(number, published_percent) for number in range(1, 10)} == {(0, 100)}
    assert len({steps_seen(number, lambda done, all_, step: done * 100 // all_) for number in range(1, 60)}) == 59


# -- the real pages and answers ------------------------------------------------------------------------------------

COMMUNE = "09028"
AUDIENCES = [
    Audience(districts=(YEN_LAC,)),
    Audience(districts=(YEN_LAC,), reports=REPORTED),
    Audience(districts=(YEN_LAC,), channel="recorder"),
    Audience(districts=(YEN_LAC,), language="en"),
    Audience(districts=(YEN_LAC,), communes=(f"{YEN_LAC}/{COMMUNE}",)),
    Audience(districts=(YEN_LAC,), reports=REPORTED, language="en"),
    Audience(districts=(YEN_LAC,), source="YL22"),
]


@dataclass(frozen=True)
class Crowd:
    """The people of a world: who asked for reminders, who did not, who came and reported only today."""

    willing: int
    unwilling: int = 0
    today: int = 0

    def enter(self, tx: Transaction) -> None:
        for number in range(self.willing):
            add_person(tx, f"p{number}", district=YEN_LAC, commune=COMMUNE, source="YL22", language="en")
        for number in range(self.unwilling):
            add_person(tx, f"q{number}", district=YEN_LAC, willing=False)
        for number in range(self.today):
            add_person(tx, f"r{number}", district=YEN_LAC, commune=COMMUNE, language="en", reported_at=AT)


@dataclass
class Officer:
    """An officer of one district who looks at everything, in the chat and on the desk."""

    bot: Service
    client: Client
    number: int
    talk: Talk
    drafts: list[int]

    async def plans(self) -> list[str]:
        """Plan everything, and return what is shown."""
        form, talk = {"token": await token(self.client)}, self.talk
        seen = []
        for draft in self.drafts:
            await self.client.post(f"/desk/broadcasts/{draft}/plan", data=form)
            seen.append(await self._page(f"broadcasts/{draft}"))
            seen.append(await talk.say(f"/nhantin {draft}") + str(talk.replies[-1].buttons))
        return [*seen, await self._page("broadcasts")]

    async def sends(self) -> list[str]:
        """Send the first one, twice, and return what is shown."""
        number, actor, talk = self.drafts[0], Actor(self.number), self.talk
        await self.bot.broadcasts.release(actor, number, watch=False)
        seen = []
        for again in (False, True):
            if again:
                seen.append(await talk.say(choice=f"broadcast:again:{number}"))
            await settled(self.bot, number)
            seen.append(await self._page(f"broadcasts/{number}"))
            seen.append(await self._page(f"broadcasts/{number}/progress"))
            seen.append(await talk.say(choice=f"broadcast:report:{number}"))
        return seen

    async def figures(self) -> list[str]:
        """Return every page, table and answer with counts of reports."""
        talk = self.talk
        pages = [await self._page(address) for address in ("", "?days=7", "districts", f"districts/{YEN_LAC}")]
        said = [await talk.say(text) for text in ("/thongke", "/tiendo", "/nghiepvu")]
        said += [await talk.say(choice=f"counts:{chart}:30:") for chart in ("growth", "funnel", "progress")]
        form = {"token": await token(self.client)}
        for view in VIEWS:
            table = await self.client.post("/desk/exports/table", data={**form, "view": view})
            pages.append(await table.text())
        return [*pages, *said, *(reply.alt for reply in talk.replies)]

    async def _page(self, address: str) -> str:
        page = await (await self.client.get(f"/desk/{address}")).text()
        return re.sub(r'name="token" value="[0-9a-f]+"|Tin nhắn đang được trả lời: \d', "", page)


@asynccontextmanager
async def world(folder: Path, settings: Settings, crowd: Crowd) -> AsyncIterator[Officer]:
    folder.mkdir()
    changed = settings.model_copy(update={"database": f"sqlite:///{folder / 'bot.db'}"})
    async with sending_bot(changed, FrozenClock(), Recorder()) as bot, TestClient(TestServer(make_app(bot))) as client:
        await bot.store.write(crowd.enter)
        number = await sign_in(client, bot, "officer", YEN_LAC)
        drafts = []
        for audience in AUDIENCES:
            drafts.append(draft := await bot.broadcasts.draft(Actor(), audience))
            await bot.broadcasts.write(Actor(), draft, {"vi": "Mời bạn."})
        talk = Talk(bot, Recorder(), Person("webchat", f"officer-{YEN_LAC}"))
        yield Officer(bot, client, number, talk, drafts)


async def look(folder: Path, settings: Settings, crowd: Crowd) -> list[str]:
    """Return everything that an officer sees of a world, before and after sending."""
    async with world(folder, settings, crowd) as officer:
        return [*await officer.plans(), *await officer.sends()]


PAIRS = [
    (Crowd(0), Crowd(1)),
    (Crowd(0), Crowd(9)),
    (Crowd(5), Crowd(9)),
    (Crowd(10), Crowd(14)),
    (Crowd(11), Crowd(13)),
    (Crowd(5, unwilling=1), Crowd(5, unwilling=4)),
    (Crowd(12, unwilling=10), Crowd(12, unwilling=13)),
    (Crowd(7), Crowd(7, today=2)),
    (Crowd(10), Crowd(10, today=6)),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send without pauses, and show in the place of each picture what it would be drawn from."""

    async def draw(chart: Chart, form: Form = "png") -> bytes:
        return b"<svg>" + chart.description + b"</svg>"

    hurry(monkeypatch)
    monkeypatch.setattr("bot.exports.charts.draw", draw)


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
async def test_worlds_that_differ_by_a_few_people_look_the_same(
    settings: Settings, tmp_path: Path, one: Crowd, other: Crowd
) -> None:
    assert await look(tmp_path / "a", settings, one) == await look(tmp_path / "b", settings, other)


SAME_STEP = [(one, other) for one, other in PAIRS if one.willing // STEP == other.willing // STEP]


@pytest.mark.parametrize(("one", "other"), SAME_STEP, ids=str)
async def test_counts_look_the_same_within_a_step(settings: Settings, tmp_path: Path, one: Crowd, other: Crowd) -> None:
    seen = []
    for place, crowd in enumerate((one, other)):
        async with world(tmp_path / str(place), settings, replace(crowd, unwilling=0)) as officer:
            seen.append(await officer.figures())
    assert seen[0] == seen[1]


def come(tx: Transaction) -> None:
    Crowd(0, today=6).enter(tx)


def go(tx: Transaction) -> None:
    """Have four people take back what they said today, each in another way."""
    numbered = {row["address"]: row["id"] for row in tx.all("SELECT id, address FROM people")}
    people.erase(tx, numbered["p0"], day=AT[:10])
    people.withdraw_consent(tx, numbered["p1"], purpose="reminders", at=AT)
    reports.withdraw(tx, numbered["p2"], at=AT, day=AT[:10])
    people.mark_gone(tx, Person("recorder", "p3"), AT)


async def test_nothing_moves_on_the_day_on_which_somebody_reports_or_leaves(settings: Settings, tmp_path: Path) -> None:
    async with world(tmp_path / "a", settings, Crowd(14)) as officer:
        before, counted = await officer.plans(), await officer.figures()
        for happens in (come, go):
            await officer.bot.store.write(happens)
            assert await officer.plans() == before
            assert await officer.figures() == counted
        officer.bot.clock.forward(days=1)  # type: ignore[attr-defined]
        await enter(officer.client, await key_of(officer.bot, officer.number))
        assert await officer.plans() != before


# -- each road, opened ---------------------------------------------------------------------------------------------


def exact_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "rounded_part", lambda count, step: count)


def exact_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broadcast, "as_seen", lambda self, step: self)


def marks_of_exact_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = BroadcastPlan.as_published
    monkeypatch.setattr(BroadcastPlan, "as_published", lambda self, step: replace(coarse(self, step), size=self.people))
    monkeypatch.setattr(Broadcast, "version", property(lambda self: f"mark{self.plan.size}"))


def exact_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = BroadcastPlan.as_published
    monkeypatch.setattr(
        BroadcastPlan, "as_published", lambda self, step: replace(coarse(self, step), left_out=self.left_out)
    )


def shares_of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.broadcasts.results.share_step", lambda people, step: 1)


def people_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    margins = audiences.margins

    def live(tx: Transaction, whom: Whom, *, after: int, upto: int) -> list[Row]:
        return margins(tx, replace(whom, before=NEVER), after=after, upto=upto)

    monkeypatch.setattr(audiences, "margins", live)


OPENED_PAGES = {
    "exact parts": (exact_parts, Crowd(5), Crowd(9)),
    "exact plans": (exact_plans, Crowd(5), Crowd(9)),
    "marks of exact figures": (marks_of_exact_figures, Crowd(5), Crowd(9)),
    "exact reasons": (exact_reasons, Crowd(5, unwilling=1), Crowd(5, unwilling=4)),
    "shares of few people": (shares_of_few, Crowd(0), Crowd(9)),
    "people of today": (people_of_today, Crowd(10), Crowd(10, today=6)),
}


@pytest.mark.parametrize("name", OPENED_PAGES)
async def test_worlds_look_different_once_a_road_is_opened(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    opened, one, other = OPENED_PAGES[name]
    opened(monkeypatch)
    assert await look(tmp_path / "a", settings, one) != await look(tmp_path / "b", settings, other)


OPENED_COUNTS: dict[str, tuple[str, Callable[..., object], Crowd, Crowd]] = {
    "days that are not over": ("last_day", lambda today, step: today, Crowd(10), Crowd(10, today=6)),
    "counts as they are": ("rounded", lambda count, step: count, Crowd(10), Crowd(13)),
    "parts as they are": ("rounded_part", lambda count, step: count, Crowd(6), Crowd(8)),
}


@pytest.mark.parametrize("name", OPENED_COUNTS)
async def test_counts_look_different_once_a_road_is_opened(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    function, opened, one, other = OPENED_COUNTS[name]
    monkeypatch.setattr(counts, function, opened)
    seen = []
    for place, crowd in enumerate((one, other)):
        async with world(tmp_path / str(place), settings, crowd) as officer:
            seen.append(await officer.figures())
    assert seen[0] != seen[1]


async def test_plans_move_at_once_when_a_day_is_counted_again_and_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_day = reach_counts.of_day
    asked: Iterator[bool] = iter([True, False] * 1000)
    monkeypatch.setattr(reach_counts, "of_day", lambda tx, day: [] if next(asked) else of_day(tx, day))
    monkeypatch.setattr(reach_counts, "is_counted", lambda tx, day: False)
    async with world(tmp_path / "a", settings, Crowd(10)) as officer:
        before = await officer.plans()
        await officer.bot.store.write(go)
        assert await officer.plans() != before
