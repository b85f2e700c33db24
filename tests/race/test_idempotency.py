"""One idempotency key sent by sixteen callers at once: one effect, one answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import pytest

from chalicelib.platform.idempotency import IdempotentRequest
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import World

KEY = "the-same-key"


def order_with_one_key(world: World) -> tuple[list[Answer], list[str]]:
    sale = world.sale(stock=40, limit=40)
    alice, body = world.customer(), world.order_body(sale, quantity=2)
    answers = at_once([lambda: alice.post("/v1/orders", body, key=KEY)] * THREADS)
    return answers, findings({sale.sku_ids[0]: 40})


@ALSO_IN_MEMORY
def test_one_key_makes_one_order_and_every_caller_gets_its_answer(world: World) -> None:
    answers, found = order_with_one_key(world)
    assert outcomes(answers) == {"201": THREADS}
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers].count("true") == 15
    assert [order["id"] for order in world.operator.get("/v1/orders").json["items"]] == [
        answers[0].json["id"]
    ]
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_key_that_orders_twice(world: World) -> None:
    with unguarded():
        answers, _ = order_with_one_key(world)
    assert len({answer.text for answer in answers}) == THREADS


def test_one_key_for_sixteen_different_orders_is_kept_by_one_of_them(world: World) -> None:
    sale = world.sale(stock=200)
    alice = world.customer()
    bodies = [world.order_body(sale, quantity=n) for n in range(1, 17)]
    answers = at_once(each(bodies, lambda body: alice.post("/v1/orders", body, key=KEY)))
    assert outcomes(answers) == {"201": 1, "422 idempotency_key_reused": 15}
    assert findings({sale.sku_ids[0]: 200}) == []


def test_two_customers_may_choose_the_same_key(world: World) -> None:
    sale = world.sale()
    callers = [world.customer("cus_alice"), world.customer("cus_bob")]
    body = world.order_body(sale)
    answers = at_once(each(callers, lambda caller: caller.post("/v1/orders", body, key=KEY)))
    assert [answer.json["customer_id"] for answer in answers] == ["cus_alice", "cus_bob"]


def test_one_key_collects_an_orders_money_once(world: World) -> None:
    sale = world.sale()
    order = world.place(sale, payment_method="leader_collect")
    leader, cash = world.leader(sale.leader_id), {"amount": 1000, "reference": "R1"}
    path = f"/v1/orders/{order['id']}/payments"
    answers = at_once([lambda: leader.post(path, cash, key=KEY)] * THREADS)
    assert outcomes(answers) == {"201": THREADS}
    assert len({answer.text for answer in answers}) == 1
    world.work()
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": 1000,
        "customer_prepayments": -1000,
    }
    assert findings({sale.sku_ids[0]: 100}) == []


def test_one_key_refunds_a_unit_once(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=5)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    path = f"/v1/orders/{order['id']}/refunds"
    answers = at_once([lambda: world.operator.post(path, body, key=KEY)] * THREADS)
    assert outcomes(answers) == {"201": THREADS}
    assert len({answer.json["id"] for answer in answers}) == 1
    world.work()
    assert world.order(order["id"])["refunded_amount"] == 1000
    assert findings({sale.sku_ids[0]: 100}) == []


def cancel(world: World) -> tuple[str, object]:
    return f"/v1/orders/{world.place(world.sale())['id']}/cancel", {}


def collect(world: World) -> tuple[str, object]:
    order = world.place(world.sale(), payment_method="leader_collect")
    return f"/v1/orders/{order['id']}/payments", {"amount": 1000, "reference": "R1"}


def refund_everything(world: World) -> tuple[str, object]:
    sale = world.sale()
    order = world.paid_order(sale)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    return f"/v1/orders/{order['id']}/refunds", {"lines": lines, "reason": "broken"}


def make_the_last_key(world: World) -> tuple[str, object]:
    supplier_id = world.add_supplier()
    world.supplier(supplier_id)
    return f"/v1/suppliers/{supplier_id}/api-keys", None


MOVES_ITS_OWN_STATE = pytest.mark.parametrize(
    "request_of", [cancel, collect, refund_everything, make_the_last_key]
)


@contextmanager
def overtaken_by(first: Callable[[], Answer]) -> Iterator[list[Answer]]:
    """`first` is answered just after the next request has looked its key up in vain."""
    looks, answers = IdempotentRequest.look_up, list[Answer]()

    def look_up(request: IdempotentRequest) -> None:
        looks(request)
        with mock.patch.object(IdempotentRequest, "look_up", looks):
            if not answers:
                answers.append(first())

    with mock.patch.object(IdempotentRequest, "look_up", look_up):
        yield answers


@MOVES_ITS_OWN_STATE
def test_who_comes_second_with_a_key_is_given_the_first_answer(
    world: World, request_of: Callable[[World], tuple[str, object]]
) -> None:
    path, body = request_of(world)
    with overtaken_by(lambda: world.operator.post(path, body, key=KEY)) as first:
        second = world.operator.post(path, body, key=KEY)
    assert first[0].status in (200, 201)
    assert (second.status, second.text) == (first[0].status, first[0].text)
    assert second.headers["idempotent-replayed"] == "true"


@IN_MEMORY
@MOVES_ITS_OWN_STATE
def test_control_the_rig_catches_a_key_that_is_looked_up_once(
    world: World, request_of: Callable[[World], tuple[str, object]]
) -> None:
    path, body = request_of(world)
    with overtaken_by(lambda: world.operator.post(path, body, key=KEY)):
        second = world.operator.post(path, body, key="another-key")
    assert "idempotent-replayed" not in second.headers
