"""Refunds of an amount, and units that go back on sale."""

from datetime import timedelta

import pytest

from chalicelib.platform import transaction
from tests.functional.conftest import Clock
from tests.functional.test_refunds import balance, refund, settle, statement
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created


def ask(world: World, order: Json, **body: Json) -> Answer:
    path = f"/v1/orders/{order['id']}/refunds"
    return world.operator.post(path, {"reason": "arrived late", **body})


def give_back(world: World, order: Json, amount: int) -> Json:
    return created(ask(world, order, amount=amount))


def units(world: World, order: Json, sku_id: str, quantity: int, *, restock: bool) -> Json:
    lines = [{"sku_id": sku_id, "quantity": quantity}]
    return created(ask(world, order, lines=lines, restock=restock))


def of_two_suppliers(world: World) -> tuple[Sale, str, str]:
    """Eggs and milk at 10.00, each of a supplier of its own, in one campaign."""
    sale, other = world.sale(), world.sale()
    eggs, milk = sale.sku_ids[0], other.sku_ids[0]
    campaign = world.add_campaign([eggs, milk], [sale.leader_id])
    return Sale(sale.supplier_id, sale.leader_id, campaign["id"], "", [eggs, milk]), eggs, milk


def stock(world: World, sku_id: str) -> tuple[int, int]:
    found = world.stock(sku_id)
    return found["on_hand"], found["committed"]


def test_an_amount_before_delivery_is_taken_from_what_was_prepaid(world: World) -> None:
    sale = world.sale(stock=10)
    order = world.paid_order(sale, quantity=3)
    made = give_back(world, order, 700)
    assert (made["amount"], made["status"], made["order_id"]) == (700, "pending", order["id"])
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("paid", 700)
    (line,) = after["lines"]
    assert (line["refunded_quantity"], line["refunded_amount"]) == (0, 700)
    # Of 300 commission 7/30 are gone: 70.
    assert balance(world, sale) == (230, 0, 0)
    world.work()
    assert world.trial_balance() == {"cash:local": 2300, "customer_prepayments": -2300}


def test_an_amount_changes_nothing_of_what_must_be_shipped(world: World) -> None:
    sale = world.sale(stock=10)
    order = world.paid_order(sale, quantity=3)
    give_back(world, order, 700)
    dispatch_id = order["dispatches"][0]["id"]
    dispatch = world.operator.get(f"/v1/dispatches/{dispatch_id}").json
    assert [each["quantity"] for each in dispatch["lines"]] == [3]
    assert (dispatch["status"], dispatch["version"]) == ("created", 2)
    assert stock(world, sale.sku_ids[0]) == (7, 3)
    world.move(dispatch_id, "accept", "ship", "deliver")
    world.work()
    # 2100 of cost less 7/30 are 1610.
    assert world.trial_balance() == {
        "cash:local": 2300,
        f"supplier:{sale.supplier_id}:payable": -1610,
        f"leader:{sale.leader_id}:pending": -230,
        "platform:revenue": -460,
    }


def test_an_amount_after_delivery_takes_each_share_and_voids_commission(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=3)
    give_back(world, order, 700)
    world.work()
    assert world.trial_balance() == {
        "cash:local": 2300,
        f"supplier:{sale.supplier_id}:payable": -1610,
        f"leader:{sale.leader_id}:pending": -230,
        "platform:revenue": -460,
    }
    assert world.order(order["id"])["status"] == "delivered"
    made = statement(world, sale, settle(world, time, days=9))
    lines = [(each["kind"], each["basis_amount"], each["amount"]) for each in made["lines"]]
    assert lines == [("commission", 2300, 230)]
    assert balance(world, sale) == (0, 0, 230)


def test_an_amount_after_the_run_is_clawed_back(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=3)
    settle(world, time, days=9)
    give_back(world, order, 700)
    assert balance(world, sale) == (0, 0, 230)
    made = statement(world, sale, settle(world, time, days=2))
    (line,) = made["lines"]
    assert (line["kind"], line["basis_amount"], line["amount"]) == ("clawback", -700, -70)
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (300, -70, 230)


