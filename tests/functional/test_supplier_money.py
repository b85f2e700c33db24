"""The suppliers' side of the money: what they are paid by, what they pay, what they are told."""

import csv
from datetime import date, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.suppliers import fees
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.payouts import make
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

USUAL: Json = {
    "basis": "cost",
    "fee_bps": 0,
    "annual_fee": None,
    "community_fee": None,
    "waivers": [],
    "deposit": None,
    "fine_cap": None,
    "refund_bearer": "supplier",
}
A_TENTH: Json = {"basis": "revenue_share", "fee_bps": 1000}


def path(supplier_id: str) -> str:
    return f"/v1/suppliers/{supplier_id}/settlement-terms"


def agree(world: World, supplier_id: str, **terms: Any) -> Json:
    answer = world.operator.put(path(supplier_id), {"basis": "cost", **terms})
    assert answer.status == 200, answer.text
    return answer.json


def balance(world: World, supplier_id: str) -> Json:
    found = world.operator.get(f"/v1/suppliers/{supplier_id}/balance").json
    return {name: value for name, value in found.items() if value and name != "currency"}


def today() -> date:
    return clock.now().date()


def statement(world: World, supplier_id: str, **query: Any) -> Json:
    """Of today, unless another period is asked for."""
    asked = {"from": today(), "to": today(), **query}
    text = "&".join(f"{name}={value}" for name, value in asked.items())
    answer = world.operator.get(f"/v1/suppliers/{supplier_id}/statements?{text}")
    assert answer.status == 200, answer.text
    return answer.json


def lines(told: Json) -> list[tuple[str, str, int]]:
    return [(line["kind"], line["account"], line["amount"]) for line in told["items"]]


def test_a_supplier_is_paid_its_cost_until_something_else_is_agreed(world: World) -> None:
    supplier_id = world.add_supplier()
    unset = {"supplier_id": supplier_id, "version": 0, "fees_since": None}
    found = world.operator.get(path(supplier_id)).json
    assert found == {**USUAL, **unset, "set_at": None, "set_by": None}
    assert world.supplier(supplier_id).get(path(supplier_id)).json == found


def test_terms_are_read_as_they_were_set_and_say_who_set_them(world: World) -> None:
    supplier_id = world.add_supplier()
    terms = {
        "basis": "revenue_share",
        "fee_bps": 1250,
        "annual_fee": 100_000,
        "community_fee": 500,
        "waivers": [{"from": "2026-03-01", "to": "2026-05-29"}],
        "deposit": 1_000_000,
        "fine_cap": 0,
        "refund_bearer": "platform",
    }
    told = agree(world, supplier_id, **terms)
    assert {name: told[name] for name in terms} == terms
    assert (told["version"], told["set_by"]) == (1, "op_test")
    assert told["fees_since"] == today().isoformat()
    assert world.operator.get(path(supplier_id)).json == told
    assert agree(world, supplier_id, **terms) == told
    second = agree(world, supplier_id)
    assert {name: second[name] for name in USUAL} == USUAL
    listed = world.supplier(supplier_id).get(f"{path(supplier_id)}/versions").json
    assert listed["items"] == [second, told]


def test_terms_of_one_supplier_are_nothing_for_another(world: World) -> None:
    mine, other = world.add_supplier(), world.supplier(world.add_supplier())
    statements = f"statements?from={today()}&to={today()}"
    terms = ("settlement-terms", "settlement-terms/versions")
    for what in (*terms, "deposits", "balance", statements):
        assert other.get(f"/v1/suppliers/{mine}/{what}").code == "not_found"
        assert world.operator.get(f"/v1/suppliers/sup_none/{what}").code == "not_found"
    assert world.operator.put(path("sup_none"), {"basis": "cost"}).code == "not_found"
    assert world.supplier(mine).put(path(mine), {"basis": "cost"}).code == "forbidden"


