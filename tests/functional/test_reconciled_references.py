"""Lines are of what has their reference: deposits and remittances as their senders call them."""

from typing import Any

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, major
from tests.functional.test_refunds_by_hand import by_transfer, failed
from tests.functional.test_supplier_money import agree
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, reconcile
from tests.support.world import Json, World, created

COLUMNS = "date,amount,currency,reference,text"


def deposit(world: World, amount: int, reference: str, **of: Any) -> str:
    supplier_id: str = of.get("supplier_id") or world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/deposits"
    booked = world.operator.post(path, {"amount": amount, "reference": reference})
    assert booked.status == 201, booked.text
    return supplier_id


def test_deposits_of_one_amount_are_told_apart_by_their_references(
    world: World, time: Clock
) -> None:
    supplier_id = deposit(world, 1000, "X1")
    deposit(world, 1000, "X2")
    deposit(world, 1234, "X3", supplier_id=supplier_id)
    amounts = (("10.00", "X1"), ("10.00", "X2"), ("12.30", "X3"))
    made = reconcile(
        world, csv_file(*((day_of(time), each[0], "EUR", each[1]) for each in amounts))
    )
    (other,) = differences(world, made)
    assert (made["matched"], other["kind"]) == (2, "amount")
    assert other["changes"] == [{"currency": "EUR", "amount": -4}]
    assert findings() == []


def test_what_goes_back_of_a_deposit_has_a_reference_too(world: World, time: Clock) -> None:
    supplier_id = deposit(world, 1000, "X1")
    path = f"/v1/suppliers/{supplier_id}/deposits/return"
    assert world.operator.post(path, {"amount": 400, "reference": "OUT-1"}).status == 201
    rows = [(day_of(time), "10.00", "EUR", "X1"), (day_of(time), "-4.00", "EUR", "OUT-1")]
    assert reconcile(world, csv_file(*rows))["matched"] == 2


def test_remittances_of_one_amount_are_told_apart_by_the_text(world: World, time: Clock) -> None:
    sale = world.sale()
    for n in (1, 2):
        order = world.place(sale, payment_method="leader_collect")
        body = {"amount": order["total"], "reference": f"BK-R{n}"}
        assert world.operator.post(f"/v1/orders/{order['id']}/payments", body).status == 201
        path = f"/v1/leaders/{sale.leader_id}/remittances"
        assert world.operator.post(path, body).status == 201
    rows = [(day_of(time), major(order["total"]), "EUR", "", f"Lena Wolf BK-R{n}") for n in (2, 1)]
    made = reconcile(world, csv_file(*rows, columns=COLUMNS))
    assert (made["matched"], made["differences"]) == (2, 0)


def remitted(world: World, **amounts: int) -> dict[str, str]:
    """A supplier transfers what it owes of a fee of 10.00, by references. Returns the entries."""
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=1000)
    world.delivered_order(sale)
    path = f"/v1/suppliers/{sale.supplier_id}/remittances"
    made = {
        reference: created(world.operator.post(path, {"amount": amount, "reference": reference}))
        for reference, amount in amounts.items()
    }
    return {reference: f"supplier-remittance:{each['id']}" for reference, each in made.items()}


def matched(world: World, made: Json) -> dict[int, str]:
    lines = world.operator.get(f"/v1/reconciliations/{made['id']}/lines").json["items"]
    return {each["n"]: each["by"] for each in lines if each["status"] == "matched"}


def test_suppliers_remittances_of_one_amount_are_told_apart_by_their_references(
    world: World, time: Clock
) -> None:
    entries = remitted(world, S1=400, S2=400, S3=200)
    day, said = day_of(time), "Green Farm S1 thanks"
    rows = [("4.00", "S2", ""), ("4.00", "", said), ("1.90", "S3", "")]
    raw = csv_file(*((day, amount, "EUR", *named) for amount, *named in rows), columns=COLUMNS)
    made = reconcile(world, raw)
    assert matched(world, made) == {1: entries["S2"], 2: entries["S1"]}
    (other,) = differences(world, made)
    assert (other["kind"], other["entries"]) == ("amount", [entries["S3"]])
    assert other["changes"] == [{"currency": "EUR", "amount": -10}]


def test_what_was_reversed_of_suppliers_remittances_has_their_references(
    world: World, time: Clock
) -> None:
    entries = remitted(world, S1=400, S2=400)
    supplier_id = world.operator.get("/v1/suppliers").json["items"][0]["id"]
    reversals = {}
    for reference, entry_id in entries.items():
        remittance_id = entry_id.partition(":")[2]
        path = f"/v1/suppliers/{supplier_id}/remittances/{remittance_id}/reverse"
        assert world.operator.post(path, {"reason": "booked twice"}).status == 200
        reversals[reference] = f"supplier-remittance-reversed:{remittance_id}"
    amounts = (("4.00", "S1"), ("4.00", "S2"), ("-4.00", "S2"), ("-4.00", "S1"))
    made = reconcile(world, csv_file(*((day_of(time), a, "EUR", r) for a, r in amounts)))
    assert matched(world, made) == {
        1: entries["S1"],
        2: entries["S2"],
        3: reversals["S2"],
        4: reversals["S1"],
    }


def test_refunds_of_one_amount_from_the_bank_are_told_apart_by_their_references(
    world: World, time: Clock
) -> None:
    for n in (1, 2):
        refund = failed(world)
        assert by_transfer(world, refund, f"REFUND 471{n}").status == 200
    rows = [(day_of(time), "-10.00", "EUR", "REFUND 4712"), (day_of(time), "-9.90", "EUR", "x")]
    made = reconcile(world, csv_file(*rows))
    (other,) = differences(world, made)
    assert (made["matched"], made["in_transit"], other["kind"]) == (1, 1, "extra")
    named = (day_of(time), "-10.00", "EUR", "", "to Mara: REFUND 4711")
    assert reconcile(world, csv_file(named, columns=COLUMNS))["matched"] == 1
