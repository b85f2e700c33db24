"""What customers' banks take back: refunded at once with a fee, lost, or given back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.ledger.store import get_entry
from chalicelib.ordering import pricing
from tests.functional.conftest import Clock
from tests.functional.test_refund_bearers import bear
from tests.functional.test_refunds import refund, settle, statement
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

CHARGEBACKS = "/v1/chargebacks"


def ask(world: World, order: Json, **changes: Any) -> Answer:
    body = {"order_id": order["id"], "amount": 1000, "fee": 150, "reference": "dp_1"}
    return world.operator.post(CHARGEBACKS, {**body, **changes})


def tell(world: World, order: Json, kind: str = "created", **changes: Any) -> Answer:
    """What the provider says of a dispute over the order's charge."""
    data = {
        "dispute_id": "dp_1",
        "reference": f"ch_{order['id']}",
        "amount": 1000,
        "fee": 150,
        "currency": "EUR",
    }
    return world.provider_event(f"dispute.{kind}", {**data, **changes})


def close(world: World, chargeback: Json, outcome: str) -> Answer:
    path = f"{CHARGEBACKS}/{chargeback['id']}/close"
    return world.operator.post(path, {"outcome": outcome})


def booked(world: World, sale: Sale) -> dict[str, int]:
    """All accounts by short names, credits positive, cash apart."""
    short = {f"supplier:{sale.supplier_id}": "supplier", f"leader:{sale.leader_id}": "leader"}
    found = {}
    for account, amount in world.trial_balance().items():
        for name, by in short.items():
            account = account.replace(name, by)
        found[account] = -amount
    return found


def balance(world: World, sale: Sale) -> Json:
    return world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json


def cases(world: World) -> list[str]:
    return sorted(case["kind"] for case in world.operator.get("/v1/cases").json["items"])


def whole(world: World) -> None:
    world.work()
    assert findings() == []


def test_the_journal_names_the_chargeback_that_a_refund_is_of(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order))
    asked = created(
        world.operator.post(f"/v1/orders/{order['id']}/refunds", {"amount": 1, "reason": "late"})
    )
    world.work()
    for kind in ("refund", "refund-done"):
        of_both = [get_entry(f"{kind}:{each}") for each in (made["refund_id"], asked["id"])]
        notes = [entry.note for entry in of_both if entry]
        assert notes == [f"chargeback {made['id']}", None]


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_its_case_ends_with_it(world: World, outcome: str) -> None:
    sale = world.sale()
    made = created(ask(world, world.delivered_order(sale, 3)))
    assert cases(world) == ["payment_disputed"]
    for _ in range(2):
        assert close(world, made, outcome).status == 200
    assert world.operator.get("/v1/cases?status=open").json["items"] == []
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["note"], case["resolved_by"]) == (f"Chargeback {made['id']} is {outcome}.", None)


def test_one_that_a_person_has_closed_stays_as_it_was_said(world: World) -> None:
    sale = world.sale()
    made = created(ask(world, world.delivered_order(sale, 3)))
    (case,) = world.operator.get("/v1/cases").json["items"]
    answered = world.operator.post(f"/v1/cases/{case['id']}/resolve", {"note": "Answered."})
    assert answered.status == 200
    assert close(world, made, "lost").status == 200
    assert world.operator.get("/v1/cases").json["items"] == [answered.json]


def test_a_chargeback_is_a_refund_with_a_fee_whose_money_is_gone(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order))
    assert made["id"].startswith("cbk_")
    assert (made["amount"], made["refunded"], made["fee"]) == (1000, 1000, 150)
    assert (made["status"], made["order_id"], made["provider"]) == ("open", order["id"], "local")
    back = world.operator.get(f"/v1/refunds/{made['refund_id']}").json
    assert (back["status"], back["cause"], back["amount"]) == ("succeeded", "chargeback", 1000)
    assert booked(world, sale) == {
        "cash:local": -(3000 - 1000 - 150),
        "supplier:payable": 1400,
        "leader:pending": 200,
        "platform:revenue": 400 - 150,
    }
    assert world.operator.get(f"{CHARGEBACKS}/{made['id']}").json == made
    assert cases(world) == ["payment_disputed"]
    world.work()
    assert world.trial_balance()["cash:local"] == 3000 - 1000 - 150
    whole(world)


