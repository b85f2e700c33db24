"""A paid order becomes one dispatch a supplier, however its message comes."""

from typing import Any

from tests.support.events import sqs_event
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.world import Sale, World


def test_each_supplier_gets_a_dispatch(world: World) -> None:
    order = paid(world, two_suppliers(world))
    assert handle("dispatch_create", about(order)) == []
    made = world.order(order["id"])["dispatches"]
    assert [each["status"] for each in made] == ["created", "created"]
    assert len({each["supplier_id"] for each in made}) == 2


def test_a_message_that_comes_twice_makes_them_once(world: World) -> None:
    order = paid(world, two_suppliers(world))
    assert handle("dispatch_create", about(order), about(order)) == []
    world.messages("WEBHOOK_FAN_OUT")
    before = snapshot(world.environment)
    assert handle("dispatch_create", about(order)) == []
    assert snapshot(world.environment) == before


def test_only_the_message_that_cannot_be_done_goes_back(world: World) -> None:
    sale = world.sale()
    one, other = paid(world, sale), paid(world, sale)
    poison = {"type": "order.paid", "subject": "ord_unknown", "data": {}}
    assert handle("dispatch_create", about(one), poison, about(other)) == [poison]
    for order in (one, other):
        assert len(world.order(order["id"])["dispatches"]) == 1


def test_a_message_that_is_no_json_goes_back_alone(world: World) -> None:
    order = paid(world, world.sale())
    event = sqs_event("{", about(order))
    answer = invoke("dispatch_create", event)
    given_back = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert given_back == [event["Records"][0]["messageId"]]
    assert len(world.order(order["id"])["dispatches"]) == 1


def test_an_order_that_was_cancelled_before_gets_none(world: World) -> None:
    order = paid(world, world.sale())
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    assert handle("dispatch_create", about(order)) == []
    after = world.order(order["id"])
    assert (after["status"], after["dispatches"]) == ("refunded", [])


def test_an_order_whose_message_came_before_its_payment_gets_none_yet(world: World) -> None:
    order = world.place(world.sale())
    assert handle("dispatch_create", about(order)) == []
    assert world.order(order["id"])["dispatches"] == []
    world.pay(order)
    assert handle("dispatch_create", about(order)) == []
    assert len(world.order(order["id"])["dispatches"]) == 1


def test_units_refunded_before_are_not_dispatched(world: World) -> None:
    sale = world.sale(skus=2)
    order = paid(world, sale, quantity=2)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 2}], "reason": "changed mind"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    assert handle("dispatch_create", about(order)) == []
    (made,) = world.order(order["id"])["dispatches"]
    lines = world.operator.get(f"/v1/dispatches/{made['id']}").json["lines"]
    assert [(line["sku_id"], line["quantity"]) for line in lines] == [(sale.sku_ids[1], 2)]
    world.work()
    assert findings() == []


def two_suppliers(world: World) -> Sale:
    """One campaign with a SKU of each of two suppliers."""
    leader_id = world.add_leader()
    skus = [world.add_product(world.add_supplier())["skus"][0]["id"] for _ in range(2)]
    for sku_id in skus:
        world.set_stock(sku_id, 10)
    campaign = world.add_campaign(skus, [leader_id])
    return Sale("", leader_id, campaign["id"], "", skus)


def paid(world: World, sale: Sale, quantity: int = 1) -> Any:
    order = world.place(sale, quantity=quantity)
    assert world.pay(order).status == 200
    return order


def about(order: Any) -> Any:
    return {"type": "order.paid", "subject": order["id"], "data": {}}
