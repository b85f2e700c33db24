"""The stock store: units move between kinds, and none is there that was not put in."""

from typing import Any

import pytest

from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.platform.transaction import write
from chalicelib.stock import store as stock
from chalicelib.stock.store import CannotTake, Stock


def stocked(available: int) -> None:
    write(stock.set_stock(stock.get_stock("sku_1"), available))


def units() -> tuple[int, int, int]:
    found = stock.get_stock("sku_1")
    return found.available, found.reserved, found.committed


def test_units_go_from_sale_to_reserved_to_committed_and_out() -> None:
    stocked(10)
    write(stock.reserve("sku_1", 4))
    assert units() == (6, 4, 0)
    write(stock.commit("sku_1", 3))
    assert units() == (6, 1, 3)
    write(stock.release("sku_1", 1))
    assert units() == (7, 0, 3)
    write(stock.put_back("sku_1", 1))
    assert units() == (8, 0, 2)
    write(stock.let_go("sku_1", 2))
    assert units() == (8, 0, 0)
    write(stock.take_again("sku_1", 8))
    assert units() == (0, 0, 8)


def test_no_more_is_reserved_than_there_is() -> None:
    stocked(3)
    with pytest.raises(Conflict) as refused:
        write(stock.reserve("sku_1", 4))
    assert refused.value.code == "out_of_stock"
    assert units() == (3, 0, 0)
    write(stock.reserve("sku_1", 3))
    assert units() == (0, 3, 0)


def test_what_was_never_stocked_cannot_be_reserved() -> None:
    assert stock.get_stock("sku_1") == Stock("sku_1", 0, 0, 0, 0)
    with pytest.raises(Conflict):
        write(stock.reserve("sku_1", 1))
    assert stock.get_stocks(["sku_1"]) == {}


@pytest.mark.parametrize("move", [stock.release, stock.commit, stock.put_back, stock.let_go])
def test_no_kind_of_units_falls_below_zero(move: Any) -> None:
    stocked(10)
    write(stock.reserve("sku_1", 2))
    write(stock.commit("sku_1", 1))
    with pytest.raises(ValueError, match="sku_1"):
        write(move("sku_1", 2))
    assert units() == (8, 1, 1)


def test_units_given_back_and_gone_cannot_be_taken_again() -> None:
    stocked(1)
    with pytest.raises(CannotTake):
        write(stock.take_again("sku_1", 2))
    assert units() == (1, 0, 0)


def test_stock_is_set_only_from_what_was_read() -> None:
    stocked(5)
    before = stock.get_stock("sku_1")
    write(stock.reserve("sku_1", 1))
    with pytest.raises(Stale):
        write(stock.set_stock(before, 9))
    write(stock.set_stock(stock.get_stock("sku_1"), 9))
    assert units() == (9, 1, 0)


def test_stock_is_set_first_by_one_only() -> None:
    before = stock.get_stock("sku_1")
    write(stock.set_stock(before, 5))
    with pytest.raises(Stale):
        write(stock.set_stock(before, 7))


def test_every_change_of_stock_changes_its_version() -> None:
    stocked(5)
    seen = [stock.get_stock("sku_1").version]
    for move in (stock.reserve("sku_1", 2), stock.commit("sku_1", 1)):
        write(move)
        seen.append(stock.get_stock("sku_1").version)
    assert seen == [1, 2, 3]
