"""Settlement runs, statements and the books, as operators and leaders see them."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import new_world
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.world import Issuer, Json, Sale, World

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


class Calendar:
    """Time that stands still, on a day that a test can name."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def on(self, day: int, hour: int = 12) -> None:
        self.at = datetime(2026, 3, day, hour, tzinfo=UTC)


@pytest.fixture
def march(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    calendar = Calendar()
    monkeypatch.setattr(clock, "now", calendar.now)
    return calendar


@pytest.fixture
def local(issuer: Issuer) -> Iterator[World]:
    """A world with the local stack's settings: no hold, and today may be settled."""
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as world:
        yield world


def start(world: World, day: str) -> Answer:
    return world.operator.post("/v1/settlement-runs", {"business_date": day})


def settle(world: World, day: str) -> Json:
    answer = start(world, day)
    assert answer.status == 202, answer.text
    world.work()
    run = world.operator.get(f"/v1/settlement-runs/{answer.json['id']}").json
    assert run["status"] == "completed"
    return run


def statement(world: World, leader_id: str, run: Json) -> Json:
    return world.leader(leader_id).get(f"/v1/leaders/{leader_id}/statements/{run['id']}").json


def long_sale(world: World) -> Sale:
    return world.sale(open_for=timedelta(days=30))


def test_a_run_settles_every_leader_and_says_what_it_came_to(world: World, march: Calendar) -> None:
    small, great = long_sale(world), long_sale(world)
    idle = world.add_leader()
    world.delivered_order(small, quantity=3)
    world.delivered_order(great, quantity=5)
    march.on(18)
    started = start(world, "2026-03-17").json
    assert (started["percent"], started["leaders_total"], started["dry_run"]) == (None, 0, False)
    assert started["id"] == "run_2026-03-17"
    assert (started["status"], started["completed_at"]) == ("running", None)
    world.work()
    run = world.operator.get("/v1/settlement-runs/run_2026-03-17").json
    assert run == {
        "id": "run_2026-03-17",
        "business_date": "2026-03-17",
        "status": "completed",
        "dry_run": False,
        "leaders_total": 3,
        "leaders_settled": 3,
        "leaders_set_aside": 0,
        "leaders_left": 0,
        "percent": 100,
        "leaders_per_second": None,  # no time has passed
        "estimated_completion": None,
        "totals": [{"currency": "EUR", "amount": 800}],
        "started_at": "2026-03-18T12:00:00.000Z",
        "completed_at": "2026-03-18T12:00:00.000Z",
    }
    assert world.trial_balance() == {
        "cash:local": 8000,
        f"supplier:{small.supplier_id}:payable": -2100,
        f"supplier:{great.supplier_id}:payable": -3500,
        f"leader:{small.leader_id}:available": -300,
        f"leader:{great.leader_id}:available": -500,
        "platform:revenue": -1600,
    }
    nothing = world.leader(idle).get(f"/v1/leaders/{idle}/statements").json
    assert nothing == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(("day", "taken"), [("2026-03-16", False), ("2026-03-17", True)])
def test_commission_matures_after_seven_days(
    world: World, march: Calendar, day: str, taken: bool
) -> None:
    sale = long_sale(world)
    world.delivered_order(sale, quantity=1)
    march.on(18)
    settle(world, day)
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["pending"], balance["available"]) == ((0, 100) if taken else (100, 0))


def test_the_same_date_again_is_the_same_run(world: World, march: Calendar) -> None:
    first = start(world, "2026-03-09")
    again = start(world, "2026-03-09")
    assert (first.status, again.status) == (202, 200)
    assert again.json == first.json
    world.work()
    done = start(world, "2026-03-09")
    assert (done.status, done.json["status"]) == (200, "completed")


def test_another_date_waits_while_a_run_is_under_way(world: World, march: Calendar) -> None:
    start(world, "2026-03-08")
    answer = start(world, "2026-03-09")
    assert (answer.status, answer.code) == (409, "settlement_run_in_progress")
    world.work()
    assert start(world, "2026-03-09").status == 202


@pytest.mark.parametrize("day", ["2026-03-10", "2026-03-11", "2027-01-01"])
def test_a_day_that_is_not_over_is_not_settled(world: World, march: Calendar, day: str) -> None:
    answer = start(world, day)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.json["errors"][0]["field"] == "business_date"
    assert world.operator.get("/v1/settlement-runs").json["items"] == []


def test_the_day_is_the_platforms_own(issuer: Issuer, march: Calendar) -> None:
    with new_world(issuer, TIMEZONE="Pacific/Kiritimati") as world:
        # Noon of the 10th in UTC is two in the morning of the 11th there.
        sale = long_sale(world)
        world.delivered_order(sale)
        assert start(world, "2026-03-11").status == 422
        assert start(world, "2026-03-10").status == 202
        world.work()
        march.on(19)
        (line,) = statement(world, sale.leader_id, settle(world, "2026-03-18"))["lines"]
        assert line["matured_on"] == "2026-03-18"


