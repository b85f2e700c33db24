"""Daily caps in statements and books, and how a line's amount is explained."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.ordering import pricing
from chalicelib.settlement.store import EarnedRow
from tests.functional import test_supplier_money
from tests.functional.workers.conftest import StillClock
from tests.support.audited import look_at_everything
from tests.support.communities import balance, communities, deliver, settle, statement
from tests.support.invariants import findings
from tests.support.world import Sale, World

CAP = 350


@pytest.fixture
def capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is ordered, its terms let a leader earn 3.50 a day."""
    price = pricing.price

    def with_cap(*args: Any, **kwargs: Any) -> Sequence[Any]:
        return [replace(line, day_cap=CAP) for line in price(*args, **kwargs)]

    monkeypatch.setattr(pricing, "price", with_cap)


@pytest.mark.usefixtures("capped")
def test_a_day_brings_its_cap_at_most(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [2])
    deliver(world, [sale], [3])
    assert balance(world, sale)["pending"] == 500
    time.move_to("2026-03-18T00:15:00.000Z")
    run = settle(world, "2026-03-17")
    assert lines(world, sale, "2026-03-17") == [
        ("cap", -150, "2026-03-10"),
        ("commission", 200, "2026-03-10"),
        ("commission", 300, "2026-03-10"),
    ]
    assert run["totals"] == [{"currency": "EUR", "amount": CAP}]
    assert statement(world, sale, "2026-03-17")["total"] == CAP
    assert (balance(world, sale)["available"], balance(world, sale)["pending"]) == (CAP, 0)
    # 5 units at 10.00 that cost 7.00.
    assert world.trial_balance()["platform:revenue"] == -(5 * 300 - CAP)
    assert findings() == []


@pytest.mark.usefixtures("capped")
def test_days_are_capped_apart(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [3])
    time.move_on(days=1)
    deliver(world, [sale], [3])
    time.move_to("2026-03-19T00:15:00.000Z")
    settle(world, "2026-03-18")
    assert balance(world, sale)["available"] == 600
    assert findings() == []


@pytest.mark.usefixtures("capped")
def test_a_delivery_of_the_day_that_is_told_late_is_capped_with_it(
    world: World, time: StillClock
) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [3])
    order = world.paid_order(sale, quantity=4)
    (dispatch,) = order["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    told = {"delivered_at": "2026-03-10T12:00:00.000Z"}
    assert world.operator.post(f"/v1/dispatches/{dispatch['id']}/deliver", told).status == 200
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-18") == [
        ("cap", -350, "2026-03-10"),
        ("commission", 400, "2026-03-10"),
    ]
    assert balance(world, sale)["available"] == CAP
    assert findings() == []


@pytest.mark.usefixtures("capped")
def test_what_is_voided_before_the_run_was_never_over_the_cap(
    world: World, time: StillClock
) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    refund(world, units=2)
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    assert lines(world, sale, "2026-03-17") == [("commission", 300, "2026-03-10")]
    assert findings() == []


@pytest.mark.usefixtures("capped")
@pytest.mark.parametrize(("units", "given_back", "left"), [(1, 100, 350), (3, 150, 200)])
def test_a_clawback_gives_back_what_was_withheld(
    world: World, time: StillClock, units: int, given_back: int, left: int
) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    refund(world, units=units)
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert lines(world, sale, "2026-03-18") == [
        ("cap", given_back, "2026-03-10"),
        ("clawback", -100 * units, "2026-03-10"),
    ]
    assert balance(world, sale)["available"] == left
    assert findings() == []
    # A night looks at the last statement alone, and at all of the day that it gives back of.
    assert list(look_at_everything(clock.now(), since=clock.now() - timedelta(hours=1))) == []
    (row,) = EarnedRow.query(sale.leader_id, EarnedRow.sk.startswith("earned#2026-03-17"))
    row.update([EarnedRow.lines.set(tuple(replace(each, amount=900) for each in row.lines))])
    (finding,) = look_at_everything(clock.now(), since=clock.now() - timedelta(hours=1))
    due, withheld = 900 - 100 * units - CAP, 150 - given_back
    assert (finding.check, finding.amount) == ("day_caps", due - withheld)


@pytest.mark.usefixtures("capped")
@pytest.mark.parametrize("bearer", ["supplier", "platform"])
@pytest.mark.parametrize("settled", [True, False])
def test_a_bearer_pays_no_commission_that_the_leader_never_got(
    world: World, time: StillClock, bearer: str, settled: bool
) -> None:
    assert world.operator.put("/v1/refund-bearers", {"damaged": bearer}).status == 200
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T00:15:00.000Z")
    if settled:
        settle(world, "2026-03-17")
    refund(world, 5, cause="damaged")
    time.move_on(days=1)
    settle(world, "2026-03-18")
    assert balance(world, sale)["available"] == CAP
    payable = f"supplier:{supplier_of_order(world)}:payable"
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:available": -CAP,
        payable if bearer == "supplier" else "platform:revenue": CAP,
    }
    assert findings() == []


