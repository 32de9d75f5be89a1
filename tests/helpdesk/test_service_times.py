"""How well officers answer: times by district and week, lateness, and ratings that name nobody."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.access.roles import OFFICER, Grant
from bot.clock import stamp
from bot.helpdesk.models import Officer
from bot.helpdesk.service_times import WEEKS, service_times
from bot.message import Person
from bot.runtime.build import Service
from bot.store import Transaction, case_ratings, conversations, people
from tests.conftest import NOON, ON_BOTH_ENGINES

pytestmark = ON_BOTH_ENGINES

MONDAY = date(2026, 11, 23)
HOUR = timedelta(hours=1)
# opened before NOON (a Monday), district, answered after, closed after
CASES: list[tuple[timedelta, str, timedelta | None, timedelta | None]] = [
    (7 * 24 * HOUR, "yen-lac", 2 * HOUR, 10 * HOUR),
    (7 * 24 * HOUR, "yen-lac", 4 * HOUR, 20 * HOUR),
    (7 * 24 * HOUR, "yen-lac", 100 * HOUR, None),
    (7 * 24 * HOUR, "song-lo", None, None),
    (7 * 24 * HOUR, "song-lo", None, 3 * HOUR),
    (1 * HOUR, "", None, None),
    (WEEKS * 7 * 24 * HOUR, "yen-lac", 1 * HOUR, 2 * HOUR),  # too long ago
]


def fill(tx: Transaction) -> None:
    for number, (before, district, answered, closed) in enumerate(CASES):
        person = people.remember(tx, Person("recorder", f"citizen-{number}"), source="", at=stamp(NOON))
        opened = NOON - before

        def at(after: timedelta | None, opened: datetime = opened) -> str:
            return stamp(opened + after) if after is not None else ""

        case = conversations.begin(
            tx, person, kind="help", district=district, question="", at=stamp(opened), due=stamp(opened)
        )
        if answered is not None:
            for more in (timedelta(), HOUR):
                conversations.add_message(
                    tx, case, author=conversations.OFFICER, officer_id=None, text="x", at=at(answered + more)
                )
        if closed is not None:
            conversations.close(tx, case, at=at(closed))


async def test_times_are_measured_by_district_and_week(service: Service) -> None:
    await service.store.write(fill)

    async def seen(*grants: Grant) -> dict[str, tuple[int, int, timedelta | None, timedelta | None, int]]:
        officer = Officer(1, grants)
        found = await service.store.read(
            lambda tx: service_times(tx, service.help_desk, officer, service.settings, at=NOON)
        )
        assert found.since == MONDAY - timedelta(weeks=WEEKS - 1)
        assert sum(one.opened for one in found.by_week.values()) == found.total.opened
        assert found.by_week[MONDAY].opened == found.by_district.get("", found.total).opened or len(grants) == 1
        return {
            place: (one.opened, one.answered, one.first_answer, one.resolution, one.late)
            for place, one in found.by_district.items()
        }

    assert await seen(Grant(OFFICER)) == {
        "": (1, 0, None, None, 0),
        "song-lo": (2, 0, None, 3 * HOUR, 1),
        "yen-lac": (3, 3, 4 * HOUR, 15 * HOUR, 1),
    }
    assert await seen(Grant(OFFICER, "song-lo")) == {"song-lo": (2, 0, None, 3 * HOUR, 1)}
    assert await seen() == {}


async def test_ratings_need_voices_and_a_day_that_is_over(service: Service) -> None:
    officer = Officer(1, (Grant(OFFICER),))

    async def satisfied() -> int | None:
        found = await service.store.read(
            lambda tx: service_times(tx, service.help_desk, officer, service.settings, at=NOON)
        )
        return found.total.satisfied

    async def rate(day: date, rating: str, times: int) -> None:
        for _ in range(times):
            await service.store.write(
                lambda tx: case_ratings.count(tx, day=day.isoformat(), district="yen-lac", rating=rating)
            )

    yesterday = MONDAY - timedelta(days=1)
    await rate(yesterday, "good", 3)
    await rate(yesterday, "bad", 1)
    await rate(MONDAY, "good", 9)
    assert await satisfied() is None  # four of days that are over
    await rate(yesterday, "bad", 1)
    assert await satisfied() == 60
    await rate(yesterday, "good", 1)
    assert await satisfied() == 70  # four of six