def test_a_statement_names_each_line_and_adds_up(world: World, march: Calendar) -> None:
    sale = world.sale(skus=2, open_for=timedelta(days=30), rate_bps=750)
    eggs, milk = sale.sku_ids
    lines = [{"sku_id": eggs, "quantity": 3}, {"sku_id": milk, "quantity": 1}]
    order = world.paid_order(sale, lines=lines)
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    march.on(18)
    made = statement(world, sale.leader_id, settle(world, "2026-03-17"))
    (parcel,) = world.operator.get(f"/v1/dispatches/{order['dispatches'][0]['id']}").json["parcels"]
    shared = {
        "order_id": order["id"],
        "kind": "commission",
        "basis": "sales",
        "rate_bps": 750,
        "matured_on": "2026-03-17",
        "role": "promoter",
        "share_bps": 10_000,
        "plan_id": None,
        "plan_version": None,
        "rule": "offer",
        "entry_id": f"delivered:{parcel['id']}",
        "day_cap": None,
        "delivered_on": None,
        "borne_by": None,
        "voided_by": [],
    }
    made["lines"].sort(key=lambda line: -line["amount"])
    assert made == {
        "run_id": "run_2026-03-17",
        "business_date": "2026-03-17",
        "currency": "EUR",
        "opening_balance": 0,
        "total": 300,
        "closing_balance": 300,
        "previous_run_id": None,
        "lines": [
            {"sku_id": sku_id, "title": title, "basis_amount": net, "amount": amount, **shared}
            for sku_id, title, net, amount in (
                (eggs, "Eggs, Box 0", 3000, 225),
                (milk, "Eggs, Box 1", 1000, 75),
            )
        ],
    }


def test_a_statement_comes_as_csv_to_whoever_asks_so(world: World, march: Calendar) -> None:
    sale = long_sale(world)
    order = world.delivered_order(sale, quantity=2)
    march.on(18)
    run = settle(world, "2026-03-17")
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}"
    answer = world.leader(sale.leader_id).get(path, Accept="text/csv")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert row.pop("entry_id").startswith("delivered:prc_")
    assert row == {
        "currency": "EUR",
        "order_id": order["id"],
        "sku_id": sale.sku_ids[0],
        "kind": "commission",
        "basis": "sales",
        "basis_amount": "2000",
        "rate_bps": "1000",
        "amount": "200",
        "matured_on": "2026-03-17",
        "role": "promoter",
        "share_bps": "10000",
        "plan_id": "",
        "plan_version": "",
        "rule": "offer",
        "day_cap": "",
        "delivered_on": "",
        "borne_by": "",
        "voided_by": "",
        "title": "Eggs, Box 0",
    }


def test_each_statement_opens_with_what_the_one_before_closed_with(
    local: World, march: Calendar
) -> None:
    sale, made = long_sale(local), []
    for day in (10, 11, 12):
        march.on(day)
        local.delivered_order(sale, quantity=day)
        made.append(statement(local, sale.leader_id, settle(local, f"2026-03-{day}")))
    balances = [(each["opening_balance"], each["closing_balance"]) for each in made]
    assert balances == [(0, 1000), (1000, 2100), (2100, 3300)]
    before = [each["previous_run_id"] for each in made]
    assert before == [None, "run_2026-03-10", "run_2026-03-11"]
    leader = local.leader(sale.leader_id)
    listed = leader.get(f"/v1/leaders/{sale.leader_id}/statements").json["items"]
    assert [each["run_id"] for each in listed] == [
        "run_2026-03-12",
        "run_2026-03-11",
        "run_2026-03-10",
    ]
    assert listed[0] == {name: made[2][name] for name in made[2] if name != "lines"}
    runs = local.operator.get("/v1/settlement-runs").json["items"]
    assert [each["business_date"] for each in runs] == ["2026-03-12", "2026-03-11", "2026-03-10"]


def test_what_is_delivered_after_todays_run_goes_to_the_next(local: World, march: Calendar) -> None:
    sale = long_sale(local)
    local.delivered_order(sale, quantity=1)
    assert statement(local, sale.leader_id, settle(local, "2026-03-10"))["total"] == 100
    late = local.delivered_order(sale, quantity=2)
    march.on(11)
    made = statement(local, sale.leader_id, settle(local, "2026-03-11"))
    assert (made["opening_balance"], made["total"]) == (100, 200)
    assert [(line["order_id"], line["matured_on"]) for line in made["lines"]] == [
        (late["id"], "2026-03-10")
    ]


