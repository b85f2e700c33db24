"""Payouts that are prepared, approved, sent and told of at once: nobody is paid twice."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.payouts import paging
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import handle
from tests.support.payouts import (
    approve,
    cancel,
    collect,
    make,
    payouts_of,
    read,
    send,
    sent,
    tell,
    try_batch,
)
from tests.support.unguarded import unguarded
from tests.support.world import Json, Sale, World


def settled(world: World, units: int = 3) -> tuple[Sale, Json]:
    """A leader with 1.00 available for each of so many units, and its order."""
    sale = world.sale()
    order = world.delivered_order(sale, quantity=units)
    settle(world)
    return sale, order


def settle(world: World) -> None:
    today = clock.now().date().isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": today}).status in (200, 202)
    world.work()


def available(world: World, sale: Sale) -> int:
    return int(world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json["available"])


def begun(world: World, number: int) -> list[Json]:
    """Batches that wait for their first page to be looked at."""
    batches = [try_batch(world).json for _ in range(number)]
    world.messages("PAYOUT_PAGE")
    return batches


def prepare(batch: Json) -> Callable[[], None]:
    return lambda: paging.work_on(batch["id"], 0, None, give_up=False)


def prepare_at_once(world: World, netting: bool, units: int = 15) -> tuple[list[Json], Sale]:
    """Eight batches look at the same leader, each in two workers, which first write a page."""
    sale, _ = settled(world, units)
    if netting:
        collect(world, sale, 1)
    batches = begun(world, THREADS // 2)
    at_once([prepare(batch) for batch in batches for _ in range(2)], gates=2)
    world.work()
    return [read(world, batch) for batch in batches], sale


@ALSO_IN_MEMORY
@pytest.mark.parametrize("netting", [False, True])
def test_a_leader_is_taken_by_one_of_eight_batches(world: World, netting: bool) -> None:
    batches, sale = prepare_at_once(world, netting)
    assert sum(batch["payouts"] for batch in batches) == 1
    assert Counter(batch["status"] for batch in batches) == {"prepared": 1, "closed": 7}
    assert (available(world, sale), findings()) == (0, [])


@ALSO_IN_MEMORY
def test_a_leader_that_holds_more_than_it_has_coming_is_netted_by_one_of_eight_batches(
    world: World,
) -> None:
    batches, sale = prepare_at_once(world, netting=True, units=9)
    assert sum(batch["results"]["offset"] for batch in batches) == 1
    assert Counter(batch["status"] for batch in batches) == {"closed": 8}
    after = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (after["available"], after["collected"], findings()) == (0, 100, [])


@IN_MEMORY
def test_control_the_rig_catches_a_leader_netted_twice(world: World) -> None:
    with unguarded():
        batches, _ = prepare_at_once(world, netting=True, units=9)
    assert sum(batch["results"]["offset"] for batch in batches) > 1


@IN_MEMORY
def test_control_the_rig_catches_a_leader_taken_twice(world: World) -> None:
    with unguarded():
        _, sale = prepare_at_once(world, netting=False)
    assert available(world, sale) < 0
    assert any(finding.startswith("payouts_open:") for finding in findings())


def tell_at_once(world: World, results: list[tuple[str, str]]) -> tuple[Counter[str], Sale]:
    sale, _ = settled(world)
    payout = payouts_of(world, sent(world))[0]
    answers = at_once(each(results, lambda told: tell(world, payout, *told)))
    world.work()
    return outcomes(answers), sale


@ALSO_IN_MEMORY
def test_a_result_told_by_sixteen_at_once_is_booked_once(world: World) -> None:
    answered, _ = tell_at_once(world, [("paid", "B1")] * THREADS)
    assert answered == {"200": 16}
    assert (world.trial_balance()["cash:bank"], findings()) == (-300, [])


@IN_MEMORY
def test_control_the_rig_catches_a_result_booked_twice(world: World) -> None:
    with unguarded():
        answered, _ = tell_at_once(world, [("paid", "B1")] * THREADS)
    assert answered == {"200": 16}
    assert any(finding.startswith("party_balances: leader:") for finding in findings())


@ALSO_IN_MEMORY
def test_of_contradicting_results_at_once_one_holds(world: World) -> None:
    told = [("paid", "B1"), ("failed", "B2")] * (THREADS // 2)
    answered, sale = tell_at_once(world, told)
    assert answered == {"200": 8, "409 result_conflict": 8}
    paid = world.trial_balance().get("cash:bank", 0)
    assert (paid, available(world, sale)) in ((-300, 0), (0, 300))
    assert findings() == []


def refund(world: World, order: Json) -> Answer:
    line = {"sku_id": order["lines"][0]["sku_id"], "quantity": 1}
    body = {"lines": [line], "reason": "broken"}
    return world.operator.post(f"/v1/orders/{order['id']}/refunds", body)


@ALSO_IN_MEMORY
def test_a_refund_and_the_taking_of_its_commission_at_once_fit_together(world: World) -> None:
    sale, order = settled(world)
    (batch,) = begun(world, 1)
    calls: list[Any] = [lambda: refund(world, order), prepare(batch)]
    answer, _ = at_once(calls)
    assert answer.status == 201
    world.work()
    taken = sum(payout["amount"] for payout in payouts_of(world, batch))
    # The refund came before, or after, and is then owed.
    assert (taken, available(world, sale)) in ((200, 0), (300, -100))
    assert findings() == []


@ALSO_IN_MEMORY
def test_a_run_and_a_batch_at_once_leave_statements_that_chain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, _ = settled(world)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    world.delivered_order(sale, quantity=2)
    (batch,) = begun(world, 1)
    body = {"business_date": tomorrow.date().isoformat()}
    assert world.operator.post("/v1/settlement-runs", body).status == 202
    (listing,) = world.messages("SETTLEMENT_LIST")
    handle("settlement_list", listing)
    (settling,) = world.messages("SETTLEMENT_SETTLE")
    calls: list[Any] = [prepare(batch), lambda: handle("settlement_settle", settling)]
    assert at_once(calls) == [None, []]
    world.work()
    # The commission of the second order is taken in where the run came first.
    amount = read(world, batch)["amount"]
    assert (amount, available(world, sale)) in ((300, 200), (500, 0))
    assert findings() == []


@ALSO_IN_MEMORY
def test_what_is_remitted_while_it_is_netted_is_not_paid_twice(world: World) -> None:
    sale, _ = settled(world, units=15)
    collect(world, sale, 1)
    (batch,) = begun(world, 1)
    body = {"amount": 1000, "reference": "T1"}
    path = f"/v1/leaders/{sale.leader_id}/remittances"
    calls: list[Any] = [lambda: world.operator.post(path, body), prepare(batch)]
    answer, _ = at_once(calls)
    world.work()
    (payout,) = payouts_of(world, batch)
    came = (answer.status, payout["netted"], payout["amount"])
    assert came in ((201, 0, 1500), (409, 1000, 500))
    assert findings() == []


@ALSO_IN_MEMORY
def test_a_batch_is_sent_or_cancelled_and_never_both(world: World) -> None:
    sale, _ = settled(world)
    batch = make(world)
    assert approve(world, batch).status == 200
    calls = [lambda: send(world, batch), lambda: cancel(world, batch)] * (THREADS // 2)
    answered = outcomes(at_once(calls))
    world.work()
    assert answered == {"200": 8, "409 invalid_transition": 8}
    status = read(world, batch)["status"]
    assert (status, available(world, sale)) in (("sent", 0), ("cancelled", 300))
    assert findings() == []
