"""A process that dies at any call while money is paid out: nothing is lost, nobody paid twice."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.payouts import preparing
from tests.race.test_crashes import (
    Recorder,
    Scenario,
    assert_it_ends_right,
    balances,
    is_caught_piece_by_piece,
    post,
)
from tests.support.clouds import IN_MEMORY
from tests.support.crashing import (
    Killed,
    Point,
    Snapshot,
    come_to_rest,
    kill,
    lose_messages,
    points_of,
    work_off,
)
from tests.support.invariants import findings
from tests.support.payouts import (
    STRIPE_ACCOUNT,
    approve,
    collect,
    make,
    other_operator,
    payouts_of,
    sent,
)
from tests.support.stripe_server import StripeServer
from tests.support.stripe_world import at_odds, connected
from tests.support.world import Json, Sale, World

BATCHES = "/v1/payout-batches"


@pytest.fixture(autouse=True)
def a_page_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "PARTIES_A_PAGE", 1)


def two_leaders(world: World) -> Json:
    """With 15.00 and 2.00 available; the first has collected 10.00."""
    sales = [world.sale(), world.sale()]
    for sale, units in zip(sales, (15, 2), strict=True):
        world.delivered_order(sale, quantity=units)
    collect(world, sales[0], 1)
    settle(world)
    return sales


def settle(world: World) -> None:
    from chalicelib.kernel import clock

    today = clock.now().date().isoformat()
    world.operator.post("/v1/settlement-runs", {"business_date": today})
    world.work()


def prepared(world: World) -> Json:
    two_leaders(world)
    return make(world)


def to_be_told(world: World) -> Json:
    two_leaders(world)
    return sent(world)


def prepare(world: World, made: Any) -> None:
    post(world, BATCHES, {"currency": "EUR", "kind": "leaders", "method": "manual"})


def prepare_but_lose_messages(world: World, made: Any) -> None:
    try:
        prepare(world, made)
    except Killed:
        lose_messages(world)
        raise


def cancel(world: World, batch: Json) -> None:
    post(world, f"{BATCHES}/{batch['id']}/cancel", {})


def approve_and_send(world: World, batch: Json) -> None:
    path = f"{BATCHES}/{batch['id']}"
    assert other_operator(world).post(f"{path}/approve", {}, key="approve").status == 200
    post(world, f"{path}/send", {})


def tell_all(world: World, batch: Json, *results: str) -> None:
    """The larger one first."""
    found = sorted(payouts_of(world, batch), key=lambda payout: -payout["amount"])
    for payout, status in zip(found, results, strict=True):
        path = f"/v1/payouts/{payout['id']}/result"
        body = {"status": status, "reference": "B1"}
        answer = world.operator.post(path, body, key=f"{path}:{status}")
        assert answer.status == 200, answer.text
    work_off(world)


def result(world: World, made: Any) -> Json:
    (batch,) = world.operator.get(BATCHES).json["items"]
    relevant = ("leader:available", "leader:in_payout", "leader:collected", "cash:bank")
    booked = balances(world)
    return {
        "batch": [batch["status"], batch["payouts"], batch["amount"], batch["netted"]],
        "payouts": sorted(each["status"] for each in payouts_of(world, batch)),
        "balances": {account: booked[account] for account in relevant if account in booked},
    }


def comes_to(batch: str, *payouts: str, **balances: int) -> Json:
    named = {name.replace("__", ":"): amount for name, amount in balances.items()}
    return {"batch": [batch, 2, 700, 1000], "payouts": sorted(payouts), "balances": named}


TAKEN = comes_to("prepared", "prepared", "prepared", leader__in_payout=-700)
SCENARIOS = {
    "prepare": Scenario(two_leaders, prepare, result, TAKEN),
    "prepare, messages lost": Scenario(two_leaders, prepare_but_lose_messages, result, TAKEN),
    "cancel": Scenario(
        prepared,
        cancel,
        result,
        comes_to(
            "cancelled",
            "cancelled",
            "cancelled",
            leader__available=-1700,
            leader__collected=1000,
        ),
    ),
    "approve and send": Scenario(
        prepared,
        approve_and_send,
        result,
        comes_to("sent", "sent", "sent", leader__in_payout=-700),
    ),
    "tell": Scenario(
        to_be_told,
        lambda world, batch: tell_all(world, batch, "paid", "failed"),
        result,
        comes_to("closed", "paid", "failed", leader__available=-200, cash__bank=-500),
    ),
}


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_end_is_the_same(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
def test_control_the_rig_catches_a_payout_written_piece_by_piece(world: World) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS["tell"])


@pytest.fixture
def stripe() -> Iterator[StripeServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield StripeServer(server)


def by_stripe(world: World) -> Json:
    sales: list[Sale] = two_leaders(world)
    for sale in sales:
        body = {"holder": "Lena", "stripe_account": STRIPE_ACCOUNT}
        path = f"/v1/leaders/{sale.leader_id}/payout-account"
        assert world.operator.put(path, body).status == 200
    return sales


def send_by_stripe(world: World, batch: Json) -> None:
    post(world, f"{BATCHES}/{batch['id']}/send", {})


@IN_MEMORY
def test_whatever_dies_wherever_stripe_is_asked_once_for_each_payout(
    world: World, stripe: StripeServer
) -> None:
    by_stripe(world)
    with connected(stripe):
        batch = make(world, method="stripe")
        assert approve(world, batch).status == 200
        before = Snapshot(world)
        act = partial(send_by_stripe, world, batch)
        points = points_of(act)
        # A call to Stripe may lie between two to AWS: to die before one is a point of its own here.
        points += [Point(each.number, False, each.operation) for each in points[1:]]
        unknown = 0
        for point in points:
            before.restore()
            stripe.transfers.clear()
            stripe.forget_keys()
            stripe.asked.clear()
            kill(act, point)
            act()
            come_to_rest(world)
            assert findings() == [], f"killed {point}"
            asked = [key for method, _, key in stripe.asked if method == "POST"]
            assert len(asked) == len(set(asked)), f"killed {point}"
            assert at_odds(world, stripe) == [], f"killed {point}"
            statuses = sorted(each["status"] for each in payouts_of(world, batch))
            assert statuses in (["paid", "paid"], ["paid", "unknown"]), f"killed {point}"
            assert len(stripe.transfers) == statuses.count("paid"), f"killed {point}"
            unknown += statuses.count("unknown")
        # Only where it died between its mark and the call is there nothing to be found.
        assert 0 < unknown <= 4
