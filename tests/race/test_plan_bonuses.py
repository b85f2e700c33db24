"""A customer's first orders, and orders that bring a campaign to its threshold, delivered and
refunded at the same moment."""

from collections.abc import Callable

import pytest

from chalicelib.kernel import clock
from tests.support.at_once import at_once, each
from tests.support.clouds import IN_MEMORY
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, Sale, World, created

PLANS, ORDERS = "/v1/commission-plans", 8
FIRST: Json = {"kind": "first_order", "amount": 500}


def a_plan(world: World, *bonuses: Json) -> str:
    plan_id = created(world.operator.post(PLANS, {"name": "Shops", "currency": "EUR"}))["id"]
    version = {
        "effective_from": clock.now().date().isoformat(),
        "rules": [{"match": {}, "basis": "sales", "rate_bps": 1000}],
        "bonuses": list(bonuses),
    }
    created(world.operator.post(f"{PLANS}/{plan_id}/versions", version))
    return str(plan_id)


def a_sale(world: World, plan_id: str) -> Sale:
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}/commission-plan"
    assert world.operator.put(path, {"plan_id": plan_id}).status == 200
    return world.sale(leader_id=leader_id, commission=None)


def on_its_way(world: World, sale: Sale, customer: str = "cus_alice") -> Json:
    order = world.paid_order(sale, world.customer(customer))
    world.move(order["dispatches"][0]["id"], "accept", "ship")
    return order


def deliver(world: World, order: Json) -> None:
    """As whoever delivers does: what was answered busy is told again."""
    _until_answered(world, f"/v1/dispatches/{order['dispatches'][0]['id']}/deliver", {})


def refund(world: World, order: Json) -> None:
    body = {"amount": order["total"], "reason": "late"}
    _until_answered(world, f"/v1/orders/{order['id']}/refunds", body)


def _until_answered(world: World, path: str, body: Json) -> None:
    for _ in range(10):
        answer = world.operator.post(path, body)
        if answer.status != 503:
            assert answer.status in (200, 201), answer.text
            return
    raise AssertionError("the order stays busy")


def whole(world: World, standing: int, *sales: Sale) -> None:
    """Nothing is wrong, and so many bonuses stand."""
    world.work()
    assert findings() == []
    given = [
        bonus
        for sale in sales
        for bonus in world.operator.get(f"/v1/leaders/{sale.leader_id}/bonuses").json["items"]
    ]
    assert sum(bonus["taken_back_at"] is None for bonus in given) == standing


def first_orders_of_one_customer(world: World) -> None:
    """One customer's orders, with two leaders, are delivered at once."""
    plan_id = a_plan(world, FIRST)
    sales = [a_sale(world, plan_id) for _ in range(2)]
    orders = [on_its_way(world, sales[n % 2]) for n in range(ORDERS)]
    at_once(each(orders, lambda order: deliver(world, order)))
    whole(world, 1, *sales)


def total_that_is_reached(world: World) -> None:
    """The third of eight deliveries brings the campaign to 30.00, and the last one to 80.00."""
    bonuses = [{"kind": "campaign_total", "amount": 7, "threshold": n} for n in (3000, 8000, 8001)]
    sale = a_sale(world, a_plan(world, *bonuses))
    orders = [on_its_way(world, sale, f"cus_{n}") for n in range(ORDERS)]
    at_once(each(orders, lambda order: deliver(world, order)))
    whole(world, 2, sale)


def total_that_comes_and_goes(world: World) -> None:
    """Half of the orders are refunded while the other half is delivered: 40.00 are left."""
    bonuses = [{"kind": "campaign_total", "amount": 7, "threshold": n} for n in (1000, 4000, 4001)]
    sale = a_sale(world, a_plan(world, *bonuses))
    orders = [on_its_way(world, sale, f"cus_{n}") for n in range(ORDERS)]
    for order in orders[::2]:
        deliver(world, order)
    at_once(
        [
            *each(orders[::2], lambda order: refund(world, order)),
            *each(orders[1::2], lambda order: deliver(world, order)),
        ]
    )
    whole(world, 2, sale)


RACES = [first_orders_of_one_customer, total_that_is_reached, total_that_comes_and_goes]


@IN_MEMORY
@pytest.mark.parametrize("race", RACES)
def test_a_bonus_stands_once_and_only_for_what_it_is_for(
    world: World, race: Callable[[World], None]
) -> None:
    race(world)


@IN_MEMORY
@pytest.mark.parametrize("race", RACES)
def test_control_the_rig_catches_bonuses_that_nobody_counts(
    world: World, race: Callable[[World], None]
) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)
