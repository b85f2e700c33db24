"""Refunds of lines: before delivery, after it, and after a settlement run has taken it."""

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created


def ask(world: World, order: Json, *units: tuple[str, int]) -> Answer:
    lines = [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in units]
    body = {"lines": lines, "reason": "arrived broken"}
    return world.operator.post(f"/v1/orders/{order['id']}/refunds", body)


def refund(world: World, order: Json, *units: tuple[str, int]) -> Json:
    return created(ask(world, order, *units))


def balance(world: World, sale: Sale) -> tuple[int, int, int]:
    """What a leader has estimated, pending and available."""
    found = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    return found["estimated"], found["pending"], found["available"]


def settle(world: World, time: Clock, **later: float) -> Json:
    """Let so much time pass, then settle the day before; the run."""
    time.move_on(**later)
    day = clock.day_before(clock.now().date()).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()
    run = world.operator.get(f"/v1/settlement-runs/run_{day}").json
    assert run["status"] == "completed"
    return run


def statement(world: World, sale: Sale, run: Json) -> Json:
    return world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/{run['id']}").json


def test_a_refund_before_delivery_takes_from_what_was_prepaid(world: World) -> None:
    sale = world.sale(stock=10)
    order = world.paid_order(sale, quantity=3)
    made = refund(world, order, (sale.sku_ids[0], 1))
    assert made["id"].startswith("rfd_")
    assert (made["order_id"], made["amount"], made["currency"]) == (order["id"], 1000, "EUR")
    assert (made["status"], made["method"], made["reason"]) == ("pending", "card", "arrived broken")
    seen = {**made, "bearer": None, "kept": None}
    assert world.customer().get(f"/v1/refunds/{made['id']}").json == seen
    assert world.customer("cus_bob").get(f"/v1/refunds/{made['id']}").status == 404
    assert world.trial_balance() == {
        "cash:local": 3000,
        "customer_prepayments": -2000,
        "refunds_in_flight": -1000,
    }
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("paid", 1000)
    assert after["lines"][0]["refunded_quantity"] == 1
    assert after["version"] == order["version"] + 1
    assert balance(world, sale) == (200, 0, 0)
    world.work()
    done = world.operator.get(f"/v1/refunds/{made['id']}").json
    assert done["status"] == "succeeded"
    assert world.trial_balance() == {"cash:local": 2000, "customer_prepayments": -2000}


def test_what_was_refunded_is_not_shipped_and_not_paid_to_anyone(world: World) -> None:
    sale = world.sale(stock=10)
    order = world.paid_order(sale, quantity=3)
    refund(world, order, (sale.sku_ids[0], 1))
    dispatch_id = order["dispatches"][0]["id"]
    dispatch = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert [line["quantity"] for line in dispatch["lines"]] == [2]
    assert dispatch["version"] == 2
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["committed"]) == (7, 2)
    world.move(dispatch_id, "accept", "ship", "deliver")
    world.work()
    assert world.trial_balance() == {
        "cash:local": 2000,
        f"supplier:{sale.supplier_id}:payable": -1400,
        f"leader:{sale.leader_id}:pending": -200,
        "platform:revenue": -400,
    }
    assert balance(world, sale) == (0, 200, 0)
    assert world.stock(sale.sku_ids[0])["committed"] == 0


def test_a_refund_between_shipping_and_delivery_is_not_delivered_money(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=3)
    dispatch_id = order["dispatches"][0]["id"]
    world.move(dispatch_id, "accept", "ship")
    refund(world, order, (sale.sku_ids[0], 2))
    world.work()
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}
    assert world.order(order["id"])["status"] == "shipped"
    world.move(dispatch_id, "deliver")
    assert world.trial_balance() == {
        "cash:local": 1000,
        f"supplier:{sale.supplier_id}:payable": -700,
        f"leader:{sale.leader_id}:pending": -100,
        "platform:revenue": -200,
    }
    assert world.stock(sale.sku_ids[0])["committed"] == 0


def test_a_refund_before_the_dispatches_are_made_leaves_them_less_to_ship(world: World) -> None:
    sale = world.sale(skus=2)
    eggs, milk = sale.sku_ids
    order = world.place(sale, quantity=2)
    world.pay(order)
    refund(world, order, (eggs, 2), (milk, 1))
    world.work()
    dispatch_id = world.order(order["id"])["dispatches"][0]["id"]
    dispatch = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert {line["sku_id"]: line["quantity"] for line in dispatch["lines"]} == {milk: 1}
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}


