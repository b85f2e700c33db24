"""Ids: fresh ones that sort by age, and derived ones that are always the same."""

import re
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import ids

PARTS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1, max_size=4
)


def test_an_id_bears_its_prefix_and_nothing_that_needs_escaping() -> None:
    assert re.fullmatch(r"ord_[0-9a-z]{20,40}", ids.new("ord"))


def test_new_ids_never_repeat() -> None:
    assert len({ids.new("ord") for _ in range(10_000)}) == 10_000


def test_a_later_id_sorts_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    # From 1970 to beyond the year 2500: 48 bits of milliseconds reach to the year 10889.
    for milliseconds in (0, 1, 15, 16, 255, 256, 1_772_357_400_000, 1_772_357_400_001, 2**44):
        monkeypatch.setattr(time, "time_ns", lambda at=milliseconds: at * 1_000_000)
        made.append(ids.new("ord"))
    assert made == sorted(made)
    assert len({len(each) for each in made}) == 1


@given(PARTS)
def test_the_same_parts_give_the_same_id(parts: list[str]) -> None:
    assert ids.derived("dsp", *parts) == ids.derived("dsp", *parts)
    assert re.fullmatch(r"dsp_[0-9a-f]{28}", ids.derived("dsp", *parts))


@given(PARTS, PARTS)
def test_other_parts_give_another_id(some: list[str], others: list[str]) -> None:
    same = ids.derived("dsp", *some) == ids.derived("dsp", *others)
    assert same == (some == others)


def test_parts_are_not_run_together() -> None:
    assert ids.derived("dsp", "ord_1", "2") != ids.derived("dsp", "ord_12")
    assert ids.derived("dsp", "ord_1", "2") != ids.derived("dsp", "ord_", "12")


def test_a_payment_is_known_by_its_order_and_the_other_way_round() -> None:
    order_id = ids.new("ord")
    payment_id = ids.sibling("pay", order_id)
    assert payment_id == "pay_" + order_id.removeprefix("ord_")
    assert ids.sibling("ord", payment_id) == order_id


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 64))
def test_an_id_lies_in_one_of_the_shards(identifier: str, shards: int) -> None:
    assert 0 <= ids.shard(identifier, shards) < shards
    assert ids.shard(identifier, shards) == ids.shard(identifier, shards)


def test_ids_spread_evenly_over_shards() -> None:
    spread = Counter(ids.shard(ids.derived("ord", str(n)), 8) for n in range(8_000))
    assert set(spread) == set(range(8))
    # Ten standard deviations of an even spread are about 300.
    assert all(700 < count < 1_300 for count in spread.values())