def test_a_delivery_told_late_is_taken_by_the_next_run(local: World, march: Calendar) -> None:
    sale = long_sale(local)
    order = local.paid_order(sale, quantity=4)
    dispatch_id = order["dispatches"][0]["id"]
    local.move(dispatch_id, "accept", "ship")
    march.on(11)
    settle(local, "2026-03-10")
    march.on(12)
    told = {"delivered_at": "2026-03-10T13:00:00Z"}
    assert local.operator.post(f"/v1/dispatches/{dispatch_id}/deliver", told).status == 200
    made = statement(local, sale.leader_id, settle(local, "2026-03-11"))
    assert (made["opening_balance"], made["total"]) == (0, 400)
    assert made["lines"][0]["matured_on"] == "2026-03-10"


def test_an_earlier_date_after_a_later_one_takes_nothing_twice(
    local: World, march: Calendar
) -> None:
    sale = long_sale(local)
    local.delivered_order(sale, quantity=1)
    march.on(12)
    assert settle(local, "2026-03-11")["totals"] == [{"currency": "EUR", "amount": 100}]
    assert settle(local, "2026-03-09")["totals"] == []
    assert settle(local, "2026-03-10")["totals"] == []
    assert local.trial_balance()[f"leader:{sale.leader_id}:available"] == -100


def test_leaders_of_two_currencies_are_settled_in_one_run(local: World, march: Calendar) -> None:
    euros = long_sale(local)
    local.delivered_order(euros, quantity=1)
    local.delivered_order(dollar_sale(local), quantity=2)
    run = settle(local, "2026-03-10")
    assert run["totals"] == [
        {"currency": "EUR", "amount": 100},
        {"currency": "USD", "amount": 200},
    ]
    books = local.operator.get("/v1/ledger/trial-balance").json["currencies"]
    assert [(each["currency"], each["balanced"]) for each in books] == [
        ("EUR", True),
        ("USD", True),
    ]


def dollar_sale(world: World) -> Sale:
    supplier_id, leader_id = world.add_supplier("USD"), world.add_leader("USD")
    product = world.operator.post(
        "/v1/products",
        {
            "supplier_id": supplier_id,
            "title": "Corn",
            "currency": "USD",
            "skus": [{"title": "Bag", "list_price": 1200, "cost": 700}],
        },
    ).json
    sku_id = product["skus"][0]["id"]
    world.set_stock(sku_id, 10)
    now = clock.now()
    campaign = world.operator.post(
        "/v1/campaigns",
        {
            "title": "Dollars",
            "opens_at": clock.to_text(now),
            "closes_at": clock.to_text(now + timedelta(days=1)),
            "currency": "USD",
            "offers": [
                {
                    "sku_id": sku_id,
                    "price": 1000,
                    "commission": {"basis": "sales", "rate_bps": 1000},
                }
            ],
        },
    ).json
    return Sale(supplier_id, leader_id, campaign["id"], product["id"], [sku_id])


def test_a_run_or_a_statement_that_is_not_there_is_not_found(world: World) -> None:
    leader_id = world.add_leader()
    assert world.operator.get("/v1/settlement-runs/run_2026-01-01").code == "not_found"
    path = f"/v1/leaders/{leader_id}/statements/run_2026-01-01"
    assert world.leader(leader_id).get(path).code == "not_found"


def test_the_trial_balance_is_narrowed_by_a_prefix_but_sums_all(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale, quantity=2)
    whole = world.operator.get("/v1/ledger/trial-balance").json
    # 2000 paid in and 2000 paid on to those who have earned it.
    assert (whole["currencies"][0]["debits"], whole["currencies"][0]["credits"]) == (4000, 4000)
    leaders = world.operator.get("/v1/ledger/trial-balance?prefix=leader:").json["currencies"][0]
    assert leaders["accounts"] == [{"account": f"leader:{sale.leader_id}:pending", "balance": -200}]
    assert (leaders["debits"], leaders["credits"], leaders["balanced"]) == (4000, 4000, True)
    nothing = world.operator.get("/v1/ledger/trial-balance?prefix=refunds_in").json["currencies"][0]
    assert nothing["accounts"] == []
    for prefix in ("nobody", "x" * 101):
        assert world.operator.get(f"/v1/ledger/trial-balance?prefix={prefix}").status == 422


def test_the_books_are_the_same_after_a_step_of_the_fold_is_kept(
    world: World, march: Calendar
) -> None:
    sale = long_sale(world)
    world.delivered_order(sale, quantity=2)
    march.on(11)
    world.delivered_order(sale, quantity=1)
    before = world.trial_balance()
    march.on(12)
    invoke("ledger_fold")
    assert world.trial_balance() == before
    world.delivered_order(sale, quantity=1)
    assert world.trial_balance()["cash:local"] == 4000