WRONG: dict[str, tuple[Json, str]] = {
    "no basis": ({}, "basis"),
    "another basis": ({"basis": "profit"}, "basis"),
    "a share without a fee": ({"basis": "revenue_share"}, "fee_bps"),
    "a cost with a fee": ({"basis": "cost", "fee_bps": 100}, "fee_bps"),
    "more than all": ({"basis": "revenue_share", "fee_bps": 10_001}, "fee_bps"),
    "less than nothing": ({"basis": "revenue_share", "fee_bps": -1}, "fee_bps"),
    "some fraction": ({"basis": "revenue_share", "fee_bps": 12.5}, "fee_bps"),
    "a yearly fee of nothing": ({"basis": "cost", "annual_fee": 0}, "annual_fee"),
    "a community's fee of a fraction": ({"basis": "cost", "community_fee": 0.5}, "community_fee"),
    "a deposit below nothing": ({"basis": "cost", "deposit": -5}, "deposit"),
    "a cap below nothing": ({"basis": "cost", "fine_cap": -1}, "fine_cap"),
    "nobody bears refunds": ({"basis": "cost", "refund_bearer": "customer"}, "refund_bearer"),
    "a window without an end": (
        {"basis": "cost", "waivers": [{"from": "2026-03-01"}]},
        "waivers.0.to",
    ),
    "a window that ends before it begins": (
        {"basis": "cost", "waivers": [{"from": "2026-03-02", "to": "2026-03-01"}]},
        "waivers.0.to",
    ),
    "a day that is none": (
        {"basis": "cost", "waivers": [{"from": "2026-02-30", "to": "2026-03-01"}]},
        "waivers.0.from",
    ),
    "windows that overlap": (
        {
            "basis": "cost",
            "waivers": [
                {"from": "2026-03-05", "to": "2026-03-09"},
                {"from": "2026-03-01", "to": "2026-03-05"},
            ],
        },
        "waivers",
    ),
    "a field of another name": ({"basis": "cost", "entry_fee": 5}, "entry_fee"),
}


@pytest.mark.parametrize("case", WRONG)
def test_terms_that_make_no_sense_change_nothing(case: str, world: World) -> None:
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=5)
    before = snapshot(world.environment)
    body, field = WRONG[case]
    answer = world.operator.put(path(supplier_id), body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert snapshot(world.environment) == before


def test_a_share_of_the_revenue_is_what_the_fee_leaves(world: World) -> None:
    sale = world.sale(price=999)
    agree(world, sale.supplier_id, **A_TENTH)
    world.delivered_order(sale, 3)
    # 29.97 without 10 %, which is 2.997 and so 3.00; the leader has 10 % of 29.97 too.
    assert balance(world, sale.supplier_id) == {"payable": 2697}
    assert "platform:revenue" not in world.trial_balance()


def test_gross_profit_is_counted_with_the_share(world: World) -> None:
    sale = world.sale(basis="gross_profit", rate_bps=5000)
    agree(world, sale.supplier_id, basis="revenue_share", fee_bps=2000)
    world.delivered_order(sale)
    booked = world.trial_balance()
    assert booked[f"supplier:{sale.supplier_id}:payable"] == -800
    assert booked[f"leader:{sale.leader_id}:pending"] == -100  # half of the fee of 2.00
    assert booked["platform:revenue"] == -100


def test_what_a_leader_asks_above_the_price_is_not_shared(world: World) -> None:
    sale = world.sale(floor_price=900)
    agree(world, sale.supplier_id, **A_TENTH)
    price = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": 1200}
    assert world.operator.put(f"/v1/leaders/{sale.leader_id}/prices", price).status == 200
    world.delivered_order(sale)
    booked = world.trial_balance()
    assert booked[f"supplier:{sale.supplier_id}:payable"] == -900  # of 10.00
    assert booked[f"leader:{sale.leader_id}:pending"] == -300  # 10 % of 10.00, and 2.00
    assert "platform:revenue" not in booked


def test_lines_keep_the_terms_that_they_were_placed_under(world: World) -> None:
    sale = world.sale()
    agree(world, sale.supplier_id, **A_TENTH)
    before = world.paid_order(sale)
    agree(world, sale.supplier_id, basis="revenue_share", fee_bps=5000)
    after = world.paid_order(sale)
    agree(world, sale.supplier_id)
    at_cost = world.paid_order(sale)
    paid = []
    for order in (before, after, at_cost):
        was = balance(world, sale.supplier_id).get("payable", 0)
        world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
        paid.append(balance(world, sale.supplier_id)["payable"] - was)
    assert paid == [900, 500, 700]


def test_inside_of_a_waiver_window_the_share_is_all(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=9))
    window = {"from": today().isoformat(), "to": (today() + timedelta(days=1)).isoformat()}
    agree(world, sale.supplier_id, **A_TENTH, waivers=[window])
    for paid in (1000, 2000, 2900):
        world.delivered_order(sale)
        assert balance(world, sale.supplier_id) == {"payable": paid}
        time.move_on(days=1)


