"""What runs take and when: late deliveries, clawbacks, and statements that follow on each other."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import earning, settling
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support.communities import (
    balance,
    communities,
    deliver,
    delivered,
    read_run,
    settle,
    start_run,
    statement,
    statements,
)
from tests.support.invariants import findings
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Sale, World


@pytest.fixture
def open_day(issuer: Issuer) -> Iterator[World]:
    """A stack as on a developer's own: no hold, and a day may be settled before it is over."""
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as world:
        yield world


def test_commission_matures_after_the_hold(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (2,))
    assert balance(world, sale)["pending"] == 200
    time.move_on(days=7)
    settle(world, "2026-03-16")
    assert statements(world, sale) == []
    time.move_on(days=1)
    settle(world, "2026-03-17")
    assert lines(world, sale, "2026-03-17") == [("commission", 200, "2026-03-17")]
    assert (balance(world, sale)["pending"], balance(world, sale)["available"]) == (0, 200)


def test_a_line_says_where_its_amount_comes_from(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle(world, "2026-03-17")
    (line,) = statement(world, sale, "2026-03-17")["lines"]
    order = world.operator.get("/v1/orders").json["items"][0]
    assert line.pop("entry_id").startswith("delivered:prc_")
    assert line == {
        "order_id": order["id"],
        "sku_id": sale.sku_ids[0],
        "title": order["lines"][0]["title"],
        "kind": "commission",
        "basis": "sales",
        "basis_amount": 3000,
        "rate_bps": 1000,
        "amount": 300,
        "matured_on": "2026-03-17",
        "role": "promoter",
        "share_bps": 10_000,
        "plan_id": None,
        "plan_version": None,
        "rule": "offer",
        "day_cap": None,
        "delivered_on": None,
        "borne_by": None,
        "voided_by": [],
    }


def test_each_statement_opens_where_the_one_before_closed(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    for day, units in ((10, 1), (11, 2), (13, 4)):
        time.move_to(f"2026-03-{day}T12:00:00.000Z")
        deliver(world, [sale], [units])
    for day in range(17, 22):
        time.move_to(f"2026-03-{day + 1}T00:15:00.000Z")
        settle(world, f"2026-03-{day}")
    shown = [
        (made["business_date"], made["opening_balance"], made["total"], made["closing_balance"])
        for made in statements(world, sale)
    ]
    assert shown == [
        ("2026-03-17", 0, 100, 100),
        ("2026-03-18", 100, 200, 300),
        ("2026-03-20", 300, 400, 700),
    ]
    assert findings() == []


def test_a_night_that_was_missed_is_made_up_for_by_the_next(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    for day in (10, 11, 12):
        time.move_to(f"2026-03-{day}T12:00:00.000Z")
        deliver(world, [sale], [day - 9])
    time.move_to("2026-03-20T00:15:00.000Z")
    settle(world, "2026-03-19")
    assert lines(world, sale, "2026-03-19") == [
        ("commission", 100, "2026-03-17"),
        ("commission", 200, "2026-03-18"),
        ("commission", 300, "2026-03-19"),
    ]


def test_a_delivery_that_is_entered_late_goes_to_the_next_run(
    world: World, time: StillClock
) -> None:
    """The run of its own day is over; no run may lose it."""
    (sale,) = delivered(world, (1,))
    late = shipped(world, sale, units=5)
    time.move_to("2026-03-18T09:00:00.000Z")
    settle(world, "2026-03-17")
    told = {"delivered_at": "2026-03-10T12:00:00.000Z"}
    assert world.operator.post(f"/v1/dispatches/{late}/deliver", told).status == 200
    assert balance(world, sale)["pending"] == 500
    time.move_to("2026-03-19T00:15:00.000Z")
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-17") == [("commission", 100, "2026-03-17")]
    assert lines(world, sale, "2026-03-18") == [("commission", 500, "2026-03-17")]
    assert balance(world, sale)["available"] == 600
    assert findings() == []


def test_a_delivery_that_comes_while_the_run_is_under_way_is_not_lost(
    world: World, time: StillClock
) -> None:
    early, late = delivered(world, (1, 2))
    entered = shipped(world, late, units=5)
    time.move_to("2026-03-18T09:00:00.000Z")
    start_run(world, "2026-03-17")
    told = {"delivered_at": "2026-03-10T12:00:00.000Z"}
    assert world.operator.post(f"/v1/dispatches/{entered}/deliver", told).status == 200
    world.work()
    assert read_run(world, "2026-03-17")["status"] == "completed"
    assert balance(world, early)["available"] == 100
    assert balance(world, late)["available"] == 700
    assert findings() == []


def test_a_delivery_between_a_leaders_reading_and_writing_is_not_lost(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sale,) = delivered(world, (1,))
    entered = shipped(world, sale, units=5)
    time.move_to("2026-03-18T09:00:00.000Z")
    settle_one = settling._settle
    told = {"delivered_at": "2026-03-10T12:00:00.000Z"}

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(settling, "_settle", settle_one)
        assert world.operator.post(f"/v1/dispatches/{entered}/deliver", told).status == 200
        settle_one(*args)

    monkeypatch.setattr(settling, "_settle", overtaken)
    settle(world, "2026-03-17")
    assert sorted(lines(world, sale, "2026-03-17")) == [
        ("commission", 100, "2026-03-17"),
        ("commission", 500, "2026-03-17"),
    ]
    assert findings() == []


def test_a_run_between_a_deliverys_reading_and_writing_leaves_it_to_the_next(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sale,) = delivered(world, (1,))
    entered = shipped(world, sale, units=5)
    time.move_to("2026-03-18T09:00:00.000Z")
    settle_before(world, monkeypatch, "earn")
    told = {"delivered_at": "2026-03-10T12:00:00.000Z"}
    assert world.operator.post(f"/v1/dispatches/{entered}/deliver", told).status == 200
    assert lines(world, sale, "2026-03-17") == [("commission", 100, "2026-03-17")]
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-18") == [("commission", 500, "2026-03-17")]
    assert findings() == []


def test_what_is_delivered_later_on_an_open_day_goes_to_the_next_run(
    open_day: World, time: StillClock
) -> None:
    sales = communities(open_day, 2)
    deliver(open_day, sales, [1, 0])
    settle(open_day, "2026-03-10")
    deliver(open_day, sales, [2, 4])
    time.move_on(hours=1)
    assert settle(open_day, "2026-03-10")["totals"] == [{"currency": "EUR", "amount": 100}]
    assert [balance(open_day, sale)["pending"] for sale in sales] == [200, 400]
    time.move_on(days=1)
    settle(open_day, "2026-03-11")
    assert [balance(open_day, sale)["available"] for sale in sales] == [300, 400]
    assert lines(open_day, sales[0], "2026-03-11") == [("commission", 200, "2026-03-10")]
    assert lines(open_day, sales[1], "2026-03-11") == [("commission", 400, "2026-03-10")]
    assert findings() == []


def test_a_day_that_is_not_over_is_not_settled(world: World) -> None:
    refused = world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-10"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "business_date")


def test_where_an_open_day_may_be_settled_the_next_may_not(open_day: World) -> None:
    refused = open_day.operator.post("/v1/settlement-runs", {"business_date": "2026-03-11"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "business_date")
    assert start_run(open_day, "2026-03-10")["status"] == "running"


def test_the_run_of_an_earlier_date_behind_a_later_one_takes_nothing(
    world: World, time: StillClock
) -> None:
    sales = delivered(world, (1, 2))
    time.move_to("2026-03-20T00:15:00.000Z")
    settle(world, "2026-03-19")
    before = [(balance(world, sale), statements(world, sale)) for sale in sales]
    run = settle(world, "2026-03-17")
    assert (run["leaders_settled"], run["totals"]) == (2, [])
    assert [(balance(world, sale), statements(world, sale)) for sale in sales] == before
    assert findings() == []


def test_a_date_that_was_run_stays_as_it_was(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (1,))
    time.move_on(days=8)
    first = settle(world, "2026-03-17")
    kept = statement(world, sale, "2026-03-17")
    late = shipped(world, sale, units=5)
    time.move_on(hours=1)
    assert world.operator.post(f"/v1/dispatches/{late}/deliver", {}).status == 200
    assert settle(world, "2026-03-17") == first
    assert statement(world, sale, "2026-03-17") == kept


def test_a_refund_before_the_run_leaves_only_what_is_left(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (3,))
    refund(world, units=1)
    assert balance(world, sale)["pending"] == 200
    time.move_on(days=8)
    settle(world, "2026-03-17")
    assert lines(world, sale, "2026-03-17") == [("commission", 200, "2026-03-17")]
    (line,) = statement(world, sale, "2026-03-17")["lines"]
    assert line["basis_amount"] == 2000
    assert findings() == []


def test_a_refund_of_everything_before_the_run_leaves_nothing(
    world: World, time: StillClock
) -> None:
    (sale,) = delivered(world, (3,))
    refund(world, units=3)
    time.move_on(days=8)
    settle(world, "2026-03-17")
    assert balance(world, sale)["available"] == 0
    assert all(made["total"] == 0 for made in statements(world, sale))
    assert findings() == []


def test_a_refund_after_the_run_is_a_clawback_of_the_next_statement(
    world: World, time: StillClock
) -> None:
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle(world, "2026-03-17")
    refund(world, units=2)
    assert balance(world, sale)["available"] == 100
    kept = statement(world, sale, "2026-03-17")
    assert (kept["total"], len(kept["lines"])) == (300, 1)
    time.move_on(days=1)
    settle(world, "2026-03-18")
    (line,) = statement(world, sale, "2026-03-18")["lines"]
    assert (line["kind"], line["amount"], line["basis_amount"]) == ("clawback", -200, -2000)
    assert line["matured_on"] == "2026-03-17"
    made = statement(world, sale, "2026-03-18")
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (300, -200, 100)
    assert statement(world, sale, "2026-03-17") == kept
    assert findings() == []


def test_what_is_available_may_go_below_zero(world: World, time: StillClock) -> None:
    """Commission that was paid out already is still taken back."""
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle(world, "2026-03-17")
    pay_out(sale, 300)
    assert balance(world, sale)["available"] == 0
    refund(world, units=2)
    assert balance(world, sale)["available"] == -200
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-18") == [("clawback", -200, "2026-03-17")]
    assert balance(world, sale)["available"] == -200


def test_a_clawback_of_a_share_of_the_gross_profit_says_what_was_lost_of_it(
    world: World, time: StillClock
) -> None:
    """Of 3 units at 1000 that cost 700, 900 was the basis; of the one that is left, 300 is."""
    (sale,) = communities(world, 1, basis="gross_profit")
    deliver(world, [sale], [3])
    time.move_on(days=8)
    settle(world, "2026-03-17")
    refund(world, units=2)
    time.move_on(days=1)
    settle(world, "2026-03-18")
    (line,) = statement(world, sale, "2026-03-18")["lines"]
    assert (line["basis"], line["basis_amount"], line["amount"]) == ("gross_profit", -600, -60)


def test_a_refund_between_midnight_and_the_run_of_the_day_before_is_in_that_run(
    world: World, time: StillClock
) -> None:
    """The account is debited at once, so the next statement must say so to end at its balance."""
    (sale,) = delivered(world, (3,))
    time.move_to("2026-03-11T12:00:00.000Z")
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    time.move_to("2026-03-19T00:05:00.000Z")
    refund(world, units=1, nth=1)
    time.move_to("2026-03-19T00:15:00.000Z")
    settle(world, "2026-03-18")
    made = statement(world, sale, "2026-03-18")
    assert (made["opening_balance"], made["total"], made["closing_balance"]) == (300, 400, 700)
    assert balance(world, sale)["available"] == 700


def test_a_clawback_stands_beside_new_commission(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (3,))
    time.move_to("2026-03-11T12:00:00.000Z")
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T09:00:00.000Z")
    settle(world, "2026-03-17")
    refund(world, units=1, nth=1)
    time.move_to("2026-03-19T00:15:00.000Z")
    run = settle(world, "2026-03-18")
    assert run["totals"] == [{"currency": "EUR", "amount": 500}]
    assert sorted(lines(world, sale, "2026-03-18")) == [
        ("clawback", -100, "2026-03-17"),
        ("commission", 500, "2026-03-18"),
    ]
    assert statement(world, sale, "2026-03-18")["total"] == 400
    assert balance(world, sale)["available"] == 700
    assert findings() == []


def test_a_refund_between_a_leaders_reading_and_writing_is_not_lost(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle_one = settling._settle

    def overtaken(*args: Any) -> None:
        monkeypatch.setattr(settling, "_settle", settle_one)
        refund(world, units=1)
        settle_one(*args)

    monkeypatch.setattr(settling, "_settle", overtaken)
    settle(world, "2026-03-17")
    assert lines(world, sale, "2026-03-17") == [("commission", 200, "2026-03-17")]
    assert balance(world, sale)["available"] == 200
    assert findings() == []


def test_a_run_between_a_refunds_reading_and_writing_makes_it_a_clawback(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle_before(world, monkeypatch, "take_back")
    refund(world, units=1)
    assert lines(world, sale, "2026-03-17") == [("commission", 300, "2026-03-17")]
    assert balance(world, sale)["available"] == 200
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-18") == [("clawback", -100, "2026-03-17")]
    assert findings() == []


def test_a_statement_as_csv_has_the_same_lines(world: World, time: StillClock) -> None:
    (sale,) = delivered(world, (3,))
    time.move_on(days=8)
    settle(world, "2026-03-17")
    path = f"/v1/leaders/{sale.leader_id}/statements/run_2026-03-17"
    text = world.operator.get(path, Accept="text/csv").text.removeprefix("\ufeff")
    shown = next(csv.DictReader(io.StringIO(text)))
    assert (shown["currency"], shown["amount"], shown["kind"]) == ("EUR", "300", "commission")


def test_running_a_date_again_writes_nothing_of_the_leaders(world: World, time: StillClock) -> None:
    delivered(world, (1, 2))
    time.move_on(days=8)
    settle(world, "2026-03-17")
    before = snapshot(world.environment)
    settle(world, "2026-03-17")
    after = snapshot(world.environment)
    assert {name for name in after if after[name] != before[name]} <= {"IDEMPOTENCY_TABLE"}


def lines(world: World, sale: Sale, day: str) -> list[tuple[str, int, str]]:
    return [
        (line["kind"], line["amount"], line["matured_on"])
        for line in statement(world, sale, day)["lines"]
    ]


def shipped(world: World, sale: Sale, units: int) -> str:
    """A dispatch of so many units on its way since the morning of the 10th, or since now."""
    order = world.paid_order(sale, quantity=units)
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    return str(dispatch["id"])


def refund(world: World, units: int, nth: int = 0) -> None:
    """Refund some units of an order, by default of the newest."""
    order = world.operator.get("/v1/orders").json["items"][nth]
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": units}]
    body = {"lines": lines, "reason": "broken"}
    answer = world.operator.post(f"/v1/orders/{order['id']}/refunds", body)
    assert answer.status == 201, answer.text
    world.work()


def settle_before(world: World, monkeypatch: pytest.MonkeyPatch, write: str) -> None:
    """Let the night of the 17th pass just before the next such write of earnings is made."""
    make = getattr(earning, write)

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(earning, write, make)
        settle(world, "2026-03-17")
        return make(*args)

    monkeypatch.setattr(earning, write, overtaken)


def pay_out(sale: Sale, amount: int) -> None:
    """Book what a payout will book."""
    amounts = {
        books.leader_account(sale.leader_id, "available"): amount,
        books.leader_account(sale.leader_id, "in_payout"): -amount,
    }
    transaction = Transaction()
    transaction.add(*ledger.post(books.entry("payout:1", "EUR", "pob_1", clock.now(), amounts)))
    transaction.commit()
