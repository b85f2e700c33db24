"""Settling a leader while others settle it too, and while deliveries come in."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from chalicelib.settlement import run_store, settling
from chalicelib.settlement.closing import close_pages
from chalicelib.settlement.setting_aside import set_aside
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.events import sqs_event
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Context, Json, Sale, World, created, workers

ORDERS = 24
# Of a price of 1000 the leader earns 10 %.
EARNED = 100


def today() -> date:
    return clock.now().date()


def shipped_orders(world: World, sale: Sale, orders: int) -> list[str]:
    """The dispatches of that many orders, all on their way."""
    placed = [world.place(sale) for _ in range(orders)]
    for order in placed:
        assert world.pay(order).status == 200
    world.work()
    dispatches = [world.order(order["id"])["dispatches"][0]["id"] for order in placed]
    for dispatch_id in dispatches:
        world.move(dispatch_id, "accept", "ship")
    return dispatches


def begin_run(world: World) -> Json:
    """Start today's run and list its leaders; what settles them is left to the test."""
    run = world.operator.post("/v1/settlement-runs", {"business_date": today().isoformat()})
    assert run.status == 202
    listing = workers()["SETTLEMENT_LIST"]
    listing(sqs_event(*world.messages("SETTLEMENT_LIST")), Context())
    assert len(world.messages("SETTLEMENT_SETTLE")) == 1
    return run.json


def until_settled(run_id: str, leader_id: str) -> None:
    """As the queue does: a message whose worker failed comes again."""
    for _ in range(5):
        try:
            return settling.settle_leader(run_id, 0, leader_id)
        except Busy:
            continue
    raise AssertionError("the leader was never settled")


def settle_while_delivering(world: World) -> tuple[Sale, Json]:
    """Eight threads settle the one leader, eight others deliver what has not been yet."""
    sale = world.sale(stock=ORDERS)
    dispatches = shipped_orders(world, sale, ORDERS)
    for dispatch_id in dispatches[:8]:
        world.move(dispatch_id, "deliver")
    run = begin_run(world)
    settle = partial(until_settled, run["id"], sale.leader_id)
    deliveries = each(dispatches[8:], lambda dispatch_id: world.move(dispatch_id, "deliver"))
    at_once([call for delivery in deliveries for call in (settle, delivery)])
    world.work()
    return sale, world.operator.get(f"/v1/settlement-runs/{run['id']}").json


def settle_tomorrow(world: World, monkeypatch: pytest.MonkeyPatch) -> Json:
    """The run of the next day, after it is over."""
    later, now = timedelta(days=2), clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + later)
    day = (today() - timedelta(days=1)).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()
    return world.operator.get(f"/v1/settlement-runs/run_{day}").json


def test_nothing_delivered_while_a_run_settles_is_lost_or_paid_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale, run = settle_while_delivering(world)
    assert (run["status"], run["leaders_total"], run["leaders_settled"]) == ("completed", 1, 1)
    taken = run["totals"][0]["amount"]
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert 8 * EARNED <= taken <= ORDERS * EARNED
    assert (balance["available"], balance["pending"]) == (taken, ORDERS * EARNED - taken)
    assert findings() == []
    settle_tomorrow(world, monkeypatch)
    statements = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements").json["items"]
    assert sum(statement["total"] for statement in statements) == ORDERS * EARNED
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["available"], balance["pending"]) == (ORDERS * EARNED, 0)
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_a_run_that_forgets_a_delivery(world: World) -> None:
    with unguarded():
        settle_while_delivering(world)
    found = findings()
    assert any(finding.startswith("statement_lines:") for finding in found)
    assert any(finding.startswith("party_balances: leader:") for finding in found)


def test_refunds_while_a_run_settles_are_voided_or_clawed_back(world: World) -> None:
    sale = world.sale(stock=8)
    dispatches = shipped_orders(world, sale, 8)
    for dispatch_id in dispatches:
        world.move(dispatch_id, "deliver")
    orders = world.operator.get("/v1/orders").json["items"]
    run = begin_run(world)
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    settle = partial(until_settled, run["id"], sale.leader_id)
    paths = [f"/v1/orders/{order['id']}/refunds" for order in orders]
    refunds: list[Callable[[], Answer | None]] = [
        *each(paths, lambda path: world.operator.post(path, one))
    ]
    answers = at_once([call for refund in refunds for call in (settle, refund)])
    world.work()
    assert outcomes(filter(None, answers)) == {"201": 8}
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert balance["available"] + balance["pending"] == 0
    assert world.trial_balance() == {}
    assert findings() == []