def test_a_supplier_hears_about_what_a_unit_brings_it(world: World) -> None:
    sale = world.sale(price=999)
    agree(world, sale.supplier_id, **A_TENTH)
    order = world.paid_order(sale, quantity=3)
    dispatch = world.operator.get(f"/v1/dispatches/{order['dispatches'][0]['id']}").json
    assert [line["unit_cost"] for line in dispatch["lines"]] == [899]  # a third of 26.97


def test_refunds_take_a_share_back_as_it_was_credited(world: World) -> None:
    sale = world.sale(price=999)
    agree(world, sale.supplier_id, **A_TENTH)
    order = world.delivered_order(sale, 3)
    refunds = f"/v1/orders/{order['id']}/refunds"
    for left in (1798, 899, 0):
        body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
        assert world.operator.post(refunds, body).status == 201
        assert balance(world, sale.supplier_id).get("payable", 0) == left


def test_an_alternates_supplier_is_paid_by_its_own_terms(world: World) -> None:
    sale, other = world.sale(), world.add_supplier()
    agree(world, other, **A_TENTH)
    sku_id = world.add_product(other, cost=0)["skus"][0]["id"]
    world.set_stock(sku_id, 5)
    named = {"alternate_of": sale.sku_ids[0], "priority": 1}
    assert world.operator.patch(f"/v1/skus/{sku_id}", named).status == 200
    order = world.paid_order(sale)
    reject = f"/v1/dispatches/{order['dispatches'][0]['id']}/reject"
    assert world.operator.post(reject, {"reason": "out_of_stock"}).status == 200
    world.work()
    (_, made) = world.order(order["id"])["dispatches"]
    world.move(made["id"], "accept", "ship", "deliver")
    assert balance(world, other) == {"payable": 900}


def test_a_years_fee_is_owed_the_night_after_its_first_day(world: World, time: Clock) -> None:
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=1000)
    agree(world, supplier_id, annual_fee=1200)
    since = today()
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {}
    time.move_on(days=1)
    agree(world, supplier_id, annual_fee=9999)
    invoke("supplier_fees")
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {"owed": 1200}
    (line,) = statement(world, supplier_id)["items"]
    assert line["entry_id"] == f"annual_fee:{supplier_id}:{since}"
    assert (line["kind"], line["account"], line["amount"]) == ("annual_fee", "owed", -1200)
    time.move_on(days=364)
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {"owed": 1200}
    time.move_on(days=1)
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {"owed": 1200 + 9999}


def test_fees_that_nobody_posted_for_years_are_what_they_were(world: World, time: Clock) -> None:
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=1000)
    time.move_on(days=400)
    agree(world, supplier_id)  # it asks for no fee from now on
    time.move_on(days=800)
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {"owed": 2000}


def test_a_year_that_begins_in_a_waiver_window_costs_nothing(world: World, time: Clock) -> None:
    supplier_id = world.add_supplier()
    window = {"from": today().isoformat(), "to": (today() + timedelta(days=89)).isoformat()}
    agree(world, supplier_id, annual_fee=1000, waivers=[window])
    for days in (1, 100, 200):
        time.move_on(days=days)
        invoke("supplier_fees")
        assert balance(world, supplier_id) == {}
    with mock.patch.object(fees, "_post_annual") as looked:
        invoke("supplier_fees")
        assert not looked.called  # what was decided is not looked at again
    time.move_on(days=65)
    invoke("supplier_fees")
    assert balance(world, supplier_id) == {"owed": 1000}


