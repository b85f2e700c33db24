"""An order whose chargeback was won: its lines are its own again, and whatever takes from it later
finds them."""

from collections import Counter
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import ask, booked, cases, close, whole
from tests.functional.test_refund_bearers import bear
from tests.functional.test_refunds import refund, settle, statement
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World, created

DELIVERED = {
    "cash:local": -3000,
    "supplier:payable": 2100,
    "platform:revenue": 600,
    "leader": 300,
}


def won(world: World, order: Json, amount: int, **changes: Any) -> Json:
    """A chargeback of so much, without a fee, that is won."""
    made = created(ask(world, order, amount=amount, fee=0, **changes))
    assert close(world, made, "won").status == 200
    return made


def left(world: World, order: Json) -> tuple[str, int, list[int]]:
    """Its status, and what of it and of the units of each line is refunded."""
    now = world.order(order["id"])
    units = [line["refunded_quantity"] for line in now["lines"]]
    return now["status"], now["refunded_amount"], units


@pytest.mark.parametrize("settled", [0, 8])
@pytest.mark.parametrize("bearer", ["leader", "supplier", "platform"])
def test_a_second_chargeback_that_is_lost_takes_from_each_side(
    world: World, time: Clock, settled: int, bearer: str
) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    if settled:
        settle(world, time, days=settled)
    won(world, order, 3000)
    assert left(world, order) == ("delivered", 0, [0])
    assert together(booked(world, sale)) == DELIVERED
    whole(world)
    second = created(ask(world, order, amount=3000, fee=0, reference="dp_2"))
    assert second["refunded"] == 3000
    close(world, second, "lost")
    whole(world)
    assert "chargeback_unmatched" not in cases(world)
    assert left(world, order) == ("refunded", 3000, [3])
    kept = {"leader": 0, "supplier": 300, "platform": 300}[bearer]
    accounts = booked(world, sale)
    assert "cash:local" not in accounts
    assert -accounts.get("supplier:payable", 0) == (kept if bearer == "supplier" else 0)
    assert -accounts.get("platform:revenue", 0) == (kept if bearer == "platform" else 0)
    settle(world, time, days=9)
    assert world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json["available"] == kept
    whole(world)


def together(accounts: dict[str, int]) -> dict[str, int]:
    """The same, of the leader what it has in all: what was clawed back of what was available is
    pending again until the next run."""
    found: dict[str, int] = Counter()
    for account, amount in accounts.items():
        found["leader" if account.startswith("leader:") else account] += amount
    return {account: amount for account, amount in found.items() if amount}


def test_what_is_won_may_be_refunded(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    won(world, order, 3000)
    refund(world, order, (sale.sku_ids[0], 1))
    whole(world)
    assert left(world, order) == ("delivered", 1000, [1])
    assert booked(world, sale) == {
        "cash:local": -2000,
        "supplier:payable": 1400,
        "leader:pending": 200,
        "platform:revenue": 400,
    }
    told = statement(world, sale, settle(world, time, days=8))
    assert [(line["kind"], line["amount"]) for line in told["lines"]] == [("commission", 200)]
    whole(world)


def test_the_same_refund_as_before_it_was_won_is_another(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    for n in range(3):
        won(world, order, 3000, reference=f"dp_{n}")
        whole(world)
    path = f"/v1/orders/{order['id']}/refunds"
    created(world.operator.post(path, {"amount": 3000, "reason": "late"}))
    whole(world)
    assert left(world, order) == ("refunded", 3000, [3])
    assert len(set(world.order(order["id"])["refunds"])) == 4
    assert booked(world, sale) == {}


@pytest.mark.parametrize("settled", [0, 8])
def test_an_amount_that_is_won_lies_on_the_units_that_are_left(
    world: World, time: Clock, settled: int
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    if settled:
        settle(world, time, days=settled)
    made = created(ask(world, order, amount=500, fee=0))
    refund(world, order, (sale.sku_ids[0], 1))
    whole(world)
    assert left(world, order) == ("delivered", 500 + 833, [1])
    close(world, made, "won")
    whole(world)
    assert left(world, order) == ("delivered", 833, [1])
    path = f"/v1/orders/{order['id']}/refunds"
    created(world.operator.post(path, {"amount": 3000 - 833, "reason": "late"}))
    whole(world)
    assert left(world, order) == ("refunded", 3000, [3])
    assert together(booked(world, sale)) == {}


def test_what_is_won_of_units_that_are_refunded_is_the_customers(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order, amount=500, fee=0))
    refund(world, order, (sale.sku_ids[0], 3))
    whole(world)
    assert left(world, order) == ("refunded", 3000, [3])
    close(world, made, "won")
    whole(world)
    assert left(world, order) == ("refunded", 3000, [3])
    *_, again = world.order(order["id"])["refunds"]
    owed = world.operator.get(f"/v1/refunds/{again}").json
    assert (owed["amount"], owed["status"]) == (500, "succeeded")
    assert booked(world, sale) == {}


def test_what_was_delivered_is_given_back_and_the_rest_refunded(world: World) -> None:
    """Of three units one has arrived; the others were called off."""
    sale = world.sale()
    order = world.paid_order(sale, quantity=3)
    (dispatch,) = world.order(order["id"])["dispatches"]
    ship_one(world, sale, dispatch)
    made = created(ask(world, order, amount=3000, fee=0))
    whole(world)
    close(world, made, "won")
    whole(world)
    assert left(world, order) == ("delivered", 2000, [2])
    assert booked(world, sale) == {
        "cash:local": -1000,
        "supplier:payable": 700,
        "leader:pending": 100,
        "platform:revenue": 200,
    }


def ship_one(world: World, sale: Sale, dispatch: Json) -> None:
    path = f"/v1/dispatches/{dispatch['id']}"
    assert world.operator.post(f"{path}/accept", {}).status == 200
    sent = {
        "carrier": "DHL",
        "tracking_number": "1",
        "lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}],
    }
    assert world.operator.post(f"{path}/ship", sent).status == 200
    assert world.operator.post(f"{path}/deliver", {}).status == 200
    world.work()


def test_an_order_that_was_refunded_whole_counts_no_more_against_limits(world: World) -> None:
    sale = world.sale(limit=3, max_orders=1)
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order, amount=3000, fee=0))
    whole(world)
    world.paid_order(sale, quantity=3)
    close(world, made, "won")
    whole(world)
    assert left(world, order)[0] == "delivered"
    assert close(world, created(ask(world, order, amount=3000, reference="dp_2")), "lost")
    whole(world)


