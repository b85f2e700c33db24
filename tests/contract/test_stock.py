"""The stock store: units move between kinds, and none is there that was not put in."""

from typing import Any

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.platform.transaction import write
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Level, Stock
from chalicelib.stock.rules import Parts, ShardShort, from_first


def stocked(available: int) -> None:
    write(*stock.set_levels(stock.get_stock("sku_1"), [available]))


def of(units: int, sku_id: str = "sku_1") -> dict[str, Parts]:
    return {sku_id: from_first(units)}


def units() -> tuple[int, int, int]:
    found = stock.get_stock("sku_1")
    return found.available, found.reserved, found.committed


def test_units_go_from_sale_to_reserved_to_committed_and_out() -> None:
    stocked(10)
    write(*stock.reserve(of(4)))
    assert units() == (6, 4, 0)
    write(*stock.commit(of(3)))
    assert units() == (6, 1, 3)
    write(*stock.release(of(1)))
    assert units() == (7, 0, 3)
    write(*stock.put_back(of(1)))
    assert units() == (8, 0, 2)
    write(*stock.let_go(of(2)))
    assert units() == (8, 0, 0)
    write(*stock.take_again(of(8)))
    assert units() == (0, 0, 8)


def test_no_more_is_reserved_than_there_is() -> None:
    stocked(3)
    with pytest.raises(ShardShort) as short:
        write(*stock.reserve(of(4)))
    assert short.value.pool == "sku_1"
    assert units() == (3, 0, 0)
    write(*stock.reserve(of(3)))
    assert units() == (0, 3, 0)


def test_what_was_never_stocked_cannot_be_reserved() -> None:
    assert stock.get_stock("sku_1") == Stock("sku_1", (Level(),))
    with pytest.raises(ShardShort):
        write(*stock.reserve(of(1)))
    assert stock.get_stocks(["sku_1"]) == {}


@pytest.mark.parametrize("move", [stock.release, stock.commit, stock.put_back, stock.let_go])
def test_no_kind_of_units_falls_below_zero(move: Any) -> None:
    stocked(10)
    write(*stock.reserve(of(2)))
    write(*stock.commit(of(1)))
    with pytest.raises(ValueError, match="sku_1"):
        write(*move(of(2)))
    assert units() == (8, 1, 1)


def test_units_given_back_and_gone_cannot_be_taken_again() -> None:
    stocked(1)
    with pytest.raises(ShardShort):
        write(*stock.take_again(of(2)))
    assert units() == (1, 0, 0)


def test_stock_is_set_only_from_what_was_read() -> None:
    stocked(5)
    before = stock.get_stock("sku_1")
    write(*stock.reserve(of(1)))
    with pytest.raises(Stale):
        write(*stock.set_levels(before, [9]))
    stocked(9)
    assert units() == (9, 1, 0)


def test_stock_is_set_first_by_one_only() -> None:
    before = stock.get_stock("sku_1")
    write(*stock.set_levels(before, [5]))
    with pytest.raises(Stale):
        write(*stock.set_levels(before, [7]))


def test_every_change_of_stock_changes_its_version() -> None:
    stocked(5)
    seen = [stock.get_stock("sku_1").levels[0].version]
    for moves in (stock.reserve(of(2)), stock.commit(of(1))):
        write(*moves)
        seen.append(stock.get_stock("sku_1").levels[0].version)
    assert seen == [1, 2, 3]
