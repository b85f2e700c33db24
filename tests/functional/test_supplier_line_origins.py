"""Why an amount of a supplier's statement is what it is."""

from datetime import timedelta
from typing import Any

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.lambdas import invoke
from tests.support.payouts import make
from tests.support.world import Json, Sale, World, created

TWELVE: Json = {"basis": "revenue_share", "fee_bps": 1200}


def agree(world: World, supplier_id: str, **terms: Any) -> Json:
    path = f"/v1/suppliers/{supplier_id}/settlement-terms"
    answer = world.operator.put(path, {"basis": "cost", **terms})
    assert answer.status == 200, answer.text
    return answer.json


def told(world: World, supplier_id: str) -> list[Json]:
    """The last month's lines with their explanations, of which each says what the line does."""
    first = (clock.now() - timedelta(days=30)).date()
    answer = world.operator.get(f"/v1/suppliers/{supplier_id}/statements?from={first}")
    lines = answer.json["items"]
    found = [world.operator.get(each["explained_at"]).json for each in lines]
    for line, why in zip(lines, found, strict=True):
        assert (why["kind"], why["entry"]["id"]) == (line["kind"], line["entry_id"])
        assert {"account": line["account"], "amount": line["amount"]} in why["accounts"]
    return found


def adds_up(why: Json) -> None:
    """Of each account what its goods come to is what the entry has moved of it."""
    for moved in why["accounts"]:
        parts = [each["amount"] for each in why["goods"] if each["account"] == moved["account"]]
        assert sum(parts) == moved["amount"]


def refund(world: World, order: Json, **body: Any) -> Json:
    path = f"/v1/orders/{order['id']}/refunds"
    return created(world.operator.post(path, {"reason": "broken", **body}))


def test_a_share_tells_what_was_brought_and_which_fee_was_taken(world: World) -> None:
    sale = world.sale(price=349)
    agree(world, sale.supplier_id, **TWELVE)
    world.delivered_order(sale)
    agree(world, sale.supplier_id, basis="revenue_share", fee_bps=5000)
    (why,) = told(world, sale.supplier_id)
    (eggs,) = why["goods"]
    expected = {
        "account": "payable",
        "sku_id": sale.sku_ids[0],
        "units": 1,
        "net": 349,
        "spread": 0,
        "brought": 349,
        "basis": "revenue_share",
        "fee_bps": 1200,
        "terms_version": 1,
        "fee": 42,
        "cost": 307,
        "amount": 307,
        "method": "half_up",
    }
    assert {name: eggs[name] for name in expected} == expected
    assert eggs["title"]
    adds_up(why)
    assert why["entry"]["postings"] == [
        {"account": f"supplier:{sale.supplier_id}:payable", "amount": -307}
    ]


def test_a_cost_is_units_by_what_each_costs(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale, 3)
    (why,) = told(world, sale.supplier_id)
    (goods,) = why["goods"]
    assert (goods["units"], goods["unit_cost"], goods["amount"]) == (3, 700, 2100)
    assert (goods["fee"], goods["method"]) == (None, "exact")


def test_a_leaders_own_spread_is_not_shared(world: World) -> None:
    sale = world.sale(floor_price=900)
    agree(world, sale.supplier_id, **TWELVE)
    price = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": 1200}
    assert world.operator.put(f"/v1/leaders/{sale.leader_id}/prices", price).status == 200
    world.delivered_order(sale)
    (why,) = told(world, sale.supplier_id)
    (goods,) = why["goods"]
    assert (goods["net"], goods["spread"], goods["brought"]) == (1200, 200, 1000)
    assert (goods["fee"], goods["amount"]) == (120, 880)


def test_a_delivery_is_told_as_it_was_however_much_is_refunded_since(world: World) -> None:
    sale = world.sale(price=999)
    agree(world, sale.supplier_id, **TWELVE)
    order = world.delivered_order(sale, 3)
    (before,) = told(world, sale.supplier_id)
    units = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    refund(world, order, lines=units)
    refund(world, order, amount=500)
    refund(world, order, lines=units)
    delivered, *taken = told(world, sale.supplier_id)
    assert delivered == before
    assert [[each["units"] for each in why["goods"]] for why in taken] == [[1], [0], [1]]
    for why in (delivered, *taken):
        adds_up(why)
        for each in why["goods"]:
            assert each["brought"] - each["fee"] == each["cost"]
    assert taken[1]["refund"]["amount"] == 500
    assert all(why["refund"]["cause"] == "other" for why in taken)


def test_several_skus_and_parcels_are_told_each(world: World) -> None:
    sale = world.sale(skus=2)
    agree(world, sale.supplier_id, **TWELVE)
    order = world.paid_order(sale, quantity=2)
    dispatch = order["dispatches"][0]["id"]
    world.move(dispatch, "accept")
    for n, sku_id in enumerate(sale.sku_ids[:1]):
        sent = {"carrier": "DHL", "tracking_number": f"T{n}"}
        units = [{"sku_id": sku_id, "quantity": 1}]
        path = f"/v1/dispatches/{dispatch}/ship"
        assert world.operator.post(path, {**sent, "lines": units}).status == 200
    world.move(dispatch, "ship", "deliver")
    found = told(world, sale.supplier_id)
    assert len(found) == 2
    for why in found:
        adds_up(why)
    assert sum(each["units"] for why in found for each in why["goods"]) == 2 * len(order["lines"])