def test_a_return_window_that_was_over_ends_an_order_that_is_its_own_again(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    time.move_on(days=40)
    won(world, order, 1000)
    assert left(world, order)[0] == "delivered"
    invoke("order_expire")
    assert left(world, order)[0] == "completed"
    whole(world)


def test_what_was_borne_is_told_with_the_entry_that_takes_it_back(
    world: World, time: Clock
) -> None:
    bear(world, chargeback="supplier")
    sale = world.sale()
    made = created(ask(world, world.delivered_order(sale, 1), amount=400, fee=0))
    settle(world, time, days=8)
    close(world, made, "won")
    whole(world)
    run = settle(world, time, days=1)
    lines = statement(world, sale, run)["lines"]
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines"
    told = [
        (line["kind"], line["amount"], world.operator.get(f"{path}/{n}").json["entry"]["id"])
        for n, line in enumerate(lines, 1)
    ]
    posted_by = f"chargeback-won:{made['id']}"
    assert sorted(told) == [("adjustment", -40, posted_by), ("adjustment", 40, posted_by)]
    whole(world)


def test_what_is_taken_back_for_a_day_that_a_run_has_behind_it_was_not_left_by_that_run(
    world: World, time: Clock
) -> None:
    bear(world, chargeback="supplier")
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    made = created(ask(world, order, amount=400, fee=0))
    refund(world, order, (sale.sku_ids[0], 1))
    settle(world, time, days=9)
    settle(world, time, days=1)
    close(world, made, "won")
    whole(world)


@pytest.mark.parametrize("settled", [0, 8])
@pytest.mark.parametrize("bearer", ["supplier", "platform"])
def test_what_is_kept_of_goods_that_stay_refunded_stays_the_leaders(
    world: World, time: Clock, bearer: str, settled: int
) -> None:
    bear(world, chargeback=bearer, damaged=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    made = created(ask(world, order, amount=400, fee=0))
    if settled:
        settle(world, time, days=settled)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "arrived broken", "cause": "damaged"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    whole(world)
    before = booked(world, sale)
    assert together(before)["leader"] == 100
    close(world, made, "won")
    whole(world)
    assert left(world, order) == ("refunded", 1000, [1])
    assert booked(world, sale) == before


def test_what_was_borne_is_given_back_for_the_parcels_that_are(world: World) -> None:
    bear(world, chargeback="platform", damaged="platform")
    sale = world.sale()
    order = world.paid_order(sale, quantity=2)
    (dispatch,) = order["dispatches"]
    path = f"/v1/dispatches/{dispatch['id']}"
    world.operator.post(f"{path}/accept", {})
    for n in range(2):
        lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
        sent = {"carrier": "DHL", "tracking_number": f"t{n}", "lines": lines}
        assert world.operator.post(f"{path}/ship", sent).status == 200
        assert world.operator.post(f"{path}/deliver", {}).status == 200
    made = created(ask(world, order, amount=800, fee=0))
    refund(world, order, (sale.sku_ids[0], 1))
    close(world, made, "won")
    whole(world)
    assert left(world, order) == ("delivered", 1000 - 400 + 400, [1])
    assert together(booked(world, sale)) == {
        "cash:local": -1000,
        "supplier:payable": 700,
        "platform:revenue": 200 - 40,
        "leader": 100 + 40,
    }