def test_an_amount_is_taken_from_delivered_and_from_undelivered_lines(world: World) -> None:
    sale, eggs, milk = of_two_suppliers(world)
    order = world.paid_order(sale, quantity=2)
    parcel = next(d for d in order["dispatches"] if d["supplier_id"] == sale.supplier_id)
    world.move(parcel["id"], "accept", "ship", "deliver")
    give_back(world, order, 1000)
    assert world.trial_balance() == {
        "cash:local": 4000,
        "customer_prepayments": -1500,
        "refunds_in_flight": -1000,
        f"supplier:{sale.supplier_id}:payable": -1050,
        f"leader:{sale.leader_id}:pending": -150,
        "platform:revenue": -300,
    }
    assert balance(world, sale) == (150, 150, 0)
    assert {
        line["sku_id"]: line["refunded_amount"] for line in world.order(order["id"])["lines"]
    } == {eggs: 500, milk: 500}


def test_the_amount_that_is_left_ends_the_order_and_its_dispatches(world: World) -> None:
    sale = world.sale(skus=2, stock=9, limit=4)
    order = world.paid_order(sale, quantity=2)
    refund(world, order, (sale.sku_ids[0], 1))
    give_back(world, order, 3000)
    world.work()
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 4000)
    assert [line["refunded_quantity"] for line in after["lines"]] == [2, 2]
    assert [each["status"] for each in after["dispatches"]] == ["cancelled"]
    assert [stock(world, sku_id) for sku_id in sale.sku_ids] == [(7, 0), (7, 0)]
    assert world.trial_balance() == {}
    assert ask(world, order, amount=1).code == "order_not_refundable"
    assert world.place(sale, quantity=4)["status"] == "pending_payment"


def test_a_delivered_order_refunded_by_amounts_and_units_leaves_no_cent(world: World) -> None:
    sale = world.sale(price=333)
    order = world.delivered_order(sale, quantity=3)
    give_back(world, order, 100)
    refund(world, order, (sale.sku_ids[0], 1))
    give_back(world, order, 1)
    refund(world, order, (sale.sku_ids[0], 2))
    world.work()
    assert world.order(order["id"])["status"] == "refunded"
    assert balance(world, sale) == (0, 0, 0)
    assert world.trial_balance() == {}


def test_units_that_are_worth_nothing_any_more_are_refunded_and_delivered(world: World) -> None:
    sale = world.sale(stock=3, rate_bps=0)
    order = world.paid_order(sale, quantity=3)
    give_back(world, order, 2999)
    made = refund(world, order, (sale.sku_ids[0], 1))
    assert (made["amount"], made["status"]) == (0, "succeeded")
    assert made["completed_at"] == made["decided_at"]
    assert refund(world, order, (sale.sku_ids[0], 1))["amount"] == 1
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    world.work()
    assert world.order(order["id"])["status"] == "delivered"
    assert world.trial_balance() == {}


def test_two_refunds_of_the_same_amount_are_two(world: World) -> None:
    order = world.paid_order(world.sale(), quantity=3)
    first, second = give_back(world, order, 100), give_back(world, order, 100)
    assert first["id"] != second["id"]
    assert world.order(order["id"])["refunds"] == [first["id"], second["id"]]


