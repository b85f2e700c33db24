"""A dispatch whose supplier, operator and leader act on it at the same moment."""

from collections.abc import Callable
from functools import partial
from unittest import mock

from chalicelib.dispatch import going_on, rules
from chalicelib.kernel import ids
from chalicelib.payments import refunds
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, Sale, World

PARCEL = {"carrier": "DHL", "tracking_number": "T1"}
Call = Callable[[], Answer]


def orders_with_dispatches(world: World, sale: Sale, *verbs: str, quantity: int = 1) -> list[Json]:
    """Eight paid orders whose dispatches have come so far."""
    orders = [world.place(sale, quantity=quantity) for _ in range(8)]
    for order in orders:
        assert world.pay(order).status == 200
    world.work()
    placed = [world.order(order["id"]) for order in orders]
    for order in placed:
        world.move(order["dispatches"][0]["id"], *verbs)
    return placed


def move(world: World, order: Json, verb: str, body: Json) -> Call:
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/{verb}"
    return lambda: world.operator.post(path, body)


def cancel(world: World, order: Json) -> Call:
    return lambda: world.operator.post(f"/v1/orders/{order['id']}/cancel", {})


def cancel_while_shipping(world: World) -> tuple[list[tuple[Answer, Answer]], list[str]]:
    """Each order is cancelled by the operator and shipped by its supplier at once."""
    sale = world.sale(stock=8, limit=20)
    orders = orders_with_dispatches(world, sale, "accept")
    cancels = [cancel(world, order) for order in orders]
    ships = [move(world, order, "ship", PARCEL) for order in orders]
    answers = at_once([*cancels, *ships])
    world.work()
    pairs = list(zip(answers[:8], answers[8:], strict=True))
    return pairs, findings({sale.sku_ids[0]: 8})


@ALSO_IN_MEMORY
def test_an_order_is_cancelled_or_shipped_never_both(world: World) -> None:
    pairs, found = cancel_while_shipping(world)
    for cancelled, shipped in pairs:
        assert sorted([cancelled.status, shipped.status]) == [200, 409]
        assert cancelled.code in (None, "order_not_cancellable")
        assert shipped.code in (None, "invalid_transition")
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_an_order_cancelled_and_shipped(world: World) -> None:
    with unguarded():
        pairs, found = cancel_while_shipping(world)
    assert any(cancelled.status == shipped.status == 200 for cancelled, shipped in pairs)
    assert any(finding.startswith("committed ") for finding in found)


def test_a_dispatch_is_rejected_or_shipped_never_both(world: World) -> None:
    sale = world.sale(stock=8)
    orders = orders_with_dispatches(world, sale, "accept")
    rejects = [move(world, order, "reject", {"reason": "sold out"}) for order in orders]
    ships = [move(world, order, "ship", PARCEL) for order in orders]
    answers = at_once([*rejects, *ships])
    world.work()
    for order, rejected, shipped in zip(orders, answers[:8], answers[8:], strict=True):
        assert sorted([rejected.status, shipped.status]) == [200, 409]
        assert {rejected.code, shipped.code} == {None, "invalid_transition"}
        status = "refunded" if rejected.status == 200 else "shipped"
        assert world.order(order["id"])["status"] == status
    assert world.stock(sale.sku_ids[0])["available"] == 0
    assert findings({sale.sku_ids[0]: 8}) == []


def test_two_suppliers_of_an_order_reject_at_once_and_all_of_it_is_refunded(world: World) -> None:
    orders, sku_ids = [], []
    leader_id = world.add_leader()
    for n in range(4):
        sales = [world.sale(leader_id=leader_id, stock=1) for _ in range(2)]
        skus = [sale.sku_ids[0] for sale in sales]
        campaign = world.add_campaign(skus, [leader_id], limit=2)
        both = Sale(sales[0].supplier_id, leader_id, campaign["id"], "", skus)
        orders.append(world.paid_order(both, world.customer(f"cus_{n}")))
        sku_ids += skus
    paths = [f"/v1/dispatches/{made['id']}/reject" for o in orders for made in o["dispatches"]]
    rejects = each(paths, lambda path: world.operator.post(path, {"reason": "sold out"}))
    assert outcomes(at_once(rejects)) == {"200": 8}
    world.work()
    assert [world.order(order["id"])["status"] for order in orders] == ["refunded"] * 4
    assert world.trial_balance() == {}
    assert findings(dict.fromkeys(sku_ids, 1)) == []


def refund_while_delivering(world: World) -> tuple[list[Answer], list[str]]:
    """Of two units on their way one is refunded at the moment of their delivery."""
    sale = world.sale(stock=16)
    orders = orders_with_dispatches(world, sale, "accept", "ship", quantity=2)
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    delivers = [move(world, order, "deliver", {}) for order in orders]
    paths = [f"/v1/orders/{order['id']}/refunds" for order in orders]
    answers = at_once([*delivers, *each(paths, lambda path: world.operator.post(path, one))])
    world.work()
    return answers, findings({sale.sku_ids[0]: 16})