def test_one_supplier_that_fails_holds_back_no_other(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.add_supplier(), world.add_supplier()
    for each in (first, second):
        agree(world, each, annual_fee=1000)
    time.move_on(days=1)
    whole = fees._annual_fees

    def failing(supplier_id: str, *of: Any) -> Any:
        if supplier_id == first:
            raise RuntimeError("planned")
        return whole(supplier_id, *of)

    with monkeypatch.context() as patch:
        patch.setattr(fees, "_annual_fees", failing)
        with pytest.raises(RuntimeError, match="planned"):
            invoke("supplier_fees")
    assert (balance(world, first), balance(world, second)) == ({}, {"owed": 1000})
    invoke("supplier_fees")
    assert balance(world, first) == {"owed": 1000}


def sell_to(world: World, sale: Sale) -> Sale:
    """The same campaign's goods for another community."""
    leader_id = world.add_leader()
    campaign = world.add_campaign(sale.sku_ids, [leader_id], open_for=timedelta(days=500))
    return Sale(sale.supplier_id, leader_id, campaign["id"], sale.product_id, sale.sku_ids)


def test_each_community_is_paid_for_once_in_a_fee_year(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=500))
    agree(world, sale.supplier_id, community_fee=300)
    for _ in range(2):
        world.delivered_order(sale)
    assert balance(world, sale.supplier_id) == {"payable": 1400, "owed": 300}
    other = sell_to(world, sale)
    world.delivered_order(other)
    assert balance(world, sale.supplier_id)["owed"] == 600
    time.move_on(days=364)
    world.delivered_order(other)
    assert balance(world, sale.supplier_id)["owed"] == 600
    time.move_on(days=1)
    order = world.delivered_order(other)
    assert balance(world, sale.supplier_id)["owed"] == 900
    told = statement(world, sale.supplier_id)["items"]
    (fee,) = (line for line in told if line["kind"] == "community_fee")
    assert (fee["order_id"], fee["leader_id"]) == (order["id"], other.leader_id)


def test_a_community_that_is_reached_in_a_waiver_window_is_free_for_the_year(
    world: World, time: Clock
) -> None:
    sale = world.sale(open_for=timedelta(days=500))
    window = {"from": today().isoformat(), "to": today().isoformat()}
    agree(world, sale.supplier_id, community_fee=300, waivers=[window])
    world.delivered_order(sale)
    time.move_on(days=1)
    world.delivered_order(sale)
    assert balance(world, sale.supplier_id) == {"payable": 1400}
    world.delivered_order(sell_to(world, sale))
    assert balance(world, sale.supplier_id)["owed"] == 300


def test_what_was_refunded_on_its_way_reaches_no_community(world: World) -> None:
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=300)
    order = world.paid_order(sale, quantity=2)
    dispatch_id = order["dispatches"][0]["id"]
    world.move(dispatch_id, "accept")
    for n in ("T1", "T2"):
        half = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
        sent = {"carrier": "DHL", "tracking_number": n, "lines": half}
        assert world.operator.post(f"/v1/dispatches/{dispatch_id}/ship", sent).status == 200
    refund = {"lines": half, "reason": "lost"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", refund))
    first, last = world.operator.get(f"/v1/dispatches/{dispatch_id}").json["parcels"]
    arrive = f"/v1/dispatches/{dispatch_id}/parcels/{{}}/deliver"
    assert world.operator.post(arrive.format(last["id"]), {}).status == 200
    assert balance(world, sale.supplier_id) == {}
    assert world.operator.post(arrive.format(first["id"]), {}).status == 200
    assert balance(world, sale.supplier_id) == {"payable": 700, "owed": 300}


def deposit(world: World, supplier_id: str, what: str = "", **body: Any) -> Answer:
    return world.operator.post(f"/v1/suppliers/{supplier_id}/deposits{what}", body)


def test_a_deposit_is_held_returned_and_drawn_on(world: World) -> None:
    supplier_id = world.add_supplier()
    made = created(deposit(world, supplier_id, amount=1000, reference="T1"))
    assert (made["kind"], made["reference"], made["booked_by"]) == ("received", "T1", "op_test")
    assert balance(world, supplier_id) == {"deposit": 1000}
    created(deposit(world, supplier_id, "/return", amount=300, reference="T1"))
    damage = {"amount": 200, "reason": "spoilt goods", "pays": "damages"}
    created(deposit(world, supplier_id, "/draw", **damage))
    assert balance(world, supplier_id) == {"deposit": 500}
    assert world.trial_balance() == {
        "cash:bank": 700,
        f"supplier:{supplier_id}:deposit": -500,
        "platform:revenue": -200,
    }
    listed = world.supplier(supplier_id).get(f"/v1/suppliers/{supplier_id}/deposits").json["items"]
    assert [each["kind"] for each in listed] == ["drawn", "returned", "received"]
    assert lines(statement(world, supplier_id)) == [
        ("deposit", "deposit", 1000),
        ("deposit_returned", "deposit", -300),
        ("deposit_drawn", "deposit", -200),
    ]


def test_what_is_missing_of_a_deposit_is_shown_and_holds_back_no_payout(world: World) -> None:
    sale = world.sale()
    supplier_id = sale.supplier_id
    terms = {"basis": "cost", "deposit": 1000}
    path = f"/v1/suppliers/{supplier_id}/settlement-terms"
    assert world.operator.put(path, terms).status == 200
    assert balance(world, supplier_id) == {"deposit_due": 1000}
    created(deposit(world, supplier_id, amount=600, reference="T1"))
    assert balance(world, supplier_id) == {"deposit": 600, "deposit_due": 400}
    created(deposit(world, supplier_id, amount=500, reference="T2"))
    assert balance(world, supplier_id) == {"deposit": 1100}
    created(deposit(world, supplier_id, "/draw", amount=300, reason="spoilt", pays="damages"))
    world.delivered_order(sale, 1)
    assert make(world, kind="suppliers")["amount"] == 700
    assert balance(world, supplier_id) == {"deposit": 800, "deposit_due": 200, "in_payout": 700}


def test_fees_are_paid_from_a_deposit(world: World, time: Clock) -> None:
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=400)
    time.move_on(days=1)
    invoke("supplier_fees")
    created(deposit(world, supplier_id, amount=1000, reference="T1"))
    too_much = deposit(world, supplier_id, "/draw", amount=401, reason="fees")
    assert (too_much.status, too_much.code) == (409, "more_than_owed")
    created(deposit(world, supplier_id, "/draw", amount=400, reason="fees"))
    assert balance(world, supplier_id) == {"deposit": 600}
    assert lines(statement(world, supplier_id))[-2:] == [
        ("deposit_drawn", "owed", 400),
        ("deposit_drawn", "deposit", -400),
    ]


