"""Token buckets, with a clock that the test turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.rate_limit import Buckets


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_full_bucket_then_evenly() -> None:
    clock = Clock()
    buckets = Buckets(3, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(20)
    clock.seconds += 19.9
    assert buckets.take("a") == pytest.approx(0.1)
    clock.seconds += 0.2
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0


def test_asking_too_early_costs_nothing() -> None:
    clock = Clock()
    buckets = Buckets(60, clock=clock)
    for _ in range(60):
        assert buckets.take() == 0
    for _ in range(100):
        assert buckets.take() > 0
    clock.seconds += 1
    assert buckets.take() == 0


def test_one_person_does_not_use_up_anothers() -> None:
    buckets = Buckets(1, clock=Clock())
    assert buckets.take("a") == 0
    assert buckets.take("a") > 0
    assert buckets.take("b") == 0


def test_zero_switches_the_limit_off() -> None:
    buckets = Buckets(0, clock=Clock())
    assert {buckets.take("a") for _ in range(10_000)} == {0}


def test_an_idle_bucket_holds_no_more_than_its_measure() -> None:
    clock = Clock()
    buckets = Buckets(2, clock=clock)
    buckets.take("a")
    clock.seconds += 3600
    assert [buckets.take("a") == 0 for _ in range(3)] == [True, True, False]


def test_memory_is_bounded_and_the_idle_are_forgotten_first() -> None:
    clock = Clock()
    buckets = Buckets(1, clock=clock, most_keys=10)
    buckets.take("first")
    for number in range(9):
        buckets.take(number)
    assert buckets.take("first") > 0  # still known, and now the latest
    for number in range(100, 109):
        buckets.take(number)
    assert buckets.take("first") > 0
    for number in range(200, 210):
        buckets.take(number)
    assert buckets.take("first") == 0  # forgotten, which only helps


def test_a_capacity_of_its_own() -> None:
    clock = Clock()
    buckets = Buckets(60, capacity=2, clock=clock)
    assert [buckets.take() == 0 for _ in range(3)] == [True, True, False]
    clock.seconds += 1
    assert buckets.take() == 0


@given(
    per_minute=st.integers(1, 600),
    steps=st.lists(st.tuples(st.floats(0, 30), st.integers(0, 3)), max_size=60),
)
def test_never_more_than_the_measure_allows(per_minute: int, steps: list[tuple[float, int]]) -> None:
    """Over any time, a person gets at most a full bucket and what flowed in; and who waits as told gets through."""
    clock = Clock()
    buckets = Buckets(per_minute, clock=clock)
    taken: dict[int, int] = {}
    for seconds, who in steps:
        clock.seconds += seconds
        wait = buckets.take(who)
        assert 0 <= wait <= 60 / per_minute + 1e-6
        taken[who] = taken.get(who, 0) + (wait == 0)
    passed = clock.seconds - 1000
    assert all(count <= per_minute + passed * per_minute / 60 + 1e-6 for count in taken.values())
    wait = buckets.take("waits")
    while wait:
        clock.seconds += wait + 1e-6
        wait = buckets.take("waits")
