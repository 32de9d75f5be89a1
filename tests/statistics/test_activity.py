"""Questions and cases by day: counted when a day is over, and still there when they themselves are deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock import stamp
from bot.library.articles import load_library
from bot.runtime.build import Service
from bot.statistics import activity
from bot.statistics.activity import ArticleCount, CaseCounts
from bot.store import Store, Transaction, open_store, questions
from tests.conftest import ROOT, FrozenClock
from tests.statistics.test_counts import remember
from tests.support.engines import Engine

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
ARTICLES = load_library(ROOT / "content").articles


@pytest.fixture
async def store(engine: Engine) -> AsyncIterator[Store]:
    opened = open_store(engine.url)
    yield opened
    await opened.close()


def at(day: int, hour: int = 12, minute: int = 0) -> str:
    """Return a moment of November 2026 in Vietnam."""
    return stamp(datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC))


async def ask(store: Store, moment: str, article: str = "", verdict: str = "answer", helped: int | None = None) -> None:
    def work(tx: Transaction) -> None:
        person = remember(tx, "one")
        questions.note(tx, person, channel="c", language="vi", text="x", article=article, verdict=verdict, score=1.0,
                       at=moment)  # fmt: skip
        if helped is not None:
            questions.rate_latest(tx, person, helped=bool(helped))

    await store.write(work)


async def case(
    store: Store, opened: str, *, due: str, answered: str = "", closed: str = "", district: str = ""
) -> None:
    def work(tx: Transaction) -> None:
        person = remember(tx, "one")
        row = tx.one(
            """
            INSERT INTO conversations (person_id, kind, district, opened_at, due_at, spoke_at, closed_at)
            VALUES (:id, 'help', :district, :opened, :due, :opened, :closed) RETURNING id
            """,
            id=person,
            district=district,
            opened=opened,
            due=due,
            closed=closed,
        )
        assert row is not None
        for author, moment in (("citizen", opened), ("officer", answered), ("officer", "2026-12-31T00:00:00.000Z")):
            if moment and (author == "citizen" or answered):
                tx.run(
                    "INSERT INTO conversation_messages (conversation_id, author, text, at) "
                    "VALUES (:id, :author, 'x', :at)",
                    id=row["id"],
                    author=author,
                    at=moment,
                )

    await store.write(work)


async def count(store: Store, now: datetime = NOW) -> None:
    await activity.ensure_counted(store, now=now, zone=ZONE)


async def counted(store: Store, since: int = 1, until: int = 30) -> activity.QuestionCounts:
    return await activity.count_questions(
        store, ARTICLES, since=date(2026, 11, since), until=date(2026, 11, until)
    )  # fmt: skip


async def test_questions_are_counted_by_week_topic_and_article(store: Store) -> None:
    await ask(store, at(9), "forgot-password", helped=1)
    await ask(store, at(9), "forgot-password", helped=0)
    await ask(store, at(16), "install-android", verdict="suggest")
    await ask(store, at(16), verdict="unknown")
    await ask(store, at(17), "gone-article")
    await count(store)
    found = await counted(store)
    assert (found.asked, found.unanswered) == (5, 2)
    assert found.by_week == {
        (date(2026, 11, 9), "account"): 2, (date(2026, 11, 16), "install"): 1, (date(2026, 11, 16), ""): 2,
    }  # fmt: skip
    assert found.unanswered_by_week == {date(2026, 11, 16): 2}
    assert found.articles == (ArticleCount("forgot-password", 2, 1, 1), ArticleCount("install-android", 1, 0, 0))
    assert (await counted(store, 16, 16)).asked == 2


async def test_day_ends_at_midnight_in_vietnam_and_today_is_not_counted(store: Store) -> None:
    await ask(store, at(21, 23, 59))
    await ask(store, at(22, 0, 0))
    await ask(store, at(23, 0, 0))
    await count(store)
    assert [(await counted(store, day, day)).asked for day in (21, 22, 23)] == [1, 1, 0]


async def test_count_stays_when_the_questions_are_deleted(store: Store) -> None:
    await ask(store, at(2), "forgot-password")
    await count(store)
    await store.write(lambda tx: tx.run("DELETE FROM questions"))
    await count(store, NOW + timedelta(days=1))
    assert (await counted(store)).asked == 1


async def test_rating_of_the_next_day_is_counted(store: Store) -> None:
    await ask(store, at(22), "forgot-password")
    await count(store)
    await store.write(lambda tx: tx.run("UPDATE questions SET helped = 1"))
    await count(store, NOW + timedelta(days=1))
    assert (await counted(store)).articles == (ArticleCount("forgot-password", 1, 1, 0),)


async def test_clock_set_far_ahead_counts_no_century(store: Store) -> None:
    await ask(store, at(2))
    await count(store, NOW + timedelta(days=40_000))
    assert (await counted(store)).asked == 0


async def test_cases_are_counted_in_time_and_late_within_the_scope(store: Store) -> None:
    await case(store, at(2), due=at(4), answered=at(3), closed=at(5), district="yen-lac")
    await case(store, at(2), due=at(4), answered=at(6))
    await case(store, at(9), due=at(11))
    await count(store)
    whole = await activity.count_cases(store, since=date(2026, 11, 1), until=date(2026, 11, 30))
    assert whole == CaseCounts(opened=3, answered=2, in_time=1, closed=1)
    own = await activity.count_cases(store, since=date(2026, 11, 1), until=date(2026, 11, 30), scope=["yen-lac"])
    assert own == CaseCounts(opened=1, answered=1, in_time=1, closed=1)
    later = await activity.count_cases(store, since=date(2026, 11, 6), until=date(2026, 11, 30))
    assert later == CaseCounts(opened=1, answered=1, in_time=0, closed=0)


async def test_running_bot_counts_before_it_deletes(service: Service, clock: FrozenClock) -> None:
    await ask(service.store, stamp(clock() - timedelta(days=91)), "forgot-password")
    await ask(service.store, stamp(clock() - timedelta(days=1)), "forgot-password")
    clock.forward(days=1)
    await service.sweep()
    left = await service.store.read(lambda tx: tx.all("SELECT id FROM questions"))
    assert len(left) == 1
    found = await activity.count_questions(service.store, ARTICLES, since=date(2026, 1, 1), until=date(2026, 11, 30))
    assert found.asked == 2
