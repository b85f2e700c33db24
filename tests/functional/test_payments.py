"""Money that comes in: always booked, and on its way forward or back by itself."""

from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

# Two units at 1000: 2000 for the customer, of which 200 are the leader's and 1400 the supplier's.
TOTAL = 2000


def cases(world: World) -> list[tuple[str, str]]:
    items = world.operator.get("/v1/cases").json["items"]
    return [(case["kind"], case["status"]) for case in items]


def expired_order(world: World, time: Clock, sale: Sale, **changes: Any) -> Json:
    order = world.place(sale, quantity=2, **changes)
    time.move_on(minutes=16)
    invoke("order_expire")
    assert world.order(order["id"])["status"] == "expired"
    return order


def refund_of(world: World) -> Json:
    """The one refund that the books speak of."""
    (message,) = world.messages("REFUND_EXECUTE")
    return world.operator.get(f"/v1/refunds/{message['subject']}").json


def test_a_payment_is_booked_and_the_order_is_paid(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=2)
    answer = world.pay(order)
    assert (answer.status, answer.json) == (200, {"received": True})
    paid = world.order(order["id"])
    assert (paid["status"], paid["version"]) == ("paid", 2)
    assert paid["payment"] == {**order["payment"], "status": "succeeded", "amount": TOTAL}
    assert world.trial_balance() == {"cash:local": TOTAL, "customer_prepayments": -TOTAL}
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["estimated"], balance["pending"]) == (200, 0)
    assert cases(world) == []


def test_an_event_that_comes_again_changes_nothing(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order)
    before = snapshot(world.environment)
    assert world.pay(order).status == 200
    assert snapshot(world.environment) == before


def test_one_charge_is_booked_once_whatever_event_tells_of_it(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order)
    before = snapshot(world.environment)
    retold = {
        "payment_id": order["payment"]["id"],
        "amount": TOTAL,
        "currency": "EUR",
        "reference": f"ch_{order['id']}",
        "note": "told again, under another id",
    }
    assert world.provider_event("payment.succeeded", retold).status == 200
    assert snapshot(world.environment) == before


def test_a_second_payment_goes_back_in_full_and_the_order_does_not_move(world: World) -> None:
    order = world.paid_order(world.sale(), quantity=2)
    assert world.pay(order, reference="ch_again").status == 200
    assert world.trial_balance() == {
        "cash:local": 2 * TOTAL,
        "customer_prepayments": -TOTAL,
        "refunds_in_flight": -TOTAL,
    }
    world.work()
    assert world.order(order["id"]) == order
    assert world.trial_balance() == {"cash:local": TOTAL, "customer_prepayments": -TOTAL}
    assert cases(world) == [("second_payment", "open")]


@pytest.mark.parametrize("amount", [1, TOTAL - 1, TOTAL + 1, 10**9])
def test_a_wrong_amount_goes_back_in_full_and_the_order_waits_on(world: World, amount: int) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order, amount=amount, reference="ch_wrong")
    assert world.trial_balance() == {"cash:local": amount, "refunds_in_flight": -amount}
    refund = refund_of(world)
    assert (refund["order_id"], refund["amount"]) == (order["id"], amount)
    assert (refund["status"], refund["method"]) == ("pending", "card")
    assert world.order(order["id"]) == order
    assert cases(world) == [("wrong_amount", "open")]
    world.pay(order)
    assert world.order(order["id"])["status"] == "paid"


def test_a_wrong_currency_goes_back_in_its_own(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order, currency="USD")
    found = world.operator.get("/v1/ledger/trial-balance").json["currencies"]
    assert [each["currency"] for each in found] == ["USD"]
    assert (found[0]["debits"], found[0]["credits"]) == (2 * TOTAL, 2 * TOTAL)
    accounts = {each["account"]: each["balance"] for each in found[0]["accounts"]}
    assert accounts == {
        "cash:local": TOTAL,
        "customer_prepayments": 0,
        "refunds_in_flight": -TOTAL,
    }
    world.work()
    assert world.trial_balance() == {}
    assert world.order(order["id"]) == order
    assert cases(world) == [("wrong_currency", "open")]


@pytest.mark.parametrize("payment_id", ["pay_0000", "ch_elsewhere", "nonsense", "x" * 255, "pay_"])
def test_money_that_no_order_fits_is_kept_for_a_person(world: World, payment_id: str) -> None:
    event = {"payment_id": payment_id, "amount": 700, "currency": "EUR", "reference": "ch_1"}
    for _ in range(2):
        assert world.provider_event("payment.succeeded", event).status == 200
    world.work()
    assert world.trial_balance() == {"cash:local": 700, "unmatched_receipts": -700}
    assert cases(world) == [("unmatched_receipt", "open")]


def test_an_order_whose_time_is_over_can_be_paid_until_a_sweep_has_come(
    world: World, time: Clock
) -> None:
    order = world.place(world.sale(), quantity=2)
    time.move_on(minutes=60)
    world.pay(order)
    assert world.order(order["id"])["status"] == "paid"