def test_a_dispute_says_what_it_holds(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale)
    body = {"reason": "not_received"}
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
    assert world.customer().post(path, body).status == 201
    _, disputed, _ = told(world, sale.supplier_id)
    assert disputed["accounts"] == [
        {"account": "payable", "amount": -700},
        {"account": "held", "amount": 700},
    ]
    adds_up(disputed)


def test_fees_name_year_terms_and_windows(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=500))
    day = time.now().date()
    window = {"from": str(day + timedelta(days=90)), "to": str(day + timedelta(days=99))}
    fees = {"annual_fee": 1000, "community_fee": 300, "waivers": [window]}
    agree(world, sale.supplier_id, **fees)
    world.delivered_order(sale)
    time.move_on(days=1)
    agree(world, sale.supplier_id, annual_fee=9999)
    invoke("supplier_fees")
    by_kind = {why["kind"]: why["fee"] for why in told(world, sale.supplier_id)}
    of_both = {"fee_year": str(day), "terms_version": 1, "waivers": [window]}
    assert by_kind["annual_fee"] == {**of_both, "amount": 1000, "leader_id": None}
    assert by_kind["community_fee"] == {**of_both, "amount": 300, "leader_id": sale.leader_id}
    assert by_kind["delivery"] is None


def fined(world: World, time: Clock) -> tuple[str, str]:
    """A supplier and its dispatch with a fine of 5.00, of which the cap left 3.00."""
    sale = world.sale()
    clocks = {"on_missed": "fine", "fine_amount": 500, "deliver_by_hours": 720}
    assert world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", clocks).status == 200
    agree(world, sale.supplier_id, fine_cap=300)
    order = world.paid_order(sale)
    time.move_on(hours=13)
    invoke("dispatch_clocks")
    return sale.supplier_id, order["dispatches"][0]["id"]


def test_a_fine_names_dispatch_clock_and_cap(world: World, time: Clock) -> None:
    supplier_id, dispatch_id = fined(world, time)
    agree(world, supplier_id)
    (why,) = told(world, supplier_id)
    fine = why["fine"]
    assert (fine["dispatch_id"], fine["clock"], fine["parcel_id"]) == (dispatch_id, "accept", None)
    assert (fine["asked"], fine["charged"], fine["cap"]) == (500, 300, 300)
    assert (fine["terms_version"], fine["waived_at"]) == (1, None)
    assert fine["due_at"] <= fine["missed_at"]
    waive = f"/v1/dispatches/{dispatch_id}/fines/accept/waive"
    assert world.operator.post(waive, {"reason": "flood"}).status == 200
    _, waived = told(world, supplier_id)
    assert (waived["kind"], waived["fine"]["waived_for"]) == ("fine_waived", "flood")


def test_deposits_transfers_and_payouts_are_named(world: World, time: Clock) -> None:
    supplier_id, _ = fined(world, time)
    base = f"/v1/suppliers/{supplier_id}"
    made = created(world.operator.post(f"{base}/deposits", {"amount": 1000, "reference": "T1"}))
    draw = {"amount": 100, "reason": "fines", "pays": "payable"}
    created(world.operator.post(f"{base}/deposits/draw", draw))
    sent = created(world.operator.post(f"{base}/remittances", {"amount": 200, "reference": "T2"}))
    by_kind = {why["kind"]: why for why in told(world, supplier_id)}
    assert by_kind["deposit"]["deposit"] == made
    assert by_kind["deposit_drawn"]["deposit"]["reason"] == "fines"
    assert by_kind["remittance"]["remittance"] == sent
    assert by_kind["fine"]["deposit"] is None


def test_a_payout_names_its_batch(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale)
    batch = make(world, kind="suppliers")
    *_, why = told(world, sale.supplier_id)
    payout = why["payout"]
    assert (payout["batch_id"], payout["status"], payout["amount"]) == (
        batch["id"],
        "prepared",
        700,
    )


def line_of(world: World, sale: Sale) -> str:
    world.delivered_order(sale)
    lines = world.operator.get(f"/v1/suppliers/{sale.supplier_id}/statements").json["items"]
    entry_id: str = lines[-1]["entry_id"]
    return entry_id


def test_anothers_line_does_not_exist(world: World) -> None:
    sale, other = world.sale(), world.add_supplier()
    entry_id = line_of(world, sale)
    mine, its = (f"/v1/suppliers/{each}/statements/lines" for each in (sale.supplier_id, other))
    assert world.supplier(sale.supplier_id).get(f"{mine}/{entry_id}").status == 200
    assert world.supplier(other).get(f"{mine}/{entry_id}").code == "not_found"
    for nothing in (f"{its}/{entry_id}", f"{mine}/delivered:prc_none", f"{mine}/none"):
        assert world.operator.get(nothing).code == "not_found"
