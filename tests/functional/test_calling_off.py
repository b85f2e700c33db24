"""An operator calls one dispatch off before it ships: refunded, back on sale, once."""

import pytest

from tests.support.dispatching import WAYS, call, dispatch_in, read
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World

REASON = {"reason": "the van broke down"}


def cancel(world: World, dispatch_id: str, body: Json = REASON) -> Answer:
    """Without an idempotency key, so that nothing but the state can know a repeat."""
    return world.operator.send("POST", f"/v1/dispatches/{dispatch_id}/cancel", body, {})


@pytest.mark.parametrize("state", ["created", "accepted"])
def test_what_has_not_shipped_is_refunded_and_goes_back_on_sale(world: World, state: str) -> None:
    sale = world.sale(stock=10)
    dispatch = dispatch_in(world, state, sale)
    answer = cancel(world, dispatch["id"])
    assert answer.status == 200, answer.text
    assert (answer.json["status"], answer.json["reason"]) == ("cancelled", REASON["reason"])
    assert answer.json == read(world, dispatch["id"])
    world.work()
    order = world.order(dispatch["order_id"])
    assert (order["status"], order["refunded_amount"]) == ("refunded", 2000)
    assert world.trial_balance() == {}
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["committed"]) == (10, 0)
    assert findings({sale.sku_ids[0]: 10}) == []


def test_one_of_two_dispatches_ends_and_the_other_goes_on(world: World) -> None:
    mine, other = world.sale(stock=10), world.sale(stock=10)
    sku_ids = [*mine.sku_ids, *other.sku_ids]
    campaign = world.add_campaign(sku_ids, [mine.leader_id])
    both = Sale(mine.supplier_id, mine.leader_id, campaign["id"], "", sku_ids)
    order = world.paid_order(both, quantity=2)
    by_supplier = {each["supplier_id"]: each["id"] for each in order["dispatches"]}
    assert cancel(world, by_supplier[mine.supplier_id]).status == 200
    world.work()
    left = world.order(order["id"])
    assert (left["status"], left["refunded_amount"]) == ("paid", 2000)
    world.move(by_supplier[other.supplier_id], "accept", "ship", "deliver")
    assert world.order(order["id"])["status"] == "delivered"
    assert findings(dict.fromkeys(sku_ids, 10)) == []


def test_units_go_back_to_the_shards_they_were_taken_from(world: World) -> None:
    sale = world.sale(stock=20)
    sku = f"/v1/skus/{sale.sku_ids[0]}"
    assert world.operator.patch(sku, {"stock_shards": 4}).status == 200
    dispatch = dispatch_in(world, "created", sale)
    assert cancel(world, dispatch["id"]).status == 200
    assert world.stock(sale.sku_ids[0])["available"] == 20
    assert findings({sale.sku_ids[0]: 20}) == []


def test_units_refunded_before_are_not_refunded_again(world: World) -> None:
    sale = world.sale(stock=10)
    dispatch = dispatch_in(world, "created", sale)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    path = f"/v1/orders/{dispatch['order_id']}/refunds"
    assert world.operator.post(path, {"lines": lines, "reason": "less"}).status == 201
    assert cancel(world, dispatch["id"]).status == 200
    world.work()
    assert world.order(dispatch["order_id"])["refunded_amount"] == 2000
    # The unit refunded first stayed off sale.
    assert world.stock(sale.sku_ids[0])["on_hand"] == 9
    assert findings({sale.sku_ids[0]: 10}) == []


@pytest.mark.parametrize("state", WAYS)
def test_from_any_other_state_it_is_refused_and_says_what_to_do(world: World, state: str) -> None:
    dispatch = dispatch_in(world, state)
    if state in ("created", "accepted"):
        assert cancel(world, dispatch["id"]).status == 200
        return
    stored = snapshot(world.environment)
    answer = cancel(world, dispatch["id"])
    code = {"rejected": "invalid_transition", "cancelled": "already_cancelled"}
    assert (answer.status, answer.code) == (409, code.get(state, "already_shipped"))
    if answer.code == "already_shipped":
        assert f"/v1/orders/{dispatch['order_id']}/refunds" in answer.json["detail"]
        assert "after-sales" in answer.json["detail"]
    assert snapshot(world.environment) == stored


def test_the_same_again_changes_nothing_and_another_reason_is_refused(world: World) -> None:
    dispatch = dispatch_in(world, "created")
    first = cancel(world, dispatch["id"])
    stored = snapshot(world.environment)
    assert cancel(world, dispatch["id"]).json == first.json
    other = cancel(world, dispatch["id"], {"reason": "no idea"})
    assert (other.status, other.code) == (409, "already_cancelled")
    assert snapshot(world.environment) == stored


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": 7}, {"reason": "a\nb"}])
def test_a_reason_is_asked_for(world: World, body: Json) -> None:
    dispatch = dispatch_in(world, "created")
    answer = cancel(world, dispatch["id"], body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "reason")


def test_a_key_calls_it_off_once(world: World) -> None:
    sale = world.sale(stock=10)
    dispatch = dispatch_in(world, "created", sale)
    path = f"/v1/dispatches/{dispatch['id']}/cancel"
    answers = [world.operator.post(path, REASON, key="once") for _ in range(2)]
    assert [each.status for each in answers] == [200, 200]
    assert answers[1].headers["idempotent-replayed"] == "true"
    assert answers[0].text == answers[1].text


def test_a_supplier_cancels_nothing(world: World) -> None:
    dispatch = dispatch_in(world, "created")
    supplier = world.supplier(dispatch["supplier_id"])
    assert call(supplier, dispatch["id"], "cancel", REASON).code == "forbidden"


def test_a_dispatch_that_nobody_has_is_not_there(world: World) -> None:
    assert cancel(world, "dsp_none").code == "not_found"