def test_delivery_posts_only_what_is_not_refunded(world: World) -> None:
    answers, found = refund_while_delivering(world)
    assert outcomes(answers) == {"200": 8, "201": 8}
    # Of each order one unit at 1000 stays: cost 700, commission 10 % of 1000, the rest 200.
    balances = world.trial_balance()
    assert sorted(balances.values()) == [-5600, -1600, -800, 8000]
    assert (balances["cash:local"], balances["platform:revenue"]) == (8000, -1600)
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_delivery_of_what_was_refunded(world: World) -> None:
    with unguarded():
        _, found = refund_while_delivering(world)
    assert any(finding.startswith("account EUR customer_prepayments ") for finding in found)


def deliver_sixteen_times(world: World) -> tuple[list[Answer], list[str]]:
    sale = world.sale()
    dispatch = world.paid_order(sale, quantity=2)["dispatches"][0]
    world.move(dispatch["id"], "accept", "ship")
    path = f"/v1/dispatches/{dispatch['id']}/deliver"
    answers = at_once([lambda: world.operator.post(path, {})] * THREADS)
    return answers, findings({sale.sku_ids[0]: 100})


def test_a_delivery_told_sixteen_times_at_once_is_one(world: World) -> None:
    answers, found = deliver_sixteen_times(world)
    assert outcomes(answers) == {"200": THREADS}
    assert len({answer.text for answer in answers}) == 1
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_delivery_posted_twice(world: World) -> None:
    with unguarded():
        _, found = deliver_sixteen_times(world)
    assert any(finding.startswith("party_balances: supplier:") for finding in found)


def test_refunds_of_an_order_at_once_never_exceed_it(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=5)
    path = f"/v1/orders/{order['id']}/refunds"
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    answers = at_once([lambda: world.operator.post(path, one)] * THREADS)
    assert sum(answer.status == 201 for answer in answers) == 5
    assert {answer.code for answer in answers} == {None, "order_not_refundable"}
    world.work()
    assert world.order(order["id"])["status"] == "refunded"
    assert world.trial_balance() == {}


def create_sixteen_times(world: World) -> list[Json]:
    """The dispatches that there are of one order, when its message was taken so often at once."""
    order = world.place(world.sale(skus=2))
    world.pay(order)
    at_once([lambda: going_on.go_on(order["id"])] * THREADS)
    world.work()
    made: list[Json] = world.operator.get("/v1/dispatches").json["items"]
    return made


def test_one_message_taken_sixteen_times_makes_one_dispatch_a_supplier(world: World) -> None:
    (made,) = create_sixteen_times(world)
    assert [each["id"] for each in world.order(made["order_id"])["dispatches"]] == [made["id"]]
    assert findings({line["sku_id"]: 100 for line in made["lines"]}) == []


def new_id(*_: str) -> str:
    return ids.new("dsp")


@IN_MEMORY
def test_control_the_rig_catches_dispatches_with_new_ids_each_time(world: World) -> None:
    with unguarded(), mock.patch.object(rules, "dispatch_id", new_id):
        assert len(create_sixteen_times(world)) > 1


def test_a_refund_sent_and_confirmed_sixteen_times_is_paid_out_once(world: World) -> None:
    sale = world.sale()
    card, cash = world.place(sale), world.place(sale, payment_method="leader_collect")
    leader = world.leader(sale.leader_id)
    world.pay(card)
    leader.post(f"/v1/orders/{cash['id']}/payments", {"amount": 1000, "reference": "R1"})
    for order in (card, cash):
        assert cancel(world, order)().status == 200
    to_send = [message["subject"] for message in world.messages("REFUND_EXECUTE")]
    assert len(to_send) == 2
    at_once(each(to_send * 8, refunds.execute))
    status = {refund: leader.get(f"/v1/refunds/{refund}").json["status"] for refund in to_send}
    assert sorted(status.values()) == ["pending", "succeeded"]
    path = f"/v1/refunds/{min(status, key=lambda refund: status[refund])}/confirm"
    assert outcomes(at_once([lambda: leader.post(path)] * THREADS)) == {"200": THREADS}
    world.work()
    assert world.trial_balance() == {}
    assert findings({sale.sku_ids[0]: 100}) == []


def test_sixteen_suppliers_of_one_order_act_at_once(world: World) -> None:
    leader_id = world.add_leader()
    sales = [world.sale(leader_id=leader_id, stock=1) for _ in range(THREADS)]
    sku_ids = [sale.sku_ids[0] for sale in sales]
    campaign = world.add_campaign(sku_ids, [leader_id])
    order = world.paid_order(Sale("", leader_id, campaign["id"], "", sku_ids))
    for verb, body in (("accept", {}), ("ship", PARCEL), ("deliver", {})):
        paths = [f"/v1/dispatches/{made['id']}/{verb}" for made in order["dispatches"]]
        call = partial(patiently, world, body)
        assert outcomes(at_once(each(paths, call))) == {"200": THREADS}
    assert world.order(order["id"])["status"] == "delivered"
    assert findings(dict.fromkeys(sku_ids, 1)) == []


def patiently(world: World, body: Json, path: str) -> Answer:
    """As a supplier does: where the order is busy, the same request once more."""
    answer = world.operator.post(path, body)
    return world.operator.post(path, body) if answer.status == 503 else answer
