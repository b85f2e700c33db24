"""Who pays the commission of what is refunded: each its own, or one side for the leaders."""

from typing import Any
from unittest.mock import ANY

import pytest

from chalicelib.payments.schema import RefundBearersView
from tests.functional import test_supplier_money
from tests.functional.conftest import Clock
from tests.functional.test_refunds import settle, statement
from tests.functional.test_supplier_money import agree
from tests.support.invariants import findings
from tests.support.world import Json, Sale, World, created

BEARERS = "/v1/refund-bearers"


def bear(world: World, **by_cause: str) -> Json:
    answer = world.operator.put(BEARERS, by_cause)
    assert answer.status == 200, answer.text
    return answer.json


def refund(world: World, order: Json, **asked: Any) -> Json:
    body = {"reason": "arrived broken", "cause": "damaged", **asked}
    return created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))


def accounts(world: World, sale: Sale) -> dict[str, int]:
    """What each side has got by what is delivered; credits are positive."""
    named = {
        f"supplier:{sale.supplier_id}:payable": "supplier",
        f"leader:{sale.leader_id}:pending": "pending",
        f"leader:{sale.leader_id}:available": "available",
        "platform:revenue": "platform",
    }
    booked = world.trial_balance()
    return {named[each]: -amount for each, amount in booked.items() if each in named}


def test_each_loses_what_it_was_credited_until_something_else_is_set(world: World) -> None:
    found = world.operator.get(BEARERS).json
    assert (found["version"], found["set_at"], found["set_by"]) == (0, None, None)
    assert {found[cause] for cause in ("other", "damaged", "dispute", "chargeback")} == {"leader"}
    sale = world.sale()
    made = refund(world, world.delivered_order(sale, 3), amount=1000)
    assert (made["cause"], made["bearer"], made["kept"]) == ("damaged", "leader", 0)
    assert accounts(world, sale) == {"supplier": 1400, "pending": 200, "platform": 400}


def test_rules_are_set_whole_and_say_who_set_them(world: World) -> None:
    first = bear(world, damaged="supplier", goodwill="platform")
    assert (first["version"], first["set_by"]) == (1, "op_test")
    set_now = [first[cause] for cause in ("damaged", "goodwill", "late")]
    assert set_now == ["supplier", "platform", "leader"]
    assert bear(world, damaged="supplier", goodwill="platform") == first
    second = bear(world, damaged="supplier")
    assert (second["version"], second["goodwill"]) == (2, "leader")
    assert world.operator.get(BEARERS).json == second


def test_what_is_left_out_is_as_if_it_was_named_as_it_is_at_first(world: World) -> None:
    first = bear(world, damaged="supplier")
    causes = RefundBearersView.model_fields.keys() - {"version", "set_at", "set_by"}
    assert bear(world, **{each: first[each] for each in causes}) == first


def test_naming_a_cause_moves_no_fee(world: World) -> None:
    bear(world, chargeback_fee="supplier")
    assert bear(world, chargeback="leader", chargeback_fee="supplier")["version"] == 1
    apart = bear(world, chargeback="leader", chargeback_fee="platform")
    assert (apart["chargeback"], apart["chargeback_fee"]) == ("leader", "platform")
    again = bear(world, chargeback="platform")
    assert (again["chargeback"], again["chargeback_fee"]) == ("platform", "platform")
    assert bear(world, chargeback="leader") == {**apart, "version": 4, "set_at": ANY}


@pytest.mark.parametrize(
    "body",
    [
        {"chargeback_fee": "customer"},
        {"damaged": "customer"},
        {"stolen": "leader"},
        {"not_shipped": "platform"},
        {"damaged": None},
    ],
)
def test_rules_name_known_causes_and_bearers(world: World, body: Json) -> None:
    assert world.operator.put(BEARERS, body).status == 422
    assert world.operator.get(BEARERS).json["version"] == 0


