"""The last units and a customer's limit, when everybody wants them at once."""

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from chalicelib.ordering import ending
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import World

AFTER_EXPIRY = timedelta(minutes=16)


def sell_out(world: World, units: int, customers: int) -> tuple[Counter[str], list[str]]:
    """Many customers, each of whom wants one of too few units."""
    sale = world.sale(stock=units)
    callers = [world.customer(f"cus_{n}") for n in range(customers)]
    answers = at_once(each(callers, lambda c: c.post("/v1/orders", world.order_body(sale))))
    return outcomes(answers), findings({sale.sku_ids[0]: units})


@ALSO_IN_MEMORY
def test_fifty_units_go_to_fifty_of_a_hundred_and_twenty_customers(world: World) -> None:
    answered, found = sell_out(world, units=50, customers=120)
    assert answered == {"201": 50, "409 out_of_stock": 70}
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_units_sold_twice(world: World) -> None:
    with unguarded():
        answered, found = sell_out(world, units=10, customers=40)
    assert answered == {"201": 40}
    assert any("is oversold by 30" in finding for finding in found)


def test_the_last_unit_goes_to_one_of_sixteen_customers(world: World) -> None:
    answered, found = sell_out(world, units=1, customers=THREADS)
    assert answered == {"201": 1, "409 out_of_stock": 15}
    assert found == []


def test_an_order_takes_all_its_lines_or_none(world: World) -> None:
    sale = world.sale(skus=2, stock=THREADS)
    scarce, plenty = sale.sku_ids
    world.set_stock(scarce, 3)
    answers = at_once([lambda: world.customer().post("/v1/orders", world.order_body(sale))] * 16)
    assert outcomes(answers) == {"201": 3, "409 out_of_stock": 13}
    assert world.stock(plenty)["reserved"] == 3
    assert findings({scarce: 3, plenty: THREADS}) == []


def order_up_to_a_limit(world: World) -> tuple[Counter[str], list[str]]:
    """One customer orders sixteen times, one unit each, where five are allowed."""
    sale = world.sale(stock=100, limit=5)
    alice = world.customer()
    answers = at_once([lambda: alice.post("/v1/orders", world.order_body(sale))] * THREADS)
    return outcomes(answers), findings({sale.sku_ids[0]: 100})


@ALSO_IN_MEMORY
def test_a_customers_limit_holds_over_orders_placed_at_once(world: World) -> None:
    answered, found = order_up_to_a_limit(world)
    assert answered == {"201": 5, "409 customer_limit_reached": 11}
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_limit_passed(world: World) -> None:
    with unguarded():
        answered, found = order_up_to_a_limit(world)
    assert answered == {"201": 16}
    assert any("has more than 5 of" in finding for finding in found)


def sweep_at_once(world: World) -> list[str]:
    """Sixteen sweeps over the same ten orders whose time is over."""
    sale = world.sale(stock=30, limit=50)
    for _ in range(10):
        world.place(sale, quantity=2)
    later = clock.now() + AFTER_EXPIRY
    at_once([lambda: ending.sweep(later)] * THREADS)
    orders = world.operator.get("/v1/orders").json["items"]
    assert {order["status"] for order in orders} == {"expired"}
    return findings({sale.sku_ids[0]: 30})


def test_sweeps_at_once_give_stock_and_limits_back_once(world: World) -> None:
    assert sweep_at_once(world) == []


@IN_MEMORY
def test_control_the_rig_catches_stock_given_back_twice(world: World) -> None:
    with unguarded():
        found = sweep_at_once(world)
    assert any(finding.startswith("reserved ") for finding in found)


@pytest.mark.parametrize("on_hand", [7, 20])
def test_setting_stock_while_it_is_ordered_loses_no_unit(world: World, on_hand: int) -> None:
    sale = world.sale(stock=10)
    sku_id = sale.sku_ids[0]

    def order() -> Answer:
        return world.customer().post("/v1/orders", world.order_body(sale))

    def put() -> Answer:
        return world.operator.put(f"/v1/skus/{sku_id}/stock", {"on_hand": on_hand})

    answered = outcomes(at_once([order, order, put, order, order]))
    assert answered == {"201": 4, "200": 1}
    assert world.stock(sku_id)["available"] == on_hand - 4
    assert findings({sku_id: on_hand}) == []