@pytest.mark.usefixtures("capped")
def test_what_a_bearer_need_not_pay_stands_in_its_statement(world: World, time: StillClock) -> None:
    assert world.operator.put("/v1/refund-bearers", {"damaged": "supplier"}).status == 200
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    refund(world, 5, cause="damaged")
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    supplier_id = supplier_of_order(world)
    days = {"from": "2026-03-10", "to": "2026-03-18"}
    told = test_supplier_money.statement(world, supplier_id, **days)
    borne = [each for each in told["items"] if each["kind"] == "commission_borne"]
    assert sorted(each["amount"] for each in borne) == [-500, 150]
    (back,) = [each for each in borne if each["amount"] == 150]
    assert (back["leader_id"], told["closing"]["payable"]) == (sale.leader_id, -CAP)
    (cap,) = [
        each for each in statement(world, sale, "2026-03-17")["lines"] if each["kind"] == "cap"
    ]
    assert cap["borne_by"] == f"supplier:{supplier_id}:payable"


@pytest.mark.usefixtures("capped")
def test_a_dry_run_withholds_the_same(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T00:15:00.000Z")
    body = {"business_date": "2026-03-17", "dry_run": True}
    dry = world.operator.post("/v1/settlement-runs", body).json
    world.work()
    dry = world.operator.get(f"/v1/settlement-runs/{dry['id']}").json
    assert dry["totals"] == settle(world, "2026-03-17")["totals"]


@pytest.mark.usefixtures("capped")
def test_a_cap_line_is_explained_by_the_runs_entry(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [5])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    told = explained(world, sale, "2026-03-17", 2)
    assert (told["kind"], told["amount"], told["basis_amount"], told["day_cap"]) == (
        "cap",
        -150,
        500,
        CAP,
    )
    assert told["entry"]["id"] == f"matured:run_2026-03-17:{sale.leader_id}"
    assert told["entry"]["postings"] == [
        {"account": f"leader:{sale.leader_id}:pending", "amount": 500},
        {"account": f"leader:{sale.leader_id}:available", "amount": -CAP},
    ]


def test_a_line_is_explained(world: World, time: StillClock) -> None:
    sale = world.sale(rate_bps=333)
    order = world.delivered_order(sale, quantity=3)
    dispatch = world.operator.get(f"/v1/dispatches/{order['dispatches'][0]['id']}").json
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    pending = f"leader:{sale.leader_id}:pending"
    available = f"leader:{sale.leader_id}:available"
    told = explained(world, sale, "2026-03-17", 1)
    parcel_id = dispatch["parcels"][0]["id"]
    assert told == {
        **statement(world, sale, "2026-03-17")["lines"][0],
        "number": 1,
        "run_id": "run_2026-03-17",
        "currency": "EUR",
        "rounding": {
            "exact": "999/10",
            "method": "half_up",
            "steps": [
                {
                    "name": "rate",
                    "amount": 100,
                    "exact": "999/10",
                    "bound": None,
                    "portions": [],
                }
            ],
        },
        "entry": {
            "id": f"delivered:{parcel_id}",
            "posted_at": "2026-03-10T12:00:00.000Z",
            "postings": [{"account": pending, "amount": -100}],
        },
        "voiding": [],
        **dict.fromkeys(("sold_as", "cap", "campaign", "matures_on", "payout")),
        "settled_by": {
            "id": f"matured:run_2026-03-17:{sale.leader_id}",
            "posted_at": "2026-03-18T00:15:00.000Z",
            "postings": [
                {"account": pending, "amount": 100},
                {"account": available, "amount": -100},
            ],
        },
    }
    assert (told["order_id"], told["rate_bps"], told["basis_amount"]) == (order["id"], 333, 3000)


def test_a_clawback_is_explained_by_its_refund(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    deliver(world, [sale], [3])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    refund_id = refund(world, units=1)
    time.move_on(days=1)
    settle(world, "2026-03-18")
    told = explained(world, sale, "2026-03-18", 1)
    assert (told["kind"], told["amount"], told["settled_by"]) == ("clawback", -100, None)
    assert told["entry"]["id"] == f"refund:{refund_id}"
    assert told["entry"]["postings"] == [
        {"account": f"leader:{sale.leader_id}:available", "amount": 100}
    ]


def test_only_the_leader_and_operators_are_told_and_only_of_lines_there_are(
    world: World, time: StillClock
) -> None:
    sale, other = communities(world, 2)
    deliver(world, [sale, other], [3, 1])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, "2026-03-17")
    path = f"/v1/leaders/{sale.leader_id}/statements/run_2026-03-17/lines"
    assert world.leader(sale.leader_id).get(f"{path}/1").status == 200
    assert world.leader(other.leader_id).get(f"{path}/1").status == 404
    for number in ("0", "2", "-1", "x", "1.0", "²"):
        assert world.operator.get(f"{path}/{number}").status == 404, number


def lines(world: World, sale: Sale, day: str) -> list[tuple[str, int, str]]:
    found = statement(world, sale, day)["lines"]
    delivered = [line["delivered_on"] or "2026-03-10" for line in found]
    return sorted(
        (line["kind"], line["amount"], day) for line, day in zip(found, delivered, strict=True)
    )


def explained(world: World, sale: Sale, day: str, n: int) -> Any:
    path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}/lines/{n}"
    answer = world.operator.get(path)
    assert answer.status == 200, answer.text
    return answer.json


def supplier_of_order(world: World) -> str:
    """Of the only order."""
    (order,) = world.operator.get("/v1/orders").json["items"]
    return str(order["lines"][0]["supplier_id"])


def refund(world: World, units: int, **named: str) -> str:
    """Refund some units of the only order."""
    (order,) = world.operator.get("/v1/orders").json["items"]
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": units}]
    body = {"lines": lines, "reason": "broken", **named}
    answer = world.operator.post(f"/v1/orders/{order['id']}/refunds", body)
    assert answer.status == 201, answer.text
    world.work()
    return str(answer.json["id"])
