"""A hot SKU in many shards, when everybody wants it at once and not every answer arrives."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.ordering import ending
from chalicelib.platform.transaction import Update
from chalicelib.stock import sharding, taking
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Stock
from chalicelib.stock.store import StockRow
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.aws_calls import losing
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Sale, World

AFTER_EXPIRY = timedelta(minutes=16)


def hot_sale(world: World, stock: int, shards: int, **terms: Any) -> Sale:
    sale = world.sale(stock=stock, **terms)
    reshard(world, sale, shards)
    return sale


def reshard(world: World, sale: Sale, shards: int) -> Answer:
    return world.operator.patch(f"/v1/skus/{sale.sku_ids[0]}", {"stock_shards": shards})


def order(world: World, sale: Sale, customer: str, quantity: int = 1) -> Answer:
    """As a client does that has had no answer, or was told to try again: with the same key."""
    caller, body = world.customer(customer), world.order_body(sale, quantity)
    key = f"{customer}-{random.getrandbits(64):x}"
    while (answer := caller.post("/v1/orders", body, key=key)).status == 503:
        pass
    return answer


def orders(world: World, sale: Sale, customers: int) -> list[Callable[[], Answer]]:
    return each([f"cus_{n}" for n in range(customers)], partial(order, world, sale))


def sell_out(world: World, units: int, customers: int) -> tuple[Counter[str], list[str]]:
    sale = hot_sale(world, units, shards=12)
    answered = outcomes(at_once(orders(world, sale, customers)))
    return answered, findings({sale.sku_ids[0]: units})


@ALSO_IN_MEMORY
def test_every_unit_of_all_shards_is_sold_and_none_twice(world: World) -> None:
    answered, found = sell_out(world, units=30, customers=80)
    assert answered == {"201": 30, "409 out_of_stock": 50}
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_units_of_shards_sold_twice(world: World) -> None:
    with unguarded():
        answered, found = sell_out(world, units=10, customers=40)
    assert answered["201"] == 40
    assert any("is oversold" in finding for finding in found)


@IN_MEMORY
def test_control_the_rig_catches_units_stranded_where_nobody_looks(world: World) -> None:
    def one_shard_only(pool: taking.StockPool) -> dict[int, int]:
        ((shard, _),) = pool.first
        return {shard: stock.get_stock(pool.id).by_shard[shard]}

    with mock.patch.object(taking.StockPool, "look", one_shard_only):
        answered, _ = sell_out(world, units=30, customers=80)
    assert answered["201"] < 30


def test_lost_answers_take_nothing_twice(world: World) -> None:
    sale = hot_sale(world, 30, shards=6, limit=2)
    with losing(0.2):
        answered = outcomes(at_once(orders(world, sale, 50)))
    assert answered == {"201": 30, "409 out_of_stock": 20}
    assert findings({sale.sku_ids[0]: 30}) == []


def test_the_last_units_lie_in_as_many_shards_as_there_are_callers(world: World) -> None:
    sale = hot_sale(world, THREADS, shards=THREADS)
    assert outcomes(at_once(orders(world, sale, THREADS))) == {"201": THREADS}
    assert findings({sale.sku_ids[0]: THREADS}) == []


def test_units_that_lie_thin_are_brought_together_by_many_at_once(world: World) -> None:
    sale = hot_sale(world, 60, shards=60)
    calls = [partial(order, world, sale, f"cus_{n}", 20) for n in range(4)]
    assert outcomes(at_once(calls)) == {"201": 3, "409 out_of_stock": 1}
    assert findings({sale.sku_ids[0]: 60}) == []


@pytest.mark.parametrize(("before", "after"), [(1, 9), (9, 2)])
def test_shards_are_changed_while_it_is_sold(world: World, before: int, after: int) -> None:
    sale = hot_sale(world, 40, shards=before)
    change = partial(reshard, world, sale, after)
    answered = outcomes(at_once([*orders(world, sale, 30), change, *orders(world, sale, 20)]))
    assert (answered["201"], answered["409 out_of_stock"]) == (40, 10)
    sharding.sweep(clock.now())
    assert findings({sale.sku_ids[0]: 40}) == []


@IN_MEMORY
def test_control_the_rig_catches_shards_changed_without_care(world: World) -> None:
    with unguarded(), pytest.raises(AssertionError):
        test_shards_are_changed_while_it_is_sold(world, 9, 2)


@pytest.mark.parametrize("on_hand", [20, 60])
def test_stock_of_shards_is_set_while_it_is_ordered(world: World, on_hand: int) -> None:
    sale = hot_sale(world, 40, shards=8)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock"

    def put() -> Answer:
        while (answer := world.operator.put(path, {"on_hand": on_hand})).status == 503:
            pass
        return answer

    answered = outcomes(at_once([*orders(world, sale, 8), put, *orders(world, sale, 7)]))
    assert answered == {"201": 15, "200": 1}
    sharding.sweep(clock.now())
    assert world.stock(sale.sku_ids[0])["available"] == on_hand - 15
    assert findings({sale.sku_ids[0]: on_hand}) == []


@IN_MEMORY
def test_control_the_rig_catches_stock_of_shards_set_without_care(world: World) -> None:
    at_once_and_without_conditions = mock.patch.object(Stock, "is_sharded", False)
    with at_once_and_without_conditions, unguarded(), pytest.raises(AssertionError):
        test_stock_of_shards_is_set_while_it_is_ordered(world, 20)


def test_puts_at_once_come_to_one_of_them(world: World) -> None:
    sale = hot_sale(world, 40, shards=8)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock"

    def put(on_hand: int) -> Answer:
        while (answer := world.operator.put(path, {"on_hand": on_hand})).status == 503:
            pass
        return answer

    assert outcomes(at_once(each([10, 70, 30, 50], put))) == {"200": 4}
    sharding.sweep(clock.now())
    assert world.stock(sale.sku_ids[0])["on_hand"] in (10, 70, 30, 50)
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_puts_that_mix(world: World) -> None:
    aim_at = stock.aim_at

    def adding(before: Stock, delta: int, now: datetime) -> Update:
        """Each adds what it found missing, whatever others have added meanwhile."""
        aimed = aim_at(before, delta, now)
        return Update(aimed.row, [StockRow.pending.add(delta), *aimed.actions[1:]])

    with mock.patch.object(stock, "aim_at", adding), pytest.raises(AssertionError):
        test_puts_at_once_come_to_one_of_them(world)


def test_units_that_come_back_while_it_is_sold_are_sold(world: World) -> None:
    sale = hot_sale(world, 20, shards=5)
    for n in range(10):
        world.place(sale, world.customer(f"cus_early_{n}"), quantity=2)
    later = clock.now() + AFTER_EXPIRY
    sweeps: list[Callable[[], Any]] = [partial(ending.sweep, later)] * 2
    at_once([*sweeps, *orders(world, sale, 6)])
    with mock.patch.object(clock, "now", return_value=later):
        answered = outcomes([order(world, sale, f"cus_late_{n}") for n in range(21)])
    assert answered["201"] >= 14
    assert world.stock(sale.sku_ids[0])["available"] == 0
    assert findings({sale.sku_ids[0]: 20}) == []


@ALSO_IN_MEMORY
@pytest.mark.parametrize("delta", [-4, 4])
def test_one_key_adjusts_once_however_often_it_is_sent(world: World, delta: int) -> None:
    sale = hot_sale(world, 40, shards=4)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock/adjustments"
    body = {"delta": delta, "reason": "counted"}

    def adjust() -> Answer:
        while (answer := world.operator.post(path, body, key="once")).status == 503:
            pass
        return answer

    answers = at_once([adjust] * 8)
    assert outcomes(answers) == {"201": 8}
    assert len({answer.json["id"] for answer in answers}) == 1
    sharding.sweep(clock.now())
    assert world.stock(sale.sku_ids[0])["available"] == 40 + delta


def test_adjustments_at_once_never_take_more_than_there_is(world: World) -> None:
    sale = hot_sale(world, 10, shards=4)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock/adjustments"
    body = {"delta": -3, "reason": "broken"}
    answered = outcomes(at_once([lambda: world.operator.post(path, body)] * 8))
    assert answered == {"201": 3, "409 below_reserved": 5}
    assert world.stock(sale.sku_ids[0])["available"] == 1
