"""Which shards units are taken from, moved between and spread over."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.stock import rules
from chalicelib.stock.rules import FIRST, MAX_SHARDS, Move, Part, Parts

shards = st.integers(0, MAX_SHARDS - 1)
some_units = st.integers(0, 50)
pools = st.dictionaries(shards, some_units, min_size=1, max_size=20)
lines = st.lists(
    st.tuples(shards, st.integers(1, 9)), min_size=1, max_size=8, unique_by=lambda part: part[0]
).map(lambda parts: tuple(Part(*part) for part in parts))


def units_of(parts: Parts) -> int:
    return sum(part.units for part in parts)


def one_by_one(parts: Parts) -> list[int]:
    """The shard of each unit."""
    return [shard for shard, units in parts for _ in range(units)]


def test_what_a_line_keeps_of_the_first_shard_is_nothing() -> None:
    assert rules.kept(rules.from_first(3)) == ()
    assert rules.parts_of((), 3) == (Part(FIRST, 3),)
    assert rules.parts_of([[3, 2], [7, 1]], 3) == (Part(3, 2), Part(7, 1))


@given(lines)
def test_a_line_has_again_what_it_keeps(parts: Parts) -> None:
    assert rules.parts_of(rules.kept(parts), units_of(parts)) == parts


@given(lines, st.data())
def test_sections_one_after_another_are_the_line(parts: Parts, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, units_of(parts)))
    begin = rules.section(parts, 0, first)
    rest = rules.section(parts, first, units_of(parts) - first)
    assert one_by_one(begin) + one_by_one(rest) == one_by_one(parts)
    assert all(part.units for part in begin + rest)


@given(lines, st.integers(0, 80), st.integers(1, 80))
def test_no_section_is_longer_than_its_line(parts: Parts, skipped: int, units: int) -> None:
    assume(skipped + units > units_of(parts))
    with pytest.raises(ValueError, match="fewer units"):
        rules.section(parts, skipped, units)


def allocated(available: Mapping[int, int], units: int, most: int) -> Parts | None:
    return rules.allocation(available, units, most, sorted(available))


@given(pools, st.integers(1, 120), st.integers(1, 8))
def test_an_allocation_takes_what_is_asked_and_no_more_than_there_is(
    available: dict[int, int], units: int, most: int
) -> None:
    parts = allocated(available, units, most)
    if parts is None:
        assert sum(sorted(available.values())[-most:]) < units
        return
    assert units_of(parts) == units
    assert len({part.shard for part in parts}) == len(parts) <= most
    assert all(0 < part.units <= available[part.shard] for part in parts)


@given(pools, st.integers(1, 120))
def test_an_allocation_takes_from_as_few_shards_as_hold_it(
    available: dict[int, int], units: int
) -> None:
    parts = allocated(available, units, 8)
    assume(parts is not None)
    assert parts is not None
    assert sum(sorted(available.values())[-(len(parts) - 1) :] if parts[1:] else []) < units


def test_where_one_shard_is_enough_it_is_the_first_of_the_callers_order() -> None:
    available = {0: 5, 1: 1, 2: 5}
    assert rules.allocation(available, 2, 8, [1, 2, 0]) == (Part(2, 2),)
    assert rules.allocation(available, 2, 8, [1, 0, 2]) == (Part(0, 2),)


@given(pools, st.integers(1, 120), st.integers(1, 8))
def test_units_that_lie_too_thin_can_be_taken_once_they_are_gathered(
    available: dict[int, int], units: int, most: int
) -> None:
    assume(sum(available.values()) >= units)
    moves = rules.gathering(available, units, most)
    after = rules.moved(available, moves)
    assert sum(after.values()) == sum(available.values())
    assert min(after.values()) >= 0
    assert allocated(after, units, most) is not None
    assert bool(moves) == (allocated(available, units, most) is None)


@given(pools, st.integers(1, MAX_SHARDS))
def test_spreading_leaves_shards_even_and_those_taken_away_empty(
    available: dict[int, int], width: int
) -> None:
    moves = rules.spreading(available, width)
    after = rules.moved(available, moves)
    kept = [after.get(n, 0) for n in range(width)]
    assert sum(kept) == sum(available.values())
    assert max(kept) - min(kept) <= 1
    assert all(units > 0 for _, _, units in moves)
    assert rules.spreading(after, width) == []


def test_each_move_of_a_spreading_can_be_made_when_its_turn_comes() -> None:
    assert rules.spreading({0: 10, 5: 2}, 3) == [Move(0, 1, 4), Move(0, 2, 2), Move(5, 2, 2)]


@given(pools, st.data())
def test_a_removal_takes_what_is_asked_of_what_is_there(
    available: dict[int, int], data: st.DataObject
) -> None:
    units = data.draw(st.integers(0, sum(available.values())))
    parts = rules.removal(available, units)
    assert units_of(parts) == units
    assert all(0 < part.units <= available[part.shard] for part in parts)


@given(pools)
def test_more_than_there_is_cannot_be_removed(available: dict[int, int]) -> None:
    with pytest.raises(ValueError, match="fewer units"):
        rules.removal(available, sum(available.values()) + 1)


@pytest.mark.parametrize(("units", "width", "expected"), [(7, 3, [3, 2, 2]), (1, 2, [1, 0])])
def test_even_shares_differ_by_one_at_most(units: int, width: int, expected: Any) -> None:
    assert rules.even(units, width) == expected


def test_units_are_taken_out_of_the_middle_of_what_a_line_took() -> None:
    parts = (Part(2, 3), Part(0, 2), Part(5, 1))
    assert rules.without(parts, 1, 1) == (Part(2, 2), Part(0, 2), Part(5, 1))
    assert rules.without(parts, 2, 2) == (Part(2, 2), Part(0, 1), Part(5, 1))
    assert rules.without(parts, 0, 6) == ()
    with pytest.raises(ValueError, match="fewer units"):
        rules.without(parts, 3, 4)
