"""Lines are of what has their reference: deposits and remittances as their senders call them."""

from typing import Any

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, major
from tests.functional.test_refunds_by_hand import by_transfer, failed
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, reconcile
from tests.support.world import World

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