def test_one_of_an_order_that_waits_takes_what_was_prepaid_and_stops_it(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=1)
    created(ask(world, order))
    assert booked(world, sale) == {"cash:local": 150, "platform:revenue": -150}
    after = world.order(order["id"])
    assert (after["status"], after["dispatches"][0]["status"]) == ("refunded", "cancelled")
    whole(world)


def test_an_order_is_named_by_its_payment_as_well(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale)
    made = created(ask(world, order, order_id=None, payment_id=order["payment"]["id"]))
    assert made["order_id"] == order["id"]


def test_a_provider_tells_of_it_and_an_operator_says_the_same(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    assert tell(world, order).status == 200
    before = snapshot(world.environment)
    assert tell(world, order).status == 200
    again = ask(world, order)
    assert (again.status, again.json["refunded"]) == (200, 1000)
    changed = snapshot(world.environment)
    assert {name: rows for name, rows in changed.items() if name != "IDEMPOTENCY_TABLE"} == {
        name: rows for name, rows in before.items() if name != "IDEMPOTENCY_TABLE"
    }
    whole(world)


def test_a_reference_stands_for_one_chargeback(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    created(ask(world, order))
    for changes in ({"amount": 999}, {"fee": 0}, {"order_id": world.delivered_order(sale)["id"]}):
        answer = ask(world, order, **changes)
        assert (answer.status, answer.code) == (409, "reference_reused")
    whole(world)


def test_a_provider_that_names_another_amount_later_needs_a_person(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order)
    for _ in range(2):
        assert tell(world, order, amount=1200).status == 200
    assert cases(world) == ["chargeback_differs", "payment_disputed"]
    whole(world)


def test_a_fee_that_is_named_later_is_booked_then_once(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order, fee=0)
    assert booked(world, sale)["platform:revenue"] == 400
    for _ in range(2):
        tell(world, order)
    assert booked(world, sale)["platform:revenue"] == 250
    whole(world)


def test_another_fee_than_was_booked_needs_a_person(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order)
    for _ in range(2):
        assert tell(world, order, fee=400).status == 200
    tell(world, order, fee=0)  # says nothing of it
    assert booked(world, sale)["platform:revenue"] == 250
    assert cases(world) == ["chargeback_differs", "payment_disputed"]
    (differs,) = (
        case
        for case in world.operator.get("/v1/cases").json["items"]
        if case["kind"] == "chargeback_differs"
    )
    assert "a fee of 4.00 EUR" in differs["detail"]
    assert "a fee of 1.50 EUR" in differs["detail"]
    whole(world)


@pytest.mark.parametrize(("refunded", "fits"), [(2, 1000), (3, 0)])
def test_more_than_is_left_is_booked_apart_with_a_case(
    world: World, refunded: int, fits: int
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    refund(world, order, (sale.sku_ids[0], refunded))
    world.work()
    made = created(ask(world, order, amount=3000))
    assert (made["refunded"], bool(made["refund_id"])) == (fits, bool(fits))
    accounts = booked(world, sale)
    assert accounts["unmatched_chargebacks"] == -(3000 - fits)
    assert accounts["cash:local"] == refunded * 1000 + 150
    assert cases(world) == ["chargeback_unmatched", "payment_disputed"]
    whole(world)
    assert close(world, made, "lost").json["status"] == "lost"
    assert booked(world, sale)["platform:revenue"] == -(3000 - fits) - 150
    whole(world)


def test_a_charge_that_no_order_has_is_booked_apart_too(world: World) -> None:
    assert tell(world, {"id": "unknown"}).status == 200
    assert world.trial_balance() == {
        "cash:local": -1150,
        "unmatched_chargebacks": 1000,
        "platform:revenue": 150,
    }
    assert cases(world) == ["chargeback_unmatched", "payment_disputed"]
    whole(world)


def test_another_currency_than_the_orders_fits_nothing_of_it(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    tell(world, order, currency="USD")
    assert world.order(order["id"])["refunded_amount"] == 0
    whole(world)


def test_a_second_payment_that_went_back_is_not_the_orders(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    world.pay(order, reference="ch_second")
    world.work()
    tell(world, order, reference="ch_second")
    assert world.order(order["id"])["refunded_amount"] == 0
    assert "chargeback_unmatched" in cases(world)
    whole(world)


def test_lost_changes_nothing_of_what_was_refunded(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order))
    before = world.trial_balance()
    lost = close(world, made, "lost").json
    assert (lost["status"], bool(lost["closed_at"])) == ("lost", True)
    assert world.trial_balance() == before
    assert close(world, made, "lost").json == lost
    answer = close(world, made, "won")
    assert (answer.status, answer.code) == (409, "already_closed")
    whole(world)


def test_won_gives_each_side_what_was_taken_from_it(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    settle(world, time, days=8)
    made = created(ask(world, order))
    assert booked(world, sale)["leader:available"] == 200
    for _ in range(2):
        assert close(world, made, "won").json["status"] == "won"
    assert booked(world, sale) == {
        "cash:local": -(3000 - 150),
        "supplier:payable": 2100,
        "leader:available": 200,
        "leader:pending": 100,
        "platform:revenue": 600 - 150,
    }
    told = statement(world, sale, settle(world, time, days=1))
    assert sorted((line["kind"], line["amount"]) for line in told["lines"]) == [
        ("adjustment", 100),
        ("clawback", -100),
    ]
    assert balance(world, sale)["available"] == 300
    assert world.order(order["id"])["refunded_amount"] == 0
    whole(world)


def test_won_leaves_what_no_run_had_taken_as_it_was_delivered(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    created(ask(world, order))
    tell(world, order, "closed", outcome="won")
    assert booked(world, sale) == {
        "cash:local": -(3000 - 150),
        "supplier:payable": 2100,
        "leader:pending": 300,
        "platform:revenue": 600 - 150,
    }
    settle(world, time, days=7)
    assert balance(world, sale)["available"] == 0
    told = statement(world, sale, settle(world, time, days=1))
    (line,) = told["lines"]
    assert (line["kind"], line["amount"], line["order_id"]) == ("commission", 300, order["id"])
    assert (line["basis_amount"], line["rate_bps"]) == (3000, 1000)
    assert (line["entry_id"].split(":")[0], line["voided_by"]) == ("delivered", [])
    assert balance(world, sale)["available"] == 300
    whole(world)


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("bearer", ["leader", "supplier", "platform"])
def test_won_lifts_nobody_over_a_daily_cap(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch, bearer: str, settled: bool
) -> None:
    price = pricing.price

    def with_cap(*args: Any, **kwargs: Any) -> Sequence[Any]:
        return [replace(line, day_cap=350) for line in price(*args, **kwargs)]

    monkeypatch.setattr(pricing, "price", with_cap)
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 5)
    if settled:
        settle(world, time, days=8)
        assert balance(world, sale)["available"] == 350
    made = created(ask(world, order, amount=5000))
    if settled:
        settle(world, time, days=1)
        fee = made["fee"]
        assert balance(world, sale)["available"] == (-fee if bearer == "leader" else 350)
    close(world, made, "won")
    settle(world, time, days=1 if settled else 8)
    assert booked(world, sale) == {
        "cash:local": -(5000 - 150),
        "supplier:payable": 3500,
        "leader:available": 350,
        "platform:revenue": 1150 - 150,
    }
    whole(world)


@pytest.mark.parametrize("bearer", ["supplier", "platform"])
def test_won_gives_back_what_was_borne_to_whom_bore_it(world: World, bearer: str) -> None:
    bear(world, chargeback=bearer, chargeback_fee=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = created(ask(world, order))
    assert booked(world, sale)["leader:pending"] == 300
    close(world, made, "won")
    assert booked(world, sale) == {
        "cash:local": -(3000 - 150),
        "supplier:payable": 2100,
        "leader:pending": 300,
        "platform:revenue": 600 - 150,
    }
    whole(world)


@pytest.mark.parametrize("outcome", ["upheld", "dismissed"])
@pytest.mark.parametrize("won", ["before", "after"])
def test_what_is_won_goes_to_whom_a_dispute_beside_it_says(
    world: World, outcome: str, won: str
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
    dispute = created(world.customer().post(path, {"reason": "it never came"}))
    made = created(ask(world, order, amount=3000, fee=0))
    if won == "before":
        close(world, made, "won")
    decided = {"outcome": outcome, "note": "as the carrier says"}
    assert world.operator.post(f"{path}/{dispute['id']}/resolve", decided).status == 200
    if won == "after":
        close(world, made, "won")
    whole(world)
    delivered = {
        "cash:local": -3000,
        "supplier:payable": 2100,
        "leader:pending": 300,
        "platform:revenue": 600,
    }
    assert booked(world, sale) == (delivered if outcome == "dismissed" else {})
    after = world.order(order["id"])
    assert after["refunded_amount"] == (0 if outcome == "dismissed" else 3000)
    *_, last = [world.operator.get(f"/v1/refunds/{each}").json for each in after["refunds"]]
    causes = {"before": "dispute", "after": "other"}
    assert last["cause"] == (causes[won] if outcome == "upheld" else "chargeback")


def test_won_money_for_what_was_not_delivered_is_the_customers(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=1)
    made = created(ask(world, order))
    close(world, made, "won")
    assert booked(world, sale) == {
        "cash:local": -850,
        "platform:revenue": -150,
        "refunds_in_flight": 1000,
    }
    assert cases(world) == ["payment_disputed"]
    whole(world)
    *_, again = world.order(order["id"])["refunds"]
    owed = world.operator.get(f"/v1/refunds/{again}").json
    assert (owed["status"], owed["amount"]) == ("succeeded", 1000)
    assert booked(world, sale) == {"cash:local": 150, "platform:revenue": -150}


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_events_in_the_wrong_order_come_to_the_same(world: World, outcome: str) -> None:
    sale = world.sale()
    order, other = world.delivered_order(sale, 3), world.delivered_order(sale, 3)
    tell(world, order)
    tell(world, order, "closed", outcome=outcome)
    in_order = booked(world, sale)
    tell(world, other, "closed", outcome=outcome, dispute_id="dp_2")
    tell(world, other, dispute_id="dp_2")
    once = {"won": (3000 - 150, 2100), "lost": (3000 - 1150, 1400)}[outcome]
    assert (-in_order["cash:local"] + 0, in_order["supplier:payable"]) == (
        6000 - 3000 + once[0],
        2100 + once[1],
    )
    both = booked(world, sale)
    assert (-both["cash:local"], both["supplier:payable"]) == (2 * once[0], 2 * once[1])
    whole(world)


def test_a_provider_that_changes_its_mind_needs_a_person(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    tell(world, order, "closed", outcome="lost")
    assert tell(world, order, "closed", outcome="won").status == 200
    assert cases(world) == ["chargeback_differs", "payment_disputed"]
    whole(world)


def test_an_order_without_a_charge_has_none_to_take_back(world: World) -> None:
    sale = world.sale()
    unpaid = world.place(sale)
    by_hand = world.place(sale, payment_method="leader_collect")
    for order in (unpaid, by_hand):
        answer = ask(world, order)
        assert (answer.status, answer.code) == (409, "order_not_charged")
    assert ask(world, {"id": "ord_unknown"}).status == 422
    assert world.operator.get(f"{CHARGEBACKS}/cbk_unknown").status == 404
    assert close(world, {"id": "cbk_unknown"}, "won").status == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"fee": -1}, "fee"),
        ({"reference": ""}, "reference"),
        ({"order_id": None}, "payment_id"),
        ({"payment_id": "pay_1"}, "payment_id"),
    ],
)
def test_bad_input_is_refused(world: World, changes: Json, field: str) -> None:
    answer = ask(world, {"id": "ord_1"}, **changes)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_an_outcome_is_known_and_a_signed_event_whole(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    for changes in ({"outcome": "perhaps"}, {"outcome": "won", "amount": 0}):
        assert tell(world, order, "closed", **changes).status == 400
    assert world.order(order["id"])["refunded_amount"] == 0
