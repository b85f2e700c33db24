"""What suppliers owe of what they were paid, and how it is paid: by deposit, or by transfer."""

from typing import Any

import pytest

from chalicelib.ledger import store as ledger
from tests.support.gateway import Answer
from tests.support.payouts import make, paid_and_refunded, sent, tell
from tests.support.snapshot import snapshot
from tests.support.world import Json, World, created


def of(supplier_id: str, what: str) -> str:
    return f"/v1/suppliers/{supplier_id}/{what}"


def balance(world: World, supplier_id: str) -> Json:
    found = world.operator.get(of(supplier_id, "balance")).json
    return {name: found[name] for name in ("payable", "owed", "deposit")}


def remit(world: World, supplier_id: str, **body: Any) -> Answer:
    return world.operator.post(of(supplier_id, "remittances"), body)


def claims(world: World) -> list[tuple[str, str]]:
    found = world.operator.get("/v1/cases").json["items"]
    return [(each["subject"], each["status"]) for each in found if each["kind"] == "supplier_owes"]


def test_a_deposit_is_drawn_on_for_what_was_paid_and_taken_back(world: World) -> None:
    supplier_id = paid_and_refunded(world).supplier_id
    draw = of(supplier_id, "deposits/draw")
    created(world.operator.post(of(supplier_id, "deposits"), {"amount": 1000, "reference": "T1"}))
    asked = {"amount": 701, "reason": "refunds", "pays": "payable"}
    too_much = world.operator.post(draw, asked)
    assert (too_much.status, too_much.code) == (409, "more_than_owed")
    assert "0.00 EUR in fees (`fees`) and 7.00 EUR" in too_much.json["detail"]
    in_fees = world.operator.post(draw, {"amount": 1, "reason": "refunds"})
    assert "7.00 EUR that it was paid" in in_fees.json["detail"]
    drawn = created(world.operator.post(draw, {**asked, "amount": 700}))
    assert drawn["pays"] == "payable"
    assert balance(world, supplier_id) == {"payable": 0, "owed": 0, "deposit": 300}


def test_a_supplier_transfers_what_it_owes_once_by_its_reference(world: World) -> None:
    supplier_id = paid_and_refunded(world).supplier_id
    made = created(remit(world, supplier_id, amount=400, reference="T1"))
    assert (made["fees"], made["payable"], made["booked_by"]) == (0, 400, "op_test")
    assert ledger.get_entry(made["entry_id"])
    again = remit(world, supplier_id, amount=400, reference="T1")
    assert (again.status, again.json) == (200, made)
    other = remit(world, supplier_id, amount=300, reference="T1")
    assert (other.code, other.status) == ("reference_reused", 409)
    assert "4.00 EUR" in other.json["detail"]
    too_much = remit(world, supplier_id, amount=301, reference="T2")
    assert (too_much.status, too_much.code) == (409, "more_than_owed")
    assert balance(world, supplier_id)["payable"] == -300
    created(remit(world, supplier_id, amount=300, reference="T2"))
    assert balance(world, supplier_id)["payable"] == 0
    listed = world.supplier(supplier_id).get(of(supplier_id, "remittances")).json["items"]
    assert [each["reference"] for each in listed] == ["T2", "T1"]


def test_a_transfer_pays_fees_first(world: World) -> None:
    sale = paid_and_refunded(world)
    terms = {"basis": "cost", "community_fee": 300}
    assert world.operator.put(of(sale.supplier_id, "settlement-terms"), terms).status == 200
    world.delivered_order(sale)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    order = world.operator.get("/v1/orders").json["items"][0]
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    assert balance(world, sale.supplier_id) == {"payable": -700, "owed": 300, "deposit": 0}
    made = created(remit(world, sale.supplier_id, amount=450, reference="T1"))
    assert (made["fees"], made["payable"]) == (300, 150)
    assert balance(world, sale.supplier_id) == {"payable": -550, "owed": 0, "deposit": 0}


def test_a_transfer_that_was_booked_by_mistake_is_reversed_once(world: World) -> None:
    supplier_id = paid_and_refunded(world).supplier_id
    made = created(remit(world, supplier_id, amount=700, reference="T1"))
    reverse = of(supplier_id, f"remittances/{made['id']}/reverse")
    undone = world.operator.post(reverse, {"reason": "another's"})
    assert (undone.status, undone.json["reversal_reason"]) == (200, "another's")
    assert world.operator.post(reverse, {"reason": "another's"}).json == undone.json
    assert world.operator.post(reverse, {"reason": "a whim"}).code == "already_reversed"
    assert balance(world, supplier_id)["payable"] == -700
    again = remit(world, supplier_id, amount=700, reference="T1")
    assert (again.status, again.code) == (409, "remittance_reversed")


def test_a_transfer_of_one_supplier_is_nothing_for_another(world: World) -> None:
    supplier_id = paid_and_refunded(world).supplier_id
    made = created(remit(world, supplier_id, amount=700, reference="T1"))
    other = world.add_supplier()
    assert world.supplier(other).get(of(supplier_id, "remittances")).code == "not_found"
    undo = of(other, f"remittances/{made['id']}/reverse")
    assert world.operator.post(undo, {"reason": "mine"}).code == "not_found"


WRONG: dict[str, Json] = {
    "nothing": {"amount": 0, "reference": "T1"},
    "less than nothing": {"amount": -5, "reference": "T1"},
    "a fraction": {"amount": 0.5, "reference": "T1"},
    "no reference": {"amount": 5},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_transfer_that_makes_no_sense_books_nothing(case: str, world: World) -> None:
    supplier_id = world.add_supplier()
    before = snapshot(world.environment)
    answer = remit(world, supplier_id, **WRONG[case])
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert snapshot(world.environment) == before


def test_a_person_is_called_once_about_a_debt_and_the_case_closes_with_it(world: World) -> None:
    sale = paid_and_refunded(world)
    assert claims(world) == []
    for _ in range(2):
        make(world, kind="suppliers")
        assert claims(world) == [(sale.supplier_id, "open")]
    make(world, kind="leaders")
    created(remit(world, sale.supplier_id, amount=700, reference="T1"))
    make(world, kind="suppliers")
    assert claims(world) == [(sale.supplier_id, "resolved")]


def test_a_debt_that_comes_again_is_told_again(world: World) -> None:
    sale = paid_and_refunded(world)
    make(world, kind="suppliers")
    made = created(remit(world, sale.supplier_id, amount=700, reference="T1"))
    make(world, kind="suppliers")
    undo = of(sale.supplier_id, f"remittances/{made['id']}/reverse")
    assert world.operator.post(undo, {"reason": "another's"}).status == 200
    make(world, kind="suppliers")
    assert claims(world) == [(sale.supplier_id, "open"), (sale.supplier_id, "resolved")]


def test_a_payout_that_comes_back_keeps_what_was_told_first(world: World) -> None:
    world.delivered_order(world.sale())
    batch = sent(world, kind="suppliers")
    (payout,) = world.operator.get(f"/v1/payout-batches/{batch['id']}/payouts").json["items"]
    assert payout["results"] == []
    assert tell(world, payout, "paid", "B1").status == 200
    assert tell(world, payout, "returned", "B2").status == 200
    told = world.operator.get(f"/v1/payouts/{payout['id']}").json
    results = [(each["status"], each["reference"], each["told_by"]) for each in told["results"]]
    assert results == [("paid", "B1", "op_test"), ("returned", "B2", "op_test")]
    assert (told["reference"], told["told_at"]) == ("B2", told["results"][1]["told_at"])
