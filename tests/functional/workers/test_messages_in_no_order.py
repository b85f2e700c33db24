"""The whole journey, with every message delivered more than once and in no order."""

from collections import Counter
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.functional.workers.conftest import StillClock
from tests.support.communities import balance, communities, statement
from tests.support.invariants import findings
from tests.support.lambdas import handle, work_badly
from tests.support.payouts import try_batch
from tests.support.snapshot import snapshot
from tests.support.world import World, workers


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_journey_ends_the_same_whatever_comes_twice(
    world: World, time: StillClock, hook: str, seed: int
) -> None:
    one, other = communities(world, 2)
    add_endpoints(world, hook)
    orders = [world.place(sale, quantity=n) for sale, n in ((one, 3), (one, 2), (other, 5))]
    for order in orders:
        assert world.pay(order).status == 200
        assert world.pay(order).status == 200
    work_badly(world, seed)
    delivered, rejected, refunded = (dispatch_of(world, order) for order in orders)
    world.move(delivered, "accept", "ship", "deliver")
    body = {"reason": "sold out"}
    assert world.operator.post(f"/v1/dispatches/{rejected}/reject", body).status == 200
    world.move(refunded, "accept", "ship", "deliver")
    refund(world, orders[2], units=1)
    work_badly(world, seed)
    time.move_to("2026-03-18T00:15:00.000Z")
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-17"})
    work_badly(world, seed)
    refund(world, orders[0], units=1)
    work_badly(world, seed)

    assert [world.order(order["id"])["status"] for order in orders] == [
        "delivered",
        "refunded",
        "delivered",
    ]
    # 30.00, 20.00 and 50.00 came, 10.00, 20.00 and 10.00 went back: 2 and 4 units are left.
    supplier_id = world.order(orders[0]["id"])["lines"][0]["supplier_id"]
    assert world.trial_balance() == {
        "cash:local": 6000,
        f"supplier:{supplier_id}:payable": -4200,
        f"leader:{one.leader_id}:available": -200,
        f"leader:{other.leader_id}:available": -400,
        "platform:revenue": -1200,
    }
    assert statement(world, one, "2026-03-17")["total"] == 300
    assert statement(world, other, "2026-03-17")["total"] == 400
    assert balance(world, one)["available"] == 200
    assert findings() == []
    assert told(world) == {
        "order.paid": 3,
        "order.refunded": 3,
        "settlement.completed": 1,
        "dispatch.created": 3,
    }


# What a journey without failures has no use for; those have tests of their own.
OF_FAILURES_AND_REPLAYS = {
    *("WEBHOOK_SLOW", "WEBHOOK_RECOVER", "WEBHOOK_REPLAY"),
    *("PLAN_SIMULATE", "RECONCILE"),
}


def test_every_message_of_a_journey_may_come_again_after_its_end(
    world: World, time: StillClock, hook: str
) -> None:
    """Backwards, too: what a worker has done, it does not do again."""
    (sale,) = communities(world, 1)
    add_endpoints(world, hook)
    order = world.place(sale, quantity=3)
    world.pay(order)
    seen = worked(world)
    world.move(dispatch_of(world, order), "accept", "ship", "deliver")
    refund(world, order, units=1)
    time.move_to("2026-03-18T00:15:00.000Z")
    world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-17"})
    seen += worked(world)
    world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel")
    seen += worked(world)
    assert try_batch(world).status == 202
    seen += worked(world)
    assert {queue for queue, _ in seen} == set(workers()) - OF_FAILURES_AND_REPLAYS
    before = tables(world)
    for queue, message in reversed(seen):
        assert handle(queue.lower(), message) == []
    worked(world)
    assert tables(world) == before
    assert findings() == []


@pytest.fixture
def hook(server: HTTPServer) -> str:
    """An address that takes every webhook."""
    server.expect_request("/hook").respond_with_data("heard")
    return str(server.url_for("/hook"))


def add_endpoints(world: World, hook: str) -> None:
    """One of the platform, and one of the supplier."""
    (supplier,) = world.operator.get("/v1/suppliers").json["items"]
    for body in ({"url": hook}, {"url": hook, "supplier_id": supplier["id"]}):
        assert world.operator.post("/v1/webhook-endpoints", body).status == 201


def dispatch_of(world: World, order: Any) -> str:
    (dispatch,) = world.order(order["id"])["dispatches"]
    return str(dispatch["id"])


def refund(world: World, order: Any, units: int) -> None:
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": units}]
    body = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201


def told(world: World) -> Counter[str]:
    items = world.operator.get("/v1/webhook-deliveries?limit=100").json["items"]
    assert all(each["status"] == "succeeded" for each in items)
    return Counter(each["event_type"] for each in items)


def worked(world: World) -> list[tuple[str, Any]]:
    """Let all workers do what waits; every message with its queue, in their order."""
    seen: list[tuple[str, Any]] = []
    while waiting := [(queue, each) for queue in workers() for each in world.messages(queue)]:
        for queue, message in waiting:
            assert handle(queue.lower(), message) == []
        seen += waiting
    return seen


def tables(world: World) -> dict[str, Any]:
    whole = snapshot(world.environment)
    return {name: whole[name] for name in whole if name.endswith("_TABLE")}