def test_a_repeat_with_its_key_refunds_an_amount_once(world: World) -> None:
    order = world.paid_order(world.sale(), quantity=3)
    path, body = f"/v1/orders/{order['id']}/refunds", {"amount": 100, "reason": "late"}
    first = world.operator.post(path, body, key="once")
    again = world.operator.post(path, body, key="once")
    assert (again.status, again.text) == (201, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert world.order(order["id"])["refunded_amount"] == 100


def test_units_that_have_not_shipped_go_back_on_sale_where_asked(world: World) -> None:
    sale = world.sale(stock=10)
    (sku_id,) = sale.sku_ids
    order = world.paid_order(sale, quantity=3)
    units(world, order, sku_id, 1, restock=False)
    assert stock(world, sku_id) == (7, 2)
    units(world, order, sku_id, 1, restock=True)
    assert stock(world, sku_id) == (8, 1)


def test_units_that_have_shipped_come_back_on_sale_where_asked(world: World) -> None:
    sale = world.sale(stock=10)
    (sku_id,) = sale.sku_ids
    order = world.delivered_order(sale, quantity=3)
    units(world, order, sku_id, 1, restock=False)
    assert stock(world, sku_id) == (7, 0)
    units(world, order, sku_id, 2, restock=True)
    assert stock(world, sku_id) == (9, 0)
    world.work()
    assert world.trial_balance() == {}


def test_restocking_takes_waiting_and_shipped_units_of_one_order(world: World) -> None:
    sale, eggs, milk = of_two_suppliers(world)
    order = world.paid_order(sale, quantity=2)
    parcel = next(d for d in order["dispatches"] if d["supplier_id"] == sale.supplier_id)
    world.move(parcel["id"], "accept", "ship")
    lines = [{"sku_id": sku_id, "quantity": 1} for sku_id in (eggs, milk)]
    created(ask(world, order, lines=lines, restock=True))
    assert (stock(world, eggs), stock(world, milk)) == ((99, 0), (99, 1))


BAD: dict[str, tuple[Json, str, str]] = {
    "nothing": ({}, "amount", "invalid_request"),
    "lines and an amount": (
        {"lines": [{"sku_id": "sku_1", "quantity": 1}], "amount": 1},
        "amount",
        "invalid_request",
    ),
    "an amount of nothing": ({"amount": 0}, "amount", "invalid_request"),
    "an amount below nothing": ({"amount": -1}, "amount", "invalid_request"),
    "an amount with a fraction": ({"amount": 1.5}, "amount", "invalid_request"),
    "more than was paid": ({"amount": 3001}, "amount", "more_than_is_left"),
    "an amount on sale": ({"amount": 1, "restock": True}, "restock", "invalid_request"),
    "restock in words": ({"amount": 1, "restock": "yes"}, "restock", "invalid_request"),
}


@pytest.mark.parametrize(("body", "field", "code"), BAD.values(), ids=BAD)
def test_a_refund_that_says_too_much_or_too_little_changes_nothing(
    world: World, body: Json, field: str, code: str
) -> None:
    order = world.paid_order(world.sale(), quantity=3)
    before = snapshot(world.environment)
    answer = ask(world, order, **body)
    assert (answer.status, answer.code) == (422, code)
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert snapshot(world.environment) == before


def test_what_was_refunded_by_units_is_not_left_for_an_amount(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=3)
    refund(world, order, (sale.sku_ids[0], 1))
    answer = ask(world, order, amount=2001)
    assert (answer.status, answer.code) == (422, "more_than_is_left")
    assert "20.00 EUR left" in answer.json["detail"]


def test_an_unpaid_order_gives_no_amount_back(world: World) -> None:
    order = world.place(world.sale())
    answer = ask(world, order, amount=1)
    assert (answer.status, answer.code) == (409, "order_not_refundable")


def test_a_refund_of_more_than_one_transaction_holds_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is worked off by lines instead, which say how far each refund goes."""
    sale, eggs, milk = of_two_suppliers(world)
    order = world.paid_order(sale, quantity=2)
    before = snapshot(world.environment)
    monkeypatch.setattr(transaction, "WRITE_LIMIT", 8)
    answer = ask(world, order, amount=1000)
    assert (answer.status, answer.code) == (422, "refund_too_large")
    assert snapshot(world.environment) == before
    lines = [{"sku_id": sku_id, "quantity": 1} for sku_id in (eggs, milk)]
    assert [each["field"] for each in ask(world, order, lines=lines).json["errors"]] == ["lines"]
    monkeypatch.setattr(transaction, "WRITE_LIMIT", 100)
    created(ask(world, order, lines=lines))


def test_an_order_of_many_suppliers_is_refunded_by_amount(world: World) -> None:
    """Twenty suppliers, all delivered: more than four writes each would not fit."""
    leader_id = world.add_leader()
    sales = [world.sale(leader_id=leader_id) for _ in range(20)]
    sku_ids = [each.sku_ids[0] for each in sales]
    campaign = world.add_campaign(sku_ids, [leader_id], open_for=timedelta(days=1))
    order = world.delivered_order(Sale("", leader_id, campaign["id"], "", sku_ids))
    give_back(world, order, 19_999)
    give_back(world, order, 1)
    world.work()
    assert world.order(order["id"])["status"] == "refunded"
    assert world.trial_balance() == {}