def test_a_refund_of_all_that_is_left_ends_the_order_and_its_dispatch(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.paid_order(sale, quantity=2)
    refund(world, order, (sale.sku_ids[0], 1))
    refund(world, order, (sale.sku_ids[0], 1))
    world.work()
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 2000)
    assert [each["status"] for each in after["dispatches"]] == ["cancelled"]
    assert after["payment"]["status"] == "refunded"
    assert world.trial_balance() == {}
    assert world.stock(sale.sku_ids[0])["committed"] == 0
    assert ask(world, order, (sale.sku_ids[0], 1)).code == "order_not_refundable"


def test_a_refund_after_delivery_takes_the_shares_back_and_voids_the_commission(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=3)
    refund(world, order, (sale.sku_ids[0], 1))
    # Of 3000: 2100 cost, 300 commission, 600 left; a third of each goes back.
    shares = {
        f"supplier:{sale.supplier_id}:payable": -1400,
        f"leader:{sale.leader_id}:pending": -200,
        "platform:revenue": -400,
    }
    assert world.trial_balance() == {"cash:local": 3000, "refunds_in_flight": -1000, **shares}
    world.work()
    assert world.trial_balance() == {"cash:local": 2000, **shares}
    assert world.order(order["id"])["status"] == "delivered"
    assert balance(world, sale) == (0, 200, 0)
    run = settle(world, time, days=9)
    assert run["totals"] == [{"currency": "EUR", "amount": 200}]
    made = statement(world, sale, run)
    lines = [(each["kind"], each["basis_amount"], each["amount"]) for each in made["lines"]]
    assert lines == [("commission", 2000, 200)]
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (0, 200, 200)
    assert balance(world, sale) == (0, 0, 200)


def test_a_refund_after_the_run_is_clawed_back_in_the_next_statement(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=3)
    settle(world, time, days=9)
    assert balance(world, sale) == (0, 0, 300)
    refund(world, order, (sale.sku_ids[0], 1))
    world.work()
    assert world.trial_balance() == {
        "cash:local": 2000,
        f"supplier:{sale.supplier_id}:payable": -1400,
        f"leader:{sale.leader_id}:available": -200,
        "platform:revenue": -400,
    }
    assert balance(world, sale) == (0, 0, 200)
    made = statement(world, sale, settle(world, time, days=2))
    (line,) = made["lines"]
    assert (line["kind"], line["order_id"], line["amount"]) == ("clawback", order["id"], -100)
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (300, -100, 200)
    assert balance(world, sale) == (0, 0, 200)


def test_a_clawback_and_a_commission_meet_in_one_statement(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=30))
    first = world.delivered_order(sale, quantity=3)
    settle(world, time, days=9)
    # Delivered today, it matures in seven days; the clawback is of today.
    second = world.delivered_order(sale, quantity=5)
    refund(world, first, (sale.sku_ids[0], 3))
    world.work()
    assert balance(world, sale) == (0, 500, 0)
    made = statement(world, sale, settle(world, time, days=9))
    lines = Counter((each["kind"], each["order_id"], each["amount"]) for each in made["lines"])
    assert lines == {("clawback", first["id"], -300): 1, ("commission", second["id"], 500): 1}
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (300, 200, 500)
    assert balance(world, sale) == (0, 0, 500)


def test_all_of_an_order_clawed_back_leaves_nothing_available(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=2)
    settle(world, time, days=9)
    refund(world, order, (sale.sku_ids[0], 2))
    assert balance(world, sale) == (0, 0, 0)
    made = statement(world, sale, settle(world, time, days=2))
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (200, -200, 0)


def test_steps_of_a_refund_add_up_to_the_cent(world: World) -> None:
    """3 units at 333 with 10 %: 99.9 is 100 of commission; its thirds are 33, 34 and 33."""
    sale = world.sale(price=333)
    order = world.delivered_order(sale, quantity=3)
    seen = []
    for _ in range(3):
        refund(world, order, (sale.sku_ids[0], 1))
        seen.append(balance(world, sale)[1])
    assert seen == [67, 33, 0]
    world.work()
    assert world.trial_balance() == {}
    assert world.order(order["id"])["status"] == "refunded"


