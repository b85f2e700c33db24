"""Cancelling orders, before and after their payment."""

from unittest import mock

import pytest

from chalicelib.kernel.errors import Busy
from chalicelib.ordering import ending
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Api, Json, World, created


def cancel(caller: Api, order: Json) -> Answer:
    return caller.post(f"/v1/orders/{order['id']}/cancel", {"reason": "changed my mind"})


def test_a_customer_cancels_before_payment_and_the_units_go_back(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    answer = cancel(world.customer(), order)
    assert answer.status == 200
    assert answer.json == {
        **order,
        "status": "cancelled",
        "version": 2,
        "payment": {**order["payment"], "status": "cancelled"},
        "cancel_reason": "changed my mind",
    }
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (5, 0, 0)
    assert world.trial_balance() == {}


def test_an_operator_cancels_an_unpaid_order_too(world: World) -> None:
    order = world.place(world.sale())
    assert cancel(world.operator, order).json["status"] == "cancelled"


def test_an_operator_cancels_a_paid_order_and_all_of_it_goes_back(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.paid_order(sale, quantity=2)
    assert world.stock(sale.sku_ids[0])["on_hand"] == 3
    answer = cancel(world.operator, order)
    assert (answer.status, answer.json["status"]) == (200, "refunded")
    assert world.trial_balance() == {"cash:local": 2000, "refunds_in_flight": -2000}
    world.work()
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 2000)
    assert [each["status"] for each in after["dispatches"]] == ["cancelled"]
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (5, 0, 0)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert balance["estimated"] == 0
    assert world.trial_balance() == {}


def test_a_paid_order_without_dispatches_yet_is_cancelled_too(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    world.pay(order)
    assert cancel(world.operator, order).json["status"] == "refunded"
    world.work()
    assert world.order(order["id"])["dispatches"] == []
    assert world.stock(sale.sku_ids[0])["on_hand"] == 5
    assert world.trial_balance() == {}


def test_an_accepted_dispatch_does_not_hold_a_cancelling_up(world: World) -> None:
    order = world.paid_order(world.sale())
    dispatch_id = order["dispatches"][0]["id"]
    world.move(dispatch_id, "accept")
    assert cancel(world.operator, order).status == 200
    dispatch = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert (dispatch["status"], dispatch["version"]) == ("cancelled", 3)


def test_only_what_is_left_goes_back_when_part_was_refunded_before(world: World) -> None:
    sale = world.sale(stock=10)
    order = world.paid_order(sale, quantity=3)
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "one too many"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", one))
    world.work()
    assert world.trial_balance() == {"cash:local": 2000, "customer_prepayments": -2000}
    assert cancel(world.operator, order).json["refunded_amount"] == 3000
    assert world.trial_balance() == {"cash:local": 2000, "refunds_in_flight": -2000}
    world.work()
    assert world.trial_balance() == {}
    # The unit that was refunded alone had left the count for good; the two others are back.
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["committed"]) == (9, 0)


def test_a_collected_order_is_cancelled_and_the_leader_hands_the_cash_back(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=2, payment_method="leader_collect")
    leader = world.leader(sale.leader_id)
    body = {"amount": 2000, "reference": "cash 1"}
    created(leader.post(f"/v1/orders/{order['id']}/payments", body))
    assert cancel(world.operator, order).json["status"] == "refunded"
    refund_id = world.messages("REFUND_EXECUTE")[0]["subject"]
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": 2000,
        "refunds_in_flight": -2000,
    }
    assert leader.post(f"/v1/refunds/{refund_id}/confirm").json["status"] == "succeeded"
    assert world.trial_balance() == {}


def order_in(world: World, time: Clock, state: str) -> Json:
    sale = world.sale()
    if state in ("shipped", "delivered"):
        order = world.paid_order(sale)
        verbs = {"shipped": ("accept", "ship"), "delivered": ("accept", "ship", "deliver")}
        world.move(order["dispatches"][0]["id"], *verbs[state])
    elif state in ("paid", "refunded"):
        order = world.paid_order(sale)
        if state == "refunded":
            cancel(world.operator, order)
    else:
        order = world.place(sale)
        if state == "cancelled":
            cancel(world.operator, order)
        else:
            time.move_on(minutes=16)
            invoke("order_expire")
    assert world.order(order["id"])["status"] == state
    return order


@pytest.mark.parametrize(
    ("role", "state"),
    [
        ("customer", "paid"),
        *(
            (role, state)
            for role in ("customer", "operator")
            for state in (
                "shipped",
                "delivered",
                "expired",
                "cancelled",
                "refunded",
            )
        ),
    ],
)
def test_any_other_order_is_not_cancelled(world: World, time: Clock, role: str, state: str) -> None:
    order = order_in(world, time, state)
    before = snapshot(world.environment)
    caller = world.customer() if role == "customer" else world.operator
    answer = cancel(caller, order)
    assert (answer.status, answer.code) == (409, "order_not_cancellable")
    assert state in answer.json["detail"]
    assert snapshot(world.environment) == before


def test_an_order_of_which_one_parcel_has_left_is_not_cancelled(world: World) -> None:
    order = two_suppliers_order(world)
    world.move(order["dispatches"][0]["id"], "accept", "ship")
    assert cancel(world.operator, order).code == "order_not_cancellable"


def test_an_order_of_which_one_parcel_was_rejected_is_cancelled_for_the_rest(
    world: World,
) -> None:
    order = two_suppliers_order(world)
    first, second = (each["id"] for each in order["dispatches"])
    world.operator.post(f"/v1/dispatches/{first}/reject", {"reason": "sold out"})
    world.work()
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}
    assert cancel(world.operator, order).json["status"] == "refunded"
    world.work()
    assert world.trial_balance() == {}
    statuses = {each["id"]: each["status"] for each in world.order(order["id"])["dispatches"]}
    assert statuses == {first: "rejected", second: "cancelled"}
    # What was rejected is not back on sale, what was cancelled is.
    on_hand = sorted(world.stock(line["sku_id"])["on_hand"] for line in order["lines"])
    assert on_hand == [99, 100]


def two_suppliers_order(world: World) -> Json:
    """A paid order of one unit from each of two suppliers."""
    sale, other = world.sale(), world.sale()
    sku_ids = [*sale.sku_ids, *other.sku_ids]
    sale.campaign_id = world.add_campaign(sku_ids, [sale.leader_id])["id"]
    sale.sku_ids = sku_ids
    return world.paid_order(sale)


def test_a_cancelled_order_is_answered_though_its_stock_cannot_be_put_back_yet(
    world: World,
) -> None:
    sale = world.sale(stock=5)
    order = world.paid_order(sale, quantity=2)
    with mock.patch.object(ending, "restock", side_effect=Busy("busy")):
        answer = cancel(world.operator, order)
    assert (answer.status, answer.json["status"]) == (200, "refunded")
    assert world.stock(sale.sku_ids[0])["on_hand"] == 3
    invoke("order_expire")
    assert world.stock(sale.sku_ids[0])["on_hand"] == 5
