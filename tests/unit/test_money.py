"""Integer money: rounding half up, and parts that add up to what was divided."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import allocate, at_rate, half_up, part

AMOUNTS = st.integers(0, 10**12)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 7, 0), (1, 2, 1), (3, 2, 2), (149, 100, 1), (150, 100, 2), (151, 100, 2), (-1, 2, 0)],
)
def test_half_a_unit_is_rounded_up(numerator: int, denominator: int, rounded: int) -> None:
    assert half_up(numerator, denominator) == rounded


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**15))
def test_rounding_is_exact_at_any_size(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert half_up(numerator, denominator) == math.floor(exact + Fraction(1, 2))


@pytest.mark.parametrize(
    ("amount", "rate_bps", "share"),
    [
        (1000, 1000, 100),
        (999, 1000, 100),  # 99.9
        (5, 1000, 1),  # 0.5
        (4, 1000, 0),  # 0.4
        (1005, 5000, 503),  # 502.5
        (12345, 1, 1),  # 1.2345
        (777, 10_000, 777),
        (777, 0, 0),
    ],
)
def test_a_rate_in_basis_points_is_rounded_half_up(amount: int, rate_bps: int, share: int) -> None:
    assert at_rate(amount, rate_bps) == share


@given(AMOUNTS, st.integers(0, 10_000))
def test_a_share_is_never_more_than_the_amount(amount: int, rate_bps: int) -> None:
    assert 0 <= at_rate(amount, rate_bps) <= amount


def test_two_thirds_of_a_hundred_are_sixty_seven() -> None:
    assert [part(100, k, 3) for k in range(4)] == [0, 33, 67, 100]


@given(AMOUNTS, st.integers(1, 500))
def test_parts_rise_from_nothing_to_the_whole(whole: int, n: int) -> None:
    parts = [part(whole, k, n) for k in range(n + 1)]
    assert (parts[0], parts[-1]) == (0, whole)
    assert parts == sorted(parts)


@given(AMOUNTS, st.integers(1, 9_999), st.data())
def test_a_part_is_at_most_half_a_unit_off(whole: int, n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    assert abs(part(whole, k, n) - Fraction(whole * k, n)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (7, [50, 30, 20], [4, 2, 1]),  # 3.5, 2.1, 1.4
        (100, [1, 2, 3], [17, 33, 50]),  # 16.67, 33.33, 50
        (1, [1, 1], [1, 0]),
        (2, [1, 1, 1], [1, 1, 0]),
        (5, [0, 10, 0], [0, 5, 0]),
        (5, [0, 0, 0], [2, 2, 1]),
        (0, [3, 4], [0, 0]),
        (9, [4], [9]),
    ],
)
def test_an_amount_is_divided_by_largest_remainder(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert allocate(total, weights) == parts


@given(AMOUNTS, WEIGHTS)
def test_the_parts_add_up_to_the_total(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)


@given(AMOUNTS, WEIGHTS.filter(any))
def test_each_part_is_less_than_one_unit_from_its_exact_share(
    total: int, weights: list[int]
) -> None:
    for each, weight in zip(allocate(total, weights), weights, strict=True):
        assert abs(each - Fraction(total * weight, sum(weights))) < 1


@given(AMOUNTS, WEIGHTS.filter(any))
def test_what_weighs_nothing_gets_nothing(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert not any(each for each, weight in zip(parts, weights, strict=True) if not weight)


@given(AMOUNTS, WEIGHTS)
def test_what_weighs_more_never_gets_less(total: int, weights: list[int]) -> None:
    by_weight = sorted(zip(weights, allocate(total, weights), strict=True))
    for (lighter, less), (heavier, more) in pairwise(by_weight):
        assert less <= more or lighter == heavier


@given(AMOUNTS, st.integers(1, 60))
def test_where_nothing_weighs_the_parts_are_as_equal_as_can_be(total: int, n: int) -> None:
    parts = allocate(total, [0] * n)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1


def test_dividing_among_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to divide among"):
        allocate(5, [])