def settle_while_winning(world: World) -> Sale:
    """Threads settle the one leader, others close chargebacks of all that it has delivered."""
    sale = world.sale(stock=8)
    for dispatch_id in shipped_orders(world, sale, 8):
        world.move(dispatch_id, "deliver")
    orders = world.operator.get("/v1/orders").json["items"]
    taken = [
        {"order_id": order["id"], "amount": order["total"], "reference": f"dp_{n}"}
        for n, order in enumerate(orders)
    ]
    made = [created(world.operator.post("/v1/chargebacks", body))["id"] for body in taken]
    run = begin_run(world)
    settle = partial(until_settled, run["id"], sale.leader_id)
    won = each(
        made, lambda id: world.operator.post(f"/v1/chargebacks/{id}/close", {"outcome": "won"})
    )
    at_once([call for closing in won for call in (settle, closing)])
    world.work()
    return sale


def test_what_is_won_while_a_run_settles_matures_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = settle_while_winning(world)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert balance["available"] + balance["pending"] == 8 * EARNED
    assert findings() == []
    settle_tomorrow(world, monkeypatch)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["available"], balance["pending"]) == (8 * EARNED, 0)
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_a_run_that_forgets_what_is_won(world: World) -> None:
    with unguarded():
        settle_while_winning(world)
    assert findings()


def start_at_once(world: World, *days: str) -> Json:
    bodies = [{"business_date": day} for day in days] * (THREADS // len(days))
    starts = each(bodies, lambda body: world.operator.post("/v1/settlement-runs", body))
    return outcomes(at_once(starts))


def test_a_run_started_sixteen_times_at_once_is_one(world: World) -> None:
    world.delivered_order(world.sale())
    assert start_at_once(world, today().isoformat()) == {"202": 1, "200": 15}
    world.work()
    runs = world.operator.get("/v1/settlement-runs").json["items"]
    assert [run["totals"] for run in runs] == [[{"currency": "EUR", "amount": EARNED}]]
    assert findings() == []


def test_of_two_dates_started_at_once_one_must_wait(world: World) -> None:
    days = [(today() - timedelta(days=n)).isoformat() for n in (1, 2)]
    answered = start_at_once(world, *days)
    assert answered == {"202": 1, "200": 7, "409 settlement_run_in_progress": 8}
    world.work()
    assert len(world.operator.get("/v1/settlement-runs").json["items"]) == 1


@IN_MEMORY
def test_control_the_rig_catches_two_runs_at_a_time(world: World) -> None:
    days = [(today() - timedelta(days=n)).isoformat() for n in (1, 2)]
    with unguarded():
        answered = start_at_once(world, *days)
    assert answered["202"] > 1


def test_many_leaders_settled_by_many_workers_close_the_run_once(world: World) -> None:
    sales = [world.sale() for _ in range(6)]
    for sale in sales:
        world.delivered_order(sale)
    day = today().isoformat()
    world.operator.post("/v1/settlement-runs", {"business_date": day})
    workers()["SETTLEMENT_LIST"](sqs_event(*world.messages("SETTLEMENT_LIST")), Context())
    messages = world.messages("SETTLEMENT_SETTLE")
    assert sorted(m["data"]["leader_id"] for m in messages) == sorted(s.leader_id for s in sales)
    settle = workers()["SETTLEMENT_SETTLE"]
    answers = at_once(each(messages * 3, lambda m: settle(sqs_event(m), Context())))
    assert answers == [{"batchItemFailures": []}] * 18
    run = world.operator.get(f"/v1/settlement-runs/run_{day}").json
    assert (run["status"], run["leaders_settled"]) == ("completed", 6)
    assert run["totals"] == [{"currency": "EUR", "amount": 6 * EARNED}]
    world.work()
    assert findings() == []


def test_a_leader_is_set_aside_or_settled_never_both(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale)
    run = begin_run(world)
    under_way = run_store.get_running(run["id"])
    assert under_way is not None
    settle = partial(until_settled, run["id"], sale.leader_id)
    give_up = partial(set_aside, under_way, 0, sale.leader_id)
    calls: list[Callable[[], bool | None]] = [settle, give_up]
    at_once(calls * 8)
    world.work()
    seen = world.operator.get(f"/v1/settlement-runs/{run['id']}").json
    assert (seen["status"], seen["leaders_settled"] + seen["leaders_set_aside"]) == ("completed", 1)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    taken = EARNED * seen["leaders_settled"]
    assert (balance["available"], balance["pending"]) == (taken, EARNED - taken)
    assert findings() == []


def test_a_leader_who_was_set_aside_is_settled_once_however_often_it_is_retried(
    world: World,
) -> None:
    sale = world.sale()
    world.delivered_order(sale)
    run = begin_run(world)
    under_way = run_store.get_running(run["id"])
    assert under_way is not None
    assert set_aside(under_way, 0, sale.leader_id)
    close_pages(run["id"], 0)
    at_once([partial(until_settled, run["id"], sale.leader_id)] * THREADS)
    world.work()
    seen = world.operator.get(f"/v1/settlement-runs/{run['id']}").json
    assert (seen["leaders_settled"], seen["leaders_set_aside"]) == (1, 0)
    assert seen["totals"] == [{"currency": "EUR", "amount": EARNED}]
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["available"], balance["pending"]) == (EARNED, 0)
    assert findings() == []