def test_late_money_revives_an_expired_order_where_all_can_be_taken_again(
    world: World, time: Clock
) -> None:
    sale = world.sale(stock=5, limit=3)
    order = expired_order(world, time, sale)
    assert world.stock(sale.sku_ids[0])["available"] == 5
    world.pay(order)
    world.work()
    revived = world.order(order["id"])
    assert (revived["status"], len(revived["dispatches"])) == ("paid", 1)
    assert revived["version"] == 4  # placed, expired, paid, dispatched
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (3, 0, 2)
    assert world.trial_balance() == {"cash:local": TOTAL, "customer_prepayments": -TOTAL}
    more = world.customer().post("/v1/orders", world.order_body(sale, 2))
    assert more.code == "customer_limit_reached"
    assert cases(world) == []


def refused_late(world: World, order: Json) -> None:
    """Late money goes back by itself; nobody has to look at it."""
    before = world.order(order["id"])
    world.pay(order)
    assert world.trial_balance() == {"cash:local": TOTAL, "refunds_in_flight": -TOTAL}
    world.work()
    after = world.order(order["id"])
    assert after["status"] == "refunded"
    assert after["version"] == before["version"] + 1
    assert (after["refunded_amount"], after["payment"]["status"]) == (TOTAL, "refunded")
    assert [line["refunded_quantity"] for line in after["lines"]] == [2]
    assert after["dispatches"] == []
    assert world.trial_balance() == {}
    assert cases(world) == []


def test_late_money_goes_back_where_the_units_are_gone(world: World, time: Clock) -> None:
    sale = world.sale(stock=2)
    order = expired_order(world, time, sale)
    other = world.place(sale, world.customer("cus_bob"), quantity=1)
    refused_late(world, order)
    assert world.order(other["id"])["status"] == "pending_payment"
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (2, 1, 0)


def test_late_money_goes_back_where_one_of_many_lines_is_gone(world: World, time: Clock) -> None:
    sale = world.sale(skus=2, stock=2)
    order = expired_order(
        world, time, sale, lines=[{"sku_id": each, "quantity": 1} for each in sale.sku_ids]
    )
    world.set_stock(sale.sku_ids[1], 0)
    world.pay(order)
    assert world.order(order["id"])["status"] == "refunded"
    assert [world.stock(each)["committed"] for each in sale.sku_ids] == [0, 0]
    assert world.stock(sale.sku_ids[0])["available"] == 2


def test_late_money_goes_back_where_the_limit_is_taken(world: World, time: Clock) -> None:
    sale = world.sale(limit=3)
    order = expired_order(world, time, sale)
    world.place(sale, quantity=2)
    refused_late(world, order)


def test_late_money_goes_back_when_the_campaign_is_long_over(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(minutes=20))
    order = expired_order(world, time, sale)
    time.move_on(hours=2, minutes=5)
    refused_late(world, order)


def test_money_for_a_cancelled_order_goes_back(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    world.customer().post(f"/v1/orders/{order['id']}/cancel", {})
    refused_late(world, order)
    assert world.stock(sale.sku_ids[0])["available"] == 5


def test_money_that_comes_twice_for_a_cancelled_order_goes_back_twice(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.customer().post(f"/v1/orders/{order['id']}/cancel", {})
    refused_late(world, order)
    refunded = world.order(order["id"])
    world.pay(order, reference="ch_again")
    world.work()
    assert world.order(order["id"]) == refunded
    assert world.trial_balance() == {}
    assert cases(world) == [("second_payment", "open")]
    told = world.operator.get("/v1/cases").json["items"][0]["detail"]
    assert told.startswith("20.00 EUR came by local ")
    refund = world.operator.get(f"/v1/refunds/{told.split()[-1].strip('.')}").json
    assert (refund["order_id"], refund["amount"]) == (order["id"], TOTAL)


def collect(world: World, order: Json, amount: int = TOTAL, reference: str = "cash 1") -> Answer:
    leader = world.leader(order["leader_id"])
    body = {"amount": amount, "reference": reference}
    return leader.post(f"/v1/orders/{order['id']}/payments", body)


def test_a_leader_collects_and_owes_the_platform(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=2, payment_method="leader_collect")
    receipt = created(collect(world, order))
    assert (receipt["order_id"], receipt["amount"]) == (order["id"], TOTAL)
    assert receipt["payment_id"] == order["payment"]["id"]
    world.work()
    paid = world.order(order["id"])
    assert (paid["status"], len(paid["dispatches"])) == ("paid", 1)
    assert (paid["payment"]["method"], paid["payment"]["status"]) == ("leader_collect", "succeeded")
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": TOTAL,
        "customer_prepayments": -TOTAL,
    }
    balance = world.leader(sale.leader_id).get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["collected"], balance["estimated"]) == (TOTAL, 200)


