"""Orders are completed once the return window after their delivery is over."""

from tests.functional.workers.conftest import StillClock
from tests.support.lambdas import invoke
from tests.support.world import World


def status(world: World, order_id: str) -> str:
    return str(world.order(order_id)["status"])


def test_a_delivered_order_is_completed_after_its_return_window(
    world: World, time: StillClock
) -> None:
    order = world.delivered_order(world.sale())
    assert (order["status"], order["completes_at"]) == ("delivered", "2026-03-17T12:00:00.000Z")
    time.move_on(days=7, seconds=-1)
    invoke("order_expire")
    assert status(world, order["id"]) == "delivered"
    time.move_on(seconds=1)
    invoke("order_expire")
    completed = world.order(order["id"])
    assert (completed["status"], completed["version"]) == ("completed", order["version"] + 1)
    invoke("order_expire")
    assert world.order(order["id"]) == completed


def test_the_window_begins_with_the_last_delivery_once_all_has_come_to_its_end(
    world: World, time: StillClock
) -> None:
    sale, other = world.sale(), world.add_product(world.add_supplier())["skus"][0]["id"]
    world.set_stock(other, 10)
    campaign = world.add_campaign([*sale.sku_ids, other], [sale.leader_id])
    lines = [{"sku_id": each, "quantity": 1} for each in (*sale.sku_ids, other)]
    order = world.paid_order(sale, campaign_id=campaign["id"], lines=lines)
    first, second = (each["id"] for each in order["dispatches"])
    world.move(first, "accept", "ship", "deliver")
    time.move_on(days=2)
    assert world.order(order["id"])["completes_at"] is None
    rejected = world.operator.post(f"/v1/dispatches/{second}/reject", {"reason": "sold out"})
    assert rejected.status == 200
    after = world.order(order["id"])
    assert (after["status"], after["completes_at"]) == ("delivered", "2026-03-17T12:00:00.000Z")


def test_a_delivery_that_is_told_late_was_when_it_was(world: World, time: StillClock) -> None:
    order = world.paid_order(world.sale())
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    time.move_on(days=6)
    told = {"delivered_at": "2026-03-10T15:00:00Z"}
    delivered = world.operator.post(f"/v1/dispatches/{dispatch['id']}/deliver", told)
    assert delivered.status == 200
    assert world.order(order["id"])["completes_at"] == "2026-03-17T15:00:00.000Z"
    time.move_on(days=1, hours=3)
    invoke("order_expire")
    assert status(world, order["id"]) == "completed"


def test_what_is_refunded_whole_in_the_window_is_not_completed(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale)
    back = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", back).status == 201
    time.move_on(days=8)
    invoke("order_expire")
    assert status(world, order["id"]) == "refunded"


def test_a_completed_order_can_still_be_refunded(world: World, time: StillClock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=2)
    time.move_on(days=8)
    invoke("order_expire")
    back = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", back).status == 201
    assert status(world, order["id"]) == "completed"