def test_commission_on_gross_profit_falls_with_the_line(world: World) -> None:
    sale = world.sale(price=1000, basis="gross_profit", rate_bps=2500)
    order = world.delivered_order(sale, quantity=2)
    assert balance(world, sale) == (0, 150, 0)
    refund(world, order, (sale.sku_ids[0], 1))
    world.work()
    assert world.trial_balance() == {
        "cash:local": 1000,
        f"supplier:{sale.supplier_id}:payable": -700,
        f"leader:{sale.leader_id}:pending": -75,
        "platform:revenue": -225,
    }


def test_a_loss_comes_back_with_the_refund(world: World) -> None:
    sale = world.sale(price=500, basis="gross_profit", rate_bps=2500)
    order = world.delivered_order(sale, quantity=2)
    assert world.trial_balance()["platform:revenue"] == 400
    refund(world, order, (sale.sku_ids[0], 2))
    world.work()
    assert world.trial_balance() == {}


def test_one_refund_may_take_from_delivered_and_from_undelivered_lines(world: World) -> None:
    sale, other = world.sale(), world.sale()
    eggs, milk = sale.sku_ids[0], other.sku_ids[0]
    campaign = world.add_campaign([eggs, milk], [sale.leader_id])
    both = Sale(sale.supplier_id, sale.leader_id, campaign["id"], "", [eggs, milk])
    order = world.paid_order(both, quantity=2)
    parcel = next(d for d in order["dispatches"] if d["supplier_id"] == sale.supplier_id)
    world.move(parcel["id"], "accept", "ship", "deliver")
    made = refund(world, order, (eggs, 1), (milk, 1))
    assert made["amount"] == 2000
    assert world.trial_balance() == {
        "cash:local": 4000,
        "customer_prepayments": -1000,
        "refunds_in_flight": -2000,
        f"supplier:{sale.supplier_id}:payable": -700,
        f"leader:{sale.leader_id}:pending": -100,
        "platform:revenue": -200,
    }
    assert balance(world, sale) == (100, 100, 0)


def test_a_refund_of_collected_money_is_done_once_the_leader_confirms(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=2, payment_method="leader_collect")
    leader = world.leader(sale.leader_id)
    body = {"amount": 2000, "reference": "cash 1"}
    created(leader.post(f"/v1/orders/{order['id']}/payments", body))
    made = refund(world, order, (sale.sku_ids[0], 1))
    world.work()
    path = f"/v1/refunds/{made['id']}"
    assert leader.get(path).json["status"] == "pending"
    done = leader.post(f"{path}/confirm").json
    assert done["status"] == "succeeded"
    assert done["completed_at"] >= done["decided_at"]
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": 1000,
        "customer_prepayments": -1000,
    }
    found = leader.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert found["collected"] == 1000


def test_cash_that_nobody_confirms_for_48_hours_opens_a_case(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.place(sale, quantity=1, payment_method="leader_collect")
    leader = world.leader(sale.leader_id)
    body = {"amount": 1000, "reference": "cash 1"}
    created(leader.post(f"/v1/orders/{order['id']}/payments", body))
    made = refund(world, order, (sale.sku_ids[0], 1))
    world.work()
    time.move_on(hours=47)
    invoke("refund_sweep")
    assert world.operator.get("/v1/cases").json["items"] == []
    time.move_on(hours=1, minutes=1)
    for _ in range(2):
        invoke("refund_sweep")
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("refund_unconfirmed", made["id"])
    assert world.trial_balance()["refunds_in_flight"] == -1000
    assert leader.post(f"/v1/refunds/{made['id']}/confirm").json["status"] == "succeeded"
    assert world.trial_balance() == {}


@pytest.mark.parametrize("state", ["pending_payment", "cancelled"])
def test_an_order_that_nobody_paid_is_not_refunded(world: World, state: str) -> None:
    sale = world.sale()
    order = world.place(sale)
    if state == "cancelled":
        world.customer().post(f"/v1/orders/{order['id']}/cancel", {})
    before = snapshot(world.environment)
    answer = ask(world, order, (sale.sku_ids[0], 1))
    assert (answer.status, answer.code) == (409, "order_not_refundable")
    assert snapshot(world.environment) == before


def test_a_refund_or_an_order_that_is_not_there_is_not_found(world: World) -> None:
    assert ask(world, {"id": "ord_0"}, ("sku_1", 1)).code == "not_found"
    assert world.operator.get("/v1/refunds/rfd_0").code == "not_found"
    assert world.operator.post("/v1/refunds/rfd_0/confirm").code == "not_found"