def test_an_operator_may_collect_in_a_leaders_place(world: World) -> None:
    order = world.place(world.sale(), quantity=2, payment_method="leader_collect")
    body = {"amount": TOTAL, "reference": "cash 1"}
    assert world.operator.post(f"/v1/orders/{order['id']}/payments", body).status == 201


def test_the_state_decides_not_the_clock_for_collected_money_too(world: World, time: Clock) -> None:
    order = world.place(world.sale(), quantity=2, payment_method="leader_collect")
    time.move_on(hours=25)
    assert collect(world, order).status == 201


def not_collectable(world: World, time: Clock, why: str) -> tuple[Json, str]:
    """An order for which no cash can be booked, and the code that says so."""
    sale = world.sale()
    if why == "card":
        return world.place(sale, quantity=2), "not_leader_collect"
    order = world.place(sale, quantity=2, payment_method="leader_collect")
    if why == "paid":
        assert collect(world, order).status == 201
    if why == "cancelled":
        world.customer().post(f"/v1/orders/{order['id']}/cancel", {})
    if why == "expired":
        time.move_on(hours=25)
        invoke("order_expire")
    return order, "order_not_payable"


def test_cash_that_is_told_of_again_is_the_same_receipt(world: World) -> None:
    order = world.place(world.sale(), quantity=2, payment_method="leader_collect")
    receipt = created(collect(world, order))
    before = snapshot(world.environment)
    again = world.leader(order["leader_id"]).send(
        "POST",
        f"/v1/orders/{order['id']}/payments",
        {"amount": TOTAL, "reference": "cash 1"},
        {},
    )
    assert (again.status, again.json) == (200, receipt)
    assert snapshot(world.environment) == before
    assert collect(world, order, amount=1).code == "order_not_payable"
    world.work()
    assert collect(world, order).json == receipt
    stranger = world.leader(world.add_leader())
    body = {"amount": TOTAL, "reference": "cash 1"}
    assert stranger.post(f"/v1/orders/{order['id']}/payments", body).status == 404


@pytest.mark.parametrize("why", ["card", "paid", "cancelled", "expired"])
def test_cash_that_an_order_does_not_wait_for_is_not_booked(
    world: World, time: Clock, why: str
) -> None:
    order, code = not_collectable(world, time, why)
    before = snapshot(world.environment)
    for reference in ("cash 2", "cash 3"):
        answer = collect(world, order, reference=reference)
        assert (answer.status, answer.code) == (409, code)
    assert snapshot(world.environment) == before


def test_a_card_payment_of_an_order_that_its_leader_collects_goes_back(world: World) -> None:
    order = world.place(world.sale(), quantity=2, payment_method="leader_collect")
    world.pay(order)
    world.work()
    assert world.order(order["id"]) == order
    assert world.trial_balance() == {}
    assert cases(world) == [("wrong_method", "open")]
    assert collect(world, order).status == 201


def test_a_refund_that_the_provider_fails_stays_in_flight_and_opens_a_case(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order, amount=500)
    refund = refund_of(world)
    path = f"/v1/refunds/{refund['id']}"
    failed = {"refund_id": refund["id"]}
    for _ in range(2):
        assert world.provider_event("refund.failed", failed).status == 200
    assert world.operator.get(path).json["status"] == "failed"
    assert world.trial_balance() == {"cash:local": 500, "refunds_in_flight": -500}
    assert cases(world) == [("refund_failed", "open"), ("wrong_amount", "open")]
    for _ in range(2):
        assert world.provider_event("refund.succeeded", failed).status == 200
    done = world.operator.get(path).json
    assert (done["status"], done["completed_at"] is None) == ("succeeded", False)
    assert world.trial_balance() == {}


def test_a_refund_that_has_succeeded_cannot_fail_any_more(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    world.pay(order, amount=500)
    refund = refund_of(world)
    world.provider_event("refund.succeeded", {"refund_id": refund["id"]})
    world.provider_event("refund.failed", {"refund_id": refund["id"]})
    assert world.operator.get(f"/v1/refunds/{refund['id']}").json["status"] == "succeeded"
    assert world.trial_balance() == {}
    assert sorted(cases(world)) == [("refund_failed", "open"), ("wrong_amount", "open")]


def test_every_change_of_an_order_raises_its_version_by_one(world: World) -> None:
    order = world.place(world.sale(), quantity=2)
    versions = [order["version"]]
    world.pay(order)
    versions.append(world.order(order["id"])["version"])
    world.work()
    dispatch_id = world.order(order["id"])["dispatches"][0]["id"]
    versions.append(world.order(order["id"])["version"])
    for verb in ("accept", "ship", "deliver"):
        world.move(dispatch_id, verb)
        versions.append(world.order(order["id"])["version"])
    assert versions == [1, 2, 3, 4, 5, 6]