@pytest.mark.parametrize(
    ("bearer", "supplier", "platform"), [("supplier", 1300, 400), ("platform", 1400, 300)]
)
def test_a_leader_keeps_commission_that_no_run_has_taken(
    world: World, bearer: str, supplier: int, platform: int
) -> None:
    bear(world, damaged=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = refund(world, order, amount=1000)
    assert (made["bearer"], made["kept"]) == (bearer, 100)
    seen = world.customer().get(f"/v1/refunds/{made['id']}").json
    assert (seen["bearer"], seen["kept"]) == (None, None)
    assert accounts(world, sale) == {"supplier": supplier, "pending": 300, "platform": platform}
    world.work()
    assert findings() == []


@pytest.mark.parametrize("bearer", ["supplier", "platform"])
def test_a_statement_says_what_is_kept(world: World, time: Clock, bearer: str) -> None:
    bear(world, damaged=bearer)
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = refund(world, order, amount=1000)
    run = settle(world, time, days=8)
    told = statement(world, sale, run)
    assert [(line["kind"], line["amount"]) for line in told["lines"]] == [
        ("commission", 200),
        ("kept", 100),
    ]
    kept = told["lines"][1]
    assert (kept["basis_amount"], kept["rate_bps"], told["total"]) == (1000, 1000, 300)
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines/2"
    explained = world.operator.get(path).json
    assert explained["entry"]["id"] == f"borne:{made['id']}"
    world.work()
    assert findings() == []


def test_after_a_run_a_statement_has_both_what_was_taken_back_and_what_is_kept(
    world: World, time: Clock
) -> None:
    bear(world, damaged="supplier")
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    settle(world, time, days=8)
    refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    assert accounts(world, sale) == {
        "supplier": 1300,
        "available": 300,
        "platform": 400,
    }
    told = statement(world, sale, settle(world, time, days=1))
    assert sorted((line["kind"], line["amount"]) for line in told["lines"]) == [
        ("clawback", -100),
        ("kept", 100),
    ]
    assert (told["opening_balance"], told["total"], told["closing_balance"]) == (300, 0, 300)
    world.work()
    assert findings() == []


def test_what_was_not_delivered_is_borne_by_nobody(world: World) -> None:
    bear(world, other="platform", damaged="platform")
    sale = world.sale()
    made = refund(world, world.paid_order(sale, quantity=3), amount=1000)
    assert (made["bearer"], made["kept"]) == ("leader", 0)
    world.work()
    assert findings() == []


def test_a_supplier_may_have_been_promised_that_the_platform_pays(world: World) -> None:
    bear(world, damaged="supplier")
    sale = world.sale()
    before = world.delivered_order(sale, 1)
    agree(world, sale.supplier_id, refund_bearer="platform")
    after = world.delivered_order(sale, 1)
    refund(world, before, amount=1000)
    assert accounts(world, sale) == {"supplier": 600, "pending": 200, "platform": 200}
    refund(world, after, amount=1000)
    assert accounts(world, sale) == {"supplier": -100, "pending": 200, "platform": -100}
    world.work()
    assert findings() == []


def test_a_supplier_reads_what_it_bore(world: World) -> None:
    bear(world, damaged="supplier")
    sale = world.sale()
    order = world.delivered_order(sale, 1)
    made = refund(world, order, amount=1000)
    told = test_supplier_money.statement(world, sale.supplier_id)
    (line,) = [each for each in told["items"] if each["kind"] == "commission_borne"]
    assert (line["amount"], line["order_id"], line["refund_id"]) == (-100, order["id"], made["id"])
    assert line["dispatch_id"] == order["dispatches"][0]["id"]


def test_a_spread_is_the_customers_again_whoever_bears_the_commission(world: World) -> None:
    bear(world, damaged="platform")
    sale = world.sale(floor_price=900)
    body = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": 1200}
    answer = world.leader(sale.leader_id).put(f"/v1/leaders/{sale.leader_id}/prices", body)
    assert answer.status == 200, answer.text
    order = world.delivered_order(sale, 1)
    made = refund(world, order, amount=order["total"])
    assert made["kept"] == 100
    assert accounts(world, sale) == {"pending": 100, "platform": -100}
    world.work()
    assert findings() == []


def test_an_upheld_dispute_follows_its_rule(world: World, time: Clock) -> None:
    bear(world, dispute="supplier")
    sale = world.sale()
    order = world.delivered_order(sale, 2)
    (dispatch,) = order["dispatches"]
    path = f"/v1/dispatches/{dispatch['id']}/disputes"
    opened = created(world.customer().post(path, {"reason": "it never came"}))
    decided = {"outcome": "upheld", "note": "no proof of delivery"}
    assert world.operator.post(f"{path}/{opened['id']}/resolve", decided).status == 200
    assert accounts(world, sale) == {"supplier": -200, "pending": 200}
    told = statement(world, sale, settle(world, time, days=8))
    assert [(line["kind"], line["amount"]) for line in told["lines"]] == [("kept", 200)]
    world.work()
    assert findings() == []


def test_after_sales_follow_the_cause_that_the_decision_names(world: World) -> None:
    bear(world, wrong_item="supplier")
    sale = world.sale()
    for cause, kept in (("after_sales", 0), ("wrong_item", 100)):
        order = world.delivered_order(sale, 1)
        body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "not mine"}
        asked = created(world.customer().post(f"/v1/orders/{order['id']}/after-sales", body))
        decision = {"refund": True, "note": "agreed", "cause": cause}
        path = f"/v1/after-sales/{asked['id']}/decide"
        decided = world.operator.post(path, decision)
        assert decided.status == 200, decided.text
        made = world.operator.get(f"/v1/refunds/{decided.json['refund_id']}").json
        assert (made["cause"], made["kept"]) == (cause, kept)
    world.work()
    assert findings() == []
