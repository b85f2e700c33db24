"""Of what several have a part in each party sees its own, and operators the whole."""

import re

import pytest

from chalicelib.kernel.currencies import written
from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import ask
from tests.functional.test_plans import (
    a_plan,
    edit_leader,
    lines_of,
    planned_sale,
    rule,
)
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.test_refunds import settle
from tests.functional.test_supplier_page import Browser
from tests.support.world import Api, Json, Sale, World, created

SPLIT = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]


def of_two(world: World) -> tuple[Sale, str, Json]:
    """A delivered order of 1 x 10.00 of one supplier and 3 x 10.00 of another."""
    own, other = world.add_supplier(), world.add_supplier()
    one, another = (world.add_product(each)["skus"][0]["id"] for each in (own, other))
    for sku_id in (one, another):
        world.set_stock(sku_id, 50)
    leader = world.add_leader()
    campaign = world.add_campaign([one, another], [leader])
    sale = Sale(own, leader, campaign["id"], "", [one, another])
    lines = [{"sku_id": one, "quantity": 1}, {"sku_id": another, "quantity": 3}]
    order = world.paid_order(sale, lines=lines)
    for each in order["dispatches"]:
        world.move(each["id"], "accept", "ship", "deliver")
    return sale, other, world.order(order["id"])


def told(caller: Api, supplier_id: str, kind: str) -> Json:
    """The one line of that kind, explained to the caller."""
    lines = caller.get(f"/v1/suppliers/{supplier_id}/statements").json["items"]
    (line,) = [each for each in lines if each["kind"] == kind]
    return caller.get(line["explained_at"]).json


def test_a_supplier_sees_its_own_part_of_a_refund(world: World) -> None:
    bear(world, damaged="supplier")
    sale, _, order = of_two(world)
    units = [{"sku_id": each, "quantity": n} for each, n in zip(sale.sku_ids, (1, 3), strict=True)]
    made = refund(world, order, lines=units)
    whole = told(world.operator, sale.supplier_id, "refund")
    assert (whole["refund"]["amount"], whole["refund"]["kept"]) == (4000, 400)
    own = told(world.supplier(sale.supplier_id), sale.supplier_id, "refund")
    assert own["refund"] == {**whole["refund"], "amount": None, "kept": None}
    assert own["refund"]["id"] == made["id"]
    (goods,) = own["goods"]
    assert (goods["brought"], goods["net"], goods["spread"]) == (1000, None, None)
    assert own["accounts"] == whole["accounts"]


def test_a_supplier_sees_its_own_part_of_a_chargebacks_fee(world: World) -> None:
    bear(world, chargeback="supplier", chargeback_fee="supplier")
    sale, _, order = of_two(world)
    assert ask(world, order, amount=4000, fee=400).status == 201
    whole = told(world.operator, sale.supplier_id, "chargeback_fee")
    assert (whole["chargeback"]["amount"], whole["chargeback"]["fee"]) == (4000, 400)
    own = told(world.supplier(sale.supplier_id), sale.supplier_id, "chargeback_fee")
    assert own["chargeback"] == {**whole["chargeback"], "amount": None, "fee": None}
    assert own["accounts"] == [{"account": "payable", "amount": -100}]


def test_a_refund_that_a_chargeback_has_brought_is_told_with_it(world: World) -> None:
    bear(world, chargeback="supplier")
    sale, _, order = of_two(world)
    made = created(ask(world, order, amount=4000, fee=400))
    for kind in ("refund", "commission_borne"):
        whole = told(world.operator, sale.supplier_id, kind)
        assert (whole["refund"]["cause"], whole["refund"]["id"]) == (
            "chargeback",
            made["refund_id"],
        )
        assert whole["chargeback"]["id"] == made["id"]
        own = told(world.supplier(sale.supplier_id), sale.supplier_id, kind)
        assert own["chargeback"] == {**whole["chargeback"], "amount": None, "fee": None}


def test_a_suppliers_page_says_nothing_of_what_others_have(world: World) -> None:
    bear(world, damaged="supplier", chargeback="supplier", chargeback_fee="supplier")
    sale, _, order = of_two(world)
    units = [{"sku_id": each, "quantity": 1} for each in sale.sku_ids]
    refund(world, order, lines=units)
    world.work()
    assert ask(world, order, amount=1500, fee=400).status == 201
    world.work()
    browser = Browser(world)
    key = created(world.operator.post(f"/v1/suppliers/{sale.supplier_id}/api-keys"))["key"]
    browser.send("supplier/sign-in", {"api_key": key})
    lines = re.findall(r"supplier/money/lines/([^\"]+)", browser.get("supplier/money").text)
    pages = [browser.get(f"supplier/money/lines/{each}").text for each in lines]
    assert any("Who bears the fee" in page for page in pages)
    assert any("Who bears the commission" in page for page in pages)
    of_all = [written(amount, "EUR") for amount in (2000, 200, 1500, 400)]
    assert [each for page in pages for each in of_all if each in page] == []


def test_what_all_leaders_keep_of_a_refund_is_for_operators(world: World) -> None:
    bear(world, damaged="platform")
    sale = world.sale()
    order = world.delivered_order(sale, 3)
    made = refund(world, order, amount=1000)
    leader = world.leader(sale.leader_id)
    seen = leader.get(f"/v1/refunds/{made['id']}").json
    (listed,) = leader.get(f"/v1/leaders/{sale.leader_id}/refunds").json["items"]
    assert (made["kept"], seen["kept"], listed["kept"]) == (100, None, None)
    assert seen["bearer"] == "platform"


@pytest.mark.parametrize(
    ("cap", "whole"),
    [({}, ["rate"]), ({"cap": {"order": 30}}, ["rate", "order_cap"])],
)
def test_a_leader_sees_its_own_part_of_a_line(
    world: World, time: Clock, cap: Json, whole: list[str]
) -> None:
    sale = planned_sale(world, a_plan(world, rule(split=SPLIT, **cap)), skus=2, price=349)
    shop = world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    world.delivered_order(sale, 1)
    run = settle(world, time, days=8)
    for leader_id, role in ((sale.leader_id, "promoter"), (shop, "pickup_point")):
        for n in range(1, len(lines_of(world, leader_id, run["business_date"])) + 1):
            path = f"/v1/leaders/{leader_id}/statements/{run['id']}/lines/{n}"
            seen, all_of_it = (
                each.get(path).json for each in (world.leader(leader_id), world.operator)
            )
            *before, division = seen["rounding"]["steps"]
            assert [each["name"] for each in before] == whole
            for each in before:
                assert (each["amount"], each["exact"], each["portions"]) == (None, None, [])
            *_, of_all = all_of_it["rounding"]["steps"]
            assert [each["of"] for each in of_all["portions"]] == ["promoter", "pickup_point"]
            own = [each for each in of_all["portions"] if each["of"] == role]
            assert division == {**of_all, "portions": own}
            assert division["amount"] == seen["amount"]


def test_a_leader_that_has_a_whole_order_to_itself_sees_all_of_it(
    world: World, time: Clock
) -> None:
    plan = a_plan(world, rule(split=SPLIT, cap={"order": 30}))
    sale = planned_sale(world, plan, skus=2, price=349)
    world.delivered_order(sale, 1)
    run = settle(world, time, days=8)
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines/1"
    seen, whole = (each.get(path).json for each in (world.leader(sale.leader_id), world.operator))
    assert seen == whole
    assert len(seen["rounding"]["steps"][-1]["portions"]) == len(sale.sku_ids)
