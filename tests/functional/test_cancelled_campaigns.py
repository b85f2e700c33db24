"""A cancelled campaign: every order is refunded whole, however far it has come."""

from dataclasses import replace

import pytest

from chalicelib.ordering import store as ordering
from chalicelib.platform import transaction
from tests.functional.conftest import Clock
from tests.functional.test_refunds import balance, settle, statement
from tests.support.events import sqs_event
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Context, Json, Sale, World, workers


def cancel(world: World, sale: Sale) -> None:
    assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    world.work()


def cases(world: World) -> list[tuple[str, str]]:
    found = world.operator.get("/v1/cases").json["items"]
    return sorted((case["kind"], case["subject"]) for case in found)


def of_two_suppliers(world: World) -> Sale:
    """Eggs and milk at 10.00, each of a supplier of its own, in one campaign."""
    sale, other = world.sale(), world.sale()
    sku_ids = [*sale.sku_ids, *other.sku_ids]
    campaign = world.add_campaign(sku_ids, [sale.leader_id], limit=50)
    return replace(sale, campaign_id=campaign["id"], sku_ids=sku_ids)


def dispatch_of(order: Json, sku_id: str) -> str:
    (supplier,) = {line["supplier_id"] for line in order["lines"] if line["sku_id"] == sku_id}
    (found,) = [each["id"] for each in order["dispatches"] if each["supplier_id"] == supplier]
    return str(found)


def test_every_order_is_undone_or_refunded_whole(world: World) -> None:
    sale = world.sale(stock=20, limit=5, quantity_cap=20, max_orders=9)
    placed = {
        "unpaid": world.place(sale),
        "paid": world.paid_order(sale, world.customer("cus_b"), 2),
        "shipped": world.paid_order(sale, world.customer("cus_c")),
        "delivered": world.delivered_order(sale, 3),
    }
    world.move(placed["shipped"]["dispatches"][0]["id"], "accept", "ship")
    cancel(world, sale)
    ended = {name: world.order(order["id"])["status"] for name, order in placed.items()}
    assert ended == {
        "unpaid": "cancelled",
        "paid": "refunded",
        "shipped": "refunded",
        "delivered": "refunded",
    }
    said = "the campaign was cancelled"
    for name in ("unpaid", "paid"):
        assert world.order(placed[name]["id"])["cancel_reason"] == said
    for name in ("paid", "shipped", "delivered"):
        (refund_id,) = world.order(placed[name]["id"])["refunds"]
        assert world.operator.get(f"/v1/refunds/{refund_id}").json["reason"] == said
    told = world.operator.get("/v1/cases").json["items"][0]["detail"]
    assert f"had shipped when {said} ({sale.campaign_id})" in told
    gone = sorted(placed[name]["id"] for name in ("shipped", "delivered"))
    assert cases(world) == [("shipped_of_given_up", order_id) for order_id in gone]
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (16, 0, 0)
    assert world.trial_balance() == {}
    assert findings({sale.sku_ids[0]: 20}) == []


def test_a_completed_order_is_refunded_from_the_shares_as_they_were_credited(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 2)
    settle(world, time, days=9)
    invoke("order_expire")
    assert world.order(order["id"])["status"] == "completed"
    assert balance(world, sale) == (0, 0, 200)
    cancel(world, sale)
    assert world.order(order["id"])["status"] == "refunded"
    assert balance(world, sale) == (0, 0, 0)
    lines = statement(world, sale, settle(world, time, days=1))["lines"]
    assert [(line["kind"], line["amount"]) for line in lines] == [("clawback", -200)]
    assert world.trial_balance() == {}
    assert cases(world) == [("shipped_of_given_up", order["id"])]
    assert findings({sale.sku_ids[0]: 100}) == []


def test_what_is_delivered_after_its_refund_posts_nothing(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=2)
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    cancel(world, sale)
    before = world.order(order["id"])
    assert world.move(dispatch["id"], "deliver")["status"] == "cancelled"
    after = world.order(order["id"])
    assert (before["status"], after["status"]) == ("refunded", "refunded")
    assert after["refunded_amount"] == 2000
    assert world.trial_balance() == {}
    assert findings({sale.sku_ids[0]: 100}) == []


def test_of_an_order_that_shipped_in_part_the_rest_goes_back_on_sale(world: World) -> None:
    sale = of_two_suppliers(world)
    eggs, milk = sale.sku_ids
    order = world.paid_order(sale, quantity=3)
    world.move(dispatch_of(order, eggs), "accept", "ship")
    cancel(world, sale)
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 6000)
    states = {each["id"]: each["status"] for each in after["dispatches"]}
    assert set(states.values()) == {"cancelled"}
    assert [world.stock(each)["on_hand"] for each in (eggs, milk)] == [97, 100]
    assert [world.stock(each)["committed"] for each in (eggs, milk)] == [0, 0]
    assert findings({eggs: 100, milk: 100}) == []


def test_what_was_refunded_before_is_not_refunded_again(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    path = f"/v1/orders/{order['id']}/refunds"
    assert world.operator.post(path, body).status == 201
    assert world.operator.post(path, {"amount": 333, "reason": "late"}).status == 201
    cancel(world, sale)
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 3000)
    assert world.trial_balance() == {}
    assert findings({sale.sku_ids[0]: 100}) == []


def test_cash_that_a_leader_collected_goes_back_by_its_hands(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, payment_method="leader_collect")
    body = {"amount": 1000, "reference": "R1"}
    assert world.operator.post(f"/v1/orders/{order['id']}/payments", body).status == 201
    world.work()
    (dispatch,) = world.order(order["id"])["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    cancel(world, sale)
    assert world.order(order["id"])["status"] == "refunded"
    collected = {f"leader:{sale.leader_id}:collected": 1000, "refunds_in_flight": -1000}
    assert world.trial_balance() == collected
    assert findings() == []


def test_being_asked_again_changes_nothing(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 2)
    cancel(world, sale)
    after, opened = world.order(order["id"]), cases(world)
    time.move_on(minutes=3)
    invoke("campaign_close")
    world.work()
    go_on = workers()["DISPATCH_CREATE"]
    assert go_on(sqs_event({"subject": order["id"]}), Context())["batchItemFailures"] == []
    world.work()
    assert world.order(order["id"]) == after
    assert cases(world) == opened
    assert findings() == []


def test_an_order_too_large_for_one_refund_is_refunded_in_several(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [world.sale() for _ in range(6)]
    sku_ids = [sale.sku_ids[0] for sale in made]
    campaign = world.add_campaign(sku_ids, [made[0].leader_id], limit=5)
    sale = replace(made[0], campaign_id=campaign["id"], sku_ids=sku_ids)
    order = world.paid_order(sale, quantity=2)
    for dispatch in order["dispatches"][1:]:
        world.move(dispatch["id"], "accept", "ship", "deliver")
    monkeypatch.setattr(transaction, "WRITE_LIMIT", 25)
    cancel(world, sale)
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 12_000)
    stored = ordering.get_order(order["id"])
    assert stored
    assert len(stored.refunds) == 2
    assert cases(world) == [("shipped_of_given_up", order["id"])]
    assert world.trial_balance() == {}
    assert findings(dict.fromkeys(sku_ids, 100)) == []
