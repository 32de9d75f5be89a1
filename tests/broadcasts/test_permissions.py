"""No order of steps of any officers, whose roles come and go, lets a message leave a district."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from bot.access.roles import ADMIN, OFFICER, Grant
from bot.broadcasts import Actor, Broadcasts
from bot.channels.terms import SendingTerms
from bot.errors import NotAllowed
from bot.i18n.catalogue import load_catalogues
from bot.library.regions import load_regions
from bot.library.sources import Sources
from bot.message import Capabilities
from bot.settings import Settings
from bot.store import Store, Transaction, broadcasts, open_store, roles
from bot.store.audiences import Audience, load_audience
from tests.conftest import NOON, ROOT, FrozenClock
from tests.support.broadcasts import add_person
from tests.support.property_examples import examples

DISTRICTS = ("vinh-tuong", "yen-lac", "song-lo")
GRANTS = (
    (Grant(OFFICER, "vinh-tuong"),),
    (Grant(OFFICER, "vinh-tuong"),),
    (Grant(OFFICER, "yen-lac"), Grant(OFFICER, "song-lo")),
    (Grant(OFFICER),),
    (Grant(ADMIN),),
    (),
)
TABLES = ("deliveries", "broadcast_texts", "broadcast_watchers", "broadcasts", "pushes", "reports", "consents", "roles",
          "audit", "audit_head", "people")  # fmt: skip
MOST = 4  # broadcasts that are tried

officers = st.integers(0, len(GRANTS) - 1)
numbers = st.integers(0, MOST - 1)
places = st.lists(st.sampled_from(DISTRICTS), max_size=2, unique=True)


class Officers(RuleBasedStateMachine):
    """What an officer did is always within what they might do at that moment; what was refused changed nothing."""

    broadcasts: Broadcasts
    store: Store
    runner: asyncio.Runner
    clock: FrozenClock

    @initialize()
    def open(self) -> None:
        self.clock.at = NOON

        def fill(tx: Transaction) -> None:
            for table in TABLES:
                tx.run(f"DELETE FROM {table}")
            self.ids = [add_person(tx, f"officer {n}", willing=False) for n in range(len(GRANTS))]
            for number in range(6):
                add_person(tx, f"person {number}", district=DISTRICTS[number % 3])
            add_person(tx, "from nowhere")

        self.do(fill)
        self.grants: list[tuple[Grant, ...]] = [()] * len(GRANTS)
        for who in range(len(GRANTS)):
            self.give_roles(who)
        self.made: list[int] = []

    def do(self, work: Callable[[Transaction], object]) -> object:
        return self.runner.run(self.store.write(work))

    def audience(self, number: int) -> Audience | None:
        row = self.runner.run(self.store.read(lambda tx: broadcasts.find(tx, number)))
        return load_audience(row["audience"]) if row else None

    def everything(self) -> object:
        return self.runner.run(
            self.store.read(
                lambda tx: [
                    [dict(row) for row in tx.all(f"SELECT * FROM {table} ORDER BY 1, 2")]
                    for table in (
                        "broadcasts",
                        "deliveries",
                        "broadcast_texts",
                        "broadcast_watchers",
                        "audit",
                        "pushes",
                    )
                ]
            )
        )

    def covers(self, who: int, audience: Audience | None) -> bool:
        """Tell by one's own means whether an officer's area holds an audience."""
        scopes = {grant.scope for grant in self.grants[who]}
        return audience is not None and bool(scopes) and ("" in scopes or (
            bool(audience.districts) and set(audience.districts) <= scopes
        ))  # fmt: skip

    def attempt(self, who: int, number: int, step: Callable[[Actor, int], Awaitable[object]]) -> None:
        """Let an officer do something to a broadcast, and look whether they might."""
        if number >= len(self.made):
            return
        broadcast, before, all_before = self.made[number], self.audience(self.made[number]), self.everything()

        async def run() -> bool:
            try:
                await step(Actor(self.ids[who]), broadcast)
            except NotAllowed:
                return False
            return True

        if self.runner.run(run()):
            assert self.covers(who, before)
            assert self.audience(broadcast) is None or self.covers(who, self.audience(broadcast))
            self.stays_within(broadcast)
        else:
            assert self.everything() == all_before

    def stays_within(self, number: int) -> None:
        """Look whether everybody in the ledger lives where the audience does."""
        audience = self.audience(number)
        rows = self.runner.run(
            self.store.read(
                lambda tx: tx.all(
                    "SELECT r.district FROM deliveries d LEFT JOIN reports r ON r.person_id = d.person_id "
                    "WHERE d.broadcast_id = :number",
                    number=number,
                )
            )
        )
        assert not rows or audience is not None
        if audience is not None and audience.districts:
            assert {row["district"] for row in rows} <= set(audience.districts)

    @rule(who=officers, districts=places)
    def draft(self, who: int, districts: list[str]) -> None:
        audience = Audience(districts=tuple(districts))
        if len(self.made) == MOST:
            return
        try:
            self.made.append(self.runner.run(self.broadcasts.draft(Actor(self.ids[who]), audience)))
        except NotAllowed:
            assert not self.covers(who, audience)
        else:
            assert self.covers(who, audience)

    @rule(who=officers, number=numbers, districts=places)
    def aim(self, who: int, number: int, districts: list[str]) -> None:
        self.attempt(who, number, lambda actor, n: self.broadcasts.aim(actor, n, Audience(districts=tuple(districts))))

    @rule(who=officers, number=numbers)
    def write_and_plan(self, who: int, number: int) -> None:
        self.attempt(who, number, lambda actor, n: self.broadcasts.write(actor, n, {"vi": "Mời bạn."}))
        self.attempt(who, number, self.broadcasts.plan)

    @rule(who=officers, number=numbers, name=st.sampled_from(
        ["find", "progress", "report", "preview", "plan", "release", "approve", "pause", "resume", "stop", "again",
         "watch", "discard"]))  # fmt: skip
    def step(self, who: int, number: int, name: str) -> None:
        self.attempt(who, number, getattr(self.broadcasts, name))

    @rule(who=officers)
    def list_(self, who: int) -> None:
        for found in self.runner.run(self.broadcasts.latest(Actor(self.ids[who]))):
            assert self.covers(who, found.audience)

    @rule(who=officers)
    def take_roles(self, who: int) -> None:
        self.do(lambda tx: roles.revoke(tx, self.ids[who]))
        self.grants[who] = ()

    @rule(who=officers)
    def give_roles(self, who: int) -> None:
        def work(tx: Transaction) -> None:
            for grant in GRANTS[who]:
                roles.grant(tx, self.ids[who], role=grant.role, scope=grant.scope, at="")

        self.do(work)
        self.grants[who] = GRANTS[who]

    @rule()
    def time_goes_on(self) -> None:
        self.clock.forward(seconds=5)
        self.runner.run(self.broadcasts.advance())
        for number in self.made:
            self.stays_within(number)
            row = self.runner.run(self.store.read(lambda tx, number=number: broadcasts.find(tx, number)))  # type: ignore[misc]
            if row and row["began_at"] == _text(self.clock):  # whoever made it might still write there when it began
                maker = self.ids.index(int(row["made_by"].removeprefix("person ")))
                assert self.covers(maker, load_audience(row["audience"]))


def _text(clock: FrozenClock) -> str:
    return clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.hypothesis
def test_no_order_of_steps_leaves_a_district(settings: Settings) -> None:
    regions, clock = load_regions(ROOT / settings.region), FrozenClock()
    reminders = settings.reminders.model_copy(update={"approve_above": 1})
    with asyncio.Runner() as runner:
        store = open_store(settings.database)
        Officers.store, Officers.runner, Officers.clock = store, runner, clock
        Officers.broadcasts = Broadcasts(
            store,
            settings=settings.model_copy(update={"reminders": reminders}),
            regions=regions,
            catalogues=load_catalogues(settings.languages),
            terms={"recorder": SendingTerms()},
            capabilities=lambda name: Capabilities(longest_text=4000, title=name),
            sources=Sources,
            clock=clock,
        )
        try:
            hypothesis.stateful.run_state_machine_as_test(
                Officers, settings=hypothesis.settings(max_examples=examples(20), stateful_step_count=30, deadline=None)
            )
        finally:
            runner.run(store.close())
