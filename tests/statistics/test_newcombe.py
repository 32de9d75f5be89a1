"""The difference of two shares: as published, within its bounds, and the smallest one that two groups can show."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.statistics.newcombe import difference, smallest_noticed, wilson
from tests.support.property_examples import examples

# Newcombe (1998), table II, method 10: both shares, and the bounds of their difference.
PUBLISHED = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0000)),
    ((10, 10, 0, 10), (0.6075, 1.0000)),
]


@pytest.mark.parametrize(("shares", "bounds"), PUBLISHED)
def test_an_interval_is_as_published(shares: tuple[int, int, int, int], bounds: tuple[float, float]) -> None:
    found = difference(*shares)
    assert (round(found.low, 4), round(found.high, 4)) == bounds


def test_a_score_interval_is_as_published() -> None:
    assert [round(bound, 4) for bound in wilson(81, 263)] == [0.2553, 0.3662]  # Newcombe (1998), the single proportion
    assert wilson(0, 0) == (0.0, 1.0)


SHARES = st.integers(0, 300).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@hypothesis_settings(max_examples=examples(200), deadline=None)
@given(one=SHARES, other=SHARES)
def test_an_interval_holds_the_difference_and_turns_around(one: tuple[int, int], other: tuple[int, int]) -> None:
    found, turned = difference(*one, *other), difference(*other, *one)
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert (turned.value, turned.low, turned.high) == pytest.approx((-found.value, -found.high, -found.low))


def drawn(chance: random.Random, whole: int, share: float) -> int:
    return sum(chance.random() < share for _ in range(whole))


@pytest.mark.parametrize(("told", "held"), [(450, 50), (4500, 500), (250, 250)])
def test_the_smallest_rise_is_noticed_in_four_of_five_cases(told: int, held: int) -> None:
    usual, runs = 0.05, 400
    rise = smallest_noticed(told, held, usual=usual)
    chance = random.Random(7)
    seen = sum(
        difference(drawn(chance, told, usual + rise), told, drawn(chance, held, usual), held).low > 0
        for _ in range(runs)
    )
    assert 0.74 <= seen / runs <= 0.9


def test_groups_of_nobody_notice_nothing() -> None:
    assert smallest_noticed(0, 50, usual=0.05) == 1.0
    assert smallest_noticed(3, 1, usual=0.05) == 1.0
    assert smallest_noticed(10_000, 10_000, usual=0.05) < smallest_noticed(1000, 1000, usual=0.05)
