"""Refunds, chargebacks, rules of who bears them and runs in any order: the books say what happened,
and what a leader cannot cover is carried from statement to statement."""

import random
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import ask, booked, close, tell
from tests.functional.test_refund_bearers import bear
from tests.functional.test_refunds import refund, settle, statement
from tests.support.at_once import at_once, each, outcomes
from tests.support.invariants import findings
from tests.support.world import Json, Sale, World, created

CAUSES = ("damaged", "late", "goodwill", "other")


class Sequence:
    """A market that steps are taken in as a seed has them."""

    def __init__(self, world: World, time: Clock, seed: int) -> None:
        self.world, self.time, self.random = world, time, random.Random(seed)
        # 9.99 at 7 % of what 7.00 leave: nothing divides evenly.
        self.sale: Sale = world.sale(skus=2, price=999, basis="gross_profit", rate_bps=733)
        self.orders = [world.delivered_order(self.sale, self.random.randint(1, 4)) for _ in "ab"]
        self.orders.append(world.paid_order(self.sale, quantity=3))
        self.told = 0

    def step(self) -> None:
        order = self.world.order(self.random.choice(self.orders)["id"])
        steps = (self.rule, self.refund, self.refund, self.charge_back, self.charge_back, self.run)
        self.random.choice(steps)(order)
        self.world.work()

    def rule(self, order: Json) -> None:
        bearers = ("leader", "supplier", "platform")
        causes = (*CAUSES, "chargeback")
        bear(self.world, **{cause: self.random.choice(bearers) for cause in causes})

    def refund(self, order: Json) -> None:
        left = order["total"] - order["refunded_amount"]
        if not left:
            return
        body = {
            "amount": self.random.randint(1, left),
            "reason": "as it comes",
            "cause": self.random.choice(CAUSES),
        }
        created(self.world.operator.post(f"/v1/orders/{order['id']}/refunds", body))

    def charge_back(self, order: Json) -> None:
        """More than is left as well, and ended by a coin, or left open."""
        self.told += 1
        amount = self.random.randint(1, order["total"] + 500)
        fee, reference = self.random.choice((0, 150)), f"dp_{self.told}"
        made = created(ask(self.world, order, amount=amount, fee=fee, reference=reference))
        outcome = self.random.choice(("won", "lost", None))
        if outcome:
            assert close(self.world, made, outcome).status == 200

    def run(self, order: Json) -> None:
        settle(self.world, self.time, days=self.random.choice((1, 4, 8)))


@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_taken_back_can_be_explained(world: World, time: Clock, seed: int) -> None:
    sequence = Sequence(world, time, seed)
    for _ in range(10):
        sequence.step()
        assert findings() == []


def test_what_a_leader_cannot_cover_is_carried_over_three_runs(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=60))
    first = world.delivered_order(sale, 5)
    assert closing(world, sale, time, days=8) == (0, 500, 500)
    payout = {"currency": "EUR", "kind": "leaders", "method": "manual"}
    pay_out(world, payout)
    refund(world, first, (sale.sku_ids[0], 4))
    assert closing(world, sale, time, days=1) == (500, -900, -400)
    second = created(ask(world, first))
    assert second["refunded"] == 1000
    assert closing(world, sale, time, days=1) == (-400, -100, -500)
    world.delivered_order(sale, 3)
    assert closing(world, sale, time, days=8) == (-500, 300, -200)
    assert booked(world, sale)["leader:available"] == -200
    batch = world.operator.post("/v1/payout-batches", payout).json
    world.work()
    assert world.operator.get(f"/v1/payout-batches/{batch['id']}").json["payouts"] == 0
    world.delivered_order(sale, 3)
    assert closing(world, sale, time, days=8) == (-200, 300, 100)
    assert findings() == []


def closing(world: World, sale: Sale, time: Clock, **later: float) -> tuple[int, int, int]:
    """The next statement: with what it opens, its total, and with what it closes."""
    told = statement(world, sale, settle(world, time, **later))
    return told["opening_balance"], told["total"], told["closing_balance"]


def pay_out(world: World, asked: Any) -> None:
    batch = world.operator.post("/v1/payout-batches", asked).json
    world.work()
    path = f"/v1/payout-batches/{batch['id']}"
    assert world.caller("operator", "op_other").post(f"{path}/approve").status == 200
    assert world.operator.post(f"{path}/send").status == 200
    (payout,) = world.operator.get(f"{path}/payouts").json["items"]
    result = {"status": "paid", "reference": "B1"}
    assert world.operator.post(f"/v1/payouts/{payout['id']}/result", result).status == 200


def test_a_chargeback_that_is_told_many_times_at_once_is_booked_once(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    answers = at_once(each(range(4), lambda n: ask(world, order) if n % 2 else tell(world, order)))
    assert {answer.status for answer in answers} <= {200, 201}, outcomes(answers)
    assert booked(world, sale)["cash:local"] == -(3000 - 1150)
    world.work()
    assert findings() == []


def test_a_refund_and_a_chargeback_at_once_take_no_more_than_there_is(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    body = {"amount": 1000, "reason": "broken"}
    path = f"/v1/orders/{order['id']}/refunds"
    refunded, charged = at_once(
        [lambda: world.operator.post(path, body), lambda: ask(world, order)]
    )
    assert charged.status == 201
    assert refunded.status in (201, 409, 422)
    assert world.order(order["id"])["refunded_amount"] == 1000
    assert charged.json["refunded"] == (0 if refunded.status == 201 else 1000)
    world.work()
    assert findings() == []


def test_a_bearer_that_changes_while_a_refund_is_decided_counts_or_does_not(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    body = {"amount": 1000, "reason": "broken", "cause": "damaged"}
    path = f"/v1/orders/{order['id']}/refunds"
    made, _ = at_once(
        [
            lambda: world.operator.post(path, body),
            lambda: world.operator.put("/v1/refund-bearers", {"damaged": "platform"}),
        ]
    )
    assert (made.json["bearer"], made.json["kept"]) in (("leader", 0), ("platform", 100))
    assert findings() == []
