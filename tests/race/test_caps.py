"""Sixteen customers at once want the last units of a campaign's cap, and its last places."""

import pytest

from tests.support.at_once import at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import World

BUYERS = [f"cus_{n}" for n in range(16)]


def last_units_of_a_cap(world: World) -> None:
    sale = world.sale(stock=100, quantity_cap=5)
    callers = [world.customer(buyer) for buyer in BUYERS]
    body = world.order_body(sale)
    answers = at_once(each(callers, lambda caller: caller.post("/v1/orders", body)))
    assert outcomes(answers) == {"201": 5, "409 out_of_stock": 11}
    assert findings({sale.sku_ids[0]: 100}) == []


def last_units_over_shards(world: World) -> None:
    """Of five shards of a hundred sixteen orders of 31 leave four, wherever those lie."""
    sale = world.sale(stock=1000, quantity_cap=500)
    callers = [world.customer(buyer) for buyer in BUYERS]
    body = world.order_body(sale, 31)
    answers = at_once(each(callers, lambda caller: caller.post("/v1/orders", body)))
    assert outcomes(answers) == {"201": 16}
    assert world.customer().post("/v1/orders", world.order_body(sale, 4)).status == 201
    assert findings({sale.sku_ids[0]: 1000}) == []


def last_places(world: World) -> None:
    sale = world.sale(stock=100, max_orders=5)
    callers = [world.customer(buyer) for buyer in BUYERS]
    body = world.order_body(sale)
    answers = at_once(each(callers, lambda caller: caller.post("/v1/orders", body)))
    assert outcomes(answers) == {"201": 5, "409 campaign_not_open": 11}
    assert findings({sale.sku_ids[0]: 100}) == []


@ALSO_IN_MEMORY
def test_no_more_is_sold_than_the_cap(world: World) -> None:
    last_units_of_a_cap(world)


def test_the_last_units_of_a_cap_are_found_wherever_they_lie(world: World) -> None:
    last_units_over_shards(world)


def test_no_more_orders_are_taken_than_there_are_places(world: World) -> None:
    last_places(world)


@IN_MEMORY
@pytest.mark.parametrize("race", [last_units_of_a_cap, last_places])
def test_control_the_rig_catches_caps_that_nobody_holds(world: World, race: object) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)  # type: ignore[operator]