def test_no_more_of_a_deposit_is_given_than_is_held(world: World) -> None:
    supplier_id = world.add_supplier()
    created(deposit(world, supplier_id, amount=500, reference="T1"))
    for what, body in (
        ("/return", {"amount": 501, "reference": "T2"}),
        ("/draw", {"amount": 501, "reason": "spoilt", "pays": "damages"}),
    ):
        answer = deposit(world, supplier_id, what, **body)
        assert (answer.status, answer.code) == (409, "more_than_deposited")
    assert balance(world, supplier_id) == {"deposit": 500}


def test_a_statement_tells_cause_before_effect_page_by_page(world: World) -> None:
    """A fee of the delivery that it fell due with, and commission that is borne of a refund."""
    assert world.operator.put("/v1/refund-bearers", {"damaged": "supplier"}).status == 200
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=300)
    order = world.delivered_order(sale, 3)
    body = {"amount": 1000, "reason": "broken", "cause": "damaged"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    path = f"/v1/suppliers/{sale.supplier_id}/statements?limit=1"
    kinds, cursor = [], ""
    while cursor is not None:
        page = world.operator.get(f"{path}&cursor={cursor}" if cursor else path).json
        kinds += [each["kind"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert kinds == ["delivery", "community_fee", "refund", "commission_borne"]


def test_a_deposits_reference_stands_for_one_transfer(world: World) -> None:
    supplier_id = world.add_supplier()
    made = created(deposit(world, supplier_id, amount=500, reference="T1"))
    again = deposit(world, supplier_id, amount=500, reference="T1")
    assert (again.status, again.json) == (200, made)
    other = deposit(world, supplier_id, amount=600, reference="T1")
    assert (other.status, other.code) == (409, "reference_reused")
    assert other.json["detail"] == (
        f"The reference T1 was booked before: received 5.00 EUR, at {made['booked_at']} by op_test."
        " Book what is not the same under another reference."
    )
    draw = {"amount": 100, "reason": "spoilt", "pays": "damages"}
    drawn = f"/v1/suppliers/{supplier_id}/deposits/draw"
    first = created(world.operator.post(drawn, draw, key="once"))
    assert world.operator.post(drawn, draw, key="once").json == first
    created(world.operator.post(drawn, draw, key="twice"))
    assert balance(world, supplier_id) == {"deposit": 300}


@pytest.mark.parametrize("what", ["", "/return", "/draw"])
def test_deposits_ask_for_a_key(what: str, world: World) -> None:
    where = f"/v1/suppliers/{world.add_supplier()}/deposits{what}"
    assert world.operator.send("POST", where, {}, {}).code == "idempotency_key_missing"


def fined_orders(world: World, number: int, **terms: Any) -> tuple[str, list[str]]:
    """So many dispatches of one supplier, each of which has missed a clock with a fine of 5.00."""
    sale = world.sale()
    clocks = {"on_missed": "fine", "fine_amount": 500, "deliver_by_hours": 720}
    assert world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", clocks).status == 200
    agree(world, sale.supplier_id, **terms)
    orders = [world.paid_order(sale) for _ in range(number)]
    return sale.supplier_id, [order["dispatches"][0]["id"] for order in orders]


def fines_of(world: World, dispatch_ids: list[str]) -> list[int | None]:
    found = [world.operator.get(f"/v1/dispatches/{each}").json for each in dispatch_ids]
    return [made["clocks"][0]["fined"] for made in found]


def test_fines_of_a_month_end_at_the_cap(world: World, time: Clock) -> None:
    supplier_id, made = fined_orders(world, 3, fine_cap=800)
    time.move_on(hours=13)
    invoke("dispatch_clocks")
    assert sorted(fines_of(world, made), key=str) == [0, 300, 500]
    assert balance(world, supplier_id) == {"payable": -800}


def test_a_fine_that_is_waived_leaves_its_room(world: World, time: Clock) -> None:
    supplier_id, made = fined_orders(world, 2, fine_cap=500)
    time.move_on(hours=13)
    invoke("dispatch_clocks")
    fined = next(each for each in made if fines_of(world, [each]) == [500])
    waive = f"/v1/dispatches/{fined}/fines/accept/waive"
    assert world.operator.post(waive, {"reason": "flood"}).status == 200
    assert balance(world, supplier_id) == {}
    time.move_on(hours=12)  # now they should have shipped, too
    invoke("dispatch_clocks")
    assert balance(world, supplier_id) == {"payable": -500}


def test_without_a_cap_every_fine_is_charged_and_counted(world: World, time: Clock) -> None:
    supplier_id, _ = fined_orders(world, 2)
    time.move_on(hours=13)
    invoke("dispatch_clocks")
    assert balance(world, supplier_id) == {"payable": -1000}
    agree(world, supplier_id, fine_cap=1200)
    time.move_on(hours=12)
    invoke("dispatch_clocks")
    assert balance(world, supplier_id) == {"payable": -1200}


def test_a_statement_tells_the_origin_of_every_line(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale)
    (dispatch,) = order["dispatches"]
    parcel_id = world.operator.get(f"/v1/dispatches/{dispatch['id']}").json["parcels"][0]["id"]
    body = {"amount": 500, "reason": "late"}
    refund = created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    told = statement(world, sale.supplier_id)
    origin = {"order_id": order["id"], "dispatch_id": dispatch["id"], "parcel_id": parcel_id}
    delivered, refunded = told["items"]
    assert lines(told) == [("delivery", "payable", 700), ("refund", "payable", -350)]
    for line in (delivered, refunded):
        assert {name: line[name] for name in origin} == origin
    assert delivered["entry_id"] == f"delivered:{parcel_id}"
    assert (delivered["refund_id"], refunded["refund_id"]) == (None, refund["id"])
    assert (told["opening_balance"], told["total"], told["closing_balance"]) == (0, 350, 350)


def test_statements_of_days_that_follow_chain(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=9))
    days = []
    for n in range(3):
        world.delivered_order(sale, n + 1)
        days.append(today())
        time.move_on(days=1)
    told = [statement(world, sale.supplier_id, **{"from": day, "to": day}) for day in days]
    assert [each["opening_balance"] for each in told] == [0, 700, 2100]
    assert [each["closing_balance"] for each in told] == [700, 2100, 4200]
    assert [each["opening"]["payable"] for each in told] == [0, 700, 2100]
    whole = statement(world, sale.supplier_id, **{"from": days[0], "to": days[-1]})
    assert (whole["opening_balance"], whole["closing_balance"]) == (0, 4200)
    assert sum(line["amount"] for line in whole["items"]) == whole["total"]
    later = statement(world, sale.supplier_id)
    assert (later["items"], later["opening_balance"], later["total"]) == ([], 4200, 0)


def test_a_statement_is_read_page_by_page(world: World) -> None:
    sale = world.sale()
    for _ in range(3):
        world.delivered_order(sale)
    first = statement(world, sale.supplier_id, limit=2)
    second = statement(world, sale.supplier_id, limit=2, cursor=first["next_cursor"])
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert second["next_cursor"] is None
    assert first["total"] == second["total"] == 2100
    seen = [line["entry_id"] for line in first["items"] + second["items"]]
    assert len(set(seen)) == 3
    forged = f"?from={today()}&to={today()}&cursor=abc"
    answer = world.operator.get(f"/v1/suppliers/{sale.supplier_id}/statements{forged}")
    assert answer.code == "invalid_cursor"


def test_a_statement_as_a_file_sums_up_to_its_total(world: World) -> None:
    sale = world.sale()
    for _ in range(3):
        world.delivered_order(sale)
    where = f"/v1/suppliers/{sale.supplier_id}/statements?from={today()}&to={today()}&limit=1"
    answer = world.operator.get(where, Accept="text/csv")
    rows = list(csv.DictReader(answer.text.lstrip("\ufeff").splitlines()))
    of_payable = [row for row in rows if row["account"] == "payable"]
    told = [(row["kind"], row["amount"], row["balance"], row["change"]) for row in of_payable]
    assert told == [
        ("opening", "", "0", ""),
        ("delivery", "700", "700", ""),
        ("delivery", "700", "1400", ""),
        ("delivery", "700", "2100", ""),
        ("closing", "", "2100", "2100"),
    ]
    assert sum(int(row["amount"]) for row in rows if row["amount"]) == 2100


def test_a_deposit_is_no_part_of_what_a_supplier_has_coming(world: World, time: Clock) -> None:
    supplier_id, _ = fined_orders(world, 1)
    created(deposit(world, supplier_id, amount=700, reference="T1"))
    time.move_on(hours=13)
    invoke("dispatch_clocks")
    told = statement(world, supplier_id, **{"from": today() - timedelta(days=1)})
    assert (told["opening_balance"], told["total"], told["closing_balance"]) == (0, -500, -500)
    by_account = {"payable": -500, "held": 0, "owed": 0, "deposit": 700, "in_payout": 0}
    assert told["opening"] == dict.fromkeys(by_account, 0)
    assert told["change"] == told["closing"] == by_account


def test_a_statement_is_of_this_month_unless_another_time_is_asked_for(world: World) -> None:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/statements"
    first = today().replace(day=1)
    told = [world.operator.get(path + query).json["period"] for query in ("", f"?to={first}")]
    assert told == [
        {"from": str(first), "to": str(today())},
        {"from": str(first), "to": str(first)},
    ]


PERIODS = {
    "an end before today's month": ("from=9000-01-01", "to"),
    "a day that is none": ("from=2026-02-30&to=2026-03-01", "from"),
    "an end before the beginning": ("from=2026-03-02&to=2026-03-01", "to"),
    "more than a year": ("from=2026-01-01&to=2027-01-02", "to"),
    "before all time": ("from=0001-01-01&to=0001-01-02", "from"),
    "after all time": ("from=9999-12-31&to=9999-12-31", "from"),
}


@pytest.mark.parametrize("case", PERIODS)
def test_a_period_that_cannot_be_is_refused(case: str, world: World) -> None:
    query, field = PERIODS[case]
    answer = world.operator.get(f"/v1/suppliers/{world.add_supplier()}/statements?{query}")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


def test_a_disputed_delivery_lies_in_the_held_account(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale)
    dispatch_id = order["dispatches"][0]["id"]
    body = {"reason": "not_received"}
    disputed = world.customer().post(f"/v1/dispatches/{dispatch_id}/disputes", body)
    assert disputed.status == 201, disputed.text
    assert balance(world, sale.supplier_id) == {"held": 700}
    told = statement(world, sale.supplier_id)
    assert lines(told)[1:] == [("disputed", "payable", -700), ("disputed", "held", 700)]
    assert (told["closing_balance"], told["closing"]["held"]) == (700, 700)
